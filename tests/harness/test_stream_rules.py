"""Rules about a stream as a whole: its order, its end, its reasons and its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .test_rules import CALL, START, TEXT, WHOLE, broken_whole, error, finish, part

if TYPE_CHECKING:
    from harness.subjects import PartJson


GIVEN, LONG, ENDED, CALLED = CALL[0], CALL[1:3], CALL[3], CALL[4]
RESULT = part("tool-result", toolCallId="a", toolName="f", result={})


@pytest.mark.parametrize(
    ("call", "wrong_at"),
    [
        ((GIVEN, *LONG, ENDED, CALLED), None),
        ((CALLED,), None),
        ((CALLED, RESULT, RESULT), None),
        ((GIVEN, ENDED), None),
        ((GIVEN, CALLED), 2),
        ((GIVEN, *LONG, CALLED, ENDED), 4),
        ((LONG[0],), 1),
        ((ENDED,), 1),
        ((GIVEN, ENDED, LONG[0]), 3),
        ((CALLED, CALLED), 2),
        ((RESULT, CALLED, RESULT), None),
        ((GIVEN, RESULT, ENDED, CALLED), None),
        ((CALLED, part("tool-call", toolCallId="a", toolName="f", input="{}", choice=1)), None),
    ],
)
def test_a_call_goes_through_its_states_once(call: tuple[PartJson, ...], wrong_at: int | None) -> None:
    found = [index for rule, index in broken_whole(START, *call, error()) if rule == "call-order"]

    assert found[:1] == ([] if wrong_at is None else [wrong_at])


def test_a_stream_begins_with_its_start_or_with_an_error() -> None:
    assert broken_whole(*WHOLE[1:]) == [("stream-start", 0)]
    assert broken_whole(finish()) == [("stream-start", 0)]
    assert broken_whole(error("provider", "open")) == []
    assert broken_whole(START, START, error()) == [("stream-start", 1)]


@pytest.mark.parametrize("end", ["complete", "cut"])
def test_a_stream_says_how_it_ended(end: str) -> None:
    assert broken_whole(end=end) == [("end-untold", 0)]
    assert broken_whole(START, *TEXT, end=end) == [("end-untold", 5)]
    assert broken_whole(START, *TEXT, finish(), end=end) == []
    assert broken_whole(START, error(), end=end) == []


def test_finish_reasons_are_the_unified_ones() -> None:
    for unified in ("stop", "length", "content-filter", "error", "other"):
        assert broken_whole(START, finish(unified)) == []
    for made_up in ("end_turn", "", "STOP"):
        assert broken_whole(START, finish(made_up)) == [("finish-reason", 1)]
    assert broken_whole(START, part("finish", finishReason=None, usage={})) == [("finish-reason", 1)]


def test_a_finish_with_calls_has_calls_or_says_why_not() -> None:
    lonely = (START, finish("tool-calls", "tool_calls"))

    assert broken_whole(*lonely, warnings=()) == [("finish-without-call", 1)]
    assert broken_whole(*lonely, warnings=("finish_without_call",)) == []
    assert broken_whole(*lonely) == []
    assert broken_whole(*WHOLE, warnings=()) == []


def test_an_error_of_the_provider_is_no_stop() -> None:
    failed = error("provider", "stream")

    assert broken_whole(START, *TEXT, failed, finish()) == [("error-then-stop", 6)]
    assert broken_whole(START, *TEXT, failed, finish("error", None)) == []
    assert broken_whole(START, *TEXT, error("malformed_json", "stream"), finish()) == []


@pytest.mark.parametrize("spelling", ["null", "None", "undefined"])
def test_a_name_that_spells_nothing_is_none(spelling: str) -> None:
    call = part("tool-call", toolCallId="a", toolName=spelling, input="{}")

    assert broken_whole(START, call, error()) == [("call-name", 1)]
    assert broken_whole(START, {**call, "toolName": "f", "toolCallId": spelling}, error()) == [("call-name", 1)]


def test_numbers_are_those_of_json() -> None:
    def counted(total: Any) -> PartJson:
        return {**finish(), "usage": {"inputTokens": {"total": total}, "outputTokens": {}}}

    assert broken_whole(START, counted(3)) == []
    assert broken_whole(START, counted(3.0)) == []
    assert broken_whole(START, counted(3.5)) == [("usage-count", 1)]
    assert broken_whole(START, {**finish(), "providerMetadata": {"x": [{"y": float("nan")}]}}) == [("finite", 1)]
    assert broken_whole(START, {**finish(), "providerMetadata": {"x": [{"y": 1.5}]}}) == []
