"""What a shop promises, in a line: `checkout.p99 < 300ms`, `refunded_share < 0.5%`, `never_oversold`.

A promise is read, each run says what it saw of it, and runs together say whether it is kept. Nothing is simulated here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from orderquake.sim.asked import Mistake
from orderquake.sim.checkers import all_checkers
from orderquake.sim.run import Run
from orderquake.sim.scenario_errors import suggestion
from orderquake.sim.study.compare import MEASURES, measured
from orderquake.sim.study.experiment import Signed, chance_of_a_run, mean_over_runs, share_over_runs
from orderquake.sim.study.latency import STEPS, latencies, quantile
from orderquake.sim.study.stopping import side_of
from orderquake.sim.units import format_seconds, parse_duration

Kind = Literal["wait", "share", "mean", "never"]
Side = Literal["kept", "missed", "undecided"]

SHARES = {f"{name}_share": name for name in ("fulfilled", "declined", "refunded", "cancelled", "pending")}
"""Share of accepted orders -> how they ended."""
COUNTED = (
    "oversold", "foreign_oversold", "confirmed_then_refunded", "double_charges", "unrefunded", "stuck", "stranded",
)  # fmt: skip
"""What should not happen at all, and is counted where it does."""
_RELATION = re.compile(r"\s*(?P<name>[A-Za-z_][\w.]*)\s*(?:(?P<relation><=|>=|==|<|>|=)\s*(?P<limit>.*\S))?\s*")
_QUANTILE = re.compile(r"p(\d{2})(?:\.?(\d+))?")
_EXAMPLES = '"checkout.p99 < 300ms", "refunded_share < 0.5%" or "never_oversold"'


class Seen(NamedTuple):
    """What one run saw of a promise.

    hits, among   how often what should not happen did, of how many chances to
    value         the measure itself, in the promise's unit; NaN where the run cannot claim it
    """

    hits: int
    among: int
    value: float


class Judged(NamedTuple):
    """What runs together say of a promise: the signed number that decides, its limit, and the side it lies on."""

    decides: Signed
    limit: float
    side: Side


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise, and how it is judged.

    kind   `wait`: at most a share of 1 - q may take longer; `share`: of accepted orders; `mean`: over runs;
           `never`: in no run at all, where a zero is told with its bound
    """

    name: str
    kind: Kind
    relation: str
    limit: float
    unit: str
    step: str = ""
    q: float = math.nan

    def __str__(self) -> str:
        return self.name if not self.relation else f"{self.name} {self.relation} {in_unit(self.limit, self.unit)}"

    @property
    def is_below_good(self) -> bool:
        return self.relation not in (">", ">=")

    @property
    def is_of_customers(self) -> bool:
        """Is it about how long customers wait, and nothing else?"""
        return self.kind == "wait" and self.step in ("checkout", "decision", "register")

    def seen(self, run: Run) -> Seen:
        """What one run saw of it."""
        match self.kind:
            case "wait":
                return self._waited(run)
            case "never":
                is_broken = (
                    measured(run.history)[self.name] > 0
                    if self.name in MEASURES
                    else run.verdicts[self.name].status == "invalid"
                )
                return Seen(int(is_broken), 1, float(is_broken))
            case "share":
                counts = run.outcomes()
                among = counts["accepted"]
                hits = counts[SHARES[self.name]] if self.name in SHARES else int(measured(run.history)[self.name])
                return Seen(hits, among, hits / among if among else math.nan)
        if self.step:
            asked = latencies(run.history)[self.step]
            return Seen(0, 0, float(asked.latency_us.mean()) / 1e6 if len(asked.latency_us) else math.nan)
        return Seen(0, 0, measured(run.history)[self.name])

    def _waited(self, run: Run) -> Seen:
        """Whoever never had an answer waited too long. A limit in whole microseconds: `<` is one fewer."""
        asked = latencies(run.history)[self.step]
        longest = math.ceil(self.limit * 1e6) - 1 if self.relation in ("<", ">=") else math.floor(self.limit * 1e6)
        among = len(asked.latency_us) + asked.unanswered
        beyond = int(np.count_nonzero(asked.latency_us > longest)) + asked.unanswered
        return Seen(beyond, among, quantile(np.sort(asked.latency_us), self.q) / 1e6)

    def judged(self, seen: Sequence[Seen], confidence: float) -> Judged:
        """What these runs say together, at a confidence that is chosen beforehand."""
        hits, among = [each.hits for each in seen], [each.among for each in seen]
        match self.kind:
            case "wait":
                # p99 < 300 ms says that at most one in a hundred takes 300 ms or longer.
                share, limit = share_over_runs(hits, among, confidence), 1 - self.q
                return Judged(share, limit, self._side(share, limit, is_strict=False))
            case "share":
                share = share_over_runs(np.minimum(hits, among).tolist(), among, confidence)
                return Judged(share, self.limit, self._side(share, self.limit, is_strict=self._is_strict))
            case "never":
                chance = chance_of_a_run(sum(hits), len(seen), confidence)
                return Judged(chance, 0.0, "missed" if sum(hits) else "kept")
        mean = mean_over_runs([each.value for each in seen], confidence)
        return Judged(mean, self.limit, self._side(mean, self.limit, is_strict=self._is_strict))

    @property
    def _is_strict(self) -> bool:
        return self.relation in ("<", ">")

    def _side(self, signed: Signed, limit: float, *, is_strict: bool) -> Side:
        found: Any = side_of(signed.low, signed.high, limit, is_below_good=self.is_below_good, is_strict=is_strict)
        return "undecided" if signed.refusal else found

    @property
    def decides_by(self) -> str:
        """What the number that decides is, for the reader of a table."""
        match self.kind:
            case "wait":
                return f"share of orders whose {self.step} takes longer, or is never answered"
            case "share":
                return "share of accepted orders"
            case "never":
                return "share of runs in which it is broken"
        return f"mean over runs, {self.unit}"


def in_unit(value: float, unit: str) -> str:
    """A value with its unit.

    >>> in_unit(0.3, "seconds"), in_unit(0.005, "share"), in_unit(12.0, "units")
    ('300 ms', '0.5 %', '12 units')
    """
    match unit:
        case "seconds":
            return format_seconds(value)
        case "share":
            return f"{100 * value:.4g} %"
    return f"{value:.6g} {unit}".rstrip()


# -- read


def known() -> list[str]:
    """What may be promised."""
    return [
        *(f"{step}.{which}" for step in STEPS for which in ("p50", "p90", "p99", "p99.9", "mean")),
        *SHARES,
        *(name for name in MEASURES if not re.search(r"_p\d+$", name)),
        *(checker.name for checker in all_checkers()),
    ]


def read_promise(text: str) -> Promise:
    """A promise from its line.

    A limit below one on what is counted because it should not happen (`COUNTED`) is per accepted order: `oversold <=
    1e-4` allows one unit in ten thousand orders; from one on it is a mean over runs. `oversold <= 0` allows none.
    raises   Mistake that says what was found, and what was expected

    >>> str(read_promise("checkout.p99 < 300ms")), read_promise("oversold <= 1e-4").kind
    ('checkout.p99 < 300 ms', 'share')
    """
    match = _RELATION.fullmatch(text)
    if match is None:
        raise Mistake(f'--slo "{text}" is no promise; expected something like {_EXAMPLES}')
    name, relation, written = match["name"], match["relation"], match["limit"]
    name = re.sub(r"^(checkout|decision)_p", r"\1.p", name)
    if any(name == checker.name for checker in all_checkers()):
        if relation:
            raise Mistake(f'--slo "{text}": {name} is kept or broken and has no limit; expected the name alone')
        return Promise(name, "never", "", 0.0, "runs")
    if relation is None:
        if name in known():
            raise Mistake(f'--slo "{text}" has no limit; expected something like {_EXAMPLES}')
        raise _unknown(text, name)
    relation = {"=": "==", "==": "=="}.get(relation, relation)
    step, dot, which = name.partition(".")
    if dot and step in STEPS and which == "mean":
        return _checked(text, Promise(name, "mean", relation, _limit(text, written, "seconds"), "seconds", step))
    if dot and step in STEPS and (found := _QUANTILE.fullmatch(which)):
        q = float(f"0.{found[1]}{found[2] or ''}")
        if q > 0:
            limit = _limit(text, written, "seconds")
            return _checked(text, Promise(f"{step}.{_named(q)}", "wait", relation, limit, "seconds", step, q))
    if name in SHARES:
        return _checked(text, Promise(name, "share", relation, _limit(text, written, "share"), "share"))
    if name in MEASURES and name in known():
        unit = MEASURES[name].unit
        limit = _limit(text, written, unit)
        if name in COUNTED and limit == 0 and relation in ("<=", "=="):
            return Promise(name, "never", relation, 0.0, unit)
        if name in COUNTED and limit < 1:
            return _checked(text, Promise(name, "share", relation, limit, "an order"))
        return _checked(text, Promise(name, "mean", relation, limit, unit))
    raise _unknown(text, name)


def _named(q: float) -> str:
    return f"p{100 * q:.6g}"


def _unknown(text: str, name: str) -> Mistake:
    step, dot, _ = name.partition(".")
    if dot and step in STEPS:
        return Mistake(f'--slo "{text}" asks for {name}; expected {step}.p50, .p90, .p99, .p99.9 or {step}.mean')
    near = suggestion(name, [*known(), *STEPS], "; did you mean {}?")
    families = (
        f"a step's quantile ({', '.join(STEPS)}), a share ({', '.join(SHARES)}), a measure of compare or a checker"
    )
    return Mistake(f'--slo "{text}" promises "{name}", which nothing measures; expected {families}{near}')


def _limit(text: str, written: str, unit: str) -> float:
    try:
        if unit == "seconds":
            return parse_duration(written) / 1e6
        if written.endswith("%"):
            return float(written[:-1]) / 100
        return float(written)
    except ValueError as error:
        expected = {"seconds": 'a duration such as "300ms"', "share": 'a share such as "0.5%" or 0.005'}
        raise Mistake(
            f'--slo "{text}" has the limit "{written}"; expected {expected.get(unit, f"a number ({unit})")}'
        ) from error


def _checked(text: str, promise: Promise) -> Promise:
    if promise.relation == "==":
        raise Mistake(f'--slo "{text}" asks for one exact value; expected <, <=, > or >=')
    if not math.isfinite(promise.limit) or promise.limit < 0 or (promise.unit == "share" and promise.limit > 1):
        expected = "a share from 0 to 100 %" if promise.unit == "share" else "a number from 0 on"
        raise Mistake(f'--slo "{text}" cannot be kept or missed: expected {expected}')
    if promise.limit == 0 and promise.relation == "<":
        raise Mistake(f'--slo "{text}" asks for less than nothing; expected <= 0, or a limit above zero')
    return promise


def check_together(promises: Sequence[Promise]) -> None:
    """raises   Mistake where no run could keep them all: one is to be above what another is to be below"""
    for above in promises:
        for below in promises:
            is_same = above.name == below.name or (
                above.kind == below.kind == "wait" and above.step == below.step and above.q <= below.q
            )
            if not above.is_below_good and below.is_below_good and is_same and above.limit >= below.limit:
                found = f'--slo "{above}" and --slo "{below}" contradict each other'
                raise Mistake(f"{found}; expected limits that one value can keep")
