"""A region's stock pays for what went missing with rights of its own, and calls in those of the others for the rest."""

from __future__ import annotations

from orderquake.model.record import SkuChange
from orderquake.model.regional_stock import RegionalStock
from orderquake.model.spread import EVERYBODY, Letter

SKU = "mug"


def two(units: int) -> tuple[RegionalStock, RegionalStock]:
    return RegionalStock(0, 2, {SKU: units}), RegionalStock(1, 2, {SKU: units})


def hear_of(stock: RegionalStock, units: int, version: int, on_hand: int) -> None:
    """The record says that so many units came in, or went missing."""
    stock.rebase(SkuChange(SKU, on_hand, version, posts=(), moves=((version, units),)), (version, 0))
    stock.hand_over()


def carry(letters: list[Letter], sender: int, to: RegionalStock, now_us: int = 0) -> None:
    for letter in letters:
        if letter.to in (EVERYBODY, to.number):
            to.hear(sender, letter.says, now_us)
    letters.clear()


def test_what_went_missing_is_paid_for_by_whoever_has_rights_left() -> None:
    first, other = two(4)
    hear_of(first, -3, 1, 1)
    assert (first.atp(SKU), other.atp(SKU)) == (-1, 2)
    carry(first.outbox, 0, other)
    carry(other.outbox, 1, first)
    assert (first.atp(SKU), other.atp(SKU)) == (0, 1), "one unit is left, and one right"


def test_a_call_that_was_lost_is_made_again_until_the_debt_is_paid() -> None:
    first, other = two(4)
    hear_of(first, -3, 1, 1)
    first.outbox.clear()
    first.tick(0)
    carry(first.outbox, 0, other)
    carry(other.outbox, 1, first)
    first.tick(0)
    assert first.atp(SKU) == 0
    assert not [letter for letter in first.outbox if letter.says[0] == "wants"]
    assert not first.short


def test_a_debt_is_part_of_what_is_kept() -> None:
    first, _ = two(4)
    hear_of(first, -3, 1, 1)
    again, _ = two(4)
    again.restore(first.snapshot())
    assert again.snapshot() == first.snapshot()
    again.tick(0)
    assert any(letter.says == ("wants", (SKU, 1)) for letter in again.outbox)


def test_who_has_rights_to_spare_calls_nothing_in() -> None:
    first, _ = two(4)
    hear_of(first, -1, 1, 3)
    assert first.atp(SKU) == 1
    assert not first.outbox
