"""Small days of stress: each theme makes days that hold together, and shows what it is about."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from orderquake.model.architecture import Architecture
from orderquake.model.architectures.claims import ClaimsDesign
from orderquake.model.architectures.escrow import Escrow
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.explore.hunt import stress
from orderquake.sim.explore.hunt.stress_themes import PICKED, THEMES, Theme, at_an_ask
from orderquake.sim.explore.swarm_luck import Luck
from orderquake.sim.listed import ListedOrder
from orderquake.sim.run import simulate
from orderquake.sim.scenario import Scenario

SEEDS = range(1, 9)


def days_of(theme: str, design: type[Architecture], monkeypatch: pytest.MonkeyPatch) -> list[Scenario]:
    monkeypatch.setattr(stress, "theme_of", lambda _: THEMES[theme])
    return [stress.stressed(seed, design) for seed in SEEDS]


@pytest.mark.parametrize("design", [HotCold, Escrow, ClaimsDesign])
@pytest.mark.parametrize("theme", THEMES)
def test_days_of_every_theme_hold_together(
    theme: str, design: type[Architecture], monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in days_of(theme, design, monkeypatch):
        assert 1 <= len(orders(day)) <= 4
        assert all(not fault.broken() & design.requires for fault in day.fault)


def orders(day: Scenario) -> tuple[ListedOrder, ...]:
    return day.workload.order  # type: ignore[union-attr, no-any-return]


@pytest.mark.parametrize("theme", [name for name, theme in THEMES.items() if theme.happens])
def test_what_a_theme_is_about_happens_on_its_days(theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    days = days_of(theme, HotCold, monkeypatch)
    assert sum(bool(day.fault) for day in days) >= len(days) - 2, "unless it would break the contract"


def test_a_design_that_stands_in_several_places_has_days_with_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stress, "theme_of", lambda _: None)

    def apart(design: type[Architecture]) -> int:
        return sum(len(stress.stressed(seed, design).place) > 1 for seed in range(40))

    assert apart(HotCold) == 0
    assert 20 <= apart(Escrow) < 40
    assert 20 <= apart(ClaimsDesign) < 40


def test_some_days_have_two_laws_and_put_residency_to_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [day for day in days_of("apart", HotCold, monkeypatch) if day.residency is not None]
    assert days
    for day in days:
        assert {place.jurisdiction for place in day.place} == {"eu", "us"}
        verdict = simulate(day, HotCold, 1).verdicts["personal_data_stays_home"]
        assert (verdict.status, verdict.was_exercised) == ("valid", True)


def test_a_day_like_another_keeps_its_order_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stress, "theme_of", lambda _: THEMES["late money"])
    like = next(day for seed in range(40) if (day := stress.stressed(seed, HotCold)).policy.order == "reserve_first")
    paying = like.model_copy(update={"policy": like.policy.model_copy(update={"order": "pay_first"})})
    assert {stress.stressed(seed, HotCold, paying).policy.order for seed in SEEDS} == {"pay_first"}


def test_a_theme_says_where_its_faults_strike_and_how_often_it_is_picked() -> None:
    theme = Theme(kinds=("pause",), asks=(("stock", "consume"),), nth=5, elsewhere=1, when=("after",))
    drawn = [at_an_ask(Luck(seed, "here"), theme, holds=False) for seed in range(60)]
    assert {table["when"] for table in drawn} == {"after"}
    assert {table.get("nth", 1) for table in drawn} == {1}
    at_the_cache = replace(theme, asks=(("order_cache", "write_order"),))
    assert {at_an_ask(Luck(seed, "here"), at_the_cache, holds=False).get("nth", 1) for seed in range(60)} == set(
        range(1, 6)
    )
    assert Counter(PICKED) == {name: theme.weight for name, theme in THEMES.items()}


def test_some_days_have_prices_that_are_round_to_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stress, "theme_of", lambda _: None)
    prices = Counter(
        (prices.low if prices.low == prices.high else 0)
        for seed in range(300)
        for prices in [stress.stressed(seed, HotCold).workload.price_pence]  # type: ignore[union-attr]
    )
    assert set(prices) == {0, *stress.ROUND_PENCE} and 20 < 300 - prices[0] < 80


def test_nobody_waits_for_less_than_it_takes_to_get_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a shop in two places would never hear from the other one."""
    for theme in ("dead letters", "apart"):
        for day in days_of(theme, Escrow, monkeypatch):
            shortest = min(patience.timeout for _, patience in day.policy.patience.items())
            assert all(2 * link.latency.mean_us < shortest for link in day.link)
