"""A fresh idempotency key for every try, so that the provider never notices that it is asked twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Ask, Backoff, Flow, PatienceEnded, Send, Silence
from orderquake.model.payment import Charge

A = TypeVar("A")


class KeysEachAttempt(HotCold):
    """Breaks: one intent, one key. Seen in woocommerce/woocommerce-gateway-stripe#2339. Caught by `charged_once` in
    `bad_answers`."""

    name = "keys_each_attempt"

    def patiently(self, ask: Ask[A]) -> Flow[A]:
        return self.with_fresh_keys(ask) if isinstance(ask, Charge) else super().patiently(ask)

    async def with_fresh_keys(self, ask: Any) -> Any:
        patience = self.policy.patience_with(ask.service)
        for attempt in range(patience.attempts):
            if attempt:
                await Backoff(patience.base_us, patience.cap_us, attempt - 1)
            fresh: Any = replace(ask, key=f"{ask.key}/{attempt}")
            try:
                return await Send(fresh, patience.timeout_us, attempt)
            except Silence:
                continue
        raise PatienceEnded(ask.verb)
