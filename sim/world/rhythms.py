"""Latency that changes with the clock: by window, by the hour of the day, in slow spells that hit everybody at once.

A rhythm wraps a distribution. Each draw stays the order's own, found under its number as if there were no rhythm;
the moment at which the work begins only multiplies it, or says which law it is drawn from. Descriptions only:
`tempo.py` carries them out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from orderquake.sim.units import DAY, Duration, Positive, format_duration, refused

if TYPE_CHECKING:
    from orderquake.sim.world.delays import Distribution, Latency


class Rhythm(BaseModel):
    """Something whose length depends on the moment it begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(BaseModel):
    """From `from` on, for so long, all takes `factor` times as long, or as long as `of`.

    The first moment belongs to the window, the one at which it ends does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    since: Duration = Field(alias="from")
    lasts: Duration = Field(alias="for")
    factor: Positive | None = None
    of: Distribution | None = None

    @model_validator(mode="after")
    def _check(self) -> Window:
        if self.lasts == 0:
            raise refused('"0 s"; expected a window longer than nothing', key="for")
        if (self.factor is None) == (self.of is None):
            found = "neither factor nor of" if self.factor is None else "both factor and of"
            raise refused(f"a window with {found}; expected one of the two")
        return self

    @property
    def until(self) -> int:
        """The first moment after it, microseconds."""
        return self.since + self.lasts


class Windows(Rhythm):
    """As `of`, but different in the windows."""

    kind: Literal["windows"] = "windows"
    of: Latency
    windows: tuple[Window, ...]

    @field_validator("windows")
    @classmethod
    def _apart(cls, windows: tuple[Window, ...]) -> tuple[Window, ...]:
        if not windows:
            raise refused("empty; expected at least one window")
        ordered = sorted(windows, key=lambda window: window.since)
        for one, other in pairwise(ordered):
            if other.since < one.until:
                found = f"one from {format_duration(other.since)} while that from {format_duration(one.since)}"
                raise refused(f"{found} still lasts; expected windows apart")
        return windows


class Profile(Rhythm):
    """`of` times a factor that comes round again and again: 24 factors and a period of a day are one an hour.

    phase   where in the period the scenario begins
    """

    kind: Literal["profile"] = "profile"
    of: Latency
    factors: tuple[Positive, ...]
    period: Duration = DAY
    phase: Duration = 0

    @model_validator(mode="after")
    def _check(self) -> Profile:
        if not self.factors:
            raise refused("empty; expected at least one factor", key="factors")
        if self.period < len(self.factors):
            found = format_duration(self.period)
            raise refused(f'"{found}"; expected at least a microsecond for each factor', key="period")
        return self


class Spells(Rhythm):
    """Mostly as `of`; now and then a slow spell, in which all takes `factor` times as long, or as long as `slow`.

    It begins calm. Calm times last `every`, slow ones `lasts`, drawn once a run for each service (or verb, or link)
    that is so described: whoever asks during a spell, asks during the same spell.
    """

    kind: Literal["spells"] = "spells"
    of: Latency
    factor: Positive | None = None
    slow: Distribution | None = None
    every: Distribution
    lasts: Distribution

    @model_validator(mode="after")
    def _check(self) -> Spells:
        if (self.factor is None) == (self.slow is None):
            found = "neither factor nor slow" if self.factor is None else "both factor and slow"
            raise refused(f"a law of spells with {found}; expected one of the two")
        for key in ("every", "lasts"):
            if getattr(self, key).mean_us == 0:
                raise refused("always zero; expected some time", key=key)
        return self

    @property
    def slow_share(self) -> float:
        """Share of the time that is slow in the long run, where calm and slow times have means."""
        return self.lasts.mean_us / (self.every.mean_us + self.lasts.mean_us)
