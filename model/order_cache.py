"""The Order Cache: one row an order, changed only by whoever has seen its latest version.

What may be asked of it, what it answers, what it remembers. No step of the protocol is decided here.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from typing import Any, NamedTuple

from orderquake.model.boundaries import Data
from orderquake.model.flow import Ask, Change, Instant, effect
from orderquake.model.order import POSTABLE, Order


class Registered(NamedTuple):
    """The order is written down for good; it was the first of its id."""


class AlreadyRegistered(NamedTuple):
    """The same submission came before: this is a double click or a retry."""


class Found(NamedTuple):
    order: Order


class NotRegistered(NamedTuple):
    """No such order."""


class Written(NamedTuple):
    order: Order


class Conflict(NamedTuple):
    """Somebody else moved the order first; nothing was written."""


class Page(NamedTuple):
    """Some orders, and where the next page begins; `following` is None on the last."""

    orders: tuple[Order, ...]
    following: int | None


@effect
class Register(Ask[Registered | AlreadyRegistered]):
    """Put the order down if its id is absent."""

    service = "order_cache"
    verb = "register"
    carries = frozenset({Data.ORDER})
    order: Order

    def about(self) -> tuple[str, str]:
        return self.order.id, self.order.id


@effect
class ReadOrder(Ask[Found | NotRegistered]):
    service = "order_cache"
    verb = "read_order"
    carries = frozenset({Data.ORDER})
    order_id: str

    def about(self) -> tuple[str, str]:
        return self.order_id, ""


@effect
class ReadOrders(Ask[tuple[Found | NotRegistered, ...]]):
    """Many single reads in one call."""

    service = "order_cache"
    verb = "read_orders"
    carries = frozenset({Data.ORDER})
    order_ids: tuple[str, ...]


@effect
class WriteOrder(Ask[Written | Conflict]):
    """Replace the row if it still has the version that `order` carries."""

    service = "order_cache"
    verb = "write_order"
    carries = frozenset({Data.ORDER})
    order: Order

    def about(self) -> tuple[str, str]:
        return self.order.id, ""


@effect
class WriteOrders(Ask[tuple[Written | Conflict, ...]]):
    """Many single writes in one call; each succeeds or conflicts by itself."""

    service = "order_cache"
    verb = "write_orders"
    carries = frozenset({Data.ORDER})
    orders: tuple[Order, ...]


@effect
class ListIdle(Ask[Page]):
    """Orders that are not closed and were not written to for `idle_us`, least recently written first."""

    service = "order_cache"
    verb = "list_idle"
    idle_us: int
    after: int
    limit: int


@effect
class ListUnposted(Ask[Page]):
    """Orders that the record should have and has not confirmed, in the order in which they became final."""

    service = "order_cache"
    verb = "list_unposted"
    after: int
    limit: int


@effect
class ListUnsynced(Ask[Page]):
    """Every order that is still open or not in the record's book, in the order of registration: of what the record has
    refused, the goods are still promised."""

    service = "order_cache"
    verb = "list_unsynced"
    after: int
    limit: int


@effect
class ReadCursor(Ask[int]):
    """How far a job has come, 0 at first."""

    service = "order_cache"
    verb = "read_cursor"
    name: str


@effect
class MoveCursor(Ask[int]):
    """Move a job's cursor forward; it never goes back."""

    service = "order_cache"
    verb = "move_cursor"
    name: str
    to: int


class _Queue:
    """Ids in the order in which they were last put in, each with the serial of that moment.

    is_paged   somebody has read one page and may come back for the next: from here on the serials matter
    """

    def __init__(self) -> None:
        self.serial = 0
        self.entries: dict[str, tuple[int, int]] = {}
        self.is_paged = False

    def put_last(self, order_id: str, now_us: int) -> None:
        self.serial += 1
        self.entries.pop(order_id, None)
        self.entries[order_id] = (self.serial, now_us)

    def snapshot(self) -> Hashable:
        """Ids and moments in order. As long as nobody reads by pages only the order matters, and the serials are left
        out, so that states which differ in nothing else are one."""
        if self.is_paged:
            return True, self.serial, tuple(self.entries.items())
        return False, len(self.entries), tuple((order_id, put_us) for order_id, (_, put_us) in self.entries.items())

    def restore(self, snapshot: Any) -> None:
        self.is_paged, self.serial, entries = snapshot
        if self.is_paged:
            self.entries = dict(entries)
        else:
            self.entries = {order_id: (serial, put_us) for serial, (order_id, put_us) in enumerate(entries, start=1)}


POSTED = "posted"
"""Name of the cursor that the Order Cache moves itself: the record's log of changes, as far as posted orders reach."""
_OWN = Order._fields.index("version")
"""From here on, an order's columns are written by the Order Cache alone."""


class OrderCache:
    """All order rows, each behind its own compare-and-set."""

    def __init__(self) -> None:
        self.journal: list[Change] = []
        self.rows: dict[str, Order] = {}
        self.open = _Queue()
        self.unposted = _Queue()
        self.unsynced = _Queue()
        self.cursors: dict[str, int] = {}

    @property
    def rests(self) -> bool:
        """Every order has ended, and the record has it or has refused it."""
        return not self.open.entries and not self.unposted.entries

    def handle(self, ask: Any, now_us: int) -> Any:
        match ask:
            case ReadOrder(order_id):
                return self.read(order_id)
            case WriteOrder(order):
                return self.write(order, now_us)
            case Register(order):
                return self.register(order, now_us)
            case ReadOrders(order_ids):
                return tuple(self.read(order_id) for order_id in order_ids)
            case WriteOrders(orders):
                return tuple(self.write(order, now_us) for order in orders)
            case ListIdle(idle_us, after, limit):
                return self.page(self.open, after, limit, before_us=now_us - idle_us)
            case ListUnposted(after, limit):
                return self.page(self.unposted, after, limit)
            case ListUnsynced(after, limit):
                return self.page(self.unsynced, after, limit)
            case ReadCursor(name):
                return self.cursors.get(name, 0)
            case MoveCursor(name, to):
                self.cursors[name] = max(to, self.cursors.get(name, 0))
                return self.cursors[name]
        raise TypeError(f"the Order Cache does not know how to {type(ask).__name__}")

    def read(self, order_id: str) -> Found | NotRegistered:
        row = self.rows.get(order_id)
        return NotRegistered() if row is None else Found(row)

    def register(self, order: Order, now_us: int) -> Registered | AlreadyRegistered:
        if order.id in self.rows:
            return AlreadyRegistered()
        self.rows[order.id] = order._replace(version=1, registered_at=Instant(now_us))
        self.open.put_last(order.id, now_us)
        self.unsynced.put_last(order.id, now_us)
        for number, (sku, units, amount) in enumerate(order.lines):
            self.journal.append(Change("ordered", order=order.id, line=number, sku=sku, units=units, amount=amount))
        self.journal.append(
            Change("order", order=order.id, to_state=order.state._value_, version=1, amount=order.total)
        )
        return Registered()

    def write(self, order: Order, now_us: int) -> Written | Conflict:
        old = self.rows.get(order.id)
        if old is None or old.version != order.version:  # a row that is gone has no version either
            return Conflict()
        charge_sent_at = Instant(now_us) if order.generation != old.generation else old.charge_sent_at
        refund_sent_at = Instant(now_us) if order.refund_generation != old.refund_generation else old.refund_sent_at
        ours = (old.version + 1, old.registered_at, charge_sent_at, refund_sent_at)
        new = tuple.__new__(Order, (*order[:_OWN], *ours))
        self.rows[order.id] = new
        if new.posted_upto > self.cursors.get(POSTED, 0):
            self.cursors[POSTED] = new.posted_upto
        self.list_again(new, now_us)
        if new.state is not old.state:
            self.note("order", new, old.state, new.state, new.token, new.total)
        if new.sync is not old.sync:
            self.note("sync", new, old.sync, new.sync)
        return Written(new)

    def note(self, what: str, order: Order, old: Enum, new: Enum, key: str = "", amount: int = 0) -> None:
        """For the history. By position: an order writes seven of them, and to name the columns costs as much again."""
        self.journal.append(
            Change(
                what, key, order.id, -1, "", 0, amount, "", "", "", True, old._value_, new._value_, order.version
            )
        )  # fmt: skip

    def list_again(self, order: Order, now_us: int) -> None:
        """Keep the three lists: what is open, what the record still needs, what is either."""
        is_closed, is_synced = order.is_closed, order.is_synced
        if is_closed:
            self.open.entries.pop(order.id, None)
        else:
            self.open.put_last(order.id, now_us)
        if is_synced or order.state not in POSTABLE:
            self.unposted.entries.pop(order.id, None)
        elif order.id not in self.unposted.entries:
            self.unposted.put_last(order.id, now_us)
        if is_synced and is_closed and not order.is_owed:
            self.unsynced.entries.pop(order.id, None)
        elif order.id not in self.unsynced.entries:
            self.unsynced.put_last(order.id, now_us)

    def page(self, queue: _Queue, after: int, limit: int, before_us: int | None = None) -> Page:
        chosen: list[Order] = []
        last = after
        for order_id, (serial, put_us) in queue.entries.items():
            if before_us is not None and put_us > before_us:
                break
            if serial <= after:
                continue
            if len(chosen) == limit:
                queue.is_paged = True
                return Page(tuple(chosen), last)
            chosen.append(self.rows[order_id])
            last = serial
        return Page(tuple(chosen), None)

    def snapshot(self) -> Hashable:
        return (
            tuple(self.rows.values()),
            *(queue.snapshot() for queue in (self.open, self.unposted, self.unsynced)),
            tuple(self.cursors.items()),
        )

    def restore(self, snapshot: Any) -> None:
        rows, *queues, cursors = snapshot
        self.rows = {row.id: row for row in rows}
        for queue, entries in zip((self.open, self.unposted, self.unsynced), queues, strict=True):
            queue.restore(entries)
        self.cursors = dict(cursors)
        self.journal.clear()
