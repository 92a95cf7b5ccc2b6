"""Alert rules: what an operator would be called for. The `[[alert]]` tables of a scenario file and their defaults;
nothing is watched here."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, model_validator

from orderquake.sim.demand import Part
from orderquake.sim.units import HOUR, MINUTE, SECOND, Duration, Positive, refused

GAUGES = ("drift", "staleness", "dead_letters", "backlog.", "queue.", "utilisation.")
"""What a rule may watch: these, and what begins with those that end in a dot."""
Share = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(min_length=1)]


class Above(Part):
    """A gauge stands above a value, for so long without a break.

    gauge   drift (units), staleness (seconds), dead_letters, backlog.…, queue.…, utilisation.… (share)
    """

    kind: Literal["above"] = "above"
    name: Name
    gauge: str
    above: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    lasting: Duration = 0

    @model_validator(mode="after")
    def _check(self) -> Above:
        if not any(self.gauge.startswith(known) if known[-1] == "." else self.gauge == known for known in GAUGES):
            wanted = ", ".join(f"{known}…" if known[-1] == "." else known for known in GAUGES)
            raise refused(f'"{self.gauge}" is no gauge; expected one of {wanted}', key="gauge")
        return self


class BurnRate(Part):
    """The error budget burns too fast: of the answers that were due in both of two windows, too many were late.

    An answer is late when it has not come `within` that long; it counts from the moment it is late. With an objective
    of 0.99, one late answer in a hundred is the budget; at a factor of 14.4 a month's budget is gone in two days, and
    2 % of it in an hour (Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs").
    """

    kind: Literal["burn_rate"] = "burn_rate"
    name: Name
    step: Literal["checkout", "decision"] = "decision"
    within: Duration = 30 * SECOND
    objective: Share = 0.99
    factor: Positive = 14.4
    long: Duration = HOUR
    short: Duration = 5 * MINUTE

    @model_validator(mode="after")
    def _check(self) -> BurnRate:
        if not 0 < self.short <= self.long:
            raise refused("no longer than the long window, and more than zero, was expected", key="short")
        if self.factor * (1 - self.objective) >= 1:
            most = f"expected below {1 / (1 - self.objective):g}"
            raise refused(f"{self.factor:g}, which no share of late answers reaches; {most}", key="factor")
        return self


Alert: TypeAlias = Annotated[Above | BurnRate, Field(discriminator="kind")]

DEFAULTS: tuple[Alert, ...] = TypeAdapter(tuple[Alert, ...]).validate_python(
    (
        {"kind": "burn_rate", "name": "decisions are late"},
        {"kind": "burn_rate", "name": "checkout is slow", "step": "checkout", "within": "2 s"},
        {"kind": "above", "name": "the books drift apart", "gauge": "drift", "above": 50, "lasting": "10 min"},
        {"kind": "above", "name": "the stock picture is old", "gauge": "staleness", "above": 900},
        {"kind": "above", "name": "posts pile up", "gauge": "backlog.unposted", "above": 500, "lasting": "5 min"},
        {"kind": "above", "name": "dead letters", "gauge": "dead_letters", "above": 0},
    )
)
"""An assumption: limits of a middling shop that refreshes every five minutes. A scenario's own take their place."""
