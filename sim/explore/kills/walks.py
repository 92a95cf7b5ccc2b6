"""Days made up at random, at small scope: a few orders, some troubles, and everybody goes on in any order.

A walk is all made of one seed. Which troubles there are is drawn first, and then how often: a day with a few of them
shows more than one with all. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.model.order import Line, Order
from orderquake.model.policy import MINUTE, SECOND, OrderOfSteps, Policy
from orderquake.model.record import Move
from orderquake.sim.explore.kills.small_world import TROUBLES, Party, Scope, SmallWorld, Trouble

PRICE = 100
POLICIES: tuple[OrderOfSteps, ...] = ("pay_first", "pay_first", "reserve_first", "authorise_reserve_capture")
CARDS = (
    "good",
    "good",
    "good",
    "good",
    "declined",
    "stored_error",
    "stored_error_paid",
    "refund_fails",
    "pays_in_part",
)
JUMPS_US = (SECOND, 10 * SECOND, 25 * SECOND, 50 * SECOND, 70 * SECOND)
LONG_US = 6 * MINUTE
MOVES = 400
"""So many moves at most before all calms down."""


def scope_of(dice: Random, policies: tuple[OrderOfSteps, ...] = POLICIES) -> Scope:
    """A small shop with few goods."""
    order = dice.choice(policies)
    policy = Policy(
        order=order,
        ttl_us=20 * SECOND,
        extends=dice.random() < 0.5,
        expires_on_look=dice.random() < 0.7,
        decide_within_us=10 * MINUTE,
        send_horizon_us=MINUTE,
        key_retention_us=4 * MINUTE,
        refund_delay_us=dice.choice((0, 15 * SECOND)),
        worker_deadline_us=30 * SECOND,
        idle_us=20 * SECOND,
        max_deliveries=3,
        settle_after_us=0,
        below_zero=dice.choice(("backorder", "backorder", "reject")),
        batches=dict.fromkeys(("inbound", "outbound", "rebuild"), dice.choice((1, 2, 200))),
    )
    opening = {"mug": dice.choice((1, 1, 2, 3)), "tea": dice.choice((1, 2, 4))}
    with_cards = dice.random() < 0.5
    return Scope(
        policy, opening, tuple(order_of(dice, number, with_cards) for number in range(dice.choice((2, 3, 4, 6, 8))))
    )


def order_of(dice: Random, number: int, with_cards: bool) -> Order:
    skus = dice.choice((("mug",), ("mug",), ("tea",), ("mug", "tea"), ("tea", "mug")))
    units = [dice.choice((1, 1, 1, 2)) for _ in skus]
    lines = tuple(Line(sku, many, many * PRICE) for sku, many in zip(skus, units, strict=True))
    card = dice.choice(CARDS) if with_cards else "good"
    return Order(f"order-{number}", lines, sum(line.amount for line in lines), card)


class Walk:
    """One day, move by move.

    may     troubles that there are today
    often   chance that there is one at an ask
    struck  the one service whose asks have all the trouble, "" for any
    """

    def __init__(self, kind: type[Architecture], dice: Random, policies: tuple[OrderOfSteps, ...] = POLICIES) -> None:
        self.dice = dice
        self.world = SmallWorld(kind, scope_of(dice, policies))
        self.may = tuple(trouble for trouble in TROUBLES if dice.random() < 0.4)
        self.often = dice.choice((0.0, 0.02, 0.05, 0.15)) if self.may else 0.0
        self.unborn = list(self.world.scope.orders)
        self.born: list[Order] = []
        self.mute = ""
        self.struck = dice.choice(("", *self.world.stores)) if dice.random() < 0.6 else ""
        if self.struck and self.may:
            self.often = dice.choice((0.1, 0.3, 0.6))
        moves: list[tuple[Callable[[], Any], float]] = [
            (self.go_on, 14.0),
            (self.submit, 1.0),
            (self.work, 3.0 * self.fancy()),
            (self.take, 1.0 * self.fancy()),
            (self.tick, 1.0 * self.fancy()),
            (self.cancel, 0.3 * self.fancy()),
            (self.hear, 0.2 * self.fancy()),
            (self.jump, 0.3 * self.fancy()),
            (self.arrive, 0.6 * self.fancy()),
            (self.deliver, 0.1 * self.fancy()),
            (self.count, 0.1 * self.fancy()),
            (self.lose_stock, 0.05 * self.fancy()),
            (self.step_back, 0.1 * self.fancy()),
            (self.wait_long, 0.03 * self.fancy()),
            (self.fall_silent, 0.1 * self.fancy()),
            (self.change_the_feed, 0.05 * self.fancy()),
        ]
        self.moves = [move for move, weight in moves if weight]
        self.weights = [weight for _, weight in moves if weight]
        self.losses = 0

    def go(self) -> SmallWorld:
        """The day, and what comes after."""
        for _ in range(MOVES):
            self.dice.choices(self.moves, self.weights)[0]()
            if not self.unborn and not self.world.parties and self.dice.random() < 0.02:
                break
        for order in self.unborn:
            self.world.run(self.world.customer(order))
        self.world.calm_down()
        return self.world

    # -- moves

    def go_on(self) -> None:
        """Somebody goes on by one ask; or for a while, as if the others slept."""
        if not self.world.parties:
            self.work()
            return
        party = self.dice.choice(self.world.parties)
        for _ in range(self.dice.choice((1, 1, 2, 5, 12))):
            if party.waits is None:
                return
            self.world.step(party, self.trouble_of(party))

    def fancy(self) -> float:
        """How much of something there is today."""
        return self.dice.choice((0.0, 0.3, 1.0, 1.0, 5.0))

    def trouble_of(self, party: Party) -> Trouble:
        """What becomes of its next ask."""
        if party.waits is not None and party.waits.ask.service == self.mute:
            return self.dice.choice(("ask lost", "answer lost", "done late"))
        if self.struck and (party.waits is None or party.waits.ask.service != self.struck):
            return ""
        return self.dice.choice(self.may) if self.often and self.dice.random() < self.often else ""

    def submit(self) -> None:
        """A customer comes, or clicks twice."""
        if self.unborn:
            order = self.unborn.pop(0)
            self.born.append(order)
        elif self.born and self.dice.random() < 0.1:
            order = self.dice.choice(self.born)
        else:
            return
        self.world.customer(order)

    def some_order(self) -> str | None:
        return self.dice.choice(self.born).id if self.born else None

    def work(self) -> None:
        """Somebody takes up an order; more than two hands on one are hardly ever seen."""
        order_id = self.some_order()
        if order_id is not None and self.busy(f"worker {order_id}") < 2:
            self.world.worker(order_id)

    def take(self) -> None:
        if self.busy("hand") < 2:
            self.world.hand()

    def busy(self, name: str) -> int:
        return sum(party.name == name for party in self.world.parties)

    def tick(self) -> None:
        job = self.dice.choice(self.world.design.jobs())
        if self.busy(job.name) < 2:
            self.world.job(job)

    def cancel(self) -> None:
        order_id = self.some_order()
        if order_id is not None and self.busy(f"canceller {order_id}") < 1:
            self.world.canceller(order_id)

    def hear(self) -> None:
        """The provider calls."""
        order_id = self.some_order()
        hear = getattr(self.world.design, "hear", None)
        if order_id is not None and hear is not None:
            self.world.begin(f"webhook {order_id}", hear(order_id))

    def jump(self) -> None:
        self.world.wait(self.dice.choice(JUMPS_US))

    def wait_long(self) -> None:
        self.world.wait(LONG_US)

    def arrive(self) -> None:
        if self.world.late:
            self.world.arrive(self.dice.randrange(len(self.world.late)))

    def deliver(self) -> None:
        """Goods come in."""
        self.outside(Move("receipt", self.dice.choice(("mug", "tea")), 1))

    def count(self) -> None:
        """A stock-take finds one more, or fewer."""
        self.outside(Move("correction", self.dice.choice(("mug", "tea")), self.dice.choice((-1, 1))))

    def outside(self, move: Move) -> None:
        self.world.done(move)

    def lose_stock(self) -> None:
        if self.losses < 2:
            self.losses += self.world.loses_its_stock()

    def fall_silent(self) -> None:
        """A service gives no answer until further notice; or all do again."""
        self.mute = self.dice.choice(tuple(self.world.stores)) if not self.mute else ""

    def change_the_feed(self) -> None:
        """The record's copy ceases to follow, or its feed says zero; or all is well again."""
        world = self.world
        if world.old_copy is not None or world.says_zero:
            world.old_copy, world.says_zero = None, False
        elif self.dice.random() < 0.7:
            record: Any = world.stores["record"]
            world.old_copy = record.snapshot()
        else:
            world.says_zero = True

    def step_back(self) -> None:
        """The owner's clock goes back."""
        self.world.stock_is_behind_us += 25 * SECOND


def walk(kind: type[Architecture], seed: int, policies: tuple[OrderOfSteps, ...] = POLICIES) -> SmallWorld:
    """A day made of a seed, played to its end."""
    return Walk(kind, Random(seed), policies).go()
