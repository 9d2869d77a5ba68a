"""The content blocks of one Anthropic message: which is open at which index, and the parts its events become.

The index is a key. A delta belongs to the open block at its index; where none is open, a delta of text or thinking
opens one, because dropping it would lose what the model said. Content that fits nowhere is an ``error`` part. A block
that was reported once swallows the rest of its events.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.dialects.anthropic import schema
from streamcore.dialects.anthropic.calls import Call, call_of
from streamcore.dialects.anthropic.results import (
    RESULTS,
    cited_source,
    fetched_document,
    found_sources,
    tool_result,
    unknown_content,
)
from streamcore.dialects.callids import CallIds
from streamcore.dialects.typed import checked, excerpt, type_of
from streamcore.errors import ErrorKind
from streamcore.parts import (
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    Source,
    TextDelta,
    TextEnd,
    TextStart,
    ToolInputDelta,
    ToolInputEnd,
)
from streamcore.state import EMPTY_LOG, Frozen, Log, State

if TYPE_CHECKING:
    from streamcore.dialects.base import Dialect

TEXT: Final = "text block"
REASONING: Final = "thinking block"
REDACTED: Final = "redacted thinking block"
OPENING: Final = "tool call without deltas so far"
CALL: Final = "tool call"
HELD: Final = "tool call that is shown when complete"
RESULT: Final = "result block"
UNREADABLE: Final = "block whose start could not be read"
IGNORED: Final = "block that was reported"

_CARRIERS: Final = {
    "text_delta": (TEXT,),
    "compaction_delta": (TEXT,),
    "citations_delta": (TEXT,),
    "thinking_delta": (REASONING,),
    "signature_delta": (REASONING,),
    "input_json_delta": (CALL, OPENING, HELD),
}
"""Delta type -> the kinds of block it belongs in."""



class BlockState(State):
    """One open block."""

    __slots__ = ("call", "citations", "id", "kind", "log", "signed")

    def __init__(self, kind: str, part_id: str, call: Call | None = None) -> None:
        self.kind = kind
        self.id = part_id
        """The id of its parts: the block's index, or the tool call's id."""
        self.call = Frozen(call)
        self.log: Log = EMPTY_LOG
        """Arguments so far."""
        self.citations: list[Frozen] = []
        self.signed = False
        """A signature came."""


class ContentState(State):
    """The blocks of one message."""

    __slots__ = ("call_ids", "client_calls", "documents", "last_index", "open", "sources", "used")

    def __init__(self) -> None:
        self.open: dict[float, BlockState] = {}
        """Open blocks, by index."""
        self.used: dict[float, int] = {}
        """Index -> how many blocks were at it."""
        self.last_index: float = -1
        self.call_ids = CallIds()
        """Tool call id -> the tool's name on the wire and its MCP server."""
        self.client_calls = False
        """A call that the reader has to run was completed."""
        self.documents: list[tuple[str, str]] = []
        """Title and media type of what can be cited by ``document_index``."""
        self.sources = 0

    def start(self, value: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``content_block_start`` event."""
        kind = type_of(value.get("content_block"))
        index: Any = value.get("index")
        if kind is not None and kind not in schema.BLOCKS and _is_index(index):
            report.warn("unknown_block", excerpt(kind))
            self._take(index, BlockState(IGNORED, ""), report, out)
            return
        event = checked(schema.CONTENT_BLOCK_START, value, report, out)
        if event is None:
            if _is_index(index):
                hopeless = kind is not None and kind not in ("text", "thinking", "compaction")
                self._take(index, BlockState(IGNORED if hopeless else UNREADABLE, ""), report, out)
            return
        block = event["content_block"]
        if kind in RESULTS:
            self._take(index, BlockState(RESULT, ""), report, out)
            self._result(block, report, out)
        elif kind == "fallback":  # where one model handed over to another: nothing to show
            self._take(index, BlockState(IGNORED, ""), report, out)
        elif kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            self._take(index, BlockState(IGNORED, ""), report, out)
            opened = self._open_call(block, value, report, out)
            if opened is not None:
                self.open[index] = opened
        else:
            self._start_text(index, block, report, out)

    def _start_text(self, index: Any, block: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """Text, thinking, redacted thinking or compaction."""
        kind = block["type"]
        part_id = self._part_id(index)
        opened = BlockState({"thinking": REASONING, "redacted_thinking": REDACTED}.get(kind, TEXT), part_id)
        self._take(index, opened, report, out)
        report.open(out)
        match kind:
            case "text":
                out.append(TextStart(part_id))
            case "compaction":
                out.append(TextStart(part_id, {"anthropic": {"type": "compaction"}}))
            case "thinking":
                out.append(ReasoningStart(part_id))
            case _:
                out.append(ReasoningStart(part_id, {"anthropic": {"redactedData": block["data"]}}))
        text = block.get("text") or block.get("thinking") or block.get("content")
        signature = block.get("signature")
        if not text and not signature:
            return
        report.lenient("start_not_empty", f"a {kind} block starts with content", out)
        if text:
            out.append(ReasoningDelta(part_id, text) if kind == "thinking" else TextDelta(part_id, text))
        if signature and type(signature) is str:
            self._sign(opened, signature, report, out)

    def _take(self, index: Any, block: BlockState, report: Dialect, out: list[Part]) -> None:
        """Puts a new block at ``index``."""
        if index in self.open:
            self.abandon(index, report, out, complete=False)
        elif index in self.used:
            report.lenient("index_reused", f"a second block at index {index}", out)
        elif index != self.last_index + 1:
            report.lenient("index_gap", f"a block at index {index} after index {self.last_index}", out)
        self._put(index, block, report, out)

    def _put(self, index: float, block: BlockState, report: Dialect, out: list[Part]) -> None:
        if len(self.open) >= report.limits.max_open_calls:
            report.fail(ErrorKind.TOOL_CALL_PROTOCOL, f"more than {len(self.open)} open blocks", out, fatal=True)
        self.open[index] = block
        self.used[index] = self.used.get(index, 0) + 1
        self.last_index = index

    def _part_id(self, index: float) -> str:
        """The id of the parts of the next block at ``index``: the index itself, unless another block had it before."""
        text = jsontext.number_text(index)
        return f"{text}-{self.used[index]}" if self.used.get(index) else text

    def _open_call(self, block: dict[str, Any], event: Any, report: Dialect, out: list[Part]) -> BlockState | None:
        """Starts the call of a block; None, with the reason reported, if it cannot be shown."""
        name = block.get("name")
        if not name or name == "null":
            report.fail(ErrorKind.NAMELESS_CALL, f"a {block['type']} block without a name", out, payload=event)
            return None
        call = call_of(block)
        if call is None:
            report.warn("unknown_block", f"server tool {excerpt(name)}")
            return None
        call_id = self.call_ids.give(block.get("id"), name, report, out)
        self.call_ids.taken[call_id] = (name, call.server or "")
        report.open(out)
        start = call.start(call_id)
        if start is not None:
            out.append(start)
        kind = HELD if call.held else OPENING if call.given or call.input_type else CALL
        return BlockState(kind, call_id, call)

    def ready_call(self, block: dict[str, Any], event: Any, report: Dialect, out: list[Part]) -> None:
        """A call that ``message_start`` brings complete (API docs, "Programmatic tool calling")."""
        opened = self._open_call(block, event, report, out)
        if opened is not None:
            call: Call = opened.call.value
            opened.log = opened.log.append(call.given or "{}")
            out.append(ToolInputDelta(opened.id, opened.log.text()))
            self.end(opened, report, out)

    def _result(self, block: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        if block["type"] == "mcp_tool_result" and block["tool_use_id"] not in self.call_ids.taken:
            report.lenient("result_without_call", f"a result of {block['tool_use_id']!r}, which was never called", out)
        unknown = unknown_content(block)
        if unknown is not None:
            report.warn("unknown_result", excerpt(f"a {block['type']} holds a {unknown}"))
        report.open(out)
        out.append(tool_result(block, self.call_ids.taken))
        document = fetched_document(block)
        if document is not None:
            self.documents.append(document)
        for source in found_sources(block):
            self._show(source, out)

    def _show(self, source: Source, out: list[Part]) -> None:
        source.id = f"source_gen_{self.sources}"
        self.sources += 1
        out.append(source)

    def delta(self, value: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``content_block_delta`` event."""
        wire = value.get("delta")
        kind = type_of(wire)
        if kind is not None and kind not in schema.DELTAS:
            report.warn("unknown_delta", excerpt(kind))
            return
        citation = type_of(wire.get("citation")) if wire is not None and kind == "citations_delta" else None
        if citation is not None and citation not in schema.CITATIONS:
            report.warn("unknown_citation", excerpt(citation))
            return
        event = checked(schema.CONTENT_BLOCK_DELTA, value, report, out)
        if event is None:
            return
        delta = event["delta"]
        if delta.get("partial_json") == "":
            return
        block = self.open.get(event["index"])
        if block is None or (block.kind == UNREADABLE and kind != "input_json_delta"):
            block = self._implied(event["index"], kind, value, report, out)
        if block.kind in (IGNORED, UNREADABLE):
            return
        if block.kind not in _CARRIERS[delta["type"]]:
            report.fail(ErrorKind.INVALID_PAYLOAD, f"a {kind} in a {block.kind}", out, payload=value)
            return
        match kind:
            case "text_delta":
                out.append(TextDelta(block.id, delta["text"]))
            case "thinking_delta":
                out.append(ReasoningDelta(block.id, delta["thinking"]))
            case "signature_delta":
                self._sign(block, delta["signature"], report, out)
            case "compaction_delta":
                if delta.get("content") is not None:
                    out.append(TextDelta(block.id, delta["content"]))
            case "input_json_delta":
                self._arguments(block, delta["partial_json"], report, out)
            case _:
                self._cite(block, delta["citation"], out)

    def _implied(self, index: Any, kind: str | None, event: Any, report: Dialect, out: list[Part]) -> BlockState:
        """The block for a delta at an index where none is open, or none that could be read."""
        if index in self.open:
            self.used[index] -= 1
        if kind == "input_json_delta":
            block = BlockState(IGNORED, "")
            if index in self.used:
                detail = f"arguments at index {index}, where no call is open"
                report.fail(ErrorKind.INVALID_PAYLOAD, detail, out, payload=event)
            else:
                detail = f"arguments of a call at index {index} that was never started"
                report.fail(ErrorKind.NAMELESS_CALL, detail, out, payload=event)
        else:
            reasoning = kind in ("thinking_delta", "signature_delta")
            block = BlockState(REASONING if reasoning else TEXT, self._part_id(index))
            report.lenient("block_start_missing", f"a {kind} at index {index}, where no block is open", out)
        self._put(index, block, report, out)
        if block.kind != IGNORED:
            report.open(out)
            out.append(ReasoningStart(block.id) if block.kind == REASONING else TextStart(block.id))
        return block

    def _sign(self, block: BlockState, signature: str, report: Dialect, out: list[Part]) -> None:
        if block.signed:
            report.lenient("signature_repeated", f"block {block.id} is signed more than once", out)
        block.signed = True
        out.append(ReasoningDelta(block.id, "", {"anthropic": {"signature": signature}}))

    def _arguments(self, block: BlockState, text: str, report: Dialect, out: list[Part]) -> None:
        call: Call = block.call.value
        if block.log.length == 0:
            if call.given:
                detail = f"the call of {call.name!r} has arguments at its start and in deltas"
                report.lenient("start_not_empty", detail, out)
            text = call.first_delta(text)
        if block.log.length + len(text) > report.limits.max_arguments_chars:
            report.fail(ErrorKind.EVENT_TOO_LARGE, f"arguments of {call.name!r} pass the limit", out)
            block.kind = IGNORED
            return
        block.log = block.log.append(text)
        if block.kind != HELD:
            block.kind = CALL
            out.append(ToolInputDelta(block.id, text))

    def _cite(self, block: BlockState, citation: dict[str, Any], out: list[Part]) -> None:
        if citation["type"] == "web_search_result_location":
            block.citations.append(Frozen(citation))
        source = cited_source(citation, self.documents)
        if source is not None:
            self._show(source, out)

    def stop(self, value: dict[str, Any], report: Dialect, out: list[Part]) -> None:
        """A ``content_block_stop`` event."""
        event = checked(schema.CONTENT_BLOCK_STOP, value, report, out)
        if event is None:
            return
        block = self.open.pop(event["index"], None)
        if block is None:
            report.lenient("stop_without_start", f"no block is open at index {event['index']}", out)
        else:
            self.end(block, report, out)

    def abandon(self, index: float, report: Dialect, out: list[Part], *, complete: bool) -> None:
        """Ends the block at ``index``, which was not stopped; a call only if it is ``complete`` for another reason."""
        block = self.open.pop(index)
        report.lenient("block_not_stopped", f"the {block.kind} at index {index} has no content_block_stop", out)
        if complete or block.kind not in (CALL, OPENING, HELD):
            self.end(block, report, out)

    def end(self, block: BlockState, report: Dialect, out: list[Part]) -> None:
        """Emits what ends a block."""
        if block.kind == TEXT:
            citations = [citation.value for citation in block.citations]
            out.append(TextEnd(block.id, {"anthropic": {"citations": citations}} if citations else None))
        elif block.kind in (REASONING, REDACTED):
            out.append(ReasoningEnd(block.id))
        elif block.kind in (CALL, OPENING, HELD):
            self._end_call(block, report, out)

    def _end_call(self, block: BlockState, report: Dialect, out: list[Part]) -> None:
        call: Call = block.call.value
        arguments = call.arguments(block.log.text())
        if call.server is None:
            if call.member:
                out.append(ToolInputDelta(block.id, arguments))
            out.append(ToolInputEnd(block.id))
        part = call.complete(block.id, arguments)
        if part.invalid:
            detail = f"the arguments of {call.name!r} are not a JSON object"
            report.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
        self.client_calls = self.client_calls or not call.executed
        out.append(part)


def _is_index(value: Any) -> bool:
    return type(value) is int or (type(value) is float and isfinite(value))
