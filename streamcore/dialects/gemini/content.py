"""How the content of a Gemini candidate becomes parts (API reference, "Content", "Part").

Text and thoughts alternate in blocks that are numbered through; a new one begins where the kind changes or a file comes
between. A ``thoughtSignature`` belongs to the part that has it, and is metadata of what that part becomes. The function
calls of a chunk come after everything else in it, and do not end the block that is open: so ``@ai-sdk/google`` has it.
That SDK drops two kinds of signature, which are kept here: one on code to be executed or its result, and one on an empty
part with no text before it, which becomes an empty block.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import to_builtins

from streamcore import jsontext
from streamcore.dialects.gemini.calls import FunctionCalls, Stream
from streamcore.dialects.gemini.sources import addresses
from streamcore.parts import (
    File,
    FinishUnified,
    Json,
    Metadata,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    Source,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolResult,
)
from streamcore.state import Frozen, State

TEXT: Final = "text"
THOUGHT: Final = "thought"
_KEPT: Final = ("groundingMetadata", "urlContextMetadata", "safetyRatings", "finishMessage")
"""What a candidate says beside its content: the last value counts."""


class CandidateState(State):
    """One candidate."""

    __slots__ = (
        "addresses",
        "block",
        "block_id",
        "blocks",
        "calls",
        "choice",
        "code_id",
        "finish",
        "resumed",
        "said",
        "tool_id",
    )

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self.block = ""
        """What the open block holds: :data:`TEXT`, :data:`THOUGHT`, or nothing, and then none is open."""
        self.block_id = ""
        self.blocks = 0
        self.calls = FunctionCalls(choice)
        self.code_id = ""
        """Id of the last code execution."""
        self.tool_id = ""
        """Id of the last call of one of Google's own tools that has no result yet."""
        self.addresses: set[str] = set()
        """Of the sources that are out."""
        self.said: dict[str, Frozen] = {}
        self.finish: tuple[FinishUnified, str] | None = None
        """The finish reason, unified and raw."""
        self.resumed = False
        """Content came after the finish reason."""

    def read(self, wire: dict[str, Any], stream: Stream, out: list[Part]) -> None:
        """One candidate of a chunk, its finish reason aside."""
        choice = self.choice
        for address, title in addresses(wire.get("groundingMetadata")):
            if address not in self.addresses:
                self.addresses.add(address)
                out.append(Source("url", stream.take_id(None, out), address, title, choice=choice))
        parts = (wire.get("content") or {}).get("parts") or ()
        for part in parts:
            if "functionCall" not in part:
                self._part(part, stream, out)
        for part in parts:
            if "functionCall" in part:
                self.calls.piece(part["functionCall"], _metadata(part, stream), stream, out)

    def keep(self, wire: dict[str, Any]) -> None:
        """Notes what the ``finish`` part will say about the candidate."""
        for key in _KEPT:
            if wire.get(key) is not None:
                self.said[key] = Frozen(wire[key])

    def kept(self) -> dict[str, Json]:
        """What :meth:`keep` noted; null where nothing was said."""
        # The quick path keeps records.
        return {key: to_builtins(self.said[key].value) if key in self.said else None for key in _KEPT}

    def _part(self, part: dict[str, Any], stream: Stream, out: list[Part]) -> None:
        if (part.get("executableCode") or {}).get("code"):
            self.code_id = stream.take_id(None, out)
            code = jsontext.stringify(part["executableCode"])
            metadata = _metadata(part, stream)
            out.append(ToolCall(self.code_id, "code_execution", code, True, metadata=metadata, choice=self.choice))
        elif part.get("codeExecutionResult"):
            self._code_result(part, stream, out)
        elif part.get("text") is not None:
            self._text(part["text"], part.get("thought") is True, _metadata(part, stream), out)
        elif "inlineData" in part:
            self.end_block(out)
            thought = {"thought": True} if part.get("thought") is True else {}
            metadata = _metadata(part, stream, **thought)
            out.append(File(part["inlineData"]["mimeType"], part["inlineData"]["data"], metadata, self.choice))
        elif part.get("toolCall"):
            call = part["toolCall"]
            self.tool_id = stream.take_id(call.get("id"), out)
            args = call.get("args")
            metadata = _metadata(part, stream, serverToolCallId=self.tool_id, serverToolType=call["toolType"])
            name, text = f"server:{call['toolType']}", jsontext.stringify({} if args is None else args)
            out.append(ToolCall(self.tool_id, name, text, True, True, metadata, self.choice))
        elif part.get("toolResponse"):
            self._tool_response(part, stream, out)
        elif "unknown" in part:
            stream.warn("unknown_part", f"a part that holds {', '.join(part['unknown'])}")

    def _code_result(self, part: dict[str, Any], stream: Stream, out: list[Part]) -> None:
        if not self.code_id:
            stream.warn("result_without_call", "the result of code that was not shown")
            return
        wire = part["codeExecutionResult"]
        result = {"output": "" if wire.get("output") is None else wire["output"]}
        if wire.get("outcome") is not None:
            result["outcome"] = wire["outcome"]
        metadata = _metadata(part, stream)
        out.append(ToolResult(self.code_id, "code_execution", result, metadata=metadata, choice=self.choice))

    def _tool_response(self, part: dict[str, Any], stream: Stream, out: list[Part]) -> None:
        wire = part["toolResponse"]
        call_id = self.tool_id or wire.get("id") or stream.take_id(None, out)
        self.tool_id = ""
        response = wire.get("response")
        metadata = _metadata(part, stream, serverToolCallId=call_id, serverToolType=wire["toolType"])
        result = {} if response is None else response
        out.append(ToolResult(call_id, f"server:{wire['toolType']}", result, metadata=metadata, choice=self.choice))

    def _text(self, text: str, is_thought: bool, metadata: Metadata | None, out: list[Part]) -> None:
        if not text and metadata is None:
            return
        kind = THOUGHT if is_thought else TEXT
        if not text and self.block == TEXT:
            kind = TEXT  # a signature that comes late goes with the text
        if self.block != kind:
            self.end_block(out)
            self.block = kind
            self.block_id = str(self.blocks)
            self.blocks += 1
            out.append((ReasoningStart if is_thought else TextStart)(self.block_id, metadata, self.choice))
        delta = TextDelta if kind == TEXT else ReasoningDelta
        out.append(delta(self.block_id, text, metadata, self.choice))

    def end_block(self, out: list[Part]) -> None:
        """Ends the open block, if one is open."""
        if self.block:
            out.append((TextEnd if self.block == TEXT else ReasoningEnd)(self.block_id, choice=self.choice))
            self.block = ""


def _metadata(part: dict[str, Any], stream: Stream, **fields: Json) -> Metadata | None:
    if part.get("thoughtSignature"):
        fields["thoughtSignature"] = part["thoughtSignature"]
    return {stream.provider: fields} if fields else None
