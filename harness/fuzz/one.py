"""What the process of one target is told."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.fuzz.seeds import seeds_of

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Options:
    """One target, one run. Without ``runs`` and ``seconds`` it never ends."""

    target: str
    seeds: Sequence[bytes]
    out: Path
    """Where reproducers go."""
    runs: int | None = None
    seconds: float | None = None
    seed: int = 1
    corpus: Path | None = None
    """A folder whose files are seeds too; the coverage-guided engine adds what it finds."""


def options(arguments: Sequence[str] | None = None) -> Options:
    """From the command line that :mod:`harness.fuzz.__main__` writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path)
    given = parser.parse_args(arguments)
    more = sorted(given.corpus.glob("*")) if given.corpus is not None and given.corpus.is_dir() else []
    seeds = [*seeds_of(given.target), *(path.read_bytes() for path in more if path.is_file())]
    return Options(given.target, seeds, given.out, given.runs, given.seconds, given.seed, given.corpus)
