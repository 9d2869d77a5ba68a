"""``cohere-v1``: Cohere's Chat API v1, streaming (API docs, "Chat", "Streaming responses"), superseded by v2.

One JSON object a line, whose ``event_type`` says what it is. Text comes in pieces. Tool calls are shown when
``tool-calls-generation`` brings them whole, so that the ``tool-calls-chunk`` events before it say nothing new; they have
no ids and get them. As in v2, search results, citations and the plan before a call have no part. No TypeScript
reference reads this API: the rules are those of the other dialects.

The end of the stream is ``stream-end``; the whole text that it repeats must be what the pieces add up to.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore import jsontext
from streamcore.dialects.base import StreamState
from streamcore.dialects.callids import stated
from streamcore.dialects.json_lines import JsonLines, object_text
from streamcore.dialects.schema import Mismatch, Schema, array, nullish, number, record, shape, string
from streamcore.errors import ErrorKind
from streamcore.parts import (
    Finish,
    FinishUnified,
    Part,
    ResponseMetadata,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputEnd,
    ToolInputStart,
    Usage,
)
from streamcore.state import EMPTY_LOG, Log

_FINISH: Final[dict[str, FinishUnified]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_TOXIC": "content-filter",
    "ERROR_LIMIT": "error",
    "ERROR": "error",
    "USER_CANCEL": "other",
}
_UNSHOWN: Final = (
    "search-queries-generation",
    "search-results",
    "citation-generation",
    "tool-calls-chunk",
    "debug",
)
_TEXT: Final = shape({"text": string})
_START: Final = shape({"generation_id": nullish(string)})
_CALLS: Final = shape({"tool_calls": array(shape({"name": nullish(string), "parameters": nullish(record)}))})
_TOKENS: Final = shape({"input_tokens": nullish(number), "output_tokens": nullish(number)}, loose=True)
_META: Final = shape({"tokens": nullish(_TOKENS), "billed_units": nullish(_TOKENS)})
_RESPONSE: Final = shape({"text": nullish(string), "meta": nullish(_META)})
_END: Final = shape({"finish_reason": nullish(string), "response": nullish(_RESPONSE)})
_EXCERPT: Final = 60


class CohereV1State(StreamState):
    """The stream."""

    __slots__ = ("calls", "text", "text_open")

    def __init__(self) -> None:
        super().__init__()
        self.text: Log = EMPTY_LOG
        self.text_open = False
        self.calls = 0


class CohereV1(JsonLines):
    """See the module's docstring."""

    name = "cohere-v1"
    state: CohereV1State

    def initial_state(self) -> CohereV1State:
        """Nothing seen yet."""
        return CohereV1State()

    def stray_error(self, value: Any) -> Any:
        """Errors of requests are ``{"message": ...}``."""
        if type(value) is dict and "event_type" not in value and type(value.get("message")) is str:
            return value
        return super().stray_error(value)

    def line(self, value: dict[str, Any], out: list[Part]) -> None:
        """One event."""
        kind = value.get("event_type")
        if type(kind) is not str:
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event without a type", out, payload=value)
        elif self.state.ended:
            self.lenient("data_after_end", f"a {kind[:_EXCERPT]} after stream-end", out)
        elif kind == "text-generation":
            if (event := self._checked(_TEXT, value, out)) is not None:
                self._say(event["text"], out)
        elif kind == "stream-start":
            if (event := self._checked(_START, value, out)) is not None:
                self.open(out)
                out.append(ResponseMetadata(event.get("generation_id")))
        elif kind == "tool-calls-generation":
            if (event := self._checked(_CALLS, value, out)) is not None:
                for call in event["tool_calls"]:
                    self._call(call, value, out)
        elif kind == "stream-end":
            if (event := self._checked(_END, value, out)) is not None:
                self._end(event, out)
        elif kind in _UNSHOWN:
            self.open(out)
        else:
            self.warn("unknown_event", kind[:_EXCERPT])

    def _checked(self, check: Schema, value: Any, out: list[Part]) -> Any:
        try:
            return check(value)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
            return None

    def _say(self, text: str, out: list[Part]) -> None:
        if not text:
            return
        state = self.state
        self.open(out)
        if not state.text_open:
            state.text_open = True
            out.append(TextStart("0"))
        state.text = state.text.append(text)
        out.append(TextDelta("0", text))

    def _call(self, call: dict[str, Any], event: Any, out: list[Part]) -> None:
        name = stated(call.get("name"))
        if name is None:
            self.fail(ErrorKind.NAMELESS_CALL, "a tool call without a name", out, payload=event)
            return
        if self.state.calls >= self.limits.max_open_calls:
            detail = f"more than {self.state.calls} tool calls in one message"
            self.fail(ErrorKind.TOOL_CALL_PROTOCOL, detail, out, fatal=True)
        call_id = f"call_gen_{self.state.calls}"
        self.state.calls += 1
        text = object_text(call.get("parameters") or {})
        self.open(out)
        out += (ToolInputStart(call_id, name), ToolInputDelta(call_id, text))
        out += (ToolInputEnd(call_id), ToolCall(call_id, name, text))

    def _end(self, event: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        self.open(out)
        response = event.get("response") or {}
        whole = response.get("text")
        if whole is not None and jsontext.joined(whole) != jsontext.joined(state.text.text()):
            self.lenient("snapshot_mismatch", "the text of stream-end is not that of the pieces", out)
        if state.text_open:
            out.append(TextEnd("0"))
        reason = event.get("finish_reason")
        if reason is not None and reason not in _FINISH:
            self.warn("unknown_finish_reason", reason[:_EXCERPT])
        unified = _FINISH.get(reason or "", "other")
        if unified == "stop" and state.calls:
            unified = "tool-calls"
        out.append(Finish(self.concluded(unified), reason, _usage_of(response.get("meta"))))
        state.ended = True


def _usage_of(meta: dict[str, Any] | None) -> Usage:
    """The tokens that the model saw and made; those that are billed where it says no others."""
    if not meta:
        return Usage()
    tokens = meta.get("tokens") or meta.get("billed_units") or {}
    read, written = tokens.get("input_tokens"), tokens.get("output_tokens")
    return Usage(input_total=read, input_no_cache=read, output_total=written, output_text=written, raw=meta)
