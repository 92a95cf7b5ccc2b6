"""Luck, by name. Every source of chance has its own stream, and an order finds its own draw there.

A stream is (name, attempt), indexed by the order's original number: removing an order, or adding a draw elsewhere,
moves nobody else's luck. Draws come in blocks of 1,024 from Philox, keyed by a stable hash of seed and name, with the
block's number and the attempt as counter (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

_BLOCK = 1024


class Law(Protocol):
    """A distribution: `sample` draws n values of it."""

    def sample(self, generator: np.random.Generator, n: int) -> Any: ...


class Exponential:
    """The gaps of a Poisson process, not rounded, so that many small ones add up right. `mean` in any unit."""

    def __init__(self, mean: float) -> None:
        self.mean = mean

    def sample(self, generator: np.random.Generator, n: int) -> Any:
        return generator.exponential(self.mean, n)


class Stream:
    """The draws of one name from one law: `stream.draw(number, attempt)`."""

    __slots__ = ("_blocks", "_key", "_sample", "name")

    def __init__(self, seed: int, name: str, sample: Callable[[np.random.Generator, int], Any]) -> None:
        self.name = name
        self._key = int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest(), "little")
        self._sample = sample
        self._blocks: dict[int, memoryview] = {}  # block << 20 | attempt -> its values

    def draw(self, number: int, attempt: int = 0) -> Any:
        """The value for one order (or tick, or whatever is numbered from 0), the n-th time it asks."""
        return self.block(number >> 10, attempt)[number & 1023]

    def block(self, block: int, attempt: int) -> memoryview:
        """The values of 1,024 numbers from `block` times 1,024 on."""
        values = self._blocks.get(block << 20 | attempt)
        return self._fill(block, attempt) if values is None else values

    def _fill(self, block: int, attempt: int) -> memoryview:
        # Counter words: [drawn, attempt, block, 0]; drawing advances word 0 only, so blocks never overlap.
        generator = np.random.Generator(np.random.Philox(key=self._key, counter=[0, attempt, block, 0]))
        # Kept as they are: of most blocks few values are drawn, and an object for each would be four times as big.
        drawn: Any = np.ascontiguousarray(self._sample(generator, _BLOCK))
        values = memoryview(drawn)
        if len(self._blocks) >= 4096:
            # A long run leaves old blocks behind; they can always be made again.
            for old in list(self._blocks)[:2048]:
                del self._blocks[old]
        self._blocks[block << 20 | attempt] = values
        return values


class Streams:
    """All streams of one run, made when first asked for.

    >>> a, b = Streams(7), Streams(7)
    >>> a.uniform("x").draw(5) == b.uniform("x").draw(5) != a.uniform("y").draw(5)
    True
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Stream] = {}

    def of(self, name: str, law: Law) -> Stream:
        """The stream of this name; its law is that of the first call."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(self.seed, name, law.sample)
        return stream

    def uniform(self, name: str) -> Stream:
        """Draws between 0 and 1."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(self.seed, name, lambda g, n: g.random(n))
        return stream

    def generator(self, name: str) -> np.random.Generator:
        """A whole generator of that name, for what is made once at the start of a run."""
        key = int.from_bytes(hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=16).digest(), "little")
        return np.random.Generator(np.random.Philox(key=key))
