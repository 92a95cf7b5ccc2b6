"""What customers do in a scenario: when they come, what they put in the basket, and how they misbehave.

Shapes and limits only; nothing is drawn here but whole numbers for baskets, and nobody is sent anywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from orderquake.sim.units import (
    SECOND,
    Count,
    Duration,
    Flag,
    Pence,
    Positive,
    Probability,
    Rate,
    Whole,
    refused,
)
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRACES = ("online_retail",)
"""Traces that ship with the package; any other is a path to a csv file of the same columns."""


class Part(BaseModel):
    """A table of a scenario file: frozen, and refusing keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Zipf(Part):
    """The r-th most popular product is wanted 1/r^exponent as often as the first.

    The default is an assumption, for a shop with a front page; UCI Online Retail has a rank slope of -0.507.
    """

    kind: Literal["zipf"] = "zipf"
    exponent: Positive = 1.0


class Alike(Part):
    """Every product is wanted as often as any other."""

    kind: Literal["uniform"] = "uniform"


class Traced(Part):
    """Products are wanted as often as in the retailer's trace."""

    kind: Literal["traced"] = "traced"


Popularity: TypeAlias = Annotated[Zipf | Alike | Traced, Field(discriminator="kind")]


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


class Trace(Customers):
    """Real orders, one by one, with their products, units and prices.

    name              a trace that ships with the package, or a csv file beside the scenario
    speed_up          arrivals come so many times faster; nothing else does
    first_day, last_day   play only these days, both included
    returns           the trace's cancellations come back to the record as returns
    The first moment of the first day is the scenario's zero.
    """

    known: ClassVar[tuple[str, ...]] = TRACES
    kind: Literal["trace"] = "trace"
    name: str = TRACES[0]
    speed_up: Positive = 1.0
    first_day: date | None = None
    last_day: date | None = None
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


Workload: TypeAlias = Annotated[PoissonDemand | FlashSale | Rounds | Trace, Field(discriminator="kind")]
