"""A cursor that is moved one too far, so that a refresh misses the change right behind it."""

from __future__ import annotations

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.record import ReadChanges
from orderquake.model.stock import AskStatus, Refresh


class SkipsAChange(HotCold):
    """Breaks: a refresh reads everything after its cursor. Seen in airbytehq/airbyte#14732. Caught by
    `books_converge` in `zero_feed`."""

    name = "skips_a_change"

    async def refresh(self, after: int = 0) -> int | None:
        status = await self.patiently(AskStatus())
        if not status.is_open:
            return None
        changed = await self.patiently(
            ReadChanges(status.cursor, max(after, status.cursor + 1), self.policy.batch_of("inbound"))
        )
        await self.patiently(Refresh(status.epoch, changed))
        return changed.upto if changed.more else None
