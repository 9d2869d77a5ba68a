"""``decode --dialect eventstream|ndjson|jsonarray``: the frames of a body, and what ended it before its time."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from harness.decode import decode_files


def decoded(folder: Path, dialect: str, body: bytes) -> list[Any]:
    """The trace without its header, under every size of chunks that matters."""
    file = folder / "body"
    file.write_bytes(body)
    traces = [
        list(decode_files([str(file)], dialect=dialect, chunks=chunks, summary=False, policy="lenient"))
        for chunks in ("whole", "bytes", "7")
    ]
    assert traces[0] == traces[1] == traces[2]
    assert all(line.isascii() for line in traces[0])
    return [json.loads(line) for line in traces[0][1:]]


def message(block: bytes, payload: bytes) -> bytes:
    """An AWS event-stream message."""
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    whole = prelude + block + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def test_eventstream(tmp_path: Path) -> None:
    key = UUID("00112233-4455-6677-8899-aabbccddeeff")
    block = b"\x01s\x07\x00\x02\xc3\xa9" + b"\x01b\x06\x00\x02\x00\xff" + b"\x01t\x00" + b"\x01u\x09" + key.bytes
    block += b"\x01d\x08" + struct.pack(">q", 1_700_000_000_123)
    headers = {"s": "\u00e9", "b": "AP8=", "t": True, "u": str(key), "d": 1_700_000_000_123}
    frames = [
        ["frame", {"data": '{"a":"\u00e9"}', "headers": headers}],
        ["frame", {"data_base64": "/wA=", "headers": {}}],
    ]
    body = message(block, '{"a":"\u00e9"}'.encode()) + message(b"", b"\xff\x00")

    assert decoded(tmp_path, "eventstream", body) == [*frames, {"end": "ok"}]
    for bad, kind, stage in (
        (message(b"", b"x")[:-1] + b"\0", "frame_crc", "stream"),
        (message(b"\x09", b"x"), "frame_length", "stream"),
        (message(b"", b"x")[:-1], "incomplete_stream", "close"),
    ):
        end = {"end": "error", "error": {"kind": kind, "stage": stage}}
        assert decoded(tmp_path, "eventstream", body + bad) == [*frames, end]


def test_eventstream_of_text(tmp_path: Path) -> None:
    end = {"end": "error", "error": {"kind": "not_an_event_stream", "stage": "stream"}}
    assert decoded(tmp_path, "eventstream", b'{"message":"denied"}') == [end]


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n"])
def test_ndjson(tmp_path: Path, tail: bytes) -> None:
    """The last line needs no line end."""
    expected = [["frame", {"data": '{"a":"\u00e9"}'}], ["frame", {"data": "2"}], {"end": "ok"}]
    assert decoded(tmp_path, "ndjson", '{"a":"\u00e9"}\r\n\n2'.encode() + tail) == expected


def test_jsonarray(tmp_path: Path) -> None:
    frames = [["frame", {"data": '{"a": [1]}'}], ["frame", {"data": "{}"}]]
    incomplete = {"end": "error", "error": {"kind": "incomplete_stream", "stage": "close"}}
    malformed = {"end": "error", "error": {"kind": "malformed_json", "stage": "stream"}}

    assert decoded(tmp_path, "jsonarray", b'[{"a": [1]}\n, {}]') == [*frames, {"end": "ok"}]
    assert decoded(tmp_path, "jsonarray", b'[{"a": [1]}\n, {}') == [*frames, incomplete]
    assert decoded(tmp_path, "jsonarray", b'[{"a": [1]}\n, {}, {"b"') == [*frames, incomplete]
    assert decoded(tmp_path, "jsonarray", b'[{"a": [1]}\n, {} {}]') == [*frames, malformed]
    assert decoded(tmp_path, "jsonarray", b'{"error":1}') == [["frame", {"data": '{"error":1}'}], {"end": "ok"}]


def test_sse_discards_a_cut_block(tmp_path: Path) -> None:
    assert decoded(tmp_path, "sse", b"data: a\n\ndata: b") == [["frame", {"data": "a"}], {"end": "ok"}]
