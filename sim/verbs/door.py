"""What all verbs share: the application they are registered with, the options that all have, and the exit codes.

Nothing heavy is imported before a verb needs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from orderquake.sim.asked import Mistake

EXIT: Final = {"valid": 0, "invalid": 1, "unknown": 2}
USAGE, HARNESS, INTERRUPTED, TERMINATED = 3, 4, 130, 143
WORST_FIRST = ("invalid", "unknown", "valid")
TRACEBACK = "ORDERQUAKE_TRACEBACK"
"""Set to anything, this variable does what `--traceback` does."""

app = typer.Typer(
    name="orderquake",
    help="A shake table for order systems: play the bad day, judge what happened, show where it hurts.",
    epilog="Exit codes: 0 valid, 1 invalid, 2 unknown, 3 usage or scenario error, 4 the harness failed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print the bare minimum, a line each.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value: policy.order=reserve_first. Repeatable."),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to write; absent or empty.")]
OneScenario = Annotated[str, typer.Argument(metavar="SCENARIO", help="A name, or the path to a TOML file.")]
Kept = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its name, or `latest`.")]


def read_history(path: Path) -> Any:
    """The history in a file. raises   Mistake where it is something else"""
    from orderquake.sim.history import History

    try:
        return History.read_parquet(path)
    except Exception as error:
        raise Mistake(
            f"{path} is not a history ({type(error).__name__}); expected the history.parquet of a run"
        ) from error
