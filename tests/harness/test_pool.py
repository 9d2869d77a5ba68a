"""Work that is shared out ends when the user ends it, and starts no process for which there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from harness.pool import processes

from .checkout import REPOSITORY

PROGRAM = """
import sys, time
from harness.pool import processes
def work(_): time.sleep(30)
if __name__ == "__main__":
    with processes(2, 9) as pool:
        futures = [pool.submit(work, number) for number in range(9)]
        print("ready", flush=True)
        [future.result() for future in futures]
"""


def test_an_interruption_ends_what_runs_and_begins_nothing_that_waits() -> None:
    command = [sys.executable, "-c", PROGRAM]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as one:
        assert one.stdout is not None
        one.stdout.readline()
        time.sleep(0.3)  # until both are at work
        os.killpg(one.pid, signal.SIGINT)  # as a terminal does
        began = time.monotonic()
        try:
            one.wait(20)
        finally:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
        assert time.monotonic() - began < 20
        assert one.returncode != 0


_BEGUN: list[str] = []


def _where(seconds: float) -> tuple[int, tuple[str, ...]]:
    """The process that is at work, and what was begun in it."""
    time.sleep(seconds)
    return os.getpid(), tuple(_BEGUN)


def test_no_more_processes_than_there_is_work_and_each_is_begun() -> None:
    with processes(1000, 2, _BEGUN.append, "begun") as pool:
        seen = {one.result() for one in [pool.submit(_where, 0.05) for _ in range(8)]}
    assert 0 < len(seen) <= 2
    assert {begun for _, begun in seen} == {("begun",)}
    with processes(3, 0) as pool:
        seen |= {pool.submit(_where, 0).result()}
    assert os.getpid() not in {process for process, _ in seen}
