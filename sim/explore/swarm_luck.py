"""The luck of a swarm: every knob of a drawn scenario has a name, and finds its value by it.

A value hangs on the seed and its own name only, so a knob more moves no other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from orderquake.sim.units import MS, SECOND, format_duration

T = TypeVar("T")


class Luck:
    """Values by name.

    >>> luck = Luck(7)
    >>> luck.whole("skus", 1, 30) == Luck(7).whole("skus", 1, 30)
    True
    >>> luck.under("fault").share("x") == luck.share("fault/x")
    True
    """

    def __init__(self, seed: int, path: str = "swarm") -> None:
        self.seed = seed
        self.path = path

    def under(self, name: object) -> Luck:
        """The luck of a part."""
        return Luck(self.seed, f"{self.path}/{name}")

    def share(self, name: str) -> float:
        """Anything from 0 to 1, without 1."""
        digest = hashlib.blake2b(f"{self.seed}/{self.path}/{name}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "little") >> 11) * 2.0**-53

    def chance(self, name: str, probability: float) -> bool:
        """True so often."""
        return self.share(name) < probability

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number from low to high, both included, all alike."""
        return low + int(self.share(name) * (high - low + 1))

    def real(self, name: str, low: float, high: float) -> float:
        """Anything between, all alike; three digits, so that a file can be read."""
        return three_digits(low + self.share(name) * (high - low))

    def decades(self, name: str, low: float, high: float) -> float:
        """Anything between, each order of magnitude alike; three digits."""
        return min(high, max(low, three_digits(low * math.exp(self.share(name) * math.log(high / low)))))

    def count(self, name: str, low: int, high: int) -> int:
        """A whole number, each order of magnitude alike."""
        return round(self.decades(name, low, high))

    def pick(self, name: str, options: Sequence[T]) -> T:
        """One of them, all alike."""
        return options[self.whole(name, 0, len(options) - 1)]

    def some(self, name: str, options: Iterable[T], probability: float) -> list[T]:
        """Each of them so often."""
        return [option for option in options if self.chance(f"{name}/{option}", probability)]

    def time(self, name: str, low_us: float, high_us: float) -> str:
        """A duration as files write it, each order of magnitude alike."""
        return duration(self.decades(name, low_us, high_us))

    def law(self, name: str, low_us: float, high_us: float, most_us: float) -> dict[str, Any]:
        """A distribution whose middle lies between the two: steady, spread, skewed or heavy-tailed.

        most_us   longer than that is nothing, or less than one draw in ten million: a copy of an ask must not outlive
                  its key
        """
        luck = self.under(name)
        middle_us = min(luck.decades("middle", low_us, high_us), most_us / 20)
        room = most_us / middle_us
        middle = duration(middle_us)
        match luck.pick("kind", ("constant", "uniform", "exponential", "lognormal", "pareto", "bimodal")):
            case "constant":
                return {"kind": "constant", "value": middle}
            case "uniform":
                wide = luck.real("wide", 0.1, 1.0) * middle_us
                return {"kind": "uniform", "low": duration(middle_us - wide), "high": duration(middle_us + wide)}
            case "exponential":
                return {"kind": "exponential", "mean": middle}
            case "lognormal":
                sigma = min(luck.real("sigma", 0.2, 1.2), three_digits(math.log(room) / 5.5))
                return {"kind": "lognormal", "median": middle, "sigma": sigma}
            case "pareto":
                shape = max(luck.real("shape", 1.1, 3.0), three_digits(7.5 / math.log10(room)))
                return {"kind": "pareto", "minimum": middle, "shape": shape}
            case _:
                high = duration(min(most_us, middle_us * luck.decades("slower", 4, 100)))
                slow = {"kind": "uniform", "low": middle, "high": high}
                usual = {"weight": 0.95, "of": {"kind": "constant", "value": middle}}
                return {"kind": "mixture", "parts": [usual, {"weight": 0.05, "of": slow}]}


def three_digits(value: float) -> float:
    """
    >>> three_digits(0.0123456), three_digits(98765.4)
    (0.0123, 98800.0)
    """
    return float(f"{value:.3g}")


def duration(us: float) -> str:
    """A duration as files write it: whole microseconds, and no more digits than anybody reads.

    >>> duration(1_234_567), duration(0.4), duration(90_000_000)
    ('1230 ms', '1 us', '1 min 30 s')
    """
    if us >= 10 * SECOND:
        return format_duration(max(1, round(us / SECOND)) * SECOND)
    if us >= 10 * MS:
        return format_duration(round(three_digits(us) / MS) * MS)
    return format_duration(max(1, round(three_digits(us))))
