"""Is every reservation one thing from grant to end: granted whole, used in time, and let go once?

Nothing is said here of how many units there are; see `never_oversold` and `units_conserved`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from orderquake.sim.checkers.finding import (
    NOWHERE,
    Aside,
    Finding,
    Kinds,
    PartByPart,
    broken,
    kept,
    not_by_the_end,
)
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.groups import changes, firsts, sizes, together
from orderquake.sim.checkers.shapes import Looks, of_key
from orderquake.sim.checkers.shelves import rows_of
from orderquake.sim.history import NONE, History, Row

NEEDS = frozenset({"stock"})
WORDS = {"h": "held", "p": "pinned", "f": "freed", "d": "dropped", "v": "void"}
AFTER: Mapping[str, tuple[str, str]] = {
    "extend": ("h", "h"),
    "pin": ("h", "p"),
    "free": ("hp", "f"),
    "drop": ("hp", "d"),
    "adopt": ("v", "p"),
}
"""Operation -> where a line of the token may stand, and where it stands then (letters of WORDS)."""

LOST = str.maketrans("hpd", "vvv")
"""What the loss of everything makes of each; what was let go before stays let go."""


class Token(NamedTuple):
    """One reservation. `skus` and `stands` run side by side, one letter of WORDS a line."""

    granted_at: int
    deadline: int
    skus: tuple[str, ...]
    stands: str
    granted: Aside
    latest: Aside


UNHEARD_OF = Token(-1, -1, (), "", NOWHERE, NOWHERE)


class ReservationHygiene(PartByPart[Token]):
    """A reservation is whole, in time, and let go once. Hears: the Stock Cache (inside)."""

    name = "reservation_hygiene"
    hears: ClassVar[Kinds] = {"state": frozenset({"hold", *AFTER, "epoch"})}
    echoed = frozenset({"epoch"})
    looks = Looks(
        {
            "hold": ("sku", "time", "deadline"),
            "extend": ("sku", "time", "deadline"),
            "pin": ("sku", "time"),
            "free": ("sku",),
            "drop": ("sku",),
            "adopt": ("sku", "time", "deadline"),
        },
        names=(("sku",),),
        moments=("time", "deadline"),
        parts=of_key,
    )

    def part(self, row: Row) -> str:
        return row.key

    def echoes(self, row: Row, parts: Mapping[str, Token | Finding]) -> Iterable[tuple[str, Row]]:
        return [(part, row) for part in parts if part]  # an epoch's own row has no token

    def start(self) -> Token:
        return UNHEARD_OF

    def hear(self, state: Token, row: Row, context: Context) -> Token | Finding:
        if row.operation == "hold":
            return self.granted(state, row)
        if row.operation == "epoch":
            return state._replace(stands=state.stands.translate(LOST)) if row.answer == "lost" else state
        return self.changed(state, row)

    def granted(self, state: Token, row: Row) -> Token | Finding:
        if not state.skus:
            here = Aside(row.index)
            return Token(row.time, row.deadline, (row.sku,), "h", here, here)
        if row.sku in state.skus:
            reason = f"token {row.key} was granted {row.sku} twice"
        elif row.time != state.granted_at:
            reason = f"the lines of token {row.key} were granted at {state.granted_at} and at {row.time} us"
        elif row.deadline != state.deadline:
            reason = f"the lines of token {row.key} lapse at {state.deadline} and at {row.deadline} us"
        else:
            return state._replace(skus=(*state.skus, row.sku), stands=state.stands + "h")
        return broken(len(state.skus), reason, state.granted, row.index)

    def changed(self, state: Token, row: Row) -> Token | Finding:
        operation = row.operation
        before, after = AFTER[operation]
        try:
            at = state.skus.index(row.sku)
        except ValueError:
            if operation == "adopt":  # its grant was forgotten, and may lie before this history
                here = Aside(row.index)
                return Token(row.time, row.deadline, (*state.skus, row.sku), state.stands + "p", here, here)
            reason = f"{operation} of {row.sku} under token {row.key or '(none)'}, which was never granted it"
            return broken(len(state.skus) or 1, reason, state.granted, row.index)
        if state.stands[at] not in before:
            reason = f"{operation} of {row.sku} under token {row.key}, which was {WORDS[state.stands[at]]} already"
            return broken(len(state.skus), reason, state.granted, state.latest, row.index)
        deadline = state.deadline
        if operation == "pin" or operation == "extend":
            # Live iff now < deadline. A line of the same extension finds the deadline moved, into the past even where
            # the owner's clock has leapt; to move it to where it stands brings nothing back to life.
            is_moved = operation == "extend" and row.deadline == deadline
            if row.time >= deadline and not is_moved:
                reason = f"{operation} of {row.sku} under token {row.key} at {row.time}, lapsed at {deadline} us"
                return broken(len(state.skus), reason, state.granted, state.latest, row.index)
            if operation == "extend":
                deadline = row.deadline
        stands = state.stands[:at] + after + state.stands[at + 1 :]
        return Token(state.granted_at, deadline, state.skus, stands, state.granted, Aside(row.index))

    def settle(self, part: str, state: Token, context: Context) -> Finding:
        # What never lapses is as good as pinned: if the record refuses its post for good, it stays promised, rightly.
        # Whether anything stays promised for nobody is for the books to tell.
        if "h" in state.stands and state.deadline != NONE:
            left = ", ".join(sku for sku, at in zip(state.skus, state.stands, strict=True) if at == "h")
            reason = f"token {part} still holds {left}"
            return not_by_the_end(context, NEEDS, len(state.skus), reason, state.granted, state.latest)
        return kept(len(state.skus))

    def screen(self, history: History, context: Context) -> int | None:
        """Every line was held once with its token's others, pinned in time if at all, and then let go once;
        nothing was extended, adopted or lost."""
        table = history.table()
        if len(table.at("state", "epoch", "extend", "adopt")):
            return None
        rows = rows_of(table, "hold", "pin", "free", "drop")
        rows = rows[together(table.key[rows], table.sku[rows])]
        token, operation = table.key[rows], table.operation[rows]
        is_hold, is_pin = operation == table.code("hold"), operation == table.code("pin")
        begins = changes(token, table.sku[rows])
        ends = np.append(begins[1:], True)[: len(rows)]
        lets_go = ~is_hold & ~is_pin
        if (
            (is_hold != begins).any()
            or (is_pin[1:] & ~is_hold[:-1]).any()
            or ((lets_go | (is_pin & ends)) != ends).any()
        ):
            return None
        starts = firsts(token)
        of_token = np.repeat(starts, sizes(starts, len(rows)))
        time, deadline = table.time[rows], table.deadline[rows]
        is_whole = (time == time[of_token]) & (deadline == deadline[of_token])
        in_time = time < deadline[of_token]
        return int(is_hold.sum()) if (is_whole | ~is_hold).all() and (in_time | ~is_pin).all() else None
