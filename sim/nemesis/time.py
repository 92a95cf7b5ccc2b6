"""Faults of time: clocks, and whoever relies on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import field_validator

from orderquake.model.assumptions import Assumption
from orderquake.sim.nemesis.base import SERVICES, Fault, Lasting, Sudden
from orderquake.sim.nemesis.steps import ASKS, Spared, none_of_jobs
from orderquake.sim.scenario_errors import unknown
from orderquake.sim.units import SECOND, Duration, Share, format_duration, refused
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario

# -- clocks


class OfClocks(Fault):
    """A clock that is `by` ahead or behind: of all services in a place and of whoever works there, or of one service.

    Moments that a service stamps, and deadlines that it sets, are its own clock's; the history is told in true time.
    """

    target: str
    by: Duration
    direction: Literal["ahead", "behind"] = "ahead"

    spares = none_of_jobs("jobs are started by tickers, whose clock is another")

    @field_validator("by")
    @classmethod
    def _wrong(cls, value: int) -> int:
        if value == 0:
            raise refused('"0 s"; expected more than zero')
        return value

    @property
    def offset_us(self) -> int:
        """What the clock shows beyond the truth, microseconds; negative behind."""
        return self.by if self.direction == "ahead" else -self.by

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        names = (*(place.name for place in scenario.place), *SERVICES)
        if self.target not in names:
            yield ("target",), unknown(self.target, names, "place or service")
        policy = scenario.policy
        room_us = scenario.service.payment.key_retention
        room_us -= policy.send_horizon + policy.worker_deadline + policy.message_life
        together_us = sum(fault.by for fault in scenario.fault if isinstance(fault, OfClocks))
        if together_us >= room_us:
            # A charge that is sent again for so much longer meets a provider that has forgotten its key.
            text = f"so wrong that all clocks together are off by {format_duration(together_us)}; expected less than"
            yield ("by",), f'{text} "{format_duration(max(room_us, 0))}", which send_horizon leaves of key_retention'
        stamping = ("order_cache", *(place.name for place in scenario.place))
        apart_us = sum(f.by for f in scenario.fault if isinstance(f, OfClocks) and f.target in stamping)
        if self.target in stamping and apart_us + policy.worker_deadline > policy.send_horizon:
            # Between whoever stamps a row and whoever reads it, the send horizon may be over before anything is sent.
            text = f"so wrong that orders and workers are {format_duration(apart_us)} apart; expected no more than"
            left = format_duration(max(policy.send_horizon - policy.worker_deadline, 0))
            yield ("by",), f'{text} "{left}", which worker_deadline leaves of policy.send_horizon'


class ClockSkew(OfClocks, Lasting):
    kind: Literal["clock_skew"] = "clock_skew"

    does = "a clock runs ahead of the others, or behind, by always the same"
    breaks = frozenset({Assumption.CLOCKS_AGREE})
    heals = "at the end of its window it is set right"
    witness = "something that a service with that clock did, or a moment that somebody there compared"
    example = '[[fault]]\nkind = "clock_skew"\ntarget = "stock"\nby = "2 min"\nfrom = "5 min"\nfor = "10 min"\n'


class ClockJump(OfClocks, Sudden):
    kind: Literal["clock_jump"] = "clock_jump"

    does = "a clock leaps, forward or back, and goes on from there"
    breaks = frozenset({Assumption.CLOCKS_AGREE})
    heals = "never; what was set before the leap comes due sooner or later than meant"
    witness = "something that a service with that clock did after the leap, or a moment that somebody there compared"
    example = '[[fault]]\nkind = "clock_jump"\ntarget = "stock"\nby = "20 min"\ndirection = "behind"\nat = "5 min"\n'


# -- schedulers

JobName: TypeAlias = Literal["inbound", "outbound", "recovery", "settlement", "rebuild", "sweep", "all"]


class OfTicks(Lasting):
    """A fault of the scheduler of one job, or of all; it strikes a `share` of the ticks in its window."""

    target: JobName = "all"
    share: Share = 1.0

    spares = (Spared(frozenset(ASKS), "it strikes the starts of jobs, and no ask"),)


class TickerSkipped(OfTicks):
    kind: Literal["ticker_skipped"] = "ticker_skipped"

    does = "a job is not started at its tick"
    breaks = frozenset({Assumption.JOBS_TICK_ONCE})
    heals = "with the next tick after its window"
    witness = "a fault row; a tick without a run"
    example = '[[fault]]\nkind = "ticker_skipped"\ntarget = "inbound"\nfrom = "5 min"\nfor = "10 min"\n'


class TickerDoubled(OfTicks):
    kind: Literal["ticker_doubled"] = "ticker_doubled"

    does = "a job is started twice at one tick"
    breaks = frozenset({Assumption.JOBS_TICK_ONCE})
    heals = "at the end of its window"
    witness = "a run named after the fault, beside that of the tick"
    example = '[[fault]]\nkind = "ticker_doubled"\ntarget = "outbound"\nfrom = "5 min"\nfor = "10 min"\n'


class TickerOverlapping(OfTicks):
    """The next run begins `after` the one before, which is still going if it takes longer than that."""

    kind: Literal["ticker_overlapping"] = "ticker_overlapping"
    after: Distribution = delay(kind="constant", value="200 ms")

    does = "a run begins while the one before is still going"
    breaks = frozenset({Assumption.JOBS_TICK_ONCE})
    heals = "at the end of its window"
    witness = "a run named after the fault that begins before the one of the tick has ended"
    example = (
        '[[fault]]\nkind = "ticker_overlapping"\ntarget = "outbound"\nfrom = "5 min"\nfor = "10 min"\n'
        'after = { kind = "constant", value = "200 ms" }\n'
    )


class TwoSchedulers(OfTicks):
    """Somebody has deployed the scheduler twice: the second starts each run up to `jitter` late, by luck of its own."""

    kind: Literal["two_schedulers"] = "two_schedulers"
    jitter: Duration = 30 * SECOND

    does = "every tick comes from two schedulers, each with a jitter of its own"
    breaks = frozenset({Assumption.JOBS_TICK_ONCE})
    heals = "at the end of its window"
    witness = "runs named after the fault, beside those of the ticks"
    example = '[[fault]]\nkind = "two_schedulers"\njitter = "30 s"\nfrom = "5 min"\nfor = "10 min"\n'


FAULTS: tuple[type[Fault], ...] = (
    ClockSkew,
    ClockJump,
    TickerSkipped,
    TickerDoubled,
    TickerOverlapping,
    TwoSchedulers,
)
