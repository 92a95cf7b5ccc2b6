"""What goes wrong between those who ask and the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orderquake.sim.nemesis import wire as described
from orderquake.sim.world.faults.injected import Injected, Site
from orderquake.sim.world.wire import Sending


class LoseAsk(Injected):
    moment = "way there"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.stand_before(site.replica)

    def loses_ask(self, sending: Sending) -> bool:
        return self.hits(sending)


class LoseAnswer(Injected):
    moment = "way back"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.stand_before(site.replica)

    def loses_answer(self, sending: Sending) -> bool:
        return self.hits(sending)


class Delay(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.stand_before(site.replica)

    def delayed(self, sending: Sending, out_us: int) -> int:
        verb, number, visit = sending.ask.verb, sending.task.number, sending.visit
        if not self.hits(sending):
            return out_us
        return out_us + self.draw_of("by", verb, self.fault.by, number, visit)


class Duplicate(Injected):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.lag = site.streams.of(f"fault/{site.label}/after", site.fault.after)
        self.stand_before(site.replica)

    def copies_after(self, sending: Sending) -> int | None:
        if self.hits(sending):
            later_us: int = self.lag.draw(sending.task.number, sending.visit)
            return later_us
        return None


class Reorder(Injected):
    """It has struck when an ask overtakes another; to hold one up is not enough.

    under_way   (when it was to arrive, when it will) of those who have not arrived yet
    """

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.under_way: list[tuple[int, int]] = []
        self.stand_before(site.replica)

    def delayed(self, sending: Sending, out_us: int) -> int:
        verb, number, visit = sending.ask.verb, sending.task.number, sending.visit
        if not self.concerns(verb):
            return out_us
        now = self.kernel.now
        due, late_us = now + out_us, 0
        if self.draw(verb, number, visit) < self.fault.share:
            late_us = self.draw_of("by", verb, self.fault.by, number, visit)
        self.under_way = [those for those in self.under_way if those[1] > now]
        if any(was_due <= due and arrives > due + late_us for was_due, arrives in self.under_way):
            self.struck(sending)
        self.under_way.append((due, due + late_us))
        return out_us + late_us


class OnTheWay(Injected):
    """A fault of a way: to one service and back, or between two places."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.between: tuple[str, str] | None = site.fault.between
        replicas = site.wire.replicas.values()
        if self.between is None:
            self.stand_before(site.replica)
        else:
            self.stand_before(*(replica for replica in replicas if replica.place in self.between))

    def crosses(self, sending: Sending) -> bool:
        """Does this ask take the way that it is about?"""
        if self.between is None:
            return True
        ends = sending.task.sender.place, sending.way.replica.place
        return ends in (self.between, self.between[::-1])

    def direction(self, sending: Sending, is_answer: bool) -> str:
        """Which way an ask of this journey goes, or its answer: there, or back."""
        goes_there = self.between is None or sending.task.sender.place == self.between[0]
        return "there" if goes_there is not is_answer else "back"


class Partition(OnTheWay):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        if self.between is not None:
            site.wire.cuts.append(self.cuts_letters)

    def cuts_letters(self, here: str, there: str) -> bool:
        """Does no letter get from a member of a service to another now?"""
        assert self.between is not None
        ways = {"there": [self.between], "back": [self.between[::-1]], "both": [self.between, self.between[::-1]]}
        is_cut = self.is_on and (here, there) in ways[self.fault.loses]
        if is_cut:
            self.struck()
        return is_cut

    # Simplified: what is on its way when the way is cut still arrives; matters when legs take seconds.
    def cuts(self, sending: Sending, is_answer: bool) -> bool:
        if not (self.is_on and self.crosses(sending)):
            return False
        is_cut = self.fault.loses in ("both", self.direction(sending, is_answer))
        if is_cut:
            self.struck(sending)
        return is_cut

    def loses_ask(self, sending: Sending) -> bool:
        return self.cuts(sending, is_answer=False)

    def loses_answer(self, sending: Sending) -> bool:
        return self.cuts(sending, is_answer=True)

    def loses_refusal(self, sending: Sending) -> bool:
        return self.cuts(sending, is_answer=True)


class Flapping(Partition):
    """Each spell is injected and recovered by itself; it is witnessed once."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.cut = site.streams.of(f"fault/{site.label}/cut", site.fault.cut)
        self.clear = site.streams.of(f"fault/{site.label}/clear", site.fault.clear)
        self.is_over = False

    def begin(self, spell: Any = None) -> None:
        if not self.is_over:
            super().begin()
            self.kernel.after(max(1, self.cut.draw(spell or 0)), self.pause, spell or 0)

    def pause(self, spell: int) -> None:
        if not self.is_over:
            super().end()
            self.kernel.after(max(1, self.clear.draw(spell)), self.begin, spell + 1)

    def end(self, _: Any = None) -> None:
        self.is_over = True
        super().end()


class SlowLink(OnTheWay):
    def slower(self, sending: Sending, leg_us: int, which: str) -> int:
        fault = self.fault
        if not (self.is_on and self.crosses(sending)):
            return leg_us
        self.struck(sending)
        slow_us = leg_us if fault.factor is None else round(leg_us * fault.factor)
        if fault.add is not None:
            name = f"{sending.ask.verb}/{which}"
            slow_us += self.draw_of("add", name, fault.add, sending.task.number, sending.visit)
        return slow_us

    def delayed(self, sending: Sending, out_us: int) -> int:
        return self.slower(sending, out_us, "there")

    def held_back(self, sending: Sending, back_us: int) -> int:
        return self.slower(sending, back_us, "back")


INJECTORS: dict[type, Callable[[Site], Injected]] = {
    described.LoseAsk: LoseAsk,
    described.LoseAnswer: LoseAnswer,
    described.Delay: Delay,
    described.Duplicate: Duplicate,
    described.Reorder: Reorder,
    described.Partition: Partition,
    described.Flapping: Flapping,
    described.SlowLink: SlowLink,
}
