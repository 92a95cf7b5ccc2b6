"""What an ask carries, and who may ask it: a card number is for the payment provider, an address for the post.

Each kind of ask declares both. There are no addresses or cards in this model, so a declaration is all there is of
them; no place and no country is known here.
"""

from __future__ import annotations

from enum import StrEnum


class Data(StrEnum):
    """ORDER            the least that an order needs to be worked on: its number, lines, total, and how far it is
    PERSONAL         who the customer is and where to reach them
    PAYMENT_SECRET   what would let a finder pay: a card"""

    ORDER = "order"
    PERSONAL = "personal"
    PAYMENT_SECRET = "payment_secret"


class Role(StrEnum):
    """FRONT   takes in what customers want
    WORKER  does an order's next step
    JOB     comes round by the clock: refresh, post, recovery, settlement"""

    FRONT = "front"
    WORKER = "worker"
    JOB = "job"


NOTHING: frozenset[Data] = frozenset()
ANYBODY = frozenset(Role)
