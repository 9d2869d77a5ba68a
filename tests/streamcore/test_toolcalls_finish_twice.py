"""Row R3: a call ends exactly once, whatever says so and how often."""

from __future__ import annotations

import itertools

import pytest

from . import anthropic_wire as messages
from .wire import DONE, call, decode_every_way, finish, tools

CALLS = tools(call(0, "a", "f", '{"x":'), call(1, "b", "g", "{}")) + tools(call(0, args="1}"))
ENDS = {"reason": finish("tool_calls"), "stop": finish("stop"), "empty": tools(finish=""), "done": DONE}


@pytest.mark.parametrize("marks", list(itertools.product(ENDS, repeat=3)), ids="-".join)
def test_a_call_ends_once_whatever_says_so(marks: tuple[str, ...]) -> None:
    decoded = decode_every_way(CALLS + b"".join(ENDS[mark] for mark in marks))

    ended = [part.get("toolCallId", part.get("id")) for part in decoded.parts if part["type"] in ("tool-input-end", "tool-call")]
    if set(marks) == {"empty"}:
        assert ended == []
    else:
        assert ended == ["a", "a", "b", "b"]
        assert sum(part["type"] == "finish" for part in decoded.parts) == 1


@pytest.mark.parametrize("stops", [0, 1, 2])
def test_so_it_does_where_blocks_have_an_end_of_their_own(stops: int) -> None:
    body = messages.sse(
        messages.message_start(),
        messages.call_start(0, id="a"),
        messages.arguments(0, "{}"),
        *[messages.stop(0)] * stops,
        messages.message_delta("tool_use"),
        {"type": "message_stop"},
        {"type": "message_stop"},
    )
    decoded = decode_every_way(body, "anthropic-messages")

    assert [part["type"] for part in decoded.parts].count("tool-call") == 1
    assert [part["type"] for part in decoded.parts].count("tool-input-end") == 1
    assert [part["type"] for part in decoded.parts].count("finish") == 1
