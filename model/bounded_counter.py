"""A bounded counter: a number that several members may lower, and none below zero, without asking the others.

Each member has rights; who lowers the number by so much gives up as many of its own. Rights are made where the number
is raised, and may be moved. What is on its way is nobody's: it was taken from the one before the other has it, and it
arrives once, however often it is sent.

Source: V. Balegas and others, "Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants"
(SRDS 2015).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from orderquake.model.spread import Letter

Name = tuple[int, int]
"""The member that has sent some rights, and the how-manieth time it was."""


class BoundedCounters:
    """One member's rights, of every key.

    sent    moves that nobody has confirmed yet: name -> (to whom, key, how many)
    taken   of each member, names of moves that have come
    """

    def __init__(self, number: int, rights: Mapping[str, int]) -> None:
        self.number = number
        self.rights = dict(rights)
        self.outbox: list[Letter] = []
        self.sent: dict[Name, tuple[int, str, int]] = {}
        self.taken: dict[Name, bool] = {}
        self.serial = 0

    def of(self, key: str) -> int:
        return self.rights.get(key, 0)

    def add(self, key: str, units: int) -> None:
        """Raise the number, or find it lower than was thought; this member's rights pay."""
        self.rights[key] = self.of(key) + units

    def take(self, key: str, units: int) -> bool:
        """Lower the number; False, and nothing done, where this member has not the rights."""
        if self.of(key) < units:
            return False
        self.rights[key] = self.of(key) - units
        return True

    def move(self, key: str, units: int, to: int) -> bool:
        """Let another member have some; False where there are not so many."""
        if not self.take(key, units):
            return False
        self.serial += 1
        name = (self.number, self.serial)
        self.sent[name] = (to, key, units)
        self.outbox.append(Letter(to, ("rights", (name, key, units))))
        return True

    def hear(self, sender: int, says: Any) -> bool:
        """A letter about rights. False where it is about something else."""
        what, said = says
        if what == "rights":
            name, key, units = said
            if name not in self.taken:
                self.taken[name] = True
                self.add(key, units)
            self.outbox.append(Letter(sender, ("rights came", name)))
        elif what == "rights came":
            self.sent.pop(said, None)
        else:
            return False
        return True

    def tick(self) -> None:
        """What nobody has confirmed is sent again."""
        for name, (to, key, units) in self.sent.items():
            self.outbox.append(Letter(to, ("rights", (name, key, units))))

    def snapshot(self) -> Hashable:
        return tuple(self.rights.items()), tuple(self.sent.items()), tuple(self.taken), self.serial

    def restore(self, snapshot: Any) -> None:
        rights, sent, taken, self.serial = snapshot
        self.rights, self.sent, self.taken = dict(rights), dict(sent), dict.fromkeys(taken, True)
        self.outbox = []
