"""Recorded text made safe to look at: what cannot be seen, or would move other text about, is spelt out.

Recorded model output is hostile (decision 9 of the design): it may hold bidirectional controls, zero-width characters,
halves of surrogate pairs, terminal escapes. None of them may reach a page or a terminal as itself. Which characters
those are: everything that :meth:`str.isprintable` refuses (Unicode categories Cc, Cf, Cs, Co, Cn, Zl, Zp, and Zs but
for the space), and the printable ones that leave no ink (Unicode Character Database, ``Default_Ignorable_Code_Point``,
and the blanks of Hangul and Braille).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INKLESS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_HAS_INKLESS = re.compile(f"[{_INKLESS}]")

_CONTROLS = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
).split()
"""Not the control pictures of U+2400: few fonts have them, and a box says nothing."""

_ABBREVIATIONS = {
    **dict(enumerate(_CONTROLS)), 0x7F: "DEL", 0x85: "NEL", 0xA0: "NBSP", 0xAD: "SHY", 0x034F: "CGJ", 0x061C: "ALM", 0x200B: "ZWSP",
    0x200C: "ZWNJ", 0x200D: "ZWJ", 0x200E: "LRM", 0x200F: "RLM", 0x2028: "LS", 0x2029: "PS", 0x202A: "LRE",
    0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO", 0x202F: "NNBSP", 0x2060: "WJ", 0x2066: "LRI",
    0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xFE0E: "VS15", 0xFE0F: "VS16", 0xFEFF: "BOM",
}  # fmt: skip
"""The Unicode standard's own abbreviations, where a reader is likelier to know them than the number."""

_CONTROL_NAMES = (
    "NULL", "START OF HEADING", "START OF TEXT", "END OF TEXT", "END OF TRANSMISSION", "ENQUIRY", "ACKNOWLEDGE", "BELL",
    "BACKSPACE", "CHARACTER TABULATION", "LINE FEED", "LINE TABULATION", "FORM FEED", "CARRIAGE RETURN", "SHIFT OUT",
    "SHIFT IN", "DATA LINK ESCAPE", "DEVICE CONTROL ONE", "DEVICE CONTROL TWO", "DEVICE CONTROL THREE",
    "DEVICE CONTROL FOUR", "NEGATIVE ACKNOWLEDGE", "SYNCHRONOUS IDLE", "END OF TRANSMISSION BLOCK", "CANCEL",
    "END OF MEDIUM", "SUBSTITUTE", "ESCAPE", "INFORMATION SEPARATOR FOUR", "INFORMATION SEPARATOR THREE",
    "INFORMATION SEPARATOR TWO", "INFORMATION SEPARATOR ONE",
)  # fmt: skip
"""Unicode's aliases of the controls, which :func:`unicodedata.name` does not know."""

_UNNAMED = {"Cs": "LONE SURROGATE", "Co": "PRIVATE USE", "Cn": "UNASSIGNED", "Cc": "CONTROL"}

_JSON_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}

_UNIT = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)

LONGEST_UNIT = 12
"""Characters of a surrogate pair as JSON spells it, the longest unit of a line."""


def visible(text: str) -> str:
    """``text`` with everything that cannot be seen spelt out: ``⟨LF⟩``, ``⟨ZWJ⟩``, ``⟨U+D83D⟩``. Never fails to encode."""
    if text.isprintable() and (text.isascii() or not _HAS_INKLESS.search(text)):
        return text
    return "".join(char if is_visible(char) else shown(char) for char in text)


def is_visible(char: str) -> bool:
    """Whether ``char`` may stand for itself."""
    return char.isprintable() and not _HAS_INKLESS.match(char)


def abbreviations() -> dict[int, str]:
    """What :func:`shown` calls the code points that have a name of a few letters."""
    return dict(_ABBREVIATIONS)


def shown(char: str) -> str:
    """How ``char`` is written where it cannot stand for itself."""
    point = ord(char)
    return f"\u27e8{_ABBREVIATIONS.get(point, f'U+{point:04X}')}\u27e9"


def code_point_name(char: str) -> str:
    """The Unicode name of one code point, or what kind of nameless one it is."""
    point = ord(char)
    if point < len(_CONTROL_NAMES):
        return _CONTROL_NAMES[point]
    if point == 0x7F:
        return "DELETE"
    name = unicodedata.name(char, "")
    if not name and 0xD800 <= point <= 0xDFFF:
        return "LONE HIGH SURROGATE" if point < 0xDC00 else "LONE LOW SURROGATE"
    return name or _UNNAMED.get(unicodedata.category(char), "UNNAMED")


def ascii_only(text: str) -> str:
    r"""``text`` for a terminal of unknown encoding: printable ASCII as it is, the rest as ``\uxxxx`` code units."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isascii() and char.isprintable() else _code_units(char) for char in text)


def _code_units(char: str) -> str:
    data = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[at]:02x}{data[at + 1]:02x}" for at in range(0, len(data), 2))


@dataclass(frozen=True, slots=True)
class Unit:
    """One character of a trace line: what JSON says it is, and where the line spells it."""

    start: int
    end: int
    """``line[start:end]`` is how the line spells it."""
    char: str
    """The code point; half of a surrogate pair that stands alone is one, too."""

    def display(self, spelling: str) -> tuple[str, bool]:
        """What to show, and whether that is an escape. ``spelling`` is ``line[start:end]``."""
        if len(spelling) == 2 and spelling[1] not in "nrtbf":
            return visible(spelling), False  # a decoded quote would look like the end of the string
        return (self.char, False) if is_visible(self.char) else (shown(self.char), True)


def units(line: str, around: int, before: int = 0) -> Iterator[Unit]:
    """The characters of ``line`` from at least ``before`` characters in front of index ``around``, to the end.

    Escapes are read as JSON reads them, a pair of surrogates as one character; anything else stands for itself, so a
    line that is no JSON at all can be shown, too. A line of a megabyte costs no more than one of a kilobyte.
    """
    at = max(0, around - (before + 1) * LONGEST_UNIT)
    while at > 0 and line[at - 1] == "\\":
        at -= 1  # the first backslash of a run always starts an escape
    for found in _UNIT.finditer(line, at):
        yield Unit(found.start(), found.end(), _decoded(found[0]))


def unit_at(line: str, index: int) -> Unit | None:
    """The character that ``line[index]`` is part of; None at the end of the line."""
    return next((unit for unit in units(line, index) if unit.end > index), None)


def _decoded(spelling: str) -> str:
    if len(spelling) == LONGEST_UNIT:
        high, low = int(spelling[2:6], 16), int(spelling[8:12], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if len(spelling) == 6:
        return chr(int(spelling[2:], 16))
    return spelling if len(spelling) == 1 else _JSON_ESCAPES.get(spelling[1], spelling[1])
