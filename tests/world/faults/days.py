"""A small shop for one fault at a time: some three hundred customers, too little on the shelves, everything in a hurry.

Six minutes with customers; leases, reservations and jobs are short, so that whatever a fault breaks is met soon.
"""

from __future__ import annotations

from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.history import Row, first_difference
from orderquake.sim.run import Run, policy_of, simulate
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.world import World

POLICIES = ("pay_first", "reserve_first", "authorise_reserve_capture")
EXERCISED = ["never_oversold", "units_conserved", "money_conserved", "charged_once", "refunded_right", "posted_once"]
EXERCISED += ["legal_transitions", "every_order_ends", "books_converge", "notices_sent"]


def shop(*faults: dict[str, Any], order: str = "pay_first", **tables: Any) -> Scenario:
    """The shop with these faults; further tables replace its own."""
    day: dict[str, Any] = {
        "schema_version": 1,
        "question": "What does this fault do?",
        "horizon": "6 min",
        "gauge_every": "30 s",
        "must_exercise": EXERCISED,
        "workload": {
            "kind": "poisson",
            "rate_per_s": 0.8,
            "popularity": {"kind": "zipf", "exponent": 0.8},
            "clicks_twice": 0.02,
            "cancels": 0.1,
            "cancels_after": {"kind": "exponential", "mean": "10 s"},
        },
        "stock": {"skus": 12, "units_per_sku": 25},
        "policy": {
            "order": order, "reservation_ttl": "40 s", "worker_deadline": "20 s", "lease": "25 s", "idle": "20 s",
        },
        "jobs": {"inbound": {"every": "40 s"}, "outbound": {"every": "20 s"}, "recovery": {"every": "15 s"}},
        "fault": list(faults),
    }  # fmt: skip
    return Scenario.model_validate(day | tables)


def run(
    *faults: dict[str, Any], on: str | type[Architecture] = "hot_cold", seed: int = 1, order: str = "pay_first",
    **tables: Any,
) -> Run:  # fmt: skip
    """One day of the shop."""
    return simulate(shop(*faults, order=order, **tables), on=on, seed=seed)


def rows(run: Run, kind: str, operation: str = "", answer: str = "") -> list[Row]:
    """Rows of the history, by what they say."""
    return [
        row
        for row in run.history
        if row.kind == kind and operation in ("", row.operation) and answer in ("", row.answer)
    ]


def life(run: Run, which: str) -> list[str]:
    """What became of one fault, by its label or its kind, in order; of its witnesses the first."""
    told = [row.answer for row in rows(run, "fault") if which in (row.key, row.operation)]
    return [answer for place, answer in enumerate(told) if answer != "witnessed" or answer not in told[:place]]


def convicts(run: Run) -> list[str]:
    """The checkers that call the run invalid."""
    return [name for name, verdict in run.verdicts.items() if verdict.status == "invalid"]


def why(run: Run) -> dict[str, str]:
    """What stands between a run and `valid`."""
    return {name: verdict.reason for name, verdict in run.verdicts.items() if verdict.status != "valid"} | {
        "notes": " ".join(run.notes)
    }


def same_on_both_engines(*faults: dict[str, Any], order: str = "pay_first", **tables: Any) -> None:
    """The day, on SimPy's own loop and on ours: the same to the bit."""
    scenario = shop(*faults, order=order, **tables)
    worlds = [World(scenario, HotCold(policy_of(scenario)), 1, engine) for engine in ("fast", "stock")]
    for world in worlds:
        world.run()
    fast, stock = (world.history for world in worlds)
    assert first_difference(fast, stock) is None
    assert fast.digest == stock.digest


def bears(fault: dict[str, Any], order: str, seed: int, **tables: Any) -> Run:
    """The sound design on a day with this fault: every part of it was seen to strike, was healed, and did no harm."""
    found = run(fault, order=order, seed=seed, **tables)
    assert found.verdict == "valid", why(found)
    for label, _ in shop(fault, order=order, **tables).plain_faults():
        seen = life(found, label)
        assert seen[0] == "injected"
        assert {"witnessed", "recovered"} <= set(seen), f"{label}: {seen}"
    return found


def is_convicted(design: type[Architecture], fault: dict[str, Any], by: str, seed: int = 1, **tables: Any) -> None:
    """This checker calls the design invalid under the fault, and has nothing against it on the same day without."""
    assert by not in convicts(run(on=design, seed=seed, **tables)), f"{design.name} needs no fault to be convicted"
    assert by in convicts(run(fault, on=design, seed=seed, **tables))
