"""What a stream comes to, as a fold over parts, and the patterns that it is held against."""

from __future__ import annotations

from typing import Any

import pytest

from harness.hazards.outcomes import DEFAULTS, OFFERED, Observed, fits, misfits, observe, shows
from harness.subjects import PartJson


def text(block: str, *deltas: str) -> list[PartJson]:
    middle = [{"type": "text-delta", "id": block, "delta": delta} for delta in deltas]
    return [{"type": "text-start", "id": block}, *middle, {"type": "text-end", "id": block}]


def call(call_id: str, name: str, *deltas: str, **more: Any) -> list[PartJson]:
    start = {"type": "tool-input-start", "id": call_id, "toolName": name}
    middle = [{"type": "tool-input-delta", "id": call_id, "delta": delta} for delta in deltas]
    whole = {"type": "tool-call", "toolCallId": call_id, "toolName": name, "input": "".join(deltas), **more}
    return [start, *middle, {"type": "tool-input-end", "id": call_id}, whole]


def finish(unified: str = "stop", raw: str | None = "stop", **more: Any) -> PartJson:
    return {"type": "finish", "finishReason": {"unified": unified, "raw": raw}, "usage": {}, **more}


def test_text_reasoning_and_blocks_in_their_order() -> None:
    parts = [
        {"type": "reasoning-start", "id": "r", "providerMetadata": {"x": {"signature": ""}}},
        {"type": "reasoning-delta", "id": "r", "delta": "Hm"},
        {"type": "reasoning-end", "id": "r", "providerMetadata": {"x": {"signature": "AB=="}}},
        *text("0", "a", "b"),
        *call("c", "f", '{"x":', "1}"),
        *text("0", "c"),
        finish("tool-calls", "tool_use", usage={"inputTokens": {"total": 3}, "outputTokens": {}}),
    ]
    for cut in range(len(parts) + 1):  # what came before the end of input is the message all the same
        seen = observe(parts[:cut], parts[cut:])
        assert (seen.text, seen.reasoning) == ("abc", "Hm")
        assert seen.blocks == ["reasoning", "text", "call", "text"]
        assert seen.calls == [{"id": "c", "name": "f", "arguments": '{"x":1}', "executable": True}]
        assert (seen.finish, seen.raw_finish, seen.usage) == ("tool-calls", "tool_use", {"input": 3})
        assert seen.signatures == ["AB==", ""][:1]
        assert seen.settled is (cut == len(parts))
        assert (seen.warnings, seen.frames) == (None, None)


@pytest.mark.parametrize(("cut", "late"), [(0, "abc"), (2, "bc"), (3, "c"), (4, "c"), (8, "")])
def test_late_text_is_what_came_with_the_end_of_input(cut: int, late: str) -> None:
    parts = [*text("0", "a", "b"), *text("1", "c"), finish()]

    assert observe(parts[:cut], parts[cut:]).late == late


def test_what_was_not_handed_out_or_is_marked_is_not_executable() -> None:
    start, *deltas, end, _ = call("a", "f", '{"x"', ":")
    cut = observe([start, *deltas, end], []).calls
    marked = observe(call("a", "f", '{"x"', invalid=True), []).calls
    theirs = observe(call("a", "f", "{}", providerExecuted=True), []).calls

    assert cut == [{"id": "a", "name": "f", "arguments": '{"x":', "executable": False}]
    assert (marked[0]["arguments"], marked[0]["executable"], theirs[0]["executable"]) == ('{"x"', False, False)


def test_a_call_that_was_handed_out_without_arguments_has_empty_ones() -> None:
    assert [one["arguments"] for one in observe([*call("a", "f"), *call("b", "g", " ")], []).calls] == ["{}", "{}"]
    assert observe(call("a", "f")[:2], []).calls[0]["arguments"] == ""


def test_calls_with_one_id() -> None:
    twice = observe([*call("a", "f", "{}"), *call("a", "f", "{}")], [])

    assert (len(twice.calls), twice.ids_differ) == (2, False)
    assert observe([*call("a", "f"), *call("b", "f")], []).ids_differ


def test_choices_are_apart() -> None:
    parts = [*text("0", "left"), *({**part, "choice": 1} for part in [*text("0", "right"), *call("c", "f", "{}")])]
    seen = observe([*parts, finish(), finish("length", choice=1)], [])

    assert (seen.text, seen.calls, seen.finish) == ("left", [], "stop")
    assert seen.choices["1"]["text"] == "right"
    assert [one["name"] for one in seen.choices["1"]["calls"]] == ["f"]


def test_halves_of_a_pair_are_joined_and_a_lone_one_is_told() -> None:
    assert observe(text("0", "\ud83d", "\ude00"), []).text == "\U0001f600"
    whole, lone = observe(text("0", "\ud83d", "\ude00"), []), observe(text("0", "\ud83d"), [])
    assert (whole.encodable, lone.encodable) == (True, False)
    assert not observe([*call("a", "f", "\udc00")], []).encodable


def test_the_first_error_counts() -> None:
    errors = [
        {"type": "error", "kind": "provider", "stage": "open", "payload": {"b": 1, "a": "\u00e9"}},
        {"type": "error", "kind": "incomplete_stream", "stage": "close"},
    ]
    seen = observe(errors[:1], errors[1:])

    assert (seen.error, seen.stage, seen.says) == ("provider", "open", '{"a":"\\u00e9","b":1}')
    assert seen.settled
    assert not observe([], errors).settled


def test_signatures_of_some_calls() -> None:
    signed = call("a", "f", "{}", providerMetadata={"google": {"thoughtSignature": "S="}})

    assert observe([*signed, *call("b", "g", "{}")], []).signatures == ["S=", ""]
    assert observe([*call("b", "g", "{}"), *call("c", "g", "{}")], []).signatures == []


def test_the_name_of_the_response() -> None:
    parts = [{"type": "response-metadata", "id": "", "modelId": "m"}, {"type": "response-metadata", "id": "r"}]

    assert observe(parts, []).response == {"id": "r", "model": "m"}


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (None, None, True),
        (None, "", False),
        (True, 1, False),
        (1, True, False),
        ("*", "a", True),
        ("*", "", False),
        ("*", None, False),
        ({"has": "b"}, "abc", True),
        ({"has": "d"}, "abc", False),
        ({"has": "d"}, None, False),
        ({"has": {"a": 1}}, [{"a": 2}, {"a": 1, "b": 0}], True),
        ({"lacks": "b"}, "abc", False),
        ({"lacks": {"a": 1}}, [{"a": 2}], True),
        ({"not": "a"}, "b", True),
        ({"not": None}, None, False),
        ({"not": {"count": 1}}, [1, 2], True),
        ({"count": 2}, [1, 2], True),
        ({"count": 2}, "ab", False),
        ({"has": "a", "lacks": "b"}, "ab", False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"b": 2}, False),
        ({}, {}, True),
        ({}, {"a": 1}, False),
        ([], [], True),
        (["*", {"a": 1}], ["x", {"a": 1}], True),
        (["*"], ["x", "y"], False),
        ([1], 1, False),
    ],
)
def test_patterns(pattern: Any, value: Any, expected: bool) -> None:
    assert fits(pattern, value) is expected


def test_an_exact_outcome_says_all_and_another_only_what_it_names() -> None:
    seen = observe([*text("0", "a"), *call("c", "f", "{}"), finish()], [], ["odd"], 3)

    assert misfits({}, seen, exact=False) == []
    assert misfits({}, seen, exact=True) == ["text", "calls", "finish", "warnings"]
    said = {"text": "a", "calls": [{"id": "*"}], "finish": "stop", "warnings": ["odd"], "frames": 3}
    assert misfits(said, seen, exact=True) == []
    assert misfits({**said, "frames": 4}, seen, exact=True) == ["frames"]


def test_what_a_subject_does_not_offer_is_not_held_against_it() -> None:
    seen = observe([], text("0", "a"), at_end=True)
    said = {"text": "a", "warnings": ["odd"], "frames": 7, "late": "", "settled": True}

    assert misfits(said, seen, exact=True) == []
    assert misfits(said, observe([], text("0", "a")), exact=True) == ["late", "settled"]
    for defect in ({"late": {"not": ""}}, {"warnings": {"lacks": "odd"}}, {"frames": {"not": 7}}):
        assert not shows(defect, seen)
        assert shows({"text": "a"}, seen)
    assert shows({"late": {"not": ""}, "text": "a"}, observe([], text("0", "a")))


def test_the_defaults_are_those_of_a_stream_that_says_nothing() -> None:
    nothing = observe([], [], [])
    assert misfits({}, nothing, exact=True) == []
    assert all(getattr(Observed(), name) == value for name, value in DEFAULTS.items() if name not in OFFERED)
