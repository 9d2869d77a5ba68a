"""How the steps of an interaction become parts (API reference, "Interactions": ``step.start``, ``step.delta``,
``step.stop``).

A step has an index, and what kind it is comes with its start. A function call is complete when its step stops. Two things
of a start that ``@ai-sdk/google`` drops are kept: text, and arguments that no delta repeats.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from streamcore import jsontext
from streamcore.dialects.callids import stated
from streamcore.dialects.gemini.calls import Stream
from streamcore.dialects.gemini.interactions_schema import CALLS, RESULTS
from streamcore.dialects.gemini.interactions_sources import Found, of_annotations, of_result
from streamcore.errors import ErrorKind
from streamcore.parts import (
    File,
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
    ToolInputDelta,
    ToolInputEnd,
    ToolInputStart,
    ToolResult,
)
from streamcore.state import EMPTY_LOG, Frozen, Log, State
from streamcore.toolcalls import is_arguments_text

TEXT: Final = "text"
OUTPUT: Final = "model_output"
"""Output that is not known to be text yet."""
IMAGE: Final = "image"
THOUGHT: Final = "thought"
CALL: Final = "function_call"
_MEDIA: Final = {"image": "image/png", "video": "video/mp4"}


class Step(State):
    """A step that is open."""

    __slots__ = ("call_id", "id", "kind", "log", "name", "signature", "value")

    def __init__(self, kind: str, block_id: str) -> None:
        self.kind = kind
        """The type of the step; output has one of the kinds above."""
        self.id = block_id
        self.call_id = ""
        self.name = ""
        self.log: Log = EMPTY_LOG
        """Arguments so far."""
        self.signature: str | None = None
        self.value: Frozen | None = None
        """Arguments of the start, the result, or the image."""


class StepsState(State):
    """The steps of a stream."""

    __slots__ = ("begun", "called", "interaction", "open", "sources")

    def __init__(self) -> None:
        self.interaction: str | None = None
        """Its id."""
        self.called = False
        """There was a function call."""
        self.open: dict[int, Step] = {}
        self.begun: dict[int, int] = {}
        """Index -> how many steps began at it: one, unless something was replayed."""
        self.sources: set[str] = set()
        """Keys of those that are out."""

    def start(self, index: int, wire: dict[str, Any], stream: Stream, out: list[Part]) -> None:
        """``step.start``."""
        kind = wire["type"]
        block_id = f"{self.interaction or 'interaction'}:{index}"
        times = self.begun[index] = self.begun.get(index, 0) + 1
        if times > 1:
            stream.lenient("index_collision", f"another step starts at index {index}", out)
            self._abandon(index, stream, out)
            block_id += f":{times}"
        # A step may call itself what only an output becomes, once it has text: then it is one of no known type.
        step = self.open[index] = Step("" if kind == TEXT else kind, block_id)
        if kind == OUTPUT:
            self._start_output(step, wire.get("content") or [], stream, out)
        elif kind == THOUGHT:
            step.signature = wire.get("signature")
            out.append(ReasoningStart(step.id))
            for item in wire.get("summary") or ():
                _summary(step, item, out)
        elif kind == CALL:
            self.called = True
            step.signature, step.value = wire.get("signature"), Frozen(wire.get("arguments") or {})
            step.name = stated(wire.get("name")) or ""
            if not step.name:
                stream.fail(ErrorKind.NAMELESS_CALL, "a function call without a name", out, payload=wire)
                return
            step.call_id = stream.take_id(wire.get("id") or step.id, out)
            out.append(ToolInputStart(step.call_id, step.name))
        elif kind in CALLS:
            step.signature, step.value = wire.get("signature"), Frozen(wire.get("arguments") or {})
            step.call_id = wire.get("id") or step.id
            step.name = wire.get("name") or CALLS[kind] if kind.startswith("mcp") else CALLS[kind]
        elif kind in RESULTS:
            step.value = Frozen(wire.get("result"))
            step.call_id = wire.get("call_id") or step.id
            step.name = wire.get("name") or RESULTS[kind] if kind.startswith("mcp") else RESULTS[kind]
        elif kind != "user_input":
            stream.warn("unknown_step", f"a step of type {kind}")

    def _start_output(self, step: Step, content: list[dict[str, Any]], stream: Stream, out: list[Part]) -> None:
        first = content[0] if content else {}
        if first.get("type") == "text":
            step.kind = TEXT
            out.append(TextStart(step.id))
            if first.get("text"):
                out.append(TextDelta(step.id, first["text"]))
            self._cite(of_annotations(first.get("annotations")), stream, out)
        elif first.get("type") == "image":
            step.kind, step.value = IMAGE, Frozen(first)

    def delta(self, index: int, wire: dict[str, Any], stream: Stream, out: list[Part]) -> None:
        """``step.delta``."""
        step = self.open.get(index)
        if step is None:
            stream.warn("unknown_step", f"a delta of step {index}, which is not open")
            return
        kind = wire["type"]
        if step.kind == OUTPUT and kind in ("text", "text_annotation", "text_annotation_delta"):
            step.kind = TEXT
            out.append(TextStart(step.id))
        if kind == "text" and step.kind == TEXT:
            if wire.get("text"):
                out.append(TextDelta(step.id, wire["text"]))
        elif kind in ("text_annotation", "text_annotation_delta") and step.kind == TEXT:
            self._cite(of_annotations(wire.get("annotations")), stream, out)
        elif kind in _MEDIA and step.kind in (OUTPUT, TEXT, IMAGE):
            self._file(kind, wire, out)
            if step.kind == IMAGE:
                step.value = None
        elif kind == "thought_summary" and step.kind == THOUGHT:
            _summary(step, wire.get("content") or {}, out)
        elif kind == "thought_signature" and step.kind == THOUGHT:
            step.signature = step.signature if wire.get("signature") is None else wire["signature"]
        elif kind == "arguments_delta" and step.kind == CALL:
            self._arguments(step, wire, stream, out)
        elif kind == step.kind and (kind in CALLS or kind in RESULTS):
            _amend(step, wire)
        else:
            stream.warn("unknown_delta", f"a delta of type {kind} for a step of type {step.kind}")

    def _arguments(self, step: Step, wire: dict[str, Any], stream: Stream, out: list[Part]) -> None:
        text = wire.get("arguments") or ""
        if wire.get("signature") is not None:
            step.signature = wire["signature"]
        if wire.get("id") not in (None, "", step.call_id):
            detail = f"call {step.call_id!r} was called {wire['id']!r} later on"
            stream.lenient("id_changed", detail, out, ErrorKind.TOOL_CALL_PROTOCOL)
        if step.log.length + len(text) > stream.limits.max_arguments_chars:
            detail = f"the arguments of {step.name!r} pass {stream.limits.max_arguments_chars} characters"
            stream.fail(ErrorKind.EVENT_TOO_LARGE, detail, out, fatal=True)
        step.log = step.log.append(text)
        if text and step.call_id:
            out.append(ToolInputDelta(step.call_id, text))

    def stop(self, index: int, stream: Stream, out: list[Part]) -> None:
        """``step.stop``."""
        step = self.open.pop(index, None)
        if step is None:
            stream.warn("unknown_step", f"the end of step {index}, which is not open")
        elif step.kind in (TEXT, THOUGHT):
            self._end_block(step, stream, out)
        elif step.kind == IMAGE and step.value is not None:
            self._file("image", step.value.value, out)
        elif step.kind == CALL and step.call_id:
            self._end_call(step, stream, out)
        elif step.kind in CALLS:
            text = jsontext.stringify(step.value.value if step.value else {})
            signed = {stream.provider: {"signature": step.signature}} if step.signature else None
            call_id = stream.take_id(step.call_id, out)
            out.append(ToolCall(call_id, step.name, text, provider_executed=True, metadata=signed))
        elif step.kind in RESULTS:
            result = step.value.value if step.value else None
            out.append(ToolResult(step.call_id, step.name, result))
            self._cite(of_result(step.kind, result), stream, out)

    def _end_block(self, step: Step, stream: Stream, out: list[Part]) -> None:
        if step.kind == TEXT:
            out.append(TextEnd(step.id, self.metadata(stream.provider)))
        else:
            signed = {} if step.signature is None else {"signature": step.signature}
            out.append(ReasoningEnd(step.id, self.metadata(stream.provider, **signed)))

    def _end_call(self, step: Step, stream: Stream, out: list[Part]) -> None:
        text = step.log.text()
        given = step.value.value if step.value else {}
        if not text and given:
            text = jsontext.stringify(given)
            out.append(ToolInputDelta(step.call_id, text))
        invalid = not is_arguments_text(text)
        if invalid:
            detail = f"the arguments of {step.name!r} are not a JSON object"
            stream.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
        out.append(ToolInputEnd(step.call_id))
        signed = {} if step.signature is None else {"signature": step.signature}
        metadata = self.metadata(stream.provider, **signed)
        out.append(ToolCall(step.call_id, step.name, text or "{}", metadata=metadata, invalid=invalid))

    def close(self, stream: Stream, out: list[Part]) -> None:
        """The stream has ended: ends what is open, except calls, which were cut."""
        for index in list(self.open):
            self._abandon(index, stream, out)

    def _abandon(self, index: int, stream: Stream, out: list[Part]) -> None:
        step = self.open.pop(index, None)
        if step is None:
            return
        if step.kind in (TEXT, THOUGHT):
            self._end_block(step, stream, out)
        elif step.kind == CALL:
            detail = f"the call of {step.name!r} was never ended"
            stream.lenient("call_not_ended", detail, out, ErrorKind.TOOL_CALL_PROTOCOL)

    def metadata(self, provider: str, **fields: Json) -> Metadata | None:
        """``providerMetadata`` with the interaction's id."""
        if self.interaction is not None:
            fields["interactionId"] = self.interaction
        return {provider: fields} if fields else None

    def _file(self, kind: str, wire: dict[str, Any], out: list[Part]) -> None:
        media_type = _MEDIA[kind] if wire.get("mime_type") is None else wire["mime_type"]
        if wire.get("data"):
            out.append(File(media_type, wire["data"], self.metadata("google")))
        elif wire.get("uri"):
            out.append(File(media_type, "", self.metadata("google", **{f"{kind}Uri": wire["uri"]})))

    def _cite(self, found: Iterable[Found], stream: Stream, out: list[Part]) -> None:
        for one in found:
            if one.key in self.sources:
                continue
            self.sources.add(one.key)
            kind: Any = "document" if one.url is None else "url"
            out.append(Source(kind, stream.take_id(None, out), one.url, one.title, one.media_type, one.filename))


def _summary(step: Step, item: dict[str, Any], out: list[Part]) -> None:
    if item.get("type") == "text" and item.get("text") is not None:
        out.append(ReasoningDelta(step.id, item["text"]))


def _amend(step: Step, wire: dict[str, Any]) -> None:
    """What a delta says about a call or result of Google's own tools replaces what the start said."""
    if wire.get("id") or wire.get("call_id"):
        step.call_id = wire.get("id") or wire["call_id"]
    if wire.get("signature"):
        step.signature = wire["signature"]
    if wire.get("name") is not None and step.kind.startswith("mcp"):
        step.name = wire["name"]
    if step.kind in CALLS and wire.get("arguments") is not None:
        step.value = Frozen(wire["arguments"])
    elif step.kind in RESULTS and "result" in wire:
        step.value = Frozen(wire["result"])
