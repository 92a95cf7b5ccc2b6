"""A record that books whatever it is sent, whether it has booked it before or not."""

from __future__ import annotations

from collections.abc import Mapping

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Store
from orderquake.model.record import Booking, Posted, Rejected, SystemOfRecord


class ForgetfulRecord(SystemOfRecord):
    def post(self, booking: Booking) -> Posted | Rejected:
        self.book.pop(booking.key, None)
        return super().post(booking)


class ForgetsDedup(HotCold):
    """Breaks: a key is booked once for ever. Seen in magento/magento2#12602, where a job that runs twice posts twice.
    Caught by `posted_once` in `busy_refreshes`."""

    name = "forgets_dedup"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"record": ForgetfulRecord(opening, self.policy.below_zero)}
