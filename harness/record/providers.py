"""The providers whose streams can be recorded, one row a dialect; ``scenarios-<dialect>.yaml`` is what is recorded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.record import (
    anthropic_completions,
    anthropic_messages,
    bedrock_converse,
    bedrock_invoke,
    gemini,
    gemini_interactions,
    openai_chat,
)
from harness.record.provider import (
    Provider,
    anthropic_headers,
    ask_content_blocks,
    ask_contents,
    ask_input,
    google_headers,
)
from harness.record.providers_openai import OPENAI_FAMILY

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVIDERS: Mapping[str, Provider] = {
    "anthropic-complete-legacy": Provider(
        name="anthropic",
        key_env="ANTHROPIC_API_KEY",
        path=anthropic_completions.PATH,
        encode=anthropic_completions.encode,
        headers=anthropic_headers,
        ask=anthropic_completions.ask_turns,
        demands={"max_tokens_to_sample": 1024},
    ),
    "anthropic-messages": Provider(
        name="anthropic",
        key_env="ANTHROPIC_API_KEY",
        path=anthropic_messages.PATH,
        encode=anthropic_messages.encode,
        headers=anthropic_headers,
        demands={"max_tokens": 1024},
    ),
    "bedrock-converse-stream": Provider(
        name="amazon-bedrock",
        key_env="AWS_BEARER_TOKEN_BEDROCK",
        path=bedrock_converse.PATH,
        encode=bedrock_converse.encode,
        ask=ask_content_blocks,
        streaming={},
        framing="eventstream",
    ),
    "bedrock-invoke-with-response-stream": Provider(
        name="amazon-bedrock",
        key_env="AWS_BEARER_TOKEN_BEDROCK",
        path=bedrock_invoke.PATH,
        encode=bedrock_invoke.encode,
        streaming={},
        demands={"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1024},
        framing="eventstream",
    ),
    "gemini-generateContent": Provider(
        name="google",
        key_env="GEMINI_API_KEY",
        path=f"{gemini.PATH}?alt=sse",
        encode=gemini.encode,
        headers=google_headers,
        ask=ask_contents,
        streaming={},
    ),
    "gemini-generateContent-json-array": Provider(
        name="google",
        key_env="GEMINI_API_KEY",
        path=gemini.PATH,
        encode=partial(gemini.encode, array=True),
        headers=google_headers,
        ask=ask_contents,
        streaming={},
        framing="json-array",
    ),
    "gemini-interactions": Provider(
        name="google",
        key_env="GEMINI_API_KEY",
        path=gemini_interactions.PATH,
        encode=gemini_interactions.encode,
        headers=google_headers,
        ask=ask_input,
    ),
    "openai-chat": Provider(name="openai", key_env="OPENAI_API_KEY", path=openai_chat.PATH, encode=openai_chat.encode),
    "vertex-anthropic": Provider(
        name="google-vertex",
        key_env="VERTEX_ACCESS_TOKEN",
        path="/v1/projects/example/locations/us-east5/publishers/anthropic/models/{model}:streamRawPredict",
        encode=partial(anthropic_messages.encode, host="vrtx_"),
        demands={"anthropic_version": "vertex-2023-10-16", "max_tokens": 1024},
    ),
    "vertex-gemini": Provider(
        name="google-vertex",
        key_env="VERTEX_ACCESS_TOKEN",
        path=gemini.VERTEX_PATH,
        encode=partial(gemini.encode, vertex=True),
        ask=ask_contents,
        streaming={},
    ),
    **OPENAI_FAMILY,
}
"""Dialect -> its provider. The dialects are named as the folders of cassettes."""
