"""Plans: every chunking covers its body, has a name that gives it back, and cuts where the plan says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.case import Case
from harness.chunking import PLAN_SETS, Chunking, Plan, PlanError, parse_plan, parse_plans, random_cuts, structural_cuts

LISTED = ("whole", "bytes", "recorded", "structural", "every-split", "cut-at-every-byte", "every:3", "random:5")
"""Plans that are lists of chunkings; the others are proofs."""


def case_of(body: bytes, chunks: tuple[int, ...] = ()) -> Case:
    return Case("d/c", "d", body, chunks)


def chunkings(name: str, body: bytes, chunks: tuple[int, ...] = ()) -> list[Chunking]:
    return list(parse_plan(name).chunkings(case_of(body, chunks)))


def pieces(name: str, body: bytes, chunks: tuple[int, ...] = ()) -> list[list[bytes]]:
    return [list(chunking.chunks(body)) for chunking in chunkings(name, body, chunks)]


@st.composite
def recordings(draw: st.DrawFn) -> tuple[bytes, tuple[int, ...]]:
    chunks = draw(st.lists(st.binary(max_size=30), max_size=8))
    return b"".join(chunks), tuple(map(len, chunks))


@pytest.mark.parametrize("name", LISTED)
@settings(max_examples=50)
@given(recording=recordings())
def test_every_chunking_covers_what_it_feeds_with_no_empty_chunk(
    name: str, recording: tuple[bytes, tuple[int, ...]]
) -> None:
    body, lengths = recording
    for chunking in chunkings(name, body, lengths):
        chunks = list(chunking.chunks(body))
        assert b"".join(chunks) == body[: chunking.end]
        assert b"" not in chunks
        assert len(chunks) == (len(chunking.cuts) + 1 if chunking.end else 0)
        assert list(chunking.cuts) == sorted(set(chunking.cuts))
        if name != "cut-at-every-byte":
            assert chunking.end == len(body)


@pytest.mark.parametrize("name", [*LISTED, "split@4", "cut@4"])
@settings(max_examples=50)
@given(recording=recordings())
def test_a_chunkings_name_gives_the_same_chunking_again(name: str, recording: tuple[bytes, tuple[int, ...]]) -> None:
    body, lengths = recording
    for chunking in chunkings(name, body, lengths):
        assert chunkings(chunking.name, body, lengths) == [chunking]


def test_what_each_plan_makes_of_seven_bytes() -> None:
    body = b"abcdefg"

    assert pieces("whole", body) == [[b"abcdefg"]]
    assert pieces("bytes", body) == [[b"a", b"b", b"c", b"d", b"e", b"f", b"g"]]
    assert pieces("every:3", body) == [[b"abc", b"def", b"g"]]
    assert pieces("every:7", body) == pieces("every:100", body) == [[b"abcdefg"]]
    assert pieces("recorded", body, (2, 4, 1)) == [[b"ab", b"cdef", b"g"]]
    assert pieces("split@2", body) == [[b"ab", b"cdefg"]]
    assert pieces("cut@2", body) == [[b"ab"]]
    assert pieces("every-split", b"abc") == [[b"a", b"bc"], [b"ab", b"c"]]
    assert pieces("cut-at-every-byte", b"abc") == [[], [b"a"], [b"ab"]]
    assert [chunking.name for chunking in chunkings("every-split", b"abc")] == ["split@1", "split@2"]
    assert [chunking.name for chunking in chunkings("cut-at-every-byte", b"abc")] == ["cut@0", "cut@1", "cut@2"]


def test_recorded_needs_a_recording_with_more_than_one_chunk() -> None:
    assert chunkings("recorded", b"abc") == []
    assert chunkings("recorded", b"abc", (3,)) == []
    assert chunkings("recorded", b"abc", (0, 1, 0, 2, 0)) == [Chunking("recorded", (1,), 3)]


@pytest.mark.parametrize("name", ["split@0", "split@3", "split@99", "cut@3", "cut@99"])
def test_a_cut_outside_the_body_is_no_chunking(name: str) -> None:
    assert chunkings(name, b"abc") == []


def test_the_empty_body() -> None:
    assert pieces("whole", b"") == pieces("bytes", b"") == pieces("every:2", b"") == pieces("random:1", b"") == [[]]
    assert pieces("every-split", b"") == pieces("cut-at-every-byte", b"") == pieces("structural", b"") == []


def test_random_cuts_depend_on_size_and_seed_alone() -> None:
    assert random_cuts(200, 1) == random_cuts(200, 1)
    assert random_cuts(200, 1) != random_cuts(200, 2)
    assert random_cuts(200, 1) != tuple(cut for cut in random_cuts(201, 1) if cut < 200)
    assert random_cuts(1, 0) == random_cuts(0, 0) == ()


def test_random_chunks_have_1_to_64_bytes_and_the_last_what_is_left() -> None:
    cuts = random_cuts(100_000, 7)
    lengths = [end - start for start, end in zip((0, *cuts), cuts, strict=False)]

    assert min(lengths) == 1
    assert 50 < max(lengths) <= 64
    assert sum(length <= 16 for length in lengths) > len(lengths) / 2
    assert 0 < 100_000 - cuts[-1] <= 64


def test_random_cuts_are_the_same_on_every_machine() -> None:
    # A name that is written into a report must mean the same cuts tomorrow: these were taken from the first release.
    assert random_cuts(60, 0) == RANDOM_60_0
    assert random_cuts(60, 3) == RANDOM_60_3


RANDOM_60_0 = (9, 23, 43, 48, 49, 57)
RANDOM_60_3 = (44, 58)


@pytest.mark.parametrize(
    ("body", "cuts"),
    [
        (b"ab\r\ncd", [2, 3, 4]),
        (b"ab\rcd", [2, 3]),
        (b"ab\n\ncd", [2, 3, 4]),
        (b'a"b', [1, 2]),
        (b"a\\nb", [1, 2]),
        (b"a{b}c", [1, 2, 3, 4]),
        (b"a[b]c", [1, 2, 3, 4]),
        (b"data:x", [4, 5]),
        ("aéb".encode(), [1, 2, 3]),
        ("a😀b".encode(), [1, 2, 3, 4, 5]),
        (b"\nab\n", [1, 3]),
        (b"plain text", []),
    ],
)
def test_structural_cuts_stand_beside_each_byte_that_means_something(body: bytes, cuts: list[int]) -> None:
    assert structural_cuts(body) == cuts
    assert pieces("structural", body) == [[body[:cut], body[cut:]] for cut in cuts]
    assert [chunking.name for chunking in chunkings("structural", body)] == [f"split@{cut}" for cut in cuts]


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("whole", Plan("whole", "whole", 0)),
        ("every:7", Plan("every:7", "every", 7)),
        ("random:0", Plan("random:0", "random", 0)),
        ("windows:64", Plan("windows:64", "windows", 64)),
        ("split@12", Plan("split@12", "split", 12)),
        ("split:12", Plan("split@12", "split", 12)),
        ("cut@0", Plan("cut@0", "cut", 0)),
        ("pairs", Plan("pairs", "pairs", 0)),
        ("certificate", Plan("certificate", "certificate", 0)),
        ("certificate:64", Plan("certificate:64", "certificate", 64)),
    ],
)
def test_a_plan_by_name(name: str, plan: Plan) -> None:
    assert parse_plan(name) == plan


@pytest.mark.parametrize(
    "name", ["", "Whole", "every", "every:", "every:0", "windows:0", "certificate:0", "every:-1", "every:x", "random@1", "bytes ", "all"]
)
def test_an_unknown_plan_names_those_that_exist(name: str) -> None:
    with pytest.raises(PlanError) as raised:
        parse_plan(name)

    assert str(raised.value) == (
        f"no plan is called {name!r}; there are whole, bytes, recorded, structural, every-split, cut-at-every-byte, pairs, "
        "certificate, every:K, random:SEED, windows:W, certificate:W, split@N, cuts@A,B, chunk@A-B, cut@N, faults:NAME, smoke, "
        "standard, exhaustive, faults"
    )


def test_lists_and_sets_of_plans_are_expanded_in_order_each_plan_once() -> None:
    names = [plan.name for plan in parse_plans("split@3, bytes,standard,bytes")]

    assert names[:3] == ["split@3", "bytes", "whole"]
    assert names[3:] == ["recorded", "every:7", *(f"random:{n}" for n in range(8)), "every-split", "cut-at-every-byte"]


def test_the_plan_sets_have_what_their_users_rely_on() -> None:
    sizes = {name: len(parse_plans(name)) for name in PLAN_SETS}

    assert sizes == {"smoke": 68, "standard": 14, "exhaustive": 73, "faults": 10}
    assert {"every-split", "cut-at-every-byte", "certificate"} <= set(PLAN_SETS["exhaustive"])
    assert not {"every-split", "cut-at-every-byte"} & set(PLAN_SETS["smoke"])


@pytest.mark.parametrize(("names", "message"), [(",", "an empty list of plans"), ("bytes,nope", "no plan is called 'nope'")])
def test_a_list_with_nothing_or_something_unknown(names: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        parse_plans(names)


@pytest.mark.parametrize("name", ["windows:4", "pairs", "certificate", "certificate:4"])
def test_a_proof_has_no_list_of_chunkings(name: str) -> None:
    with pytest.raises(PlanError, match=f"plan {name} is a proof"):
        chunkings(name, b"abc")
