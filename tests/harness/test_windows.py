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
from harness.subjects.core import CoreSession, CoreSubject
from harness.subjects.remembering import Memory, NotRepeatableError, RememberingSession
from harness.windows import Windows
from streamcore import DIALECTS, Decoder
from streamcore.dialects.openai.chat import OpenAIChat

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


# -- frames from memory ---------------------------------------------------------------------------------------------------


def chunk(text: str) -> bytes:
    return b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % text.encode()


CHAT = Case("openai-chat/c", "openai-chat", chunk("one") + chunk("tw\u00f6") + chunk("\\n") + b"data: [DONE]\n\n")


def test_streamcore_is_certified_from_memory_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = partial(CoreSubject().open, CHAT)
    quick = Windows(CHAT.body, opened)
    assert quick.certify(20) is None
    monkeypatch.delattr(CoreSession, "for_proof")
    slow = Windows(CHAT.body, opened)
    assert slow.certify(20) is None

    assert slow.certificate.remembered == 0
    assert 0 < quick.certificate.remembered < quick.certificate.chunks
    figures = ("widest", "windows", "prefixes", "suffixes", "structural", "structural_cuts_found")
    assert [getattr(quick.certificate, name) for name in figures] == [
        getattr(slow.certificate, name) for name in figures
    ]
    assert quick.walked() == slow.walked()
    assert quick.certificate.statement.endswith(
        f"; {quick.certificate.remembered:,} of these chunks with the decoding of frames remembered"
    )


def test_memory_is_asked_twice_and_gives_what_a_decoder_gives() -> None:
    memory = Memory("openai-chat")
    session = CoreSubject().open(CHAT)
    assert isinstance(session, CoreSession)
    remembering = session.for_proof().remembering()
    expected = Decoder("openai-chat", assemble=False)

    for _ in range(2):
        start = remembering.snapshot()
        assert remembering.feed_parts(CHAT.body) == expected.feed(CHAT.body)
        assert remembering.close_parts() == expected.close()
        remembering.restore(start)
        expected = Decoder("openai-chat", assemble=False)

    assert remembering.memory.confirmed == 4
    assert memory.confirmed == 0


def test_a_remembering_session_tells_states_of_the_dialect_apart_behind_the_same_framing() -> None:
    def call(key: str) -> bytes:
        opened = f'{{"index":0,"id":"{key}","function":{{"name":"f","arguments":"{{"}}}}'
        return f'data: {{"id":"c","choices":[{{"index":0,"delta":{{"tool_calls":[{opened}]}}}}]}}\n\n'.encode()

    for step in (1, 7, 1000):
        memory, states = Memory("openai-chat"), []
        for body in (call("a"), call("b"), call("a")):
            session = RememberingSession(memory)
            for at in range(0, len(body), step):
                session.feed_parts(body[at : at + step])
            states.append((session, session.snapshot()))
        (one, at_one), (other, at_other), (again, _) = states
        assert at_one[0] == at_other[0]
        assert not one.is_at(at_other)
        assert not other.is_at(at_one)
        assert again.is_at(at_one)


def test_a_subclass_that_feeds_in_its_own_way_is_not_bypassed() -> None:
    class Loses(CoreSession):
        def feed(self, chunk: bytes) -> list[PartJson]:
            parts = super().feed(chunk)
            return parts[:-1] if len(chunk) > 40 else parts

    found = certified(partial(Loses, "openai-chat"), CHAT.body, "certificate:8")

    assert found.broken is not None
    assert found.broken[0].name.startswith("chunk@")


class Counts(OpenAIChat):
    """Its warnings depend on how many frames this very object has read, which is no state."""

    read = 0

    def frame(self, frame: Any, out: list[Any]) -> None:
        self.read += 1
        if self.read == 2:
            frame = (frame[0].replace(b"tw", b"TW"), *frame[1:])
        super().frame(frame, out)


class Fickle(OpenAIChat):
    """Says something else each time, whatever object is asked."""

    asked = 0

    def frame(self, frame: Any, out: list[Any]) -> None:
        Fickle.asked += 1
        super().frame((frame[0].replace(b"one", b"%d" % Fickle.asked), *frame[1:]), out)


class Peeks(OpenAIChat):
    """Looks at what the same chunk said before, and says less then."""

    def frame(self, frame: Any, out: list[Any]) -> None:
        before = len(out)
        super().frame(frame, out)
        if before > 2:
            del out[before:]


def test_a_dialect_that_depends_on_more_than_its_state_is_not_certified(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = partial(CoreSubject().open, CHAT)
    monkeypatch.setitem(DIALECTS, "openai-chat", Counts)
    found = Windows(CHAT.body, opened).certify(len(CHAT.body))
    assert found is not None

    monkeypatch.setitem(DIALECTS, "openai-chat", Fickle)
    with pytest.raises(NotRepeatableError, match="openai-chat says two things to one frame in one state"):
        Memory("openai-chat").learn(
            Memory("openai-chat").first, (b'{"choices":[{"delta":{"content":"one"}}]}', "", None, 9)
        )


def test_a_dialect_that_looks_at_the_rest_of_the_chunk_is_caught_on_real_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(DIALECTS, "openai-chat", Peeks)

    for widest in (16, 64, len(CHAT.body)):
        found = Windows(CHAT.body, partial(CoreSubject().open, CHAT)).certify(widest)
        assert found is not None
        assert found.chunking.name.startswith("chunk@")
