"""Does anybody's name or address leave the countries that it may be in?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderquake.sim.checkers.boundaries import PERSONAL, Asked, count_of
from orderquake.sim.checkers.fold import Context
from orderquake.sim.history import History


class PersonalDataStaysHome(Asked):
    """Personal data goes nowhere that it may not be. Hears: asks, and the table of what they carry (inside)."""

    name = "personal_data_stays_home"

    def concerns(self, operation: str, known: Mapping[str, Any]) -> bool:
        return PERSONAL in known["carries"][operation]

    def wrong(self, operation: str, place: str, role: str, known: Mapping[str, Any]) -> str:
        """Who asks has seen it, and what one copy of a service is told all its copies will hear."""
        service = known["service"][operation]
        for where in (place, *known["stands"].get(service, ())):
            country = known["jurisdiction"].get(where)
            if country not in known["personal"]:
                may = ", ".join(known["personal"])
                return f"{operation} brings personal data to {where}, where the law is {country}'s; it may be in {may}"
        return ""

    def screen(self, history: History, context: Context) -> int | None:
        return count_of(self, history, context)
