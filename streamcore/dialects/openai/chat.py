"""``openai-chat``: OpenAI Chat Completions streaming (API reference, "The chat completion chunk object").

Parts equal those of ``@ai-sdk/openai``'s chat model on well-formed streams. What goes beyond it: a choice other than 0
has its own blocks (that SDK mixes all choices into one), and a refusal, which that SDK drops, is text whose metadata
says so, with the finish reason ``content-filter``.

The end of the stream is ``[DONE]``. A body that ends after a finish reason but without it is complete, with the warning
``missing_done``; one that ends before is ``incomplete_stream``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from streamcore import jsontext
from streamcore.dialects.base import INVALID, Dialect
from streamcore.dialects.openai.chat_schema import CHUNK
from streamcore.dialects.openai.chat_state import ChatState, ChoiceState
from streamcore.dialects.openai.chat_values import FINISH, error_in, predictions, usage_of, whole
from streamcore.dialects.openai.varying_repeats import remember
from streamcore.dialects.schema import Mismatch
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.errors import ErrorKind
from streamcore.framing.sse import SseFrame
from streamcore.legacy import tool_calls
from streamcore.parts import (
    Finish,
    FinishUnified,
    Metadata,
    Part,
    ResponseMetadata,
    Source,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
)
from streamcore.state import Frozen

_EVENTS: Final = ("", "message", "error")
_EXCERPT: Final = 60
_decode = msgspec.json.Decoder().decode


class OpenAIChat(Dialect):
    """See the module's docstring."""

    name = "openai-chat"
    provider: ClassVar[str] = "openai"
    """The key of this API's own fields in ``providerMetadata``."""
    finishes: ClassVar[Mapping[str, FinishUnified]] = FINISH
    """Finish reason of the wire -> the unified one."""
    says_done: ClassVar[bool] = True
    """``[DONE]`` ends the stream; a finish reason alone completes it with a warning only."""
    needs_done: ClassVar[bool] = False
    """Something may come behind a finish reason: without ``[DONE]`` the stream was cut."""
    errors_conclude: ClassVar[bool] = True
    """An error, the provider's or ours, is how the stream finished, unless a finish reason comes behind it."""
    call_types: ClassVar[bool] = True
    """There are calls of other types than functions, which cannot be read as one."""
    state: ChatState

    def initial_state(self) -> ChatState:
        """Nothing seen yet."""
        return ChatState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One ``chat.completion.chunk``, ``[DONE]``, or an error object."""
        data, event, _, self.offset = frame
        state = self.state
        repeat = state.repeat
        if repeat is not None and not event and repeat.again(data, state, self.limits, out):
            state.misses = 0
            return
        if state.described and not state.ended and not state.dead and not event:
            # Most frames are one more piece of text or of arguments. Whatever does not match to the letter takes the
            # general path, which gives the same parts (tests/streamcore proves it).
            try:
                value = _decode(data)
                [choice] = value["choices"]
                delta = choice["delta"]
                if (
                    len(delta) == 1
                    and choice["finish_reason"] is None
                    and choice["index"] == 0
                    and choice["index"] is not False
                    and choice.get("logprobs") is None
                    and value.get("usage") is None
                    and value["id"] == state.id
                    and value["model"] == state.model
                    and value["created"] == state.created
                    and type(value["created"]) is not bool
                    and "error" not in value
                    and "type" not in value
                    and self._one_delta(data, len(value) + len(choice) + 1, delta, out)
                ):
                    remember(data, out[-1], repeat, self)
                    return
            except (LookupError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError):
                pass
        self.frame_to_repeat(frame, out)

    def frame_or_repeat(self, frame: SseFrame, out: list[Part]) -> None:
        """The same for dialects whose chunks are seldom so plain, but repeat each other: their :meth:`frame`."""
        data, event, _, self.offset = frame
        state = self.state
        repeat = state.repeat
        if repeat is not None and not event and repeat.again(data, state, self.limits, out):
            state.misses = 0
        else:
            self.frame_to_repeat(frame, out)

    def frame_to_repeat(self, frame: SseFrame, out: list[Part]) -> None:
        """The general path, and what may be spared the next frame."""
        data, event, *_ = frame
        state = self.state
        before, state.repeat = state.repeat, None
        parts, warnings = len(out), len(self.warnings)
        self.frame_in_full(frame, out)
        if len(out) == parts + 1 and len(self.warnings) == warnings and not event and not state.ended:
            remember(data, out[-1], before, self)

    def _one_delta(self, data: bytes, keys: int, delta: dict[str, Any], out: list[Part]) -> bool:
        """A piece of text or of arguments and nothing else, in a frame of ``keys`` keys outside ``delta``'s value.

        A frame with as many colons as it has keys, and as many brackets as it has lists, has no duplicate key and
        nothing nested that was not looked at; it is no deeper than the frame that began the text or the call.
        """
        colons = data.count(b":") - keys
        first = self.state.choices[0]
        if "content" in delta:
            text = delta["content"]
            if type(text) is not str or not first.text_open or colons or data.count(b"[") != 1:
                return False
            out.append(TextDelta("0", text))
            return True
        [call] = delta["tool_calls"]
        arguments = call["function"]["arguments"]
        return (
            len(call) == 2
            and len(call["function"]) == 1
            and type(call["index"]) is int
            and type(arguments) is str
            # A colon or bracket within the arguments stands for itself, unless it may be written as an escape.
            and colons == 3 + arguments.count(":")
            and data.count(b"[") == 2 + arguments.count("[")
            and b"\\u00" not in data
            and first.tools.more(call["index"], arguments, self.limits, out)
        )

    def frame_in_full(self, frame: SseFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        data, event, _, self.offset = frame
        state = self.state
        if state.dead:
            return
        if state.ended:
            self.lenient("data_after_end", "an event after [DONE]", out)
            return
        if data == b"[DONE]":
            if state.opened:
                self.finish(out)
            else:
                self._incomplete("[DONE] and not one chunk before it", out)
            return
        if data and event not in _EVENTS and not self._is_ours(data, event):
            self.warn("unknown_event", f"an event named {json.dumps(event[:_EXCERPT])}")
            return
        value = self.payload(data, out)
        if value is INVALID:
            state.erred |= bool(data)
            return
        error = self.error_in(value, event)
        if error is not None:
            state.erred = True
            self.provider_error(error, out)
            if not value.get("choices"):
                return
        try:
            chunk = self.checked(value)
        except Mismatch as mismatch:
            state.erred = True
            self.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
            return
        self.open(out)
        self.read_chunk(chunk, out)

    def checked(self, value: Any) -> dict[str, Any]:
        """The chunk, as far as it is read.

        Raises:
            Mismatch: it is none.
        """
        chunk: dict[str, Any] = CHUNK(value)
        return chunk

    def error_in(self, value: Any, event: str) -> Any:
        """The provider's error in a payload; None if it holds none."""
        return error_in(value, event)

    def _is_ours(self, data: bytes, event: str) -> bool:
        """Whether an event of a name that this API does not use holds one of its payloads nevertheless."""
        try:
            value = jsontext.loads(data, self.limits.max_json_depth)
            return self.error_in(value, event) is not None or bool(self.checked(value))
        except (jsontext.JsonTextError, Mismatch):
            return False

    def read_chunk(self, chunk: dict[str, Any], out: list[Part]) -> None:
        """A chunk that has the documented shape."""
        state = self.state
        state.id, state.model, state.created = chunk.get("id"), chunk.get("model"), chunk.get("created")
        if not state.described:
            self.describe_response(out)
        usage = self.usage_in(chunk)
        if usage is not None:
            state.usage = Frozen(usage)
            for name, value in predictions(usage).items():
                self._describe(name, value)
        self.aside(chunk, out)
        for choice in chunk["choices"]:
            self._choice(choice, out)

    def aside(self, chunk: dict[str, Any], out: list[Part]) -> None:
        """What a chunk says beside its choices, its usage and who made it."""

    def describe_response(self, out: list[Part]) -> None:
        """Describes the response as soon as a chunk says anything about it: Azure's first says nothing."""
        state = self.state
        if state.id or state.model or state.created:
            state.described = True
            timestamp = iso_timestamp(state.created) if state.created else None
            out.append(ResponseMetadata(state.id, state.model, timestamp))

    def usage_in(self, chunk: dict[str, Any]) -> Any:
        """Where the usage is in a chunk."""
        return chunk.get("usage")

    def usage(self) -> Usage:
        """The usage of the whole stream."""
        return usage_of(self.state.usage)

    def _describe(self, name: str, value: Any) -> None:
        state = self.state
        state.metadata = Frozen({**(state.metadata.value if state.metadata else {}), name: value})

    def _choice(self, wire: dict[str, Any], out: list[Part]) -> None:
        index = whole(wire.get("index"))
        if index is None or index < 0:
            self.lenient("choice_index_missing", "a choice without a usable index", out)
            index = 0
        choice = self.state.choice(index)
        reason = wire.get("finish_reason")
        if reason and not (reason == "error" and self.state.provider_failed):  # that says the error once more
            choice.finish = reason
            self.state.erred = False
        self.said(index, choice, wire, out)

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """What an element of ``choices`` says, beside its index and finish reason, which are read."""
        logprobs = (wire.get("logprobs") or {}).get("content")
        if logprobs is not None and index == 0:
            self._describe("logprobs", logprobs)
        delta = wire.get("delta")
        if delta is None:
            return
        if delta.get("content") is not None:
            self.text(index, choice, delta["content"], out)
        if delta.get("refusal"):
            choice.refused = True
            self.text(index, choice, delta["refusal"], out)
        for call in delta.get("tool_calls") or tool_calls(delta):
            self.tool_call(choice, call, out)
        for annotation in delta.get("annotations") or ():
            citation = annotation["url_citation"]
            source = f"source_gen_{self.state.sources}"
            self.state.sources += 1
            out.append(Source("url", source, citation["url"], citation["title"], choice=index))

    def text(self, index: int, choice: ChoiceState, text: str, out: list[Part]) -> None:
        """A piece of text."""
        if not choice.text_open:
            choice.text_open = True
            metadata = {self.provider: {"refusal": True}} if choice.refused else None
            out.append(TextStart(str(index), metadata, index))
        out.append(TextDelta(str(index), text, None, index))

    def tool_call(self, choice: ChoiceState, call: dict[str, Any], out: list[Part]) -> None:
        """An element of ``delta.tool_calls``."""
        if self.call_types and call.get("type") not in (None, "", "null", "function"):
            self.state.erred = True
            self.fail(ErrorKind.INVALID_PAYLOAD, f"a tool call of type {call['type']!r}", out, payload=call)
            return
        function = call.get("function") or {}
        arguments = function.get("arguments")
        if arguments is not None and type(arguments) is not str:
            self.lenient("args_not_string", "arguments that are not a string", out)
            arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        index = whole(call.get("index"))
        if self.strict and index is None and call.get("index") is not None:
            detail = f"Tool call index must be an integer, got {call['index']}"
            self.fail(ErrorKind.TOOL_CALL_PROTOCOL, detail, out, fatal=True)
        choice.tools.delta(index, call.get("id"), function.get("name"), arguments, self, out)

    def has_finished(self) -> bool:
        """Every choice had its finish reason."""
        choices = self.state.choices
        return bool(choices) and all(choice.finish is not None for choice in choices.values())

    def end(self, out: list[Part]) -> bool:
        """The body ended without ``[DONE]``: complete if every choice had its finish reason."""
        if not self.state.provider_failed:
            if not self.has_finished() or self.needs_done:
                return False
            if self.says_done:
                self.lenient("missing_done", "the body ends without [DONE]", out, ErrorKind.INCOMPLETE_STREAM)
        self.finish(out)
        return True

    def finish(self, out: list[Part]) -> None:
        """The end of a complete stream."""
        state = self.state
        self.open(out)
        state.ended = True
        state.choice(0)
        # Choice 0 last: its finish carries the usage of the whole stream and ends it.
        for index in sorted(state.choices, key=lambda index: (index == 0, index)):
            choice = state.choices[index]
            self.close_blocks(index, choice, out)
            unified = self.finishes.get(choice.finish or "", "other")
            if state.provider_failed and choice.finish is None:
                unified = "error"  # and its calls, if any, were cut: they do not end
            else:
                self.finish_calls(choice, out)
            if choice.refused and unified == "stop":
                unified = "content-filter"
            if choice.finish is not None and choice.finish not in self.finishes:
                self.warn("unknown_finish_reason", choice.finish)
            if choice.finish in ("tool_calls", "function_call") and not choice.tools.calls:
                self.warn("finish_without_calls", f"finish reason {choice.finish} but no tool call")
            raw = choice.finish
            if state.erred and self.errors_conclude:
                unified, raw = "error", None
            if index == 0:
                out.append(Finish(self.concluded(unified), raw, self.usage(), self.metadata()))
            else:
                out.append(Finish(self.concluded(unified), raw, choice=index))

    def close_blocks(self, index: int, choice: Any, out: list[Part]) -> None:
        """Ends the open blocks of a choice, but for its calls."""
        if choice.text_open:
            out.append(TextEnd(str(index), choice=index))

    def finish_calls(self, choice: Any, out: list[Part]) -> None:
        """Ends the calls of a choice."""
        choice.tools.finish(self, out)

    def metadata(self) -> Metadata | None:
        """``providerMetadata`` of the finish."""
        state = self.state
        return {self.provider: state.metadata.value if state.metadata else {}}
