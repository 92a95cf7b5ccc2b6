"""Processes that play runs end with whoever made them, even if that was killed and could tell nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sweep.test_kill import children, is_running

POOL = """
import sys, time
from concurrent.futures import ProcessPoolExecutor
from orderquake.sim.processes import {begin}, quickest
pool = ProcessPoolExecutor(2, quickest(), initializer={begin})
working = [pool.submit(time.sleep, 600) for _ in range(2)]
print("at work", flush=True)
working[0].result()
"""


def left_behind(begin: str, within_s: float) -> list[int]:
    """Kill a process with two at work for it; who of them still runs, so many seconds later?"""
    process = subprocess.Popen([sys.executable, "-c", POOL.format(begin=begin)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "at work\n"
    until = time.monotonic() + 30
    while len(workers := children(process.pid)) < 2:
        assert time.monotonic() < until, "nobody is at work"
        time.sleep(0.05)
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until = time.monotonic() + within_s
    while (left := [worker for worker in workers if is_running(worker)]) and time.monotonic() < until:
        time.sleep(0.1)
    return left


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
def test_who_works_for_a_killed_process_ends_with_it() -> None:
    assert left_behind("begin_to_work", 20) == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
def test_without_being_told_so_it_would_stay_for_as_long_as_its_work_takes() -> None:
    left = left_behind("cores", 2)
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert len(left) == 2


def test_nobody_begins_to_work_without_a_parent() -> None:
    program = "from orderquake.sim.processes import begin_to_work; begin_to_work(); print('still here')"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert told.returncode != 0 and "only a process that another one has made" in told.stderr
