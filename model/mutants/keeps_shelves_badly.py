"""Reservations in the record's own table have no deadline: what is not given back is gone. Five that lose count there,
or ask too late; and two workflows that end too early."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model.architectures.central import Central
from orderquake.model.architectures.orchestrated import TASK_TIMEOUT_US
from orderquake.model.architectures.orchestrated_repaired import OrchestratedRepaired
from orderquake.model.architectures.reserve_in_record import ReserveInRecord
from orderquake.model.flow import Store
from orderquake.model.order import Line, Order, State
from orderquake.model.order_cache import OrderCache
from orderquake.model.order_table import CentralRecord
from orderquake.model.shelves import Shelves, reservation_of
from orderquake.model.stock import Released, Reserved, SoldOut
from orderquake.model.workflow import WorkflowEngine


class OpenShelves(Shelves):
    def give_back(self, order_id: str) -> Released:
        answer = super().give_back(order_id)
        self.over.pop(order_id, None)
        return answer


class LeavesTheDoorOpen(ReserveInRecord):
    """Breaks: what was given back cannot be claimed again. A late copy of the claim takes units for nobody. Seen in
    amazon-dynamodb-developer-guide (transaction-apis.md): a client token is remembered for ten minutes. Caught by
    `reservation_hygiene` in `claims_come_late`."""

    name = "leaves_the_door_open"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {
            "record": OpenShelves(opening, self.policy.below_zero, self.policy.safety_stock)
        }


class LetsGoOfWhatItHeardOf(ReserveInRecord):
    """Breaks: whoever gives up on an order gives back what it may have claimed without hearing of it. Seen in
    danilop/events-and-workflows (order-create.asl.json): a time-out after the reservation leaks it. Caught by
    `books_converge` in `claims_come_late`."""

    name = "lets_go_of_what_it_heard_of"

    def let_go(self, order: Order) -> Order:
        return order


class KeepsWhatItDeclined(ReserveInRecord):
    """Breaks: every end without goods gives them back. Seen in woocommerce/woocommerce#55396,
    razorpay/razorpay-magento#42. Caught by `books_converge` in `declined_in_record`."""

    name = "keeps_what_it_declined"

    async def finish(self, order: Order) -> Order:
        if order.state is State.DECLINED and order.is_told:
            return order._replace(token="")
        return await super().finish(order)


class LineByLineShelves(Shelves):
    def reserve(self, order_id: str, lines: tuple[Line, ...]) -> Reserved | SoldOut:
        if order_id in self.held or order_id in self.over:
            return super().reserve(order_id, lines)
        for number, (sku, units, _) in enumerate(lines):
            if self.atp(sku) < units:
                return SoldOut(sku, self.atp(sku))
            self.held_of[sku] = self.held_of.get(sku, 0) + units
            version = self.version.get(sku, 0)
            self.note("hold", order_id, number, sku, units, "record.held", "record.available", version)
        self.held[order_id] = lines
        return Reserved(reservation_of(order_id))


class HoldsLineByLine(ReserveInRecord):
    """Breaks: all lines or none. What was taken of the first lines before one was short is nobody's. Seen in
    woocommerce/woocommerce#66303. Caught by `books_converge` in `claims_come_late`."""

    name = "holds_line_by_line"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {
            "record": LineByLineShelves(opening, self.policy.below_zero, self.policy.safety_stock)
        }


class UncheckedTable(CentralRecord):
    def reserve(self, order_id: str, lines: tuple[Line, ...]) -> Reserved | SoldOut:
        if order_id not in self.held and order_id not in self.over and self.on_hand.get(lines[0].sku, 0) > 0:
            self.hold(order_id, lines)
        return super().reserve(order_id, lines)


class LooksAtTheShelfOnly(Central):
    """Breaks: what others have reserved is not there any more. A transaction that looks at the quantity, and not at the
    reservations, sells a unit that is on the shelf and promised. Seen in awesto/django-shop#888, Sylius/Sylius#2776.
    Caught by `never_oversold` in `scramble`."""

    name = "looks_at_the_shelf_only"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {
            "record": UncheckedTable(opening, self.policy.below_zero, self.policy.safety_stock)
        }


class FailsAtATimeOut(OrchestratedRepaired):
    """Breaks: a time-out proves nothing, and undoes nothing. Seen in aws-samples/aws-step-functions-long-lived-
    transactions (statemachine/llt.asl.yaml). Caught by `every_order_ends` in `payment_hangs`."""

    name = "fails_at_a_time_out"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"workflow": WorkflowEngine(TASK_TIMEOUT_US)}


class HastyEngine(WorkflowEngine):
    def has_ended(self, row: Order) -> bool:
        return row.id in self.failed or row.is_closed

    def list_again(self, order: Order, now_us: int) -> None:
        OrderCache.list_again(self, order, now_us)


class EndsBeforeTheBook(OrchestratedRepaired):
    """Breaks: an execution ends when the record has its order. Seen in mailchimp/mc-magento2#578. Caught by
    `posted_once` in `payment_hangs`."""

    name = "ends_before_the_book"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"workflow": HastyEngine()}
