"""A shelf as it should be: what one product's owner would answer if it were asked one thing at a time.

The shelf has a base, and promises that come off it, one an order at most. What the owner is told by a refresh, and what
it lets lapse, are operations like others: nobody asked for them, and they take effect when its own rows say so.

An order of several lines is asked for as a whole. Here each line is judged on its own shelf, so what hangs on the other
lines is not held against this one; `is_alone` says that nothing does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from orderquake.sim.linear.model import NOBODY_KNOWS, Model

HAPPENED = "happened"
"""The answer of what nobody asked for."""


class Reserve(NamedTuple):
    """token: what it was granted under; "" where nothing new was granted."""

    sku: str
    order: str
    units: int
    token: str
    is_alone: bool


class Consume(NamedTuple):
    sku: str
    order: str
    token: str
    is_alone: bool


class Extend(NamedTuple):
    sku: str
    order: str
    token: str
    is_alone: bool


class Release(NamedTuple):
    sku: str
    order: str
    token: str


class Lapses(NamedTuple):
    """A promise runs out."""

    sku: str
    order: str
    token: str


class Moves(NamedTuple):
    """The base becomes so much more, or less, and these promises, (order, token) each, are the record's business now:
    one step."""

    sku: str
    units: int
    gone: tuple[tuple[str, str], ...]


class Adopts(NamedTuple):
    """A rebuild pins again what an order has."""

    sku: str
    order: str
    token: str
    units: int


class Loses(NamedTuple):
    """The owner forgets everything, and sells nothing until it is built again."""

    sku: str


class Opens(NamedTuple):
    sku: str


class Promise(NamedTuple):
    token: str
    units: int
    is_pinned: bool


class Shelf:
    """One product: its base, and the promise of each order. Never changed, only made anew."""

    __slots__ = ("_hash", "base", "held", "is_open", "promised")

    def __init__(self, base: int, held: Mapping[str, Promise], promised: int, is_open: bool = True) -> None:
        self.base = base
        self.held = held
        self.promised = promised
        self.is_open = is_open
        self._hash: int | None = None

    @property
    def left(self) -> int:
        return self.base - self.promised

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Shelf)
            and (self.base, self.promised, self.is_open) == (other.base, other.promised, other.is_open)
            and self.held == other.held
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.base, self.is_open, frozenset(self.held.items())))
        return self._hash

    def has(self, order: str, token: str) -> bool:
        promise = self.held.get(order)
        return promise is not None and promise.token == token

    def promising(self, order: str, promise: Promise) -> Shelf:
        before = self.held.get(order)
        promised = self.promised + promise.units - (0 if before is None else before.units)
        return Shelf(self.base, {**self.held, order: promise}, promised, self.is_open)

    def without(self, order: str) -> Shelf:
        held = dict(self.held)
        gone = held.pop(order)
        return Shelf(self.base, held, self.promised - gone.units, self.is_open)


class Stock(Model[Shelf]):
    """The owner of the stock, a part for each product.

    opening        units of each product at the start
    safety_stock   units of each product that are never sold
    """

    def __init__(self, opening: Mapping[str, int], safety_stock: int = 0) -> None:
        self.opening = opening
        self.safety_stock = safety_stock

    def start(self, part: str) -> Shelf:
        return Shelf(self.opening.get(part, 0), {}, 0)

    def part(self, asked: Any) -> str:
        sku: str = asked.sku
        return sku

    def step(self, state: Shelf, asked: Any, answer: Any) -> tuple[bool, Shelf]:
        match asked:
            case Reserve():
                return self.reserve(state, asked, answer)
            case Consume() | Extend():
                return self.use(state, asked, answer)
            case Release(_, order, token):
                return self.release(state, order, token, answer)
            case Lapses(_, order, token):
                if not state.has(order, token) or state.held[order].is_pinned:
                    return False, state
                return True, state.without(order)
            case Moves(_, units, gone):
                return self.move(state, units, gone)
            case Adopts(_, order, token, units):
                return order not in state.held, state.promising(order, Promise(token, units, True))
            case Loses():
                return True, Shelf(0, {}, 0, is_open=False)
        return not state.is_open, Shelf(state.base, state.held, state.promised)

    def reserve(self, state: Shelf, asked: Reserve, answer: Any) -> tuple[bool, Shelf]:
        _, order, units, token, is_alone = asked
        held, is_enough = state.held.get(order), state.left - self.safety_stock >= units
        if answer == "not_ready":
            return not state.is_open, state
        if not state.is_open:
            return False, state
        if answer == "sold_out":
            return held is None and not (is_alone and is_enough), state
        if held is not None:  # the same promise stands
            return answer is not NOBODY_KNOWS and token in ("", held.token), state
        if not token:  # what was promised of this product may be gone while other lines are still held
            return not is_alone, state
        return is_enough, state.promising(order, Promise(token, units, False))

    def use(self, state: Shelf, asked: Consume | Extend, answer: Any) -> tuple[bool, Shelf]:
        _, order, token, is_alone = asked
        if answer == "not_ready":
            return not state.is_open, state
        if not state.is_open:
            return False, state
        is_there = state.has(order, token)
        if answer == "lapsed":
            return not is_there, state
        if not is_there:
            return answer is not NOBODY_KNOWS and not is_alone, state
        promise = state.held[order]
        if isinstance(asked, Extend) or promise.is_pinned:
            return True, state
        return True, state.promising(order, promise._replace(is_pinned=True))

    def release(self, state: Shelf, order: str, token: str, answer: Any) -> tuple[bool, Shelf]:
        if answer == "not_ready":
            return not state.is_open, state
        if not state.is_open:
            return False, state
        return True, state.without(order) if state.has(order, token) else state

    def move(self, state: Shelf, units: int, gone: tuple[tuple[str, str], ...]) -> tuple[bool, Shelf]:
        shelf = Shelf(state.base + units, state.held, state.promised, state.is_open)
        for order, token in gone:
            if not shelf.has(order, token):
                return False, state
            shelf = shelf.without(order)
        return True, shelf

    def looks(self, asked: Any, answer: Any) -> bool:
        if isinstance(asked, Reserve) and answer == "reserved":
            return not asked.token
        return isinstance(asked, Extend) or answer in ("sold_out", "lapsed", "not_ready")

    # -- in words

    def tell(self, asked: Any, answer: Any) -> str:
        match asked:
            case Reserve(sku, order, units):
                said = f"reserve {units} {sku} for {order}"
            case Moves(sku, units, gone):
                drops = f", and {', '.join(order for order, _ in gone)} dropped" if gone else ""
                return f"{units:+} {sku} in the base{drops}"
            case Lapses(sku, order):
                return f"{sku} of {order} lapses"
            case Adopts(sku, order, _, units):
                return f"{units} {sku} of {order} are pinned again"
            case Loses() | Opens():
                return f"the owner {type(asked).__name__.lower()}"
            case _:
                said = f"{type(asked).__name__.lower()} {asked.sku} of {asked.order}"
        return said if answer is NOBODY_KNOWS else f"{said} -> {answer}"

    def tell_state(self, part: str, state: Shelf) -> str:
        if not state.is_open:
            return f"{part}: the owner has lost its memory"
        held = ", ".join(f"{order} {promise.units}" for order, promise in list(state.held.items())[-6:])
        more = f" and {len(state.held) - 6} more" if len(state.held) > 6 else ""
        return f"{part}: {state.left} left of {state.base}" + (f", promised to {held}{more}" if held else "")
