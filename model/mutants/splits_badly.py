"""Stock that is split among regions, or claimed by everybody: six ways to have a unit in two places."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from orderquake.model.architectures.claims import ClaimsDesign
from orderquake.model.architectures.escrow import Escrow
from orderquake.model.bounded_counter import BoundedCounters
from orderquake.model.claim_board import Claim, ClaimBoard, Claims
from orderquake.model.commitments import Commitment
from orderquake.model.flow import Store
from orderquake.model.kv import Kv
from orderquake.model.regional_stock import RegionalStock
from orderquake.model.spread import Letter, Spread


class CountingTwice(BoundedCounters):
    def hear(self, sender: int, says: Any) -> bool:
        self.taken.clear()
        return super().hear(sender, says)


class LendingAndKeeping(BoundedCounters):
    def move(self, key: str, units: int, to: int) -> bool:
        if self.of(key) < units:
            return False
        self.serial += 1
        name = (self.number, self.serial)
        self.sent[name] = (to, key, units)
        self.outbox.append(Letter(to, ("rights", (name, key, units))))
        return True


class OtherCounters(Escrow):
    """escrow with counters of another make, or members of one."""

    name = "other_counters"
    counters_of: type[BoundedCounters] = BoundedCounters
    member_of: type[RegionalStock] = RegionalStock

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        policy = self.policy

        def member(number: int, of: int) -> RegionalStock:
            made = self.member_of(number, of, opening, policy.safety_stock, policy.expires_on_look, self.lends)
            made.rights = self.counters_of(number, made.rights.rights)
            return made

        return super().stores(opening) | {"stock": Spread(member, of=2)}


class TakesRightsTwice(OtherCounters):
    """Breaks: a move of rights arrives once, however often it is sent. Found in the literature: a letter that is sent
    until it is confirmed must be known again (Balegas and others, SRDS 2015). Caught by `never_oversold` in
    `two_regions`."""

    name = "takes_rights_twice"
    counters_of = CountingTwice


class LendsAndKeeps(OtherCounters):
    """Breaks: what is on its way is nobody's. Found in the literature on bounded counters: whoever gives rights away
    gives them up first. Caught by `never_oversold` in `two_regions`."""

    name = "lends_and_keeps"
    counters_of = LendingAndKeeping


class KeepingStock(RegionalStock):
    def drop(self, held: Commitment, sku: str, version: int) -> None:
        self.rights.add(sku, held.lines[sku][1])
        super().drop(held, sku, version)


class KeepsRightsOfWhatLeft(OtherCounters):
    """Breaks: goods that are shipped take their rights with them. Seen in magento/inventory#2269, where the record's
    truth and the shop's own count are not brought together. Caught by `never_oversold` in `two_regions`."""

    name = "keeps_rights_of_what_left"
    member_of = KeepingStock


class UnconcernedStock(RegionalStock):
    def call_in(self, sku: str) -> None:
        self.short.pop(sku, None)


class CallsNothingIn(OtherCounters):
    """Breaks: what went missing is paid for by whoever still has rights, and not only by who hears of it first. Found
    in this shop, by a small day of two regions with a stock-take and a delivery. Caught by `never_oversold` in
    `missing_goods`."""

    name = "calls_nothing_in"
    member_of = UnconcernedStock


class DecidesWithoutWaiting(ClaimsDesign):
    """Breaks: nobody decides before word has got around. Seen in taubyte/tau#500, where the loser of a conflict hears
    nothing of it. Caught by `never_oversold` in `one_each`."""

    name = "decides_without_waiting"
    waits_us = 0


class HearsayBoard(ClaimBoard):
    """Ranks claims in the order in which this member has heard of them."""

    def over(self, kv: Kv) -> ClaimBoard:
        return HearsayBoard({key.removeprefix("supply/"): units for key, (_, units) in self.opening.items()}, kv)

    def ranked(self, sku: str) -> Claims:
        heard: dict[str, Claim] = self.of_sku.get(sku, {})
        return Claims(tuple(heard.values()), (self.kv.get(f"supply/{sku}") or (0, 0))[1])

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple((sku, tuple(claims)) for sku, claims in self.of_sku.items())

    def restore(self, snapshot: Any) -> None:
        board, heard = snapshot
        super().restore(board)
        self.of_sku = {sku: {name: self.of_sku[sku][name] for name in names} for sku, names in heard}


class RanksByHearsay(ClaimsDesign):
    """Breaks: all who look rank the claims alike. Found in the literature: without a total order that all agree on,
    each place has its own winner. Caught by `never_oversold` in `one_each`."""

    name = "ranks_by_hearsay"

    def stores(self, opening: Mapping[str, int]) -> dict[str, Store]:
        return super().stores(opening) | {"stock": HearsayBoard(opening)}
