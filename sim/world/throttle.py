"""A service's throttles: they let an ask pass, keep it waiting, or turn it away.

A policer refuses at once what it has no token for; a shaper keeps it in line until there is one, first come, first
served. Whoever passes pays one token of the verb's and one of the account's, at that moment. No work is done here.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from orderquake.sim.scenario import Service, Throttle
from orderquake.sim.world.kernel import Kernel

if TYPE_CHECKING:
    from orderquake.sim.world.wire import Sending, Wire

Line: TypeAlias = "deque[tuple[int, Sending]]"
"""Those who wait, each with the number of its ticket; the lowest came first."""


class Bucket:
    """A token bucket in whole microseconds: `burst` at once, then one every `1e6 / per_s`, rounded up.

    A call passes iff a token is there at that moment; none is ever borrowed.
    """

    __slots__ = ("full_us", "level_us", "price_us", "seen_us")

    def __init__(self, throttle: Throttle) -> None:
        self.price_us = math.ceil(1_000_000 / throttle.per_s)
        self.full_us = self.price_us * throttle.burst
        self.level_us = self.full_us
        self.seen_us = 0

    def holds(self, now_us: int) -> bool:
        """Is a token there?"""
        self.level_us = min(self.full_us, self.level_us + now_us - self.seen_us)
        self.seen_us = now_us
        return self.level_us >= self.price_us

    def lacks_us(self, now_us: int) -> int:
        """How long until a token is there, if nobody takes one; 0 where one is."""
        return 0 if self.holds(now_us) else self.price_us - self.level_us

    def take(self) -> None:
        self.level_us -= self.price_us


class Gate:
    """Both throttles of one replica, and the lines before its shapers.

    admit    told every ask that passes
    lines    by verb; a single one where only the account has a throttle
    """

    def __init__(self, config: Service, kernel: Kernel, wire: Wire, admit: Callable[[Sending], None]) -> None:
        self.kernel = kernel
        self.wire = wire
        self.admit = admit
        self.throttle = config.throttle
        self.account_throttle = config.account_throttle
        self.account = None if config.account_throttle is None else Bucket(config.account_throttle)
        self.shapes_account = config.account_throttle is not None and config.account_throttle.kind == "shaper"
        self.shapes = self.shapes_account or (config.throttle is not None and config.throttle.kind == "shaper")
        self.buckets: dict[str, Bucket] = {}
        self.lines: dict[str, Line] = {}
        self.tickets = 0
        self.wakes_at = -1

    def arrive(self, sending: Sending) -> None:
        """Pass, wait, or be refused."""
        verb = sending.ask.verb if self.throttle is not None else ""
        if self.shapes and (self.lines.get(verb) or self.lacks_us(verb)):
            self.line_up(sending, verb)
        else:
            self.pass_or_refuse(sending, verb)

    def pass_or_refuse(self, sending: Sending, verb: str) -> None:
        """Nobody is before this ask, and whatever shapes has a token."""
        now, bucket, account = self.kernel.now, self.bucket_of(verb), self.account
        if bucket is not None and not bucket.holds(now):
            self.wire.refuse(sending, "throttled")
            return
        if account is not None:
            if not account.holds(now):
                self.wire.refuse(sending, "account_throttled")
                return
            account.take()
        if bucket is not None:
            bucket.take()
        self.admit(sending)

    def bucket_of(self, verb: str) -> Bucket | None:
        bucket = self.buckets.get(verb)
        if bucket is None and self.throttle is not None:
            bucket = self.buckets[verb] = Bucket(self.throttle)
        return bucket

    # -- waiting

    def line_up(self, sending: Sending, verb: str) -> None:
        """Wait for a token, if there is room."""
        line = self.lines.setdefault(verb, deque())
        own, shared = self.throttle, self.account_throttle
        if own is not None and own.queue_bound is not None and len(line) >= own.queue_bound:
            self.wire.refuse(sending, "throttled")
            return
        everybody = sum(map(len, self.lines.values()))
        if shared is not None and shared.queue_bound is not None and everybody >= shared.queue_bound:
            self.wire.refuse(sending, "account_throttled")
            return
        self.wire.guard(sending)
        self.tickets += 1
        line.append((self.tickets, sending))
        self.move_up()

    def move_up(self, _: Any = None) -> None:
        """Let pass whoever may; where several wait for the account's next token, the one who came first."""
        while ready := [(line[0][0], verb) for verb, line in self.lines.items() if line and not self.lacks_us(verb)]:
            verb = min(ready)[1]
            self.pass_or_refuse(self.lines[verb].popleft()[1], verb)
        lacking = [self.lacks_us(verb) for verb, line in self.lines.items() if line]
        if lacking:
            now = self.kernel.now
            if not now < self.wakes_at <= now + min(lacking):
                self.wakes_at = now + min(lacking)
                self.kernel.after(min(lacking), self.move_up)

    def lacks_us(self, verb: str) -> int:
        """How long until the shapers have a token for this verb."""
        now, bucket, account = self.kernel.now, self.bucket_of(verb), self.account
        lacks = 0 if bucket is None else bucket.lacks_us(now)
        return lacks if account is None or not self.shapes_account else max(lacks, account.lacks_us(now))

    def leave(self) -> Iterator[Sending]:
        """Everybody who waits, gone from the lines."""
        for line in self.lines.values():
            while line:
                yield line.popleft()[1]
