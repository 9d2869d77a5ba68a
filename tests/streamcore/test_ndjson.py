"""The NDJSON framer, under every way of cutting its bytes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import ErrorKind, Limits
from streamcore.framing.ndjson import NdjsonFrame, NdjsonFramer

from .framers import bytewise, corpus_bodies, frame_every_way, restore_at_every_byte, run

VECTORS: list[tuple[str, bytes, list[NdjsonFrame], NdjsonFrame | None]] = [
    ("LF", b'{"a":1}\n{"b":2}\n', [(b'{"a":1}', 8), (b'{"b":2}', 16)], None),
    ("CRLF", b"1\r\n2\r\n", [(b"1", 3), (b"2", 6)], None),
    ("both", b"1\n2\r\n3\n", [(b"1", 2), (b"2", 5), (b"3", 7)], None),
    ("blank lines", b"\n\r\n1\n\n \t\r\n2\n\n", [(b"1", 5), (b"2", 12)], None),
    ("a lone CR ends nothing", b"1\r2\n", [(b"1\r2", 4)], None),
    ("one CR belongs to the end", b"1\r\r\n", [(b"1\r", 4)], None),
    ("white space stays", b" 1 \n", [(b" 1 ", 4)], None),
    ("U+2028, U+0085, VT, FF", '"\u2028\u0085\v\f"\n'.encode(), [('"\u2028\u0085\v\f"'.encode(), 10)], None),
    ("VT is no white space", b"\v\n", [(b"\v", 2)], None),
    ("an escaped line end", b'"\\n"\n', [(b'"\\n"', 5)], None),
    ("not UTF-8", b"\xff\n", [(b"\xff", 2)], None),
    ("no end of the last line", b"1\n2", [(b"1", 2)], (b"2", 3)),
    ("a cut CRLF", b"1\n2\r", [(b"1", 2)], (b"2", 4)),
    ("a cut text", b'{"a":', [], (b'{"a":', 5)),
    ("a blank last line", b"1\n \t", [(b"1", 2)], None),
    ("a BOM", b"\xef\xbb\xbf1\n\xef\xbb\xbf2\n", [(b"1", 5), (b"\xef\xbb\xbf2", 10)], None),
    ("a BOM before all there is", b"\xef\xbb\xbf1", [], (b"1", 4)),
    ("a BOM alone", b"\xef\xbb\xbf", [], None),
    ("half a BOM", b"\xef\xbb1\n", [(b"\xef\xbb1", 4)], None),
    ("nothing", b"", [], None),
    ("line ends only", b"\n\r\n\n", [], None),
]


@pytest.mark.parametrize(("name", "body", "frames", "residual"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_vectors(name: str, body: bytes, frames: list[NdjsonFrame], residual: NdjsonFrame | None) -> None:
    framed = frame_every_way(NdjsonFramer, body)

    assert framed.frames == frames
    assert framed.residual == residual
    assert framed.failure is None
    assert framed.framer.offset == len(body)


@pytest.mark.parametrize("body", [vector[1] for vector in VECTORS])
def test_snapshot_and_restore_at_every_byte(body: bytes) -> None:
    restore_at_every_byte(NdjsonFramer, body)
    restore_at_every_byte(NdjsonFramer, body, Limits(max_frame_bytes=2))


@pytest.mark.parametrize("body", [vector[1] for vector in VECTORS])
def test_a_frame_comes_out_with_its_line_feed(body: bytes) -> None:
    framer = NdjsonFramer()
    for at in range(len(body)):
        for frame in framer.feed(body[at : at + 1]):
            assert frame[1] == at + 1
            assert body[at] == 0x0A


def test_truncation_at_every_byte() -> None:
    body = b'{"a":1}\r\n{"b":2}\n\n[3]\n'
    whole = run(NdjsonFramer, [body]).frames
    for end in range(len(body)):
        framed = frame_every_way(NdjsonFramer, body[:end])
        assert framed.frames == [frame for frame in whole if frame[1] <= end]
        assert framed.framer.offset == end


@pytest.mark.parametrize(
    ("body", "offset", "frames"),
    [
        (b"12345678\n", None, [b"12345678"]),
        (b"123456789\n", 8, []),
        (b"1234567\r\n", None, [b"1234567"]),
        (b"12345678\r\n", 8, []),
        (b"12345678", None, []),
        (b"1\n12345678\n2\n", None, [b"1", b"12345678", b"2"]),
        (b"1\n2\n123456789", 12, [b"1", b"2"]),
        (b"1\n2\n123456789\n3\n", 12, [b"1", b"2"]),
        (b" " * 20, 8, []),
        (b"1\n" * 20, None, [b"1"] * 20),
    ],
)
def test_a_line_that_is_too_long(body: bytes, offset: int | None, frames: list[bytes]) -> None:
    framed = frame_every_way(NdjsonFramer, body, Limits(max_frame_bytes=8))

    assert [data for data, _ in framed.frames] == frames
    if offset is None:
        assert framed.failure is None
        return
    assert framed.failure == (ErrorKind.EVENT_TOO_LARGE, offset)
    assert framed.framer.failure.detail == "a line of more than 8 bytes"
    assert framed.residual is None
    assert framed.framer.offset == offset
    assert framed.framer.feed(b"1\n") == []


def test_work_is_linear_in_bytes_however_small_the_chunks() -> None:
    def seconds(count: int) -> float:
        best = 9.0
        for _ in range(3):
            framer = NdjsonFramer()
            before = time.process_time()
            for _ in range(count):
                framer.feed(b"x" * 64)
            [frame] = framer.feed(b"\n")
            best = min(best, time.process_time() - before)
            assert len(frame[0]) == 64 * count
        return best

    small = seconds(16_384)
    assert seconds(4 * 16_384) < 10 * small


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values=st.lists(JSON, max_size=6), ends=st.lists(st.sampled_from(["\n", "\r\n", "\n\n", " \n"]), min_size=6))
def test_what_was_written_is_read(values: list[object], ends: list[str]) -> None:
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    body = "".join(text + end for text, end in zip(texts, ends, strict=False)).encode()
    framed = run(NdjsonFramer, [body])

    assert [json.loads(data) for data, _ in framed.frames] == values
    assert run(NdjsonFramer, bytewise(body)).frames == framed.frames


@given(st.binary(max_size=60), st.integers(1, 10))
def test_any_bytes(body: bytes, limit: int) -> None:
    body = body.replace(b"\x01", b"\n").replace(b"\x02", b"\r\n")
    framed = run(NdjsonFramer, [body], Limits(max_frame_bytes=limit))
    found = run(NdjsonFramer, bytewise(body), Limits(max_frame_bytes=limit))

    assert (found.frames, found.residual) == (framed.frames, framed.residual)
    assert found.framer.snapshot() == framed.framer.snapshot()


@pytest.mark.parametrize("path", corpus_bodies("ollama-ndjson"))
def test_recordings(path: Path) -> None:
    body = path.read_bytes()
    framed = run(NdjsonFramer, [body])
    texts = framed.frames + ([framed.residual] if framed.residual else [])

    assert texts
    assert texts[-1][1] == len(body)
    assert all(isinstance(json.loads(data), dict) for data, _ in texts)
    assert sum(line.strip() != b"" for line in body.split(b"\n")) == len(texts)
    found = run(NdjsonFramer, bytewise(body))
    assert (found.frames, found.residual) == (framed.frames, framed.residual)
