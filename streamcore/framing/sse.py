"""Server-sent events, as WHATWG HTML section 9.2.6 "Interpreting an event stream" defines them.

Where the standard leaves a choice, or its JavaScript implementations differ from it:

* A frame carries the ``event`` and ``id`` of its own block. The ``last_event_id`` of the standard, which persists from
  block to block, is an attribute of the framer.
* A blank line is seen as soon as its CR is in; the LF of a CRLF that comes later is swallowed. Nothing waits for a byte
  that a quiet connection may never send.
* The standard discards a block that the end of input leaves unterminated. ``close`` hands it out instead, marked by
  being the return value of ``close``, so that the caller can tell a cut stream from a finished one. Such a block leaves
  ``last_event_id`` alone: whoever resumes from there gets it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streamcore.errors import ErrorKind
from streamcore.framing import FrameFailure
from streamcore.framing.sse_blocks import plain_blocks
from streamcore.limits import Limits

SseFrame = tuple[bytes, str, str | None, int]
"""``(data, event, id, end)``: the ``data`` lines joined with LF; the event type, empty if the block has none; the
block's own id, None if it has none; and the offset in the body just after the block's blank line (after its CR, if it
has one). A plain tuple, because one is made for every event."""

_Data = bytes | list[bytes] | None  # data lines of the open block: none, one, several
_BOM = b"\xef\xbb\xbf"
_EMPTY: list[SseFrame] = []
_FIELDS = frozenset((b"data", b"event", b"id", b"retry"))
_WORTH_BULK = 2048
"""Bytes of a chunk from which on taking blocks in bulk is faster than going line by line."""
_INTERNED_EVENTS = 64
"""Event types whose decoded text is remembered; more than any provider has."""
_INTERNED_LINE = 128
"""Bytes of the longest ``event`` line that is remembered; longer than any provider's."""
_MAX_RETRY_DIGITS = 4300
"""The standard library refuses to convert longer decimal integers (its guard against quadratic time)."""


class SseFramer:
    """Bytes to :data:`SseFrame`, incrementally."""

    __slots__ = (
        "_at_start",
        "_data",
        "_event",
        "_events",
        "_held",
        "_id",
        "_image",
        "_line_start",
        "_max_frame_bytes",
        "_max_stray_bytes",
        "_pending",
        "_skip_lf",
        "_special",
        "failure",
        "frames",
        "last_event_id",
        "retry",
        "stray",
    )

    truncated = False  # close() hands out the block that was cut, for whoever can tell whether it is whole

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._max_frame_bytes = limits.max_frame_bytes
        self._max_stray_bytes = limits.max_stray_bytes
        self._events: dict[bytes, str] = {}
        self._pending = bytearray()  # the open line
        self._line_start = 0  # offset in the body of the open line
        self._data: _Data = None
        self._held = 0  # bytes that _data will have when joined
        self._event = ""
        self._id: str | None = None
        self._at_start = True  # a BOM may still come
        self._skip_lf = False  # the last byte was a CR
        self._special = True  # one of the two above, or failed: the common path does not apply
        # What the snapshot says besides the open line, until that changes: most bytes only make the line longer.
        self._image: tuple[Any, ...] | None = None
        self.failure: FrameFailure | None = None
        self.frames = 0
        self.last_event_id = ""
        self.retry: int | None = None
        self.stray = b""
        """Lines that are no field of an event stream, up to a limit; only after ``close`` the last, open one too."""

    @property
    def offset(self) -> int:
        """Bytes of the body consumed so far."""
        return self._line_start + len(self._pending)

    def feed(self, chunk: bytes) -> list[SseFrame]:
        """The frames that ``chunk`` completes, in order; empty when it completes none."""
        if self._special:
            chunk = self._begin(chunk)
        pending = self._pending
        if self._held + len(pending) + len(chunk) > self._max_frame_bytes:
            return self._feed_bounded(chunk)
        # Integers, because bytes.__contains__ tries to take its argument as one and catches the TypeError otherwise.
        if 0x0D in chunk:
            return self._lines_of_any_kind(chunk)
        if 0x0A not in chunk:
            pending += chunk
            return _EMPTY
        self._image = None
        out: list[SseFrame] = []
        if len(chunk) >= _WORTH_BULK:
            if self._blocks_alike(chunk, out):
                return out
            chunk = self._blocks(chunk, out)
        lines = chunk.split(b"\n")
        if pending:
            pending += lines[0]
            lines[0] = bytes(pending)
            pending.clear()
        pending += lines.pop()
        data = self._data
        rest = iter(lines)
        if self._id is not None or type(data) is list:
            self._each_line(rest, out)
            return out
        # This loop is the whole cost of a stream. While a block has data, its offset is kept as if its data line were
        # still to come: then a block costs one addition instead of one a line.
        event = self._event
        position = self._line_start if data is None else self._line_start - len(data) - 7
        append = out.append
        for line in rest:
            if not line:
                if data is None:
                    position += 1
                else:
                    position += len(data) + 8
                    append((data, event, None, position))  # type: ignore[arg-type]
                    data = None
                event = ""
            elif line[:6] == b"data: " and data is None:
                data = line[6:]
            elif line[:7] == b"event: ":
                position += len(line) + 1
                event = self._events.get(line) or self._event_type(line, line[7:])
            else:
                self._data = data
                self._event = event
                self._line_start = position if data is None else position + len(data) + 7
                self._line(line, len(line) + 1, out)
                self._each_line(rest, out)
                return out
        self.frames += len(out)
        self._data = data
        self._event = event
        if data is None:
            self._held = 0
            self._line_start = position
        else:
            self._held = len(data)
            self._line_start = position + len(data) + 7
        return out

    def _each_line(self, lines: Iterable[bytes], out: list[SseFrame]) -> None:
        """Lines of any kind that ended with LF."""
        for line in lines:
            self._line(line, len(line) + 1, out)
        self.frames += len(out)

    def _blocks_alike(self, chunk: bytes, out: list[SseFrame]) -> bool:
        """Takes all of ``chunk`` in one go, if the open line is the first data line of its block and what follows is
        more of the same: blocks of one data line, and the same event line or none. If not, does nothing: False."""
        pending = self._pending
        if self._data is not None or self._id is not None or not pending.startswith(b"data: "):
            return False
        event = self._event
        between = b"\n\nevent: %b\ndata: " % event.encode() if event else b"\n\ndata: "
        payloads = chunk.split(between)
        if 0x0A in b"".join(payloads):
            return False
        payloads[0] = bytes(pending)[6:] + payloads[0]
        pending[6:] = payloads.pop()
        width = len(between)
        position = self._line_start + 8 - width
        for payload in payloads:
            position += width + len(payload)
            out.append((payload, event, None, position))
        self._line_start = position + width - 8
        self.frames += len(out)
        return True

    def _blocks(self, chunk: bytes, out: list[SseFrame]) -> bytes:
        """Takes the blocks between the first and the last blank line of ``chunk`` in one go, if they are plain; the rest,
        or else all of ``chunk``, is left for the common path and returned."""
        first = chunk.find(b"\n\n") + 2
        last = chunk.rfind(b"\n\n") + 2
        if first >= last or self._id is not None or type(self._data) is list:
            return chunk
        found = plain_blocks(chunk, first, last, self.offset + first, self._events, self._event_type)
        if found is None:
            return chunk
        frames, position = found
        before = self.frames
        out += self.feed(chunk[:first])
        out += frames
        self.frames = before  # counted with the rest of the chunk
        self._line_start = position
        return chunk[last:]

    def close(self) -> SseFrame | None:
        """The block that the end of input left unterminated, if it has data; the standard would discard it."""
        if self.failure is not None:
            return None
        self._image = None
        end = self.offset
        line = bytes(self._pending)
        data, event = self._data, self._event
        if not any(start.startswith(line) for start in (*_FIELDS, _BOM)):
            data, event = self._field(line, data, event)
        self._pending.clear()
        self._line_start = end
        self._data = None
        if data is None:
            return None
        return (b"\n".join(data) if isinstance(data, list) else data, event, self._id, end)

    def _begin(self, chunk: bytes) -> bytes:
        """Settles what the common path leaves out: a BOM at the start, the LF of a CRLF that was cut, failure."""
        if self.failure is not None or not chunk:
            return b""
        self._image = None
        if self._at_start:
            start = bytes(self._pending) + chunk
            if len(start) < len(_BOM) and _BOM.startswith(start):
                return chunk
            self._at_start = False
            if start.startswith(_BOM):
                self._pending.clear()
                self._line_start = len(_BOM)
                chunk = start[len(_BOM) :]
        else:
            self._skip_lf = False
            if chunk[0] == 0x0A:
                self._line_start += 1
                chunk = chunk[1:]
        self._special = False
        return chunk

    def _lines_of_any_kind(self, chunk: bytes) -> list[SseFrame]:
        self._image = None
        out: list[SseFrame] = []
        # bytes.splitlines knows exactly the three line ends of the standard: CR, LF, CRLF.
        for raw in chunk.splitlines(keepends=True):
            self._raw_line(raw, out)
        if chunk[-1] == 0x0D:
            self._special = self._skip_lf = True
        self.frames += len(out)
        return out

    def _raw_line(self, raw: bytes, out: list[SseFrame]) -> None:
        """One line together with its end, or the beginning of one."""
        if raw[-1] not in b"\r\n":
            self._pending += raw
            return
        if self._pending:
            self._pending += raw
            raw = bytes(self._pending)
            self._pending.clear()
        self._line(raw.rstrip(b"\r\n"), len(raw), out)

    def _line(self, line: bytes, width: int, out: list[SseFrame]) -> None:
        """One line of any kind; ``width`` counts its end too."""
        if line:
            self._data, self._event = self._field(line, self._data, self._event)
            if type(self._data) is not list:  # for a list, _field has kept count
                self._held = len(self._data or b"")
        else:
            if self._data is not None:
                data = b"\n".join(self._data) if isinstance(self._data, list) else self._data
                out.append((data, self._event, self._id, self._line_start + 1))
                self._data = None
                self._held = 0
            self._event = ""
            if self._id is not None:
                self.last_event_id = self._id
                self._id = None
        self._line_start += width

    def _feed_bounded(self, chunk: bytes) -> list[SseFrame]:
        """As ``feed``, one line at a time, because a frame may outgrow its limit within this chunk."""
        self._image = None
        limit = self._max_frame_bytes
        out: list[SseFrame] = []
        for raw in chunk.splitlines(keepends=True):
            content = len(raw.rstrip(b"\r\n"))
            room = limit - self._held - len(self._pending)
            if content > room:
                self._fail(self.offset + room, f"a frame of more than {limit} bytes")
                break
            self._raw_line(raw, out)
        else:
            if chunk and chunk[-1] == 0x0D:
                self._special = self._skip_lf = True
        self.frames += len(out)
        return out

    def _fail(self, offset: int, detail: str) -> None:
        """Gives up at ``offset`` and forgets the open frame: the state is the same however the bytes were cut."""
        self.failure = FrameFailure(ErrorKind.EVENT_TOO_LARGE, offset, detail)
        self._special = True
        self._pending.clear()
        self._line_start = offset
        self._data = self._id = None
        self._held = 0
        self._event = ""

    def _field(self, line: bytes, data: _Data, event: str) -> tuple[_Data, str]:
        """Applies one non-blank line to the open block; returns its data lines and its event type."""
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            if data is None:
                return value, event
            if isinstance(data, bytes):
                self._held = len(data) + 1 + len(value)
                return [data, value], event
            self._held += 1 + len(value)
            data.append(value)
        elif name == b"event":
            return data, self._event_type(b"event: " + value, value)
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry":
            # isdigit of bytes knows ASCII digits only, as the standard wants
            if value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
                self.retry = int(value)
        elif name and len(self.stray) < self._max_stray_bytes:
            self.stray = (self.stray + line + b"\n")[: self._max_stray_bytes]
        return data, event

    def _event_type(self, line: bytes, value: bytes) -> str:
        text = value.decode("utf-8", "replace")
        if len(self._events) < _INTERNED_EVENTS and len(line) <= _INTERNED_LINE:
            self._events[line] = text
        return text

    def snapshot(self) -> tuple[Any, ...]:
        """The whole state, hashable and comparable; O(bytes of the open frame)."""
        return bytes(self._pending), self._line_start, self._image or self._besides_the_line()

    def is_at(self, snapshot: tuple[Any, ...]) -> bool:
        """Whether ``self.snapshot() == snapshot``, without a copy."""
        pending, line_start, image = snapshot
        if self._pending != pending or self._line_start != line_start:
            return False
        own = self._image or self._besides_the_line()
        if own is not image:
            if own != image:
                return False
            self._image = image  # the next comparison is one of identity
        return True

    def _besides_the_line(self) -> tuple[Any, ...]:
        self._image = (
            tuple(self._data) if isinstance(self._data, list) else self._data,
            self._event,
            self._id,
            self.stray,
            self._at_start,
            self._skip_lf,
            self._special,
            self.failure,
            self.frames,
            self.last_event_id,
            self.retry,
        )
        return self._image

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Takes on a state that ``snapshot`` returned, on this framer or another one with the same limits."""
        pending, self._line_start, self._image = snapshot
        self._pending = bytearray(pending)
        (
            data,
            self._event,
            self._id,
            self.stray,
            self._at_start,
            self._skip_lf,
            self._special,
            self.failure,
            self.frames,
            self.last_event_id,
            self.retry,
        ) = self._image
        self._data = list(data) if isinstance(data, tuple) else data
        self._held = sum(map(len, data)) + len(data) - 1 if isinstance(data, tuple) else len(data or b"")
