"""A session of a subject that reads a stream only when all of it is there."""

from __future__ import annotations

from collections.abc import Callable

from harness.subjects import PartJson


class AtEndSession:
    """One stream, which is run when all its chunks are known: all parts come out of ``close``.

    Args:
        parts: chunks, none of them empty -> all parts.
    """

    at_end = True
    """That they come late says nothing about the subject (:mod:`harness.hazards`)."""

    def __init__(self, parts: Callable[[list[bytes]], list[PartJson]]) -> None:
        self._parts = parts
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> list[PartJson]:
        """Keeps ``chunk``."""
        if chunk:
            self._chunks.append(chunk)
        return []

    def close(self) -> list[PartJson]:
        """All parts of the stream."""
        return self._parts(self._chunks)
