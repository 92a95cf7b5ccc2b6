"""What goes wrong with time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orderquake.model.commitments import PINNED
from orderquake.model.stock import StockCache
from orderquake.sim.nemesis import time as described
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.wire import Sending

if TYPE_CHECKING:
    from orderquake.sim.world.service import Replica
    from orderquake.sim.world.tickers import Ticker

# -- clocks


class OfClocks(Injected):
    """replicas   services whose clock it is; is_off while the clock is wrong"""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        target = site.fault.target
        self.replicas = [replica for replica in site.wire.replicas.values() if target in (replica.name, replica.place)]
        self.is_off = False
        self.stand_before(*self.replicas)

    def begin(self, _: Any = None) -> None:
        super().begin()
        self.set_wrong(self.fault.offset_us)
        self.is_off = True
        if not self.replicas:  # whoever works there has looked at the clock a moment ago, and will again
            self.struck()

    def set_wrong(self, by_us: int) -> None:
        for replica in self.replicas:
            leap(replica, by_us, self.label)
        world, place = self.site.world, self.fault.target
        if world is not None and place not in self.site.wire.replicas:
            ahead = world.performer.ahead
            ahead[place] = ahead.get(place, 0) + by_us

    def answers(self, sending: Sending) -> Any:
        if self.is_off:
            self.struck(sending)
        return None


class ClockSkew(OfClocks):
    def end(self, _: Any = None) -> None:
        if self.is_on:
            self.is_off = False
            self.set_wrong(-self.fault.offset_us)
        super().end()


class ClockJump(OfClocks):
    def end(self, _: Any = None) -> None:
        """Nobody sets the clock right."""


def leap(replica: Replica, by_us: int, label: str) -> None:
    """Set a service's clock. When its reservations really lapse changes with it, and the history is told so."""
    store, now_us = replica.store, replica.kernel.now
    shown_us = replica.clock_us()
    replica.ahead_us += by_us
    if isinstance(store, StockCache):
        # Simplified: the owner sees its clock right before the leap; matters when nobody had asked it for a while.
        store.clock_us = max(store.clock_us, shown_us)
        for held in store.by_token.values():
            if held.until_us != PINNED and store.clock_us < held.until_us:
                for sku, (line, units) in held.lines.items():
                    store.note("extend", held, line, sku, units, "", "", deadline=held.until_us)
        replica.tell_in_true_time(store.journal)
        replica.recorder.acted(now_us, store.journal, label, replica.name, replica.place)
        store.journal.clear()


# -- schedulers


class OfTicks(Injected, ABC):
    def begin(self, _: Any = None) -> None:
        if self.site.world is not None:
            for ticker in self.site.world.tickers:
                if self.fault.target in ("all", ticker.job.name):
                    ticker.troubles.append(self.ticks)
        super().begin()

    def ticks(self, ticker: Ticker, number: int, starts: list[int]) -> list[int]:
        """After how long the job is started, each time, at its tick of that number; `starts` without us."""
        if not self.is_on or self.draw(ticker.job.name, number, 0) >= self.fault.share:
            return starts
        return self.instead(ticker, number, starts)

    @abstractmethod
    def instead(self, ticker: Ticker, number: int, starts: list[int]) -> list[int]:
        """After how long the job is started at a tick that the fault strikes, each time."""

    def once_more(self, ticker: Ticker, number: int, later_us: int) -> None:
        self.kernel.after(later_us, self.run, (ticker, number))

    def run(self, what: tuple[Ticker, int]) -> None:
        ticker, number = what
        self.struck_in(ticker, f"{self.label}.{number}")
        ticker.run_besides(self.label, number)

    def struck_in(self, ticker: Ticker, run: str) -> None:
        """It had an effect on a run of a job."""
        self.struck_at(ticker.job.name, run=f"{ticker.job.name}-{run}")


class TickerSkipped(OfTicks):
    def instead(self, ticker: Ticker, number: int, starts: list[int]) -> list[int]:
        self.struck_in(ticker, str(ticker.runs + 1))
        ticker.runs += len(starts)  # the runs that come later keep their names and their luck
        return []


class TickerDoubled(OfTicks):
    def instead(self, ticker: Ticker, number: int, starts: list[int]) -> list[int]:
        for later_us in starts[:1]:
            self.once_more(ticker, number, later_us)
        return starts


class TickerOverlapping(OfTicks):
    def instead(self, ticker: Ticker, number: int, starts: list[int]) -> list[int]:
        after = self.streams.of(f"fault/{self.label}/{ticker.job.name}/after", self.fault.after)
        for later_us in starts[:1]:
            self.once_more(ticker, number, later_us + after.draw(number))
        return starts

    def run(self, what: tuple[Ticker, int]) -> None:
        ticker, number = what
        if ticker.going:
            self.struck_in(ticker, f"{self.label}.{number}")
        ticker.run_besides(self.label, number)


class TwoSchedulers(OfTicks):
    def instead(self, ticker: Ticker, number: int, starts: list[int]) -> list[int]:
        late = self.draw(f"{ticker.job.name}/jitter", number, 0)
        self.once_more(ticker, number, int(late * self.fault.jitter))
        return starts


INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.ClockSkew: ClockSkew,
    described.ClockJump: ClockJump,
    described.TickerSkipped: TickerSkipped,
    described.TickerDoubled: TickerDoubled,
    described.TickerOverlapping: TickerOverlapping,
    described.TwoSchedulers: TwoSchedulers,
}
