"""Keys and values by strength, and rights that move: against a dictionary and a sum, and twins made from snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orderquake.model.bounded_counter import BoundedCounters
from orderquake.model.kv import Kv, LastWriter, One
from orderquake.model.taubyte import EveryNode, Holder
from tests.model.twins import case_of, is_noticed


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


TestKeys = case_of(Keys)
TestKeysByClock = case_of(KeysByClock)
TestKeysByHeight = case_of(KeysByHeight)
TestKeysOfAHolder = case_of(KeysOfAHolder)
TestRights = case_of(Rights)


# -- and it notices


class ForgetsWhatItDeleted(One):
    def delete(self, key: str, now_us: int) -> None:
        super().delete(key, now_us)
        self.values.setdefault(key, 0)


class RestoresOldHeight(EveryNode):
    """As it was: how high the highest write stood was made of those that are left."""

    def restore(self, snapshot: Any) -> None:
        super().restore(snapshot)
        left = [entry.rank for of_key in self.entries.values() for entry in of_key.values()]
        self.top = max(left, default=(0,))


PLANTED: list[tuple[Any, Callable[[], Any]]] = [
    (Keys, ForgetsWhatItDeleted),
    (KeysByHeight, RestoresOldHeight),
]


@pytest.mark.parametrize(("machine", "make"), PLANTED, ids=lambda each: getattr(each, "__name__", ""))
def test_the_oracle_notices_a_store_that_errs(machine: Any, make: Callable[[], Any]) -> None:
    is_noticed(machine, make)
