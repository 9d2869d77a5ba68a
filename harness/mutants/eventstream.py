"""Wrong readers of AWS event streams, and of what stands in their messages."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

from harness.mutants.base import Mutant, reading
from harness.mutants.overriding import GONE, Values, framing, overriding
from streamcore.dialects.bedrock.stream import BedrockStream
from streamcore.errors import ErrorKind
from streamcore.framing.eventstream import EventStreamFramer

if TYPE_CHECKING:
    from streamcore.parts import Part

_CONVERSE = "bedrock-converse-stream"
_BOTH = (_CONVERSE, "bedrock-invoke-with-response-stream")
_WORD = Struct(">I")
_PRELUDE = 12
_SHORTEST = 16
_LONGEST = 1 << 20
"""What is longer is no message with a flipped bit, but no message at all."""


class Messages:
    """Messages out of chunks by their lengths, each handed on as it came."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """The messages that ``chunk`` completed."""
        self._pending += chunk
        found: list[bytes] = []
        while len(self._pending) >= _PRELUDE:
            size = _WORD.unpack_from(self._pending)[0]
            if not _SHORTEST <= size <= _LONGEST:
                return b"".join(found) + self.close()
            if len(self._pending) < size:
                break
            found.append(self.message(bytes(self._pending[:size])))
            del self._pending[:size]
        return b"".join(found)

    def message(self, message: bytes) -> bytes:
        """A message as the core gets it."""
        return message

    def close(self) -> bytes:
        """What is left."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest


class PayloadUnchecked(Messages):
    """Does not look at the checksum of the message: as if it always fitted."""

    def message(self, message: bytes) -> bytes:
        """With the checksum that fits."""
        return message[:-4] + _WORD.pack(crc32(message[:-4]))


class LengthsTrusted(EventStreamFramer):
    """Believes any length, and waits for the bytes."""

    def _bad_length(self, total: int, header_bytes: int, start: int) -> None:
        """Nothing."""


class MessagePerChunk:
    """Takes every chunk for one message: what is cut or comes with another is lost."""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk as far as it is one whole message."""
        size = _WORD.unpack_from(chunk)[0] if len(chunk) >= _PRELUDE else 0
        return chunk[:size] if _SHORTEST <= size <= len(chunk) else b""

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class TextIsBroken(EventStreamFramer):
    """Takes a JSON answer for messages with a wrong checksum, which hides what it says."""

    def _no_event_stream(self, text: bytes) -> None:  # noqa: ARG002 - the signature is not ours to choose
        self._fail(ErrorKind.FRAME_CRC, 0, "the checksum of a prelude does not match its bytes")


class NoExceptions(BedrockStream):
    """Has no case for messages of type ``exception``."""

    def _exception(self, name: str, payload: bytes, out: list[Part]) -> None:
        """Nothing."""


class NoErrorMessages(BedrockStream):
    """Has no case for messages of type ``error``, which have no payload."""

    def _unmodelled(self, headers: Any, out: list[Part]) -> None:
        """Nothing."""


class NoToolInput(Values):
    """Has no case for ``toolUse`` in a delta: every call is without arguments."""

    def value(self, value: dict[str, Any], name: str) -> Any:
        """Nothing, for a piece of arguments."""
        return GONE if name == "contentBlockDelta" and "toolUse" in (value.get("delta") or {}) else None


class BlocksByArrival(Values):
    """Gives deltas to the block that began last, whatever their index."""

    _last = 0

    def value(self, value: dict[str, Any], name: str) -> Any:
        """The event at another index."""
        if name == "contentBlockStart":
            self._last = value.get("contentBlockIndex", 0)
        elif name == "contentBlockDelta" and "toolUse" in (value.get("delta") or {}):
            return {**value, "contentBlockIndex": self._last}
        return None


MUTANTS = (
    Mutant(
        "message-crc-unchecked",
        "the checksum of a message is not looked at: damaged text is handed on",
        "WH-079",
        reading(PayloadUnchecked, _BOTH),
        shown="bedrock-converse-stream/bad-checksum",
    ),
    Mutant(
        "lengths-trusted",
        "lengths that cannot be are believed: the stream waits for bytes that never come",
        "WH-080",
        framing(LengthsTrusted, *_BOTH),
    ),
    Mutant(
        "message-per-chunk",
        "a chunk is taken for one message of the event stream: what is cut or packed is lost",
        "WH-078",
        reading(MessagePerChunk, _BOTH),
    ),
    Mutant(
        "error-body-is-crc",
        "a JSON error without framing is reported as a wrong checksum: what it says is hidden",
        "WH-082",
        framing(TextIsBroken, *_BOTH),
    ),
    Mutant(
        "exceptions-ignored",
        "an exception message is passed over: a throttled answer reads as one that was cut",
        "WH-081",
        overriding(NoExceptions, *_BOTH),
    ),
    Mutant(
        "error-messages-ignored",
        "a message of type error, which has no payload, is passed over",
        "V19",
        overriding(NoErrorMessages, *_BOTH),
    ),
    Mutant(
        "tool-input-ignored",
        "deltas of tool input are not folded into the call: its arguments are always empty",
        "WH-083",
        overriding(NoToolInput, _CONVERSE),
    ),
    Mutant(
        "blocks-by-arrival",
        "deltas go to the block that began last, not to that of their index: calls are mixed up",
        "WH-084",
        overriding(BlocksByArrival, _CONVERSE),
        shown="bedrock-converse-stream/interleaved-blocks",
    ),
)
