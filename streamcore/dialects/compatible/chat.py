"""``openai-compatible``: servers that speak OpenAI Chat Completions, each under its own name.

Parts equal those of ``@ai-sdk/openai-compatible`` on well-formed streams: text has the id ``txt-0`` and reasoning, under
either name that servers have for it, ``reasoning-0``; where one begins the other ends, and it begins anew under the same
id. What a server does in its own way is a row of the table in ``compatible_servers``.

What goes beyond that SDK: choices other than 0 have blocks of their own; a refusal is text whose metadata says so; the
chunk that brings an error is read for what else is in it; a ``[DONE]`` without a finish reason ends the stream with a
warning, where the SDK makes an error of its own.
"""

from __future__ import annotations

from typing import Any, ClassVar

from streamcore.dialects.compatible.schema import chunk_of
from streamcore.dialects.compatible.servers import ANY, GROQ, SERVERS, Server
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.chat_state import ChatState, ChoiceState
from streamcore.dialects.openai.chat_values import predictions, usage_of
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.errors import ErrorKind
from streamcore.legacy import tool_calls
from streamcore.parts import (
    Metadata,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    ResponseMetadata,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    Usage,
)


class CompatibleChoice(ChoiceState):
    """One choice."""

    __slots__ = ("reasoning_open", "signatures")

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.reasoning_open = False
        self.signatures: dict[int, str] = {}
        """Position of a call -> its thought signature."""


class CompatibleState(ChatState):
    """The stream."""

    __slots__ = ()

    def new_choice(self, index: int) -> ChoiceState:
        """With reasoning."""
        return CompatibleChoice(index)


class OpenAICompatible(OpenAIChat):
    """See the module's docstring."""

    name = ANY.name
    provider = ANY.provider
    server: ClassVar[Server] = ANY
    call_types = ANY.call_types
    frame = OpenAIChat.frame_or_repeat
    state: CompatibleState

    def __init_subclass__(cls) -> None:
        """A dialect of a server of its own goes by that server's row."""
        if "server" in cls.__dict__:
            server = cls.server
            cls.name, cls.provider, cls.finishes = server.name, server.provider, server.finishes
            cls.says_done, cls.needs_done, cls.call_types = server.says_done, server.needs_done, server.call_types

    def initial_state(self) -> CompatibleState:
        """Nothing seen yet."""
        return CompatibleState()

    def checked(self, value: Any) -> dict[str, Any]:
        """The chunk, as far as it is read."""
        chunk: dict[str, Any] = chunk_of(self.server.reasoning, self.server.usage_at[0])(value)
        return chunk

    def provider_error(self, payload: Any, out: list[Part], detail: str = "") -> None:
        """An error takes back what the stream said about its end."""
        for choice in self.state.choices.values():
            choice.finish = None
        super().provider_error(payload, out, detail)

    def describe_response(self, out: list[Part]) -> None:
        """The first chunk describes the response, whatever it says."""
        state = self.state
        state.described = True
        out.append(ResponseMetadata(state.id, state.model, iso_timestamp(state.created)))

    def usage_in(self, chunk: dict[str, Any]) -> Any:
        """Where the server puts it."""
        found: Any = chunk
        for key in self.server.usage_at:
            found = (found or {}).get(key)
        return found

    def usage(self) -> Usage:
        """The usage of the whole stream."""
        return usage_of(self.state.usage, self.server.usage)

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """Reasoning, content and calls, in that order."""
        delta = wire.get("delta")
        if delta is None:
            text = wire.get("text")
            if self.server.completions and type(text) is str and text:
                self.text(index, choice, text, out)
            return
        reasoning = next((delta[key] for key in self.server.reasoning if delta.get(key) is not None), None)
        if reasoning:
            self._reasoning(index, choice, reasoning, out)
        for is_reasoning, text in _texts(delta.get("content")):
            if text and is_reasoning:
                self._reasoning(index, choice, text, out)
            elif text:
                self.text(index, choice, text, out)
        if delta.get("refusal"):
            choice.refused = True
            self.text(index, choice, delta["refusal"], out)
        calls = delta.get("tool_calls") or tool_calls(delta)
        if calls:
            self._end_reasoning(index, choice, out)
            for call in calls:
                self.tool_call(choice, call, out)

    def _reasoning(self, index: int, choice: CompatibleChoice, text: str, out: list[Part]) -> None:
        if self.server.text_ends_at_reasoning:
            self._end_text(index, choice, out)
        if not choice.reasoning_open:
            choice.reasoning_open = True
            out.append(ReasoningStart(f"reasoning-{index}", choice=index))
        out.append(ReasoningDelta(f"reasoning-{index}", text, None, index))

    def text(self, index: int, choice: Any, text: str, out: list[Part]) -> None:
        """A piece of text, which ends the reasoning before it."""
        if not self.server.text_starts_first:
            self._end_reasoning(index, choice, out)
        if not choice.text_open:
            choice.text_open = True
            metadata = {self.provider: {"refusal": True}} if choice.refused else None
            out.append(TextStart(f"txt-{index}", metadata, index))
        self._end_reasoning(index, choice, out)
        out.append(TextDelta(f"txt-{index}", text, None, index))

    def _end_reasoning(self, index: int, choice: CompatibleChoice, out: list[Part]) -> None:
        if choice.reasoning_open:
            choice.reasoning_open = False
            out.append(ReasoningEnd(f"reasoning-{index}", choice=index))

    def _end_text(self, index: int, choice: CompatibleChoice, out: list[Part]) -> None:
        if choice.text_open:
            choice.text_open = False
            out.append(TextEnd(f"txt-{index}", choice=index))

    def tool_call(self, choice: Any, call: dict[str, Any], out: list[Part]) -> None:
        """Google's servers sign the thoughts that led to a call."""
        super().tool_call(choice, call, out)
        google = (call.get("extra_content") or {}).get("google") or {}
        if google.get("thought_signature") and choice.tools.last >= 0:
            choice.signatures.setdefault(choice.tools.last, google["thought_signature"])

    def finish(self, out: list[Part]) -> None:
        """``[DONE]`` or, from servers that do not say it, the end of the body."""
        if self.server.says_finish and not self.state.provider_failed and not self.has_finished():
            self.lenient("finish_missing", "no finish reason", out, ErrorKind.INCOMPLETE_STREAM)
        super().finish(out)

    def close_blocks(self, index: int, choice: Any, out: list[Part]) -> None:
        """Reasoning before text."""
        self._end_reasoning(index, choice, out)
        self._end_text(index, choice, out)

    def finish_calls(self, choice: Any, out: list[Part]) -> None:
        """Ends the calls of a choice, each with its signature."""
        at = len(out)
        super().finish_calls(choice, out)
        signatures = {choice.tools.calls[position].id: text for position, text in choice.signatures.items()}
        for part in out[at:]:
            if isinstance(part, ToolCall) and part.tool_call_id in signatures:
                part.metadata = {self.provider: {"thoughtSignature": signatures[part.tool_call_id]}}

    def metadata(self) -> Metadata | None:
        """What the last usage says; Groq's finish has none."""
        usage = self.state.usage.value if self.state.usage else {}
        return {self.provider: predictions(usage)} if self.provider else None


def _texts(content: Any) -> list[tuple[bool, str]]:
    """The pieces in a string or list of content, each with whether it is reasoning."""
    if type(content) is str:
        return [(False, content)]
    found: list[tuple[bool, str]] = []
    for part in content or ():
        thinking = part.get("thinking")
        if part["type"] == "text" and type(part.get("text")) is str:
            found.append((False, part["text"]))
        elif part["type"] == "thinking" and type(thinking) is list:
            said = [item for item in thinking if type(item) is dict and item.get("type") == "text"]
            found.append((True, "".join(item["text"] for item in said if type(item.get("text")) is str)))
    return found


def dialect_of(server: Server) -> type[OpenAICompatible]:
    """The dialect that a row of the table describes."""
    described = {"__doc__": f"``{server.name}``: {server.differs}.", "server": server}
    return type(server.name.title().replace("-", ""), (OpenAICompatible,), described)


COMPATIBLE: tuple[type[OpenAICompatible], ...] = (OpenAICompatible, *map(dialect_of, (*SERVERS, GROQ)))
"""The generic dialect and one for each row of the table that needs no more than its row."""
