"""Posts the customer's address along with every order, because the record's form has a field for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.boundaries import Data


class PostsAddresses(HotCold):
    """Breaks: a post is the least that the record needs, and may stand abroad. Found in the law, not in a report: GDPR,
    art. 44. Caught by `personal_data_stays_home` in `residency`."""

    name = "posts_addresses"
    adds: ClassVar[Mapping[str, frozenset[Data]]] = {"post": frozenset({Data.PERSONAL})}
