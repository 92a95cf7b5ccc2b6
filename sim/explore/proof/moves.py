"""From a state to the next ones: every party that can go on, by one ask, and everything that may go wrong.

A state is a short tuple of numbers: what each service remembers, where each party stands, what the checkers have seen,
which asks may come again, and how late it is. What is left of the faults stands beside it. Which moves may be taken
without looking at the others is told in `private.py`, which states are alike in `symmetry.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from orderquake.model.architecture import Architecture
from orderquake.model.order import Order
from orderquake.model.order_cache import Conflict
from orderquake.model.payment import Authorise, Charge
from orderquake.model.stock import Lapse, StockCache
from orderquake.sim.checkers.fold import Checker
from orderquake.sim.explore.exhaustive import TOLD
from orderquake.sim.explore.proof.budget import ERRS, NO_MORE, Budget
from orderquake.sim.explore.proof.flows import NOTHING, Flows, Stand
from orderquake.sim.explore.proof.guards import Clock
from orderquake.sim.explore.proof.normal import name_by_owner, normal_of
from orderquake.sim.explore.proof.panel import Panel
from orderquake.sim.explore.proof.services import Expire, Services
from orderquake.sim.history import History
from orderquake.sim.plain import perform, tick
from orderquake.sim.recorder import Recorder

State: TypeAlias = tuple[int, ...]
READS = frozenset(
    {
        "read_order", "read_orders", "list_idle", "list_unposted", "list_unsynced", "read_cursor", "look_up",
        "look_up_hold", "ask_refund", "list_captures", "list_failed_refunds", "read_changes", "ask_status",
        "get_count", "list_claims",
    }
)  # fmt: skip
"""Asks that change nothing. To lose one, or its answer, is to ask a little later; to do one again is nothing."""


SILENT = frozenset({"lose_ask", "lose_answer", "stored_error", "stored_error_paid"})
"""Faults after which the sender has heard nothing."""


class Move(NamedTuple):
    """What happened.

    who      the party that was let go on; -1 where it was none
    what     "ask", or the fault
    detail   number of an ask, of an order, or of a moment, by what happened
    """

    who: int
    what: str
    detail: int


class Explorer:
    """The moves of one scope. Everything is a pure function of numbers, and remembered."""

    def __init__(
        self,
        design: Architecture,
        orders: Sequence[Order],
        opening: Mapping[str, int],
        checkers: Sequence[Checker[Any]],
        jobs: Mapping[str, int],
        budget: Budget,
        clock: Clock,
        limits: str,
        is_normal: bool = True,
    ) -> None:
        self.design, self.budget, self.clock, self.jobs = design, budget, clock, jobs
        stores = design.stores(opening)
        if is_normal:
            name_by_owner(stores)
        self.raw = stores
        self.ids = tuple(order.id for order in orders)
        flows = frozenset(jobs)
        normal = {name: normal_of(store, flows) if is_normal else None for name, store in stores.items()}
        self.services = Services(stores, normal, clock.moments)
        history = History()
        recorder = Recorder(history)
        for sku, units in opening.items():
            history.state(0, "opening", kind="config", sku=sku, units=units, version=0, witness="outside")
        history.state(0, "limits", kind="config", answer=limits)
        for order in orders:
            perform(design.register(order), stores)
            for name, store in stores.items():
                recorder.acted(0, store.journal, "", name, "")
                store.journal.clear()
        self.panel = Panel(checkers, self.services, history)
        self.flows = Flows(
            design, self.services, clock.runs, clock.always, is_normal and self.silences() < self.patience()
        )
        self.places = len(stores)
        self.workers = range(self.places, self.places + len(orders))
        self.job_places = range(self.workers.stop, self.workers.stop + len(jobs))
        self.others_at, self.seen_at, self.sent_at, self.clock_at = range(
            self.job_places.stop, self.job_places.stop + 4
        )
        self.others, self.sent = self.flows_together()
        self.first: State = (
            *self.services.first(),
            *(self.flows.head("worker", "advance", (order.id,)) for order in orders),
            *(self.flows.head("job", flow, (), runs) if runs else self.flows.ended for flow, runs in jobs.items()),
            self.others.number(()),
            self.panel.first(),
            self.sent.number(()),
            0,
        )
        self.heads = self.first[self.workers.start : self.workers.stop]
        self.rows_at = self.place_of_rows()
        self.woken_by: dict[tuple[int, int], tuple[bool, ...]] = {}
        looks = isinstance(stores.get("stock"), StockCache)
        self.look = self.services.ask(Lapse()) if looks else None
        self.live_in: dict[int, tuple[int, ...]] = {}
        spend = budget.spend
        self.spend = {fault: spend(fault) for fault in ("crash", "lose_ask", "lose_answer", "duplicate", "lapse",
                                                        "lease", "cancel", "time")}  # fmt: skip
        self.errs = [(fault, card, spend(fault)) for fault, card in ERRS.items() if fault in budget.faults]

    def silences(self) -> int:
        """How often anybody may meet with silence."""
        silent = [fault for fault in self.budget.faults if fault in SILENT]
        return self.budget.at_most * (len(silent) if self.budget.each else bool(silent))

    def patience(self) -> int:
        """How often everybody asks at the least."""
        policy = self.design.policy
        return min(policy.patience_with(service).attempts for service in self.services.names)

    @staticmethod
    def flows_together() -> tuple[Any, Any]:
        from orderquake.sim.explore.proof.values import Numbered

        return Numbered(), Numbered()

    def place_of_rows(self) -> int:
        """Which service keeps the orders' rows."""
        rows = self.design.order_rows(self.raw)
        for place, store in enumerate(self.services.stores):
            if store is rows or getattr(store, "rows", None) is rows:
                return place
        raise TypeError(f"{self.design.name}: no service keeps the rows that it calls its own")

    # -- parties

    def parties(self, state: State) -> Iterator[tuple[int, int]]:
        """Everybody who has something to ask: (who, stand). Workers, jobs, then the others."""
        asks, rests = self.flows.asks, self.flows.rests
        for who, place in enumerate(self.workers):
            stand = state[place]
            if stand == rests:
                if not self.is_woken(state, who):
                    continue
                stand = self.heads[who]
            yield who, stand
        for who, place in enumerate(self.job_places, start=len(self.workers)):
            stand = state[place]
            if asks[stand] != NOTHING:
                yield who, stand
        for who, stand in enumerate(
            self.others.values[state[self.others_at]], start=len(self.workers) + len(self.jobs)
        ):
            yield who, stand

    def is_at_rest(self, state: State) -> bool:
        """Has nobody in scope anything left to do, unless recovery, or time, brings it?"""
        flows = self.flows
        return (
            all(state[place] == flows.rests for place in self.workers)
            and all(flows.asks[state[place]] == NOTHING for place in self.job_places)
            and state[self.others_at] == 0
        )

    def is_woken(self, state: State, who: int) -> bool:
        """Does recovery put a resting order in line?"""
        key = (state[self.rows_at], state[self.clock_at])
        found = self.woken_by.get(key)
        if found is None:
            found = self.woken_by[key] = self.woken(state)
        return found[who]

    def woken(self, state: State) -> tuple[bool, ...]:
        if not any(job.flow == "recover" for job in self.design.jobs()):
            return (False,) * len(self.ids)
        self.services.restore(state[: self.places])
        queue = self.empty_line()
        late_us = self.clock.moments[state[self.clock_at]] + self.design.policy.idle_us
        tick(self.design, self.raw, "recover", late_us)
        return tuple(order_id in queue.deliveries for order_id in self.ids)

    def empty_line(self) -> Any:
        """The line of waiting orders, with nobody in it."""
        queue: Any = self.raw["queue"]
        queue.restore(((), (), (), (), ()))
        return queue

    def with_stand(self, state: State, who: int, stand: int) -> State:
        place = self.workers.start + who
        if place < self.others_at:
            return (*state[:place], stand, *state[place + 1 :])
        others: tuple[int, ...] = self.others.values[state[self.others_at]]
        mine = place - self.others_at
        left = (*others[:mine], *((stand,) if self.flows.asks[stand] != NOTHING else ()), *others[mine + 1 :])
        return self.replaced(state, self.others_at, self.others.number(tuple(sorted(left))))

    @staticmethod
    def replaced(state: State, place: int, number: int) -> State:
        return (*state[:place], number, *state[place + 1 :])

    # -- one ask

    def asked(self, state: State, ask: int, errs: str = "") -> tuple[State, int]:
        """The state after an ask was done, and its answer."""
        services = self.services
        place = services.service_of[ask]
        after, answer, journal = services.handle(state[place], ask, state[self.clock_at], errs)
        if after != state[place]:
            state = (*state[:place], after, *state[place + 1 :])
        if journal:
            seen = self.panel.hear(state[self.seen_at], journal)
            if seen != state[self.seen_at]:
                state = self.replaced(state, self.seen_at, seen)
        return state, answer

    def gone_on(self, state: State, who: int, stand: int, answer: int) -> State:
        return self.with_stand(state, who, self.flows.after(stand, answer, state[self.clock_at]))

    def party_moves(self, state: State, left: int, who: int, stand: int) -> Iterator[tuple[State, int, int, Move]]:
        """All that may become of a party's ask: (state, what is left of the faults, told steps, move)."""
        ask = self.flows.asks[stand]
        wanted: Any = self.services.asks.values[ask]
        told = int(wanted.verb in TOLD)
        done, answer = self.asked(state, ask)
        if wanted.verb in READS:
            assert done == state, f"{wanted.verb} is called a read, and changes something"
            yield self.gone_on(done, who, stand, answer), left, told, Move(who, "ask", ask)
            return
        again = self.spend["duplicate"][left] != NO_MORE
        if again:
            done = self.remember(done, ask)
        went_on = self.gone_on(done, who, stand, answer)
        yield went_on, left, told, Move(who, "ask", ask)
        if (less := self.spend["crash"][left]) != NO_MORE:
            if not self.begins_anew(stand, answer, state[self.clock_at]):
                over = self.over(done, who, stand)
                yield self.forgotten(self.with_stand(done, who, over), less), less, told + 1, Move(who, "crash", ask)
            if self.spend["duplicate"][less] != NO_MORE:
                died = self.with_stand(self.remember(state, ask), who, self.over(state, who, stand))
                yield died, less, 1, Move(who, "crash_before", ask)
        if (less := self.spend["lose_ask"][left]) != NO_MORE:
            lost = self.remember(state, ask) if self.spend["duplicate"][less] != NO_MORE else state
            lost = self.gone_on(lost, who, stand, self.flows.silence)
            if lost != state:  # else it is asked a little later, and that is nothing
                yield self.forgotten(lost, less), less, 1, Move(who, "lose_ask", ask)
        if (less := self.spend["lose_answer"][left]) != NO_MORE:
            heard = self.gone_on(done, who, stand, self.flows.silence)
            yield self.forgotten(heard, less), less, told + 1, Move(who, "lose_answer", ask)
        if self.errs and isinstance(wanted, Charge | Authorise):
            for fault, card, spend in self.errs:
                if (less := spend[left]) != NO_MORE:
                    erred, answer = self.asked(state, ask, card)
                    if self.spend["duplicate"][less] != NO_MORE:
                        erred = self.remember(erred, ask)
                    erred = self.gone_on(erred, who, stand, answer)
                    yield self.forgotten(erred, less), less, told + 1, Move(who, fault, ask)

    def over(self, state: State, who: int, stand: int) -> int:
        """Where a party stands after its worker, or its run, has died. Recovery may begin an order anew at once, if it
        finds it; else the order rests."""
        if who < len(self.workers) and not self.is_woken(state, who):
            return self.flows.rests
        return self.flows.over(stand)

    def begins_anew(self, stand: int, answer: int, clock: int) -> bool:
        """Is the step, or the run, over with this answer? Whoever dies then has nothing left to lose."""
        after: Stand = self.flows.stands.values[self.flows.after(stand, answer, clock)]
        return not after.answers

    # -- what nobody does

    def fault_moves(self, state: State, left: int) -> Iterator[tuple[State, int, int, Move]]:
        """All that may happen by itself."""
        if (less := self.spend["duplicate"][left]) != NO_MORE:
            for ask in self.sent.values[state[self.sent_at]]:
                done, _ = self.asked(state, ask)
                if done != state:
                    yield self.forgotten(done, less), less, 1, Move(-1, "duplicate", ask)
        if (less := self.spend["lapse"][left]) != NO_MORE:
            for ask in self.live(state):
                done, _ = self.asked(state, ask)
                yield self.forgotten(done, less), less, 1, Move(-1, "lapse", ask)
        if (less := self.spend["lease"][left]) != NO_MORE:
            for who, place in enumerate(self.workers):
                if state[place] not in (self.heads[who], self.flows.rests):
                    stand: Stand = self.flows.stands.values[state[place]]
                    second = self.flows.number(stand._replace(role="second"), self.flows.asks[state[place]])
                    after = self.with_other(self.replaced(state, place, self.heads[who]), second)
                    yield self.forgotten(after, less), less, 1, Move(-1, "lease", who)
        if (less := self.spend["cancel"][left]) != NO_MORE:
            for who, order_id in enumerate(self.ids):
                after = self.with_other(state, self.flows.head("cancel", "cancel", (order_id,)))
                yield self.forgotten(after, less), less, 1, Move(-1, "cancel", who)
        if (less := self.spend["time"][left]) != NO_MORE:
            for moment in range(state[self.clock_at] + 1, len(self.clock.moments)):
                yield self.forgotten(self.later(state, moment), less), less, 1, Move(-1, "time", moment)

    def with_other(self, state: State, stand: int) -> State:
        others = (*self.others.values[state[self.others_at]], stand)
        return self.replaced(state, self.others_at, self.others.number(tuple(sorted(others))))

    def live(self, state: State) -> tuple[int, ...]:
        """The live reservations of a state, each as the ask that ends it."""
        place = self.services.place.get("stock")
        if place is None:
            return ()
        known = self.live_in.get(state[place])
        if known is None:
            store: Any = self.services.stores[place]
            store.restore(self.services.snapshots[place].values[state[place]])
            held = getattr(store, "by_token", {}).items()
            known = tuple(self.services.ask(Expire(token)) for token, each in held if each.until_us >= 0)
            self.live_in[state[place]] = known
        return known

    def later(self, state: State, moment: int) -> State:
        """The clock moves on: whoever is in the middle of a step is dead by then, and so is what is on its way, as far
        as the guards say so."""
        waited_us = self.clock.moments[moment] - self.clock.moments[state[self.clock_at]]
        state = self.replaced(state, self.clock_at, moment)
        if waited_us >= self.clock.worker_deadline_us:
            for who, place in enumerate(self.workers):
                if state[place] != self.flows.rests:
                    state = self.replaced(state, place, self.over(state, who, state[place]))
            for place in self.job_places:
                if self.flows.asks[state[place]] != NOTHING:
                    state = self.replaced(state, place, self.flows.over(state[place]))
            state = self.replaced(state, self.others_at, self.others.number(()))
        if waited_us >= self.clock.message_life_us:
            state = self.replaced(state, self.sent_at, self.sent.number(()))
        # What has lapsed by then is gone as soon as anybody looks; so somebody looks, and reads change nothing.
        return state if self.look is None else self.asked(state, self.look)[0]

    # -- asks that may come again

    def remember(self, state: State, ask: int) -> State:
        """An ask is on the wire, and may come again; not where it would be answered by a conflict for ever."""
        sent: tuple[int, ...] = self.sent.values[state[self.sent_at]]
        if ask in sent or self.is_fenced(state, ask):
            return state
        return self.replaced(state, self.sent_at, self.sent.number(tuple(sorted((*sent, ask)))))

    def is_fenced(self, state: State, ask: int) -> bool:
        """Versions only rise: who loses a compare-and-set once loses it for ever."""
        place = self.services.service_of[ask]
        after, answer, journal = self.services.handle(state[place], ask, state[self.clock_at])
        if journal or after != state[place]:
            return False
        said = self.services.answers.values[answer]
        return isinstance(said, Conflict) or (
            type(said) is tuple and bool(said) and all(isinstance(each, Conflict) for each in said)
        )

    def forgotten(self, state: State, left: int) -> State:
        """What was sent need not be remembered once nothing can come again."""
        if self.spend["duplicate"][left] == NO_MORE and state[self.sent_at] != 0:
            return self.replaced(state, self.sent_at, 0)
        return state

    def tidied(self, state: State) -> State:
        """What is on the wire and has lost its compare-and-set by now is forgotten."""
        if state[self.sent_at] == 0:
            return state
        sent: tuple[int, ...] = self.sent.values[state[self.sent_at]]
        kept = tuple(ask for ask in sent if not self.is_fenced(state, ask))
        return state if kept == sent else self.replaced(state, self.sent_at, self.sent.number(kept))
