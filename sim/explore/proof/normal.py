"""What nobody can tell apart is one: the normal forms of what stores remember, and names that say whose they are.

A table is remembered in the order in which it was filled, a charge by its place in the ledger, a token by a serial of
all tokens. No flow reads any of that, unless it lists them; so a search that kept it would look at every state as often
as there are ways to number it. A store of a kind that is not told here is taken as it is: more states, and nothing
missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.model.flow import Store
from orderquake.model.notice import NoticeBoard
from orderquake.model.order_cache import OrderCache
from orderquake.model.payment import PaymentProvider
from orderquake.model.record import SystemOfRecord
from orderquake.model.stock import StockCache
from orderquake.model.work_queue import WorkQueue
from orderquake.sim.explore.proof.values import Normal, in_order

LISTS = {"settle": "captures", "recover": "open", "rebuild": "unsynced"}
"""Flow -> the list of which it reads the order."""


def normal_of(store: Store, flows: frozenset[str]) -> Normal | None:
    """The normal form of a store's snapshots where these flows are the parties; None where none is known."""
    read = frozenset(LISTS[flow] for flow in flows & LISTS.keys())
    for kind, make in _NORMAL.items():
        if isinstance(store, kind) and type(store).snapshot is kind.snapshot:
            normal: Normal = make(read)
            return normal
    return None


def _orders(read: frozenset[str]) -> Normal:
    def queue(name: str, entries: tuple[bool, int, tuple[Any, ...]]) -> tuple[bool, int, tuple[Any, ...]]:
        is_paged, serial, ids = entries
        if is_paged:
            return entries
        # When an order was put in is only looked at where idle orders are listed.
        kept = ids if name == "open" and "open" in read else tuple((order_id, 0) for order_id, _ in ids)
        return is_paged, serial, kept if name == "unposted" or name in read else in_order(kept)

    def normal(snapshot: Any) -> Any:
        rows, is_open, unposted, unsynced, cursors = snapshot
        return (
            in_order(rows),
            queue("open", is_open),
            queue("unposted", unposted),
            queue("unsynced", unsynced),
            in_order(cursors),
        )

    return normal


def _money(read: frozenset[str]) -> Normal:
    def normal(snapshot: Any) -> Any:
        answers, captures, charge_of, declined, paid_back, taken, tries, holds, hold_of, in_part = snapshot
        if "captures" not in read:
            captures = in_order([(0, made._replace(place=0)) for _, made in captures])
            captures = tuple((0, made._replace(place=place)) for place, (_, made) in enumerate(captures, start=1))
            charge_of = in_order([(key, made._replace(place=0)) for key, made in charge_of])
        made, live, doomed, due, failed = paid_back
        paid_back = (in_order(made), in_order(live), in_order(doomed), due, failed)
        return (in_order(answers), captures, in_order(charge_of), in_order(declined), paid_back, *map(
            in_order, (taken, tries, holds, hold_of, in_part)))  # fmt: skip

    return normal


def _record(_: frozenset[str]) -> Normal:
    def normal(snapshot: Any) -> Any:
        on_hand, version, book, log, head, moves = snapshot
        return on_hand, version, in_order(book), log, head, moves

    return normal


def _stock(_: frozenset[str]) -> Normal:
    def normal(snapshot: Any) -> Any:
        base, base_v, (commitments, _, serial), adopted, clock = snapshot
        # A deadline of what is gone, or pinned, or was extended since, frees nobody when it comes.
        due = in_order([(until_us, token) for token, _, _, until_us, _, _ in commitments if until_us >= 0])
        held = in_order([(*each[:4], in_order(each[4]), in_order(each[5])) for each in commitments])
        return base, base_v, (held, due, serial if isinstance(serial, int) else in_order(serial)), adopted, clock

    return normal


_NORMAL: Mapping[type[Any], Any] = {
    OrderCache: _orders,
    PaymentProvider: _money,
    SystemOfRecord: _record,
    StockCache: _stock,
    NoticeBoard: lambda _: in_order,
    WorkQueue: lambda _: lambda snapshot: tuple(map(in_order, snapshot)),  # all in line have a worker here
}


def name_by_owner(stores: Mapping[str, Store]) -> None:
    """Let charges, holds and tokens be called after the order, or the key, and how many it had before."""
    for store in stores.values():
        if isinstance(store, PaymentProvider):
            _name_money(store)
        if isinstance(store, StockCache) and type(store).name_token is StockCache.name_token:
            _name_tokens(store)


def _name_money(provider: PaymentProvider) -> None:
    def charge(key: str) -> str:
        return f"ch_{key}" + "+" * sum(made.key == key for _, made in provider.captures)

    def hold(key: str) -> str:
        return f"pi_{key}" + "+" * (key in provider.hold_of)

    provider.name_charge, provider.name_hold = charge, hold  # type: ignore[method-assign]


def _name_tokens(stock: StockCache) -> None:
    memory: Any = stock  # where the serial of all tokens was, the number of each order's tokens is kept
    memory.serial = ()

    def token(order_id: str, epoch: int) -> str:
        granted = dict(memory.serial)
        granted[order_id] = number = granted.get(order_id, 0) + 1
        memory.serial = tuple(sorted(granted.items()))
        return f"{order_id}/{epoch}.{number}"

    stock.name_token = token  # type: ignore[method-assign]
