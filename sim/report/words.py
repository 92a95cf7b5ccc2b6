"""Numbers as people read them: durations, money, shares, counts. No figure and no page is made here."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
NOT_CLAIMED = "\N{EN DASH}"
_UNITS = ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
_LONG = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def duration(seconds: float | None) -> str:
    """Three figures and the unit that suits them; a dash where nothing is claimed.

    >>> [duration(s).replace(THIN, " ") for s in (0.000_012, 0.0843, 1.5, 84, 600, 5400, 250_000)]
    ['12 µs', '84.3 ms', '1.5 s', '84 s', '10 min', '1.5 h', '2.89 d']
    """
    if seconds is None or math.isnan(seconds):
        return NOT_CLAIMED
    if math.isinf(seconds):
        return "∞"
    if seconds < 0:
        return MINUS + duration(-seconds)
    if seconds >= 120:
        size, unit = next((long for long in _LONG if seconds >= long[0]), _LONG[-1])
    else:
        size, unit = next((short for short in reversed(_UNITS) if seconds >= short[0]), _UNITS[0])
    if seconds == 0:
        return f"0{THIN}s"
    return f"{figures(seconds / size)}{THIN}{unit}"


def moment(seconds: float) -> str:
    """A point in simulated time, to the second, however far out.

    >>> [moment(s).replace(THIN, " ") for s in (0, 8.25, 605, 3600, 153_725)]
    ['0 s', '8.25 s', '10 min 5 s', '1 h', '42 h 42 min 5 s']
    """
    if seconds < 60:
        return duration(seconds)
    whole = round(seconds)
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{number}{THIN}{unit}" for number, unit in parts if number)


def figures(value: float, digits: int = 3) -> str:
    """A plain number to so many figures, thousands set apart.

    >>> figures(1234.5), figures(0.5), figures(12.3456), figures(0.00012)
    ('1,234', '0.5', '12.3', '0.00012')
    """
    if math.isnan(value):
        return NOT_CLAIMED
    if value == 0:
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)


def count(number: int) -> str:
    """
    >>> count(1234567)
    '1,234,567'
    """
    return f"{number:,}".replace("-", MINUS)


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "order"), counted(0, "order"), counted(2, "dead letter")
    ('1 order', '0 orders', '2 dead letters')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """A percentage that says 100 only for all and 0 only for none.

    >>> [share(*of).replace(THIN, " ") for of in ((1, 3), (9999, 10_000), (1, 100_000), (0, 5), (5, 5), (0, 0))]
    ['33.3 %', '99.99 %', '<0.01 %', '0 %', '100 %', '–']
    """
    if not whole:
        return NOT_CLAIMED
    percent = 100 * part / whole
    if part in (0, whole):
        text = f"{percent:.0f}"
    elif percent < 0.01:
        text = "<0.01"
    elif percent > 99.99:
        text = ">99.99"
    else:
        text = f"{percent:.1f}" if 0.1 <= percent <= 99.9 else f"{percent:.2f}"
    return f"{text}{THIN}%"


def money(pence: int) -> str:
    """
    >>> money(123456)
    '£1,234.56'
    """
    return f"{MINUS if pence < 0 else ''}£{abs(pence) / 100:,.2f}"


def plain(name: str) -> str:
    """A name from the code as words.

    >>> plain("never_oversold")
    'never oversold'
    """
    return name.replace("_", " ")


def listed(words: list[str], most: int = 4) -> str:
    """Words in a row.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(list("abcdef"), most=3)
    ('a', 'a, b and c', 'a, b, c and 3 more')
    """
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
