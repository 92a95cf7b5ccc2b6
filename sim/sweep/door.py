"""The door to sweeps: ask, play what is missing, keep every cell as it is done, put the tables together.

Whoever calls again with the same question goes on where the last call was stopped. Nothing is printed or drawn here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from orderquake.model.architecture import Architecture
from orderquake.sim.asked import Mistake, check_trace
from orderquake.sim.runs import REPORTS
from orderquake.sim.scenario import Scenario
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings
from orderquake.sim.sweep import engines
from orderquake.sim.sweep.axes import Axis, Choice, stretch
from orderquake.sim.sweep.layout import AT_MOST
from orderquake.sim.sweep.question import Question, asked, check_cells
from orderquake.sim.sweep.store import Store
from orderquake.sim.sweep.swept import Swept, write_tables


def sweep(
    scenario: Scenario | str | Path,
    vary: Mapping[str, Sequence[Any]] | None = None,
    ranges: Mapping[str, tuple[Any, ...]] | None = None,
    *,
    on: str | type[Architecture] | Sequence[str | type[Architecture]] = "hot_cold",
    layout: str = "",
    cells: int | None = None,
    runs: int = 10,
    seed: int = 1,
    settings: Mapping[str, Any] | None = None,
    engine: str = "auto",
    scheduler: str | None = None,
    processes: int | None = None,
    timeout_s: float | None = None,
    sensitivity: str = "",
    at_most: int = AT_MOST,
    out: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Swept:
    """Play a scenario at many settings, and keep the results; what the folder has already is not played again.

    vary       dotted path -> values, as in a scenario file: {"policy.reservation_ttl": ["30 s", "15 min"]}
    ranges     dotted path -> (low, high), or (low, high, "log"); for the layouts lhs and sobol
    on         a design's name, a class of one's own, or several of them
    out        the folder; named after the question, under `reports/runs/`, where it is not said
    progress   told how many cells are done
    raises     Mistake, ScenarioError, OutError: what was asked cannot be answered, and why

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = sweep("last_unit", {"workload.buyers": [1, 2]}, settings={"workload.rounds": 2, "stock.skus": 2},
    ...                  runs=2, out=folder)
    >>> made.frame()[["workload.buyers", "runs", "oversells_runs", "fulfilled_orders"]].values.tolist()
    [[1.0, 2.0, 0.0, 2.0], [2.0, 2.0, 0.0, 2.0]]
    """
    whole = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    whole = with_settings(whole, settings or {})
    check_trace(whole)
    designs = [on] if isinstance(on, str | type) else list(on)
    axes: list[Axis] = [Choice(path, tuple(values)) for path, values in (vary or {}).items()]
    for path, (low, high, *how) in (ranges or {}).items():
        axes.append(stretch(path, low, high, is_log=how == ["log"]))
    question = asked(
        whole, designs, axes, layout=layout, points=cells, seed=seed, runs=runs, at_most=at_most,
        sensitivity=sensitivity, word=whole.name, settings=settings,
    )  # fmt: skip
    where = Path(out) if out is not None else default_folder(question)
    return answer(question, where, engine, scheduler, processes, timeout_s, progress or (lambda _: None))


def default_folder(question: Question) -> Path:
    """Where a sweep is kept if nobody says where."""
    return REPORTS / "runs" / f"{question.scenario.name}-sweep-{question.tag}"


def answer(
    question: Question,
    folder: Path,
    engine: str = "auto",
    scheduler: str | None = None,
    processes: int | None = None,
    timeout_s: float | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Swept:
    """Play the cells that are missing in the folder, and put the tables together."""
    engine = check_engine(engine, scheduler, timeout_s)
    is_sent = engine == "dask" or (engine in ("auto", "local") and (processes or 2) > 1)
    question.tasks((), are_sent=is_sent)  # a design that cannot be sent is told before anything is written
    if not (is_there := folder.exists()):
        check_cells(question, question.cells)
    store = Store(folder, question.header)
    missing = store.missing(question.cells)
    if is_there:
        check_cells(question, missing)
    by_identity = {cell.identity: cell for cell in missing}
    alike = Counter(cell.identity for cell in missing)
    done = len(question.cells) - len(missing)
    progress(done)
    with closing(_played(engine, question, missing, is_sent, scheduler, processes, timeout_s)) as played:
        for finished in played:
            store.keep(finished, by_identity[finished.identity])
            done += alike[finished.identity]
            progress(done)
    made = gathered(question, store)
    write_tables(made)
    return made


def check_engine(engine: str, scheduler: str | None, timeout_s: float | None) -> str:
    """The engine's name. raises   Mistake where there is none such, or it cannot do what is asked of it"""
    if engine not in engines.ENGINES:
        raise Mistake(f'--engine "{engine}" is none; expected one of {", ".join(engines.ENGINES)}')
    if scheduler is not None and engine not in ("auto", "dask"):
        raise Mistake(f"--scheduler is for --engine dask; found --engine {engine}. Leave one of them out")
    chosen = "dask" if scheduler is not None else engine
    if timeout_s is not None and chosen in ("serial", "dask"):
        raise Mistake(f"--timeout needs processes of our own, which can be ended; found --engine {chosen}. Use local")
    return "local" if timeout_s is not None and chosen == "auto" else chosen


def _played(
    engine: str,
    question: Question,
    missing: Sequence[Any],
    is_sent: bool,
    scheduler: str | None,
    processes: int | None,
    timeout_s: float | None,
) -> engines.Played:
    tasks = question.tasks(missing, are_sent=is_sent)
    if not tasks:
        return engines.serial(())
    match engine:
        case "serial":
            return engines.serial(tasks)
        case "local":
            return engines.local(tasks, processes, timeout_s or engines.PATIENCE_S)
        case "dask":
            return engines.dask(tasks, scheduler, processes)
    return engines.auto(tasks, processes, timeout_s)


def gathered(question: Question, store: Store) -> Swept:
    """What the folder has of a question's cells."""
    readings, failed = {}, {}
    for cell in question.cells:
        if (found := store.read(cell)) is not None:
            readings[cell.identity] = found
        else:
            failed[cell.identity] = store.failure(cell)
    return Swept(question, store, readings, failed, store.others(question.cells))
