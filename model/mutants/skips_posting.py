"""Posts an order without first writing down that it is about to."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order


class SkipsPosting(HotCold):
    """Breaks: decide, then act; the content of a post is frozen before it is sent. Seen in mailchimp/mc-magento2#578.
    Caught by `legal_transitions` in `scramble`."""

    name = "skips_posting"

    async def freeze(self, orders: tuple[Order, ...]) -> tuple[Order, ...]:
        return orders
