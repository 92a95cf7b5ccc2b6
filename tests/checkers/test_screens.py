"""A screen is sure only where the fold would be, and says nothing about histories that it was not made for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderquake.sim.checkers import CHECKERS
from orderquake.sim.checkers.backpressure_bounded import stays_below_the_brim
from orderquake.sim.checkers.fold import Context
from orderquake.sim.checkers.judge import judge_fully, judge_sparingly
from orderquake.sim.checkers.shelves import Shelves
from orderquake.sim.history import History
from tests.checkers.cases import CASES, innocent
from tests.checkers.crowd import crowd, ended
from tests.checkers.histories import LIMITS, SECOND, Story
from tests.checkers.judging import judge_both

SCREENED = sorted(name for name, checker in CHECKERS.items() if "screen" in vars(checker))
ORDINARY = ["bought", "bought_two_things", "paid_back", "charged_late", "cancelled", "let_go"]


def is_sure(name: str, history: History) -> bool:
    return CHECKERS[name]().screen(history, Context.of(history)) is not None


def test_the_promises_about_products_and_services_have_screens() -> None:
    assert SCREENED == [
        "asks_within_role", "backpressure_bounded", "books_converge", "fresh_snapshots_only", "never_oversold",
        "order_cache_holds_minimum", "payment_secrets_contained", "personal_data_stays_home", "posted_once",
        "reservation_hygiene", "units_conserved",
    ]  # fmt: skip


ABOUT_DATA = (
    "asks_within_role", "order_cache_holds_minimum", "payment_secrets_contained", "personal_data_stays_home",
)  # fmt: skip
"""Promised only where boundaries are drawn; on a crowd's day none are."""


@pytest.mark.parametrize("name", CHECKERS)
def test_every_promise_has_a_screen_or_shapes(name: str) -> None:
    assert name in SCREENED or CHECKERS[name].looks is not None


@pytest.mark.parametrize("name", SCREENED)
def test_an_ordinary_day_is_plain_to_see(name: str) -> None:
    history = innocent() if name in ABOUT_DATA else ended(crowd(ORDINARY))
    assert is_sure(name, history)
    assert judge_both(history, [CHECKERS[name]()])[name].status == "valid"


@pytest.mark.parametrize("name", SCREENED)
def test_what_is_wrong_or_unsaid_is_left_to_the_fold(name: str) -> None:
    assert not is_sure(name, CASES[name].guilty())
    assert not is_sure(name, CASES[name].undecided()) or name == "backpressure_bounded"


@pytest.mark.parametrize("name", ["never_oversold", "units_conserved", "fresh_snapshots_only", "books_converge"])
def test_a_loss_of_the_cache_is_left_to_the_fold(name: str) -> None:
    story = crowd(ORDINARY)
    story.lose_the_cache()
    assert not is_sure(name, ended(story))
    judge_both(story.history, [CHECKERS[name]()])


@pytest.mark.parametrize("name", ["never_oversold", "backpressure_bounded"])
def test_limits_that_change_are_left_to_the_fold(name: str) -> None:
    story = crowd(ORDINARY)
    story.row("limits", kind="config", answer=json.dumps({"policy": "pay_first", **LIMITS}))
    story.buy("late", mug=1)
    story.row("reserve", kind="invoke", order="late", attempt=1)
    assert not is_sure(name, ended(story))
    judge_both(story.history, [CHECKERS[name]()])


def test_a_sku_that_is_opened_twice_is_left_to_the_fold() -> None:
    story = Story()
    story.row("opening", kind="config", sku="mug", units=5)
    story.buy("ann", mug=1)
    for name in ("never_oversold", "units_conserved", "fresh_snapshots_only"):
        assert not is_sure(name, story.finish())
        judge_both(story.history, [CHECKERS[name]()])


def test_a_base_so_old_that_the_fold_has_forgotten_it_is_left_to_the_fold() -> None:
    """The fold keeps a thousand versions or so; the columns keep all."""
    story = Story(opening={"mug": 9})
    for _ in range(1_200):
        story.receipt("mug", 1)
    story.rebase("mug")
    story.buy("ann", mug=1)
    for _ in range(1_200):
        story.receipt("mug", 1)
    story.base_v["mug"] = 3
    story.buy("bob", mug=1)
    assert not is_sure("never_oversold", story.finish())
    judge_both(story.history, [CHECKERS["never_oversold"]()])


# -- buckets


def by_steps(times: list[int], per_s: float, burst: int) -> bool:
    """The fold's word on calls that one throttle let pass."""
    story = Story(throttles={"payment": {"per_s": per_s, "burst": burst}})
    for time in times:
        story.now = time
        story.admit("charge")
    return judge_fully(story.history, [CHECKERS["backpressure_bounded"]()])["backpressure_bounded"].status == "valid"


@settings(max_examples=200, deadline=None)
@given(
    gaps=st.lists(
        st.sampled_from([0, 1, 7, SECOND // 3, SECOND // 2 - 1, SECOND // 2, SECOND, 9 * SECOND]), min_size=1
    ),
    per_s=st.sampled_from([0.0, 0.3, 1, 1.5, 2, 3, 1_000_000]),
    burst=st.integers(0, 4),
    start=st.sampled_from([0, 1, 10**13]),
)
def test_a_bucket_is_below_the_brim_by_columns_exactly_where_it_is_by_steps(
    gaps: list[int], per_s: float, burst: int, start: int
) -> None:
    times = (start + np.cumsum(gaps)).tolist()
    assert stays_below_the_brim(np.array(times), {"per_s": per_s, "burst": burst}) == by_steps(times, per_s, burst)


def test_a_bucket_that_is_too_long_open_to_be_counted_is_left_to_the_fold() -> None:
    assert by_steps([2**61], 3, 1)
    assert not stays_below_the_brim(np.array([2**61]), {"per_s": 3, "burst": 1})


# -- planted mistakes: each makes a screen too sure, and is seen when its verdict is compared with the fold's


def a_claim_on_more_than_was_held() -> History:
    story = crowd(ORDINARY)
    story.register("eve", mug=1)
    story.pay("eve")
    story.reserve("eve")
    story.free("eve", units=2)
    story.pay_back("eve")
    story.tell("eve")
    return ended(story)


def stricter_limits_until_noon() -> History:
    story = crowd(ORDINARY)
    story.row("charge", kind="invoke", order="eve", op_id="w", attempt=3)
    story.row("limits", kind="config", answer=json.dumps({"max_attempts": {"charge": 9, "reserve": 9}}))
    return ended(story)


def a_throttle_that_lets_too_much_pass() -> History:
    story = crowd(ORDINARY)
    for _ in range(3):
        story.admit("charge")
    return ended(story)


def an_old_snapshot_after_a_delivery() -> History:
    story = crowd(ORDINARY)
    story.rebase("mug", version=0, on_hand=500)
    return ended(story)


def a_snapshot_that_is_ignored_at_the_end() -> History:
    story = crowd(ORDINARY)
    ended(story)
    story.receipt("mug", 1)
    story.rebase("mug", answer="ignored")
    return story.history


def a_token_whose_lines_lapse_one_after_the_other() -> History:
    story = crowd(["let_go"])
    story.register("eve", mug=1)
    story.hold("eve")
    story.row("hold", order="eve", key="eve/t", sku="bowl", units=1, deadline=story.now + 1, version=0)
    story.lines["eve"] = {"mug": 1, "bowl": 1}
    story.free("eve")
    return ended(story)


def goods_that_leave_before_they_are_asked_for() -> History:
    story = crowd(ORDINARY)
    story.lines["eve"] = {"mug": 1}
    story.move("eve", "fulfilled")
    story.post("eve")
    story.ship("eve", "mug")
    story.row("ordered", order="eve", line=0, sku="mug", units=1)
    story.state.pop("eve")
    return ended(story)


def the_cache_is_lost_and_its_units_with_it() -> History:
    story = crowd(ORDINARY)
    story.register("eve", mug=1)
    story.hold("eve")
    story.lose_the_cache()
    story.pin("eve")
    return ended(story)


MISTAKES: dict[str, tuple[str, str, str, Any, Callable[[], History]]] = {
    "forgets to add up": (
        "units_conserved", "units_conserved", "within", lambda starts, deltas: 0 * deltas,
        a_claim_on_more_than_was_held,
    ),
    "takes the last limits for the only ones": (
        "backpressure_bounded", "backpressure_bounded", "limits_are_known", lambda *_: True, stricter_limits_until_noon,
    ),
    "never looks how full a bucket is": (
        "backpressure_bounded", "backpressure_bounded", "stays_below_the_brim", lambda *_: True,
        a_throttle_that_lets_too_much_pass,
    ),
    "lets versions fall": (
        "fresh_snapshots_only", "fresh_snapshots_only", "before", lambda starts, values, at_first: 0 * values,
        an_old_snapshot_after_a_delivery,
    ),
    "takes an ignored snapshot for an applied one": (
        "books_converge", "books_converge", "applied_snapshots", lambda table: table.at("state", "rebase"),
        a_snapshot_that_is_ignored_at_the_end,
    ),
    "does not see that tokens differ": (
        "reservation_hygiene", "reservation_hygiene", "firsts", lambda token: np.arange(len(token)),
        a_token_whose_lines_lapse_one_after_the_other,
    ),
    "does not look when goods were asked for": (
        "posted_once", "posted_once", "goods_left_last", lambda table: True,
        goods_that_leave_before_they_are_asked_for,
    ),
    "overlooks that the cache was lost": (
        "units_conserved", "units_conserved", "plain_shelves", Shelves, the_cache_is_lost_and_its_units_with_it,
    ),
}  # fmt: skip
"""What is wrong: the checker, the module, what in it is replaced by what, and a history that shows it."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_screen_that_is_too_sure_is_seen(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, module, attribute, wrong, build = MISTAKES[mistake]
    history, checker = build(), CHECKERS[name]
    assert judge_both(history, [checker()])[name].status == "invalid"
    monkeypatch.setattr(f"orderquake.sim.checkers.{module}.{attribute}", wrong)
    assert judge_sparingly(history, [checker()])[name].status == "valid"
