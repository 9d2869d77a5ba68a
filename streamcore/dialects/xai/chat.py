"""``xai-chat``: xAI's chat completions (xAI API reference, "Create chat completion", streaming).

Parts equal those of ``@ai-sdk/xai``'s chat model on well-formed streams: blocks are named after the id of their chunk, so
a new id opens a new one; text stays open until the end; reasoning ends where text or a call begins; citations are
sources. What goes beyond it:

* xAI sends a tool call whole, in one delta, and that SDK reads no other. A call that came whole ends when the stream goes
  on to something else; one that comes in pieces is put together, and ends with the stream.
* Reasoning that goes on after its block has ended gets a new block.
* Two equal pieces of reasoning in a row are two pieces; that SDK drops the second.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.chat_schema import TOOL_CALLS
from streamcore.dialects.openai.chat_state import ChatState, ChoiceState
from streamcore.dialects.schema import array, nullish, number, shape, string
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.parts import (
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
    Usage,
)
from streamcore.toolcalls import CallState, is_arguments_text

_USAGE: Final = shape(
    {
        "prompt_tokens": number,
        "completion_tokens": number,
        "prompt_tokens_details": nullish(shape({"cached_tokens": nullish(number)}, loose=True)),
        "completion_tokens_details": nullish(shape({"reasoning_tokens": nullish(number)}, loose=True)),
    },
    loose=True,
)
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
                        shape(
                            {
                                "content": nullish(string),
                                "reasoning_content": nullish(string),
                                "refusal": nullish(string),
                                "tool_calls": TOOL_CALLS,
                            }
                        )
                    ),
                }
            )
        ),
        "usage": nullish(_USAGE),
        "citations": nullish(array(string)),
        "service_tier": nullish(string),
    }
)


class XaiChoice(ChoiceState):
    """One choice."""

    __slots__ = ("blocks", "names", "reasoning")

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.blocks: dict[str, bool] = {}
        """Open blocks -> whether they are reasoning."""
        self.names: dict[str, str] = {}
        """Name that a chunk's id gives its reasoning -> the block that has it now."""
        self.reasoning = ""
        """The block of reasoning that text or a call will end."""


class XaiChatState(ChatState):
    """The stream."""

    __slots__ = ("service_tier", "whole")

    def __init__(self) -> None:
        super().__init__()
        self.service_tier: str | None = None
        self.whole: tuple[int, int, int] | None = None
        """Choice, position and length of the arguments of a call that came whole and has not ended."""

    def new_choice(self, index: int) -> ChoiceState:
        """With blocks named after chunks."""
        return XaiChoice(index)


class XaiChat(OpenAIChat):
    """See the module's docstring."""

    name = "xai-chat"
    provider = "xai"
    errors_conclude = False
    state: XaiChatState

    def initial_state(self) -> XaiChatState:
        """Nothing seen yet."""
        return XaiChatState()

    def checked(self, value: Any) -> dict[str, Any]:
        """The chunk, as far as it is read."""
        chunk: dict[str, Any] = _CHUNK(value)
        return chunk

    def error_in(self, value: Any, event: str) -> Any:
        """xAI's own form says what kind of error it is in ``code``, beside the text in ``error``."""
        error = super().error_in(value, event)
        return value if type(error) is str and "code" in value else error

    def stray_error(self, value: Any) -> Any:
        """A body that is no stream may be an error of the same forms."""
        return self.error_in(value, "")

    def read_chunk(self, chunk: dict[str, Any], out: list[Part]) -> None:
        """A chunk that goes on to something else ends the call that came whole."""
        calls = [call for wire in chunk["choices"] for call in (wire.get("delta") or {}).get("tool_calls") or ()]
        if not calls or not self._continues(calls[0]):
            self._settle(out)
        super().read_chunk(chunk, out)

    def describe_response(self, out: list[Part]) -> None:
        """The first chunk describes the response, whatever it says."""
        state = self.state
        state.described = True
        out.append(ResponseMetadata(state.id, state.model, iso_timestamp(state.created)))

    def aside(self, chunk: dict[str, Any], out: list[Part]) -> None:
        """Citations and the service tier."""
        state = self.state
        for address in chunk.get("citations") or ():
            out.append(Source("url", f"source_gen_{state.sources}", address))
            state.sources += 1
        tier = chunk.get("service_tier")
        state.service_tier = state.service_tier if tier is None else tier

    def _one_delta(self, *_: Any) -> bool:
        return False  # what is worth it repeats the chunk before it

    # -- text and reasoning -----------------------------------------------------------------------------------------

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """Text, reasoning and calls, in that order."""
        delta = wire.get("delta") or {}
        if delta.get("content"):
            self.text(index, choice, delta["content"], out)
        if delta.get("refusal"):
            choice.refused = True
            self.text(index, choice, delta["refusal"], out)
        if delta.get("reasoning_content"):
            self._reasoning(index, choice, delta["reasoning_content"], out)
        calls = delta.get("tool_calls")
        if calls:
            self._end_reasoning(choice, out)
            for call in calls:
                self.tool_call(choice, call, out)

    def text(self, index: int, choice: Any, text: str, out: list[Part]) -> None:
        """A piece of text, which ends the reasoning before it."""
        self._end_reasoning(choice, out)
        block = f"text-{self.state.id or index}"
        if block not in choice.blocks:
            choice.blocks[block] = False
            metadata = {self.provider: {"refusal": True}} if choice.refused else None
            out.append(TextStart(block, metadata, index))
        out.append(TextDelta(block, text, None, index))

    def _reasoning(self, index: int, choice: XaiChoice, text: str, out: list[Part]) -> None:
        name = f"reasoning-{self.state.id or index}"
        block = choice.names.get(name)
        if block not in choice.blocks:
            block = choice.names[name] = name if block is None else f"{block}+"
            choice.blocks[block] = True
            choice.reasoning = block
            out.append(ReasoningStart(block, choice=index))
        out.append(ReasoningDelta(block, text, None, index))

    def _end_reasoning(self, choice: XaiChoice, out: list[Part]) -> None:
        if choice.reasoning:
            del choice.blocks[choice.reasoning]
            out.append(ReasoningEnd(choice.reasoning, choice=choice.tools.choice))
            choice.reasoning = ""

    # -- calls ------------------------------------------------------------------------------------------------------

    def tool_call(self, choice: ChoiceState, call: dict[str, Any], out: list[Part]) -> None:
        """A whole call, or a piece of one."""
        if not self._continues(call):
            self._settle(out)
        calls = choice.tools.calls
        count = len(calls)
        super().tool_call(choice, call, out)
        if len(calls) > count and call.get("id") and calls[-1].started:
            text = calls[-1].arguments.text()
            if text.strip() and is_arguments_text(text):
                self.state.whole = (choice.tools.choice, count, len(text))

    def _held(self) -> CallState | None:
        """The call that came whole and has not ended; None if there is none, or if it went on."""
        whole = self.state.whole
        if whole is None:
            return None
        choice, position, length = whole
        call = self.state.choices[choice].tools.calls[position]
        return call if call.arguments.length == length else None

    def _continues(self, call: dict[str, Any]) -> bool:
        """Whether a delta is about the call that came whole: it brings no name, and no other id or index."""
        held = self._held()
        return (
            held is not None
            and not (call.get("function") or {}).get("name")
            and call.get("id") in (None, "", held.id)
            and call.get("index") in (None, held.index)
        )

    def _settle(self, out: list[Part]) -> None:
        """Ends the call that came whole."""
        held = self._held()
        if held is not None and self.state.whole is not None:
            self.state.choices[self.state.whole[0]].tools.end(held, self, out)
        self.state.whole = None

    # -- the end ----------------------------------------------------------------------------------------------------

    def finish(self, out: list[Part]) -> None:
        """The call that came whole ends before the blocks do, unless an error cut the choice."""
        whole = self.state.whole
        if whole is not None and not (self.state.provider_failed and self.state.choices[whole[0]].finish is None):
            self._settle(out)
        super().finish(out)

    def close_blocks(self, index: int, choice: Any, out: list[Part]) -> None:
        """Blocks that are open, in the order in which they were opened."""
        for block, reasoning in choice.blocks.items():
            out.append(ReasoningEnd(block, choice=index) if reasoning else TextEnd(block, choice=index))

    def metadata(self) -> Metadata | None:
        """The service tier, if it was told."""
        tier = self.state.service_tier
        return None if tier is None else {self.provider: {"serviceTier": tier}}

    def usage(self) -> Usage:
        """Zeros where there is none; reasoning is not part of the completion, and cached tokens need not be of the prompt."""
        if self.state.usage is None:
            return Usage(0, 0, 0, 0, 0, 0, 0)
        wire = self.state.usage.value
        cached = (wire.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        reasoning = (wire.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
        prompt, completion = wire["prompt_tokens"], wire["completion_tokens"]
        return Usage(
            input_total=prompt if cached <= prompt else prompt + cached,
            input_no_cache=prompt - cached if cached <= prompt else prompt,
            input_cache_read=cached,
            output_total=completion + reasoning,
            output_text=completion,
            output_reasoning=reasoning,
            raw=wire,
        )
