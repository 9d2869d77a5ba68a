"""Coverage-guided: libFuzzer, by way of atheris, on streamcore alone.

``python -m harness.fuzz.atheris_engine`` is one target in a process of its own; ``python -m harness.fuzz`` starts it.
streamcore must not have been imported before it is instrumented, so the imports stand where they stand. What libFuzzer's
own mutations hardly ever reach (sound checksums, JSON that is still JSON) the damage of the other engine does, on every
second input.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["streamcore"], enable_loader_override=False):
    import streamcore  # noqa: F401 - imported for its effect

from harness.faults.damage import damaged, framing_of
from harness.fuzz.inputs import MOST_BYTES, damages
from harness.fuzz.one import Options, options
from harness.fuzz.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_MIB = 1024
"""Memory of the process; libFuzzer stops at more."""
HANG_SECONDS = 60
"""By the clock, for what not even a signal stops; the bound that matters is that of :mod:`harness.fuzz.targets`."""


def run(asked: Options) -> None:
    """Never returns: the process ends when the bounds are reached, with the record on stdout."""
    record = Record(asked.target, "atheris", asked.out)
    temporary = Path(tempfile.mkdtemp(prefix="streamparity-fuzz-"))
    corpus = asked.corpus or temporary
    end = record.begun + asked.seconds if asked.seconds is not None else float("inf")

    def look(body: bytes) -> None:
        record.look(body)
        if record.inputs == asked.runs or record.full or perf_counter() > end:
            record.write()
            shutil.rmtree(temporary, ignore_errors=True)
            os._exit(0)  # libFuzzer, asked to stop, would end the process without a word of ours

    corpus.mkdir(parents=True, exist_ok=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(asked.seeds):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    flags = [
        f"-seed={asked.seed}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MOST_MIB}",
        f"-artifact_prefix={asked.out / asked.target}-",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], look, custom_mutator=_mutator(asked))
    atheris.Fuzz()


def _mutator(asked: Options) -> Callable[[bytes, int, int], bytes]:
    framing = framing_of(asked.target)

    def mutate(body: bytes, most: int, seed: int) -> bytes:
        chance = Random(seed)
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(body, most))
        return damaged(body, framing, damages(chance), chance.choice(asked.seeds))[:most]

    return mutate


if __name__ == "__main__":
    run(options())
