"""How often personal data crossed a boundary. Reads the history and nothing else."""

from __future__ import annotations

import json
import math

from orderquake.sim.table import Table


def asks_abroad(table: Table) -> float:
    """Asks that brought personal data to, or from, a place that it may not be in; NaN where no boundary was drawn."""
    said = table.at("config", "residency")
    if not len(said):
        return math.nan
    known = json.loads(table.text(int(table.answer[said[-1]])))
    asks = table.at("invoke")
    abroad = 0
    for verb, carried in known["carries"].items():
        if "personal" not in carried:
            continue
        mine = asks[table.operation[asks] == table.code(verb)]
        stands = known["stands"].get(known["service"][verb], ())
        homes = [place for place, country in known["jurisdiction"].items() if country in known["personal"]]
        if any(place not in homes for place in stands):
            abroad += len(mine)
        else:
            abroad += sum(int((table.place[mine] == table.code(place)).sum())
                          for place in known["jurisdiction"] if place not in homes)  # fmt: skip
    return float(abroad)
