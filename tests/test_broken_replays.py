"""Replayers with one thing wrong, and the tests of choice logs that notice."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from orderquake.sim import choices
from orderquake.sim.choices import ChoiceLog, Difference
from orderquake.sim.history import History
from orderquake.sim.run import Run
from tests import test_choices

FROM_THE_LOG, RECORD, REPLAY = choices._from_the_log, choices.record, choices.replay


def replays_without_the_last_deviation(log: ChoiceLog, *rest: Any, **also: Any) -> choices.Replay:
    return REPLAY(replace(log, deviations=log.deviations[:-1]), *rest, **also)


def compares_lengths_only(log: ChoiceLog, luck: Any, failure: str, digest: str) -> Difference | None:
    rows = len(luck.history) if luck.history is not None else 0
    return None if rows == log.rows else FROM_THE_LOG(log, luck, failure, digest)


def looks_at_the_digest_only(log: ChoiceLog, luck: Any, failure: str, digest: str) -> Difference | None:
    """That something differs is seen, and not where."""
    return Difference("end", log.rows, "", digest, log.digest) if digest != log.digest else None


def names_the_row_after(log: ChoiceLog, luck: Any, failure: str, digest: str) -> Difference | None:
    found = FROM_THE_LOG(log, luck, failure, digest)
    return found._replace(row=found.row + 1) if found is not None and found.what == "row" else found


def forgets_how_it_failed(log: ChoiceLog, luck: Any, failure: str, digest: str) -> Difference | None:
    """Where a run ended well that had failed, its rows are only looked at as far as they go."""
    history = luck.history if luck.history is not None else History()
    then, now = np.frombuffer(log.checks, "<u4"), np.frombuffer(choices.checks_of(history), "<u4")
    both = min(len(then), len(now))
    return None if (then[:both] == now[:both]).all() else FROM_THE_LOG(log, luck, failure, digest)


def checks_what_stands_in_every_row(history: History) -> bytes:
    """Keys, amounts and answers are left out."""
    return np.fromiter(
        (zlib.crc32(f"{row.time} {row.kind}".encode()) for row in history), "<u4", len(history)
    ).tobytes()


def records_no_deviations(run: Run) -> ChoiceLog:
    return replace(RECORD(run), deviations=())


class Mistake(NamedTuple):
    name: str
    instead: Callable[..., Any]
    noticed_by: Callable[..., None]


TO_THE_END = test_choices.test_a_log_runs_on_its_own_and_strictly_to_the_same_end
FIRST_ROW = test_choices.test_a_strict_replay_stops_at_the_first_row_that_a_mutant_does_otherwise
FAILS_AGAIN = test_choices.test_a_run_in_which_the_harness_fails_is_kept_and_fails_again
MISTAKES = [
    Mistake("replay", replays_without_the_last_deviation, TO_THE_END),
    Mistake("record", records_no_deviations, TO_THE_END),
    Mistake("_from_the_log", looks_at_the_digest_only, FIRST_ROW),
    Mistake("_from_the_log", names_the_row_after, FIRST_ROW),
    Mistake("_from_the_log", forgets_how_it_failed, FAILS_AGAIN),
    Mistake("checks_of", checks_what_stands_in_every_row, FIRST_ROW),
]


def noticed(mistake: Mistake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in (choices, test_choices):
        if hasattr(place, mistake.name):
            monkeypatch.setattr(place, mistake.name, mistake.instead)
    with pytest.raises(AssertionError):
        mistake.noticed_by(*([tmp_path] if "tmp_path" in mistake.noticed_by.__annotations__ else []))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.instead.__name__)
def test_a_mistake_in_replaying_is_noticed(mistake: Mistake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    noticed(mistake, monkeypatch, tmp_path)


def a_row_is_changed_and_none_is_missing() -> None:
    """As many rows as there were, and one of them says something else."""
    run = test_choices.played(test_choices.small())[0]
    log = choices.record(run)
    checks = bytearray(log.checks)
    checks[4 * 100] ^= 1
    again = choices.replay(replace(log, checks=bytes(checks)))
    assert again.difference is not None
    assert (again.difference.what, again.difference.row) == ("row", 100)
    assert again.exit_code == choices.HARNESS


def test_a_row_that_differs_is_found_where_there_are_as_many_rows_as_there_were() -> None:
    a_row_is_changed_and_none_is_missing()


def test_who_only_compares_lengths_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mistake = Mistake("_from_the_log", compares_lengths_only, a_row_is_changed_and_none_is_missing)
    noticed(mistake, monkeypatch, tmp_path)
