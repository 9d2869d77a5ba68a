"""``anthropic-complete-legacy``: Anthropic's Text Completions API, streaming (API reference, "Create a Text Completion").

Each ``completion`` event has one more piece of text; the one with a stop reason is the last. Text and a finish is all
there is. No TypeScript reference reads this API any more: the rules are those of ``anthropic-messages``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore.dialects.base import INVALID, StreamState
from streamcore.dialects.schema import literal, nullish, shape, string
from streamcore.dialects.typed import TypedEvents, checked, excerpt
from streamcore.errors import ErrorKind
from streamcore.parts import Finish, FinishUnified, Part, ResponseMetadata, TextDelta, TextEnd, TextStart

if TYPE_CHECKING:
    from streamcore.framing.sse import SseFrame

_FINISH: Final[dict[str, FinishUnified]] = {"stop_sequence": "stop", "max_tokens": "length"}
_COMPLETION: Final = shape(
    {
        "type": literal("completion"),
        "id": nullish(string),
        "model": nullish(string),
        "completion": string,
        "stop_reason": nullish(string),
        "stop": nullish(string),
    }
)


class CompletionState(StreamState):
    """The stream."""

    __slots__ = ("described", "text_open")

    def __init__(self) -> None:
        super().__init__()
        self.described = False
        """``response-metadata`` is out."""
        self.text_open = False


class AnthropicCompletions(TypedEvents):
    """See the module's docstring."""

    name = "anthropic-complete-legacy"
    state: CompletionState

    def initial_state(self) -> CompletionState:
        """Nothing seen yet."""
        return CompletionState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One event."""
        event = frame[1]
        value = self.event_payload(frame, out)
        if value is INVALID:
            return
        kind = value.get("type") if type(value) is dict else None
        error = value.get("error") if type(value) is dict else None
        if error is not None or event == "error":
            self.provider_error(value if error is None else error, out)
        elif kind == "completion":
            self._completion(value, out)
        elif type(kind) is not str:
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event without a type", out, payload=value)
        elif kind != "ping":
            self.warn("unknown_event", excerpt(kind))

    def _completion(self, value: Any, out: list[Part]) -> None:
        state = self.state
        if state.ended:
            self.lenient("data_after_end", "a completion after the one with the stop reason", out)
            return
        event = checked(_COMPLETION, value, self, out)
        if event is None:
            return
        self.open(out)
        if not state.described:
            state.described = True
            out.append(ResponseMetadata(event.get("id"), event.get("model")))
        text = event["completion"]
        if text:
            if not state.text_open:
                state.text_open = True
                out.append(TextStart("0"))
            out.append(TextDelta("0", text))
        reason = event.get("stop_reason")
        if reason is not None:
            if reason not in _FINISH:
                self.warn("unknown_stop_reason", excerpt(reason))
            if state.text_open:
                out.append(TextEnd("0"))
            metadata = {"anthropic": {"stopSequence": event.get("stop")}}
            out.append(Finish(self.concluded(_FINISH.get(reason, "other")), reason, metadata=metadata))
            state.ended = True

    def end(self, out: list[Part]) -> bool:  # noqa: ARG002 - the signature is not ours to choose
        """Without a stop reason the stream was cut."""
        return False
