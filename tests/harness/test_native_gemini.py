"""What Gemini's own SDK and the unified parts have in common, and that a difference shows."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from harness import native
from harness.canonical import canonical
from harness.case import Case
from harness.references import has_several_candidates, references_for
from streamcore import Decoder

USAGE = {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 6, "thoughtsTokenCount": 3}


def chunk(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts)}, **candidate}]}


def arg(path: str, **value: Any) -> dict[str, Any]:
    return {"jsonPath": path, **value}


CHUNKS: list[dict[str, Any]] = [
    chunk({"text": "so", "thought": True}, {"text": "a", "thoughtSignature": "s"}),
    chunk({"functionCall": {"name": "f", "args": {"2": 1e21, "1": [{}]}}, "thoughtSignature": "t"}),
    chunk({"functionCall": {"name": "g", "willContinue": True}}),
    chunk({"functionCall": {"partialArgs": [arg("$.a[0].b", stringValue="x", willContinue=True)], "willContinue": True}}),
    chunk({"functionCall": {"partialArgs": [arg("$.a[0].b", stringValue="y"), arg("$.a[1]", nullValue=None)]}}),
    chunk({"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {"outcome": "O", "output": "2"}}),
    chunk({"inlineData": {"mimeType": "image/png", "data": "aQ=="}}, {"text": "b"}),
    {"candidates": [{"finishReason": "STOP"}, {"content": {"parts": [{"text": "c"}]}, "finishReason": "OTHER"}]},
    {"usageMetadata": USAGE},
]
BLOCKED: list[dict[str, Any]] = [{"promptFeedback": {"blockReason": "SAFETY"}}]


def agrees(final: list[dict[str, Any]], sent: list[dict[str, Any]] = CHUNKS) -> bool:
    decoder = Decoder("gemini-generateContent-json-array")
    parts = [part.as_json() for part in (*decoder.feed(json.dumps(sent).encode()), *decoder.close())]
    # The subject's parts are another process's in general: plain JSON.
    parts = json.loads(json.dumps(parts))
    expected, actual = native.project("genai.array", parts, {"end": "ok", "final": {"chunks": final}})
    return canonical(expected) == canonical(actual)


def test_the_same_answer() -> None:
    assert agrees(CHUNKS)
    assert agrees(BLOCKED, BLOCKED)
    assert not agrees([], BLOCKED)


def _changes() -> list[list[dict[str, Any]]]:
    """The chunks with one string, number or object changed at a time, where the change is one that should show."""
    found: list[list[dict[str, Any]]] = []
    ignored = ("willContinue", "language", "outcome", "nullValue", "thought")

    def walk(value: Any, *path: Any) -> None:
        if isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                if key not in ignored:
                    walk(item, *path, key)
            return
        changed: Any = copy.deepcopy(CHUNKS)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = "$.z" if path[-1] == "jsonPath" else f"{value}!" if isinstance(value, str) else value + 1.5e21
        found.append(changed)

    walk(CHUNKS)
    return found


@pytest.mark.parametrize("chunks", _changes())
def test_any_difference_shows(chunks: list[dict[str, Any]]) -> None:
    assert not agrees(chunks)


def test_a_place_that_is_not_there_is_a_difference() -> None:
    odd = copy.deepcopy(CHUNKS)
    odd[3]["candidates"][0]["content"]["parts"][0]["functionCall"]["partialArgs"][0]["jsonPath"] = "$.a[7].b"
    assert not agrees(odd)


def test_arguments_that_are_no_json() -> None:
    assert not agrees([chunk({"functionCall": {"name": "f"}}, finishReason="STOP")], [
        chunk({"functionCall": {"name": "f", "args": "{"}}, finishReason="STOP")
    ])  # fmt: skip


@pytest.mark.parametrize("dialect", ["gemini-generateContent", "gemini-generateContent-json-array"])
def test_several_candidates_are_for_the_native_sdk_alone(dialect: str) -> None:
    def body(index: int) -> bytes:
        chunks = [{"usageMetadata": {}}, {"candidates": None}, {"candidates": [{"index": index}]}]
        if dialect.endswith("array"):
            return json.dumps(chunks).encode()
        return b"".join(b"data: %b\r\n\r\n" % json.dumps(one).encode() for one in chunks)

    for index, kinds in ((0, {"trace", "final"}), (1, {"final"})):
        case = Case("x", dialect, body(index))
        assert {reference.kind for reference in references_for(case)} - {"frames"} == kinds
        assert has_several_candidates(case.body) == (index > 0)
