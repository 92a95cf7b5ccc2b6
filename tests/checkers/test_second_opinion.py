"""Two algorithms, one judgement: folds and columns over thousands of small histories that nobody thought up."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from orderquake.sim.checkers import CHECKERS
from orderquake.sim.checkers.columns import exactly_once, foreign_oversold_units, oversold_units, second_opinion
from orderquake.sim.checkers.fold import Verdict
from orderquake.sim.checkers.judge import judge_fully
from orderquake.sim.history import History
from tests.checkers.cases import CASES, innocent
from tests.checkers.histories import Story

TWINS = ("never_oversold", "charged_once", "posted_once")
HISTORIES = 1500


def verdicts(history: History) -> dict[str, Verdict]:
    return judge_fully(history, [CHECKERS[name]() for name in TWINS])


def random_stock_story(dice: Random) -> History:
    """Grants, releases, posts, deliveries, other channels, refreshes and losses, mostly right and sometimes wrong."""
    opening = {"mug": dice.randint(0, 3), "bowl": dice.randint(1, 4)}
    story = Story(opening=opening, pool=dice.choice(["ring_fenced", "shared"]))
    if dice.random() < 0.02:
        story.row("hold", order="x", key="x/t", sku="vase", units=1, version=0)
    known = [f"o{number}" for number in range(dice.randint(1, 4))]
    for order in known:
        lines = {sku: dice.randint(1, 2) for sku in ("mug", "bowl") if dice.random() < 0.7}
        story.lines[order] = lines
        story.state[order] = "fulfilled"
        if dice.random() < 0.97:
            for number, (sku, units) in enumerate(lines.items()):
                story.row("ordered", order=order, line=number, sku=sku, units=units)
    for _ in range(dice.randint(0, 14)):
        order = dice.choice(known)
        sku = dice.choice(["mug", "bowl"])
        units = dice.randint(1, 2)
        match dice.randrange(12):
            case 0 | 1 | 2:
                for each in story.lines[order]:
                    version = story.base_v.get(each, 0) if dice.random() < 0.8 else dice.randint(0, story.version[each])
                    story.row("hold", order=order, key=order, sku=each, units=story.lines[order][each], version=version)
            case 3:
                story.free(order)
            case 4 | 5:
                story.row("notice", order=order, to_state="fulfilled", is_new=dice.random() < 0.9, witness="outside")
            case 6:
                for each in story.lines[order]:
                    story.ship(order, each)
            case 7:
                story.refresh() if dice.random() < 0.7 else story.rebase(sku)
            case 8:
                story.receipt(sku, units)
            case 9:
                story.foreign_sale(sku, units)
            case 10:
                story.correction(sku, dice.choice([-2, -1, 1]))
            case 11 if dice.random() < 0.5:
                story.lose_the_cache()
                if dice.random() < 0.7:
                    story.adopt(order)
    return story.history


def random_money_story(dice: Random) -> History:
    """Charges, ends, posts and shipments, mostly once and sometimes twice, early, or never."""
    story = Story(opening={"mug": 9, "bowl": 9})
    steps: list[tuple[str, str]] = []
    for number in range(dice.randint(0, 3)):
        order = f"o{number}"
        story.lines[order] = {sku: dice.randint(1, 2) for sku in ("mug", "bowl") if dice.random() < 0.7}
        for place, (sku, units) in enumerate(story.lines[order].items()):
            story.row("ordered", order=order, line=place, sku=sku, units=units)
        ended = dice.choice(["fulfilled", "fulfilled", "refunded", "declined", ""])
        mine = [("capture", order)] if dice.random() < 0.8 else []
        mine += [("end", f"{order} {ended}")] if ended else []
        if ended in ("fulfilled", "refunded") or dice.random() < 0.1:
            mine += [("post", f"{order} {ended or 'fulfilled'}")]
            mine += [("ship", order)] if ended == "fulfilled" else []
        for kind, said in list(mine):
            chance = dice.random()
            if chance < 0.06:
                mine.append((kind, said))
            elif chance < 0.12:
                mine.remove((kind, said))
        if dice.random() < 0.1:
            dice.shuffle(mine)
        steps += mine
    for kind, said in steps:
        order, _, outcome = said.partition(" ")
        match kind:
            case "capture":
                story.capture(order, is_new=dice.random() < 0.95)
            case "end":
                story.row(dice.choice(["order", "notice"]), order=order, to_state=outcome)
            case "post":
                answer = dice.choice(["posted"] * 9 + ["duplicate", "rejected"])
                story.row("post", order=order, key=order, to_state=outcome, answer=answer, is_new=answer == "posted")
            case "ship":
                for sku in story.lines[order]:
                    if dice.random() < 0.97:
                        story.ship(order, sku)
    if dice.random() < 0.1:
        story.kill(dice.choice(["record", "payment"]))
    if dice.random() < 0.8:
        story.end(dice.choice(["complete", "complete", "cut_short"]))
    return story.history


@pytest.mark.parametrize(
    ("build", "names"), [(random_stock_story, TWINS[:1]), (random_money_story, TWINS[1:])], ids=["stock", "money"]
)
def test_rows_and_columns_agree_about_histories_drawn_at_random(build: object, names: tuple[str, ...]) -> None:
    assert callable(build)
    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(HISTORIES):
        history = build(Random(seed))
        found = verdicts(history)
        assert second_opinion(history, found) == [], f"seed {seed}"
        seen.update((name, found[name].status) for name in names)
    for name in names:
        for status in ("valid", "invalid", "unknown"):
            assert seen[name, status] > HISTORIES // 50, f"{name} was {status} only {seen[name, status]} times"


@pytest.mark.parametrize("name", TWINS)
def test_a_fold_that_errs_is_contradicted_by_the_columns(name: str) -> None:
    history = CASES[name].guilty()
    found = verdicts(history)
    assert second_opinion(history, found) == []
    blind = found | {name: Verdict.valid(found[name].obligations)}
    assert second_opinion(history, blind) == [f"{name}: valid by rows, invalid by columns"]


def test_a_fold_that_tests_too_little_is_contradicted_by_the_columns() -> None:
    history = innocent()
    found = verdicts(history)
    lazy = found | {"charged_once": Verdict.valid(1)}
    assert second_opinion(history, lazy) == ["charged_once: tested 1 times by rows, 3 by columns"]


def test_units_sold_twice_are_counted_by_sku() -> None:
    found = oversold_units(CASES["never_oversold"].guilty())
    assert (found.status, found.own, found.uncovered) == ("invalid", {"mug": 1}, {"mug": 1})
    assert (found.foreign, found.shortfall) == ({}, {})


def test_orders_charged_twice_are_counted_by_order() -> None:
    found = exactly_once(CASES["charged_once"].guilty())
    assert (found.charged, found.charged_again) == ("invalid", {"eve": 2})
    found = exactly_once(CASES["posted_once"].guilty())
    assert (found.posted, found.wrongly_posted, found.not_posted) == ("invalid", ("eve",), ())


@pytest.mark.parametrize(("pool", "taken"), [("shared", {"mug": 2}), ("ring_fenced", {})])
def test_what_another_channel_took_from_under_a_promise_is_measured(pool: str, taken: dict[str, int]) -> None:
    story = Story(opening={"mug": 3, "bowl": 3}, pool=pool)
    story.buy("ann", mug=2, bowl=1)
    story.foreign_sale("mug", 3)
    story.foreign_sale("bowl", 2)
    assert foreign_oversold_units(story.history) == taken


def test_a_shortfall_is_counted_apart_from_what_another_channel_took() -> None:
    story = Story(opening={"mug": 2}, pool="shared")
    story.buy("ann", mug=2)
    story.foreign_sale("mug", 1)
    story.correction("mug", -1)
    found = oversold_units(story.history)
    assert (found.status, found.foreign, found.shortfall) == ("valid", {"mug": 1}, {"mug": 1})


def test_columns_say_nothing_of_an_empty_history() -> None:
    assert oversold_units(History()).status == "unknown"
    found = exactly_once(History())
    assert (found.charged, found.posted) == ("unknown", "unknown")
