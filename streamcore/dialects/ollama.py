"""``ollama-ndjson``: Ollama's own API, streaming: ``/api/chat`` and ``/api/generate`` (its API docs, "Streaming").

One JSON object a line. ``message.content`` or ``response`` is text, ``thinking`` beside it reasoning. A tool call comes
whole, its arguments an object: their text is what ECMAScript writes for it, unless that would change a number. A call
mostly has no id and gets one. No TypeScript reference makes parts of this API, so the rules are those of the other
dialects: a block ends where something else begins, and the finish reason is ``tool-calls`` when the model stopped
after a call.

The end of the stream is the line with ``done: true``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from streamcore.dialects.base import StreamState
from streamcore.dialects.callids import CallIds, stated
from streamcore.dialects.json_lines import JsonLines, object_text
from streamcore.dialects.schema import Mismatch, anything, apart_from, array, boolean, nullish, number, shape, string
from streamcore.errors import ErrorKind
from streamcore.parts import (
    Finish,
    FinishUnified,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
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
from streamcore.toolcalls import is_arguments_text

if TYPE_CHECKING:
    from streamcore.framing.ndjson import NdjsonFrame

_FINISH: Final[dict[str, FinishUnified]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "load": "other",
    "unload": "other",
}
_FIGURES: Final = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)
"""What the last line says about the cost; durations are nanoseconds."""
_CALL: Final = shape(
    {
        "id": nullish(string),
        "function": shape({"name": nullish(string), "arguments": nullish(anything)}),
    }
)
_MESSAGE: Final = shape(
    {"content": nullish(string), "thinking": nullish(string), "tool_calls": nullish(array(_CALL))}
)
_LINE: Final = shape(
    {
        "model": nullish(string),
        "created_at": nullish(string),
        "message": nullish(_MESSAGE),
        "response": nullish(string),
        "thinking": nullish(string),
        "done": nullish(boolean),
        "done_reason": nullish(string),
        **{name: nullish(number) for name in _FIGURES},
    }
)
_DETAILS: Final = tuple((name,) for name in ("model", "created_at", *_FIGURES))
"""What a line mentions beside the message."""
_EXCERPT: Final = 120
TEXT: Final = "text"
REASONING: Final = "reasoning"


class _QuickMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: str
    content: str | msgspec.UnsetType = msgspec.UNSET
    thinking: str | msgspec.UnsetType = msgspec.UNSET


class _QuickLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    model: str
    created_at: str
    done: bool
    message: _QuickMessage | msgspec.UnsetType = msgspec.UNSET
    response: str | msgspec.UnsetType = msgspec.UNSET
    thinking: str | msgspec.UnsetType = msgspec.UNSET


_decode_line = msgspec.json.Decoder(_QuickLine).decode
_QUICK_DEPTH: Final = 2


class OllamaState(StreamState):
    """The stream."""

    __slots__ = ("block", "call_ids", "described", "reasonings", "texts")

    def __init__(self) -> None:
        super().__init__()
        self.described = False
        """``response-metadata`` is out, or there was nothing to say in it."""
        self.block = ""
        """What is open: TEXT, REASONING, or nothing."""
        self.texts = 0
        self.reasonings = 0
        """Blocks so far: the id of the next."""
        self.call_ids = CallIds()


class OllamaNdjson(JsonLines):
    """See the module's docstring."""

    name = "ollama-ndjson"
    state: OllamaState

    def initial_state(self) -> OllamaState:
        """Nothing seen yet."""
        return OllamaState()

    def frame(self, frame: NdjsonFrame, out: list[Part]) -> None:
        """One line."""
        # Nearly all lines are one more piece of the text or reasoning that is open. Whatever does not match to the letter
        # takes the general path, which gives the same parts (tests/streamcore proves it).
        data, self.offset = frame
        state = self.state
        if state.block and not state.ended and not state.dead:
            try:
                line = _decode_line(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass
            else:
                if not line.done and self._one_piece(data, line, out):
                    return
        self.frame_in_full(frame, out)

    def _one_piece(self, data: bytes, line: _QuickLine, out: list[Part]) -> bool:
        """A piece of the open block and nothing else; False if the line is not that."""
        message = line.message
        keys = 3  # model, created_at, done
        if type(message) is _QuickMessage:
            if line.response is not msgspec.UNSET or line.thinking is not msgspec.UNSET or message.role != "assistant":
                return False
            keys += 2
            text, thinking = message.content, message.thinking
        else:
            text, thinking = line.response, line.thinking
        state = self.state
        piece, other = (text, thinking) if state.block == TEXT else (thinking, text)
        if type(piece) is not str or not piece or self.limits.max_json_depth < _QUICK_DEPTH:
            return False
        if other is not msgspec.UNSET:
            if other:
                return False
            keys += 1
        # Every key has its colon, so as many colons as keys, but for those in the strings, mean that no key came twice.
        colons = piece.count(":") + line.created_at.count(":") + line.model.count(":")
        if data.count(b":") != keys + 1 + colons or data.find(b"u003a") >= 0 or data.find(b"u003A") >= 0:
            return False
        if state.block == TEXT:
            out.append(TextDelta(str(state.texts - 1), piece))
        else:
            out.append(ReasoningDelta(str(state.reasonings - 1), piece))
        return True

    def line(self, value: dict[str, Any], out: list[Part]) -> None:
        """One line, checked."""
        try:
            line, misfit = apart_from(_DETAILS, _LINE, value)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
            return
        if misfit:
            self.lenient("unreadable_detail", misfit, out)
        if self.state.ended:
            self.lenient("data_after_end", "a line after the one that is done", out)
        elif all(line.get(key) is None for key in ("message", "response", "thinking", "done")):
            self.fail(ErrorKind.INVALID_PAYLOAD, "neither message, response nor done", out, payload=value)
        else:
            self._line(line, out)

    def _line(self, line: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        self.open(out)
        if not state.described:
            state.described = True
            created = _timestamp(line.get("created_at"))
            if line.get("model") or created:
                out.append(ResponseMetadata(None, line.get("model"), created))
        message = line.get("message") or {}
        for piece in (line.get("thinking"), message.get("thinking")):
            if piece:
                self._say(REASONING, piece, out)
        for piece in (line.get("response"), message.get("content")):
            if piece:
                self._say(TEXT, piece, out)
        for call in message.get("tool_calls") or ():
            self._call(call, out)
        if line.get("done"):
            self._finish(line, out)

    def _say(self, kind: str, piece: str, out: list[Part]) -> None:
        state = self.state
        if state.block != kind:
            self._end_block(out)
            state.block = kind
            if kind == TEXT:
                out.append(TextStart(str(state.texts)))
                state.texts += 1
            else:
                out.append(ReasoningStart(str(state.reasonings)))
                state.reasonings += 1
        out.append(
            TextDelta(str(state.texts - 1), piece)
            if kind == TEXT
            else ReasoningDelta(str(state.reasonings - 1), piece)
        )  # fmt: skip

    def _end_block(self, out: list[Part]) -> None:
        state = self.state
        if state.block == TEXT:
            out.append(TextEnd(str(state.texts - 1)))
        elif state.block == REASONING:
            out.append(ReasoningEnd(str(state.reasonings - 1)))
        state.block = ""

    def _call(self, wire: dict[str, Any], out: list[Part]) -> None:
        name = stated(wire["function"].get("name"))
        if name is None:
            self.fail(ErrorKind.NAMELESS_CALL, "a tool call without a name", out, payload=wire)
            return
        if len(self.state.call_ids.taken) >= self.limits.max_open_calls:
            detail = f"more than {len(self.state.call_ids.taken)} tool calls in one message"
            self.fail(ErrorKind.TOOL_CALL_PROTOCOL, detail, out, fatal=True)
        self._end_block(out)
        call_id = self._call_id(wire.get("id"), name, out)
        text = self._arguments(name, wire["function"].get("arguments"), out)
        invalid = not is_arguments_text(text)
        if invalid:
            detail = f"the arguments of {name!r} are not a JSON object"
            self.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
        out += (
            ToolInputStart(call_id, name),
            ToolInputDelta(call_id, text),
            ToolInputEnd(call_id),
            ToolCall(call_id, name, text, invalid=invalid),
        )

    def _call_id(self, call_id: str | None, name: str, out: list[Part]) -> str:
        """The wire's id, if it is there and new; most servers send none, which is no oddity."""
        ids = self.state.call_ids
        return ids.give(call_id, name, self, out) if call_id else ids.make_up(name)

    def _arguments(self, name: str, arguments: Any, out: list[Part]) -> str:
        if arguments is None:
            return "{}"
        if type(arguments) is str:
            self.lenient("args_not_object", f"the arguments of {name!r} are text, not an object", out)
            return arguments
        text = object_text(arguments)
        if len(text) > self.limits.max_arguments_chars:
            detail = f"the arguments of {name!r} pass {self.limits.max_arguments_chars} characters"
            self.fail(ErrorKind.EVENT_TOO_LARGE, detail, out, fatal=True)
        return text

    def _finish(self, line: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        self._end_block(out)
        reason = line.get("done_reason")
        if reason is not None and reason not in _FINISH:
            self.warn("unknown_finish_reason", reason[:_EXCERPT])
        unified = _FINISH.get(reason or "", "other")
        if unified == "stop" and state.call_ids.taken:
            unified = "tool-calls"
        elif unified == "tool-calls" and not state.call_ids.taken:
            self.warn("finish_without_calls", f"finish reason {reason} but no tool call")
        unified = self.concluded(unified)
        raw = {name: line[name] for name in _FIGURES if line.get(name) is not None}
        read = line.get("prompt_eval_count")
        out.append(Finish(unified, reason, Usage(read, read, output_total=line.get("eval_count"), raw=raw or None)))
        state.ended = True


def _timestamp(created: str | None) -> str | None:
    """Go's RFC 3339 text, of up to nine fractional digits and any zone, in UTC with milliseconds."""
    if not created:
        return None
    try:
        moment = datetime.fromisoformat(created)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
