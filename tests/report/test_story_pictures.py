"""A short story as a picture: the lanes, the order of things, the fault, the shaded window, and the counts below it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from orderquake.sim.report.story_beats import LANES, beats_of, lanes_of, window_of
from orderquake.sim.report.story_mermaid import mermaid_of
from orderquake.sim.report.story_steps import names_in, steps_of
from orderquake.sim.report.story_stock import Standing, moved, standings, table_of
from orderquake.sim.report.story_svg import drawing_of
from tests.explore.stories import NAMES, story

FLAGSHIP, DUPLICATE = "overwrites_on_refresh", "forgets_dedup"


def beats(name: str) -> list:  # type: ignore[type-arg]
    small = story(name)
    return beats_of(small.history, small.breach)


def picture(name: str) -> str:
    small = story(name)
    return drawing_of(small.history, beats(name), small.failure.witness, "a <title> & more")


# -- steps


def test_the_steps_of_the_flagship_are_those_of_the_exhaustive_search() -> None:
    said = [(step.who, step.ask, step.outcome) for step in story(FLAGSHIP).told]
    assert said == [
        ("ann", "charge", "captured"),
        ("ann", "reserve", "held"),
        ("ann", "consume", "pinned"),
        ("inbound", "read_changes", "read"),
        ("inbound", "refresh", "applied version 0"),
        ("bob", "charge", "captured"),
        ("bob", "reserve", "held"),
    ]


def test_a_late_copy_is_a_step_of_its_own() -> None:
    posts = [step for step in story(DUPLICATE).told if step.ask == "post"]
    assert len(posts) == 2
    assert posts[0].time_us < posts[1].time_us


def test_customers_are_called_in_the_order_in_which_they_come() -> None:
    assert list(names_in(story(FLAGSHIP).history).values()) == ["ann", "bob"]


def test_steps_end_with_the_breach() -> None:
    small = story(FLAGSHIP)
    assert all(step.row <= small.breach for step in small.told)
    assert len(steps_of(small.history)) > small.steps


# -- beats, lanes and the window


def test_lanes_are_those_that_are_used_from_left_to_right() -> None:
    used = lanes_of(beats(FLAGSHIP))
    assert used == [lane for lane in LANES if lane in used]
    assert {"customer", "workers", "payment", "stock cache", "record", "jobs"} == set(used)


def test_a_fault_has_a_beat_of_its_own_where_it_strikes() -> None:
    faults = [beat for beat in beats(DUPLICATE) if beat.kind == "fault"]
    assert [(beat.here, beat.text) for beat in faults] == [("record", "duplicate: outbound, post")]


def test_the_window_is_from_the_first_witness_to_the_last() -> None:
    small, told = story(FLAGSHIP), beats(FLAGSHIP)
    first, last = window_of(told, small.failure.witness)
    assert told[first].row >= min(small.failure.witness)
    assert told[last].row == max(small.failure.witness)
    assert window_of([], ()) == (0, 0)


# -- the drawing


@pytest.mark.parametrize("name", NAMES)
def test_the_drawing_is_svg_and_the_same_twice(name: str) -> None:
    drawn = picture(name)
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    assert drawn == picture(name)
    wide, high = (float(side) for side in root.attrib["viewBox"].split()[2:])
    for shape in root.iter():
        for key in ("x", "x1", "x2", "cx"):
            assert -1 <= float(shape.attrib.get(key, 0)) <= wide + 1
        for key in ("y", "y1", "y2", "cy"):
            assert -1 <= float(shape.attrib.get(key, 0)) <= high + 1


def test_the_drawing_has_the_lanes_the_window_the_faults_and_the_strip() -> None:
    drawn = picture(DUPLICATE)
    for word in (*lanes_of(beats(DUPLICATE)), "here it breaks", "sku-1, units", "truly on hand", "reserved", "sold"):
        assert f">{word}<" in drawn, word
    assert drawn.count("<path") == 1 + 4  # the flash of the fault, and four lines of the strip
    assert "a &lt;title&gt; &amp; more" in drawn


# -- Mermaid and the table


@pytest.mark.parametrize("name", NAMES)
def test_mermaid_names_its_lanes_and_shades_one_window(name: str) -> None:
    told = beats(name)
    text = mermaid_of(told, story(name).failure.witness)
    assert text.startswith("sequenceDiagram\n")
    assert text.count("participant") == len(lanes_of(told))
    assert text.count("rect rgb") == text.count("\n    end") == 1
    arrows = re.findall(r"^    p\d+-?->>p\d+: .+$|^    Note over p\d+: .+$", text, re.MULTILINE)
    assert len(arrows) == len(told)


def test_the_counts_follow_the_moves() -> None:
    small, told = story(FLAGSHIP), beats(FLAGSHIP)
    counts = [moment.stock["sku-1"] for moment in standings(small.history, told)]
    assert counts[0] == Standing(on_hand=1, record=1, cache=1, reserved=0, sold=0)
    assert counts[-1] == Standing(on_hand=0, record=1, cache=0, reserved=2, sold=1)
    at = {beat.text: after for beat, after in zip(told, counts[1:], strict=True)}
    assert at["refresh: applied version 0"].cache == 1


def test_a_move_between_accounts_is_counted_on_both() -> None:
    there = Standing(5, 5, 5, 0, 0)
    held = moved(there, "hold", "cache.held", "cache.available", 2)
    assert held == Standing(5, 5, 3, 2, 0)
    assert moved(held, "pin", "cache.pinned", "cache.held", 2) == held
    assert moved(held, "free", "cache.available", "cache.held", 2) == there
    assert moved(there, "ship", "record.shipped", "record.on_hand", 1).record == 4
    assert moved(there, "foreign_sale", "channel", "record.on_hand", 1) == Standing(4, 4, 5, 0, 0)


def test_the_table_has_a_line_a_beat() -> None:
    told = beats(FLAGSHIP)
    lines = table_of(story(FLAGSHIP).history, told).splitlines()
    assert len(lines) == 2 + len(told)
    assert len({line.count("|") for line in lines}) == 1
    assert "| fulfilled |" in lines[-1]
