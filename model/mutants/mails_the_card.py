"""Puts the card that was charged into the mail that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.boundaries import Data


class MailsTheCard(HotCold):
    """Breaks: only the payment step and the provider see a card. Found in the rules, not in a report: PCI DSS 4,
    requirement 3. Caught by `payment_secrets_contained` in `residency`."""

    name = "mails_the_card"
    adds: ClassVar[Mapping[str, frozenset[Data]]] = {"notify": frozenset({Data.PAYMENT_SECRET})}
