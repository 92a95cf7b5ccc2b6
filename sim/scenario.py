"""A scenario: the shop, its customers, the bad day they have, and which promises must be put to the test.

The whole, and how it is written for provenance. Its parts are in `shop.py`, `services.py`, `demand.py` and
`nemesis.py`; what they must agree on is in `scenario_rules.py`; files are read in `scenario_file.py`. Nothing is
simulated here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from orderquake.sim.alerts import DEFAULTS as DEFAULT_ALERTS
from orderquake.sim.alerts import Alert
from orderquake.sim.demand import (
    TRACES,
    Alike,
    Basket,
    Bursts,
    Closed,
    Customers,
    Fixed,
    FlashSale,
    Geometric,
    Hot,
    Listed,
    Part,
    PoissonDemand,
    Popularity,
    PriceRange,
    Profile,
    Renewal,
    Retries,
    Rounds,
    Shoppers,
    Trace,
    Traced,
    Workload,
    Zipf,
)
from orderquake.sim.kv import AnyKv
from orderquake.sim.nemesis import (
    FAULTS,
    SERVICES,
    AnyFault,
    Chancy,
    Crash,
    Down,
    Duplicate,
    Fault,
    LoseAnswer,
    LoseAsk,
    Slow,
    Wiped,
)
from orderquake.sim.scenario_rules import contradictions
from orderquake.sim.services import PaymentService, RecordService, Service, Services, Throttle
from orderquake.sim.shop import (
    DEFAULT_LINK,
    DEFAULT_PLACES,
    Correction,
    Domain,
    ForeignSales,
    Job,
    Jobs,
    Link,
    Patience,
    Patiences,
    Place,
    Policy,
    Receipt,
    Residency,
    Scarce,
    Stock,
)
from orderquake.sim.units import MINUTE, SECOND, Duration, refused
from orderquake.sim.world.delays import Latency, delay

__all__ = [
    "FAULTS",
    "SERVICES",
    "TRACES",
    "Alike",
    "AnyFault",
    "Basket",
    "Bursts",
    "Chancy",
    "Closed",
    "Correction",
    "Crash",
    "Customers",
    "Down",
    "Duplicate",
    "Fault",
    "Fixed",
    "FlashSale",
    "ForeignSales",
    "Geometric",
    "Hot",
    "Job",
    "Jobs",
    "Link",
    "Listed",
    "LoseAnswer",
    "LoseAsk",
    "Part",
    "Patience",
    "Patiences",
    "PaymentService",
    "Place",
    "PoissonDemand",
    "Policy",
    "Popularity",
    "PriceRange",
    "Profile",
    "Receipt",
    "RecordService",
    "Renewal",
    "Retries",
    "Rounds",
    "Scarce",
    "Scenario",
    "Service",
    "Services",
    "Shoppers",
    "Slow",
    "Stock",
    "Throttle",
    "Trace",
    "Traced",
    "Wiped",
    "Workload",
    "Zipf",
    "canonical_json",
    "scenario_json_schema",
]


ONLINE_RETAIL: Final = (
    "Derived from “Online Retail” (D. Chen, 2015), UCI Machine Learning Repository, doi 10.24432/C5BW33, CC BY 4.0"
)


class Scenario(Part):
    """A shop and its bad day. Faults and customers stop at `horizon`; all must rest `quiet_limit` later.

    name          the file's, without ".toml"
    must_exercise checkers that must have judged something, else the run is unknown
    must_see      sometimes-points that must have been passed, else the run is unknown
    gauge_every   how often drift, staleness, backlog and queue lengths are read, and alert rules looked at
    kv            the store of designs that keep something by keys and values; each design's own kind where absent
    domain        what fails together, to be named where a fault asks for a place
    residency     where personal data may be, and whether roles are enforced; nobody asks where absent
    local_latency one way, within a place: 0.25 ms at best between zones (xkyle.com)
    expect        architecture -> the verdict it should earn here
    """

    name: SkipJsonSchema[str] = "unnamed"
    schema_version: Literal[1]
    question: Annotated[str, Field(min_length=1)]
    horizon: Duration
    quiet_limit: Duration = 60 * MINUTE
    must_exercise: tuple[str, ...] = ()
    must_see: tuple[str, ...] = ()
    gauge_every: Duration = 10 * SECOND
    workload: Workload
    stock: Stock = Stock()
    place: tuple[Place, ...] = DEFAULT_PLACES
    link: tuple[Link, ...] = ()
    local_latency: Latency = delay(kind="constant", value="250 us")
    service: Services = Services()
    policy: Policy = Policy()
    jobs: Jobs = Jobs()
    kv: AnyKv | None = None
    domain: tuple[Domain, ...] | None = None
    residency: Residency | None = None
    fault: tuple[AnyFault, ...] = ()
    alert: tuple[Alert, ...] = DEFAULT_ALERTS
    expect: Mapping[str, Literal["valid", "invalid", "unknown"]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _two_places(cls, given: Any) -> Any:
        if isinstance(given, dict) and "place" not in given and "link" not in given:
            return {**given, "link": [DEFAULT_LINK]}
        return given

    @model_validator(mode="after")
    def _agrees(self) -> Scenario:
        if found := contradictions(self):
            texts = "; ".join(text for _, text in found)
            raise PydanticCustomError("contradictions", "{texts}", {"texts": texts, "found": found})
        return self

    @field_validator("horizon", "gauge_every")
    @classmethod
    def _more_than_zero(cls, value: int) -> int:
        if value == 0:
            raise refused('"0 s"; expected more than zero')
        return value

    @field_validator("place")
    @classmethod
    def _somewhere(cls, places: tuple[Place, ...]) -> tuple[Place, ...]:
        if not places:
            raise refused("empty; expected at least one place")
        return places

    def tables(self) -> dict[str, Any]:
        """The tables of a file that says all this, defaults included; a trace brings its own shelves."""
        data: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude={"name"})
        drop_idle_nulls(data, self)
        if isinstance(self.workload, Trace):
            for key in ("skus", "units_per_sku"):
                del data["stock"][key]
        return data

    @property
    def sources(self) -> tuple[str, ...]:
        """Whose data the scenario plays, as their licences want it said wherever something made of them goes."""
        workload = self.workload
        plays = workload.name if isinstance(workload, Trace) else getattr(workload, "of", None)
        return (ONLINE_RETAIL,) if plays == "online_retail" else ()

    def place_of(self, service: str) -> str:
        """Name of the place where a service stands."""
        return self.service[service].place or self.place[0].name

    def plain_faults(self) -> list[tuple[str, Fault]]:
        """Every fault that will be injected, patterns taken apart, each under the label of its rows and its luck.

        A label is made of what the fault says, so that no other fault's coming or going changes it.
        """
        found: list[tuple[str, Fault]] = []
        equal: Counter[str] = Counter()
        for written in self.fault:
            label = written.label()
            equal[label] += 1
            if equal[label] > 1:
                label = f"{label}-{equal[label]}"
            parts = written.parts(self)
            is_plain = parts == (written,)
            found += [(label if is_plain else f"{label}.{part}", fault) for part, fault in enumerate(parts, start=1)]
        return found

    def domain_of(self, name: str) -> Domain:
        """What fails together under a name: a domain, or a place with all that stands there."""
        for domain in self.domain or ():
            if domain.name == name:
                return domain
        return Domain(name=name, places=(name,))

    def latency_between(self, here: str, there: str) -> Latency:
        """One way from a place to a place.

        raises   KeyError where there is no such link
        """
        if here == there:
            return self.local_latency
        for link in self.link:
            if {here, there} == set(link.between):
                return link.latency
        raise KeyError(f"no link between {here} and {there}")


def drop_idle_nulls(data: Any, part: Any) -> None:
    """Take out of the tables of a part what is null unless it is said otherwise; any other null says something."""
    if isinstance(part, BaseModel) and isinstance(data, dict):
        for name, field in type(part).model_fields.items():
            key, value = field.alias or name, getattr(part, name)
            if value is None and field.default is None:
                data.pop(key, None)
            elif key in data:
                drop_idle_nulls(data[key], value)
    elif isinstance(part, Mapping) and isinstance(data, dict):
        for key, value in part.items():
            drop_idle_nulls(data.get(key), value)
    elif isinstance(part, tuple | list) and isinstance(data, list):
        for item, value in zip(data, part, strict=True):
            drop_idle_nulls(item, value)


def canonical_json(scenario: Scenario) -> str:
    """The scenario with every default written out, keys sorted, on one line: equal scenarios, equal text."""
    data = {"name": scenario.name, **scenario.tables()}
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def scenario_json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors."""
    schema = Scenario.model_json_schema(by_alias=True, mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "orderquake scenario",
    }
