"""What a row of the history costs: to write it through the recorder, to pack it, and to name it by the digest.

Rows are written as the wire and the services write them, with all that they say at hand: moments, tasks and orders
change from row to row as they do in a run, and the loop that brings them along is measured alone and subtracted. The
history grows throughout, and Python's collector runs. Blocks that are whole are packed between the chunks, as workers
do it in a run when they hand back an order; that belongs to the price of a row and is told beside it.

    python -m tests.benchmarks.history [--rounds 7] [--json]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from tests.benchmarks.measure import Figure, Numbers, Stopwatch, command, fresh, interleaved, median, tell

CHUNK, CHUNKS = 1_000, 240
ASKS_A_TASK = 18
KINDS = {"ask": "an ask", "answer": "an answer", "change": "a state row"}


def written(kind: str) -> Numbers:
    """Nanoseconds a row of one kind: the median of many chunks, and the mean."""
    from orderquake.sim.history import History
    from orderquake.sim.recorder import Recorder

    prepare, write, bring = WRITERS[kind]
    recorder = Recorder(History())
    found = []
    for chunk in range(CHUNKS):
        said = [prepare(number) for number in range(chunk * CHUNK, (chunk + 1) * CHUNK)]
        began = time.process_time()
        write(recorder, said)
        wrote = time.process_time()
        bring(said)
        found.append((wrote - began - (time.process_time() - wrote)) / CHUNK * 1e9)
        recorder.history.pack(spare=2)
    assert len(recorder.history) == CHUNK * CHUNKS
    return {"ns": statistics.median(found), "mean_ns": statistics.fmean(found)}


def kept() -> Numbers:
    """Nanoseconds a row, in a history of asks, state rows and answers: to pack it, and to hash it."""
    from orderquake.sim.history import History
    from orderquake.sim.recorder import Recorder

    recorder = Recorder(History())
    for number in range(CHUNK * CHUNKS // 6):
        ask = ask_said(number)
        row = len(recorder.history)
        write_asks(recorder, [ask])
        write_changes(recorder, [(ask[0], row, change_of(ask[1]))])
        write_answers(recorder, [(ask[0], row)])
    rows = len(recorder.history)
    watch = Stopwatch()
    recorder.history.table()
    packed = watch.read()
    assert recorder.history.digest
    return {"pack_ns": packed / rows * 1e9, "digest_ns": (watch.read() - packed) / rows * 1e9}


# -- the only places that know how rows are written, and what is at hand then


def ask_said(number: int) -> tuple[Any, ...]:
    task = f"o-{number // ASKS_A_TASK:08x}"
    now = number * 137
    return now, (task, f"{task}/reserve"), task, number % ASKS_A_TASK, now + 5_000_000, number - 1


def write_asks(recorder: Any, said: Sequence[tuple[Any, ...]]) -> None:
    written, put, route = recorder.written, recorder.put_ask, recorder.route("reserve", "worker-1", "here")
    for now, about, task, ordinal, deadline, cause in said:
        written.rows = 1 + (row := written.rows)
        put((row, now, route, about, task, ordinal, 1, deadline, cause))


def bring_asks(said: Sequence[tuple[Any, ...]]) -> None:
    for _now, _about, _task, _ordinal, _deadline, _cause in said:
        pass


def answer_said(number: int) -> tuple[int, int]:
    return number * 137, number - 1


def write_answers(recorder: Any, said: Sequence[tuple[int, int]]) -> None:
    written, put, reserved = recorder.written, recorder.put_answer, recorder.written.said["ok", "reserved"]
    for now, asked in said:
        written.rows = 1 + (row := written.rows)
        put((row, now, reserved, asked))


def bring_answers(said: Sequence[tuple[int, int]]) -> None:
    for _now, _asked in said:
        pass


def change_said(number: int) -> tuple[int, int, Any]:
    order = f"o-{number:08x}"
    return number * 137, number - 1, change_of((order, f"r-{order}"))


def write_changes(recorder: Any, said: Sequence[tuple[int, int, Any]]) -> None:
    written, put, stock = recorder.written, recorder.put_change, recorder.service("stock", "here")
    for now, asked, change in said:
        written.rows = 1 + (row := written.rows)
        put((row, now, stock, asked, change))


def bring_changes(said: Sequence[tuple[int, int, Any]]) -> None:
    for _now, _asked, _change in said:
        pass


def change_of(about: tuple[str, str]) -> Any:
    from orderquake.model.flow import Change

    order, key = about
    return Change(
        "hold", key, order, 0, "sku-001", 2, debit="cache.held", credit="cache.available", version=3, deadline=10**9
    )


Writer: TypeAlias = tuple[Callable[[int], Any], Callable[[Any, Any], None], Callable[[Any], None]]
WRITERS: dict[str, Writer] = {
    "ask": (ask_said, write_asks, bring_asks),
    "answer": (answer_said, write_answers, bring_answers),
    "change": (change_said, write_changes, bring_changes),
}


def bench(rounds: int) -> list[Figure]:
    """Nanoseconds a row."""
    me = "tests.benchmarks.history"
    contestants = {kind: partial(once, f"{me}:written", kind=kind) for kind in WRITERS}
    found = interleaved(rounds, {**contestants, "kept": partial(once, f"{me}:kept")})
    means = ", ".join(f"{words} {median(found[kind], 'mean_ns'):.0f} ns" for kind, words in KINDS.items())
    tell(f"rows as they are written, means instead of medians: {means}")
    figures = [
        Figure(f"history: to write {words}", median(found[kind], "ns"), "ns", at_most=100)
        for kind, words in KINDS.items()
    ]
    figures.append(Figure("history: to pack a row", median(found["kept"], "pack_ns"), "ns"))
    figures.append(Figure("history: to hash a row", median(found["kept"], "digest_ns"), "ns"))
    return figures


def once(function: str, _round: int, **given: Any) -> Numbers:
    return fresh(function, **given)


if __name__ == "__main__":
    raise SystemExit(command(bench, "What a row of the history costs."))
