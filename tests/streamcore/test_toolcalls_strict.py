"""Policy strict says which assumption was broken, in the words that rows A1 and A3 give; also for what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cassette import load

from .toolcall_vector import END
from .wire import ABSENT, call, chunkings, decode, decode_every_way, size, tools

CASSETTES = Path(__file__).parents[2] / "cassettes" / "openai-chat"
ITEM = "At the end of a 'tool_calls' item, "


@pytest.mark.parametrize(
    ("calls", "detail"),
    [
        ([call(1, "a", "f")], "First tool call index must be 0, got 1"),
        ([call(-1, "a", "f")], "First tool call index must be 0, got -1"),
        ([call(0.5, "a", "f")], "Tool call index must be an integer, got 0.5"),
        ([call(0, "a", "f"), call(0.5, args="{}")], "Tool call index must be an integer, got 0.5"),
        ([call(0, "a", "f"), call(-1, "b", "g")], "Tool call index cannot decrease, max seen is 0, got -1"),
        ([call(2**64, "a", "f")], "First tool call index must be 0, got 18446744073709551616"),
        ([call(0, "a", "f"), call(2**64, "b", "g")], f"Tool call index cannot skip values, max seen is 0, got {2**64}"),
        ([call(None, "a", "f"), call(1, "b", "g")], "First tool call index must be 0, got 1"),
        ([call(0, "a", "f"), call(1, "b", "g"), call(0)], "Tool call index cannot decrease, max seen is 1, got 0"),
        ([call(0, "a", "f"), call(2, "b", "g")], "Tool call index cannot skip values, max seen is 0, got 2"),
        ([call(0, "a", "f"), call(0, "a")], "ID is already given"),
        ([call(0, "a", "f"), call(0, "b", "g")], "ID is already given"),
        ([call(0, "a", "f"), call(0, name="f")], "Name is already given"),
        ([call(0, "a")], f"{ITEM}'name' should be already given"),
        ([call(0, name="f")], f"{ITEM}'id' should be already given"),
        ([call(0, args="{}")], f"{ITEM}both 'id' and 'name' should be already given"),
        ([call(None, "a", "f"), call(None, args="{}")], f"{ITEM}both 'id' and 'name' should be already given"),
        ([call(0, "a", "f"), call(None, "a")], "ID is already given"),
        ([call(0, "a", "f"), call(1, "a", "g")], "duplicate_id: two calls with the id 'a'; the second gets another"),
    ],
)
def test_strict_says_which_rule_was_broken(calls: list[Any], detail: str) -> None:
    """A1."""
    frames = [tools(one) for one in calls]
    decoded = decode_every_way(b"".join([*frames, *END]), policy="strict")

    assert decoded.message.error is not None
    assert decoded.message.error.detail == detail
    assert decoded.message.error.kind == "tool_call_protocol"
    assert decoded.message.error.offset == size(*frames)
    assert not any(c.complete for c in decoded.message.tool_calls)


def test_strict_reads_whole_calls_without_an_index() -> None:
    """A1: as long as no index came, an element is a whole call; and an index may still begin at 0."""
    calls = [call(None, "a", "f", "{}"), call(ABSENT, "b", "g"), call(0, "c", "h", "{"), call(None, args="}")]
    decoded = decode_every_way(tools(*calls[:2]) + tools(*calls[2:]) + b"".join(END), policy="strict")

    assert decoded.message.complete
    assert [(c.id, c.name, c.arguments) for c in decoded.message.tool_calls] == [
        ("a", "f", "{}"),
        ("b", "g", "{}"),
        ("c", "h", "{}"),
    ]


SITUATIONS: dict[str, tuple[str, list[tuple[str, str]], str]] = {
    # cassette: (what it shows, (name, arguments) of the calls that are complete, what is broken)
    "calls-without-index": (
        "whole calls",
        [("get_weather", '{"city":"Oulu"}'), ("get_time", '{"zone":"Europe/Helsinki"}')],
        "",
    ),
    "tool": ("one call in pieces", [("get_weather", '{"city":"Paris","unit":"celsius"}')], ""),
    "parallel-tools": (
        "calls in pieces, one after the other",
        [("get_weather", '{"city":"Oslo"}'), ("get_time", '{"zone":"Europe/Oslo"}'), ("get_weather", '{"city":"Lima"}')],
        "",
    ),
    "wh-091-id-repeated": ("an id that comes twice", [], "ID is already given"),
    "name-repeated": ("an id and a name that come twice", [], "ID is already given"),
    "interleaved-tools": (
        "an index that decreases",
        [],
        "Tool call index cannot decrease, max seen is 1, got 0",
    ),
    "wh-087-index-from-one": ("an index that begins at 1", [], "First tool call index must be 0, got 1"),
    "key-order": (
        "arguments before the name, and the index last, within an item",
        [("get_weather", '{"city":"Riga"}'), ("get_time", '{"zone":"Europe/Riga"}')],
        "",
    ),
    "arguments-first": ("arguments in an item before", [], f"{ITEM}both 'id' and 'name' should be already given"),
    "cut-after-id": ("an id without a name at the end", [], f"{ITEM}'name' should be already given"),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_recorded_situations(name: str) -> None:
    """A1: under every cutting."""
    _, complete, broken = SITUATIONS[name]
    [case] = load(CASSETTES / f"{name}.yaml").cases()
    for pieces in chunkings(case.body):
        message = decode(pieces, policy="strict").message
        assert [(one.name, one.arguments) for one in message.tool_calls if one.complete] == complete
        assert (message.error.detail if message.error else "") == broken
        assert message.complete is (not broken)
