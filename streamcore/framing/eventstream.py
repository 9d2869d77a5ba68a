"""AWS ``application/vnd.amazon.eventstream``, as the Smithy specification "Amazon Event Stream" defines it.

A message is a prelude (total length, length of the headers, CRC-32 of those eight bytes), headers, payload, and a CRC-32
of everything before it; all integers are big-endian. What is checked, in this order, each as soon as its bytes are in:

* after 12 bytes: the checksum of the prelude, and only then its lengths, against each other and against the bounds. No
  byte of a message is waited for on the word of a length that was not checked;
* after the whole message: its checksum, and only then its headers. Nothing of a message comes out before.

A bad message is a failure at the offset where it begins. There is no way to find the next one, so nothing follows it;
what came before stays. A body whose first bytes are text is no event stream: a proxy's or the service's own error, sent
without framing. It is kept in ``stray``, because it says what really went wrong.

A message that the end of input cuts has no checksum yet, so ``close`` cannot hand it out: it sets ``truncated``.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zlib import crc32

from streamcore.errors import ErrorKind
from streamcore.framing import FrameFailure
from streamcore.limits import Limits

HeaderValue = bool | int | bytes | str | UUID
"""A header's value: true and false; byte, short, integer, long as int; byte array; string; timestamp as int, in
milliseconds since 1970-01-01T00:00Z (``datetime`` could not hold them all); UUID."""

EventStreamFrame = tuple[Mapping[str, HeaderValue], bytes, int]
"""``(headers, payload, end)``: the headers by name, read-only because frames with equal headers share them; the payload;
and the offset in the body just after the message."""

MAX_MESSAGE_BYTES = 24 * 1024 * 1024
"""The specification's bound on a whole message."""
MAX_HEADERS_BYTES = 128 * 1024
"""The specification's bound on the headers of a message."""

_EMPTY: list[EventStreamFrame] = []
_PRELUDE = Struct(">III")
_CHECKSUM = Struct(">I")
_PRELUDE_BYTES = 12
_OVERHEAD = 16
"""Bytes of a message without headers and payload: the prelude and the checksum at the end."""
_INTEGERS = {2: Struct(">b"), 3: Struct(">h"), 4: Struct(">i"), 5: Struct(">q"), 8: Struct(">q")}
_BOOLEANS = {0: True, 1: False}
_TEXT = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))
_CACHED_BLOCKS = 64
"""Header blocks whose headers are remembered; a stream has one for each of its event types."""
_CACHED_BLOCK_BYTES = 1024
"""Bytes of the longest header block that is remembered; those of Bedrock have about 80."""


class EventStreamFramer:
    """Bytes to :data:`EventStreamFrame`, incrementally."""

    __slots__ = (
        "_blocks",
        "_limit",
        "_max_stray_bytes",
        "_need",
        "_pending",
        "_start",
        "failure",
        "frames",
        "stray",
        "truncated",
    )

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._limit = min(limits.max_frame_bytes, MAX_MESSAGE_BYTES)
        self._max_stray_bytes = limits.max_stray_bytes
        self._blocks: dict[bytes, Mapping[str, HeaderValue]] = {}
        self._pending = bytearray()  # the open message
        self._start = 0  # offset in the body of the open message
        self._need = _PRELUDE_BYTES  # bytes of the open message that the next check needs
        self.failure: FrameFailure | None = None
        self.frames = 0
        self.truncated = False
        """The body ended inside a message; known after ``close``."""
        self.stray = b""
        """The body, up to a limit, if it is text and no event stream."""

    @property
    def offset(self) -> int:
        """Bytes of the body consumed so far."""
        return self._start + len(self._pending)

    def feed(self, chunk: bytes) -> list[EventStreamFrame]:
        """The frames that ``chunk`` completes, in order; empty when it completes none."""
        pending = self._pending
        if len(pending) + len(chunk) < self._need:
            pending += chunk
            return _EMPTY
        if self.failure is not None:
            self._keep_stray(chunk)
            return _EMPTY
        if pending:
            # At most two copies of a message: one for its prelude, one for the rest.
            chunk = b"".join((pending, chunk))
            pending.clear()
        out: list[EventStreamFrame] = []
        blocks = self._blocks
        size = len(chunk)
        begin = 0
        base = self._start
        need = self._need
        self._need = _PRELUDE_BYTES
        while size - begin >= _PRELUDE_BYTES:
            total, header_bytes, checksum = _PRELUDE.unpack_from(chunk, begin)
            body = begin + 8
            if need == _PRELUDE_BYTES:  # else the prelude was good when it came
                if crc32(chunk[begin:body]) != checksum:
                    self._bad_prelude(chunk, begin)
                    break
                if total > self._limit or header_bytes > total - _OVERHEAD or header_bytes > MAX_HEADERS_BYTES:
                    self._bad_length(total, header_bytes, base + begin)
                    break
            need = _PRELUDE_BYTES
            end = begin + total
            if end > size:
                self._need = total
                break
            # The checksum of a whole goes on from that of its beginning.
            last = end - 4
            if crc32(chunk[body:last], checksum) != _CHECKSUM.unpack_from(chunk, last)[0]:
                self._fail(ErrorKind.FRAME_CRC, base + begin, "the checksum of a message does not match its bytes")
                break
            headers_end = begin + _PRELUDE_BYTES + header_bytes
            block = chunk[begin + _PRELUDE_BYTES : headers_end]
            headers = blocks.get(block)
            if headers is None:
                headers = self._decode(block, base + begin)
                if headers is None:
                    break
            out.append((headers, chunk[headers_end:last], base + end))
            begin = end
        self.frames += len(out)
        if self.failure is None:
            self._start = base + begin
            if begin < size:
                pending += chunk[begin:]
        return out

    def close(self) -> None:
        """The end of input; a message that it cuts is lost, which ``truncated`` says."""
        end = self.offset
        if end and self._start == 0 and _TEXT.issuperset(self._pending):
            self._no_event_stream(bytes(self._pending))
        elif self._pending:
            self.truncated = True
            self._pending.clear()
            self._start = end

    def _bad_prelude(self, chunk: bytes, begin: int) -> None:
        start = self._start + begin
        if start == 0 and _TEXT.issuperset(chunk[:_PRELUDE_BYTES]):
            # As a length, four characters of text are at least 144 MiB: this is no message with a flipped bit.
            self._no_event_stream(chunk)
        else:
            self._fail(ErrorKind.FRAME_CRC, start, "the checksum of a prelude does not match its bytes")

    def _no_event_stream(self, text: bytes) -> None:
        self._fail(ErrorKind.NOT_AN_EVENT_STREAM, 0, "the body is text, not AWS event-stream messages")
        self._keep_stray(text)

    def _keep_stray(self, chunk: bytes) -> None:
        failure = self.failure
        if failure is not None and failure.kind is ErrorKind.NOT_AN_EVENT_STREAM:
            self.stray += chunk[: self._max_stray_bytes - len(self.stray)]

    def _bad_length(self, total: int, header_bytes: int, start: int) -> None:
        kind = ErrorKind.FRAME_LENGTH
        if total < _OVERHEAD:
            detail = f"a message of {total} bytes; the shortest has {_OVERHEAD}"
        elif header_bytes > total - _OVERHEAD:
            detail = f"headers of {header_bytes} bytes in a message of {total}"
        elif total > self._limit:
            kind = ErrorKind.FRAME_LENGTH if total > MAX_MESSAGE_BYTES else ErrorKind.EVENT_TOO_LARGE
            detail = f"a message of {total} bytes; the limit is {self._limit}"
        else:
            detail = f"headers of {header_bytes} bytes; the limit is {MAX_HEADERS_BYTES}"
        self._fail(kind, start, detail)

    def _fail(self, kind: ErrorKind, offset: int, detail: str) -> None:
        """Gives up on the message at ``offset``: the state is the same however the bytes were cut."""
        self.failure = FrameFailure(kind, offset, detail)
        self._pending.clear()
        self._start = offset
        self._need = 0

    def _decode(self, block: bytes, start: int) -> Mapping[str, HeaderValue] | None:
        """The headers of a message whose checksum holds; None, and the framer has failed, if they cannot be told apart."""
        try:
            headers = MappingProxyType(_headers(block))
        except ValueError as error:
            self._fail(ErrorKind.FRAME_LENGTH, start, str(error))
            return None
        if len(self._blocks) < _CACHED_BLOCKS and len(block) <= _CACHED_BLOCK_BYTES:
            self._blocks[block] = headers
        return headers

    def snapshot(self) -> tuple[Any, ...]:
        """The whole state, hashable and comparable; O(bytes of the open message)."""
        return (
            bytes(self._pending),
            self._start,
            self._need,
            self.failure,
            self.frames,
            self.truncated,
            self.stray,
        )

    def is_at(self, snapshot: tuple[Any, ...]) -> bool:
        """Whether ``self.snapshot() == snapshot``."""
        return self.snapshot() == snapshot

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Takes on a state that ``snapshot`` returned, on this framer or another one with the same limits."""
        pending, self._start, self._need, self.failure, self.frames, self.truncated, self.stray = snapshot
        self._pending = bytearray(pending)


def _headers(block: bytes) -> dict[str, HeaderValue]:
    """The headers of a block. Of two with one name the last counts; bytes that are not UTF-8 are read as U+FFFD.

    Raises:
        ValueError: a header is longer than the block, or its type, and with it its length, is unknown.
    """
    headers: dict[str, HeaderValue] = {}
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        taken = block[at : at + count]
        if len(taken) < count:
            raise ValueError("a header is longer than the headers of its message")
        at += count
        return taken

    while at < len(block):
        name = take(take(1)[0]).decode("utf-8", "replace")
        kind = take(1)[0]
        value: HeaderValue
        if kind in _BOOLEANS:
            value = _BOOLEANS[kind]
        elif kind in _INTEGERS:
            integer = _INTEGERS[kind]
            (value,) = integer.unpack(take(integer.size))
        elif kind in (6, 7):
            value = take(int.from_bytes(take(2), "big"))
            if kind == 7:
                value = value.decode("utf-8", "replace")
        elif kind == 9:
            value = UUID(bytes=take(16))
        else:
            raise ValueError(f"a header of type {kind}, which the format does not have")
        headers[name] = value
    return headers
