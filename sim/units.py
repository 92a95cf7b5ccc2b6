"""How scenario files write amounts: "5 min", 0.02, 1999 pence; and how they are printed again.

Inside, time is whole microseconds, money whole minor units, chance a number from 0 to 1. No scenario here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

US: Final = 1
MS: Final = 1_000
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

UNITS: Mapping[str, int] = {
    "us": US, "µs": US, "ms": MS, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY, "day": DAY, "days": DAY,
}  # fmt: skip
"""Every unit of time that may be written, in microseconds."""

EXPECTED_DURATION: Final = 'a duration in quotes, such as "5 min" (units: us, ms, s, min, h, days)'

_MISSPELT: Mapping[str, str] = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "m": "min", "mins": "min", "minute": "min",
    "minutes": "min", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "msec": "ms", "millis": "ms",
    "milliseconds": "ms", "usec": "us", "micros": "us", "microseconds": "us", "weeks": "days",
}  # fmt: skip
_TERM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([^\W\d_]+)")


@lru_cache(4096)
def parse_duration(text: str) -> int:
    """Microseconds in a duration such as "40 ms", "1.5 s" or "42 h 40 min".

    raises   ValueError, saying what was found and what was expected

    >>> parse_duration("1.5 s"), parse_duration("2 h 30 min") // MINUTE
    (1500000, 150)
    """
    total, end = Fraction(0), 0
    while match := _TERM.match(text, end):
        number, unit = match.groups()
        if unit not in UNITS:
            meant = _MISSPELT.get(unit.lower()) or next(iter(get_close_matches(unit, list(UNITS), 1)), None)
            hint = f'; did you mean "{number} {meant}"?' if meant else ""
            raise ValueError(f'"{text}", with the unknown unit "{unit}"; expected {EXPECTED_DURATION}{hint}')
        total += Fraction(number) * UNITS[unit]
        end = match.end()
    if not text.strip() or text[end:].strip():
        raise ValueError(f'"{text}"; expected {EXPECTED_DURATION}')
    if total.denominator != 1:
        raise ValueError(f'"{text}" is finer than a microsecond; expected whole microseconds')
    return int(total)


def format_duration(duration_us: int) -> str:
    """The duration as people say it; `parse_duration` reads it back, to the microsecond.

    >>> format_duration(5 * MINUTE), format_duration(26 * HOUR + 10 * SECOND), format_duration(1_500_000)
    ('5 min', '1 day 2 h 10 s', '1500 ms')
    """
    if duration_us == 0:
        return "0 s"
    if duration_us % SECOND:
        return f"{duration_us // MS} ms" if duration_us % MS == 0 else f"{duration_us} us"
    parts, rest = [], duration_us
    for unit in ("day", "h", "min", "s"):
        number, rest = divmod(rest, UNITS[unit])
        if number:
            parts.append(f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''}")
    return " ".join(parts)


def format_seconds(seconds: float) -> str:
    """A measured time with three digits, in the unit a reader would choose.

    >>> format_seconds(0.00042), format_seconds(0.7), format_seconds(93.0), format_seconds(7200)
    ('420 us', '700 ms', '93 s', '120 min')
    """
    if math.isnan(seconds):
        return "-"
    for unit, size, below in (
        ("us", 1e-6, 1e-3),
        ("ms", 1e-3, 1.0),
        ("s", 1.0, 120.0),
        ("min", 60.0, 7_201.0),
    ):
        if abs(seconds) < below:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds / 3600)} h"


def format_pence(amount_pence: int) -> str:
    """Money in major units.

    >>> format_pence(1999), format_pence(-5)
    ('19.99', '-0.05')
    """
    return f"{'-' if amount_pence < 0 else ''}{abs(amount_pence) // 100}.{abs(amount_pence) % 100:02d}"


def _three_digits(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _read_duration(value: Any) -> int:
    if not isinstance(value, str):
        meant = f'; did you mean "{value} s"?' if isinstance(value, int | float) and value is not True else ""
        raise refused(f"{as_toml(value)}; expected {EXPECTED_DURATION}{meant}")
    try:
        return parse_duration(value)
    except ValueError as error:
        raise refused(str(error)) from None


def refused(text: str, *, key: str = "") -> PydanticCustomError:
    """A refusal in our own words: `text` reads on after "<key> is ", of a field of the model that refuses."""
    return PydanticCustomError("refused", "{text}", {"text": text, "key": key})


def as_toml(value: Any) -> str:
    """A found value, short, the way the file writes it.

    >>> as_toml(True), as_toml("a"), as_toml({"x": 1}), as_toml([1])
    ('true', '"a"', 'a table', 'an array')
    """
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value if len(value) <= 60 else value[:57] + "..."}"'
        case dict():
            return "a table"
        case list() | tuple():
            return "an array"
    return str(value)


Duration = Annotated[
    int,
    BeforeValidator(_read_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*(\d+(\.\d+)?\s*(us|µs|ms|s|min|h|d|day|days)\s*)+$",
            "description": EXPECTED_DURATION,
        }
    ),
]
"""Microseconds, written as "5 min"; a bare number is refused."""

Probability = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
"""A chance from 0 to 1."""

Share = Annotated[float, Strict(), Field(gt=0, le=1, allow_inf_nan=False)]
"""A part of all, above nothing."""

Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
"""A number above zero: a weight, a factor, a coefficient of variation."""

Weight = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
"""A share relative to others, which may be nothing."""

Rate = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
"""So many a second, above zero; the key says of what."""

Count = Annotated[int, Strict(), Field(ge=1)]
"""A whole number, at least one."""

Whole = Annotated[int, Strict(), Field(ge=0)]
"""A whole number, zero or more."""

Signed = Annotated[int, Strict()]
"""A whole number of either sign."""

Pence = Annotated[int, Strict(), Field(ge=0)]
"""Money in integer minor units."""

Flag = Annotated[bool, Strict()]
"""true or false."""
