"""The grammars: how each dialect writes what a model said. They drive the encoders of :mod:`harness.record`.

Half a surrogate pair cannot stand in the UTF-8 that those write, only in an escape. For text on the wire halves are taken
through them as private-use characters, and become escapes after.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from harness.record import (
    anthropic_messages,
    bedrock_converse,
    bedrock_invoke,
    cohere_chat,
    compatible_chat,
    gemini,
    openai_chat,
    openai_responses,
)
from harness.record.wire import framed
from harness.strategies import unrecorded
from streamcore import DIALECTS
from streamcore.dialects.compatible.servers import SERVERS

if TYPE_CHECKING:
    from harness.strategies.saying import Said, Unified

Finishes = Mapping["Unified", tuple[str | None, ...]]
Encode = Callable[..., list[bytes]]

_MODEL: Final = {"model": "model-1"}
_ENDINGS: Final = ("lf", "crlf", "cr")
_HIDE: Final = {0xD800 + offset: 0x10D800 + offset for offset in range(0x800)}
_HIDDEN: Final = re.compile("[\U0010d800-\U0010dfff]")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What one dialect can say, and how."""

    encode: Callable[[Said, Hidden], list[bytes]]
    """The units of the wire (events, lines, messages)."""
    finishes: Finishes
    """Unified finish -> the provider's words for it."""
    framing: str = "sse"
    reasoning: bool = True
    calls: bool = True
    stringified: bool = False
    """Arguments are as ``JSON.stringify`` writes them: they are an object on the wire, or the reference writes them anew."""
    usage: bool = True
    least_tokens: int = 0
    once: bool = False
    """One text and one stretch of reasoning at most: a second would have the id of the first."""
    least: int = 0
    """Items without which there is no stream."""
    cannot_say: Mapping[int, str] = field(default_factory=dict)
    """Characters that the encoder has other uses for."""

    @property
    def comments(self) -> bool:
        """Comments and a byte order mark are part of the framing."""
        return self.framing == "sse"

    def write(self, said: Said) -> list[bytes]:
        """The units of a stream that says it."""
        if self.framing == "eventstream":  # its lengths are counted: nothing can be written over it
            return self.encode(said, str)
        units = [unit.decode() for unit in self.encode(said, _hidden)]
        escape = _ESCAPES[said.form & 3]
        return [escape(unit).encode() for unit in units]


Hidden = Callable[[str], str]
"""What takes surrogates through an encoder."""


def _hidden(text: str) -> str:
    return text.translate(_HIDE)


def _halves_escaped(unit: str) -> str:
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]) - 0x100000:04x}", unit)


def _all_escaped(unit: str) -> str:
    return _NOT_ASCII.sub(_escape, _halves_escaped(unit))


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))


_ESCAPES: Final = (_halves_escaped, _halves_escaped, _halves_escaped, _all_escaped)


def _chat_says(said: Said, hidden: Hidden) -> list[dict[str, Any]]:
    """As most encoders take it: text, reasoning, and tools with their arguments as text."""
    says: list[dict[str, Any]] = []
    for item in said.items:
        text = hidden(item.text)
        if item.kind == "call":
            says.append({"tool": item.name, "arguments": text, "by": list(item.by)})
        else:
            says.append({item.kind: text, "by": list(item.by)})
    return says


def _openai_chat(said: Said, hidden: Hidden) -> list[bytes]:
    reply = {
        "says": _chat_says(said, hidden),
        "finish": said.raw,
        "usage": {"prompt": said.input_tokens, "completion": said.output_tokens},
        "line_ending": _ENDINGS[said.form % 3],
    }
    request = {**_MODEL, "stream_options": {"include_usage": True, "include_obfuscation": bool(said.form & 8)}}
    forms = ["no-space"] if said.form & 16 and said.form % 3 == 0 else []
    return framed(openai_chat.encode("generated", reply, request), forms)


def _compatible(said: Said, hidden: Hidden, *, server: str, objects: bool = False) -> list[bytes]:
    says = _chat_says(said, hidden)
    if objects:
        says = [
            {**item, "arguments": unrecorded.parsed(item["arguments"])} if "tool" in item else item for item in says
        ]
    reply: dict[str, Any] = {
        "says": says,
        "finish": said.raw or "stop",
        "usage": {"prompt": said.input_tokens, "completion": said.output_tokens},
    }
    if said.form & 16:
        reply["over"] = {"line_ending": _ENDINGS[said.form % 3 if not objects else 0]}
    return compatible_chat.encode("generated", reply, _MODEL, server)


def _responses(said: Said, hidden: Hidden, *, host: openai_responses.Host = openai_responses.OPENAI) -> list[bytes]:
    says = [
        {**item, "reasoning": [item["reasoning"]]} if "reasoning" in item else item for item in _chat_says(said, hidden)
    ]
    whole = said.raw in (None, "completed")
    ended = {"finish": "completed"} if whole else {"finish": "incomplete", "reason": said.raw}
    usage = {"input": said.input_tokens, "output": said.output_tokens}
    reply = {"says": says, **ended, "usage": usage, "line_ending": _ENDINGS[said.form % 3]}
    return openai_responses.encode("generated", reply, _MODEL, host)


def _anthropic_reply(said: Said, hidden: Hidden) -> dict[str, Any]:
    says = []
    for item in _chat_says(said, hidden):
        if "reasoning" in item:
            item = {"thinking": item["reasoning"], "by": item["by"], "signature": not said.form & 32}
        says.append(item)
    return {
        "says": says,
        "finish": said.raw,
        "usage": {"input": said.input_tokens, "output": said.output_tokens},
    }


def _anthropic(said: Said, hidden: Hidden, *, host: str = "") -> list[bytes]:
    reply = {**_anthropic_reply(said, hidden), "ping": bool(said.form & 8), "line_ending": _ENDINGS[said.form % 3]}
    return anthropic_messages.encode("generated", reply, _MODEL, host=host)


def _invoke(said: Said, hidden: Hidden) -> list[bytes]:
    reply = {**_anthropic_reply(said, hidden), "ascii": _ascii(said)}
    if said.form & 8:
        reply["metrics"] = {"input": said.input_tokens, "output": said.output_tokens}
    return bedrock_invoke.encode("generated", reply, {**_MODEL, "anthropic_version": "bedrock-2023-05-31"})


def _converse(said: Said, hidden: Hidden) -> list[bytes]:
    reply = {
        "says": _chat_says(said, hidden),
        "finish": said.raw,
        "usage": {"input": said.input_tokens, "output": said.output_tokens},
        "padding": bool(said.form & 8),
        "ascii": _ascii(said),
    }
    return bedrock_converse.encode("generated", reply, _MODEL)


def _ascii(said: Said) -> bool:
    halves = any("\ud800" <= character <= "\udfff" for item in said.items for character in item.text)
    return halves or bool(said.form & 16)


def _cohere(said: Said, hidden: Hidden) -> list[bytes]:
    says = [
        {"thinking": item["reasoning"], "by": item["by"]} if "reasoning" in item else item
        for item in _chat_says(said, hidden)
    ]
    # The encoder counts as the service does: what is billed, and so many more tokens.
    usage = {"input": said.input_tokens - _COHERE_INPUT, "output": said.output_tokens - _COHERE_OUTPUT}
    return cohere_chat.encode("generated", {"says": says, "finish": said.raw, "usage": usage}, _MODEL)


_COHERE_INPUT, _COHERE_OUTPUT = 496, 2


def _gemini(said: Said, hidden: Hidden, *, vertex: bool = False, array: bool = False) -> list[bytes]:
    says: list[dict[str, Any]] = []
    names = [item.name for item in said.items]
    for item in said.items:
        text = hidden(item.text)
        if item.kind == "call":
            call: dict[str, Any] = {"tool": item.name, "signature": bool(said.form & 32)}
            if text != "{}" or said.form & 64:
                call["arguments"] = unrecorded.parsed(text)
            # The encoder makes ids of names.
            says.append({**call, "id": bool(said.form & 8) and names.count(item.name) == 1})
        else:
            says.append({"text": text, "by": list(item.by), "thought": item.kind == "reasoning"})
    reply: dict[str, Any] = {
        "says": says,
        "finish": said.raw,
        "closing": "empty-text" if not says else ("last", "empty-text", "no-parts")[said.form % 3],
        "usage": {"prompt": said.input_tokens, "candidates": said.output_tokens},
    }
    if not array:
        reply["line_ending"] = _ENDINGS[said.form % 3]
    return gemini.encode("generated", reply, _MODEL, vertex=vertex, array=array)


_OPENAI_FINISHES: Final[Finishes] = {
    "stop": ("stop",),
    "length": ("length",),
    "content-filter": ("content_filter",),
    "tool-calls": ("tool_calls",),
}
_FEW_FINISHES: Final[Finishes] = {"stop": ("stop",), "length": ("length",), "tool-calls": ("tool_calls",)}
_NO_FINISHES: Final[Finishes] = {"other": (None,), "tool-calls": (None,)}
_RESPONSES_FINISHES: Final[Finishes] = {
    "stop": (None,),
    "length": ("max_output_tokens",),
    "content-filter": ("content_filter",),
    "tool-calls": (None,),
}
_XAI_FINISHES: Final[Finishes] = {**_RESPONSES_FINISHES, "stop": ("completed",), "tool-calls": ("completed",)}
_ANTHROPIC_FINISHES: Final[Finishes] = {
    "stop": ("end_turn", "stop_sequence"),
    "length": ("max_tokens",),
    "content-filter": ("refusal",),
    "tool-calls": ("tool_use",),
}
_GEMINI_FINISHES: Final[Finishes] = {
    "stop": ("STOP",),
    "length": ("MAX_TOKENS",),
    "content-filter": ("SAFETY", "RECITATION"),
    "tool-calls": ("STOP",),
}
_NO_NUL: Final = {0: "\x01"}
"""The Gemini encoder marks with NUL what it writes verbatim."""


def _chat(server: str, finishes: Finishes = _OPENAI_FINISHES, **more: Any) -> Grammar:
    return Grammar(encode=partial(_compatible, server=server), finishes=finishes, **more)


def _responses_of(
    host: openai_responses.Host = openai_responses.OPENAI, finishes: Finishes = _RESPONSES_FINISHES
) -> Grammar:
    return Grammar(encode=partial(_responses, host=host), finishes=finishes, once=host.xai)


def _gemini_of(*, vertex: bool = False, array: bool = False) -> Grammar:
    return Grammar(
        encode=partial(_gemini, vertex=vertex, array=array),
        finishes=_GEMINI_FINISHES,
        framing="jsonarray" if array else "sse",
        stringified=True,
        cannot_say=_NO_NUL,
    )


_OPENAI: Final = Grammar(encode=_openai_chat, finishes=_OPENAI_FINISHES, reasoning=False)

GRAMMARS: Final[Mapping[str, Grammar]] = {
    "openai-chat": _OPENAI,
    "gateway-openai-chat": _OPENAI,
    "azure-openai": _chat("azure-openai", reasoning=False),
    **{server.name: _chat(server.name) for server in SERVERS},
    **{name: _chat(name) for name in ("openai-compatible", "groq", "deepseek", "xai-chat")},
    "snowflake": _chat("snowflake", _NO_FINISHES),
    "mistral": _chat("mistral", _FEW_FINISHES),
    "perplexity": _chat("perplexity", _FEW_FINISHES, reasoning=False, calls=False),
    "openai-completions-legacy": _chat("openai-completions-legacy", reasoning=False, calls=False),
    "ollama-ndjson": Grammar(
        encode=partial(_compatible, server="ollama-ndjson", objects=True),
        finishes={"stop": ("stop",), "length": ("length",), "tool-calls": ("stop",)},
        framing="ndjson",
        stringified=True,
    ),
    "openai-responses": _responses_of(),
    "azure-openai-responses": _responses_of(openai_responses.AZURE),
    "xai-responses": _responses_of(openai_responses.XAI, _XAI_FINISHES),
    **{
        name: _responses_of()
        for name in DIALECTS
        if name.endswith("-responses") and not name.startswith(("azure", "xai"))
    },
    "anthropic-messages": Grammar(encode=_anthropic, finishes=_ANTHROPIC_FINISHES),
    "gateway-anthropic": Grammar(encode=_anthropic, finishes=_ANTHROPIC_FINISHES),
    "vertex-anthropic": Grammar(encode=partial(_anthropic, host="vrtx_"), finishes=_ANTHROPIC_FINISHES),
    "bedrock-invoke-with-response-stream": Grammar(encode=_invoke, finishes=_ANTHROPIC_FINISHES, framing="eventstream"),
    "bedrock-converse-stream": Grammar(
        encode=_converse,
        finishes={**_ANTHROPIC_FINISHES, "content-filter": ("content_filtered", "guardrail_intervened")},
        framing="eventstream",
    ),
    "cohere-v2": Grammar(
        encode=_cohere,
        finishes={"stop": ("COMPLETE", "STOP_SEQUENCE"), "length": ("MAX_TOKENS",), "tool-calls": ("TOOL_CALL",)},
        stringified=True,
        least_tokens=_COHERE_INPUT,
    ),
    "gemini-generateContent": _gemini_of(),
    "gateway-gemini": _gemini_of(),
    "vertex-gemini": _gemini_of(vertex=True),
    "gemini-generateContent-json-array": _gemini_of(array=True),
    "vertex-gemini-json-array": _gemini_of(vertex=True, array=True),
    **{name: Grammar(**row) for name, row in unrecorded.GRAMMARS.items()},
}
"""By dialect: every one that streamcore knows."""
