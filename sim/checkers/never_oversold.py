"""Was anything promised twice? Two questions, asked of every SKU.

own       At every grant: the units promised that the cache's base does not contain yet, this grant included,
are at most
          what the record had on hand at that base's version.
physical  The units that customers were told they get are there. What is missing must have gone elsewhere
(another
          channel, shrinkage) at a version above the base of the SKU's last grant, where the shop could not
          know it; and nothing goes to another channel in a ring-fenced pool.

A promise counts from its hold until it is freed, or until the base contains its shipment as the record's book
has it. Drops do not count: they say what the cache believes to be contained, and that is what is being
judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from orderquake.sim.checkers.basket import Basket, basket_part
from orderquake.sim.checkers.book import KEEP, RECORD_ROWS, Book, Entry, at, entered, opened
from orderquake.sim.checkers.columns import oversold_units
from orderquake.sim.checkers.finding import (
    NOTHING,
    NOWHERE,
    Aside,
    Finding,
    Kinds,
    PartByPart,
    broken,
    kept,
    undecided,
)
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.groups import before, firsts, together
from orderquake.sim.checkers.shelves import MOVES, RECORD, limits_are_known, plain_shelves, rows_of
from orderquake.sim.history import NONE, History, Row

UNGRANTED = Entry(NONE, 0, 0, 0, 0)


class Promises(NamedTuple):
    """One SKU.

    physical     units there, less what customers were told they get; negative is a deficit
    promised     units held, pinned or adopted in this epoch and not freed, shipped or not
    fence        shipments up to this version are of no promise in `promised`: the first base of this epoch,
    NONE until
                 there is one
    fenced       units shipped up to the fence
    base         the book at the base version of the last grant
    grant        row of the last grant
    tests        grants judged and lines told
    """

    book: Book = ()
    physical: int = 0
    promised: int = 0
    fence: int = 0
    fenced: int = 0
    base: Entry = UNGRANTED
    grant: Aside = NOWHERE
    tests: Aside = NOTHING


State = Promises | Basket | None


class NeverOversold(PartByPart[State]):
    """Nobody is promised a unit that is not there. Hears: the record (outside), the Stock Cache (inside)."""

    name = "never_oversold"
    hears: ClassVar[Kinds] = {
        "state": frozenset({"hold", "free", "drop", "adopt", "rebase", "epoch", "ordered", "notice"}) | RECORD_ROWS,
        "config": frozenset({"opening"}),
    }
    echoed = frozenset({"notice", "epoch"})

    def part(self, row: Row) -> str:
        return basket_part(row.order) if row.operation in ("ordered", "notice") else row.sku

    def echoes(self, row: Row, parts: Mapping[str, State | Finding]) -> Iterable[tuple[str, Row]]:
        if row.operation == "epoch":
            return [(part, row) for part, state in parts.items() if isinstance(state, Promises)]
        basket = parts.get(basket_part(row.order))
        return basket.line_by_line(row) if isinstance(basket, Basket) else ()

    def start(self) -> State:
        return None

    def hear(self, state: State, row: Row, context: Context) -> State | Finding:
        operation = row.operation
        if operation == "epoch" and state is None:
            return None
        if operation == "ordered" or (operation == "notice" and not row.sku):
            basket = state if isinstance(state, Basket) else Basket()
            if operation == "ordered":
                return basket.add(row)
            return basket.tell(row) if row.is_new and row.to_state == "fulfilled" else basket
        promises = state if isinstance(state, Promises) else Promises()
        if operation == "hold":
            return self.granted(promises, row)
        if operation in RECORD_ROWS or operation == "notice":
            return self.weighed(promises, row, context)
        return self.kept_count(promises, row)

    def kept_count(self, state: Promises, row: Row) -> Promises:
        """What changes the number of promises without making one."""
        match row.operation:
            case "free":
                return state._replace(promised=state.promised - row.units)
            case "adopt":
                return state._replace(promised=state.promised + row.units)
            case "drop" if not state.fence:
                return state
            case "drop" if 0 < row.version <= state.fence:
                # Adopted after a loss, and found in the first base of the new epoch: it was no promise of
                # this epoch.
                return state._replace(promised=state.promised - row.units)
            case "rebase" if state.fence == NONE and state.book and row.answer == "applied":
                return state._replace(fence=row.version, fenced=at(state.book, row.version).shipped)
            case "epoch" if row.answer == "lost":
                return state._replace(promised=0, fence=NONE, fenced=0)
            case "opening":
                return state._replace(book=opened(row), physical=state.physical + row.units)
        return state

    def granted(self, state: Promises, row: Row) -> Promises | Finding:
        """Own: not more than the base holds."""
        book, physical, promised, fence, fenced, base, _, tests = state
        tests = Aside(tests + 1)
        if not book:
            return state._replace(tests=tests)
        if base.version != row.version:
            base = at(book, row.version)
        promised += row.units
        contained = base.shipped - fenced if NONE < fence < base.version else 0
        if promised - contained > base.on_hand:
            reason = (
                f"{row.sku}: with {row.units} for order {row.order}, {promised - contained} units are "
                f"promised that the base at version {row.version} does not contain, and it had {base.on_hand}"
            )
            return broken(tests, reason, state.grant, row.index)
        return Promises(book, physical, promised, fence, fenced, base, Aside(row.index), tests)

    def weighed(self, state: Promises, row: Row, context: Context) -> Promises | Finding:
        """Physical: a deficit is covered by what the last grant could not know."""
        book, physical, promised, fence, fenced, base, grant, tests = state
        if row.operation == "notice":
            tests = Aside(tests + 1)
            physical -= row.units
        else:
            book = entered(book, row, base.version)
            if row.operation == "foreign_sale":
                physical -= row.units
            elif row.operation != "ship":  # it was told before it was shipped
                physical += row.units
        if physical < 0 and book:
            last = book[-1]
            is_shared = context.limits.get("pool", "ring_fenced") == "shared"
            covered = last.shrunk - base.shrunk + (last.foreign - base.foreign if is_shared else 0)
            if -physical > covered:
                reason = (
                    f"{row.sku}: {-physical} units fewer than customers were told they get, only {covered} "
                    f"of them left otherwise after the base of the last grant (version {max(0, base.version)})"
                )
                return broken(tests, reason, grant, row.index)
        return Promises(book, physical, promised, fence, fenced, base, grant, tests)

    def settle(self, part: str, state: State, context: Context) -> Finding:
        if isinstance(state, Promises):
            if state.tests and not state.book:
                return undecided(state.tests, f"how many {part} there were at the opening is not in the history")
            return kept(state.tests)
        if isinstance(state, Basket) and state.is_told and not state.lines:
            order = part.partition("\0")[2]
            return undecided(1, f"order {order} was fulfilled, but what it asked for is not in the history")
        return kept(0)

    def screen(self, history: History, context: Context) -> int | None:
        """The other implementation finds every part valid, and both mean the same by every row."""
        table = history.table()
        rows = rows_of(table, *MOVES, *RECORD, "ordered", "notice")
        shelves = plain_shelves(table)
        if shelves is None or not limits_are_known(table, rows):
            return None
        named = table.sku[rows] != 0
        grants = table.at("state", "hold")
        grants = grants[together(table.sku[grants])]
        version = table.version[grants]
        goes_back = version < before(firsts(table.sku[grants]), version, 0)
        if (
            (named == (table.operation[rows] == table.code("notice"))).any()
            or (version < 0).any()
            or (goes_back.any() and shelves.longest > KEEP)  # then the fold may have forgotten that version
        ):
            return None
        found = oversold_units(history)
        return found.obligations if found.status == "valid" else None
