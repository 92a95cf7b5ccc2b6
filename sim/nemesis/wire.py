"""Faults between those who ask and the services: what is lost, late, doubled, overtaken, or cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from orderquake.model.assumptions import Assumption
from orderquake.sim.nemesis.base import AtService, Chancy, Fault, Lasting, MayStay, ServiceName
from orderquake.sim.scenario_errors import unknown
from orderquake.sim.units import Positive, Probability, format_duration, refused
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario


def outlives_messages(
    fault: Chancy, key: str, law: Distribution, scenario: Scenario
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Keys of the provider outlive asks only as long as no copy lives longer than `message_life`.

    Nearly all must be below: the mean and ten standard deviations, as for pauses. A policy that counts with no life at
    all means to see what comes of it.
    """
    life = scenario.policy.message_life
    if life and fault.target == "payment" and not law.mean_us + 10 * law.variance**0.5 < life:
        text = "so long that a copy may live longer than any message should; expected nearly all below"
        yield (key,), f'{text} policy.message_life, "{format_duration(life)}"'


class LoseAsk(Chancy):
    kind: Literal["lose_ask"] = "lose_ask"

    does = "an ask never reaches the service; the caller hears nothing"
    breaks = frozenset({Assumption.ASKS_ARRIVE})
    heals = "the caller asks again with the same key"
    witness = "a fault row, and an invoke that ends in info without a state row"
    example = '[[fault]]\nkind = "lose_ask"\ntarget = "stock"\noperation = "reserve"\nprobability = 0.02\n'


class LoseAnswer(Chancy):
    kind: Literal["lose_answer"] = "lose_answer"

    does = "the service does what was asked, but its answer is lost; the caller hears nothing"
    breaks = frozenset({Assumption.ANSWERS_ARRIVE})
    heals = "the caller asks again with the same key"
    witness = "a fault row, and an invoke that ends in info after a state row"
    example = '[[fault]]\nkind = "lose_answer"\ntarget = "payment"\noperation = "charge"\nprobability = 0.05\n'


class Delay(Chancy):
    """`by` is how much longer the ask is on its way."""

    kind: Literal["delay"] = "delay"
    by: Distribution = delay(kind="exponential", mean="10 s")

    does = "an ask is on its way for longer than usual; it may arrive when the caller has long asked again"
    breaks = frozenset({Assumption.ANSWERS_IN_TIME})
    heals = "it arrives; a caller that has given up asks again with the same key"
    witness = "a fault row, and an ask whose effect comes that much later"
    example = (
        '[[fault]]\nkind = "delay"\ntarget = "payment"\noperation = "charge"\nprobability = 0.05\n'
        'by = { kind = "exponential", mean = "10 s" }\n'
    )

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        return outlives_messages(self, "by", self.by, scenario)


class Duplicate(Chancy):
    """`after` is how much later than the first the copy arrives."""

    kind: Literal["duplicate"] = "duplicate"
    after: Distribution = delay(kind="exponential", mean="2 s")

    does = "a copy of the ask reaches the service once more, later; nobody hears the second answer"
    breaks = frozenset({Assumption.ASKS_ARRIVE_ONCE})
    heals = "by itself"
    witness = "a fault row, and a second arrival of the same ask"
    example = (
        '[[fault]]\nkind = "duplicate"\ntarget = "payment"\noperation = "charge"\nprobability = 0.02\n'
        'after = { kind = "exponential", mean = "20 s" }\n'
    )

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        return outlives_messages(self, "after", self.after, scenario)


class Reorder(AtService):
    """A `share` of the asks is held up, each for as long as `by` says, while those that come after go on."""

    kind: Literal["reorder"] = "reorder"
    operation: str | None = None
    share: Probability = 0.5
    by: Distribution = delay(kind="uniform", low="0 s", high="2 s")

    does = "asks overtake each other on the way"
    breaks = frozenset({Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window; whatever was held up arrives"
    witness = "a fault row, and an ask that arrives before one that was to arrive earlier"
    example = (
        '[[fault]]\nkind = "reorder"\ntarget = "stock"\nshare = 0.5\n'
        'by = { kind = "uniform", low = "0 s", high = "2 s" }\nfrom = "5 min"\nfor = "5 min"\n'
    )

    @model_validator(mode="after")
    def _check_share(self) -> Reorder:
        if self.share == 0:
            raise refused("0; expected more than zero, or no such fault at all", key="share")
        return self


class OnTheWay(Lasting):
    """A fault of the way between two places, in both directions, or of the way to one service and back.

    target    the service, wherever it is asked from
    between   the two places; one of the two keys
    """

    target: ServiceName | None = None
    between: tuple[str, str] | None = None

    spares = AtService.spares

    @model_validator(mode="after")
    def _check_way(self) -> OnTheWay:
        if (self.target is None) == (self.between is None):
            found = "without target or between" if self.target is None else "with target and between"
            raise refused(f"a {self.kind} fault {found}; expected one of the two")
        return self

    def where(self) -> str:
        """The service, or the two places."""
        return self.target or " - ".join(self.between or ())

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        names = [place.name for place in scenario.place]
        for end, name in enumerate(self.between or ()):
            if name not in names:
                yield ("between", end), unknown(name, names, "place")
        if self.between is not None and self.between[0] == self.between[1]:
            yield ("between",), f'"{self.between[0]}" twice; expected two places'


class Partition(OnTheWay, MayStay):
    """`loses` says in which direction: `there` is towards the service, or from the first of the places to the second,
    asks and answers alike; `back` is the other direction."""

    kind: Literal["partition"] = "partition"
    loses: Literal["both", "there", "back"] = "both"

    does = "nothing gets through, in one direction or in both: to a service and back, or between two places"
    breaks = frozenset({Assumption.ASKS_ARRIVE, Assumption.ANSWERS_ARRIVE})
    heals = "at the end of its window, or never; the callers ask again with the same keys"
    witness = "a fault row at each edge, and an ask or an answer that was lost on the way"
    example = '[[fault]]\nkind = "partition"\nbetween = ["eu-west", "us-east"]\nfrom = "5 min"\nfor = "5 min"\n'

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield from super().misfits(scenario)
        if self.between is not None and not self.is_healed:
            yield ("heals",), "false, between places; expected a target, which is then dead for everybody"

    def broken(self) -> frozenset[Assumption]:
        """One way to a service loses only asks, the other only answers; between places each loses some of both."""
        if self.between is not None or self.loses == "both":
            return self.breaks
        return frozenset({Assumption.ASKS_ARRIVE if self.loses == "there" else Assumption.ANSWERS_ARRIVE})


class Flapping(OnTheWay):
    """Cut for as long as `cut` says, then clear for as long as `clear` says, and so on; `loses` as for a partition."""

    kind: Literal["flapping"] = "flapping"
    loses: Literal["both", "there", "back"] = "both"
    cut: Distribution = delay(kind="exponential", mean="5 s")
    clear: Distribution = delay(kind="exponential", mean="10 s")

    does = "a way is cut and clear by turns, each for a while"
    breaks = frozenset({Assumption.ASKS_ARRIVE, Assumption.ANSWERS_ARRIVE})
    heals = "at the end of its window; until then at the end of each spell"
    witness = "a fault row at each edge of each spell, and an ask or an answer that was lost in one"
    example = (
        '[[fault]]\nkind = "flapping"\ntarget = "stock"\nfrom = "5 min"\nfor = "5 min"\n'
        'cut = { kind = "exponential", mean = "5 s" }\nclear = { kind = "exponential", mean = "10 s" }\n'
    )


class SlowLink(OnTheWay):
    """Each leg takes `factor` times as long, and `add` longer; at least one of them."""

    kind: Literal["slow_link"] = "slow_link"
    factor: Positive | None = None
    add: Distribution | None = None

    does = "the way between two places, or to a service and back, takes longer in both directions"
    breaks = frozenset({Assumption.ANSWERS_IN_TIME})
    heals = "at the end of its window"
    witness = "a fault row at each edge, and an ask or an answer that was on its way for longer"
    example = (
        '[[fault]]\nkind = "slow_link"\nbetween = ["eu-west", "us-east"]\nfactor = 20.0\n'
        'from = "5 min"\nfor = "5 min"\n'
    )

    @model_validator(mode="after")
    def _check_slow(self) -> SlowLink:
        if self.factor is None and self.add is None:
            raise refused("a slow_link fault without factor or add; expected at least one of them")
        if self.factor is not None and self.factor <= 1 and self.add is None:
            raise refused(f"{self.factor:g}; expected more than 1", key="factor")
        return self


FAULTS: tuple[type[Fault], ...] = (LoseAsk, LoseAnswer, Delay, Duplicate, Reorder, Partition, Flapping, SlowLink)
