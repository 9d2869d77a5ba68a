"""The dialects, by name."""

from __future__ import annotations

from streamcore.dialects.anthropic_messages import AnthropicMessages
from streamcore.dialects.base import Dialect
from streamcore.dialects.openai_chat import OpenAIChat

DIALECTS: dict[str, type[Dialect]] = {dialect.name: dialect for dialect in (OpenAIChat, AnthropicMessages)}
