"""What incremental JSON says: events, tokens, and the closed set of what can be wrong with a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple

Path = tuple[str | int, ...]
"""Where a value is: keys and 0-based positions from the outermost value inwards."""

EventKind = Literal["open", "key", "delta", "value", "close"]


class JsonEvent(NamedTuple):
    """Something that the text has just said.

    =========  ===================================  =====================================
    kind       path                                 value
    =========  ===================================  =====================================
    ``open``   of an object, array or string        ``"object"``, ``"array"``, ``"string"``
    ``key``    of the object                        the key
    ``delta``  of a string                          its next piece, unescaped, never empty
    ``value``  of a number, ``true``, ``false``,    the value; it is whole
               ``null``
    ``close``  of an object, array or string        None
    =========  ===================================  =====================================
    """

    kind: EventKind
    path: Path
    value: Any


class Token(NamedTuple):
    """A token that is open."""

    kind: Literal["", "key", "string", "number", "literal"]
    """Empty between tokens."""
    text: str
    """Of a number or literal: all of it so far. Of a string or key: half of a surrogate pair that is still held back."""


class JsonFault(StrEnum):
    """The closed set of what can be wrong with a text."""

    EXPECTED_VALUE = "expected_value"
    EXPECTED_KEY = "expected_key"
    """Inside an object, where only a key (or, at first, the closing brace) may stand."""
    EXPECTED_COLON = "expected_colon"
    EXPECTED_COMMA = "expected_comma"
    """After an element: neither a comma nor the bracket that closes."""
    BAD_LITERAL = "bad_literal"
    """A word that begins like ``true``, ``false`` or ``null`` and is none of them."""
    BAD_NUMBER = "bad_number"
    """A character that this number cannot have, or an integer of more digits than Python reads."""
    BAD_ESCAPE = "bad_escape"
    CONTROL_CHARACTER = "control_character"
    """Below U+0020 and not escaped, inside a string."""
    TOO_DEEP = "too_deep"
    TRAILING_DATA = "trailing_data"
    """More than white space after the outermost value."""
    INCOMPLETE = "incomplete"
    """The text ended too early; only :meth:`JsonStream.close` says so."""


@dataclass(frozen=True, slots=True)
class JsonFailure:
    """What is wrong, and where: ``offset`` counts bytes of UTF-8 from the start of the text."""

    kind: JsonFault
    offset: int
