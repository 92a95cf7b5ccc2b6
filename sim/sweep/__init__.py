"""Sweeps: the same bad day with other numbers, many times over, side by side on a map.

`sweep` is the door from Python; the verb is in `orderquake.sim.verbs.sweep`. What is varied is in `axes.py`, where the
points lie in `layout.py`, one cell in `cell.py`, where results are kept in `store.py`, who plays them in `engines.py`.
"""

from orderquake.sim.sweep.door import sweep
from orderquake.sim.sweep.swept import Swept

__all__ = ["Swept", "sweep"]
