"""The table itself, and the report: what may be asked, at which points, what is kept, and when it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.known import report
from tests.known.gates import Agrees, Effort, Evidence, Gate
from tests.known.table import TABLE, Entry, entries


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    list(entries())


def test_every_entry_can_be_asked_at_points_of_ones_own() -> None:
    for entry in TABLE.values():
        for point in entry.points():
            words = [
                f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}"
                for name, value in point.given.items()
            ]
            assert report.at_a_point(entry, words).point.given == point.given, entry.name


def test_the_full_form_has_more_points_than_the_quick_one() -> None:
    quick, full = (list(report.every_case(is_quick, (), None)) for is_quick in (True, False))
    assert 40 <= len(quick) < len(full)
    assert {case.entry for case in full} == set(TABLE)


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(ValueError, match="erlang_c has no parameter 'hands'; expected one of servers, load"):
        report.at_a_point(TABLE["erlang_c"], ["hands=3"])
    with pytest.raises(ValueError, match="servers=many: 'many' is no int"):
        report.at_a_point(TABLE["erlang_c"], ["servers=many"])


def gates_of(values: list[float], reference: float, wide: float) -> list[Gate]:
    gates: list[Gate] = []
    Agrees(Effort.of("x"), gates.append)("it", values, reference, wide)
    return gates


def test_a_mean_agrees_only_if_it_is_near_and_narrow() -> None:
    values = [1.0, 1.2] * 10
    assert [gate.why for gate in gates_of(values, 1.1, 0.1)] == [""]
    assert [gate.why for gate in gates_of(values, 1.3, 0.1)] == ["too far"]
    assert [gate.why for gate in gates_of(values, 1.1, 0.01)] == ["too wide"]


def test_more_replications_count_together_with_those_before_them() -> None:
    found: Evidence = {}
    gates: list[Gate] = []
    for values, hits, broken in (([1.0, 1.2] * 10, 3, 0), ([1.1, 1.3] * 10, 5, 1)):
        agrees = Agrees(Effort.of("x"), gates.append, found)
        agrees("it", values, 1.15, 0.1)
        agrees("it", [value + 1 for value in values], 2.15, 0.1)
        agrees.share("that", hits, 10, 0.4, 0.5)
        agrees.never("what must not be", broken, 10)
        agrees.quantile("the middle", values * 20, 0.5, 1.15)
    it, other, that, never, middle = gates[5:]
    assert (it.n, it.ours, other.ours) == (40, pytest.approx(1.15), pytest.approx(2.15))
    assert it.wide < gates[0].wide
    assert (that.ours, that.n) == (0.4, 20)
    assert (never.why, never.n) == ("broken 1 times", 20)
    assert middle.n == 800
    assert found["it", 1] == [1.0, 1.2] * 10 + [1.1, 1.3] * 10


def test_a_row_plays_more_of_them_until_it_is_narrow_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, range]] = []

    def run(effort: Effort, agrees: Agrees, wide: float) -> None:
        asked.append((effort.longer, effort.seeds))
        agrees("it", ([1.0, 1.2] * 15)[: len(effort.seeds)], 1.1, wide, full=wide)

    monkeypatch.setitem(TABLE, "made_up", Entry("made_up", 11, "Is it one?", "nobody", run))
    for wide, lengths in ((0.1, [1]), (0.03, [1, 2, 2, 2]), (0.0125, [1, *[5] * 23])):
        asked.clear()
        row = report.answered(report.Case("made_up", report.Point({"wide": wide}, False)), report.Form(False, 0, 60.0))
        assert [longer for longer, _ in asked] == lengths
        assert row["gates"][0]["is_met"] and row["longer"] == lengths[-1]
        played = [len(seeds) for longer, seeds in asked if longer == lengths[-1]]
        assert row["gates"][0]["n"] == sum(played), "those of another length do not count"
        assert played == [30] + [10] * (len(played) - 1)
        used = [seed for _, seeds in asked for seed in seeds]
        assert len(set(used)) == len(used), "nobody's luck is used twice"


@pytest.mark.parametrize(("off", "lengths"), [(0.0, [5, 15]), (0.5, [5, 15, 60])])
def test_a_row_of_splitting_is_played_longer_and_not_more_often(
    monkeypatch: pytest.MonkeyPatch, off: float, lengths: list[int]
) -> None:
    asked: list[int] = []

    def run(effort: Effort, agrees: Agrees) -> None:
        asked.append(effort.longer)
        wide = 0.4 / effort.longer**0.5
        agrees("it", [1.1 + off - wide, 1.1 + off + wide] * 10, 1.1, 0.05, full=0.05)

    monkeypatch.setitem(TABLE, "made_up", Entry("made_up", 11, "Is it one?", "nobody", run, by_length=True))
    row = report.answered(report.Case("made_up", report.Point({}, False)), report.Form(False, 0, 60.0))
    assert asked == lengths
    assert (row["longer"], row["gates"][0]["n"], row["gates"][0]["is_met"]) == (lengths[-1], 20, not off)


@pytest.mark.parametrize(("offs", "is_met"), [((0.5, 0.0, 0.0, 0.0, 0.0), True), ((0.5,) * 5, False)])
def test_a_row_that_is_far_off_is_looked_at_once_more_and_told_so(
    monkeypatch: pytest.MonkeyPatch, offs: tuple[float, ...], is_met: bool
) -> None:
    """Chance is not that far off twice; a mistake is."""
    left = list(offs)

    def run(agrees: Agrees) -> None:
        off = left.pop(0)
        agrees("it", [value + off for value in [1.0, 1.2] * 15], 1.1, 0.1)

    monkeypatch.setitem(TABLE, "made_up", Entry("made_up", 11, "Is it one?", "nobody", run))
    row = report.answered(report.Case("made_up", report.Point({}, False)), report.Form(False, 0, 60.0))
    assert left == [], "four times the replications"
    (gate,) = row["gates"]
    assert (gate["is_met"], gate["n"]) == (is_met, 120)
    assert [first["why"] for first in row["first_look"]] == ["too far"]
    assert "Looked at twice: it, 1.6 at first (n 30, too far)." in report.page([row], is_quick=False)


def test_a_report_goes_on_where_it_stood_and_fails_where_a_gate_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(agrees: Agrees, ours: float) -> None:
        with (tmp_path / "played").open("a") as played:
            played.write("x")
        agrees.exactly("one", ours, 1.0)

    monkeypatch.setattr(report, "REPORTS", tmp_path)
    monkeypatch.setitem(TABLE, "made_up", Entry("made_up", 11, "Is it one?", "nobody", run))
    monkeypatch.setattr(report, "entries", lambda: [TABLE["made_up"]])
    monkeypatch.setattr(Entry, "points", lambda self: (report.Point({"ours": 1.0}, False),))

    def asked(*words: str) -> tuple[int, Any]:
        code = report.main(["--json", "--row", "made_up", *words])
        return code, json.loads(capsys.readouterr().out)

    assert asked()[0] == 0
    assert asked()[0] == 0
    assert (tmp_path / "played").read_text() == "x", "the second time, the kept row was used"
    code, told = asked("--with", "ours=2")
    assert code == 1
    assert [row["verdict"] for row in told["rows"]] == ["not equal"]
    assert report.main(["--row", "nobody"]) == 3
