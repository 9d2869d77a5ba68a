"""The minimal failing cut: what is found is what fails, nothing smaller does, and it is named as the wire names it."""

from __future__ import annotations

from functools import partial
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.case import Case
from harness.chunking import Chunking, PlanError, cuts_chunking, parse_plan, parse_plans
from harness.evidence import Cause, told
from harness.findings import MinimalCut
from harness.minimal import MAX_RUNS, minimal_cut, other_parts, raised_by, raises
from harness.minimal.places import Places, Position
from harness.mutants.base import CORE
from harness.proof import run
from harness.subjects import PartJson

FACE = "\N{GRINNING FACE}".encode()
BODY = b'data: {"a":1}\r\n\r\n' + b": ping\n\n" + b'data: {"t":"x' + FACE + b'\\ud83d\\ude00\\n"}\n\ndata: [DONE]\n\n'
CASE = Case("sse/c", "sse", BODY)
AT = BODY.index(FACE)


class Wrong:
    """Says one more thing when ``defect`` says so of the chunks so far."""

    def __init__(self, defect: Any) -> None:
        self.defect = defect
        self.core = CORE.open(CASE)
        self.ends: list[int] = [0]

    def feed(self, chunk: bytes) -> list[PartJson]:
        self.ends.append(self.ends[-1] + len(chunk))
        return self.core.feed(chunk)

    def close(self) -> list[PartJson]:
        more: list[PartJson] = [{"type": "frame", "data": "?"}] if self.defect(self.ends) else []
        return self.core.close() + more


def search(defect: Any, start: str = "bytes", case: Case = CASE, **bounds: int) -> MinimalCut | None:
    """The minimal cut of a subject that is wrong when ``defect`` says so of the ends of its chunks."""
    expected = run(CORE.open(case), case.body, cuts_chunking((), len(case.body)))
    fails = other_parts(partial(Wrong, defect), case.body, expected)
    return minimal_cut(case, fails, next(parse_plan(start).chunkings(case)), **bounds)


@pytest.mark.parametrize("start", ["bytes", f"split@{AT + 1}", f"cuts@3,{AT + 1},{AT + 9}"])
def test_one_boundary_is_an_if_and_only_if_that_was_tried_for_all(start: str) -> None:
    found = search(lambda ends: AT + 1 in ends, start)

    assert found is not None
    assert found.plan == f"split@{AT + 1}"
    assert found.statement == (
        "fails if and only if a chunk ends between 0xF0 and 0x9F of U+1F600 GRINNING FACE in event 1"
    )
    assert (found.exact, found.bounded) == (True, False)
    assert (found.singles_tried, found.singles_failed) == (len(BODY) - 1, 1)
    (place,) = found.cuts
    assert (place.offset, place.event, place.position) == (AT + 1, 1, "inside a UTF-8 character")
    assert place.character == "U+1F600 GRINNING FACE"
    assert (place.before[-5:], place.after[:8]) == ("78 F0", "9F 98 80")
    assert (place.text_before, place.text_after) == ('{"t":"x\u27e8F0\u27e9', "\u27e89F\u27e9\u27e898\u27e9\u27e880\u27e9\\ud83")
    assert found.reproduce == f"streamparity check --case sse/c --plan split@{AT + 1}"


def test_a_kind_of_boundary_is_told_as_such_and_the_first_stands_for_all() -> None:
    inside = {AT + 1, AT + 2, AT + 3}
    found = search(lambda ends: not inside.isdisjoint(ends))

    assert found is not None
    assert (found.plan, found.exact, found.singles_failed) == (f"split@{AT + 1}", True, 3)
    assert found.statement.startswith("fails if and only if a chunk ends inside a UTF-8 character: 3 places, the first ")


def test_boundaries_without_anything_in_common_are_counted() -> None:
    bad = {2, 5, AT + 1, AT + 7}
    found = search(lambda ends: not bad.isdisjoint(ends))

    assert found is not None
    assert (found.plan, found.exact, found.singles_failed) == ("split@2", False, 4)
    tried = f"4 of {len(BODY) - 1} places that were tried"
    assert found.statement.startswith(f"fails when the body is cut in two at {tried}, the first inside a field name in event 0")


def test_a_word_that_must_come_in_one_chunk_is_quoted() -> None:
    """The places differ in kind, and lie side by side in one event."""
    word = b"data: [DONE]"
    at = BODY.index(word)
    found = search(lambda ends: any(at < end < at + len(word) for end in ends))

    assert found is not None
    assert (found.plan, found.exact, found.singles_failed) == (f"split@{at + 1}", True, len(word) - 1)
    where = f"inside the bytes {at} to {at + len(word) - 1}, which say 'data: [DONE]': 11 places"
    assert found.statement == f"fails if and only if a chunk ends {where}"
    assert found.cause == Cause.CUT_DONE


PAIR = BODY.index(b"\\ud83d")
PING = BODY.index(b": ping") + len(b": ping")
DONE = BODY.index(b"data: [DONE]")
OPEN = BODY.index(b'{"t"')


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        ({AT + 1, AT + 2, AT + 3}, told(Cause.CUT_CHARACTER, "U+1F600 GRINNING FACE")),
        ({14, 16}, told(Cause.CUT_CRLF)),
        ({PAIR + 1, PAIR + 6, PAIR + 8}, told(Cause.CUT_ESCAPE)),
        ({AT + 1, DONE + 2, DONE + 9}, f"{Cause.CUT_CHARACTER}: U+1F600 GRINNING FACE; and {Cause.CUT_DONE}"),
        ({len(BODY) - 1, DONE - 1}, told(Cause.CUT_BLANK_LINE)),
        ({2, 3}, told(Cause.CUT_FIELD)),
        ({PING - 3, PING - 1}, told(Cause.CUT_COMMENT)),
        ({AT - 1, AT + 1, PAIR + 12}, told(Cause.CUT_STRING)),
        ({OPEN + 1, OPEN + 2, OPEN + 3}, told(Cause.CUT_WORD, """'{"t"'""")),
        ({17, DONE}, told(Cause.CUT_BETWEEN)),
        ({2, 5, AT + 1, AT + 7}, told(Cause.CUTS, f"4 of {len(BODY) - 1} cuts that were tried fail")),
        ({at for at in range(1, len(BODY)) if BODY[at - 1 : at] != b"\n" and BODY[at : at + 1] not in b"\r\n"}, Cause.CUT_LINE),
        ({at for at in range(1, len(BODY)) if BODY[at - 2 : at] != b"\n\n" and BODY[at - 4 : at] != b"\r\n\r\n"}, Cause.CUT_FRAME),
        (set(range(1, len(BODY))), Cause.CUT_ANYWHERE),
    ],
)
def test_the_cause_rests_on_the_cuts_that_fail_and_on_those_that_pass(bad: set[int], cause: str) -> None:
    found = search(lambda ends: not bad.isdisjoint(ends[:-1]))

    assert found is not None
    assert found.singles_failed == len(bad)
    assert found.cause.partition(": ")[0] == cause.partition(": ")[0]
    assert found.cause == cause or ": " not in cause


def test_a_subject_that_fails_wherever_it_is_cut() -> None:
    found = search(lambda ends: len(ends) > 2)

    assert found is not None
    assert (found.plan, found.exact) == ("split@1", True)
    assert found.statement.startswith(f"fails wherever the body is cut: all of {len(BODY) - 1} single cuts, the first ")


def test_what_fails_uncut_needs_no_cut() -> None:
    found = search(lambda _: True)

    assert found is not None
    assert (found.plan, found.cuts, found.chunk) == ("whole", (), None)
    assert found.statement == "fails uncut: the whole body, given at once, is read wrong"
    assert found.cause == ""


def test_what_fails_only_in_a_big_chunk_is_narrowed_to_that_chunk() -> None:
    low, high = BODY.index(b"[DONE]"), BODY.index(b"[DONE]") + 6

    def holds(ends: list[int]) -> bool:
        return any(a <= low and high <= b for a, b in pairwise(ends))

    found = search(holds, "whole")

    assert found is not None
    assert (found.plan, found.chunk) == (f"chunk@{low}-{high}", (low, high))
    assert [place.offset for place in found.cuts] == [low, high]
    assert found.statement == f"fails uncut, not byte by byte: one chunk must hold bytes {low} to {high - 1} at once"


@settings(max_examples=40, deadline=None)
@given(needed=st.sets(st.integers(1, len(BODY) - 1), min_size=1, max_size=4), data=st.data())
def test_the_cuts_that_are_needed_are_found_and_no_others(needed: set[int], data: st.DataObject) -> None:
    others = data.draw(st.sets(st.integers(1, len(BODY) - 1)))
    start = cuts_chunking(sorted(needed | others), len(BODY))

    found = search(lambda ends: needed <= set(ends), start.name)

    assert found is not None
    assert [place.offset for place in found.cuts] == sorted(needed)
    assert found.plan == cuts_chunking(sorted(needed), len(BODY)).name
    assert found.runs <= MAX_RUNS


def test_two_cuts_are_drawn_together_around_the_smallest_chunk_that_fails() -> None:
    at = BODY.index(b"a", 10)

    def inner(ends: list[int]) -> bool:
        """One of the chunks but the first and the last holds that byte."""
        return any(10 < a <= at < b <= 60 for a, b in pairwise(ends[:-1]))

    found = search(inner, "every:4")

    assert found is not None
    assert (found.plan, found.chunk) == (f"cuts@{at},{at + 1}", (at, at + 1))
    assert found.singles_failed == 0
    assert found.statement.startswith("fails with 2 cuts, not with one: a chunk must end inside a field name in event 1")


def test_nothing_smaller_fails() -> None:
    needed = (7, AT + 2, len(BODY) - 3)
    found = search(lambda ends: set(needed) <= set(ends))

    assert found is not None
    cuts = tuple(place.offset for place in found.cuts)
    expected = run(CORE.open(CASE), BODY, cuts_chunking((), len(BODY)))
    fails = other_parts(partial(Wrong, lambda ends: set(needed) <= set(ends)), BODY, expected)
    assert fails(cuts_chunking(cuts, len(BODY)))
    for size in range(len(cuts)):
        assert not any(fails(cuts_chunking(fewer, len(BODY))) for fewer in combinations(cuts, size))


def test_a_body_that_is_cut_off_is_made_shorter() -> None:
    def fails(chunking: Chunking) -> bool:
        return 30 <= chunking.end < len(BODY)

    found = minimal_cut(CASE, fails, Chunking("cut@60", (), 60))

    assert found is not None
    assert (found.plan, [place.offset for place in found.cuts]) == ("cut@30", [30])
    assert found.statement.startswith("fails when the body ends ")
    assert found.reproduce.endswith("--plan cut@30,bytes")


def test_the_bound_is_kept_and_told() -> None:
    calls = []

    def defect(ends: list[int]) -> bool:
        calls.append(ends)
        return AT + 1 in ends

    found = search(defect, max_runs=20)

    assert found is not None
    assert found.runs == 20 == len(calls)
    assert (found.bounded, found.exact) == (True, False)
    assert found.plan == f"split@{AT + 1}"
    assert found.statement.endswith(f"(of {found.singles_tried} single cuts tried)")
    assert found.singles_tried < len(BODY) - 1


def test_every_cut_that_was_tried_is_kept() -> None:
    body = b"data: 1\n\n" * 500
    case = Case("sse/long", "sse", body)
    found = minimal_cut(case, lambda chunking: any(cut % 5 == 0 for cut in chunking.cuts), cuts_chunking((10,), len(body)))

    assert found is not None
    assert found.bounded
    assert len(found.tried) > 200
    assert sum(end - start for start, end in found.tried) == found.singles_tried
    assert sum(end - start for start, end in found.failing) == found.singles_failed
    assert all(end < start for (_, end), (start, _) in pairwise(found.tried)), "neighbours are one range"


def test_bytes_are_bounded_too() -> None:
    found = search(lambda ends: AT + 1 in ends, max_bytes=30 * len(BODY))

    assert found is not None
    assert (found.runs, found.bounded) == (30, True)


def test_what_does_not_fail_again_has_no_minimal_cut() -> None:
    assert search(lambda _: False) is None


def test_a_subject_that_raises_is_asked_where() -> None:
    class Raises(Wrong):
        def feed(self, chunk: bytes) -> list[PartJson]:
            chunk.decode()  # half a character is none
            return super().feed(chunk)

    opened = partial(Raises, lambda _: False)
    found = raised_by(CASE, opened, ())
    assert found is not None
    assert (found.plan, found.exact, found.singles_failed) == (f"split@{AT + 1}", True, 3)
    assert raised_by(CASE, partial(Wrong, lambda _: False), parse_plan("structural").chunkings(CASE)) is None
    assert raises(opened, BODY)(cuts_chunking((AT + 2,), len(BODY)))


def places_of(body: bytes, dialect: str) -> dict[int, Position]:
    places = Places(body, dialect)
    return {offset: places.position(offset) for offset in range(len(body) + 1)}


def test_places_of_an_event_stream() -> None:
    found = places_of(BODY, "openai-chat")

    def at(text: bytes, by: int) -> Position:
        return found[BODY.index(text) + by]

    assert found[0] is found[len(BODY)] is Position.EDGE
    assert (at(b"data", 2), at(b"data", 4), at(b"data", 5)) == (
        Position.FIELD_NAME, Position.FIELD_VALUE, Position.FIELD_VALUE,
    )  # fmt: skip
    assert at(b'{"a"', 0) is Position.FIELD_VALUE
    assert (at(b'{"a"', 1), at(b'{"a"', 2), at(b'":1', 1)) == (Position.TOKENS, Position.STRING, Position.TOKENS)
    assert (at(b"\r\n\r\n", 0), at(b"\r\n\r\n", 1), at(b"\r\n\r\n", 2)) == (
        Position.BEFORE_LINE_END, Position.CR_LF, Position.LINE_END,
    )  # fmt: skip
    assert at(b": ping", 0) is Position.FRAMES
    assert at(b": ping", 3) is Position.COMMENT
    assert at(FACE, 0) is Position.STRING
    assert [at(FACE, by) for by in (1, 2, 3)] == [Position.UTF8] * 3
    assert (at(b"\\ud83d", 3), at(b"\\ud83d", 6), at(b"\\n", 1)) == (
        Position.ESCAPE, Position.SURROGATES, Position.ESCAPE,
    )  # fmt: skip
    assert at(b"[DONE]", 3) is Position.DONE


def test_places_of_json_lines_and_of_an_array() -> None:
    lines = b'{"a":true}\n{"b":"c"}\n'
    found = places_of(lines, "ndjson")
    assert (found[6], found[10], found[11], found[16]) == (
        Position.WORD, Position.BEFORE_LINE_END, Position.FRAMES, Position.TOKENS,
    )  # fmt: skip
    array = b'[{"a":"bc"},\n {"d":12}]'
    found = places_of(array, "jsonarray")
    assert (found[8], found[11], found[array.index(b"12") + 1]) == (Position.STRING, Position.FRAMES, Position.WORD)


def test_places_of_an_aws_message() -> None:
    from harness.record.eventstream import message

    one = message({":event-type": "chunk"}, '{"t":"\N{GRINNING FACE}"}'.encode())
    body = one + one
    found = places_of(body, "eventstream")
    headers = int.from_bytes(one[4:8], "big")
    payload = 12 + headers
    assert [found[at] for at in (4, 8, 10, 12, 14, payload)] == [
        Position.LENGTHS, Position.PRELUDE_CRC, Position.INSIDE_PRELUDE_CRC, Position.HEADERS, Position.INSIDE_HEADERS,
        Position.PAYLOAD,
    ]  # fmt: skip
    assert found[payload + 2] is Position.STRING
    assert found[one.index(FACE) + 2] is Position.UTF8
    assert [found[len(one) - back] for back in (4, 2, 0)] == [
        Position.MESSAGE_CRC, Position.INSIDE_MESSAGE_CRC, Position.FRAMES,
    ]  # fmt: skip
    assert Places(body, "eventstream").event(len(one) + 5) == 1


@given(st.binary(max_size=80), st.sampled_from(["sse", "eventstream", "ndjson", "jsonarray", "unheard-of"]))
def test_any_bytes_have_places(body: bytes, dialect: str) -> None:
    places = Places(body, dialect)
    for offset in range(len(body) + 1):
        place = places.at(offset)
        assert place.offset == offset
        assert place.before == body[max(0, offset - 8) : offset].hex(" ").upper()
        assert place.text_after.encode().decode() == place.text_after


def test_plans_that_name_their_cuts() -> None:
    plans = parse_plans(f"cuts@9,3,3,bytes,chunk@2-5,cuts@4,split@7,cuts@{len(BODY)}")

    assert [plan.name for plan in plans] == ["cuts@3,9", "bytes", "chunk@2-5", "split@4", "split@7", f"split@{len(BODY)}"]
    made = [list(plan.chunkings(CASE)) for plan in plans]
    assert made[0] == [Chunking("cuts@3,9", (3, 9), len(BODY))]
    assert [len(chunk) for chunk in made[2][0].chunks(BODY)] == [1, 1, 3, *[1] * (len(BODY) - 5)]
    assert made[3] == [Chunking("split@4", (4,), len(BODY))]
    assert made[5] == []
    for wrong in ("cuts@", "cuts@0", "chunk@5-2", "chunk@3", "chunk@3-3"):
        with pytest.raises(PlanError, match="no plan is called"):
            parse_plans(wrong)
