"""A shop so small that a story of it can be read: a design's stores, a clock that jumps, and parties that go on by one
ask at a time.

Whoever performs decides who goes on, and what goes wrong with the ask. Everything that a service does is written into a
history, which the same checkers judge as any other. Nothing is drawn here.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from orderquake.model.architecture import Architecture, Job
from orderquake.model.flow import Ask, Backoff, Flow, NoReply, PatienceEnded, Reply, Send, Within
from orderquake.model.order import Order
from orderquake.model.payment import PaymentProvider, ServerError
from orderquake.model.policy import MINUTE, SECOND, Policy
from orderquake.model.record import Changed, ReadChanges
from orderquake.model.stock import StockCache
from orderquake.model.work_queue import Empty, Leased
from orderquake.sim.checkers import all_checkers
from orderquake.sim.checkers.fold import Judge, Verdict
from orderquake.sim.checkers.judge import judge_fully
from orderquake.sim.explore.exhaustive import TOLD
from orderquake.sim.history import History
from orderquake.sim.recorder import Recorder

ASK_US = 1_000
"""What an ask takes."""
PATIENCE = 1_000
"""Asks that anybody needs at most to come to an end in so small a shop."""
MESSAGE_LIFE_US = MINUTE
"""The longest that a late copy of an ask lives."""
REFUND_FAILS_AFTER_US = 40 * SECOND
END_ROWS = 2
"""Rows that say that all is over."""

Trouble = Literal[
    "", "dies before", "dies after", "ask lost", "answer lost", "done again late", "done late", "dies, done late"
]
"""What may become of an ask: all goes well; its asker dies, before it is sent or after it was done; it, or its answer,
is lost; a copy of it arrives late; it arrives late itself, and its asker hears nothing, or dies."""
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)[1:]


class Scope(NamedTuple):
    """A small shop: what it decides, sells, and is asked for."""

    policy: Policy
    opening: Mapping[str, int]
    orders: tuple[Order, ...]

    def limits(self) -> str:
        policy = self.policy
        return json.dumps({"policy": policy.order, "pool": "ring_fenced", "ttl_us": policy.ttl_us})


class Late(NamedTuple):
    """A copy of an ask that is still on its way, until `by_us` at the latest."""

    service: str
    ask: Any
    by_us: int


@dataclass(eq=False)
class Party:
    """Somebody at work: one flow after the other, each by its asks.

    name      as stories name it
    flow      the coroutine that it is in
    then      told what a flow has returned, the next flow, or None
    waits     the ask that it will send next; None when it is done
    began_us  when it began its present flow
    """

    name: str
    flow: Flow[Any]
    then: Callable[[Any], Flow[Any] | None]
    waits: Send[Any] | None = None
    began_us: int = 0


@dataclass
class SmallWorld:
    """One design in one small shop, from the opening to the last judgement.

    told       how long the history was after each ask that counts as a step
    old_copy   the record as it was when its copy ceased to follow; None while the copy does
    says_zero  the record's feed says that there is nothing of anything
    told_before_calm   how many asks that count there were before everything calmed down
    """

    kind: type[Architecture]
    scope: Scope
    now_us: int = 0
    parties: list[Party] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    stock_is_behind_us: int = 0
    old_copy: Any = None
    says_zero: bool = False
    told_before_calm: int = 0

    def __post_init__(self) -> None:
        self.design = self.kind(self.scope.policy)
        self.stores = self.design.stores(self.scope.opening)
        self.history = History()
        self.recorder = Recorder(self.history)
        for store in self.stores.values():
            if isinstance(store, PaymentProvider):
                store.refund_fails_after_us = REFUND_FAILS_AFTER_US
        for sku, units in self.scope.opening.items():
            self.history.state(0, "opening", kind="config", sku=sku, units=units, version=0, witness="outside")
        limits = json.loads(self.scope.limits()) | {"max_attempts": dict.fromkeys(TOLD, self.attempts())}
        self.history.state(0, "limits", kind="config", answer=json.dumps(limits))

    def attempts(self) -> int:
        return self.scope.policy.patience_with("payment").attempts

    # -- who goes on

    def begin(self, name: str, flow: Flow[Any], then: Callable[[Any], Flow[Any] | None] | None = None) -> Party:
        """Somebody sets to work."""
        party = Party(name, flow, then or (lambda _: None), began_us=self.now_us)
        self.parties.append(party)
        self.go(party, flow.send, None)
        return party

    def customer(self, order: Order) -> Party:
        return self.begin(f"customer {order.id}", self.design.register(order))

    def canceller(self, order_id: str) -> Party:
        return self.begin(f"canceller {order_id}", self.design.cancel(order_id))

    def worker(self, order_id: str) -> Party:
        """Somebody works on an order, whoever else may do so."""
        return self.begin(
            f"worker {order_id}",
            self.design.advance(order_id),
            lambda more: self.design.advance(order_id) if more else None,
        )

    def hand(self) -> Party:
        """A worker that takes its orders from the queue, until nobody waits."""
        leased: list[Leased] = []

        def then(answer: Any) -> Flow[Any] | None:
            if isinstance(answer, Leased):
                leased[:] = [answer]
                return self.design.advance(answer.order_id)
            if isinstance(answer, Empty):
                return None
            if answer is None:  # handed back
                return self.design.take()
            return self.design.advance(leased[0].order_id) if answer else self.design.hand_back(leased[0])

        return self.begin("hand", self.design.take(), then)

    def job(self, job: Job) -> Party:
        """One tick, all its pages."""

        def then(after: Any) -> Flow[Any] | None:
            return None if after is None else self.design.start(job.flow, (after,))

        return self.begin(job.name, self.design.start(job.flow, ()), then)

    def kill(self, party: Party) -> None:
        """It stops where it stands, and cleans up nothing."""
        party.flow.close()
        party.waits = None
        self.parties.remove(party)

    def step(self, party: Party, trouble: Trouble = "") -> Any:
        """Send the ask that a party waits to send, and let it hear what comes of it."""
        sent = party.waits
        assert sent is not None
        if trouble == "dies before":
            self.kill(party)
            return None
        is_on_its_way = trouble.endswith("late")
        if is_on_its_way:
            self.late.append(Late(sent.ask.service, sent.ask, self.now_us + MESSAGE_LIFE_US))
        answer = None if trouble in ("ask lost", "done late", "dies, done late") else self.done(sent.ask, sent.attempt)
        if trouble.startswith("dies"):
            self.kill(party)
        elif trouble in ("ask lost", "answer lost", "done late") or isinstance(answer, ServerError):
            self.go(party, party.flow.throw, NoReply())
        else:
            self.go(party, party.flow.send, answer)
        return answer

    def go(self, party: Party, give: Callable[[Any], Any], answer: Any) -> None:
        """On to its next ask."""
        while True:
            try:
                effect = give(answer)
            except StopIteration as stop:
                following = party.then(stop.value)
                if following is None:
                    party.waits = None
                    self.parties.remove(party)
                    return
                party.flow, party.began_us = following, self.now_us
                give, answer = following.send, None
                continue
            except PatienceEnded:
                party.waits = None
                self.parties.remove(party)
                return
            give = party.flow.send
            match effect:
                case Send():
                    party.waits = effect
                    return
                case Within(since, limit_us):
                    answer = self.now_us - since < limit_us
                case Backoff() | Reply():
                    answer = None
                case _:
                    raise TypeError(f"the small world cannot perform {effect!r}")

    # -- what the services do

    def done(self, ask: Ask[Any], attempt: int = 0) -> Any:
        """A service does what it is asked; the history is told."""
        self.now_us += ASK_US
        if attempt:
            self.history.state(self.now_us, ask.verb, kind="invoke", attempt=attempt, key=ask.about()[1])
        store = self.stores[ask.service]
        shown_us = self.now_us
        if isinstance(store, StockCache):
            shown_us = max(0, shown_us - self.stock_is_behind_us)
        answer = self.copied(ask) if isinstance(ask, ReadChanges) else store.handle(ask, shown_us)
        # Deadlines are set by the owner's clock, so what it does is told by that clock, too.
        time_us = store.clock_us if isinstance(store, StockCache) else self.now_us
        self.recorder.acted(time_us, store.journal, "", ask.service, "")
        store.journal.clear()
        if ask.verb in TOLD:
            self.told.append(len(self.history))
        return answer

    def copied(self, ask: ReadChanges) -> Changed:
        """What the record has changed, as its copy shows it; or a feed that says zero of everything."""
        record: Any = self.stores["record"]
        if self.old_copy is not None:
            latest = record.snapshot()
            record.restore(self.old_copy)
            changed: Changed = record.handle(ask, self.now_us)
            record.restore(latest)
        else:
            changed = record.handle(ask, self.now_us)
        if self.says_zero:
            return changed._replace(items=tuple(item._replace(on_hand=0) for item in changed.items))
        return changed

    def arrive(self, which: int) -> None:
        """A late copy arrives; nobody hears the answer."""
        self.done(self.late.pop(which).ask)

    def loses_its_stock(self) -> bool:
        """The Stock Cache begins a new epoch, and says so; False where there is none that can."""
        store = self.stores.get("stock")
        if not isinstance(store, StockCache):
            return False
        store.lose_everything()
        self.recorder.acted(self.now_us, store.journal, "", "stock", "")
        store.journal.clear()
        return True

    def wait(self, us: int) -> None:
        """The clock jumps. No copy outlives its time, and no worker sleeps on a payment for longer than its turn."""
        until_us = self.now_us + us
        for late in [late for late in self.late if late.by_us < until_us]:
            self.late.remove(late)
            self.done(late.ask)
        for party in tuple(self.parties):
            is_about_money = party.waits is not None and party.waits.ask.service == "payment"
            if is_about_money and until_us - party.began_us > self.scope.policy.worker_deadline_us:
                self.kill(party)
        self.now_us = max(self.now_us, until_us)

    # -- the end

    def run(self, party: Party) -> None:
        """Let it go on until it is done; whoever asks for ever is stopped some day."""
        for _ in range(PATIENCE):
            if party.waits is None:
                return
            self.step(party)
        self.kill(party)

    def calm_down(self, rounds: int = 24) -> None:
        """All troubles are over: what is late arrives, whoever is at work goes on, and the jobs come round until
        everything rests."""
        self.stock_is_behind_us, self.old_copy, self.says_zero = 0, None, False
        self.told_before_calm = len(self.told)
        quiet_us = self.now_us
        while self.late:
            self.arrive(0)
        for party in tuple(self.parties):
            if party.waits is not None:
                self.run(party)
        # Most things end within a few leases; keys, undecided orders and refunds that fail take longer.
        for number in range(rounds):
            self.wait(MINUTE if number % 4 else 6 * MINUTE)
            for job in self.design.jobs():
                self.run(self.job(job))
            self.run(self.hand())
            for job in self.design.jobs():
                self.run(self.job(job))
            if self.design.rests(self.stores, self.now_us):
                break
        self.history.state(quiet_us, "quiet", kind="config", deadline=self.now_us + 1)
        self.history.state(self.now_us, "end", kind="config", answer="complete")

    def judged(self) -> dict[str, Verdict]:
        """What is broken: checker -> verdict."""
        verdicts = judge_fully(self.history, all_checkers())
        return {name: verdict for name, verdict in verdicts.items() if verdict.status == "invalid"}

    def steps_to(self, broken: Mapping[str, Verdict]) -> int:
        """How many asks that count led to the first of these verdicts, 0 where there is none. What is only broken
        because nothing more comes took all that was done before everything calmed down."""
        if not broken:
            return 0
        panel = Judge(all_checkers())
        panel.hear_rows(tuple(self.history)[:-END_ROWS])
        at_once = [name for name, verdict in panel.verdicts().items() if name in broken and verdict.status == "invalid"]
        lengths = [
            bisect_left(self.told, max(broken[name].witness) + 1) + 1 for name in at_once if broken[name].witness
        ]
        return min((min(length, len(self.told)) for length in lengths), default=self.told_before_calm)
