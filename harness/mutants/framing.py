"""Wrong readers of server-sent events.

Each is a way in which code in the field got the format wrong. The first two stood in one program: one is right byte by
byte and empty when fed whole, the other is right for a single whole event and empty when the event is split.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.mutants.base import OPENAI_CHAT, Mutant, Stage, parsed, reading, rewriting

if TYPE_CHECKING:
    from harness.subjects import PartJson

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_BOM = b"\xef\xbb\xbf"
_LARGEST_EVENT = 64 * 1024
"""What :class:`ForgetsStart` calls an event; more it throws away, else its memory would be quadratic in the body."""


class Lines:
    """Lines out of chunks, as the standard has it: CR, LF and CRLF, however they are cut, and one BOM at the start."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._after_cr = False
        self._first = True

    def split(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` completed, without their ends."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
        if chunk[-1:] == b"\r":
            self._after_cr = True
        first, *others = _LINE_END.split(chunk)
        self._pending += first
        if not others:
            return []
        lines = [bytes(self._pending), *others]
        self._pending = bytearray(lines.pop())
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(_BOM)
        return lines

    def rest(self) -> bytes:
        """The open line."""
        return bytes(self._pending.removeprefix(_BOM) if self._first else self._pending)


class StopsEarly:
    """Takes one line at a time, and takes "this line completes no event" for "there is nothing left"."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._waiting: list[bytes] = []
        self._event: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        """The events that were found before the first line that completes none."""
        self._waiting += self._lines.split(chunk)
        found = []
        while (event := self._next()) is not None:
            found.append(event)
        return b"".join(found)

    def _next(self) -> bytes | None:
        if not self._waiting:
            return None
        line = self._waiting.pop(0)
        if line:
            self._event.append(line)
            return None
        event = b"".join(line + b"\n" for line in self._event) + b"\n"
        self._event.clear()
        return event

    def close(self) -> bytes:
        """What stands in the open event; lines that were never looked at are lost."""
        return b"".join(line + b"\n" for line in self._event) + self._lines.rest()


class ForgetsStart:
    """Cuts events out of the buffer from the buffer's start, not from their own, and empties it after each chunk."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, chunk: bytes) -> bytes:
        """For each blank line in this chunk, everything in the buffer up to it."""
        buffer: list[bytes] = []
        size = 0
        found = []
        for line in self._lines.split(chunk):
            if line:
                buffer.append(line + b"\n")
                size += len(line)
            elif buffer and size <= _LARGEST_EVENT:
                found.append(b"".join(buffer) + b"\n")
        return b"".join(found)

    def close(self) -> bytes:
        """The open line."""
        return self._lines.rest()


class CrlfCutIsBlank:
    """Knows all three line ends, but takes a CRLF that is cut in two for two of them."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """The lines that ``chunk`` completed."""
        first, *others = _LINE_END.split(chunk)
        self._pending += first
        if not others:
            return b""
        lines = [bytes(self._pending), *others]
        self._pending = bytearray(lines.pop())
        return b"".join(line + b"\n" for line in lines)

    def close(self) -> bytes:
        """The open line."""
        return bytes(self._pending)


class LinesPerChunk:
    """Splits each chunk into lines on its own, and passes over ``data`` that is not JSON as "an incomplete chunk"."""

    def feed(self, chunk: bytes) -> bytes:
        """The lines of ``chunk`` that look whole."""
        return b"".join(line + b"\n" for line in chunk.splitlines() if self._is_whole(line))

    @staticmethod
    def _is_whole(line: bytes) -> bool:
        name, _, value = line.partition(b":")
        return name != b"data" or value.strip() == b"[DONE]" or bool(parsed(value))

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class DropsRemainder:
    """Splits each chunk at blank lines, and forgets what follows the last of them."""

    def feed(self, chunk: bytes) -> bytes:
        """The events that end in ``chunk``, as far as they stand in it."""
        return b"".join(block + b"\n\n" for block in _BLANK_LINE.split(chunk)[:-1])

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class KeepsBom:
    """Looks at field names without taking a byte order mark off, so that the first field is one nobody knows."""

    def __init__(self) -> None:
        self._started = False

    def feed(self, chunk: bytes) -> bytes:
        """The chunk, behind a comment: a mark that is not at the very start of a stream is no mark."""
        if self._started or not chunk:
            return chunk
        self._started = True
        return b":\n" + chunk

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class LastDataLineWins:
    """Keeps one ``data`` value an event: a second line overwrites the first."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._fields: dict[bytes, bytes] = {}

    def feed(self, chunk: bytes) -> bytes:
        """The events that ``chunk`` completed."""
        found = []
        for line in self._lines.split(chunk):
            if line:
                self._fields[line.partition(b":")[0]] = line
            else:
                found.append(self._open_event() + b"\n")
                self._fields.clear()
        return b"".join(found)

    def _open_event(self) -> bytes:
        return b"".join(line + b"\n" for line in self._fields.values())

    def close(self) -> bytes:
        """The open event."""
        return self._open_event() + self._lines.rest()


class WantsSpace:
    """Knows ``data: `` with the space only, which the format makes optional."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, chunk: bytes) -> bytes:
        """The lines that ``chunk`` completed."""
        lines = self._lines.split(chunk)
        return b"".join(line + b"\n" for line in lines if not line.startswith(b"data") or line.startswith(b"data: "))

    def close(self) -> bytes:
        """The open line."""
        return self._lines.rest()


class CommentIsData:
    """Takes what follows the first colon of any line for its data, so a keep-alive comment becomes an event."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, chunk: bytes) -> bytes:
        """The lines that ``chunk`` completed."""
        return b"".join(self._line(line) + b"\n" for line in self._lines.split(chunk))

    @staticmethod
    def _line(line: bytes) -> bytes:
        name, colon, value = line.partition(b":")
        return b"data:" + value if colon and name not in (b"event", b"id", b"retry") else line

    def close(self) -> bytes:
        """The open line."""
        return self._lines.rest()


class ParsesDone(Stage):
    """Hands every event to the JSON parser, the sentinel ``[DONE]`` too."""

    def event(self, data: bytes, event: str) -> list[PartJson] | None:  # noqa: ARG002 - the signature is not ours to choose
        """An error in place of the end."""
        if data != b"[DONE]":
            return None
        return [{"type": "error", "kind": "malformed_json", "stage": "stream", "offset": 0, "payload": "[DONE]"}]


class DonePrefix(Stage):
    """Takes every event whose data begins with ``[DONE]`` for the end."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The sentinel in place of what only looks like it."""
        return b"[DONE]" if data.startswith(b"[DONE]") else None


MUTANTS = (
    Mutant(
        "sse-stops-early",
        "SSE parser whose loop ends at the first line that completes no event: nothing when fed whole",
        "P1",
        reading(StopsEarly),
    ),
    Mutant(
        "sse-forgets-start",
        "SSE parser that does not remember where an event began: growing prefixes when fed whole, nothing when split",
        "P1",
        reading(ForgetsStart),
    ),
    Mutant(
        "crlf-cut-is-blank",
        "a CRLF cut between two chunks is read as a line end and a blank line: one event becomes two",
        "WH-007",
        reading(CrlfCutIsBlank),
        shown="openai-chat/crlf",
    ),
    Mutant(
        "lines-per-chunk",
        "each chunk is split into lines on its own; a data line that is cut in two is skipped as incomplete",
        "WH-013",
        reading(LinesPerChunk),
    ),
    Mutant(
        "remainder-dropped",
        "each chunk is split at blank lines on its own; the event that crosses the boundary is lost",
        "WH-013",
        reading(DropsRemainder),
    ),
    Mutant("bom-kept", "a byte order mark is taken for part of the first field name", "WH-005", reading(KeepsBom)),
    Mutant(
        "last-data-line-wins",
        "of several data lines of one event only the last is kept",
        "WH-015",
        reading(LastDataLineWins),
        shown="gemini-generateContent/folded",
    ),
    Mutant(
        "data-wants-space",
        "`data:` without a space after the colon is not seen as data",
        "WH-014",
        reading(WantsSpace),
    ),
    Mutant("comment-is-data", "a keep-alive comment is handed on as data", "WH-017", reading(CommentIsData)),
    Mutant(
        "done-parsed",
        "the sentinel [DONE] is handed to the JSON parser",
        "WH-024",
        rewriting(ParsesDone, OPENAI_CHAT),
    ),
    Mutant(
        "done-prefix",
        "whatever begins with [DONE] ends the stream",
        "P2",
        rewriting(DonePrefix, OPENAI_CHAT),
        shown="openai-chat/done-lookalike",
    ),
)
