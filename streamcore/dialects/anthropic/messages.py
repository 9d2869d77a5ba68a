"""``anthropic-messages``: the Anthropic Messages API, streaming (API reference, "Messages streaming").

Parts equal those of ``@ai-sdk/anthropic`` on well-formed streams. On others nothing that the wire said gets lost
unseen: text that comes with the start of a block is a delta, a delta whose block was never started opens one, content
that fits nowhere is an ``error`` part; and a tool call is complete only when its block was stopped, or when the message
was, with stop reason ``tool_use``.

The ``type`` of a payload says what an event is; the event's name is a hint. The end of the stream is ``message_stop``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from streamcore.dialects.anthropic import schema
from streamcore.dialects.anthropic.blocks import CALL, REASONING, TEXT, ContentState
from streamcore.dialects.anthropic.finish import STOP_REASONS, Ending
from streamcore.dialects.base import INVALID, StreamState
from streamcore.dialects.typed import TypedEvents, checked, excerpt, type_of
from streamcore.errors import ErrorKind
from streamcore.parts import Part, ReasoningDelta, ResponseMetadata, TextDelta, ToolInputDelta
from streamcore.state import Frozen

if TYPE_CHECKING:
    from streamcore.framing.sse import SseFrame


class _Text(msgspec.Struct, tag_field="type", tag="text_delta", forbid_unknown_fields=True, gc=False):
    text: str


class _Thinking(msgspec.Struct, tag_field="type", tag="thinking_delta", forbid_unknown_fields=True, gc=False):
    thinking: str


class _InputJson(msgspec.Struct, tag_field="type", tag="input_json_delta", forbid_unknown_fields=True, gc=False):
    partial_json: str


class _Delta(msgspec.Struct, tag_field="type", tag="content_block_delta", forbid_unknown_fields=True, gc=False):
    index: int
    delta: _Text | _Thinking | _InputJson


_COLONS: Final = 5
"""In a delta event: one for each of its keys."""
_DEPTH_OF_A_DELTA: Final = 2
_decode_delta = msgspec.json.Decoder(_Delta).decode


class MessageState(StreamState):
    """The stream."""

    __slots__ = ("content", "ending", "message")

    def __init__(self) -> None:
        super().__init__()
        self.message: tuple[str | None] | None = None
        """The id of the message that was started, in a tuple because it may be absent."""
        self.content = ContentState()
        self.ending = Frozen(Ending())


class AnthropicMessages(TypedEvents):
    """See the module's docstring."""

    name = "anthropic-messages"
    quick_depth = _DEPTH_OF_A_DELTA
    state: MessageState

    def initial_state(self) -> MessageState:
        """Nothing seen yet."""
        return MessageState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One event."""
        # Nearly all events are one more piece of text, thinking or arguments. Whatever does not match to the letter
        # takes the general path, which gives the same parts (tests/streamcore proves it).
        data, event, _, _ = frame
        try:
            value = _decode_delta(data)
            block = self.state.content.open[value.index]
        except (LookupError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.frame_in_full(frame, out)
            return
        if (event == "content_block_delta" or not event) and self.quick and not self.state.dead:
            delta = value.delta
            kind = block.kind
            text = ""
            part: type[TextDelta | ReasoningDelta | ToolInputDelta] = TextDelta
            if type(delta) is _Text:
                if kind == TEXT:
                    text = delta.text
            elif type(delta) is _InputJson:
                if kind == CALL and block.log.length + len(delta.partial_json) <= self.limits.max_arguments_chars:
                    text = delta.partial_json
                    part = ToolInputDelta
            elif type(delta) is _Thinking and kind == REASONING:
                text = delta.thinking
                part = ReasoningDelta
            if text:
                # Every key has its colon, so as many colons as documented keys means that no key came twice. Those in
                # the text are not keys, unless they may have been escaped.
                colons = data.count(b":")
                if colons == _COLONS or (colons == _COLONS + text.count(":") and data.find(b"\\u003") < 0):
                    if kind == CALL:
                        block.log = block.log.append(text)
                    out.append(part(block.id, text))
                    return
        self.frame_in_full(frame, out)

    def frame_in_full(self, frame: SseFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        event, state = frame[1], self.state
        value = self.event_payload(frame, out)
        if value is INVALID:
            return
        kind = type_of(value)
        if self._is_error(kind, event, value, out):
            return
        if kind is None:
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event without a type", out, payload=value)
        elif kind not in schema.EVENTS:
            self.warn("unknown_event", excerpt(kind))
        elif not state.ended:
            if event and event != kind:
                self.lenient("event_name_mismatch", f"an event named {excerpt(event)} holds a {kind}", out)
            self._event(kind, value, out)
        elif kind != "ping":
            self.lenient("data_after_end", f"a {kind} after message_stop", out)

    def _is_error(self, kind: str | None, event: str, value: Any, out: list[Part]) -> bool:
        """Reports the provider's error, in whichever shape it came; False if the payload is none."""
        known = kind in schema.EVENTS
        error = value.get("error") if type(value) is dict else None
        if kind != "error" and (known or (event != "error" and error is None)):
            return False
        self.provider_error(value if error is None else error, out)
        return True

    def _event(self, kind: str, value: Any, out: list[Part]) -> None:
        match kind:
            case "content_block_delta":
                self.state.content.delta(value, self, out)
            case "content_block_start":
                self.state.content.start(value, self, out)
            case "content_block_stop":
                self.state.content.stop(value, self, out)
            case "message_start":
                self._message_start(value, out)
            case "message_delta":
                self._message_delta(value, out)
            case "message_stop":
                self._message_stop(out)
            case _:  # ping
                pass

    def _message_start(self, value: Any, out: list[Part]) -> None:
        event = checked(schema.MESSAGE_START, value, self, out, schema.START_DETAILS)
        if event is None:
            return
        state = self.state
        message = event["message"]
        wire_id = message.get("id")
        if not self.begins(state.message, wire_id, "message_start", value, out):
            return
        state.message = (wire_id,)
        if value["message"].get("usage") is None:
            self.lenient("usage_missing", "message_start without usage", out)
        state.ending = Frozen(state.ending.value.started(message))
        self.open(out)
        out.append(ResponseMetadata(wire_id, message.get("model")))
        for block in message.get("content") or ():
            if block["type"] != "tool_use":
                self.warn("unknown_block", f"a {excerpt(block['type'])} block in message_start")
            else:
                state.content.ready_call(block, value, self, out)

    def _message_delta(self, value: Any, out: list[Part]) -> None:
        event = checked(schema.MESSAGE_DELTA, value, self, out, schema.DETAILS)
        if event is None:
            return
        if value.get("usage") is None:
            self.lenient("usage_missing", "message_delta without usage", out)
        reason = event["delta"].get("stop_reason")
        if reason is not None and reason not in STOP_REASONS:
            self.warn("unknown_stop_reason", excerpt(reason))
        for detail in schema.unknown_types(event):
            self.warn("unknown_detail", excerpt(detail))
        self.state.ending = Frozen(self.state.ending.value.continued(event))

    def _message_stop(self, out: list[Part]) -> None:
        state = self.state
        ending: Ending = state.ending.value
        if state.message is None:
            self.lenient("message_start_missing", "message_stop without message_start", out)
        # The stop reason vouches for a call whose block was not stopped; otherwise the call counts as cut.
        complete = ending.stop_reason == "tool_use"
        for index in list(state.content.open):
            state.content.abandon(index, self, out, complete=complete)
        if complete and not state.content.client_calls:
            self.warn("finish_without_calls", "stop reason tool_use but no tool call")
        self.open(out)
        out.append(ending.finish(self))
        state.ended = True

    def end(self, out: list[Part]) -> bool:  # noqa: ARG002 - the signature is not ours to choose
        """Without ``message_stop`` a stream was cut, whatever else it said."""
        return False


class VertexAnthropic(AnthropicMessages):
    """``vertex-anthropic``: the same events from Google's Vertex AI (its reference, "Claude: streamRawPredict").

    Nothing differs on the wire, nor in the parts: the key of the metadata is Anthropic's here too.
    """

    name = "vertex-anthropic"


class GatewayAnthropic(AnthropicMessages):
    """``gateway-anthropic``: Anthropic's messages through a gateway that passes the bytes on."""

    name = "gateway-anthropic"
