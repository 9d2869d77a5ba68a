"""Certificates: each piece catches what only it can catch, the numbers are exact, and what is proven is true.

The wire format is that of ``test_proof``: one event a line; the line ``END`` is the finish.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import proof, windows
from harness.case import Case
from harness.chunking import Chunking, chunk_chunking, parse_plan
from harness.findings import Certificate
from harness.proof import prove, run, walk
from harness.rules import cut_is_legal
from harness.structure import cuts_by_kind, interesting_cuts, thinned
from harness.subjects import PartJson

BODY = b"ab\ncd\nEND\n#"
"""11 bytes; events end after 3, 6 and 10 of them, and structural cuts are there too."""


class Lines:
    """Correct, with snapshots."""

    def __init__(self) -> None:
        self.buffer = b""
        self.at = 0

    def feed(self, chunk: bytes) -> list[PartJson]:
        *lines, self.buffer = (self.buffer + chunk).split(b"\n")
        self.at += len(chunk)
        return [{"type": "text-delta", "id": "0", "delta": line.decode()} for line in lines]

    def close(self) -> list[PartJson]:
        return [{"type": "text-end", "id": "0"}]

    def snapshot(self) -> Any:
        return self.buffer, self.at

    def restore(self, snapshot: Any) -> None:
        self.buffer, self.at = snapshot


class Trips(Lines):
    """Says one thing too much on a chunk that is exactly ``body[start:end]``."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self.window = (start, end)

    def feed(self, chunk: bytes) -> list[PartJson]:
        start = self.at
        parts = super().feed(chunk)
        return [*parts, {"type": "raw"}] if (start, self.at) == self.window else parts


class Late(Lines):
    """Gives the event after whose end a chunk ends only with the next chunk: in the end every chunking gives the same."""

    held: tuple[PartJson, ...] = ()

    def feed(self, chunk: bytes) -> list[PartJson]:
        parts = [*self.held, *super().feed(chunk)]
        self.held = (parts.pop(),) if len(chunk) > 1 and chunk.endswith(b"\n") else ()
        return parts

    def close(self) -> list[PartJson]:
        return [*self.held, *super().close()]

    def snapshot(self) -> Any:
        return super().snapshot(), self.held

    def restore(self, snapshot: Any) -> None:
        inner, self.held = snapshot
        super().restore(inner)


class Tires(Lines):
    """Loses one event after 40 chunks, which its snapshot does not count."""

    fed = 0

    def feed(self, chunk: bytes) -> list[PartJson]:
        self.fed += 1
        parts = super().feed(chunk)
        if self.fed > 40 and parts:
            self.fed = -10_000
            return parts[1:]
        return parts


class Marks(Lines):
    """Correct in all it says, but a chunk that is exactly ``body[start:end]`` leaves a mark in the state."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self.window = (start, end)
        self.marked = False

    def feed(self, chunk: bytes) -> list[PartJson]:
        start = self.at
        parts = super().feed(chunk)
        self.marked = self.marked or (start, self.at) == self.window
        return parts

    def snapshot(self) -> Any:
        return super().snapshot(), self.marked

    def restore(self, snapshot: Any) -> None:
        inner, self.marked = snapshot
        super().restore(inner)


class Sulks(Marks):
    """Says at the end, and nowhere else, that it was fed that chunk; its state knows nothing of it."""

    def close(self) -> list[PartJson]:
        return [*super().close(), *[{"type": "raw"}] * self.marked]

    def snapshot(self) -> Any:
        return Lines.snapshot(self)

    def restore(self, snapshot: Any) -> None:
        Lines.restore(self, snapshot)
        self.marked = False


def certified(kind: Callable[[], Any], body: bytes = BODY, plan: str = "certificate:2") -> proof.Outcome:
    return prove(parse_plan(plan), Case("d/c", "d", body), kind, walk(kind(), body), cut_is_legal)


def by_brute_force(kind: Callable[[], Any], body: bytes) -> list[Chunking]:
    """The chunkings, of all 2^(N-1), that do not give what single bytes give."""
    size = len(body)
    expected = run(kind(), body, Chunking("bytes", tuple(range(1, size)), size))
    every = (cuts for count in range(size) for cuts in combinations(range(1, size), count))
    return [found for cuts in every if run(kind(), body, found := Chunking("x", cuts, size)) != expected]


# -- numbers --------------------------------------------------------------------------------------------------------


def test_the_numbers_of_a_certificate() -> None:
    found = certified(Lines, plan="certificate:3")

    # Windows: 11 + 10 + 9. Of those between the cuts 3, 6 and 10 two are wider than 3 bytes: 3-10 and 6-10.
    assert found.certificate == Certificate(
        11, widest=3, windows=30, prefixes=11, suffixes=10, structural=2, structural_cuts=3, structural_cuts_found=3
    )
    assert (found.chunkings, found.splits, found.comparisons, found.sampled) == (53, 53, 53, False)
    assert found.certificate.statement == (
        "all chunkings with chunks <= 3 bytes (30 windows), every two-way split (11 prefixes, 10 suffixes), "
        "2 windows between 3 structural cuts"
    )
    assert (found.certificate.proven_all, found.certificate.every_split) == (False, True)


@pytest.mark.parametrize("plan", ["certificate", "certificate:11", "certificate:500", "pairs", "windows:11"])
def test_a_short_body_is_proven_in_all_its_chunkings(plan: str) -> None:
    found = certified(Lines, plan=plan).certificate

    assert found is not None
    assert (found.windows, found.prefixes, found.suffixes, found.structural) == (66, 0, 0, 0)
    assert (found.proven_all, found.every_split) == (True, True)
    assert found.statement == "all 2^10 chunkings (66 windows)"


def test_windows_alone_do_not_speak_of_splits() -> None:
    found = certified(Lines, plan="windows:3").certificate

    assert found is not None
    assert found.statement == "all chunkings with chunks <= 3 bytes (30 windows)"
    assert (found.proven_all, found.every_split) == (False, False)


def test_the_plan_certificate_takes_windows_of_64_bytes_beyond_1024(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "PAIRS_UP_TO", 80)
    at_most, more = BODY + b"#" * 69, BODY + b"#" * 70

    short, long = (
        certified(Lines, at_most, "certificate").certificate,
        certified(Lines, more, "certificate").certificate,
    )

    assert short is not None
    assert long is not None
    assert (short.proven_all, short.windows) == (True, 80 * 81 // 2)
    assert (long.proven_all, long.widest, long.windows, long.prefixes) == (False, 64, 64 * 81 - 64 * 63 // 2, 81)


def test_a_long_body_gets_some_of_its_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "FED_AT_MOST", 11 * 4)

    found = certified(Lines).certificate

    assert found is not None
    assert (found.prefixes, found.suffixes, found.every_split) == (5, 4, False)
    assert "some of 10 two-way splits (5 prefixes, 4 suffixes)" in found.statement


def test_the_empty_body_has_one_chunking() -> None:
    found = certified(Lines, b"", "certificate")

    assert found.certificate == Certificate(0)
    assert found.certificate.statement == "all 2^0 chunkings (0 windows)"
    assert found.chunkings == 0


def test_without_snapshots_it_is_sampled_and_says_so() -> None:
    class Bare:
        def __init__(self) -> None:
            session = Lines()
            self.feed, self.close = session.feed, session.close

    found = certified(Bare)

    assert found.certificate == Certificate(11, sampled=True)
    assert (found.sampled, found.chunkings, found.broken) == (True, 200, None)
    assert found.certificate.statement.startswith("sampled: the subject has no snapshots")
    assert (found.certificate.proven_all, found.certificate.every_split) == (False, False)


# -- what is caught ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "caught"),
    [
        (1, 3, True),  # two bytes
        (0, 9, True),  # a prefix
        (1, 11, True),  # a suffix
        (3, 10, True),  # between two structural cuts
        (3, 9, False),  # one of its ends is none
        (2, 6, False),
        (1, 4, False),  # three bytes
    ],
)
def test_each_piece_catches_its_windows_and_names_them(start: int, end: int, caught: bool) -> None:
    found = certified(partial(Trips, start, end))

    if caught:
        assert found.broken is not None
        assert found.broken[0] == chunk_chunking(start, end, 11)
        assert {"type": "raw"} in found.broken[1]
        assert found.certificate is None
    else:
        assert found.broken is None
    # Nothing is hidden from the proof of all chunkings.
    everything = certified(partial(Trips, start, end), plan="certificate")
    assert everything.broken is not None
    assert everything.broken[0] == chunk_chunking(start, end, 11)


@pytest.mark.parametrize(("start", "end"), [(2, 4), (0, 5), (4, 11), (0, 11), (3, 10)])
def test_a_state_that_is_left_behind_fails_though_no_part_ever_differs(start: int, end: int) -> None:
    found = certified(partial(Marks, start, end))

    assert found.broken is not None
    assert found.broken[0] == chunk_chunking(start, end, len(BODY))
    assert found.broken[1] == walk(Lines(), BODY).parts
    assert not by_brute_force(partial(Marks, start, end), BODY)


def test_the_end_of_a_suffix_is_compared_too() -> None:
    found = certified(partial(Sulks, 4, 11))

    assert found.broken is not None
    assert found.broken[0] == chunk_chunking(4, 11, len(BODY))
    assert found.broken[1][-1] == {"type": "raw"}


def test_a_part_that_comes_late_fails_though_every_chunking_gives_the_same_in_the_end() -> None:
    assert by_brute_force(Late, BODY) == []
    assert certified(Late).broken is not None


def test_what_the_snapshot_leaves_out_is_told_from_what_the_chunk_did() -> None:
    found = certified(Tires, plan="windows:11")

    assert found.broken is not None
    assert "the snapshot does not hold the whole state" in found.complaint
    assert found.broken[0].name.startswith("every ")


@given(
    body=st.lists(st.sampled_from([b"a", b"\n", b"\xc3\xa9"]), max_size=8)
    .map(b"".join)
    .filter(lambda body: len(body) <= 12),
    window=st.tuples(st.integers(0, 11), st.integers(1, 12)).filter(lambda pair: pair[0] < pair[1]),
    widest=st.integers(1, 12),
)
def test_a_certificate_says_what_brute_force_says(body: bytes, window: tuple[int, int], widest: int) -> None:
    kind = partial(Trips, *window)
    wrong = by_brute_force(kind, body)

    assert (certified(kind, body, "certificate").broken is None) == (not wrong)
    found = certified(kind, body, f"certificate:{widest}")
    if found.broken is None:
        # Whatever is left wrong has a chunk that is no window of the certificate.
        cuts = set(interesting_cuts(body))
        for chunking in wrong:
            edges = (0, *chunking.cuts, len(body))
            assert any(
                end - start > widest and start > 0 and end < len(body) and not {start, end} <= cuts
                for start, end in pairwise(edges)
            )


def test_a_correct_subject_has_no_wrong_chunking_at_all() -> None:
    assert by_brute_force(Lines, BODY) == []


# -- structural cuts ----------------------------------------------------------------------------------------------------


def test_structural_cuts_by_kind() -> None:
    body = b'a\r\nb\n"\\n\\u00e9"' + "\u00e9\U0001f600".encode()

    assert cuts_by_kind(body) == {
        "CR": [2],
        "LF": [3, 5],
        "UTF-8": [16, 18, 19, 20],
        "escape": [7, 9, 10, 11, 12, 13],
    }
    assert cuts_by_kind(b"plain") == {}


def test_the_edges_of_aws_messages() -> None:
    from harness.record.eventstream import event

    body = event("x", b"{}") + event("y", b"{}")
    first = len(event("x", b"{}"))

    cuts = cuts_by_kind(body)["message"]

    assert {4, 8, 12, first - 4, first, first + 4, first + 8, first + 12, len(body) - 4} <= set(cuts)
    assert cuts_by_kind(body[:8] + b"\0\0\0\0" + body[12:]).get("message", []) == []


def test_interesting_cuts_begin_with_one_of_each_kind() -> None:
    body = b"x\n" * 50 + '"é\\n"'.encode()

    order = interesting_cuts(body)

    assert order[:3] == [2, 102, 104]
    assert sorted(order) == sorted(set(order))
    assert set(order) == {*range(2, 101, 2), 102, 104}


def test_thinning_keeps_the_first_ones_and_spreads_the_rest() -> None:
    assert thinned([3, 1, 2], 3) == [1, 2, 3]
    few = thinned(range(100), 10, [99, 98])
    assert {98, 99} <= set(few)
    assert len(few) <= 10
    assert few == sorted(few)
