"""Why the record's books are wrong, late, or not what the cache believes: told from posts, refreshes and versions."""

from __future__ import annotations

from collections.abc import Iterator

from orderquake.sim.explore.hunt.why.tale import Tale, moment
from orderquake.sim.history import NONE, Row
from orderquake.sim.report import words


def booked_wrong(tale: Tale) -> Iterator[str]:
    """Each booking of the order, who sent it, and what they heard."""
    order = tale.order
    name = tale.name(order)
    for row in tale.state("notice", order=order):
        yield f"{name.capitalize()}'s order ended as {row.to_state} {tale.at(row)}."
    for number, row in enumerate(tale.state("post", order=order)):
        ask = tale.ask_of(row)
        whom = tale.who(ask) if ask is not None else "somebody"
        heard = f", {tale.who_heard(ask)}" if ask is not None else ""
        if number == 0:
            yield f"The record booked it {tale.at(row)} for {whom}{heard}."
        else:
            how = "said that it had it already" if not row.is_new else "booked it once more, under the same key"
            run = f"the same ask of {moment(ask.time)}" if ask is not None and _is_copy(tale, row, ask) else f"{whom}"
            yield f"{_of(tale, row).capitalize()} {run} reached it {tale.at(row)}, and the record {how}."
    ships = tale.state("ship", order=order)
    if len(ships) > 1:
        yield f"So the books lost {sum(row.units for row in ships)} units where {ships[0].units} went out."
    syncs = tale.state("sync", order=order)
    if syncs:
        yield f"The order's own column says {syncs[-1].to_state} since {moment(syncs[-1].time)}."
    if not tale.state("post", order=order):
        runs = len({row.op_id.partition("#")[0] for row in tale.asks("list_unposted", everywhere=True)})
        yield f"The outbound job looked {runs} times and never sent it."
    yield "A key is booked once for ever, or the goods leave the books as often as somebody is unsure."


def _is_copy(tale: Tale, row: Row, ask: Row) -> bool:
    return sum(one.cause == ask.index for one in tale.state("post", order=row.order)) > 1


def _of(tale: Tale, row: Row) -> str:
    ask = tale.ask_of(row)
    return "a copy of" if ask is not None and _is_copy(tale, row, ask) else "then"


def states_wrong(tale: Tale) -> Iterator[str]:
    """The order's last states, and who wrote the one that its table does not have."""
    row = tale.breach
    mine = tale.state(row.operation, order=row.order)
    for one in mine[-4:-1]:
        yield f"{tale.name(row.order).capitalize()}'s {_column(one)} became {words.plain(one.to_state)} {tale.at(one)}."
    ask = tale.ask_of(row)
    whom = tale.who(ask) if ask is not None else "somebody"
    yield (
        f"Then {whom} wrote {words.plain(row.to_state)} over {words.plain(row.from_state) or 'nothing'} "
        f"{tale.at(row)}, "
        "and no row of the table allows that."
    )
    posts = tale.state("post", order=row.order)
    if row.operation == "sync" and posts:
        yield (
            f"The post itself had been sent before: the record booked it {tale.at(posts[0])}, while nothing said that "
            "somebody was about to."
        )
    yield "A crash in between would leave nobody who knows whether it was done: decide first, then act."


def _column(row: Row) -> str:
    return "sync" if row.operation == "sync" else "order"


def unconverged(tale: Tale) -> Iterator[str]:
    """What the record knows that the cache does not, and what the refreshes since then brought."""
    sku = tale.reason.partition(":")[0]
    changes = [
        row for row in tale.all
        if row.kind == "state" and row.sku == sku and row.actor == "record" and row.version > 0
        and row.operation in ("ship", "receipt", "return", "correction", "foreign_sale")
    ]  # fmt: skip
    for row in changes[-2:]:
        what = {"ship": "shipped"}.get(row.operation, words.plain(row.operation))
        yield f"The record {what} {row.units} of {sku} {tale.at(row)}, which made it version {row.version}."
    bases = [row for row in tale.all if row.operation == "rebase" and row.sku == sku and row.answer == "applied"]
    refused = [row for row in tale.all if row.operation == "rebase" and row.sku == sku and row.answer == "refused"]
    since = changes[-1].index if changes else 0
    reads = [row for row in tale.asks("read_changes", everywhere=True) if row.index > since]
    if refused:
        first = tale.at(refused[0])
        yield f"{len(refused)} snapshots were refused, the first {first}: they do not add up with the cache's base."
    if bases:
        yield f"The cache's base is that of version {bases[-1].version}, applied {tale.at(bases[-1])}."
    else:
        yield f"The cache still has the base it began with, version 0: no refresh ever brought it {sku}."
    yield f"The inbound job has read the record {len(reads)} times since, and none of these brought the change."
    frees = [row for row in tale.all if row.operation == "free" and row.sku == sku]
    for key in dict.fromkeys(row.key for row in frees):
        times = [row for row in frees if row.key == key]
        if len(times) > 1:
            yield f"One reservation was freed {len(times)} times, at {words.listed([moment(r.time) for r in times])}."
    held = [row for row in tale.all if row.operation in ("hold", "pin", "adopt") and row.sku == sku]
    gone = {row.key for row in tale.all if row.operation in ("free", "drop") and row.sku == sku}
    for row in [row for row in held if row.operation == "hold" and row.key not in gone][:2]:
        lapses = "" if row.deadline == NONE else f" until {moment(row.deadline)}"
        yield f"{tale.name(row.order).capitalize()}'s unit, promised {tale.at(row)}{lapses}, was never let go."
