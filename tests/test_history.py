"""The table in the middle: what is written can be read back, by rows and by columns, however it is kept."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderquake.model.flow import Change
from orderquake.sim.history import COLUMNS, History, Row, first_difference
from orderquake.sim.packed import BLOCK, Codes, op_id_parts
from orderquake.sim.recorder import Recorder, values_of
from orderquake.sim.run import simulate

TEXTS = st.sampled_from(["", "a", "b#1", "b#2", "ok", "invoke", "state", "outside", "inside", "reserve"])
NUMBERS = st.integers(min_value=-1, max_value=3) | st.integers(min_value=-(2**31), max_value=2**31 - 1)
KINDS = st.sampled_from(["invoke", "ok", "fail", "info", "state", "fault", "mark", "config"])


def any_row(time: int, rows: int) -> st.SearchStrategy[tuple[object, ...]]:
    kinds = {"int64": NUMBERS, "bool": st.booleans(), "str": TEXTS}
    columns = {name: kinds[kind] for name, kind in COLUMNS if name != "index"}
    columns |= {"time": st.just(time), "kind": KINDS, "cause": st.integers(min_value=-1, max_value=rows - 1)}
    # Rows that say as little as most do, so that every shape of row is met.
    for name in ("line", "version", "watermark"):
        columns[name] = st.just(-1) | columns[name]
    for name in ("sku", "debit", "credit", "from_state", "to_state"):
        columns[name] = st.just("") | columns[name]
    for name in ("units", "amount"):
        columns[name] = st.just(0) | columns[name]
    return st.tuples(*columns.values())


@given(st.data())
def test_whatever_is_appended_is_read_back(data: st.DataObject) -> None:
    written = [data.draw(any_row(time, time)) for time in range(data.draw(st.integers(0, 12)))]
    history = History()
    for values in written:
        history.append(values)
    assert list(history.raw()) == written
    assert list(history) == [Row(index, *values) for index, values in enumerate(written)]  # type: ignore[arg-type]
    for index, values in enumerate(written):
        assert history[index] == (index, *values)


def asked_and_answered(history: History, how_often: int) -> None:
    """The same ask, a change that it made, and its answer, as the worlds write them."""
    recorder = Recorder(history)
    written = recorder.written
    for number in range(how_often):
        row = written.rows
        written.rows = row + 3
        change = Change("hold", f"o{number}/1", f"o{number}", 0, "mug", 2, deadline=9)
        recorder.put_ask((row, 5, recorder.route("reserve", "w", "here"), (f"o{number}", "k"), "w.1", 1, 0, 99, -1))
        recorder.put_change((row + 1, 6, recorder.service("stock", "there"), row, change))
        recorder.put_answer((row + 2, 7, recorder.said(change), row))


def test_an_ask_a_change_and_an_answer_share_what_they_say() -> None:
    history = History()
    asked_and_answered(history, 1)
    ask, change, answer = history
    assert (ask.kind, ask.operation, ask.op_id, ask.key, ask.order, ask.deadline) == (
        "invoke", "reserve", "w.1#1", "k", "o0", 99,
    )  # fmt: skip
    assert (change.kind, change.op_id, change.actor, change.sku, change.units, change.cause) == (
        "state", "w.1#1", "stock", "mug", 2, 0,
    )  # fmt: skip
    assert (answer.kind, answer.answer, answer.op_id, answer.key, answer.order, answer.cause, answer.place) == (
        "ok", "change", "w.1#1", "k", "o0", 0, "here",
    )  # fmt: skip


@pytest.mark.parametrize("asks", [1, BLOCK // 3, BLOCK // 3 + 1, BLOCK + 7])
def test_the_same_rows_have_one_digest_whoever_wrote_them(asks: int) -> None:
    fast, slow = History(), History()
    asked_and_answered(fast, asks)
    for values in fast.raw():
        slow.append(values)
    assert first_difference(fast, slow) is None
    assert fast.digest == slow.digest


def test_a_table_stands_still_while_the_history_grows() -> None:
    history = History()
    asked_and_answered(history, 2)
    table = history.table()
    before = table.values("order"), table.digest()
    asked_and_answered(history, BLOCK)
    history.pack()
    assert (table.values("order"), table.digest()) == before
    assert len(history.table()) == len(history) == 3 * (BLOCK + 2)


def test_whoever_packs_as_it_goes_spares_two_blocks_and_has_the_same_history() -> None:
    going, waiting = History(), History()
    for _ in range(5):
        for history in (going, waiting):
            asked_and_answered(history, BLOCK // 3)
        going.pack(spare=2)
    kept = len(going.written.asks) + len(going.written.answers) + len(going.written.changes)
    assert 0 < kept < len(waiting.written.asks) + len(waiting.written.answers) + len(waiting.written.changes)
    assert len(going) - going._packed.rows in range(2 * BLOCK, 3 * BLOCK)
    assert first_difference(going, waiting) is None
    assert going.digest == waiting.digest


@pytest.mark.parametrize("twin", [Codes.copy, lambda codes: pickle.loads(pickle.dumps(codes))])
def test_a_copy_of_codes_goes_on_counting_by_itself(twin: Callable[[Codes], Codes]) -> None:
    codes = Codes(["a", "b", "a"])
    assert codes.of(["b", "c"]).tolist() == [1, 2]
    other = twin(codes)
    assert (other["d"], other["a"], codes["e"], codes["f"]) == (3, 0, 3, 4)
    assert (codes.things, other.things) == (["a", "b", "c", "e", "f"], ["a", "b", "c", "d"])


def test_rows_are_found_by_kind_and_operation() -> None:
    history = History()
    asked_and_answered(history, 3)
    history.state(9, "quiet", kind="config")
    table = history.table()
    assert table.at("invoke", "reserve").tolist() == [0, 3, 6]
    assert table.at("ok").tolist() == [2, 5, 8]
    assert table.at("state", "hold", "quiet").tolist() == [1, 4, 7]
    assert table.at("config").tolist() == [9]
    assert table.at("state", "never_said").tolist() == []
    assert [row.index for row in history.rows_at([7, 0, 7])] == [7, 0, 7]


def test_an_ask_is_one_number_in_all_of_its_rows() -> None:
    history = History()
    asked_and_answered(history, 2)
    op = history.table().op
    assert len(set(op.tolist())) == 1, "both asks are called w.1#1 here"
    history.state(9, "reserve", kind="invoke", op_id="w.1#2")
    history.state(9, "reserve", kind="invoke", op_id="w.1")
    assert len(set(history.table().op.tolist())) == 3


@pytest.mark.parametrize("op_id", ["", "a", "a#1", "a#0", "a#01", "#1", "a#", "a#b#12", "a#1234567890", "a\n#3"])
def test_an_op_id_comes_back_from_its_parts(op_id: str) -> None:
    task, ordinal = op_id_parts(op_id)
    assert (task if ordinal < 0 else f"{task}#{ordinal}") == op_id


def test_a_number_too_big_for_its_column_is_refused_and_not_cut() -> None:
    history = History()
    history.state(2**63, "receipt")
    with pytest.raises(OverflowError):
        history.table()


def test_a_run_read_back_from_its_file_has_its_digest(tmp_path: Path) -> None:
    run = simulate("bad_provider", seed=2)
    run.history.write_parquet(tmp_path / "history.parquet")
    again = History.read_parquet(tmp_path / "history.parquet")
    assert first_difference(run.history, again) is None
    assert again.digest == run.digest


def test_columns_and_rows_say_the_same_of_a_run() -> None:
    history = simulate("zombies", seed=2).history
    rows = list(history)
    for name, _ in COLUMNS:
        assert np.array_equal(history.column(name), [getattr(row, name) for row in rows]), name


def test_what_a_service_did_has_one_row_however_it_is_told() -> None:
    change = Change("post", "o/final", "o", to_state="fulfilled", amount=5, is_outside=True)
    assert Row(0, *values_of(change, 3, "op", 1, "record", "here", -1)).witness == "outside"
