"""Newline-delimited JSON: one JSON text a line.

A line ends with LF; a CR before it belongs to the line end. Nothing else ends a line: a lone CR is white space of JSON,
and U+2028 or U+0085 may stand in a string. A line of nothing but white space is skipped, and so is a BOM that the body
begins with (RFC 8259, 8.1, allows that). What a line holds is not looked at here.

The last line may lack its line end. ``close`` hands it out, marked by being the return value of ``close``; whether it is
whole is for the reader of its JSON to say.
"""

from __future__ import annotations

from typing import Any

from streamcore.errors import ErrorKind
from streamcore.framing import FrameFailure
from streamcore.limits import Limits

NdjsonFrame = tuple[bytes, int]
"""``(data, end)``: the line without its end, and the offset in the body just after its LF."""

_EMPTY: list[NdjsonFrame] = []
_WHITE_SPACE = b" \t\r"
_BOM = b"\xef\xbb\xbf"


class NdjsonFramer:
    """Bytes to :data:`NdjsonFrame`, incrementally."""

    __slots__ = ("_limit", "_line_start", "_pending", "failure", "frames")

    stray = b""
    """Always empty: every line is a frame."""
    truncated = False
    """Always False: a line that is cut cannot be told from one that only lacks its line end."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limit = (limits or Limits()).max_frame_bytes
        self._pending = bytearray()  # the open line
        self._line_start = 0  # offset in the body of the open line
        self.failure: FrameFailure | None = None
        self.frames = 0

    @property
    def offset(self) -> int:
        """Bytes of the body consumed so far."""
        return self._line_start + len(self._pending)

    def feed(self, chunk: bytes) -> list[NdjsonFrame]:
        """The frames that ``chunk`` completes, in order; empty when it completes none."""
        if self.failure is not None:
            return _EMPTY
        if len(self._pending) + len(chunk) <= self._limit:
            return self._lines(chunk)
        room = self._room(chunk)
        out = self._lines(chunk[:room])
        if room < len(chunk):
            offset = self.offset
            self.failure = FrameFailure(ErrorKind.EVENT_TOO_LARGE, offset, f"a line of more than {self._limit} bytes")
            self._pending.clear()
            self._line_start = offset
        return out

    def _room(self, chunk: bytes) -> int:
        """How many bytes of ``chunk`` come before the one that makes a line too long."""
        start = -len(self._pending)
        while True:
            end = chunk.find(b"\n", max(start, 0))
            if (end if end >= 0 else len(chunk)) - start > self._limit:
                return start + self._limit
            if end < 0:
                return len(chunk)
            start = end + 1

    def _lines(self, chunk: bytes) -> list[NdjsonFrame]:
        pending = self._pending
        if 0x0A not in chunk:
            pending += chunk
            return _EMPTY
        lines = chunk.split(b"\n")
        if pending:
            pending += lines[0]
            lines[0] = bytes(pending)
            pending.clear()
        pending += lines.pop()
        out: list[NdjsonFrame] = []
        position = self._line_start
        if position == 0 and lines[0].startswith(_BOM):
            lines[0] = lines[0][len(_BOM) :]
            position = len(_BOM)
        for line in lines:
            position += len(line) + 1
            if line.strip(_WHITE_SPACE):
                out.append((line.removesuffix(b"\r"), position))
        self._line_start = position
        self.frames += len(out)
        return out

    def close(self) -> NdjsonFrame | None:
        """The last line, if it lacks its end and is not blank."""
        end = self.offset
        line = bytes(self._pending)
        if self._line_start == 0:
            line = line.removeprefix(_BOM)
        self._pending.clear()
        self._line_start = end
        return (line.removesuffix(b"\r"), end) if line.strip(_WHITE_SPACE) else None

    def snapshot(self) -> tuple[Any, ...]:
        """The whole state, hashable and comparable; O(bytes of the open line)."""
        return bytes(self._pending), self._line_start, self.failure, self.frames

    def is_at(self, snapshot: tuple[Any, ...]) -> bool:
        """Whether ``self.snapshot() == snapshot``."""
        return self.snapshot() == snapshot

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Takes on a state that ``snapshot`` returned, on this framer or another one with the same limits."""
        pending, self._line_start, self.failure, self.frames = snapshot
        self._pending = bytearray(pending)
