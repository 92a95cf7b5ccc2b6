"""What may go wrong, and how often: the faults of a proof, and what is left of them.

How a fault is carried out is told in `moves.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FAULTS: Mapping[str, str] = {
    "crash": "a worker, or a job's run, dies right after an ask was done; recovery may begin the order anew at once",
    "lose_ask": "an ask never arrives; its sender waits in vain and asks again",
    "lose_answer": "an ask is done, and its sender never hears of it and asks again",
    "duplicate": "an ask that was sent is done once more, at any later moment; one that was lost, or whose sender has "
    "died, is done then for the first time",
    "lapse": "the deadline of a live reservation comes",
    "lease": "a lease runs out while its worker is in the middle of a step, and a second worker takes the order",
    "cancel": "the customer cancels",
    "time": "the clock moves on to one of the policy's bounds",
    "decline": "the provider declines a good card",
    "stored_error": "the provider errs, takes nothing, and stores the error with the key",
    "stored_error_paid": "the provider errs, takes the money, and stores the error with the key",
    "pays_in_part": "the provider takes only half",
}
"""Name -> what happens."""

ERRS: Mapping[str, str] = {
    "decline": "declined",
    "stored_error": "stored_error",
    "stored_error_paid": "stored_error_paid",
    "pays_in_part": "pays_in_part",
}
"""Fault -> as what card the provider takes the good one."""

NO_MORE = -1


class Budget:
    """At most so many faults: of each kind (`each`), or of all together. What is left is a number; 0 is nothing."""

    def __init__(self, faults: Sequence[str], at_most: int, each: bool) -> None:
        self.faults, self.at_most, self.each = tuple(faults), at_most, each
        self.base = at_most + 1
        self.weight = {fault: self.base**place if each else 1 for place, fault in enumerate(self.faults)}
        self.full = sum(at_most * weight for weight in self.weight.values()) if each else at_most * bool(faults)
        self.spent = {
            fault: tuple(left - weight if left // weight % self.base else NO_MORE for left in range(self.full + 1))
            for fault, weight in self.weight.items()
        }
        self.never = (NO_MORE,) * (self.full + 1)

    def spend(self, fault: str) -> tuple[int, ...]:
        """What is left -> what is left after one such fault, NO_MORE where none may come."""
        return self.spent.get(fault, self.never)

    def covers(self, more: int, less: int) -> bool:
        """Can all happen with `more` left that can with `less`?"""
        if not self.each:
            return more >= less
        while less:
            if more % self.base < less % self.base:
                return False
            more, less = more // self.base, less // self.base
        return True

    def gone_wrong(self, left: int) -> int:
        """How many faults there have been."""
        if not self.each:
            return self.full - left
        gone = 0
        while self.base > 1 and left:
            gone, left = gone + left % self.base, left // self.base
        return self.at_most * len(self.faults) - gone

    def __str__(self) -> str:
        if not self.faults:
            return "no fault"
        names = ", ".join(self.faults)
        return f"at most {self.at_most} each of {names}" if self.each else f"at most {self.at_most} of {names} in all"
