"""What an event mentions beside what it is about costs no more than itself, where it does not fit.

Anthropic's and Gemini's events of that kind have files of their own: test_anthropic_unknown.py, test_gemini_details.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder
from streamcore.dialects.schema import Mismatch, Schema, apart_from, array, number, open_tagged, optional, shape, string

from . import bedrock_wire as bedrock
from . import interactions_wire as interactions
from .wire import decode_every_way, ended, i_delta, i_start, t_delta, t_end, t_start

_DETAILS = (("a", "b"), ("a",), ("list", "*", "c"))
_CHECKED: Schema = shape(
    {
        "a": optional(shape({"b": optional(number), "d": optional(string)})),
        "list": optional(array(shape({"c": optional(number), "d": optional(number)}))),
        "must": number,
    }
)


@pytest.mark.parametrize(
    ("value", "left", "why"),
    [
        ({"must": 1}, {"must": 1}, ""),
        ({"must": 1, "a": {"b": "x", "d": "y"}}, {"must": 1, "a": {"d": "y"}}, "a: b: expected a number"),
        ({"must": 1, "a": {"d": 1}}, {"must": 1}, "a: d: expected a string"),
        ({"must": 1, "a": []}, {"must": 1}, "a: expected an object"),
        ({"must": 1, "a": {"b": "", "d": 1}}, {"must": 1}, "a: b: expected a number; a: d: expected a string"),
        (
            {"must": 1, "list": [{"c": 1}, {"c": "", "d": 2}]},
            {"must": 1, "list": [{}, {"d": 2}]},
            "list: c: expected a number",
        ),
    ],
)
def test_only_what_does_not_fit_is_left_out(value: Any, left: Any, why: str) -> None:
    """The value itself is not touched."""
    before = json.dumps(value)

    assert apart_from(_DETAILS, _CHECKED, value) == (left, why)
    assert json.dumps(value) == before


@pytest.mark.parametrize("value", [{}, {"must": 1, "list": [{"d": ""}]}, {"a": [], "must": ""}, None])
def test_what_an_event_is_about_has_to_fit(value: Any) -> None:
    """No detail stands in for it."""
    with pytest.raises(Mismatch):
        apart_from(_DETAILS, _CHECKED, value)


def test_objects_of_unknown_types_are_kept() -> None:
    """Those of known ones are checked; what has no type at all fits none."""
    check = open_tagged("type", {"known": shape({"a": number})})

    assert check({"type": "known", "a": 1, "new": 2}) == {"type": "known", "a": 1}
    assert check({"type": "new", "a": "x"}) == {"type": "new", "a": "x"}
    for value in ({"type": "known", "a": "x"}, {"type": 1}, {}, None):
        with pytest.raises(Mismatch):
            check(value)


def test_details_of_bedrock() -> None:
    """Usage and stop reason are read all the same; a strict reader is told."""
    frames = [
        bedrock.BEGIN,
        *bedrock.HI,
        bedrock.message_stop(additionalModelResponseFields="x"),
        bedrock.event_of("metadata", usage={"inputTokens": 7, "outputTokens": 5, "cacheDetails": 3}, serviceTier={}),
    ]
    found = bedrock.read(bedrock.CONVERSE, *frames)
    finish = found.parts[-1]

    assert (finish["type"], finish["finishReason"]["raw"]) == ("finish", "end_turn")
    assert (finish["usage"]["inputTokens"]["total"], finish["usage"]["outputTokens"]["total"]) == (7, 5)
    assert found.codes == ["unreadable_detail", "unreadable_detail"]
    assert bedrock.read(bedrock.CONVERSE, *frames, policy="strict").parts[-1]["type"] == "error"


def test_members_of_a_union_may_be_null() -> None:
    """A writer that leaves nothing out says null for those members of a delta that are not set."""
    none = dict.fromkeys(("toolUse", "reasoningContent", "toolResult", "citation", "image"))
    nothing = dict.fromkeys(("signature", "redactedContent"))
    found = bedrock.converse(
        bedrock.delta(0, reasoningContent={"text": "r", **nothing}, text=None),
        bedrock.stop(0),
        bedrock.delta(1, **{**none, "text": "x"}),
        bedrock.stop(1),
        bedrock.call_start(2),
        bedrock.delta(2, **{**none, "text": None, "toolUse": {"input": '{"a":1}'}}),
        bedrock.stop(2),
        reason="tool_use",
    )

    assert found.parts[1:-1] == [
        bedrock.r_start("0"), bedrock.r_delta("r"), bedrock.r_end("0"),
        t_start("1"), t_delta("x", "1"), t_end("1"),
        i_start(), i_delta('{"a":1}'), *ended('{"a":1}'),
    ]  # fmt: skip
    assert found.codes == []


def test_details_of_an_interaction() -> None:
    """An interaction is complete whatever its usage says."""
    body = interactions.body(
        interactions.CREATED,
        *interactions.step("model_output", {"type": "text", "text": "x"}),
        interactions.completed(usage={"total_tokens": "7"}, service_tier=1),
    )
    found = decode_every_way(body, interactions.NAME)

    assert found.parts[-1] == interactions.fin("stop", "completed")
    assert found.codes == ["unreadable_detail"]


def test_details_of_a_line_of_ollama() -> None:
    """Servers that speak Ollama's API give other times and figures than Ollama; text, calls and the end are read."""
    message = {"role": "assistant", "content": "x"}
    lines: list[Any] = [
        {"model": "m", "created_at": 1755183188, "message": message, "done": False},
        {"model": None, "created_at": "", "message": message, "done": False},
        {"model": "m", "done": True, "done_reason": "stop", "total_duration": "1.5s", "eval_count": 5},
    ]
    found = decode_every_way(b"".join(json.dumps(line).encode() + b"\n" for line in lines), "ollama-ndjson")

    assert found.message.text == "xx"
    assert found.parts[-1]["finishReason"] == {"unified": "stop", "raw": "stop"}
    assert found.parts[-1]["usage"]["outputTokens"]["total"] == 5
    assert found.codes == ["unreadable_detail", "unreadable_detail"]
    strict = Decoder("ollama-ndjson", policy="strict")
    assert strict.feed(json.dumps(lines[0]).encode() + b"\n")[-1].as_json()["type"] == "error"
