"""Why a unit was promised twice, or a reservation went wrong: told from holds, pins, releases, lapses and snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from orderquake.sim.explore.hunt.why.tale import Tale, moment
from orderquake.sim.history import NONE, Row
from orderquake.sim.report import words

EARLIER = 2
"""Promises before the last one that are told."""


def oversold(tale: Tale) -> Iterator[str]:
    """What became of the earlier promises of the product, so that it could be promised once more."""
    sku = tale.sku
    holds = [row for row in tale.state("hold", sku=sku) if row.is_new]
    told = [row for row in tale.state("notice") if row.to_state == "fulfilled"]
    last = next((row for row in reversed(holds) if row.index in tale.witness), holds[-1] if holds else None)
    yield from moved(tale, sku)
    for hold in [row for row in holds if row is not last][-EARLIER:]:
        yield from promised(tale, hold)
    yield from snapshots(tale, sku, holds[0].index if holds else 0, last)
    if last is not None:
        yield from promised(tale, last)
    yield from counted(tale, sku)
    if tale.breach.operation == "notice" and len(told) > 1:
        names = words.listed([tale.name(row.order) for row in told])
        yield f"So {names} have all been told that they get it."


def moved(tale: Tale, sku: str) -> Iterator[str]:
    """What came in, and what a stock-take found missing, in one sentence."""
    happened = [
        f"{row.units} came in {tale.at(row)}" if row.units > 0 and row.operation == "receipt"
        else f"a stock-take found {abs(row.units)} {'more' if row.units > 0 else 'fewer'} {tale.at(row)}"
        for row in tale.state("receipt", "correction", sku=sku)
    ]  # fmt: skip
    if happened:
        said = words.listed(happened[-3:])
        yield f"Of {sku}, {said}."


def counted(tale: Tale, sku: str) -> Iterator[str]:
    """Where the stock is a count that all read and write back: what was written, and how old its reading was."""
    for row in tale.state("count", sku=sku)[-3:]:
        ask = tale.ask_of(row)
        name = tale.name(ask.order if ask is not None else row.order)
        reads = [
            one for one in tale.rows
            if ask is not None and one.kind == "ok" and one.operation == "get_count" and one.index < ask.index
            and one.op_id.partition("#")[0] == ask.op_id.partition("#")[0]
        ]  # fmt: skip
        since = f", by what had been read at {moment(reads[-1].time)}" if reads else ""
        yield f"For {name}, the count of {sku} was written as {row.units} {tale.at(row)}{since}."


def promised(tale: Tale, hold: Row) -> Iterator[str]:
    """One promise of a product: when it was made, and what became of it."""
    name = tale.name(hold.order)
    until = "for good" if hold.deadline == NONE else f"until {moment(hold.deadline)}"
    yield f"{name.capitalize()}'s order was promised {hold.units} of {hold.sku} {tale.at(hold)}, {until}."
    own = tale.state("pin", "free", "drop", sku=hold.sku, key=hold.key) + tale.state("notice", order=hold.order)
    for row in sorted(own, key=lambda one: one.index):
        if row.operation != "notice":
            yield from became(tale, hold, row, name) if row.index > hold.index else ()
        elif row.to_state == "fulfilled" and row.is_new:
            pins = [pin for pin in tale.state("pin", sku=hold.sku, key=hold.key) if pin.index < row.index]
            without = "" if pins else ", although nobody had pinned the unit"
            yield f"{name.capitalize()} was told {tale.at(row)} that the order is fulfilled{without}."


def became(tale: Tale, hold: Row, row: Row, name: str) -> Iterator[str]:
    ask = tale.ask_of(row)
    whom = tale.who(ask) if ask is not None else "the stock itself"
    match row.operation:
        case "pin" if hold.deadline != NONE and row.time >= hold.deadline:
            yield f"It had lapsed at {moment(hold.deadline)}, and was pinned {tale.at(row)} all the same."
        case "pin":
            yield f"It was pinned {tale.at(row)}: from then on the unit is {name}'s."
        case "free" if row.answer == "lapsed":
            yield f"The reservation lapsed at {moment(hold.deadline)}, and the unit went back on sale {tale.at(row)}."
        case "free":
            pinned = any(pin.index < row.index for pin in tale.state("pin", sku=row.sku, key=row.key))
            already = ", which was pinned," if pinned else ""
            yield f"But {whom} released {name}'s unit{already} {tale.at(row)}, and it was on sale again."
            if (lost := lost_write(tale, ask)) is not None:
                yield (
                    f"It did so because its write had lost against a faster one at {moment(lost.time)}: whoever loses "
                    "has nothing to undo."
                )
        case "drop":
            yield f"The commitment was dropped {tale.at(row)} as being contained in version {row.version}."


def lost_write(tale: Tale, ask: Row | None) -> Row | None:
    """The lost compare-and-set right before an ask, by the same task."""
    if ask is None or ask.cause == NONE:
        return None
    before = tale.all[ask.cause]
    lost = before.kind == "ok" and before.operation == "write_order" and before.answer.lower() == "conflict"
    return before if lost else None


def snapshots(tale: Tale, sku: str, since: int, last: Row | None) -> Iterator[str]:
    """The refreshes in between that gave the stock units back, and what they did not contain."""
    for row in tale.state("rebase", sku=sku):
        if row.index < since or row.answer != "applied" or row.units <= 0 or (last and row.index > last.index):
            continue
        refresh = tale.ask_of(row)
        read = read_of(tale, refresh)
        posts = [post for post in tale.state("post") if post.is_new and post.to_state == "fulfilled"]
        pins = [pin for pin in tale.state("pin", sku=sku) if pin.index < row.index]
        if read is not None:
            missing = [
                pin for pin in pins if not any(post.order == pin.order and post.index < read.index for post in posts)
            ]
            for pin in missing[:1]:
                later = next((post for post in posts if post.order == pin.order), None)
                when = f"which came at {moment(later.time)}" if later else "which had not been made yet"
                yield (
                    f"The snapshot that {tale.who(read)} read {tale.at(read)}, of version {row.version}, did not "
                    f"contain the post of {tale.name(pin.order)}'s order, {when}."
                )
        yield (
            f"Applied {tale.at(row)}, it raised what the stock may promise by {row.units}, and the promise that was "
            "made before was forgotten with the old count."
        )


def read_of(tale: Tale, refresh: Row | None) -> Row | None:
    """The answer in which a refresh had read what it applies."""
    if refresh is None:
        return None
    run = refresh.op_id.partition("#")[0]
    heard = [
        row for row in tale.rows
        if row.kind == "ok" and row.operation == "read_changes" and row.op_id.partition("#")[0] == run
        and row.index < refresh.index
    ]  # fmt: skip
    return heard[-1] if heard else None


def stale(tale: Tale) -> Iterator[str]:
    """What the record had when the snapshot was read, and what the cache made of it."""
    row = tale.breach
    refresh = tale.ask_of(row)
    read = read_of(tale, refresh)
    for pin in tale.state("hold", "pin", "drop", sku=row.sku)[-3:]:
        did = {"hold": "promised to", "pin": "pinned for", "drop": "dropped as contained for"}[pin.operation]
        yield f"{pin.units} of {row.sku} was {did} {tale.name(pin.order)} {tale.at(pin)}."
    for ship in tale.state("ship", sku=row.sku):
        yield f"The record booked {tale.name(ship.order)}'s order {tale.at(ship)}, at version {ship.version}."
    if read is not None:
        yield f"{tale.who(read).capitalize()} read the record {tale.at(read)}."
    yield (
        f"It was applied {tale.at(row)} as version {row.version}, and the cache's base is not what the record had "
        "at that version."
    )
    yield "What it counts from now on is a number that no version of the record has ever had."


def misheld(tale: Tale) -> Iterator[str]:
    """A reservation's own life, row by row."""
    row = tale.breach
    mine = [one for one in tale.rows if one.kind == "state" and one.key == row.key and one.sku == row.sku]
    said = {"hold": "granted", "extend": "extended", "pin": "pinned", "free": "freed", "drop": "dropped"}
    for one in mine[-6:]:
        if one.operation in said:
            ask = tale.ask_of(one)
            whom = f", for {tale.who(ask)}" if ask is not None else ""
            lapses = f", to lapse at {moment(one.deadline)}" if one.operation in ("hold", "extend") else ""
            lapsed = one.operation == "pin" and one.deadline != NONE and one.time >= one.deadline
            late = f", {moment(one.time - one.deadline)} after it had lapsed" if lapsed else ""
            name = tale.name(one.order)
            yield f"The reservation of {name}'s order was {said[one.operation]} {tale.at(one)}{whom}{lapses}{late}."
    yield "A reservation is live until its deadline and is let go once; by then its unit may be somebody else's."


def units_wrong(tale: Tale) -> Iterator[str]:
    """Where units came from, or went, that were not there."""
    yield from misheld(tale)
    row = tale.breach
    yield f"{tale.who(row).capitalize()} moved {row.units} of {row.sku} from {row.credit or 'nowhere'} to {row.debit}."
