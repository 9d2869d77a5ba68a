"""``gemini-interactions``: Gemini's Interactions API, streaming (API reference, "Interactions", "Streaming").

Parts equal those of ``@ai-sdk/google``'s interactions model on well-formed streams. ``event_type`` says what an event is.
The end of the stream is ``interaction.completed``; what follows it is a ``[DONE]`` without a meaning of its own. A body
that ends with a status that waits for the user, or for nothing any more, is complete too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from streamcore.dialects.base import INVALID, Dialect, StreamState
from streamcore.dialects.gemini.ids import Ids
from streamcore.dialects.gemini.interactions_schema import DELTAS, DETAILS, EVENTS, STEPS
from streamcore.dialects.gemini.interactions_steps import TEXT, StepsState
from streamcore.dialects.schema import Mismatch, apart_from
from streamcore.errors import ErrorKind
from streamcore.framing.sse import SseFrame
from streamcore.parts import Finish, FinishUnified, Part, ResponseMetadata, TextDelta, Usage
from streamcore.state import Frozen

_FINISH: Final[dict[str, FinishUnified]] = {
    "completed": "stop",
    "requires_action": "tool-calls",
    "failed": "error",
    "incomplete": "length",
    "cancelled": "other",
}
"""Statuses that end an interaction, or this stream of it."""
_EXCERPT: Final = 60
_DEPTH: Final = 2


class _Text(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True, gc=False):
    text: str


class _TextDelta(msgspec.Struct, tag_field="event_type", tag="step.delta", forbid_unknown_fields=True, gc=False):
    index: int
    delta: _Text
    event_id: str | UnsetType = UNSET


_COLONS: Final = 5
"""In the event of a text delta: one for each of its keys."""
_decode = msgspec.json.Decoder(_TextDelta).decode


class InteractionState(StreamState):
    """The stream."""

    __slots__ = ("ids", "status", "steps", "tier", "usage")

    def __init__(self) -> None:
        super().__init__()
        self.ids = Ids()
        self.steps = StepsState()
        self.status: str | None = None
        self.tier: str | None = None
        self.usage: Frozen | None = None


class GeminiInteractions(Dialect):
    """See the module's docstring."""

    name = "gemini-interactions"
    quick_depth = _DEPTH
    provider = "google"
    state: InteractionState

    def initial_state(self) -> InteractionState:
        """Nothing seen yet."""
        return InteractionState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One event."""
        state = self.state
        # Most events are one more piece of text. Whatever does not match to the letter takes the general path, which
        # gives the same parts (tests/streamcore proves it).
        if self.quick and not state.dead and not state.ended:
            data = frame[0]
            try:
                value = _decode(data)
            except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
                value = None
            if value is not None and value.delta.text:
                step = state.steps.open.get(value.index)
                colons = _COLONS + value.delta.text.count(":")
                if value.event_id is not UNSET:
                    colons += 1 + value.event_id.count(":")
                if (
                    step is not None
                    and step.kind == TEXT
                    and colons == data.count(b":")
                    and b"u003" not in data
                ):
                    self.offset = frame[3]
                    out.append(TextDelta(step.id, value.delta.text))
                    return
        self.frame_in_full(frame, out)

    def frame_in_full(self, frame: SseFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        data, _, _, self.offset = frame
        state = self.state
        if state.dead or data == b"[DONE]":
            return
        value = self.payload(data, out)
        if value is INVALID:
            return
        kind = value.get("event_type") if isinstance(value, dict) else None
        if kind == "error" or (kind is None and isinstance(value, dict) and value.get("error") is not None):
            error = value.get("error")
            self.provider_error({"message": "Unknown interaction error"} if error is None else error, out)
            state.status = "failed"
            return
        if state.ended:
            self.lenient("data_after_end", "an event after interaction.completed", out)
            return
        if not isinstance(kind, str):
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event without an event_type", out, payload=value)
            return
        if kind not in EVENTS:
            self.open(out)
            self.warn("unknown_event", f"an event of type {json.dumps(kind[:_EXCERPT])}")
            return
        try:
            event, misfit = _checked(kind, value)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
            return
        if misfit:
            self.lenient("unreadable_detail", misfit, out)
        self.open(out)
        self._event(kind, event, out)

    def _event(self, kind: str, event: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        interaction = event.get("interaction") or {}
        match kind:
            case "interaction.created":
                state.steps.interaction = interaction.get("id") or None
                moment = _timestamp(interaction.get("created"))
                out.append(ResponseMetadata(state.steps.interaction, interaction.get("model"), moment))
            case "step.start":
                state.steps.start(event["index"], event["step"], self, out)
            case "step.delta":
                state.steps.delta(event["index"], event["delta"], self, out)
            case "step.stop":
                state.steps.stop(event["index"], self, out)
            case "interaction.completed":
                state.steps.interaction = interaction.get("id") or state.steps.interaction
                state.status = interaction.get("status") or state.status
                state.tier = interaction.get("service_tier") or state.tier
                if interaction.get("usage") is not None:
                    state.usage = Frozen(interaction["usage"])
                self._finish(out)
            case _:
                default = "requires_action" if kind == "interaction.requires_action" else "in_progress"
                state.status = event.get("status") or default

    def take_id(self, wanted: str | None, out: list[Part]) -> str:
        """The id of a new call or source: the wire's, or one made up if it gives none or gives it twice."""
        return self.state.ids.take(wanted, self, out)

    def has_finished(self) -> bool:
        """The interaction has a status that it does not leave by itself."""
        return self.state.status in _FINISH

    def end(self, out: list[Part]) -> bool:
        """The body ended without ``interaction.completed``."""
        if not self.state.provider_failed:
            if not self.has_finished():
                return False
            detail = "the body ends without interaction.completed"
            self.lenient("missing_done", detail, out, ErrorKind.INCOMPLETE_STREAM)
        self._finish(out)
        return True

    def _finish(self, out: list[Part]) -> None:
        state = self.state
        state.ended = True
        state.steps.close(self, out)
        status = state.status
        unified = _FINISH.get(status or "", "other")
        if status == "completed" and state.steps.called:
            unified = "tool-calls"
        if status not in _FINISH:
            self.warn("unknown_finish_reason", f"status {status}")
        if unified == "tool-calls" and not state.steps.called:
            self.warn("finish_without_calls", f"status {status} but no tool call")
        if state.provider_failed:
            unified = "error"
        usage = state.usage.value if state.usage else None
        metadata: dict[str, Any] = {}
        if state.steps.interaction is not None:
            metadata["interactionId"] = state.steps.interaction
        if state.tier is not None:
            metadata["serviceTier"] = state.tier
        spent = {
            entry["modality"]: entry["tokens"]
            for entry in (usage or {}).get("output_tokens_by_modality") or ()
            if entry.get("modality") is not None and entry.get("tokens") is not None
        }
        if spent:
            metadata["outputTokensByModality"] = spent
        out.append(Finish(unified, status, _usage_of(usage), {self.provider: metadata}))


def _checked(kind: str, value: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The event with everything that is documented about it checked, and which details do not fit; its index as an integer."""
    event, misfit = apart_from(DETAILS, EVENTS[kind], value)
    for key, shapes in (("step", STEPS), ("delta", DELTAS)):
        if kind.startswith("step.") and key in event:
            inner = event[key]
            shape = shapes.get(inner["type"])
            event[key] = inner if shape is None else shape(inner)
    if "index" in event and kind.startswith("step."):
        if event["index"] != event["index"] // 1:
            raise Mismatch("index: expected a whole number")
        event["index"] = int(event["index"])
    return event, misfit


def _timestamp(created: str | None) -> str | None:
    """ISO 8601 in UTC with milliseconds; None if it is no such moment."""
    try:
        moment = datetime.fromisoformat(created or "")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None


def _usage_of(raw: dict[str, Any] | None) -> Usage:
    """The unified spelling: thoughts come on top of the output, cached tokens are part of the input."""
    if raw is None:
        return Usage()
    taken, given = raw.get("total_input_tokens"), raw.get("total_output_tokens")
    thought, cached = raw.get("total_thought_tokens"), raw.get("total_cached_tokens")
    return Usage(
        input_total=taken,
        input_no_cache=None if taken is None else taken - (cached or 0),
        input_cache_read=cached,
        output_total=None if given is None and thought is None else (given or 0) + (thought or 0),
        output_text=given,
        output_reasoning=thought,
        raw=raw,
    )
