"""Wrong readers of the blocks of an event stream: which lines make an event, and which events there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.mutants.base import ANTHROPIC_MESSAGES, OPENAI_CHAT, SSE, Mutant, reading
from harness.mutants.framing import Lines
from harness.mutants.overriding import overriding
from streamcore.dialects.base import INVALID, Dialect
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.errors import ErrorKind
from streamcore.limits import Limits

if TYPE_CHECKING:
    from typing import Any

    from streamcore.framing.sse import SseFrame
    from streamcore.parts import Part

_PAYLOADS = tuple(name for name in SSE if name != "sse")
_SHORT = 512


class Blocks:
    """Blocks of lines out of chunks, each handed on as it came."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._block: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        """The blocks that ``chunk`` completed."""
        found = []
        for line in self._lines.split(chunk):
            if line:
                self._block.append(line)
            else:
                found.append(self._joined(self.block(self._block)) + b"\n")
                self._block = []
        return b"".join(found)

    def block(self, lines: list[bytes]) -> list[bytes]:
        """The lines of a block that came to its end."""
        return lines

    def close(self) -> bytes:
        """The open block."""
        return self._joined(self._block) + self._lines.rest()

    @staticmethod
    def _joined(lines: list[bytes]) -> bytes:
        return b"".join(line + b"\n" for line in lines)


class LfLfOnly(Blocks):
    """Looks for LF LF between events: of a stream with CRLF all lines are one event, and that at its end."""

    def __init__(self) -> None:
        super().__init__()
        self._body = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """What stands before the last LF LF."""
        self._body += chunk
        end = self._body.rfind(b"\n\n") + 2
        if end < 2:
            return b""
        found = bytes(self._body[:end])
        del self._body[:end]
        return found

    def close(self) -> bytes:
        """Whatever is left, as one event."""
        return self._joined([line for line in bytes(self._body).splitlines() if line])


class NoLoneCr:
    """Knows LF and CRLF, and takes a CR alone for a character of its line."""

    def __init__(self) -> None:
        self._line = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """The lines that end with LF."""
        self._line += chunk
        *lines, rest = self._line.split(b"\n")
        self._line = bytearray(rest)
        return b"".join(self._told(bytes(line)) + b"\n" for line in lines)

    def close(self) -> bytes:
        """The open line."""
        return self._told(bytes(self._line))

    @staticmethod
    def _told(line: bytes) -> bytes:
        return line.removesuffix(b"\r").replace(b"\r", b" ")


class EmptyLineLost(Blocks):
    """Passes over ``data:`` without a value, and its line end with it."""

    def block(self, lines: list[bytes]) -> list[bytes]:
        """The block without empty data lines, unless it has no others."""
        kept = [line for line in lines if line.rstrip() != b"data:"]
        return kept if any(line.startswith(b"data") for line in kept) else lines


class EveryBlockIsEvent(Blocks):
    """Dispatches every block that has a field, with empty data if it has none."""

    def block(self, lines: list[bytes]) -> list[bytes]:
        """The block, with data."""
        fields = {line.partition(b":")[0] for line in lines}
        return [*lines, b"data:"] if fields & {b"id", b"retry", b"event"} and b"data" not in fields else lines


class IdDispatches(Blocks):
    """Keeps the last id as part of every later block, so that one of comments alone is an event too."""

    def __init__(self) -> None:
        super().__init__()
        self._id = False

    def block(self, lines: list[bytes]) -> list[bytes]:
        """The block, with data if it has none and there ever was an id."""
        had, self._id = self._id, self._id or any(line.startswith(b"id:") for line in lines)
        return [*lines, b"data:"] if had and lines and all(line.startswith(b":") for line in lines) else lines


class NamesNeeded(Blocks):
    """Dispatches by the event's name: data without one goes to nobody."""

    def block(self, lines: list[bytes]) -> list[bytes]:
        """Nothing, for a block without a name."""
        return lines if any(line.startswith(b"event:") for line in lines) else []


class ForeignIsFatal(OpenAIChat):
    """Wants every event to be a chunk: what a gateway adds under a name of its own ends the stream."""

    def frame_in_full(self, frame: SseFrame, out: list[Part]) -> None:
        """As the core, but for an event with a name."""
        if frame[1] in ("", "message", "error"):
            super().frame_in_full(frame, out)
        else:
            self.fail(ErrorKind.INVALID_PAYLOAD, "not a chunk", out, fatal=True)


class EmptyDataParsed(Dialect):
    """Hands empty data, which gateways send to keep a connection alive, to the JSON parser, and gives up."""

    def payload(self, data: bytes, out: list[Part]) -> Any:
        """As the core, but for no data at all."""
        if data:
            return super().payload(data, out)
        self.fail(ErrorKind.MALFORMED_JSON, "no JSON at all", out, payload="", fatal=True)
        return INVALID


MUTANTS = (
    Mutant(
        "lf-lf-only",
        "events are looked for between LF LF: a stream with CRLF is one event at its end",
        "WH-008",
        reading(LfLfOnly),
        shown="openai-chat/crlf",
    ),
    Mutant("cr-alone-unknown", "a CR alone does not end a line", "WH-010", reading(NoLoneCr)),
    Mutant("empty-data-line-lost", "an empty data line loses its line end", "WH-016", reading(EmptyLineLost)),
    Mutant(
        "block-without-data",
        "a block of id, event or retry alone is dispatched with empty data",
        "WH-020",
        reading(EveryBlockIsEvent),
    ),
    Mutant("id-dispatches", "after an id a comment alone is dispatched as an event", "WH-021", reading(IdDispatches)),
    Mutant(
        "foreign-event-is-fatal",
        "every event has to be a chunk: one of a gateway's own ends the stream",
        "WH-026",
        overriding(ForeignIsFatal, OPENAI_CHAT),
    ),
    Mutant(
        "event-names-needed",
        "events without a name are dropped, though their type says what they are",
        "WH-027",
        reading(NamesNeeded, (ANTHROPIC_MESSAGES,)),
    ),
    Mutant(
        "empty-data-parsed",
        "an event with empty data is handed to the JSON parser, and ends the stream",
        "WH-022",
        overriding(EmptyDataParsed, OPENAI_CHAT, ANTHROPIC_MESSAGES),
    ),
    Mutant(
        "line-limit",
        "a hidden limit of 512 bytes an event ends the stream in the middle of the answer",
        "WH-018",
        overriding(Dialect, *_PAYLOADS, limits=Limits(max_frame_bytes=_SHORT)),
    ),
)
