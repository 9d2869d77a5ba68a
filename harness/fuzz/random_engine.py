"""Damage by the dozen, without looking at what it reaches: deterministic, and with nothing to install.

``python -m harness.fuzz.random_engine`` is one target in a process of its own; ``python -m harness.fuzz`` starts it.
"""

from __future__ import annotations

from time import perf_counter

from harness.fuzz.inputs import numbered
from harness.fuzz.one import Options, options
from harness.fuzz.record import Record

_CLOCK_EVERY = 64


def run(asked: Options) -> Record:
    """As many inputs as fit into the bounds; the seeds themselves come first."""
    record = Record(asked.target, "random", asked.out)
    for seed in asked.seeds:
        record.look(seed)
    end = perf_counter() + asked.seconds if asked.seconds is not None else None
    number = 0
    while (asked.runs is None or record.inputs < asked.runs) and not record.full:
        record.look(numbered(asked.target, asked.seeds, asked.seed, number))
        number += 1
        if end is not None and number % _CLOCK_EVERY == 0 and perf_counter() > end:
            break
    return record


if __name__ == "__main__":
    run(options()).write()
