"""`claims`: what is said of the design, put to the test; what each verdict means, and how the verb leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from orderquake.sim import claimed
from orderquake.sim.asked import load_all
from orderquake.sim.checkers import CHECKERS
from orderquake.sim.claimed import Claimed
from orderquake.sim.cli import main
from orderquake.sim.compared import Comparison, Played
from orderquake.sim.report.claims import how_tested
from orderquake.sim.study.claims import CLAIMS, DAYS, DESIGNS, NOT_TESTED, Claim, Day, FewerThan, Number, Promises
from orderquake.sim.study.compare import MEASURES

SMALL = Day("record_offline", ("horizon=1 min", "workload.rate_per_s=0.2", "fault=[]"))


def test_every_claim_is_tested_by_what_there_is() -> None:
    for claim in CLAIMS:
        assert claim.day in DAYS
        for test in claim.tests:
            match test:
                case Promises(names):
                    assert set(names) <= set(CHECKERS)
                case Number(measure, _, _, source):
                    assert measure in MEASURES
                    assert source
                case FewerThan(measure, design):
                    assert measure in MEASURES
                    assert design in DESIGNS
        assert how_tested(claim)
    assert {claim.day for claim in CLAIMS} == set(DAYS)
    assert all(NOT_TESTED.values())


@pytest.mark.parametrize("day", DAYS)
def test_every_day_is_a_scenario_that_comes_along(day: str) -> None:
    assert load_all([DAYS[day].scenario], "hot_cold", DAYS[day].settings)


# -- what the verdicts mean


def days(values: Mapping[str, Sequence[float]], statuses: Mapping[str, Sequence[str]] | None = None) -> Claimed:
    """One day on which designs were played and measured as it says here."""
    runs = {
        design: [
            Played(
                design, seed, "", "valid", {"hops": number}, {}, (), 0.0,
                {"charged_once": (statuses or {}).get(design, ["valid"] * len(numbers))[seed - 1]},
            )
            for seed, number in enumerate(numbers, 1)
        ]
        for design, numbers in values.items()
    }  # fmt: skip
    seeds = range(1, 1 + len(next(iter(values.values()))))
    return Claimed(seeds, list(values), {"day": Comparison({}, seeds, runs)})


def found(made: Claimed, *tests: Promises | Number | FewerThan, design: str = "ours") -> str:
    return made.cell(Claim("", "", "day", tests), design).found


def test_a_number_holds_only_if_its_whole_interval_does() -> None:
    made = days({"ours": [10.0, 11.0, 12.0]})  # 11 +- 2.48
    assert found(made, Number("hops", "at most", 14.0, "")) == "holds"
    assert found(made, Number("hops", "at most", 12.0, "")) == "undecided"
    assert found(made, Number("hops", "at most", 8.0, "")) == "fails"
    assert found(made, Number("hops", "at least", 8.0, "")) == "holds"
    assert found(made, Number("hops", "at least", 14.0, "")) == "fails"


def test_one_run_has_no_interval_and_decides_no_number() -> None:
    assert found(days({"ours": [10.0]}), Number("hops", "at most", 14.0, "")) == "undecided"


def test_one_run_in_which_a_promise_is_broken_is_enough() -> None:
    once = Promises(("charged_once",))
    assert found(days({"ours": [1.0, 1.0]}), once) == "holds"
    assert found(days({"ours": [1.0, 1.0]}, {"ours": ["valid", "invalid"]}), once) == "fails"
    assert found(days({"ours": [1.0, 1.0]}, {"ours": ["unknown", "unknown"]}), once) == "undecided"


def test_the_worst_of_a_claims_tests_is_what_became_of_it() -> None:
    made = days({"ours": [10.0, 10.0]}, {"ours": ["valid", "invalid"]})
    assert found(made, Number("hops", "at most", 14.0, ""), Promises(("charged_once",))) == "fails"
    assert found(made, Number("hops", "at most", 14.0, "")) == "holds"


def test_fewer_is_fewer_seed_by_seed_and_beyond_chance() -> None:
    made = days({"ours": [10.0, 20.0, 30.0], "theirs": [11.0, 21.0, 31.5], "alike": [9.0, 22.0, 30.0]})
    assert found(made, FewerThan("hops", "theirs")) == "holds"
    assert found(made, FewerThan("hops", "ours"), design="theirs") == "fails"
    assert found(made, FewerThan("hops", "ours"), design="alike") == "undecided"
    assert found(made, FewerThan("hops", "ours")) == "undecided", "nothing is held against itself"


# -- the verb


def test_the_verb_tells_writes_and_leaves_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = ("hot_cold", "orchestrated")
    monkeypatch.setattr(claimed, "DAYS", dict.fromkeys(DAYS, SMALL))
    monkeypatch.setattr(claimed.play, "__defaults__", (few, 1, 1))
    assert main(["claims", "--runs", "1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["designs"] == list(few)
    assert [claim["name"] for claim in record["claims"]] == [claim.name for claim in CLAIMS]
    sold = next(claim for claim in record["claims"] if claim["name"] == "back-pressure")
    assert sold["found"]["hot_cold"]["verdict"] in ("holds", "undecided")
    page = Path(record["report"]).read_text(encoding="utf-8")
    assert "<script" not in page
    for claim in CLAIMS:
        assert claim.says in page
    for says in NOT_TESTED:
        assert says in page
    assert (Path(record["report"]).parent / "results.json").exists()
