"""hot_cold: answer customers from fast caches, keep the books in the background, and promise nothing you cannot keep.

The hot path registers an order, takes the payment, reserves the stock, and fulfils or refunds. The cold path refreshes
the stock from the system of record and posts finished orders back, once each. Five rules carry it:

  1  Decide, then act. What cannot be taken back (a charge, a refund, a release, a post, a notice) follows a successful
     write of the state that calls for it. Whoever loses the compare-and-set undoes nothing.
  2  One step at a time. `advance` reads the row, does the one step its state calls for, and writes it. A crash between
     any two lines is healed by doing the same step again, with the same keys.
  3  A reservation is a token over all lines, live until its deadline; consuming it turns it into a pin.
  4  Units leave the Stock Cache for the record in the one step that applies a snapshot which contains their post.
  5  Silence proves nothing. A charge is sent again under its key while the provider surely remembers the key; after
     that it is only looked up.

Told next door: `hold`, the steps of the policy that authorises first; `settlement`, a job that returns money
that was taken too late or twice, or came back; and `rebuild`, which brings back a Stock Cache that has lost its memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from orderquake.model.architecture import Job
from orderquake.model.assumptions import Assumption
from orderquake.model.flow import Reply, Store, Within
from orderquake.model.hold import HoldMoney
from orderquake.model.notice import NoticeBoard, Notify
from orderquake.model.order import Order, State, Sync
from orderquake.model.order_cache import (
    AlreadyRegistered,
    Conflict,
    Found,
    ListIdle,
    ListUnposted,
    OrderCache,
    ReadOrder,
    Register,
    Registered,
    WriteOrder,
    WriteOrders,
    Written,
)
from orderquake.model.payment import (
    AskRefund,
    Captured,
    CapturedInPart,
    Charge,
    Declined,
    ErrorReplayed,
    KeyMismatch,
    LookUp,
    NothingCaptured,
    NothingFound,
    OverRefund,
    PaymentProvider,
    Refund,
    RefundMade,
)
from orderquake.model.rebuild import Rebuild
from orderquake.model.record import Booking, Post, Posted, ReadChanges, Rejected, SystemOfRecord
from orderquake.model.settlement import Settlement
from orderquake.model.stock import (
    AskStatus,
    Consume,
    Extend,
    Lapse,
    Lapsed,
    NotReady,
    Pinned,
    Refresh,
    Release,
    Released,
    Reserve,
    Reserved,
    Settle,
    SoldOut,
    StockCache,
    Unreconciled,
)
from orderquake.model.work_queue import Enqueue, WorkQueue


class HotCold(HoldMoney, Settlement, Rebuild):
    """Hot path on caches, cold path to the record; one owner of the stock, which refreshes by version."""

    name = "hot_cold"
    requires = frozenset(
        {
            Assumption.LOSSES_ARE_ANNOUNCED,
            Assumption.STOCK_HAS_ONE_OWNER,
            Assumption.ORDERS_KEEP_WRITES,
            Assumption.ORDERS_COMPARE_AND_SET,
            Assumption.ORDERS_ARE_READ_FRESH,
            Assumption.RECORD_KEEPS_COMMITS,
            Assumption.KEYS_OUTLIVE_ASKS,
        }
    )

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy
        return {
            "order_cache": OrderCache(),
            "stock": StockCache(opening, policy.safety_stock, policy.expires_on_look),
            "payment": PaymentProvider(policy.key_retention_us, policy.refund_delay_us, renews_keys=policy.renews_keys),
            "record": SystemOfRecord(opening, policy.below_zero),
            "notice": NoticeBoard(),
            "queue": WorkQueue(),
        }

    def rests(self, stores: Mapping[str, Any], now_us: int) -> bool:
        stock, record = stores["stock"], stores["record"]
        owed = len(self.order_rows(stores).unsynced.entries)  # what the record has refused stays promised
        is_let_go = len(stock.by_token) <= owed
        return self.orders_rest(stores, now_us) and stock.is_open and is_let_go and stock.cursor == record.head

    def orders_rest(self, stores: Mapping[str, Any], now_us: int) -> bool:
        """Every order has ended and is with the record, every refund has arrived, and nobody waits in line."""
        orders, refunds = self.order_rows(stores), stores["payment"].paid_back
        return (
            orders.rests
            and not refunds.is_due(now_us)
            and orders.cursors.get("refunds", 0) == len(refunds.failed)
            and not stores["queue"].has_work(now_us)
        )

    # ---------------------------------------------------------------- the front door

    async def register(self, order: Order) -> None:
        """Write the order down, answer, put it in line. If the last is lost, recovery finds the order idle."""
        answer = await self.patiently(Register(order))
        match answer:
            case Registered() | AlreadyRegistered():
                await Reply("registered")
            case _:
                assert_never(answer)
        await self.patiently(Enqueue((order.id,)))

    async def cancel(self, order_id: str) -> None:
        """Only raise a flag; whoever advances the order honours it. What is fulfilled can only be returned."""
        order = await self.read(order_id)
        if order is None or order.is_final:
            await Reply("too_late")
            return
        match await self.patiently(WriteOrder(order._replace(cancel_asked=True))):
            case Written():
                await Reply("flagged")
            case Conflict():
                await self.cancel(order_id)

    async def hear(self, order_id: str) -> None:
        """The provider calls: something has become of this order's money. What it says is not used.

        Such a call comes early, late, twice, in the wrong order, or never, and anybody could make it. So it is only a
        reason to look: the order is put in line, and a worker asks the provider, as it would have without the call.
        """
        await self.patiently(Enqueue((order_id,)))

    # ---------------------------------------------------------------- the hot path

    async def advance(self, order_id: str) -> bool:
        """Read the row, do the one step that its state calls for, write it down. True while there is more to do."""
        order = await self.read(order_id)
        if order is None:
            return False
        decided = await self.step(order)
        return await self.write(order, decided)

    async def step(self, order: Order) -> Order:
        """The one step that an order's state calls for, and what is to be written of it."""
        match order.state:
            case State.REGISTERED:
                return await self.begin(order)
            case State.CHARGING:
                return await self.charge(order)
            case State.AUTHORISING:
                return await self.authorise(order)
            case State.PAID | State.AUTHORISED:
                return await (self.consume(order) if order.token else self.reserve(order))
            case State.RESERVED:
                return await self.consume(order)
            case State.CAPTURING:
                return await self.capture(order)
            case State.VOID_PENDING:
                return await self.void(order)
            case State.REFUND_PENDING:
                return await self.give_back(order)
            case State.FULFILLED | State.REFUNDED | State.DECLINED | State.CANCELLED:
                return await self.finish(order)
            case _:
                assert_never(order.state)

    async def begin(self, order: Order) -> Order:
        """Start to charge; a shop that reserves first does so before."""
        if await self.is_unwanted(order):
            return self.move(order, State.CANCELLED)
        if self.policy.order == "pay_first":
            return self.move(order, State.CHARGING, generation=1)
        if self.policy.order == "authorise_reserve_capture":
            return self.move(order, State.AUTHORISING, generation=1)
        answer = await self.claim(order)
        match answer:
            case Reserved(token):
                return self.move(order, State.CHARGING, generation=1, token=token)
            case SoldOut():
                return self.move(order, State.CANCELLED)
            case NotReady():
                return order
            case _:
                assert_never(answer)

    async def charge(self, order: Order) -> Order:
        """Take the money, once. Only a definite answer ends this state."""
        if order.token and self.policy.extends and not await self.is_unwanted(order):
            await self.extend(order)
        answer: Captured | CapturedInPart | Declined | ErrorReplayed | KeyMismatch | NothingFound
        if await Within(order.charge_sent_at, self.policy.send_horizon_us):
            answer = await self.patiently(Charge(self.charge_key(order), order.id, order.total, order.card))
        else:
            answer = await self.patiently(LookUp(self.charge_key(order), order.id))
        match answer:
            case Captured(charge_id):
                return self.move(order, State.PAID, charge_id=charge_id)
            case CapturedInPart(charge_id, amount):
                return self.return_part(order, charge_id, amount)
            case Declined():
                return self.move(order, State.DECLINED)
            case ErrorReplayed():
                return await self.look_into(order)
            case NothingFound():
                return await self.give_up_on(order)
            case KeyMismatch():
                raise AssertionError(f"{order.id}: the charge key was used for something else")
            case _:
                assert_never(answer)

    async def look_into(self, order: Order) -> Order:
        """The provider's final word on this key is an error: ask its ledger; charge anew only if it took nothing."""
        answer = await self.patiently(LookUp(self.charge_key(order), order.id))
        match answer:
            case Captured(charge_id):
                return self.move(order, State.PAID, charge_id=charge_id)
            case CapturedInPart(charge_id, amount):
                return self.return_part(order, charge_id, amount)
            case Declined():
                return self.move(order, State.DECLINED)
            case NothingFound():
                return order._replace(generation=order.generation + 1)
            case _:
                assert_never(answer)

    def return_part(self, order: Order, charge_id: str, amount: int) -> Order:
        """Less than the price is no payment: the shop cancels the order, as a customer would, and gives it back."""
        return self.move(order, State.PAID, charge_id=charge_id, unpaid=order.total - amount, cancel_asked=True)

    async def give_up_on(self, order: Order) -> Order:
        """Nothing found after silence proves nothing, until the ask cannot be on its way any more."""
        if await Within(order.charge_sent_at, self.policy.key_retention_us):
            return order
        return self.move(order, State.DECLINED)

    async def reserve(self, order: Order) -> Order:
        """Claim the units of an order whose money is there; if there are none, decide to give it back."""
        if await self.is_unwanted(order):
            return self.undo(order)
        answer = await self.claim(order)
        match answer:
            case Reserved(token) if self.policy.order == "reserve_first":
                return order._replace(token=token)
            case Reserved(token):
                return self.move(order, State.RESERVED, token=token)
            case SoldOut():
                return self.undo(order)
            case NotReady():
                return order
            case _:
                assert_never(answer)

    async def claim(self, order: Order) -> Reserved | SoldOut | NotReady:
        """Ask the owner of the stock for all lines; the same order gets the same answer while its reservation lives."""
        return await self.patiently(Reserve(order.id, order.lines, self.policy.ttl_us))

    async def extend(self, order: Order) -> None:
        """The payment may take long: let the reservation last, for as long as the order is wanted."""
        await self.patiently(Extend(order.token, order.id, self.policy.ttl_us))

    async def consume(self, order: Order) -> Order:
        """Make the reservation stand for good; if it has lapsed, the order is paid and without one."""
        if order.cancel_asked:
            return self.undo(order)
        answer = await self.patiently(Consume(order.token, order.id))
        match answer:
            case Pinned():
                return self.move(order, State.CAPTURING if order.auth_id else State.FULFILLED)
            case Lapsed() if order.state is State.RESERVED:
                return self.move(order, State.AUTHORISED if order.auth_id else State.PAID, token="")
            case Lapsed():
                return order._replace(token="")
            case NotReady():
                return order
            case _:
                assert_never(answer)

    async def give_back(self, order: Order) -> Order:
        """First the money, then the units, then wait until the refund has really arrived. One of them a step."""
        if not order.refund_id:
            return await self.refund(order)
        if order.token:
            return await self.release(order)
        answer = await self.patiently(AskRefund(self.refund_key(order), order.id))
        match answer:
            case RefundMade(_, "succeeded"):
                return self.move(order, State.REFUNDED)
            case RefundMade(_, "failed"):
                return order._replace(refund_id="", refund_generation=order.refund_generation + 1)
            case RefundMade():
                return order
            case NothingFound():
                raise AssertionError(f"{order.id}: the provider has no refund {order.refund_id}")
            case _:
                assert_never(answer)

    async def refund(self, order: Order) -> Order:
        """Pay back, once; a pending refund is a refund."""
        answer: RefundMade | NothingFound | NothingCaptured | OverRefund | KeyMismatch
        if await Within(order.refund_sent_at, self.policy.send_horizon_us):
            answer = await self.patiently(Refund(self.refund_key(order), order.id, order.charge_id, order.taken))
        else:
            answer = await self.patiently(AskRefund(self.refund_key(order), order.id))
        match answer:
            case RefundMade(refund_id, "succeeded") if not order.token:
                return self.move(order, State.REFUNDED, refund_id=refund_id)
            case RefundMade(refund_id, _):
                return order._replace(refund_id=refund_id)
            case NothingFound():
                return await self.refund_anew(order)
            case NothingCaptured() | OverRefund() | KeyMismatch():
                raise AssertionError(f"{order.id}: a refund of what was never captured, or has gone back")
            case _:
                assert_never(answer)

    async def refund_anew(self, order: Order) -> Order:
        """No refund is known, and no ask for one can be on its way any more: only then try again under a new key."""
        if await Within(order.refund_sent_at, self.policy.key_retention_us):
            return order
        return order._replace(refund_generation=order.refund_generation + 1)

    async def release(self, order: Order) -> Order:
        """Put the units back on sale; the row keeps the token until the owner has confirmed."""
        answer = await self.patiently(Release(order.token, order.id))
        match answer:
            case Released():
                return order._replace(token="")
            case NotReady():
                return order
            case _:
                assert_never(answer)

    async def finish(self, order: Order) -> Order:
        """Tell the customer how it ended, then let go of what an ended order still holds: nobody waits for shelves."""
        if not order.is_told:
            await self.patiently(Notify(order.id, order.state.value))
            return order._replace(is_told=True)
        if order.token and order.state is not State.FULFILLED:
            return await self.release(order)
        return order

    # ---------------------------------------------------------------- what the steps share

    async def read(self, order_id: str) -> Order | None:
        match await self.patiently(ReadOrder(order_id)):
            case Found(order):
                return order
            case _:
                return None

    async def write(self, before: Order, after: Order) -> bool:
        """Write what was decided. Nothing decided: rest. Somebody was faster: read again."""
        if after == before:
            return False
        match await self.patiently(WriteOrder(after)):
            case Written(order):
                return not order.is_closed
            case Conflict():
                return True

    async def is_unwanted(self, order: Order) -> bool:
        """Cancelled by the customer, or undecided for too long."""
        return order.cancel_asked or not await Within(order.registered_at, self.policy.decide_within_us)

    def undo(self, order: Order) -> Order:
        """Decide to give the money back, or to let go of the hold on it."""
        if order.auth_id:
            return self.move(order, State.VOID_PENDING)
        return self.move(order, State.REFUND_PENDING, refund_generation=order.refund_generation + 1)

    def charge_key(self, order: Order) -> str:
        """The same for every attempt at the same charge."""
        return f"{order.id}/charge/{order.generation}"

    def refund_key(self, order: Order) -> str:
        return f"{order.id}/refund/{order.refund_generation}"

    # ---------------------------------------------------------------- the cold path

    def jobs(self) -> tuple[Job, ...]:
        return (
            Job("inbound", "refresh"),
            Job("outbound", "post"),
            Job("recovery", "recover"),
            Job("settlement", "settle"),
            Job("sweep", "lapse"),
            Job("rebuild", "rebuild"),
        )

    async def refresh(self, after: int = 0) -> int | None:
        """Bring the Stock Cache what has changed in the record since it last looked."""
        status = await self.patiently(AskStatus())
        if not status.is_open:
            return None
        changed = await self.patiently(
            ReadChanges(status.cursor, max(after, status.cursor), self.policy.batch_of("inbound"))
        )
        if isinstance(await self.patiently(Refresh(status.epoch, changed)), Unreconciled):
            return None  # the feed contradicts its own log: read it again next time, and nothing beyond
        return changed.upto if changed.more else None

    async def post(self, after: int = 0) -> int | None:
        """Post finished orders: freeze what will be said, say it, tell the Stock Cache, then call it posted."""
        page = await self.patiently(ListUnposted(after, self.policy.batch_of("outbound")))
        frozen = await self.freeze(page.orders)
        if frozen:
            answers = await self.patiently(Post(tuple(self.booking(order) for order in frozen)))
            if not await self.tell_owner(tuple(answer for answer in answers if isinstance(answer, Posted))):
                return None
            synced = tuple(self.synced(order, answer) for order, answer in zip(frozen, answers, strict=True))
            await self.patiently(WriteOrders(synced))
        return page.following

    async def tell_owner(self, posted: tuple[Posted, ...]) -> bool:
        """Let the owner of the stock know at which versions the goods left the record. False where it cannot listen."""
        answer = await self.patiently(Settle(tuple((who, versions) for who, versions, _ in posted)))
        return not isinstance(answer, NotReady)

    async def freeze(self, orders: tuple[Order, ...]) -> tuple[Order, ...]:
        """From here on the content of a post never changes, whoever sends it."""
        frozen = tuple(order for order in orders if order.sync is Sync.POSTING)
        fresh = tuple(order._replace(sync=Sync.POSTING) for order in orders if order.sync is Sync.UNPOSTED)
        if not fresh:
            return frozen
        answers = await self.patiently(WriteOrders(fresh))
        return frozen + tuple(answer.order for answer in answers if isinstance(answer, Written))

    def synced(self, order: Order, answer: Posted | Rejected) -> Order:
        if isinstance(answer, Rejected):
            return order._replace(sync=Sync.DEAD_LETTER)
        return order._replace(sync=Sync.POSTED, posted_upto=answer.upto)

    def booking(self, order: Order) -> Booking:
        return Booking(f"{order.id}/final", order.id, order.state.value, order.lines, order.total)

    async def recover(self, after: int = 0) -> int | None:
        """Put orders that nobody has touched for a while back in line."""
        page = await self.patiently(ListIdle(self.policy.idle_us, after, self.policy.batch_of("recovery")))
        if page.orders:
            await self.patiently(Enqueue(tuple(order.id for order in page.orders)))
        return page.following

    async def lapse(self, _after: int = 0) -> int | None:
        """Where reservations do not expire by themselves, sweep them out."""
        await self.patiently(Lapse())
        return None
