"""Where a body is worth cutting: the offsets at which a decoder most often goes wrong.

Behind a CR, behind a LF, inside a character of UTF-8, inside an escape of JSON, and in AWS event-stream messages at the
ends of the length, the prelude, its checksum, the headers, the payload and the checksum of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from struct import Struct
from zlib import crc32

_LINE_END = re.compile(rb"[\r\n]")
_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{4}(?:\\u[dD][c-fC-F][0-9A-Fa-f]{2})?|.)", re.DOTALL)
_CHARACTER = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
_PRELUDE = Struct(">III")
_SHORTEST = 16
"""Bytes of an AWS message without headers and payload."""


def cuts_by_kind(body: bytes) -> dict[str, list[int]]:
    """For each kind of place the offsets, increasing; a kind that the body lacks is left out."""
    kinds: dict[str, set[int]] = {}
    messages = list(_messages(body))
    kinds["message"] = {cut for message in messages for cut in message}
    for found in _LINE_END.finditer(body):
        kinds.setdefault("CR" if found[0] == b"\r" else "LF", set()).add(found.end())
    kinds["UTF-8"] = {cut for found in _CHARACTER.finditer(body) for cut in range(found.start() + 1, found.end())}
    kinds["escape"] = {cut for found in _ESCAPE.finditer(body) for cut in range(found.start() + 1, found.end())}
    inner = {kind: sorted(cut for cut in cuts if 0 < cut < len(body)) for kind, cuts in kinds.items()}
    return {kind: cuts for kind, cuts in inner.items() if cuts}


def interesting_cuts(body: bytes) -> list[int]:
    """The cuts of all kinds, those of each kind spread over the body, in an order in which any beginning is a fair choice:
    a first one of each kind, then a last one of each, then one between, and so on."""
    spread = [iter(_spread(cuts)) for cuts in cuts_by_kind(body).values()]
    order: dict[int, None] = {}
    while spread:
        for cuts in list(spread):
            cut = next(cuts, None)
            if cut is None:
                spread.remove(cuts)
            else:
                order[cut] = None
    return list(order)


def thinned(offsets: Sequence[int], most: int, first: Sequence[int] = ()) -> list[int]:
    """At most ``most`` of ``offsets``, in order: all if that many may be, else ``first`` ones for a half and then even ones."""
    if len(offsets) <= most:
        return sorted(offsets)
    kept = set(first[: most // 2])
    left = most - len(kept)
    kept.update(offsets[index * len(offsets) // left] for index in range(left))
    return sorted(kept)


def _spread(cuts: Sequence[int]) -> Iterator[int]:
    """First, last, middle, the middles of the halves, and so on: each once."""
    given: set[int] = set()
    parts = 1
    while len(given) < len(cuts):
        for step in range(parts + 1):
            index = step * (len(cuts) - 1) // parts
            if index not in given:
                given.add(index)
                yield cuts[index]
        parts *= 2


def _messages(body: bytes) -> Iterator[tuple[int, ...]]:
    """The edges within each AWS message, and its end, as far as the preludes can be trusted."""
    at = 0
    while at + _SHORTEST <= len(body):
        total, headers, checksum = _PRELUDE.unpack_from(body, at)
        if crc32(body[at : at + 8]) != checksum or total < _SHORTEST or headers > total - _SHORTEST:
            return
        end = at + total
        yield (at + 4, at + 8, at + 10, at + 12, at + 12 + headers, end - 4, end - 2, end)
        at = end
