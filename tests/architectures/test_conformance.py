"""Every design through the same small days, with one trouble at each ask that it makes: sound ones end as if nothing
had been, and who forgets something is found out."""

from __future__ import annotations

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures import ARCHITECTURES
from orderquake.model.architectures.orchestrated_repaired import OrchestratedRepaired
from orderquake.model.architectures.reserve_in_record import ReserveInRecord
from orderquake.model.order import Order, State
from orderquake.model.shelves import ReserveForGood
from tests.architectures.small_days import DAYS, TROUBLES, Day, Trouble, lived, told_of
from tests.model.shop import Shop, order

FORGETFUL = {"orchestrated"}
NAIVE = {"naive_cache", "article"}
"""Designs that are here to be convicted: the ones for what they forget, the others without any fault."""
DECIDED_LATE = {"claims": ("reserve first, last unit",)}
"""Days on which a design takes the money of those for whom there will be nothing, and pays them back."""
SOUND = [name for name in ARCHITECTURES if name not in FORGETFUL | NAIVE]


def objections(design: type[Architecture], day: Day, trouble: Trouble) -> list[str]:
    """What is not as on the undisturbed day, for each ask at which there is trouble."""
    undisturbed = lived(design, day)
    wrong = []
    for at in range(1, undisturbed.asks + 1):
        disturbed = lived(design, day, at, trouble)
        if told_of(disturbed) != told_of(undisturbed):
            wrong.append(f"{trouble} at ask {at}: {told_of(disturbed)}, not {told_of(undisturbed)}")
    return wrong


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_on_an_undisturbed_day_every_design_ends_the_same_way(name: str, day: str) -> None:
    one, other = lived(ARCHITECTURES[name], DAYS[day]), lived(ARCHITECTURES["hot_cold"], DAYS[day])
    assert one.rests
    assert one.open_promises == 0
    assert one.asks > 5
    goods, fates = ("on_hand", "promised"), ("states", "captures", "net", "told", "posts")
    for column in goods if day in DECIDED_LATE.get(name, ()) else goods + fates:
        assert getattr(one.books, column) == getattr(other.books, column), column


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", SOUND)
def test_trouble_at_any_ask_is_healed(name: str, day: str, trouble: Trouble) -> None:
    assert objections(ARCHITECTURES[name], DAYS[day], trouble) == []


@pytest.mark.parametrize("trouble", ["dies before", "dies after", "service away", "service mute"])
@pytest.mark.parametrize("name", sorted(FORGETFUL))
def test_who_takes_a_time_out_for_the_end_is_found_out(name: str, trouble: Trouble) -> None:
    wrong = objections(ARCHITECTURES[name], DAYS["fulfilled"], trouble)
    assert any("'charging'" in each or "'paid'" in each for each in wrong), wrong


def test_a_late_copy_of_a_reservation_takes_units_for_nobody_where_tokens_are_forgotten() -> None:
    assert not objections(ARCHITECTURES["orchestrated_repaired"], DAYS["fulfilled"], "done again late")
    wrong = objections(ARCHITECTURES["orchestrated"], DAYS["fulfilled"], "done again late")
    assert any("{'mug': 3}" in each for each in wrong), wrong


class LetsGoOfWhatItHeardOf(ReserveInRecord):
    """Whoever gives up on an order releases only a reservation that somebody has confirmed."""

    def let_go(self, order: Order) -> Order:
        return order


@pytest.mark.parametrize(
    ("design", "left"), [(ReserveInRecord, 5), (OrchestratedRepaired, 5), (LetsGoOfWhatItHeardOf, 4)]
)
@pytest.mark.parametrize("is_late", [False, True])
def test_a_claim_that_nobody_heard_of_is_let_go(design: type[Architecture], left: int, is_late: bool) -> None:
    shop = Shop(design=design, mug=5)
    shop.submit(order("ann"))
    while shop.row("ann").state is not State.PAID:
        shop.step("ann")
    claim = ReserveForGood("ann", shop.row("ann").lines)
    if not is_late:
        shop.ask(claim)
    shop.cancel("ann")
    shop.work()
    if is_late:
        shop.ask(claim)
    shop.close()
    assert shop.row("ann").state is State.REFUNDED
    assert shop.owner.atp("mug") == left
