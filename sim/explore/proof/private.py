"""Private asks: those that nobody else can get in the way of, whatever else happens first.

If no other party, and nothing that may still go wrong, can ever do what an ask depends on before the ask itself is
done, then to do it at once and to do it later come to the same. Such an ask is done at once, and the interleavings in
which it waits are not looked at (a persistent set of one party; Godefroid, "Partial-Order Methods", 1996). Three things
make that sound here:

  1  A broken promise stays broken: every verdict of a checker that is invalid stays so, so a violation that is
     reached before a private ask is there after it, too.
  2  Nothing is put off for ever: private asks raise a row's version or end a step, and where none is left everybody is
     let go on.
  3  From every state that is left out, one that is looked at can be reached by private asks alone. So where the one can
     finish, the other can.

Only the asks told here, to services of the kinds told here, are ever called private; anything else waits its turn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
from orderquake.model.record import Post, ReadChanges, SystemOfRecord
from orderquake.model.stock import AskStatus, Consume, Refresh, Release, StockCache
from orderquake.sim.explore.exhaustive import TOLD
from orderquake.sim.explore.proof.budget import NO_MORE
from orderquake.sim.explore.proof.flows import Stand
from orderquake.sim.explore.proof.moves import Explorer, State

MONEY = frozenset({Charge, LookUp, Authorise, LookUpHold, CaptureHold, VoidHold, Refund, AskRefund})
WATCHERS = frozenset({"settle", "recover", "rebuild", "lapse"})
"""Jobs that reach into every order; where one is a party, nothing is private."""
NOBODY = -1


class Wanted(NamedTuple):
    """An ask, as far as it matters here."""

    kind: type[Any]
    ask: Any
    order_id: str
    key: str
    is_told: bool


class Private:
    """Who may go on without a look at the others.

    spares_told   asks that a story counts are never private, so that the first story found is the shortest
    """

    def __init__(self, explorer: Explorer, spares_told: bool) -> None:
        self.explorer = explorer
        self.spares_told = spares_told
        services, flows = explorer.services, tuple(explorer.jobs)
        kinds = {name: type(store) for name, store in zip(services.names, services.stores, strict=True)}
        self.has_rows = kinds.get("order_cache") is OrderCache
        self.has_money = kinds.get("payment") is PaymentProvider
        self.has_notice = kinds.get("notice") is NoticeBoard
        record: Any = kinds.get("record", object)
        stock: Any = kinds.get("stock", object)
        self.has_record = issubclass(record, SystemOfRecord) and record.handle is SystemOfRecord.handle
        self.has_stock = issubclass(stock, StockCache) and stock.handle is StockCache.handle
        self.is_off = bool(WATCHERS & set(flows)) or not self.has_rows
        self.posters = tuple(place for place, flow in zip(explorer.job_places, flows, strict=True) if flow == "post")
        self.readers = tuple(place for place, flow in zip(explorer.job_places, flows, strict=True) if flow == "refresh")
        self.goes_by_pages = explorer.design.policy.batch_of("outbound") < len(explorer.ids)
        self.rows_place = services.place.get("order_cache", NOBODY)
        self.rows: dict[int, dict[str, Order]] = {}
        self.wanted: list[Wanted] = []
        self.is_listing = True
        self.mentioned: dict[int, frozenset[str]] = {}

    def party(self, state: State, left: int) -> int:
        """The first party whose next ask is private; NOBODY where there is none."""
        if self.is_off:
            return NOBODY
        explorer = self.explorer
        asks, rests, first = explorer.flows.asks, explorer.flows.rests, explorer.workers.start
        if not self.may_have_rivals(left):
            rivals = explorer.others.values[state[explorer.others_at]]
            self.is_listing = self.may_list(state, left)
            for place in explorer.workers:
                stand = state[place]
                if stand != rests and self.is_private(state, left, place - first, asks[stand], rivals):
                    return place - first
        if explorer.spend["time"][left] == NO_MORE:
            for place in explorer.job_places:
                if asks[state[place]] >= 0 and self.is_private_of_job(state, asks[state[place]]):
                    return place - first
        return NOBODY

    def may_have_rivals(self, left: int) -> bool:
        """May there come a second worker, or a customer who cancels?"""
        spend = self.explorer.spend
        return spend["lease"][left] != NO_MORE or spend["cancel"][left] != NO_MORE

    def is_private(self, state: State, left: int, who: int, number: int, rivals: tuple[int, ...]) -> bool:
        """Of a worker's ask."""
        explorer = self.explorer
        kind, ask, about, key, is_told = self.wanted[number] if number < len(self.wanted) else self.look(number)
        order_id = explorer.ids[who]
        if kind is ReadOrder:
            return ask.order_id == order_id and self.row_is_mine(state, left, order_id, rivals)
        if about != order_id or explorer.spend["time"][left] != NO_MORE:
            return False
        if kind is WriteOrder:
            if not self.row_is_mine(state, left, order_id, rivals):
                return False
            return not self.is_listing or ask.order.state not in POSTABLE
        if (is_told and self.spares_told) or (rivals and self.has_rival(order_id, rivals)):
            return False
        if kind in MONEY:
            return self.has_money and not self.may_come_again(state, about, key, "payment")
        if kind is Notify:
            return self.has_notice and not self.may_come_again(state, about, key, "notice")
        if kind is Consume:
            return (
                self.has_stock
                and explorer.spend["lapse"][left] == NO_MORE
                and not any(isinstance(sent, Release) and sent.token == ask.token for sent in self.sent(state))
            )
        return False

    def is_private_of_job(self, state: State, number: int) -> bool:
        kind, ask, _, _, is_told = self.look(number)
        if is_told and self.spares_told:
            return False
        if kind is AskStatus:  # only a refresh moves what it tells, and there is one
            return self.has_stock and not any(isinstance(sent, Refresh) for sent in self.sent(state))
        if kind is Refresh:  # with nothing new it does nothing, whenever it comes
            return self.has_stock and not ask.changed.items and ask.changed.upto <= ask.changed.since
        asks = self.explorer.flows.asks
        if kind is ReadChanges:
            return (
                self.has_record
                and all(asks[state[place]] < 0 for place in self.posters)
                and not any(isinstance(sent, Post) for sent in self.sent(state))
            )
        if kind is Post:
            return (
                self.has_record
                and all(asks[state[place]] < 0 for place in self.readers)
                and not any(isinstance(sent, Post) for sent in self.sent(state))
            )
        return False

    def look(self, number: int) -> Wanted:
        while len(self.wanted) <= number:
            ask: Any = self.explorer.services.asks.values[len(self.wanted)]
            about, key = ask.about()
            self.wanted.append(Wanted(type(ask), ask, about, key, ask.verb in TOLD))
        return self.wanted[number]

    # -- who else may touch what

    def row_is_mine(self, state: State, left: int, order_id: str, rivals: tuple[int, ...]) -> bool:
        """Can nobody else write the order's row before its worker does?"""
        if rivals and self.has_rival(order_id, rivals):
            return False
        if self.row(state, order_id).state in POSTABLE and self.may_post(state, order_id):
            return False
        if state[self.explorer.sent_at]:
            for sent in self.sent(state):
                if isinstance(sent, WriteOrder) and sent.order.id == order_id:
                    return False
                if isinstance(sent, WriteOrders) and any(order.id == order_id for order in sent.orders):
                    return False
        return True

    def has_rival(self, order_id: str, rivals: tuple[int, ...]) -> bool:
        """Is there a second worker, or a customer who cancels?"""
        stands = self.explorer.flows.stands.values
        return any(order_id in stands[stand].arguments for stand in rivals)

    def may_list(self, state: State, left: int) -> bool:
        """May a post still look which orders there are?"""
        flows = self.explorer.flows
        for place in self.posters:
            if flows.asks[state[place]] >= 0:
                stand: Stand = flows.stands.values[state[place]]
                is_last = stand.answers and stand.left == 1 and not self.goes_by_pages
                if not is_last or self.explorer.spend["crash"][left] != NO_MORE:
                    return True
        return False

    def may_post(self, state: State, order_id: str) -> bool:
        """May a post still write this order's row? One that is on its last run writes only what it has listed."""
        return self.is_listing or any(order_id in self.mentions(state[place]) for place in self.posters)

    def mentions(self, number: int) -> frozenset[str]:
        """The orders that a post knows of."""
        found = self.mentioned.get(number)
        if found is None:
            stand: Stand = self.explorer.flows.stands.values[number]
            values = self.explorer.services.answers.values
            told = repr([values[answer] for answer in stand.answers])
            found = self.mentioned[number] = frozenset(one for one in self.explorer.ids if one in told)
        return found

    def may_come_again(self, state: State, order_id: str, key: str, service: str) -> bool:
        """Is an ask about the same thing on the wire?"""
        if not state[self.explorer.sent_at]:
            return False
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
