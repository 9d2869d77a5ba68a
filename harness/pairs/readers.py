"""Which reader reads the whole answers of which dialect."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.pairs import openai, others
from harness.pairs.answer import Answer, AnswerError
from streamcore.dialects.compatible.servers import ANY, SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READERS: Mapping[str, Callable[[dict[str, Any]], Answer]] = {
    **{server.name: openai.chat for server in (ANY, *SERVERS)},
    **dict.fromkeys(
        ("openai-chat", "azure-openai", "gateway-openai-chat", "xai-chat", "deepseek", "groq", "mistral", "perplexity"),
        openai.chat,
    ),
    "openai-completions-legacy": openai.completion,
    **dict.fromkeys(
        (
            *("openai-responses", "azure-openai-responses", "bedrock-mantle-responses", "deepseek-responses"),
            *("gateway-responses", "openrouter-responses"),
        ),
        openai.response,
    ),
    "xai-responses": partial(openai.response, says_status=True),
    **dict.fromkeys(
        ("anthropic-messages", "vertex-anthropic", "gateway-anthropic", "bedrock-invoke-with-response-stream"),
        others.anthropic,
    ),
    **dict.fromkeys(
        (
            *("gemini-generateContent", "gemini-generateContent-json-array", "gateway-gemini"),
            *("vertex-gemini", "vertex-gemini-json-array"),
        ),
        others.gemini,
    ),
    "bedrock-converse-stream": others.converse,
    "cohere-v2": openai.cohere,
    "ollama-ndjson": openai.ollama,
}
"""Dialect -> its reader. The other dialects are of APIs that nobody should call any more, or that have no such form."""


def read(dialect: str, body: bytes) -> Answer:
    """The whole answer in ``body``.

    Raises:
        AnswerError: the dialect has no reader, or this is no answer of it.
    """
    reader = READERS.get(dialect)
    if reader is None:
        raise AnswerError(f"no whole answers of {dialect} can be read")
    try:
        data = json.loads(body)
        return reader(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        start = body[:80].decode("utf-8", "replace")
        raise AnswerError(f"no whole answer of {dialect} ({type(error).__name__}: {error}): {start!r}") from error
