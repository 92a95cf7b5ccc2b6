"""Checkers with one thing wrong, each put in the place of the right one. Who notices is in `watchers.py`.

A broken checker is a few methods of a right one, written otherwise. It keeps all else, what it says it looks at and its
screen included, so that it is asked wherever the right one would be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from orderquake.sim.checkers import CHECKERS, columns, finding
from orderquake.sim.checkers.backpressure_bounded import BackpressureBounded
from orderquake.sim.checkers.books_converge import BooksConverge
from orderquake.sim.checkers.charged_once import ChargedOnce
from orderquake.sim.checkers.every_order_ends import EveryOrderEnds
from orderquake.sim.checkers.finding import Finding, PartByPart, conclude, kept, undecided
from orderquake.sim.checkers.fold import Checker, Verdict
from orderquake.sim.checkers.fresh_snapshots_only import Base, FreshSnapshotsOnly
from orderquake.sim.checkers.legal_transitions import LegalTransitions
from orderquake.sim.checkers.money_conserved import MoneyConserved
from orderquake.sim.checkers.never_oversold import NeverOversold
from orderquake.sim.checkers.notices_sent import NoticesSent
from orderquake.sim.checkers.posted_once import PostedOnce
from orderquake.sim.checkers.refunded_right import RefundedRight
from orderquake.sim.checkers.reservation_hygiene import ReservationHygiene
from orderquake.sim.checkers.shapes import Looks
from orderquake.sim.checkers.units_conserved import UnitsConserved
from tests.checkers import (
    test_every_checker,
    test_second_opinion,
)


class Broken(NamedTuple):
    """of       the promise that it should keep
    patches   (where, attribute, what stands there instead)
    """

    of: str
    patches: tuple[tuple[Any, str, Any], ...]


BROKEN: dict[str, Broken] = {}


def plant(where: type[Checker[Any]], attribute: str) -> Callable[[Any], Any]:
    """This method instead of that one, in a broken checker of the function's name."""

    def planted(function: Any) -> Any:
        BROKEN[function.__name__] = Broken(where.name, ((where, attribute, function),))
        return function

    return planted


# -- too much is allowed

_granted = NeverOversold.granted
_hear: Mapping[Any, Any] = {checker: vars(checker).get("hear") for checker in CHECKERS.values()}


def hear(checker: Any) -> Any:
    """The right way to hear, under whatever was planted."""
    return _hear[checker]


@plant(NeverOversold, "granted")
def sells_one_more(self: Any, state: Any, row: Any) -> Any:
    """Off by one in what is available."""
    found = _granted(self, state._replace(promised=state.promised - 1), row)
    return found if isinstance(found, Finding) else found._replace(promised=found.promised + 1)


@plant(NeverOversold, "hear")
def hears_the_first_line_only(self: Any, state: Any, row: Any, context: Any) -> Any:
    """The second product of a basket is not counted."""
    return state if row.line > 0 else hear(NeverOversold)(self, state, row, context)


@plant(NeverOversold, "kept_count")
def believes_the_drops(self: Any, state: Any, row: Any) -> Any:
    """What the cache says to be contained counts as contained."""
    gone = state._replace(promised=state.promised - row.units)
    return gone if row.operation == "drop" else _kept_count(self, state, row)


_kept_count = NeverOversold.kept_count


@plant(NeverOversold, "kept_count")
def carries_promises_over_a_loss(self: Any, state: Any, row: Any) -> Any:
    """An epoch is no new beginning."""
    return state if row.operation == "epoch" else _kept_count(self, state, row)


@plant(ChargedOnce, "part")
def counts_charges_by_key(self: Any, row: Any) -> str:
    """Two keys are two charges, whatever the order."""
    key: str = row.key
    return key


HOUR = 3_600_000_000


def _within_the_hour(self: Any, state: Any, row: Any, context: Any) -> Any:
    """The number of charges is the moment of the last."""
    if row.is_new and state.number and row.time - state.number >= HOUR:
        state = self.start()
    found = hear(ChargedOnce)(self, state, row, context)
    return found._replace(number=row.time) if row.is_new and not isinstance(found, Finding) else found


@plant(ReservationHygiene, "changed")
def may_be_used_at_its_deadline(self: Any, state: Any, row: Any) -> Any:
    """<= for <."""
    return _changed(self, state, row._replace(time=row.time - (row.time == state.deadline)))


_changed = ReservationHygiene.changed


@plant(ReservationHygiene, "hear")
def forgets_the_second_line(self: Any, state: Any, row: Any, context: Any) -> Any:
    """Only the first line of a token is watched."""
    return state if row.line > 0 else hear(ReservationHygiene)(self, state, row, context)


@plant(RefundedRight, "refunded")
def lets_a_charge_go_back_in_parts(self: Any, state: Any, row: Any) -> Any:
    """Only the sum counts."""
    left = sum(state.standing) - row.amount
    if left < 0:
        return _refunded(self, state, row)
    here = finding.Aside(row.index)
    standing = (left,) if left else ()
    returned = tuple(sorted((*state.returned, row.amount)))
    refunds = finding.Aside(state.refunds + 1)
    return state._replace(standing=standing, returned=returned, latest=here, refunds=refunds)


_refunded = RefundedRight.refunded


@plant(PostedOnce, "hear")
def forgets_late_rows(self: Any, state: Any, row: Any, context: Any) -> Any:
    """What comes in the quiet phase does not count."""
    return state if context.quiet_at is not None else hear(PostedOnce)(self, state, row, context)


@plant(PostedOnce, "shipped")
def does_not_count_what_left(self: Any, state: Any, row: Any) -> Any:
    """Any line of any length will do."""
    return state._replace(to_ship=state.to_ship[1:], has_shipped=True)


@plant(LegalTransitions, "hear")
def looks_only_where_orders_go(self: Any, state: Any, row: Any, context: Any) -> Any:
    """Where an order stood is whatever its row says."""
    if row.operation in ("order", "sync") and not isinstance(state, Finding):
        column = "state" if row.operation == "order" else "sync"
        if row.from_state:
            state = state._replace(**{column: row.from_state})
    return hear(LegalTransitions)(self, state, row, context)


@plant(BackpressureBounded, "asked")
def counts_attempts_from_one(self: Any, state: Any, row: Any, context: Any) -> Any:
    """> for >=."""
    return _asked(self, state, row._replace(attempt=row.attempt - 1), context)


_asked = BackpressureBounded.asked


@plant(FreshSnapshotsOnly, "applied")
def takes_any_number_for_a_base(self: Any, state: Any, row: Any) -> Any:
    """Only versions are compared."""
    if row.version < state.version:
        return _applied(self, state, row)
    here = finding.Aside(row.index)
    return Base(state.book, row.version, state.units + row.units, here, finding.Aside(state.applied + 1))


_applied = FreshSnapshotsOnly.applied


@plant(UnitsConserved, "within_cache")
def lets_an_empty_token_give(self: Any, purse: Any, row: Any) -> Any:
    """An account may go below zero."""
    found = _within_cache(self, purse, row)
    return purse._replace(moves=finding.Aside(purse.moves + 1)) if isinstance(found, Finding) else found


_within_cache = UnitsConserved.within_cache


# -- too much is held against somebody


@plant(MoneyConserved, "hear")
def ignores_refunds(self: Any, state: Any, row: Any, context: Any) -> Any:
    """What went back is still in the till."""
    return state if row.operation == "refund" else hear(MoneyConserved)(self, state, row, context)


@plant(NoticesSent, "hear")
def takes_an_echo_for_a_notice(self: Any, state: Any, row: Any, context: Any) -> Any:
    """What was delivered twice was said twice."""
    return hear(NoticesSent)(self, state, row._replace(is_new=True), context)


# -- what is not known is made up


def _guesses(status: str) -> Any:
    def verdict(self: Any, parts: Mapping[str, Any], context: Any) -> Verdict:
        found = PartByPart.verdict(self, parts, context)
        if found.status != "unknown" or not found.obligations:
            return found
        return Verdict(status, found.obligations, found.reason)  # type: ignore[arg-type]

    return verdict


@plant(EveryOrderEnds, "verdict")
def takes_unknown_for_failure(self: Any, parts: Mapping[str, Any], context: Any) -> Verdict:
    return _guesses("invalid")(self, parts, context)  # type: ignore[no-any-return]


@plant(BooksConverge, "verdict")
def takes_unknown_for_success(self: Any, parts: Mapping[str, Any], context: Any) -> Verdict:
    return _guesses("valid")(self, parts, context)  # type: ignore[no-any-return]


@plant(NoticesSent, "verdict")
def accepts_an_empty_history(self: Any, parts: Mapping[str, Any], context: Any) -> Verdict:
    """Nothing was asked, so nothing is wrong."""
    found = conclude(self.findings(parts, context).values())
    return found if found.obligations else Verdict("valid", 0)


@plant(UnitsConserved, "settle")
def takes_absent_for_zero(self: Any, part: str, state: Any, context: Any) -> Finding:
    """A product that was never opened had none."""
    return kept(0 if state is None else state.moves)


@plant(EveryOrderEnds, "settle")
def excuses_with_any_death(self: Any, part: str, state: Any, context: Any) -> Finding:
    """Somebody died, so nobody is to blame."""
    found = _settle(self, part, state, context)
    return undecided(found.obligations, found.reason) if context.dead and found.status == "invalid" else found


_settle = EveryOrderEnds.settle

# -- short cuts that are none


def _planted(name: str, of: str, *patches: tuple[Any, str, Any]) -> None:
    BROKEN[name] = Broken(of, patches)


_planted(
    "takes_orders_for_alike_that_differ_in_what_was_new", "charged_once",
    (ChargedOnce, "looks", Looks({"capture": ()})),
)  # fmt: skip
_planted(
    "takes_tokens_for_alike_whatever_their_moments", "reservation_hygiene",
    (
        ReservationHygiene, "looks",
        ReservationHygiene.looks._replace(
            rows=dict.fromkeys(ReservationHygiene.looks.rows, ("sku",)), moments=()
        ),
    ),
    (ReservationHygiene, "screen", None),
)  # fmt: skip
_planted(  # an hour later it is a new charge
    "forgets_charges_after_a_window", "charged_once",
    (ChargedOnce, "hear", _within_the_hour),
    (ChargedOnce, "settle", lambda self, part, state, context: _charged(self, part, state._replace(
        number=min(1, state.number)), context)),
)  # fmt: skip
_charged = ChargedOnce.settle
_planted("sees_at_a_glance_what_it_has_not_looked_at", "books_converge", (BooksConverge, "screen", lambda *_: 4))
_planted(
    "a_second_opinion_that_is_the_first", "charged_once",
    (columns, "second_opinion", lambda history, verdicts: []),
    (test_second_opinion, "second_opinion", lambda history, verdicts: []),
    (test_every_checker, "second_opinion", lambda history, verdicts: []),
)  # fmt: skip
_planted(
    "both_opinions_count_by_key", "charged_once",
    (ChargedOnce, "part", lambda self, row: row.key),
    (columns, "_charges", lambda table: ("valid", len(set(table.key[table.at("state", "capture")].tolist())), {})),
)  # fmt: skip
