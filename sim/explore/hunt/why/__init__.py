"""Why a promise broke, in five to ten sentences: an explanation for each family of checkers.

Everything is read off the history: who asked what of whom (cause edges), what was answered, which version a snapshot
had. Nothing is judged again, and no model is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from orderquake.sim.explore.hunt.why.books import booked_wrong, states_wrong, unconverged
from orderquake.sim.explore.hunt.why.data import crossed
from orderquake.sim.explore.hunt.why.ends import never_told, pressed, unended
from orderquake.sim.explore.hunt.why.money import charged_twice, money_wrong
from orderquake.sim.explore.hunt.why.stock import misheld, oversold, stale, units_wrong
from orderquake.sim.explore.hunt.why.tale import Tale
from orderquake.sim.history import History

FEWEST, MOST = 5, 10
"""Sentences of an explanation."""
BUILDERS: Mapping[str, Callable[[Tale], Iterator[str]]] = {
    "never_oversold": oversold,
    "units_conserved": units_wrong,
    "reservation_hygiene": misheld,
    "fresh_snapshots_only": stale,
    "books_converge": unconverged,
    "charged_once": charged_twice,
    "money_conserved": money_wrong,
    "refunded_right": money_wrong,
    "posted_once": booked_wrong,
    "legal_transitions": states_wrong,
    "every_order_ends": unended,
    "notices_sent": never_told,
    "backpressure_bounded": pressed,
    "personal_data_stays_home": crossed,
    "payment_secrets_contained": crossed,
    "order_cache_holds_minimum": crossed,
    "asks_within_role": crossed,
}
"""Checker -> who explains what it found."""


def explain(history: History, checker: str, reason: str, witness: Sequence[int]) -> list[str]:
    """Five to ten sentences on why the promise broke; of a checker that nobody has a builder for, what led to it."""
    tale = Tale(history, checker, reason, tuple(witness))
    sentences = [*tale.scene(), *dict.fromkeys(BUILDERS.get(checker, Tale.led_to)(tale))]
    if len(sentences) >= MOST:
        sentences = [*sentences[: MOST - 1]]
    elif len(sentences) + 1 < FEWEST:
        sentences += [one for one in tale.led_to() if one not in sentences][: FEWEST - 1 - len(sentences)]
    return [*sentences, tale.verdict()]
