"""The decoder as a whole: its life, its message, and its limits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from unittest import mock

import pytest

import streamcore.decoder
from streamcore import CallerError, Decoder, Limits, StreamcoreError

from .streams import BODY, BY_FRAME, FRAMES, ODD, POLICIES, USAGE, per_byte
from .wire import (
    DONE,
    HEAD,
    START,
    chunkings,
    decode,
    decode_every_way,
    err,
    event,
    finish,
    size,
    t_delta,
    t_start,
    text,
)

# -- life -----------------------------------------------------------------------------------------------------------


def test_the_whole_of_it() -> None:
    decoded = decode_every_way(BODY)

    assert decoded.parts == [part for parts in BY_FRAME for part in parts]
    assert decoded.codes == []
    message = decoded.message
    assert message.complete
    assert (message.id, message.model, message.timestamp) == ("c", "m", "1970-01-01T00:00:01.000Z")
    assert message.text == "h\u00e9!"
    assert message.usage is not None
    assert message.usage.as_json() == USAGE


def test_parts_come_out_with_the_byte_that_completes_them() -> None:
    decoder = Decoder("openai-chat")
    for number, frame in enumerate(FRAMES):
        assert per_byte(decoder, frame[:-1]) == []
        assert [part.as_json() for part in decoder.feed(frame[-1:])] == BY_FRAME[number]
        assert decoder.offset == size(*FRAMES[: number + 1])
        assert decoder.frames == number + 1


def test_empty_chunks_are_nothing() -> None:
    decoder = Decoder("openai-chat")
    for piece in (b"", *chunkings(BODY).__next__(), b""):
        state = decoder.snapshot()
        assert decoder.feed(b"") == []
        assert decoder.snapshot() == state
        decoder.feed(piece)
    assert decoder.message.complete


def test_closing() -> None:
    decoder = Decoder("openai-chat")
    decoder.feed(text("x"))
    [error] = decoder.close()
    assert error.as_json() == err("incomplete_stream", "close", size(text("x")))
    assert decoder.close() == []
    for chunk in (b"", b"x", text("y")):
        with pytest.raises(CallerError, match=r"feed\(\) after close\(\)"):
            decoder.feed(chunk)
    assert decoder.message.text == "x"


@pytest.mark.parametrize("chunk", ["text", bytearray(b"x"), memoryview(b"x"), None, 5, [1]])
def test_only_bytes_are_bytes(chunk: Any) -> None:
    decoder = Decoder("openai-chat")
    with pytest.raises(CallerError, match=f"takes bytes, not {type(chunk).__name__}"):
        decoder.feed(chunk)
    assert decode([BODY]).message.complete


def test_unknown_names() -> None:
    with pytest.raises(CallerError, match=r"unknown dialect 'openai'; known: .*openai-chat"):
        Decoder("openai")
    with pytest.raises(CallerError, match="unknown policy 'lax'; known: lenient, strict"):
        Decoder("openai-chat", policy="lax")
    assert issubclass(CallerError, StreamcoreError)
    with pytest.raises(TypeError, match="abstract"):
        StreamcoreError("x")


def test_a_decoder_that_keeps_no_message() -> None:
    decoder = Decoder("openai-chat", assemble=False)
    expected = decode(BODY)
    assert per_byte(decoder, BODY) + decoder.close() == expected.items
    with pytest.raises(CallerError, match="assemble=False"):
        _ = decoder.message
    assert decoder.warnings == []


def test_warnings_are_the_readers_own() -> None:
    decoder = Decoder("openai-chat")
    decoder.feed(b"data:\n\n")
    decoder.warnings.clear()
    assert [(w.code, w.offset, w.detail) for w in decoder.warnings] == [
        ("empty_data", 7, "an event with empty data"),
    ]


def test_the_message_grows_with_the_parts() -> None:
    """Looking at it changes nothing."""
    looked, other = Decoder("openai-chat"), Decoder("openai-chat")
    texts, arguments = [], []
    for at in range(len(BODY)):
        assert looked.feed(BODY[at : at + 1]) == other.feed(BODY[at : at + 1])
        message = looked.message
        assert message == looked.message
        texts.append(message.text)
        arguments.append("".join(c.arguments for c in message.tool_calls))
        assert message.finish is None or at == len(BODY) - 1
    assert looked.snapshot() == other.snapshot()
    assert looked.message == other.message
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert all(later.startswith(earlier) for earlier, later in pairwise(arguments))


@pytest.mark.parametrize("every", [1, 2, 3, 4096])
def test_how_often_parts_are_folded_does_not_show(every: int) -> None:
    with mock.patch.object(streamcore.decoder, "_FOLD_EVERY", every):
        for body in (BODY, ODD):
            assert decode_every_way(body).message == decode(body).message
            decoder = Decoder("openai-chat")
            decoder.feed(body[:300])
            snapshot = decoder.snapshot()
            decoder.feed(body[300:])
            decoder.close()
            other = Decoder("openai-chat")
            other.restore(snapshot)
            other.feed(body[300:])
            other.close()
            assert other.message == decoder.message == decode(body).message


# -- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_a_frame_that_is_too_large_ends_the_stream(policy: Any) -> None:
    """V27: at one and the same byte however the stream is cut; what came before stays."""
    first = text("hi")
    long = text("x" * 500)
    limit = len(first) + 100
    decoded = decode_every_way(first + long + b"".join(FRAMES), policy=policy, limits=Limits(max_frame_bytes=limit))

    error = err("event_too_large", "stream", len(first) + limit)
    assert decoded.parts == [*HEAD, t_start(), t_delta("hi"), error]
    assert decoded.codes == []
    assert decoded.message.error is not None
    assert decoded.message.error.detail == f"a frame of more than {limit} bytes"
    assert decoded.message.text == "hi"
    assert not decoded.message.complete


def test_a_frame_that_is_too_large_first() -> None:
    decoded = decode_every_way(b"data: " + b"x" * 300, limits=Limits(max_frame_bytes=64))
    assert decoded.parts == [START, err("event_too_large", "stream", 64)]


def test_the_state_after_a_frame_that_is_too_large() -> None:
    limits = Limits(max_frame_bytes=64)
    body = b"event: x\nid: 1\ndata: " + b"x" * 300
    states = set()
    for pieces in chunkings(body):
        decoder = Decoder("openai-chat", limits=limits)
        for piece in pieces:
            decoder.feed(piece)
        states.add(decoder.snapshot())
        assert decoder.feed(b"data: [DONE]\n\n") == []
        assert decoder.close() == []
    assert len(states) == 1


def test_a_large_frame_is_delivered_whole() -> None:
    """WH-018."""
    content = "0123456789abcdef" * (1 << 18)
    body = text(content) + finish("stop") + DONE
    for step in (len(body), 1 << 16, 1460):
        decoded = decode([body[at : at + step] for at in range(0, len(body), step)])
        assert decoded.message.text == content


def test_the_depth_limit_is_the_callers() -> None:
    decoded = decode_every_way(text("a") + event({"choices": [], "x": [[[[1]]]]}), limits=Limits(max_json_depth=4))
    kinds = [part["kind"] for part in decoded.parts if part["type"] == "error"]
    assert kinds == ["malformed_json", "incomplete_stream"]
