"""The other stores against oracles that a child could check, and every store against a twin that was made from its
snapshot: whatever is asked of both from then on, they answer and remember the same.

The Stock Cache, the provider and the queue have their oracles in `test_machines.py`; here they get their twins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orderquake.model.bounded_counter import BoundedCounters
from orderquake.model.claim_board import Claim, ClaimBoard, Claimed, Claims, GiveUpClaim, ListClaims, MakeClaim, Supply
from orderquake.model.counts import CopyCount, Counted, Counts, ReadCount, WriteCount
from orderquake.model.flow import Instant
from orderquake.model.kv import Kv, LastWriter, One
from orderquake.model.notice import NoticeBoard, Notify
from orderquake.model.order import POSTABLE, Order, State, Sync
from orderquake.model.order_cache import (
    AlreadyRegistered,
    Conflict,
    Found,
    ListIdle,
    ListUnposted,
    ListUnsynced,
    MoveCursor,
    NotRegistered,
    OrderCache,
    Page,
    ReadCursor,
    ReadOrder,
    Register,
    Registered,
    WriteOrder,
    Written,
)
from orderquake.model.order_table import CentralRecord, ReadRow, RegisterInTable, WriteRow
from orderquake.model.payment import PaymentProvider
from orderquake.model.record import Booking, Move, Post, Posted, ReadChanges, Rejected, SystemOfRecord
from orderquake.model.regional_stock import RegionalStock
from orderquake.model.shelves import GiveBack, ReserveForGood, Shelves, reservation_of
from orderquake.model.stock import Released, Reserved, SoldOut, StockCache
from orderquake.model.taubyte import EveryNode, Holder
from orderquake.model.work_queue import WorkQueue
from orderquake.model.workflow import Ended, NextStep, RecordResult, StartExecution, WorkflowEngine
from tests.model import test_machines
from tests.model.shop import lines, order

QUICK = settings(max_examples=25, stateful_step_count=25, deadline=None)
NAMES = st.sampled_from(["ann", "bob", "cat", "dot"])
SKUS = st.sampled_from(["mug", "bowl"])
OPENING = {"mug": 4, "bowl": 2}
BASKETS = st.dictionaries(SKUS, st.integers(1, 2), min_size=1)


class Twins(RuleBasedStateMachine):
    """A store and, from some moment on, another one that has only seen its snapshot."""

    make: Callable[[], Any]

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.store = type(self).make()
        self.twin: Any = None

    def ask(self, ask: Any) -> Any:
        answer = self.store.handle(ask, self.now)
        if self.twin is not None:
            assert self.twin.handle(ask, self.now) == answer
        return answer

    @rule(us=st.integers(1, 9))
    def time_passes(self, us: int) -> None:
        self.now += us

    @rule()
    def a_twin_is_made(self) -> None:
        kept = self.store.snapshot()
        hash(kept)
        self.twin = type(self).make()
        self.twin.restore(kept)
        assert self.store.snapshot() == kept, "looking changes nothing"

    @rule()
    @precondition(lambda self: self.twin is not None)
    def the_twin_takes_over(self) -> None:
        self.store, self.twin = self.twin, None

    @invariant()
    def both_remember_the_same(self) -> None:
        assert self.twin is None or self.twin.snapshot() == self.store.snapshot()


# -- orders


class Orders(Twins):
    """The Order Cache: a dictionary of rows, and three lists of names."""

    make = OrderCache

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Order] = {}
        self.written: dict[str, int] = {}
        self.open: list[str] = []
        self.unposted: list[str] = []
        self.unsynced: list[str] = []
        self.cursors = {"settlement": 0, "posted": 0}

    @rule(name=NAMES)
    def register(self, name: str) -> None:
        answer = self.ask(Register(order(name)))
        assert type(answer) is (AlreadyRegistered if name in self.rows else Registered)
        if name not in self.rows:
            self.rows[name] = order(name)._replace(version=1, registered_at=Instant(self.now))
            self.written[name] = self.now
            self.open.append(name)
            self.unsynced.append(name)

    @rule(name=NAMES)
    def read(self, name: str) -> None:
        assert self.ask(ReadOrder(name)) == (Found(self.rows[name]) if name in self.rows else NotRegistered())

    @rule(
        name=NAMES, behind=st.integers(0, 1), state=st.sampled_from(list(State)), sync=st.sampled_from(list(Sync)),
        generation=st.integers(0, 2), refunds=st.integers(0, 2), upto=st.integers(0, 5),
    )  # fmt: skip
    def write(self, name: str, behind: int, state: State, sync: Sync, generation: int, refunds: int, upto: int) -> None:
        old = self.rows.get(name, order(name))
        meant = old._replace(
            state=state, sync=sync, generation=generation, refund_generation=refunds, posted_upto=upto,
            version=old.version - behind, registered_at=Instant(77),
        )  # fmt: skip
        answer = self.ask(WriteOrder(meant))
        if name not in self.rows or behind:
            assert type(answer) is Conflict
            return
        new = meant._replace(version=old.version + 1, registered_at=old.registered_at)
        new = new._replace(charge_sent_at=Instant(self.now) if generation != old.generation else old.charge_sent_at)
        new = new._replace(refund_sent_at=Instant(self.now) if refunds != old.refund_generation else old.refund_sent_at)
        assert answer == Written(new)
        self.rows[name], self.written[name] = new, self.now
        self.cursors["posted"] = max(upto, self.cursors["posted"])
        self.open = [each for each in self.open if each != name] + ([] if new.is_closed else [name])
        for queue, belongs in (
            (self.unposted, new.state in POSTABLE and not new.is_synced),
            (self.unsynced, not (new.is_synced and new.is_closed) or new.is_owed),
        ):
            if belongs and name not in queue:
                queue.append(name)
            elif not belongs and name in queue:
                queue.remove(name)

    def listed(self, kind: Any, limit: int, *said: int) -> list[str]:
        found: list[str] = []
        after: int | None = 0
        while after is not None:
            page: Page = self.ask(kind(*said, after, limit))
            assert len(page.orders) <= limit
            assert all(row == self.rows[row.id] for row in page.orders)
            found += [row.id for row in page.orders]
            after = page.following
        return found

    @rule(limit=st.integers(1, 3), idle_us=st.integers(0, 9))
    def list_all(self, limit: int, idle_us: int) -> None:
        idle = [name for name in self.open if self.written[name] <= self.now - idle_us]
        assert self.listed(ListIdle, limit, idle_us) == idle
        assert self.listed(ListUnposted, limit) == self.unposted
        assert self.listed(ListUnsynced, limit) == self.unsynced

    @rule(to=st.integers(0, 9))
    def move_cursor(self, to: int) -> None:
        self.cursors["settlement"] = max(to, self.cursors["settlement"])
        assert self.ask(MoveCursor("settlement", to)) == self.cursors["settlement"]
        assert self.ask(ReadCursor("posted")) == self.cursors["posted"]

    @invariant()
    def rests_when_nothing_is_to_be_done(self) -> None:
        assert self.store.rests == (not self.open and not self.unposted)


class Workflow(Twins):
    """The workflow service: a row an execution, and who has been handed what since when."""

    make = staticmethod(lambda: WorkflowEngine(TIMEOUT_US))

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Order] = {}
        self.handed: dict[str, tuple[int, int]] = {}
        self.failed: dict[str, bool] = {}

    def is_over(self, name: str) -> bool:
        row = self.rows[name]
        version, since = self.handed.get(name, (0, 0))
        done = row.is_closed and row.is_synced
        if not done and version == row.version and self.now - since >= TIMEOUT_US:
            self.failed[name] = True
        return done or name in self.failed

    @rule(name=NAMES)
    def start(self, name: str) -> None:
        answer = self.ask(StartExecution(order(name)))
        assert type(answer) is (AlreadyRegistered if name in self.rows else Registered)
        self.rows.setdefault(name, order(name)._replace(version=1, registered_at=Instant(self.now)))

    @rule(name=NAMES)
    def next_step(self, name: str) -> None:
        answer = self.ask(NextStep(name))
        if name not in self.rows:
            assert answer == NotRegistered()
        elif self.is_over(name):
            assert answer == Ended()
        else:
            assert answer == Found(self.rows[name])
            if self.handed.get(name, (0, 0))[0] != self.rows[name].version:
                self.handed[name] = (self.rows[name].version, self.now)

    @rule(
        name=NAMES,
        behind=st.integers(0, 1),
        state=st.sampled_from([State.PAID, State.FULFILLED, State.CANCELLED, None]),
    )
    def record_result(self, name: str, behind: int, state: State | None) -> None:
        row = self.rows.get(name, order(name))
        meant = row._replace(version=row.version - behind, state=state or row.state)
        answer = self.ask(RecordResult(meant))
        if name not in self.rows or behind:
            assert answer == Conflict()
        elif self.is_over(name):
            assert answer == Ended()
        else:
            self.handed.pop(name, None)
            self.rows[name] = row if meant == row else meant._replace(version=row.version + 1)
            assert answer == Written(self.rows[name])


TIMEOUT_US = 12


# -- the record, alone and with shelves and rows


class Book(Twins):
    """The system of record: quantities, versions, and the first answer under each key."""

    below_zero = "backorder"
    make: Callable[[], Any] = staticmethod(lambda: SystemOfRecord(OPENING))

    def __init__(self) -> None:
        super().__init__()
        self.on_hand = dict(OPENING)
        self.version = dict.fromkeys(OPENING, 0)
        self.first: dict[str, tuple[Booking, Any]] = {}
        self.log = [(sku, 0, units, "") for sku, units in OPENING.items()]

    def moved(self, sku: str, units: int, name: str = "") -> int:
        self.on_hand[sku] += units
        self.version[sku] += 1
        self.log.append((sku, self.version[sku], units, name))
        return self.version[sku]

    @rule(name=NAMES, outcome=st.sampled_from(["fulfilled", "fulfilled", "refunded"]), basket=BASKETS)
    def post(self, name: str, outcome: str, basket: dict[str, int]) -> None:
        booking = Booking(f"{name}/final", name, outcome, lines(**basket), 100)
        (answer,) = self.ask(Post((booking,)))
        if booking.key in self.first:
            known, was = self.first[booking.key]
            assert answer == was if known == booking else type(answer) is Rejected
            return
        leaves = basket if outcome == "fulfilled" else {}
        if self.below_zero == "reject" and any(self.on_hand[sku] < units for sku, units in leaves.items()):
            assert type(answer) is Rejected
        else:
            versions = tuple((sku, self.moved(sku, -units, name)) for sku, units in leaves.items())
            assert answer == Posted(name, versions, len(self.log) if versions else 0)
        self.first[booking.key] = (booking, answer)

    @rule(sku=SKUS, why=st.sampled_from(["receipt", "return", "foreign_sale", "correction"]), units=st.integers(1, 2))
    def move(self, sku: str, why: Any, units: int) -> None:
        units = -units if why == "correction" else units
        assert self.ask(Move(why, sku, units)).version == self.moved(sku, -units if why == "foreign_sale" else units)

    @rule(since=st.integers(0, 12), limit=st.integers(1, 3))
    def read_changes(self, since: int, limit: int) -> None:
        """Page by page, each product that has changed comes once, with all that has happened to it."""
        since = min(since, len(self.log))
        latest = {sku: place for place, (sku, *_) in enumerate(self.log, start=1) if place > since}
        expected = [
            (
                sku, self.on_hand[sku], self.version[sku],
                tuple((who, version) for which, version, _, who in self.log[since:] if which == sku and who),
                tuple((version, units) for which, version, units, _ in self.log[since:] if which == sku),
            )
            for sku in sorted(latest, key=lambda sku: latest[sku])
        ]  # fmt: skip
        found, after, more = [], since, True
        while more:
            page = self.ask(ReadChanges(since, after, limit))
            found += [tuple(item) for item in page.items]
            after, more = page.upto, page.more
        assert (found, after) == (expected, len(self.log))

    @invariant()
    def quantities_are_right(self) -> None:
        assert (self.store.on_hand, self.store.version) == (self.on_hand, self.version)


class StrictBook(Book):
    below_zero = "reject"
    make = staticmethod(lambda: SystemOfRecord(OPENING, "reject"))


class Reservations(Twins):
    """Shelves: who holds what, and who is done with it for good."""

    make: Callable[[], Any] = staticmethod(lambda: Shelves(OPENING, safety_stock=1))

    def __init__(self) -> None:
        super().__init__()
        self.on_hand = dict(OPENING)
        self.held: dict[str, dict[str, int]] = {}
        self.over: dict[str, bool] = {}
        self.posted: dict[str, bool] = {}

    def atp(self, sku: str) -> int:
        return self.on_hand[sku] - 1 - sum(basket.get(sku, 0) for basket in self.held.values())

    @rule(name=NAMES, basket=BASKETS)
    def reserve(self, name: str, basket: dict[str, int]) -> None:
        answer = self.ask(ReserveForGood(name, lines(**basket)))
        if name in self.held:
            assert answer == Reserved(reservation_of(name))
        elif name in self.over or any(self.atp(sku) < units for sku, units in basket.items()):
            assert type(answer) is SoldOut
            assert answer.atp == self.atp(answer.sku)
        else:
            assert answer == Reserved(reservation_of(name))
            self.held[name] = basket

    @rule(name=NAMES)
    def give_back(self, name: str) -> None:
        assert self.ask(GiveBack(name)) == Released()
        self.held.pop(name, None)
        self.over[name] = True

    @rule(name=NAMES)
    def post(self, name: str) -> None:
        if name in self.held and name not in self.posted:
            basket = self.held.pop(name)
            self.ask(Post((Booking(f"{name}/final", name, "fulfilled", lines(**basket), 100),)))
            self.posted[name] = self.over[name] = True
            for sku, units in basket.items():
                self.on_hand[sku] -= units

    @rule(sku=SKUS, why=st.sampled_from(["receipt", "foreign_sale", "correction"]), units=st.integers(1, 2))
    def move(self, sku: str, why: Any, units: int) -> None:
        """Another channel asks; a delivery and a stock-take are facts."""
        self.ask(Move(why, sku, units if why != "correction" else -units))
        if why == "receipt":
            self.on_hand[sku] += units
        elif why == "correction" or self.atp(sku) >= units:
            self.on_hand[sku] -= units

    @invariant()
    def both_promise_the_same(self) -> None:
        assert {sku: self.store.atp(sku) for sku in OPENING} == {sku: self.atp(sku) for sku in OPENING}


class Table(Twins):
    """The record with a table of orders: a row and its goods change together or not at all."""

    make = staticmethod(lambda: CentralRecord(OPENING))

    def __init__(self) -> None:
        super().__init__()
        self.on_hand = dict(OPENING)
        self.rows: dict[str, Order] = {}
        self.held: dict[str, bool] = {}
        self.over: dict[str, bool] = {}
        self.posted: dict[str, bool] = {}

    def atp(self) -> int:
        return self.on_hand["mug"] - len(self.held)

    @rule(name=NAMES)
    def register(self, name: str) -> None:
        self.ask(RegisterInTable(order(name)))
        self.rows.setdefault(name, order(name)._replace(version=1, registered_at=Instant(self.now)))

    @rule(
        name=NAMES, behind=st.integers(0, 3), has_token=st.booleans(),
        state=st.sampled_from([State.PAID, State.RESERVED, State.FULFILLED, State.REFUNDED]),
    )  # fmt: skip
    def write(self, name: str, behind: int, has_token: bool, state: State) -> None:
        old = self.rows.get(name, order(name))
        if state is State.FULFILLED and name not in self.held:
            return  # nobody fulfils what is not reserved
        behind = behind == 3
        token = reservation_of(name) if has_token or state is State.FULFILLED else ""
        meant = old._replace(state=state, token=token, version=old.version - behind)
        answer = self.ask(WriteRow(meant))
        if name not in self.rows or behind:
            assert answer == Conflict()
            return
        takes, lets_go = bool(token) and not old.token, bool(old.token) and not token
        if takes and name not in self.held and (name in self.over or self.atp() < 1):
            assert type(answer) is SoldOut
            return
        self.rows[name] = meant._replace(version=old.version + 1)
        assert answer == Written(self.rows[name])
        if takes:
            self.held.setdefault(name, True)
        if lets_go:
            self.held.pop(name, None)
            self.over[name] = True
        if state is not old.state and state in POSTABLE and name not in self.posted:
            self.posted[name] = True
            if state is State.FULFILLED:
                self.on_hand["mug"] -= 1
                self.held.pop(name, None)
                self.over[name] = True

    @rule(name=NAMES)
    def read(self, name: str) -> None:
        assert self.ask(ReadRow(name)) == (Found(self.rows[name]) if name in self.rows else NotRegistered())

    @invariant()
    def goods_and_rows_agree(self) -> None:
        assert (self.store.on_hand["mug"], self.store.atp("mug")) == (self.on_hand["mug"], self.atp())


# -- notices, counts, claims


class Notices(Twins):
    """Who was told what: each thing once."""

    make = NoticeBoard

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[tuple[str, str], bool] = {}

    @rule(name=NAMES, outcome=st.sampled_from(["fulfilled", "refunded"]))
    def notify(self, name: str, outcome: str) -> None:
        self.ask(Notify(name, outcome))
        assert self.store.journal[-1].is_new is ((name, outcome) not in self.told)
        self.told[name, outcome] = True


class Numbers(Twins):
    """A cache of counts is a dictionary of numbers."""

    make = staticmethod(lambda: Counts(OPENING))

    def __init__(self) -> None:
        super().__init__()
        self.known = dict(OPENING)

    @rule(sku=st.sampled_from(["mug", "bowl", "vase"]))
    def read(self, sku: str) -> None:
        assert self.ask(ReadCount("ann", sku)) == Counted(self.known.get(sku, 0))

    @rule(sku=SKUS, units=st.integers(-1, 12), is_copy=st.booleans())
    def write(self, sku: str, units: int, is_copy: bool) -> None:
        self.ask(CopyCount(sku, units, 1, Instant(self.now)) if is_copy else WriteCount("ann", sku, units))
        self.known[sku] = units


class Board(Twins):
    """A board of claims: each order's claim as it was made first, until it is given up for good."""

    make = staticmethod(lambda: ClaimBoard(OPENING))

    def __init__(self) -> None:
        super().__init__()
        self.record = SystemOfRecord(OPENING)
        self.supplied = dict(OPENING)
        self.delivered = dict(OPENING)
        self.claims: dict[tuple[str, str], Claim] = {}
        self.void: dict[tuple[str, str], bool] = {}

    @rule(name=NAMES, sku=SKUS, units=st.integers(1, 2))
    def claim(self, name: str, sku: str, units: int) -> None:
        made = self.claims.setdefault((sku, name), Claim(self.now, name, units))
        assert self.ask(MakeClaim(name, lines(**{sku: units}))) == Claimed(Instant(made.made_at))

    @rule(name=NAMES, sku=SKUS)
    def give_up(self, name: str, sku: str) -> None:
        self.ask(GiveUpClaim(name, lines(**{sku: 1})))
        self.void[sku, name] = True

    @rule(sku=SKUS, units=st.integers(1, 2))
    def deliver(self, sku: str, units: int) -> None:
        self.record.handle(Move("receipt", sku, units), self.now)
        self.delivered[sku] += units

    @rule()
    def supply(self) -> None:
        """All that has changed since the beginning, as the design asks for it."""
        self.ask(Supply(self.record.handle(ReadChanges(0, 0, 9), self.now)))
        self.supplied = dict(self.delivered)

    @rule(sku=SKUS)
    def list_claims(self, sku: str) -> None:
        stand = sorted(claim for (of, name), claim in self.claims.items() if of == sku and (of, name) not in self.void)
        assert self.ask(ListClaims("ann", sku)) == Claims(tuple(stand), self.supplied[sku])


# -- keys and values, by strength; rights


class Keys(RuleBasedStateMachine):
    """A member that stands alone is a dictionary, and so is one made from its snapshot."""

    make: Callable[[], Kv] = One

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.members = [type(self).make()]
        self.known: dict[str, Any] = {}

    def on_all(self, act: Callable[[Kv], None]) -> None:
        self.now += 1
        for member in self.members:
            act(member)

    @rule(key=st.sampled_from(["a", "a/b", "b"]), value=st.sampled_from([0, 1, 9, 10]))
    def put(self, key: str, value: int) -> None:
        self.on_all(lambda member: member.put(key, value, self.now))
        self.known[key] = value

    @rule(key=st.sampled_from(["a", "a/b", "b"]))
    def delete(self, key: str) -> None:
        self.on_all(lambda member: member.delete(key, self.now))
        self.known.pop(key, None)

    @rule()
    def a_twin_is_made(self) -> None:
        twin = type(self).make()
        twin.restore(self.members[0].snapshot())
        self.members = [self.members[0], twin]

    @invariant()
    def all_say_what_was_said(self) -> None:
        for member in self.members:
            assert member.values == self.known
            assert member.snapshot() == self.members[0].snapshot()
            assert member.rank(self.now) == self.members[0].rank(self.now), "what is written next ranks alike"


class KeysByClock(Keys):
    make = LastWriter


class KeysByHeight(Keys):
    make = EveryNode


class KeysOfAHolder(Keys):
    make = Holder


def test_a_member_that_was_restored_writes_as_high_as_it_would_have() -> None:
    """What it deleted was its highest write; one who has forgotten that would lose against what is older."""
    member, twin = EveryNode(0, 2), EveryNode(0, 2)
    for value in range(5):
        member.put("other", value, 1)
    member.delete("other", 1)
    twin.restore(member.snapshot())
    assert twin.rank(1) == member.rank(1) == (7,)


class Rights(RuleBasedStateMachine):
    """Bounded counters: what is there, what was taken, and what is on its way are as many as there ever were."""

    def __init__(self) -> None:
        super().__init__()
        self.members = [BoundedCounters(number, {"mug": 5}) for number in (0, 1)]
        self.letters: list[tuple[int, Any]] = []
        self.units = 10
        self.mine = [5, 5]
        self.moved: dict[tuple[int, int], tuple[int, int]] = {}
        self.moves = [0, 0]

    def post(self, who: int) -> None:
        letters, self.members[who].outbox = self.members[who].outbox, []
        self.letters += [(to, says) for to, says in letters]

    @rule(who=st.integers(0, 1), units=st.integers(1, 4))
    def take(self, who: int, units: int) -> None:
        assert self.members[who].take("mug", units) is (self.mine[who] >= units)
        if self.mine[who] >= units:
            self.mine[who] -= units
            self.units -= units

    @rule(who=st.integers(0, 1), units=st.integers(1, 4))
    def add(self, who: int, units: int) -> None:
        self.members[who].add("mug", units)
        self.mine[who] += units
        self.units += units

    @rule(who=st.integers(0, 1), units=st.integers(1, 4))
    def move(self, who: int, units: int) -> None:
        assert self.members[who].move("mug", units, 1 - who) is (self.mine[who] >= units)
        if self.mine[who] >= units:
            self.mine[who] -= units
            self.moves[who] += 1
            self.moved[who, self.moves[who]] = (1 - who, units)
        self.post(who)

    @rule(who=st.integers(0, 1))
    def tick(self, who: int) -> None:
        self.members[who].tick()
        self.post(who)

    @precondition(lambda self: self.letters)
    @rule(which=st.integers(0, 30), becomes=st.sampled_from(["delivered", "delivered", "lost", "doubled"]))
    def letter(self, which: int, becomes: str) -> None:
        to, says = self.letters[which % len(self.letters)]
        if becomes != "doubled":
            self.letters.pop(which % len(self.letters))
        if becomes != "lost":
            self.members[to].hear(1 - to, says)
            self.post(to)
            what, said = says
            if what == "rights" and said[0] in self.moved:
                receiver, units = self.moved.pop(said[0])
                self.mine[receiver] += units

    @rule(who=st.integers(0, 1))
    def forget_and_remember(self, who: int) -> None:
        fresh = BoundedCounters(who, {})
        fresh.restore(self.members[who].snapshot())
        self.members[who] = fresh

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert [member.of("mug") for member in self.members] == self.mine
        assert sum(self.mine) + sum(units for _, units in self.moved.values()) == self.units


# -- twins for those who have their oracles elsewhere


def twinned(machine: type[RuleBasedStateMachine], attribute: str, make: Callable[[Any], Any]) -> Any:
    """The machine, whose store is now and then replaced by one made from its snapshot."""

    def forget_and_remember(self: Any) -> None:
        store = getattr(self, attribute)
        kept = store.snapshot()
        hash(kept)
        fresh = make(self)
        fresh.restore(kept)
        assert fresh.snapshot() == kept
        fresh.journal = store.journal  # what was written down is the performer's
        setattr(self, attribute, fresh)

    return type(f"{machine.__name__}AgainAndAgain", (machine,), {"forget_and_remember": rule()(forget_and_remember)})


class RegionAlone(test_machines.Stock):
    """One region that has all the rights is a Stock Cache."""

    made_of = staticmethod(lambda opening: RegionalStock(0, 1, opening))  # type: ignore[assignment]


ALL: list[Any] = [
    Orders, Workflow, Book, StrictBook, Reservations, Table, Notices, Numbers, Board,
    Keys, KeysByClock, KeysByHeight, KeysOfAHolder, Rights,
    twinned(test_machines.Stock, "cache", lambda machine: StockCache(dict.fromkeys(test_machines.SKUS, 9))),
    twinned(test_machines.Stock, "record", lambda machine: SystemOfRecord({})),
    twinned(RegionAlone, "cache", lambda machine: RegionalStock(0, 1, dict.fromkeys(test_machines.SKUS, 9))),
    twinned(test_machines.Provider, "provider", lambda machine: PaymentProvider(machine.window, refund_delay_us=5)),
    twinned(test_machines.Queue, "queue", lambda machine: WorkQueue()),
]  # fmt: skip

for number, each in enumerate(ALL):
    case = each.TestCase
    case.settings = QUICK
    globals()[f"Test{number}{each.__name__}"] = case
del case, each
