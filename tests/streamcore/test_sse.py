"""The SSE framer, vector by vector; test_sse_spec.py holds it against the standard on generated streams."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from streamcore import ErrorKind, Limits
from streamcore.framing.sse import SseFrame, SseFramer

from .wire import chunkings

Frame = tuple[bytes, str, str | None]


@dataclass
class Framed:
    """All that a framer says about a body."""

    frames: list[SseFrame]
    residual: SseFrame | None
    framer: SseFramer

    @property
    def short(self) -> list[Frame]:
        """The frames without their offsets."""
        return [frame[:3] for frame in self.frames]


def run(pieces: list[bytes], limits: Limits | None = None) -> Framed:
    framer = SseFramer(limits)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return Framed(frames, framer.close(), framer)


def frame_every_way(body: bytes, limits: Limits | None = None) -> Framed:
    """The one outcome of all chunkings; the state after them is one, too."""
    expected = run([body], limits)
    for pieces in chunkings(body):
        found = run(pieces, limits)
        sizes = [len(piece) for piece in pieces]
        assert (found.frames, found.residual) == (expected.frames, expected.residual), sizes
        assert found.framer.snapshot() == expected.framer.snapshot(), sizes
    return expected


VECTORS: list[tuple[str, bytes, list[Frame]]] = [
    ("LF", b"data: a\n\ndata: b\n\n", [(b"a", "", None), (b"b", "", None)]),
    ("WH-008 CRLF", b"data: a\r\n\r\ndata: b\r\n\r\n", [(b"a", "", None), (b"b", "", None)]),
    ("WH-010 CR", b"data: a\r\rdata: b\r\r", [(b"a", "", None), (b"b", "", None)]),
    ("WH-007 CRLF inside a block", b"data: a\r\ndata: b\r\n\r\n", [(b"a\nb", "", None)]),
    ("WH-009 LF then CRLF", b"data: a\n\r\ndata: b\n\r\n", [(b"a", "", None), (b"b", "", None)]),
    ("CRLF then LF", b"data: a\r\n\ndata: b\r\n\n", [(b"a", "", None), (b"b", "", None)]),
    ("LF then CR", b"data: a\n\rdata: b\n\r", [(b"a", "", None), (b"b", "", None)]),
    ("CR then LF is one end", b"data: a\r\ndata: b\n\n", [(b"a\nb", "", None)]),
    ("CR CR LF", b"data: a\r\r\ndata: b\r\r\n", [(b"a", "", None), (b"b", "", None)]),
    ("WH-012 U+2028, U+2029, U+0085, VT, FF", "data: a\u2028\u2029\u0085\v\fb\n\n".encode(),
     [("a\u2028\u2029\u0085\v\fb".encode(), "", None)]),
    ("WH-005 BOM", b"\xef\xbb\xbfdata: a\n\n", [(b"a", "", None)]),
    ("two BOMs", b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [(b"b", "", None)]),
    ("BOM later on", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [(b"a", "", None)]),
    ("half a BOM", b"\xef\xbbdata: a\n\ndata: b\n\n", [(b"b", "", None)]),
    ("BOM alone before a blank line", b"\xef\xbb\xbf\n\ndata: a\n\n", [(b"a", "", None)]),
    ("WH-014 no space", b"data:a\n\n", [(b"a", "", None)]),
    ("two spaces", b"data:  a\n\n", [(b" a", "", None)]),
    ("a tab", b"data:\ta\n\n", [(b"\ta", "", None)]),
    ("a colon in the value", b"data: a: b:\n\n", [(b"a: b:", "", None)]),
    ("a space before the colon", b"data : a\n\n", []),
    ("a space before the name", b" data: a\n\n", []),
    ("capitals", b"DATA: a\n\n", []),
    ("WH-015 several data lines", b'data: {"a":\ndata: 1}\n\n', [(b'{"a":\n1}', "", None)]),
    ("WH-016 an empty data line first", b"data:\ndata:more\n\n", [(b"\nmore", "", None)]),
    ("empty data lines", b"data\ndata\n\n", [(b"\n", "", None)]),
    ("an empty data line last", b"data: a\ndata:\n\n", [(b"a\n", "", None)]),
    ("WH-022 empty data", b"data:\n\ndata\n\ndata: \n\n", [(b"", "", None)] * 3),
    ("WH-020 blocks without data", b"retry: 3\n\nid: 1\n\nevent: x\n\n\n\n: c\n\ndata: a\n\n", [(b"a", "", None)]),
    ("WH-017 comments", b": a\n\n:\ndata: a\n:b\ndata: b\n: c\n\n", [(b"a\nb", "", None)]),
    ("event", b"event: x\ndata: a\n\ndata: b\n\n", [(b"a", "x", None), (b"b", "", None)]),
    ("event behind data", b"data: a\nevent: x\n\n", [(b"a", "x", None)]),
    ("event twice", b"event: x\ndata: a\nevent: y\n\n", [(b"a", "y", None)]),
    ("event empty", b"event: x\ndata: a\nevent:\n\n", [(b"a", "", None)]),
    ("event without colon", b"event: x\ndata: a\nevent\n\n", [(b"a", "", None)]),
    ("event without space", b"event:x\ndata:a\n\n", [(b"a", "x", None)]),
    ("event with two spaces", b"event:  x\ndata: a\n\n", [(b"a", " x", None)]),
    ("event of a block without data", b"event: x\n\ndata: a\n\n", [(b"a", "", None)]),
    ("event, not UTF-8", b"event: \xff\ndata: a\n\n", [(b"a", "\ufffd", None)]),
    ("WH-021 id is the block's own", b"id: 1\ndata: a\n\n: ping\n\ndata: b\n\n", [(b"a", "", "1"), (b"b", "", None)]),
    ("id behind data", b"data: a\nid: 1\n\n", [(b"a", "", "1")]),
    ("id empty", b"id: 1\nid\ndata: a\n\n", [(b"a", "", "")]),
    ("id with NUL", b"id: 1\nid: 2\0\ndata: a\n\n", [(b"a", "", "1")]),
    ("id, not UTF-8", b"id: \xe2\x82\ndata: a\n\n", [(b"a", "", "\ufffd")]),
    ("all fields, many blocks", b"event: x\nid: 1\nretry: 5\nfoo: bar\ndata: a\n\n" * 3, [(b"a", "x", "1")] * 3),
    ("NUL in data", b"data: a\0b\n\n", [(b"a\0b", "", None)]),
    ("not UTF-8", b"data: \xff\xe2\x82\n\n", [(b"\xff\xe2\x82", "", None)]),
    ("a name without colon", b"datax\ndata: a\n\n", [(b"a", "", None)]),
    ("data: inside data", b"data: data: a\n\n", [(b"data: a", "", None)]),
    ("nothing", b"", []),
    ("line ends only", b"\n\r\n\r\r\n\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "frames"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_vectors(name: str, body: bytes, frames: list[Frame]) -> None:
    framed = frame_every_way(body)

    assert framed.short == frames
    assert framed.residual is None
    assert framed.framer.frames == len(frames)
    assert framed.framer.offset == len(body)


@pytest.mark.parametrize(("name", "body", "frames"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_nothing_is_held_back(name: str, body: bytes, frames: list[Frame]) -> None:
    """WH-011: a frame's offset is the byte that completed it, and it comes out with that byte."""
    framer = SseFramer()
    for at in range(len(body)):
        for frame in framer.feed(body[at : at + 1]):
            assert frame[3] == at + 1
            assert body[at : at + 1] in (b"\r", b"\n")


def test_large_chunks_are_taken_in_bulk_and_give_the_same() -> None:
    """A chunk of some KiB of plain blocks has a path of its own."""
    plain = b"".join(b"data: %d %s\n\n" % (n, b"x" * (n % 50)) for n in range(200))
    named = b"".join(b"event: e%d\ndata: %d %s\n\n" % (n % 70, n, b"x" * (n % 50)) for n in range(200))
    odd = [b"id: 7\n", b": c\n", b"data: a\ndata: b\n\n", b"event: x\n\n", b"\n"]
    odd += [b"retry: 1\n\n", b"foo\n", b"data:c\n\n"]
    bodies = [plain, named, plain + named, named + plain]
    for extra in odd:
        bodies += [
            extra + plain,
            plain + extra + plain,
            named[:4000] + extra + named[4000:],
            extra + named,
            named + extra + plain,
        ]
    for body in bodies:
        for whole in (body, b"\xef\xbb\xbf" + body, body + b"data: open"):
            framer = SseFramer()
            frames = [frame for at in range(len(whole)) for frame in framer.feed(whole[at : at + 1])]
            state = framer.snapshot()
            assert len(frames) > 150
            for start in (0, 1, 2, 7, 13, 4096):
                framer = SseFramer()
                found = framer.feed(whole[:start]) + framer.feed(whole[start:])
                assert found == frames
                assert framer.snapshot() == state


# -- what a framer knows beside its frames --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "last"),
    [
        (b"id: 1\ndata: a\n\ndata: b\n\n", "1"),
        (b"id: 1\n\n: no data, yet it counts\n\n", "1"),
        (b"id: 1\ndata: a\n\nid\n\n", ""),
        (b"id: 1\n\nid: 2\0\n\n", "1"),
        (b"id: 1\n\nid: 2\ndata: cut", "1"),
        (b"id: 1\n\nid: 2\n", "1"),
        (b"data: a\n\n", ""),
    ],
)
def test_last_event_id(body: bytes, last: str) -> None:
    """Resuming from an event that was cut must bring it again."""
    assert frame_every_way(body).framer.last_event_id == last


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        (b"3000", 3000),
        (b"0", 0),
        (b"007", 7),
        (b"99999999999999999999", 99999999999999999999),
        (b"", None),
        (b"+5", None),
        (b"-5", None),
        (b"5 ", None),
        (b" 5", None),
        (b"1_000", None),
        (b"5.0", None),
        ("\u0665".encode(), None),
        (b"1" * 4300, int("1" * 4300)),
        (b"1" * 4301, None),
    ],
)
def test_retry(value: bytes, retry: int | None) -> None:
    assert run([b"retry: " + value + b"\n\n"]).framer.retry == retry
    assert run([b"retry: ", value, b"\r"]).framer.retry == retry
    assert run([b"retry: 1\nretry: " + value + b"\n"]).framer.retry == (1 if retry is None else retry)


STRAY = [
    (b"<html>\n<body>\n", b"<html>\n<body>\n"),
    (b"<html>\r\n<body>\r\n", b"<html>\n<body>\n"),
    (b"<html>", b"<html>\n"),
    (b"data: a\n\n{\n}\n\ndata: b\n\n", b"{\n}\n"),
    (b"data: a\nfoo: bar\n\n", b"foo: bar\n"),
    (b"x\ndata: cut", b"x\n"),
    (b": c\n", b""),
    (b"dat", b""),
    (b"eve", b""),
    (b"data", b""),
    (b"retry", b""),
    (b"\xef", b""),
    (b"\xef\xbb", b""),
    (b"datum", b"datum\n"),
    (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", b"\xef\xbb\xbfdata: b\n"),
]


@pytest.mark.parametrize(("body", "stray"), STRAY)
def test_stray_lines(body: bytes, stray: bytes) -> None:
    """A last line that may be the beginning of a field is not stray but cut."""
    assert frame_every_way(body).framer.stray == stray


def test_stray_lines_are_kept_up_to_a_limit() -> None:
    limits = Limits(max_stray_bytes=10)
    assert frame_every_way(b"abc\n" * 5, limits).framer.stray == b"abc\nabc\nab"
    assert frame_every_way(b"abcdefghijklmnop\nq\n", limits).framer.stray == b"abcdefghij"
    assert frame_every_way(b"abc\n", Limits(max_stray_bytes=0)).framer.stray == b""


# -- the end of input -----------------------------------------------------------------------------------------------

RESIDUALS: list[tuple[bytes, list[Frame], Frame | None]] = [
    (b"data: a", [], (b"a", "", None)),
    (b"data: a\n", [], (b"a", "", None)),
    (b"data: a\r", [], (b"a", "", None)),
    (b"data: a\r\n", [], (b"a", "", None)),
    (b"data: a\ndata: b", [], (b"a\nb", "", None)),
    (b"event: x\nid: 1\ndata: a\n", [], (b"a", "x", "1")),
    (b"data: a\nevent: x", [], (b"a", "x", None)),
    (b"data: a\n\ndata:", [(b"a", "", None)], (b"", "", None)),
    (b"data: a\n\ndata", [(b"a", "", None)], None),
    (b"data: a\ndat", [], (b"a", "", None)),
    (b"data: a\ndata", [], (b"a", "", None)),
    (b"data: a\n: c", [], (b"a", "", None)),
    (b"data: a\n\nevent: x\n", [(b"a", "", None)], None),
    (b"data: a\n\n: c", [(b"a", "", None)], None),
    (b"data: a\r\n\r", [(b"a", "", None)], None),
]


@pytest.mark.parametrize(("body", "frames", "residual"), RESIDUALS)
def test_an_unterminated_block(body: bytes, frames: list[Frame], residual: Frame | None) -> None:
    framed = frame_every_way(body)

    assert framed.short == frames
    assert (framed.residual and framed.residual[:3]) == residual
    if framed.residual is not None:
        assert framed.residual[3] == len(body)
    assert framed.framer.offset == len(body)
    assert framed.framer.frames == len(frames)


# -- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "offset", "frames"),
    [
        (b"data: 12345", 10, []),
        (b"data: a\n\ndata: 12345", 19, [b"a"]),
        (b"data: a\n\ndata: 12345\n\ndata: b\n\n", 19, [b"a"]),
        (b"data: a\r\n\r\ndata: 12345", 21, [b"a"]),
        (b": a long comment", 10, []),
        (b"event: 1234567", 10, []),
        (b"data:123\ndata:1\n\n", None, [b"123\n1"]),
        (b"data:123\ndata:12\n\n", None, [b"123\n12"]),
        (b"data:123\ndata:123\n\n", 16, []),
        (b"data:12345\ndata:x\n\n", 16, []),
        (b"data:1234\n:12345\n\ndata:5\n\n", None, [b"1234", b"5"]),
        (b"data:1234\n:123456", 16, []),
        (b"data\n" * 20, 43, []),
        (b"\xef\xbb\xbfdata: 12345", 13, []),
        (b"data: 1234\n\n" * 3, None, [b"1234"] * 3),
        (b"data: 1\r\n\r\n" * 3, None, [b"1"] * 3),
        (b"x" * 50, 10, []),
    ],
)
def test_a_frame_that_is_too_large(body: bytes, offset: int | None, frames: list[bytes]) -> None:
    """What counts is the payload so far and the open line; the same byte is too much however the body is cut."""
    framed = frame_every_way(body, Limits(max_frame_bytes=10))

    assert [frame[0] for frame in framed.frames] == frames
    failure = framed.framer.failure
    if offset is None:
        assert failure is None
        return
    assert failure is not None
    assert (failure.kind, failure.offset) == (ErrorKind.EVENT_TOO_LARGE, offset)
    assert failure.detail == "a frame of more than 10 bytes"
    assert framed.residual is None
    assert framed.framer.offset == offset
    assert framed.framer.feed(b"data: b\n\n") == []


def test_a_failed_framer_holds_nothing() -> None:
    framer = SseFramer(Limits(max_frame_bytes=1000))
    framer.feed(b"event: x\nid: 1\ndata: " + b"x" * 900)
    framer.feed(b"x" * 200)

    assert framer.failure is not None
    assert b"x" * 10 not in repr(framer.snapshot()).encode()


def test_event_names_are_not_hoarded() -> None:
    framer = SseFramer()
    for n in range(1000):
        framer.feed(b"event: %d\ndata: a\n\n" % n)
    framer.feed(b"event: " + b"x" * 1000 + b"\ndata: a\n\n")

    assert len(framer._events) <= 64
    assert max(map(len, framer._events)) <= 128


def test_many_events_under_one_name() -> None:
    framed = frame_every_way(b"event: same\ndata: a\n\n" * 20)
    assert framed.short == [(b"a", "same", None)] * 20


def test_work_is_linear_in_bytes_however_small_the_chunks() -> None:
    """WH-019, V27: four times the bytes of one line must not cost sixteen times as much."""

    def seconds(count: int) -> float:
        best = 9.0
        for _ in range(3):
            framer = SseFramer()
            framer.feed(b"data: ")
            before = time.process_time()
            for _ in range(count):
                framer.feed(b"x" * 64)
            [frame] = framer.feed(b"\n\n")
            best = min(best, time.process_time() - before)
            assert len(frame[0]) == 64 * count
        return best

    small = seconds(16_384)
    assert seconds(4 * 16_384) < 10 * small


# -- state ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf: c\r\nevent: x\r\nid: 7\r\ndata: a\r\ndata: b\r\n\r\nretry: 5\rstray\rdata: c\r\rdata: d",
        b"id: 1\ndata: a\ndata: b\ndata: c\n\nid: 2\ndata: d\n\ndata: e\n\nid: 3",
    ],
)
def test_snapshot_and_restore_at_every_byte(body: bytes) -> None:
    whole = run([body])
    walker = SseFramer()
    frames: list[SseFrame] = []
    for at in range(len(body) + 1):
        snapshot = walker.snapshot()
        assert hash(snapshot) == hash(walker.snapshot())
        fresh = SseFramer()
        fresh.restore(snapshot)
        assert fresh.snapshot() == snapshot
        assert fresh.offset == at
        later = fresh.feed(body[at:])
        assert frames + later == whole.frames
        assert fresh.close() == whole.residual
        assert fresh.snapshot() == whole.framer.snapshot()
        frames += walker.feed(body[at : at + 1])


def test_a_restored_framer_knows_how_much_it_holds() -> None:
    limits = Limits(max_frame_bytes=20)
    for body in (b"data: 123456\ndata: 789\ndata: 0\n", b"data: 1234567890\n"):
        first = SseFramer(limits)
        first.feed(body)
        second = SseFramer(limits)
        second.restore(first.snapshot())
        for framer in (first, second):
            framer.feed(b":" * 30)
        assert first.failure is not None
        assert first.failure == second.failure
