"""A corner of the timed world: one service with a store that only counts, and flows that ask it once.

One way takes 1 ms and the work 10 ms, so that every moment in a test can be added up by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orderquake.model.flow import Ask, Change, NoReply, Refused, Send
from orderquake.model.stock import Lapse, Release, Reserve
from orderquake.sim.history import History
from orderquake.sim.recorder import Recorder
from orderquake.sim.scenario import Scenario
from orderquake.sim.world.faults import Injected, inject
from orderquake.sim.world.kernel import Kernel
from orderquake.sim.world.performer import Performer, Task
from orderquake.sim.world.service import Replica
from orderquake.sim.world.streams import Streams
from orderquake.sim.world.wire import Sender, Wire

MS = 1_000
LEG, WORK = 1 * MS, 10 * MS
TRIP = LEG + WORK + LEG
PATIENT = 1_000 * MS


def constant(us: int) -> dict[str, Any]:
    return {"kind": "constant", "value": f"{us} us"}


def scenario_of(**tables: Any) -> Scenario:
    """One place, constant latencies, one customer."""
    return Scenario.model_validate(
        {
            "schema_version": 1,
            "question": "What does this corner do?",
            "horizon": "10 min",
            "workload": {"kind": "rounds", "rounds": 1, "buyers": 1},
            "stock": {"skus": 1, "units_per_sku": 1},
            "place": [{"name": "here"}],
            "local_latency": constant(LEG),
            **tables,
        }
    )


class Counter:
    """A store that answers with how many asks it has heard, and remembers when."""

    def __init__(self) -> None:
        self.journal: list[Change] = []
        self.handled: list[tuple[int, str]] = []

    def handle(self, ask: Any, now_us: int) -> Any:
        self.handled.append((now_us, ask.about()[0]))
        return f"answer {len(self.handled)}"

    def snapshot(self) -> Any:
        return tuple(self.handled)

    def restore(self, snapshot: Any) -> None:
        self.handled = list(snapshot)


class Corner:
    """The Stock Cache's place in the world, held by a counter.

    heard   (moment, who asked, what came back), in the order in which it came
    """

    def __init__(self, faults: Sequence[Mapping[str, Any]] = (), seed: int = 1, **service: Any) -> None:
        self.scenario = scenario_of(
            service={"stock": {"latency": constant(WORK), **service}},
            fault=[{"target": "stock", **fault} for fault in faults],
        )
        self.kernel = Kernel()
        streams = Streams(seed)
        self.history = History()
        recorder = Recorder(self.history)
        self.wire = Wire(self.scenario, self.kernel, streams, recorder)
        self.store = Counter()
        self.replica = Replica(
            "stock", "here", self.store, self.scenario.service["stock"], self.kernel, self.wire, recorder
        )
        self.wire.replicas["stock"] = self.replica
        self.performer = Performer(None, self.kernel, streams, self.wire)  # type: ignore[arg-type]  # no design here
        self.faults: list[Injected] = inject(self.scenario, self.kernel, streams, recorder, self.wire)
        self.sender = Sender("somebody", "here", "")
        self.heard: list[tuple[int, str, str]] = []
        self.ended: list[tuple[int, str, str]] = []
        self.numbers = 0

    async def errand(self, who: str, asks: Sequence[Ask[Any]], timeout_us: int) -> None:
        for ask in asks:
            try:
                answer: Any = await Send(ask, timeout_us, 0)
            except NoReply:
                answer = "silence"
            except Refused:
                answer = "refused"
            self.heard.append((self.kernel.now, who, answer))

    def at(self, us: int, who: str, *asks: Ask[Any], timeout_us: int = PATIENT) -> Task:
        """From that moment somebody asks: to reserve, unless something else is said."""
        task = Task(
            self.errand(who, asks or (reserve(who),), timeout_us),
            who,
            self.sender,
            self.numbers,
            {},
            lambda task, how, _: self.ended.append((self.kernel.now, task.id, how)),
        )
        self.numbers += 1
        self.kernel.after(us, self.performer.start, task)
        return task

    def run(self, until_us: int = 10_000 * MS) -> None:
        self.kernel.run(until_us)

    def completions(self) -> list[tuple[str, str]]:
        """Kind and answer of every ask's completion, as the history has them."""
        return [(row.kind, row.answer) for row in self.history if row.kind in ("ok", "fail", "info")]


def reserve(who: str) -> Reserve:
    return Reserve(who, (), 1)


def release(who: str) -> Release:
    return Release("token", who)


def lapse() -> Lapse:
    return Lapse()
