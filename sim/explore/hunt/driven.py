"""Hypothesis draws the day: sparse lists of orders and faults over a small shop, calm where they are empty.

Hypothesis is a tool of ours and no part of what is installed, so this strategy stays away where it is absent. Only its
generation is used: it tends to repeat and to combine what it drew before. What is found is made smaller by our own
means, which know what a day is.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from random import Random
from typing import Any, ClassVar

from pydantic import ValidationError

from orderquake.sim.explore.hunt.changes import rested
from orderquake.sim.explore.hunt.found import Case
from orderquake.sim.explore.hunt.strategy import Ground, Play, seeds
from orderquake.sim.explore.hunt.stress import read, stress_tables
from orderquake.sim.explore.hunt.stress_circumstances import constant
from orderquake.sim.explore.hunt.stress_themes import ANYWHERE
from orderquake.sim.explore.swarm import KINDS, broken_by
from orderquake.sim.explore.swarm_faults import Day
from orderquake.sim.explore.swarm_luck import Luck, duration
from orderquake.sim.scenario import Scenario
from orderquake.sim.units import MS

SLICE = 12
"""Examples a turn."""


def is_installed() -> bool:
    return importlib.util.find_spec("hypothesis") is not None


class Driven:
    """Examples of Hypothesis."""

    name: ClassVar[str] = "hypothesis"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def turns(self, play: Play) -> Iterator[None]:
        if not is_installed():
            return
        from hypothesis import HealthCheck, Phase, find, settings
        from hypothesis.errors import NoSuchExample

        how = settings(
            max_examples=SLICE, database=None, deadline=None, phases=[Phase.generate], derandomize=False,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        for seed in seeds(self.ground.seed):
            shop = stress_tables(Luck(seed, "hypothesis"), self.ground.scenario)

            def breaks(drawn: tuple[list[Any], list[Any]], shop: dict[str, Any] = shop, seed: int = seed) -> bool:
                day = self.day(shop, *drawn)
                if day is not None:
                    play(Case(day, seed))
                return False

            try:
                find(_days(), breaks, settings=how, random=Random(seed))
            except NoSuchExample:
                yield

    def day(self, shop: dict[str, Any], orders: list[Any], faults: list[Any]) -> Scenario | None:
        """The day that was drawn; None for one that does not hold together, or is outside the contract."""
        listed = [
            {"at": duration(at_us), "wants": {"sku-1": 1}, "number": number, "card": card}
            | ({} if cancels_us is None else {"cancels_after": duration(cancels_us)})
            for number, (at_us, card, cancels_us) in enumerate(orders)
        ]
        tables = {**shop, "workload": {"kind": "orders", "order": listed}}
        tables["stock"] = {"skus": 1, "units_per_sku": 1}
        try:
            calm = read(tables)
            day = read({**tables, "fault": faults})
        except ValidationError:
            return None
        field = Day.of(calm)
        for table in faults:
            fault = KINDS[table["kind"]].model_validate(table)
            if not fault.fits(calm) or (
                broken_by(fault, field) & self.ground.design.requires and not self.ground.is_outside
            ):
                return None
        return rested(day)


def _days() -> Any:
    """Orders and faults as Hypothesis draws them."""
    from hypothesis import strategies as st

    def fault(kind: str, ask: tuple[str, str], nth: int, us: int, when: str) -> dict[str, Any]:
        service, verb = ask
        table: dict[str, Any] = {
            "kind": kind, "target": service, "operation": verb, "nth": nth, "must_be_seen": False,
        }  # fmt: skip
        if kind in ("crash", "pause"):
            table["when"] = when
        if kind == "pause":
            table |= {"length": constant(us), "outlives_deadline": True}
        if kind in ("delay", "duplicate"):
            table["by" if kind == "delay" else "after"] = constant(us)
        return table

    kinds = st.sampled_from(("lose_answer", "lose_ask", "crash", "duplicate", "delay", "pause"))
    moments = st.integers(1, 90).map(lambda tenths: tenths * 100 * MS)
    cards = st.sampled_from(("good", "good", "good", "refund_fails", "declined", "stored_error", "stored_error_paid"))
    orders = st.lists(st.tuples(moments, cards, st.none() | moments), min_size=1, max_size=3)
    faults = st.lists(
        st.builds(
            fault, kinds, st.sampled_from(ANYWHERE), st.integers(1, 4), moments,
            st.sampled_from(("before", "after")),
        ),
        max_size=2,
    )  # fmt: skip
    return st.tuples(orders, faults)
