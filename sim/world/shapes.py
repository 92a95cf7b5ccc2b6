"""The shapes of durations that one formula gives: steady, spread evenly, memoryless, skewed, heavy-tailed.

Each draws whole microseconds, rounded once and never negative, from the generator it is handed, and knows its
mean and variance. Nothing here keeps a generator, so a draw here moves nothing elsewhere. What is made of other
distributions is in `delays.py`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from statistics import NormalDist
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from orderquake.sim.units import Count, Duration, Positive, Probability, format_duration, refused

Draws: TypeAlias = NDArray[np.int64]
Z99 = NormalDist().inv_cdf(0.99)
FOREVER_US = 2**62
"""The longest that anything is drawn to last, 146,000 years: a heavy tail must not overflow the clock."""


class Delay(BaseModel, ABC):
    """A distribution of durations.

    mean_us    expectation, microseconds, before rounding; `inf` where there is none
    variance   microseconds squared, before rounding; `inf` where there is none
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        """`n` draws in microseconds, not yet rounded."""

    @property
    @abstractmethod
    def mean_us(self) -> float: ...

    @property
    @abstractmethod
    def variance(self) -> float: ...

    def sample(self, generator: np.random.Generator, n: int) -> Draws:
        """`n` draws in whole microseconds, none negative."""
        drawn: Draws = np.rint(np.clip(self.draw(generator, n), 0.0, FOREVER_US)).astype(np.int64)
        return drawn


class Constant(Delay):
    """Always the same."""

    kind: Literal["constant"] = "constant"
    value: Duration

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return np.full(n, float(self.value))

    @property
    def mean_us(self) -> float:
        return float(self.value)

    @property
    def variance(self) -> float:
        return 0.0


class Uniform(Delay):
    """Anything from `low` to `high`, all alike."""

    kind: Literal["uniform"] = "uniform"
    low: Duration
    high: Duration

    @model_validator(mode="after")
    def _check(self) -> Uniform:
        if self.high < self.low:
            raise refused(
                f'"{format_duration(self.high)}"; expected at least low, "{format_duration(self.low)}"',
                key="high",
            )
        return self

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return generator.uniform(self.low, self.high, n)

    @property
    def mean_us(self) -> float:
        return (self.low + self.high) / 2

    @property
    def variance(self) -> float:
        return (self.high - self.low) ** 2 / 12


class Exponential(Delay):
    """Memoryless."""

    kind: Literal["exponential"] = "exponential"
    mean: Duration

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return generator.exponential(self.mean, n)

    @property
    def mean_us(self) -> float:
        return float(self.mean)

    @property
    def variance(self) -> float:
        return float(self.mean) ** 2


class Lognormal(Delay):
    """The usual shape of a service time, given as median and sigma, as p50 and p99, or as mean and cv.

    sigma   standard deviation of the logarithm
    cv      standard deviation over mean
    """

    kind: Literal["lognormal"] = "lognormal"
    median: Duration | None = None
    sigma: Positive | None = None
    p50: Duration | None = None
    p99: Duration | None = None
    mean: Duration | None = None
    cv: Positive | None = None

    @model_validator(mode="after")
    def _check(self) -> Lognormal:
        given = {name for name in ("median", "sigma", "p50", "p99", "mean", "cv") if getattr(self, name) is not None}
        if given not in ({"median", "sigma"}, {"p50", "p99"}, {"mean", "cv"}):
            found = " and ".join(sorted(given)) or "neither"
            raise refused(f"a lognormal with {found}; expected median and sigma, or p50 and p99, or mean and cv")
        for name in ("median", "p50", "mean"):
            if getattr(self, name) == 0:
                raise refused('"0 s"; expected more than zero', key=name)
        if self.p50 is not None and self.p99 is not None and self.p99 <= self.p50:
            found = format_duration(self.p99)
            raise refused(f'"{found}"; expected more than p50, "{format_duration(self.p50)}"', key="p99")
        return self

    def parameters(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm of the time in microseconds."""
        if self.median is not None and self.sigma is not None:
            return math.log(self.median), self.sigma
        if self.p50 is not None and self.p99 is not None:
            return math.log(self.p50), math.log(self.p99 / self.p50) / Z99
        assert self.mean is not None and self.cv is not None
        square = math.log1p(self.cv**2)
        return math.log(self.mean) - square / 2, math.sqrt(square)

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return generator.lognormal(*self.parameters(), n)

    @property
    def mean_us(self) -> float:
        mu, sigma = self.parameters()
        return math.exp(mu + sigma**2 / 2)

    @property
    def variance(self) -> float:
        mu, sigma = self.parameters()
        return math.expm1(sigma**2) * math.exp(2 * mu + sigma**2)


class Gamma(Delay):
    """Several stages in a row. `cv` is standard deviation over mean: 1 is exponential, less is steadier."""

    kind: Literal["gamma"] = "gamma"
    mean: Duration
    cv: Positive

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return generator.gamma(1 / self.cv**2, self.mean * self.cv**2, n)

    @property
    def mean_us(self) -> float:
        return float(self.mean)

    @property
    def variance(self) -> float:
        return (self.cv * self.mean) ** 2


class Erlang(Delay):
    """So many exponential stages in a row, all alike: the steadier, the more of them."""

    kind: Literal["erlang"] = "erlang"
    stages: Count
    mean: Duration

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return generator.gamma(self.stages, self.mean / self.stages, n)

    @property
    def mean_us(self) -> float:
        return float(self.mean)

    @property
    def variance(self) -> float:
        return self.mean**2 / self.stages


class Weibull(Delay):
    """Given by its shape, and by its scale or its mean: below 1, what has lasted long lasts longer still.

    shape   1 is exponential, more is steadier, less has a longer tail
    scale   63 % last no longer
    """

    kind: Literal["weibull"] = "weibull"
    shape: Annotated[Positive, Field(ge=0.1)]
    scale: Duration | None = None
    mean: Duration | None = None

    @model_validator(mode="after")
    def _check(self) -> Weibull:
        if (self.scale is None) == (self.mean is None):
            found = "neither" if self.scale is None else "mean and scale"
            raise refused(f"a weibull with {found}; expected one of scale and mean")
        return self

    def scale_us(self) -> float:
        if self.scale is not None:
            return float(self.scale)
        assert self.mean is not None
        return self.mean / math.gamma(1 + 1 / self.shape)

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return np.asarray(self.scale_us() * generator.weibull(self.shape, n), dtype=np.float64)

    @property
    def mean_us(self) -> float:
        return self.scale_us() * math.gamma(1 + 1 / self.shape)

    @property
    def variance(self) -> float:
        first, second = math.gamma(1 + 1 / self.shape), math.gamma(1 + 2 / self.shape)
        return self.scale_us() ** 2 * (second - first**2)


class Pareto(Delay):
    """Never below `minimum`, and with a tail that falls as a power: the chance to exceed x is (minimum / x) ^ shape.

    A shape of 2 or less has no variance, one of 1 or less no mean either.
    """

    kind: Literal["pareto"] = "pareto"
    shape: Annotated[Positive, Field(ge=0.1)]
    minimum: Duration

    @model_validator(mode="after")
    def _check(self) -> Pareto:
        if self.minimum == 0:
            raise refused('"0 s"; expected more than zero', key="minimum")
        return self

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return np.asarray(self.minimum * (1 + generator.pareto(self.shape, n)), dtype=np.float64)

    @property
    def mean_us(self) -> float:
        return self.shape * self.minimum / (self.shape - 1) if self.shape > 1 else math.inf

    @property
    def variance(self) -> float:
        a = self.shape
        return self.minimum**2 * a / ((a - 1) ** 2 * (a - 2)) if a > 2 else math.inf


class Hyperexponential(Delay):
    """Several kinds of work, each memoryless: burstier than exponential.

    Given as the chance and the mean of each branch, or as mean and cv: then there are two branches, balanced so
    that both bring the same share of the time.

    cv   standard deviation over mean, at least 1
    """

    kind: Literal["hyperexponential"] = "hyperexponential"
    probabilities: tuple[Probability, ...] | None = None
    means: tuple[Duration, ...] | None = None
    mean: Duration | None = None
    cv: Annotated[Positive, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Hyperexponential:
        given = {name for name in ("probabilities", "means", "mean", "cv") if getattr(self, name) is not None}
        if given not in ({"probabilities", "means"}, {"mean", "cv"}):
            found = " and ".join(sorted(given)) or "neither"
            raise refused(f"a hyperexponential with {found}; expected probabilities and means, or mean and cv")
        if self.probabilities is not None and self.means is not None:
            if len(self.means) != len(self.probabilities):
                found = f"{len(self.means)} for {len(self.probabilities)} probabilities"
                raise refused(f"{found}; expected one mean for each probability", key="means")
            if not math.isclose(math.fsum(self.probabilities), 1.0, abs_tol=1e-9):
                found = f"{math.fsum(self.probabilities):g} in all"
                raise refused(f"{found}; expected probabilities that add up to 1", key="probabilities")
        return self

    def branches(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Chance of each branch, and its mean in microseconds."""
        if self.probabilities is not None and self.means is not None:
            return np.array(self.probabilities), np.array(self.means, dtype=np.float64)
        assert self.mean is not None and self.cv is not None
        lean = math.sqrt((self.cv**2 - 1) / (self.cv**2 + 1))
        chances = np.array([(1 + lean) / 2, (1 - lean) / 2])
        return chances, self.mean / (2 * chances)

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        chances, means = self.branches()
        chosen = np.searchsorted(np.cumsum(chances)[:-1], generator.random(n), side="right")
        return np.asarray(means[chosen] * generator.exponential(1.0, n), dtype=np.float64)

    @property
    def mean_us(self) -> float:
        chances, means = self.branches()
        return float(chances @ means)

    @property
    def variance(self) -> float:
        chances, means = self.branches()
        return float(2 * (chances @ means**2)) - self.mean_us**2
