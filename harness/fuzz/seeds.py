"""The seed corpus, ``harness/fuzz/seeds/<target>/``: what a target's inputs are made from."""

from __future__ import annotations

from pathlib import Path

from harness.faults.damage import framing_of
from harness.subjects.core import FRAMINGS
from streamcore import DIALECTS

ROOT = Path(__file__).parents[2]
SEEDS = Path(__file__).parent / "seeds"


def seeds_of(target: str, folder: Path = SEEDS) -> list[bytes]:
    """The seeds of a target: its own, or of a framing, or of a dialect without, those of its next of kin.

    Raises:
        FileNotFoundError: there are none.
    """
    homes = [target, *_kin(target)]
    for home in homes:
        found = sorted((folder / home).glob("*"))
        if found:
            return [path.read_bytes() for path in found]
    raise FileNotFoundError(f"no seeds for {target} in {folder}: make them with `python -m harness.fuzz seeds`")


def _kin(target: str) -> list[str]:
    """Those that read the same frames, nearest relative first."""
    if target in FRAMINGS:
        return [name for name in ("openai-chat", *DIALECTS) if framing_of(name) == target]
    line = DIALECTS[target].__mro__
    near = sorted(DIALECTS, key=lambda name: -len({*line} & {*DIALECTS[name].__mro__}))
    return [name for name in near if framing_of(name) == framing_of(target)]
