"""Histories written by hand: a small shop whose every step writes the rows that a good system would write.

A story that only calls these steps is innocent; a guilty one says in one line what goes otherwise. Nothing is
judged here.
"""

from __future__ import annotations

import json
from typing import Any

from orderquake.sim.history import History, Row

SECOND = 1_000_000
TTL = 900 * SECOND
PRICE = 100


class Story:
    """A shop and its history so far. `now` moves a second with each step; units are given as `mug=2`."""

    def __init__(
        self, *, opening: dict[str, int] | None = None, residency: dict[str, Any] | None = None, **limits: Any
    ) -> None:
        self.history = History()
        self.now = 0
        self.stock = {"mug": 5, "bowl": 5} if opening is None else opening
        self.on_hand = dict(self.stock)
        self.version = dict.fromkeys(self.stock, 0)
        self.base = dict(self.stock)
        self.base_v = dict.fromkeys(self.stock, 0)
        self.lines: dict[str, dict[str, int]] = {}
        self.state: dict[str, str] = {}
        self.sync: dict[str, str] = {}
        self.posted: dict[tuple[str, str], int] = {}
        for sku, units in self.stock.items():
            self.row("opening", kind="config", sku=sku, units=units)
        self.row("limits", kind="config", answer=json.dumps({"policy": "pay_first", **limits}))
        if residency is not None:
            self.row("residency", kind="config", answer=json.dumps(residency))

    def row(self, operation: str, **columns: Any) -> int:
        return self.history.state(self.now, operation, **columns)

    def wait(self, seconds: float = 1) -> None:
        self.now += round(seconds * SECOND)

    # -- the customer and the order

    def register(self, order: str, **lines: int) -> None:
        self.wait()
        self.lines[order] = lines
        self.row("submit", kind="invoke", actor="customer", key=order, order=order, op_id=order, witness="outside")
        for number, (sku, units) in enumerate(lines.items()):
            self.row("ordered", order=order, line=number, sku=sku, units=units, amount=units * PRICE)
        self.move(order, "registered")
        self.row(
            "submit",
            kind="ok",
            actor="customer",
            key=order,
            order=order,
            answer="registered",
            witness="outside",
        )

    def total(self, order: str) -> int:
        return PRICE * sum(self.lines[order].values())

    def move(self, order: str, to_state: str, **columns: Any) -> int:
        before = self.state.get(order, "")
        self.state[order] = to_state
        return self.row(
            "order",
            **{"order": order, "from_state": before, "to_state": to_state, "amount": self.total(order)} | columns,
        )

    def move_sync(self, order: str, to_state: str, **columns: Any) -> int:
        before = self.sync.get(order, "unposted")
        self.sync[order] = to_state
        return self.row("sync", **{"order": order, "from_state": before, "to_state": to_state} | columns)

    def tell(self, order: str, outcome: str = "", **columns: Any) -> int:
        self.wait()
        outcome = outcome or self.state[order]
        return self.row("notice", **{"order": order, "to_state": outcome, "witness": "outside"} | columns)

    def ask(self, verb: str, order: str = "ann", actor: str = "worker-paris-1", place: str = "paris") -> None:
        """An ask that is answered."""
        self.wait()
        of = {"order": order, "op_id": f"{order}.{verb}.{self.now}", "actor": actor, "place": place}
        self.row(verb, kind="invoke", **of)
        self.row(verb, kind="ok", answer="done", **of)

    # -- the provider

    def capture(self, order: str, amount: int | None = None, **columns: Any) -> int:
        self.wait()
        filled = {
            "order": order,
            "key": f"{order}/charge/1",
            "amount": self.total(order) if amount is None else amount,
            "debit": "provider",
            "credit": "customer",
            "witness": "outside",
        }
        return self.row("capture", **filled | columns)

    def admit(self, verb: str) -> int:
        """The provider's throttle lets a call pass."""
        return self.row("admitted", kind="mark", key=verb, actor="payment", order="ann")

    def refund(self, order: str, amount: int | None = None, **columns: Any) -> int:
        self.wait()
        filled = {
            "order": order,
            "key": f"{order}/refund/1",
            "amount": self.total(order) if amount is None else amount,
            "debit": "customer",
            "credit": "provider",
            "witness": "outside",
        }
        return self.row("refund", **filled | columns)

    # -- the Stock Cache

    def hold(self, order: str, token: str = "", **columns: Any) -> None:
        self.wait()
        for number, (sku, units) in enumerate(self.lines[order].items()):
            filled = {
                "order": order,
                "key": token or f"{order}/t",
                "line": number,
                "sku": sku,
                "units": units,
                "deadline": self.now + TTL,
                "version": self.base_v[sku],
                "debit": "cache.held",
                "credit": "cache.available",
            }
            self.row("hold", **filled | columns)

    def of_token(self, operation: str, order: str, debit: str, credit: str, **columns: Any) -> None:
        """A row a line of what the order's token holds."""
        for number, (sku, units) in enumerate(self.lines[order].items()):
            filled = {
                "order": order,
                "key": f"{order}/t",
                "line": number,
                "sku": sku,
                "units": units,
                "debit": debit,
                "credit": credit,
            }
            self.row(operation, **filled | columns)

    def pin(self, order: str, **columns: Any) -> None:
        self.wait()
        self.of_token("pin", order, "cache.pinned", "cache.held", **columns)

    def extend(self, order: str, **columns: Any) -> None:
        self.wait()
        self.of_token("extend", order, "", "", **{"deadline": self.now + TTL} | columns)

    def free(self, order: str, account: str = "cache.held", **columns: Any) -> None:
        self.wait()
        self.of_token("free", order, "cache.available", account, **{"answer": "released"} | columns)

    def adopt(self, order: str, **columns: Any) -> None:
        self.wait()
        self.of_token("adopt", order, "cache.pinned", "cache.available", **columns)

    def drop(self, order: str, sku: str, **columns: Any) -> int:
        filled = {
            "order": order,
            "key": f"{order}/t",
            "sku": sku,
            "units": self.lines[order][sku],
            "version": self.posted.get((order, sku), -1),
            "debit": "cache.available",
            "credit": "cache.pinned",
        }
        return self.row("drop", **filled | columns)

    def lose_the_cache(self) -> None:
        self.wait()
        self.base.clear()
        self.base_v.clear()
        self.row("epoch", version=2, answer="lost")

    def rebase(self, sku: str, *, version: int | None = None, on_hand: int | None = None, **columns: Any) -> int:
        """A snapshot is applied; the record's present one if nothing else is said. Nothing is dropped."""
        version = self.version[sku] if version is None else version
        on_hand = self.on_hand[sku] if on_hand is None else on_hand
        filled = {
            "sku": sku,
            "version": version,
            "units": on_hand - self.base.get(sku, 0),
            "answer": "applied",
            "debit": "cache.available",
            "credit": "cache.base",
            "watermark": self.now,
        }
        self.base[sku], self.base_v[sku] = on_hand, version
        return self.row("rebase", **filled | columns)

    def refresh(self) -> None:
        """Every SKU gets the record's present count, and what it contains is dropped."""
        self.wait()
        for sku in self.stock:
            self.rebase(sku)
            for (order, posted), version in list(self.posted.items()):
                if posted == sku:
                    self.drop(order, sku, version=version)
                    del self.posted[order, posted]
        self.row("rebase", version=len(self.history), watermark=self.now, answer="applied")  # about no one SKU

    # -- the record

    def book(self, operation: str, sku: str, units: int, debit: str, credit: str, **columns: Any) -> int:
        self.on_hand[sku] += units if debit == "record.on_hand" else -units
        self.version[sku] += 1
        filled = {
            "sku": sku,
            "units": units,
            "version": self.version[sku],
            "debit": debit,
            "credit": credit,
            "witness": "outside",
        }
        return self.row(operation, **filled | columns)

    def receipt(self, sku: str, units: int, **columns: Any) -> int:
        return self.book("receipt", sku, units, "record.on_hand", "supplier", **columns)

    def correction(self, sku: str, units: int) -> int:
        return self.book("correction", sku, units, "record.on_hand", "adjustment")

    def foreign_sale(self, sku: str, units: int) -> int:
        return self.book("foreign_sale", sku, units, "channel", "record.on_hand")

    def ship(self, order: str, sku: str, units: int | None = None) -> int:
        units = self.lines[order][sku] if units is None else units
        about = {"order": order, "key": f"{order}/final"}
        index = self.book("ship", sku, units, "record.shipped", "record.on_hand", **about)
        self.posted[order, sku] = self.version[sku]
        return index

    def post(self, order: str, **columns: Any) -> int:
        """The post row alone."""
        is_fulfilled = self.state[order] == "fulfilled"
        filled = {
            "order": order,
            "key": f"{order}/final",
            "to_state": self.state[order],
            "amount": self.total(order) if is_fulfilled else 0,
            "answer": "posted",
            "witness": "outside",
        }
        return self.row("post", **filled | columns)

    # -- several steps in one

    def pay(self, order: str) -> None:
        self.move(order, "charging")
        self.capture(order)
        self.move(order, "paid")

    def reserve(self, order: str) -> None:
        self.hold(order)
        self.move(order, "reserved")

    def fulfil(self, order: str) -> None:
        self.pin(order)
        self.move(order, "fulfilled")

    def buy(self, order: str, **lines: int) -> None:
        self.register(order, **lines)
        self.pay(order)
        self.reserve(order)
        self.fulfil(order)
        self.tell(order)

    def pay_back(self, order: str) -> None:
        self.move(order, "refund_pending")
        self.refund(order)
        self.move(order, "refunded")

    def sync_up(self, order: str) -> None:
        self.wait()
        self.move_sync(order, "posting")
        self.post(order)
        if self.state[order] == "fulfilled":
            for sku in self.lines[order]:
                self.ship(order, sku)
        self.move_sync(order, "posted")

    def quiet(self, within: float = 3600) -> None:
        self.wait()
        self.row("quiet", kind="config", deadline=self.now + round(within * SECOND))

    def end(self, answer: str = "complete") -> History:
        self.wait()
        self.row("end", kind="config", answer=answer)
        return self.history

    def kill(self, service: str) -> None:
        self.row("down", kind="fault", actor=service, answer="injected")

    def finish(self) -> History:
        """Quiet, everything posted and refreshed, and the end."""
        self.quiet()
        for order, state in self.state.items():
            if state in ("fulfilled", "refunded") and order not in self.sync:
                self.sync_up(order)
        self.refresh()
        return self.end()


LIMITS: dict[str, Any] = {
    "max_attempts": {"charge": 3, "reserve": 3},
    "throttles": {"payment": {"per_s": 1, "burst": 2}},
}

BOUNDARIES: dict[str, Any] = {
    "carries": {"charge": ["payment_secret"], "register": ["order"], "notify": ["personal"], "reserve": []},
    "askers": {
        "charge": ["worker"], "register": ["front", "worker"], "notify": ["worker"], "reserve": ["worker"],
    },
    "service": {"charge": "payment", "register": "order_cache", "notify": "notice", "reserve": "stock"},
    "stands": {"payment": ["paris"], "order_cache": ["paris"], "notice": ["paris"], "stock": ["paris", "boston"]},
    "jurisdiction": {"paris": "eu", "boston": "us"},
    "personal": ["eu"],
}  # fmt: skip


def good_day() -> Story:
    """Two orders fulfilled, one paid back, one declined, one cancelled; a delivery; a retry. Not yet ended."""
    story = Story(residency=BOUNDARIES, **LIMITS)
    story.ask("register", actor="front-paris")
    story.ask("notify")
    story.buy("ann", mug=2, bowl=1)
    story.register("bob", mug=4)
    story.row("charge", kind="invoke", order="bob", op_id="bob.1", attempt=0, actor="worker-1", place="paris")
    story.row("charge", kind="info", order="bob", op_id="bob.1", attempt=0)
    story.row("charge", kind="invoke", order="bob", op_id="bob.2", attempt=1, actor="worker-1", place="paris")
    story.pay("bob")
    story.pay_back("bob")
    story.tell("bob")
    story.register("cleo", mug=1)
    story.move("cleo", "charging")
    story.row("decline", order="cleo", amount=story.total("cleo"), witness="outside")
    story.move("cleo", "declined")
    story.tell("cleo")
    story.register("dan", bowl=1)
    story.move("dan", "cancelled")
    story.tell("dan")
    story.receipt("mug", 3)
    story.sync_up("ann")
    story.refresh()
    story.buy("eve", mug=3)
    return story


def without_inside_rows(history: History) -> History:
    """What an auditor of a real system would have: outside rows and the configuration."""
    outside = History()
    for values in history.raw():
        row = Row(0, *values)
        if row.witness == "outside" or row.kind in ("config", "fault"):
            outside.append(values)
    return outside
