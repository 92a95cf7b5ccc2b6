"""A run, kept so that it can be had again: scenario, design, seed, the draws that were overruled, and a check a row.

Every piece of luck is found by name, so scenario, design, seed and a few *deviations* are the whole run. Beside them a
log keeps what the run came to: its verdicts, its digest, and 32 bits of each row, by which a replay names the first row
that is not as it was. A seed goes stale with the first change of the code, and so does a digest; a log still says which
day it was, and what was found.

Nothing is searched or made smaller here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from orderquake.model.architecture import Architecture
from orderquake.sim.designs import design_named
from orderquake.sim.differences import Difference, first_apart, row_difference
from orderquake.sim.history import History, first_difference
from orderquake.sim.run import Run, design_of, simulate
from orderquake.sim.scenario import TRACES, Scenario, Trace, canonical_json
from orderquake.sim.world.streams import BadDeviation, Deviation, Streams, TracedStreams

LOG: Final = "run.choices.json"
"""How the file is called in the folder of a run."""
FORMAT: Final = "orderquake choice log"
SCHEMA: Final = 1
EXIT: Final = {"valid": 0, "invalid": 1, "unknown": 2}
HARNESS: Final = 4
"""What a verb leaves with where the harness failed, or did not do the same thing twice."""


class ChoiceLogError(Exception):
    """A log that cannot be kept, read or played. The text names it, what was found, and what to do."""


@dataclass(frozen=True)
class ChoiceLog:
    """One run.

    scenario     as JSON, complete in itself
    deviations   draws that were overruled
    digest       of the history, "" where the run failed before its end
    checks       32 bits of each row, in order, little-endian
    verdict      "" where the run failed; `verdicts` are those of the checkers
    failure      the one line of what went wrong in the harness
    package      version of orderquake that made it
    """

    scenario: str
    design: str
    seed: int
    deviations: tuple[Deviation, ...]
    digest: str
    checks: bytes
    verdict: str
    verdicts: Mapping[str, str]
    failure: str = ""
    package: str = ""
    schema: int = SCHEMA

    @property
    def rows(self) -> int:
        """How many rows the history had."""
        return len(self.checks) // 4

    def day(self) -> Scenario:
        """The scenario. raises   ChoiceLogError where this version can no longer read it"""
        try:
            return Scenario.model_validate(json.loads(self.scenario))
        except (ValidationError, ValueError) as error:
            raise ChoiceLogError(
                f"the scenario in a choice log of version {self.package} does not hold together in this one: {error}"
            ) from error

    def write(self, path: Path) -> Path:
        """Write one file, which is there as a whole or not at all."""
        kept = {
            "format": FORMAT,
            "schema_version": self.schema,
            "package": self.package,
            "design": self.design,
            "seed": self.seed,
            "deviations": [deviation._asdict() for deviation in self.deviations],
            "verdict": self.verdict,
            "verdicts": dict(self.verdicts),
            "failure": self.failure,
            "digest": self.digest,
            "rows": self.rows,
            "scenario": json.loads(self.scenario),
            "checks": base64.b64encode(zlib.compress(self.checks, 9)).decode(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps({**kept, "sum": _sum(kept)}, indent=1, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        return path

    @classmethod
    def read(cls, path: Path) -> ChoiceLog:
        """raises   ChoiceLogError where the file is no choice log, was changed or cut, or is of a later version"""
        try:
            kept: Any = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ChoiceLogError(f"{path} cannot be read ({error.strerror}); expected a choice log") from error
        except (ValueError, RecursionError) as error:
            raise ChoiceLogError(f"{path} is not JSON, or was cut off; expected a choice log") from error
        if not isinstance(kept, dict) or kept.get("format") != FORMAT:
            raise ChoiceLogError(f'{path} is something else; expected a file with the format "{FORMAT}"')
        if kept.get("schema_version") != SCHEMA:
            found = kept.get("schema_version")
            raise ChoiceLogError(f"{path} has schema_version {found!r}; this version reads {SCHEMA}. Record it anew")
        if kept.pop("sum", None) != _sum(kept):
            raise ChoiceLogError(f"{path} was changed after it was written: its sum does not fit. Record it anew")
        try:
            checks = zlib.decompress(base64.b64decode(kept["checks"], validate=True))
            log = cls(
                json.dumps(kept["scenario"], sort_keys=True, separators=(",", ":"), ensure_ascii=False),
                kept["design"], kept["seed"], tuple(Deviation(**one) for one in kept["deviations"]), kept["digest"],
                checks, kept["verdict"], kept["verdicts"], kept["failure"], kept["package"],
            )  # fmt: skip
            has_all_rows = len(checks) == 4 * kept["rows"]
        except (KeyError, TypeError, binascii.Error, zlib.error) as error:
            raise ChoiceLogError(f"{path} is incomplete ({type(error).__name__}: {error}). Record it anew") from error
        if not has_all_rows:
            raise ChoiceLogError(f"{path} has checks of {log.rows} rows and speaks of {kept['rows']}. Record it anew")
        return log


def _sum(kept: Mapping[str, Any]) -> str:
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def checks_of(history: History) -> bytes:
    """32 bits of each row, little-endian: of what its columns say, whatever its place."""
    checks = (zlib.crc32("\x1f".join(map(str, row[1:])).encode("utf-8", "surrogatepass")) for row in history)
    return np.fromiter(checks, "<u4", len(history)).tobytes()


# -- recording


def record(run: Run) -> ChoiceLog:
    """The log of a run.

    raises   ChoiceLogError where the scenario plays a trace of one's own, which no log carries
    """
    return ChoiceLog(
        _carried(run.scenario), run.architecture, run.seed, run.deviations, run.digest, checks_of(run.history),
        run.verdict, {name: verdict.status for name, verdict in run.verdicts.items()}, "", _package(),
    )  # fmt: skip


def record_failure(
    scenario: Scenario,
    on: str | type[Architecture],
    seed: int,
    error: Exception,
    deviations: Iterable[Deviation] = (),
) -> ChoiceLog:
    """The log of a run in which the harness failed: it is run once more, as far as it goes."""
    luck = TracedStreams(seed, deviations)
    try:
        simulate(scenario, on, seed, luck=luck)
    except Exception as again:
        error = again
    history = luck.history if luck.history is not None else History()
    return ChoiceLog(
        _carried(scenario), design_of(on).name, seed, luck.deviations, "", checks_of(history), "", {},
        one_line(error), _package(),
    )  # fmt: skip


def one_line(error: BaseException) -> str:
    """What went wrong, short.

    >>> one_line(ValueError("it broke\\nhere"))
    'ValueError: it broke'
    """
    return f"{type(error).__name__}: {error}".split("\n")[0]


def _carried(scenario: Scenario) -> str:
    workload = scenario.workload
    if isinstance(workload, Trace) and workload.name not in TRACES:
        raise ChoiceLogError(
            f"{scenario.name} plays a trace of its own, which a choice log does not carry; expected {', '.join(TRACES)}"
        )
    return canonical_json(scenario)


def _package() -> str:
    try:
        return version("orderquake")
    except PackageNotFoundError:
        return "unknown"


# -- replaying


@dataclass(frozen=True)
class Replay:
    """What came of playing a log again.

    verdict      now; "" where the harness failed, and `failure` is how
    difference   the first row that is not as it was, in a strict replay; None where all are
    strangers    deviations whose stream nobody asked for: they changed nothing
    """

    log: ChoiceLog
    is_strict: bool
    verdict: str
    verdicts: Mapping[str, str]
    digest: str
    failure: str = ""
    difference: Difference | None = None
    strangers: tuple[Deviation, ...] = ()

    @property
    def exit_code(self) -> int:
        """That of the verdict; 4 where the harness failed, or a strict replay was not the same."""
        return HARNESS if self.failure or self.difference is not None else EXIT[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """The same as one JSON object."""
        log, difference = self.log, self.difference
        return {
            "scenario": json.loads(log.scenario).get("name"),
            "architecture": log.design,
            "seed": log.seed,
            "deviations": [deviation._asdict() for deviation in log.deviations],
            "strict": self.is_strict,
            "then": {key: getattr(log, key) for key in ("verdict", "verdicts", "digest", "failure", "package")},
            "verdict": self.verdict,
            "verdicts": dict(self.verdicts),
            "digest": self.digest,
            "failure": self.failure,
            "difference": None if difference is None else {
                **difference._asdict(), "near": [draw._asdict() for draw in difference.near]
            },
            "unused_deviations": [stranger.stream for stranger in self.strangers],
        }  # fmt: skip

    def __str__(self) -> str:
        log = self.log
        what = f"{json.loads(log.scenario).get('name', 'a scenario')} on {log.design} with seed {log.seed}"
        then, now = log.verdict or f"failed ({log.failure})", self.verdict or f"failed ({self.failure})"
        lines = [f"{what}, {len(log.deviations)} deviations: then {then}, now {now}"]
        for name in sorted({*log.verdicts, *self.verdicts} if log.verdicts and self.verdicts else ()):
            was, is_now = log.verdicts.get(name, "not asked"), self.verdicts.get(name, "not asked")
            if was != is_now:
                lines.append(f"  {name}: then {was}, now {is_now}")
        lines += [
            f"  nobody drew from {stranger.stream}: that deviation changed nothing" for stranger in self.strangers
        ]
        if self.difference is not None:
            lines.append(str(self.difference))
            here = f"version {_package()}" + (", too" if _package() == log.package else "")
            lines.append(f"recorded with version {log.package}, played with {here}: the code, the design or the luck")
            lines.append("has changed since. To hear only the verdicts, replay it leniently")
        elif self.is_strict:
            lines.append(f"all {log.rows} rows are as they were")
        return "\n".join(lines)


def replay(log: ChoiceLog, strict: bool = True, on: type[Architecture] | None = None) -> Replay:
    """Play a log again.

    strict   name the first row that differs; else report only the verdicts, as after a change of the code
    on       the design, where it is not one of those known by name
    raises   ChoiceLogError where scenario, design or deviations mean nothing here
    """
    scenario = log.day()
    try:
        design = on or design_named(log.design)
    except KeyError as error:
        raise ChoiceLogError(f"the choice log is of {log.design}: {error.args[0]}") from error
    try:
        luck = (TracedStreams if strict else Streams)(log.seed, log.deviations)
    except BadDeviation as error:
        raise ChoiceLogError(str(error)) from error
    try:
        run = simulate(scenario, design, log.seed, luck=luck)
    except BadDeviation as error:
        raise ChoiceLogError(str(error)) from error
    except Exception as error:
        failure, verdict, digest, verdicts = one_line(error), "", "", {}
    else:
        failure, verdict, digest = "", run.verdict, run.digest
        verdicts = {name: judged.status for name, judged in run.verdicts.items()}
    difference = None
    if isinstance(luck, TracedStreams):
        difference = _from_the_log(log, luck, failure, digest)
    return Replay(log, strict, verdict, verdicts, digest, failure, difference, luck.strangers())


def _from_the_log(log: ChoiceLog, luck: TracedStreams, failure: str, digest: str) -> Difference | None:
    history = luck.history if luck.history is not None else History()
    then = np.frombuffer(log.checks, "<u4")
    now = np.frombuffer(checks_of(history), "<u4")
    both = min(len(then), len(now))
    apart = np.flatnonzero(then[:both] != now[:both])
    if len(apart) or len(then) != len(now):
        index = int(apart[0]) if len(apart) else both
        theirs = f"a row whose check is {int(then[index]):08x}" if index < len(then) else ""
        return row_difference(index, history, luck.draws, theirs)
    if failure != log.failure:
        return Difference("end", both, "", failure or "it ended well", log.failure or "it ended well")
    if digest != log.digest:  # rows that differ although all checks are equal: one in four billion
        return Difference("end", both, "", f"digest {digest}", f"digest {log.digest}")
    return None


# -- twice the same?


@dataclass(frozen=True)
class Twice:
    """A run that was made twice.

    digests      of the two
    difference   what differed first; None where nothing did
    was_again    the difference showed in the second pair of runs as well, in which every draw was noted
    """

    scenario: str
    design: str
    seed: int
    digests: tuple[str, str]
    difference: Difference | None
    was_again: bool = True

    @property
    def exit_code(self) -> int:
        return 0 if self.difference is None else HARNESS

    def __str__(self) -> str:
        what = f"{self.scenario} on {self.design} with seed {self.seed}"
        if self.difference is None:
            return f"{what}: the same twice, digest {self.digests[0]}"
        again = "" if self.was_again else "\nit did not show again when every draw was noted"
        return f"{what}: not the same twice, {self.digests[0]} and {self.digests[1]}\n{self.difference}{again}"


def twice(scenario: Scenario, on: str | type[Architecture], seed: int, deviations: Iterable[Deviation] = ()) -> Twice:
    """Make a run twice, and name the first draw or row that is not the same.

    Only where the digests differ is there a second pair of runs, in which every draw is noted.
    """
    deviations = tuple(deviations)
    one, other = (simulate(scenario, on, seed, luck=Streams(seed, deviations)) for _ in range(2))
    digests, names = (one.digest, other.digest), (scenario.name, one.architecture, seed)
    if digests[0] == digests[1]:
        return Twice(*names, digests, None)
    traced = [TracedStreams(seed, deviations) for _ in range(2)]
    pair = [simulate(scenario, on, seed, luck=luck) for luck in traced]
    apart = first_apart(pair[0].history, traced[0].draws, pair[1].history, traced[1].draws)
    if apart is not None:
        return Twice(*names, digests, apart)
    index = first_difference(one.history, other.history)
    assert index is not None, "digests differ, and no row does"
    theirs = "" if index >= len(other.history) else str(other.history[index])
    return Twice(*names, digests, row_difference(index, one.history, (), theirs), was_again=False)
