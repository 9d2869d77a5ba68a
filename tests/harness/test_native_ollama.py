"""What Ollama's own SDK and the unified parts have in common, and that a difference shows."""

from __future__ import annotations

from typing import Any

import pytest

from harness import native
from harness.canonical import canonical
from streamcore import Decoder

BODY = b"""\
{"message":{"role":"assistant","thinking":"so"},"done":false}
{"message":{"role":"assistant","content":"a"},"done":false}
{"message":{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}},{"function":{"name":"g"}}]},"done":false}
{"message":{"role":"assistant","content":"b"},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":4}
"""
CHUNKS: list[dict[str, Any]] = [
    {"message": {"thinking": "so"}},
    {"message": {"content": "a"}},
    {"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}, {"function": {"name": "g"}}]}},
    {"message": {"content": "b"}, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4},
]


def parts_of(body: bytes) -> list[dict[str, Any]]:
    decoder = Decoder("ollama-ndjson")
    return [part.as_json() for part in (*decoder.feed(body), *decoder.close())]


def agrees(chunks: list[dict[str, Any]], body: bytes = BODY) -> bool:
    expected, actual = native.project("ollama", parts_of(body), {"end": "ok", "final": {"chunks": chunks}})
    return canonical(expected) == canonical(actual)


def test_the_same_chat() -> None:
    assert agrees(CHUNKS)


def test_a_generation() -> None:
    body = b'{"response":"","thinking":"so"}\n{"response":"a"}\n{"response":"b","done":true,"done_reason":"length"}\n'
    chunks = [{"response": "", "thinking": "so"}, {"response": "a"}, {"response": "b", "done_reason": "length"}]
    assert agrees(chunks, body)


@pytest.mark.parametrize(
    ("at", "instead"),
    [
        (0, {"message": {"thinking": "no"}}),
        (1, {"message": {"content": "x"}}),
        (2, {"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}}),
        (2, {"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"x": 2}}}, {"function": {"name": "g"}}]}}),
        (3, {"message": {"content": "b"}, "done_reason": "length", "prompt_eval_count": 3, "eval_count": 4}),
        (3, {"message": {"content": "b"}, "done_reason": "stop", "prompt_eval_count": 3}),
    ],
)
def test_any_difference_shows(at: int, instead: dict[str, Any]) -> None:
    assert not agrees([*CHUNKS[:at], instead, *CHUNKS[at + 1 :]])


def test_no_chunk_at_all_is_not_the_same_as_a_failure() -> None:
    assert not agrees([])
    expected, actual = native.project("ollama", parts_of(b""), {"end": "error"})
    assert expected == actual == {"failed": True}
