"""The designs, one story a file. Nothing here knows how a story is performed."""

from collections.abc import Mapping

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.article import Article
from orderquake.model.architectures.central import Central
from orderquake.model.architectures.claims import ClaimsDesign
from orderquake.model.architectures.escrow import Escrow
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.architectures.naive_cache import NaiveCache
from orderquake.model.architectures.orchestrated import Orchestrated
from orderquake.model.architectures.orchestrated_repaired import OrchestratedRepaired
from orderquake.model.architectures.reserve_in_record import ReserveInRecord

ARCHITECTURES: Mapping[str, type[Architecture]] = {
    design.name: design
    for design in (
        HotCold,
        Article,
        NaiveCache,
        Escrow,
        ClaimsDesign,
        Central,
        ReserveInRecord,
        Orchestrated,
        OrchestratedRepaired,
    )
}
"""Every design by its name."""
