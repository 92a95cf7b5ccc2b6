"""What every fault has: a target, a moment or a window, what it takes away, and what is to be seen of it.

Descriptions only. What carries them out lies in `world/faults`; no checker and no protocol is known here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from pydantic import Field, model_validator

from orderquake.model.assumptions import Assumption
from orderquake.sim.demand import Part
from orderquake.sim.nemesis.steps import Spared, none_of_jobs
from orderquake.sim.units import Count, Duration, Flag, Probability, format_duration, refused

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario

ServiceName: TypeAlias = Literal["order_cache", "stock", "payment", "record", "notice", "queue"]
SERVICES: tuple[str, ...] = ("order_cache", "stock", "payment", "record", "notice", "queue")


class Fault(Part, ABC):
    """Something that goes wrong.

    target        what it happens to: a service, a place, a job, or whatever else the kind says
    must_be_seen  a run in which nothing shows that the fault struck is unknown, not valid

    Each kind says of itself:

    does       what happens
    breaks     assumptions that it takes away wherever it may strike; `broken` says it of one fault
    heals      how it ends
    witness    what counts as its having struck, and how the history shows it
    example    how a scenario asks for it, TOML
    excludes   two faults that exclude the same may not have one target at one time: "" for none
    spares     steps of the workflow that it cannot strike, a rule each; beside what its target says
    """

    kind: str
    target: str | None
    must_be_seen: Flag = True

    does: ClassVar[str]
    breaks: ClassVar[frozenset[Assumption]] = frozenset()
    heals: ClassVar[str]
    witness: ClassVar[str]
    example: ClassVar[str]
    excludes: ClassVar[str] = ""
    spares: ClassVar[tuple[Spared, ...]] = ()

    @abstractmethod
    def window(self, horizon_us: int) -> tuple[int, int]:
        """First moment of the fault, and the first moment after it, microseconds."""

    def broken(self) -> frozenset[Assumption]:
        """What this very fault takes away; a design that `requires` one of them promises nothing under it."""
        return self.breaks

    @classmethod
    def broken_at(cls, service: str) -> frozenset[Assumption]:
        """What is taken away wherever an ask of this service is struck: a design that requires one of them never
        promised anything about that step under this kind."""
        return cls.breaks

    def label(self) -> str:
        """What names its rows and its luck: the kind, and six digits of what it says beyond the usual."""
        said = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"must_be_seen"})
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        return f"{self.kind}-{blake2b(text.encode(), digest_size=3).hexdigest()}"

    def where(self) -> str:
        """Whom it strikes, as histories name it."""
        return self.target or ""

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What of it does not fit the scenario: under which of its keys, and how; the text reads on after "is".

        Windows, operations and overlaps are looked at for every kind and need no mention.
        """
        return iter(())

    def fits(self, scenario: Scenario) -> bool:
        """Does it fit the scenario, as far as it alone can tell?"""
        return next(self.misfits(scenario), None) is None

    def parts(self, scenario: Scenario) -> tuple[Fault, ...]:
        """The plain faults that it consists of: itself, unless it is a pattern."""
        return (self,)


class Lasting(Fault):
    """A fault with a window.

    since   key `from`; the scenario's start where absent
    lasts   key `for`, or `until`; to the horizon where both are absent
    """

    since: Duration = Field(0, alias="from")
    lasts: Duration | None = Field(None, alias="for")
    until: Duration | None = None

    @model_validator(mode="after")
    def _check_window(self) -> Lasting:
        if self.lasts is not None and self.until is not None:
            raise refused("given beside for; expected one of the two", key="until")
        if self.until is not None and self.until <= self.since:
            begin = format_duration(self.since)
            raise refused(
                f'"{format_duration(self.until)}", not after from, "{begin}"; expected a later moment',
                key="until",
            )
        if self.lasts == 0:
            raise refused('"0 s"; expected a window longer than nothing', key="for")
        return self

    def window(self, horizon_us: int) -> tuple[int, int]:
        """First moment of the fault, and the first moment after it, microseconds."""
        if self.until is not None:
            return self.since, self.until
        return self.since, horizon_us if self.lasts is None else self.since + self.lasts


class MayStay(Lasting):
    """A fault with a window, or one that is there to stay: then it lasts through the quiet phase as well.

    is_healed   key `heals`; false: never
    """

    is_healed: Flag = Field(True, alias="heals")

    @model_validator(mode="after")
    def _check_end(self) -> MayStay:
        if not self.is_healed and (self.lasts is not None or self.until is not None):
            key = "for" if self.lasts is not None else "until"
            raise refused("given beside heals = false; expected one of the two", key=key)
        return self


class Sudden(Fault):
    """A fault of one moment."""

    at: Duration

    def window(self, horizon_us: int) -> tuple[int, int]:
        """The one moment, as a window."""
        return self.at, self.at + 1


class AtService(Lasting):
    """A fault that lasts, at one service."""

    target: ServiceName

    spares = none_of_jobs("it strikes asks, whoever asks: a job's are told by their verbs")


class Chancy(AtService):
    """A fault that strikes single asks of `target` (of one `operation`, if named).

    probability   chance for each ask in the window
    nth           strike only the nth ask in the window instead, counting from 1
    at_most       so many times in a run and no more
    """

    operation: str | None = None
    probability: Probability | None = None
    nth: Count | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _check_chance(self) -> Chancy:
        if self.probability is None and self.nth is None:
            raise refused("a fault without probability or nth; expected one of the two")
        if self.probability is not None and self.nth is not None:
            raise refused("given beside probability; expected one of the two", key="nth")
        if self.probability == 0:
            raise refused("0; expected more than zero, or no such fault at all", key="probability")
        return self
