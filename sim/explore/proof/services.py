"""Services, as functions of what they remember and what they are asked: done once, then looked up.

Which asks there are, in what order, and what goes wrong is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from orderquake.model.flow import Change, Store
from orderquake.sim.explore.proof.values import Normal, Numbered, Renaming


@dataclass(frozen=True, slots=True)
class Expire:
    """The deadline of a live reservation comes. Nobody asks for it."""

    service: ClassVar[str] = "stock"
    verb: ClassVar[str] = "lapse"
    token: str

    def about(self) -> tuple[str, str]:
        return self.token.rpartition("/")[0], self.token


class Services:
    """Numbers for snapshots (a table a service), asks, answers and journals; 0 is the empty journal.

    errs    of an ask: as what card the provider takes the good one of it, see `PaymentProvider.meets`
    """

    def __init__(
        self, stores: Mapping[str, Store], normal: Mapping[str, Normal | None], moments: tuple[int, ...]
    ) -> None:
        self.stores = tuple(stores.values())
        self.names = tuple(stores)
        self.place = {name: place for place, name in enumerate(self.names)}
        self.normal = tuple(normal[name] for name in self.names)
        self.moments = moments
        self.snapshots = tuple(Numbered() for _ in self.stores)
        self.asks, self.answers, self.journals = Numbered(), Numbered(), Numbered()
        self.service_of: list[int] = []
        self.done: dict[tuple[int, int, int, str], tuple[int, int, int]] = {}
        self.journals.number((0, ()))

    def first(self) -> tuple[int, ...]:
        """The present snapshots' numbers."""
        return tuple(self.remembered(place) for place in range(len(self.stores)))

    def remembered(self, place: int) -> int:
        snapshot: Any = self.stores[place].snapshot()
        normal = self.normal[place]
        return self.snapshots[place].number(snapshot if normal is None else normal(snapshot))

    def ask(self, ask: Any) -> int:
        """The number of an ask."""
        number = self.asks.number(ask)
        if number == len(self.service_of):
            self.service_of.append(self.place[ask.service])
        return number

    def handle(self, snapshot: int, ask: int, clock: int, errs: str = "") -> tuple[int, int, int]:
        """What the asked service remembers then, answers, and has done: numbers all three."""
        key = (ask, snapshot, clock, errs)
        found = self.done.get(key)
        if found is None:
            found = self.done[key] = self.perform(snapshot, ask, clock, errs)
        return found

    def perform(self, snapshot: int, ask: int, clock: int, errs: str) -> tuple[int, int, int]:
        place = self.service_of[ask]
        store: Any = self.stores[place]
        store.restore(self.snapshots[place].values[snapshot])
        wanted: Any = self.asks.values[ask]
        now_us = self.moments[clock]
        if isinstance(wanted, Expire):
            held = store.by_token.get(wanted.token)
            answer = held is not None and held.until_us >= 0 and store.live(wanted.token, held.until_us) is None
        else:
            if errs:
                store.meets[wanted.key] = errs
            answer = store.handle(wanted, now_us)
        journal: tuple[Change, ...] = tuple(store.journal)
        store.journal.clear()
        number = self.journals.number((now_us, journal)) if journal else 0
        return self.remembered(place), self.answers.number(answer), number

    def restore(self, snapshots: tuple[int, ...]) -> None:
        """Let the stores themselves remember a state."""
        for store, known, number in zip(self.stores, self.snapshots, snapshots, strict=False):
            store.restore(known.values[number])

    def renamed(self, place: int, snapshot: int, renaming: Renaming) -> Any:
        """A snapshot with its orders called otherwise."""
        value = renaming(self.snapshots[place].values[snapshot])
        normal = self.normal[place]
        return value if normal is None else normal(value)
