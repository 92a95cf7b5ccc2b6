"""A second opinion on the two promises that matter most, by sorting and adding up whole columns.

The folds of `never_oversold`, `charged_once` and `posted_once` walk the rows one by one; here the same
promises are judged by another algorithm over the same table, and `second_opinion` compares the two on every
run. Measures that come out of the same columns (units that another channel took from under a promise) are
here, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from orderquake.sim.checkers.finding import is_over
from orderquake.sim.checkers.fold import WORST, Context, Status, Verdict
from orderquake.sim.history import History

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Texts: TypeAlias = npt.NDArray[np.object_]

RECORD = ("ship", "receipt", "return", "correction", "foreign_sale")
POSTABLE = ("fulfilled", "refunded")


class Oversold(NamedTuple):
    """Units, by SKU; a SKU that is not named has none.

    own         most units promised beyond what the base of a grant had
    uncovered   largest deficit that nothing covers
    foreign     largest part of a deficit that another channel took where the last grant could not know it
    shortfall   the same for what shrank away
    """

    status: Status
    obligations: int
    own: Mapping[str, int]
    uncovered: Mapping[str, int]
    foreign: Mapping[str, int]
    shortfall: Mapping[str, int]


class ExactlyOnce(NamedTuple):
    """Orders charged more than once with their number of charges; posts that should not be, and those that
    should."""

    charged: Status
    charges: int
    charged_again: Mapping[str, int]
    posted: Status
    posts: int
    wrongly_posted: tuple[str, ...]
    not_posted: tuple[str, ...]


class _Rows:
    """The `state` and `opening` rows of some operations, column by column."""

    def __init__(self, history: History, operations: Iterable[str]) -> None:
        wanted, kinds = frozenset(operations), ("state", "config")
        chosen: list[int] = []
        for (kind, operation), places in history.places().items():
            if operation in wanted and kind in kinds:
                chosen += places
        chosen.sort()
        self._some = History()
        for index in chosen:
            self._some.append(history.raw()[index])
        self.index: Ints = np.array(chosen, dtype=np.int64)
        self.operation: Texts = self._some.column("operation")

    def __getattr__(self, name: str) -> Any:
        column = self._some.column(name)
        setattr(self, name, column)
        return column

    def are(self, *operations: str) -> Bools:
        return _among(self.operation, operations)


def _among(values: Texts, wanted: Iterable[str]) -> Bools:
    found = np.zeros(len(values), dtype=np.bool_)
    for each in wanted:
        found |= values == each
    return found


def _numbered(values: Texts) -> tuple[list[str], Ints]:
    """The different texts in order of appearance, and each value's place among them."""
    places: dict[str, int] = {}
    numbers = [places.setdefault(value, len(places)) for value in values]
    return list(places), np.array(numbers, dtype=np.int64)


def _within(groups: Ints, deltas: Ints) -> Ints:
    """Running totals of `deltas` that begin anew with each group; groups lie together."""
    total = np.cumsum(deltas)
    if not len(groups):
        return total
    first = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    before = np.where(first > 0, total[first - 1], 0)
    since: Ints = total - np.repeat(before, np.diff(np.r_[first, len(groups)]))
    return since


def _largest(names: list[str], groups: Ints, units: Ints) -> dict[str, int]:
    """Group name -> its largest number of units, where that is above zero."""
    most = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(most, groups, units)
    return {names[place]: int(most[place]) for place in np.flatnonzero(most > 0)}


def _context(history: History) -> Context:
    context = Context()
    heard = [places for (kind, _), places in history.places().items() if kind in ("config", "fault")]
    for index in sorted(index for places in heard for index in places):
        context.hear(history[index])
    return context


class _Shelves:
    """The record's book as columns: entries of all SKUs, in order of SKU and then of row."""

    def __init__(self, rows: _Rows, sku: Ints) -> None:
        mask = rows.are("opening", *RECORD)
        order = np.lexsort((rows.index[mask], sku[mask]))
        self.sku, self.index = sku[mask][order], rows.index[mask][order]
        operation, units = rows.operation[mask][order], rows.units[mask][order]
        is_opening, is_ship = operation == "opening", operation == "ship"
        is_foreign = operation == "foreign_sale"
        self.version: Ints = np.where(is_opening, 0, rows.version[mask][order])
        self.is_open = np.zeros(int(sku.max(initial=-1)) + 1, dtype=np.bool_)
        self.is_open[self.sku[is_opening]] = True
        zero = np.zeros(len(units), dtype=np.int64)
        self.on_hand = _within(self.sku, np.where(is_ship | is_foreign, -units, units))
        self.shipped = _within(self.sku, np.where(is_ship, units, zero))
        self.foreign = _within(self.sku, np.where(is_foreign, units, zero))
        self.shrunk = _within(self.sku, np.where(~(is_ship | is_foreign), np.maximum(-units, 0), zero))
        top = max(int(self.index.max(initial=0)), int(self.version.max(initial=0)), int(rows.index.max(initial=0)))
        self._span = top + 2
        self._by_index = self.sku * self._span + self.index
        self._by_version = self.sku * self._span + self.version
        self._first = np.searchsorted(self.sku, np.arange(len(self.is_open) + 1))

    def known(self, sku: Ints, index: Ints) -> Ints:
        """Place of each SKU's latest entry when a row was written; its opening at the earliest."""
        found = np.searchsorted(self._by_index, sku * self._span + index, side="right") - 1
        return np.maximum(found, self._first[sku])

    def at(self, sku: Ints, version: Ints, index: Ints) -> Ints:
        """Place of the entry at a version, among those known when a row was written."""
        version = np.clip(version, 0, self._span - 1)
        found = np.searchsorted(self._by_version, sku * self._span + version, side="right") - 1
        return np.minimum(np.maximum(found, self._first[sku]), self.known(sku, index))


def oversold_units(history: History) -> Oversold:
    """`never_oversold` by columns: units promised twice, by SKU, and what the history as a whole comes to."""
    wanted = ("opening", *RECORD, "hold", "free", "drop", "adopt", "rebase", "epoch", "ordered", "notice")
    rows = _Rows(history, wanted)
    names, sku = _numbered(rows.sku)
    shelves = _Shelves(rows, sku)
    told_sku, told_index, told_units, unheard = _told(rows, sku)
    grants = rows.are("hold")
    obligations = int(grants.sum()) + len(told_sku) + unheard
    is_open = shelves.is_open[sku] if len(sku) else np.zeros(0, dtype=np.bool_)
    told_open = shelves.is_open[told_sku] if len(told_sku) else np.zeros(0, dtype=np.bool_)
    is_blind = bool((grants & ~is_open).any()) or not bool(told_open.all()) or unheard > 0
    if len(shelves.sku):
        base = shelves.at(sku[grants & is_open], rows.version[grants & is_open], rows.index[grants & is_open])
        own = _own(rows, sku, shelves, grants & is_open, base)
        told = (told_sku[told_open], told_index[told_open], told_units[told_open])
        shared = _context(history).limits.get("pool", "ring_fenced") == "shared"
        groups, uncovered, foreign, shrunk = _physical(rows, sku, shelves, grants & is_open, base, told, shared)
        found = (
            _largest(names, sku[grants & is_open], own),
            _largest(names, groups, uncovered),
            _largest(names, groups, foreign),
            _largest(names, groups, shrunk),
        )
    else:
        found = ({}, {}, {}, {})
    status: Status = "invalid" if found[0] or found[1] else "unknown" if is_blind or not obligations else "valid"
    return Oversold(status, obligations, *found)


def foreign_oversold_units(history: History) -> Mapping[str, int]:
    """Units promised by us and sold by another channel first, by SKU: the price of a shared pool. Largest in
    the run."""
    return oversold_units(history).foreign


def _told(rows: _Rows, sku: Ints) -> tuple[Ints, Ints, Ints, int]:
    """What customers were told they get, a line at a time: SKU, row of the telling, units; and orders without
    lines."""
    _, order = _numbered(rows.order)
    told = rows.are("notice") & rows.is_new & (rows.to_state == "fulfilled")
    when = np.full(int(order.max(initial=-1)) + 1, -1, dtype=np.int64)
    when[order[told][::-1]] = rows.index[told][::-1]  # the first telling is written last, and stays
    lines = rows.are("ordered")
    lines &= rows.index < when[order] if len(order) else lines
    has_lines = np.zeros(len(when), dtype=np.bool_)
    has_lines[order[lines]] = True
    unheard = int(((when >= 0) & ~has_lines).sum())
    return sku[lines], when[order[lines]], rows.units[lines], unheard


def _own(rows: _Rows, sku: Ints, shelves: _Shelves, grants: Bools, base: Ints) -> Ints:
    """For every grant, units promised beyond what its base had; zero or less is right."""
    lost = rows.index[rows.are("epoch") & (rows.answer == "lost")]
    epochs = len(lost) + 1
    group = sku * epochs + np.searchsorted(lost, rows.index)
    # The first base of an epoch is its fence: what was shipped up to there is of no promise of this epoch.
    fence = np.full((int(sku.max(initial=-1)) + 1) * epochs, -1, dtype=np.int64)
    fence_row = np.full(len(fence), np.iinfo(np.int64).max, dtype=np.int64)
    fence[::epochs], fence_row[::epochs] = 0, -1
    rebases = rows.are("rebase") & (rows.answer == "applied") & (rows.sku != "") & (group % epochs > 0)
    first = np.flatnonzero(rebases)[::-1]
    fence[group[first]], fence_row[group[first]] = rows.version[first], rows.index[first]
    is_known = fence_row[group] < rows.index
    drops = rows.are("drop") & is_known & (rows.version > 0) & (rows.version <= fence[group])
    plus = rows.are("hold", "adopt")
    moves = plus | rows.are("free") | drops
    order = np.lexsort((rows.index[moves], group[moves]))
    totals = _within(group[moves][order], np.where(plus, rows.units, -rows.units)[moves][order])
    promised = np.zeros(len(sku), dtype=np.int64)
    promised[np.flatnonzero(moves)[order]] = totals
    mine, known = group[grants], is_known[grants]
    fenced = shelves.shipped[
        shelves.at(sku[grants], fence[mine], np.where(known & (fence[mine] > 0), fence_row[mine], rows.index[grants]))
    ]
    counts = known & (fence[mine] < shelves.version[base])
    contained = np.where(counts, shelves.shipped[base] - np.where(fence[mine] > 0, fenced, 0), 0)
    excess: Ints = promised[grants] - contained - shelves.on_hand[base]
    return excess


def _physical(
    rows: _Rows,
    sku: Ints,
    shelves: _Shelves,
    grants: Bools,
    base: Ints,
    told: tuple[Ints, Ints, Ints],
    shared: bool,
) -> tuple[Ints, Ints, Ints, Ints]:
    """For every telling and record row: SKU, units that nothing covers, and those that others took, and that
    shrank."""
    told_sku, told_index, told_units = told
    moves = rows.are("opening", *RECORD) & shelves.is_open[sku]
    units = np.where(rows.are("foreign_sale"), -rows.units, np.where(rows.are("ship"), 0, rows.units))[moves]
    groups = np.r_[sku[moves], told_sku]
    index = np.r_[rows.index[moves], told_index]
    order = np.lexsort((index, groups))
    groups, index = groups[order], index[order]
    deficit = np.maximum(0, -_within(groups, np.r_[units, -told_units][order]))
    span = int(rows.index.max(initial=0)) + 2
    by_row = np.lexsort((rows.index[grants], sku[grants]))
    granted = (sku[grants] * span + rows.index[grants])[by_row]
    last = np.searchsorted(granted, groups * span + index) - 1
    has_grant = (last >= 0) & (granted[last] // span == groups) if len(granted) else np.zeros(len(groups), np.bool_)
    since = np.where(has_grant, base[by_row][last], -1) if len(granted) else np.full(len(groups), -1)
    now = shelves.known(groups, index)
    left = shelves.foreign[now] - np.where(since >= 0, shelves.foreign[since], 0)
    foreign = np.minimum(deficit, left if shared else 0)
    shrunk = np.minimum(deficit - foreign, shelves.shrunk[now] - np.where(since >= 0, shelves.shrunk[since], 0))
    return groups, deficit - foreign - shrunk, foreign, shrunk


def exactly_once(history: History) -> ExactlyOnce:
    """`charged_once` and `posted_once` by columns: charges an order, posts an order, and whether they should
    be there."""
    charged, charges, again = _charges(history)
    posted, posts, wrong, missing = _posts(history)
    return ExactlyOnce(charged, charges, again, posted, posts, wrong, missing)


def _charges(history: History) -> tuple[Status, int, dict[str, int]]:
    rows = _Rows(history, ("capture",))
    names, order = _numbered(rows.order)
    number = np.bincount(order[rows.is_new], minlength=len(names))
    again = {names[place]: int(number[place]) for place in np.flatnonzero(number > 1)}
    charges = int((number > 0).sum())
    status: Status = "invalid" if again else "valid" if charges == len(names) and charges else "unknown"
    return status, charges, again


def _posts(history: History) -> tuple[Status, int, tuple[str, ...], tuple[str, ...]]:
    rows = _Rows(history, ("ordered", "order", "notice", "post", "ship"))
    names, order = _numbered(rows.order)
    many, never = len(names), np.iinfo(np.int64).max
    ends = rows.are("order", "notice") & _among(rows.to_state, POSTABLE)
    ended_at = np.full(many, never, dtype=np.int64)
    ended_as = np.full(many, "", dtype=object)
    ended_at[order[ends][::-1]] = rows.index[ends][::-1]
    ended_as[order[ends][::-1]] = rows.to_state[ends][::-1]
    posts = rows.are("post") & rows.is_new & (rows.answer != "rejected")
    posted_at = np.full(many, never, dtype=np.int64)
    posted_as = np.full(many, "", dtype=object)
    posted_at[order[posts][::-1]] = rows.index[posts][::-1]
    posted_as[order[posts][::-1]] = rows.to_state[posts][::-1]
    number = np.bincount(order[posts], minlength=many)
    is_early = (rows.index < ended_at[order]) | (rows.to_state != ended_as[order]) if many else posts
    wrong = number > 1
    wrong[order[posts & is_early]] = True
    # Goods: what was asked for less what left the books, by order, SKU and units.
    lines = rows.are("ordered", "ship")
    _, line = _numbered(_keys(rows, lines))
    asks = rows.are("ordered")[lines]
    left = np.zeros(int(line.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(left, line, np.where(asks, 1, -1))
    whose = np.zeros(len(left), dtype=np.int64)
    whose[line] = order[lines]
    wrong[whose[left < 0]] = True
    ships = rows.are("ship")
    after = ships & (rows.index > posted_at[order]) & (posted_as[order] == "refunded") if many else ships
    wrong[order[after]] = True
    has_shipped = np.zeros(many, dtype=np.bool_)
    has_shipped[order[ships]] = True
    is_short = np.zeros(many, dtype=np.bool_)
    is_short[whose[left > 0]] = True
    refused = np.zeros(many, dtype=np.bool_)
    refused[order[rows.are("post") & (rows.answer == "rejected")]] = True
    missing = ~wrong & (
        ((number == 0) & ((ended_at < never) | has_shipped)) | ((number == 1) & (posted_as == "fulfilled") & is_short)
    )
    excused = missing & refused & (number == 0) & ~has_shipped
    context = _context(history)
    is_open = not is_over(context) or bool(context.dead & {"record", "order_cache"})
    broken = wrong if is_open else wrong | (missing & ~excused)
    obligations = int(((number > 0) | missing | wrong).sum())
    status: Status = "valid" if obligations else "unknown"
    if missing.any():
        status = "unknown"
    if broken.any():
        status = "invalid"
    return status, obligations, tuple(np.array(names)[wrong]), tuple(np.array(names)[missing])


def _keys(rows: _Rows, mask: Bools) -> Texts:
    """One hashable value a row: order, SKU and units."""
    parts = zip(rows.order[mask], rows.sku[mask], rows.units[mask].tolist(), strict=True)
    return np.fromiter(parts, dtype=object, count=int(mask.sum()))


def second_opinion(history: History, verdicts: Mapping[str, Verdict]) -> list[str]:
    """What the folds and the columns disagree about, a sentence each; anything in it is a mistake of the
    harness."""
    oversold, once = oversold_units(history), exactly_once(history)
    opinions: dict[str, tuple[Status, int]] = {
        "never_oversold": (oversold.status, oversold.obligations),
        "charged_once": (once.charged, once.charges),
        "posted_once": (once.posted, once.posts),
    }
    disagreements = []
    for name, (status, obligations) in opinions.items():
        verdict = verdicts.get(name)
        if verdict is None:
            continue
        if verdict.status != status:
            disagreements.append(f"{name}: {verdict.status} by rows, {status} by columns")
        elif WORST[status] == 0 and verdict.obligations != obligations:
            disagreements.append(f"{name}: tested {verdict.obligations} times by rows, {obligations} by columns")
    return disagreements
