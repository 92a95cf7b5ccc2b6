"""How much may it be? The largest load, or the smallest resource, at which a shop still keeps its promises.

A search with the same luck at every value, then both edges of the answer judged anew with fresh seeds. How a value is
judged is in `judging.py`, how the next one is chosen in `search.py`; nothing is printed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orderquake.sim.asked import Asked, Mistake
from orderquake.sim.demand import Trace
from orderquake.sim.planning.judging import FIRST_LOOK, Judge, Point
from orderquake.sim.planning.knob import Knob, Want, default_path, knob_of
from orderquake.sim.planning.planned import Confirmation, Plan
from orderquake.sim.planning.probe import PROCESSES, Probes, probes_of
from orderquake.sim.planning.promise import Promise, check_together, read_promise
from orderquake.sim.planning.search import Line, Searched, search
from orderquake.sim.planning.stretch import ORDERS, busiest_hour
from orderquake.sim.settings import with_settings
from orderquake.sim.study.compare import difference
from orderquake.sim.study.experiment import too_few_for, too_short_for

RUNS = 16
"""At most so many a value, where nobody says otherwise."""
RESOLUTION = 0.05
MOST_ORDERS = 10_000
"""A load is searched up to where a run has so many: a quarter of a minute of one core."""
TIMES = 8.0
"""A scenario that has nearly as many of its own accord is searched up to so many times its load."""
FRESH = 1_000_000
"""Seeds of confirmations lie so far beyond those of the search."""
ATTEMPTS = 4
PARTS = (1, 8, 64)
"""Into how many parts a real shop's busiest hour is cut, one after the other, where the load is to grow further."""


def plan(
    asked: Asked,
    slos: Sequence[str],
    find: str = "",
    *,
    want: Want | None = None,
    between: str = "",
    runs: int = RUNS,
    seed: int = 1,
    confidence: float = 0.95,
    resolution: float = RESOLUTION,
    folder: Path | None = None,
    processes: int = PROCESSES,
    progress: Callable[[int], None] | None = None,
) -> Plan:
    """Find the value, with its interval, and confirm it.

    slos        promises, all of which are to be kept: "checkout.p99 < 300ms", "never_oversold"
    find        dotted path of what to vary; the load where it is not said
    want        whether the largest or the smallest value is looked for; found out where it is not said
    between     "LOW,HIGH": where to look
    folder      where runs are kept, so that whoever is killed goes on
    progress    told how many runs are made
    raises      Mistake, ScenarioError; OurFault where the harness failed in a run
    """
    promises = tuple(read_promise(text) for text in slos)
    if not promises:
        raise Mistake('no promise is given; expected at least one, as --slo "checkout.p99 < 300ms"')
    if runs < 2:
        raise Mistake(f"--runs {runs} gives no interval; expected 2 or more")
    check_together(promises)
    path = find or default_path(asked.scenario)
    knob = knob_of(asked, path, want, between)
    told = progress or (lambda _: None)
    with probes_of(Probes(asked.on, promises, folder, told, processes)) as probes:
        judge = Judge(knob, promises, probes, runs, seed, confidence)
        return _Planner(judge, resolution, is_free=not find).plan()


class _Planner:
    """One plan in the making. is_free: nobody has said what to vary."""

    def __init__(self, judge: Judge, resolution: float, is_free: bool) -> None:
        self.judge, self.resolution, self.is_free = judge, resolution, is_free
        self.aside: list[tuple[str, Point]] = []
        self.notes: list[str] = []
        self.played = ""
        self.workload: Trace | None = None  # whose busiest hour is played instead of the whole
        self.part = 0

    @property
    def knob(self) -> Knob:
        return self.judge.knob

    def plan(self) -> Plan:
        workload = self.knob.asked.scenario.workload
        if self.is_free and isinstance(workload, Trace) and all(one.is_of_customers for one in self.judge.promises):
            reason = self.fails_for_its_faults()
            if reason:
                self.notes.append(reason)
            if reason or self.aside[0][1].side != "missed":
                self.workload = workload
                self.play_the_busiest(max(self.knob.least, self.knob.own))
        if self.knob.want is None:
            self.judge.knob = replace(self.knob, want=self.wanted())
        found, values = self.searched()
        while found.status == "at_least" and self.workload is not None and self.part + 1 < len(PARTS):
            assert found.kept is not None
            kept = values[found.kept]
            rate = self.judge.points[kept].orders_per_s
            self.notes.append(f"{self.played}: kept up to {self.knob.in_words(kept)} ({rate:.3g} orders/s)")
            self.part += 1
            self.judge.points.clear()
            self.play_the_busiest(self.knob.rounded(kept / 2), kept)
            found, values = self.searched()
        return self.made(found, values)

    def searched(self) -> tuple[Searched, dict[float, float]]:
        """What a search comes to, and the values at the hardnesses that it looked at."""
        line, values = self.line()
        found = search(line, lambda at: self.judge.side(values(at)))
        return found, {at: values(at) for at in found.sides}

    # -- a real shop's weeks

    def fails_for_its_faults(self) -> str:
        """Why a trace misses the promise at any load; empty where it does not, or where that is not sure.

        The whole scenario is judged as it is, and where it misses, with fewer customers and without its faults.
        """
        knob = self.knob
        scenario = knob.asked.scenario

        def whole(what: str, factor: float, settings: Mapping[str, Any]) -> Point:
            value = knob.own * factor
            point = self.judge.judged(
                with_settings(knob.scenario(value), settings), value, self.judge.seed, self.judge.confidence
            )
            self.aside.append((what, point))
            return point

        if whole("the scenario as it is", 1.0, {}).side != "missed" or not scenario.fault:
            return ""
        fewer = [whole(f"with {share} of its customers", 1 / part, {}) for share, part in (("half", 2), ("a third", 3))]
        calm = whole("without its faults", 1.0, {"fault": []})
        if calm.side == "missed" or any(point.side != "missed" for point in fewer):
            return ""
        worst = self.aside[0][1]
        place = worst.binding()
        said, was, now = worst.promises[place], worst.judged[place].decides, calm.judged[place].decides
        return (
            f"the faults of {scenario.name}, and not its load, break {said}: they strike the same share of the orders "
            f"however many there are. At the limit {100 * worst.judged[place].limit:.3g} % of the orders may take "
            f"longer; {100 * was.value:.2g} % do ({100 * was.low:.2g} to {100 * was.high:.2g} %), as surely too many "
            f"with half or a third of the customers, and {100 * now.value:.2g} % without the faults. So what follows "
            "is what the shop bears on a day without them"
        )

    def play_the_busiest(self, least: float, start: float = 0.0) -> None:
        """From now on a value is judged by the hour that decides, or by a part of it; what is less is borne."""
        assert self.workload is not None
        hour = busiest_hour(self.knob.asked.scenario, self.workload, PARTS[self.part])
        knob = self.knob
        start = min(max(start or knob.rounded(ORDERS / hour.orders), least), knob.most)
        self.judge.knob = replace(knob, start=start, base=hour.settings, least=least)
        self.played = hour.says

    # -- where to look

    def wanted(self) -> Want:
        """Which way it gets worse, told by the same luck at values further and further apart.

        raises   Mistake where no promise feels the difference
        """
        knob, judge = self.knob, self.judge
        low = high = knob.start
        for factor in (4.0, 16.0, 64.0):
            low, high = self.possible(knob.start / factor, low), self.possible(max(knob.start, 1.0) * factor, high)
            if math.isfinite(knob.most):
                low, high = knob.least, knob.most
            ends = [
                judge.probes.at(knob.scenario(value), range(judge.seed, judge.seed + FIRST_LOOK), judge.failed(value))
                for value in (low, high)
            ]
            for place, promise in enumerate(judge.promises):
                there, here = ([_badness(promise, probe.seen[place]) for probe in made] for made in reversed(ends))
                apart = difference(there, here)
                if apart is not None and apart.is_clear and apart.mean:
                    self.notes.append(
                        f"a larger {knob.path} is {'worse' if apart.mean > 0 else 'better'} for {promise}: told by the "
                        f"same {FIRST_LOOK} seeds at {knob.in_words(low)} and {knob.in_words(high)}"
                    )
                    return "largest" if apart.mean > 0 else "smallest"
        promised = " and ".join(map(str, judge.promises))
        raise Mistake(
            f"--find {knob.path} has no clear influence on {promised} between {knob.in_words(low)} and "
            f"{knob.in_words(high)}; say which way with --want largest or --want smallest, or vary something else"
        )

    def possible(self, value: float, otherwise: float) -> float:
        """The value, or the least whole number where it is below that, or else the other."""
        value = self.knob.rounded(value)
        tried = (value, 1.0) if self.knob.is_whole and value < 1 else (value,)
        return next((one for one in tried if self.knob.is_possible(one)), otherwise)

    def line(self) -> tuple[Line, Callable[[float], float]]:
        """The values that may be probed, and how to get from a hardness to a value."""
        knob = self.knob
        ends = sorted(map(knob.hardness, (self.end(is_up=False), self.end(is_up=True))))

        def snap(at: float) -> float:
            return knob.hardness(knob.at(at))

        apart = 1e-9 if knob.is_whole and knob.start < 1 / self.resolution else math.log1p(self.resolution)
        return Line(knob.hardness(knob.start), ends[0], ends[1], math.log(2.0), apart, snap), knob.at

    def end(self, *, is_up: bool) -> float:
        """The last value on a side that may be probed."""
        knob = self.knob
        if is_up and math.isfinite(knob.most):
            return knob.most
        if not is_up and knob.least > 0:
            return knob.least
        if is_up and knob.is_load:
            return self.largest_load()
        if not is_up and knob.is_whole and knob.is_possible(0.0):
            return 0.0
        value = knob.start
        for _ in range(10):
            further = knob.rounded(2 * value + knob.is_whole if is_up else value / 2)
            if further == value or not knob.is_possible(further):
                break
            value = further
        return value

    def largest_load(self) -> float:
        """Where a run would have `MOST_ORDERS` orders, told by the first run at the start; at least `TIMES` that."""
        knob, judge = self.knob, self.judge
        (probe,) = judge.probes.at(
            knob.scenario(knob.start), range(judge.seed, judge.seed + 1), judge.failed(knob.start)
        )
        most = knob.rounded(knob.start * max(MOST_ORDERS / max(probe.orders, 1), TIMES))
        orders = probe.orders * most / knob.start
        self.notes.append(f"probed up to {knob.in_words(most)}, where a run has some {orders:,.0f} orders")
        return most

    # -- the answer

    def made(self, found: Searched, values: Mapping[float, float], reason: str = "") -> Plan:
        judge, knob = self.judge, self.knob
        kept, missed = (
            None if edge is None else judge.points[values[edge]] for edge in (found.kept, found.missed)
        )  # fmt: skip
        confirmations: list[Confirmation] = []
        if found.status in ("found", "at_least"):
            kept = self.confirmed("kept", kept, confirmations)
            missed = self.confirmed("missed", missed, confirmations)
        for easy, hard in found.contradictions():
            self.notes.append(
                f"it does not break once and for all: {knob.in_words(values[easy])} is missed and "
                f"{knob.in_words(values[hard])}, which should be harder, is kept"
            )
        edges = [point for point in (kept, missed) if point is not None]
        self.notes += list(dict.fromkeys(note for point in edges for note in self.doubts(point)))
        return Plan(
            knob, tuple(judge.promises), judge.runs, judge.seed, judge.confidence, self.resolution, found.status, kept,
            missed, self.estimate(kept, missed), [judge.points[value] for value in sorted(judge.points)],
            confirmations, self.aside, self.played, reason or self.why(found), self.notes,
        )  # fmt: skip

    def confirmed(self, edge: str, point: Point | None, told: list[Confirmation]) -> Point | None:
        """The edge, or one farther out that fresh seeds bear out. Each attempt has half the error that was left."""
        judge, knob = self.judge, self.knob
        outwards = -1 if edge == "kept" else 1
        for attempt in range(1, ATTEMPTS + 1):
            if point is None:
                return None
            error = (1 - judge.confidence) / 2 / 2**attempt
            seed = judge.seed + FRESH * attempt
            fresh = judge.judged(knob.scenario(point.value), point.value, seed, 1 - error)
            told.append(Confirmation(edge, 1 - error, fresh))
            if told[-1].is_confirmed:
                return point
            step = math.log1p(self.resolution) * outwards
            value = knob.at(knob.hardness(point.value) + step)
            if value == point.value:
                value = knob.rounded(value + (outwards if knob.want == "largest" else -outwards))
            if value == point.value or not knob.is_possible(value):
                return point
            if attempt < ATTEMPTS:
                judge.side(value)
                point = judge.points[value]
        return point

    def estimate(self, kept: Point | None, missed: Point | None) -> float | None:
        """Where the promise that breaks is met exactly: a straight line, over hardness, between the two probed values
        around the limit; of those from one edge to the other, the undecided ones included."""
        if kept is None or missed is None:
            return None
        place, knob = missed.binding(), self.knob
        here, there = knob.hardness(kept.value), knob.hardness(missed.value)
        inside = [(knob.hardness(point.value), point.judged[place]) for point in self.judge.points.values()]
        inside = sorted((one for one in inside if here <= one[0] <= there), key=lambda one: one[0])
        over = [one.decides.value - one.limit for _, one in inside]
        for (low, _), (high, _), under, above in zip(inside, inside[1:], over, over[1:], strict=False):
            if under != above and min(under, above) <= 0 <= max(under, above):
                return knob.at(low + (high - low) * under / (under - above))
        return knob.at((here + there) / 2)

    def why(self, found: Searched) -> str:
        """What stands in the way of an answer, in words."""
        judge, knob = self.judge, self.knob
        scenario = knob.asked.scenario
        match found.status:
            case "at_least":
                free = [
                    name
                    for name, service in scenario.service.items()
                    if service.capacity is None and service.throttle is None and service.account_throttle is None
                ]
                return (
                    f"nothing that {' and '.join(map(str, judge.promises))} waits for has met its limit; without any "
                    f"limit are, in this scenario, {', '.join(free)}. Give them one, as --set service.order_cache."
                    "capacity=50, or look farther with --between"
                )
            case "unreachable":
                easiest = knob.in_words(knob.at(min(found.sides)))
                text = f"it is missed even at {knob.path} = {easiest}, the easiest value that was probed"
                return f"{text}; {self.without_faults(knob.at(min(found.sides)))}" if scenario.fault else text
            case "undecided":
                return (
                    f"{judge.runs} runs a value do not tell on which side of the limit they lie; expected more with "
                    f"--runs, or longer ones with --set horizon=..."
                )
        return ""

    def without_faults(self, value: float) -> str:
        point = self.judge.judged(
            with_settings(self.knob.scenario(value), {"fault": []}), value, self.judge.seed, self.judge.confidence
        )
        self.aside.append((f"without its faults, at {self.knob.in_words(value)}", point))
        return f"without the scenario's faults it is {point.side} there"

    def doubts(self, point: Point) -> list[str]:
        """What the reader of an edge should know."""
        knob, scenario = self.knob, self.knob.scenario(point.value)
        found = [note for probe in point.probes for note in probe.notes]
        if any(not promise.is_of_customers for promise in point.promises):
            jobs = {f"jobs.{name}": job.every for name, job in scenario.jobs.items() if name in ("inbound", "outbound")}
            found += too_short_for(
                scenario.horizon, {"the reservation's time to live": scenario.policy.reservation_ttl, **jobs}
            )
        for place, promise in enumerate(point.promises):
            among = sum(probe.seen[place].among for probe in point.probes)
            if promise.kind == "wait" and (why := too_few_for(among, promise.q)):
                found.append(f"at {knob.in_words(point.value)}, {promise}: {why}")
        if invalid := point.verdicts()["invalid"]:
            broken = sorted({name for probe in point.probes for name in probe.broken})
            where = f"at {knob.in_words(point.value)}, {invalid} of {point.runs} runs are invalid"
            found.append(f"{where}: they break {', '.join(broken)}")
        return found


def _badness(promise: Promise, seen: Any) -> float:
    """What one run saw of a promise, larger for worse."""
    value = seen.hits / seen.among if seen.among else seen.value
    return float(value if promise.is_below_good else -value)
