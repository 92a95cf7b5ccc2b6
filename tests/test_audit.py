"""The audit trail: complete against the history, and broken wherever anybody lays hands on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orderquake.sim import audit
from orderquake.sim.audit import Entry, TrailError, broken, compare, heads_of, rows_of, sealed, trail_of
from orderquake.sim.history import History
from orderquake.sim.run import simulate

Trail = dict[str, list[Entry]]


@pytest.fixture(scope="module")
def history() -> History:
    return simulate("last_unit", seed=3).history


@pytest.fixture
def trail(history: History) -> Trail:
    return trail_of(history)


def a_long_one(trail: Trail) -> list[Entry]:
    return max(trail.values(), key=len)


def test_every_state_row_of_an_order_is_an_entry_once_and_in_order(history: History, trail: Trail) -> None:
    wanted = [row.index for row in history if row.kind == "state" and row.order]
    assert sorted(entry.row for entries in trail.values() for entry in entries) == wanted
    assert len(wanted) > 20
    for order, entries in trail.items():
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        assert {entry.order for entry in entries} == {order}
        assert [entry.row for entry in entries] == sorted(entry.row for entry in entries)
    assert not broken(trail, heads_of(trail))
    assert not compare(trail, history)


def test_an_entry_says_all_that_its_row_says(history: History, trail: Trail) -> None:
    entry = next(entry for entry in a_long_one(trail) if entry.what == "capture")
    row = history[entry.row]
    assert (entry.time_us, entry.who, entry.where) == (row.time, row.actor, row.place)
    assert {"key", "amount", "debit", "credit", "answer", "op_id", "witness", "is_new"} <= entry.says.keys()
    assert all(getattr(row, name) == value for name, value in entry.says.items())


def change(entries: list[Entry]) -> None:
    entries[2] = replace(entries[2], says={**entries[2].says, "amount": 1})


def remove(entries: list[Entry]) -> None:
    del entries[2]


def swap(entries: list[Entry]) -> None:
    entries[1], entries[2] = entries[2], entries[1]


def repeat(entries: list[Entry]) -> None:
    entries.insert(2, entries[1])


def cut(entries: list[Entry]) -> None:
    entries.pop()


def forge(entries: list[Entry]) -> None:
    """Change an entry, and seal it and all that follow anew."""
    before = entries[1].seal
    for place, entry in enumerate(entries[2:], start=2):
        says = {**entry.says, "amount": 1} if place == 2 else entry.says
        entries[place] = replace(entry, says=says, before=before, seal="")
        entries[place] = replace(entries[place], seal=entries[place].computed())
        before = entries[place].seal


@pytest.mark.parametrize("tamper", [change, remove, swap, repeat, cut, forge])
def test_whoever_lays_hands_on_it_is_found_out_twice(
    history: History, trail: Trail, tamper: Callable[[list[Entry]], None]
) -> None:
    heads = heads_of(trail)
    entries = a_long_one(trail)
    tamper(entries)
    (complaint,) = broken(trail, heads)
    assert f"order {entries[0].order}" in complaint
    if tamper is not swap and tamper is not repeat:  # the same rows are there
        assert len(compare(trail, history)) == 1


@pytest.mark.parametrize("tamper", [cut, forge])
def test_only_the_published_heads_tell_of_a_chain_that_holds_together(
    trail: Trail, tamper: Callable[[list[Entry]], None]
) -> None:
    heads = heads_of(trail)
    tamper(a_long_one(trail))
    assert not broken(trail)
    assert "cut off, added, or sealed anew" in broken(trail, heads)[0]


def test_an_order_that_was_taken_out_or_put_in_is_named(history: History, trail: Trail) -> None:
    heads = heads_of(trail)
    gone = next(iter(trail))
    del trail[gone]
    assert broken(trail, heads) == [f"order {gone}: a head was published, and there is no entry"]
    assert compare(trail, history) == [f"order {gone}: the trail does not have it"]
    row = next(iter(rows_of(history)))._replace(order="o-nobody")
    trail["o-nobody"] = [sealed(row, 1, audit.BEGIN)]
    assert "order o-nobody: the history does not have it" in compare(trail, history)
    assert any("no head was published" in complaint for complaint in broken(trail, heads))


def test_a_trail_comes_back_from_its_file_as_it_was(trail: Trail, tmp_path: Path) -> None:
    again, heads = audit.read(audit.write(trail, tmp_path / audit.FILE))
    assert again == trail
    assert heads == heads_of(trail)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("{", "line 1: no JSON"),
        ("[]", "line 1: expected a JSON object"),
        ('{"format": "something"}', "is something else"),
        (json.dumps({"format": audit.FORMAT, "schema_version": 9, "heads": {}}), "schema_version 9"),
        (json.dumps({"format": audit.FORMAT, "schema_version": 1, "heads": {}}) + '\n{"order": 1}', "line 2: no entry"),
    ],
)
def test_what_is_no_trail_is_refused_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrailError, match=says):
        audit.read(path)
