"""Money on hold, against a dictionary of what became of each: captured once, or let go, and never both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from orderquake.model.authorisations import (
    AlreadyCaptured,
    Authorise,
    Authorised,
    AuthorisedInPart,
    CaptureHold,
    LookUpHold,
    Voided,
    VoidHold,
)
from orderquake.model.charges import Captured, Declined, KeyMismatch, NothingFound
from orderquake.model.payment import PaymentProvider
from tests.model.twins import NAMES, Twins, case_of, is_noticed

WINDOW_US = 20


class Holds(Twins):
    """Key -> (first use, what was asked, what was answered); auth id -> (amount, what became of it)."""

    make: Callable[[], Any] = staticmethod(lambda: PaymentProvider(WINDOW_US))

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, tuple[int, Any, Any]] = {}
        self.latest: dict[str, Any] = {}
        self.declined: dict[str, bool] = {}
        self.on_hold: dict[str, tuple[int, str]] = {}
        self.taken = 0

    @rule(
        name=NAMES, generation=st.integers(1, 2), amount=st.sampled_from([100, 100, 99]),
        card=st.sampled_from(["good", "declined", "pays_in_part"]),
    )  # fmt: skip
    def authorise(self, name: str, generation: int, amount: int, card: str) -> None:
        key = f"{name}/{generation}"
        ask = Authorise(key, name, amount, card)
        answer = self.ask(ask)
        known = self.first.get(key)
        if known is not None and self.now - known[0] < WINDOW_US:
            assert answer == known[2] if known[1] == ask else type(answer) is KeyMismatch
            return
        self.first[key] = (self.now, ask, answer)
        if card == "declined":
            assert answer == Declined()
            self.declined[key] = True
            return
        auth_id = f"pi_{len(self.on_hold) + 1}"
        had = (amount + 1) // 2 if card == "pays_in_part" else amount
        assert answer == (AuthorisedInPart(auth_id, had) if had < amount else Authorised(auth_id))
        self.on_hold[auth_id] = (had, "on hold")
        self.latest[key] = answer

    @precondition(lambda self: self.on_hold)
    @rule(data=st.data())
    def capture(self, data: st.DataObject) -> None:
        auth_id = data.draw(st.sampled_from(sorted(self.on_hold)))
        amount, became = self.on_hold[auth_id]
        answer = self.ask(CaptureHold(auth_id, "ann"))
        if became == "void":
            assert answer == Voided()
        elif became == "on hold":
            self.taken += amount
            self.on_hold[auth_id] = (amount, answer.charge_id)
        else:
            assert answer == Captured(became)

    @precondition(lambda self: self.on_hold)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        auth_id = data.draw(st.sampled_from(sorted(self.on_hold)))
        amount, became = self.on_hold[auth_id]
        answer = self.ask(VoidHold(auth_id, "ann"))
        if became in ("on hold", "void"):
            assert answer == Voided()
            self.on_hold[auth_id] = (amount, "void")
        else:
            assert answer == AlreadyCaptured(became)

    @rule(name=NAMES, generation=st.integers(1, 2))
    def look_up(self, name: str, generation: int) -> None:
        key = f"{name}/{generation}"
        found = self.latest.get(key, Declined() if key in self.declined else NothingFound())
        assert self.ask(LookUpHold(key, name)) == found

    @invariant()
    def what_was_taken_was_on_hold(self) -> None:
        assert sum(made.amount for _, made in self.store.captures) == self.taken


TestHolds = case_of(Holds)


class CapturesWhatIsVoid(PaymentProvider):
    def void_hold(self, auth_id: str) -> Any:
        return Voided() if not self.holds[auth_id].charge_id else super().void_hold(auth_id)


class HoldsInFull(PaymentProvider):
    def to_be_had(self, ask: Any, card: str) -> int:
        return int(ask.amount)


class ForgetsHolds(PaymentProvider):
    def restore(self, snapshot: Any) -> None:
        super().restore(snapshot)
        self.holds = {auth_id: hold._replace(is_void=False) for auth_id, hold in self.holds.items()}


@pytest.mark.parametrize("store", [CapturesWhatIsVoid, HoldsInFull, ForgetsHolds])
def test_the_oracle_notices_a_provider_that_errs(store: type[PaymentProvider]) -> None:
    is_noticed(Holds, lambda: store(WINDOW_US))
