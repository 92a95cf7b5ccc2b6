"""The promises an order system can be held to, each a file; what there is to know about them is in `fold.py`.

>>> sorted(CHECKERS)[:2], len(all_checkers())
(['asks_within_role', 'backpressure_bounded'], 17)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.sim.checkers.asks_within_role import AsksWithinRole
from orderquake.sim.checkers.backpressure_bounded import BackpressureBounded
from orderquake.sim.checkers.books_converge import BooksConverge
from orderquake.sim.checkers.charged_once import ChargedOnce
from orderquake.sim.checkers.every_order_ends import EveryOrderEnds
from orderquake.sim.checkers.fold import Checker
from orderquake.sim.checkers.fresh_snapshots_only import FreshSnapshotsOnly
from orderquake.sim.checkers.legal_transitions import LegalTransitions
from orderquake.sim.checkers.money_conserved import MoneyConserved
from orderquake.sim.checkers.never_oversold import NeverOversold
from orderquake.sim.checkers.notices_sent import NoticesSent
from orderquake.sim.checkers.order_cache_holds_minimum import OrderCacheHoldsMinimum
from orderquake.sim.checkers.payment_secrets_contained import PaymentSecretsContained
from orderquake.sim.checkers.personal_data_stays_home import PersonalDataStaysHome
from orderquake.sim.checkers.posted_once import PostedOnce
from orderquake.sim.checkers.refunded_right import RefundedRight
from orderquake.sim.checkers.reservation_hygiene import ReservationHygiene
from orderquake.sim.checkers.units_conserved import UnitsConserved

CHECKERS: Mapping[str, type[Checker[Any]]] = {
    checker.name: checker
    for checker in (
        NeverOversold,
        UnitsConserved,
        MoneyConserved,
        ChargedOnce,
        RefundedRight,
        PostedOnce,
        LegalTransitions,
        ReservationHygiene,
        EveryOrderEnds,
        BooksConverge,
        FreshSnapshotsOnly,
        NoticesSent,
        BackpressureBounded,
        PersonalDataStaysHome,
        PaymentSecretsContained,
        OrderCacheHoldsMinimum,
        AsksWithinRole,
    )
}
"""Name -> promise, in the order in which verdicts are told."""


def all_checkers() -> tuple[Checker[Any], ...]:
    """One of each."""
    return tuple(checker() for checker in CHECKERS.values())
