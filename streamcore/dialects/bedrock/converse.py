"""``bedrock-converse-stream``: Amazon Bedrock's ConverseStream (API reference, "ConverseStream").

Parts equal those of ``@ai-sdk/amazon-bedrock`` on well-formed streams, without the ``response-metadata`` that it makes of
the request and the HTTP headers. The reason why the model stopped comes with ``messageStop``, the usage with
``metadata``, in either order and before the end of the body, which is where ``finish`` goes out. A body without
``messageStop`` was cut, whatever else it said.

Where Bedrock itself runs a tool, its result comes in blocks of its own: it is a ``tool-result`` part, and the call is
marked as executed by the provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from streamcore.dialects.base import INVALID, StreamState
from streamcore.dialects.bedrock import schema
from streamcore.dialects.bedrock.blocks import CALL, REASONING, TEXT, ContentState
from streamcore.dialects.bedrock.stream import BedrockStream, without_padding
from streamcore.dialects.schema import Mismatch, apart_from
from streamcore.dialects.typed import excerpt
from streamcore.errors import ErrorKind
from streamcore.parts import Finish, FinishUnified, Part, ReasoningDelta, TextDelta, ToolInputDelta, Usage
from streamcore.state import Frozen, Log

if TYPE_CHECKING:
    from streamcore.framing.eventstream import EventStreamFrame

STOP_REASONS: Final[dict[str, FinishUnified]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool-calls",
    "max_tokens": "length",
    "guardrail_intervened": "content-filter",
    "content_filtered": "content-filter",
    "malformed_model_output": "other",
    "malformed_tool_use": "other",
    "model_context_window_exceeded": "other",
}
"""The documented stop reasons; any other is ``other``."""


class _Arguments(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    input: str


class _Reasoning(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str


class _Members(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str | None = None
    toolUse: _Arguments | None = None  # noqa: N815 - the wire's name
    reasoningContent: _Reasoning | None = None  # noqa: N815


class _Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    contentBlockIndex: int  # noqa: N815
    delta: _Members
    p: str | None = None


_COLONS: Final = 3
"""In a text delta: one for each of its keys but the padding."""
_DEPTH_OF_A_DELTA: Final = 3
_decode_delta = msgspec.json.Decoder(_Delta).decode


class ConverseState(StreamState):
    """The stream."""

    __slots__ = ("content", "metadata", "started", "stop", "stop_sequence", "usage")

    def __init__(self) -> None:
        super().__init__()
        self.content = ContentState()
        self.started = False
        """``messageStart`` was seen."""
        self.stop: str | None = None
        self.stop_sequence: str | None = None
        self.usage: Frozen | None = None
        self.metadata: Frozen | None = None


class BedrockConverse(BedrockStream):
    """See the module's docstring."""

    name = "bedrock-converse-stream"
    quick_depth = _DEPTH_OF_A_DELTA
    state: ConverseState

    def initial_state(self) -> ConverseState:
        """Nothing seen yet."""
        return ConverseState()

    def frame(self, frame: EventStreamFrame, out: list[Part]) -> None:
        """One message."""
        # Nearly all events are one more piece of text, reasoning or arguments. Whatever does not match to the letter
        # takes the general path, which gives the same parts (tests/streamcore proves it).
        headers, payload, _ = frame
        if headers.get(":event-type") == "contentBlockDelta" and headers.get(":message-type") == "event" and self.quick:
            try:
                value = _decode_delta(payload)
                block = self.state.content.open[value.contentBlockIndex]
            except (LookupError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.frame_in_full(frame, out)
                return
            delta = value.delta
            text: str | None = None
            wanted, colons = TEXT, _COLONS if value.p is None else _COLONS + 1
            part: type[TextDelta | ReasoningDelta | ToolInputDelta] = TextDelta
            if delta.text is not None:
                text = delta.text
            elif delta.toolUse is not None:
                text, wanted, part, colons = delta.toolUse.input, CALL, ToolInputDelta, colons + 1
            elif delta.reasoningContent is not None:
                text, wanted, part, colons = delta.reasoningContent.text, REASONING, ReasoningDelta, colons + 1
            state = self.state
            if text and block.kind == wanted and state.stop is None and not state.dead:
                # Every key has its colon, so as many colons as keys means that no key came twice, and that no other
                # member is there with the value null. Those in the text are not keys, unless they may be escaped.
                seen = payload.count(b":")
                if seen == colons or (seen == colons + text.count(":") and payload.find(b"\\u003") < 0):
                    if wanted == CALL:
                        if block.log.length + len(text) > self.limits.max_arguments_chars:
                            self.frame_in_full(frame, out)
                            return
                        block.log = Log(block.log, text)
                    out.append(part(block.id, text))
                    return
        self.frame_in_full(frame, out)

    def event(self, name: str, payload: bytes, out: list[Part]) -> None:
        """One event."""
        value = self.payload(payload, out)
        if value is not INVALID:
            self.member(name, without_padding(value), out)

    def member(self, name: str, value: Any, out: list[Part]) -> None:
        """An event's name and its value."""
        check = schema.EVENTS.get(name)
        if check is None:
            self.warn("unknown_event", excerpt(name))
            return
        try:
            event, misfit = apart_from(schema.DETAILS.get(name, ()), check, value)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, f"{name}: {mismatch}", out, payload={name: value})
            return
        if misfit:
            self.lenient("unreadable_detail", f"{name}: {misfit}", out)
        self.open(out)
        state = self.state
        if state.stop is not None and name != "metadata":
            self.lenient("data_after_end", f"a {name} after messageStop", out)
        match name:
            case "contentBlockDelta":
                state.content.delta(event, self, out)
            case "contentBlockStart":
                state.content.start(event, self, out)
            case "contentBlockStop":
                state.content.stop(event, self, out)
            case "messageStart":
                if state.started:
                    self.lenient("message_start_repeated", "a second messageStart", out)
                state.started = True
            case "messageStop":
                self._stop(event, out)
            case _:
                self._metadata(event)

    def _stop(self, event: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        if not state.started:
            self.lenient("message_start_missing", "messageStop without messageStart", out)
        state.stop = event["stopReason"]
        if state.stop not in STOP_REASONS:
            self.warn("unknown_stop_reason", excerpt(event["stopReason"]))
        delta = (event.get("additionalModelResponseFields") or {}).get("delta") or {}
        state.stop_sequence = delta.get("stop_sequence")

    def _metadata(self, event: dict[str, Any]) -> None:
        usage = event.get("usage")
        if usage is not None:
            self.state.usage = Frozen(usage)
        cache = {key: usage[key] for key in _CACHE_FIELDS if usage.get(key) is not None} if usage else {}
        fields: dict[str, Any] = {"usage": cache} if cache else {}
        for key in ("trace", "performanceConfig", "serviceTier"):
            value = event.get(key)
            if value or type(value) in (dict, list):
                fields[key] = value
        if fields:
            self.state.metadata = Frozen(fields)

    def failed(self) -> None:
        """An error of the service takes the place of an earlier stop reason."""
        self.state.stop = None

    def end(self, out: list[Part]) -> bool:
        """The body is complete if ``messageStop`` came, or if the service's own error explains why it did not."""
        state = self.state
        if state.stop is None and not state.provider_failed:
            return False
        if state.stop is not None:
            # The stop reason vouches for a call whose block was not stopped; otherwise the call counts as cut.
            complete = state.stop == "tool_use"
            for index in list(state.content.open):
                state.content.abandon(index, self, out, complete=complete)
            if complete and not state.content.client_calls:
                self.warn("finish_without_calls", "stop reason tool_use but no tool call")
            if state.usage is None:
                self.lenient("usage_missing", "no metadata with the usage", out)
        metadata = dict(state.metadata.value) if state.metadata else {}
        if state.stop_sequence is not None:
            metadata["stopSequence"] = state.stop_sequence
        unified: FinishUnified = "error" if state.stop is None else STOP_REASONS.get(state.stop, "other")
        usage = _usage(state.usage.value) if state.usage else Usage()
        out.append(Finish(self.concluded(unified), state.stop, usage, {"bedrock": metadata} if metadata else None))
        state.ended = True
        return True


_CACHE_FIELDS: Final = ("cacheWriteInputTokens", "cacheDetails")


def _usage(wire: dict[str, Any]) -> Usage:
    inputs, outputs = wire["inputTokens"], wire["outputTokens"]
    read, written = wire.get("cacheReadInputTokens") or 0, wire.get("cacheWriteInputTokens") or 0
    return Usage(
        input_total=inputs + read + written,
        input_no_cache=inputs,
        input_cache_read=read,
        input_cache_write=written,
        output_total=outputs,
        output_text=outputs,
        raw=wire,
    )
