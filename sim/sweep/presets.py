"""Sweeps that come along: the map of the design space.

What is varied, on which designs, and what is proven of them beside. Nothing is played here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from orderquake.sim.asked import Mistake
from orderquake.sim.scenario_errors import suggestion
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings
from orderquake.sim.sweep.axes import Choice
from orderquake.sim.sweep.proving import Proven, proven
from orderquake.sim.sweep.question import Question, asked

STRENGTH: Final = "kv.strength"


@dataclass(frozen=True)
class Preset:
    """word       the scenario
    settings   set in it for all cells
    vary       path -> values
    runs       seeds a cell, where it is not said
    """

    word: str
    settings: Mapping[str, Any]
    vary: Mapping[str, tuple[Any, ...]]
    on: tuple[str, ...]
    runs: int

    def question(self, runs: int | None, seed: int, at_most: int) -> Question:
        """The question, as one's own would be asked. Cells whose design refuses the store are left out."""
        scenario = with_settings(load_scenario(self.word), self.settings)
        axes = [Choice(path, values) for path, values in self.vary.items()]
        return asked(
            scenario, self.on, axes, runs=runs or self.runs, seed=seed, at_most=at_most, word=self.word,
            settings=self.settings, spares_refused=True,
        )  # fmt: skip

    def proofs(self, question: Question) -> list[Proven]:
        """What is proven of each design on each store that it does not refuse."""
        stores: dict[str, dict[str, None]] = {}
        for cell in question.cells:
            stores.setdefault(cell.on, {})[str(cell.settings[STRENGTH])] = None
        return [one for on in stores for one in proven(on, question.scenario, tuple(stores[on]))]


PRESETS: Final[Mapping[str, Preset]] = {
    # Four rounds of four buyers for one unit each, some seconds apart: few enough that a weak design does not always
    # sell one twice, and far enough apart that a claim may lapse while its owner pays.
    "design_space": Preset(
        word="last_unit",
        settings={
            "workload.rounds": 4,
            "workload.within": "20 s",
            "workload.every": "30 s",
            "stock.skus": 4,
            "horizon": "6 min",
            "policy.order": "reserve_first",
            "service.payment.latency": {"kind": "lognormal", "median": "700 ms", "sigma": 0.5},
        },
        vary={
            "policy.reservation_ttl": ("2 s", "30 s", "15 min"),
            "service.payment.latency.median": ("300 ms", "2 s", "8 s"),
            "jobs.inbound.every": ("10 s", "5 min"),
            STRENGTH: ("linearizable", "quorum", "taubyte_nodes"),
        },
        on=("hot_cold", "article", "claims"),
        runs=20,
    ),
}
"""Every preset by its name."""


def preset_of(name: str) -> Preset:
    """raises   Mistake where there is none of that name"""
    if name not in PRESETS:
        near = suggestion(name, PRESETS, "; did you mean {}?")
        raise Mistake(f'--preset "{name}" is none; expected one of {", ".join(PRESETS)}{near}')
    return PRESETS[name]
