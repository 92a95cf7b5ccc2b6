"""Claims: who wants units of a product writes so under a key of its own, once, and nobody ever writes there again.

On a store that merges and compares nothing, two may not write one key; but nobody loses what lies under a key of its
own. Whoever looks long enough after a claim was made sees all that were made before it, in every place, and all who
look so rank them alike.

What is for sale is what the record had at the opening and has had delivered since; it never shrinks. A claim that is
given up is marked so, for good.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from orderquake.model.flow import Ask, Change, Instant, effect
from orderquake.model.in_kv import InKv
from orderquake.model.kv import Kv, One
from orderquake.model.order import Line
from orderquake.model.record import Changed


class Claim(NamedTuple):
    """made_at   the clock of the member where it was written, microseconds"""

    made_at: int
    order_id: str
    units: int


class Claimed(NamedTuple):
    """The claim is written; `made_at` as it was the first time."""

    made_at: Instant


class Claims(NamedTuple):
    """What a member knows of one product: all claims that were not given up, in the order of their rank, and how many
    units there are to be had."""

    claims: tuple[Claim, ...]
    supply: int

    def has(self, order_id: str) -> bool:
        """Does this order's claim lie within what there is? Those before it count, winners or not.

        >>> Claims((Claim(1, "ann", 2), Claim(2, "bob", 2), Claim(3, "cat", 1)), supply=3).has("bob")
        False
        """
        needed = 0
        for claim in self.claims:
            needed += claim.units
            if claim.order_id == order_id:
                return needed <= self.supply
        return False


class Supplied(NamedTuple):
    """What the record has is known."""


class GivenUp(NamedTuple):
    """The claim stands for nothing any more."""


@effect
class MakeClaim(Ask[Claimed]):
    """Claim all lines; once made, a claim stays as it is."""

    service = "stock"
    verb = "claim"
    order_id: str
    lines: tuple[Line, ...]

    def about(self) -> tuple[str, str]:
        return self.order_id, self.order_id


@effect
class ListClaims(Ask[Claims]):
    service = "stock"
    verb = "list_claims"
    order_id: str
    sku: str

    def about(self) -> tuple[str, str]:
        return self.order_id, self.sku


@effect
class GiveUpClaim(Ask[GivenUp]):
    """Mark a claim as given up. Only for orders whose end without goods is written down."""

    service = "stock"
    verb = "give_up_claim"
    order_id: str
    lines: tuple[Line, ...]

    def about(self) -> tuple[str, str]:
        return self.order_id, self.order_id


@effect
class Supply(Ask[Supplied]):
    """What the record had delivered is for sale, too; what left for our own orders was claimed."""

    service = "stock"
    verb = "supply"
    changed: Changed


class ClaimBoard(InKv):
    """Three kinds of keys: claims, claims that were given up, and what there is of each product.

    of_sku   the claims of each product that stand, by order: what the keys say, so that nobody looks through all
    """

    writes = frozenset({MakeClaim.verb, GiveUpClaim.verb, Supply.verb})

    def __init__(self, opening: Mapping[str, int], kv: Kv | None = None) -> None:
        begins = {f"supply/{sku}": (0, units) for sku, units in opening.items()}
        super().__init__(One(0, 1, begins) if kv is None else kv, begins)
        self.on_hand = dict(opening)
        self.of_sku: dict[str, dict[str, Claim]] = {}

    def over(self, kv: Kv) -> ClaimBoard:
        return ClaimBoard({key.removeprefix("supply/"): units for key, (_, units) in self.opening.items()}, kv)

    def atp(self, sku: str) -> int:
        """Units that nobody has claimed; negative where more is claimed than there is."""
        ranked = self.ranked(sku)
        return ranked.supply - sum(claim.units for claim in ranked.claims)

    @property
    def versions(self) -> dict[str, int]:
        """Of each product, the record's version up to which deliveries are known here."""
        return {
            key.removeprefix("supply/"): value[0] for key, value in self.kv.values.items() if key.startswith("supply/")
        }

    def keys(self, ask: Any) -> tuple[str, ...] | None:
        return None if not isinstance(ask, Supply) else ()

    def answer(self, ask: Any, now_us: int) -> Any:
        match ask:
            case MakeClaim(order_id, lines):
                return self.claim(order_id, lines, now_us)
            case ListClaims(_, sku):
                return self.ranked(sku)
            case GiveUpClaim(order_id, lines):
                for sku, _, _ in lines:
                    self.kv.put(f"void/{sku}/{order_id}", 1, now_us)
                return GivenUp()
            case Supply(changed):
                return self.supply(changed, now_us)
        raise TypeError(f"a board of claims does not know how to {type(ask).__name__}")

    def claim(self, order_id: str, lines: tuple[Line, ...], now_us: int) -> Claimed:
        made_at = now_us
        for sku, units, _ in lines:
            key = f"claims/{sku}/{order_id}"
            made = self.kv.get(key)
            if made is None:
                self.kv.put(key, (made_at, units), now_us)
            else:
                made_at = made[0]
        return Claimed(Instant(made_at))

    def ranked(self, sku: str) -> Claims:
        return Claims(tuple(sorted(self.of_sku.get(sku, {}).values())), (self.kv.get(f"supply/{sku}") or (0, 0))[1])

    def changed(self, key: str, value: Any, now_us: int) -> None:
        kind, _, rest = key.partition("/")
        sku, _, order_id = rest.rpartition("/")
        if kind == "void" or (kind == "claims" and value is None):
            self.of_sku.get(sku, {}).pop(order_id, None)
        elif kind == "claims" and self.kv.get(f"void/{sku}/{order_id}") is None:
            self.of_sku.setdefault(sku, {})[order_id] = Claim(value[0], order_id, value[1])

    def supply(self, changed: Changed, now_us: int) -> Supplied:
        for sku, on_hand, version, posts, moves in changed.items:
            known_v, supply = self.kv.get(f"supply/{sku}") or (0, 0)
            if version <= known_v:
                continue
            if not self.adds_up(sku, on_hand, known_v, moves):
                self.journal.append(
                    Change("rebase", sku=sku, units=on_hand - self.on_hand.get(sku, 0), answer="refused",
                           version=version, watermark=changed.as_of, is_new=False)
                )  # fmt: skip
                continue
            ours = {posted_v for _, posted_v in posts}
            more = sum(units for moved_v, units in moves or () if known_v < moved_v and moved_v not in ours)
            self.kv.put(f"supply/{sku}", (version, supply + more), now_us)
            self.journal.append(
                Change("rebase", sku=sku, units=on_hand - self.on_hand.get(sku, 0), debit="cache.available",
                       credit="cache.base", answer="applied", version=version, watermark=changed.as_of)
            )  # fmt: skip
            self.on_hand[sku] = on_hand
        return Supplied()

    def adds_up(self, sku: str, on_hand: int, known_v: int, moves: tuple[tuple[int, int], ...] | None) -> bool:
        """Is it what was known and all that has changed since? A feed that says zero, or forgets, is found out."""
        return moves is None or on_hand == self.on_hand.get(sku, 0) + sum(
            units for moved_v, units in moves if moved_v > known_v
        )

    def snapshot(self) -> Hashable:
        return super().snapshot(), tuple(self.on_hand.items())

    def restore(self, snapshot: Any) -> None:
        kept, on_hand = snapshot
        super().restore(kept)
        self.on_hand, self.of_sku = dict(on_hand), {}
        for key, value in self.kv.values.items():
            self.changed(key, value, 0)
