"""The system of record: the inventory book that everybody is measured by, and the permanent book of orders.

Every change of a product's quantity gives it a new version. A post is booked once for ever under its key: all lines,
the row that remembers the key, and one version bump a product, in one step. Other channels may sell from the
same shelves.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal, NamedTuple

from orderquake.model.boundaries import Data, Role
from orderquake.model.flow import Ask, Change, Instant, effect
from orderquake.model.order import Line


class Booking(NamedTuple):
    """What is posted of a finished order. `outcome` is fulfilled (goods leave) or refunded (none do)."""

    key: str
    order_id: str
    outcome: str
    lines: tuple[Line, ...]
    amount: int


class Posted(NamedTuple):
    """Booked, now or before: the same key always gets the same versions, one a product.

    upto    place in the log of changes of the last of them; who has read so far has seen the goods leave
    """

    order_id: str
    versions: tuple[tuple[str, int], ...]
    upto: int = 0


class Rejected(NamedTuple):
    """A definite refusal, and a sticky one: the same key always gets it again."""

    order_id: str
    reason: str


class SkuChange(NamedTuple):
    """One product at one version: all effects up to `version` are in `on_hand`, none above.

    posts   our own posts since the asker's cursor that are in it: (order id, version)
    moves   every change since the asker's cursor that is in it: (version, units); None where the feed has no such log
    """

    sku: str
    on_hand: int
    version: int
    posts: tuple[tuple[str, int], ...]
    moves: tuple[tuple[int, int], ...] | None = None


class Changed(NamedTuple):
    """One page of what changed in the log of changes: up to `upto`, `more` if the log goes on.

    Only the last page moves the reader's cursor: a product whose latest change lies on a later page has not been seen
    since the cursor, and its posts must be told from there. Nor does it where a former page came from a copy that had
    heard of more: what changed there again has left its old place in the log, and this copy does not know the new one.

    head    how far the log reaches that the page was read from
    """

    items: tuple[SkuChange, ...]
    since: int
    upto: int
    more: bool
    as_of: Instant
    head: int


class Moved(NamedTuple):
    """The quantity was changed; the product's new version."""

    version: int


@effect
class Post(Ask[tuple[Posted | Rejected, ...]]):
    """Book some finished orders; an answer for each."""

    service = "record"
    verb = "post"
    carries = frozenset({Data.ORDER})
    askers = frozenset({Role.JOB, Role.WORKER})
    bookings: tuple[Booking, ...]


@effect
class ReadChanges(Ask[Changed]):
    """Read, in one atomic step, what changed after a point in the log of changes; at most `limit` products.

    since   the asker has applied everything up to here; own posts are told from here on
    after   where this page begins; at first the same
    """

    service = "record"
    verb = "read_changes"
    since: int
    after: int
    limit: int


@effect
class Move(Ask[Moved]):
    """Something other than our posts changed a quantity: units may be negative for a correction.

    why   receipt, return, correction or foreign_sale
    """

    service = "record"
    verb = "move"
    why: Literal["receipt", "return", "correction", "foreign_sale"]
    sku: str
    units: int


_ACCOUNTS = {
    "receipt": ("record.on_hand", "supplier"),
    "return": ("record.on_hand", "returns"),
    "correction": ("record.on_hand", "adjustment"),
    "foreign_sale": ("channel", "record.on_hand"),
}


class SystemOfRecord:
    """One inventory book, one order book. `below_zero` says what a post does that the shelf cannot cover:
    `backorder` books it all the same, `reject` refuses it for good."""

    def __init__(self, opening: Mapping[str, int], below_zero: Literal["backorder", "reject"] = "backorder") -> None:
        self.journal: list[Change] = []
        self.below_zero = below_zero
        self.on_hand: dict[str, int] = dict(opening)
        self.version: dict[str, int] = dict.fromkeys(opening, 0)
        self.book: dict[str, tuple[Booking, Posted | Rejected]] = {}
        # The log of changes, each product once, at its latest place. A place is taken in the same step as the change,
        # so nobody can read past one that is still to come (a sequence taken before commit would allow that).
        # The opening of the shelves is its beginning.
        self.log: dict[str, int] = {sku: place for place, sku in enumerate(opening, start=1)}
        self.head = len(self.log)
        # sku -> (place in the log, version, units, order id of our own posts); the opening is the first of them
        self.moves: dict[str, list[tuple[int, int, int, str]]] = {
            sku: [(place, 0, units, "")] for place, (sku, units) in enumerate(opening.items(), start=1)
        }

    def handle(self, ask: Any, now_us: int) -> Any:
        match ask:
            case Post(bookings):
                return tuple(self.post(booking) for booking in bookings)
            case ReadChanges(since, after, limit):
                return self.changes(since, after, limit, now_us)
            case Move(why, sku, units):
                return self.move(why, sku, units)
        raise TypeError(f"the system of record does not know how to {type(ask).__name__}")

    def post(self, booking: Booking) -> Posted | Rejected:
        if (known := self.book.get(booking.key)) is not None:
            first, answer = known
            if first != booking:
                return Rejected(booking.order_id, "the key was used for other content")
            self.note_post(booking, answer, is_new=False)
            return answer
        leaves = booking.lines if booking.outcome == "fulfilled" else ()
        if self.below_zero == "reject" and any(self.on_hand.get(sku, 0) < units for sku, units, _ in leaves):
            answer = Rejected(booking.order_id, "the shelf cannot cover it")
        else:
            order_id = booking.order_id
            versions = tuple((sku, self.change(sku, -units, order_id)) for sku, units, _ in leaves)
            answer = Posted(order_id, versions, self.head if versions else 0)
        self.book[booking.key] = (booking, answer)
        self.note_post(booking, answer, is_new=True)
        return answer

    def move(self, why: str, sku: str, units: int) -> Moved:
        version = self.change(sku, -units if why == "foreign_sale" else units)
        debit, credit = _ACCOUNTS[why]
        self.journal.append(
            Change(why, sku=sku, units=units, version=version, debit=debit, credit=credit, is_outside=True)
        )
        return Moved(version)

    def change(self, sku: str, units: int, order_id: str = "") -> int:
        """Move a quantity, give the product its next version and the last place in the log."""
        self.on_hand[sku] = self.on_hand.get(sku, 0) + units
        self.version[sku] = version = self.version.get(sku, 0) + 1
        self.head += 1
        self.log.pop(sku, None)
        self.log[sku] = self.head
        self.moves.setdefault(sku, []).append((self.head, version, units, order_id))
        return version

    def changes(self, since: int, after: int, limit: int, now_us: int) -> Changed:
        recent: list[tuple[int, str]] = []
        for sku in reversed(self.log):  # from the latest back: the cost follows the changes, not the catalogue
            if self.log[sku] <= after:
                break
            recent.append((self.log[sku], sku))
        recent.reverse()
        page = recent[:limit]
        upto = page[-1][0] if len(page) < len(recent) else self.head
        return Changed(
            tuple(self.told(sku, since) for _, sku in page),
            since,
            upto,
            len(page) < len(recent),
            Instant(now_us),
            self.head,
        )

    def told(self, sku: str, since: int) -> SkuChange:
        """One product as it stands, and how it came there from a place in the log on."""
        tail: list[tuple[int, int, str]] = []
        for place, version, units, order_id in reversed(self.moves.get(sku, ())):
            if place <= since:
                break
            tail.append((version, units, order_id))
        tail.reverse()
        posts = tuple((order_id, version) for version, _, order_id in tail if order_id)
        moves = tuple((version, units) for version, units, _ in tail)
        return SkuChange(sku, self.on_hand[sku], self.version[sku], posts, moves)

    def note_post(self, booking: Booking, answer: Posted | Rejected, *, is_new: bool) -> None:
        is_booked = isinstance(answer, Posted)
        self.journal.append(
            Change(
                "post",
                key=booking.key,
                order=booking.order_id,
                amount=booking.amount if booking.outcome == "fulfilled" else 0,
                to_state=booking.outcome,
                answer="rejected" if not is_booked else "posted" if is_new else "duplicate",
                is_new=is_new and is_booked,
                is_outside=True,
            )
        )
        if isinstance(answer, Posted) and is_new:
            versions = dict(answer.versions)
            for number, (sku, units, _) in enumerate(booking.lines):
                if sku in versions:
                    self.journal.append(
                        Change(
                            "ship",
                            key=booking.key,
                            order=booking.order_id,
                            line=number,
                            sku=sku,
                            units=units,
                            version=versions[sku],
                            debit="record.shipped",
                            credit="record.on_hand",
                            is_outside=True,
                        )
                    )

    def snapshot(self) -> Hashable:
        return (
            tuple(sorted(self.on_hand.items())),
            tuple(sorted(self.version.items())),
            tuple(self.book.items()),
            tuple(self.log.items()),
            self.head,
            tuple((sku, tuple(moves)) for sku, moves in sorted(self.moves.items())),
        )

    def restore(self, snapshot: Any) -> None:
        on_hand, version, book, log, self.head, moves = snapshot
        self.on_hand, self.version = dict(on_hand), dict(version)
        self.book, self.log = dict(book), dict(log)
        self.moves = {sku: list(tail) for sku, tail in moves}
        self.journal.clear()
