"""Survival curves of a bake-off: how many planted bugs a strategy has not found yet, after so much time.

Every hunt ends when it has found something or when its budget is spent, which is the same for all. So a curve is known
up to the budget, and nothing is said beyond; there is nothing to estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOMENTS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""When the table looks, seconds of CPU; not beyond the budget."""


def found_at(results: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Strategy -> for each hunt when it found something, seconds of CPU; infinity where it did not.

    >>> found_at([{"cell": "a stress 1", "seconds": 0.3, "checker": "x"}, {"cell": "b stress 1", "seconds": 9.0,
    ...           "checker": ""}])
    {'stress': [0.3, inf]}
    """
    found: dict[str, list[float]] = {}
    for told in results:
        strategy = told["cell"].split(" ")[1]
        found.setdefault(strategy, []).append(told["seconds"] if told["checker"] else float("inf"))
    return {strategy: sorted(moments) for strategy, moments in found.items()}


def left_after(moments: Sequence[float], after_s: float) -> int:
    """How many hunts had not found anything by then."""
    return sum(moment > after_s for moment in moments)


def in_table(results: Sequence[Mapping[str, Any]], budget_s: float) -> Iterator[str]:
    """A line for each strategy, the quickest first: hunts that had found nothing yet after each of some moments."""
    found = found_at(results)
    looks = [moment for moment in MOMENTS_S if moment < budget_s] + [budget_s]
    yield "## Survival"
    yield ""
    yield "Hunts that had found nothing yet after so many seconds of CPU. Beyond the budget nothing is known."
    yield ""
    yield f"| strategy | hunts | {' | '.join(f'{moment:g} s' for moment in looks)} |"
    yield f"| --- | --: | {' | '.join('--:' for _ in looks)} |"
    left = {each: [left_after(moments, moment) for moment in looks] for each, moments in found.items()}
    for each in sorted(found, key=lambda each: (sum(left[each]) / len(found[each]), each)):
        yield f"| {each} | {len(found[each])} | {' | '.join(map(str, left[each]))} |"


def draw(results: Sequence[Mapping[str, Any]], budget_s: float) -> str:
    """The same as curves, an SVG file: time goes by decades, because the quickest finds take hundredths of a second."""
    from orderquake.sim.report.drawing import DASHES, PETROFF, Format, canvas_of, picture

    found = found_at(results)

    def drawn(form: Format) -> Any:
        canvas = canvas_of(form, 300.0)
        panel = canvas.subplots()
        for number, (strategy, moments) in enumerate(found.items()):
            times = [FIRST_S, *(max(FIRST_S, moment) for moment in moments if moment <= budget_s), budget_s]
            shares = [1.0, *(left_after(moments, moment) / len(moments) for moment in times[1:])]
            again = number // len(PETROFF)  # a colour that comes a second time comes with another dash
            colour, dash = PETROFF[number % len(PETROFF)], DASHES[(number + again) % len(DASHES)]
            panel.step(times, shares, where="post", label=strategy, color=colour, linestyle=dash)
        panel.set(xscale="log", xlim=(FIRST_S, budget_s), ylim=(0, 1), xlabel="seconds of CPU")
        panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        panel.set_ylabel("hunts that had found nothing yet")
        panel.legend(fontsize=8)
        return canvas

    says = "share of hunts that had found nothing yet, over seconds of CPU, by strategy; the table has the numbers"
    scrap = picture("survival", says, drawn).svg["wide"]
    return scrap.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" ', 1) + "\n"


FIRST_S = 0.005
"""Where the drawing begins."""
