"""Do cards go to the payment provider and to nobody else?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.sim.checkers.boundaries import SECRET, Asked, count_of
from orderquake.sim.checkers.fold import Context
from orderquake.sim.history import History


class PaymentSecretsContained(Asked):
    """Only the payment step and the provider see a card. Hears: asks, and the table of what they carry (inside)."""

    name = "payment_secrets_contained"

    def concerns(self, operation: str, known: Mapping[str, Any]) -> bool:
        return SECRET in known["carries"][operation]

    def wrong(self, operation: str, place: str, role: str, known: Mapping[str, Any]) -> str:
        service = known["service"][operation]
        if service != "payment":
            return f"{operation} brings a payment secret to {service}"
        return "" if role == "worker" else f"{operation}, which carries a payment secret, is asked by a {role}"

    def screen(self, history: History, context: Context) -> int | None:
        return count_of(self, history, context)
