"""What counts as agreement, and how hard it is to get.

Six kinds of gates. A *mean* over independent replications agrees iff it is within 4 standard errors of the reference
and its 95 % half-width is within the limit that was named: else a noisy run would always agree. A *published* mean has
an error of its own, and both count. A *share* of independent tries agrees iff the interval of Clopper and Pearson
contains the reference, and is as narrow; a *quantile* of independent values likewise, by its distribution-free ranks.
*Never* is kept iff it was never broken; how often one looked is its bound. *Exact* is a number without chance. Nothing
is simulated here, and nothing of what is judged is known.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from orderquake.sim.study.intervals import mean_interval, quantile_ranks, share_interval, zero_bound

RUNS = 30
"""Replications of a gate; 20 where one is dear."""
FAR = 4.0
"""Standard errors between a mean and its reference from which on they disagree. A right number gets there once in 2,500
tries (Student's t, 29 degrees; more often where the values of a run are skewed)."""
AS_FAR = 0.9999
"""Confidence of a rank interval that is about as wide as `FAR` standard errors to either side."""


@dataclass(frozen=True)
class Effort:
    """How long, and with whose luck, a known answer is looked for.

    longer     factor on the length of every replication
    tighter    by how much smaller a half-width must be then
    seeds      one a replication; they follow from a name, so nobody chose them, and no two names share their luck
    is_full    hold every gate to the limit that it is to be published with
    """

    longer: int
    tighter: float
    seeds: range
    is_full: bool = False

    @classmethod
    def of(cls, name: str, longer: int = 1, tighter: float = 1.0, is_full: bool = False, runs: int = RUNS) -> Effort:
        first = zlib.crc32(name.encode())
        return cls(longer, tighter, range(first, first + runs), is_full)

    def with_runs(self, runs: int) -> Effort:
        """The same with fewer replications."""
        return replace(self, seeds=self.seeds[:runs])


@dataclass(frozen=True)
class Gate:
    """One number beside its reference.

    low, high   95 % interval of ours (of a share that never came up: from 0 to its bound)
    n           replications, or independent values, or tries
    z           standard errors between the two; None where the gate is not about a mean
    wide        half-width that was found, and `allowed`; None where there is no such limit
    why         what is wrong; "" where the gate is met
    """

    what: str
    kind: str
    reference: float
    ours: float
    low: float
    high: float
    n: int
    z: float | None = None
    wide: float | None = None
    allowed: float | None = None
    why: str = ""

    @property
    def is_met(self) -> bool:
        return not self.why

    def as_record(self) -> dict[str, Any]:
        return asdict(self) | {"is_met": self.is_met}

    def __str__(self) -> str:
        width = "" if self.wide is None else f" ± {self.wide:.2g} (allowed {self.allowed:.2g})"
        z = "" if self.z is None else f", z {self.z:.2f}"
        reason = f": {self.why}" if self.why else ""
        return f"{self.what}: reference {self.reference:.6g}, ours {self.ours:.6g}{width}{z}{reason}"


Evidence: TypeAlias = dict[tuple[str, int], list[Any]]
"""What was found so far, by what it is about and the how-manieth gate about that it is: means of replications, values,
or (hits, tries)."""


class Agrees:
    """Takes numbers beside their references: `agrees(what, a value a replication, reference, half-width allowed)`.

    tell     told every gate, met or not
    before   what earlier replications of the same length and with other luck have found; grows by what these find
    """

    def __init__(self, effort: Effort, tell: Callable[[Gate], None], before: Evidence | None = None) -> None:
        self.effort = effort
        self.tell = tell
        self.before: Evidence = {} if before is None else before
        self.said: Counter[str] = Counter()

    def all_of(self, what: str, found: Iterable[Any]) -> list[Any]:
        """What was found now, and before."""
        self.said[what] += 1
        known = self.before.setdefault((what, self.said[what]), [])
        known.extend(found)
        return known

    def __call__(
        self,
        what: str,
        values: Sequence[float],
        reference: float,
        half_width: float,
        *,
        full: float | None = None,
        error: float = 0.0,
    ) -> None:
        """A mean over replications.

        half_width   limit in the small form; a longer run has `tighter` times less
        full         limit in the published form, where it is not `half_width` / 2.1
        error        standard error of the reference, where somebody else simulated it
        """
        values = self.all_of(what, values)
        assert len(values) >= 20, "a gate needs at least 20 replications"
        mean, found, runs = mean_interval(values)
        own = float(np.std(values, ddof=1)) / runs**0.5
        both = float(np.hypot(own, error))
        z = abs(mean - reference) / both if both else 0.0 if mean == reference else float("inf")
        allowed = half_width / self.effort.tighter
        if self.effort.is_full:
            allowed = half_width / 2.1 if full is None else full
        why = "too far" if not z <= FAR else "too wide" if not found <= allowed else ""
        kind = "published" if error else "mean"
        self.tell(Gate(what, kind, reference, mean, mean - found, mean + found, runs, z, found, allowed, why))

    def share(
        self, what: str, hits: int, tries: int, reference: float, half_width: float, *, full: float | None = None
    ) -> None:
        """A chance, from independent tries; good for seldom hits, too, whose mean has no reliable standard error."""
        hits, tries = map(sum, zip(*self.all_of(what, [(hits, tries)]), strict=True))
        low, high = share_interval(hits, tries)
        far = share_interval(hits, tries, AS_FAR)
        allowed = half_width / self.effort.tighter
        if self.effort.is_full:
            allowed = half_width / 2.1 if full is None else full
        wide = (high - low) / 2
        why = "too far" if not far.low <= reference <= far.high else "too wide" if not wide <= allowed else ""
        self.tell(Gate(what, "share", reference, hits / tries, low, high, tries, None, wide, allowed, why))

    def quantile(self, what: str, values: Sequence[float], share: float, reference: float) -> None:
        """A quantile of independent values."""
        ordered = np.sort(np.asarray(self.all_of(what, values), dtype=float))
        n = len(ordered)
        assert n >= 200 / (1 - share), (
            f"the quantile {share} needs {200 / (1 - share):.0f} independent values; found {n}"
        )
        near, far = quantile_ranks(n, share), quantile_ranks(n, share, AS_FAR)
        assert near is not None and far is not None
        low, high = (float(ordered[rank - 1]) for rank in near)
        is_met = ordered[far[0] - 1] <= reference <= ordered[far[1] - 1]
        ours = float(np.quantile(ordered, share))
        self.tell(Gate(what, "quantile", reference, ours, low, high, n, why="" if is_met else "out of the ranks"))

    def never(self, what: str, broken: int, tries: int) -> None:
        """What must not happen, in so many tries."""
        broken, tries = map(sum, zip(*self.all_of(what, [(broken, tries)]), strict=True))
        why = "" if not broken else f"broken {broken} times"
        self.tell(Gate(what, "never", 0.0, broken / tries, 0.0, zero_bound(tries), tries, why=why))

    def exactly(self, what: str, ours: float, reference: float, within: float = 0.0) -> None:
        """A number without chance; `within` is how far its reference was rounded."""
        why = "" if abs(ours - reference) <= within else "not equal"
        self.tell(Gate(what, "exact", reference, ours, ours, ours, 1, allowed=within, why=why))
