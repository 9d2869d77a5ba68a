"""Row A4: arguments of any length stream through, and both views of them, escaped and not, are right wherever they are cut."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator

import pytest

from streamcore import Decoder, FieldStream, Limits
from streamcore.parts import Part, ToolCall, ToolInputDelta
from streamcore.sinks import ConversationLines, SinkDriver

from .test_sinks import Recorder
from .wire import DONE, call, choice, chunk, chunkings, event, finish, tools

MEGABYTES = 10
PIECE = 8 * 1024
FRAME = 3 * PIECE
"""Bytes that the decoder may hold of a frame: each piece is escaped twice on the wire, and its frame has some words more."""


def long_call() -> Iterator[bytes]:
    """The frames of a call with ``MEGABYTES`` of arguments, its head and its end among them."""
    yield tools(call(0, "a", "f", '{"path":"a.txt","content":"'))
    line = 'row "1"\t\\ \u00e9\n' + "word " * 150
    filler = json.dumps(line * (PIECE // len(json.dumps(line)) + 1), ensure_ascii=False)[1:-1]
    told = 0
    while told < MEGABYTES * 1024 * 1024:
        yield tools(call(0, args=filler[:PIECE]))
        yield tools(call(0, args=filler[PIECE:]))
        told += len(filler.encode())
    yield tools(call(0, args='"}'))
    yield finish("tool_calls") + DONE


@pytest.mark.parametrize("size", [1000, 64 * 1024])
def test_ten_megabytes_stream_through(size: int) -> None:
    """Nothing but the arguments themselves is held, once, and never more than a frame of what came last."""
    decoder = Decoder("openai-chat", limits=Limits(max_frame_bytes=FRAME), assemble=False)
    field = FieldStream("content")
    body = b"".join(long_call())
    assert len(body) > MEGABYTES * 1024 * 1024
    first = 0
    told, shown, peak = 0, 0, 0
    parts: list[Part] = []
    for at in range(0, len(body), size):
        if at == size:
            tracemalloc.start()
        parts = decoder.feed(body[at : at + size])
        for part in parts:
            if isinstance(part, ToolInputDelta):
                first = first or at + size
                told += len(part.delta)
                shown += sum(len(piece.delta) for piece in field.feed(part.delta))
            elif isinstance(part, ToolCall):
                assert len(part.input) == told
                assert len(json.loads(part.input)["content"]) == shown
        if at + 2 * size > len(body) - 200:  # the end of the call is near: then all of it is put together
            peak = peak or tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert parts[-1].type == "finish"
    assert decoder.close() == []
    assert 0 < first <= max(size, 1000)
    assert told > 0.9 * MEGABYTES * 1024 * 1024
    assert 0 < peak - told < 2 * 1024 * 1024


HARD = 'a\\b"c"\\\\"\U0001f600\u00e9\u4f60/\n\t\\u00e9\ud83d\ude00'.encode("utf-16", "surrogatepass").decode("utf-16")


@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "raw"])
def test_both_views_are_right_at_every_split(ascii_only: bool) -> None:
    r"""Inside ``\\``, ``\"``, ``\ud83d\ude00``, and inside the bytes of a character: of the arguments, and of the body."""
    text = json.dumps({"path": "p", "content": HARD}, ensure_ascii=ascii_only)
    for at in range(len(text) + 1):
        calls = [call(0, "a", "f", ""), call(0, args=text[:at]), call(0, args=text[at:])]
        chunks = [chunk(choice({"tool_calls": [one]})) for one in calls]
        body = b"".join([*(event(json.dumps(one, ensure_ascii=ascii_only)) for one in chunks), finish("tool_calls"), DONE])
        few = [[body], *([body[place : place + width] for place in range(0, len(body), width)] for width in (1, 3))]
        for pieces in chunkings(body, len(body)) if at == text.index("\\") + 1 else few:
            deltas, line = views(pieces)
            field = FieldStream("content")
            shown = [piece for delta in deltas for piece in field.feed(delta)]
            assert "".join(deltas) == text
            assert "".join(piece.delta for piece in shown) == HARD
            assert json.loads(line) == {"id": "a", "name": "f", "arguments": text}
            assert json.loads(json.loads(line)["arguments"])["content"] == HARD
            for piece in shown:
                piece.delta.encode()


def views(pieces: list[bytes]) -> tuple[list[str], str]:
    """The deltas of the call, as the writer for the tools gets them; and the line of the conversation."""
    decoder, sink, written = Decoder("openai-chat"), Recorder(), list[str]()
    sink.conversation = ConversationLines(written.append)
    driver = SinkDriver(sink)
    for piece in pieces:
        driver.add(decoder.feed(piece))
    driver.add(decoder.close())
    driver.close()
    return [each[3] for each in sink.log if each[:2] == ("tools", "delta")], "".join(written)
