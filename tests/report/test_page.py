"""The page: what it says, that it needs nothing from outside, and that it is always the same bytes."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from orderquake.sim.checkers.fold import Verdict
from orderquake.sim.history import History
from orderquake.sim.report import judgement, rendering, words
from orderquake.sim.report.confessions import confessions
from orderquake.sim.report.drawing import is_lopsided, thin
from orderquake.sim.report.page import write_report
from orderquake.sim.report.summary import summary_record, write_summary
from tests.report.made_up import MadeUpRun, MadeUpScenario, made_up_run


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(made_up_run(300), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(made_up_run(200, broken=True), tmp_path_factory.mktemp("run")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = [made_up_run(60, seed=seed, broken=seed == 3) for seed in range(1, 9)]
    return write_summary(runs, tmp_path_factory.mktemp("many"))


class Outline(HTMLParser):
    """Headings, ids, and whatever an element points at."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.points_at: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src", "srcset", "action", "data", "poster", "xlink:href"):
                self.points_at.append(value or "")


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    return found


def test_the_same_run_makes_the_same_bytes(tmp_path: Path) -> None:
    one = write_report(made_up_run(120), tmp_path / "one").read_bytes()
    other = write_report(made_up_run(120), tmp_path / "other").read_bytes()
    assert one == other
    for name in ("results.json", "history.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_a_page_points_at_nothing_but_itself(written: Path, broken: str, many: Path) -> None:
    for text in (written.read_text(encoding="utf-8"), broken, many.read_text(encoding="utf-8")):
        assert not re.search(r"(?:https?:)?//\w", re.sub(r"<(code|pre)\b.*?</\1>", "", text, flags=re.DOTALL))
        assert not re.search(r"@import|url\((?!#)", text)
        found = outline(text)
        assert all(target.startswith("#") or target == "data:," for target in found.points_at)
        assert "script" not in found.tags
        assert {target[1:] for target in found.points_at if target.startswith("#")} <= set(found.ids)


def test_headings_come_in_order_and_ids_once(written: Path, many: Path) -> None:
    for path in (written, many):
        found = outline(path.read_text(encoding="utf-8"))
        assert found.headings[0] == 1 and found.headings.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(found.headings, found.headings[1:], strict=False))
        assert len(found.ids) == len(set(found.ids))


def test_the_verdict_comes_before_everything_that_was_measured(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    places = [
        text.index(mark)
        for mark in (
            'class="verdict"',
            'id="verdicts"',
            'id="latency"',
            'id="drift"',
            'id="outcomes"',
            'id="faults"',
            'id="provenance"',
        )
    ]
    assert places == sorted(places)
    assert MadeUpScenario().question in text


def test_a_broken_promise_stands_first_with_its_reason_and_its_witness(broken: str) -> None:
    assert "Broken: charged once." in broken
    table = broken[broken.index('id="verdicts"') :]
    assert table.index("charged once") < table.index("never oversold")
    assert "order-3 was captured twice" in table
    assert "Witness: charged once" in table


def test_a_promise_that_was_not_exercised_stands_last_and_is_no_alarm() -> None:
    rows = judgement.verdict_rows(
        {"idle": Verdict.unknown(0, "not exercised"), "held": Verdict.valid(3), "open": Verdict.unknown(2, "why")}
    )
    assert [(row["claim"], row["glyph"]) for row in rows] == [("open", "unknown"), ("held", "valid"), ("idle", "idle")]


def test_a_promise_that_had_to_be_tested_and_was_not_is_an_alarm() -> None:
    rows = judgement.verdict_rows({"idle": Verdict.unknown(0, "not exercised"), "held": Verdict.valid(3)}, ("idle",))
    assert [(row["claim"], row["glyph"]) for row in rows] == [("idle", "unknown"), ("held", "valid")]


def test_an_unknown_run_says_why() -> None:
    run = made_up_run(20)
    run.notes = ("fault slow-3 was never seen to strike",)
    run.verdicts = {**run.verdicts, "posted_once": Verdict.unknown(0, "not exercised")}
    assert judgement.in_doubt(run) == ["fault slow-3 was never seen to strike", "posted once, not exercised"]


def test_text_from_a_scenario_is_never_markup(tmp_path: Path) -> None:
    run = made_up_run(40)
    run.scenario = MadeUpScenario(question='<script>alert("1")</script> & so?', name="a<b>")
    text = write_report(run, tmp_path).read_text(encoding="utf-8")
    assert "<script>" not in text and "a<b>" not in text
    assert "&lt;script&gt;" in text


def test_the_page_says_how_to_play_the_run_again(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert "orderquake run record_offline --on hot_cold --seed 1" in text
    assert made_up_run(300).digest in text


def test_faults_are_listed_with_whether_they_were_seen(written: Path) -> None:
    faults = written.read_text(encoding="utf-8").partition('id="faults"')[2]
    assert "record: down" in faults
    assert "7 times" in faults and "not seen" in faults


def test_results_are_json_that_every_reader_accepts(written: Path) -> None:
    found = json.loads((written.parent / "results.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found["verdict"] == "valid"
    assert found["nothing"] is None


def test_the_history_beside_the_page_is_the_runs(written: Path) -> None:
    assert History.read_parquet(written.parent / "history.parquet").digest == made_up_run(300).digest


def test_a_run_in_which_nothing_happened_has_a_page(tmp_path: Path) -> None:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=1)
    text = write_report(MadeUpRun(history), tmp_path).read_text(encoding="utf-8")
    assert "No customer came." in text
    assert "Nothing was done to the system" in text


def test_confessions_are_collected_from_the_sources() -> None:
    for confession in confessions():
        assert confession.text and confession.where.endswith(".py")
    assert confessions(("orderquake.no_such_room",)) == []


def test_many_runs_never_show_a_bare_zero(many: Path) -> None:
    text = many.read_text(encoding="utf-8")
    assert "1 of 8 runs; 0.3 % to 52.7 % at 95 %" in text
    assert "0 of 8 runs; at most 36.9 % at 95 %" in text
    assert "never put to the test" in text


def test_many_runs_name_the_seed_to_look_at(many: Path) -> None:
    failing = many.read_text(encoding="utf-8").partition('id="failing"')[2]
    assert "orderquake run record_offline --on hot_cold --seed 3" in failing
    record = json.loads((many.parent / "results.json").read_text(encoding="utf-8"))
    assert [run["seed"] for run in record["failing"]] == [3]
    assert (record["runs"], record["verdict"]) == (8, "invalid")


def test_a_summary_is_about_runs_of_one_kind() -> None:
    run, other = made_up_run(20), made_up_run(20)
    other.architecture = "central"
    assert summary_record([run])["verdict"] == "valid"
    with pytest.raises(ValueError, match="record_offline on central, record_offline on hot_cold"):
        write_summary([run, other], Path("nowhere"))
    with pytest.raises(ValueError, match="found no run"):
        write_summary([], Path("nowhere"))


def test_a_thinned_line_keeps_its_ends_and_its_peaks() -> None:
    import numpy as np

    time, value = np.arange(100_000), np.zeros(100_000)
    value[54_321], value[77_777] = 9, -3
    at, kept = thin(time, value)
    assert len(at) <= 1000
    assert (at[0], at[-1], kept.max(), kept.min()) == (0, 99_999, 9, -3)


def test_numbers_read_as_people_write_them() -> None:
    assert words.duration(None) == words.duration(float("nan")) == "–"
    assert words.duration(-0.5).startswith("−500")
    assert words.money(-250) == "−£2.50"
    assert rendering.as_json({"a": float("inf"), "b": (1, 2)}) == '{\n  "a": null,\n  "b": [\n    1,\n    2\n  ]\n}\n'


def test_one_short_peak_calls_for_a_scale_by_powers_of_ten() -> None:
    import numpy as np

    time = np.arange(101.0)
    assert not is_lopsided(time, np.linspace(0, 1000, 101))
    assert is_lopsided(time, np.where(time == 50, 80_000, 3))
    assert not is_lopsided(time, np.zeros(101))
