"""``openai-responses``: the OpenAI Responses API, streaming (API reference, "Responses", "Streaming events").

Parts equal those of ``@ai-sdk/openai``'s responses model on well-formed streams. What goes beyond it: refusals and raw
reasoning, which that SDK drops, are shown; what an item says as a whole completes and checks what came in deltas.

The end of the stream is ``response.completed``, ``response.incomplete`` or ``response.failed``. A response that was
only created has not begun to answer: an error before anything else is the failure of the request. The ``type`` of a
payload says what an event is; the event's name is a hint.

A call of the tool ``parallel``, which bundles other calls, is shown as the one call that it is: which of the bundled
tools the request declared is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final
from zlib import crc32

import msgspec

from streamcore.dialects.base import INVALID
from streamcore.dialects.openai import responses_schema as schema
from streamcore.dialects.openai.responses_calls import FUNCTION
from streamcore.dialects.openai.responses_finish import check_output, finish, metadata_of
from streamcore.dialects.openai.responses_items import (
    MESSAGE,
    REASONING,
    abandon,
    item_added,
    item_done,
    item_event,
)
from streamcore.dialects.openai.responses_state import Report, ResponseState
from streamcore.dialects.typed import checked, excerpt, type_of
from streamcore.errors import ErrorKind
from streamcore.parts import Part, ReasoningDelta, TextDelta, ToolInputDelta
from streamcore.state import Frozen, Log

if TYPE_CHECKING:
    from streamcore.errors import ErrorStage
    from streamcore.framing.sse import SseFrame


class _Event(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    item_id: str
    output_index: int
    delta: str
    sequence_number: int | None = None
    obfuscation: str | None = None


class _Text(_Event, tag_field="type", tag="response.output_text.delta", forbid_unknown_fields=True, gc=False):
    content_index: int
    logprobs: list[Any] | None = None


class _Arguments(
    _Event, tag_field="type", tag="response.function_call_arguments.delta", forbid_unknown_fields=True, gc=False
):
    pass


class _Summary(
    _Event, tag_field="type", tag="response.reasoning_summary_text.delta", forbid_unknown_fields=True, gc=False
):
    summary_index: int


_decode_delta = msgspec.json.Decoder(_Text | _Arguments | _Summary).decode
_KEYS: Final = 4
"""Of a delta event at least: type, item_id, output_index, delta."""
_DEPTH_OF_A_DELTA: Final = 2


class OpenAIResponses(Report):
    """See the module's docstring."""

    name = "openai-responses"
    quick_depth = _DEPTH_OF_A_DELTA
    provider = "openai"

    def initial_state(self) -> ResponseState:
        """Nothing seen yet."""
        return ResponseState()

    def open(self, out: list[Part]) -> None:
        """With ``stream-start`` goes what is known of the response."""
        if not self.state.opened:
            super().open(out)
            held, self.state.held = self.state.held, None
            if held is not None:
                out.append(metadata_of(held.value))

    def fail(
        self, kind: ErrorKind, detail: str, out: list[Part], *, stage: ErrorStage | None = None, **options: Any
    ) -> None:
        """An error decides the finish reason, as it does in the reference."""
        self.state.erred = self.state.erred or (None,)
        super().fail(kind, detail, out, stage=stage, **options)

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One event."""
        # Nearly all events are one more piece of text, arguments or reasoning. Whatever does not match to the letter
        # takes the general path, which gives the same parts (tests/streamcore proves it).
        data, event, _, _ = frame
        state = self.state
        try:
            value = _decode_delta(data)
            item = state.output.open[value.output_index]
        except (LookupError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.frame_in_full(frame, out)
            return
        number = value.sequence_number
        text = value.delta
        keys = _KEYS + (number is not None) + (value.obfuscation is not None)
        if (
            value.item_id == item.id
            and self.quick
            and not state.dead
            and not state.ended
            and (number is None or not state.numbered or number - 1 == state.sequence)
        ):
            part: Part | None = None
            if type(value) is _Text:
                key = value.content_index
                keys += 1 + (value.logprobs is not None)
                if item.kind == MESSAGE and not value.logprobs and key >= 0 and event in ("response.output_text.delta", ""):
                    part = TextDelta(item.part_id, text)
            elif type(value) is _Summary:
                key = value.summary_index
                keys += 1
                block = item.blocks.get(key, "") if item.kind == REASONING and key >= 0 else ""
                if block in item.open and event in ("response.reasoning_summary_text.delta", ""):
                    part = ReasoningDelta(block, text, {self.provider: {"itemId": item.id}})
            elif (
                item.kind == FUNCTION
                and item.started
                and not item.settled
                and item.log.length + len(text) <= self.limits.max_arguments_chars
                and event in ("response.function_call_arguments.delta", "")
            ):
                key = -1
                part = ToolInputDelta(item.part_id, text)
            if part is not None:
                # Every key has its colon, so as many colons as documented keys means that no key came twice. Those in
                # the text are not keys, unless they may have been escaped.
                colons = data.count(b":")
                if colons == keys or (colons == keys + text.count(":") and data.find(b"\\u003") < 0):
                    if number is not None and state.numbered:
                        state.sequence = number
                    if key < 0:
                        item.log = Log(item.log, text)
                    else:
                        units = text.encode("utf-16-le", "surrogatepass")
                        length, checksum = item.said.get(key, (0, 0))
                        item.said[key] = length + len(units), crc32(units, checksum)
                    out.append(part)
                    return
        self.frame_in_full(frame, out)

    def frame_in_full(self, frame: SseFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        event, state = frame[1], self.state
        value = self.event_payload(frame, out)
        if value is INVALID:
            return
        kind = type_of(value)
        known = kind in schema.ENDS or kind in schema.ITEM_EVENTS or kind in _HEADS or kind in schema.QUIET
        if state.ended:
            self.lenient("data_after_end", f"a {kind} after the response ended", out)
        elif not known and self._is_error(kind, event, value):
            error = value.get("error")
            self.provider_error(value if error is None else error, out)
        elif kind is None:
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event without a type", out, payload=value)
        elif not known:
            self._count(value)
            self.warn("unknown_event", excerpt(kind))
        else:
            self._count(value)
            if event not in ("", "message", kind):
                self.lenient("event_name_mismatch", f"an event named {excerpt(event)} holds a {kind}", out)
            self._event(kind, value, out)

    def _is_error(self, kind: str | None, event: str, value: Any) -> bool:
        """Whether an event of no known type is the provider's error, in whichever shape it came."""
        return type(value) is dict and (kind == "error" or event == "error" or value.get("error") is not None)

    def provider_error(self, payload: Any, out: list[Part], detail: str = "") -> None:
        """As everywhere; and the response then finishes with it."""
        self.state.erred = ("error",)
        super().provider_error(payload, out, detail)

    def _count(self, value: Any) -> None:
        """Looks at the number of an event; once they do not follow each other, they are not looked at any more."""
        state = self.state
        number = value.get("sequence_number")
        if type(number) is not int or not state.numbered:
            return
        if state.sequence is not None and number != state.sequence + 1:
            state.numbered = False
            code = "sequence_gap" if number > state.sequence else "sequence_repeated"
            self.warn(code, f"event {number} follows event {state.sequence}")
        else:
            state.sequence = number

    def _event(self, kind: str, value: Any, out: list[Part]) -> None:
        if kind in schema.ITEM_EVENTS:
            item_event(kind, value, self, out)
        elif kind == "response.output_item.added":
            item_added(value, self, out)
        elif kind == "response.output_item.done":
            item_done(value, self, out)
        elif kind == "response.created":
            self._created(value, out)
        elif kind in schema.ENDS:
            self._finish(kind, value, out)
        elif kind == "response.content_part.added" and schema.text_in(value.get("part")):
            # It may come again in the deltas, or not; the whole text at the end of the part decides.
            self.lenient("start_not_empty", "a content part starts with content", out)

    def _created(self, value: Any, out: list[Part]) -> None:
        event = checked(schema.CREATED, value, self, out)
        if event is None:
            return
        state = self.state
        response = event["response"]
        wire_id = response.get("id")
        if not self.begins(state.response, wire_id, "response_created", value, out):
            return
        state.response = (wire_id,)
        if state.opened:
            out.append(metadata_of(response))
        else:
            state.held = Frozen(response)

    def _finish(self, kind: str, value: Any, out: list[Part]) -> None:
        state = self.state
        event = checked(schema.FINISHED, value, self, out)
        response = event["response"] if event is not None else {}
        error = response.get("error")
        if kind == "response.failed" and error is not None and not state.provider_failed:
            self.provider_error(error, out)
        self.open(out)
        if not state.provider_failed:
            if state.response is None:
                self.lenient("response_created_missing", f"a {kind} without response.created", out)
            for index in list(state.output.open):
                abandon(index, self, out)
            check_output(response.get("output"), self, out)
        out.append(finish(kind, response, self))
        state.ended = True

    def end(self, out: list[Part]) -> bool:
        """Without its terminal event a stream was cut, unless the provider's error explains that there is none."""
        if not self.state.provider_failed:
            return False
        out.append(finish("", {}, self))
        self.state.ended = True
        return True


_HEADS: Final = ("response.created", "response.output_item.added", "response.output_item.done")


class AzureOpenAIResponses(OpenAIResponses):
    """The same API on Azure."""

    name = "azure-openai-responses"
    provider: ClassVar[str] = "azure"


class BedrockMantleResponses(OpenAIResponses):
    """The same API in front of Amazon Bedrock."""

    name = "bedrock-mantle-responses"


class DeepSeekResponses(OpenAIResponses):
    """The same API of DeepSeek."""

    name = "deepseek-responses"


class GatewayResponses(OpenAIResponses):
    """The same API through a gateway."""

    name = "gateway-responses"


class OpenRouterResponses(OpenAIResponses):
    """The same API through OpenRouter."""

    name = "openrouter-responses"
