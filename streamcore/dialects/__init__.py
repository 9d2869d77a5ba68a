"""The dialects, by name."""

from __future__ import annotations

from streamcore.dialects.anthropic.completions import AnthropicCompletions
from streamcore.dialects.anthropic.messages import AnthropicMessages, GatewayAnthropic, VertexAnthropic
from streamcore.dialects.base import Dialect
from streamcore.dialects.bedrock.converse import BedrockConverse
from streamcore.dialects.bedrock.invoke import BedrockInvoke
from streamcore.dialects.cohere.v1 import CohereV1
from streamcore.dialects.cohere.v2 import CohereV2
from streamcore.dialects.compatible.chat import COMPATIBLE
from streamcore.dialects.compatible.deepseek import DeepSeek
from streamcore.dialects.compatible.mistral import Mistral
from streamcore.dialects.compatible.perplexity import Perplexity
from streamcore.dialects.gemini.generate_content import (
    GatewayGemini,
    Gemini,
    GeminiJsonArray,
    VertexGemini,
    VertexGeminiJsonArray,
)
from streamcore.dialects.gemini.interactions import GeminiInteractions
from streamcore.dialects.ollama import OllamaNdjson
from streamcore.dialects.openai.azure import AzureOpenAI, GatewayOpenAIChat
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.completions import OpenAICompletions
from streamcore.dialects.openai.responses import (
    AzureOpenAIResponses,
    BedrockMantleResponses,
    DeepSeekResponses,
    GatewayResponses,
    OpenAIResponses,
    OpenRouterResponses,
)
from streamcore.dialects.xai.chat import XaiChat
from streamcore.dialects.xai.responses import XaiResponses

_ALL: tuple[type[Dialect], ...] = (
    OpenAIChat,
    AzureOpenAI,
    GatewayOpenAIChat,
    *COMPATIBLE,
    DeepSeek,
    OpenAIResponses,
    AzureOpenAIResponses,
    BedrockMantleResponses,
    DeepSeekResponses,
    GatewayResponses,
    OpenRouterResponses,
    AnthropicMessages,
    VertexAnthropic,
    GatewayAnthropic,
    AnthropicCompletions,
    BedrockConverse,
    BedrockInvoke,
    CohereV2,
    CohereV1,
    OllamaNdjson,
    OpenAICompletions,
    Mistral,
    Perplexity,
    XaiChat,
    XaiResponses,
    Gemini,
    GeminiJsonArray,
    VertexGemini,
    VertexGeminiJsonArray,
    GatewayGemini,
    GeminiInteractions,
)
DIALECTS: dict[str, type[Dialect]] = {dialect.name: dialect for dialect in _ALL}
