"""What of a ledger the report draws: the same characters and bytes, bounded, and always the place where a sum breaks."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.case import Case
from harness.findings import CallLanes
from harness.lanes import AROUND, EDGE, LAST_FRAGMENTS, MAX_FRAGMENTS, MAX_LANES, MAX_TEXT, lanes_of
from harness.ledger import ledger
from harness.proof import walk
from harness.subjects.core import CoreSession
from harness.verdict import CaseResult

from .checkout import REPOSITORY, case_called
from .exhibits import call
from .lane_runs import INTERLEAVED, LONG, WEATHER, calling, drawn, even, many, stream, written_anew


def _lanes(result: CaseResult) -> CallLanes:
    assert result.lanes is not None
    return result.lanes


@pytest.mark.parametrize("size", [1, 7, 100, len(INTERLEAVED)])
def test_a_lane_is_one_call_in_order_of_arrival(size: int) -> None:
    found = _lanes(drawn(INTERLEAVED, size=size))

    assert [(lane.call, lane.tool, lane.characters, lane.located, lane.count) for lane in found.lanes] == [
        ("a", "f", 7, 7, 2),
        ("b", "g", 7, 7, 2),
    ]
    first, second = found.lanes
    assert [(one.text, one.first, one.ordinal, one.frame) for one in first.fragments] == [
        ('{"x":', 0, 0, 2),
        ("1}", 5, 1, 4),
    ]
    assert [one.frame for one in second.fragments] == [3, 5]
    for one in (*first.fragments, *second.fragments):
        assert json.loads(b'"%b"' % INTERLEAVED[one.start : one.end]) == one.text
        assert one.chunk == (one.end - 1) // size
    assert (found.more, found.fault, [lane.check for lane in found.lanes]) == (0, "", [0, 1])


@pytest.mark.parametrize(
    "name", ["openai-chat/tool", "anthropic-messages/parallel-tools", "bedrock-invoke-with-response-stream/tool"]
)
def test_the_wire_says_what_the_body_says(name: str) -> None:
    recorded = case_called(REPOSITORY, name)
    for chunks in (recorded.chunks, even(recorded.body, 5)):
        replayed = dataclasses.replace(recorded, chunks=chunks)
        walked = walk(CoreSession(replayed.dialect), replayed.body)
        account = ledger(replayed, walked)
        found = lanes_of(account, account.fault(), walked.parts)
        assert found is not None
        end = 0
        for piece in found.wire:
            assert end <= piece.start < piece.end
            end = piece.end
            assert piece.text.encode("utf-8", "surrogateescape") == replayed.body[piece.start : piece.end]
            assert piece.frame is not None
            low, high = account.frame_ends[piece.frame : piece.frame + 2]
            assert low <= piece.start < piece.end <= high
        edges = {piece.start for piece in found.wire} & {piece.end for piece in found.wire} | {0}
        for one in (one for lane in found.lanes for one in lane.fragments):
            assert one.start in edges, "a fragment begins where a piece of the wire does"


def test_bytes_that_are_no_utf8_and_characters_at_the_edges() -> None:
    body = INTERLEAVED.replace(b'"model": "m"', b'"model": "' + "\u20ac\U0001f600".encode() * 9 + b'\xff"')
    for size in (1, 50):
        pieces = _lanes(drawn(body, size=size)).wire
        assert any("\udcff" in piece.text for piece in pieces)
        assert {char for piece in pieces for char in piece.text if "\udc80" <= char <= "\udcff"} == {"\udcff"}


def test_everything_is_bounded_and_says_so() -> None:
    for size in (100, 4096):
        found = _lanes(drawn(many(12, 30), size=size))
        assert (len(found.lanes), found.more) == (MAX_LANES, 4)
        assert sum(len(lane.fragments) for lane in found.lanes) == MAX_FRAGMENTS
        for lane in found.lanes:
            assert lane.count == 31
            assert [one.ordinal for one in lane.fragments] == [0, 1, 2, 3, 31 - LAST_FRAGMENTS, 30]
        shown = sum(piece.end - piece.start for piece in found.wire)
        assert shown <= MAX_FRAGMENTS * 2 * (AROUND + EDGE)
        one = _lanes(drawn(stream(call(0, LONG, "f", "a")), size=size))
        (fragment,) = one.lanes[0].fragments
        assert (fragment.text, fragment.length) == (LONG[:MAX_TEXT], len(LONG))
        assert sum(piece.end - piece.start for piece in one.wire) <= 2 * (AROUND + EDGE)


def test_a_short_call_leaves_its_share_to_a_long_one() -> None:
    body = stream(call(0, "{}", "f", "a"), call(1, "[", "g", "b"), *(call(1, str(at % 10)) for at in range(60)))
    for size in (1000, 1):
        short, long = _lanes(drawn(body, size=size)).lanes
        assert (len(short.fragments), len(long.fragments)) == (1, MAX_FRAGMENTS - 1)


@pytest.mark.parametrize("wrong", [0, 15, 200, 340, 371])
def test_the_fragment_at_which_the_sum_breaks_is_always_there(wrong: int) -> None:
    for size in (100, 999):
        result = drawn(many(12, 30), size=size, wrong=[wrong])
        found = _lanes(result)
        assert [each.against for each in result.differences] == ["argument-ledger"]
        assert found.fault == result.differences[0].note
        assert len(found.lanes) == MAX_LANES
        assert sum(len(lane.fragments) for lane in found.lanes) == MAX_FRAGMENTS
        (lane,) = (lane for lane in found.lanes if lane.broken is not None)
        assert lane.call == f"c{wrong // 31}"
        assert lane.broken == wrong % 31
        (fragment,) = (one for one in lane.fragments if one.ordinal == lane.broken)
        assert fragment.text.endswith("~")
        near = {one.ordinal for one in lane.fragments}
        assert {max(lane.broken - 1, 0), min(lane.broken + 1, 30)} <= near


def test_calls_without_arguments_and_bodies_without_calls() -> None:
    for size in (1, 64):
        cut = stream(call(0, "", "f", "a"), end=False)
        found = _lanes(drawn(cut, size=size))
        assert [(lane.tool, lane.count, lane.fragments, lane.check) for lane in found.lanes] == [("f", 0, (), None)]
        assert found.wire == ()
        text = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
        assert drawn(text, size=size).lanes is None


def test_what_is_charged_to_a_frame_says_so() -> None:
    result = written_anew()
    (lane,) = _lanes(result).lanes
    (fragment,) = lane.fragments
    assert (lane.characters, lane.located, fragment.how, fragment.frame, fragment.chunk) == (7, 0, "frame", 0, None)


def test_calls_of_one_id_in_two_choices_have_checks_of_their_own() -> None:
    events = []
    for choice, text in enumerate(('{"x":1}', "{}")):
        delta = {"tool_calls": [call(0, text, "f", "a")]}
        events.append({"choices": [{"index": choice, "delta": delta, "finish_reason": "tool_calls"}]})
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    for size in (9, 90):
        result = drawn(body, size=size)
        lanes = _lanes(result).lanes
        checks = [result.calls[lane.check].verdict.value for lane in lanes if lane.check is not None]
        assert [lane.choice for lane in lanes] == [0, 1]
        assert checks == ["valid", "not-the-schema"]


def test_the_same_body_gives_the_same_lanes() -> None:
    assert calling() == calling()
    replayed = Case("openai-chat/x", "openai-chat", INTERLEAVED, request={"body": WEATHER})
    walked = walk(CoreSession("openai-chat"), INTERLEAVED)
    account = ledger(replayed, walked)
    assert lanes_of(account, None, walked.parts) == lanes_of(account, None, list(walked.parts))
