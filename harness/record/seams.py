"""Where decoders break: the places at which a stream of each framing is worth cutting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Seams = Callable[[Sequence[bytes]], Iterator[int]]

_CHARACTER = rb"[\xc2-\xf4](?=[\x80-\xbf])"


def _matches(pattern: bytes) -> Seams:
    def seams(events: Sequence[bytes]) -> Iterator[int]:
        yield from (match.end() for match in re.finditer(pattern, b"".join(events)))

    return seams


def _message_seams(events: Sequence[bytes]) -> Iterator[int]:
    """The edges inside AWS event-stream messages, and the insides of the characters of their payloads.

    A message (AWS, "Event stream encoding") is: total length (4 bytes), length of the headers (4), checksum of these
    (4), headers (length of the name, name, type, length of the value, value: the type is always string here), payload,
    checksum of all (4). What is too short for its own lengths has no edges.
    """
    start = 0
    for event in events:
        headers_end = 12 + int.from_bytes(event[4:8], "big")
        if len(event) >= 16 and headers_end + 4 <= len(event):
            edges = {4, 8, 12, headers_end, len(event) - 4, len(event) - 1}
            at = 12
            while at < headers_end:
                value = at + 1 + event[at]
                edges |= {at + 1, value, value + 1, value + 3}
                at = value + 3 + int.from_bytes(event[value + 1 : value + 3], "big")
                edges.add(at)
            edges |= {match.end() for match in re.finditer(_CHARACTER, event) if match.end() > headers_end}
            yield from (start + edge for edge in edges if edge <= len(event))
        start += len(event)


SEAMS: Mapping[str, Seams] = {
    # inside every multi-byte character, between CR and LF, between the two line ends of an event, and after ``data``
    "sse": _matches(_CHARACTER + rb"|\r(?=\n)|\n(?=\r?\n)|\bdata(?=:)"),
    "eventstream": _message_seams,
    # before and after every line end
    "ndjson": _matches(_CHARACTER + rb"|(?=\r?\n)|\r(?=\n)"),
    # after the comma between two elements and around the white space there, and before the closing bracket
    "json-array": _matches(_CHARACTER + rb"|(?<=\})(?=\s*[,\]])|,(?=\s*\{)|\r(?=\n)|\n(?=[{\],])|\](?=\s*\Z)"),
}
"""Framing -> the positions of its seams in the joined events, in any order."""
