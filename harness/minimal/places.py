"""What stands around an offset of a body: the place of a cut, told in the words of the wire format.

A boundary between two chunks harms code that looks at chunks instead of at the stream, and which code it harms depends on
what it separates: two bytes of one character, CR from LF, the halves of an escape, a length from its checksum.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from enum import StrEnum
from functools import cached_property
from struct import unpack_from

from harness.findings import CutPlace
from harness.subjects.core import FRAMINGS
from harness.visible import code_point_name, visible
from streamcore import DIALECTS
from streamcore.framing.sse import SseFramer

AROUND = 8
"""Bytes that are shown on either side of a cut."""


class Position(StrEnum):
    """Where in the wire format a boundary lies. The first that fits is meant."""

    EDGE = "at the edge of the body"
    UTF8 = "inside a UTF-8 character"
    CR_LF = "between CR and LF"
    FRAMES = "between two frames"
    LINE_END = "after a line end"
    BEFORE_LINE_END = "before a line end"
    LENGTHS = "inside the lengths of a prelude"
    PRELUDE_CRC = "before the checksum of a prelude"
    INSIDE_PRELUDE_CRC = "inside the checksum of a prelude"
    HEADERS = "before the headers of a message"
    INSIDE_HEADERS = "inside the headers of a message"
    PAYLOAD = "before the payload of a message"
    MESSAGE_CRC = "before the checksum of a message"
    INSIDE_MESSAGE_CRC = "inside the checksum of a message"
    FIELD_NAME = "inside a field name"
    FIELD_VALUE = "between a field name and its value"
    COMMENT = "inside a comment"
    FIELD = "inside the value of a field"
    DONE = "inside [DONE]"
    ESCAPE = "inside a JSON escape"
    SURROGATES = "between the two escapes of a surrogate pair"
    STRING = "inside a JSON string"
    WORD = "inside a JSON number or literal"
    TOKENS = "between two JSON tokens"


_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[-+.\w]+', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,4}|.)", re.DOTALL)
_HIGH_HALF = re.compile(rb"\\u[dD][89abAB]")
_LINE = re.compile(rb"[^\r\n]+")
_FIELD = re.compile(rb"([^:]*)(?:: ?)?")
_LEADS = ((0xC2, 0xDF, 2), (0xE0, 0xEF, 3), (0xF0, 0xF4, 4))


class Places:
    """The offsets of one body. ``dialect`` is a dialect or a framing; one that is not known is read as ``sse``.

    ``framing`` is the name of the framing, a key of :data:`harness.subjects.core.FRAMINGS`.
    """

    def __init__(self, body: bytes, dialect: str) -> None:
        self.body = body
        framer = DIALECTS[dialect].framer if dialect in DIALECTS else FRAMINGS.get(dialect, (SseFramer, None))[0]
        self.framing = next(name for name, (made_by, _) in FRAMINGS.items() if made_by is framer)
        self._framer = framer
        self._frame: tuple[int, dict[int, Position]] = (-1, {})  # start of a frame, and what was found out about it

    @cached_property
    def ends(self) -> list[int]:
        """Offsets just after each frame."""
        ends = [frame[-1] for frame in self._framer().feed(self.body)]
        # An event may be out with the CR of its last line end, to which a LF still belongs.
        return [end + (self.body[end - 1 : end + 1] == b"\r\n") for end in ends]

    def event(self, offset: int) -> int | None:
        """0-based index of the frame that holds the byte after ``offset``; None behind the last."""
        index = bisect_right(self.ends, offset)
        return index if index < len(self.ends) else None

    def at(self, offset: int) -> CutPlace:
        """The place that is ``offset`` bytes into the body."""
        before, after = self.body[max(0, offset - AROUND) : offset], self.body[offset : offset + AROUND]
        position = self.position(offset)
        return CutPlace(
            offset=offset,
            event=self.event(offset),
            position=position.value,
            character=self._named(offset) if position is Position.UTF8 else "",
            before=before.hex(" ").upper(),
            after=after.hex(" ").upper(),
            text_before=_readable(before),
            text_after=_readable(after),
        )

    def text(self, start: int, end: int) -> str:
        """The bytes from ``start`` to ``end`` as text, with all that cannot be seen spelt out."""
        return _readable(self.body[start:end])

    def position(self, offset: int) -> Position:
        """Where ``offset`` lies."""
        body = self.body
        if not 0 < offset < len(body):
            return Position.EDGE
        if self.framing == "eventstream":
            return self._in_message(offset)
        pair = body[offset - 1 : offset + 1]
        if self._character(offset):
            return Position.UTF8
        if pair == b"\r\n":
            return Position.CR_LF
        if self._is_end(offset):
            return Position.FRAMES
        if self.framing != "jsonarray" or pair[:1] not in b" \t":
            if pair[0] in b"\r\n":
                return Position.LINE_END
            if pair[1] in b"\r\n":
                return Position.BEFORE_LINE_END
        return self._of_frame(offset).get(offset, Position.TOKENS)

    def _is_end(self, offset: int) -> bool:
        at = bisect_left(self.ends, offset)
        return at < len(self.ends) and self.ends[at] == offset

    def _start_of_frame(self, offset: int) -> int:
        at = bisect_right(self.ends, offset)
        return self.ends[at - 1] if at else 0

    def _of_frame(self, offset: int) -> dict[int, Position]:
        """The offsets inside tokens of the frame around ``offset``."""
        start = self._start_of_frame(offset)
        if self._frame[0] != start:
            at = bisect_right(self.ends, offset)
            end = self.ends[at] if at < len(self.ends) else len(self.body)
            found: dict[int, Position] = {}
            if self.framing == "sse":
                for line in _LINE.finditer(self.body, start, end):
                    self._line(line.start(), line[0], found)
            else:
                _tokens(self.body[start:end], start, found)
            self._frame = (start, found)
        return self._frame[1]

    def _line(self, start: int, line: bytes, found: dict[int, Position]) -> None:
        """A line of an event stream."""
        split = _FIELD.match(line)
        assert split is not None  # the pattern matches anything
        name, begin = split[1], split.end()
        comment = not name and line.startswith(b":")
        for at in range(1, len(line)):
            kind = Position.COMMENT if comment else Position.FIELD
            if not comment and at < len(name):
                kind = Position.FIELD_NAME
            elif not comment and at <= begin:
                kind = Position.FIELD_VALUE
            found[start + at] = kind
        value = line[begin:]
        if name == b"data":
            for at in range(1, len(value)):
                found[start + begin + at] = Position.DONE if value.startswith(b"[DONE]") else Position.TOKENS
            if not value.startswith(b"[DONE]"):
                _tokens(value, start + begin, found)

    def _in_message(self, offset: int) -> Position:
        """In an AWS event-stream message."""
        start = self._start_of_frame(offset)
        at = offset - start
        if at == 0:
            return Position.FRAMES
        fixed = {8: Position.PRELUDE_CRC, 12: Position.HEADERS}.get(at)
        if fixed is not None:
            return fixed
        if at < 12:
            return Position.LENGTHS if at < 8 else Position.INSIDE_PRELUDE_CRC
        total, headers = unpack_from(">II", self.body, start)
        if at <= 12 + headers:
            return Position.PAYLOAD if at == 12 + headers else Position.INSIDE_HEADERS
        if at >= total - 4:
            return Position.MESSAGE_CRC if at == total - 4 else Position.INSIDE_MESSAGE_CRC
        if self._character(offset):
            return Position.UTF8
        if self._frame[0] != start:
            begin = start + 12 + headers
            found: dict[int, Position] = {}
            _tokens(self.body[begin : start + total - 4], begin, found)
            self._frame = (start, found)
        return self._frame[1].get(offset, Position.TOKENS)

    def _character(self, offset: int) -> tuple[int, bytes] | None:
        """First byte and UTF-8 of the character that ``offset`` lies inside."""
        for back in (1, 2, 3):
            start = offset - back
            if start < 0 or not 0x80 <= self.body[start + 1] < 0xC0:
                return None
            for low, high, size in _LEADS:
                if low <= self.body[start] <= high:
                    text = self.body[start : start + size]
                    return (start, text) if back < size and _is_character(text) else None
        return None

    def _named(self, offset: int) -> str:
        found = self._character(offset)
        if found is None:
            return ""
        char = found[1].decode()
        return f"U+{ord(char):04X} {code_point_name(char)}"


def _is_character(text: bytes) -> bool:
    try:
        return len(text.decode()) == 1
    except UnicodeDecodeError:
        return False


def _tokens(text: bytes, base: int, found: dict[int, Position]) -> None:
    """Notes the offsets inside tokens of the JSON in ``text``, which begins at ``base``."""
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        inside = Position.STRING if text[start] == 0x22 else Position.WORD
        for at in range(start + 1, end):
            found[base + at] = inside
        if inside is Position.STRING:
            _escapes(text, base, token, found)


def _escapes(text: bytes, base: int, token: re.Match[bytes], found: dict[int, Position]) -> None:
    for escape in _ESCAPE.finditer(text, *token.span()):
        for at in range(escape.start() + 1, escape.end()):
            found[base + at] = Position.ESCAPE
        if _HIGH_HALF.match(escape[0]) and text[escape.end() : escape.end() + 2] == b"\\u":
            found[base + escape.end()] = Position.SURROGATES


def _readable(data: bytes) -> str:
    """The bytes as text: those of half a character, and of none, as ``⟨F0⟩``."""
    text = data.decode("utf-8", "surrogateescape")
    return "".join(
        f"\u27e8{ord(char) - 0xDC00:02X}\u27e9" if 0xDC80 <= ord(char) <= 0xDCFF else visible(char) for char in text
    )
