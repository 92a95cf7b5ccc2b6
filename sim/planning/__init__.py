"""How much a shop may take on, and how little it may do with: runs until the answer may be signed.

`from orderquake.sim.planning import plan, replicate_until` in a notebook; `orderquake plan` on a command line. This
room drives runs; what they say together is worked out in `sim/study`.
"""

from orderquake.sim.planning.door import Replicated, plan, replicate_until
from orderquake.sim.planning.planned import Plan

__all__ = ["Plan", "Replicated", "plan", "replicate_until"]
