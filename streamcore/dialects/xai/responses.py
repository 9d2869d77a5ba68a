"""``xai-responses``: xAI's Responses API (xAI API reference, "Create new response", streaming).

Parts equal those of ``@ai-sdk/xai``'s responses model on well-formed streams; it is another implementation than that of
OpenAI's Responses, with ids and an order of its own: a text ends only where the response does. What goes beyond it: an
event of an unknown type is a warning, a failed response is an error, reasoning that only its item tells of is shown, and
every block that was opened is closed.

The end of the stream is ``response.completed``, ``response.done``, ``response.incomplete`` or ``response.failed``.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from streamcore import jsontext
from streamcore.dialects.base import INVALID, Dialect, StreamState
from streamcore.dialects.schema import Mismatch, Schema
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.dialects.xai.responses_calls import ResponseCalls
from streamcore.dialects.xai.responses_schema import (
    ANNOTATION,
    ARGUMENTS,
    CREATED,
    DELTA,
    ENDED,
    ERROR,
    ITEM,
    ITEMS,
    SILENT,
    SUMMARY_PART,
    TEXT_DONE,
    citation,
    fitting,
    usage_of,
)
from streamcore.errors import ErrorKind
from streamcore.framing.sse import SseFrame
from streamcore.parts import (
    Finish,
    FinishUnified,
    Metadata,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    ResponseMetadata,
    Source,
    TextDelta,
    TextEnd,
    TextStart,
)
from streamcore.state import EMPTY_LOG, Log

_FINISH: Final[dict[str, FinishUnified]] = {
    "stop": "stop",
    "completed": "stop",
    "length": "length",
    "max_output_tokens": "length",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
    "content_filter": "content-filter",
}
_EXCERPT: Final = 60
_decode = msgspec.json.Decoder().decode


class XaiResponsesState(StreamState):
    """The stream."""

    __slots__ = ("calls", "described", "reasoned", "reasoning", "sources", "texts")

    def __init__(self) -> None:
        super().__init__()
        self.described = False
        """``response-metadata`` is out."""
        self.texts: dict[str, Log] = {}
        """Message item -> its text; each is an open block."""
        self.reasoning: dict[str, Log] = {}
        """Reasoning item whose block is open -> its text."""
        self.reasoned: set[str] = set()
        """Reasoning items whose block was closed."""
        self.calls = ResponseCalls()
        self.sources = 0


class XaiResponses(Dialect):
    """See the module's docstring."""

    name = "xai-responses"
    state: XaiResponsesState

    def initial_state(self) -> XaiResponsesState:
        """Nothing seen yet."""
        return XaiResponsesState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One event of the response."""
        data, _, _, self.offset = frame
        state = self.state
        if not state.ended and not state.dead:
            # Most frames are one more piece of a text, of reasoning or of arguments. Whatever does not match to the
            # letter takes the general path, which gives the same parts (tests/streamcore proves it).
            try:
                value = _decode(data)
                delta = value["delta"]
                if (
                    type(delta) is str
                    # A colon or bracket within the delta stands for itself, unless it may be written as an escape: no
                    # key is there twice, and nothing is nested but one list at most.
                    and data.count(b":") == len(value) + delta.count(":")
                    and data.count(b"[") - delta.count("[") == ("logprobs" in value)
                    and b"\\u00" not in data
                    and "error" not in value
                    and self._one_delta(value, delta, out)
                ):
                    return
            except (LookupError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError):
                pass
        self.frame_in_full(frame, out)

    def _one_delta(self, value: dict[str, Any], delta: str, out: list[Part]) -> bool:
        """One more piece of a block that is open; False if it may be something else."""
        state = self.state
        item = value["item_id"]
        kind = value["type"]
        if type(item) is not str:
            return False
        if kind == "response.output_text.delta":
            state.texts[item] = Log(state.texts[item], delta)
            out.append(TextDelta("text-" + item, delta))
            return True
        if kind == "response.reasoning_summary_text.delta" or kind == "response.reasoning_text.delta":
            state.reasoning[item] = Log(state.reasoning[item], delta)
            out.append(ReasoningDelta("reasoning-" + item, delta, {"xai": {"itemId": item}}))
            return True
        return (
            kind == "response.function_call_arguments.delta"
            and type(value["output_index"]) is int
            and state.calls.more(value["output_index"], delta, self.limits, out)
        )

    def frame_in_full(self, frame: SseFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        data, event, _, self.offset = frame
        state = self.state
        if state.dead:
            return
        if data == b"[DONE]":
            if not state.ended:
                self.lenient("done_before_end", "[DONE] without a final event before it", out)
            return
        if state.ended:
            self.lenient("data_after_end", "an event after the end of the response", out)
            return
        value = self.payload(data, out)
        if value is INVALID:
            return
        if type(value) is not dict:
            self.fail(ErrorKind.INVALID_PAYLOAD, "the payload is not an object", out, payload=value)
            return
        kind = value.get("type")
        if type(kind) is not str:
            kind = event
        error = _error_in(value, kind)
        if error is not None:
            self.provider_error(error, out)
            return
        reader = _READERS.get(kind)
        if reader is None:
            if not kind:
                self.fail(ErrorKind.INVALID_PAYLOAD, "an event without a type", out, payload=value)
            elif kind not in SILENT:
                self.warn("unknown_event", f"an event of type {json.dumps(kind[:_EXCERPT])}")
            return
        schema, read = reader
        try:
            checked = schema(value)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
            return
        self.open(out)
        read(self, kind, checked, out)

    def stray_error(self, value: Any) -> Any:
        """A body that is no stream may be an error of the same forms."""
        return _error_in(value, "") if type(value) is dict else None

    def _created(self, _: str, event: dict[str, Any], out: list[Part]) -> None:
        if self.state.described:
            return
        self.state.described = True
        response = event["response"]
        made = iso_timestamp(response.get("created_at"))
        out.append(ResponseMetadata(response.get("id"), response.get("model"), made))

    # -- text and reasoning -----------------------------------------------------------------------------------------

    def _text_delta(self, _: str, event: dict[str, Any], out: list[Part]) -> None:
        self._text(event["item_id"], event["delta"], out)

    def _text(self, item: str, delta: str, out: list[Part]) -> None:
        texts = self.state.texts
        if item not in texts:
            texts[item] = EMPTY_LOG
            out.append(TextStart("text-" + item))
        texts[item] = Log(texts[item], delta)
        out.append(TextDelta("text-" + item, delta))

    def _text_done(self, _: str, event: dict[str, Any], out: list[Part]) -> None:
        self._cite(event.get("annotations") or (), out)

    def _annotation(self, _: str, event: dict[str, Any], out: list[Part]) -> None:
        self._cite((event["annotation"],), out)

    def _cite(self, annotations: Any, out: list[Part]) -> None:
        for annotation in annotations:
            cited = citation(annotation)
            if cited is not None:
                out.append(Source("url", f"source_gen_{self.state.sources}", *cited))
                self.state.sources += 1

    def _open_reasoning(self, item: str, out: list[Part]) -> bool:
        state = self.state
        if item in state.reasoned:
            self.lenient("item_repeated", f"reasoning item {item!r} goes on after its end", out)
            return False
        if item not in state.reasoning:
            state.reasoning[item] = EMPTY_LOG
            out.append(ReasoningStart("reasoning-" + item, _of(item)))
        return True

    def _reasoning_opens(self, _: str, event: dict[str, Any], out: list[Part]) -> None:
        self._open_reasoning(event["item_id"], out)

    def _reasoning_delta(self, _: str, event: dict[str, Any], out: list[Part]) -> None:
        if self._open_reasoning(event["item_id"], out):
            self._reason(event["item_id"], event["delta"], out)

    def _reason(self, item: str, delta: str, out: list[Part]) -> None:
        self.state.reasoning[item] = Log(self.state.reasoning[item], delta)
        out.append(ReasoningDelta("reasoning-" + item, delta, _of(item)))

    def _reasoning_done(self, item: dict[str, Any], out: list[Part]) -> None:
        key = item["id"]
        if not self._open_reasoning(key, out):
            return
        streamed = jsontext.joined(self.state.reasoning[key].text())
        summary, content = _joined(item.get("summary")), _joined(item.get("content"))
        if not streamed and summary + content:
            self._reason(key, summary + content, out)
        elif summary + content and streamed not in (summary, content, summary + content):
            detail = f"the deltas of reasoning {key!r} and its item have different texts"
            self.lenient("snapshot_mismatch", detail, out)
        metadata: dict[str, Any] = {"itemId": key} if key else {}
        if item.get("encrypted_content"):
            metadata["reasoningEncryptedContent"] = item["encrypted_content"]
        self._end_reasoning(key, {"xai": metadata}, out)

    def _end_reasoning(self, item: str, metadata: Metadata, out: list[Part]) -> None:
        del self.state.reasoning[item]
        self.state.reasoned.add(item)
        out.append(ReasoningEnd("reasoning-" + item, metadata))

    # -- items ------------------------------------------------------------------------------------------------------

    def _item(self, kind: str, event: dict[str, Any], out: list[Part]) -> None:
        done = kind == "response.output_item.done"
        raw = event["item"]
        name = raw.get("type")
        schema = ITEMS.get(name) if type(name) is str else None
        if schema is None or name is None:
            self.warn("unknown_item", f"an output item of type {json.dumps(name)[:_EXCERPT]}")
            return
        try:
            item = schema(raw)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, f"item: {mismatch}", out, payload=raw)
            return
        if name == "message":
            self._message(item, out, done=done)
        elif name == "reasoning":
            if done:
                self._reasoning_done(item, out)
        elif name == "function_call":
            key = _slot(event.get("output_index"), item.get("id"))
            (self.state.calls.done if done else self.state.calls.added)(key, item, self, out)
        else:
            self.state.calls.ran(name, item, self, out, done=done)

    def _message(self, item: dict[str, Any], out: list[Part], *, done: bool) -> None:
        key = item["id"]
        streamed = self.state.texts.get(key)
        content = item.get("content") or ()
        for part in content:
            if part.get("text") and streamed is None:
                self._text(key, part["text"], out)
            self._cite(part.get("annotations") or (), out)
        if done and streamed is not None and jsontext.joined(streamed.text()) != _joined(content):
            self.lenient("snapshot_mismatch", f"the deltas of message {key!r} and its item have different texts", out)

    def _arguments(self, _: str, event: dict[str, Any], out: list[Part]) -> None:
        key = _slot(event.get("output_index"), event.get("item_id"))
        self.state.calls.delta(key, event["delta"], self, out)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _final(self, kind: str, event: dict[str, Any], out: list[Part]) -> None:
        response = event["response"]
        reason = (response.get("incomplete_details") or {}).get("reason")
        unified: FinishUnified
        if kind == "response.failed":
            self.provider_error(response.get("error"), out)
            unified, raw = _FINISH.get(reason, "other") if reason else "error", reason or "error"
        elif kind == "response.incomplete":
            unified, raw = _FINISH.get(reason or "", "other"), reason or "incomplete"
        else:
            raw = response.get("status")
            unified = _FINISH.get(raw or "", "other")
        if unified == "other" and (reason or raw != "incomplete"):
            self.warn("unknown_finish_reason", str(raw))
        calls = self.state.calls
        complete = unified in ("stop", "tool-calls")
        calls.finish(self, out, complete=complete)
        if calls.given and kind in ("response.completed", "response.done") and raw:
            unified = "tool-calls"
        self._end(unified, raw, response, out)

    def end(self, out: list[Part]) -> bool:
        """The body ended without a final event: only an error of the provider's explains that."""
        if self.state.provider_failed:
            self.state.calls.finish(self, out, complete=False)
            self._end("error", None, {}, out)
        return self.state.ended

    def has_finished(self) -> bool:
        """Only the final event says so."""
        return self.state.ended

    def _end(self, unified: FinishUnified, raw: str | None, response: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        state.ended = True
        for item in list(state.reasoning):
            self.lenient("item_not_done", f"reasoning item {item!r} was never done", out)
            self._end_reasoning(item, _of(item), out)
        out += [TextEnd("text-" + item) for item in state.texts]
        tier = response.get("service_tier")
        metadata = None if tier is None else {"xai": {"serviceTier": tier}}
        out.append(Finish(self.concluded(unified), raw, usage_of(response.get("usage")), metadata))


def _of(item: str) -> Metadata:
    return {"xai": {"itemId": item}}


def _joined(content: Any) -> str:
    """The text of the parts of an item."""
    return jsontext.joined("".join(part.get("text") or "" for part in content or ()))


def _slot(index: float | None, item: str | None) -> int | str:
    """What a function call is known by: its place in the output, or its item's id where the place is not told."""
    return int(index) if index is not None and index == index // 1 else item or ""


def _error_in(value: dict[str, Any], kind: str) -> Any:
    """The provider's error, in whichever shape it came; None if the payload holds none."""
    error = value.get("error")
    if isinstance(error, str) and "code" in value:
        return value  # xAI's own form: the text is in "error", and what kind of error it is in "code"
    if error is not None or kind != "error":
        return error
    return fitting(ERROR, value) or value


_READERS: Final[dict[str, tuple[Schema, Any]]] = {
    "response.created": (CREATED, XaiResponses._created),
    "response.in_progress": (CREATED, XaiResponses._created),
    "response.output_item.added": (ITEM, XaiResponses._item),
    "response.output_item.done": (ITEM, XaiResponses._item),
    "response.output_text.delta": (DELTA, XaiResponses._text_delta),
    "response.output_text.done": (TEXT_DONE, XaiResponses._text_done),
    "response.output_text.annotation.added": (ANNOTATION, XaiResponses._annotation),
    "response.reasoning_summary_part.added": (SUMMARY_PART, XaiResponses._reasoning_opens),
    "response.reasoning_summary_text.delta": (DELTA, XaiResponses._reasoning_delta),
    "response.reasoning_text.delta": (DELTA, XaiResponses._reasoning_delta),
    "response.function_call_arguments.delta": (ARGUMENTS, XaiResponses._arguments),
    "response.completed": (ENDED, XaiResponses._final),
    "response.done": (ENDED, XaiResponses._final),
    "response.incomplete": (ENDED, XaiResponses._final),
    "response.failed": (ENDED, XaiResponses._final),
}
"""Event type -> what is read of it, and by what."""
