"""How amounts are written and read back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from orderquake.sim.units import (
    DAY,
    HOUR,
    MINUTE,
    MS,
    SECOND,
    Count,
    Duration,
    Flag,
    Pence,
    Probability,
    Rate,
    format_duration,
    format_pence,
    format_seconds,
    parse_duration,
)


class Amounts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    duration: Duration = SECOND
    probability: Probability = 0.0
    rate: Rate = 1.0
    count: Count = 1
    pence: Pence = 0
    flag: Flag = False


@pytest.mark.parametrize(
    ("text", "expected_us"),
    [
        ("5 min", 5 * MINUTE),
        ("40 ms", 40 * MS),
        ("700 us", 700),
        ("700 µs", 700),
        ("1.5 s", 1_500_000),
        ("2 h", 2 * HOUR),
        ("3 days", 3 * DAY),
        ("1 day", DAY),
        ("1 d", DAY),
        ("30s", 30 * SECOND),
        ("  42 h 40 min ", 42 * HOUR + 40 * MINUTE),
        ("0 s", 0),
        ("0.1 ms", 100),
    ],
)
def test_a_duration_is_read_as_whole_microseconds(text: str, expected_us: int) -> None:
    found = parse_duration(text)
    assert found == expected_us
    assert type(found) is int


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("5", 'expected a duration in quotes, such as "5 min"'),
        ("", 'expected a duration in quotes, such as "5 min"'),
        ("min", 'expected a duration in quotes, such as "5 min"'),
        ("-5 min", 'expected a duration in quotes, such as "5 min"'),
        ("5 min or so", 'expected a duration in quotes, such as "5 min"'),
        ("5 min 3", 'expected a duration in quotes, such as "5 min"'),
        ("5 minutes", 'unknown unit "minutes"'),
        ("5 minutes", 'did you mean "5 min"?'),
        ("5 m", 'did you mean "5 min"?'),
        ("3 hrs", 'did you mean "3 h"?'),
        ("7 parsecs", 'unknown unit "parsecs"'),
        ("0.5 us", "finer than a microsecond"),
    ],
)
def test_what_is_no_duration_is_refused_with_what_was_expected(text: str, phrase: str) -> None:
    with pytest.raises(ValueError, match="expected") as error:
        parse_duration(text)
    assert phrase in str(error.value)
    assert f'"{text}"' in str(error.value)


@given(st.integers(min_value=0, max_value=10**15))
def test_a_printed_duration_is_read_back_to_the_microsecond(duration_us: int) -> None:
    assert parse_duration(format_duration(duration_us)) == duration_us


@pytest.mark.parametrize("number", [5, 5.0, 0])
def test_a_bare_number_is_no_duration(number: float) -> None:
    with pytest.raises(ValidationError, match=rf'{number}; expected a duration .* did you mean "{number} s"'):
        Amounts.model_validate({"duration": number})


def test_durations_are_written_the_way_they_are_read() -> None:
    amounts = Amounts.model_validate({"duration": "90 s"})
    assert amounts.duration == 90 * SECOND
    assert amounts.model_dump(mode="json")["duration"] == "1 min 30 s"
    assert Amounts.model_validate(amounts.model_dump(mode="json")) == amounts


@pytest.mark.parametrize(
    "given_amount",
    [
        {"probability": 1.5},
        {"probability": -0.1},
        {"probability": "0.5"},
        {"probability": float("nan")},
        {"rate": 0},
        {"rate": -1.0},
        {"rate": float("inf")},
        {"rate": "25"},
        {"rate": True},
        {"count": 0},
        {"count": 1.0},
        {"count": "1"},
        {"pence": 19.99},
        {"pence": -1},
        {"flag": 1},
        {"flag": "true"},
        {"duration": True},
        {"duration": None},
    ],
)
def test_nothing_is_quietly_made_to_fit(given_amount: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Amounts.model_validate(given_amount)


def test_a_whole_number_is_a_rate() -> None:
    assert Amounts.model_validate({"rate": 25}).rate == 25.0


def test_money_is_printed_in_major_units() -> None:
    assert [format_pence(amount) for amount in (0, 5, 1999, -250)] == ["0.00", "0.05", "19.99", "-2.50"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 us"), (0.0000005, "0.5 us"), (0.7, "700 ms"), (1.0, "1 s"), (119.0, "119 s"), (float("nan"), "-")],
)
def test_measured_times_are_printed_in_a_unit_a_reader_would_choose(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
