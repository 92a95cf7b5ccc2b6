"""Luck, by name. Every source of chance has its own stream, and an order finds its own draw there.

A stream is (name, attempt), indexed by the order's original number: removing an order, or adding a draw elsewhere,
moves nobody else's luck. Draws come in blocks of 1,024 from Philox, keyed by a stable hash of seed and name, with the
block's number and the attempt as counter (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).

Since a draw has a name, it can be overruled by it: a `Deviation` puts one value in the place of one draw and leaves all
others as they are. `TracedStreams` notes what is drawn, for whoever has to explain a run.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from orderquake.sim.history import History
from orderquake.sim.world.kernel import Kernel

_BLOCK = 1024


class Deviation(NamedTuple):
    """One draw, overruled: a label that outlives the removal of other orders and new draws elsewhere.

    stream    name of the stream, as `fault/lose_ask-5f0c2e/charge`
    number    the order's original number, or the tick's
    attempt   the how-manieth time it draws there, from 0
    value     what it draws: a share from 0 to 1, microseconds, or whatever else that stream has
    """

    stream: str
    number: int
    attempt: int
    value: float


class BadDeviation(ValueError):
    """A deviation whose value its stream could never draw. The text says which, and what it could."""


Patches = dict[tuple[int, int], list[Deviation]]
"""(block, attempt) -> what is overruled there."""


class Law(Protocol):
    """A distribution: `sample` draws n values of it."""

    def sample(self, generator: np.random.Generator, n: int) -> Any: ...


def _key_of(seed: object, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest(), "little")


class Exponential:
    """The gaps of a Poisson process, not rounded, so that many small ones add up right. `mean` in any unit."""

    def __init__(self, mean: float) -> None:
        self.mean = mean

    def sample(self, generator: np.random.Generator, n: int) -> Any:
        return generator.exponential(self.mean, n)


class Stream:
    """The draws of one name from one law: `stream.draw(number, attempt)`.

    patches   what is overruled, by block; looked at when a block is filled, and never after
    is_share  all draws lie between 0 and 1
    """

    __slots__ = ("_blocks", "_key", "_patches", "_sample", "is_share", "name")

    def __init__(
        self,
        seed: object,
        name: str,
        sample: Callable[[np.random.Generator, int], Any],
        patches: Patches | None = None,
        is_share: bool = False,
    ) -> None:
        self.name = name
        self.is_share = is_share
        self._patches = patches
        self._key = _key_of(seed, name)
        self._sample = sample
        self._blocks: dict[int, memoryview] = {}  # block << 20 | attempt -> its values

    def draw(self, number: int, attempt: int = 0) -> Any:
        """The value for one order (or tick, or whatever is numbered from 0), the n-th time it asks."""
        return self.block(number >> 10, attempt)[number & 1023]

    def block(self, block: int, attempt: int) -> memoryview:
        """The values of 1,024 numbers from `block` times 1,024 on."""
        values = self._blocks.get(block << 20 | attempt)
        return self._fill(block, attempt) if values is None else values

    def rekey(self, seed: object) -> None:
        """Draw from now on what another seed would have; what was handed out stands."""
        self._key = _key_of(seed, self.name)
        self._blocks.clear()

    def _fill(self, block: int, attempt: int) -> memoryview:
        # Counter words: [drawn, attempt, block, 0]; drawing advances word 0 only, so blocks never overlap.
        generator = np.random.Generator(np.random.Philox(key=self._key, counter=[0, attempt, block, 0]))
        # Kept as they are: of most blocks few values are drawn, and an object for each would be four times as big.
        drawn: Any = np.ascontiguousarray(self._sample(generator, _BLOCK))
        if self._patches and (patch := self._patches.get((block, attempt))):
            drawn = drawn.copy()
            for deviation in patch:
                drawn[deviation.number & 1023] = self._allowed(deviation, drawn.dtype.kind == "i")
        values = memoryview(drawn)
        if len(self._blocks) >= 4096:
            # A long run leaves old blocks behind; they can always be made again.
            for old in list(self._blocks)[:2048]:
                del self._blocks[old]
        self._blocks[block << 20 | attempt] = values
        return values

    def _allowed(self, deviation: Deviation, is_whole: bool) -> float:
        """The value of a deviation, if the stream could draw it. raises   BadDeviation"""
        value = deviation.value
        if is_whole and not (type(value) is int and 0 <= value < 2**63):
            expected = "a whole number, 0 or more"
        elif self.is_share and not 0 <= value <= 1:
            expected = "a number from 0 to 1"
        elif not (math.isfinite(value) and value >= 0):
            expected = "a number, 0 or more"
        else:
            return value
        raise BadDeviation(
            f"the deviation of {deviation.stream}, number {deviation.number}, attempt {deviation.attempt} is {value!r};"
            f" expected {expected}"
        )


class Streams:
    """All streams of one run, made when first asked for.

    deviations   single draws that are overruled; nobody else's luck moves
    raises       BadDeviation where two overrule one draw, or there is no such number; in the run, for a wrong value

    >>> a, b = Streams(7), Streams(7, [Deviation("x", 5, 0, 0.25)])
    >>> a.uniform("x").draw(4) == b.uniform("x").draw(4), b.uniform("x").draw(5)
    (True, 0.25)
    """

    def __init__(self, seed: int | str, deviations: Iterable[Deviation] = ()) -> None:
        self.seed = seed
        self.luck: object = seed  # what streams are keyed by: the seed, until they are keyed anew
        self.deviations = tuple(deviations)
        self._streams: dict[str, Stream] = {}
        self._patches: dict[str, Patches] = {}
        seen: set[tuple[str, int, int]] = set()
        for deviation in self.deviations:
            name, number, attempt, _ = deviation
            if (name, number, attempt) in seen:
                raise BadDeviation(f"{name}, number {number}, attempt {attempt} is overruled twice; expected once")
            if number < 0 or not 0 <= attempt < 1 << 20:
                raise BadDeviation(f"{name} has no draw with number {number} and attempt {attempt}; both count from 0")
            seen.add((name, number, attempt))
            self._patches.setdefault(name, {}).setdefault((number >> 10, attempt), []).append(deviation)

    def of(self, name: str, law: Law) -> Stream:
        """The stream of this name; its law is that of the first call."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = self._made(name, law.sample, False)
        return stream

    def uniform(self, name: str) -> Stream:
        """Draws between 0 and 1."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = self._made(name, lambda g, n: g.random(n), True)
        return stream

    def _made(self, name: str, sample: Callable[[np.random.Generator, int], Any], is_share: bool) -> Stream:
        return Stream(self.luck, name, sample, self._patches.get(name), is_share)

    # Simplified: what is made once, of a whole generator (the prices), is not overruled draw by draw; matters when a
    # story hangs on a price.
    def generator(self, name: str) -> np.random.Generator:
        """A whole generator of that name, for what is made once at the start of a run."""
        key = int.from_bytes(hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=16).digest(), "little")
        return np.random.Generator(np.random.Philox(key=key))

    def rekey(self, luck: object) -> None:
        """Change everybody's luck from now on, as if the seed had been `luck`; what was drawn so far stands.

        Whoever keeps blocks at hand has to drop them: `World.rekey` sees to that.

        >>> streams = Streams(7)
        >>> before = streams.uniform("x").draw(4)
        >>> streams.rekey("7/1")
        >>> streams.uniform("x").draw(4) == before, streams.uniform("x").draw(4) == Streams("7/1").uniform("x").draw(4)
        (False, True)
        """
        self.luck = luck
        for stream in self._streams.values():
            stream.rekey(luck)

    def is_overruled(self, name: str) -> bool:
        """Does a deviation name this stream? Then even what is always the same has to be drawn."""
        return name in self._patches

    def strangers(self) -> tuple[Deviation, ...]:
        """Deviations whose stream nobody has asked for: misspelt, or of a run that has changed."""
        return tuple(deviation for deviation in self.deviations if deviation.stream not in self._streams)

    def watch(self, kernel: Kernel, history: History) -> None:
        """Told whose luck it is; for those who note when something was drawn."""


# -- what was drawn, and when


class Draw(NamedTuple):
    """One draw that a run has made. time_us is the moment, `row` the number of rows that the history had by then."""

    stream: str
    number: int
    attempt: int
    value: Any
    time_us: int
    row: int


class TracedStreams(Streams):
    """Streams that note every draw in the order of drawing. Slow: for whoever looks for a difference.

    draws     all of them
    history   of the run whose luck it is, as far as it has come, even where the run has failed

    >>> streams = TracedStreams(7)
    >>> _ = streams.uniform("x").draw(5)
    >>> [(draw.stream, draw.number) for draw in streams.draws]
    [('x', 5)]
    """

    def __init__(self, seed: int, deviations: Iterable[Deviation] = ()) -> None:
        super().__init__(seed, deviations)
        self.draws: list[Draw] = []
        self.history: History | None = None
        self.kernel: Kernel | None = None

    def _made(self, name: str, sample: Callable[[np.random.Generator, int], Any], is_share: bool) -> Stream:
        return _TracedStream(self, self.luck, name, sample, self._patches.get(name), is_share)

    def watch(self, kernel: Kernel, history: History) -> None:
        self.kernel, self.history = kernel, history

    def note(self, stream: str, number: int, attempt: int, value: Any) -> None:
        time_us = 0 if self.kernel is None else self.kernel.now
        row = 0 if self.history is None else len(self.history)
        self.draws.append(Draw(stream, number, attempt, value, time_us, row))


class _TracedStream(Stream):
    __slots__ = ("_owner",)

    def __init__(self, owner: TracedStreams, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._owner = owner

    def block(self, block: int, attempt: int) -> Any:
        return _Noting(self._owner, self.name, block << 10, attempt, super().block(block, attempt))


class _Noting:
    """A block that tells what is taken from it; whoever has it at hand takes values without asking the stream."""

    __slots__ = ("attempt", "first", "name", "owner", "values")

    def __init__(self, owner: TracedStreams, name: str, first: int, attempt: int, values: memoryview) -> None:
        self.owner, self.name, self.first, self.attempt, self.values = owner, name, first, attempt, values

    def __getitem__(self, slot: int) -> Any:
        value = self.values[slot]
        self.owner.note(self.name, self.first + slot, self.attempt, value)
        return value
