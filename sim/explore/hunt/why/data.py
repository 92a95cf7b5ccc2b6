"""Why data got where it may not be: what an ask carries, from where, to whom, and who may ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orderquake.sim.explore.hunt.why.tale import Tale
from orderquake.sim.report import words


def crossed(tale: Tale) -> Iterator[str]:
    """The ask, what is in it, where both ends are, and what the boundaries say."""
    ask = tale.breach
    verb = words.plain(ask.operation)
    yield f"{tale.who(ask).capitalize()} in {ask.place} asked for {verb} {tale.at(ask)}."
    drawn = [row for row in tale.rows if row.kind == "config" and row.operation == "residency"]
    if not drawn:
        return
    known: dict[str, Any] = json.loads(drawn[-1].answer)
    carries = [words.plain(what) for what in known["carries"].get(ask.operation, ())]
    yield f"To {verb} carries {words.listed(carries) or 'nothing about anybody'}."
    service = known["service"].get(ask.operation, "")
    for place in known["stands"].get(service, ()):
        law = known["jurisdiction"].get(place, "nobody")
        yield f"It is asked of {words.plain(service)}, which stands in {place}, where the law is {law}'s."
    yield f"Personal data may be in {words.listed(list(known['personal']))}."
    times = len(tale.asks(ask.operation, everywhere=True))
    yield f"The same was asked {words.counted(times, 'time')} in all, and each time it carried the same."
