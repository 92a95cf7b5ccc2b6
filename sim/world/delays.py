"""How long things take: all the distributions that scenario files may name.

The plain shapes are in `shapes.py`; here are those made of measurements and of each other, and the table of all
kinds. What changes with the hour is in `rhythms.py`. Nothing here keeps a generator.
"""

from __future__ import annotations

import csv
import math
from fractions import Fraction
from pathlib import Path
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
from orderquake.sim.world.presets import PRESETS, PresetName
from orderquake.sim.world.rhythms import Profile, Spells, Window, Windows
from orderquake.sim.world.shapes import (
    Constant,
    Delay,
    Draws,
    Erlang,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Pareto,
    Uniform,
    Weibull,
)

__all__ = [
    "Constant",
    "Delay",
    "Distribution",
    "Draws",
    "Empirical",
    "Erlang",
    "Exponential",
    "Gamma",
    "Hyperexponential",
    "Latency",
    "Lognormal",
    "Mixture",
    "Pareto",
    "Part",
    "Preset",
    "Shifted",
    "Truncated",
    "Uniform",
    "Weibull",
    "delay",
    "latency",
]


# -- measured


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


class Preset(Delay):
    """A published measurement by its name; `presets.py` has the law and the source of each."""

    kind: Literal["preset"] = "preset"
    name: PresetName

    @property
    def law(self) -> Distribution:
        return delay(**PRESETS[self.name].law)

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return self.law.draw(generator, n)

    @property
    def mean_us(self) -> float:
        return self.law.mean_us

    @property
    def variance(self) -> float:
        return self.law.variance


# -- made of others


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


class Shifted(Delay):
    """Something that always takes `by`, and then as long as `of`."""

    kind: Literal["shifted"] = "shifted"
    by: Duration
    of: Distribution

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        return self.of.draw(generator, n) + self.by

    @property
    def mean_us(self) -> float:
        return self.by + self.of.mean_us

    @property
    def variance(self) -> float:
        return self.of.variance


PILOT = 2**16
"""Draws by which a truncated law is judged when it is read; always the same ones."""


class Truncated(Delay):
    """`of` on the condition that it falls between `at_least` and `at_most`, both included; nothing piles up there.

    Drawn by rejection: what falls outside is drawn again. Mean and variance are numeric, from draws that are always
    the same, and good to about one part in a hundred.
    """

    kind: Literal["truncated"] = "truncated"
    of: Distribution
    at_least: Duration | None = None
    at_most: Duration | None = None

    @model_validator(mode="after")
    def _check(self) -> Truncated:
        low, high = self.at_least, self.at_most
        if low is None and high is None:
            raise refused("truncated nowhere; expected at_most, or at_least, or both")
        if low is not None and high is not None and high < low:
            found = format_duration(high)
            raise refused(f'"{found}"; expected at least at_least, "{format_duration(low)}"', key="at_most")
        if (share := self._inside(self.of.draw(_pilot(), PILOT)).mean()) < 0.001:
            found = f"{share:.2%} of what it truncates" if share else "nothing of what it truncates"
            raise refused(f"a law that keeps {found}; expected limits that keep at least 0.1 %")
        return self

    def _inside(self, drawn: NDArray[np.float64]) -> NDArray[np.bool_]:
        low = 0 if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return np.asarray((drawn >= low) & (drawn <= high), dtype=np.bool_)

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        kept = np.empty(0)
        while len(kept) < n:
            drawn = self.of.draw(generator, max(n, 1024))
            kept = np.concatenate((kept, drawn[self._inside(drawn)]))
        return kept[:n]

    @property
    def mean_us(self) -> float:
        if self.at_most is None and math.isinf(self.of.mean_us):
            return math.inf
        return float(self.draw(_pilot(), PILOT).mean())

    @property
    def variance(self) -> float:
        if self.at_most is None and math.isinf(self.of.variance):
            return math.inf
        return float(self.draw(_pilot(), PILOT).var())


def _pilot() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=0))


# -- all of them

_Shape: TypeAlias = (
    Constant
    | Uniform
    | Exponential
    | Lognormal
    | Gamma
    | Erlang
    | Weibull
    | Pareto
    | Hyperexponential
    | Mixture
    | Shifted
    | Truncated
    | Empirical
    | Preset
)
Distribution: TypeAlias = Annotated[_Shape, Field(discriminator="kind")]
"""How long something takes, whenever it happens."""

Latency: TypeAlias = Annotated[_Shape | Windows | Profile | Spells, Field(discriminator="kind")]
"""How long something takes that begins at a known moment, and may depend on it."""

for _model in (Part, Mixture, Shifted, Truncated, Window, Windows, Profile, Spells):
    _model.model_rebuild()
_ANY: TypeAdapter[Distribution] = TypeAdapter(Distribution)
_ANY_LATENCY: TypeAdapter[Latency] = TypeAdapter(Latency)


def delay(**table: object) -> Distribution:
    """A distribution written as in a scenario file.

    raises   pydantic.ValidationError

    >>> round(delay(kind="lognormal", median="700 ms", sigma=0.5).mean_us)
    793204
    """
    return _ANY.validate_python(table)


def latency(**table: object) -> Latency:
    """A distribution or a rhythm written as in a scenario file.

    raises   pydantic.ValidationError
    """
    return _ANY_LATENCY.validate_python(table)
