"""What is measured and reported on: the little that must be known of a run, be it one of many or one with its history.
Nothing is measured or drawn here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from orderquake.sim.checkers.fold import Verdict
from orderquake.sim.history import History
from orderquake.sim.study.alerts import Rule
from orderquake.sim.study.measures import Gauges

if TYPE_CHECKING:
    import pandas as pd


class Question(Protocol):
    """A scenario, as far as a report reads it."""

    @property
    def name(self) -> str: ...
    @property
    def question(self) -> str: ...
    @property
    def horizon(self) -> int:
        """Microseconds; what comes after is the quiet phase."""

    @property
    def must_exercise(self) -> Sequence[str]:
        """Promises that a run must put to the test."""

    @property
    def alert(self) -> Sequence[Rule]:
        """When an operator is called."""

    @property
    def sources(self) -> Sequence[str]:
        """Whose data were played."""


class Replication(Protocol):
    """One run among many: enough for a summary over seeds."""

    @property
    def scenario(self) -> Question: ...
    @property
    def architecture(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def verdicts(self) -> Mapping[str, Verdict]: ...
    @property
    def notes(self) -> Sequence[str]:
        """What else there is to say of the verdict: faults that were never seen to strike."""

    @property
    def wall_s(self) -> float: ...
    def latency(self) -> pd.DataFrame: ...
    def drift(self) -> pd.DataFrame: ...
    def outcomes(self) -> dict[str, int]: ...


class Subject(Replication, Protocol):
    """A run with its history: enough for a report of its own."""

    @property
    def history(self) -> History: ...
    @property
    def gauges(self) -> Gauges: ...
    def to_json(self) -> Mapping[str, Any]: ...
