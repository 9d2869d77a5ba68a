"""One JSON array, element by element, as Gemini's ``streamGenerateContent`` sends it without ``alt=sse``.

An element comes out with the byte that closes it (a number or a literal with the byte after it, as nothing else says
where it ends). Brackets, strings and escapes are followed just far enough to see that; whether an element is good JSON
is for its reader to say. Between elements this framer reads JSON (RFC 8259) and nothing else; a BOM before the array is
passed over, as section 8.1 allows.

A body that is one object instead of an array, which is how Gemini sends an error, gives that object as its one frame.
Anything else is no event stream.

``close`` has nothing to hand out: an element that the end of input cuts is not JSON. It tells a body that is whole from
one that is not by ``truncated``.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

import msgspec

from streamcore.errors import ErrorKind
from streamcore.framing import FrameFailure
from streamcore.limits import Limits

JsonArrayFrame = tuple[bytes, int]
"""``(data, end)``: the text of the element, and the offset in the body just after it."""

_EMPTY: list[JsonArrayFrame] = []
_BOM = b"\xef\xbb\xbf"
_QUOTE, _COMMA = b'",'
_SPACE = re.compile(rb"[ \t\n\r]*+")
_SCALAR = re.compile(rb"[^ \t\n\r,\]]*+")
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
"""Up to the next bracket, past every string that ends in this chunk."""
_TO_QUOTE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
"""The rest of a string, up to its quote, or to a backslash whose character is not in yet."""
_LINE_ENDS = (b"\r", b"\n")
_is_one_value = msgspec.json.Decoder(msgspec.Raw).decode
"""Raises unless the text is one JSON value from end to end."""
_INDENTED_UP_TO = 64 * 1024
"""Bytes that are looked through for the end of an indented element; a bound, so that work stays linear."""


def _is_whole(text: bytes) -> bool:
    """Whether an element that is indented, as Gemini sends them, ends where it seems to: then nothing need be followed."""
    try:
        _is_one_value(text)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return False
    return True


class _Where(IntEnum):
    BEFORE = 0
    FIRST = 1
    """After the opening bracket: an element, or the end."""
    NEXT = 2
    """After a comma: an element."""
    NESTED = 3
    """In an object, an array or a string."""
    SCALAR = 4
    """In a number or a literal."""
    AFTER = 5
    """After an element: a comma, or the end."""
    CLOSED = 6


class JsonArrayFramer:
    """Bytes to :data:`JsonArrayFrame`, incrementally."""

    __slots__ = (
        "_base",
        "_depth",
        "_escaped",
        "_in_array",
        "_in_string",
        "_limit",
        "_max_stray_bytes",
        "_pending",
        "_where",
        "failure",
        "frames",
        "stray",
        "truncated",
    )

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._limit = limits.max_frame_bytes
        self._max_stray_bytes = limits.max_stray_bytes
        self._base = 0  # offset in the body of the current chunk
        self._pending = bytearray()  # the open element
        self._where = _Where.BEFORE
        self._in_array = False
        self._depth = 0  # brackets of the open element
        self._in_string = False
        self._escaped = False  # the last byte was a backslash in a string
        self.failure: FrameFailure | None = None
        self.frames = 0
        self.truncated = False
        """The body ended before its array or object did; known after ``close``."""
        self.stray = b""
        """What is there instead of an array or behind it, up to a limit."""

    @property
    def offset(self) -> int:
        """Bytes of the body consumed so far."""
        return self._base

    def feed(self, chunk: bytes) -> list[JsonArrayFrame]:
        """The frames that ``chunk`` completes, in order; empty when it completes none."""
        if self.failure is not None:
            self._keep_stray(chunk)
            return _EMPTY
        if self._where is _Where.BEFORE and self._base == len(self._pending):
            chunk = self._after_bom(chunk)
        out: list[JsonArrayFrame] = []
        at = 0
        while at < len(chunk) and self.failure is None:
            if self._where is _Where.NESTED:
                at = self._nested(chunk, at, out)
            elif self._where is _Where.SCALAR:
                at = self._scalar(chunk, at, out)
            else:
                at = self._between(chunk, at)
        self._base += at
        self.frames += len(out)
        return out

    def _after_bom(self, chunk: bytes) -> bytes:
        """At the start: what there is to read behind the BOM, if one is there. One that is not whole yet is kept."""
        start = bytes(self._pending) + chunk
        kept = start if len(start) < len(_BOM) and _BOM.startswith(start) else b""
        self._pending[:] = kept
        self._base = len(_BOM) if start.startswith(_BOM) else len(kept)
        return start[self._base :]

    def close(self) -> None:
        """The end of input; an element that it cuts is lost, which ``truncated`` says, as it says that a ``]`` is missing."""
        self.truncated = self.failure is None and self._where is not _Where.CLOSED
        self._pending.clear()

    def _between(self, chunk: bytes, at: int) -> int:
        """Outside any element; returns where it got to."""
        match = _SPACE.match(chunk, at)
        assert match is not None  # every pattern here matches the empty string
        at = match.end()
        if at == len(chunk):
            return at
        byte = chunk[at : at + 1]
        where = self._where
        if where is _Where.BEFORE:
            if byte == b"[":
                self._in_array = True
                self._where = _Where.FIRST
                return at + 1
            if byte != b"{":
                self._fail(ErrorKind.NOT_AN_EVENT_STREAM, at, "the body is no JSON array", chunk)
                return at
        elif where is _Where.CLOSED:
            self._fail(ErrorKind.MALFORMED_JSON, at, "text after the end of the JSON", chunk)
            return at
        elif byte == b"]" and where is not _Where.NEXT:
            self._where = _Where.CLOSED
            return at + 1
        elif where is _Where.AFTER:
            if byte == b",":
                self._where = _Where.NEXT
                return at + 1
            self._fail(ErrorKind.MALFORMED_JSON, at, "no comma between two elements of the array", chunk)
            return at
        elif byte in b",]":
            self._fail(ErrorKind.MALFORMED_JSON, at, "an element of the array is missing", chunk)
            return at
        if byte == b'"':
            self._in_string = True
            self._pending += byte
            at += 1
        self._where = _Where.NESTED if byte in b'{["' else _Where.SCALAR
        return at

    def _nested(self, chunk: bytes, at: int, out: list[JsonArrayFrame]) -> int:
        """In an object, an array or a string; returns where it got to."""
        if chunk[at + 1 : at + 2] in _LINE_ENDS and not self._pending and not self._in_string:
            end = chunk.find(b"\n}", at, at + _INDENTED_UP_TO) + 2
            if 2 < end <= at + self._limit and _is_whole(chunk[at:end]):
                return self._complete(chunk, at, end, out)
        begin = at
        stop = min(len(chunk), at + self._limit - len(self._pending))
        depth = self._depth
        in_string = self._in_string
        if self._escaped and at < stop:
            self._escaped = False
            at += 1
        while at < stop:
            match = (_TO_QUOTE if in_string else _TO_BRACKET).match(chunk, at, stop)
            assert match is not None
            at = match.end()
            if at == stop:
                break
            byte = chunk[at]
            at += 1
            if in_string:
                in_string = byte != _QUOTE
                self._escaped = in_string
            elif byte == _QUOTE:
                in_string = True
            else:
                depth += 1 if byte in b"{[" else -1
            if depth == 0 and not in_string:
                self._depth = 0
                self._in_string = False
                return self._complete(chunk, begin, at, out)
        if at < len(chunk):
            self._too_large(at)
            return at
        self._depth = depth
        self._in_string = in_string
        self._pending += chunk[begin:]
        return at

    def _scalar(self, chunk: bytes, at: int, out: list[JsonArrayFrame]) -> int:
        """In a number or a literal; returns where it got to."""
        match = _SCALAR.match(chunk, at)
        assert match is not None
        stop = at + self._limit - len(self._pending)
        if match.end() > stop:
            self._too_large(stop)
            return stop
        if match.end() < len(chunk):
            return self._complete(chunk, at, match.end(), out)
        self._pending += chunk[at:]
        return len(chunk)

    def _complete(self, chunk: bytes, begin: int, end: int, out: list[JsonArrayFrame]) -> int:
        data = chunk[begin:end]
        if self._pending:
            self._pending += data
            data = bytes(self._pending)
            self._pending.clear()
        out.append((data, self._base + end))
        self._where = _Where.AFTER if self._in_array else _Where.CLOSED
        return end

    def _fail(self, kind: ErrorKind, at: int, detail: str, chunk: bytes) -> None:
        self.failure = FrameFailure(kind, self._base + at, detail)
        self._keep_stray(chunk[at:])

    def _too_large(self, at: int) -> None:
        """Gives up on the open element and forgets it: the state is the same however the bytes were cut."""
        detail = f"an element of more than {self._limit} bytes"
        self.failure = FrameFailure(ErrorKind.EVENT_TOO_LARGE, self._base + at, detail)
        self._pending.clear()
        self._depth = 0
        self._in_string = self._escaped = False

    def _keep_stray(self, chunk: bytes) -> None:
        failure = self.failure
        if failure is not None and failure.kind is not ErrorKind.EVENT_TOO_LARGE:
            self.stray += chunk[: self._max_stray_bytes - len(self.stray)]

    def snapshot(self) -> tuple[Any, ...]:
        """The whole state, hashable and comparable; O(bytes of the open element)."""
        return (
            self._base,
            bytes(self._pending),
            self._where,
            self._in_array,
            self._depth,
            self._in_string,
            self._escaped,
            self.failure,
            self.frames,
            self.stray,
            self.truncated,
        )

    def is_at(self, snapshot: tuple[Any, ...]) -> bool:
        """Whether ``self.snapshot() == snapshot``."""
        return self.snapshot() == snapshot

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Takes on a state that ``snapshot`` returned, on this framer or another one with the same limits."""
        (
            self._base,
            pending,
            self._where,
            self._in_array,
            self._depth,
            self._in_string,
            self._escaped,
            self.failure,
            self.frames,
            self.stray,
            self.truncated,
        ) = snapshot
        self._pending = bytearray(pending)
