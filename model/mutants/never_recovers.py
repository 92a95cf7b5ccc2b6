"""Nobody looks after orders that have come to rest before their end."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold


class NeverRecovers(HotCold):
    """Breaks: every order ends. Seen in woocommerce/woocommerce#20928, medusajs/medusa#16398. Caught by
    `every_order_ends` in `bad_answers`."""

    name = "never_recovers"

    async def recover(self, after: int = 0) -> int | None:
        return None
