"""Incremental JSON (RFC 8259): text in, any cutting of it, path events and the value so far out.

Every character is looked at once (:mod:`streamcore.json_machine`), so the cost of a delta does not grow with what came
before.

Strict: what ``JSON.parse`` refuses is an error, found at the first character that no JSON text could have there, and
told by its kind and its offset in bytes of UTF-8. Nothing follows an error; what came before it stays. Numbers are as
the standard library reads them: integers exact, other numbers doubles.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.errors import CallerError
from streamcore.json_events import EventKind, JsonEvent, JsonFailure, JsonFault, Path, Token
from streamcore.json_machine import (
    END,
    IN_STRING,
    NOTHING,
    STOP,
    JsonMachine,
    between,
    in_cut_string,
    in_literal,
    in_number,
    in_string,
    utf8_length,
)
from streamcore.json_number import WHOLE

__all__ = ["EventKind", "JsonEvent", "JsonFailure", "JsonFault", "JsonStream", "Path", "Token"]

_stop: Final = STOP.search
_event: Final = tuple.__new__


class JsonStream:
    """One JSON text, as it arrives.

    Args:
        keep: build the value. False gives events only, in memory that does not grow with the text.
        max_depth: the deepest nesting of arrays and objects; beyond it the text is an error.
    """

    __slots__ = ("_closed", "_keep", "_machine")

    def __init__(self, *, keep: bool = True, max_depth: int = 256) -> None:
        self._keep = keep
        self._closed = False
        self._machine = JsonMachine(keep=keep, max_depth=max_depth)

    def feed(self, text: str) -> list[JsonEvent]:
        """What ``text``, the continuation of all text fed before, has to say.

        Raises:
            CallerError: the text was closed.
        """
        machine = self._machine
        if machine.read is in_string and not machine.key and not machine.surrogate and text and _stop(text) is None:
            # Most deltas of a long text are plain pieces of one string.
            if self._keep:
                machine.pieces.append(text)
            machine.bytes += len(text) if text.isascii() else utf8_length(text)
            return [_event(JsonEvent, ("delta", machine.path, text))]
        if self._closed:
            raise CallerError("feed() after close()")
        out: list[JsonEvent] = []
        if machine.failure is not None:
            return out
        at = 0
        end = len(text)
        while at < end:
            at = machine.read(machine, text, at, out)
        if machine.fresh:
            machine.tell(out)
        machine.bytes += end if text.isascii() else utf8_length(text)
        return out

    def close(self) -> list[JsonEvent]:
        """The end of the text. An outermost number is whole only now; a text that is not whole is a failure."""
        machine = self._machine
        out: list[JsonEvent] = []
        if not self._closed and machine.failure is None:
            if machine.read is in_number and not machine.stack and machine.number in WHOLE:
                machine.end_number(out, "", 0)
            if not self.complete and machine.failure is None:
                machine.failure = JsonFailure(JsonFault.INCOMPLETE, machine.bytes)
            if machine.surrogate:
                machine.say("")
                if machine.fresh:
                    machine.tell(out)
        self._closed = True
        if machine.read is in_string:
            machine.read = in_cut_string
        return out

    @property
    def complete(self) -> bool:
        """The outermost value is whole, and nothing but white space came after it."""
        machine = self._machine
        return machine.table is END and machine.read is between and machine.failure is None

    @property
    def failure(self) -> JsonFailure | None:
        """Why the text is read no further, or was not whole when it ended."""
        return self._machine.failure

    @property
    def started(self) -> bool:
        """There is a :attr:`value`: anything of it was received."""
        return self._machine.root is not NOTHING

    @property
    def value(self) -> Any:
        """The value so far, made of data that was really received; None before the first of it.

        A number or a literal that may go on is absent, and so is a key without a value; a string that is open ends
        where the text ends, and :attr:`open_string` is its path. The containers are those that go on growing.

        Raises:
            CallerError: made with ``keep=False``.
        """
        if not self._keep:
            raise CallerError("a stream with keep=False builds no value")
        machine = self._machine
        if machine.pieces and machine.read in IN_STRING and not machine.key:
            machine.put_string()
        return None if machine.root is NOTHING else machine.root

    @property
    def duplicates(self) -> list[Path]:
        """Paths of the keys that came twice in one object, of which the last wins; only where the value is kept."""
        return self._machine.duplicates

    @property
    def open_string(self) -> Path | None:
        """The path of the string, if the text so far ends inside one that is not a key."""
        machine = self._machine
        return machine.path if machine.read in IN_STRING and not machine.key else None

    @property
    def token(self) -> Token:
        """The token inside which the text so far ends."""
        machine = self._machine
        read = machine.read
        if read is in_literal:
            return Token("literal", machine.token)
        if read is in_number:
            machine.pieces = ["".join(machine.pieces)]
            return Token("number", machine.pieces[0])
        if read in IN_STRING:
            return Token("key" if machine.key else "string", machine.surrogate)
        return Token("", "")

    @property
    def number_text(self) -> str:
        """The last number that is whole, as it was written; empty before the first."""
        return self._machine.number_text

    @property
    def path(self) -> Path:
        """Of the value that is being read, or that comes next."""
        return self._machine.path
