"""What a search for the minimal cut has shown: what is stated of it and its cause rest on this, and on nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.chunking import Chunking
from harness.findings import CutPlace
from harness.minimal.places import Places


@dataclass(frozen=True, slots=True)
class Searched:
    """The end of a search of one body."""

    best: Chunking
    """The least way of cutting that fails."""
    cuts: Sequence[CutPlace]
    """The places of its boundaries."""
    chunk: tuple[int, int] | None
    """The smallest chunk that fails, where the size of one is to blame."""
    singles: Mapping[int, bool]
    """Every body in two chunks that was tried, by its cut, and whether it failed."""
    places: Places
    """Those of the body."""

    @property
    def is_cut_short(self) -> bool:
        """Whether what fails is the body without its end."""
        return self.best.end < len(self.places.body)

    @property
    def size(self) -> tuple[int, int] | None:
        """The chunk that has to be that large, if that is what fails."""
        return self.chunk if self.best.name.startswith("chunk@") else None
