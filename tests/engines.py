"""Every world that the tests play is played once more on the other engine, and the two histories are compared.

    python -m pytest -p tests.engines

A pytest plugin: SimPy's own loop is the judge of ours, over whatever the tests think of. The twin has the same
scenario, design, seed and overruled luck; it is built and played the moment the test has played its own, so that what a
test has replaced in the product holds for both. A world that a test has laid hands on itself is compared too; but where
it differs, the hands may be the reason, so it is counted and named instead of failing. What must not be in this file: a
promise, or a number.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from orderquake.model.architecture import Architecture
from orderquake.sim.history import History, first_difference
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.kernel import Engine, Kernel
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.world import World
from tests.known import bench

OTHER: Mapping[Engine, Engine] = {"fast": "stock", "stock": "fast"}
DEPTH = 5
"""How far from a world its parts are looked at: world, wire, replicas, a replica, its store."""


@dataclass
class Origin:
    """What a world was made of, and how it looked when it was made."""

    world: World
    scenario: Scenario
    design: Architecture
    seed: int
    engine: Engine
    luck: Streams | None
    parts: dict[str, Any] = field(repr=False)
    touched: str | None = None
    is_begun: bool = False

    def begin(self) -> None:
        """The first step is about to be taken; whatever is not as it was made was changed by the test."""
        if not self.is_begun:
            self.is_begun = True
            now = parts_of(self.world)
            changed = [path for path in self.parts | now if self.parts.get(path) is not now.get(path)]
            self.touched = min(changed, default=None)
            self.parts = {}

    def twin(self) -> World:
        more = {} if self.luck is None else {"luck": Streams(self.luck.seed, self.luck.deviations)}
        return World(self.scenario, copy.copy(self.design), self.seed, OTHER[self.engine], **more)

    def __str__(self) -> str:
        return f"{self.scenario.name} on {self.design.name} with seed {self.seed}"


@dataclass
class Watch:
    """compared   worlds whose twins told the same
    apart      why a world was not compared, and of which test -> how often"""

    compared: int = 0
    apart: Counter[str] = field(default_factory=Counter)
    test: str = "outside of any test"
    is_twin: bool = False
    open: dict[int, Origin] = field(default_factory=dict)

    # -- what happens to worlds

    def built(self, origin: Origin) -> None:
        self.open[id(origin.world.kernel)] = origin

    def stepped(self, kernel: Kernel) -> None:
        if origin := self.open.get(id(kernel)):
            origin.begin()

    def ran(self, world: World, failure: Exception | None) -> None:
        """A world has been played to its end, or to where it broke."""
        if origin := self.open.pop(id(world.kernel), None):
            self.compare(origin, lambda twin: twin.run(), failure)

    def end_of_test(self) -> None:
        """Worlds that were stepped by hand go as far once more; those that were only built have told nothing."""
        left, self.open = list(self.open.values()), {}
        for origin in left:
            if origin.is_begun:
                self.compare(origin, as_far_as(origin.world), None)

    def compare(self, origin: Origin, play: Callable[[World], None], failure: Exception | None) -> None:
        """raises   AssertionError where the twin tells another story"""
        difference = self.difference(origin, play, failure)
        if difference is None:
            self.compared += 1
        elif origin.touched is not None:
            self.apart[f"{self.test} has changed {origin.touched}"] += 1
        else:
            raise AssertionError(f"the engines differ on {origin}: {difference}")

    def difference(self, origin: Origin, play: Callable[[World], None], failure: Exception | None) -> str | None:
        ended: Exception | None = None
        with self.twins():
            twin = origin.twin()
            try:
                play(twin)
            except Exception as error:
                ended = error
        engines = (origin.engine, OTHER[origin.engine])
        if found := first_different_row(origin.world.history, twin.history, engines):
            return found
        if (type(failure), str(failure)) != (type(ended), str(ended)):
            return f"one ended with {failure!r}, the other with {ended!r}"
        return None

    @contextmanager
    def twins(self) -> Iterator[None]:
        """Nobody watches those who are built in here."""
        self.is_twin = True
        try:
            yield
        finally:
            self.is_twin = False


def as_far_as(world: World) -> Callable[[World], None]:
    """Step another world to the same moment."""
    until_us = world.kernel.now
    return lambda twin: twin.kernel.run(until_us)


def first_different_row(one: History, other: History, names: tuple[str, str] = ("one", "other")) -> str | None:
    """The first row in which two histories differ, in words; None where they are equal to the byte."""
    if len(one) == len(other) and one.digest == other.digest:
        return None
    index = first_difference(one, other)
    assert index is not None, "two digests for the same rows"
    rows = (history[index] if index < len(history) else "has ended" for history in (one, other))
    return f"row {index} is the first\n" + "\n".join(f"  {name}: {row}" for name, row in zip(names, rows, strict=True))


def parts_of(world: World) -> dict[str, Any]:
    """Path -> what a world and its parts are made of, and how many calls lie on its heap."""
    found: dict[str, Any] = {"the heap": len(world.kernel.queue)}
    seen: set[int] = set()

    def look(path: str, thing: Any, depth: int) -> None:
        if depth > DEPTH or id(thing) in seen:
            return
        seen.add(id(thing))
        for name, part in members_of(thing):
            where = f"{path}.{name}"
            found[where] = part
            look(where, part, depth + 1)

    look("world", world, 0)
    return found


def members_of(thing: Any) -> Iterator[tuple[str, Any]]:
    """The parts of the product's own objects, and of dictionaries and lists among them; nothing of anything else."""
    match thing:
        case dict():
            yield from ((str(key), part) for key, part in thing.items() if not isinstance(part, int | str))
        case list():
            yield from ((str(number), part) for number, part in enumerate(thing) if is_ours(part))
        case _ if is_ours(thing):
            slots = (name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()))
            for name in (*getattr(thing, "__dict__", {}), *slots):
                if hasattr(thing, name):
                    yield name, getattr(thing, name)


def is_ours(thing: Any) -> bool:
    return type(thing).__module__.startswith("orderquake.") and not isinstance(thing, Scenario | History)


# -- the plugin

BUILD, RUN, STEP = World.__init__, World.run, Kernel.run
"""As they are when nobody watches."""


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Every world that is built and run in here is watched, and by nobody else."""

    def building(
        world: World, scenario: Scenario, design: Architecture, seed: int, engine: Engine = "fast", **more: Any
    ) -> None:
        BUILD(world, scenario, design, seed, engine, **more)
        if not watch.is_twin:
            luck = more.get("luck")
            watch.built(Origin(world, scenario, copy.copy(design), seed, engine, luck, parts_of(world)))

    def running(world: World, progress: Callable[[float], None] | None = None) -> None:
        try:
            RUN(world, progress)
        except Exception as failure:
            watch.ran(world, failure)
            raise
        watch.ran(world, None)

    def stepping(kernel: Kernel, until_us: int) -> None:
        watch.stepped(kernel)
        STEP(kernel, until_us)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "__init__", building)
        patch.setattr(World, "run", running)
        patch.setattr(Kernel, "run", stepping)
        yield


@contextmanager
def watching_plays(watch: Watch) -> Iterator[None]:
    """The shops with one errand of `tests/known` have a kernel, but no world; they are played twice, too."""
    play = bench.play

    def playing(scenario: Scenario, errand: type[bench.Errand], seed: int, **more: Any) -> bench.Play:
        made = play(scenario, errand, seed, **more)
        with watch.twins(), default_engine("stock"):
            twin = play(scenario, errand, seed, **more)
        if found := first_different_row(made.history, twin.history, ("fast", "stock")):
            raise AssertionError(f"the engines differ on {errand.__name__} with seed {seed}: {found}")
        watch.compared += 1
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "play", playing)
        yield


@contextmanager
def default_engine(engine: Engine) -> Iterator[None]:
    """The engine of every kernel that is built in here without a word about it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kernel.__init__, "__defaults__", (engine,))
        yield


WATCH = pytest.StashKey[tuple[ExitStack, Watch]]()


def pytest_configure(config: pytest.Config) -> None:
    stack, watch = ExitStack(), Watch()
    stack.enter_context(watching(watch))
    stack.enter_context(watching_plays(watch))
    config.stash[WATCH] = stack, watch


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[WATCH][0].close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[WATCH][1].test = item.nodeid


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.config.stash[WATCH][1].end_of_test()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist reports to the one that started it."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        watch = session.config.stash[WATCH][1]
        told["engines"] = {"compared": watch.compared, "apart": dict(watch.apart)}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    watch = node.config.stash[WATCH][1]
    if told := getattr(node, "workeroutput", {}).get("engines"):
        watch.compared += told["compared"]
        watch.apart.update(told["apart"])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    watch = config.stash[WATCH][1]
    terminalreporter.section("two engines")
    terminalreporter.line(f"{watch.compared:,} worlds have one history on both; not compared: {watch.apart.total()}")
    for why, times in sorted(watch.apart.items()):
        terminalreporter.line(f"  {times} x {why}")
