"""The page of a sweep: maps, lines, the table; the same bytes for the same numbers."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from orderquake.sim.asked import Mistake
from orderquake.sim.report.drawing import picture
from orderquake.sim.report.maps import Panel, Scale, Value, lines, maps
from orderquake.sim.report.sweep import check_map, panels_of, pictures, quiet_chances, scale_of, write_sweep
from orderquake.sim.sweep.swept import Swept
from tests.sweep.days import made


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return made(tmp_path_factory.mktemp("page") / "s", on=["hot_cold", "central"])


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    ranges = {"policy.reservation_ttl": ("1 s", "2 min", "log"), "workload.buyers": (1, 4)}
    return made(tmp_path_factory.mktemp("page") / "l", vary={}, ranges=ranges, layout="lhs", cells=4, runs=1)


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one costs half a second."""
    monkeypatch.setattr("orderquake.sim.report.sweep.SHOWN", ("oversells", "refunded", "checkout_p50"))


def said(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg)


def test_a_map_has_a_panel_a_design_and_a_number_in_every_field(swept: Swept) -> None:
    over = swept.question.paths
    panels = panels_of(swept, over, "refunded", {})
    assert [panel.title for panel in panels] == ["hot_cold", "central"]
    assert set(panels[0].at) == {(float(x), float(y)) for x in range(2) for y in range(3)}
    assert panels[0].at[0.0, 2.0].word == "66.7%"
    drawn = picture("m", "A map.", maps(panels, *(scale_of(swept, path) for path in over), "share"))
    for svg in drawn.svg.values():
        words = said(svg)
        assert words.count("66.7%") == 2 * 2
        assert {"hot_cold", "central", "policy.reservation_ttl", "workload.buyers"} <= set(words)


def test_a_chance_stands_with_its_interval_and_a_failed_cell_is_hatched(swept: Swept) -> None:
    value = panels_of(swept, swept.question.paths, "oversells", {})[0].at[0.0, 0.0]
    assert (value.word, value.more) == ("0 of 2", "0–84\u202f%")
    assert (value.low, value.value) == (0.0, 0.0)
    assert value.high == pytest.approx(0.841886, abs=1e-6)
    failed = Swept(swept.question, swept.store, {}, {cell.identity: "it hung" for cell in swept.cells})
    value = panels_of(failed, swept.question.paths, "drift", {})[0].at[0.0, 0.0]
    assert (value.word, math.isnan(value.value)) == ("failed", True)


def test_a_zero_everywhere_is_told_with_its_bound_and_not_drawn(swept: Swept) -> None:
    assert quiet_chances(swept)[0] == (
        "No runs in which somebody was promised a unit that was not there: "
        "in each cell 0 of 2 runs; at most 84.2 % at 95 %."
    )
    assert [drawn.name for drawn, _ in pictures(swept, swept.question.paths, {})][:2] == [
        "map-refunded",
        "map-checkout_p50",
    ]


def test_darker_is_more_and_letters_can_be_read_on_it() -> None:
    at = {(float(x), 0.0): Value(float(x), 0, 0, f"n{x}") for x in range(21)}
    draw = maps([Panel("", at)], Scale("x", tuple(map(str, range(21)))), Scale("y", ("f",)), "units")
    svg = picture("m", "A map.", draw).svg["wide"]
    fields = re.findall(r'style="fill: (#[0-9a-f]{6}); stroke: #fbfaf7', svg)

    def lightness(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light = [lightness(colour) for colour in fields]
    assert len(light) == 21
    assert light == sorted(light, reverse=True)
    letters = [
        lightness(dict(re.findall(r"(fill): (#[0-9a-f]{6})", style)).get("fill", "#000000"))
        for style, word in re.findall(r'<text style="([^"]*)"[^>]*>([^<]*)', svg)
        if word.startswith("n")
    ]
    assert len(letters) == 21
    for ground, letter in zip(light, letters, strict=True):
        contrast = (max(ground, letter) + 0.05) / (min(ground, letter) + 0.05)
        assert contrast >= 4.5, "WCAG 2.1, 1.4.3"


def test_along_one_path_there_are_lines_with_intervals(swept: Swept) -> None:
    found = {drawn.name: drawn for drawn, _ in pictures(swept, ["workload.buyers"], {})}
    words = said(found["line-refunded"].svg["wide"])
    assert "workload.buyers" in words
    assert any(word.startswith("central, reservation ttl 2") for word in words)


def test_points_of_a_spread_lie_where_they_were_played(spread: Swept) -> None:
    over = spread.question.paths
    (panel,) = panels_of(spread, over, "fulfilled", {})
    ttl = spread.frame()["policy.reservation_ttl_s"].tolist()
    assert sorted(x for x, _ in panel.at) == sorted(ttl)
    drawn = picture("m", "A map.", maps([panel], *(scale_of(spread, path) for path in over), "orders"))
    assert said(drawn.svg["wide"]).count("2") >= 4, "both units find a buyer, at every point"
    along = picture("l", "Points.", lines([panel], scale_of(spread, over[0]), "orders"))
    assert "policy.reservation_ttl" in said(along.svg["wide"])


def test_the_page_is_the_same_to_the_byte_and_asks_for_nothing(swept: Swept) -> None:
    page = swept.folder / write_sweep(swept, swept.question.paths)
    before = page.read_bytes()
    write_sweep(swept, swept.question.paths)
    assert page.read_bytes() == before
    text = before.decode()
    assert "http" not in text.replace("http-equiv", "")
    assert "<script" not in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert text.count("<figure>") == text.count("<figcaption>") == 2
    assert "orderquake run last_unit --on hot_cold --seed 1" in text
    assert len(re.findall(r"<tr><th scope=\"row\" class=\"n\">", text)) == 12


@pytest.mark.parametrize(
    ("word", "over"),
    [("", ("a", "b")), ("b", ("b",)), ("c,a", ("c", "a"))],
)
def test_what_is_drawn_over_may_be_chosen(word: str, over: tuple[str, ...]) -> None:
    assert check_map(("a", "b", "c"), word) == over


def test_a_third_path_has_no_place_on_paper() -> None:
    with pytest.raises(Mistake, match="names 3 paths"):
        check_map(("a", "b", "c"), "a,b,c")


def test_pages_open_in_a_browser(swept: Swept, tmp_path: Path) -> None:
    """No error, no request, nothing sticking out: as tests/report/test_browser.py has it."""
    from tests.report.test_browser import CHROMIUM, DESK, FLAGS, PHONE

    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine (Debian: apt-get install chromium)")
    path = (swept.folder / write_sweep(swept, swept.question.paths)).resolve()
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for width, height in (DESK, PHONE):
            page = chromium.new_context(viewport={"width": width, "height": height}, offline=True).new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            page.goto(path.as_uri())
            assert errors == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        chromium.close()
