"""The map of the design space: what is proven, what is measured, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderquake.sim.cli import main
from orderquake.sim.report.sweep import panels_of
from orderquake.sim.sweep import proving
from orderquake.sim.sweep.door import answer
from orderquake.sim.sweep.presets import PRESETS, Preset
from orderquake.sim.sweep.proving import Proven, fields_of, proven
from orderquake.sim.sweep.swept import Swept

SPACE = PRESETS["design_space"]


@pytest.fixture(scope="module")
def small() -> Preset:
    """One value a path, but for the store."""
    vary = {path: values[:1] for path, values in SPACE.vary.items()} | {"kv.strength": SPACE.vary["kv.strength"]}
    return Preset(SPACE.word, SPACE.settings, vary, SPACE.on, 2)


@pytest.fixture(scope="module")
def swept(small: Preset, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return answer(small.question(None, 1, 100), tmp_path_factory.mktemp("space") / "s", "serial")


@pytest.fixture(scope="module")
def proofs(small: Preset) -> list[Proven]:
    return small.proofs(small.question(None, 1, 100))


def test_the_space_is_ttl_by_payment_by_refresh_by_strength() -> None:
    assert list(SPACE.vary) == [
        "policy.reservation_ttl",
        "service.payment.latency.median",
        "jobs.inbound.every",
        "kv.strength",
    ]
    question = SPACE.question(None, 1, 2_000)
    assert len(question.cells) == 18 * 7
    assert set(question.refused) == {("hot_cold", "quorum"), ("hot_cold", "taubyte_nodes")}


def test_each_design_is_safe_or_unsafe_or_neither(proofs: list[Proven]) -> None:
    assert fields_of(proofs) == {
        ("hot_cold", "linearizable"): "safe",
        ("article", "linearizable"): "unsafe",
        ("article", "quorum"): "unsafe",
        ("article", "taubyte_nodes"): "unsafe",
        ("claims", "linearizable"): "open",
        ("claims", "quorum"): "open",
        ("claims", "taubyte_nodes"): "open",
    }
    by = {(one.on, one.store): one for one in proofs}
    assert (by["hot_cold", "linearizable"].states, by["hot_cold", "linearizable"].story) == (157, ())
    story = by["article", "linearizable"].story
    assert [step.split(": ")[1] for step in story][:2] == ["get_count -> counted"] * 2, "both read the last unit"
    assert sum("put_count -> stored" in step for step in story) == 2, "and both take it"


def test_a_field_says_what_is_proven_and_what_was_seen(swept: Swept, proofs: list[Proven]) -> None:
    over = swept.question.paths[:2]
    panels = {panel.title: panel.at[0.0, 0.0] for panel in panels_of(swept, over, "oversells", fields_of(proofs))}
    assert len(panels) == 7
    safe = panels["hot_cold, inbound every 10 s, strength linearizable".replace(" s", "\u202fs", 1)]
    assert (safe.word, safe.more.partition("\n")[0]) == ("safe at scope", "0 of 2")
    unsafe = next(value for title, value in panels.items() if title.startswith("article"))
    assert unsafe.word == "proven unsafe"
    assert next(value for title, value in panels.items() if title.startswith("claims")).word == "0 of 2"


def test_a_search_that_is_cut_short_proves_nothing(monkeypatch: pytest.MonkeyPatch, small: Preset) -> None:
    monkeypatch.setattr(proving, "STATES", 100)
    (found,) = proven("hot_cold", small.question(None, 1, 100).scenario)
    assert (found.verdict, found.why) == ("open", "the search was cut short after 100 states")


def test_designs_that_are_no_caches_are_proven_too(small: Preset) -> None:
    (found,) = proven("central", small.question(None, 1, 100).scenario)
    assert (found.verdict, found.why, found.story) == ("safe", "", ())


def test_the_preset_is_a_sweep_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Preset, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("orderquake.sim.report.sweep.pictures", lambda *_: [])
    monkeypatch.setitem(PRESETS, "design_space", small)  # type: ignore[arg-type]
    assert main(["sweep", "--preset", "design_space", "--runs", "1", "--out", str(tmp_path / "s")]) == 0
    told = capsys.readouterr().out
    assert "hot_cold on linearizable: safe at exhaustive scope (2 orders, 1 unit, every interleaving" in told
    assert "order o-1: put_count -> stored" in told
    page = (tmp_path / "s" / "index.html").read_text()
    assert "Every interleaving at small scope" in page
    assert "does not compare before it sets" in page
