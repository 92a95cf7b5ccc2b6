"""Draws the state tables of the protocol, as Mermaid. The README's diagrams are made by this, and a test keeps them so.

python -m orderquake.sim.report.states
"""

from __future__ import annotations

from orderquake.model.order import FINAL, STATE_TABLES, State, StateTable


def state_diagram(table: StateTable) -> str:
    """One table as a Mermaid state diagram: every move that it allows, and no other.

    >>> print(state_diagram({State.REGISTERED: frozenset({State.CANCELLED}), State.CANCELLED: frozenset()}))
    stateDiagram-v2
        [*] --> registered
        registered --> cancelled
        cancelled --> [*]
    """
    lines = ["stateDiagram-v2", f"    [*] --> {State.REGISTERED}"]
    order = list(State)
    for state in sorted(table, key=order.index):
        lines += [f"    {state} --> {following}" for following in sorted(table[state], key=order.index)]
        if state in FINAL:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)


def section() -> str:
    """All tables, one under the other, as the README shows them."""
    return "\n\n".join(
        f"Policy `{policy}`:\n\n```mermaid\n{state_diagram(table)}\n```" for policy, table in STATE_TABLES.items()
    )


if __name__ == "__main__":
    print(section())  # noqa: T201 - made to be pasted
