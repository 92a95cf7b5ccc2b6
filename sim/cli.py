"""The command line: `orderquake run flash_sale`, and what else there is to ask.

Reads the words, calls the verb (`verbs/`, a file each or a family), and leaves with an exit code: 0 valid, 1 invalid,
2 unknown, 3 a mistake in the command or the scenario, 4 a mistake of ours. What was asked for is checked and played in
`asked.py`, what there is stands in `catalogue.py`, how things look in `console.py`, where runs are kept in `runs.py`.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from orderquake.sim.asked import Mistake, OurFault
from orderquake.sim.verbs import (  # noqa: F401  # each registers its verbs
    claims,
    compare,
    hunt,
    lists,
    mutants,
    plan,
    prove,
    rare,
    run,
    stories,
    sweep,
)
from orderquake.sim.verbs.door import HARNESS, INTERRUPTED, TERMINATED, TRACEBACK, USAGE, app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    with terminations() as terminated:
        try:
            code = app(args=words, prog_name="orderquake", standalone_mode=False)
            if code == INTERRUPTED:  # typer has caught it already
                raise KeyboardInterrupt
            return code if isinstance(code, int) else 0
        except (KeyboardInterrupt, typer.Abort):
            complain("interrupted; nothing is kept of what was not finished")
            return TERMINATED if terminated else INTERRUPTED
        except BrokenPipeError:  # whoever read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OurFault as error:
            complain(str(error), error.how)
            return HARNESS
        except Exception as error:
            if text := mistake_in(error):
                complain(text)
                return USAGE
            line = f"{type(error).__name__}: {error}".split("\n")[0]
            again = f"{TRACEBACK}=1 {shlex.join(('orderquake', *words))}"
            complain(f"the harness failed: {line}. Again: {again}", traceback.format_exc())
            return HARNESS


@contextmanager
def terminations() -> Iterator[list[int]]:
    """Let SIGTERM clean up the way Ctrl-C does; the list tells whether it came."""
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        received.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def mistake_in(error: Exception) -> str | None:
    """What to tell whoever made the mistake, or None where it is not theirs."""
    if isinstance(error, Mistake):
        return str(error)
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's, wherever this version keeps them
        return usage_text(error)
    from orderquake.sim.runs import OutError
    from orderquake.sim.scenario_errors import ScenarioError

    return str(error) if isinstance(error, OutError | ScenarioError) else None


def usage_text(error: Any) -> str:
    """A usage error in one line, with the next move; the help itself where nothing was asked."""
    text = str(error.format_message()).strip()
    if not text or "Usage:" in text:
        return text
    path = getattr(getattr(error, "ctx", None), "command_path", "orderquake")
    return f"{text.rstrip('.')}{'' if text.endswith('?') else '.'} See: {path} --help"


def complain(text: str, how: str = "") -> None:
    """Say it where it does not mix with results, after the traceback where somebody wants that."""
    if os.environ.get(TRACEBACK):
        sys.stderr.write(how)
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
