"""Stores by keys and values: each against a plain dictionary, members against each other, and what is known of the
real ones, schedule by schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from orderquake.model.bounded_counter import BoundedCounters
from orderquake.model.kv import Kv, LastWriter, One
from orderquake.model.spread import EVERYBODY
from orderquake.model.taubyte import EveryNode, Holder

KEYS = st.sampled_from(["a", "a/b", "b"])
VALUES = st.sampled_from([0, 1, 9, 10])
SPREAD = [LastWriter, EveryNode, Holder]


class Alone(RuleBasedStateMachine):
    """One member, whoever it is, is a dictionary."""

    make: Callable[[], Kv] = One

    def __init__(self) -> None:
        super().__init__()
        self.kv = self.make()
        self.known: dict[str, int] = {}
        self.now = 0

    @rule(key=KEYS, value=VALUES)
    def put(self, key: str, value: int) -> None:
        self.now += 1
        self.kv.put(key, value, self.now)
        self.known[key] = value

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.now += 1
        self.kv.delete(key, self.now)
        self.known.pop(key, None)

    @rule()
    def forget_and_remember(self) -> None:
        kept = self.kv.snapshot()
        hash(kept)
        self.kv.put("b", 7, self.now + 1)
        self.kv.restore(kept)

    @invariant()
    def says_what_was_said(self) -> None:
        assert self.kv.values == self.known
        assert self.kv.keys("a") == tuple(sorted(key for key in self.known if key.startswith("a")))


class AloneByClock(Alone):
    make = LastWriter


class AloneByHeight(Alone):
    make = EveryNode


TestOne = Alone.TestCase
TestLastWriter = AloneByClock.TestCase
TestEveryNode = AloneByHeight.TestCase


class Members:
    """Some members, and the letters between them, which somebody else delivers."""

    def __init__(self, kind: type[Kv], of: int = 2, **opening: int) -> None:
        self.all = [kind(number, of, opening) for number in range(of)]
        self.under_way: list[tuple[int, int, Any]] = []

    def collect(self) -> None:
        for number, member in enumerate(self.all):
            letters, member.outbox = member.outbox, []
            for to, says in letters:
                others = [each for each in range(len(self.all)) if each != number] if to == EVERYBODY else [to]
                self.under_way += [(number, other, says) for other in others]

    def deliver(self, which: int = 0, is_lost: bool = False) -> None:
        sender, to, says = self.under_way.pop(which % len(self.under_way))
        if not is_lost:
            self.all[to].hear(sender, says, 100)
        self.collect()

    def settle(self) -> None:
        for member in self.all:
            member.tick(100)
        self.collect()
        for _ in range(10_000):
            if not self.under_way:
                return
            self.deliver()
        raise AssertionError("they write for ever")

    def put(self, who: int, key: str, value: Any, now_us: int = 1) -> None:
        self.all[who].put(key, value, now_us)
        self.collect()

    def values(self, key: str) -> list[Any]:
        return [member.get(key) for member in self.all]


@settings(max_examples=60)
@pytest.mark.parametrize("kind", SPREAD)
@given(data=st.data())
def test_members_who_have_heard_all_agree_whatever_was_lost_or_late_on_the_way(kind: type[Kv], data: Any) -> None:
    """Even where no order of the letters is the order in which they were written."""
    members = Members(kind, of=3)
    for moment in range(data.draw(st.integers(1, 12))):
        who, key = data.draw(st.integers(0, 2)), data.draw(KEYS)
        if data.draw(st.booleans()):
            members.put(who, key, data.draw(VALUES), moment)
        else:
            members.all[who].delete(key, moment)
            members.collect()
        while members.under_way and data.draw(st.booleans()):
            members.deliver(data.draw(st.integers(0, 20)), is_lost=data.draw(st.booleans()))
    members.settle()
    for key in ("a", "a/b", "b"):
        assert len(set(members.values(key))) == 1, key
    restored = kind(0, 3)
    restored.restore(members.all[0].snapshot())
    assert restored.values == members.all[0].values


# -- what is known of the real ones


@pytest.mark.parametrize("kind", [EveryNode, LastWriter])
def test_both_take_the_last_unit_and_the_merged_data_do_not_show_it(kind: type[Kv]) -> None:
    members = Members(kind, mug=1)
    read = members.values("mug")
    for who in (0, 1):
        members.put(who, "mug", read[who] - 1)
    members.settle()
    assert members.values("mug") == [0, 0]


def test_of_two_counts_that_tie_the_larger_text_wins_and_so_one_beats_none() -> None:
    members = Members(EveryNode, mug=1)
    members.put(0, "mug", 0)  # sold
    members.put(1, "mug", 1)  # refreshed
    members.settle()
    assert members.values("mug") == [1, 1], "the unit is for sale again"
    members = Members(EveryNode, mug=11)
    members.put(0, "mug", 10)
    members.put(1, "mug", 9)
    members.settle()
    assert members.values("mug") == [9, 9], "as text, 9 is larger than 10"


def test_the_busier_side_of_a_partition_wins_with_what_it_wrote_earlier() -> None:
    """A write stands as high as all writes before it, of any key."""
    members = Members(EveryNode)
    for number in range(5):
        members.all[0].put("other", number, 1)
    members.all[0].put("mug", "earlier, on the busy side", 1)
    members.all[1].put("mug", "later, on the quiet side", 9)
    members.settle()
    assert members.values("mug") == ["earlier, on the busy side"] * 2


def test_by_clocks_the_later_one_wins_and_a_clock_that_is_ahead_always_does() -> None:
    members = Members(LastWriter)
    members.put(0, "mug", "written first, by a clock that is ahead", 50)
    members.settle()
    members.put(1, "mug", "written later", 9)
    members.settle()
    assert members.values("mug") == ["written first, by a clock that is ahead"] * 2


def test_a_delete_removes_what_was_seen_and_an_older_value_may_come_up_again() -> None:
    members = Members(EveryNode, of=3)
    members.all[0].put("mug", "low", 1)
    members.all[1].put("other", 1, 1)
    members.all[1].put("mug", "high", 1)
    members.all[1].delete("mug", 1)
    assert members.all[1].get("mug") is None
    members.settle()
    assert members.values("mug") == ["low"] * 3


def test_what_was_announced_in_vain_comes_with_the_next_announcement() -> None:
    members = Members(EveryNode)
    members.put(0, "mug", 1)
    members.deliver(is_lost=True)
    assert members.values("mug") == [1, None]
    members.settle()
    assert members.values("mug") == [1, 1]


def test_a_fresh_holder_serves_before_it_has_the_history() -> None:
    members = Members(Holder, mug=5)
    members.put(0, "mug", 4)
    members.settle()
    members.all[1].forget()
    members.all[1].changed.clear()
    assert members.all[1].get("mug") is None
    members.settle()
    assert members.all[1].get("mug") == 4


def test_a_fresh_holder_gets_back_what_it_wrote_itself_and_writes_under_another_number() -> None:
    members = Members(Holder, mug=5, bowl=2)
    members.put(0, "mug", 4)
    members.settle()
    members.all[0].forget()
    members.all[0].put("cup", 1, 9)
    assert members.all[0].get("mug") is None
    members.settle()
    for member in members.all:
        assert member.values == {"mug": 4, "bowl": 2, "cup": 1}


def test_a_fresh_holder_hears_of_the_newest_writes_first_and_of_the_opening_last() -> None:
    members = Members(Holder, mug=5)
    for number in range(3):
        members.put(0, f"claim-{number}", number)
    members.settle()
    fresh, full = members.all[1], members.all[0]
    fresh.forget()
    full.hear(1, ("fetch", fresh.tells), 1)
    (_, (what, blocks)) = full.outbox.pop()
    assert what == "blocks"
    assert [block.key for block in blocks] == ["claim-2", "claim-1", "claim-0", "mug"]
    fresh.hear(0, (what, blocks[:1]), 1)
    assert (fresh.get("claim-2"), fresh.get("claim-0")) == (2, None), "half a history is answered for the whole"


def pushed(members: Members, who: int, key: str, value: Any) -> Any:
    holder: Any = members.all[who]
    made = holder.made
    holder.put(key, value, 1)
    name = holder.push(holder.made_since(made)[0], 1)
    members.collect()
    return name


def only(members: Members, what: str) -> None:
    """Deliver letters of one kind, and what they bring about of that kind; lose the others."""
    members.under_way = [letter for letter in members.under_way if letter[2][0] in (what, "pushed")]
    while members.under_way:
        members.deliver()
        members.under_way = [letter for letter in members.under_way if letter[2][0] in (what, "pushed")]


def test_crossing_writes_are_pushed_over_each_other_and_the_larger_text_wins() -> None:
    members = Members(Holder, mug=1)
    pushed(members, 0, "mug", 0)
    pushed(members, 1, "mug", 1)
    only(members, "push")
    members.settle()
    assert members.values("mug") == [1, 1]


def test_a_write_that_is_pushed_again_replaces_what_was_made_of_it_meanwhile() -> None:
    """Its confirmation was lost; somebody has read it at the second holder, and written there what follows from it."""
    members = Members(Holder, mug=9)
    first: Any = members.all[0]
    name = pushed(members, 0, "mug", "v1")
    sender, to, says = next(letter for letter in members.under_way if letter[2][0] == "push")
    members.all[to].hear(sender, says, 1)
    members.all[to].outbox.clear()
    assert members.all[1].get("mug") == "v1"
    members.all[1].put("mug", "v2, made of v1", 2)
    members.under_way.clear()
    first.push_again(300_000, 15_000_000)
    members.settle()
    assert members.values("mug") == ["v1", "v1"], "an acknowledged newer write is gone"
    assert name in first.done


def test_a_holder_that_nobody_answers_acknowledges_all_the_same() -> None:
    members = Members(Holder)
    first: Any = members.all[0]
    name = pushed(members, 0, "mug", 1)
    first.push_again(200_000, 15_000_000)
    assert name not in first.done
    first.push_again(15_000_001, 15_000_000)
    assert name in first.done
    assert members.values("mug") == [1, None], "and would be lost with it"


def test_the_only_holder_waits_for_nobody() -> None:
    alone = Holder()
    alone.put("mug", 1, 1)
    assert alone.push(alone.made_since(0)[0], 1) is None


# -- bounded counters, by the published vectors


def carried(one: BoundedCounters, other: BoundedCounters) -> None:
    while one.outbox or other.outbox:
        for sender, receiver in ((one, other), (other, one)):
            letters, sender.outbox = sender.outbox, []
            for _, says in letters:
                assert receiver.hear(sender.number, says)


def test_rights_are_as_in_the_published_vectors() -> None:
    one, other = BoundedCounters(0, {}), BoundedCounters(1, {})
    one.add("x", 10)
    other.add("y", 5)
    assert (one.of("x"), other.of("y")) == (10, 5)
    assert one.take("x", 6)
    assert one.of("x") == 4
    assert not one.take("x", 6)
    assert one.of("x") == 4


def test_rights_that_move_are_nobodys_on_the_way_and_arrive_once() -> None:
    one, other = BoundedCounters(0, {"mug": 10}), BoundedCounters(1, {})
    assert one.move("mug", 6, to=1)
    assert (one.of("mug"), other.of("mug")) == (4, 0)
    one.tick()  # sent a second time
    carried(one, other)
    assert (one.of("mug"), other.of("mug")) == (4, 6)
    assert not one.sent
    assert not one.move("mug", 5, to=1)
    assert other.move("mug", 5, to=0)
    carried(one, other)
    assert (one.of("mug"), other.of("mug")) == (9, 1)


@given(
    st.lists(
        st.tuples(st.sampled_from(["take", "move", "tick", "lose", "carry"]), st.integers(0, 1), st.integers(1, 9))
    )
)
def test_whatever_is_lost_no_unit_is_ever_two(steps: list[tuple[str, int, int]]) -> None:
    members = [BoundedCounters(0, {"mug": 12}), BoundedCounters(1, {"mug": 8})]
    taken = 0
    for what, who, units in steps:
        one, other = members[who], members[1 - who]
        if what == "take":
            taken += units * one.take("mug", units)
        elif what == "move":
            one.move("mug", units, to=other.number)
        elif what == "tick":
            one.tick()
        elif what == "lose":
            one.outbox.clear()
        else:
            carried(one, other)
        assert taken + one.of("mug") + other.of("mug") <= 20
    for member in members:
        member.tick()
    carried(*members)
    assert taken + sum(member.of("mug") for member in members) == 20
