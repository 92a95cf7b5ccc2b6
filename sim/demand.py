"""What customers do in a scenario: when they come, what they put in the basket, and how they misbehave.

Shapes and limits only; nothing is drawn here but whole numbers for baskets, and nobody is sent anywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from orderquake.sim.listed import Orders
from orderquake.sim.part import Part as Part
from orderquake.sim.rates import SHIPPED, Rates, read_rates, table_of
from orderquake.sim.units import (
    MINUTE,
    SECOND,
    Count,
    Duration,
    Flag,
    Pence,
    Positive,
    Probability,
    Rate,
    Whole,
    format_duration,
    refused,
)
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRACES = ("online_retail",)
"""Traces that ship with the package; any other is a path to a csv file of the same columns."""


class Zipf(Part):
    """The r-th most popular product is wanted 1/r^exponent as often as the first.

    The default is an assumption, for a shop with a front page; UCI Online Retail has a rank slope of -0.507.
    """

    kind: Literal["zipf"] = "zipf"
    exponent: Positive = 1.0


class Alike(Part):
    """Every product is wanted as often as any other."""

    kind: Literal["uniform"] = "uniform"


class Hot(Part):
    """The first `skus` products share `share` of what is wanted, alike; the others share what is left, as `rest` says.

    The default is the rule of thumb that fits a sale; of the retailer's lines, the top 1 % of products have 9.3 %.
    """

    kind: Literal["hot"] = "hot"
    share: Probability = 0.8
    skus: Count = 5
    rest: Annotated[Zipf | Alike, Field(discriminator="kind")] = Alike()


class Traced(Part):
    """Products are wanted as often as in the retailer's trace."""

    kind: Literal["traced"] = "traced"


Popularity: TypeAlias = Annotated[Zipf | Alike | Hot | Traced, Field(discriminator="kind")]


class Number(Part, ABC):
    """A distribution of whole numbers, at least one."""

    @abstractmethod
    def sample(self, generator: np.random.Generator, n: int) -> NDArray[np.int64]:
        """`n` draws."""

    @property
    @abstractmethod
    def expected(self) -> float: ...


class Fixed(Number):
    """Always the same."""

    kind: Literal["fixed"] = "fixed"
    value: Count = 1

    def sample(self, generator: np.random.Generator, n: int) -> NDArray[np.int64]:
        import numpy as np

        return np.full(n, self.value, dtype=np.int64)

    @property
    def expected(self) -> float:
        return float(self.value)


class Geometric(Number):
    """One, and with the same chance each time one more."""

    kind: Literal["geometric"] = "geometric"
    mean: Annotated[float, Field(ge=1, strict=True, allow_inf_nan=False)]

    def sample(self, generator: np.random.Generator, n: int) -> NDArray[np.int64]:
        return generator.geometric(1 / self.mean, n)

    @property
    def expected(self) -> float:
        return self.mean


Numbers: TypeAlias = Annotated[Fixed | Geometric, Field(discriminator="kind")]


class Basket(Part):
    """How many different products an order names, and how many units of each."""

    lines: Numbers = Fixed()
    units: Numbers = Fixed()


class PriceRange(Part):
    """Every product has one price, drawn once between the two, pence."""

    low: Pence = 250
    high: Pence = 4_999

    @model_validator(mode="after")
    def _check(self) -> PriceRange:
        if self.high < self.low:
            raise refused(f"{self.high}; expected at least low, {self.low}", key="high")
        return self


class Retries(Part):
    """A customer who hears nothing for `after` sends the same submission again, at most so often."""

    after: Duration = 10 * SECOND
    at_most: Whole = 3


class Customers(Part):
    """What every workload may say of its customers.

    clicks_twice    chance that a submission is sent twice at once
    retries         what a customer does who hears nothing; `at_most = 0` for never
    cancels         chance that a customer asks to cancel, `cancels_after` the intended arrival
    walks_away      chance that a customer sends the order and never waits for an answer nor asks again
    """

    clicks_twice: Probability = 0.0
    retries: Retries = Retries()
    cancels: Probability = 0.0
    cancels_after: Distribution = delay(kind="exponential", mean="60 s")
    walks_away: Probability = 0.0


class Shoppers(Customers):
    """Customers who choose products by popularity and fill a basket."""

    popularity: Popularity = Zipf()
    basket: Basket = Basket()
    price_pence: PriceRange = PriceRange()


class PoissonDemand(Shoppers):
    """Customers come independently of each other, `rate_per_s` on average, until the horizon."""

    kind: Literal["poisson"] = "poisson"
    rate_per_s: Rate


class Bursts(Shoppers):
    """Customers come in bursts, `rate_per_s` of them on average: a newsletter, a bus that arrives.

    size         mean number of customers in a burst: one, and with the same chance each time one more
    dispersion   or instead: variance over mean of the counts in long windows, 2 * size - 1; Poisson has 1
    within       each comes at a moment of its own, all alike, within so long of the burst's beginning
    A Poisson cluster process (Neyman and Scott, 1958): bursts begin independently of each other. The retailer's orders
    have a dispersion of 1.10 over ten minutes, once their hour of the week is allowed for; more is an assumption.
    """

    kind: Literal["bursts"] = "bursts"
    rate_per_s: Rate
    size: Annotated[float, Field(ge=1, strict=True, allow_inf_nan=False)] | None = None
    dispersion: Annotated[float, Field(ge=1, strict=True, allow_inf_nan=False)] | None = None
    within: Duration = 10 * SECOND

    @model_validator(mode="after")
    def _check(self) -> Bursts:
        if (self.size is None) == (self.dispersion is None):
            found = "without size or dispersion" if self.size is None else "given both size and dispersion"
            raise refused(f"{found}; expected one of the two")
        return self

    @property
    def mean_size(self) -> float:
        """Customers in a burst, on average."""
        if self.size is not None:
            return self.size
        assert self.dispersion is not None
        return (self.dispersion + 1) / 2


class Step(Part):
    """From a moment on, so many customers a second."""

    since: Duration = Field(alias="from")
    rate_per_s: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class Profile(Shoppers):
    """Customers come independently of each other, at a rate that changes with the hour of the day and the week.

    of        a profile that ships with the package; the retailer's was counted in its four busiest weeks
    file      or a csv file beside the scenario, read at once: columns `hour` (0 to 23, or 0 to 167 from Monday's
              midnight on) or `from_s`, and `rate_per_s`
    steps     or the rates themselves; they begin again after `repeats`, or the last one lasts
    scale     so many times as many customers
    begins    where in the profile the scenario begins: "3 days 8 h" is Thursday at eight
    """

    kind: Literal["profile"] = "profile"
    of: Literal["online_retail"] | None = None
    file: str | None = None
    steps: tuple[Step, ...] = ()
    repeats: Duration | None = None
    scale: Positive = 1.0
    begins: Duration = 0

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any, info: ValidationInfo) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("file"), str):
            return given
        for key in ("of", "steps", "repeats"):
            if key in given:
                raise refused(f"given beside {key}; expected one of the two", key="file")
        read = table_of(Path((info.context or {}).get("folder", ".")), given["file"])
        return {key: value for key, value in given.items() if key != "file"} | read

    @model_validator(mode="after")
    def _check(self) -> Profile:
        if (self.of is None) == (not self.steps):
            found = "without of, file or steps" if self.of is None else "given both of and steps"
            raise refused(f"{found}; expected one of them")
        if self.of is not None and self.repeats is not None:
            raise refused("given, but the profile of a shop repeats each week; expected it beside steps", key="repeats")
        moments = [step.since for step in self.steps]
        if moments and (moments[0] != 0 or moments != sorted(set(moments))):
            raise refused('out of order; expected the first from "0 s", each later than the one before', key="steps")
        if self.steps and not any(step.rate_per_s for step in self.steps):
            raise refused("without any customers; expected a rate above zero", key="steps")
        if self.repeats is not None and self.repeats <= moments[-1]:
            text = f'"{format_duration(self.repeats)}"; expected more than the last step\'s from'
            raise refused(text, key="repeats")
        return self

    def rates(self) -> Rates:
        """The rates, as they are before they are scaled."""
        if self.of is not None:
            return read_rates(SHIPPED)
        return Rates(tuple((step.since, step.rate_per_s) for step in self.steps), self.repeats)


class Renewal(Shoppers):
    """Customers come one by one, `gap` after the one before, each gap drawn anew: steadier or wilder than Poisson."""

    kind: Literal["renewal"] = "renewal"
    gap: Distribution

    @model_validator(mode="after")
    def _check(self) -> Renewal:
        if self.gap.mean_us < 1:
            raise refused("no time at all; expected a mean of a microsecond or more", key="gap")
        return self


class Closed(Shoppers):
    """The same `customers` again and again: each thinks, orders, waits for the final answer, and thinks again.

    think      from the final answer, or from giving up, to the next order; and before the first
    gives_up   who has heard nothing final for so long thinks on; the order goes its own way. Those who walk away do so
               at once
    Latency counts from the moment of submitting, and a slow shop is asked less often: the orders that a stall has kept
    from being sent appear in no latency ("coordinated omission"). An open workload, whose customers come whatever the
    shop does, shows them.
    """

    kind: Literal["closed"] = "closed"
    customers: Count
    think: Distribution
    gives_up: Duration = 10 * MINUTE

    @model_validator(mode="after")
    def _check(self) -> Closed:
        if self.think.mean_us < 1:
            raise refused("no time at all; expected a mean of a microsecond or more", key="think")
        if self.gives_up == 0:
            raise refused('"0 s"; expected more than zero', key="gives_up")
        return self


class FlashSale(Shoppers):
    """`orders` customers from `starts` on, within `over`.

    shape   `decaying`: time since `starts` is exponential with mean over/5, cut at `over`; `uniform`: evenly
    """

    kind: Literal["flash_sale"] = "flash_sale"
    orders: Count
    over: Duration
    starts: Duration = 10 * SECOND
    shape: Literal["decaying", "uniform"] = "decaying"


class Rounds(Customers):
    """For each product in turn, `buyers` customers who want one unit of it come within `within`.

    every   from the beginning of one round to that of the next
    """

    kind: Literal["rounds"] = "rounds"
    rounds: Count
    buyers: Count
    within: Duration = SECOND
    every: Duration = 10 * SECOND
    price_pence: PriceRange = PriceRange()


class Listed(Customers, Orders):
    """These orders and no others, each at its moment."""

    kind: Literal["orders"] = "orders"
    price_pence: PriceRange = PriceRange()


class Trace(Customers):
    """Real orders, one by one, with their products, units and prices.

    name              a trace that ships with the package, or a csv file beside the scenario
    speed_up          arrivals come so many times faster; nothing else does
    scale             so many times as many customers, and as much of what comes back, in the same hours
    first_day, last_day   play only these days, both included, of local time; all of them where absent
    begins            when on the first day the scenario begins, by the shop's clock: "12 h" is noon
    returns           the trace's cancellations come back to the record as returns
    That moment is the scenario's zero; who would come before it, or after the horizon, stays away. The shipped trace
    has 2011-11-14 to 2011-12-09, and no orders on Saturdays.
    """

    known: ClassVar[tuple[str, ...]] = TRACES
    kind: Literal["trace"] = "trace"
    name: str = TRACES[0]
    speed_up: Positive = 1.0
    scale: Positive = 1.0
    first_day: date | None = None
    last_day: date | None = None
    begins: Duration = 0
    returns: Flag = True
    popularity: Traced = Traced()

    @field_validator("name")
    @classmethod
    def _find(cls, name: str, info: ValidationInfo) -> str:
        if name in TRACES or info.context is None:
            return name
        path = Path(info.context["folder"]) / name
        if path.suffix not in (".csv", ".gz"):
            near = next(iter(get_close_matches(name, TRACES, 1)), "")
            hint = f'; did you mean "{near}"?' if near else ""
            raise refused(f'"{name}", which is no trace; expected {", ".join(TRACES)} or a path to a .csv file{hint}')
        if not path.is_file():
            raise refused(f'"{name}", which is no file beside the scenario; expected a path to a .csv file')
        return str(path)

    @model_validator(mode="after")
    def _check(self) -> Trace:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise refused(
                f"{self.last_day}, before first_day, {self.first_day}; expected it on or after",
                key="last_day",
            )
        return self


Workload: TypeAlias = Annotated[
    PoissonDemand | Bursts | Profile | Renewal | FlashSale | Rounds | Listed | Closed | Trace,
    Field(discriminator="kind"),
]
