"""Framers: bytes in, frames out, any cutting of the bytes.

A framer has ``feed(chunk)``, which returns the frames that ``chunk`` completed; ``close()``, which returns the frame
that the end of input left unterminated, or None; ``failure``, a :class:`FrameFailure` once the bytes can no longer be
framed (the framer then returns nothing more); and ``snapshot()``/``restore()`` of its whole state. Work is linear in
the bytes fed, however they are cut: pending bytes are never scanned or copied again.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamcore.errors import ErrorKind


@dataclass(slots=True, frozen=True)
class FrameFailure:
    """Why the bytes from ``offset`` on cannot be framed."""

    kind: ErrorKind
    offset: int
    detail: str
