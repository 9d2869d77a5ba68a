"""``cohere-v2``: Cohere's Chat API v2, streaming (API docs, "Chat with streaming").

Parts equal those of ``@ai-sdk/cohere`` on well-formed streams. Like it, this leaves out the tool plan, which the model
writes before it calls tools, and citations: no part of the unified stream has room for them. Also like it, the input
of a completed call is not the text of its deltas but that text parsed and written again. On other streams nothing that
the wire said gets lost unseen.

The ``type`` of a payload says what an event is; the event's name is a hint. The end of the stream is ``message-end``;
the ``[DONE]`` behind it says nothing new, and ends nothing by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from streamcore.dialects.base import INVALID, StreamState
from streamcore.dialects.cohere import schema
from streamcore.dialects.cohere.blocks import CALL, TEXT, THINKING, ContentState
from streamcore.dialects.typed import TypedEvents, checked, excerpt, type_of
from streamcore.errors import ErrorKind
from streamcore.parts import (
    Finish,
    FinishUnified,
    Part,
    ReasoningDelta,
    ResponseMetadata,
    TextDelta,
    ToolInputDelta,
    Usage,
)

if TYPE_CHECKING:
    from streamcore.framing.sse import SseFrame

_FINISH: Final[dict[str, FinishUnified]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool-calls",
    "ERROR": "error",
    "TIMEOUT": "other",
}


class _Text(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str | msgspec.UnsetType = msgspec.UNSET
    thinking: str | msgspec.UnsetType = msgspec.UNSET


class _Function(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    arguments: str


class _Call(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    function: _Function


class _ContentMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: _Text


class _CallMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    tool_calls: _Call


class _InContent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    message: _ContentMessage


class _InCall(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    message: _CallMessage


class _ContentDelta(msgspec.Struct, tag_field="type", tag="content-delta", forbid_unknown_fields=True, gc=False):
    index: int
    delta: _InContent


class _CallDelta(msgspec.Struct, tag_field="type", tag="tool-call-delta", forbid_unknown_fields=True, gc=False):
    index: int
    delta: _InCall


_KEYS_OF_CONTENT: Final = 6
_KEYS_OF_ARGUMENTS: Final = 7
_DEPTH_OF_A_DELTA: Final = 5
_decode_delta = msgspec.json.Decoder(_ContentDelta | _CallDelta).decode


class CohereState(StreamState):
    """The stream."""

    __slots__ = ("called", "content", "message")

    def __init__(self) -> None:
        super().__init__()
        self.message: tuple[str | None] | None = None
        """The id of the message that was started, in a tuple because it may be absent."""
        self.content = ContentState()
        self.called = False
        """A tool call was started."""


class CohereV2(TypedEvents):
    """See the module's docstring."""

    name = "cohere-v2"
    quick_depth = _DEPTH_OF_A_DELTA
    state: CohereState

    def initial_state(self) -> CohereState:
        """Nothing seen yet."""
        return CohereState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One event."""
        # Nearly all events are one more piece of text, thinking or arguments. Whatever does not match to the letter
        # takes the general path, which gives the same parts (tests/streamcore proves it).
        data, event, _, _ = frame
        state = self.state
        try:
            value = _decode_delta(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.frame_in_full(frame, out)
            return
        if self.quick and not state.dead:
            if type(value) is _ContentDelta:
                content = value.delta.message.content
                block = state.content.blocks.get(value.index)
                if block is not None and (event == "content-delta" or not event):
                    if type(content.text) is str:
                        text = content.text
                        if block.kind == TEXT and _has_keys(data, _KEYS_OF_CONTENT, text):
                            out.append(TextDelta(block.id, text))
                            return
                    elif type(content.thinking) is str:
                        text = content.thinking
                        if block.kind == THINKING and _has_keys(data, _KEYS_OF_CONTENT, text):
                            out.append(ReasoningDelta(block.id, text))
                            return
            else:
                text = value.delta.message.tool_calls.function.arguments
                call = state.content.calls.get(value.index)
                if (
                    call is not None
                    and call.kind == CALL
                    and (event == "tool-call-delta" or not event)
                    and call.arguments.length + len(text) <= self.limits.max_arguments_chars
                    and _has_keys(data, _KEYS_OF_ARGUMENTS, text)
                ):
                    call.arguments = call.arguments.append(text)
                    out.append(ToolInputDelta(call.id, text))
                    return
        self.frame_in_full(frame, out)

    def frame_in_full(self, frame: SseFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        event, state = frame[1], self.state
        value = self.event_payload(frame, out)
        if value is INVALID:
            return
        kind = type_of(value)
        error = None if kind in schema.EVENTS else self._error_in(value, kind, event)
        if error is not None:
            self.provider_error(error, out)
        elif kind is None:
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event without a type", out, payload=value)
        elif kind not in schema.EVENTS:
            self.warn("unknown_event", excerpt(kind))
        elif state.ended:
            self.lenient("data_after_end", f"a {kind} after message-end", out)
        else:
            if event and event != kind:
                self.lenient("event_name_mismatch", f"an event named {excerpt(event)!r} holds a {kind}", out)
            self._event(kind, value, out)

    @staticmethod
    def _error_in(value: Any, kind: str | None, event: str) -> Any:
        """The provider's error in a payload that is no event of this API; None if it is none."""
        if type(value) is dict and value.get("error") is not None:
            return value["error"]
        if event == "error" or kind == "error":
            return value
        if type(value) is dict and kind is None and type(value.get("message")) is str:
            return value
        return None

    def stray_error(self, value: Any) -> Any:
        """Errors of requests are ``{"message": ...}``."""
        return self._error_in(value, type_of(value), "")

    def _event(self, kind: str, value: Any, out: list[Part]) -> None:
        content = self.state.content
        match kind:
            case "message-start":
                self._message_start(value, out)
            case "content-start":
                if (event := checked(schema.CONTENT_START, value, self, out)) is not None:
                    content.start_block(event.get("index"), event["delta"]["message"]["content"], self, out)
            case "content-delta":
                if (event := checked(schema.CONTENT_DELTA, value, self, out)) is not None:
                    self._said(event, value, out)
            case "content-end":
                if (event := checked(schema.CONTENT_END, value, self, out)) is not None:
                    content.end_block(event.get("index"), self, out)
            case "tool-call-start":
                if (event := checked(schema.CALL_START, value, self, out)) is not None:
                    self.state.called = True
                    wire = event["delta"]["message"]["tool_calls"]
                    content.start_call(event.get("index"), wire, value, self, out)
            case "tool-call-delta":
                if (event := checked(schema.CALL_DELTA, value, self, out)) is not None:
                    wire = event["delta"]["message"]["tool_calls"]
                    content.argue(event.get("index"), wire, value, self, out)
            case "tool-call-end":
                if (event := checked(schema.CALL_END, value, self, out)) is not None:
                    content.end_call(event.get("index"), self, out)
            case "message-end":
                self._message_end(value, out)
            case _:  # what has no part; see the module's docstring
                self.open(out)

    def _said(self, event: dict[str, Any], value: Any, out: list[Part]) -> None:
        content = event["delta"]["message"]["content"]
        if content.get("text") is None and content.get("thinking") is None:
            self.fail(ErrorKind.INVALID_PAYLOAD, "content: neither text nor thinking", out, payload=value)
        else:
            self.state.content.delta(event.get("index"), content, self, out)

    def _message_start(self, value: Any, out: list[Part]) -> None:
        event = checked(schema.MESSAGE_START, value, self, out)
        if event is None:
            return
        state = self.state
        wire_id = event.get("id")
        if self.begins(state.message, wire_id, "message_start", value, out):
            state.message = (wire_id,)
            self.open(out)
            out.append(ResponseMetadata(wire_id))

    def _message_end(self, value: Any, out: list[Part]) -> None:
        event = checked(schema.MESSAGE_END, value, self, out)
        if event is None:
            return
        state = self.state
        delta = event["delta"]
        error = delta.get("error")
        if error is not None:
            self.provider_error(value, out, error if type(error) is str else "")
        elif state.message is None:
            self.lenient("message_start_missing", "message-end without message-start", out)
        reason = delta.get("finish_reason")
        if reason is None:
            self.lenient("finish_reason_missing", "message-end without a finish reason", out)
        elif reason not in _FINISH:
            self.warn("unknown_finish_reason", excerpt(reason))
        elif reason == "TOOL_CALL" and not state.called:
            self.warn("finish_without_calls", "finish reason TOOL_CALL but no tool call")
        self.open(out)
        # The reason vouches for a call that was not ended; otherwise the call counts as cut.
        state.content.finish(self, out, complete=reason == "TOOL_CALL" and error is None)
        unified = "error" if error is not None else _FINISH.get(reason or "", "other")
        out.append(Finish(self.concluded(unified), reason, _usage_of(delta.get("usage"))))
        state.ended = True

    def end(self, out: list[Part]) -> bool:  # noqa: ARG002 - the signature is not ours to choose
        """Without ``message-end`` a stream was cut, whatever else it said."""
        return False


def _has_keys(data: bytes, keys: int, text: str) -> bool:
    """Whether ``data`` has just that many keys outside ``text``, so that none came twice.

    Every key has its colon. Those in the text are not keys, unless they may have been escaped.
    """
    colons = data.count(b":")
    return colons == keys or (colons == keys + text.count(":") and data.find(b"\\u003") < 0)


def _usage_of(wire: dict[str, Any] | None) -> Usage:
    """The tokens that the model saw and made; those that are billed are in ``raw``."""
    if not wire:
        return Usage()
    tokens = wire.get("tokens") or {}
    read, written = tokens.get("input_tokens"), tokens.get("output_tokens")
    return Usage(input_total=read, input_no_cache=read, output_total=written, output_text=written, raw=wire)
