"""The public names, pinned: adding one is a decision, removing one breaks somebody."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

import streamcore

NAMES = [
    "DIALECTS",
    "CallerError",
    "Decoder",
    "ErrorKind",
    "ErrorStage",
    "FieldDelta",
    "FieldStream",
    "FileBlock",
    "FinishReason",
    "JsonEvent",
    "JsonFailure",
    "JsonFault",
    "JsonStream",
    "Limits",
    "Message",
    "Part",
    "PartialJson",
    "ReasoningBlock",
    "Snapshot",
    "SnapshotDivergence",
    "SnapshotTracker",
    "SourceBlock",
    "StreamcoreError",
    "TextBlock",
    "ToolCallBlock",
    "ToolResultBlock",
    "Warning",
    "WireError",
    "unwrap_arguments",
]
MODULES = {
    "sinks": ["CallWriter", "ConversationLines", "Sink", "SinkDriver", "TextLines", "TextWriter"],
    "legacy": ["DoubleEncodedArguments", "ThinkTags", "XmlToolCalls", "tool_calls", "whole_message"],
    "snapshots": ["SnapshotDivergence", "SnapshotTracker"],
    "fieldstream": ["FieldDelta", "FieldStream"],
    "processors": ["ArgumentsSoFar", "Processor", "Processors", "derived_id"],
    "jsonstream": ["JsonEvent", "JsonFailure", "JsonFault", "JsonStream", "Token"],
    "partialjson": ["PartialJson"],
    "callstates": ["CallEvent", "CallState", "CallStates"],
}
"""The classes and functions of each public module."""
DIALECTS = [
    "ai21",
    "anthropic-complete-legacy",
    "anthropic-messages",
    "avian",
    "azure-openai",
    "azure-openai-responses",
    "bedrock-converse-stream",
    "bedrock-invoke-with-response-stream",
    "bedrock-mantle-responses",
    "cloudflare",
    "cohere-v1",
    "cohere-v2",
    "crusoe",
    "databricks",
    "deepseek",
    "deepseek-responses",
    "gateway-anthropic",
    "gateway-gemini",
    "gateway-openai-chat",
    "gateway-responses",
    "gemini-generateContent",
    "gemini-generateContent-json-array",
    "gemini-interactions",
    "groq",
    "huggingface",
    "local-openai-compat",
    "mistral",
    "ollama-ndjson",
    "ollama-openai-compat",
    "openai-chat",
    "openai-compatible",
    "openai-completions-legacy",
    "openai-responses",
    "openrouter",
    "openrouter-responses",
    "perplexity",
    "snowflake",
    "together",
    "vercel-gateway",
    "vertex-anthropic",
    "vertex-gemini",
    "vertex-gemini-json-array",
    "writer",
    "xai-chat",
    "xai-responses",
    "zai",
]
KINDS = [
    "incomplete_stream",
    "malformed_json",
    "invalid_payload",
    "invalid_arguments",
    "nameless_call",
    "tool_call_protocol",
    "event_too_large",
    "frame_crc",
    "frame_length",
    "not_an_event_stream",
    "invalid_utf8",
    "provider",
]


def test_names() -> None:
    assert streamcore.__all__ == NAMES
    assert all(hasattr(streamcore, name) for name in NAMES)


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    module = import_module(f"streamcore.{name}")
    own = getattr(module, "__all__", None) or [
        key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    ]
    kinds = {key: getattr(module, key) for key in own if not key.startswith("_")}
    found = sorted(key for key, value in kinds.items() if inspect.isclass(value) or inspect.isfunction(value))
    assert found == MODULES[name]
    assert all(value.__doc__ for key, value in kinds.items() if key in found)


def test_the_package_says_which_modules_are_public() -> None:
    said = [line.split("``")[1] for line in (streamcore.__doc__ or "").splitlines() if line.startswith("``")]
    assert said == list(MODULES)


def test_error_kinds_and_stages_are_closed_sets() -> None:
    assert [kind.value for kind in streamcore.ErrorKind] == KINDS
    assert [stage.value for stage in streamcore.ErrorStage] == ["open", "stream", "close"]


def test_dialects() -> None:
    assert sorted(streamcore.DIALECTS) == DIALECTS
    assert all(name == dialect.name for name, dialect in streamcore.DIALECTS.items())
