"""Is there enough? One look at all lines, in the step that takes them. Four looks that miss something."""

from __future__ import annotations

from typing import Any

from orderquake.model.flow import effect
from orderquake.model.mutants.other_stores import OnOtherStores
from orderquake.model.order import Line, Order
from orderquake.model.stock import AskStatus, NotReady, Reserve, Reserved, SoldOut, StockCache


class LookingStock(StockCache):
    """A Stock Cache whose look at a line may be another."""

    def is_short(self, line: Line, number: int) -> bool:
        return self.atp(line.sku) < line.units

    def reserve(self, ask: Reserve, now_us: int) -> Reserved | SoldOut:
        if (held := self.live_for(ask.order_id, now_us)) is not None:
            return Reserved(held.token)
        for number, line in enumerate(ask.lines):
            if self.is_short(line, number):
                return SoldOut(line.sku, self.atp(line.sku))
        return Reserved(self.hold(ask.order_id, ask.lines, now_us + ask.ttl_us, self.epoch, self.base_v))


@effect
class AskWhatIsShort(AskStatus):
    """Is there enough of these?"""

    lines: tuple[Line, ...]


@effect
class Take(Reserve):
    """Hold all lines: somebody has looked already."""


class TwoStepStock(StockCache):
    def handle(self, ask: Any, now_us: int) -> Any:
        if isinstance(ask, AskWhatIsShort):
            short = (line.sku for line in ask.lines if self.atp(line.sku) < line.units)
            return NotReady() if not self.is_open else next((SoldOut(sku, self.atp(sku)) for sku in short), None)
        return super().handle(ask, now_us)

    def reserve(self, ask: Reserve, now_us: int) -> Reserved | SoldOut:
        if (held := self.live_for(ask.order_id, now_us)) is not None:
            return Reserved(held.token)
        return Reserved(self.hold(ask.order_id, ask.lines, now_us + ask.ttl_us, self.epoch, self.base_v))


class ChecksThenTakes(OnOtherStores):
    """Breaks: to look and to take is one step. Seen in saleor/saleor#543, vendurehq/vendure#3508,
    magento/magento2#25653, woocommerce/woocommerce#12467, nopSolutions/nopCommerce#4184. Caught by `never_oversold` in
    `scramble`."""

    name = "checks_then_takes"
    stock_of = TwoStepStock

    async def claim(self, order: Order) -> Reserved | SoldOut | NotReady:
        short: Any = await self.patiently(AskWhatIsShort(order.lines))
        if short is not None:
            refusal: SoldOut | NotReady = short
            return refusal
        return await self.patiently(Take(order.id, order.lines, self.policy.ttl_us))


class FirstLineStock(LookingStock):
    def is_short(self, line: Line, number: int) -> bool:
        return number == 0 and super().is_short(line, number)


class ChecksTheFirstLineOnly(OnOtherStores):
    """Breaks: every line of an order is looked at. Seen in medusajs/medusa#16502. Caught by `never_oversold` in
    `scramble`."""

    name = "checks_the_first_line_only"
    stock_of = FirstLineStock


class UnguardedStock(LookingStock):
    def is_short(self, line: Line, number: int) -> bool:
        return bool(self.safety_stock) and super().is_short(line, number)


class ChecksOnlyWhereASettingIsMade(OnOtherStores):
    """Breaks: a guard is on, whatever its settings. Here a blank safety stock switches it off. Seen in
    woocommerce/woocommerce#26395, woocommerce/woocommerce-gateway-stripe#5720. Caught by `never_oversold` in
    `scramble`."""

    name = "checks_only_where_a_setting_is_made"
    stock_of = UnguardedStock


class GenerousStock(LookingStock):
    def is_short(self, line: Line, number: int) -> bool:
        return self.atp(line.sku) + 1 < line.units


class CountsOneTooMany(OnOtherStores):
    """Breaks: nobody gets more than there is. Seen wherever `<=` stands for `<`; found in the literature as the first
    of all mutants. Caught by `never_oversold` in `scramble`."""

    name = "counts_one_too_many"
    stock_of = GenerousStock
