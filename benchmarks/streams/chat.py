"""Chat completions and the many servers that speak them, each with what it puts around a piece of text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.workloads import Stream, compact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.streams.script import Script

_DONE = b"data: [DONE]\n\n"
_SAFE = {"filtered": False, "severity": "safe"}
_FILTERED = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), _SAFE)
_FILLER = "41s81tSD5UZ2cqh4urYUFcdyo5R2O6Y6KjWVW95gcfx"
_NULLS = {"logprobs": None, "finish_reason": None}


@dataclass(frozen=True, slots=True)
class Server:
    """What one server does in its own way."""

    model: str
    head: Mapping[str, Any] = field(default_factory=dict)
    """Keys of every chunk beside id, object, created, model and choices."""
    choice: Mapping[str, Any] = field(default_factory=lambda: _NULLS)
    """Keys of every choice beside index and delta."""
    delta: Mapping[str, Any] = field(default_factory=dict)
    """Keys that every delta has, too."""
    empty: tuple[str, ...] = ()
    """Keys of the delta that are null where they say nothing."""
    reasoning: str = ""
    """The key of a piece of reasoning; empty where the API sends none."""
    parts: bool = False
    """Reasoning is a list of parts under ``content`` (Mistral)."""
    tools: bool = True
    whole_calls: bool = False
    """A tool call comes in one delta."""
    usage_apart: bool = False
    """The usage has a chunk of its own, without a choice."""
    counted: bool = False
    """Every chunk has the usage so far."""
    padding: str = ""
    """The key of a filler, different in every chunk, that hides how long the piece is."""
    numbered: str = ""
    """The key of the token's number, in the delta."""
    detailed: bool = False
    """A piece of reasoning comes a second time, with its type."""
    echo: str = ""
    """The key of the choice under which it comes again: ``text`` the piece, ``message`` the delta."""


_USAGE = {"prompt_tokens": 25, "completion_tokens": 999, "total_tokens": 1024}
_PAGES = [
    {"title": f"Page {number}", "url": f"https://example.com/{number}", "date": "2026-01-01", "snippet": "Words. " * 20}
    for number in range(5)
]
_PERPLEXITY = {"usage": _USAGE, "citations": [page["url"] for page in _PAGES], "search_results": _PAGES}
_AZURE = {"content_filter_results": _FILTERED, **_NULLS}
_FINGERPRINT = {"system_fingerprint": "fp_0123456789"}
_ROUTED = {"provider": "OpenAI", **_FINGERPRINT}
_REASONS = "reasoning_content"
_WITH_ROLE = {"role": "assistant"}

SERVERS: dict[str, Server] = {
    "openai-chat": Server("gpt-4o-mini-2024-07-18", {"service_tier": "default", **_FINGERPRINT}, usage_apart=True),
    "gateway-openai-chat": Server("gpt-4o-mini", {"stream_options": {"include_usage": True}}),
    "azure-openai": Server("gpt-4.1-mini-2025-04-14", _FINGERPRINT, _AZURE, usage_apart=True, padding="obfuscation"),
    "xai-chat": Server("grok-3-mini", _FINGERPRINT, {}, reasoning=_REASONS, whole_calls=True, usage_apart=True),
    "groq": Server("openai/gpt-oss-120b", _FINGERPRINT, reasoning="reasoning", whole_calls=True),
    "deepseek": Server(
        "deepseek-reasoner", {"usage": None, **_FINGERPRINT}, empty=("content", _REASONS), reasoning=_REASONS
    ),
    "mistral": Server("magistral-medium-latest", {}, {"finish_reason": None}, reasoning="content", parts=True,
                      whole_calls=True, padding="p"),
    "perplexity": Server("sonar", _PERPLEXITY, {"finish_reason": None}, _WITH_ROLE, tools=False, counted=True),
    "openai-compatible": Server("a-model", {}, reasoning=_REASONS, usage_apart=True),
    "ai21": Server("jamba-large"),
    "avian": Server("moonshotai/kimi-k2.5", {}, {"finish_reason": None, "native_finish_reason": None}, _WITH_ROLE,
                    reasoning=_REASONS, detailed=True),
    "cloudflare": Server("@cf/meta/llama-3.3-70b-instruct-fp8-fast", {}, {}),
    "crusoe": Server("meta-llama/Llama-3.3-70B-Instruct", {}, {**_NULLS, "token_ids": None}, usage_apart=True),
    "databricks": Server("us.anthropic.claude-3-7-sonnet", {"usage": {**_USAGE, "completion_tokens": None}},
                         {"finish_reason": None}, _WITH_ROLE),
    "huggingface": Server("Qwen2.5-VL-72B-Instruct", {}, {}, {**_WITH_ROLE, "name": "assistant"}, usage_apart=True),
    "local-openai-compat": Server("Qwen/Qwen3-8B", {"usage": None}, {**_NULLS, "stop_reason": None}, reasoning=_REASONS),
    "ollama-openai-compat": Server("qwen3", _FINGERPRINT, {"finish_reason": None}, _WITH_ROLE, reasoning="reasoning",
                                   whole_calls=True, usage_apart=True),
    "openrouter": Server("openai/gpt-4o-mini", _ROUTED, {**_NULLS, "native_finish_reason": None}, _WITH_ROLE,
                         reasoning="reasoning", detailed=True),
    "snowflake": Server("claude-sonnet-4-6", {"service_tier": "", "system_fingerprint": ""},
                        {"logprobs": {"content": None, "refusal": None}}, {"refusal": "", **_WITH_ROLE}, usage_apart=True),
    "together": Server("meta-llama/Llama-3.3-70B-Instruct-Turbo", {"usage": None}, {**_NULLS, "seed": None},
                       _WITH_ROLE, numbered="token_id", echo="text"),
    "vercel-gateway": Server("anthropic/claude-sonnet-4", _FINGERPRINT, reasoning="reasoning", detailed=True),
    "writer": Server("palmyra-x5", {**_FINGERPRINT, "service_tier": None}, _NULLS,
                     {**_WITH_ROLE, "graph_data": {"sources": None, "status": None}, "llm_data": None, "refusal": None},
                     empty=("content", "tool_calls"), usage_apart=True, echo="message"),
    "zai": Server("glm-4.7", {}, {}, _WITH_ROLE, reasoning=_REASONS),
}  # fmt: skip


def _varied(server: Server, at: int) -> Server:
    """What the server puts around piece number ``at``, where that is not always the same."""
    head, delta = dict(server.head), dict(server.delta)
    if server.counted:
        head["usage"] = {**_USAGE, "completion_tokens": at, "total_tokens": 25 + at}
    if server.padding:
        start = 7 * at % len(_FILLER)
        head[server.padding] = _FILLER[start : start + 1 + 5 * at % 16]
    if server.numbered:
        delta[server.numbered] = 37 * at % 128_000
    return replace(server, head=head, delta=delta)


def _chunk(server: Server, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    filled = {**dict.fromkeys(server.empty), **server.delta, **delta}
    choice = {"index": 0, "delta": filled, **server.choice}
    if server.echo:
        choice[server.echo] = filled if server.echo == "message" else filled.get("content") or ""
    if finish is not None:
        choice["finish_reason"] = finish
    return _event(server, choices=[choice])


def _event(server: Server, **more: Any) -> bytes:
    head = {"id": "chatcmpl-B0123456789abcdefghijklmnopq", "object": "chat.completion.chunk", "created": 1760000000}
    return b"data: " + compact({**head, "model": server.model, **server.head, **more}) + b"\n\n"


def _events(server: Server, script: Script) -> Iterator[bytes]:
    for at, delta in enumerate(_deltas(server, script)):
        yield _chunk(_varied(server, at), delta)


def _deltas(server: Server, script: Script) -> Iterator[dict[str, Any]]:
    for piece in script.reasoning if server.reasoning else ():
        said: Any = piece
        if server.parts:
            said = [{"type": "thinking", "thinking": [{"type": "text", "text": piece}]}]
        details = [{"type": "reasoning.text", "text": piece, "format": "unknown", "index": 0}]
        yield {server.reasoning: said, **({"reasoning_details": details} if server.detailed else {})}
    for piece in script.text if server.reasoning else (*script.reasoning, *script.text):
        yield {"content": piece}
    for index, pieces in enumerate(script.calls if server.tools else ()):
        start = {"index": index, "id": f"call_{index:024}", "type": "function"}
        for at, piece in enumerate(("".join(pieces),) if server.whole_calls else ("", *pieces)):
            if at == 0:
                call: dict[str, Any] = {**start, "function": {"name": "write_file", "arguments": piece}}
            else:
                call = {"index": index, "function": {"arguments": piece}}
            yield {"tool_calls": [call]}


def stream(dialect: str, script: Script) -> Stream:
    """The chunks of one server; of one that has no row here, in the plainest form."""
    server = SERVERS.get(dialect, SERVERS["openai-compatible"])
    opening = (_chunk(server, {"role": "assistant", "content": ""}),)
    reason = "tool_calls" if server.tools else "stop"
    if server.usage_apart:
        closing = [_chunk(server, {}, reason), _event(server, choices=[], usage=_USAGE)]
    else:
        closing = [_chunk(replace(server, head={**server.head, "usage": _USAGE}), {}, reason)]
    return Stream(dialect, dialect, opening, tuple(_events(server, script)), (*closing, _DONE))


def completion(script: Script) -> Stream:
    """``openai-completions-legacy``: text and nothing else."""

    def chunk(text: str, finish: str | None = None) -> bytes:
        choice = {"text": text, "index": 0, **_NULLS, "finish_reason": finish}
        head = {"id": "cmpl-B0123456789abcdefghijklmnopq", "object": "text_completion", "created": 1760000000}
        return b"data: " + compact({**head, "choices": [choice], "model": "davinci-002"}) + b"\n\n"

    pieces = (*script.reasoning, *script.text, *(piece for call in script.calls for piece in call))
    first, *rest = map(chunk, pieces)
    name = "openai-completions-legacy"
    return Stream(name, name, (first,), tuple(rest), (chunk("", "stop"), _DONE))


MAKERS: dict[str, Callable[[Script], Stream]] = {name: partial(stream, name) for name in SERVERS}
MAKERS["openai-completions-legacy"] = completion
