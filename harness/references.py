"""Which TypeScript SDK is the reference for which dialect."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from streamcore.dialects.compatible.servers import ANY, SERVERS
from streamcore.framing.eventstream import EventStreamFramer
from streamcore.framing.jsonarray import JsonArrayFramer
from streamcore.framing.sse import SseFramer

if TYPE_CHECKING:
    from harness.case import Case


@dataclass(frozen=True, slots=True)
class Reference:
    """A subject whose output is taken as the golden.

    ``trace`` references give parts, compared byte for byte; ``final`` ones a final message, compared on what it has in
    common with ours; ``frames`` ones the framing alone.
    """

    name: str
    kind: Literal["trace", "final", "frames"]
    package: str
    echoes: frozenset[str] = frozenset()
    """Types of the parts that it makes of the request and the HTTP headers; nothing of them is in the body."""


SSE = Reference("sse", "frames", "eventsource-parser")
EVENTSTREAM = Reference("eventstream", "frames", "@smithy/eventstream-codec")

_OPENAI_CHAT = Reference("ai.openai.chat", "trace", "@ai-sdk/openai")
_OPENAI_NATIVE = Reference("openai.chat", "final", "openai")
_RESPONSES = Reference("ai.openai.responses", "trace", "@ai-sdk/openai")
_RESPONSES_NATIVE = Reference("openai.responses", "final", "openai")
_ANTHROPIC = Reference("ai.anthropic", "trace", "@ai-sdk/anthropic")
_ANTHROPIC_NATIVE = Reference("anthropic", "final", "@anthropic-ai/sdk")
_GOOGLE = Reference("ai.google", "trace", "@ai-sdk/google")
_GENAI = Reference("genai", "final", "@google/genai")
_COMPATIBLE = (Reference("ai.compat", "trace", "@ai-sdk/openai-compatible"), SSE)

REFERENCES: dict[str, tuple[Reference, ...]] = {
    "openai-chat": (_OPENAI_CHAT, _OPENAI_NATIVE, SSE),
    "gateway-openai-chat": (_OPENAI_CHAT, _OPENAI_NATIVE, SSE),
    "azure-openai": (Reference("ai.azure.chat", "trace", "@ai-sdk/azure"), _OPENAI_NATIVE, SSE),
    "openai-completions-legacy": (
        Reference("ai.openai.completion", "trace", "@ai-sdk/openai"),
        Reference("openai.completion", "final", "openai"),
        SSE,
    ),
    "openai-responses": (_RESPONSES, _RESPONSES_NATIVE, SSE),
    "azure-openai-responses": (Reference("ai.azure.responses", "trace", "@ai-sdk/azure"), _RESPONSES_NATIVE, SSE),
    "bedrock-mantle-responses": (_RESPONSES, _RESPONSES_NATIVE, SSE),
    "deepseek-responses": (_RESPONSES, _RESPONSES_NATIVE, SSE),
    "gateway-responses": (_RESPONSES, _RESPONSES_NATIVE, SSE),
    "openrouter-responses": (_RESPONSES, _RESPONSES_NATIVE, SSE),
    "xai-responses": (Reference("ai.xai.responses", "trace", "@ai-sdk/xai"), _RESPONSES_NATIVE, SSE),
    "xai-chat": (Reference("ai.xai.chat", "trace", "@ai-sdk/xai"), _OPENAI_NATIVE, SSE),
    "anthropic-messages": (_ANTHROPIC, _ANTHROPIC_NATIVE, SSE),
    "gateway-anthropic": (_ANTHROPIC, _ANTHROPIC_NATIVE, SSE),
    "vertex-anthropic": (
        Reference("ai.vertex.anthropic", "trace", "@ai-sdk/google-vertex"),
        _ANTHROPIC_NATIVE,
        SSE,
    ),
    "gemini-generateContent": (_GOOGLE, _GENAI, SSE),
    "gateway-gemini": (_GOOGLE, _GENAI, SSE),
    "gemini-generateContent-json-array": (
        Reference("ai.google.array", "trace", "@ai-sdk/google"),
        Reference("genai.array", "final", "@google/genai"),
    ),
    "gemini-interactions": (Reference("ai.google.interactions", "trace", "@ai-sdk/google"), SSE),
    "vertex-gemini": (
        Reference("ai.vertex", "trace", "@ai-sdk/google-vertex"),
        Reference("genai.vertex", "final", "@google/genai"),
        SSE,
    ),
    "bedrock-converse-stream": (
        Reference("ai.bedrock", "trace", "@ai-sdk/amazon-bedrock", echoes=frozenset(("response-metadata",))),
        Reference("bedrock.sdk", "final", "@aws-sdk/client-bedrock-runtime"),
        EVENTSTREAM,
    ),
    "bedrock-invoke-with-response-stream": (
        Reference("ai.bedrock.anthropic", "trace", "@ai-sdk/amazon-bedrock"),
        Reference("bedrock.invoke.sdk", "final", "@aws-sdk/client-bedrock-runtime"),
        EVENTSTREAM,
    ),
    "cohere-v2": (Reference("ai.cohere", "trace", "@ai-sdk/cohere"), SSE),
    "ollama-ndjson": (Reference("ollama", "final", "ollama"),),
    "deepseek": (Reference("ai.deepseek", "trace", "@ai-sdk/deepseek"), SSE),
    "groq": (Reference("ai.groq", "trace", "@ai-sdk/groq"), SSE),
    "mistral": (Reference("ai.mistral", "trace", "@ai-sdk/mistral"), SSE),
    "perplexity": (Reference("ai.perplexity", "trace", "@ai-sdk/perplexity"), SSE),
    # No SDK at hand reads these: they are judged by the rules that need no golden, and by every chunking.
    "anthropic-complete-legacy": (SSE,),
    "cohere-v1": (),
    "vertex-gemini-json-array": (),
}
"""Dialect -> its references, the unified one first."""
# A server in the table of OpenAI-compatible ones has the reference of its own that stands above, or the general one.
REFERENCES |= {server.name: _COMPATIBLE for server in (ANY, *SERVERS) if server.name not in REFERENCES}

WITHOUT_DIALECT: dict[str, str] = {
    "bedrock-agent": "the answer of an agent, which is text with a trace and no message of a model",
    "openai-assistants": "events about threads and runs, an API that OpenAI retired in favour of Responses",
    "openai-transcription": "a transcript of audio, no message of a model",
    "replicate": "plain text in events, without any structure to assemble",
    "watsonx": "text generation of one deployment platform, for which no TypeScript reference is at hand",
}
"""APIs of which recordings exist, and why there is no dialect for them."""


def references_for(case: Case) -> tuple[Reference, ...]:
    """The references that ``case`` is compared with.

    The AI SDK mixes all choices of an OpenAI response into one, so a body with more than one choice is compared with
    the native SDK alone, where there is one; of the candidates of a Gemini response it reads the first of each chunk,
    whichever that is, so for them the same holds; and of the model families that Bedrock's InvokeModel passes on it reads
    Anthropic's only.
    """
    references = REFERENCES.get(case.dialect, ())
    mixed = _OPENAI_NATIVE in references or _COMPATIBLE[0] in references
    several = (mixed and has_several_choices(case.body)) or (
        any(reference.package == "@google/genai" for reference in references) and has_several_candidates(case.body)
    )
    no_trace = several or (
        case.dialect == "bedrock-invoke-with-response-stream" and not _is_anthropic(case.body)
    )
    return tuple(reference for reference in references if not (no_trace and reference.kind == "trace"))


def _is_anthropic(body: bytes) -> bool:
    """Whether the first model output inside a Bedrock event stream is an event of Anthropic's."""
    for _, payload, _ in EventStreamFramer().feed(body):
        try:
            inner = json.loads(b64decode(json.loads(payload)["bytes"]))
            return isinstance(inner, dict) and inner.get("type") == "message_start"
        except (ValueError, KeyError, TypeError):
            return False
    return False


def has_several_choices(body: bytes) -> bool:
    """Whether any chunk of an OpenAI chat body speaks of a choice after the first (``index`` > 0)."""
    return _has_several([data for data, *_ in SseFramer().feed(body)], "choices")


def has_several_candidates(body: bytes) -> bool:
    """Whether any chunk of a Gemini body, be it events or an array, speaks of a candidate after the first."""
    chunks = [data for data, *_ in SseFramer().feed(body)] or [data for data, _ in JsonArrayFramer().feed(body)]
    return _has_several(chunks, "candidates")


def _has_several(chunks: list[bytes], key: str) -> bool:
    for data in chunks:
        if b'"%b"' % key.encode() not in data:
            continue
        try:
            indices = [choice.get("index") for choice in json.loads(data)[key]]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # whatever this is, it is the dialect's to complain about
        if any(isinstance(index, int) and index > 0 for index in indices):
            return True
    return False
