"""A second opinion on the two promises that matter most, by sorting and adding up whole columns.

The folds of `never_oversold`, `charged_once` and `posted_once` walk the rows one by one; here the same promises are
judged by another algorithm over the same table. Where it finds a long history valid the folds of two of them are spared
(see their `screen`), and on every doubted run `second_opinion` compares the two. Measures that come out of the same
columns (units that another channel took from under a promise) are here, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from orderquake.sim.checkers.finding import is_over
from orderquake.sim.checkers.fold import WORST, Context, Status, Verdict
from orderquake.sim.checkers.groups import Bools, Ints, Numbers, firsts, merged, together, within
from orderquake.sim.checkers.shelves import RECORD, Shelves, rows_of
from orderquake.sim.history import History, Table

POSTABLE = ("fulfilled", "refunded")
NEVER = np.iinfo(np.int64).max


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
    """The `state` rows of some operations, and the openings if they are named, column by column; texts are codes."""

    def __init__(self, table: Table, operations: Iterable[str]) -> None:
        wanted = tuple(operations)
        opening = [table.at("config", "opening")] if "opening" in wanted else []
        self._table = table
        self.index: Ints = merged(rows_of(table, *wanted), *opening)

    def __getattr__(self, name: str) -> Any:
        column = getattr(self._table, name)[self.index]
        setattr(self, name, column)
        return column

    def are(self, *operations: str) -> Bools:
        return self.say("operation", *operations)

    def say(self, column: str, *texts: str) -> Bools:
        """Where a column says one of some texts."""
        values, found = getattr(self, column), np.zeros(len(self.index), dtype=np.bool_)
        for text in texts:
            found |= values == self._table.code(text)
        return found

    def groups(self, column: str) -> int:
        """How many places an array needs that has one for each code of a column."""
        return int(getattr(self, column).max(initial=0)) + 1


def _largest(table: Table, skus: Numbers, units: Ints) -> dict[str, int]:
    """SKU -> its largest number of units, where that is above zero."""
    most = np.zeros(int(skus.max(initial=0)) + 1, dtype=np.int64)
    np.maximum.at(most, skus, units)
    return {table.text(int(code)): int(most[code]) for code in np.flatnonzero(most > 0)}


def oversold_units(history: History) -> Oversold:
    """`never_oversold` by columns: units promised twice, by SKU, and what the history as a whole comes to."""
    table = history.table()
    rows = _Rows(table, ("opening", *RECORD, "hold", "free", "drop", "adopt", "rebase", "epoch", "ordered", "notice"))
    shelves = Shelves(table)
    told_sku, told_index, told_units, unheard = _told(rows)
    grants = rows.are("hold")
    obligations = int(grants.sum()) + len(told_sku) + unheard
    is_open = shelves.is_open(rows.sku)
    told_open = shelves.is_open(told_sku)
    is_blind = bool((grants & ~is_open).any()) or not bool(told_open.all()) or unheard > 0
    found: tuple[dict[str, int], ...] = ({}, {}, {}, {})
    if len(shelves.sku):
        grants = grants & is_open
        sku = rows.sku[grants]
        base = shelves.at(sku, rows.version[grants], rows.index[grants])
        own = _own(rows, shelves, grants, base)
        told = (told_sku[told_open], told_index[told_open], told_units[told_open])
        shared = Context.of(history).limits.get("pool", "ring_fenced") == "shared"
        skus, uncovered, foreign, shrunk = _physical(rows, is_open, shelves, grants, base, told, shared)
        found = (
            _largest(table, sku, own),
            _largest(table, skus, uncovered),
            _largest(table, skus, foreign),
            _largest(table, skus, shrunk),
        )
    status: Status = "invalid" if found[0] or found[1] else "unknown" if is_blind or not obligations else "valid"
    return Oversold(status, obligations, *found)


def foreign_oversold_units(history: History) -> Mapping[str, int]:
    """Units promised by us and sold by another channel first, by SKU: the price of a shared pool. Largest in
    the run."""
    return oversold_units(history).foreign


def _told(rows: _Rows) -> tuple[Numbers, Ints, Ints, int]:
    """What customers were told they get, a line at a time: SKU, row of the telling, units; and orders without
    lines."""
    told = np.flatnonzero(rows.are("notice") & rows.is_new & rows.say("to_state", "fulfilled"))[::-1]
    when = np.full(rows.groups("order"), -1, dtype=np.int64)
    when[rows.order[told]] = rows.index[told]  # the first telling is written last, and stays
    lines = np.flatnonzero(rows.are("ordered") & (rows.index < when[rows.order]))
    has_lines = np.zeros(len(when), dtype=np.bool_)
    has_lines[rows.order[lines]] = True
    unheard = int(((when >= 0) & ~has_lines).sum())
    return rows.sku[lines], when[rows.order[lines]], rows.units[lines], unheard


def _own(rows: _Rows, shelves: Shelves, grants: Bools, base: Ints) -> Ints:
    """For every grant, units promised beyond what its base had; zero or less is right."""
    lost = rows.index[rows.are("epoch") & rows.say("answer", "lost")]
    epochs = len(lost) + 1
    group: Ints = rows.sku.astype(np.int64) * epochs + np.searchsorted(lost, rows.index)
    # The first base of an epoch is its fence: what was shipped up to there is of no promise of this epoch.
    fence = np.full(rows.groups("sku") * epochs, -1, dtype=np.int64)
    fence_row = np.full(len(fence), NEVER, dtype=np.int64)
    fence[::epochs], fence_row[::epochs] = 0, -1
    rebases = rows.are("rebase") & rows.say("answer", "applied") & (rows.sku != 0) & (group % epochs > 0)
    first = np.flatnonzero(rebases)[::-1]
    fence[group[first]], fence_row[group[first]] = rows.version[first], rows.index[first]
    is_known = fence_row[group] < rows.index
    drops = rows.are("drop") & is_known & (rows.version > 0) & (rows.version <= fence[group])
    plus = rows.are("hold", "adopt")
    moves = np.flatnonzero(plus | rows.are("free") | drops)
    moves = moves[together(group[moves])]
    promised = np.zeros(len(rows.index), dtype=np.int64)
    promised[moves] = within(firsts(group[moves]), np.where(plus, rows.units, -rows.units)[moves])
    sku, mine, known = rows.sku[grants], group[grants], is_known[grants]
    fenced = shelves.shipped[
        shelves.at(sku, fence[mine], np.where(known & (fence[mine] > 0), fence_row[mine], rows.index[grants]))
    ]
    counts = known & (fence[mine] < shelves.version[base])
    contained = np.where(counts, shelves.shipped[base] - np.where(fence[mine] > 0, fenced, 0), 0)
    excess: Ints = promised[grants] - contained - shelves.on_hand[base]
    return excess


def _physical(
    rows: _Rows,
    is_open: Bools,
    shelves: Shelves,
    grants: Bools,
    base: Ints,
    told: tuple[Numbers, Ints, Ints],
    shared: bool,
) -> tuple[Ints, Ints, Ints, Ints]:
    """For every telling and record row: SKU, units that nothing covers, and those that others took, and that
    shrank."""
    told_sku, told_index, told_units = told
    moves = rows.are("opening", *RECORD) & is_open
    units = np.where(rows.are("foreign_sale"), -rows.units, np.where(rows.are("ship"), 0, rows.units))[moves]
    index = np.concatenate([rows.index[moves], told_index])
    skus = np.concatenate([rows.sku[moves], told_sku]).astype(np.int64)
    order = np.lexsort((index, skus))
    skus, index = skus[order], index[order]
    deficit = np.maximum(0, -within(firsts(skus), np.concatenate([units, -told_units])[order]))
    granted_sku, granted_index = rows.sku[grants].astype(np.int64), rows.index[grants]
    by_row = together(granted_sku)
    # The last grant before each of these rows
    span = int(rows.index.max(initial=0)) + 2
    granted = (granted_sku * span + granted_index)[by_row]
    last = np.searchsorted(granted, skus * span + index) - 1
    foreign_since, shrunk_since = np.zeros(len(skus), dtype=np.int64), np.zeros(len(skus), dtype=np.int64)
    if len(granted):
        has_grant = (last >= 0) & (granted[last] // span == skus)
        entry = base[by_row][last[has_grant]]
        foreign_since[has_grant], shrunk_since[has_grant] = shelves.foreign[entry], shelves.shrunk[entry]
    now = shelves.known(skus, index)
    foreign = np.minimum(deficit, shelves.foreign[now] - foreign_since if shared else 0)
    shrunk = np.minimum(deficit - foreign, shelves.shrunk[now] - shrunk_since)
    return skus, deficit - foreign - shrunk, foreign, shrunk


def exactly_once(history: History) -> ExactlyOnce:
    """`charged_once` and `posted_once` by columns: charges an order, posts an order, and whether they should
    be there."""
    charged, charges, again = _charges(history.table())
    posted, posts, wrong, missing = _posts(history.table(), Context.of(history))
    return ExactlyOnce(charged, charges, again, posted, posts, wrong, missing)


def _charges(table: Table) -> tuple[Status, int, dict[str, int]]:
    rows = _Rows(table, ("capture",))
    number = np.bincount(rows.order[rows.is_new], minlength=rows.groups("order"))
    again = {table.text(int(code)): int(number[code]) for code in np.flatnonzero(number > 1)}
    charges = int((number > 0).sum())
    heard = np.bincount(rows.order, minlength=len(number)) > 0
    status: Status = "invalid" if again else "valid" if charges and charges == heard.sum() else "unknown"
    return status, charges, again


def _posts(table: Table, context: Context) -> tuple[Status, int, tuple[str, ...], tuple[str, ...]]:
    rows = _Rows(table, ("ordered", "order", "notice", "post", "ship"))
    order, many = rows.order, rows.groups("order")
    ends = np.flatnonzero(rows.are("order", "notice") & rows.say("to_state", *POSTABLE))[::-1]
    ended_at = np.full(many, NEVER, dtype=np.int64)
    ended_as = np.zeros(many, dtype=np.int64)
    ended_at[order[ends]], ended_as[order[ends]] = rows.index[ends], rows.to_state[ends]
    posts = np.flatnonzero(rows.are("post") & rows.is_new & ~rows.say("answer", "rejected"))[::-1]
    posted_at = np.full(many, NEVER, dtype=np.int64)
    posted_as = np.zeros(many, dtype=np.int64)
    posted_at[order[posts]], posted_as[order[posts]] = rows.index[posts], rows.to_state[posts]
    number = np.bincount(order[posts], minlength=many)
    is_early = (rows.index[posts] < ended_at[order[posts]]) | (rows.to_state[posts] != ended_as[order[posts]])
    wrong = number > 1
    wrong[order[posts[is_early]]] = True
    whose, left = _lines_left(rows)
    wrong[whose[left < 0]] = True
    ships = np.flatnonzero(rows.are("ship"))
    was_refunded = posted_as[order[ships]] == table.code("refunded")
    wrong[order[ships[was_refunded & (rows.index[ships] > posted_at[order[ships]])]]] = True
    has_shipped, is_short, refused = np.zeros((3, many), dtype=np.bool_)
    has_shipped[order[ships]] = True
    is_short[whose[left > 0]] = True
    refused[order[rows.are("post") & rows.say("answer", "rejected")]] = True
    is_short &= (number == 1) & (posted_as == table.code("fulfilled"))
    missing = ~wrong & (((number == 0) & ((ended_at < NEVER) | has_shipped)) | is_short)
    excused = missing & refused & (number == 0) & ~has_shipped
    if "payment" in context.dead:  # whose refund failed is posted when it has arrived, and nobody can make it so
        moves = np.flatnonzero(rows.are("order"))
        stands = np.zeros(many, dtype=np.int64)
        stands[order[moves]] = rows.to_state[moves]  # the last of each order is written last, and stays
        is_owed_again = (ended_as == table.code("refunded")) & (stands == table.code("refund_pending"))
        excused |= missing & is_owed_again & (number == 0) & ~has_shipped
    is_open = not is_over(context) or bool(context.dead & {"record", "order_cache"})
    broken = wrong if is_open else wrong | (missing & ~excused)
    obligations = int(((number > 0) | missing | wrong).sum())
    status: Status = "valid" if obligations else "unknown"
    if missing.any():
        status = "unknown"
    if broken.any():
        status = "invalid"
    return status, obligations, _named(table, wrong), _named(table, missing)


def _lines_left(rows: _Rows) -> tuple[Numbers, Ints]:
    """What was asked for less what left the books: an order, and how many lines of one SKU and so many units."""
    lines = np.flatnonzero(rows.are("ordered", "ship"))
    line = [column[lines] for column in (rows.order, rows.sku, rows.units)]
    by_line = np.lexsort(line[::-1])
    starts = firsts(*(column[by_line] for column in line))
    asked = np.where(rows.are("ordered")[lines], 1, -1)[by_line]
    left = np.add.reduceat(asked, starts) if len(starts) else asked
    return line[0][by_line][starts], left


def _named(table: Table, orders: Bools) -> tuple[str, ...]:
    return tuple(table.text(int(code)) for code in np.flatnonzero(orders))


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
