"""Faults of load: too many customers, or too much from each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from orderquake.model.assumptions import Assumption
from orderquake.sim.demand import Closed
from orderquake.sim.nemesis.base import Fault, Lasting
from orderquake.sim.nemesis.record import unknown_product
from orderquake.sim.nemesis.steps import all_steps, only
from orderquake.sim.units import MINUTE, SECOND, Count, Duration, Rate, Share, Whole
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario

Misfits = Iterator[tuple[tuple[str | int, ...], str]]


class OfCustomers(Lasting):
    """A fault of those who come, and of how they behave."""

    target: Literal["customers"] = "customers"

    spares = all_steps("it happens to customers, and to no ask")


class OfArrivals(OfCustomers):
    """A fault that brings customers of its own; a closed workload always has the same."""

    def misfits(self, scenario: Scenario) -> Misfits:
        if isinstance(scenario.workload, Closed):
            yield (
                ("kind",),
                f'"{self.kind}", but the workload is closed; expected one whose customers come from outside',
            )


class FlashCrowd(OfArrivals):
    """`factor` times as many customers as usual: each who comes brings others, within `within` of each other.

    They want what they want, or, where the workload says who wants what (rounds, a trace), the same.
    """

    kind: Literal["flash_crowd"] = "flash_crowd"
    factor: Annotated[float, Field(strict=True, gt=1, le=1000, allow_inf_nan=False)] = 5.0
    within: Duration = 10 * SECOND

    does = "many times as many customers come as usual"
    breaks = frozenset({Assumption.DEMAND_IS_AS_USUAL})
    heals = "at the end of its window"
    witness = "the order of a customer who would not have come"
    example = '[[fault]]\nkind = "flash_crowd"\nfactor = 5.0\nfrom = "5 min"\nfor = "5 min"\n'


class HotSku(OfCustomers):
    """A `share` of the customers takes `sku` (the first product if absent) instead of the first thing in the basket."""

    kind: Literal["hot_sku"] = "hot_sku"
    share: Share = 0.5
    sku: str | None = None

    does = "much of the demand moves to one product"
    breaks = frozenset({Assumption.DEMAND_IS_AS_USUAL})
    heals = "at the end of its window"
    witness = "an order that names the product, and would not have"
    example = '[[fault]]\nkind = "hot_sku"\nshare = 0.5\nfrom = "5 min"\nfor = "5 min"\n'

    def misfits(self, scenario: Scenario) -> Misfits:
        return unknown_product(self.sku, scenario)


class RetryStorm(OfCustomers):
    """Everybody waits only `patience` times as long as usual, between two tries as well; customers try `more` times."""

    kind: Literal["retry_storm"] = "retry_storm"
    patience: Share = 0.1
    more: Whole = 5

    does = "customers, workers and jobs lose patience, and all ask again at once"
    breaks = frozenset({Assumption.CUSTOMERS_WAIT, Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window"
    witness = "a second attempt sooner than patience would have had it"
    example = '[[fault]]\nkind = "retry_storm"\npatience = 0.1\nfrom = "5 min"\nfor = "5 min"\n'


class CancellationRace(OfCustomers):
    """A `share` of the customers asks to cancel `after` the provider has taken (or held) the money.

    Whoever cancels anyway does so only once.
    """

    kind: Literal["cancellation_race"] = "cancellation_race"
    share: Share = 0.3
    after: Distribution = delay(kind="exponential", mean="50 ms")

    does = "customers cancel just when they have paid, while the order goes on"
    breaks = frozenset({Assumption.CUSTOMERS_STAY})
    heals = "at the end of its window"
    witness = "a cancel right after a capture or an authorisation"
    example = (
        '[[fault]]\nkind = "cancellation_race"\nshare = 0.3\nfrom = "5 min"\nfor = "5 min"\n'
        'after = { kind = "exponential", mean = "50 ms" }\n'
    )


class PoisonMessage(OfCustomers):
    """A `share` of the orders has a row that no worker can read: whoever tries dies of it, until it is mended."""

    kind: Literal["poison_message"] = "poison_message"
    share: Share = 0.05

    does = "some orders kill every worker that reads them"
    breaks = frozenset({Assumption.ORDERS_CAN_BE_READ})
    heals = "at the end of its window, when the workers are mended; recovery puts the dead letters back in line"
    witness = "a worker that ends after reading an order, each time anew, and a dead_letter row"
    spares = only(("read_order",), "it is about reading an order")
    example = '[[fault]]\nkind = "poison_message"\nshare = 0.05\nfrom = "5 min"\nfor = "10 min"\n'


class Bot(OfArrivals):
    """`per_s` orders a second for `units` of `sku` (the first one if absent), whose buyer never ends the payment.

    waits   how long the provider waits for him before it declines; at the latest until the fault is over
    """

    kind: Literal["bot"] = "bot"
    per_s: Rate = 1.0
    units: Count = 5
    sku: str | None = None
    waits: Duration = 5 * MINUTE

    does = "a bot orders and never pays: whoever reserves first keeps goods for it meanwhile"
    breaks = frozenset({Assumption.BUYERS_PAY})
    heals = "the provider declines the open payments at the end of its window, and the orders let go of what they hold"
    witness = "an order of the bot's"
    example = '[[fault]]\nkind = "bot"\nper_s = 0.5\nunits = 5\nwaits = "5 min"\nfrom = "5 min"\nfor = "5 min"\n'

    def misfits(self, scenario: Scenario) -> Misfits:
        yield from super().misfits(scenario)
        yield from unknown_product(self.sku, scenario)


FAULTS: tuple[type[Fault], ...] = (FlashCrowd, HotSku, RetryStorm, CancellationRace, PoisonMessage, Bot)
