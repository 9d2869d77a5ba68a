"""AWS event-stream messages, written field by field as the specification lists them; shares nothing with the framer."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

Header = tuple[str, str, Any]
"""``(name, type, value)``."""

_FIXED = {"byte": (2, ">b"), "short": (3, ">h"), "integer": (4, ">i"), "long": (5, ">q"), "timestamp": (8, ">q")}


def header(name: str | bytes, kind: str, value: Any = None) -> bytes:
    """One header."""
    raw = name.encode() if isinstance(name, str) else name
    head = bytes([len(raw)]) + raw
    if kind in _FIXED:
        number, layout = _FIXED[kind]
        return head + bytes([number]) + struct.pack(layout, value)
    if kind in ("bytes", "string"):
        data = value.encode() if isinstance(value, str) else value
        return head + (b"\x06" if kind == "bytes" else b"\x07") + struct.pack(">H", len(data)) + data
    if kind == "uuid":
        assert isinstance(value, UUID)
        return head + b"\x09" + value.bytes
    return head + {"true": b"\x00", "false": b"\x01"}[kind]


def message(payload: bytes = b"", headers: Sequence[Header] | bytes = (), **lies: int) -> bytes:
    """One message; ``total``, ``headers_length``, ``prelude_crc``, ``crc`` override what is true."""
    block = headers if isinstance(headers, bytes) else b"".join(header(*one) for one in headers)
    total = lies.get("total", 16 + len(block) + len(payload))
    prelude = struct.pack(">II", total, lies.get("headers_length", len(block)))
    prelude += struct.pack(">I", lies.get("prelude_crc", zlib.crc32(prelude)))
    whole = prelude + block + payload
    return whole + struct.pack(">I", lies.get("crc", zlib.crc32(whole)))


def event(name: str, payload: bytes) -> bytes:
    """A message as Bedrock sends its events."""
    return message(
        payload,
        [
            (":event-type", "string", name),
            (":content-type", "string", "application/json"),
            (":message-type", "string", "event"),
        ],
    )
