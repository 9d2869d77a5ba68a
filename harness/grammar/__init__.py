"""Event grammars: which events may follow which, as transition tables; and the one of the parts.

A grammar has levels: the stream itself, and what lives in it under keys of its own, such as the content blocks of a
message. Each level is a table, state -> symbol -> state, in which ``*`` stands for any other symbol; a key that was never
met is in the state ``start``. What the table does not have must not come, nor what leads to no state.

The grammars of the wire stand in :mod:`harness.grammar.wire`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.subjects import PartJson

Step = tuple[str, Any, str]
"""(level, key, symbol)."""
Table = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Level:
    """One table, and the states in which a stream may leave it."""

    table: Table
    ends: frozenset[str]


class Machine:
    """One run of a grammar."""

    def __init__(self, levels: Mapping[str, Level]) -> None:
        self._levels = levels
        self._states: dict[tuple[str, Any], str] = {("stream", None): "start"}

    def take(self, step: Step) -> str | None:
        """What is wrong with ``step``, which is then passed over; None if nothing is."""
        level, key, symbol = step
        try:
            hash(key)
        except TypeError:  # the wire may number a block with a list
            key = repr(key)
        state = self._states.get((level, key), "start")
        row = self._levels[level].table.get(state, {})
        after = row.get(symbol, row.get("*"))
        if not after:
            return f"{symbol} while {_name(level, key)} is in the state {state}"
        self._states[level, key] = after
        return None

    def end(self) -> Iterator[str]:
        """What is wrong with ending now."""
        for (level, key), state in self._states.items():
            if state not in self._levels[level].ends:
                yield f"the end while {_name(level, key)} is in the state {state}"


def _name(level: str, key: Any) -> str:
    if key is None:
        return f"the {level}"
    return f"{level} {'/'.join(map(str, key)) if isinstance(key, tuple) else key}"


def level(ends: str, **table: Mapping[str, str]) -> Level:
    """A level from its rows, by state, and the states in which it may end, separated by blanks."""
    return Level(table, frozenset(ends.split()))


def rows(state: str, *symbols: str, **others: str) -> dict[str, str]:
    """The row of a state that ``symbols`` leave as it is, and ``others`` do not."""
    return {**dict.fromkeys(symbols, state), **others}


_RESULTS = ("tool-result", "tool-approval-request")
"""They come when the provider sends them: of a tool that it runs itself, when it wants to."""

OUTPUT: Mapping[str, Level] = {
    "stream": level(
        "start open failed",
        start={"stream-start": "open", "error": "failed"},
        open={"stream-start": "", "*": "open"},
        failed=rows("failed", "error"),
    ),
    "choice": level(
        "start finished",
        start={"finish": "finished", "*": "start"},
    ),
    "call": level(
        "start given ended called",
        start=rows("start", *_RESULTS, **{"tool-input-start": "given", "tool-call": "called"}),
        given=rows("given", "tool-input-delta", *_RESULTS, **{"tool-input-end": "ended"}),
        ended=rows("ended", *_RESULTS, **{"tool-call": "called"}),
        called=rows("called", *_RESULTS),
    ),
}
"""The grammar of parts: of the stream as a whole, and of each tool call of a choice. Blocks of text and reasoning have
rules of their own (:mod:`harness.rules`), because some references use their names again."""


def part_steps(part: PartJson) -> Iterator[Step]:
    """The symbols of a part of :data:`OUTPUT`."""
    kind = part["type"]
    yield "stream", None, kind
    if kind not in ("stream-start", "response-metadata", "error"):
        yield "choice", part.get("choice") or 0, kind
    if kind.startswith("tool-"):
        yield "call", (part.get("choice") or 0, part.get("toolCallId", part.get("id"))), kind
