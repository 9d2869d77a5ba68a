"""The model families behind Bedrock's InvokeModel that stream plain text, and nothing else (Bedrock user guide,
"Inference request parameters and response fields").

No TypeScript SDK reads them, so there are no parts to equal: text is one block a choice, and the reason why the model
stopped is the family's own word. What Bedrock adds to the last event of every family, ``amazon-bedrock-invocationMetrics``,
is the usage; where it is missing, the family's own counts are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from streamcore.dialects.base import INVALID, Dialect, StreamState
from streamcore.dialects.schema import Mismatch, Schema, array, boolean, nullish, number, record, shape, string
from streamcore.dialects.typed import excerpt
from streamcore.errors import ErrorKind
from streamcore.parts import Finish, FinishUnified, Part, TextDelta, TextEnd, TextStart, Usage
from streamcore.state import Frozen, State

if TYPE_CHECKING:
    from streamcore.framing.sse import SseFrame

METRICS: Final = "amazon-bedrock-invocationMetrics"
TRACE: Final = "amazon-bedrock-trace"
GUARDRAIL: Final = "amazon-bedrock-guardrailAction"
ADDED: Final = "amazon-bedrock-"
"""Keys that begin so are Bedrock's own, beside the family's."""


@dataclass(frozen=True)
class TextFamily:
    """Where one family says what."""

    key: str
    """The member that only this family's events have."""
    text: str
    reason: str
    items: str = ""
    """The list whose elements hold text and reason; empty where the event itself does."""
    choice: str = ""
    """The number of the answer that the text belongs to."""
    counts: tuple[str, str] | None = None
    """Tokens of the prompt, and of the answer so far."""
    last: str = ""
    """A member that, unless it is absent, null or false, marks the last event."""
    unread: tuple[str, ...] = field(default=())
    """Members with content that is not read."""

    @cached_property
    def schema(self) -> Schema:
        """The event."""
        item: dict[str, Schema] = {self.text: nullish(string), self.reason: nullish(string)}
        if self.choice:
            item[self.choice] = nullish(number)
        keys = {self.items: array(shape(item, loose=True))} if self.items else item
        keys |= {METRICS: nullish(record), TRACE: nullish(record), GUARDRAIL: nullish(string)}
        keys |= dict.fromkeys(self.counts or (), nullish(number))
        if self.last and self.last not in keys:
            keys[self.last] = nullish(boolean)
        return shape(keys, loose=True)


FAMILIES: Final = (
    TextFamily(
        key="outputText",  # Amazon Titan Text
        text="outputText",
        reason="completionReason",
        counts=("inputTextTokenCount", "totalOutputTextTokenCount"),
        last="totalOutputTextTokenCount",
    ),
    TextFamily(  # Meta Llama
        key="generation",
        text="generation",
        reason="stop_reason",
        counts=("prompt_token_count", "generation_token_count"),
    ),
    TextFamily(key="completion", text="completion", reason="stop_reason"),  # Anthropic Claude, text completions
    TextFamily(  # Cohere Command
        key="is_finished",
        text="text",
        reason="finish_reason",
        choice="index",
        last="is_finished",
        unread=("tool_calls",),
    ),
    TextFamily(key="outputs", items="outputs", text="text", reason="stop_reason"),  # Mistral AI, text completion
    TextFamily(key="choices", items="choices", text="text", reason="stop_reason", choice="index"),  # DeepSeek-R1
)

_FINISH: Final[dict[str, FinishUnified]] = {
    "finish": "stop",
    "complete": "stop",
    "end_turn": "stop",
    "stop": "stop",
    "stop_sequence": "stop",
    "stop_criteria_met": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filtered": "content-filter",
    "error_toxic": "content-filter",
    "intervened": "content-filter",
    "error": "error",
}
"""The families' reasons, in lower case; any other is ``other``."""


class ChoiceState(State):
    """One answer."""

    __slots__ = ("opened", "reason")

    def __init__(self) -> None:
        self.opened = False
        self.reason: str | None = None


class CompletionState(StreamState):
    """The stream."""

    __slots__ = ("choices", "family", "input_tokens", "intervened", "metrics", "output_tokens", "over", "reason", "trace")

    def __init__(self) -> None:
        super().__init__()
        self.family = -1
        """Position in ``FAMILIES``; -1 before the first event."""
        self.choices: dict[int, ChoiceState] = {}
        self.reason: str | None = None
        """The last one that was said."""
        self.over = False
        """The last event was seen."""
        self.intervened = False
        """A guardrail changed or replaced the answer."""
        self.input_tokens: int | float | None = None
        self.output_tokens: int | float | None = None
        self.metrics: Frozen | None = None
        self.trace: Frozen | None = None


def text_family(event: dict[str, Any]) -> int:
    """The position of the family that ``event`` belongs to; -1 if it is none of them."""
    return next((at for at, family in enumerate(FAMILIES) if family.key in event), -1)


class TextCompletions(Dialect):
    """The events of one of ``FAMILIES``, each as the data of a frame."""

    name = "bedrock-text-completions"
    state: CompletionState

    def initial_state(self) -> CompletionState:
        """Nothing seen yet."""
        return CompletionState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One event."""
        data, _, _, self.offset = frame
        state = self.state
        value = self.payload(data, out)
        if value is INVALID:
            return
        if state.family < 0 and isinstance(value, dict):
            state.family = text_family(value)
        family = FAMILIES[state.family]
        try:
            event = family.schema(value)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
            return
        if event.get("error") is not None:
            self.provider_error(event["error"], out)
            return
        self.open(out)
        if family.key not in event and not any(key.startswith(ADDED) for key in event):
            self.warn("unknown_event", excerpt(", ".join(event)))
            return
        if state.over:
            self.lenient("data_after_end", "an event after the last one", out)
        for position, item in enumerate(event[family.items] if family.items else (event,)):
            self._item(family, item, position, out)
        for key in family.unread:
            if event.get(key):
                self.warn("unread_content", excerpt(key))
        self._note(family, event)

    def _item(self, family: TextFamily, item: dict[str, Any], position: int, out: list[Part]) -> None:
        state = self.state
        index = int(item.get(family.choice) or 0) if family.choice else position
        choice = state.choices.setdefault(index, ChoiceState())
        text = item.get(family.text)
        if text:
            if not choice.opened:
                choice.opened = True
                out.append(TextStart(str(index), choice=index))
            out.append(TextDelta(str(index), text, choice=index))
        reason = item.get(family.reason)
        if reason is not None:
            choice.reason = state.reason = reason
            state.over = True

    def _note(self, family: TextFamily, event: dict[str, Any]) -> None:
        """What the event says beside text and reason."""
        state = self.state
        if family.counts is not None:
            prompt, answer = (event.get(key) for key in family.counts)
            state.input_tokens = state.input_tokens if prompt is None else prompt
            state.output_tokens = state.output_tokens if answer is None else answer
        if event.get(METRICS) is not None:
            state.metrics = Frozen(event[METRICS])
        if event.get(TRACE) is not None:
            state.trace = Frozen(event[TRACE])
        state.intervened = state.intervened or event.get(GUARDRAIL) == "INTERVENED"
        state.over = state.over or state.metrics is not None or event.get(family.last) not in (None, False)

    def end(self, out: list[Part]) -> bool:
        """The body is complete if the last event came, or if the service's own error explains why it did not."""
        state = self.state
        if not state.over and not state.provider_failed:
            return False
        state.ended = True
        state.choices.setdefault(0, ChoiceState())
        # Choice 0 last: its finish carries the usage of the whole stream and ends it.
        for index in sorted(state.choices, key=lambda index: (index == 0, index)):
            choice = state.choices[index]
            if choice.opened:
                out.append(TextEnd(str(index), choice=index))
            out.append(self._finish(index, choice))
        return True

    def _finish(self, index: int, choice: ChoiceState) -> Finish:
        state = self.state
        reason = choice.reason or state.reason or ("INTERVENED" if state.intervened else None)
        if state.provider_failed:
            reason = None
        unified = _FINISH.get((reason or "").lower(), "error" if state.provider_failed else "other")
        if reason is not None and reason.lower() not in _FINISH:
            self.warn("unknown_stop_reason", excerpt(reason))
        if index:
            return Finish(unified, reason, choice=index)
        metadata = {"bedrock": {"trace": state.trace.value}} if state.trace else None
        return Finish(unified, reason, self._usage(), metadata)

    def _usage(self) -> Usage:
        state = self.state
        metrics = state.metrics.value if state.metrics else {}
        inputs = metrics.get("inputTokenCount", state.input_tokens)
        outputs = metrics.get("outputTokenCount", state.output_tokens)
        return Usage(
            input_total=inputs,
            input_no_cache=inputs,
            output_total=outputs,
            output_text=outputs,
            raw=metrics or None,
        )
