"""Whose API a request speaks to, told by its address: the paths in the providers' API references, and their hosts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_CHAT_HOSTS = {
    "ai-gateway.vercel.sh": "vercel-gateway",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.perplexity.ai": "perplexity",
    "api.together.xyz": "together",
    "api.x.ai": "xai-chat",
    "api.z.ai": "zai",
    "openrouter.ai": "openrouter",
    "router.huggingface.co": "huggingface",
}
"""Servers that speak Chat Completions in their own way; any other is taken for OpenAI's."""

_PATHS = (
    (r"/openai/deployments/[^/]+/chat/completions", "azure-openai"),
    (r"/chat/completions", "openai-chat"),
    (r"/openai/(v1/)?responses", "azure-openai-responses"),
    (r"/responses", "openai-responses"),
    (r"/completions", "openai-completions-legacy"),
    (r"/publishers/anthropic/models/[^/]+:(streamR|r)awPredict", "vertex-anthropic"),
    (r"/publishers/google/models/[^/]+:(streamG|g)enerateContent", "vertex-gemini"),
    (r"/models/[^/]+:(streamG|g)enerateContent", "gemini-generateContent"),
    (r"/model/[^/]+/converse(-stream)?", "bedrock-converse-stream"),
    (r"/model/[^/]+/invoke(-with-response-stream)?", "bedrock-invoke-with-response-stream"),
    (r"/v1/messages", "anthropic-messages"),
    (r"/v1/complete", "anthropic-complete-legacy"),
    (r"/api/chat", "ollama-ndjson"),
    (r"/v2/chat", "cohere-v2"),
    (r"/v1/chat", "cohere-v1"),
    (r"/v1(alpha|beta)?\d*/interactions", "gemini-interactions"),
)


def dialect_of(url: str) -> str | None:
    """The dialect that the answer to a request to ``url`` will be in; None if its path is no API's that is known here."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    dialect = next((name for pattern, name in _PATHS if re.search(f"{pattern}$", parts.path)), None)
    if dialect is None:
        return None
    if dialect == "openai-chat":
        return _CHAT_HOSTS.get(host, dialect)
    if dialect == "openai-responses":
        return {"api.x.ai": "xai-responses", "openrouter.ai": "openrouter-responses"}.get(host, dialect)
    if dialect.endswith(("gemini", "gemini-generateContent")) and "alt=sse" not in parts.query.split("&"):
        return f"{dialect}-json-array"
    return dialect
