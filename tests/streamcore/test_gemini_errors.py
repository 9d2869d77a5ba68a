"""Gemini streams that are cut, broken, or end with the provider's error."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from streamcore import Decoder

from .gemini_wire import FIRST, STOP, USAGE, arg, array, call, chunk, fin, gemini, piece, sse, text, without_offsets
from .wire import START, Json, decode, decode_every_way, err, i_delta, i_start, t_delta, t_end, t_start

SSE = "gemini-generateContent"
ARRAY = "gemini-generateContent-json-array"
ERROR: Json = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}
BARE = json.dumps({"error": ERROR}, indent=2).encode()
STREAM = (
    chunk(text("a", thought=True), responseId="r"),
    chunk(text("b:\u00e9"), usageMetadata=USAGE, responseId="r"),
    chunk(piece(name="f")),
    chunk(piece(arg("$.x", "y", True))),
    chunk({"functionCall": {}}, call("g", {"z": 1})),
    chunk(text("c"), finish="STOP", usageMetadata=USAGE),
)


def kinds(parts: list[Json]) -> list[tuple[str, str]]:
    return [(part["kind"], part["stage"]) for part in parts if part["type"] == "error"]


@pytest.mark.parametrize("dialect", [SSE, ARRAY])
def test_a_cut_stream_never_looks_complete(dialect: str) -> None:
    body = sse(*STREAM) if dialect == SSE else array(*STREAM)
    whole = decode(body, dialect)
    # Whole is the last chunk with its JSON; of an array also the bracket behind it.
    end = body.rindex(b"}") + 1 if dialect == SSE else body.rindex(b"]") + 1
    for at in range(len(body)):
        cut = decode(body[:at], dialect)
        if at < end:
            assert kinds(cut.parts) == [("incomplete_stream", "close")]
            assert not cut.message.complete
            before = cut.parts[:-1]
            assert before == whole.parts[: len(before)]
        else:
            assert cut.parts == whole.parts
            assert cut.message.complete


def test_a_call_that_was_cut() -> None:
    decoded = gemini(*STREAM[:4])

    assert without_offsets(decoded)[-3:] == [
        i_start("gen_0"),
        i_delta('{"x":"y', "gen_0"),
        {"type": "error", "kind": "incomplete_stream", "stage": "close"},
    ]
    [block] = decoded.message.tool_calls
    assert not block.executable


@pytest.mark.parametrize("reason", [None, "", "FINISH_REASON_UNSPECIFIED"])
def test_no_finish_reason(reason: str | None) -> None:
    decoded = gemini(chunk(text("a"), finish=reason), {"usageMetadata": USAGE})

    assert kinds(decoded.parts) == [("incomplete_stream", "close")]


def test_a_candidate_that_did_not_finish() -> None:
    candidates = [{"index": 0, "content": {"parts": [text("a")]}}, {"index": 1, "finishReason": "STOP"}]

    assert kinds(gemini({"candidates": candidates}).parts) == [("incomplete_stream", "close")]


def test_an_unterminated_event() -> None:
    body = sse(*STREAM)
    decoded = decode_every_way(body[:-4], SSE)

    assert decoded.parts == decode(body, SSE).parts
    assert decoded.codes == ["unterminated_event"]
    assert kinds(decode_every_way(body[:-4], SSE, policy="strict").parts) == [("incomplete_stream", "close")]


@pytest.mark.parametrize("body", [BARE, b"[" + BARE + b"]", sse({"error": ERROR}), sse([{"error": ERROR}])])
def test_an_error_instead_of_a_stream(body: bytes) -> None:
    offset = len(body) - body.endswith(b"\n")  # of the CR that ends the event

    assert decode_every_way(body, SSE).parts == [err("provider", "open", offset, ERROR)]


@pytest.mark.parametrize("body", [BARE, b"[" + BARE + b"]", b"[" + BARE])
def test_an_error_instead_of_an_array(body: bytes) -> None:
    assert [{**part, "offset": 0} for part in decode_every_way(body, ARRAY).parts] == [err("provider", "open", 0, ERROR)]


@pytest.mark.parametrize("tail", [BARE, BARE + b"\n", b"[" + BARE + b"\n]"])
def test_an_error_behind_the_events(tail: bytes) -> None:
    head = sse(chunk(text("a"), responseId="r"))
    decoded = decode_every_way(head + tail, SSE)

    assert decoded.parts == [
        START,
        FIRST,
        t_start(),
        t_delta("a"),
        err("provider", "stream", len(head + tail), ERROR),
        t_end(),
        fin("error", None),
    ]


def test_an_error_in_the_stream() -> None:
    decoded = gemini(chunk(text("a")), chunk(piece(arg("$.x", 1), name="f")), {"error": ERROR})

    assert without_offsets(decoded)[3:] == [
        i_start("gen_0"),
        i_delta('{"x":1', "gen_0"),
        {"type": "error", "kind": "provider", "stage": "stream", "payload": ERROR},
        t_end(),
        fin("error", None),
    ]
    assert not decoded.message.complete
    assert not decoded.message.tool_calls[0].executable


def test_an_error_beside_content() -> None:
    decoded = gemini(chunk(text("a"), finish="STOP", error=ERROR), STOP)

    assert without_offsets(decoded) == [{"type": "error", "kind": "provider", "stage": "open", "payload": ERROR}]
    decoded = gemini(chunk(text("a")), chunk(text("b"), finish="STOP", error="boom"))
    assert without_offsets(decoded)[3:] == [
        {"type": "error", "kind": "provider", "stage": "stream", "payload": "boom"},
        t_delta("b"),
        t_end(),
        fin("error", "STOP"),
    ]


@pytest.mark.parametrize("error", [None, ERROR])
def test_nothing_but_null_is_no_error(error: Any) -> None:
    decoded = gemini(chunk(text("a"), finish="STOP"), {"error": error})

    assert decoded.message.complete == (error is None)


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        [],
        [chunk(text("a"))],
        {"candidates": {}},
        {"candidates": [None]},
        chunk({"text": 1}),
        chunk(text("a"), finishReason=1),
        {"promptFeedback": "no"},
        {"responseId": 1},
    ],
)
def test_payloads_of_another_shape(value: Any) -> None:
    decoded = gemini(chunk(text("a")), value, chunk(text("b"), finish="STOP"))

    assert without_offsets(decoded)[3] == {
        "type": "error",
        "kind": "invalid_payload",
        "stage": "stream",
        "payload": value,
    }
    assert decoded.message.text == "ab"
    assert not decoded.message.complete


def test_a_payload_that_is_no_json() -> None:
    decoded = decode_every_way(sse(chunk(text("a"))) + b"data: {\r\n\r\n" + sse(STOP), SSE)

    assert kinds(decoded.parts) == [("malformed_json", "stream")]


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x1f\x8b\x08", b"[]", b"[", b"[1]", b"{}"])
@pytest.mark.parametrize("dialect", [SSE, ARRAY])
def test_bodies_that_are_no_answer(dialect: str, body: bytes) -> None:
    decoded = decode_every_way(body, dialect)

    assert decoded.parts[-1]["type"] == "error"
    assert decoded.parts[-1]["kind"] in ("incomplete_stream", "not_an_event_stream")


def test_an_array_that_is_read_as_events_is_no_event_stream() -> None:
    assert kinds(decode_every_way(array(*STREAM), SSE).parts) == [("not_an_event_stream", "open")]


def test_strict() -> None:
    odd = [
        chunk(call("f", {}, id="a"), call("f", {}, id="a")),
        chunk(piece(arg("$.x", 1), arg("$.x", 1), name="f")),
        chunk(call("f", [])),
        {"candidates": [{"index": "0"}]},
    ]
    for one in odd:
        decoded = gemini(chunk(text("a")), one, STOP, policy="strict")
        assert decoded.parts[-1]["type"] == "error"
        assert decoded.parts[-1]["kind"] in ("tool_call_protocol", "invalid_arguments", "invalid_payload")
        assert gemini(chunk(text("a")), one, STOP).parts[-1]["type"] == "finish"
    assert gemini(*STREAM, policy="strict") == gemini(*STREAM)


@pytest.mark.parametrize("dialect", [SSE, ARRAY, "vertex-gemini", "vertex-gemini-json-array"])
def test_mutated_bytes_never_raise(dialect: str) -> None:
    chance = random.Random(11)
    body = array(*STREAM) if dialect.endswith("array") else sse(*STREAM)
    tokens = [b'"', b"{", b"}", b"[", b"]", b":", b",", b"\\", b"null", b"1e999", b"\xff", b"\r\n\r\n", b"$", b"true"]
    for _ in range(200):
        mutated = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(mutated))
            mutated[at : at + chance.randint(0, 3)] = chance.choice(tokens)
        pieces = [bytes(mutated[start : start + 50]) for start in range(0, len(mutated), 50)]
        decoded = decode(bytes(mutated), dialect)
        assert decode(pieces, dialect) == decoded
        assert decode(bytes(mutated), dialect, general=True) == decoded
        assert decoded.parts[-1]["type"] in ("finish", "error")


@pytest.mark.parametrize("dialect", [SSE, ARRAY])
def test_the_state_at_every_byte_can_be_restored(dialect: str) -> None:
    body = array(*STREAM) if dialect == ARRAY else sse(*STREAM)
    whole = decode(body, dialect)
    decoder = Decoder(dialect)
    parts = []
    for at in range(len(body)):
        snapshot = decoder.snapshot()
        assert hash(snapshot) == hash(decoder.snapshot())
        decoder = Decoder(dialect)
        decoder.restore(snapshot)
        parts += decoder.feed(body[at : at + 1])
    parts += decoder.close()

    assert parts == whole.items
    assert decoder.message == whole.message
