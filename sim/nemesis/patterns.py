"""Bad days that have a name: several faults in an order, told as one. Each consists of plain faults, which are injected
and shown one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from orderquake.sim.nemesis.base import Fault, ServiceName
from orderquake.sim.nemesis.services import Down
from orderquake.sim.nemesis.steps import all_steps
from orderquake.sim.nemesis.wire import Partition
from orderquake.sim.nemesis.workers import ColdStartStorm, OldVersion
from orderquake.sim.scenario_errors import unknown
from orderquake.sim.units import MINUTE, SECOND, Duration, Probability, format_duration, refused
from orderquake.sim.world.delays import Distribution, delay

if TYPE_CHECKING:
    from orderquake.sim.scenario import Scenario


class Pattern(Fault, ABC):
    """A fault that consists of others, from its moment `since` (key `from`) on."""

    target: None = None
    since: Duration = Field(0, alias="from")

    spares = all_steps("it consists of other faults, which are counted as what they are")

    @abstractmethod
    def ends_at(self) -> int:
        """The first moment after all of it, microseconds."""

    def window(self, horizon_us: int) -> tuple[int, int]:
        """From the beginning of the first part to the end of the last."""
        return self.since, self.ends_at()

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        if self.since < scenario.horizon < self.ends_at():
            end, horizon = format_duration(self.ends_at()), format_duration(scenario.horizon)
            yield (), f'so long that it ends at {end}, after the horizon, "{horizon}"; expected it to end before'

    def part(self, kind: type[Fault], since: int, until: int | None = None, **more: Any) -> Fault:
        """One plain fault of it."""
        window = {"at": format_duration(since)}
        if until is not None:
            window = {"from": format_duration(since), "until": format_duration(until)}
        return kind.model_validate({"must_be_seen": self.must_be_seen, **window, **more})


class ServicesInTurn(Pattern):
    """Services that are stopped one after the other."""

    services: Annotated[tuple[ServiceName, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_services(self) -> ServicesInTurn:
        if len(set(self.services)) < len(self.services):
            raise refused("a service twice; expected each once", key="services")
        return self


class SwizzleOutage(ServicesInTurn):
    """Every `gap` another of `services` stops; when all are down, they stay so for `hold`, and come back as `returns`
    orders them, the last to stop first where it is absent.

    FoundationDB's simulation has it as swizzle-clogging: apple.github.io/foundationdb/testing.html.
    """

    kind: Literal["swizzle_outage"] = "swizzle_outage"
    returns: tuple[ServiceName, ...] | None = None
    gap: Duration = 10 * SECOND
    hold: Duration = 10 * SECOND

    does = "services stop one by one, and come back one by one in another order"
    breaks = Down.breaks
    heals = "when the last is back"
    witness = "that of each outage it consists of"
    example = (
        '[[fault]]\nkind = "swizzle_outage"\nservices = ["stock", "order_cache", "queue"]\n'
        'returns = ["order_cache", "stock", "queue"]\nfrom = "5 min"\ngap = "10 s"\nhold = "10 s"\n'
    )

    @model_validator(mode="after")
    def _check_order(self) -> SwizzleOutage:
        if self.gap + self.hold == 0:
            raise refused('"0 s", and gap, too; expected one of them longer', key="hold")
        if self.returns is not None and sorted(self.returns) != sorted(self.services):
            raise refused("not the services that stop; expected the same ones in another order", key="returns")
        return self

    def order_back(self) -> tuple[str, ...]:
        """The services in the order in which they come back."""
        return self.services[::-1] if self.returns is None else self.returns

    def ends_at(self) -> int:
        return self.since + (2 * len(self.services) - 1) * self.gap + self.hold

    def parts(self, scenario: Scenario) -> tuple[Fault, ...]:
        """One outage a service."""
        back_us = self.since + len(self.services) * self.gap + self.hold
        back = {name: back_us + place * self.gap for place, name in enumerate(self.order_back())}
        return tuple(
            self.part(Down, self.since + place * self.gap, back[name], target=name)
            for place, name in enumerate(self.services)
        )


class RollingRestart(ServicesInTurn):
    """Each of `services` is away for `each`, and `gap` after it is back the next one goes."""

    kind: Literal["rolling_restart"] = "rolling_restart"
    each: Duration = 5 * SECOND
    gap: Duration = 20 * SECOND

    does = "services are restarted one after the other, and everything they were at work on is lost"
    breaks = Down.breaks
    heals = "when the last is back"
    witness = "that of each outage it consists of"
    example = (
        '[[fault]]\nkind = "rolling_restart"\nservices = ["order_cache", "stock", "record"]\n'
        'from = "5 min"\neach = "5 s"\ngap = "20 s"\n'
    )

    @model_validator(mode="after")
    def _check_each(self) -> RollingRestart:
        if self.each == 0:
            raise refused('"0 s"; expected more than zero', key="each")
        return self

    def ends_at(self) -> int:
        return self.since + len(self.services) * self.each + (len(self.services) - 1) * self.gap

    def parts(self, scenario: Scenario) -> tuple[Fault, ...]:
        """One outage a service."""
        return tuple(
            self.part(Down, begin, begin + self.each, target=name)
            for place, name in enumerate(self.services)
            for begin in (self.since + place * (self.each + self.gap),)
        )


class RegionalEvacuation(Pattern):
    """`place`, or a domain of that name, is given up for so long (key `for`): its services are down, no other place
    reaches it, and when it comes back its workers are cold."""

    kind: Literal["regional_evacuation"] = "regional_evacuation"
    place: str
    lasts: Duration = Field(5 * MINUTE, alias="for")
    takes: Distribution = delay(kind="preset", name="lambda_init_python")

    does = "a place is cut off from all others with everything that stands there, and comes back with cold workers"
    breaks = Partition.breaks | Down.breaks | ColdStartStorm.breaks
    heals = "at the end of its window"
    witness = "that of each outage, partition and cold start it consists of"
    example = '[[fault]]\nkind = "regional_evacuation"\nplace = "us-east"\nfrom = "5 min"\nfor = "5 min"\n'

    @model_validator(mode="after")
    def _check_window(self) -> RegionalEvacuation:
        if self.lasts == 0:
            raise refused('"0 s"; expected a window longer than nothing', key="for")
        return self

    def where(self) -> str:
        """The place."""
        return self.place

    def ends_at(self) -> int:
        return self.since + self.lasts

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield from super().misfits(scenario)
        names = [place.name for place in scenario.place] + [domain.name for domain in scenario.domain or ()]
        if self.place not in names:
            yield ("place",), unknown(self.place, names, "place or domain")

    def parts(self, scenario: Scenario) -> tuple[Fault, ...]:
        """An outage a service that stands there, a partition a place that does not, and the return."""
        since, until = self.since, self.ends_at()
        domain = scenario.domain_of(self.place)
        here = [
            name
            for name in scenario.service.names()
            if scenario.place_of(name) in domain.places or name in domain.services
        ]
        others = [place.name for place in scenario.place if place.name not in domain.places]
        staffed = [place.name for place in scenario.place if place.name in domain.places and place.workers]
        return (
            *(self.part(Down, since, until, target=name) for name in here),
            *(self.part(Partition, since, until, between=(mine, name)) for mine in domain.places for name in others),
            *(self.part(ColdStartStorm, until - 1, target=mine, takes=self.takes) for mine in staffed),
        )


class BadDeploy(Pattern):
    """First `canary` of the turns run `design`, for `canary_for`; then all, for `full_for`; then it is rolled back.

    Each of the three steps starts all workers anew; `takes` is how long one start takes.
    """

    kind: Literal["bad_deploy"] = "bad_deploy"
    design: Annotated[str, Field(min_length=1)]
    canary: Probability = 0.1
    canary_for: Duration = 2 * MINUTE
    full_for: Duration = 2 * MINUTE
    takes: Distribution = delay(kind="preset", name="lambda_init_python")

    does = "another version is rolled out, to a few and then to all, and rolled back; each step starts workers cold"
    breaks = OldVersion.breaks | ColdStartStorm.breaks
    heals = "when it is rolled back; a turn that has begun ends as it began"
    witness = "that of each version and cold start it consists of"
    example = (
        '[[fault]]\nkind = "bad_deploy"\ndesign = "hot_cold"\ncanary = 0.1\ncanary_for = "2 min"\nfull_for = "2 min"\n'
        'from = "5 min"\n'
    )

    @model_validator(mode="after")
    def _check_steps(self) -> BadDeploy:
        if self.canary == 0:
            raise refused("0; expected more than zero", key="canary")
        for key in ("canary_for", "full_for"):
            if getattr(self, key) == 0:
                raise refused('"0 s"; expected more than zero', key=key)
        return self

    def ends_at(self) -> int:
        return self.since + self.canary_for + self.full_for

    def misfits(self, scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield from super().misfits(scenario)
        yield from self.version(self.since, self.ends_at(), 1.0).misfits(scenario)

    def version(self, since: int, until: int, share: float) -> Fault:
        return self.part(OldVersion, since, until, design=self.design, share=share)

    def parts(self, scenario: Scenario) -> tuple[Fault, ...]:
        """Two shares of the other version, and three storms of cold starts."""
        full = self.since + self.canary_for
        storms = (self.part(ColdStartStorm, at, takes=self.takes) for at in (self.since, full, self.ends_at() - 1))
        return (self.version(self.since, full, self.canary), self.version(full, self.ends_at(), 1.0), *storms)


FAULTS: tuple[type[Fault], ...] = (SwizzleOutage, RollingRestart, RegionalEvacuation, BadDeploy)
