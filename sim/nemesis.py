"""What may go wrong in a scenario, and when; what each fault does, breaks and leaves to see, as a table.

Descriptions only. What carries them out lives in `world/faults`; no checker and no protocol is known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import Field, model_validator

from orderquake.model.assumptions import Assumption
from orderquake.sim.demand import Part
from orderquake.sim.units import Count, Duration, Flag, Positive, Probability, format_duration, refused
from orderquake.sim.world.delays import Distribution, delay

ServiceName: TypeAlias = Literal["order_cache", "stock", "payment", "record", "notice", "queue"]
SERVICES: tuple[str, ...] = ("order_cache", "stock", "payment", "record", "notice", "queue")


class Fault(Part):
    """A fault with the window in which it may strike.

    since       key `from`; the scenario's start where absent
    lasts       key `for`, or `until`; to the horizon where both are absent
    must_be_seen  a run in which nothing shows that the fault struck is unknown, not valid
    """

    target: ServiceName
    since: Duration = Field(0, alias="from")
    lasts: Duration | None = Field(None, alias="for")
    until: Duration | None = None
    must_be_seen: Flag = True

    @model_validator(mode="after")
    def _check_window(self) -> Fault:
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


class Chancy(Fault):
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


class LoseAsk(Chancy):
    kind: Literal["lose_ask"] = "lose_ask"


class LoseAnswer(Chancy):
    kind: Literal["lose_answer"] = "lose_answer"


class Duplicate(Chancy):
    """`after` is how much later than the first the copy arrives."""

    kind: Literal["duplicate"] = "duplicate"
    after: Distribution = delay(kind="exponential", mean="2 s")


class Crash(Chancy):
    """`when` is seen from the service: before the ask was sent to it, or after it did what was asked."""

    kind: Literal["crash"] = "crash"
    when: Literal["before", "after"]


class Pause(Chancy):
    """`length` is how long the asker stands still before it goes on where it stood; `when` as for a crash.

    outlives_deadline   its deadline stands still, too, as when a machine is suspended; else it is killed in its sleep
    Stop-the-world pauses of minutes are known: martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html.
    """

    kind: Literal["pause"] = "pause"
    when: Literal["before", "after"]
    length: Distribution = delay(kind="uniform", low="1 min", high="3 min")
    outlives_deadline: Flag = False


class Down(Fault):
    kind: Literal["down"] = "down"
    is_exclusive: ClassVar[bool] = True


class Slow(Fault):
    """`factor` multiplies the service's latency, `add` adds to it; at least one of them."""

    kind: Literal["slow"] = "slow"
    operation: str | None = None
    factor: Positive | None = None
    add: Distribution | None = None

    @model_validator(mode="after")
    def _check_slow(self) -> Slow:
        if self.factor is None and self.add is None:
            raise refused("a slow fault without factor or add; expected at least one of them")
        if self.factor is not None and self.factor <= 1 and self.add is None:
            raise refused(f"{self.factor:g}; expected more than 1", key="factor")
        return self


class BrownOut(Fault):
    """A `share` of what the provider is asked is answered by a 500; the rest takes `factor` times as long as usual."""

    kind: Literal["brown_out"] = "brown_out"
    target: Literal["payment"] = "payment"
    share: Probability = 0.3
    factor: Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)] = 5.0

    @model_validator(mode="after")
    def _check_effect(self) -> BrownOut:
        if self.share == 0 and self.factor == 1:
            raise refused("a brown_out with share 0 and factor 1; expected more of one of them")
        return self


class Wiped(Part):
    """The store comes back empty at `at` and knows it: a new epoch, announced."""

    kind: Literal["wiped"] = "wiped"
    target: Literal["stock"] = "stock"
    at: Duration
    must_be_seen: Flag = True

    def window(self, horizon_us: int) -> tuple[int, int]:
        """The one moment, as a window."""
        return self.at, self.at + 1


AnyFault: TypeAlias = Annotated[
    LoseAsk | LoseAnswer | Duplicate | Crash | Pause | Down | Slow | BrownOut | Wiped, Field(discriminator="kind")
]


class FaultKind(NamedTuple):
    """One line of the table of faults.

    does      what happens
    breaks    assumptions it takes away; a design that `requires` one of them promises nothing while it lasts
    heals     how it ends
    witness   what in the history shows that it struck
    example   how a scenario asks for it, TOML
    """

    model: type[Fault] | type[Wiped]
    does: str
    breaks: tuple[Assumption, ...]
    heals: str
    witness: str
    example: str


FAULTS: Mapping[str, FaultKind] = {
    "lose_ask": FaultKind(
        LoseAsk,
        "an ask never reaches the service; the caller hears nothing",
        (Assumption.ASKS_ARRIVE,),
        "the caller asks again with the same key",
        "a fault row, and an invoke that ends in info without a state row",
        '[[fault]]\nkind = "lose_ask"\ntarget = "stock"\noperation = "reserve"\nprobability = 0.02\n',
    ),
    "lose_answer": FaultKind(
        LoseAnswer,
        "the service does what was asked, but its answer is lost; the caller hears nothing",
        (Assumption.ANSWERS_ARRIVE,),
        "the caller asks again with the same key",
        "a fault row, and an invoke that ends in info after a state row",
        '[[fault]]\nkind = "lose_answer"\ntarget = "payment"\noperation = "charge"\nprobability = 0.05\n',
    ),
    "duplicate": FaultKind(
        Duplicate,
        "a copy of the ask reaches the service once more, later; nobody hears the second answer",
        (Assumption.ASKS_ARRIVE_ONCE,),
        "by itself",
        "a fault row, and a second arrival of the same ask",
        '[[fault]]\nkind = "duplicate"\ntarget = "payment"\noperation = "charge"\nprobability = 0.02\n'
        'after = { kind = "exponential", mean = "20 s" }\n',
    ),
    "crash": FaultKind(
        Crash,
        "the worker that asks dies: just before the ask is sent, or just after the service did it",
        (Assumption.WORKERS_SURVIVE,),
        "the queue delivers the order again when the lease runs out; recovery finds the rest",
        "a fault row, and no completion by that worker after it",
        '[[fault]]\nkind = "crash"\nwhen = "after"\ntarget = "payment"\noperation = "charge"\nnth = 3\n',
    ),
    "pause": FaultKind(
        Pause,
        "the worker that asks stands still, just before the ask is sent or just after its answer came; then it goes on",
        (Assumption.LEASES_EXCLUDE,),
        "it wakes; if its lease ran out meanwhile, two workers have the order, and the compare-and-set decides",
        "a fault row, and marks `paused` and `woke`; no `woke` where it was killed in its sleep",
        '[[fault]]\nkind = "pause"\nwhen = "before"\ntarget = "stock"\noperation = "consume"\nnth = 3\n'
        'length = { kind = "uniform", low = "1 min", high = "3 min" }\noutlives_deadline = true\n',
    ),
    "down": FaultKind(
        Down,
        "the service answers nobody; what it remembers stays",
        (Assumption.SERVICES_STAY_UP,),
        "at the end of its window",
        "a fault row at each edge, and an ask in the window that ended in info",
        '[[fault]]\nkind = "down"\ntarget = "record"\nfrom = "10 min"\nfor = "10 min"\n',
    ),
    "slow": FaultKind(
        Slow,
        "the service takes longer than usual",
        (Assumption.ANSWERS_IN_TIME,),
        "at the end of its window",
        "a fault row at each edge, and an ask in the window that took longer",
        '[[fault]]\nkind = "slow"\ntarget = "stock"\nfactor = 20.0\nfrom = "5 min"\nfor = "5 min"\n',
    ),
    "brown_out": FaultKind(
        BrownOut,
        "the provider answers some asks with a 500 before it has done anything, and takes longer over the others",
        (Assumption.SERVICES_STAY_UP, Assumption.ANSWERS_IN_TIME),
        "at the end of its window; until then the caller asks again with the same key",
        "a fault row at each edge, and an ask in the window that ended in info or took longer",
        '[[fault]]\nkind = "brown_out"\nshare = 0.3\nfactor = 5.0\nfrom = "5 min"\nfor = "5 min"\n',
    ),
    "wiped": FaultKind(
        Wiped,
        "the Stock Cache loses all it holds, acknowledged or not, and begins a new epoch",
        (Assumption.STOCK_KEEPS_WRITES,),
        "the rebuild job fills it from the record and the orders, then opens it",
        "an epoch row that says lost, and later one that says open",
        '[[fault]]\nkind = "wiped"\ntarget = "stock"\nat = "10 min"\n',
    ),
}
"""Fault kind -> what there is to know about it. `orderquake faults` prints it."""
