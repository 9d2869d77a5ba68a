"""What three SDKs show of JSON that is still arriving, each in its own way, at a cost that hardly grows with the text.

While arguments stream, helpers of the SDKs show a partial object. They disagree about the token that is open:

=====================  =======================  ==================  ====================================
open token             ``openai``               ``anthropic``       ``ai``
=====================  =======================  ==================  ====================================
string                 as far as it goes, less  absent              as far as it goes
                       white space at its end
number                 absent                   absent              up to its last digit
``t``, ``fal``, ...    the whole literal        absent              the whole literal
key without a value    absent                   absent              absent
nothing at all         a failure                a failure           a failure
=====================  =======================  ==================  ====================================

All of their quirks on texts that are the beginning of a JSON text are kept; ``golden/partial-json`` holds what the SDKs
themselves give for every beginning of a set of documents. One is not: after an empty array with white space inside
(``[ ]``) the parser of ``openai`` takes a bracket for another one, and reads the rest of the text wrongly. After a
character that no JSON text could have there the value stays what it was; ``anthropic`` fails.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, get_args

from streamcore.errors import CallerError
from streamcore.json_number import number_of
from streamcore.jsonstream import JsonEvent, JsonStream, Path

Flavour = Literal["openai", "anthropic", "ai"]

_ABSENT: Final = object()
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS: Final = {"t": True, "f": False, "n": None}
_TRIMMED: Final = (
    " \t\n\r\v\f\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What ``String.prototype.trim`` removes (ECMA-262, WhiteSpace and LineTerminator)."""


class PartialJson:
    """A JSON text as it arrives, and what an SDK shows of it.

    Args:
        flavour: whose way of showing it.
        max_depth: the deepest nesting that is read.

    Raises:
        CallerError: unknown flavour.
    """

    def __init__(self, flavour: Flavour, *, max_depth: int = 256) -> None:
        if flavour not in get_args(Flavour):
            raise CallerError(f"flavour: {flavour!r} is none of {', '.join(get_args(Flavour))}")
        self._flavour = flavour
        self._json = JsonStream(keep=False, max_depth=max_depth)
        self._top: list[Any] = []
        """The outermost value, once there is one."""
        self._stack: list[Any] = []
        """The containers that are open."""
        self._before: Any = _ABSENT
        """What was in the place of the open string: a key may come twice."""
        self._number: tuple[Path, Any] | None = None
        """The number that the text ends with, apart from white space: its path, and what was there before."""
        self._spaces = 0
        """Characters of white space at the end of the text."""
        self._overlay: list[tuple[Any, Any, Any]] = []
        """(container, key, what belongs there): what is shown for now, and has to be put back."""
        self._refused: list[Path] = []
        """``ai``: where a key that its parser refuses, for safety's sake, has a value."""
        self._lost = False
        """``ai``: its scanner took an escaped quote for the end of a key, and a colon after it for the colon."""
        self._stale: tuple[Path, Any] | None = None
        """``ai``: a number of which less is shown than was received, until something else comes: its path, what is shown."""

    def feed(self, text: str) -> None:
        """``text`` continues all text fed before."""
        if not text or self._json.failure is not None:
            return
        self._put_back()
        stripped = text.rstrip(_TRIMMED)
        self._spaces = len(text) - len(stripped) + (0 if stripped else self._spaces)
        for event in self._json.feed(text):
            self._take(event)
        if stripped and (stripped[-1] not in "0123456789" or self._json.token.kind):
            self._number = None

    @property
    def failed(self) -> bool:
        """The SDK gives nothing, or an error, for this text."""
        self._lay_over()
        if self._flavour == "anthropic" and self._json.failure is not None:
            return True
        return not self._top or bool(self._refused) or ((self._lost or self._is_lone_minus()) and not self._json.complete)

    @property
    def value(self) -> Any:
        """What is shown; None if :attr:`failed`. Its containers are those that go on growing."""
        return None if self.failed else self._top[0]

    @property
    def complete(self) -> bool:
        """The text is one whole JSON value, whatever is shown of it."""
        return self._json.complete

    # Building, as the text has it: strings as they come, numbers and literals when they are whole -----------------

    def _place(self, path: Path) -> tuple[Any, Any]:
        """The container of a value, and its key there."""
        return (self._stack[-1], path[-1]) if path else (self._top, 0)

    def _take(self, event: JsonEvent) -> None:
        kind, path, value = event
        if kind == "key":
            self._lost = self._lost or (self._flavour == "ai" and ":" in value.partition('"')[2])
            return
        self._number = self._stale = None
        container, key = self._place(path)
        if kind == "open":
            self._before = _get(container, key)
            fresh: Any = "" if value == "string" else {} if value == "object" else []
            _put(container, key, fresh)
            self._look_at_key(path)
            if value != "string":
                self._stack.append(fresh)
        elif kind == "delta":
            text = container[key]
            container[key] = None  # nobody else refers to it now, so the interpreter appends in place
            text += value
            container[key] = text
        elif kind == "value":
            if type(value) in (int, float):
                self._number = (path, _get(container, key))
                self._note_plus(path)
            _put(container, key, value)
            self._look_at_key(path)
        elif len(path) == len(self._stack) - 1:  # and not that of a string inside it
            self._stack.pop()

    def _look_at_key(self, path: Path) -> None:
        # As provider-utils does after parsing: keys through which a prototype could be reached are refused.
        if self._refused:  # what stood here before is gone, for a key may come twice
            self._refused = [other for other in self._refused if other[: len(path)] != path]
        if self._flavour == "ai" and (path[-1:] == ("__proto__",) or path[-2:] == ("constructor", "prototype")):
            self._refused.append(path)

    def _note_plus(self, path: Path) -> None:
        head, plus, _ = self._json.number_text.partition("+")
        if plus and self._flavour == "ai" and path and type(path[-1]) is str:
            self._stale = (path, _number(head.rstrip("eE")))

    # Showing, as the SDK does: what differs from the above is laid over it, and put back before more is read -------

    def _lay_over(self) -> None:
        if self._overlay or self._json.failure is not None:
            return
        kind, text = self._json.token
        path = self._json.path
        if kind == "literal" and self._flavour != "anthropic":
            self._show(path, _LITERALS[text[0]])
        elif kind == "string":
            self._show_string(path, text)
        elif kind == "number":
            self._show_number(path, text)
        elif self._number is not None and self._flavour == "openai" and path and self._spaces:
            self._show(*self._number)
        if self._stale is not None and not self._overlay and not self._json.complete:
            self._show(*self._stale)

    def _show_string(self, path: Path, half: str) -> None:
        container, key = self._place(path)
        if self._flavour == "anthropic":
            self._show(path, self._before)
        elif half:
            self._show(path, container[key] + half)
        elif self._flavour == "openai" and self._spaces:
            self._show(path, container[key][: -self._spaces])

    def _show_number(self, path: Path, text: str) -> None:
        if not path and self._flavour == "openai":
            # The whole text is one number: it is shown whenever it could be the last of it.
            if _NUMBER.fullmatch(text):
                self._show(path, _number(text))
        elif self._flavour == "ai":
            shown = _up_to_a_digit(text, in_array=bool(path) and type(path[-1]) is int)
            if not path and _NUMBER.fullmatch(text):
                shown = text
            if shown:
                self._show(path, _number(shown))

    def _is_lone_minus(self) -> bool:
        """``ai``: a first item that is but a minus so far makes text of which its parser can make nothing."""
        path = self._json.path
        return self._flavour == "ai" and self._json.token == ("number", "-") and bool(path) and path[-1] == 0

    def _show(self, path: Path, value: Any) -> None:
        container, key = self._place(path)
        self._overlay.append((container, key, _get(container, key)))
        _put(container, key, value)
        if value is not _ABSENT:
            self._look_at_key(path)

    def _put_back(self) -> None:
        while self._overlay:
            _put(*self._overlay.pop())


def _get(container: Any, key: Any) -> Any:
    if type(container) is dict:
        return container.get(key, _ABSENT)
    return container[key] if key < len(container) else _ABSENT


def _put(container: Any, key: Any, value: Any) -> None:
    if type(container) is dict:
        if value is _ABSENT:
            container.pop(key, None)
        else:
            container[key] = value
    elif value is _ABSENT:
        del container[key:]
    elif key < len(container):
        container[key] = value
    else:
        container.append(value)


def _number(text: str) -> int | float:
    try:
        return number_of(text)
    except ValueError:  # more digits than the interpreter reads: to the SDKs, which know doubles alone, just a large one
        return float(text)


def _up_to_a_digit(text: str, *, in_array: bool) -> str:
    """The beginning of a number that fixJson of the AI SDK keeps: to it a plus sign ends the number."""
    head, plus, tail = text.partition("+")
    if plus and tail and in_array:
        return text
    return head.rstrip("eE.-+")
