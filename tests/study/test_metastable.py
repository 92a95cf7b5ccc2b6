"""A shop that stays down after its trouble has gone, and one that gets up: told from the customers' side."""

from __future__ import annotations

from typing import Any

import pytest

from orderquake.sim.run import Run, simulate
from orderquake.sim.scenario_file import load_scenario, set_by_path
from orderquake.sim.study.metastable import aftermaths

PATIENCE = "policy.patience.payment."


def day(**changes: Any) -> Run:
    """`asked_again`, with changes by dotted path; its seed is the second, for no reason."""
    scenario = load_scenario("asked_again")
    for path, value in changes.items():
        scenario = set_by_path(scenario, path.replace("__", "."), value)
    return simulate(scenario, seed=2)


NAIVE = {f"{PATIENCE}breaker.failures".replace(".", "__"): 1_000_000}


def test_with_a_breaker_the_shop_gets_up_again() -> None:
    run = day()
    (found,) = aftermaths(run.history, run.scenario.horizon)
    assert (found.from_s, found.until_s, found.looked_s) == (90.0, 120.0, 180.0)
    assert found.before > 0.95
    assert found.during < 0.2
    assert found.after > 0.9
    assert not found.is_collapsed
    assert not run.notes
    states = [row.to_state for row in run.history if row.operation == "breaker"]
    assert states[:2] == ["open", "half_open"]
    assert states[-1] == "closed"


@pytest.mark.parametrize(
    "changes",
    [{}, {f"{PATIENCE}retry_budget".replace(".", "__"): {"per_call": 0.1, "burst": 10}}],
    ids=["nothing", "a budget alone"],
)
def test_without_it_the_shop_stays_down_and_the_run_says_so(changes: dict[str, Any]) -> None:
    """A budget alone is not enough: whoever gives up comes back from the queue, with a first try."""
    run = day(**NAIVE, **changes)
    (found,) = aftermaths(run.history, run.scenario.horizon)
    assert found.is_collapsed
    assert found.after == 0.0
    assert run.outcomes()["pending"] > 200, "an hour after the last customer"
    assert [note for note in run.notes if note.startswith("metastable: ")]
    assert run.to_json()["aftermaths"][0]["is_collapsed"] is True


def test_a_short_line_at_the_provider_lets_it_get_up_as_well() -> None:
    """Load shedding: who finds six before him is refused, and nobody works for those who have gone."""
    run = day(**NAIVE, service__payment__queue_bound=6)
    (found,) = aftermaths(run.history, run.scenario.horizon)
    assert found.after > 0.9
    assert run.verdict == "valid"


def test_without_trouble_there_is_nothing_to_tell() -> None:
    run = simulate("calm_day", seed=1)
    assert aftermaths(run.history, run.scenario.horizon) == []
