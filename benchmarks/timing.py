"""Interleaved timing: A B C, A B C, ... so that a disturbance of the machine meets all contenders alike.

Work in this process is measured in CPU time of its thread, not in wall time: nothing here waits for anything, so on a
quiet machine the two are one, and on a busy one the time that others had the CPU is no business of ours.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import thread_time

Clock = Callable[[], float]
"""Does the work once and returns the seconds it took."""


def timed(work: Callable[[], object]) -> Clock:
    """A clock for work in this process and thread."""

    def run() -> float:
        begin = thread_time()
        work()
        return thread_time() - begin

    return run


class Timings:
    """Seconds of every contender in every round."""

    def __init__(self, seconds: Mapping[str, list[float]]) -> None:
        self.seconds = dict(seconds)

    def median(self, name: str) -> float:
        """Seconds: the median of all rounds."""
        return median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """How many times faster ``name`` is than ``other``: the median of the rounds' ratios."""
        pairs = zip(self.seconds[other], self.seconds[name], strict=True)
        return median(theirs / ours for theirs, ours in pairs)

    def fastest(self, names: list[str]) -> str:
        """The one of ``names`` with the smallest median."""
        return min(names, key=self.median)


def interleaved(clocks: Mapping[str, Clock], rounds: int) -> Timings:
    """Runs every clock once to warm up and then ``rounds`` times in turn, after a garbage collection each."""
    for clock in clocks.values():
        clock()
    seconds: dict[str, list[float]] = {name: [] for name in clocks}
    gc.collect()
    gc.freeze()  # the SDKs' hundred thousands of objects: every collection would look at them again
    try:
        for _ in range(rounds):
            for name, clock in clocks.items():
                gc.collect()
                seconds[name].append(clock())
    finally:
        gc.unfreeze()
    return Timings(seconds)
