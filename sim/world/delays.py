"""How long things take: the distributions that scenario files may name.

Each draws whole microseconds, rounded once and never negative, from the generator it is handed, and knows its
mean and variance. Nothing here keeps a generator, so a draw here moves nothing elsewhere.
"""

from __future__ import annotations

import csv
import math
from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from orderquake.sim.units import UNITS, Duration, Positive, format_duration, refused

Draws: TypeAlias = NDArray[np.int64]
Z99 = NormalDist().inv_cdf(0.99)


class Delay(BaseModel, ABC):
    """A distribution of durations.

    mean_us    expectation, microseconds, before rounding
    variance   microseconds squared, before rounding
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
        drawn: Draws = np.rint(np.maximum(self.draw(generator, n), 0.0)).astype(np.int64)
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


class Part(BaseModel):
    """One ingredient of a mixture; weights need not add up to one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    weight: Positive
    of: Distribution


class Mixture(Delay):
    """Mostly one thing, sometimes another: a part is chosen by weight, then drawn from."""

    kind: Literal["mixture"] = "mixture"
    parts: tuple[Part, ...]

    @field_validator("parts")
    @classmethod
    def _check(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        if not parts:
            raise refused("empty; expected at least one part")
        return parts

    def shares(self) -> NDArray[np.float64]:
        """Chance of each part."""
        weights = np.array([part.weight for part in self.parts])
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        edges = np.cumsum(self.shares())[:-1]
        chosen = np.searchsorted(edges, generator.random(n), side="right")
        drawn = np.empty(n)
        for number, part in enumerate(self.parts):
            where = chosen == number
            drawn[where] = part.of.draw(generator, int(where.sum()))
        return drawn

    @property
    def mean_us(self) -> float:
        return float(sum(share * part.of.mean_us for share, part in zip(self.shares(), self.parts, strict=True)))

    @property
    def variance(self) -> float:
        squares = (
            share * (part.of.variance + part.of.mean_us**2)
            for share, part in zip(self.shares(), self.parts, strict=True)
        )
        return float(sum(squares)) - self.mean_us**2


class Empirical(Delay):
    """Measured times, drawn with equal chance and put back.

    Written as `samples = ["12 ms", ...]`, or as `file = "times.csv"` with `column` and `unit` (us, ms, s).
    The file lies beside the scenario and is read at once: a scenario, once loaded, is complete in itself.
    """

    kind: Literal["empirical"] = "empirical"
    samples: tuple[Duration, ...] = ()
    file: str | None = None
    column: str | None = None
    unit: Literal["us", "ms", "s"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any, info: ValidationInfo) -> Any:
        if not isinstance(given, dict) or "file" not in given:
            return given
        if "samples" in given:
            raise refused("given beside samples; expected one of the two", key="file")
        missing = [key for key in ("column", "unit") if key not in given]
        if missing:
            raise refused(f"given without {' and '.join(missing)}; expected file, column and unit", key="file")
        if given["unit"] not in ("us", "ms", "s"):
            return {**given, "samples": ["0 s"]}  # the field's own check says it better
        folder = Path((info.context or {}).get("folder", "."))
        samples = _read_column(folder / str(given["file"]), str(given["file"]), given)
        return {key: value for key, value in given.items() if key not in ("file", "column", "unit")} | {
            "samples": samples
        }

    @model_validator(mode="after")
    def _check(self) -> Empirical:
        if not self.samples:
            raise refused("an empirical distribution without samples; expected samples, or file, column and unit")
        return self

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return np.asarray(self.samples, dtype=np.float64)[generator.integers(0, len(self.samples), n)]

    @property
    def mean_us(self) -> float:
        return sum(self.samples) / len(self.samples)

    @property
    def variance(self) -> float:
        return float(np.var(np.asarray(self.samples, dtype=np.float64)))


def _read_column(path: Path, shown: str, given: dict[str, Any]) -> list[str]:
    column, size = str(given["column"]), UNITS[given["unit"]]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            names = list(rows.fieldnames or ())
            if column not in names:
                raise refused(
                    f'"{column}", not in {shown}; expected one of {", ".join(names) or "(no columns)"}',
                    key="column",
                )
            values = [row[column] for row in rows]
    except (OSError, UnicodeDecodeError) as error:
        raise refused(
            f'"{shown}", which cannot be read ({type(error).__name__}); expected a csv file',
            key="file",
        ) from None
    samples: list[str] = []
    for number, value in enumerate(values, start=2):
        try:
            samples.append(format_duration(round(Fraction(value) * size)))
        except (ValueError, TypeError, ZeroDivisionError):
            raise refused(
                f'"{shown}", whose line {number} has "{value}" under {column}; expected a number', key="file"
            ) from None
        if Fraction(value) < 0:
            raise refused(
                f'"{shown}", whose line {number} has the negative time {value}; expected zero or more',
                key="file",
            )
    return samples


Distribution: TypeAlias = Annotated[
    Constant | Uniform | Exponential | Lognormal | Gamma | Mixture | Empirical,
    Field(discriminator="kind"),
]
Part.model_rebuild()
_ANY: TypeAdapter[Distribution] = TypeAdapter(Distribution)


def delay(**table: object) -> Distribution:
    """A distribution written as in a scenario file.

    raises   pydantic.ValidationError

    >>> round(delay(kind="lognormal", median="700 ms", sigma=0.5).mean_us)
    793204
    """
    return _ANY.validate_python(table)
