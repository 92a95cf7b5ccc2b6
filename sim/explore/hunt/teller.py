"""Who tells stories of what a hunt finds, and says when one does: short enough to be told, with all that it needs.

What a hunt comes upon first may need three faults, or a hundred customers; a few runs later it may find the same in a
day with one of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orderquake.sim.explore.hunt.found import Found
from orderquake.sim.explore.hunt.seeding import NamedDays
from orderquake.sim.explore.hunt.story import Story, story_of

TRIES = 4
"""Stories that are told of one hunt at most."""
BUDGET_S = 5.0
"""CPU seconds for the shrinking of each, while the hunt waits."""


@dataclass
class Teller:
    """Shrinks what is found, and remembers the stories.

    too_much   named days of which a story needed too much; of these no second one is told
    """

    stories: list[Story] = field(default_factory=list)
    too_much: set[str] = field(default_factory=set)

    def tells(self, found: Found) -> bool:
        """Is it told within the bounds, or has enough been tried?"""
        day = found.scenario.name
        if day in self.too_much:
            return False
        story = story_of(found, BUDGET_S)
        self.stories.append(story)
        if story.is_short and story.is_minimal:
            return True
        if found.strategy == NamedDays.name:
            self.too_much.add(day)
        return len(self.stories) >= TRIES

    def best(self, found: Found, left_s: float) -> Story:
        """The best story so far: within the bounds, shown to be minimal, with the fewest steps; of what was found,
        where there is none, made as small as what is left of the budget allows."""
        if not self.stories:
            return story_of(found, max(BUDGET_S, left_s))
        return min(self.stories, key=lambda story: (not story.is_short, not story.is_minimal, story.steps))
