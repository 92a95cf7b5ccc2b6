"""These orders at these moments, written down one by one: for a story that is to be told, and not drawn.

What an order does not say of its customer is drawn under its number, as everybody's is. Shapes and limits only; who
comes in is `world/workload.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator

from orderquake.sim.part import Part
from orderquake.sim.units import Count, Duration, Flag, Whole, refused

CardName: TypeAlias = Literal["good", "declined", "stored_error", "stored_error_paid", "refund_fails"]
"""What the provider makes of a card; the model's cards have the same names."""


class ListedOrder(Part):
    """One order.

    at            when its customer comes
    wants         product -> units
    number        finds the customer's luck, whoever else is on the list; the place on the list where absent
    place         where the customer is; drawn by the weights of the places where absent
    card          what the provider makes of it; by the shares of `service.payment` where absent
    clicks_twice, cancels_after   what the customer does; by the shares of the workload where absent
    """

    at: Duration
    wants: Annotated[Mapping[str, Count], Field(min_length=1)]
    number: Whole | None = None
    place: str | None = None
    card: CardName | None = None
    clicks_twice: Flag | None = None
    cancels_after: Duration | None = None


def numbered(orders: tuple[ListedOrder, ...]) -> list[tuple[int, ListedOrder]]:
    """The orders with their numbers, in the order in which they come."""
    given = [(place if order.number is None else order.number, order) for place, order in enumerate(orders)]
    return sorted(given, key=lambda one: (one[1].at, one[0]))


class Orders(Part):
    """What the table of such a workload has beside its customers' manners."""

    order: Annotated[tuple[ListedOrder, ...], Field(min_length=1)]

    @field_validator("order")
    @classmethod
    def _numbers_differ(cls, orders: tuple[ListedOrder, ...]) -> tuple[ListedOrder, ...]:
        seen: dict[int, int] = {}
        for place, order in enumerate(orders):
            number = place if order.number is None else order.number
            if number in seen:
                raise refused(
                    f"numbered {number} twice (orders {seen[number] + 1} and {place + 1}); expected each number once"
                )
            seen[number] = place
        return orders
