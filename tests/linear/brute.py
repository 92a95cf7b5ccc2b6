"""Another way to say whether there is an order: try all that there are, with no memory and no cleverness. And all small
histories there are, each once, whatever its operations are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from orderquake.sim.linear import NOBODY_KNOWS, Model, Operation


def has_an_order(operations: Sequence[Operation], model: Model[Any], part: str = "") -> bool:
    """Every permutation of all that were answered and any of those that were not, in which nobody comes before who was
    answered before the other was asked."""

    def goes_on(left: tuple[Operation, ...], state: Any) -> bool:
        if all(operation.back is None for operation in left):
            return True
        for at, operation in enumerate(left):
            if any(other.back is not None and other.back < operation.call for other in left):
                continue
            is_legal, after = model.step(state, operation.asked, operation.answer)
            if is_legal and goes_on(left[:at] + left[at + 1 :], after):
                return True
        return False

    return goes_on(tuple(operations), model.start(part))


class Kind(NamedTuple):
    """What may be asked, and answered."""

    asked: Any
    answer: Any


def histories(answered: Sequence[Kind], unanswered: Sequence[Any], of: int) -> Iterator[tuple[Operation, ...]]:
    """All histories of so many operations, up to the names of the operations.

    Only who was answered before who was asked matters, so an operation is told by its place among the calls, and by how
    many calls came before its answer. Of calls with no answer between them any order is as good as another.
    """

    def grow(made: tuple[tuple[int, int, int], ...]) -> Iterator[tuple[tuple[int, int, int], ...]]:
        call = len(made)
        if call == of:
            yield made
            return
        options = [(call, back, kind) for back in range(call + 1, of + 1) for kind in range(len(answered))]
        options += [(call, of + 1, kind) for kind in range(len(unanswered))]
        is_at_once = made and not any(back == call for _, back, _ in made)
        for option in options:
            if not is_at_once or made[-1][1:] <= option[1:]:
                yield from grow((*made, option))

    for shape in grow(()):
        yield tuple(
            # Calls at even moments 0, 2, 4 ...; an answer that comes before the call k lies at 2 k - 1.
            Operation(2 * call, 2 * back - 1, *answered[kind])
            if back <= of
            else Operation(2 * call, None, unanswered[kind], NOBODY_KNOWS)
            for call, back, kind in shape
        )
