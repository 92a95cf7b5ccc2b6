"""Who plays the cells of a sweep: this process, some processes of this machine, or a Dask cluster.

All of them get the same tasks and give back the same results, in whatever order they are done. A cell that fails, hangs
or kills its process costs only itself. No file is written here.
"""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import Any, Final

from orderquake.sim.asked import Mistake
from orderquake.sim.processes import begin_to_work, cores, quickest
from orderquake.sim.sweep.cell import Finished, Task, play
from orderquake.sim.sweep.store import Stopped

ENGINES: Final = ("auto", "serial", "local", "dask")

SERIAL_UNTIL_S: Final = 1.0
"""Below this much expected work a second process costs about what it saves (a measured rule of thumb)."""
TRIES: Final = 2
"""How often a cell is played whose process died: the process may have been somebody else's victim."""
PATIENCE_S: Final = 600.0
PATIENCE: Final = 30.0
"""A cell hangs that takes more than ten minutes and more than thirty times what the first one took."""
ANSWER_S: Final = 10.0
WORKER_S: Final = 60.0
"""How long a scheduler may take to answer, and to have a worker."""

Played = Generator[Finished, None, None]


def serial(tasks: Iterable[Task]) -> Played:
    """One after the other, here."""
    for task in tasks:
        yield play(task)


def timed(tasks: deque[Task], clock: Callable[[], float] = time.perf_counter) -> Generator[Finished, None, float]:
    """The first cell, and the second one where the first was short, for it has warmed up what all of them need.

    returns   seconds that a cell takes
    """
    took_s = 0.0
    for _ in range(2):
        if not tasks:
            break
        began = clock()
        finished = play(tasks.popleft())
        took_s = clock() - began
        yield finished
        if took_s > SERIAL_UNTIL_S:
            break
    return took_s


def auto(tasks: Sequence[Task], processes: int | None, timeout_s: float | None) -> Played:
    """Time the first cell here; go on here where the rest is soon done, else in several processes."""
    rest = deque(tasks)
    took_s = yield from timed(rest)
    workers = min(processes or cores(), len(rest))
    if workers > 1 and took_s * len(rest) >= SERIAL_UNTIL_S:
        yield from local(rest, workers, timeout_s or max(PATIENCE_S, PATIENCE * took_s))
    else:
        yield from serial(rest)


# -- several processes


def local(tasks: Iterable[Task], processes: int | None = None, timeout_s: float | None = None) -> Played:
    """In processes of this machine. A cell that outlasts `timeout_s` is ended and has failed; one whose process dies is
    played once more."""
    from pebble import ProcessExpired, ProcessPool

    pool: Any = ProcessPool(processes or cores(), initializer=begin_to_work, context=quickest())
    asked: dict[Any, tuple[Task, int]] = {}
    done: SimpleQueue[Any] = SimpleQueue()

    def ask(task: Task, tried: int) -> None:
        future = pool.schedule(play, args=(task,), timeout=timeout_s)
        asked[future] = (task, tried)
        future.add_done_callback(done.put)

    try:
        for task in tasks:
            ask(task, 1)
        while asked:
            future = done.get()
            task, tried = asked.pop(future)
            try:
                yield future.result()
            except TimeoutError:
                yield Finished(task.identity, failed=f"it was not done after {timeout_s:g} s, and was ended")
            except ProcessExpired as error:
                if tried < TRIES:
                    ask(task, tried + 1)
                else:
                    yield Finished(task.identity, failed=f"{tried} times its process died ({_ended(error.exitcode)})")
            except Exception as error:  # what came back could not be read
                yield Finished(task.identity, failed=f"{type(error).__name__}: {error}".split("\n")[0])
        pool.close()
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.join()


def _ended(code: int | None) -> str:
    return f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"


# -- a cluster


def dask(tasks: Sequence[Task], address: str | None, processes: int | None = None) -> Played:
    """On the workers of a Dask scheduler, or of a small cluster of this machine where no address is given.

    A future a cell, without joblib's Dask backend between: that waits for ever for a cell whose worker was killed.
    raises   Mistake where there is no scheduler, no worker, or a worker with other code; Stopped where it was lost
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise Mistake(
            "--engine dask needs distributed; expected it installed: pip install 'orderquake[cluster]'"
        ) from None
    if address is not None:
        yield from _on(distributed, tasks, address, address)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which port a page that nobody looks at lies on
        cluster = distributed.LocalCluster(
            n_workers=processes or cores(), threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        )
    with cluster:
        yield from _on(distributed, tasks, cluster, "this machine")


def _on(distributed: Any, tasks: Sequence[Task], where: Any, name: str) -> Played:
    try:
        client = distributed.Client(where, timeout=ANSWER_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise Mistake(
            f"no scheduler answers at {name} ({type(error).__name__}); expected a Dask scheduler, such as "
            "--scheduler tcp://127.0.0.1:8786. Begin one: dask scheduler"
        ) from error
    try:
        _check_workers(client, name, {task.version for task in tasks})
        suspects: list[Task] = []
        yield from _together(distributed, client, tasks, name, suspects)
        for task in suspects:  # alone: whoever only lay beside one that kills survives now
            killers: list[Task] = []
            yield from _together(distributed, client, [task], name, killers)
            for killer in killers:
                yield Finished(killer.identity, failed="every worker that played it died")
    finally:
        _close(client)


def _together(distributed: Any, client: Any, tasks: Sequence[Task], name: str, killed: list[Task]) -> Played:
    """Results as they come; in `killed`, tasks whose workers died one after the other."""
    asked = {client.submit(play, task, pure=False): task for task in tasks}
    done = distributed.as_completed(list(asked), loop=client.loop, with_results=True, raise_errors=False)
    for future, result in done:
        task = asked.pop(future)
        if future.status == "finished":
            yield result
        elif future.status == "error":
            error = result[1]
            if type(error).__name__ == "KilledWorker":
                killed.append(task)
            else:
                yield Finished(task.identity, failed=f"{type(error).__name__}: {error}".split("\n")[0])
        else:
            raise Stopped(
                f"the scheduler at {name} was lost with {len(asked) + 1} cells to go; finished cells are kept. "
                "Begin it again, and give the same command again"
            )
        future.release()


def _check_workers(client: Any, name: str, versions: set[str]) -> None:
    from orderquake.sim.sweep.version import model_version

    try:
        client.wait_for_workers(1, timeout=WORKER_S)
        found = client.run(model_version)
    except TimeoutError as error:
        raise Mistake(
            f"the scheduler at {name} has no worker after {WORKER_S:g} s; expected one at least. "
            f"Begin one: dask worker {name}"
        ) from error
    except ImportError as error:
        raise Mistake(
            f"a worker of {name} has no orderquake ({error}); expected this version on all of them"
        ) from error
    for worker, version in sorted(found.items()):
        if {version} != versions:
            raise Mistake(
                f"the worker {worker} has other code, Python or libraries ({version}, here {', '.join(versions)}); "
                "expected the same everywhere, for results of other code are other results"
            )


def _close(client: Any) -> None:
    with suppress(Exception):  # it may be gone already
        client.close(timeout=2)
