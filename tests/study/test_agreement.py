"""Every measure is worked out twice, by columns and by rows, and both say the same of whatever history there is."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderquake.sim.checkers import columns
from orderquake.sim.history import COLUMNS, History, Row
from orderquake.sim.scenario_file import scenario_names
from orderquake.sim.study import books, latency
from orderquake.sim.study.grouping import NEVER, Bools, Ints, last_rows
from tests.study.agreement import disagreements
from tests.study.histories import EDGES, SMALL, history_of, small_run, wild

WILD = 150
KINDS = ("drop", "repeat", "swap", "change")
Mutation = tuple[str, int, int, int]


@pytest.fixture(autouse=True)
def _no_second_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other channels took is the checkers' to measure, and they need not bear every history that is made here."""
    monkeypatch.setattr(columns, "foreign_oversold_units", lambda _: {})


@pytest.mark.parametrize("edge", EDGES)
def test_columns_and_rows_agree_about_every_edge(edge: str) -> None:
    assert disagreements(EDGES[edge]()) == set()


@pytest.mark.parametrize("name", [*scenario_names(), "wiped"])
def test_columns_and_rows_agree_about_every_scenario(name: str) -> None:
    assert disagreements(history_of(small_run(name))) == set()


def test_only_scenarios_that_there_are_have_a_small_size() -> None:
    assert set(SMALL) <= set(scenario_names())


def test_columns_and_rows_agree_about_histories_drawn_at_random() -> None:
    for seed in range(WILD):
        assert disagreements(wild(Random(seed))) == set(), f"seed {seed}"


def mutated(rows: list[Row], mutations: list[Mutation]) -> History:
    """The rows after some were dropped, repeated elsewhere, exchanged, or given another row's word in one column."""
    for kind, one, other, column in mutations:
        here, there = one % len(rows), other % len(rows)
        if kind == "drop" and len(rows) > 1:
            del rows[here]
        elif kind == "repeat":
            rows.insert(here, rows[there])
        elif kind == "swap":
            rows[here], rows[there] = rows[there], rows[here]
        elif kind == "change":
            name = COLUMNS[1:][column][0]
            rows[here] = rows[here]._replace(**{name: getattr(rows[there], name)})
    return history_of(rows)


PLACES = st.integers(0, 10**4)
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(KINDS), PLACES, PLACES, st.integers(0, len(COLUMNS) - 2)), min_size=1, max_size=40
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["lossy_payments", "shared_pool", "wiped", "zombies"]), st.integers(1, 1200), MUTATIONS)
def test_columns_and_rows_agree_about_a_history_that_stops_early_and_was_tampered_with(
    name: str, end: int, mutations: list[Mutation]
) -> None:
    assert disagreements(mutated(list(small_run(name)[:end]), mutations)) == set()


# -- would it be noticed?


def counts_from_the_last_attempt(names: Any, rows: Ints, size: int) -> Ints:
    """A measure that forgets the attempts before the last."""
    last = last_rows(names, rows, size)
    return np.where(last < 0, NEVER, last)


def forgets_that_nobody_is_unpinned_twice(values: Ints, is_first: Bools) -> Ints:
    """A measure that lets the number of pins fall below none."""
    return np.zeros(len(values), np.int64)


@pytest.mark.parametrize(
    ("room", "function", "bug", "wrong"),
    [
        (latency, "first_rows", counts_from_the_last_attempt, "latencies"),
        (books, "running_least", forgets_that_nobody_is_unpinned_twice, "changes"),
    ],
    ids=["latency", "drift"],
)
def test_a_planted_bug_is_noticed(
    room: Any, function: str, bug: Callable[..., Ints], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, function, bug)
    by_edges = {edge for edge, history in EDGES.items() if disagreements(history(), wrong)}
    by_chance = {seed for seed in range(WILD) if disagreements(wild(Random(seed)), wrong)}
    assert by_edges
    assert by_chance
