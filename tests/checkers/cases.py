"""For every checker a history that keeps its promise, one that breaks it, and one that does not say.

Each guilty history is a good day in which one thing goes wrong, chosen so that only this checker objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from orderquake.sim.history import History
from tests.checkers.histories import BOUNDARIES, SECOND, TTL, Story, good_day


def innocent() -> History:
    return good_day().finish()


def cut_short() -> History:
    """Somebody pulls the plug in the middle of an order."""
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    story.reserve("finn")
    return story.end("cut_short")


# -- guilty


def two_customers_get_the_last_mug() -> History:
    story = Story(opening={"mug": 1})
    story.buy("ann", mug=1)
    story.buy("bob", mug=1)
    return story.finish()


def a_release_gives_back_more_than_was_held() -> History:
    story = good_day()
    story.register("finn", mug=1)
    story.pay("finn")
    story.reserve("finn")
    story.free("finn", units=2)
    story.pay_back("finn")
    story.tell("finn")
    return story.finish()


def the_charge_is_ten_short() -> History:
    story = good_day()
    story.register("finn", mug=1)
    story.move("finn", "charging")
    story.capture("finn", 90)
    story.move("finn", "paid")
    story.reserve("finn")
    story.fulfil("finn")
    story.tell("finn")
    story.quiet()
    story.move_sync("finn", "posting")
    story.post("finn", amount=90)
    story.ship("finn", "mug")
    story.move_sync("finn", "posted")
    return story.finish()


def charged_twice_and_paid_back_once() -> History:
    story = good_day()
    story.capture("eve", key="eve/charge/2")
    story.refund("eve")
    return story.finish()


def paid_back_in_two_parts() -> History:
    story = good_day()
    story.register("finn", mug=1)
    story.pay("finn")
    story.move("finn", "refund_pending")
    story.refund("finn", 60)
    story.refund("finn", 40)
    story.move("finn", "refunded")
    story.tell("finn")
    return story.finish()


def posted_twice() -> History:
    story = good_day()
    story.quiet()
    story.sync_up("eve")
    story.post("eve")
    return story.finish()


def fulfilled_straight_from_paid() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    story.hold("finn")
    story.fulfil("finn")
    story.tell("finn")
    return story.finish()


def consumed_at_the_deadline() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    story.reserve("finn")
    story.now += TTL - SECOND  # `pin` waits the last second
    story.fulfil("finn")
    story.tell("finn")
    return story.finish()


def an_order_is_forgotten() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.move("finn", "charging")
    return story.finish()


def a_delivery_the_cache_never_hears_of() -> History:
    story = good_day()
    story.quiet()
    story.sync_up("eve")
    story.sync_up("bob")
    story.refresh()
    story.receipt("bowl", 10)
    return story.end()


def an_older_snapshot_is_applied() -> History:
    story = good_day()
    story.rebase("mug", version=1, on_hand=8)
    return story.finish()


def a_customer_is_never_told() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    story.reserve("finn")
    story.fulfil("finn")
    return story.finish()


def one_attempt_too_many() -> History:
    story = good_day()
    for attempt in range(4):
        story.row("reserve", kind="invoke", order="eve", op_id=f"eve.{attempt}", attempt=attempt, actor="worker-1")
    return story.finish()


def an_address_goes_to_boston() -> History:
    story = good_day()
    story.ask("notify", place="boston")
    return story.finish()


def the_front_door_takes_the_card() -> History:
    story = good_day()
    story.row("charge", kind="invoke", order="eve", op_id="eve.9", actor="worker-1", place="paris")
    drawn(story, askers={**BOUNDARIES["askers"], "charge": ["front", "worker"]})
    story.ask("charge", "eve", actor="front-paris")
    return story.finish()


def the_address_lies_in_the_order_cache() -> History:
    story = good_day()
    drawn(story, carries={**BOUNDARIES["carries"], "register": ["order", "personal"]})
    story.ask("register", "eve", actor="front-paris")
    return story.finish()


def a_job_reserves_and_is_answered() -> History:
    story = good_day()
    story.ask("reserve", "", actor="outbound")
    return story.finish()


def drawn(story: Story, **otherwise: Any) -> None:
    """From now on the boundaries are others."""
    story.row("residency", kind="config", answer=json.dumps({**BOUNDARIES, **otherwise}))


# -- undecided


def a_customer_is_told_of_an_order_nobody_knows() -> History:
    story = good_day()
    story.row("notice", order="zoe", to_state="fulfilled", witness="outside")
    return story.finish()


def goods_whose_opening_is_not_known() -> History:
    story = good_day()
    for operation, debit, credit in (
        ("receipt", "record.on_hand", "supplier"),
        ("rebase", "cache.available", "cache.base"),
    ):
        story.row(operation, sku="vase", units=3, version=1, answer="applied", debit=debit, credit=credit)
    return story.finish()


def a_replay_of_a_charge_that_the_ledger_lacks() -> History:
    story = Story()
    story.register("ann", mug=1)
    story.capture("ann", is_new=False, debit="", credit="")
    return story.end()


def cut_short_before_the_customer_is_told() -> History:
    story = good_day()
    story.register("finn", bowl=1)
    story.pay("finn")
    story.reserve("finn")
    story.fulfil("finn")
    return story.end("cut_short")


def an_unknown_policy() -> History:
    story = Story(policy="pay_never")
    story.buy("ann", mug=1)
    return story.finish()


def asked_again_under_no_limit() -> History:
    story = Story()
    story.row("charge", kind="invoke", order="ann", attempt=7)
    return story.finish()


def an_ask_of_which_nobody_says_what_it_carries() -> History:
    story = Story(residency=BOUNDARIES)
    story.ask("consume")
    return story.finish()


def asked_outside_the_role_and_never_answered() -> History:
    story = good_day()
    story.row("reserve", kind="invoke", op_id="o.1", actor="outbound", place="paris")
    return story.end()


class Case(NamedTuple):
    guilty: Callable[[], History]
    says: str
    """A piece of the reason given for the guilty history."""
    undecided: Callable[[], History]
    innocent: Callable[[], History] = innocent


CASES: Mapping[str, Case] = {
    "never_oversold": Case(
        two_customers_get_the_last_mug,
        "mug: with 1 for order bob, 2 units are promised",
        a_customer_is_told_of_an_order_nobody_knows,
    ),
    "units_conserved": Case(
        a_release_gives_back_more_than_was_held,
        "free of 2 mug under token finn/t",
        goods_whose_opening_is_not_known,
    ),
    "money_conserved": Case(the_charge_is_ten_short, "fulfilled for 100, but the shop keeps 90", cut_short),
    "charged_once": Case(
        charged_twice_and_paid_back_once,
        "order eve was charged 300 and then 300 again",
        a_replay_of_a_charge_that_the_ledger_lacks,
    ),
    "refunded_right": Case(paid_back_in_two_parts, "60 went back to order finn, of which 100", cut_short),
    "posted_once": Case(posted_twice, "order eve was posted twice", cut_short),
    "legal_transitions": Case(fulfilled_straight_from_paid, "finn went from 'paid' to 'fulfilled'", an_unknown_policy),
    "reservation_hygiene": Case(consumed_at_the_deadline, "pin of bowl under token finn/t at", cut_short),
    "every_order_ends": Case(an_order_is_forgotten, "order finn is still charging", cut_short),
    "books_converge": Case(
        a_delivery_the_cache_never_hears_of,
        "bowl: the record is at version 2, the cache's base at version 1",
        cut_short,
    ),
    "fresh_snapshots_only": Case(
        an_older_snapshot_is_applied,
        "mug: a snapshot of version 1 replaced one of version 2",
        goods_whose_opening_is_not_known,
    ),
    "notices_sent": Case(
        a_customer_is_never_told,
        "order finn was fulfilled, but its customer was never told",
        cut_short_before_the_customer_is_told,
    ),
    "backpressure_bounded": Case(
        one_attempt_too_many, "reserve of order eve was tried 4 times, 3 allowed", asked_again_under_no_limit
    ),
    "personal_data_stays_home": Case(
        an_address_goes_to_boston,
        "notify brings personal data to boston, where the law is us's",
        an_ask_of_which_nobody_says_what_it_carries,
    ),
    "payment_secrets_contained": Case(
        the_front_door_takes_the_card,
        "charge, which carries a payment secret, is asked by a front",
        an_ask_of_which_nobody_says_what_it_carries,
    ),
    "order_cache_holds_minimum": Case(
        the_address_lies_in_the_order_cache,
        "register brings personal to the Order Cache",
        an_ask_of_which_nobody_says_what_it_carries,
    ),
    "asks_within_role": Case(
        a_job_reserves_and_is_answered,
        "outbound, a job, asked reserve, which is for workers, and got an answer",
        asked_outside_the_role_and_never_answered,
    ),
}
