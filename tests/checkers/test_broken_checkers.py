"""Every broken checker is noticed, and it is known by whom.

The first who is named is asked every time, the others where there is time.
"""

from __future__ import annotations

import pytest

from tests.checkers.broken import BROKEN
from tests.checkers.watchers import WATCHERS, noticed_by

NOTICED_BY = {
    # too much is allowed
    "sells_one_more": ["guilty", "edges", "columns"],
    "hears_the_first_line_only": ["innocent", "edges", "shapes", "columns"],
    "believes_the_drops": ["edges", "columns"],
    "carries_promises_over_a_loss": ["edges", "columns"],
    "counts_charges_by_key": ["guilty", "implied", "edges", "contradicted"],
    "forgets_charges_after_a_window": ["slow motion", "declared"],
    "may_be_used_at_its_deadline": ["guilty", "edges"],
    "forgets_the_second_line": ["innocent", "edges", "shapes"],
    "lets_a_charge_go_back_in_parts": ["guilty", "edges"],
    "forgets_late_rows": ["guilty", "edges", "shapes"],
    "does_not_count_what_left": ["edges", "declared", "columns"],
    "looks_only_where_orders_go": ["edges"],
    "counts_attempts_from_one": ["guilty", "edges"],
    "takes_any_number_for_a_base": ["edges"],
    "lets_an_empty_token_give": ["guilty", "implied", "edges"],
    # too much is held against somebody
    "ignores_refunds": ["innocent", "others", "implied", "declared"],
    "takes_an_echo_for_a_notice": ["edges", "shapes"],
    # what is not known is made up
    "takes_unknown_for_failure": ["undecided", "edges"],
    "takes_unknown_for_success": ["undecided", "edges"],
    "accepts_an_empty_history": ["empty"],
    "takes_absent_for_zero": ["undecided"],
    "excuses_with_any_death": ["edges"],
    # short cuts that are none
    "takes_orders_for_alike_that_differ_in_what_was_new": ["declared"],
    "takes_tokens_for_alike_whatever_their_moments": ["guilty", "shapes", "declared", "slow motion"],
    "sees_at_a_glance_what_it_has_not_looked_at": ["empty", "guilty", "shapes"],
    "a_second_opinion_that_is_the_first": ["contradicted"],
    "both_opinions_count_by_key": ["guilty", "implied", "edges", "shapes", "contradicted"],
}


def test_every_broken_checker_has_somebody_who_notices() -> None:
    assert list(NOTICED_BY) == [name for name in NOTICED_BY if name in BROKEN]
    assert set(NOTICED_BY) == set(BROKEN)
    assert all(NOTICED_BY.values())
    assert {watcher for watchers in NOTICED_BY.values() for watcher in watchers} == set(WATCHERS)


@pytest.mark.parametrize("name", NOTICED_BY)
def test_it_is_noticed_by_the_first_who_looks(name: str) -> None:
    assert noticed_by(name, NOTICED_BY[name][:1]) == NOTICED_BY[name][:1]


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTICED_BY)
def test_it_is_noticed_by_all_who_are_said_to_notice(name: str) -> None:
    assert set(NOTICED_BY[name]) <= set(noticed_by(name))
