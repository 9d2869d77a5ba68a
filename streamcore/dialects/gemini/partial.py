"""Arguments that Gemini streams as (path, value) pairs (``partialArgs``), written as one growing JSON text.

A pair names its place by a JSONPath (``$.recipe.ingredients[0].name``; RFC 9535, names and indices only) and brings a
scalar; a string may come in several pieces. As long as the pairs come in document order the text only grows, and is the
text that ``@ai-sdk/google`` makes of them. A pair that would change what is written already (a member that is there
already, an element out of turn, a place in a container that was left) cannot be told by growing.
"""

from __future__ import annotations

import re
from typing import Any, Final

from streamcore import jsontext
from streamcore.state import EMPTY_LOG, Log, State

Path = tuple[str | int, ...]

_STEP: Final = re.compile(r"""\.?([^.\[\]]+)|\[([0-9]{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""", re.S)


def path_of(text: str) -> Path | None:
    """The steps of a JSONPath; None if it names no single place below the root."""
    rest = text[1:] if text.startswith("$") else text
    steps: list[str | int] = []
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            return None
        name, index, single, double = match.groups()
        if name is not None:
            steps.append(name)
        elif index is not None:
            steps.append(int(index))
        else:
            steps.append(re.sub(r"\\(.)", r"\1", double if single is None else single, flags=re.S))
        at = match.end()
    return tuple(steps) or None


class Container(State):
    """An object or array that is still open."""

    __slots__ = ("is_array", "members", "size", "step")

    def __init__(self, step: str | int, *, is_array: bool) -> None:
        self.step = step
        """Where it is in the container around it."""
        self.is_array = is_array
        self.members: set[str] = set()
        """Names that an object has already."""
        self.size = 0

    def takes(self, step: str | int) -> bool:
        """Whether a new member or element can stand there."""
        if isinstance(step, int):
            return self.is_array and step == self.size
        return not self.is_array and step not in self.members

    def enter(self, step: str | int) -> str:
        """What stands before the value of the new member or element."""
        comma = "," if self.size else ""
        self.size += 1
        if isinstance(step, int):
            return comma
        self.members.add(step)
        return f"{comma}{jsontext.string_text(step)}:"


class ArgumentsWriter(State):
    """The arguments of one call, so far."""

    __slots__ = ("broken", "open", "string", "string_at", "text")

    def __init__(self) -> None:
        self.open: list[Container] = []
        """The object that the arguments are, and what is open in it; empty before the first value."""
        self.string: Path | None = None
        """The place of the string whose closing quote is not written yet."""
        self.string_at = ""
        """That place as the wire spells it."""
        self.text: Log = EMPTY_LOG
        self.broken = False
        """A value came that the text cannot tell; it does not grow any more."""

    def more(self, place: str, string: str, most: int) -> str | None:
        """One more piece of the open string, as most are; returns by what the text grew. None if it is another one, or
        if the text would pass ``most`` characters.
        """
        if self.string is None or place != self.string_at or self.broken:
            return None
        grown = jsontext.string_text(string)[1:-1]
        return self._grow(grown) if self.text.length + len(grown) <= most else None

    def value(self, arg: dict[str, Any]) -> str:
        """Writes one element of ``partialArgs``; returns by what the text grew."""
        path = path_of(arg["jsonPath"])
        string = arg.get("stringValue")
        if string is not None and path is not None and path == self.string:
            return self._grow(jsontext.string_text(string)[1:-1])
        text = _scalar_text(arg)
        if text is None:
            return ""
        self.string_at = arg["jsonPath"]
        return self.leaf(path, text, stays_open=string is not None and arg.get("willContinue") is True)

    def leaf(self, path: Path | None, text: str, *, stays_open: bool = False) -> str:
        """Writes a value, whose JSON text is ``text``, at ``path``; ``stays_open`` if it is a string to be continued."""
        if self.broken or path is None or not isinstance(path[0], str):
            self.broken = True
            return ""
        grown = '"' if self.string is not None else ""
        self.string = None
        if not self.open:
            self.open.append(Container("", is_array=False))
            grown = "{"
        around, last = path[:-1], path[-1]
        kept = 1
        while kept < len(self.open) and kept <= len(around) and self.open[kept].step == around[kept - 1]:
            kept += 1
        grown += self._closing(kept)
        del self.open[kept:]
        for depth in range(kept - 1, len(around)):
            step = around[depth]
            if not self.open[-1].takes(step):
                self.broken = True
                return ""
            is_array = isinstance(path[depth + 1], int)
            grown += self.open[-1].enter(step) + ("[" if is_array else "{")
            self.open.append(Container(step, is_array=is_array))
        if not self.open[-1].takes(last):
            self.broken = True
            return ""
        grown += self.open[-1].enter(last)
        if stays_open:
            self.string = path
            text = text[:-1]
        return self._grow(grown + text)

    def _grow(self, text: str) -> str:
        if self.broken:
            return ""
        self.text = self.text.append(text)
        return text

    def _closing(self, kept: int) -> str:
        return "".join("]" if container.is_array else "}" for container in reversed(self.open[kept:]))

    def finish(self) -> str:
        """Closes everything that is open; returns by what the text grew."""
        if not self.open:
            return self._grow("{}")
        return self._grow(('"' if self.string is not None else "") + self._closing(0))


def _scalar_text(arg: dict[str, Any]) -> str | None:
    for key in ("stringValue", "numberValue", "boolValue"):
        if arg.get(key) is not None:
            return jsontext.stringify(arg[key])
    return "null" if "nullValue" in arg else None
