"""The SSE framer against WHATWG HTML, section 9.2.6, on generated streams.

:func:`interpret` is the standard's own wording, one step at a time, on the whole stream at once; slow, and sharing
nothing with the framer. The streams are made of the pieces that framers trip over. ``HYPOTHESIS_PROFILE=thorough`` runs
10^5 of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from streamcore.framing import sse
from streamcore.framing.sse import SseFrame, SseFramer


@dataclass
class Dispatched:
    """One event as the standard dispatches it."""

    data: str
    type: str
    last_event_id: str


@dataclass
class Stream:
    """All that the standard makes of a stream."""

    events: list[Dispatched]
    last_event_id: str
    retry: int | None


def interpret(body: bytes) -> Stream:
    """Parsing and interpreting an event stream (9.2.5, 9.2.6); "event type buffer" empty stands for "message"."""
    # "Streams must be decoded using the UTF-8 decode algorithm", which strips one leading BOM.
    text = body.decode("utf-8", "replace")
    if text.startswith("\ufeff"):
        text = text[1:]
    # "The stream must then be parsed by reading everything line by line": CRLF, a single LF, a single CR.
    lines = []
    line = ""
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\r":
            lines.append(line)
            line = ""
            if text[position + 1 : position + 2] == "\n":
                position += 1
        elif character == "\n":
            lines.append(line)
            line = ""
        else:
            line += character
        position += 1
    # "Once the end of the file is reached, any pending data must be discarded": the line, and with it the open block.
    data = event_type = last_event_id_buffer = last_event_id_string = ""
    retry: int | None = None
    events = []
    for line in lines:
        if line == "":
            last_event_id_string = last_event_id_buffer
            if data == "":
                event_type = ""
                continue
            if data[-1] == "\n":
                data = data[:-1]
            events.append(Dispatched(data, event_type, last_event_id_string))
            data = event_type = ""
            continue
        if line[0] == ":":
            continue
        if ":" in line:
            field = line[: line.index(":")]
            value = line[line.index(":") + 1 :]
            if value[:1] == " ":
                value = value[1:]
        else:
            field = line
            value = ""
        if field == "event":
            event_type = value
        elif field == "data":
            data += value
            data += "\n"
        elif field == "id":
            if "\0" not in value:
                last_event_id_buffer = value
        elif field == "retry" and value != "" and all(digit in "0123456789" for digit in value):
            retry = int(value)
    return Stream(events, last_event_id_string, retry)


PIECES = [
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\r\n\r"),
    *(b":", b" ", b": ", b"::", b"\0", b"\t", b"x", b"\xe5\x8c\x97"),
    *(b"data", b"data:", b"data: ", b"data: x", b"data: {}\n\n", b"data:x\n", b"data\n", b"dat"),
    *(b"DATA: x\n", b"datax: y\n"),
    *(b"event", b"event: ", b"event: x\n", b"event:y\n", b"event\n", b"event: x\ndata: y\n\n"),
    *(b"id", b"id: ", b"id: 1\n", b"id: 2\0\n", b"id\n", b"id:3\ndata:z\n\n"),
    *(b"retry: ", b"retry: 10\n", b"retry:5\r", b"retry: -1\n", b"retry: 1_0\n", b"retry: \xd9\xa5\n", b"1", b"0"),
    *(b"\xef\xbb\xbf", b"\xef", b"\xef\xbb", b"\xbf", b"\xbb\xbf"),
    *(b"\xe2", b"\xe2\x82", b"\xac", b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\xff", b"\xc0\x80", b"\xed\xa0\x80"),
    *("\u2028".encode(), "\u0085".encode(), b"\x0b", b"\x0c", b"\x1c", b"\x85"),
    b": comment\n",
    b"[DONE]",
]  # fmt: skip

streams = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=24).map(b"".join)
cuts = st.lists(st.integers(0, 200), max_size=6)


def cut(body: bytes, offsets: list[int]) -> list[bytes]:
    bounds = [0, *sorted(min(offset, len(body)) for offset in offsets), len(body)]
    return [body[start:end] for start, end in pairwise(bounds)]


def agree(body: bytes, pieces: list[bytes]) -> None:
    expected = interpret(body)
    framer = SseFramer()
    frames: list[SseFrame] = []
    for piece in pieces:
        frames += framer.feed(piece)
    assert [(data.decode("utf-8", "replace"), event) for data, event, _, _ in frames] == [
        (event.data, event.type) for event in expected.events
    ]
    own = ""
    for (_, _, block_id, _), event in zip(frames, expected.events, strict=True):
        own = event.last_event_id if block_id is None else block_id
        assert own == event.last_event_id
    assert framer.last_event_id == expected.last_event_id
    assert framer.retry == expected.retry
    assert framer.frames == len(frames)
    assert framer.offset == len(body)


@given(streams, cuts)
@example(b"\xef\xbb\xbfdata: a\r\n\r\n", [1, 2, 3, 14])
@example(b"data: a\n\r\ndata: b\r\r", [8, 9])
@example(b"id: 1\ndata\n\nid: 2\0\ndata: \n\nid\n\n", [])
def test_the_framer_does_what_the_standard_says(body: bytes, offsets: list[int]) -> None:
    agree(body, [body])
    agree(body, cut(body, offsets))
    agree(body, [body[at : at + 1] for at in range(len(body))])


@given(streams, cuts)
@example(b"data: a\n\ndata: b\n\n\ndata: c\n\n", [])
@example(b"event: a\n\nevent: b\ndata: x\ndata: y\n\nevent: c\ndata: z\n\n", [])
@example(b"data: x\n\nevent: a\ndata: y\n\ndata: z\n\nevent: b\ndata: y\n\n", [4])
def test_so_does_the_way_for_large_chunks(body: bytes, offsets: list[int]) -> None:
    with mock.patch.object(sse, "_WORTH_BULK", 1):
        agree(body, [body])
        agree(body, cut(body, offsets))


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(b"".join), streams)
def test_the_way_for_large_chunks_on_large_chunks(odd: bytes, more: bytes) -> None:
    plain = b"data: {}\n\n" * 410
    agree(odd + plain + more, [odd + plain + more])
    agree(odd + plain + more, [odd, plain, more])


@given(streams)
def test_the_unterminated_block_is_what_two_line_ends_would_have_made_of_it(body: bytes) -> None:
    """``close`` gives the block that the standard discards; a line that may be half a field name is left out."""
    framer = SseFramer()
    framer.feed(body)
    last_line = body.replace(b"\r", b"\n").rpartition(b"\n")[2]
    residual = framer.close()
    if b"data".startswith(last_line) or b"event".startswith(last_line) or body == last_line:
        return
    fed = interpret(body).events
    ended = interpret(body + b"\n\n").events
    assert len(ended) - len(fed) == (residual is not None)
    if residual is not None:
        assert (residual[0].decode("utf-8", "replace"), residual[1]) == (ended[-1].data, ended[-1].type)
        assert residual[3] == len(body)


@given(streams, cuts, st.integers(0, 200))
def test_snapshots_continue_anywhere(body: bytes, offsets: list[int], at: int) -> None:
    at = min(at, len(body))
    first = SseFramer()
    for piece in cut(body[:at], offsets):
        first.feed(piece)
    other = SseFramer()
    other.feed(body[:at])
    assert other.snapshot() == first.snapshot()
    second = SseFramer()
    second.restore(first.snapshot())
    assert second.feed(body[at:]) == first.feed(body[at:])
    assert second.snapshot() == first.snapshot()
    assert second.close() == first.close()
