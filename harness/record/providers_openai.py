"""The providers that speak OpenAI's protocols or took after them, one row a dialect."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.record import cohere_chat, cohere_v1, compatible_chat, openai_chat, openai_responses
from harness.record.provider import Provider, ask_input, ask_prompt
from streamcore.dialects.compatible.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Mapping


def _azure_headers(key: str | None) -> Mapping[str, str]:
    """Azure OpenAI, "Authentication": the key has a header of its own."""
    return {"api-key": key} if key else {}


def _chat(dialect: str, name: str, key_env: str, path: str = openai_chat.PATH, **more: Any) -> Provider:
    """A server that speaks Chat Completions in its own way."""
    return Provider(
        name=name, key_env=key_env, path=path, encode=partial(compatible_chat.encode, server=dialect), **more
    )


def _key_env(dialect: str) -> str:
    return f"{dialect.upper().replace('-', '_')}_API_KEY"


_AZURE_CHAT = "/openai/deployments/{model}/chat/completions?api-version=2025-04-01-preview"
_SERVERS = (
    ("ai21", "ai21", "AI21_API_KEY", "/studio/v1/chat/completions"),
    ("avian", "avian", "AVIAN_API_KEY", "/v1/chat/completions"),
    ("cloudflare", "cloudflare", "CLOUDFLARE_API_KEY", "/ai/v1/chat/completions"),
    ("crusoe", "crusoe", "CRUSOE_API_KEY", "/v1/chat/completions"),
    ("databricks", "databricks", "DATABRICKS_TOKEN", "/serving-endpoints/chat/completions"),
    ("deepseek", "deepseek", "DEEPSEEK_API_KEY", "/chat/completions"),
    ("groq", "groq", "GROQ_API_KEY", "/openai/v1/chat/completions"),
    ("huggingface", "huggingface", "HF_TOKEN", "/v1/chat/completions"),
    ("local-openai-compat", "llama.cpp", "LOCAL_API_KEY", "/v1/chat/completions"),
    ("mistral", "mistral", "MISTRAL_API_KEY", "/v1/chat/completions"),
    ("ollama-openai-compat", "ollama", "OLLAMA_API_KEY", "/v1/chat/completions"),
    ("openrouter", "openrouter", "OPENROUTER_API_KEY", "/api/v1/chat/completions"),
    ("perplexity", "perplexity", "PERPLEXITY_API_KEY", "/chat/completions"),
    ("snowflake", "snowflake", "SNOWFLAKE_TOKEN", "/api/v2/cortex/v1/chat/completions"),
    ("together", "together", "TOGETHER_API_KEY", "/v1/chat/completions"),
    ("vercel-gateway", "vercel", "AI_GATEWAY_API_KEY", "/v1/chat/completions"),
    ("writer", "writer", "WRITER_API_KEY", "/v1/chat"),
    ("xai-chat", "xai", "XAI_API_KEY", "/v1/chat/completions"),
    ("zai", "zai", "ZAI_API_KEY", "/api/paas/v4/chat/completions"),
)

OPENAI_FAMILY: Mapping[str, Provider] = {
    "openai-responses": Provider(
        name="openai",
        key_env="OPENAI_API_KEY",
        path=openai_responses.PATH,
        encode=openai_responses.encode,
        ask=ask_input,
    ),
    "azure-openai-responses": Provider(
        name="azure",
        key_env="AZURE_OPENAI_API_KEY",
        path="/openai/v1/responses",
        encode=partial(openai_responses.encode, host=openai_responses.AZURE),
        headers=_azure_headers,
        ask=ask_input,
    ),
    "xai-responses": Provider(
        name="xai",
        key_env="XAI_API_KEY",
        path=openai_responses.PATH,
        encode=partial(openai_responses.encode, host=openai_responses.XAI),
        ask=ask_input,
    ),
    "openai-completions-legacy": _chat(
        "openai-completions-legacy", "openai", "OPENAI_API_KEY", "/v1/completions", ask=ask_prompt
    ),
    "azure-openai": _chat("azure-openai", "azure", "AZURE_OPENAI_API_KEY", _AZURE_CHAT, headers=_azure_headers),
    # A server that has only its row in the table of dialects is called like most are.
    **{server.name: _chat(server.name, server.name, _key_env(server.name)) for server in SERVERS},
    **{dialect: _chat(dialect, name, key_env, path) for dialect, name, key_env, path in _SERVERS},
    "ollama-ndjson": _chat("ollama-ndjson", "ollama", "OLLAMA_API_KEY", "/api/chat", framing="ndjson"),
    "cohere-v1": Provider(
        name="cohere",
        key_env="COHERE_API_KEY",
        path=cohere_v1.PATH,
        encode=cohere_v1.encode,
        ask=cohere_v1.ask_message,
        framing="ndjson",
        media_type=cohere_v1.MEDIA_TYPE,
    ),
    "cohere-v2": Provider(name="cohere", key_env="COHERE_API_KEY", path=cohere_chat.PATH, encode=cohere_chat.encode),
}
