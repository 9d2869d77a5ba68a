"""The public names, pinned: adding one is a decision, removing one breaks somebody."""

from __future__ import annotations

import streamcore

NAMES = [
    "DIALECTS",
    "CallerError",
    "Decoder",
    "ErrorKind",
    "ErrorStage",
    "FinishReason",
    "Limits",
    "Message",
    "Part",
    "ReasoningBlock",
    "Snapshot",
    "SourceBlock",
    "StreamcoreError",
    "TextBlock",
    "ToolCallBlock",
    "ToolResultBlock",
    "Warning",
    "WireError",
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


def test_error_kinds_and_stages_are_closed_sets() -> None:
    assert [kind.value for kind in streamcore.ErrorKind] == KINDS
    assert [stage.value for stage in streamcore.ErrorStage] == ["open", "stream", "close"]


def test_dialects() -> None:
    assert set(streamcore.DIALECTS) <= {"openai-chat", "anthropic-messages"}
    assert "openai-chat" in streamcore.DIALECTS
    assert all(name == dialect.name for name, dialect in streamcore.DIALECTS.items())
