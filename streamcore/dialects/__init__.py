"""The dialects, by name."""

from __future__ import annotations

from streamcore.dialects.anthropic_completions import AnthropicCompletions
from streamcore.dialects.anthropic_messages import AnthropicMessages, GatewayAnthropic, VertexAnthropic
from streamcore.dialects.azure_openai import AzureOpenAI, GatewayOpenAIChat
from streamcore.dialects.base import Dialect
from streamcore.dialects.bedrock_converse import BedrockConverse
from streamcore.dialects.bedrock_invoke import BedrockInvoke
from streamcore.dialects.cohere import CohereV2
from streamcore.dialects.cohere_v1 import CohereV1
from streamcore.dialects.deepseek import DeepSeek
from streamcore.dialects.gemini import GatewayGemini, Gemini, GeminiJsonArray, VertexGemini, VertexGeminiJsonArray
from streamcore.dialects.gemini_interactions import GeminiInteractions
from streamcore.dialects.mistral import Mistral
from streamcore.dialects.ollama import OllamaNdjson
from streamcore.dialects.openai_chat import OpenAIChat
from streamcore.dialects.openai_compatible import COMPATIBLE
from streamcore.dialects.openai_completions import OpenAICompletions
from streamcore.dialects.openai_responses import (
    AzureOpenAIResponses,
    BedrockMantleResponses,
    DeepSeekResponses,
    GatewayResponses,
    OpenAIResponses,
    OpenRouterResponses,
)
from streamcore.dialects.perplexity import Perplexity
from streamcore.dialects.xai_chat import XaiChat
from streamcore.dialects.xai_responses import XaiResponses

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
