"""When do units leave a commitment for the record? Six ways to get that wrong.

The sound rule: in the one step that applies a snapshot which contains their post. Each class here believes something
else, and each belief is what somebody would write first.
"""

from __future__ import annotations

from orderquake.model.commitments import PINNED, Commitment
from orderquake.model.flow import Ask, Instant, effect
from orderquake.model.mutants.other_stores import OnOtherStores, Posts
from orderquake.model.record import Booking, Posted, ReadChanges, Rejected, SkuChange, SystemOfRecord
from orderquake.model.stock import AskStatus, Refresh, Settled, StockCache


class DroppingStock(StockCache):
    def settle(self, posts: Posts) -> Settled:
        for order_id, versions in posts:
            held = self.by_token.get(self.token_of.get(order_id, ""))
            for sku, version in versions:
                if held is not None and sku in held.lines:
                    self.hand_over(held, sku, version)
        return Settled()

    def hand_over(self, held: Commitment, sku: str, version: int) -> None:
        self.drop(held, sku, version)


class DropsAtTheAck(OnOtherStores):
    """Breaks: units leave a commitment only with the snapshot that contains their post. Seen in
    libracore/WooCommerceConnector#41: what the record knows of is not held any more, though the shop's count does not
    show it yet. Caught by `never_oversold` in `busy_refreshes`."""

    name = "drops_at_the_ack"
    stock_of = DroppingStock


class MovingStock(DroppingStock):
    def hand_over(self, held: Commitment, sku: str, version: int) -> None:
        self.base[sku] -= held.lines[sku][1]
        self.base_v[sku] = max(version, self.base_v.get(sku, 0))
        self.drop(held, sku, version)


class MovesTheBaseAtTheAck(OnOtherStores):
    """Breaks: a base is what the record had at its version. One that is moved along by acknowledgements skips what
    else has changed before them. Found by exhaustive search over the moments at which units may change hands. Caught
    by `fresh_snapshots_only` in `busy_refreshes`."""

    name = "moves_the_base_at_the_ack"
    stock_of = MovingStock


class CountingStock(StockCache):
    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        tokens = [self.token_of[order_id] for order_id, _ in item.posts if order_id in self.token_of]
        highest = max((serial_of(token) for token in tokens), default=0)
        is_newer = item.version >= self.base_v.get(item.sku, 0)
        super().rebase(item, as_of)
        for held in tuple(self.by_token.values()) if is_newer else ():
            if held.until_us == PINNED and item.sku in held.lines and serial_of(held.token) <= highest:
                self.drop(held, item.sku, item.version)


def serial_of(token: str) -> int:
    """The how-manieth reservation of its epoch a token is.

    >>> serial_of("o-47c8177f97/2.15")
    15
    """
    return int(token.rpartition(".")[2])


class TrustsTheHighestPost(OnOtherStores):
    """Breaks: a snapshot contains the posts that it names, and no others. Orders are posted in another order than they
    were reserved in, so a high-water mark of our own numbers covers some that are still to come. Seen in
    estuary/connectors#5205. Caught by `never_oversold` in `busy_refreshes`."""

    name = "trusts_the_highest_post"
    stock_of = CountingStock


@effect
class RefreshKnowing(Refresh):
    """A refresh, and the tokens whose posts had been acknowledged when it began."""

    acked: tuple[str, ...]


@effect
class AskAcked(AskStatus):
    """Which tokens' posts have been acknowledged by now?"""


class BelievingStock(StockCache):
    def handle(self, ask: object, now_us: int) -> object:
        match ask:
            case AskAcked():
                return tuple(token for token, held in self.by_token.items() if held.posted)
            case RefreshKnowing(_, changed, acked):
                answer = super().handle(ask, now_us)
                for item in changed.items:
                    for token in acked:
                        held = self.by_token.get(token)
                        if held is not None and item.sku in held.posted:
                            self.drop(held, item.sku, held.posted[item.sku])
                return answer
        return super().handle(ask, now_us)


class BelievesAcksOverVersions(OnOtherStores):
    """Breaks: only versions say what a snapshot contains. A post that was acknowledged before the reading began is not
    in what a copy of the record shows that lags behind. Seen in ShoppinPal/StockUp#424. Caught by `never_oversold` in
    `lagging_copy`."""

    name = "believes_acks_over_versions"
    stock_of = BelievingStock

    async def refresh(self, after: int = 0) -> int | None:
        status = await self.patiently(AskStatus())
        if not status.is_open:
            return None
        acked: tuple[str, ...] = await self.patiently(_as_tokens(AskAcked()))
        changed = await self.patiently(
            ReadChanges(status.cursor, max(after, status.cursor), self.policy.batch_of("inbound"))
        )
        await self.patiently(RefreshKnowing(status.epoch, changed, acked))
        return changed.upto if changed.more else None


def _as_tokens(ask: Ask[object]) -> Ask[tuple[str, ...]]:
    return ask  # type: ignore[return-value]


class LateStock(StockCache):
    def rebase(self, item: SkuChange, as_of: Instant) -> None:
        super().rebase(item._replace(posts=()), as_of)

    def settle(self, posts: Posts) -> Settled:
        for order_id, versions in posts:
            held = self.by_token.get(self.token_of.get(order_id, ""))
            for sku, version in versions:
                if held is not None and sku in held.lines:
                    held.posted[sku] = version
                    self.awaited.setdefault(sku, {})[held.token] = version
        return Settled()


class LeaksLateAcks(OnOtherStores):
    """Breaks: an acknowledgement that comes after its snapshot lets go at once. One that only waits for the next
    snapshot waits for ever where there is none. Found in the literature as a lost wake-up. Caught by `books_converge`
    in `lost_acks`."""

    name = "leaks_late_acks"
    stock_of = LateStock


class UnderstatingRecord(SystemOfRecord):
    def post(self, booking: Booking) -> Posted | Rejected:
        is_known = booking.key in self.book
        answer = super().post(booking)
        if not (is_known and isinstance(answer, Posted)):
            return answer
        return answer._replace(versions=tuple((sku, version - 1) for sku, version in answer.versions))


class AnswersDuplicatesWithLess(OnOtherStores):
    """Breaks: a key always gets the same versions. With a smaller one, a snapshot from before the post is taken for one
    that contains it. Found by exhaustive search over what a second answer may say. Caught by `never_oversold` in
    `busy_refreshes`."""

    name = "answers_duplicates_with_less"
    record_of = UnderstatingRecord
