"""What a stream spells: the texts of a JSON key, one event after the other, and where their letters stand.

A model says a key in as many deltas as it likes, so that no single one of them looks like a secret, or only the first does.
What they add up to is looked at here, and what is found in it is overwritten where its letters stand: each piece keeps its
bytes, and the pieces still add up to what a later event repeats as a whole.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT = re.compile(rb'"([\w.-]{1,60})"\s*:\s*"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)')
"""A JSON member whose value is a string, or begins one where the data end."""
_UNIT = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]")
"""One character of a JSON string (RFC 8259, 7), or one byte of it."""
_PLACE = re.compile(rb'"(?:\w*index|item_id)"\s*:\s*(?:\d+|"[^"\\]*")')
"""Which of several texts that are told side by side (choices, items, blocks) an event belongs to."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The value of one member: what it says, and where it stands in the data, its escapes included."""

    key: bytes
    value: bytes
    start: int
    end: int
    place: bytes = b""

    @property
    def escaped(self) -> bool:
        return self.end - self.start != len(self.value)


def pieces_in(data: bytes) -> Iterator[Piece]:
    """Every text in ``data``, in order; those whose escapes are none are no JSON and left out."""
    line, place = (0, -1), b""
    for match in TEXT.finditer(data):
        start, end = match.span(2)
        if start == end:
            continue
        value = match[2]
        if b"\\" in value:
            try:
                value = json.loads(b'"' + value + b'"', strict=False).encode("utf-8", "surrogatepass")
            except ValueError:
                continue
        if not line[0] <= start < line[1]:
            after = data.find(b"\n", start)
            line = (data.rfind(b"\n", 0, start) + 1, len(data) if after < 0 else after)
            place = b",".join(sorted(found[0] for found in _PLACE.finditer(data, *line)))
        yield Piece(match[1], value, start, end, place)


def by_key(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """The pieces of each key."""
    found: dict[bytes, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.key, []).append(piece)
    return list(found.values())


def by_place(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Where several texts of one key are told side by side, the pieces of each of them."""
    found: dict[tuple[bytes, bytes], list[Piece]] = {}
    for piece in pieces:
        found.setdefault((piece.key, piece.place), []).append(piece)
    places = Counter(key for key, _ in found)
    return [group for (key, _), group in found.items() if places[key] > 1 and len(group) > 1]


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text in pieces."""

    pieces: list[Piece]
    text: bytes
    starts: list[int]
    """Where each piece starts in the text."""

    @classmethod
    def of(cls, pieces: list[Piece]) -> Spelled:
        starts = list(accumulate((len(piece.value) for piece in pieces[:-1]), initial=0))
        return cls(pieces, b"".join(piece.value for piece in pieces), starts)

    def offset(self, at: int) -> int:
        """Where the piece stands that holds the byte ``at`` of the text."""
        return self.pieces[bisect_right(self.starts, at) - 1].start

    def write(self, text: bytes, data: bytearray) -> None:
        """Let the pieces in ``data`` spell ``text``, which has the length of the old one.

        An escape keeps its length: in its place the new letter stands as often as the escape has bytes.
        """
        for piece, (start, end) in zip(self.pieces, pairwise([*self.starts, len(self.text)]), strict=True):
            new = text[start:end]
            if new == piece.value:
                continue
            if not piece.escaped:
                data[piece.start : piece.end] = new
                continue
            at = 0
            for unit in _UNIT.finditer(bytes(data[piece.start : piece.end])):
                said = _said(unit[0])
                told = new[at : at + len(said)]
                if told != said:
                    where = slice(piece.start + unit.start(), piece.start + unit.end())
                    data[where] = (told * len(unit[0]))[: len(unit[0])]
                at += len(said)


def _said(unit: bytes) -> bytes:
    if len(unit) == 1:
        return unit
    said: str = json.loads(b'"' + unit + b'"')
    return said.encode("utf-8", "surrogatepass")
