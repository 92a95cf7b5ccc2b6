"""One order's story, told from the history: in words, a line a moment, and as a sequence diagram.

Reads, status writes and the queue's errands are folded away; what another party later sees is told. Nothing is judged.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from orderquake.sim.history import NONE, History, Row
from orderquake.sim.report import words
from orderquake.sim.study.grouping import NEVER, first_rows, size_of

FOLDED = frozenset({"read_order", "read_orders", "write_order", "write_orders", "enqueue", "lease", "ack"})
"""Asks that move the order's row or its place in line: only their result is told, as `=> state`."""

ASKS: Mapping[str, tuple[str, str]] = {
    "submit": ("shop", "sends the order"),
    "cancel": ("shop", "wants to cancel"),
    "register": ("order_cache", "writes the order down"),
    "charge": ("payment", "charges {money}"),
    "look_up": ("payment", "asks what became of the charge"),
    "authorise": ("payment", "asks to put {money} on hold"),
    "look_up_hold": ("payment", "asks what became of the hold"),
    "capture_hold": ("payment", "takes what is on hold"),
    "void_hold": ("payment", "lets go of what is on hold"),
    "refund": ("payment", "pays {money} back"),
    "ask_refund": ("payment", "asks what became of the refund"),
    "reserve": ("stock", "reserves {lines}"),
    "extend": ("stock", "extends the reservation"),
    "consume": ("stock", "makes the reservation stand"),
    "release": ("stock", "gives the reservation back"),
    "notify": ("notice", "tells the customer"),
    "post": ("record", "posts the order"),
}
"""Operation of an ask -> who is asked, and what the asker does by it."""

EFFECTS: Mapping[str, tuple[str, str]] = {
    "hold": ("stock", "holds {lines} until {deadline}"),
    "extend": ("stock", "holds on until {deadline}"),
    "pin": ("stock", "pins {lines} for good"),
    "adopt": ("stock", "pins {lines} again after its memory was lost"),
    "free": ("stock", "puts {lines} back on sale ({answer})"),
    "drop": ("stock", "hands {lines} over to the record"),
    "capture": ("payment", "takes {money}"),
    "decline": ("payment", "declines {money}"),
    "refund": ("payment", "gives {money} back"),
    "refund_failed": ("payment", "could not give {money} back after all"),
    "authorisation": ("payment", "puts {money} on hold"),
    "void": ("payment", "lets go of {money}"),
    "post": ("record", "books the order as {to_state}: {answer}"),
    "ship": ("record", "ships {lines}"),
    "notice": ("notice", "the customer is told: {to_state}"),
    "dead_letter": ("queue", "gives up after {units} deliveries"),
}
"""Operation of a state row -> who did it, and what."""

KEPT: Mapping[str, str] = {"register": "ordered", "reserve": "hold", "release": "free"}
"""Ask -> what is done for it: who does that was asked."""

RECORD = "record"
"""Where it keeps the reservations, or the orders, itself, it is asked and does what is the stock's elsewhere."""


@dataclass(slots=True)
class Moment:
    """One line of the story.

    kind      ask, effect, or fault
    answer    what was heard; "" for an effect
    heard_us  when it was heard, or None where nothing ever was
    moved     states the order went to because of it
    """

    time_us: int
    kind: str
    who: str
    whom: str
    what: str
    answer: str = ""
    heard_us: int | None = None
    is_silent: bool = False
    moved: list[str] = field(default_factory=list)


def orders(history: History) -> list[str]:
    """Every order that the history names, in the order of their first row."""
    order = history.table().order
    first = first_rows(order, np.arange(len(order)), size_of(order))
    named = np.flatnonzero(first[1:] != NEVER) + 1
    return history.table().texts(named[np.argsort(first[named])].tolist())


def moments(history: History, order: str) -> list[Moment]:
    """The story as moments, in the order in which they began.

    raises   KeyError, naming orders with ids like it, where the history has no such order
    """
    mine = rows_of(history, order)
    if not mine:
        raise KeyError(_no_such(history, order))
    heard = {row.op_id: row for row in reversed(mine) if row.kind in ("ok", "fail", "info") and row.op_id}
    writers = {row.op_id: row.actor for row in mine if row.kind == "invoke" and row.operation in FOLDED}
    arrived = mine[0].time
    lines = {row.line: f"{row.units} × {row.sku}" for row in mine if row.operation == "ordered"}
    basket = words.listed(list(lines.values()), most=3) or "the units"
    total = sum(row.amount for row in mine if row.operation == "ordered")
    keepers = {row.operation: RECORD for row in mine if row.kind == "state" and row.actor == RECORD}
    kept = {ask: keepers[done] for ask, done in KEPT.items() if done in keepers}
    story: list[Moment] = []
    for row in mine:
        if row.kind == "invoke" and row.operation not in FOLDED:
            story.append(_ask(row, heard.get(row.op_id), basket, total, kept))
        elif row.kind == "fault":
            story.append(
                Moment(row.time, "fault", row.actor or "nemesis", "", f"{words.plain(row.operation)} {row.answer}")
            )
        elif row.kind == "state" and row.operation in ("order", "sync"):
            _fold_in(story, row, writers.get(row.op_id, ""))
        elif row.kind == "state" and row.operation in EFFECTS:
            _tell_effect(story, row, arrived)
    return story


def rows_of(history: History, order: str) -> list[Row]:
    """Rows of the order, and of the faults that bit its asks or began and ended in its lifetime."""
    table = history.table()
    own = np.flatnonzero(table.order == table.code(order))
    if not len(own):
        return []
    has_asked = np.array([row.op_id != "" for row in history.rows_at(own)])
    faults = table.at("fault")
    faults = faults[(faults > own[0]) & (faults < own[-1])]
    some = table.take(faults)
    is_own = np.isin(some.op, table.take(own[has_asked]).op)
    is_everyones = (some.order == 0) & (some.answer != table.code("witnessed"))
    bites = faults[(is_own | is_everyones) & (some.order != table.code(order))]
    return list(history.rows_at(np.sort(np.concatenate((own, bites)))))


def _no_such(history: History, order: str) -> str:
    known = orders(history)
    if not known:
        return f"no order {order!r}: the history names no order at all"
    near = difflib.get_close_matches(order, known, n=5, cutoff=0.5)
    hint = f"did you mean {words.listed(near, 5)}?" if near else f"it has {words.listed(known, 5)}"
    return f"no order {order!r} among the {words.counted(len(known), 'order')} of this history; {hint}"


def _ask(row: Row, end: Row | None, basket: str, total: int, kept: Mapping[str, str]) -> Moment:
    whom, what = ASKS.get(row.operation, ("", f"asks: {words.plain(row.operation)}"))
    whom = kept.get(row.operation, whom)
    told = what.format(money=words.money(row.amount or total), lines=basket)
    if row.attempt > 0:
        told += f" (try {row.attempt + 1})"
    moment = Moment(row.time, "ask", row.actor, whom, told)
    if end is None:
        moment.answer, moment.is_silent = "nothing was ever heard", True
        return moment
    took = words.duration((end.time - row.time) / 1e6)
    moment.heard_us = end.time
    if end.kind == "info":
        moment.answer, moment.is_silent = f"no answer for {took}", True
    elif end.kind == "fail":
        moment.answer = f"refused{': ' + words.plain(end.answer) if end.answer else ''} ({took})"
    else:
        moment.answer = f"{words.plain(end.answer) or 'done'} ({took})"
    return moment


def _fold_in(story: list[Moment], row: Row, writer: str) -> None:
    """A status write is told by what led to it: the writer's last ask, or for the sync state the last moment at all.
    Where somebody writes who has not asked anything before, the writing is all there is to tell."""
    if row.operation == "order" and row.from_state == row.to_state:
        return
    asks = [moment for moment in story if moment.kind == "ask"] if row.operation == "order" else []
    if asks and writer and asks[-1].who != writer:
        story.append(Moment(row.time, "effect", writer, "", "moves the order on", moved=[words.plain(row.to_state)]))
    elif last := (asks or story)[-1:]:
        last[0].moved.append(words.plain(row.to_state))


def _tell_effect(story: list[Moment], row: Row, arrived: int) -> None:
    usually, what = EFFECTS[row.operation]
    who = row.actor if row.actor == RECORD else usually
    one = f"{row.units} × {row.sku}"
    until = "for ever" if row.deadline == NONE else f"+{(row.deadline - arrived) / 1e6:.3f} s"
    told = what.format(
        lines="\0", money=words.money(row.amount), deadline=until, answer=words.plain(row.answer),
        to_state=words.plain(row.to_state), units=row.units,
    )  # fmt: skip
    if not row.is_new:
        told += " (again: nothing changed)"
    before = story[-1] if story else None
    head, mark, tail = told.partition("\0")
    is_next_line = before is not None and (before.kind, before.time_us) == ("effect", row.time)
    if mark and before and is_next_line and before.what.startswith(head) and before.what.endswith(tail):
        before.what = f"{before.what.removesuffix(tail)}, {one}{tail}"
        return
    story.append(Moment(row.time, "effect", who, "", f"{head}{one}{tail}" if mark else told))


def tell(history: History, order: str) -> str:
    """The story in words: time since the customer arrived, who, what, the answer; faults are marked with a !.

    raises   KeyError where the history has no such order
    """
    story = moments(history, order)
    width = max(len(moment.who) for moment in story) if story else 0
    return "\n".join([f"order {order}", *(_line(moment, story[0].time_us, width) for moment in story)])


def _line(moment: Moment, arrived: int, width: int) -> str:
    since = f"{(moment.time_us - arrived) / 1e6:+.3f} s"
    mark = {"ask": " ", "effect": "·", "fault": "!"}[moment.kind]
    return f"{since:>14}  {mark} {moment.who:<{width}}  {sentence(moment)}"


def sentence(moment: Moment) -> str:
    """What happened, what was heard, and where it moved the order."""
    heard = f": {moment.answer}" if moment.answer else ""
    moved = "".join(f" => {state}" for state in moment.moved)
    return f"{moment.what}{heard}{moved}"


def sequence_diagram(history: History, order: str) -> str:
    """The story as a Mermaid sequence diagram.

    raises   KeyError where the history has no such order
    """
    story = moments(history, order)
    alias: dict[str, str] = {}
    for moment in story:
        for name in filter(None, (moment.who, moment.whom)):
            alias.setdefault(name, f"p{len(alias)}")
    people = [f"participant {short} as {_safe(name)}" for name, short in alias.items()]
    steps = [text for _, text in sorted(_arrows(story, alias), key=lambda step: step[0])]
    return "\n    ".join(["sequenceDiagram", *people, *steps]) + "\n"


def _arrows(story: list[Moment], alias: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for moment in story:
        who, whom = alias[moment.who], alias.get(moment.whom, alias[moment.who])
        if moment.kind != "ask":
            mark = "fault: " if moment.kind == "fault" else ""
            yield moment.time_us, f"Note over {who}: {_safe(mark + sentence(moment))}"
            continue
        heard = moment.time_us if moment.heard_us is None else moment.heard_us
        yield moment.time_us, f"{who}->>{whom}: {_safe(moment.what)}"
        yield heard, f"{whom}{'--x' if moment.is_silent else '-->>'}{who}: {_safe(moment.answer)}"
        if moment.moved:
            yield heard, f"Note over {who}: {_safe(' then '.join(moment.moved))}"


def _safe(text: str) -> str:
    """Text that Mermaid reads as text: nothing that ends a statement or begins an entity."""
    return text.replace("#", "no. ").replace(";", ",").replace("\n", " ")
