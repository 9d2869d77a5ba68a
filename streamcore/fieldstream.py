"""String fields of a JSON text as they stream, picked by path, never by position or pattern of the text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from streamcore.errors import CallerError
from streamcore.jsonstream import JsonFailure, JsonStream, Path

_STEP: Final = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\*|i|\d+)\]")
_EVERY: Final = object()


class FieldDelta(NamedTuple):
    """A piece of one field."""

    path: Path
    """Where the field is: the path of the pattern, with real positions in the place of ``[*]``."""
    delta: str
    """Its next piece; empty with the last ``done`` of a field whose end came alone."""
    done: bool
    """Nothing more of this field follows."""


class FieldStream:
    """The string fields of a JSON text that match a path such as ``files[*].content``, delta by delta.

    Args:
        pattern: keys joined by dots; ``[3]`` for one position of an array, ``[*]`` (or ``[i]``) for all.
        max_depth: the deepest nesting that is read.

    Raises:
        CallerError: the pattern is none.
    """

    def __init__(self, pattern: str, *, max_depth: int = 256) -> None:
        self._steps = _steps(pattern)
        self._json = JsonStream(keep=False, max_depth=max_depth)
        self._inside = False
        """The string that is open is such a field."""

    @property
    def failure(self) -> JsonFailure | None:
        """Why the text cannot be read any further, if it cannot."""
        return self._json.failure

    def feed(self, text: str) -> list[FieldDelta]:
        """The pieces that ``text``, the continuation of all text before, adds."""
        out: list[FieldDelta] = []
        for kind, path, value in self._json.feed(text):
            if kind == "open":
                self._inside = value == "string" and self._matches(path)
            elif kind == "delta" and self._inside:
                out.append(FieldDelta(path, value, done=False))
            elif kind == "close" and self._inside:
                self._inside = False
                if out and out[-1].path == path:
                    out[-1] = out[-1]._replace(done=True)
                else:
                    out.append(FieldDelta(path, "", done=True))
        return out

    def close(self) -> None:
        """The end of the text; :attr:`failure` says whether it is whole."""
        self._json.close()

    def _matches(self, path: Path) -> bool:
        return len(path) == len(self._steps) and all(
            (type(got) is int) if wanted is _EVERY else wanted == got and type(wanted) is type(got)
            for wanted, got in zip(self._steps, path, strict=True)
        )


def _steps(pattern: str) -> tuple[object, ...]:
    steps: list[object] = []
    at = 0
    while at < len(pattern) and pattern[0] != ".":
        found = _STEP.match(pattern, at)
        if found is None:
            break
        key, position = found.groups()
        steps.append(key if key is not None else int(position) if position.isdigit() else _EVERY)
        at = found.end()
    if at < len(pattern) or not steps:
        raise CallerError(f"{pattern!r} is no path: write keys joined by dots, positions as [0] or [*]")
    return tuple(steps)
