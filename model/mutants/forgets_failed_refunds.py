"""A refund that the provider has accepted is as good as paid, and nobody ever looks again."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold


class ForgetsFailedRefunds(HotCold):
    """Breaks: a refund is watched after it was believed. Seen in woocommerce/woocommerce-gateway-stripe#4405. Caught by
    `refunded_right` in `refunds_fail`."""

    name = "forgets_failed_refunds"

    async def watch_refunds(self) -> int | None:
        return None
