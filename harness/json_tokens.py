"""Where the strings of a JSON text stand in its bytes, character by character.

A scanner of its own, and not the core's parser: it says which bytes a character came from, so that what the core made of
them can be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t\r\n]*+(:?)', re.DOTALL)
_UNIT = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\."
    rb"|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|.",
    re.DOTALL,
)
"""The bytes of one character: an escaped pair of surrogates, an escape, a UTF-8 sequence, or a single byte."""
_ESCAPES = {b"n": "\n", b"t": "\t", b"r": "\r", b"b": "\b", b"f": "\f"}


@dataclass(frozen=True, slots=True)
class StringToken:
    """One string value of a JSON text."""

    key: str
    """The key whose value it is, or that of the array that it is in; empty if there is none."""
    text: str
    offsets: Sequence[int]
    """offsets[i]: where character i begins; the last one is where the string's closing quote stands."""


def string_values(data: bytes, base: int = 0) -> Iterator[StringToken]:
    """The string values of a JSON text that begins at offset ``base``, in order; keys are left out."""
    key = ""
    for found in _TOKEN.finditer(data):
        if found[2]:
            key = found[1].decode("utf-8", "replace")
        else:
            text, offsets = characters(found[1], base + found.start(1))
            yield StringToken(key, text, offsets)


def characters(content: bytes, base: int = 0) -> tuple[str, Sequence[int]]:
    """What the inside of a JSON string says, and where each character of that begins; one more offset for the end."""
    if b"\\" not in content and content.isascii():
        return content.decode("ascii"), range(base, base + len(content) + 1)
    text: list[str] = []
    offsets: list[int] = []
    for unit in _UNIT.finditer(content):
        text.append(_character(unit[0]))
        offsets.append(base + unit.start())
    offsets.append(base + len(content))
    return "".join(text), offsets


def _character(unit: bytes) -> str:
    if unit[:1] != b"\\":
        return unit.decode("utf-8", "replace")
    if unit[1:2] != b"u" or len(unit) < 6:
        return _ESCAPES.get(unit[1:], unit[1:].decode("latin-1"))
    high = int(unit[2:6], 16)
    if len(unit) == 6:
        return chr(high)
    return chr(0x10000 + (high - 0xD800) * 0x400 + int(unit[8:12], 16) - 0xDC00)
