"""Jobs that overlap can jam a service for good: it was slow once, and everybody who gave up waits in it twice.

Found among a million small days. The record does fifteen things at once, a second and a half each, and is slow for
eight seconds. Each of the jobs begins anew before its last run has ended, and each run asks up to four times.
"""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.explore.hunt.changes import rested
from orderquake.sim.explore.quiet import jobs_can_jam, unjammed
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario
from tests.world.corner import constant, scenario_of

SLOW = {"kind": "record_slow", "factor": 10.0, "from": "1 s", "for": "8 s"}


def day(every: str = "333 ms", read: int = 1_500_000, **tables: Any) -> Scenario:
    return scenario_of(
        horizon="14 s",
        quiet_limit="20 min",
        workload={"kind": "orders", "order": [{"at": "1 s", "wants": {"sku-1": 1}, "number": 0, "card": "good"}]},
        service={
            "payment": {"latency": constant(800_000), "declines": 0.0},
            "record": {"latency": constant(read), "capacity": 15},
        },
        policy={"patience": {"record": {"timeout": "4730 ms", "attempts": 4}}},
        jobs={"inbound": {"every": "834 ms"}, "outbound": {"every": every}, "recovery": {"every": "1 s"}},
        **tables,
    )


def verdicts(scenario: Scenario) -> dict[str, str]:
    return {name: verdict.status for name, verdict in simulate(scenario, HotCold, 1).verdicts.items()}


def ended_s(scenario: Scenario) -> float:
    return float(simulate(scenario, HotCold, 1).history.frame()["time"].max()) / 1e6


def test_a_slow_spell_jams_the_record_for_good_and_without_it_all_is_well() -> None:
    assert jobs_can_jam(day())
    assert ended_s(day()) < 60, "nothing was ever slow"
    assert verdicts(day(fault=[SLOW]))["books_converge"] == "invalid", "twenty minutes later"


def test_the_run_says_so() -> None:
    (note,) = simulate(day(fault=[SLOW]), HotCold, 1).notes
    assert note.startswith("jammed: long after the last fault post was asked ")
    assert "read_changes was asked" in note and "see `overlaps`" in note
    assert simulate(day(), HotCold, 1).notes == ()
    assert simulate(unjammed(day(fault=[SLOW])), HotCold, 1).notes == ()
    stays_down = {"kind": "down", "target": "record", "from": "2 s", "heals": False}
    assert not any(note.startswith("jammed") for note in simulate(day(fault=[stays_down]), HotCold, 1).notes)


def test_runs_that_do_not_overlap_get_out_again() -> None:
    calm = unjammed(day(fault=[SLOW]))
    assert not any(job.overlaps for _, job in calm.jobs.items()) and not jobs_can_jam(calm)
    assert "invalid" not in verdicts(calm).values()
    assert ended_s(calm) < 60


def test_and_so_do_jobs_that_leave_the_record_room() -> None:
    roomy = day("10 s", 100_000, fault=[SLOW])
    assert not jobs_can_jam(roomy) and unjammed(roomy) is roomy
    assert "invalid" not in verdicts(roomy).values()


@pytest.mark.parametrize(("read", "is_jammed"), [(100_000, False), (1_500_000, True)])
def test_days_that_are_rested_cannot_be_jammed(read: int, is_jammed: bool) -> None:
    assert jobs_can_jam(day(read=read)) is is_jammed
    assert not jobs_can_jam(rested(day(read=read)))
