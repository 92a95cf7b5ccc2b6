"""The verdicts as a report shows them: the line at the top, the table, the rows that witness a violation. No verdict is
passed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orderquake.sim.checkers.fold import WORST, Verdict
from orderquake.sim.history import Row
from orderquake.sim.report import words
from orderquake.sim.study.subject import Replication, Subject

_WITNESS_ROWS = 12


def verdict_line(run: Replication) -> tuple[str, str]:
    """The verdict as a headline and a sentence."""
    verdict, verdicts = run.verdict, run.verdicts
    broken = [words.plain(name) for name, found in verdicts.items() if found.status == "invalid"]
    tested = [name for name, found in verdicts.items() if found.was_exercised]
    if verdict == "invalid":
        return "Invalid", f"Broken: {words.listed(broken)}. The rows that show it stand below."
    if verdict == "unknown":
        return "Unknown", f"Nothing was seen to break, but not everything could be judged: {'; '.join(in_doubt(run))}."
    put = sum(found.obligations for found in verdicts.values())
    return "Valid", (
        f"{words.counted(len(tested), 'promise')} put to the test {words.counted(put, 'time')}, and every one held."
    )


def in_doubt(run: Replication, most: int = 3) -> list[str]:
    """Why a run is unknown: faults that were not seen, and promises that had to be tested and could not be judged."""
    why = list(run.notes)
    for name in run.scenario.must_exercise:
        verdict = run.verdicts.get(name, Verdict.unknown(0, "not asked"))
        if verdict.status == "unknown":
            why.append(f"{words.plain(name)}, {verdict.reason}")
    return why[:most] or ["nothing had to be put to the test"]


def verdict_rows(verdicts: Mapping[str, Verdict], must_exercise: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The table of verdicts: the worst first, and last what was not exercised."""

    def rank(item: tuple[str, Verdict]) -> tuple[bool, int, str]:
        name, verdict = item
        is_idle = not verdict.was_exercised and verdict.status == "unknown" and name not in must_exercise
        return is_idle, -WORST[verdict.status], name

    rows: list[dict[str, Any]] = []
    for name, verdict in sorted(verdicts.items(), key=rank):
        is_idle = rank((name, verdict))[0]
        rows.append(
            {
                "claim": words.plain(name),
                "status": verdict.status,
                "glyph": "idle" if is_idle else verdict.status,
                "obligations": words.count(verdict.obligations),
                "reason": verdict.reason,
                "is_asked": name in must_exercise,
                "is_first_idle": is_idle and bool(rows) and rows[-1]["glyph"] != "idle",
            }
        )
    return rows


def witnesses(run: Subject) -> list[dict[str, Any]]:
    found = []
    for name, verdict in run.verdicts.items():
        indices = [index for index in verdict.witness if 0 <= index < len(run.history)]
        if verdict.status == "invalid" and indices:
            rows = [_witness_row(row) for row in run.history.rows_at(indices[:_WITNESS_ROWS])]
            found.append({"claim": words.plain(name), "rows": rows, "more": len(indices) - len(rows)})
    return found


def _witness_row(row: Row) -> dict[str, Any]:
    what = " ".join(filter(None, (words.plain(row.operation), "" if row.kind == "state" else row.kind)))
    moved = f"{row.from_state or '·'} → {row.to_state}" if row.to_state else words.plain(row.answer)
    goods = [f"{row.units} × {row.sku}" if row.sku else "", words.money(row.amount) if row.amount else ""]
    return {
        "index": words.count(row.index),
        "time": f"{row.time / 1e6:,.3f}{words.THIN}s",
        "who": row.actor,
        "what": f"{what}: {moved}" if moved else what,
        "order": row.order,
        "key": row.key,
        "goods": ", ".join(filter(None, goods)),
    }
