"""What is open in one message of Cohere's Chat API v2: content blocks by their index, tool calls by theirs.

The two count separately: block 0 and call 0 may both be there. An event without an index speaks of what was opened
last. A delta of text or thinking where no block is open opens one, because dropping it would lose what the model said;
arguments of a call that was never started are an ``error`` part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.dialects.callids import CallIds
from streamcore.errors import ErrorKind
from streamcore.parts import (
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputEnd,
    ToolInputStart,
)
from streamcore.state import EMPTY_LOG, Log, State
from streamcore.toolcalls import is_arguments_text

if TYPE_CHECKING:
    from streamcore.dialects.base import Dialect

TEXT: Final = "text"
THINKING: Final = "thinking"
IGNORED: Final = "ignored"
"""A block or call that was reported once and swallows the rest of its events."""
CALL: Final = "call"


class BlockState(State):
    """One open block or call."""

    __slots__ = ("arguments", "id", "kind", "name")

    def __init__(self, kind: str, part_id: str, name: str = "") -> None:
        self.kind = kind
        self.id = part_id
        self.name = name
        self.arguments: Log = EMPTY_LOG


class ContentState(State):
    """The blocks and calls of one message."""

    __slots__ = ("blocks", "call_ids", "calls", "last_block", "last_call", "used")

    def __init__(self) -> None:
        self.blocks: dict[float, BlockState] = {}
        """Open content blocks, by index."""
        self.calls: dict[float, BlockState] = {}
        """Open tool calls, by index."""
        self.used: dict[float, int] = {}
        """Index -> how many content blocks were at it."""
        self.last_block: float = -1
        self.last_call: float = -1
        self.call_ids = CallIds()

    def start_block(self, index: float | None, content: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``content-start`` event."""
        kind = content["type"]
        if kind not in (TEXT, THINKING):
            report.warn("unknown_block", kind[:60])
            kind = IGNORED
        index = self._index(index, self.last_block + 1, report, out)
        if index in self.blocks:
            self.abandon(self.blocks, index, report, out, complete=False)
        elif index in self.used:
            report.lenient("index_reused", f"a second block at index {index}", out)
        block = self._open_block(index, kind, report, out)
        text = content.get(kind)
        if text:
            report.lenient("start_not_empty", f"a {kind} block starts with content", out)
            self.say(block, kind, text, out)

    def _open_block(self, index: float, kind: str, report: Dialect, out: list[Part]) -> BlockState:
        seen = self.used.get(index, 0)
        part_id = jsontext.number_text(index)
        block = BlockState(kind, f"{part_id}-{seen}" if seen else part_id)
        self._put(self.blocks, index, block, report, out)
        self.used[index] = seen + 1
        self.last_block = index
        report.open(out)
        if kind == TEXT:
            out.append(TextStart(block.id))
        elif kind == THINKING:
            out.append(ReasoningStart(block.id))
        return block

    def _put(
        self, among: dict[float, BlockState], index: float, block: BlockState, report: Dialect, out: list[Part]
    ) -> None:
        if len(among) >= report.limits.max_open_calls:
            report.fail(ErrorKind.TOOL_CALL_PROTOCOL, f"more than {len(among)} open blocks", out, fatal=True)
        among[index] = block

    def _index(self, index: float | None, instead: float, report: Dialect, out: list[Part]) -> float:
        if index is None:
            report.lenient("index_missing", "an event without an index", out)
            return instead
        return index

    def delta(self, index: float | None, content: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``content-delta`` event. ``thinking`` comes first where it has both."""
        index = self._index(index, max(self.last_block, 0), report, out)
        for kind in (THINKING, TEXT):
            text = content.get(kind)
            if text is None:
                continue
            block = self.blocks.get(index)
            if block is not None and block.kind == IGNORED:
                return
            if block is None or block.kind != kind:
                if block is not None:
                    self.abandon(self.blocks, index, report, out, complete=False)
                report.lenient("block_start_missing", f"{kind} at index {index}, where no such block is open", out)
                block = self._open_block(index, kind, report, out)
            self.say(block, kind, text, out)

    @staticmethod
    def say(block: BlockState, kind: str, text: str, out: list[Part]) -> None:
        """More of a block."""
        out.append(TextDelta(block.id, text) if kind == TEXT else ReasoningDelta(block.id, text))

    def end_block(self, index: float | None, report: Dialect, out: list[Part]) -> None:
        """A ``content-end`` event."""
        index = self._index(index, self.last_block, report, out)
        block = self.blocks.pop(index, None)
        if block is None:
            report.lenient("stop_without_start", f"no block is open at index {index}", out)
        else:
            self._end(block, report, out)

    def start_call(
        self, index: float | None, wire: dict[str, Any], event: Any, report: Dialect, out: list[Part]
    ) -> None:
        """A ``tool-call-start`` event."""
        index = self.last_call + 1 if index is None else index  # the reference does not look at it either
        if index in self.calls:
            self.abandon(self.calls, index, report, out, complete=False)
        function = wire.get("function") or {}
        name = function.get("name")
        call = BlockState(IGNORED, "")
        self._put(self.calls, index, call, report, out)
        self.last_call = index
        if wire.get("type") not in (None, "", "function"):
            report.fail(ErrorKind.INVALID_PAYLOAD, f"a tool call of type {wire['type']!r}", out, payload=event)
            return
        if not name or name == "null":
            report.fail(ErrorKind.NAMELESS_CALL, "a tool call without a name", out, payload=event)
            return
        call.kind, call.name, call.id = CALL, name, self.call_ids.give(wire.get("id"), name, report, out)
        report.open(out)
        out.append(ToolInputStart(call.id, name))
        arguments = function.get("arguments")
        if arguments:
            self._argue(call, arguments, report, out)

    def argue(self, index: float | None, wire: dict[str, Any], event: Any, report: Dialect, out: list[Part]) -> None:
        """A ``tool-call-delta`` event."""
        index = self.last_call if index is None else index
        call = self.calls.get(index)
        if call is None:
            detail = f"arguments of a call at index {index} that is not open"
            report.fail(ErrorKind.NAMELESS_CALL, detail, out, payload=event)
            self._put(self.calls, index, BlockState(IGNORED, ""), report, out)
        elif call.kind != IGNORED:
            arguments = (wire.get("function") or {}).get("arguments")
            if arguments is not None:
                self._argue(call, arguments, report, out)

    def _argue(self, call: BlockState, arguments: Any, report: Dialect, out: list[Part]) -> None:
        if type(arguments) is not str:
            report.lenient("args_not_string", "arguments that are not a string", out)
            arguments = jsontext.stringify(arguments)
        if call.arguments.length + len(arguments) > report.limits.max_arguments_chars:
            report.fail(ErrorKind.EVENT_TOO_LARGE, f"arguments of {call.name!r} pass the limit", out)
            call.kind = IGNORED
            return
        call.arguments = call.arguments.append(arguments)
        out.append(ToolInputDelta(call.id, arguments))

    def end_call(self, index: float | None, report: Dialect, out: list[Part]) -> None:
        """A ``tool-call-end`` event."""
        index = self.last_call if index is None else index
        call = self.calls.pop(index, None)
        if call is None:
            report.lenient("stop_without_start", f"no tool call is open at index {index}", out)
        else:
            self._end(call, report, out)

    def finish(self, report: Dialect, out: list[Part], *, complete: bool) -> None:
        """Ends whatever is open; ``complete`` says that the calls among it are."""
        for among in (self.blocks, self.calls):
            for index in list(among):
                self.abandon(among, index, report, out, complete=complete)

    def abandon(
        self, among: dict[float, BlockState], index: float, report: Dialect, out: list[Part], *, complete: bool
    ) -> None:
        """Ends what is open at ``index`` without its end; a call only if it is ``complete`` for another reason."""
        block = among.pop(index)
        report.lenient("block_not_stopped", f"the {block.kind} at index {index} was not ended", out)
        if complete or block.kind != CALL:
            self._end(block, report, out)

    def _end(self, block: BlockState, report: Dialect, out: list[Part]) -> None:
        if block.kind == TEXT:
            out.append(TextEnd(block.id))
        elif block.kind == THINKING:
            out.append(ReasoningEnd(block.id))
        elif block.kind == CALL:
            text = final_arguments(block.arguments.text())
            valid = is_arguments_text(text)
            if not valid:
                detail = f"the arguments of {block.name!r} are not a JSON object"
                report.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
            out += (ToolInputEnd(block.id), ToolCall(block.id, block.name, text, invalid=not valid))


def final_arguments(text: str) -> str:
    """The arguments as the reference shows them in the end: what ECMAScript writes for the value that ``text`` spells.

    None at all, and the ``null`` that Cohere sends for a tool without parameters, mean ``{}``, as they do to the
    reference where it does not stream. The text stays as it came if it is not JSON, and if ECMAScript's doubles
    would change a number in it.
    """
    bare = text.strip(jsontext.WHITESPACE)
    if bare in ("", "null"):
        return "{}"
    try:
        value = jsontext.loads(jsontext.utf8(bare))
        written = jsontext.stringify(value)
        exact = jsontext.loads(jsontext.utf8(written)) == value
    except jsontext.JsonTextError:
        return text
    return written if exact else text
