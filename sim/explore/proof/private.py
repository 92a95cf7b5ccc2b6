"""Private asks: those that nobody else can get in the way of, whatever else happens first.

If no other party, and nothing that may still go wrong, can ever do what an ask depends on before the ask itself is
done, then to do it at once and to do it later come to the same. Such an ask is done at once, and the interleavings in
which it waits are not looked at (a persistent set of one party; Godefroid, "Partial-Order Methods", 1996). Three things
make that sound here:

  1  A broken promise stays broken: every verdict of a checker that is invalid stays so, so a violation that is
     reached before a private ask is there after it, too.
  2  Nothing is put off for ever: private asks raise a row's version or end a step, and where none is left everybody is
     let go on.
  3  What can never be reached can never be missed: from every state that is left out, one that is looked at can be
     reached by private asks alone. So where the one can finish, the other can.

Only the asks told here, to services of the kinds told here, are ever called private; anything else waits its turn.
"""

from __future__ import annotations

from typing import Any

from orderquake.model.notice import NoticeBoard, Notify
from orderquake.model.order import POSTABLE, Order
from orderquake.model.order_cache import OrderCache, ReadOrder, WriteOrder, WriteOrders
from orderquake.model.payment import (
    AskRefund,
    Authorise,
    CaptureHold,
    Charge,
    LookUp,
    LookUpHold,
    PaymentProvider,
    Refund,
    VoidHold,
)
from orderquake.model.stock import Consume, Release, StockCache
from orderquake.sim.explore.proof.budget import NO_MORE
from orderquake.sim.explore.proof.moves import Explorer, State

MONEY = (Charge, LookUp, Authorise, LookUpHold, CaptureHold, VoidHold, Refund, AskRefund)
WATCHERS = frozenset({"settle", "recover", "rebuild", "lapse"})
"""Jobs that reach into every order; where one is a party, nothing is private."""


class Private:
    """Who may go on without a look at the others."""

    def __init__(self, explorer: Explorer, is_told_counted: bool) -> None:
        self.explorer = explorer
        self.is_told_counted = is_told_counted
        services = explorer.services
        kinds = {name: type(store) for name, store in zip(services.names, services.stores, strict=True)}
        self.has_rows = kinds.get("order_cache") is OrderCache
        self.has_money = kinds.get("payment") is PaymentProvider
        self.has_notice = kinds.get("notice") is NoticeBoard
        stock = kinds.get("stock", object)
        self.has_stock = issubclass(stock, StockCache) and stock.handle is StockCache.handle
        self.is_off = bool(WATCHERS & explorer.jobs.keys()) or not self.has_rows
        self.posters = tuple(
            place for place, flow in zip(explorer.job_places, explorer.jobs, strict=True) if flow == "post"
        )
        self.rows: dict[int, dict[str, Order]] = {}
        self.kinds: dict[int, tuple[str, Any]] = {}
        self.rows_place = services.place.get("order_cache", -1)

    def party(self, state: State, left: int) -> int:
        """The first worker whose next ask is private; -1 where there is none."""
        if self.is_off:
            return -1
        explorer = self.explorer
        flows = explorer.flows
        for who, place in enumerate(explorer.workers):
            stand = state[place]
            if stand != flows.rests and self.is_private(state, left, who, flows.asks[stand]):
                return who
        return -1

    def is_private(self, state: State, left: int, who: int, number: int) -> bool:
        explorer = self.explorer
        ask: Any = explorer.services.asks.values[number]
        kind = type(ask)
        order_id = explorer.ids[who]
        spend = explorer.spend
        if kind is ReadOrder:
            return ask.order_id == order_id and self.row_is_mine(state, left, order_id)
        if spend["time"][left] != NO_MORE:
            return False
        if kind is WriteOrder:
            if ask.order.id != order_id or not self.row_is_mine(state, left, order_id):
                return False
            return not (self.may_post(state) and ask.order.state in POSTABLE)
        if self.is_told_counted and kind is not Notify and kind not in (LookUp, LookUpHold, AskRefund):
            return False
        about, key = ask.about()
        if about != order_id or self.has_other_hands(state, left, order_id):
            return False
        if kind in MONEY:
            return self.has_money and not self.may_come_again(state, order_id, key, "payment")
        if kind is Notify:
            return self.has_notice and not self.may_come_again(state, order_id, key, "notice")
        if kind is Consume:
            return (
                self.has_stock
                and spend["lapse"][left] == NO_MORE
                and not any(
                    isinstance(sent, Release) and sent.token == ask.token for sent in self.sent(state)
                )
            )
        return False

    # -- who else may touch what

    def row_is_mine(self, state: State, left: int, order_id: str) -> bool:
        """Can nobody else write the order's row before its worker does?"""
        if self.has_other_hands(state, left, order_id):
            return False
        if self.may_post(state):
            row = self.row(state, order_id)
            if row.state in POSTABLE and not (row.is_synced and self.posters_are_at_rest(state)):
                return False
        for sent in self.sent(state):
            if isinstance(sent, WriteOrder) and sent.order.id == order_id:
                return False
            if isinstance(sent, WriteOrders) and any(order.id == order_id for order in sent.orders):
                return False
        return True

    def has_other_hands(self, state: State, left: int, order_id: str) -> bool:
        """Is there, or may there come, a second worker or a customer who cancels?"""
        explorer = self.explorer
        if explorer.spend["lease"][left] != NO_MORE or explorer.spend["cancel"][left] != NO_MORE:
            return True
        others: tuple[int, ...] = explorer.others.values[state[explorer.others_at]]
        stands = explorer.flows.stands.values
        return any(order_id in stands[stand].arguments for stand in others)

    def may_post(self, state: State) -> bool:
        return any(self.explorer.flows.asks[state[place]] >= 0 for place in self.posters)

    def posters_are_at_rest(self, state: State) -> bool:
        stands = self.explorer.flows.stands.values
        return not any(stands[state[place]].answers for place in self.posters)

    def may_come_again(self, state: State, order_id: str, key: str, service: str) -> bool:
        """Is an ask about the same thing on the wire?"""
        return any(sent.service == service and sent.about() == (order_id, key) for sent in self.sent(state))

    def sent(self, state: State) -> tuple[Any, ...]:
        explorer = self.explorer
        numbers: tuple[int, ...] = explorer.sent.values[state[explorer.sent_at]]
        asks = explorer.services.asks.values
        return tuple(asks[number] for number in numbers)

    def row(self, state: State, order_id: str) -> Order:
        number = state[self.rows_place]
        rows = self.rows.get(number)
        if rows is None:
            snapshot: Any = self.explorer.services.snapshots[self.rows_place].values[number]
            rows = self.rows[number] = {row.id: row for row in snapshot[0]}
        return rows[order_id]
