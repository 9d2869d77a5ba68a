"""A trace taken apart: its parts, its end, and its tool calls with the pieces of their arguments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_NO_CONTENT = frozenset({"stream-start", "response-metadata", "finish", "error"})
"""Kinds of parts that come whatever the answer says."""


@dataclass
class Call:
    """A tool call as the parts of a trace give it."""

    id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    began: bool = True
    """Whether a ``tool-input-start`` came for it."""
    handed_out: bool = False
    """Whether a ``tool-call`` came for it."""
    at_end: str | None = None
    """Its arguments as far as they had come when it ended; None if it did not."""

    @property
    def arguments(self) -> str:
        """All pieces."""
        return "".join(self.pieces)


class Told:
    """The lines of a trace, which may be the one line of a final message."""

    def __init__(self, lines: Sequence[str]) -> None:
        values = [json.loads(line) for line in lines]
        self.lines = list(lines)
        self.parts: list[tuple[str, dict[str, Any]]] = [(one[0], one[1]) for one in values if isinstance(one, list)]
        self.end: dict[str, Any] = next((one for one in values if isinstance(one, dict) and "end" in one), {})

    @cached_property
    def counted(self) -> Counter[str]:
        """Each line of a part, and how often it comes. The lines that tell of the response and its end count for nothing."""
        silent = ('{"end"', '["stream-start"', '["response-metadata"')
        return Counter(line for line in self.lines if not line.startswith(silent))

    @property
    def content(self) -> list[tuple[str, dict[str, Any]]]:
        """The parts that say something of the answer."""
        return [(kind, part) for kind, part in self.parts if kind not in _NO_CONTENT and not kind.endswith("-end")]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Every error that is reported, the one that ends the stream among them."""
        found = [part for kind, part in self.parts if kind == "error"]
        return [*found, self.end["error"]] if self.end.get("error") else found

    def text(self, kind: str, block: str | None = None) -> str:
        """All deltas of ``text`` or ``reasoning``, or those of one block."""
        return "".join(
            part.get("delta", "")
            for what, part in self.parts
            if what == f"{kind}-delta" and (block is None or part.get("id") == block)
        )

    @cached_property
    def calls(self) -> list[Call]:
        """Its tool calls, in the order in which they begin."""
        found: list[Call] = []
        for kind, part in self.parts:
            if kind == "tool-input-start":
                found.append(Call(str(part.get("id", "")), str(part.get("toolName", ""))))
            elif kind == "tool-input-delta" and (call := _open(found, part.get("id"))):
                call.pieces.append(str(part.get("delta", "")))
            elif kind == "tool-input-end" and (call := _open(found, part.get("id"))):
                call.at_end = call.arguments
            elif kind == "tool-call":
                self._handed_out(found, part)
        return found

    @staticmethod
    def _handed_out(found: list[Call], part: dict[str, Any]) -> None:
        call = next((one for one in found if one.id == part.get("toolCallId") and not one.handed_out), None)
        if call is None:
            call = Call(str(part.get("toolCallId", "")), str(part.get("toolName", "")), [str(part.get("input", ""))], began=False)
            found.append(call)
        call.handed_out = True

    @property
    def finish(self) -> dict[str, Any]:
        """The finish; empty if there is none."""
        return next((part for kind, part in self.parts if kind == "finish"), {})


def _open(calls: Sequence[Call], name: Any) -> Call | None:
    return next((one for one in reversed(calls) if one.id == name), None)


def family(kind: str) -> str:
    """What a kind of part is a part of, for people: ``reasoning-delta`` is of the ``reasoning``."""
    names = {"text": "text", "reasoning": "reasoning", "tool": "tool calls", "source": "sources", "file": "files"}
    return names.get(kind.split("-")[0], kind)
