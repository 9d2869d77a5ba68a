"""The content blocks of one ConverseStream message: which is open at which index, and the parts its events become.

Text and reasoning need no start; a delta opens them. Whatever a delta cannot be part of is an ``error`` part, except that
text and reasoning that share an index become two blocks, because nothing that the model said may get lost. An empty
piece of text or reasoning opens nothing, nor does a citation, for which the unified parts have no place.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.dialects.bedrock import schema
from streamcore.dialects.callids import CallIds
from streamcore.dialects.schema import Mismatch
from streamcore.dialects.typed import excerpt
from streamcore.errors import ErrorKind
from streamcore.parts import (
    File,
    Metadata,
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
    ToolResult,
)
from streamcore.state import EMPTY_LOG, Frozen, Log, State
from streamcore.toolcalls import is_arguments_text

if TYPE_CHECKING:
    from streamcore.dialects.base import Dialect

TEXT: Final = "text block"
REASONING: Final = "reasoning block"
CALL: Final = "tool call"
RESULT: Final = "tool result"
IMAGE: Final = "image"
BLANK: Final = "block with nothing to show so far"
IGNORED: Final = "block that was reported"

_SERVER_TOOL: Final = "server_tool_use"
"""``type`` of a call that Bedrock runs itself."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the start of a block says about a call, a result or an image."""

    name: str = ""
    """Of the tool; of an image its format."""
    given: str = ""
    """Arguments that came at the start."""
    executed: bool = False
    """Bedrock runs the tool."""
    error: bool = False
    """The result is an error."""


class BlockState(State):
    """One open block."""

    __slots__ = ("id", "kind", "log", "opening", "results")

    def __init__(self, kind: str, part_id: str = "", opening: Opening | None = None) -> None:
        self.kind = kind
        self.id = part_id
        """The id of its parts: the block's index, or the tool call's id."""
        self.opening = Frozen(opening)
        self.log: Log = EMPTY_LOG
        """Arguments, redacted reasoning or image data so far."""
        self.results: list[Frozen] = []
        """Contents of a tool result so far."""


class ContentState(State):
    """The blocks of one message."""

    __slots__ = ("call_ids", "client_calls", "open", "used")

    def __init__(self) -> None:
        self.open: dict[float, BlockState] = {}
        """Open blocks, by index."""
        self.used: dict[float, int] = {}
        """Index -> how many blocks of text or reasoning had it as their id."""
        self.call_ids = CallIds()
        """Tool call id -> the tool's name."""
        self.client_calls = False
        """A call that the reader has to run was completed."""

    # -- starts -----------------------------------------------------------------------------------------------------

    def start(self, event: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``contentBlockStart`` event that has passed its schema."""
        index = event["contentBlockIndex"]
        start = event.get("start") or {}
        if index in self.open:
            self.abandon(index, report, out, complete=False)
        if start.get("toolUse") is not None:
            self._put(index, self._call(start["toolUse"], event, report, out), report, out)
        elif start.get("toolResult") is not None:
            result = start["toolResult"]
            call_id = result["toolUseId"]
            if call_id not in self.call_ids.taken:
                report.lenient("result_without_call", f"a result of {call_id!r}, which was never called", out)
            opening = Opening(self.call_ids.taken.get(call_id, ""), error=result.get("status") == "error")
            self._put(index, BlockState(RESULT, call_id, opening), report, out)
        elif start.get("image") is not None:
            self._put(index, BlockState(IMAGE, "", Opening(start["image"]["format"])), report, out)
        else:
            unknown = [key for key, value in start.items() if value is not None]
            if unknown:
                report.warn("unknown_block", excerpt(unknown[0]))
                self._put(index, BlockState(IGNORED), report, out)
            else:
                self._open_prose(index, TEXT, report, out)

    def _call(self, tool: dict[str, Any], event: Any, report: Dialect, out: list[Part]) -> BlockState:
        name = tool.get("name")
        if not name or name == "null":
            payload = {"contentBlockStart": event}
            report.fail(ErrorKind.NAMELESS_CALL, "a toolUse block without a name", out, payload=payload)
            return BlockState(IGNORED)
        call_id = self.call_ids.give(tool.get("toolUseId"), name, report, out)
        given = tool.get("input")
        text = ""
        if given not in (None, "", {}):
            report.lenient("start_not_empty", f"the call of {name!r} has arguments at its start", out)
            text = given if isinstance(given, str) else jsontext.stringify(given)
        executed = tool.get("type") == _SERVER_TOOL
        out.append(ToolInputStart(call_id, name, executed or None))
        return BlockState(CALL, call_id, Opening(name, text, executed))

    def _put(self, index: float, block: BlockState, report: Dialect, out: list[Part]) -> None:
        if len(self.open) >= report.limits.max_open_calls:
            report.fail(ErrorKind.TOOL_CALL_PROTOCOL, f"more than {len(self.open)} open blocks", out, fatal=True)
        self.open[index] = block

    def _open_prose(self, index: float, kind: str, report: Dialect, out: list[Part]) -> BlockState:
        text = jsontext.number_text(index)
        count = self.used.get(index, 0)
        block = BlockState(kind, f"{text}-{count}" if count else text)
        self.used[index] = count + 1
        self._put(index, block, report, out)
        out.append(TextStart(block.id) if kind == TEXT else ReasoningStart(block.id))
        return block

    def _prose(self, index: float, kind: str, event: Any, report: Dialect, out: list[Part]) -> BlockState | None:
        """The block for a piece of text or reasoning; None, with the reason reported, if it has no place here."""
        block = self.open.get(index)
        if block is None or block.kind == BLANK:
            self.open.pop(index, None)
            if index in self.used:
                report.lenient("index_reused", f"a second block at index {jsontext.number_text(index)}", out)
            return self._open_prose(index, kind, report, out)
        if block.kind == kind:
            return block
        if block.kind in (TEXT, REASONING):
            report.lenient("block_kind_changed", f"a {kind} at the index of an open {block.kind}", out)
            self.end(self.open.pop(index), report, out)
            return self._open_prose(index, kind, report, out)
        self._misplaced(f"a piece of a {kind}", block, event, report, out)
        return None

    def _misplaced(self, what: str, block: BlockState, event: Any, report: Dialect, out: list[Part]) -> None:
        if block.kind != IGNORED:
            payload = {"contentBlockDelta": event}
            report.fail(ErrorKind.INVALID_PAYLOAD, f"{what} in a {block.kind}", out, payload=payload)

    # -- deltas -----------------------------------------------------------------------------------------------------

    def delta(self, event: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``contentBlockDelta`` event that has passed its schema; its members have not."""
        index = event["contentBlockIndex"]
        # The delta is a union: of its members one is set, and a writer that leaves nothing out says null for the others.
        members = {name: value for name, value in (event.get("delta") or {}).items() if value is not None}
        if len(members) > 1:
            report.lenient("several_members", f"a delta of {excerpt(', '.join(members))}", out)
        for name, value in members.items():
            check = schema.DELTAS.get(name)
            if check is None:
                report.warn("unknown_delta", excerpt(name))
                continue
            try:
                value = check(value)
            except Mismatch as mismatch:
                payload = {"contentBlockDelta": event}
                report.fail(ErrorKind.INVALID_PAYLOAD, f"contentBlockDelta: {name}: {mismatch}", out, payload=payload)
                continue
            if name == "text":
                self._text(index, value, event, report, out)
            elif name == "toolUse":
                self._arguments(index, value.get("input") or "", event, report, out)
            elif name == "reasoningContent":
                self._reasoning(index, value, event, report, out)
            elif name == "citation":
                report.warn("citation", "the unified parts have no place for a citation")
                self.open.setdefault(index, BlockState(BLANK))
            else:
                self._content(index, name, value, event, report, out)

    def _text(self, index: float, text: str, event: Any, report: Dialect, out: list[Part]) -> None:
        if not text:
            self.open.setdefault(index, BlockState(BLANK))
            return
        block = self._prose(index, TEXT, event, report, out)
        if block is not None:
            out.append(TextDelta(block.id, text))

    def _reasoning(self, index: float, content: dict[str, Any], event: Any, report: Dialect, out: list[Part]) -> None:
        for name, value in content.items():
            if name not in ("text", "signature", "redactedContent", "data"):
                report.warn("unknown_delta", excerpt(f"reasoningContent.{name}"))
                continue
            if not value:
                self.open.setdefault(index, BlockState(BLANK))
                continue
            block = self._prose(index, REASONING, event, report, out)
            if block is None:
                return
            if name == "text":
                out.append(ReasoningDelta(block.id, value))
            elif name == "redactedContent":
                self._grow(block, value, report, out)
            else:
                key = "signature" if name == "signature" else "redactedData"
                out.append(ReasoningDelta(block.id, "", {"bedrock": {key: value}}))

    def _arguments(self, index: float, text: str, event: Any, report: Dialect, out: list[Part]) -> None:
        block = self.open.get(index)
        if block is None or block.kind == BLANK:
            detail = f"arguments of a call at index {jsontext.number_text(index)} that was never started"
            report.fail(ErrorKind.NAMELESS_CALL, detail, out, payload={"contentBlockDelta": event})
            self.open.pop(index, None)
            self._put(index, BlockState(IGNORED), report, out)
        elif block.kind != CALL:
            self._misplaced("arguments", block, event, report, out)
        elif self._grow(block, text, report, out):
            out.append(ToolInputDelta(block.id, text))

    def _content(self, index: float, name: str, value: Any, event: Any, report: Dialect, out: list[Part]) -> None:
        """More of a tool's result, or of an image."""
        block = self.open.get(index)
        kind = RESULT if name == "toolResult" else IMAGE
        if block is None or block.kind != kind:
            self._misplaced(f"a piece of a {kind}", block or BlockState(BLANK), event, report, out)
        elif kind == RESULT:
            block.results += [Frozen(item) for item in value]
        elif value.get("error") is not None:
            block.kind = IGNORED
            report.fail(ErrorKind.PROVIDER, "an image could not be made", out, payload={"contentBlockDelta": event})
        else:
            self._grow(block, (value.get("source") or {}).get("bytes") or "", report, out)

    def _grow(self, block: BlockState, text: str, report: Dialect, out: list[Part]) -> bool:
        """Adds to what the block keeps; False, with the reason reported, if that is too much."""
        if block.log.length + len(text) > report.limits.max_arguments_chars:
            report.fail(ErrorKind.EVENT_TOO_LARGE, f"a {block.kind} passes the limit", out)
            block.kind = IGNORED
            return False
        block.log = block.log.append(text)
        return True

    # -- ends -------------------------------------------------------------------------------------------------------

    def stop(self, event: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``contentBlockStop`` event that has passed its schema."""
        index = event["contentBlockIndex"]
        block = self.open.pop(index, None)
        if block is None:
            report.lenient("stop_without_start", f"no block is open at index {jsontext.number_text(index)}", out)
        else:
            self.end(block, report, out)

    def abandon(self, index: float, report: Dialect, out: list[Part], *, complete: bool) -> None:
        """Ends the block at ``index``, which was not stopped; a call only if it is ``complete`` for another reason."""
        block = self.open.pop(index)
        if block.kind not in (BLANK, IGNORED):
            detail = f"the {block.kind} at index {jsontext.number_text(index)} has no contentBlockStop"
            report.lenient("block_not_stopped", detail, out)
        if complete or block.kind in (TEXT, REASONING):
            self.end(block, report, out)

    def end(self, block: BlockState, report: Dialect, out: list[Part]) -> None:
        """Emits what ends a block."""
        if block.kind == TEXT:
            out.append(TextEnd(block.id))
        elif block.kind == REASONING:
            metadata: Metadata | None = None
            if block.log.length:
                metadata = {"bedrock": {"redactedContent": joined_base64(block.log.text())}}
            out.append(ReasoningEnd(block.id, metadata))
        elif block.kind == CALL:
            self._end_call(block, report, out)
        elif block.kind == RESULT:
            opening: Opening = block.opening.value
            value = [item.value for item in block.results]
            out.append(ToolResult(block.id, opening.name, value, opening.error or None))
        elif block.kind == IMAGE and block.log.length:
            out.append(File(f"image/{block.opening.value.name}", joined_base64(block.log.text())))

    def _end_call(self, block: BlockState, report: Dialect, out: list[Part]) -> None:
        call: Opening = block.opening.value
        arguments = block.log.text() or call.given or "{}"
        invalid = not is_arguments_text(arguments)
        if invalid:
            detail = f"the arguments of {call.name!r} are not a JSON object"
            report.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
        self.client_calls = self.client_calls or not call.executed
        out.append(ToolInputEnd(block.id))
        out.append(ToolCall(block.id, call.name, arguments, call.executed or None, invalid=invalid))


_PIECE: Final = re.compile("[^=]+=*")


def joined_base64(text: str) -> str:
    """The base64 of all bytes of ``text``, which is one or more pieces of base64 in a row, each padded by itself."""
    if text.rstrip("=").find("=") < 0:
        return text
    try:
        return b64encode(b"".join(b64decode(piece, validate=True) for piece in _PIECE.findall(text))).decode()
    except ValueError:
        return text  # no base64: kept as it came
