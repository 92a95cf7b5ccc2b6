"""A short story as a Mermaid sequence diagram: the same beats as the drawing, where text is shown as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from orderquake.sim.report.story_beats import Beat, lanes_of, window_of


def mermaid_of(beats: Sequence[Beat], witness: Sequence[int]) -> str:
    """The diagram; the window of the breach is shaded."""
    lanes = lanes_of(beats)
    alias = {lane: f"p{number}" for number, lane in enumerate(lanes)}
    first, last = window_of(beats, witness)
    lines = ["sequenceDiagram", *(f"    participant {short} as {lane}" for lane, short in alias.items())]
    for place, beat in enumerate(beats):
        if place == first:
            lines.append("    rect rgb(250, 228, 224)")
        lines.append(f"    {_line(beat, alias)}")
        if place == last:
            lines.append("    end")
    return "\n".join(lines) + "\n"


def _line(beat: Beat, alias: dict[str, str]) -> str:
    here, there = alias[beat.here], alias[beat.there]
    text = beat.text.replace(";", ",").replace("#", "no. ")
    number = f"{beat.number}. " if beat.number else ""
    at = f" ({beat.time_us / 1e6:.3f} s)"
    match beat.kind:
        case "fault":
            return f"Note over {here}: FAULT {text}{at}"
        case "act":
            return f"Note over {here}: {number}{text}{at}"
        case "told" | "came":
            return f"{here}-->>{there}: {text}{at}"
        case _:
            return f"{here}->>{there}: {number}{text}{at}"
