"""A history as somebody reads it who wants to know why: rows by what they are about, asks with their answers, names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from orderquake.sim.history import NONE, History, Row
from orderquake.sim.report import words
from orderquake.sim.report.story_steps import names_in
from orderquake.sim.units import format_duration, format_seconds

ORDINALS = ("first", "second", "third", "fourth", "fifth")


class Tale:
    """One breach, and the history that it is in.

    breach   the last row of the witness, up to which everything counts
    """

    def __init__(self, history: History, checker: str, reason: str, witness: tuple[int, ...]) -> None:
        self.checker, self.reason, self.witness = checker, reason, witness
        self.all = list(history)
        self.names = names_in(history)
        self.breach = self.all[max(witness, default=len(self.all) - 1)]
        self.rows = self.all[: self.breach.index + 1]

    # -- looking

    @cached_property
    def order(self) -> str:
        """The order that the breach is about: the witness's, the latest first; "" where it is about none."""
        return next(
            (self.all[index].order for index in sorted(self.witness, reverse=True) if self.all[index].order), ""
        )

    @cached_property
    def sku(self) -> str:
        """The product that the breach is about: the witness's, or the one that the checker names first."""
        named = self.reason.partition(":")[0]
        known = any(row.sku == named for row in self.rows if row.operation == "opening")
        return next(
            (self.all[index].sku for index in sorted(self.witness, reverse=True) if self.all[index].sku),
            named if known else "",
        )

    def state(self, *operations: str, order: str = "", sku: str = "", key: str = "") -> list[Row]:
        """Changes up to the breach, of these operations, of an order, a product, a key."""
        return [
            row for row in self.rows
            if row.kind == "state" and row.operation in operations
            and (not order or row.order == order) and (not sku or row.sku == sku) and (not key or row.key == key)
        ]  # fmt: skip

    def asks(self, *operations: str, order: str = "", everywhere: bool = False) -> list[Row]:
        rows = self.all if everywhere else self.rows
        return [
            row for row in rows
            if row.kind == "invoke" and row.operation in operations and (not order or row.order == order)
        ]  # fmt: skip

    def ask_of(self, row: Row) -> Row | None:
        """The ask for which a service did something; None where it acted by itself."""
        cause = self.all[row.cause] if row.cause != NONE else None
        return cause if cause is not None and cause.kind == "invoke" else None

    def end_of(self, ask: Row) -> Row | None:
        """What its asker heard; None where nobody was there to hear it. A turn's lease and its first ask share a
        number, so the operation counts, too."""
        which = (ask.op_id, ask.operation)
        rest = self.all[ask.index + 1 :]
        return next((r for r in rest if r.kind in ("ok", "fail", "info") and (r.op_id, r.operation) == which), None)

    def faults(self) -> list[Row]:
        return [row for row in self.rows if row.kind == "fault"]

    # -- saying

    def name(self, order: str) -> str:
        return self.names.get(order, order or "nobody")

    def at(self, row: Row) -> str:
        return f"at {moment(row.time)}"

    def who(self, row: Row) -> str:
        """Who asked, or acted."""
        if row.actor.startswith("worker"):
            return f"a worker on {self.name(row.order)}'s order"
        if row.actor in ("inbound", "outbound", "recovery", "settlement", "sweep", "rebuild"):
            return f"the {row.actor} job"
        return f"the {words.plain(row.actor)}" if not row.actor.startswith("front") else "the front door"

    def heard(self, ask: Row) -> str:
        """What came of an ask for whoever sent it, as the rest of a sentence."""
        end = self.end_of(ask)
        if end is None:
            return "and nobody was left to hear the answer"
        if end.kind == "info" and end.answer == "silence":
            return f"and heard nothing until {moment(end.time)}"
        if end.kind == "info":
            return f"and was answered by an error, {words.plain(end.answer)}"
        if end.kind == "fail":
            return f"and was refused ({words.plain(end.answer)})"
        return f"and was answered {words.plain(end.answer) or 'done'} at {moment(end.time)}"

    def who_heard(self, ask: Row) -> str:
        """The same, of somebody who was just named."""
        heard = self.heard(ask).removeprefix("and ")
        return heard if heard.startswith("nobody") else f"who {heard}"

    # -- what every explanation has

    def scene(self) -> Iterator[str]:
        """Who wants what, and what goes wrong on this day."""
        wanted: dict[str, list[str]] = {}
        for row in self.state("ordered"):
            wanted.setdefault(row.order, []).append(f"{row.units} × {row.sku}")
        there = {row.sku: row.units for row in self.rows if row.operation == "opening"}
        parts = [f"{self.name(order)} wants {words.listed(lines)}" for order, lines in wanted.items()]
        shelf = words.listed([f"{units} of {sku}" for sku, units in there.items()])
        yield f"The shelf has {shelf}; {words.listed(parts, most=3)}." if parts else f"The shelf has {shelf}."
        struck: dict[str, Row] = {}
        for row in self.faults():
            if row.answer == "injected" or row.key not in struck:
                struck.setdefault(row.key, row)
        if not struck:
            yield "Nothing fails on this day."
            return
        for number, row in enumerate(struck.values()):
            hits = [one for one in self.faults() if one.key == row.key and one.answer == "witnessed"]
            where = f" at {words.plain(row.actor)}" if row.actor else ""
            first = hits[0] if hits else row
            what = self.all[first.cause] if first.cause != NONE else None
            on = f", on {self.described(what)}" if what is not None and what.kind == "invoke" else ""
            one = "Another" if number else "One"
            yield f"{one} thing goes wrong: {words.plain(row.operation)}{where}, {self.at(first)}{on}."

    def described(self, ask: Row) -> str:
        whose = f" of {self.name(ask.order)}'s order" if ask.order else ""
        return f"the {words.plain(ask.operation)}{whose} that {self.who(ask)} sent at {moment(ask.time)}"

    def verdict(self) -> str:
        """The checker's own sentence, with the customers' names."""
        said = self.reason
        for order, name in self.names.items():
            said = said.replace(f"order {order}", f"{name}'s order").replace(order, name)
        return f"{self.checker}: {said}."

    def chain(self, row: Row) -> list[Row]:
        """The row, what led to it, what led to that, and so on to the beginning."""
        found = [row]
        while found[-1].cause != NONE:
            found.append(self.all[found[-1].cause])
        return found

    def led_to(self) -> Iterator[str]:
        """The cause edges from the breach back: told forwards, the last few."""
        links = [row for row in self.chain(self.breach) if row.kind in ("invoke", "state", "fault")]
        for row in reversed(links[:5]):
            whose = f" for {self.name(row.order)}" if row.order else ""
            does = "asks for" if row.kind == "invoke" else "does"
            yield f"{self.who(row).capitalize()} {does} {words.plain(row.operation)}{whose} {self.at(row)}."


def moment(us: int) -> str:
    """
    >>> moment(2_125_000), moment(90_000_000)
    ('2.125 s', '90 s')
    """
    seconds = f"{us / 1e6:.3f}".rstrip("0").rstrip(".")
    return f"{seconds} s"


def lasting(us: int) -> str:
    return format_duration(us) if us % 1000 == 0 else format_seconds(us / 1e6)
