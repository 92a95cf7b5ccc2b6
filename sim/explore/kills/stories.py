"""Stories told by hand at small scope: for bugs that made-up days seldom meet, the few steps that show them.

Each is played to its end on a mutant, and on the sound design, which must come through it. A story knows only what a
tester could do: who sets to work, how far, what becomes of an ask, and how long everybody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.model.order import Line, Order
from orderquake.model.policy import HOUR, MINUTE, SECOND, Policy
from orderquake.model.record import Move
from orderquake.sim.explore.kills.small_world import Party, Scope, SmallWorld, Trouble

POLICY = Policy(
    ttl_us=20 * SECOND,
    send_horizon_us=MINUTE,
    key_retention_us=4 * MINUTE,
    worker_deadline_us=30 * SECOND,
    idle_us=20 * SECOND,
    max_deliveries=3,
    settle_after_us=0,
)


class Story:
    """A small world, and the words in which stories are told of it."""

    def __init__(
        self, kind: type[Architecture], policy: Policy, mugs: int, orders: tuple[Order, ...], **others: int
    ) -> None:
        self.world = SmallWorld(kind, Scope(policy, {"mug": mugs, **others}, orders))
        for order in orders:
            self.world.run(self.world.customer(order))

    def after(self, party: Party, verb: str, trouble: Trouble = "") -> Party:
        """Let it go on until it has sent such an ask; that is what the trouble is about."""
        while party.waits is not None:
            is_it = party.waits.ask.verb == verb
            self.world.step(party, trouble if is_it else "")
            if is_it:
                break
        return party

    def before(self, party: Party, *verbs: str) -> Party:
        """Let it go on until it is about to send such an ask."""
        while party.waits is not None and party.waits.ask.verb not in verbs:
            self.world.step(party)
        return party

    def works(self, *names: str) -> None:
        for name in names:
            self.world.run(self.world.worker(name))

    def worker(self, name: str) -> Party:
        return self.world.worker(name)

    def ticks(self, *flows: str) -> None:
        for flow in flows:
            self.world.run(self.job(flow))

    def job(self, flow: str) -> Party:
        return self.world.job(next(job for job in self.world.design.jobs() if job.flow == flow))

    def comes(self, units: int, why: Any = "receipt", sku: str = "mug") -> None:
        """Goods come in, or a stock-take finds more, or fewer."""
        self.world.done(Move(why, sku, units))

    def copy_stops(self) -> None:
        """From here on the record is read from a copy that does not follow."""
        record: Any = self.world.stores["record"]
        self.world.old_copy = record.snapshot()

    def asks_in_vain(self, name: str, verb: str) -> None:
        """It is done, and nobody hears so; the worker gives up."""
        self.after(self.worker(name), verb, "dies after")


def wants(name: str, card: str = "good", amount: int = 100) -> Order:
    return Order(name, (Line("mug", 1, amount),), amount, card)


ANN, BOB, CAT = wants("ann"), wants("bob"), wants("cat")
Told = Callable[[type[Architecture]], Story]


def a_newer_post_is_in_the_snapshot(kind: type[Architecture]) -> Story:
    """Ann reserves before Bob, and Bob is posted first."""
    story = Story(kind, POLICY, 2, (ANN, BOB, CAT))
    ann = story.after(story.worker("ann"), "consume")
    story.works("bob")
    story.ticks("post", "refresh")
    story.works("cat")
    story.world.run(ann)
    return story


def an_acknowledged_post_is_not_in_the_copy(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN, BOB, CAT))
    story.comes(1)
    story.copy_stops()
    story.works("ann")
    story.ticks("post", "refresh")
    story.works("bob", "cat")
    return story


def the_next_page_comes_from_an_older_copy(kind: type[Architecture]) -> Story:
    """A mug comes in, then a pot, then another mug; the page that begins with the pot is a newer copy's."""
    story = Story(kind, replace(POLICY, batches={"inbound": 1}), 1, (), pot=1)
    story.comes(1)
    story.copy_stops()
    story.world.old_copy, older = None, story.world.old_copy
    story.comes(1, sku="pot")
    story.comes(1)
    inbound = story.after(story.job("refresh"), "refresh")
    story.world.old_copy = older
    story.world.run(inbound)
    story.world.old_copy = None
    story.ticks("refresh")
    return story


def a_post_is_answered_twice(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN, BOB))
    story.works("ann")
    story.after(story.job("post"), "post", "dies after")
    story.ticks("post")
    story.works("bob")
    return story


def an_older_snapshot_comes_last(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN,))
    story.comes(1)
    early = story.before(story.job("refresh"), "refresh")
    story.comes(1)
    story.ticks("refresh")
    story.world.run(early)
    return story


def a_snapshot_is_read_twice(kind: type[Architecture]) -> Story:
    """A post between two readings."""
    story = Story(kind, POLICY, 2, (ANN, BOB))
    story.works("ann")
    story.comes(1)
    refresh = story.after(story.job("refresh"), "read_changes")
    story.ticks("post")
    story.world.run(refresh)
    return story


def the_clock_goes_back(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN, BOB))
    ann = story.before(story.worker("ann"), "consume")
    story.world.wait(25 * SECOND)
    story.works("bob")
    story.world.stock_is_behind_us = 40 * SECOND
    story.world.run(ann)
    return story


def an_old_ask_meets_a_new_reservation(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN,))
    ann = story.before(story.worker("ann"), "consume")
    story.world.wait(25 * SECOND)
    story.after(ann, "consume", "done again late")
    story.after(ann, "reserve", "dies after")
    story.world.run(story.world.canceller("ann"))
    story.world.arrive(0)
    story.works("ann")
    return story


def a_cancel_comes_while_it_is_fulfilled(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN, BOB))
    ann = story.after(story.worker("ann"), "consume")
    story.after(story.world.canceller("ann"), "write_order", "dies before")
    story.world.run(ann)
    story.works("bob")
    return story


def a_pinned_order_is_cancelled(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN,))
    story.asks_in_vain("ann", "consume")
    story.world.run(story.world.canceller("ann"))
    story.works("ann")
    return story


def the_payment_outlasts_the_reservation(kind: type[Architecture]) -> Story:
    story = Story(kind, replace(POLICY, order="reserve_first"), 1, (ANN, BOB))
    ann = story.after(story.worker("ann"), "charge")
    story.world.wait(25 * SECOND)
    story.works("bob")
    story.world.run(ann)
    return story


def a_post_is_refused(kind: type[Architecture]) -> Story:
    story = Story(kind, replace(POLICY, below_zero="reject"), 2, (ANN, BOB, CAT))
    story.works("ann", "bob")
    story.comes(-1, "correction")
    story.ticks("refresh", "post")
    story.comes(1)
    story.ticks("refresh")
    story.works("cat")
    story.ticks("post")
    return story


def the_stock_is_lost_between_pin_and_word(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN, BOB))
    ann = story.after(story.worker("ann"), "consume")
    story.world.loses_its_stock()
    story.ticks("rebuild")
    story.world.run(ann)
    story.works("bob")
    return story


def the_stock_is_lost_before_it_is_posted(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN, BOB))
    story.works("ann")
    story.world.loses_its_stock()
    story.ticks("rebuild", "refresh")
    story.works("bob")
    return story


def the_stock_is_lost_and_the_copy_is_old(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN, BOB))
    story.copy_stops()
    story.works("ann")
    story.ticks("post")
    story.world.loses_its_stock()
    story.ticks("rebuild")
    story.works("bob")
    return story


def a_message_outlives_its_key(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN,))
    story.asks_in_vain("ann", "charge")
    story.world.wait(200 * SECOND)
    story.world.step(story.before(story.worker("ann"), "charge", "look_up"), "dies, done late")
    story.world.wait(55 * SECOND)
    if story.world.late:
        story.world.arrive(0)
    return story


def a_worker_looks_at_the_clock_and_falls_asleep(kind: type[Architecture]) -> Story:
    story = Story(kind, replace(POLICY, key_retention_us=151 * SECOND), 1, (ANN,))
    story.asks_in_vain("ann", "charge")
    story.world.wait(85 * SECOND)
    ann = story.before(story.worker("ann"), "charge", "look_up")
    story.world.wait(28 * SECOND)
    story.world.step(ann, "dies, done late")
    story.world.wait(55 * SECOND)
    if story.world.late:
        story.world.arrive(0)
    return story


def a_charge_arrives_after_the_horizon(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN,))
    story.after(story.worker("ann"), "charge", "dies before")
    story.world.wait(50 * SECOND)
    story.after(story.worker("ann"), "charge", "dies, done late")
    story.world.wait(20 * SECOND)
    story.works("ann")
    story.world.arrive(0)
    return story


def an_error_stays_with_its_key(kind: type[Architecture]) -> Story:
    policy = replace(POLICY, key_retention_us=1_000 * HOUR)
    story = Story(kind, policy, 1, (wants("ann", "stored_error"),))
    story.works("ann")
    return story


def a_refund_fails(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 0, (wants("ann", "refund_fails"),))
    story.works("ann")
    story.world.wait(45 * SECOND)
    return story


def a_refund_fails_whose_key_is_known(kind: type[Architecture]) -> Story:
    story = Story(kind, replace(POLICY, key_retention_us=1_000 * HOUR), 0, (wants("ann", "refund_fails"),))
    story.works("ann")
    story.world.wait(45 * SECOND)
    return story


def a_refund_fails_that_nobody_heard_of(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 0, (wants("ann", "refund_fails"),))
    story.asks_in_vain("ann", "refund")
    story.world.wait(45 * SECOND)
    story.ticks("settle")
    story.works("ann")
    return story


def a_refund_is_not_heard_of(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 0, (ANN,))
    story.asks_in_vain("ann", "refund")
    story.world.wait(25 * SECOND)
    story.works("ann")
    return story


def goods_come_in_after_a_refund(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 0, (ANN,))
    story.asks_in_vain("ann", "refund")
    story.comes(1)
    story.ticks("refresh")
    story.works("ann")
    return story


def a_round_sum_goes_back(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 0, (wants("ann", amount=256),))
    story.works("ann")
    return story


def nobody_lives_to_do_it(kind: type[Architecture]) -> Story:
    story = Story(kind, POLICY, 1, (ANN,))
    for _ in range(4):
        story.after(story.world.hand(), "lease", "dies after")
        story.world.wait(50 * SECOND)
    return story


STORIES: Mapping[str, Told] = {
    "trusts_the_highest_post": a_newer_post_is_in_the_snapshot,
    "moves_the_cursor_on_an_old_copy": the_next_page_comes_from_an_older_copy,
    "believes_acks_over_versions": an_acknowledged_post_is_not_in_the_copy,
    "answers_duplicates_with_less": a_post_is_answered_twice,
    "takes_older_snapshots": an_older_snapshot_comes_last,
    "reads_quantity_before_version": a_snapshot_is_read_twice,
    "believes_the_clock": the_clock_goes_back,
    "consumes_by_order": an_old_ask_meets_a_new_reservation,
    "releases_at_the_cancel": a_cancel_comes_while_it_is_fulfilled,
    "releases_in_name_only": a_pinned_order_is_cancelled,
    "forgets_the_token": a_pinned_order_is_cancelled,
    "fulfils_what_is_paid": the_payment_outlasts_the_reservation,
    "releases_dead_letters": a_post_is_refused,
    "stops_at_a_refusal": a_post_is_refused,
    "fences_nothing": the_stock_is_lost_between_pin_and_word,
    "starts_empty_and_open": the_stock_is_lost_before_it_is_posted,
    "trusts_every_snapshot": the_stock_is_lost_and_the_copy_is_old,
    "charges_for_ever": a_message_outlives_its_key,
    "forgets_message_life": a_message_outlives_its_key,
    "forgets_worker_deadline": a_worker_looks_at_the_clock_and_falls_asleep,
    "charges_anew_after_not_found": a_charge_arrives_after_the_horizon,
    "closes_at_the_horizon": a_charge_arrives_after_the_horizon,
    "keeps_one_charge_key": an_error_stays_with_its_key,
    "forgets_failed_refunds": a_refund_fails,
    "keeps_one_refund_key": a_refund_fails_whose_key_is_known,
    "passes_open_orders": a_refund_fails_that_nobody_heard_of,
    "refunds_again_under_a_new_key_after_silence": a_refund_is_not_heard_of,
    "refunds_before_writing": goods_come_in_after_a_refund,
    "forgets_round_sums": a_round_sum_goes_back,
    "buries_dead_letters": nobody_lives_to_do_it,
}
"""Mutant -> the story that shows it."""


def played(name: str, kind: type[Architecture]) -> SmallWorld:
    """A mutant's story, on it or on another design, to its end."""
    world = STORIES[name](kind).world
    world.calm_down()
    return world
