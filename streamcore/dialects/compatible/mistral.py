"""``mistral``: Mistral's chat completions (Mistral API reference, "Chat", streaming).

Parts equal those of ``@ai-sdk/mistral`` on well-formed streams. ``content`` is text, or a list of typed pieces: text,
thinking (itself a list of pieces), references and images, of which the last two are no part of the answer's text. Text
and reasoning end where the other begins. A tool call comes whole, and ends with the stream.

What goes beyond that SDK: text that goes on after reasoning has a block of its own; the pieces of a list keep their
order; a piece of a kind that is not known is a warning, and costs nothing but itself.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.chat_schema import TOOL_CALLS
from streamcore.dialects.openai.chat_state import ChatState, ChoiceState
from streamcore.dialects.schema import array, nullish, number, record, shape, string, union
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.parts import (
    FinishUnified,
    Metadata,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    ResponseMetadata,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
)

_CACHED: Final = nullish(shape({"cached_tokens": nullish(number)}, loose=True))
_CHUNK: Final = shape(
    {
        "id": nullish(string),
        "created": nullish(number),
        "model": nullish(string),
        "choices": array(
            shape(
                {
                    "index": nullish(number),
                    "finish_reason": nullish(string),
                    "delta": nullish(
                        shape({"content": nullish(union(string, array(record))), "tool_calls": TOOL_CALLS})
                    ),
                }
            )
        ),
        "usage": nullish(
            shape(
                {
                    "prompt_tokens": number,
                    "completion_tokens": number,
                    "num_cached_tokens": nullish(number),
                    "prompt_tokens_details": _CACHED,
                    "prompt_token_details": _CACHED,
                },
                loose=True,
            )
        ),
    }
)
_FINISH: Final[dict[str, FinishUnified]] = {
    "stop": "stop",
    "length": "length",
    "model_length": "length",
    "tool_calls": "tool-calls",
}
_NOT_TEXT: Final = ("image_url", "reference")
"""Kinds of content that are known and say nothing."""


class MistralChoice(ChoiceState):
    """One choice."""

    __slots__ = ("reasoning", "text", "texts")

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.text = ""
        self.reasoning = ""
        """The blocks that are open; empty for none."""
        self.texts = 0


class MistralState(ChatState):
    """The stream."""

    __slots__ = ("generated",)

    def __init__(self) -> None:
        super().__init__()
        self.generated = 0
        """Blocks of reasoning so far: they have no id on the wire."""

    def new_choice(self, index: int) -> ChoiceState:
        """With reasoning."""
        return MistralChoice(index)


class Mistral(OpenAIChat):
    """See the module's docstring."""

    name = "mistral"
    provider = "mistral"
    finishes = _FINISH
    errors_conclude = False
    call_types = False
    state: MistralState

    def initial_state(self) -> MistralState:
        """Nothing seen yet."""
        return MistralState()

    def checked(self, value: Any) -> dict[str, Any]:
        """The chunk, as far as it is read."""
        chunk: dict[str, Any] = _CHUNK(value)
        return chunk

    def error_in(self, value: Any, event: str) -> Any:
        """Mistral's errors are objects that say so, or what the framework of its servers makes of a bad request."""
        if type(value) is dict and "choices" not in value and (value.get("object") == "error" or "detail" in value):
            return value
        return super().error_in(value, event)

    def stray_error(self, value: Any) -> Any:
        """A body that is no stream may be an error of the same forms."""
        return self.error_in(value, "")

    def describe_response(self, out: list[Part]) -> None:
        """The first chunk describes the response, whatever it says."""
        state = self.state
        state.described = True
        out.append(ResponseMetadata(state.id, state.model, iso_timestamp(state.created)))

    def _one_delta(self, data: bytes, keys: int, delta: dict[str, Any], out: list[Part]) -> bool:
        first: Any = self.state.choices[0]
        content = delta["content"]
        lists = 1
        if type(content) is str:
            block, text = first.text, content
        else:
            [piece] = content
            [thought] = piece["thinking"]
            block, text = first.reasoning, thought["text"]
            lists = 3
            keys += len(piece) + 2
            if type(text) is not str or len(thought) != 2 or piece["type"] != "thinking" or thought["type"] != "text":
                return False
        # A colon or bracket within the text stands for itself, unless it may be written as an escape.
        if (
            not text
            or not block
            or data.count(b":") != keys + text.count(":")
            or data.count(b"[") != lists + text.count("[")
            or b"\\u00" in data
        ):
            return False
        out.append(TextDelta(block, text) if lists == 1 else ReasoningDelta(block, text))
        return True

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """Content and calls."""
        delta = wire.get("delta") or {}
        content = delta.get("content")
        if type(content) is str:
            self.text(index, choice, content, out)
        elif content is not None:
            for reasoning, text in self._pieces(content):
                (self._reasoning if reasoning else self.text)(index, choice, text, out)
        for call in delta.get("tool_calls") or ():
            self.tool_call(choice, call, out)

    def _pieces(self, content: list[dict[str, Any]]) -> list[tuple[bool, str]]:
        """What a list says, each time with whether it is reasoning; texts that follow each other are one."""
        said: list[tuple[bool, str]] = []
        for piece in content:
            kind, text, thinking = piece.get("type"), piece.get("text"), piece.get("thinking")
            if kind == "text" and type(text) is str:
                if said and not said[-1][0]:
                    text = said.pop()[1] + text
                said.append((False, text))
            elif kind == "thinking" and type(thinking) is list:
                thoughts = [part for part in thinking if type(part) is dict and part.get("type") == "text"]
                said.append((True, "".join(part["text"] for part in thoughts if type(part.get("text")) is str)))
            elif kind not in _NOT_TEXT:
                self.warn("unknown_content", f"a piece of content of type {kind!r}"[:80])
        return said

    def text(self, index: int, choice: Any, text: str, out: list[Part]) -> None:
        """A piece of text, which ends the reasoning before it."""
        if not text:
            return
        self._end_reasoning(index, choice, out)
        if not choice.text:
            choice.text = f"{index}-{choice.texts}" if choice.texts else str(index)
            choice.texts += 1
            out.append(TextStart(choice.text, choice=index))
        out.append(TextDelta(choice.text, text, None, index))

    def _reasoning(self, index: int, choice: MistralChoice, text: str, out: list[Part]) -> None:
        if not text:
            return
        self._end_text(index, choice, out)
        if not choice.reasoning:
            choice.reasoning = f"generated-{self.state.generated}"
            self.state.generated += 1
            out.append(ReasoningStart(choice.reasoning, choice=index))
        out.append(ReasoningDelta(choice.reasoning, text, None, index))

    def _end_text(self, index: int, choice: MistralChoice, out: list[Part]) -> None:
        if choice.text:
            out.append(TextEnd(choice.text, choice=index))
            choice.text = ""

    def _end_reasoning(self, index: int, choice: MistralChoice, out: list[Part]) -> None:
        if choice.reasoning:
            out.append(ReasoningEnd(choice.reasoning, choice=index))
            choice.reasoning = ""

    def close_blocks(self, index: int, choice: Any, out: list[Part]) -> None:
        """One of the two is open at most."""
        self._end_reasoning(index, choice, out)
        self._end_text(index, choice, out)

    def finish_calls(self, choice: Any, out: list[Part]) -> None:
        """In the order in which they began, whatever their indices are."""
        for call in choice.tools.calls:
            choice.tools.end(call, self, out)

    def metadata(self) -> Metadata | None:
        """Mistral's finish has none."""
        return None

    def usage(self) -> Usage:
        """The cached tokens have been under three names."""
        if self.state.usage is None:
            return Usage()
        wire = self.state.usage.value
        places = (
            wire.get("num_cached_tokens"),
            *((wire.get(key) or {}).get("cached_tokens") for key in ("prompt_tokens_details", "prompt_token_details")),
        )
        cached = next((count for count in places if count is not None), 0)
        return Usage(
            input_total=wire["prompt_tokens"],
            input_no_cache=wire["prompt_tokens"] - cached,
            input_cache_read=cached or None,
            output_total=wire["completion_tokens"],
            output_text=wire["completion_tokens"],
            raw=wire,
        )
