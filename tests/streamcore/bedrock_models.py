"""What models behind Bedrock's InvokeModel stream, one family each; ``LAST`` is what Bedrock adds to the last event."""

from __future__ import annotations

from . import anthropic_wire as anthropic
from .wire import Json

METRICS: Json = {"inputTokenCount": 5, "outputTokenCount": 6, "invocationLatency": 7, "firstByteLatency": 1}
LAST: Json = {"amazon-bedrock-invocationMetrics": METRICS}
MESSAGE: list[Json] = [
    anthropic.message_start(),
    anthropic.start(0, "thinking", thinking="", signature=""),
    anthropic.thinking(0, "th"),
    anthropic.signature(0, "S+/="),
    anthropic.stop(0),
    anthropic.text_start(1),
    anthropic.text(1, "a"),
    anthropic.text(1, ": \u00e9"),
    anthropic.stop(1),
    anthropic.call_start(2),
    anthropic.arguments(2, '{"k":'),
    anthropic.arguments(2, "1}"),
    anthropic.stop(2),
    anthropic.message_delta("tool_use"),
    {"type": "message_stop", **LAST},
]
NOVA: list[Json] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "a"}}, "amazon-bedrock-guardrailAction": "NONE"},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}}}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"messageStop": {"stopReason": "tool_use"}},
]
TITAN: list[Json] = [
    {"outputText": "a", "index": 0, "inputTextTokenCount": 5.0},
    {"outputText": "b", "index": 0, "totalOutputTextTokenCount": 6.0, "completionReason": "FINISH"},
]
LLAMA: list[Json] = [
    {"generation": "a", "prompt_token_count": 5, "generation_token_count": 1, "stop_reason": None},
    {"generation": "b", "prompt_token_count": None, "generation_token_count": 6, "stop_reason": "length"},
]
CLAUDE: list[Json] = [
    {"completion": "a", "stop_reason": None},
    {"completion": "b", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"},
]
COMMAND: list[Json] = [
    {"text": "a", "is_finished": False},
    {"text": "b", "is_finished": False},
    {"is_finished": True, "finish_reason": "COMPLETE"},
]
MISTRAL: list[Json] = [
    {"outputs": [{"text": "a", "stop_reason": None}]},
    {"outputs": [{"text": "b", "stop_reason": "stop"}]},
]
DEEPSEEK: list[Json] = [
    {"choices": [{"text": "a", "stop_reason": None}]},
    {"choices": [{"text": "b", "stop_reason": "length"}]},
]
