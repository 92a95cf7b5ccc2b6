"""What happens once in a million days, without waiting for a million days: importance splitting over runs.

    from orderquake.sim.rare import split

    found = split("shared_pool", "shortfall >= 6", seed=1)
    found.chance, found.low, found.high, found.relative_error

`paths.py` plays one run whose luck turns at chosen events, `splitting.py` adds many of them up, `levels.py` finds the
way there, `scores.py` names what may be watched of a world, and `door.py` is the front door.
"""

from orderquake.sim.rare.door import Rarity, split
from orderquake.sim.rare.paths import Course, Path, Subject
from orderquake.sim.rare.scores import SCORES, Event, parse_event
from orderquake.sim.rare.splitting import Estimate, estimate

__all__ = [
    "SCORES",
    "Course",
    "Estimate",
    "Event",
    "Path",
    "Rarity",
    "Subject",
    "estimate",
    "parse_event",
    "split",
]
