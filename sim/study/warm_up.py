"""Where a series has settled: what a cold start, or the closing hour, makes of the first and the last values.

Numbers in, a number out; no history, no simulation engine and no model here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BATCH = 5


def settled_from(values: Sequence[float] | np.ndarray[Any, Any]) -> int:
    """How many values to leave out at the front, by the MSER-5 rule.

    The series is cut into batches of five; left out is what makes the standard error of the mean of the rest smallest,
    and never more than half. A cut at the half says that the series has not settled: see `has_settled`.
    source   White, Cobb and Spratt, Proc. Winter Simulation Conference (2000)

    >>> settled_from([100.0] * 10 + [1.0, 2.0] * 100)
    10
    """
    series = np.asarray(values, float)
    batches = len(series) // BATCH
    if batches < 2:
        return 0
    means = series[: batches * BATCH].reshape(batches, BATCH).mean(axis=1)
    left = np.arange(batches, 0, -1)
    total, squares = (np.cumsum(part[::-1])[::-1] for part in (means, means**2))
    error = (squares - total**2 / left) / left**2
    # The last batches are alike by chance alone, and an error of nearly nothing would be found there.
    return BATCH * int(np.argmin(np.maximum(error[: batches // 2 + 1], 0.0)))


def has_settled(values: Sequence[float] | np.ndarray[Any, Any]) -> bool:
    """Is something left that looks alike throughout? False where the cut lies in the last tenth of what may be cut."""
    return settled_from(values) < 0.45 * len(values)


def between(
    began_us: np.ndarray[Any, Any], values: np.ndarray[Any, Any], since_us: int, until_us: int
) -> np.ndarray[Any, Any]:
    """The values of those that began in a window, whenever they ended.

    Warm-up and drain are cut by the beginning: whoever was let in by `until_us` is waited for, or else the slowest
    would be left out, and the rest would look fast.
    """
    return values[(began_us >= since_us) & (began_us < until_us)]
