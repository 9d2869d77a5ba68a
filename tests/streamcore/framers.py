"""What the tests of the framers of messages, lines and elements share: a body fed every way, its states, its corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streamcore import ErrorKind, Limits

from .wire import chunkings

Make = Callable[[Limits | None], Any]
"""Makes a framer."""

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
"""Real recordings; read in place where they lie beside the checkout."""


@dataclass
class Framed:
    """All that a framer says about a body."""

    frames: list[Any]
    residual: Any
    framer: Any

    @property
    def failure(self) -> tuple[ErrorKind, int] | None:
        """Kind and offset."""
        failure = self.framer.failure
        return failure and (failure.kind, failure.offset)


def run(make: Make, pieces: Iterable[bytes], limits: Limits | None = None) -> Framed:
    """Feeds the pieces and closes."""
    framer = make(limits)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    assert framer.frames == len(frames)
    residual = framer.close()
    assert framer.frames == len(frames)
    return Framed(frames, residual, framer)


def bytewise(body: bytes) -> list[bytes]:
    """Chunks of one byte."""
    return [body[at : at + 1] for at in range(len(body))]


def frame_every_way(make: Make, body: bytes, limits: Limits | None = None) -> Framed:
    """The one outcome of all chunkings; the state after them is one, too."""
    expected = run(make, [body], limits)
    for pieces in chunkings(body):
        found = run(make, pieces, limits)
        sizes = [len(piece) for piece in pieces]
        assert (found.frames, found.residual) == (expected.frames, expected.residual), sizes
        assert found.framer.snapshot() == expected.framer.snapshot(), sizes
    return expected


def restore_at_every_byte(make: Make, body: bytes, limits: Limits | None = None) -> None:
    """A fresh framer goes on from the state at every byte, to the same end."""
    whole = run(make, [body], limits)
    walker = make(limits)
    frames: list[Any] = []
    for at in range(len(body) + 1):
        snapshot = walker.snapshot()
        assert hash(snapshot) == hash(walker.snapshot())
        fresh = make(limits)
        fresh.restore(snapshot)
        assert fresh.snapshot() == snapshot
        assert frames + fresh.feed(body[at:]) == whole.frames
        assert fresh.close() == whole.residual
        assert fresh.snapshot() == whole.framer.snapshot()
        frames += walker.feed(body[at : at + 1])


def corpus_bodies(*dialects: str) -> list[Any]:
    """Parameters of a test, one a recording; a single one that is skipped where there are no recordings."""
    if not CORPUS.is_dir():
        return [pytest.param(None, marks=[pytest.mark.corpus, pytest.mark.skip(reason="no recordings here")])]
    paths = [path for dialect in dialects for path in sorted((CORPUS / dialect).glob("*.body"))]
    return [pytest.param(path, marks=pytest.mark.corpus, id=f"{path.parent.name}/{path.stem}") for path in paths]
