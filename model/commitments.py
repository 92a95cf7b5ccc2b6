"""Commitments: what has been promised of the stock and is not handed over to the record yet.

Each is a token over all lines of an order, held until a deadline or pinned for good. One predicate says whether it
lives, and what is found dead is removed in the same step. Nothing here knows how many units there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping
from typing import Any

from orderquake.model.flow import Change
from orderquake.model.order import Line

PINNED = -1
"""Deadline of a consumed reservation: it has none."""


class Commitment:
    """What one token holds; lines fall away as the record's snapshots come to contain them.

    rests_on   sku -> version of the base at which it was granted, where that was not the opening
    """

    __slots__ = ("lines", "order_id", "posted", "rests_on", "token", "until_us")

    def __init__(self, token: str, order_id: str, lines: dict[str, tuple[int, int]], until_us: int) -> None:
        self.token = token
        self.order_id = order_id
        self.lines = lines  # sku -> (line number, units)
        self.until_us = until_us
        self.posted: dict[str, int] = {}  # sku -> version of the record that contains the post
        self.rests_on: dict[str, int] = {}

    @property
    def account(self) -> str:
        return "cache.pinned" if self.until_us == PINNED else "cache.held"


def epoch_of(token: str) -> int:
    """The owner's life in which a token was granted; a token of an earlier one stands for nothing any more.

    >>> epoch_of("o-47c8177f97/2.15")
    2
    """
    return int(token.rpartition("/")[2].partition(".")[0])


class Commitments:
    """The table of all commitments, by token, by order, and in units by product.

    awaited   sku -> token -> version of its post, where the cache's base is still older than that
    """

    def __init__(self) -> None:
        self.journal: list[Change] = []
        self.committed: dict[str, int] = {}
        self.by_token: dict[str, Commitment] = {}
        self.token_of: dict[str, str] = {}
        self.awaited: dict[str, dict[str, int]] = {}
        self.deadlines: list[tuple[int, str]] = []
        self.serial = 0

    def live(self, token: str, now_us: int) -> Commitment | None:
        """The one predicate: a reservation is live iff now < its deadline, or it is pinned. The dead go at once."""
        held = self.by_token.get(token)
        if held is not None and held.until_us != PINNED and now_us >= held.until_us:
            self.free(held, "lapsed")
            return None
        return held

    def live_for(self, order_id: str, now_us: int) -> Commitment | None:
        token = self.token_of.get(order_id)
        return None if token is None else self.live(token, now_us)

    def lapse(self, now_us: int) -> None:
        """What ran out is free again before anyone looks."""
        while self.deadlines and self.deadlines[0][0] <= now_us:
            self.live(heapq.heappop(self.deadlines)[1], now_us)

    def grounds(self, sku: str) -> int:
        """Version of the record that a promise made now is made on the strength of."""
        return 0

    def hold(self, order_id: str, lines: tuple[Line, ...], until_us: int, epoch: int, base_v: Mapping[str, int]) -> str:
        """Promise all lines under a new token; the rows name the version on the strength of which it is promised."""
        token = self.name_token(order_id, epoch)
        held = self.commit(token, order_id, lines, until_us)
        heapq.heappush(self.deadlines, (until_us, token))
        for sku, (line, units) in held.lines.items():
            if base_v.get(sku, 0):
                held.rests_on[sku] = base_v[sku]
            self.note(
                "hold", held, line, sku, units, "cache.held", "cache.available",
                deadline=until_us, version=self.grounds(sku),
            )  # fmt: skip
        return token

    def name_token(self, order_id: str, epoch: int) -> str:
        """A name that no token ever had; of it all that is read again is the epoch (see `epoch_of`)."""
        self.serial += 1
        return f"{order_id}/{epoch}.{self.serial}"

    def commit(self, token: str, order_id: str, lines: tuple[Line, ...], until_us: int) -> Commitment:
        held = Commitment(token, order_id, {sku: (n, units) for n, (sku, units, _) in enumerate(lines)}, until_us)
        self.by_token[token] = held
        self.token_of[order_id] = token
        for sku, units, _ in lines:
            self.committed[sku] = self.committed.get(sku, 0) + units
        return held

    def free(self, held: Commitment, why: str) -> None:
        for sku, (line, units) in tuple(held.lines.items()):
            self.note("free", held, line, sku, units, "cache.available", held.account, answer=why)
            self.forget(held, sku)

    def drop(self, held: Commitment, sku: str, version: int) -> None:
        """The record's snapshot shows the goods gone: they are its business now.

        What was granted when the base contained them already is not what has left: a late copy of an ask took it, for
        an order that is over, and it goes back on sale.
        """
        line, units = held.lines[sku]
        if version <= held.rests_on.get(sku, 0):
            self.note("free", held, line, sku, units, "cache.available", held.account, answer="stray")
        else:
            self.note("drop", held, line, sku, units, "cache.available", held.account, version=version)
        self.forget(held, sku)

    def forget(self, held: Commitment, sku: str) -> None:
        _, units = held.lines.pop(sku)
        self.committed[sku] -= units
        if not self.committed[sku]:
            del self.committed[sku]
        if sku in held.posted:
            del held.posted[sku]
            del self.awaited[sku][held.token]
        if not held.lines:
            del self.by_token[held.token]
            if self.token_of.get(held.order_id) == held.token:
                del self.token_of[held.order_id]

    def note(
        self,
        operation: str,
        held: Commitment,
        line: int,
        sku: str,
        units: int,
        debit: str,
        credit: str,
        *,
        answer: str = "",
        version: int = -1,
        deadline: int = -1,
    ) -> None:
        self.journal.append(
            Change(
                operation,
                held.token,
                held.order_id,
                line,
                sku,
                units,
                0,
                debit,
                credit,
                answer,
                True,
                "",
                "",
                version,
                -1,
                deadline,
            )
        )

    def forget_all(self) -> None:
        for memory in (self.committed, self.by_token, self.token_of, self.awaited):
            memory.clear()
        self.deadlines.clear()

    def snapshot_commitments(self) -> Hashable:
        return (
            tuple(
                (
                    held.token,
                    held.order_id,
                    tuple(held.lines.items()),
                    held.until_us,
                    tuple(held.posted.items()),
                    tuple(held.rests_on.items()),
                )
                for held in self.by_token.values()
            ),
            tuple(sorted(self.deadlines)),
            self.serial,
        )

    def restore_commitments(self, snapshot: Any) -> None:
        commitments, deadlines, self.serial = snapshot
        self.deadlines = list(deadlines)
        self.committed, self.by_token, self.token_of, self.awaited = {}, {}, {}, {}
        for token, order_id, lines, until_us, posted, rests_on in commitments:
            held = Commitment(token, order_id, dict(lines), until_us)
            held.posted, held.rests_on = dict(posted), dict(rests_on)
            self.by_token[token] = held
            self.token_of[order_id] = token
            for sku, (_, units) in lines:
                self.committed[sku] = self.committed.get(sku, 0) + units
            for sku, version in posted:
                self.awaited.setdefault(sku, {})[token] = version
