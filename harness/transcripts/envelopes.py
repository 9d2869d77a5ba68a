"""What an AWS event-stream message has around its payload, and how it looks with less of it.

A message (AWS, "Event stream encoding") is: total length (4 bytes), length of the headers (4), checksum of these (4), headers
(length of the name, name, type, and for a string the length of the value in 2 bytes, value), payload, checksum of all (4).
InvokeModel wraps its payload in base64, and pads beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import pack
from zlib import crc32

_STRING = 7
_LEAST = 16
_WRAPPED = re.compile(rb'"bytes":"[A-Za-z0-9+/=]+"')


def barer(message: bytes) -> Iterator[bytes]:
    """The message with less around its payload, in each way that there is; nothing if it is none, or is bare."""
    if len(message) < _LEAST or int.from_bytes(message[:4], "big") != len(message):
        return
    end = 12 + int.from_bytes(message[4:8], "big")
    if end + 4 > len(message):
        return
    payload = message[end:-4]
    found = _WRAPPED.search(payload)
    if found is not None and (bare := b"{%b}" % found[0]) != payload:
        yield _message(message[12:end], bare)
    headers = _headers(message[12:end])
    for at in range(len(headers)):
        yield _message(b"".join(headers[:at] + headers[at + 1 :]), payload)


def _headers(block: bytes) -> list[bytes]:
    """Each header; none if one of them is no string."""
    found = []
    at = 0
    while at < len(block):
        kind = at + 1 + block[at]
        if block[kind : kind + 1] != bytes([_STRING]):
            return []
        end = kind + 3 + int.from_bytes(block[kind + 1 : kind + 3], "big")
        found.append(block[at:end])
        at = end
    return found if at == len(block) else []


def _message(headers: bytes, payload: bytes) -> bytes:
    prelude = pack(">II", _LEAST + len(headers) + len(payload), len(headers))
    covered = prelude + pack(">I", crc32(prelude)) + headers + payload
    return covered + pack(">I", crc32(covered))
