"""The table itself, and the report: what may be asked, at which points, what is kept, and when it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.known import report
from tests.known.gates import Agrees, Effort, Gate
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
