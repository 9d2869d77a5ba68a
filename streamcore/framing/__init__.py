"""Framers: bytes in, frames out, any cutting of the bytes.

A framer has ``feed(chunk)``, which returns the frames that ``chunk`` completed; ``close()``, which returns the frame
that the end of input left unterminated, or None; ``failure``, a :class:`FrameFailure` once the bytes can no longer be
framed (the framer then returns nothing more); and ``snapshot()``/``restore()`` of its whole state. Work is linear in
the bytes fed, however they are cut: pending bytes are never scanned or copied again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from streamcore.errors import ErrorKind
from streamcore.limits import Limits


@dataclass(slots=True, frozen=True)
class FrameFailure:
    """Why the bytes from ``offset`` on cannot be framed."""

    kind: ErrorKind
    offset: int
    detail: str


class Framer(Protocol):
    """What all framers have in common. A frame is a tuple whose last item is the offset just after it."""

    frames: int
    """Frames completed so far."""
    failure: FrameFailure | None

    def __init__(self, limits: Limits | None = None) -> None:
        """``limits`` bound what a frame may make the framer hold."""

    @property
    def offset(self) -> int:
        """Bytes fed so far."""

    @property
    def stray(self) -> bytes:
        """The beginning of what was found outside any frame."""

    @property
    def truncated(self) -> bool:
        """After ``close``: the end of input cut a frame that is lost, or the wire format itself is not at its end."""

    def feed(self, chunk: bytes) -> list[Any]:
        """The frames that ``chunk`` completed."""

    def close(self) -> Any:
        """The frame that the end of input left unterminated, or None."""

    def snapshot(self) -> tuple[Any, ...]:
        """The whole state."""

    def is_at(self, snapshot: tuple[Any, ...], /) -> bool:
        """Whether ``self.snapshot() == snapshot``, for less."""

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Puts the state back."""
