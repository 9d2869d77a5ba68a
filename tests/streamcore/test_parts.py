"""The JSON spelling of each part: the AI SDK's, absent fields left out."""

from __future__ import annotations

from typing import Any

import pytest

from streamcore import ErrorKind, ErrorStage, WireError, parts
from streamcore.parts import Part, Usage

META = {"openai": {"x": 1}}

SPELLINGS: list[tuple[Part, dict[str, Any]]] = [
    (parts.StreamStart(), {"type": "stream-start", "warnings": []}),
    (parts.ResponseMetadata(), {"type": "response-metadata"}),
    (
        parts.ResponseMetadata("i", "m", "1970-01-01T00:00:00.000Z"),
        {"type": "response-metadata", "id": "i", "modelId": "m", "timestamp": "1970-01-01T00:00:00.000Z"},
    ),
    (parts.ResponseMetadata("", ""), {"type": "response-metadata", "id": "", "modelId": ""}),
    (parts.TextStart("0"), {"type": "text-start", "id": "0"}),
    (parts.TextStart("0", META, 1), {"type": "text-start", "id": "0", "providerMetadata": META, "choice": 1}),
    (parts.TextDelta("0", ""), {"type": "text-delta", "id": "0", "delta": ""}),
    (parts.TextDelta("0", "x", META), {"type": "text-delta", "id": "0", "delta": "x", "providerMetadata": META}),
    (parts.TextDelta("0", "x", None, 2), {"type": "text-delta", "id": "0", "delta": "x", "choice": 2}),
    (parts.TextEnd("0"), {"type": "text-end", "id": "0"}),
    (parts.ReasoningStart("0", {}), {"type": "reasoning-start", "id": "0", "providerMetadata": {}}),
    (parts.ReasoningDelta("0", "x"), {"type": "reasoning-delta", "id": "0", "delta": "x"}),
    (parts.ReasoningEnd("0", META), {"type": "reasoning-end", "id": "0", "providerMetadata": META}),
    (parts.ToolInputStart("a", "f"), {"type": "tool-input-start", "id": "a", "toolName": "f"}),
    (
        parts.ToolInputStart("a", "f", True, False, "T", META, 1),
        {
            "type": "tool-input-start",
            "id": "a",
            "toolName": "f",
            "providerExecuted": True,
            "dynamic": False,
            "title": "T",
            "providerMetadata": META,
            "choice": 1,
        },
    ),
    (parts.ToolInputDelta("a", "{"), {"type": "tool-input-delta", "id": "a", "delta": "{"}),
    (parts.ToolInputEnd("a"), {"type": "tool-input-end", "id": "a"}),
    (parts.ToolCall("a", "f", "{}"), {"type": "tool-call", "toolCallId": "a", "toolName": "f", "input": "{}"}),
    (
        parts.ToolCall("a", "f", "{", True, True, META, 3, invalid=True),
        {
            "type": "tool-call",
            "toolCallId": "a",
            "toolName": "f",
            "input": "{",
            "providerExecuted": True,
            "dynamic": True,
            "providerMetadata": META,
            "choice": 3,
            "invalid": True,
        },
    ),
    (
        parts.ToolResult("a", "f", [1]),
        {"type": "tool-result", "toolCallId": "a", "toolName": "f", "result": [1]},
    ),
    (
        parts.ToolResult("a", "f", None, False, True, META),
        {
            "type": "tool-result",
            "toolCallId": "a",
            "toolName": "f",
            "result": None,
            "isError": False,
            "dynamic": True,
            "providerMetadata": META,
        },
    ),
    (
        parts.Source("url", "s", "https://x", "T"),
        {"type": "source", "sourceType": "url", "id": "s", "url": "https://x", "title": "T"},
    ),
    (
        parts.Source("document", "s", title="T", media_type="text/plain", filename="f", metadata=META, choice=1),
        {
            "type": "source",
            "sourceType": "document",
            "id": "s",
            "title": "T",
            "mediaType": "text/plain",
            "filename": "f",
            "providerMetadata": META,
            "choice": 1,
        },
    ),
    (
        parts.File("image/png", "aGk=", META),
        {"type": "file", "mediaType": "image/png", "data": "aGk=", "providerMetadata": META},
    ),
    (
        parts.ToolApprovalRequest("a", "c"),
        {"type": "tool-approval-request", "approvalId": "a", "toolCallId": "c"},
    ),
    (
        parts.Finish("stop", None),
        {"type": "finish", "finishReason": {"unified": "stop"}, "usage": {"inputTokens": {}, "outputTokens": {}}},
    ),
    (
        parts.Finish("other", "odd", Usage(1, 2, 3, 4, 5, 6, 7, {"u": 1}), META, 1),
        {
            "type": "finish",
            "finishReason": {"unified": "other", "raw": "odd"},
            "usage": {
                "inputTokens": {"total": 1, "noCache": 2, "cacheRead": 3, "cacheWrite": 4},
                "outputTokens": {"total": 5, "text": 6, "reasoning": 7},
                "raw": {"u": 1},
            },
            "providerMetadata": META,
            "choice": 1,
        },
    ),
    (
        parts.Finish("stop", "stop", Usage(input_total=0)),
        {
            "type": "finish",
            "finishReason": {"unified": "stop", "raw": "stop"},
            "usage": {"inputTokens": {"total": 0}, "outputTokens": {}},
        },
    ),
    (
        parts.Error(WireError(ErrorKind.PROVIDER, ErrorStage.OPEN, 7, "not shown", {"message": "boom"})),
        {"type": "error", "kind": "provider", "stage": "open", "offset": 7, "payload": {"message": "boom"}},
    ),
    (
        parts.Error(WireError(ErrorKind.INVALID_PAYLOAD, ErrorStage.STREAM, 7, "", None)),
        {"type": "error", "kind": "invalid_payload", "stage": "stream", "offset": 7, "payload": None},
    ),
    (
        parts.Error(WireError(ErrorKind.INCOMPLETE_STREAM, ErrorStage.CLOSE, 0)),
        {"type": "error", "kind": "incomplete_stream", "stage": "close", "offset": 0},
    ),
]


@pytest.mark.parametrize(("part", "spelling"), SPELLINGS, ids=lambda item: getattr(item, "type", ""))
def test_spelling(part: Part, spelling: dict[str, Any]) -> None:
    assert part.as_json() == spelling
    assert next(iter(part.as_json())) == "type"


def test_every_part_is_spelled_here() -> None:
    concrete = {part for part in vars(parts).values() if isinstance(part, type) and issubclass(part, Part)}
    concrete = {part for part in concrete if "type" in vars(part)}
    assert {type(part) for part, _ in SPELLINGS} == concrete


def test_the_base_is_abstract() -> None:
    with pytest.raises(NotImplementedError):
        Part().as_json()


def test_parts_compare_by_value() -> None:
    assert parts.TextDelta("0", "x") == parts.TextDelta("0", "x")
    assert parts.TextDelta("0", "x") != parts.TextDelta("0", "y")
