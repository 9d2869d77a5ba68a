"""Secrets that come in pieces: wherever they are split and wherever the stream is cut, no part of them is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness.record.keeping import Kept
from harness.record.secrets import MIN_LEFT
from harness.record.transport import Recording
from harness.record.wire import RecordError

from .planted_secrets import AWS_STREAM, HEX, KEY, SHAPES, TELLINGS, URL, Shape, sse
from .test_secrets import chunkings, views

if TYPE_CHECKING:
    from collections.abc import Iterable


def kept(body: bytes, chunks: Iterable[bytes], *, carried: str = "", telling: str = "chat") -> bytes | None:
    """The body as it would be written; None if the cassette is refused."""
    headers = AWS_STREAM if telling == "bedrock" else {"content-type": "text/event-stream"}
    lengths = tuple(map(len, chunks))
    sent = (("authorization", f"Bearer {carried}"),) if carried else ()
    keeping = Kept("openai-chat", "x")
    keeping.add(
        Recording(
            "POST",
            URL,
            sent,
            b"{}",
            200,
            "OK",
            tuple(headers.items()),
            body,
            lengths,
            (0.0,) * len(lengths),
            "complete",
            False,
            datetime(2026, 1, 1, tzinfo=UTC),
        )
    )
    try:
        (interaction,) = keeping.cassette().interactions
    except RecordError:
        return None
    assert len(interaction.body) == len(body)
    assert interaction.stream.chunks == lengths
    return interaction.body


def fragments(secret: str) -> set[bytes]:
    return {secret[at : at + MIN_LEFT].encode() for at in range(len(secret) - MIN_LEFT + 1)}


def left(body: bytes, shape: Shape) -> list[bytes]:
    """The parts of the secret that a reader could find."""
    seen = views(body, 2)
    return [part for part in fragments(shape.secret) if any(part in view for view in seen)]


@pytest.mark.parametrize("telling", TELLINGS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_split_over_two_or_three_events_is_overwritten_in_each(name: str, telling: str) -> None:
    shape, tell = SHAPES[name], TELLINGS[telling]
    told = shape.before + shape.secret
    plain = tell("Here: ", told, " it is")
    assert len(left(plain, shape)) == len(fragments(shape.secret)), "else this test shows nothing"
    for at in range(1, len(told), 1 if telling == "chat" else 5):
        texts = (told[:at], told[at:]) if at % 2 else (told[: at // 2], told[at // 2 : at], told[at:])
        body = tell("Here: ", *filter(None, texts), " it is")
        chunks = chunkings(body)["odd" if at % 3 else "whole"]
        written = kept(body, chunks, carried=shape.secret if shape.carried else "", telling=telling)
        assert written is not None, at
        assert left(written, shape) == [], at


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_is_left_of_a_secret_in_a_stream_that_was_cut_in_it(name: str) -> None:
    shape = SHAPES[name]
    told = shape.before + shape.secret
    for body in (sse("Here: ", told), sse("Here: ", told[:30], told[30:])):
        for end in range(len(body) - len(shape.secret) - 10, len(body)):
            cut = body[:end]
            written = kept(cut, chunkings(cut)["whole"], carried=shape.secret if shape.carried else "")
            assert written is None or left(written, shape) == [], end


def test_the_pieces_still_add_up_to_what_a_later_event_repeats() -> None:
    body = sse("Key: ", KEY[:20], KEY[20:33], KEY[33:], ".") + b'data: {"text":"Key: %s."}\n\n' % KEY.encode()
    for chunks in chunkings(body).values():
        written = kept(body, chunks)
        assert written is not None
        told = b"".join(part.partition(b'"')[0] for part in written.split(b'"content":"')[1:])
        assert b'"text":"' + told in written


def test_what_escapes_break_up_is_refused_or_gone() -> None:
    for at in range(1, len(KEY)):
        escaped = KEY[:at] + f"\\u{ord(KEY[at]):04x}" + KEY[at + 1 :]
        body = b'data: {"content":"%s"}\n\n' % escaped.encode()
        written = kept(body, [body])
        assert written is None or left(written, Shape("", KEY[8:])) == [], at


def test_the_end_of_one_text_and_the_start_of_another_are_no_secret() -> None:
    body = b'data: {"name":"get_weather"}\n\ndata: {"name":"user@example.com"}\n\ndata: {"name":"now"}\n\n'
    for chunks in chunkings(body).values():
        assert kept(body, chunks, carried=HEX) == body
