"""The proof: what each plan catches, on small subjects whose defects are known, with exact counts.

The wire format here is one event a line; the line ``END`` is the finish, and a rest without a line end says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.case import Case
from harness.chunking import Chunking, chunk_chunking, parse_plan
from harness.proof import SAMPLES, Outcome, prove, run, states, walk
from harness.rules import cut_is_legal
from harness.subjects import PartJson, SnapshotSession

BODY = b"ab\ncd\nEND\n#"
"""11 bytes; events end after 3, 6 and 10 of them."""
STOP = {"unified": "stop", "raw": "END"}
WHOLE: list[PartJson] = [
    {"type": "text-delta", "id": "0", "delta": "ab"},
    {"type": "text-delta", "id": "0", "delta": "cd"},
    {"type": "finish", "finishReason": STOP},
]
INCOMPLETE: PartJson = {"type": "error", "kind": "incomplete_stream", "stage": "close"}


class Plain:
    """Correct, without snapshots."""

    def __init__(self) -> None:
        self.buffer = b""
        self.ended = False

    def feed(self, chunk: bytes) -> list[PartJson]:
        *lines, self.buffer = (self.buffer + chunk).split(b"\n")
        return [self.event(line) for line in lines]

    def event(self, line: bytes) -> PartJson:
        if line == b"END":
            self.ended = True
            return {"type": "finish", "finishReason": STOP}
        return {"type": "text-delta", "id": "0", "delta": line.decode()}

    def close(self) -> list[PartJson]:
        return [] if self.ended else [INCOMPLETE]


class Saved(Plain):
    """Correct, with snapshots."""

    def snapshot(self) -> Any:
        return self.buffer, self.ended

    def restore(self, snapshot: Any) -> None:
        self.buffer, self.ended = snapshot


class LosesLast(Saved):
    """Loses the event after whose end a chunk ends, if the chunk has more than that end."""

    def feed(self, chunk: bytes) -> list[PartJson]:
        parts = super().feed(chunk)
        return parts[:-1] if len(chunk) > 1 and chunk.endswith(b"\n") else parts


class CountsChunks(Saved):
    """Gives the right parts, but its state tells how often it was fed."""

    fed = 0

    def feed(self, chunk: bytes) -> list[PartJson]:
        self.fed += 1
        return super().feed(chunk)

    def snapshot(self) -> Any:
        return super().snapshot(), self.fed

    def restore(self, snapshot: Any) -> None:
        inner, self.fed = snapshot
        super().restore(inner)


class Completes(Saved):
    """Takes a stream that ends after some text for a complete one."""

    said = False

    def event(self, line: bytes) -> PartJson:
        self.said = True
        return super().event(line)

    def close(self) -> list[PartJson]:
        invented: PartJson = {"type": "finish", "finishReason": {"unified": "other", "raw": None}}
        return [invented] if self.said and not self.ended else super().close()

    def snapshot(self) -> Any:
        return super().snapshot(), self.said

    def restore(self, snapshot: Any) -> None:
        inner, self.said = snapshot
        super().restore(inner)


class LosesMiddle(Saved):
    """Loses an event in a chunk that begins and ends within lines, which neither of two chunks does."""

    def feed(self, chunk: bytes) -> list[PartJson]:
        begins_within = bool(self.buffer)
        parts = super().feed(chunk)
        return parts[1:] if begins_within and self.buffer not in (b"", b"#") and len(chunk) > 1 else parts


class Late(Saved):
    """Gives the event after whose end a chunk ends only with the next chunk."""

    held: tuple[PartJson, ...] = ()

    def feed(self, chunk: bytes) -> list[PartJson]:
        parts = [*self.held, *super().feed(chunk)]
        late = len(chunk) > 1 and chunk.endswith(b"\n") and bool(parts)
        self.held = (parts.pop(),) if late else ()
        return parts

    def close(self) -> list[PartJson]:
        return [*self.held, *super().close()]

    def snapshot(self) -> Any:
        return super().snapshot(), self.held

    def restore(self, snapshot: Any) -> None:
        inner, self.held = snapshot
        super().restore(inner)


def without_snapshots(kind: Callable[[], Plain]) -> Callable[[], Any]:
    """The same sessions, with nothing but ``feed`` and ``close``."""

    class Bare:
        def __init__(self) -> None:
            session = kind()
            self.feed, self.close = session.feed, session.close

    return Bare


def proved(name: str, kind: Callable[[], Any], body: bytes = BODY, chunks: tuple[int, ...] = ()) -> Outcome:
    """Without the certificate, of which there are tests of its own."""
    case = Case("d/c", "d", body, chunks)
    return replace(prove(parse_plan(name), case, kind, walk(kind(), body), cut_is_legal), certificate=None)


def outcome(chunkings: int, splits: int, comparisons: int, *, sampled: bool = False) -> Outcome:
    return Outcome(chunkings, splits, comparisons, sampled)


def test_the_walk_knows_when_each_part_came_out() -> None:
    walked = walk(Saved(), BODY)

    assert walked.parts == WHOLE
    assert walked.counts == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    assert walked.emitted_at() == [(3, None), (6, None), (10, None)]
    assert (walked.frames, walked.has_snapshots) == ([], True)
    assert walk(without_snapshots(Saved)(), BODY).has_snapshots is False


def test_the_walk_of_a_session_that_counts_frames_and_closes_with_a_part() -> None:
    class Counting(Plain):
        frames = 0

        def event(self, line: bytes) -> PartJson:
            self.frames += 1
            return super().event(line)

    walked = walk(Counting(), b"ab\n\ncd")

    assert walked.parts == [WHOLE[0], {"type": "text-delta", "id": "0", "delta": ""}, INCOMPLETE]
    assert walked.frames == [1, 2]
    assert walked.emitted_at() == [(3, 0), (4, 1), (6, None)]


def test_states_are_one_more_than_bytes_and_not_changed_by_what_follows() -> None:
    assert list(states(Saved(), b"ab\nc")) == [
        (b"", False),
        (b"a", False),
        (b"ab", False),
        (b"", False),
        (b"c", False),
    ]


def test_run_feeds_the_chunks_and_closes() -> None:
    assert run(Plain(), BODY, Chunking("x", (4, 5), 11)) == WHOLE
    assert run(Plain(), BODY, Chunking("x", (1,), 5)) == [WHOLE[0], INCOMPLETE]


def test_the_snapshot_protocol_is_told_by_its_methods() -> None:
    assert isinstance(Saved(), SnapshotSession)
    assert not isinstance(Plain(), SnapshotSession)


# (plan, with snapshots, without): chunkings, splits, comparisons. A two-way split with snapshots compares twice, after
# the first chunk and at the end; windows of W bytes from N states are W * N less the corner at the end.
CORRECT = [
    ("whole", (1, 0, 1), (1, 0, 1)),
    ("bytes", (1, 10, 1), (1, 10, 1)),
    ("every:4", (1, 2, 1), (1, 2, 1)),
    ("recorded", (1, 2, 1), (1, 2, 1)),
    ("structural", (6, 6, 6), (6, 6, 6)),
    ("every-split", (10, 10, 20), (10, 10, 10)),
    ("cut-at-every-byte", (11, 0, 11), (11, 0, 11)),
    ("split@4", (1, 1, 1), (1, 1, 1)),
    ("cut@4", (1, 0, 1), (1, 0, 1)),
]


@pytest.mark.parametrize(("plan", "with_snapshots", "without"), CORRECT, ids=[name for name, *_ in CORRECT])
def test_a_correct_subject_passes_with_exact_counts(
    plan: str, with_snapshots: tuple[int, int, int], without: tuple[int, int, int]
) -> None:
    assert proved(plan, Saved, chunks=(3, 3, 5)) == outcome(*with_snapshots)
    assert proved(plan, Plain, chunks=(3, 3, 5)) == outcome(*without)


@pytest.mark.parametrize(
    ("plan", "windows"),
    [("windows:1", 11), ("windows:2", 21), ("windows:3", 30), ("windows:11", 66), ("windows:500", 66), ("pairs", 66)],
)
def test_windows_and_pairs_count_every_pair_of_states(plan: str, windows: int) -> None:
    assert proved(plan, Saved) == outcome(windows, windows, windows)


@pytest.mark.parametrize("plan", ["windows:2", "pairs"])
def test_windows_need_snapshots(plan: str) -> None:
    assert proved(plan, Plain) == outcome(0, 0, 0, sampled=True)


def test_pairs_end_at_1024_bytes() -> None:
    assert proved("pairs", Saved, b"a" * 1025) == outcome(0, 0, 0)
    assert proved("windows:1", Saved, b"a" * 1025) == outcome(1025, 1025, 1025)


def test_a_plan_with_nothing_to_run_for_the_body() -> None:
    assert proved("recorded", Saved) == proved("split@99", Plain) == outcome(0, 0, 0)


@pytest.mark.parametrize("plan", ["every-split", "windows:2", "pairs", "cut-at-every-byte"])
def test_the_empty_body_has_nothing_to_cut(plan: str) -> None:
    assert proved(plan, Saved, b"") == outcome(0, 0, 0)


def test_a_long_plan_is_thinned_out_without_snapshots_and_says_so() -> None:
    exactly = BODY + b"#" * (SAMPLES + 1 - len(BODY))
    longer = exactly + b"#" * 100

    assert proved("every-split", Plain, exactly) == outcome(200, 200, 200, sampled=False)
    assert proved("every-split", Plain, longer) == outcome(200, 200, 200, sampled=True)
    assert proved("cut-at-every-byte", Plain, exactly) == outcome(200, 0, 200, sampled=True)
    assert proved("every-split", Saved, longer) == outcome(300, 300, 600, sampled=False)
    assert proved("cut-at-every-byte", Saved, longer) == outcome(301, 0, 301, sampled=False)


def test_samples_begin_with_the_first_and_end_with_the_last_chunking() -> None:
    class WrongAtTheEnd(Plain):
        def feed(self, chunk: bytes) -> list[PartJson]:
            return [] if len(chunk) == 310 and chunk.startswith(BODY) else super().feed(chunk)

    found = proved("every-split", WrongAtTheEnd, BODY + b"#" * 300)

    assert (found.chunkings, found.sampled) == (200, True)
    assert found.broken is not None
    assert found.broken[0] == Chunking("split@310", (310,), 311)


@pytest.mark.parametrize("snapshots", [True, False])
def test_a_lost_event_is_caught_at_the_first_cut_behind_one(snapshots: bool) -> None:
    kind = LosesLast if snapshots else without_snapshots(LosesLast)

    found = proved("every-split", kind)

    assert found.broken == (Chunking("split@3", (3,), 11), WHOLE[1:])
    assert (found.chunkings, found.splits, found.comparisons) == ((3, 3, 6) if snapshots else (3, 3, 3))
    assert (found.sampled, found.complaint) == (False, "")


def test_a_lost_event_is_caught_by_other_plans_by_name() -> None:
    assert proved("recorded", LosesLast, chunks=(3, 3, 5)).broken == (Chunking("recorded", (3, 6), 11), WHOLE[2:])
    assert proved("structural", LosesLast).broken == (Chunking("split@3", (3,), 11), WHOLE[1:])
    assert proved("every:3", LosesLast).broken == (Chunking("every:3", (3, 6, 9), 11), WHOLE[2:])
    assert proved("every:4", LosesLast).broken is None
    assert proved("windows:1", LosesLast).broken is None
    # Tried are the 11 of one byte, and then 0-2, 2-4 and 4-6, the first that ends with a line and is longer than its end.
    windows = proved("windows:2", LosesLast)
    assert windows.broken == (chunk_chunking(4, 6, 11), [WHOLE[0], WHOLE[2]])
    assert windows.chunkings == 14


def test_another_state_is_caught_though_the_parts_are_equal() -> None:
    assert proved("every-split", CountsChunks) == outcome(10, 10, 20)
    assert proved("windows:1", CountsChunks) == outcome(11, 11, 11)

    found = proved("windows:2", CountsChunks)

    assert found.broken == (chunk_chunking(0, 2, 11), WHOLE)
    assert (found.chunkings, found.splits, found.comparisons) == (12, 12, 12)


def test_parts_that_come_late_are_caught_where_there_are_snapshots() -> None:
    found = proved("every-split", Late)

    assert found.broken == (Chunking("split@3", (3,), 11), WHOLE)
    assert proved("every-split", without_snapshots(Late)) == outcome(10, 10, 10)


@pytest.mark.parametrize("snapshots", [True, False])
def test_a_cut_stream_that_is_completed_is_caught_at_the_first_cut_after_some_text(snapshots: bool) -> None:
    kind = Completes if snapshots else without_snapshots(Completes)

    found = proved("cut-at-every-byte", kind)

    invented = {"type": "finish", "finishReason": {"unified": "other", "raw": None}}
    assert found.broken == (Chunking("cut@3", (), 3), [WHOLE[0], invented])
    assert (found.chunkings, found.splits, found.comparisons, found.sampled) == (4, 0, 4, False)
    assert found.complaint.startswith("the body was cut and finishes with {'unified': 'other', 'raw': None}")
    assert proved("cut@2", kind) == outcome(1, 0, 1)
    assert proved("cut@5", kind).complaint == found.complaint


@pytest.mark.parametrize("plan", ["every-split", "windows:11", "pairs"])
def test_only_cutting_short_shows_what_closing_does(plan: str) -> None:
    assert proved(plan, Completes).broken is None


def test_two_way_splits_do_not_prove_three_way_splits() -> None:
    """The reason for windows and pairs: this subject is right for every cut into two, and wrong."""
    assert run(LosesMiddle(), BODY, Chunking("x", (1, 5), 11)) == WHOLE[1:]
    assert proved("every-split", LosesMiddle) == outcome(10, 10, 20)
    assert proved("every-split", without_snapshots(LosesMiddle)) == outcome(10, 10, 10)
    assert proved("cut-at-every-byte", LosesMiddle) == outcome(11, 0, 11)
    assert proved("windows:1", LosesMiddle) == outcome(11, 11, 11)

    windows, pairs = proved("windows:2", LosesMiddle), proved("pairs", LosesMiddle)

    # Both try the 11 windows of one byte, and then 0-2 and 2-4: the narrowest that fails is the one that is named.
    assert windows.broken == pairs.broken == (chunk_chunking(2, 4, 11), WHOLE[1:])
    assert windows.chunkings == pairs.chunkings == 13
