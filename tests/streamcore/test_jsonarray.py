"""The JSON array framer, under every way of cutting its bytes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import ErrorKind, Limits
from streamcore.framing import jsonarray
from streamcore.framing.jsonarray import JsonArrayFrame, JsonArrayFramer

from .framers import bytewise, corpus_bodies, frame_every_way, restore_at_every_byte, run

VECTORS: list[tuple[str, bytes, list[JsonArrayFrame]]] = [
    ("WH-030 objects", b'[{"a":1}\n,\r\n{"b":2}]', [(b'{"a":1}', 8), (b'{"b":2}', 19)]),
    ("pretty", b'[\n  {\n    "a": [ 1 ]\n  }\n]\n', [(b'{\n    "a": [ 1 ]\n  }', 24)]),
    ("no element", b"[]", []),
    ("no element, white space all over", b" \t\r\n[ \t\r\n] \t\r\n", []),
    ("nested", b'[[[],[{}]],{"a":{"b":[{}]}}]', [(b"[[],[{}]]", 10), (b'{"a":{"b":[{}]}}', 27)]),
    ("brackets in strings", b'[{"]}":"[{,"},["]"]]', [(b'{"]}":"[{,"}', 13), (b'["]"]', 19)]),
    ("escapes", b'[{"\\"}":"\\\\"},"\\\\","\\"]"]', [(b'{"\\"}":"\\\\"}', 13), (b'"\\\\"', 18), (b'"\\"]"', 24)]),
    ("an escaped backslash before the quote", b'["a\\\\\\\\",1]', [(b'"a\\\\\\\\"', 8), (b"1", 10)]),
    ("a backslash before a line feed", b'["\\\n",{"\\\n":1}]', [(b'"\\\n"', 5), (b'{"\\\n":1}', 14)]),
    ("strings", b'["",",","]"]', [(b'""', 3), (b'","', 7), (b'"]"', 11)]),
    ("numbers and literals", b"[1, -2.5e3 ,true\n,null]", [(b"1", 2), (b"-2.5e3", 10), (b"true", 16), (b"null", 22)]),
    ("not UTF-8", b'["\xff\xe2"]', [(b'"\xff\xe2"', 5)]),
    ("UTF-8 that looks like nothing", '["\u5b5d\u2028"]'.encode(), [('"\u5b5d\u2028"'.encode(), 9)]),
    ("one object", b' {"error":{"code":503}}\n', [(b'{"error":{"code":503}}', 23)]),
    ("elements that are no JSON", b"[{a},tru,}]", [(b"{a}", 4), (b"tru", 8), (b"}", 10)]),
    ("a wrong bracket", b'[{"a":1],[}]', [(b'{"a":1]', 8), (b"[}", 11)]),
    ("a BOM", b'\xef\xbb\xbf [{"a":1},2]', [(b'{"a":1}', 12), (b"2", 14)]),
    ("a BOM before one object", b'\xef\xbb\xbf{"error":{}}', [(b'{"error":{}}', 15)]),
]


@pytest.mark.parametrize(("name", "body", "frames"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_vectors(name: str, body: bytes, frames: list[JsonArrayFrame]) -> None:
    framed = frame_every_way(JsonArrayFramer, body)

    assert framed.frames == frames
    assert framed.residual is None
    assert framed.failure is None
    assert not framed.framer.truncated
    assert framed.framer.offset == len(body)
    assert framed.framer.stray == b""


@pytest.mark.parametrize(("name", "body", "frames"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_nothing_is_held_back(name: str, body: bytes, frames: list[JsonArrayFrame]) -> None:
    """A frame comes out with the byte that closes it; one that nothing closes, with the byte after it."""
    framer = JsonArrayFramer()
    for at in range(len(body)):
        for data, end in framer.feed(body[at : at + 1]):
            assert at + 1 == (end if data[-1:] in b'"]' or data[0] in b"{[" else end + 1)


@pytest.mark.parametrize("body", [vector[1] for vector in VECTORS])
def test_snapshot_and_restore_at_every_byte(body: bytes) -> None:
    restore_at_every_byte(JsonArrayFramer, body)
    restore_at_every_byte(JsonArrayFramer, body, Limits(max_frame_bytes=6))


@pytest.mark.parametrize("body", [vector[1] for vector in VECTORS])
def test_truncation_at_every_byte(body: bytes) -> None:
    whole = run(JsonArrayFramer, [body]).frames
    complete = len(body.rstrip())
    for end in range(len(body)):
        framed = run(JsonArrayFramer, [body[:end]])
        assert framed.frames == [frame for frame in whole if frame[1] <= end][: len(framed.frames)]
        assert len([frame for frame in whole if frame[1] < end]) <= len(framed.frames)
        assert framed.framer.truncated == (end < complete)
        assert framed.failure is None
        assert framed.framer.offset == end
        assert run(JsonArrayFramer, bytewise(body[:end])).framer.snapshot() == framed.framer.snapshot()


BAD: list[tuple[str, bytes, ErrorKind, int, list[bytes], bytes]] = [
    ("HTML", b"\n<html>[1]", ErrorKind.NOT_AN_EVENT_STREAM, 1, [], b"<html>[1]"),
    ("SSE", b'data: {"a":1}\n\n', ErrorKind.NOT_AN_EVENT_STREAM, 0, [], b'data: {"a":1}\n\n'),
    ("a string", b'"x"', ErrorKind.NOT_AN_EVENT_STREAM, 0, [], b'"x"'),
    ("a number", b"12", ErrorKind.NOT_AN_EVENT_STREAM, 0, [], b"12"),
    ("a closing bracket", b"]", ErrorKind.NOT_AN_EVENT_STREAM, 0, [], b"]"),
    ("half a BOM", b"\xef\xbb[1]", ErrorKind.NOT_AN_EVENT_STREAM, 0, [], b"\xef\xbb[1]"),
    ("a BOM too late", b" \xef\xbb\xbf[1]", ErrorKind.NOT_AN_EVENT_STREAM, 1, [], b"\xef\xbb\xbf[1]"),
    ("two BOMs", b"\xef\xbb\xbf\xef\xbb\xbf[1]", ErrorKind.NOT_AN_EVENT_STREAM, 3, [], b"\xef\xbb\xbf[1]"),
    ("gzip", b"\x1f\x8b\x08", ErrorKind.NOT_AN_EVENT_STREAM, 0, [], b"\x1f\x8b\x08"),
    ("no comma", b"[{} {}]", ErrorKind.MALFORMED_JSON, 4, [b"{}"], b"{}]"),
    ("no comma after a number", b"[1 2]", ErrorKind.MALFORMED_JSON, 3, [b"1"], b"2]"),
    ("a comma first", b"[,1]", ErrorKind.MALFORMED_JSON, 1, [], b",1]"),
    ("two commas", b"[1,,2]", ErrorKind.MALFORMED_JSON, 3, [b"1"], b",2]"),
    ("a comma last", b"[1,\n]", ErrorKind.MALFORMED_JSON, 4, [b"1"], b"]"),
    ("text behind", b'[1] {"error":1}', ErrorKind.MALFORMED_JSON, 4, [b"1"], b'{"error":1}'),
    ("two objects", b"{}\n{}", ErrorKind.MALFORMED_JSON, 3, [b"{}"], b"{}"),
]


@pytest.mark.parametrize(("name", "body", "kind", "offset", "frames", "stray"), BAD, ids=[bad[0] for bad in BAD])
def test_what_is_no_array(
    name: str, body: bytes, kind: ErrorKind, offset: int, frames: list[bytes], stray: bytes
) -> None:
    """WH-082: what stands there instead is kept, up to a limit, and what came before stays."""
    framed = frame_every_way(JsonArrayFramer, body)

    assert framed.failure == (kind, offset)
    assert [data for data, _ in framed.frames] == frames
    assert framed.framer.stray == stray
    assert not framed.framer.truncated
    assert framed.framer.offset == offset
    assert framed.framer.feed(b"[1,2]") == []
    assert frame_every_way(JsonArrayFramer, body, Limits(max_stray_bytes=2)).framer.stray == stray[:2]
    restore_at_every_byte(JsonArrayFramer, body)


@pytest.mark.parametrize("body", [b"", b" \n", b"\xef", b"\xef\xbb", b"\xef\xbb\xbf"])
def test_an_empty_body_is_truncated(body: bytes) -> None:
    framed = frame_every_way(JsonArrayFramer, body)
    assert framed.framer.truncated
    assert framed.failure is None


@pytest.mark.parametrize(
    ("body", "offset", "frames"),
    [
        (b'[{"a":12}]', None, [b'{"a":12}']),
        (b'[{"a":123}]', 9, []),
        (b'["123456"]', None, [b'"123456"']),
        (b'["1234567"]', 9, []),
        (b'["12345\\""]', 9, []),
        (b'["123456\\"]', 9, []),
        (b"[12345678]", None, [b"12345678"]),
        (b"[123456789]", 9, []),
        (b"[1,  [2,3] ,[4,5,6,7]]", 20, [b"1", b"[2,3]"]),
        (b"[1,  [2,3] ,[4,5,6,7", None, [b"1", b"[2,3]"]),
        (b'{"a":1234}', 8, []),
        (b"[" + b" " * 20 + b"]", None, []),
        (b"[" + b"1," * 20 + b"1]", None, [b"1"] * 21),
    ],
)
def test_an_element_that_is_too_large(body: bytes, offset: int | None, frames: list[bytes]) -> None:
    framed = frame_every_way(JsonArrayFramer, body, Limits(max_frame_bytes=8))

    assert [data for data, _ in framed.frames] == frames
    if offset is None:
        assert framed.failure is None
        return
    assert framed.failure == (ErrorKind.EVENT_TOO_LARGE, offset)
    assert framed.framer.failure.detail == "an element of more than 8 bytes"
    assert framed.framer.offset == offset
    assert framed.framer.feed(b"1,2]") == []
    assert framed.framer.stray == b""


@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        (b'["', b"x" * 64, b'"]'),
        (b'["', b"\\n" * 32, b'"]'),
        (b'["\\', b"\\" * 64, b'n"]'),
        (b"[{", b'"a":[],' * 9 + b" ", b"}]"),
        (b"[[", b"[" * 64, b""),
        (b"[", b"1" * 64, b"]"),
        (b'{"a', b'":"' * 21 + b" ", b'"}'),
    ],
)
def test_work_is_linear_in_bytes_however_they_are_cut(head: bytes, piece: bytes, tail: bytes) -> None:
    def seconds(count: int, times: int) -> float:
        best = 9.0
        for _ in range(3):
            framer = JsonArrayFramer()
            before = time.process_time()
            framer.feed(head)
            for _ in range(count):
                framer.feed(piece * times)
            frames = framer.feed(tail)
            best = min(best, time.process_time() - before)
            assert len(frames) == (1 if tail else 0)
        return best

    small = seconds(2048, 1)
    assert seconds(4 * 2048, 1) < 12 * small
    assert seconds(1, 4 * 2048) < 12 * small


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(values=st.lists(JSON, max_size=5), indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_what_was_written_is_read(values: list[object], indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    framed = frame_every_way(JsonArrayFramer, body)

    assert [json.loads(data) for data, _ in framed.frames] == values
    assert framed.failure is None
    assert not framed.framer.truncated
    assert all(body[:end].endswith(data) for data, end in framed.frames)


@given(st.text(alphabet='[]{},:"\\ \n1at', max_size=40), st.integers(1, 12))
def test_any_text(tail: str, limit: int) -> None:
    body = b"[" + tail.encode()
    limits = Limits(max_frame_bytes=limit)
    framed = run(JsonArrayFramer, [body], limits)
    for pieces in ([body[at : at + size] for at in range(0, len(body), size)] for size in (1, 2, 3, 7)):
        found = run(JsonArrayFramer, pieces, limits)
        assert found.frames == framed.frames
        assert found.framer.snapshot() == framed.framer.snapshot()
    try:
        values = json.loads(body)
    except ValueError:
        return
    if framed.failure is None:
        assert [json.loads(data) for data, _ in framed.frames] == values
        assert not framed.framer.truncated


@pytest.mark.parametrize(
    "path", corpus_bodies("gemini-generateContent-json-array", "_suspicious/vertex-gemini-json-array")
)
def test_recordings(path: Path) -> None:
    body = path.read_bytes()
    framed = run(JsonArrayFramer, [body])

    assert [json.loads(data) for data, _ in framed.frames] == json.loads(body)
    assert framed.framer.offset == len(body)
    assert not framed.framer.truncated
    found = run(JsonArrayFramer, bytewise(body))
    assert found.frames == framed.frames
    assert found.framer.snapshot() == framed.framer.snapshot()


INDENTED = [
    b'[{\n  "a": 1\n}\n,\r\n{\r\n  "b": "}"\r\n}\n]',
    b'[{\n"a": {\n}, "b": [\n{\n}]\n},{\n}]',
    b'[{\n"a": "\n}", "b": 1\n}, {\n} ]',
    b'[{\n"a" 1\n}, {\n"b": nul\n}, {\n"c": [\n}\n}]',
    b'{\n"a": 1\n}',
    b'[[\n1\n], [\n{\n}\n], "\n}"]',
]


@pytest.mark.parametrize("body", INDENTED)
@pytest.mark.parametrize("limit", [6, 12, 1000])
def test_indented_elements_end_where_the_long_way_finds_their_end(
    body: bytes, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def states(pieces: list[bytes]) -> list[Any]:
        framer = JsonArrayFramer(Limits(max_frame_bytes=limit))
        found: list[Any] = [(framer.feed(piece), framer.snapshot()) for piece in pieces]
        framer.close()
        return [*found, framer.truncated, framer.failure]

    cuts = [[body], *([body[:at], body[at:]] for at in range(1, len(body)))]
    quick = [states(pieces) for pieces in cuts]
    monkeypatch.setattr(jsonarray, "_is_whole", lambda _: False)
    assert [states(pieces) for pieces in cuts] == quick
