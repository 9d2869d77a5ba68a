"""The machine behind :class:`streamcore.jsonstream.JsonStream`: tables, and a reader for each kind of token.

A table says, for each place between tokens, which character leads where; strings, numbers and literals have a small
machine of their own. Every character is looked at once::

    VALUE  --{-->  FIRST_KEY  --"-->  (key)  -->  COLON  --:-->  VALUE  -->  NEXT_KEY  --,-->  KEY
           --[-->  FIRST_ITEM -->  VALUE ...                               NEXT_ITEM  --,-->  VALUE
                                                  the outermost value done: END
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from streamcore.json_events import JsonEvent, JsonFailure, JsonFault, Path
from streamcore.json_number import DIGITS, TRANSITIONS, WHOLE, number_of

_SPACE: Final = re.compile(r"[ \t\n\r]+")
STOP: Final = re.compile(r'["\\\x00-\x1f]')
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_HEX_DIGITS: Final = 4
_LITERALS: Final = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


class _Container:
    """An open object or array."""

    __slots__ = ("count", "is_object", "path", "value")

    def __init__(self, value: Any, path: Path, *, is_object: bool) -> None:
        self.value = value
        self.path = path
        self.is_object = is_object
        self.count = 0
        """Items of an array that are whole."""


class _Nothing:
    __slots__ = ()


NOTHING: Final = _Nothing()


class JsonMachine:
    """Where a text stands. The readers below change it; nobody else does."""

    __slots__ = (
        *("bytes", "duplicates", "failure", "fresh", "keep", "key", "max_depth", "number", "number_text", "path"),
        *("pieces", "read", "root", "stack", "surrogate", "table", "token"),
    )

    def __init__(self, *, keep: bool, max_depth: int) -> None:
        self.keep = keep
        self.max_depth = max_depth
        self.bytes = 0
        """Of all earlier feeds."""
        self.table: Table = VALUE
        """What may come between tokens."""
        self.read: Reader = between
        """What reads the next character."""
        self.stack: list[_Container] = []
        self.path: Path = ()
        """Of the value that is being read, or that comes next."""
        self.root: Any = NOTHING
        self.key = False
        """The open string is a key."""
        self.pieces: list[str] = []
        """Of the open number; of the open string, if it is a key or the value is kept."""
        self.fresh: list[str] = []
        """Pieces of the open string that no event has told yet."""
        self.token = ""
        """The open literal, or the digits of the open escape."""
        self.surrogate = ""
        """The first half of a surrogate pair, of which the second may follow."""
        self.number = ""
        """State of the open number."""
        self.number_text = ""
        """The last number that is whole, as it was written."""
        self.failure: JsonFailure | None = None
        self.duplicates: list[Path] = []

    def fail(self, kind: JsonFault, text: str, at: int) -> int:
        """Notes the failure at ``text[at]``, and ends the reading of ``text``."""
        if self.surrogate:
            self.say("")
        self.failure = JsonFailure(kind, self.bytes + utf8_length(text[:at]))
        if self.read is in_string:
            self.read = in_cut_string
        return len(text)

    def put(self, value: Any) -> None:
        """Places a value that has begun."""
        if not self.stack:
            self.root = value if self.keep else None
        elif self.keep:
            container = self.stack[-1]
            if container.is_object:
                if self.path[-1] in container.value:
                    self.duplicates.append(self.path)
                container.value[self.path[-1]] = value
            else:
                container.value.append(value)

    def put_string(self) -> None:
        """Brings the open string, which has a place already, up to date."""
        fresh = "".join(self.pieces)
        self.pieces = []
        if not fresh:
            return
        # While nobody else refers to it the interpreter appends to a string in place; otherwise it copies.
        if not self.stack:
            text = self.root
            self.root = None
            text += fresh
            self.root = text
            return
        container, key = self.stack[-1].value, self.path[-1]
        text = container[key]
        container[key] = None
        text += fresh
        container[key] = text

    def say(self, piece: str) -> None:
        """The next piece of the open string; a half of a surrogate pair that was held back goes before it."""
        piece = self.surrogate + piece
        self.surrogate = ""
        if self.key or self.keep:
            self.pieces.append(piece)
        if not self.key:
            self.fresh.append(piece)

    def tell(self, out: list[JsonEvent]) -> None:
        out.append(JsonEvent("delta", self.path, "".join(self.fresh)))
        self.fresh = []

    def ended(self) -> None:
        """A value is whole: what comes next depends on where it stands."""
        self.read = between
        if not self.stack:
            self.table = END
            return
        container = self.stack[-1]
        if container.is_object:
            self.table = _NEXT_KEY
        else:
            self.table = _NEXT_ITEM
            container.count += 1

    def end_number(self, out: list[JsonEvent], text: str, at: int) -> int:
        written = "".join(self.pieces)
        try:
            value = number_of(written)
        except ValueError:
            return self.fail(JsonFault.BAD_NUMBER, text, at)
        self.put(value)
        out.append(JsonEvent("value", self.path, value))
        self.number_text = written
        self.pieces = []
        self.ended()
        return at


Reader = Callable[[JsonMachine, str, int, "list[JsonEvent]"], int]
"""Reads ``text`` from ``at`` on, and returns up to where it has read."""


class Table:
    """A place between tokens: which reader takes which character, and what it means if none does."""

    __slots__ = ("fault", "readers")

    def __init__(self, fault: JsonFault, readers: dict[str, Reader]) -> None:
        self.fault = fault
        self.readers = readers


def utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def between(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    """Between two tokens."""
    char = text[at]
    reader = machine.table.readers.get(char)
    if reader is not None:
        return reader(machine, text, at, out)
    space = _SPACE.match(text, at)
    if space is None:
        return machine.fail(machine.table.fault, text, at)
    return space.end()


def _open(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    """``{`` or ``[``."""
    if len(machine.stack) >= machine.max_depth:
        return machine.fail(JsonFault.TOO_DEEP, text, at)
    is_object = text[at] == "{"
    value: Any = {} if is_object else []
    machine.put(value)
    out.append(JsonEvent("open", machine.path, "object" if is_object else "array"))
    machine.stack.append(_Container(value, machine.path, is_object=is_object))
    if is_object:
        machine.table = _FIRST_KEY
    else:
        machine.table = _FIRST_ITEM
        machine.path = (*machine.path, 0)
    return at + 1


def _close(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:  # noqa: ARG001 - the signature is not ours to choose
    """``}`` or ``]``."""
    machine.path = machine.stack.pop().path
    out.append(JsonEvent("close", machine.path, None))
    machine.ended()
    return at + 1


def _comma(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:  # noqa: ARG001 - the signature is not ours to choose
    container = machine.stack[-1]
    if container.is_object:
        machine.table = _KEY
    else:
        machine.table = VALUE
        machine.path = (*container.path, container.count)
    return at + 1


def _colon(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:  # noqa: ARG001 - the signature is not ours to choose
    machine.table = VALUE
    return at + 1


def _begin_key(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    machine.key = True
    machine.read = in_string
    return at + 1 if at + 1 == len(text) else in_string(machine, text, at + 1, out)


def _begin_string(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    machine.put("")
    out.append(JsonEvent("open", machine.path, "string"))
    machine.read = in_string
    return at + 1 if at + 1 == len(text) else in_string(machine, text, at + 1, out)


def in_string(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    found = STOP.search(text, at)
    stop = len(text) if found is None else found.start()
    if stop > at:
        machine.say(text[at:stop])
    if found is None:
        return stop
    char = text[stop]
    if char == '"':
        _end_string(machine, out)
    elif char == "\\":
        machine.read = _after_backslash
    else:
        return machine.fail(JsonFault.CONTROL_CHARACTER, text, stop)
    return stop + 1


def in_cut_string(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    """After the end, or a failure: stands for the string that was left open, and reads nothing."""
    raise NotImplementedError


def _end_string(machine: JsonMachine, out: list[JsonEvent]) -> None:
    if machine.surrogate:
        machine.say("")
    if machine.key:
        machine.key = False
        key = "".join(machine.pieces)
        container = machine.stack[-1]
        out.append(JsonEvent("key", container.path, key))
        machine.path = (*container.path, key)
        machine.table = _COLON
        machine.read = between
    else:
        if machine.fresh:
            machine.tell(out)
        if machine.keep:
            machine.put_string()
        out.append(JsonEvent("close", machine.path, None))
        machine.ended()
    machine.pieces = []


def _after_backslash(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:  # noqa: ARG001 - the signature is not ours to choose
    char = text[at]
    if char == "u":
        machine.read = _in_hex
        return at + 1
    plain = _ESCAPES.get(char)
    if plain is None:
        return machine.fail(JsonFault.BAD_ESCAPE, text, at)
    machine.say(plain)
    machine.read = in_string
    return at + 1


def _in_hex(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:  # noqa: ARG001 - the signature is not ours to choose
    """The four digits of ``\\uXXXX``; two that are the halves of a surrogate pair are one character."""
    char = text[at]
    if char not in _HEX:
        return machine.fail(JsonFault.BAD_ESCAPE, text, at)
    machine.token += char
    if len(machine.token) < _HEX_DIGITS:
        return at + 1
    unit = chr(int(machine.token, 16))
    machine.token = ""
    machine.read = in_string
    held = machine.surrogate
    if held and "\udc00" <= unit <= "\udfff":
        machine.surrogate = ""
        machine.say((held + unit).encode("utf-16-le", "surrogatepass").decode("utf-16-le"))
    elif "\ud800" <= unit <= "\udbff":
        if held:
            machine.say("")
        machine.surrogate = unit
    else:
        machine.say(unit)
    return at + 1


def in_number(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    state = machine.number
    stop = at
    for char in text[at:] if at else text:
        following = TRANSITIONS[state].get(char)
        if following is None:
            break
        state = following
        stop += 1
    machine.pieces.append(text[at:stop])
    machine.number = state
    if stop == len(text):
        return stop
    if state not in WHOLE or text[stop] in "+-.0123456789eE":
        return machine.fail(JsonFault.BAD_NUMBER, text, stop)
    return machine.end_number(out, text, stop)


def _begin_number(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    machine.number = ""
    machine.read = in_number
    return in_number(machine, text, at, out)


def _begin_literal(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:  # noqa: ARG001 - the signature is not ours to choose
    machine.token = text[at]
    machine.read = in_literal
    return at + 1


def in_literal(machine: JsonMachine, text: str, at: int, out: list[JsonEvent]) -> int:
    word, value = _LITERALS[machine.token[0]]
    token = machine.token + text[at]
    if not word.startswith(token):
        return machine.fail(JsonFault.BAD_LITERAL, text, at)
    if token != word:
        machine.token = token
        return at + 1
    machine.token = ""
    machine.put(value)
    out.append(JsonEvent("value", machine.path, value))
    machine.ended()
    return at + 1


_BEGIN: Final[dict[str, Reader]] = {
    "{": _open,
    "[": _open,
    '"': _begin_string,
    "-": _begin_number,
    **dict.fromkeys(DIGITS, _begin_number),
    **dict.fromkeys(_LITERALS, _begin_literal),
}
VALUE: Final = Table(JsonFault.EXPECTED_VALUE, _BEGIN)
_FIRST_ITEM: Final = Table(JsonFault.EXPECTED_VALUE, {**_BEGIN, "]": _close})
_NEXT_ITEM: Final = Table(JsonFault.EXPECTED_COMMA, {",": _comma, "]": _close})
_FIRST_KEY: Final = Table(JsonFault.EXPECTED_KEY, {'"': _begin_key, "}": _close})
_KEY: Final = Table(JsonFault.EXPECTED_KEY, {'"': _begin_key})
_COLON: Final = Table(JsonFault.EXPECTED_COLON, {":": _colon})
_NEXT_KEY: Final = Table(JsonFault.EXPECTED_COMMA, {",": _comma, "}": _close})
END: Final = Table(JsonFault.TRAILING_DATA, {})
IN_STRING: Final = frozenset((in_string, _after_backslash, _in_hex, in_cut_string))
