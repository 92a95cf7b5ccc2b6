"""Jobs come from an outside clock, which may be late, skip, and strike twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orderquake.model.architecture import Job
from orderquake.sim.scenario import Job as Schedule
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.performer import Task
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.tickers import Ticker
from tests.world.corner import scenario_of

EVERY = 1_000_000


class Clockwork:
    """A world in which there is nothing but a clock; every run of the job has so many pages."""

    def __init__(self, pages: int = 1, **schedule: Any) -> None:
        self.kernel = Kernel()
        self.pages = pages
        self.struck: list[tuple[int, str, tuple[int, ...]]] = []
        world: Any = SimpleNamespace(
            kernel=self.kernel, streams=Streams(1), scenario=scenario_of(), design=self, performer=self
        )
        self.ticker = Ticker(world, Job("inbound", "refresh"), Schedule.model_validate({"every": "1 s", **schedule}))
        self.starting: tuple[int, ...] = ()
        self.is_long = False
        self.under_way: list[Task] = []

    def end(self) -> None:
        """What is under way ends."""
        for task in self.under_way:
            task.on_end(task, "done", None)
        self.under_way.clear()

    def begin(self, flow: str, arguments: tuple[int, ...]) -> None:
        assert flow == "refresh"
        self.starting = arguments

    def start(self, what: Any, arguments: tuple[int, ...] = ()) -> Any:
        """Both a design, which is asked for a flow, and a performer, which is given a task: it ends at once, mostly."""
        if not isinstance(what, Task):
            return self.begin(what, arguments)
        self.struck.append((self.kernel.now, what.id, self.starting))
        if self.is_long:
            self.under_way.append(what)
            return None
        page = len(self.starting) and self.starting[0]
        what.on_end(what, "done", page + 1 if page + 1 < self.pages else None)
        return None

    def moments(self, until_s: int) -> list[int]:
        self.kernel.run(until_s * EVERY + 1)
        return [moment for moment, _, page in self.struck if not page]


def test_a_punctual_clock_strikes_every_so_often_and_not_at_once() -> None:
    assert Clockwork().moments(3) == [EVERY, 2 * EVERY, 3 * EVERY]


def test_a_phase_comes_before_the_first() -> None:
    assert Clockwork(phase="300 ms").moments(2) == [1_300_000]


def test_a_late_strike_does_not_move_the_next() -> None:
    moments = Clockwork(jitter="200 ms").moments(500)
    late = [moment % EVERY for moment in moments]
    assert all(0 <= each < 200_000 for each in late)
    assert len(set(late)) > 400
    assert max(late) > 150_000


@pytest.mark.parametrize(("what", "least", "most"), [("skips", 600, 800), ("doubles", 1_200, 1_400)])
def test_the_clock_skips_and_doubles_about_as_often_as_it_should(what: str, least: int, most: int) -> None:
    """Three in ten of a thousand; five standard deviations are 72, and the seed is fixed."""
    assert least < len(Clockwork(1, **{what: 0.3}).moments(1_000)) < most


def test_a_doubled_strike_is_two_runs() -> None:
    clock = Clockwork(doubles=1.0)
    assert clock.moments(2) == [EVERY, EVERY, 2 * EVERY, 2 * EVERY]
    assert len({run for _, run, _ in clock.struck}) == 4


def test_a_job_tells_one_page_after_the_other_in_one_run() -> None:
    clock = Clockwork(pages=3)
    clock.moments(1)
    assert clock.struck == [(EVERY, "inbound-1", ()), (EVERY, "inbound-1", (1,)), (EVERY, "inbound-1", (2,))]


def test_where_runs_do_not_overlap_a_strike_during_one_is_passed_over() -> None:
    """The runs that come later keep their numbers, and with them their luck."""
    for overlaps, begun in ((True, ["inbound-1", "inbound-2", "inbound-3"]), (False, ["inbound-1", "inbound-3"])):
        clock = Clockwork(overlaps=overlaps)
        clock.is_long = True
        clock.kernel.run(2 * EVERY + 1)
        clock.end()
        clock.is_long = False
        clock.kernel.run(3 * EVERY + 1)
        assert [run for _, run, _ in clock.struck] == begun
