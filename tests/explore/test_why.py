"""Why it happened: an explanation for each family of checkers says what decided it, in five to ten sentences."""

from __future__ import annotations

import pytest

from orderquake.model.mutants import MUTANTS
from orderquake.sim.checkers import CHECKERS
from orderquake.sim.explore.hunt import hunt, shrink
from orderquake.sim.explore.hunt.found import Found
from orderquake.sim.explore.hunt.why import BUILDERS, FEWEST, MOST, explain
from orderquake.sim.explore.hunt.why.tale import Tale
from orderquake.sim.history import History
from orderquake.sim.run import simulate
from tests.explore.stories import NAMES, found_in, story

SAID: dict[str, tuple[str, ...]] = {
    "overwrites_on_refresh": (
        "did not contain the post of ann's order, which had not been made yet",
        "it raised what the stock may promise by 1",
        "Bob's order was promised 1 of sku-1",
    ),
    "subtracts_at_apply": ("was dropped as contained for ann", "is not what the record had at that version"),
    "keys_each_attempt": (
        "The provider had done so under key charge/1/0, and was asked again under key charge/1/1",
        "takes the money once for each key",
    ),
    "consumes_without_looking": ("although nobody had pinned the unit", "have all been told that they get it"),
    "loser_releases": ("released ann's unit, which was pinned", "its write had lost against a faster one"),
    "refunds_before_writing": ("before anybody had written down that it should",),
    "forgets_dedup": ("One thing goes wrong: duplicate", "A copy of the same ask", "under the same key"),
    "skips_posting": ("no row of the table allows that", "while nothing said that somebody was about to"),
    "releases_twice": ("snapshots were refused",),
    "grants_grace": ("after it had lapsed",),
    "never_recovers": ("The last that anybody did for it", "the order was put in line 0 times"),
    "skips_a_change": ("none of these brought the change",),
    "refunds_in_silence": ("Nobody ever asked the notice board to tell the customer",),
    "never_gives_up": ("Try 1:", "Try 2:"),
    "forgets_failed_refunds": ("is owed once more, and nobody asked again",),
    "refunds_again_under_a_new_key_after_silence": ("was asked again under key refund/2",),
    "fences_nothing": ("goes wrong: wiped at stock", "that the rebuild job read", "was forgotten with the old count"),
    "trusts_every_snapshot": ("goes wrong: stale replica at record", "was forgotten with the old count"),
    "trusts_the_highest_post": ("The commitment was dropped", "1 came in at"),
    "releases_dead_letters": ("a stock-take found 1 fewer at", "the outbound job released ann's unit"),
    "calls_nothing_in": ("a stock-take found 2 fewer at 1.56 s and 1 came in at 4.38 s",),
    "ranks_by_hearsay": ("have all been told that they get it",),
    "refunds_on_the_webhook_too": ("was asked again under key refund/webhook for the webhook",),
    "resurrects_on_extend": ("was extended at", "A reservation is live until its deadline"),
}
"""Story -> what its explanation must say."""


def told(name: str) -> list[str]:
    small = story(name)
    return explain(small.history, small.checker, small.reason, small.failure.witness)


def test_every_checker_has_somebody_who_explains() -> None:
    assert set(BUILDERS) == set(CHECKERS)


@pytest.mark.parametrize("name", NAMES)
def test_an_explanation_has_five_to_ten_sentences_and_ends_with_the_verdict(name: str) -> None:
    sentences = told(name)
    assert FEWEST <= len(sentences) <= MOST, sentences
    assert all(sentence.endswith(".") for sentence in sentences)
    assert len(set(sentences)) == len(sentences)
    assert sentences[-1].startswith(f"{story(name).checker}: ")


@pytest.mark.parametrize("name", SAID)
def test_an_explanation_says_what_decided_it(name: str) -> None:
    text = "\n".join(told(name))
    missing = [phrase for phrase in SAID[name] if phrase not in text]
    assert not missing, text


@pytest.mark.parametrize("name", NAMES)
def test_customers_have_names_and_no_numbers(name: str) -> None:
    assert "o-" not in "\n".join(told(name)).replace("so-", "")


def test_a_customer_of_whom_nothing_is_written_yet_is_not_counted() -> None:
    history = History()
    history.state(0, "opening", kind="config", sku="mug", units=1, version=0, witness="outside")
    assert next(Tale(history, "never_oversold", "nothing", (0,)).scene()) == "The shelf has 1 of mug."


def test_a_calm_day_is_said_to_be_calm_and_a_fault_is_named() -> None:
    assert "Nothing fails on this day." in told("overwrites_on_refresh")
    assert "Nothing fails on this day." not in told("forgets_dedup")


@pytest.mark.parametrize("checker", sorted(CHECKERS))
def test_a_builder_bears_any_history(checker: str) -> None:
    """A builder may be asked about what another bug did: it says less, and does not fail."""
    for name in ("overwrites_on_refresh", "forgets_dedup", "never_recovers"):
        found = found_in(name)
        small = story(name)
        sentences = explain(small.history, checker, found.reason, small.failure.witness)
        assert 2 <= len(sentences) <= MOST


def test_a_checker_of_ones_own_is_told_by_what_led_to_it() -> None:
    small = story("overwrites_on_refresh")
    sentences = explain(small.history, "mine", "it broke", small.failure.witness)
    assert sentences[-1] == "mine: it broke."
    assert any("asks for" in sentence for sentence in sentences)


def test_what_an_asker_heard_is_told_as_it_was() -> None:
    def tale_of(name: str) -> Tale:
        small = story(name)
        return Tale(small.history, small.checker, small.reason, small.failure.witness)

    calm = tale_of("overwrites_on_refresh")
    charge = next(row for row in calm.rows if row.kind == "invoke" and row.operation == "charge")
    assert calm.heard(charge).startswith("and was answered captured at ")
    assert calm.who_heard(charge).startswith("who was answered captured at ")
    silent = tale_of("never_gives_up")
    first = next(row for row in silent.rows if row.kind == "info")
    asked = next(
        row for row in silent.rows if (row.kind, row.op_id, row.operation) == ("invoke", first.op_id, first.operation)
    )
    assert silent.heard(asked).startswith("and heard nothing until ")


def test_a_count_that_was_read_before_and_written_after_is_told() -> None:
    found = hunt("article", budget_s=20.0, strategies=["hypothesis", "stress"], checkers=["never_oversold"])
    assert isinstance(found, Found)
    small = shrink(found)
    text = "\n".join(explain(small.history, small.checker, small.reason, small.failure.witness))
    assert "For ann, the count of sku-1 was written as 0 at " in text
    assert "by what had been read at " in text


@pytest.mark.parametrize(
    ("mutant", "says"),
    [
        ("posts_addresses", ("To post carries order and personal.", "in head-office, where the law is us's")),
        ("mails_the_card", ("payment secret",)),
        ("keeps_addresses", ("order cache",)),
        ("asks_for_the_ledger", ("asked for",)),
    ],
)
def test_data_that_went_where_it_may_not_be_is_followed(mutant: str, says: tuple[str, ...]) -> None:
    run = simulate("residency", on=MUTANTS[mutant], seed=1)
    name, verdict = next((name, each) for name, each in run.verdicts.items() if each.status == "invalid")
    sentences = explain(run.history, name, verdict.reason, verdict.witness)
    assert FEWEST <= len(sentences) <= MOST
    for part in says:
        assert any(part in sentence for sentence in sentences), sentences
