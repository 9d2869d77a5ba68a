"""Messages of an AWS event stream, as a service writes them (AWS, "Event stream encoding", and Smithy, "Event streams")."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from zlib import crc32

from harness.record.wire import ScenarioError, made_up

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRING = 7
"""The type of a header whose value is text, the only one that these services send."""
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Prelude (total length, length of the headers, checksum), headers, payload, checksum; all big-endian."""
    block = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    covered = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return covered + struct.pack(">I", crc32(covered))


def event(kind: str, payload: bytes) -> bytes:
    """A modelled event: its name in the union of the stream, and its JSON."""
    return message({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(kind: str, payload: bytes) -> bytes:
    """A modelled exception: the stream ends with it."""
    return message(
        {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload
    )


def error(code: str, text: str) -> bytes:
    """An error that is not modelled: all it says is in its headers."""
    return message({":error-code": code, ":error-message": text, ":message-type": "error"}, b"")


def damaged(frame: bytes, where: str) -> bytes:
    """The message with one bit wrong: in its ``prelude``, whose checksum then fails, or in its ``payload``."""
    places = {"prelude": 7, "payload": len(frame) - 6}
    if where not in places:
        raise ScenarioError(f"damaged: {where!r} is none of prelude, payload")
    at = places[where]
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]


def padding(seed: str) -> str:
    """What Bedrock hides the length of a text with: the first 0 to 61 characters of a fixed row, as ``p`` of a payload."""
    return _PADDING[: int(made_up(seed, 4, "0123456789")) % len(_PADDING)]
