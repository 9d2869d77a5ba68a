"""Rows J3 and J4: calls between text, in any order; what only looks like a call starts none."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import anthropic_wire as wire
from .wire import DONE, call, decode, finish, text, tools

LOOKS_LIKE_CALLS: list[Any] = [
    {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}]},
    {"function": {"name": "g", "arguments": "{}"}, "type": "function"},
    {"text": '{"tool_calls":[{"index":1,"id":"y","function":{"name":"h","arguments":"{}"}}]}'},
    {"choices": [{"delta": {"tool_calls": []}, "finish_reason": "tool_calls"}], "data": "[DONE]"},
    {"deep": {"arguments": {"arguments": '{"arguments":"{}"}'}}},
    {"type": "content_block_start", "content_block": {"type": "tool_use", "id": "z", "name": "f"}},
]


def said_and_called(decoded: Any) -> tuple[str, list[tuple[str, str, str]]]:
    called = [(block.id, block.name, block.arguments) for block in decoded.message.tool_calls]
    assert all(block.executable for block in decoded.message.tool_calls)
    assert decoded.message.complete
    return decoded.message.text, called


def cut(body: bytes, at: list[int]) -> list[bytes]:
    ends = sorted({0, len(body), *(offset % (len(body) + 1) for offset in at)})
    return [body[start:end] for start, end in pairwise(ends)]


def pieces_of(written: str, size: int) -> list[str]:
    return [written[at : at + size] for at in range(0, len(written), size)]


arguments = st.dictionaries(st.text(max_size=3), st.none() | st.integers(0, 9) | st.text(max_size=5), max_size=3) | st.sampled_from(
    LOOKS_LIKE_CALLS
)
scripts = st.lists(st.text("ab\u00e9\U0001f600 {}", min_size=1, max_size=6) | arguments, min_size=1, max_size=6)


@given(scripts, st.integers(1, 9), st.lists(st.integers(0, 10**6), max_size=8), st.booleans())
def test_text_call_text_call_in_chat_completions(script: list[Any], size: int, cuts: list[int], interleave: bool) -> None:
    """What streams is what the whole answer says, in whichever order text and the pieces of calls come."""
    events: list[bytes] = []
    later: list[list[bytes]] = []
    expected_text, expected_calls = "", []
    for item in script:
        if isinstance(item, str):
            events.append(text(item))
            expected_text += item
            continue
        index = len(expected_calls)
        written = json.dumps(item)
        expected_calls.append((f"c{index}", f"f{index}", written))
        events.append(tools(call(index, f"c{index}", f"f{index}", "")))
        rest = [tools(call(index, args=piece)) for piece in pieces_of(written, size)]
        if interleave:
            later.append(rest)
        else:
            events += rest
    while any(later):
        events += [rest.pop(0) for rest in later if rest]
    body = b"".join([*events, finish("tool_calls" if expected_calls else "stop"), DONE])

    for chunks in ([body], [body[at : at + 1] for at in range(len(body))], cut(body, cuts)):
        assert said_and_called(decode(chunks)) == (expected_text, expected_calls)


@given(scripts, st.integers(1, 9), st.lists(st.integers(0, 10**6), max_size=8))
def test_text_call_text_call_in_messages(script: list[Any], size: int, cuts: list[int]) -> None:
    events: list[Any] = [wire.message_start()]
    expected_text, expected_calls = "", []
    for index, item in enumerate(script):
        if isinstance(item, str):
            events += [wire.text_start(index), wire.text(index, item), wire.stop(index)]
            expected_text += item
            continue
        written = json.dumps(item)
        expected_calls.append((f"c{index}", "f", written))
        events.append(wire.call_start(index, id=f"c{index}"))
        events += [wire.arguments(index, piece) for piece in pieces_of(written, size)]
        events.append(wire.stop(index))
    events += [wire.message_delta("tool_use" if expected_calls else "end_turn"), {"type": "message_stop"}]
    body = wire.sse(*events)

    for chunks in ([body], [body[at : at + 1] for at in range(len(body))], cut(body, cuts)):
        assert said_and_called(decode(chunks, "anthropic-messages")) == (expected_text, expected_calls)


@pytest.mark.parametrize("inner", LOOKS_LIKE_CALLS)
@pytest.mark.parametrize("dialect", ["openai-chat", "openai-compatible"])
def test_text_that_looks_like_a_call_is_text(inner: Any, dialect: str) -> None:
    written = json.dumps(inner)
    body = b"".join([*(text(piece) for piece in pieces_of(written, 5)), finish("stop"), DONE])
    for chunks in ([body], [body[at : at + 1] for at in range(len(body))], cut(body, [17, 99, 230])):
        assert said_and_called(decode(chunks, dialect)) == (written, [])


def test_calls_that_touch_are_two() -> None:
    """Nothing stands between them, neither on the wire nor in a delta; the second begins where the first one's text ends."""
    calls = [call(0, "a", "f", '{"x":{}}'), call(1, "b", "g", '{"y":[{}]}')]
    for events in ([tools(*calls)], [tools(calls[0]), tools(calls[1])], [tools(calls[0], call(1, "b", "g", "")), tools(call(1, args='{"y":[{}]}'))]):
        body = b"".join([*events, finish("tool_calls"), DONE])
        for chunks in ([body], [body[at : at + 1] for at in range(len(body))], cut(body, [40, 150])):
            assert said_and_called(decode(chunks))[1] == [("a", "f", '{"x":{}}'), ("b", "g", '{"y":[{}]}')]
