"""The AWS event-stream framer, under every way of cutting its bytes."""

from __future__ import annotations

import time
import zlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import ErrorKind, Limits
from streamcore.framing.eventstream import MAX_HEADERS_BYTES, MAX_MESSAGE_BYTES, EventStreamFramer

from .eventstream_wire import Header, event, header, message
from .framers import Framed, bytewise, corpus_bodies, frame_every_way, restore_at_every_byte, run

KEY = UUID("00112233-4455-6677-8899-aabbccddeeff")
ALL_TYPES: list[Header] = [
    ("t", "true", None),
    ("f", "false", None),
    ("b", "byte", -128),
    ("s", "short", -2),
    ("i", "integer", 2**31 - 1),
    ("l", "long", -(2**63)),
    ("x", "bytes", b"\x00\xff"),
    ("g", "string", "\u00e9"),
    ("d", "timestamp", 1_700_000_000_123),
    ("u", "uuid", KEY),
]
VALUES = {
    "t": True,
    "f": False,
    "b": -128,
    "s": -2,
    "i": 2**31 - 1,
    "l": -(2**63),
    "x": b"\x00\xff",
    "g": "\u00e9",
    "d": 1_700_000_000_123,
    "u": KEY,
}

Short = tuple[dict[str, Any], bytes]

VECTORS: list[tuple[str, bytes, list[Short]]] = [
    ("nothing at all in it", message(), [({}, b"")]),
    ("payload only", message(b"abc"), [({}, b"abc")]),
    ("headers of all types", message(b"{}", ALL_TYPES), [(VALUES, b"{}")]),
    ("headers only", message(b"", [("a", "string", "")]), [({"a": ""}, b"")]),
    ("several", event("a", b"1") + event("b", b"2") + event("a", b"3"), [
        ({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload)
        for name, payload in (("a", b"1"), ("b", b"2"), ("a", b"3"))
    ]),
    ("of two headers with one name the last", message(b"", [("a", "byte", 1), ("a", "byte", 2)]), [({"a": 2}, b"")]),
    ("a header without a name", message(b"", [("", "true", None)]), [({"": True}, b"")]),
    ("a header that is not UTF-8", message(b"", header(b"\xff", "string", b"a\xe2\x82")), [({"\ufffd": "a\ufffd"}, b"")]),
    ("a message in a message", message(message(b"x")), [({}, message(b"x"))]),
    ("bytes that are not UTF-8", message(b"\xff\x00"), [({}, b"\xff\x00")]),
    ("nothing", b"", []),
]  # fmt: skip


def short(framed: Framed) -> list[Short]:
    """The frames without their offsets."""
    return [(dict(headers), payload) for headers, payload, _ in framed.frames]


@pytest.mark.parametrize(("name", "body", "frames"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_vectors(name: str, body: bytes, frames: list[Short]) -> None:
    framed = frame_every_way(EventStreamFramer, body)

    assert short(framed) == frames
    assert framed.residual is None
    assert framed.failure is None
    assert not framed.framer.truncated
    assert framed.framer.offset == len(body)
    assert not framed.frames or framed.frames[-1][2] == len(body)


def test_known_bytes() -> None:
    """A message without headers and payload, its checksums as any CRC-32 gives them."""
    assert run(EventStreamFramer, [bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff")]).frames == [({}, b"", 16)]


def test_types_of_values() -> None:
    [(headers, _, _)] = run(EventStreamFramer, [message(b"", ALL_TYPES)]).frames
    assert {name: type(value) for name, value in headers.items()} == {
        name: type(value) for name, value in VALUES.items()
    }


@pytest.mark.parametrize("body", [vector[1] for vector in VECTORS] + [event("a", b"1") + message(b"x", crc=0)])
def test_snapshot_and_restore_at_every_byte(body: bytes) -> None:
    restore_at_every_byte(EventStreamFramer, body)


def test_a_frame_comes_out_with_its_last_byte() -> None:
    body = event("a", b"1") + message() + event("b", b"22")
    framer = EventStreamFramer()
    ends = []
    for at in range(len(body)):
        for frame in framer.feed(body[at : at + 1]):
            assert frame[2] == at + 1
            ends.append(frame[2])
    assert ends == [len(event("a", b"1")), len(event("a", b"1")) + 16, len(body)]


def test_headers_are_shared_and_read_only() -> None:
    first, second = run(EventStreamFramer, [event("a", b"1"), event("a", b"2")]).frames
    assert first[0] is second[0]
    with pytest.raises(TypeError):
        first[0]["a"] = 1


def test_header_blocks_are_not_hoarded() -> None:
    framer = EventStreamFramer()
    for n in range(200):
        [(headers, _, _)] = framer.feed(event(f"e{n}", b""))
        assert headers[":event-type"] == f"e{n}"
    framer = EventStreamFramer()
    framer.feed(event("x" * 2000, b""))
    assert len(framer._blocks) == 0
    for n in range(200):
        framer.feed(event(f"e{n}", b""))
    assert len(framer._blocks) <= 64


# -- what is wrong with a message -----------------------------------------------------------------------------------

BAD: list[tuple[str, bytes, ErrorKind]] = [
    ("WH-079 message CRC", message(b"abc", crc=1), ErrorKind.FRAME_CRC),
    ("prelude CRC", message(b"abc", prelude_crc=1), ErrorKind.FRAME_CRC),
    ("prelude CRC before lengths", message(b"abc", total=2**32 - 1, prelude_crc=1), ErrorKind.FRAME_CRC),
    ("message CRC before headers", message(b"", b"\x01a\x63", crc=1), ErrorKind.FRAME_CRC),
    ("WH-080 headers longer than the message", message(b"abc", headers_length=4), ErrorKind.FRAME_LENGTH),
    ("length 0", message(b"", total=0), ErrorKind.FRAME_LENGTH),
    ("length 4", message(b"", total=4), ErrorKind.FRAME_LENGTH),
    ("length 15", message(b"", total=15), ErrorKind.FRAME_LENGTH),
    ("length one too small", message(b"abc", total=18), ErrorKind.FRAME_CRC),
    ("longest length", message(b"", total=2**32 - 1), ErrorKind.FRAME_LENGTH),
    ("one byte over 24 MiB", message(b"", total=MAX_MESSAGE_BYTES + 1), ErrorKind.FRAME_LENGTH),
    ("headers one byte over 128 KiB",
     message(b"", total=MAX_HEADERS_BYTES + 17, headers_length=MAX_HEADERS_BYTES + 1), ErrorKind.FRAME_LENGTH),
    ("an unknown type", message(b"", b"\x01a\x0a"), ErrorKind.FRAME_LENGTH),
    ("a header of nothing", message(b"", b"\x00"), ErrorKind.FRAME_LENGTH),
    ("a name beyond the block", message(b"abcdef", b"\x05ab"), ErrorKind.FRAME_LENGTH),
    ("no type", message(b"abcdef", b"\x01a"), ErrorKind.FRAME_LENGTH),
    ("an integer beyond the block", message(b"abcdef", b"\x01a\x04\x00\x00\x00"), ErrorKind.FRAME_LENGTH),
    ("a string beyond the block", message(b"abcdef", b"\x01a\x07\x00\x04abc"), ErrorKind.FRAME_LENGTH),
    ("half a length of a string", message(b"abcdef", b"\x01a\x07\x00"), ErrorKind.FRAME_LENGTH),
    ("a UUID beyond the block", message(b"abcdef" * 4, b"\x01a\x09" + b"0" * 15), ErrorKind.FRAME_LENGTH),
    ("a length in wrong byte order", message(b"abc")[3::-1] + message(b"abc")[4:], ErrorKind.FRAME_CRC),
]  # fmt: skip


@pytest.mark.parametrize(("name", "bad", "kind"), BAD, ids=[vector[0] for vector in BAD])
def test_a_bad_message(name: str, bad: bytes, kind: ErrorKind) -> None:
    """What came before stays; nothing of the message comes out, and nothing after it."""
    before = event("a", b"1") + event("b", b"2")
    for head, frames in ((b"", 0), (before, 2)):
        body = head + bad + event("c", b"3")
        framed = frame_every_way(EventStreamFramer, body)

        assert framed.failure == (kind, len(head))
        assert len(framed.frames) == frames
        assert framed.framer.offset == len(head)
        assert framed.framer.feed(event("c", b"3")) == []
        assert not framed.framer.truncated
        assert framed.framer.stray == b""


@pytest.mark.parametrize(
    "lies",
    [
        {"headers_length": 4},
        {"total": 0},
        {"total": 15},
        {"total": 2**32 - 1},
        {"total": MAX_MESSAGE_BYTES + 1},
        {"total": MAX_HEADERS_BYTES + 17, "headers_length": MAX_HEADERS_BYTES + 1},
        {"prelude_crc": 1},
    ],
)
def test_a_bad_prelude_fails_with_its_last_byte(lies: dict[str, int]) -> None:
    """WH-080: not one byte more is waited for."""
    prelude = message(b"abc", **lies)[:12]
    framer = EventStreamFramer()
    framer.feed(prelude[:11])
    assert framer.failure is None
    framer.feed(prelude[11:])
    assert framer.failure is not None


def test_every_single_bit_flipped() -> None:
    """WH-079: whatever bit it is, the message before stays and nothing of the one with the bit comes out."""
    before, frame, after = event("a", b"1"), message(b'{"a":1}', [("n", "short", 5)]), event("b", b"2")
    for bit in range(8 * len(frame)):
        bad = bytearray(frame)
        bad[bit // 8] ^= 1 << bit % 8
        for head, frames in ((b"", 0), (before, 1)):
            body = head + bytes(bad) + after
            framed = run(EventStreamFramer, [body])
            assert framed.failure == (ErrorKind.FRAME_CRC, len(head)), bit
            assert len(framed.frames) == frames
            found = run(EventStreamFramer, bytewise(body))
            assert found.framer.snapshot() == framed.framer.snapshot()


def test_truncation_at_every_byte() -> None:
    body = event("a", b"1") + message() + message(b"abc", ALL_TYPES)
    whole = run(EventStreamFramer, [body]).frames
    for end in range(len(body)):
        framed = run(EventStreamFramer, [body[:end]])
        assert framed.frames == [frame for frame in whole if frame[2] <= end]
        assert framed.framer.truncated == (end not in (0, *(frame[2] for frame in whole)))
        assert framed.failure is None
        assert framed.framer.offset == end
        assert run(EventStreamFramer, bytewise(body[:end])).framer.snapshot() == framed.framer.snapshot()


TEXTS = [b'{"message":"denied"}', b"<!DOCTYPE html>\n<p>504", b"data: {}\n\n", b"{}", b"\r\n\t {", b"x" * 100]


@pytest.mark.parametrize("body", TEXTS)
def test_a_body_of_text(body: bytes) -> None:
    """WH-082: what the service said is kept instead of a complaint about checksums."""
    framed = frame_every_way(EventStreamFramer, body)
    assert framed.failure == (ErrorKind.NOT_AN_EVENT_STREAM, 0)
    assert framed.framer.stray == body
    assert not framed.framer.truncated
    restore_at_every_byte(EventStreamFramer, body)

    for limit in (0, 5, 12, 15):
        framed = frame_every_way(EventStreamFramer, body, Limits(max_stray_bytes=limit))
        assert framed.framer.stray == body[:limit]


@pytest.mark.parametrize("body", [b"\x1f\x8b\x08" + b"\0" * 20, "\u00e9".encode() * 10, b"\0" * 40, b"{" + b"\0" * 40])
def test_a_body_of_other_bytes(body: bytes) -> None:
    framed = frame_every_way(EventStreamFramer, body)
    assert framed.failure == (ErrorKind.FRAME_CRC, 0)
    assert framed.framer.stray == b""


def test_text_behind_a_message_is_a_bad_message() -> None:
    body = event("a", b"1") + b'{"message":"denied"}'
    assert frame_every_way(EventStreamFramer, body).failure == (ErrorKind.FRAME_CRC, len(event("a", b"1")))


# -- limits ---------------------------------------------------------------------------------------------------------


def test_limits() -> None:
    body = message(b"x" * 4) + message(b"x" * 5)
    limits = Limits(max_frame_bytes=20)
    framed = frame_every_way(EventStreamFramer, body, limits)

    assert framed.frames == [({}, b"xxxx", 20)]
    assert framed.failure == (ErrorKind.EVENT_TOO_LARGE, 20)
    assert framed.framer.failure.detail == "a message of 21 bytes; the limit is 20"
    restore_at_every_byte(EventStreamFramer, body, limits)


def test_the_longest_headers() -> None:
    value = b"x" * 65_000
    rest = b"x" * (MAX_HEADERS_BYTES - 2 * (65_000 + 5) - 5)
    block = header("a", "bytes", value) + header("b", "bytes", value) + header("c", "bytes", rest)
    assert len(block) == MAX_HEADERS_BYTES
    body = message(b"{}", block)

    for step in (len(body), 4096, 13):
        framed = run(EventStreamFramer, [body[at : at + step] for at in range(0, len(body), step)])
        assert short(framed) == [({"a": value, "b": value, "c": rest}, b"{}")]


def test_the_longest_message() -> None:
    body = message(bytes(MAX_MESSAGE_BYTES - 16))
    for step in (len(body), 65_536):
        framed = run(EventStreamFramer, [body[at : at + step] for at in range(0, len(body), step)])
        assert [(len(payload), end) for _, payload, end in framed.frames] == [(len(body) - 16, len(body))]


def test_work_is_linear_in_bytes_however_small_the_chunks() -> None:
    """V27: four times the bytes of one message must not cost sixteen times as much."""

    def seconds(count: int) -> float:
        body = message(b"x" * 64 * count)
        pieces = [body[at : at + 64] for at in range(0, len(body), 64)]
        best = 9.0
        for _ in range(3):
            framer = EventStreamFramer()
            before = time.process_time()
            frames = [frame for piece in pieces for frame in framer.feed(piece)]
            best = min(best, time.process_time() - before)
            assert len(frames) == 1
        return best

    small = seconds(16_384)
    assert seconds(4 * 16_384) < 10 * small


# -- generated and recorded bodies ----------------------------------------------------------------------------------

HEADERS = st.lists(
    st.one_of(
        st.tuples(st.text(max_size=20), st.sampled_from(["true", "false"]), st.none()),
        st.tuples(st.text(max_size=20), st.just("byte"), st.integers(-(2**7), 2**7 - 1)),
        st.tuples(st.text(max_size=20), st.just("short"), st.integers(-(2**15), 2**15 - 1)),
        st.tuples(st.text(max_size=20), st.just("integer"), st.integers(-(2**31), 2**31 - 1)),
        st.tuples(st.text(max_size=20), st.sampled_from(["long", "timestamp"]), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.text(max_size=20), st.just("bytes"), st.binary(max_size=20)),
        st.tuples(st.text(max_size=20), st.just("string"), st.text(max_size=20)),
        st.tuples(st.text(max_size=20), st.just("uuid"), st.uuids()),
    ),
    max_size=5,
)


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=40)), max_size=4), st.integers(1, 50))
def test_what_was_written_is_read(messages: list[tuple[list[Header], bytes]], size: int) -> None:
    body = b"".join(message(payload, headers) for headers, payload in messages)
    framed = run(EventStreamFramer, [body])

    assert short(framed) == [
        ({name: {"true": True, "false": False}.get(kind, value) for name, kind, value in headers}, payload)
        for headers, payload in messages
    ]
    assert framed.framer.offset == len(body)
    for step in (1, size):
        found = run(EventStreamFramer, [body[at : at + step] for at in range(0, len(body), step)])
        assert found.frames == framed.frames
        assert found.framer.snapshot() == framed.framer.snapshot()


@given(st.binary(max_size=80), st.integers(0, 200))
def test_any_headers(block: bytes, at: int) -> None:
    """Headers that a correct checksum vouches for and that are nonsense nevertheless raise nothing."""
    good = b"".join(header(*one) for one in ALL_TYPES)
    for headers in (block, good[: at % len(good)] + block):
        framed = run(EventStreamFramer, [message(b"x", headers)])
        assert framed.failure in (None, (ErrorKind.FRAME_LENGTH, 0))
        assert len(framed.frames) == (framed.failure is None)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    framed = run(EventStreamFramer, [body])
    assert framed.frames == []
    assert run(EventStreamFramer, bytewise(body)).framer.snapshot() == framed.framer.snapshot()


@pytest.mark.parametrize(
    "path", corpus_bodies("bedrock-agent", "bedrock-converse-stream", "bedrock-invoke-with-response-stream")
)
def test_recordings(path: Path) -> None:
    body = path.read_bytes()
    framed = run(EventStreamFramer, [body])

    assert framed.failure is None
    assert not framed.framer.truncated
    begin = 0
    for _, _, end in framed.frames:
        assert int.from_bytes(body[begin : begin + 4], "big") == end - begin
        assert zlib.crc32(body[begin : begin + 8]) == int.from_bytes(body[begin + 8 : begin + 12], "big")
        assert zlib.crc32(body[begin : end - 4]) == int.from_bytes(body[end - 4 : end], "big")
        begin = end
    assert begin == len(body) > 0
    assert all(":message-type" in headers for headers, _, _ in framed.frames)
    found = run(EventStreamFramer, bytewise(body))
    assert found.frames == framed.frames
    assert found.framer.snapshot() == framed.framer.snapshot()
