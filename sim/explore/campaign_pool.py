"""Processes that play the runs of a campaign, each with a hash seed of its own, and none of them missed when it dies.

Every tenth run is made twice, by two processes where there are two: what hangs on an address or on the order of a set
differs there. A process that dies or stands still is replaced, and its run tried once more before it is a failure.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from orderquake.sim.explore.campaign_run import FAILED, WITHOUT_VERDICT, Settings, digest_again, played
from orderquake.sim.processes import begin_to_work

CHUNK = 25
"""Runs that are lost at most when all is killed."""
START_S = 120.0
"""What a process may take, on top, to begin."""
STUCK_S = 300.0
"""A run that takes longer stands still: the longest that was ever seen takes some seconds."""


@dataclass(frozen=True)
class Chunk:
    """Work for one process. is_again: only the digests, of runs that `made_by` (number of a process) has made."""

    seeds: tuple[int, ...]
    is_again: bool = False
    made_by: int = -1


@dataclass
class Hand:
    """A process at work. heard_s is when it last said something; `outcomes` and `digests` what it said of its chunk."""

    number: int
    process: Any
    pipe: Connection
    is_ready: bool = False
    chunk: Chunk | None = None
    heard_s: float = 0.0
    outcomes: list[Mapping[str, Any]] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)

    def left(self) -> tuple[int, ...]:
        """Seeds of its chunk that it has said nothing of; it is at the first of them."""
        assert self.chunk is not None
        done = len(self.digests) if self.chunk.is_again else len(self.outcomes)
        return self.chunk.seeds[done:]


Add = Callable[[Sequence[Mapping[str, Any]], Mapping[int, str], float, int], None]
"""Told of a chunk that is done: outcomes, digests of second runs, seconds since the last one, bytes of the process."""


class Pool:
    """Plays seeds in `processes` processes, and tells `add` of each chunk as it is done."""

    def __init__(
        self, settings: Settings, processes: int, add: Add, stuck_s: float = STUCK_S, chunk: int = CHUNK
    ) -> None:
        self.settings = settings
        self.processes = processes
        self.add = add
        self.stuck_s = stuck_s
        self.chunk = chunk
        self.context = multiprocessing.get_context("spawn")  # an interpreter each, with a hash seed of its own
        self.hands: list[Hand] = []
        self.first: deque[Chunk] = deque()
        self.again: deque[Chunk] = deque()
        self.tries: Counter[int] = Counter()
        self.twice: Callable[[int], bool] = lambda _: False
        self.added_s = time.perf_counter()

    def play(self, seeds: Sequence[int], again: Sequence[int], twice: Callable[[int], bool]) -> None:
        """All `seeds`, and a second time those of which `twice` is true, and those in `again`, made in former days."""
        self.twice = twice
        size = self.chunk
        self.first.extend(Chunk(tuple(seeds[at : at + size])) for at in range(0, len(seeds), size))
        self.again.extend(Chunk(tuple(again[at : at + size]), True) for at in range(0, len(again), size))
        try:
            for number in range(min(self.processes, len(self.first) + len(self.again))):
                self.hands.append(self.hire(number))
            while self.first or self.again or any(hand.chunk for hand in self.hands):
                self.give_work()
                self.listen()
        finally:
            for hand in self.hands:
                hand.process.kill()
            for hand in self.hands:
                hand.process.join()

    def hire(self, number: int) -> Hand:
        ours, theirs = self.context.Pipe()
        with _hash_seed(str(1 + number)):
            process = self.context.Process(target=work, args=(theirs, self.settings), daemon=True)
            process.start()
        theirs.close()
        return Hand(number, process, ours)

    def give_work(self) -> None:
        for hand in self.hands:
            if hand.chunk is None and (chunk := self.next_for(hand)) is not None:
                hand.chunk = chunk
                hand.heard_s = time.perf_counter() + (0.0 if hand.is_ready else START_S)
                hand.outcomes, hand.digests = [], {}
                hand.pipe.send(chunk)

    def next_for(self, hand: Hand) -> Chunk | None:
        """Second runs of what another process has made, then first runs; its own only where it is alone."""
        for chunk in self.again:
            if chunk.made_by != hand.number:
                self.again.remove(chunk)
                return chunk
        if self.first:
            return self.first.popleft()
        return self.again.popleft() if self.again and len(self.hands) == 1 else None

    def listen(self) -> None:
        by_pipe = {hand.pipe: hand for hand in self.hands if hand.chunk is not None}
        for pipe in wait(list(by_pipe), timeout=1.0):
            hand = by_pipe[pipe]  # type: ignore[index]  # all of them are connections
            try:
                self.hear(hand, hand.pipe.recv())
            except (EOFError, OSError):
                self.replace(hand, f"the process that ran it died (exit code {hand.process.exitcode})")
        now = time.perf_counter()
        for hand in list(self.hands):
            if hand.chunk is not None and now - hand.heard_s > self.stuck_s:
                self.replace(hand, f"it stood still for {self.stuck_s:.0f} s")

    def hear(self, hand: Hand, said: tuple[str, Any]) -> None:
        hand.heard_s = time.perf_counter()
        what, value = said
        if what == "ready":
            hand.is_ready = True
        elif what == "outcome":
            hand.outcomes.append(value)
        elif what == "digest":
            hand.digests[value[0]] = value[1]
        else:
            self.done(hand, value)

    def done(self, hand: Hand, rss: int) -> None:
        now = time.perf_counter()
        self.add(hand.outcomes, hand.digests, now - self.added_s, rss)
        self.added_s = now
        twice = tuple(o["seed"] for o in hand.outcomes if o["verdict"] not in WITHOUT_VERDICT and self.twice(o["seed"]))
        if twice:
            self.again.append(Chunk(twice, True, hand.number))
        hand.chunk = None

    def replace(self, hand: Hand, why: str) -> None:
        """Another process goes on with what this one has left; what has failed twice is a failure."""
        assert hand.chunk is not None
        hand.process.kill()
        hand.process.join()
        at, *others = hand.left()
        self.tries[at] += 1
        if self.tries[at] > 1:
            if hand.chunk.is_again:
                hand.digests[at] = why
            else:
                hand.outcomes.append({"seed": at, "verdict": FAILED, "why": why})
        else:
            others = [at, *others]
        chunk = hand.chunk
        self.done(hand, 0)
        if others:
            (self.again if chunk.is_again else self.first).appendleft(
                Chunk(tuple(others), chunk.is_again, chunk.made_by)
            )
        self.hands[self.hands.index(hand)] = self.hire(hand.number)


@contextmanager
def _hash_seed(value: str) -> Iterator[None]:
    """What a process that is started here hashes texts with."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def work(pipe: Connection, settings: Settings) -> None:
    """What a process does until it is killed, or nobody is left to work for."""
    begin_to_work()
    is_first = True
    pipe.send(("ready", None))
    while True:
        try:
            chunk: Chunk = pipe.recv()
            for seed in chunk.seeds:
                if chunk.is_again:
                    pipe.send(("digest", (seed, digest_again(settings, seed))))
                else:
                    pipe.send(("outcome", played(settings, seed)))
                if is_first:
                    gc.collect()
                    gc.freeze()  # what is imported by now is nobody's garbage, and need not be looked through each time
                    is_first = False
            pipe.send(("done", resident_bytes()))
        except (EOFError, OSError):
            return


def resident_bytes() -> int:
    """Memory that this process takes at the moment; the most that it ever took, where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
