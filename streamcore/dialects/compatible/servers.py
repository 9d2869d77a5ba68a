"""The servers that speak OpenAI Chat Completions, one row each: what a server does otherwise than OpenAI.

To add one, add a row; the name of the row is the name of the dialect. A field that is left out is as OpenAI has it, or
as most of these servers do. ``recording`` names a recorded body that shows what the row says, as it is called in the
collection that the parity of this package was measured on; many rows say no more than where the server is lavish, since
what does not change the parts needs no parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from streamcore.dialects.openai.chat_values import COMPATIBLE_USAGE, FINISH, UsageKeys
from streamcore.parts import FinishUnified


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server, or one product that many run."""

    name: str
    """The dialect's name."""
    differs: str
    """What it does otherwise than OpenAI, for people."""
    recording: str = ""
    """A recorded body that shows it."""
    provider: str = "compat"
    """The key of the server's own fields in ``providerMetadata``; empty if the finish has no metadata."""
    reasoning: tuple[str, ...] = ("reasoning_content", "reasoning")
    """The members of ``delta`` that hold reasoning; the first that is not null is read."""
    text_ends_at_reasoning: bool = True
    """Text ends where reasoning goes on behind it."""
    text_starts_first: bool = False
    """Where text follows on reasoning, it begins before the reasoning ends."""
    completions: bool = False
    """The ``text`` of a choice without ``delta``, which the legacy completions endpoint streams, is read as text."""
    says_finish: bool = True
    """There is a finish reason; without one, ``[DONE]`` does not end the stream quietly."""
    says_done: bool = True
    """``[DONE]`` ends the stream; a finish reason alone completes it with a warning only."""
    needs_done: bool = False
    """Something may come behind a finish reason: without ``[DONE]`` the stream was cut."""
    call_types: bool = False
    """There are calls of other types than functions; where there are none, the type is not read."""
    finishes: Mapping[str, FinishUnified] = field(default_factory=lambda: FINISH)
    """Finish reason of the wire -> the unified one."""
    usage: UsageKeys = COMPATIBLE_USAGE
    usage_at: tuple[str, ...] = ("usage",)
    """Where in a chunk the usage is."""


ANY: Final = Server(name="openai-compatible", differs="nothing is known of the server")

GROQ: Final = Server(
    name="groq",
    differs="usage in x_groq; reasoning on request; an error is an event named error, and nothing comes behind it",
    recording="pydantic-ai--test_tool_use_failed_error_streaming-0-25e988",
    provider="",
    reasoning=("reasoning",),
    text_ends_at_reasoning=False,
    call_types=True,
    usage=UsageKeys(absent=None),
    usage_at=("x_groq", "usage"),
)

DEEPSEEK: Final = Server(
    name="deepseek",
    differs="reasoning_content; counts cache hits beside the prompt tokens; stops for want of resources",
    recording="pydantic-ai--test_deepseek_model_thinking_stream-0-0ff1c6",
    provider="deepseek",
    reasoning=("reasoning_content",),
    text_ends_at_reasoning=False,
    text_starts_first=True,
    call_types=True,
    finishes={**FINISH, "function_call": "other", "insufficient_system_resource": "error"},
    usage=UsageKeys(cached=("prompt_cache_hit_tokens",)),
)

SERVERS: Final = (
    Server(
        name="ai21",
        differs="lines end in CR LF; a chunk has no model and no time; the last one brings the usage",
        recording="agentops--recordings-test_ai21_provider-1-3e437f",
    ),
    Server(
        name="avian",
        differs="role, empty content and reasoning, twice over, in each chunk; a second finish chunk with the usage",
        recording="fantasy--avian-kimi-multi_tool_streaming-0-5c71ad",
    ),
    Server(
        name="cloudflare",
        differs="no role and no null finish reasons; the usage comes with the finish reason",
        recording="chatlas--test_cloudflare_simple_streaming_request-0-0ab44f",
    ),
    Server(
        name="crusoe",
        differs="vLLM behind it: token_ids and prompt_text beside the text; the finish chunk has a stop_reason too",
        recording="pydantic-ai--test_crusoe_model_streaming-0-080b3c",
    ),
    Server(
        name="databricks",
        differs="a usage in each chunk, whose completion tokens are null until the last",
        recording="chatlas--test_databricks_tool_variations_async-0-642b87",
    ),
    Server(
        name="huggingface",
        differs="a router: whatever the server behind it does, such as no [DONE], or a finish chunk after the usage",
        recording="chatlas--test_huggingface_respects_turns_interface-0-47c3d1",
        says_done=False,
    ),
    Server(
        name="local-openai-compat",
        differs="llama.cpp adds timings; vLLM's completions endpoint streams the text of choices without delta",
        recording="openllmetry--test_trace_propagation_stream_async-vllmopenai-0-d450ca",
        completions=True,
    ),
    Server(
        name="ollama-openai-compat",
        differs="reasoning beside empty content; a call comes whole in one delta",
        recording="ruby_llm--chat_function_calling_ollama_qwen3_can_use_tools_with_multi-turn_streaming-0-47df1a",
    ),
    Server(
        name="openrouter",
        differs="comments while it waits; reasoning twice, as text and in details; an error behind a finish reason",
        recording="pydantic-ai--test_openrouter_stream_error-0-baafd4",
        needs_done=True,
    ),
    Server(
        name="snowflake",
        differs="no finish reason ever; empty strings where there is no id and no refusal",
        recording="pydantic-ai--test_snowflake_model_streaming-0-c3a805",
        says_finish=False,
    ),
    Server(
        name="together",
        differs="the text twice, in delta and beside it; token ids; finish reason eos",
        recording="openllmetry-js--should-set-attributes-in-span-for-streaming-chat_72904453-recording-0-64af64",
        finishes={**FINISH, "eos": "other"},
    ),
    Server(
        name="vercel-gateway",
        differs="reasoning twice, as text and in details; the last delta tells which provider was tried, and the cost",
        recording="fantasy--claude-sonnet-4-thinking-streaming-0-e23921",
    ),
    Server(
        name="writer",
        differs="no [DONE]; a message beside each delta with the same content; graph, image and translation data",
        recording="openllmetry--test_writer_async_streaming_chat_legacy-0-3474b7",
        says_done=False,
    ),
    Server(
        name="zai",
        differs="reasoning_content; a call comes whole in one delta; no null finish reasons",
        recording="fantasy--zai-glm-4-7-flash-multi_tool_streaming-0-7f5035",
    ),
)
