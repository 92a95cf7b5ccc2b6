"""The same day, ten thousand times as slow: whoever forgets after a while, or knows a number of seconds that nobody has
told, is found out.

Only who is told a rate, calls a second, may judge it otherwise.
"""

from __future__ import annotations

import pytest

from orderquake.sim.checkers import CHECKERS
from orderquake.sim.history import NONE, History
from tests.checkers.cases import CASES
from tests.checkers.crowd import NAMES, bare
from tests.checkers.judging import judge_both

SLOWER = 10_000
"""A second is nearly three hours then, and a reservation of a quarter of an hour lasts a hundred days."""
MOMENTS = tuple(NAMES.index(name) for name in ("time", "watermark", "deadline"))
TIMELESS = sorted(CHECKERS.keys() - {"backpressure_bounded"})


def slower(history: History) -> History:
    slow = History()
    for row in bare(history):
        values = list(row)
        for place in MOMENTS:
            if values[place] != NONE:
                values[place] *= SLOWER
        slow.append(tuple(values))
    return slow


@pytest.mark.parametrize("name", TIMELESS)
def test_a_day_in_slow_motion_is_judged_as_it_was(name: str) -> None:
    for build in (CASES[name].innocent, CASES[name].guilty, CASES[name].undecided):
        history = build()
        quick, slow = (judge_both(each, [CHECKERS[name]()])[name] for each in (history, slower(history)))
        assert (slow.status, slow.obligations, slow.witness) == (quick.status, quick.obligations, quick.witness)
