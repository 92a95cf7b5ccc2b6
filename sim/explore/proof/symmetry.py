"""Orders that are alike may change places: of all states that differ only in which of them is which, one is looked at.

Two orders are alike if they want the same of the same, with the same card; a party, a service and a checker treat them
alike, since an order's id is never read but to find the order. For each state the orders are sorted by how each of them
looks in it (its colour in every component: the component with this order called one thing, and all others another), and
given the names in that order; those that look the same are tried in every order, and the least result is taken. That is
a renaming of the state in any case, so states that are no renamings of each other are never taken for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from typing import Any

from orderquake.model.order import Order
from orderquake.sim.explore.proof.moves import Explorer, State
from orderquake.sim.explore.proof.values import OTHER, STAR, Numbered, Renaming, are_distinct

Places = tuple[int, ...]
"""For each place, the number of the order that takes it."""


def alike(orders: Sequence[Order]) -> tuple[tuple[int, ...], ...]:
    """The numbers of orders that are alike, by groups, in order of the first of each.

    >>> alike([Order("o-1", (), 5), Order("o-2", (), 7), Order("o-3", (), 5)])
    ((0, 2), (1,))
    """
    groups: dict[Any, list[int]] = {}
    for number, order in enumerate(orders):
        groups.setdefault(order._replace(id=""), []).append(number)
    return tuple(map(tuple, groups.values()))


class Symmetry:
    """The renamings of one scope."""

    def __init__(self, explorer: Explorer, orders: Sequence[Order], skus: Sequence[str]) -> None:
        self.explorer = explorer
        self.ids = explorer.ids
        self.groups = alike(orders)
        self.is_on = any(len(group) > 1 for group in self.groups) and are_distinct(self.ids, skus)
        self.identity: Places = tuple(range(len(orders)))
        self.group_of = {number: place for place, group in enumerate(self.groups) for number in group}
        self.stars = tuple(Renaming({other: STAR if other == one else OTHER for other in self.ids}) for one in self.ids)
        self.renamings: dict[Places, Renaming] = {}
        self.images: dict[tuple[Places, int, int], int] = {}
        self.colours: list[dict[int, tuple[int, ...]]] = [{} for _ in range(explorer.clock_at)]
        self.palette = Numbered()
        self.of_checker: dict[tuple[int, int], tuple[int, ...]] = {}
        self.of_stand: dict[int, tuple[int, ...]] = {}
        self.image_of_stand: dict[tuple[Places, int], int] = {}
        self.image_of_checker: dict[tuple[Places, int, int], int] = {}
        self.image_of_ask: dict[tuple[Places, int], int] = {}
        rows = explorer.rows_at  # tells more of the orders apart than anything else
        others = [at for at in range(explorer.clock_at) if at not in explorer.workers and at != rows]
        self.shared = (rows, *others)

    def canonical(self, state: State) -> tuple[State, Places]:
        """The state that stands for all its renamings, and which order is at which place in it."""
        if not self.is_on:
            return state, self.identity
        order, ties = self.sorted(state)
        if not ties:
            places = self.placed(order)
            return (state, places) if places == self.identity else (self.image(state, places), places)
        best: tuple[State, Places] | None = None
        for choice in product(*(permutations(tie) for tie in ties)):
            places = self.placed([number for tie in choice for number in tie])
            image = state if places == self.identity else self.image(state, places)
            if best is None or (image, places) < best:
                best = image, places
        assert best is not None
        return best

    def placed(self, order: Sequence[int]) -> Places:
        """Orders in this order, each group in its own places."""
        if len(self.groups) == 1:
            return tuple(order)
        places = [0] * len(order)
        for group in self.groups:
            for place, number in zip(group, [one for one in order if one in group], strict=True):
                places[place] = number
        return tuple(places)

    # -- how each order looks

    def sorted(self, state: State) -> tuple[list[int], list[list[int]]]:
        """The orders by how they look, component after component; and all of them by those that look the same, nothing
        where no two do."""
        first = self.explorer.workers.start
        looks: list[tuple[int, ...]] = [
            (self.group_of[number], (self.of_stand.get(stand) or self.stand_colours(stand))[number])
            for number, stand in enumerate(state[first : first + len(self.ids)])
        ]
        for at in self.shared:
            if len(set(looks)) == len(looks):
                break
            colours = self.colours[at].get(state[at])
            if colours is None:
                colours = self.colours[at][state[at]] = self.colour(at, state[at])
            looks = [(*look, colour) for look, colour in zip(looks, colours, strict=True)]
        order = sorted(self.identity, key=looks.__getitem__)
        if len(set(looks)) == len(looks):
            return order, []
        ties: list[list[int]] = []
        for number in order:
            if ties and looks[ties[-1][0]] == looks[number]:
                ties[-1].append(number)
            else:
                ties.append([number])
        return order, ties

    def colour(self, at: int, number: int) -> tuple[int, ...]:
        explorer = self.explorer
        if at < explorer.places:
            return tuple(self.shade(explorer.services.renamed(at, number, star)) for star in self.stars)
        if at in explorer.job_places:
            return self.stand_colours(number)
        if at == explorer.others_at:
            stands: tuple[int, ...] = explorer.others.values[number]
            return self.together([self.stand_colours(stand) for stand in stands])
        if at == explorer.seen_at:
            states: tuple[int, ...] = explorer.panel.seen.values[number]
            each = [self.checker_colours(who, state) for who, state in enumerate(states)]
            return tuple(self.shade(colours) for colours in zip(*each, strict=True))
        asks: tuple[int, ...] = explorer.sent.values[number]
        values = explorer.services.asks.values
        return self.together([tuple(self.shade(star(values[ask])) for star in self.stars) for ask in asks])

    def together(self, each: list[tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(self.shade(tuple(sorted(colours[one] for colours in each))) for one in self.identity)

    def shade(self, value: Any) -> int:
        return self.palette.number(value)

    def checker_colours(self, who: int, state: int) -> tuple[int, ...]:
        found = self.of_checker.get((who, state))
        if found is None:
            renamed = self.explorer.panel.renamed
            found = tuple(self.shade((who, renamed(who, state, star))) for star in self.stars)
            self.of_checker[who, state] = found
        return found

    def stand_colours(self, stand: int) -> tuple[int, ...]:
        found = self.of_stand.get(stand)
        if found is None:
            found = tuple(self.shade(self.explorer.flows.renamed(stand, star)) for star in self.stars)
            self.of_stand[stand] = found
        return found

    # -- the state under other names

    def renaming(self, places: Places) -> Renaming:
        found = self.renamings.get(places)
        if found is None:
            names = {self.ids[number]: self.ids[place] for place, number in enumerate(places)}
            found = self.renamings[places] = Renaming(names)
        return found

    def image(self, state: State, places: Places) -> State:
        explorer = self.explorer
        first = explorer.workers.start
        new = list(state)
        for at in self.shared:
            key = (places, at, state[at])
            found = self.images.get(key)
            if found is None:
                found = self.images[key] = self.component(at, state[at], places)
            new[at] = found
        for place, number in enumerate(places):
            new[first + place] = self.stand(state[first + number], places)
        return tuple(new)

    def component(self, at: int, number: int, places: Places) -> int:
        explorer = self.explorer
        if at < explorer.places:
            return explorer.services.snapshots[at].number(explorer.services.renamed(at, number, self.renaming(places)))
        if at in explorer.job_places:
            return self.stand(number, places)
        if at == explorer.others_at:
            stands: tuple[int, ...] = explorer.others.values[number]
            return int(explorer.others.number(tuple(sorted(self.stand(stand, places) for stand in stands))))
        if at == explorer.seen_at:
            states: tuple[int, ...] = explorer.panel.seen.values[number]
            return explorer.panel.number(tuple(self.checker(who, one, places) for who, one in enumerate(states)))
        asks: tuple[int, ...] = explorer.sent.values[number]
        return int(explorer.sent.number(tuple(sorted(self.ask(ask, places) for ask in asks))))

    def stand(self, stand: int, places: Places) -> int:
        flows = self.explorer.flows
        if stand in (flows.rests, flows.ended):
            return stand
        found = self.image_of_stand.get((places, stand))
        if found is None:
            renamed = flows.renamed(stand, self.renaming(places))
            found = flows.number(renamed, self.ask(flows.asks[stand], places))
            self.image_of_stand[places, stand] = found
        return found

    def ask(self, ask: int, places: Places) -> int:
        found = self.image_of_ask.get((places, ask))
        if found is None:
            services = self.explorer.services
            found = services.ask(self.renaming(places)(services.asks.values[ask]))
            self.image_of_ask[places, ask] = found
        return found

    def checker(self, who: int, state: int, places: Places) -> int:
        found = self.image_of_checker.get((places, who, state))
        if found is None:
            panel = self.explorer.panel
            found = panel.adopt(who, panel.renamed(who, state, self.renaming(places)))
            self.image_of_checker[places, who, state] = found
        return found
