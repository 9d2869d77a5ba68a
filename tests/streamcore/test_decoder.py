"""The decoder as a whole: its life, its state, its limits, and what it does with bytes that mean nothing."""

from __future__ import annotations

import gc
import os
import random
import time
import tracemalloc
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streamcore.decoder
from streamcore import DIALECTS, CallerError, Decoder, Limits, Message, Part, Snapshot, StreamcoreError

from .wire import (
    DONE,
    HEAD,
    START,
    Json,
    call,
    chat,
    check_order,
    chunkings,
    decode,
    decode_every_way,
    ended,
    err,
    event,
    fin,
    finish,
    i_delta,
    i_start,
    size,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)

FRAMES = [
    text("h\u00e9"),
    tools(call(0, "a", "f", "{")),
    tools(call(0, args='"k":1')),
    text("!"),
    tools(call(0, args="}")),
    finish("tool_calls"),
    event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
    DONE,
]
BODY = b"".join(FRAMES)
USAGE = {
    "inputTokens": {"total": 1, "noCache": 1, "cacheRead": 0},
    "outputTokens": {"total": 2, "text": 2, "reasoning": 0},
    "raw": {"prompt_tokens": 1, "completion_tokens": 2},
}
BY_FRAME: list[list[Json]] = [
    [*HEAD, t_start(), t_delta("h\u00e9")],
    [i_start(), i_delta("{")],
    [i_delta('"k":1')],
    [t_delta("!")],
    [i_delta("}")],
    [],
    [],
    [t_end(), *ended('{"k":1}'), fin("tool-calls", "tool_calls", usage=USAGE)],
]
"""The parts that each of ``FRAMES`` completes."""

ODD = b"".join(
    [
        b"\xef\xbb\xbf: hello\r\n\r\n",
        text("x").replace(b"\n", b"\r\n"),
        event({"error": {"message": "boom"}}, "error"),
        b"stray\n",
        event("{"),
        tools(call(None, "a", "f", "{"), call(3, args="]"), call(3, name="g")),
        tools(call(0, "a", "f", "{}"), call(0, "b", "f", {"x": 1})),
        chat({"refusal": "no"}, "stop", 1),
        event(b'{"choices":[],"choices":[]}'),
        b"id: 1\ndata: {\ndata: }\n\n",
        b'data: {"choices"',
    ]
)
"""A stream that uses nearly every leniency."""

ANTHROPIC = b"".join(
    event({"type": name, **payload}, name)
    for name, payload in [
        ("message_start", {"message": {"id": "m", "model": "c", "usage": {"input_tokens": 1, "output_tokens": 1}}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
        ("content_block_stop", {"index": 0}),
        ("content_block_start", {"index": 1, "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}}}),
        ("content_block_delta", {"index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"k":1}'}}),
        ("content_block_stop", {"index": 1}),
        ("message_delta", {"delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}),
        ("message_stop", {}),
    ]
)  # fmt: skip

BODIES = {"openai-chat": [BODY, ODD], "anthropic-messages": [ANTHROPIC]}
STREAMS = [(dialect, body) for dialect in sorted(DIALECTS) for body in BODIES[dialect]]
IDS = [f"{dialect} {len(body)} bytes" for dialect, body in STREAMS]
POLICIES: list[Any] = ["lenient", "strict"]


def per_byte(decoder: Decoder, body: bytes) -> list[Part]:
    return [part for at in range(len(body)) for part in decoder.feed(body[at : at + 1])]


# -- life -----------------------------------------------------------------------------------------------------------------


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
        Decoder("openai-chat", policy="lax")  # type: ignore[arg-type]
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
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:], strict=False))
    assert all(later.startswith(earlier) for earlier, later in zip(arguments, arguments[1:], strict=False))


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


# -- state ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("dialect", "body"), STREAMS, ids=IDS)
def test_snapshot_and_restore_at_every_byte(dialect: str, body: bytes, policy: Any) -> None:
    whole = decode(body, dialect, policy=policy)
    walker = Decoder(dialect, policy=policy)
    items: list[Part] = []
    for at in range(len(body) + 1):
        snapshot = walker.snapshot()
        fresh = Decoder(dialect, policy=policy)
        fresh.feed(b"data: something else entirely\n\nid: 7\n")
        fresh.restore(snapshot)
        assert fresh.snapshot() == snapshot
        assert hash(fresh.snapshot()) == hash(snapshot)
        assert (fresh.offset, fresh.frames) == (walker.offset, walker.frames)
        assert fresh.warnings == walker.warnings
        found = items + fresh.feed(body[at:]) + fresh.close()
        assert found == whole.items
        assert fresh.warnings == whole.warnings
        assert fresh.message == whole.message
        items += walker.feed(body[at : at + 1])
    closing = walker.close()
    assert items + closing == whole.items
    closed = Decoder(dialect, policy=policy)
    closed.restore(walker.snapshot())
    assert closed.message == whole.message
    with pytest.raises(CallerError):
        closed.feed(b"")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("dialect", "body"), STREAMS, ids=IDS)
def test_the_state_at_a_byte_does_not_depend_on_the_way_there(dialect: str, body: bytes, policy: Any) -> None:
    walker = Decoder(dialect, policy=policy)
    states = [walker.snapshot()]
    for at in range(len(body)):
        walker.feed(body[at : at + 1])
        states.append(walker.snapshot())
    chance = random.Random(1)
    for _ in range(40):
        decoder = Decoder(dialect, policy=policy)
        at = 0
        while at < len(body):
            step = chance.choice([1, 2, 7, 60, 400])
            decoder.feed(body[at : at + step])
            at = min(len(body), at + step)
            state = decoder.snapshot()
            assert state == states[at]
            assert hash(state) == hash(states[at])
    assert len(set(states)) == len(states), "two bytes, one state"


def test_all_pairs() -> None:
    """The certificate of design section 6: every chunking of this body gives the same parts."""
    deltas: list[Json] = [{"content": "\u00e9"}, {"tool_calls": [call(0, "a", "f", "{}")]}]
    body = b"\r\r\n".join(event({"choices": [{"delta": delta}]}).strip() for delta in deltas) + b"\r\n\r"
    walker = Decoder("openai-chat")
    states, emitted = [walker.snapshot()], [0]
    items: list[Part] = []
    for at in range(len(body)):
        items += walker.feed(body[at : at + 1])
        states.append(walker.snapshot())
        emitted.append(len(items))
    decoder = Decoder("openai-chat")
    for start in range(len(body)):
        for end in range(start + 1, len(body) + 1):
            decoder.restore(states[start])
            assert decoder.feed(body[start:end]) == items[emitted[start] : emitted[end]]
            assert decoder.snapshot() == states[end]


def test_a_snapshot_outlives_what_its_decoder_does_next() -> None:
    decoder = Decoder("openai-chat")
    decoder.feed(FRAMES[0] + b"data:\n\n" + FRAMES[1])
    snapshot = decoder.snapshot()
    kept = decoder.message
    decoder.feed(b"data:\n\n" + b"".join(FRAMES[2:]))
    decoder.close()
    for _ in range(2):
        decoder.restore(snapshot)
        assert decoder.message == kept
        assert [w.code for w in decoder.warnings] == ["empty_data"]
        assert decoder.snapshot() == snapshot
        decoder.feed(text("another way", "stop") + DONE)
        assert decoder.message.text == "h\u00e9another way"


def test_states_that_go_on_differently_differ() -> None:
    def state(*frames: bytes, **options: Any) -> Snapshot:
        decoder = Decoder("openai-chat", **options)
        decoder.feed(b"".join(frames))
        return decoder.snapshot()

    closed = Decoder("openai-chat")
    closed.close()
    states = [
        state(),
        state(policy="strict"),
        closed.snapshot(),
        state(text("a")),
        state(tools(call(0, "a", "f", '{"a":1'))),
        state(tools(call(0, "a", "f", '{"a":2'))),
        state(tools(call(0, "b", "f", '{"a":1'))),
        state(event({"choices": [], "usage": {"prompt_tokens": 1}})),
        state(event({"choices": [], "usage": {"prompt_tokens": 2}})),
        state(b"data: a"),
        state(b"data: b"),
    ]
    assert len(set(states)) == len(states)


def test_foreign_snapshots() -> None:
    strict = Decoder("openai-chat", policy="strict").snapshot()
    decoder = Decoder("openai-chat")
    decoder.feed(BODY)
    before = decoder.snapshot()
    with pytest.raises(CallerError, match=r"openai-chat \(strict\) does not fit openai-chat \(lenient\)"):
        decoder.restore(strict)
    foreign = Snapshot("other", "lenient", closed=False, framer=(), state=(), emitted=())
    with pytest.raises(CallerError, match="a snapshot of other"):
        decoder.restore(foreign)
    bare = Decoder("openai-chat", assemble=False)
    bare.feed(BODY[:200])
    with pytest.raises(CallerError, match="assemble=False"):
        decoder.restore(bare.snapshot())
    assert decoder.snapshot() == before
    assert decoder.message.complete

    bare.restore(before)
    assert bare.snapshot() == before


def test_a_snapshot_shows_what_matters() -> None:
    shown = repr(Decoder("openai-chat").snapshot())
    assert shown.startswith("Snapshot(dialect='openai-chat', policy='lenient', closed=False")
    assert "emitted" not in shown


def test_snapshots_are_small_however_long_the_stream() -> None:
    """Design section 6: what was emitted is not state, and open arguments are not copied."""
    decoder = Decoder("openai-chat")
    decoder.feed(text("x") + tools(call(0, "a", "f", "")))
    small = len(repr(decoder.snapshot()))
    for _ in range(2000):
        decoder.feed(text("some more text") + tools(call(0, args='"some": "more",')))
    assert len(repr(decoder.snapshot())) < small + 50


# -- several at once --------------------------------------------------------------------------------------------------------


def test_interleaved_decoders_do_not_see_each_other() -> None:
    """J7, R4."""
    chance = random.Random(3)
    jobs = [(dialect, body, policy) for dialect, body in STREAMS for policy in POLICIES for _ in range(3)]
    decoders = [Decoder(dialect, policy=policy) for dialect, _, policy in jobs]
    items: list[list[Part]] = [[] for _ in jobs]
    at = [0] * len(jobs)
    open_jobs = list(range(len(jobs)))
    while open_jobs:
        number = chance.choice(open_jobs)
        step = chance.randint(1, 90)
        body = jobs[number][1]
        items[number] += decoders[number].feed(body[at[number] : at[number] + step])
        at[number] += step
        if at[number] >= len(body):
            items[number] += decoders[number].close()
            open_jobs.remove(number)
    for number, (dialect, body, policy) in enumerate(jobs):
        alone = decode(body, dialect, policy=policy)
        assert items[number] == alone.items
        assert decoders[number].warnings == alone.warnings
        assert decoders[number].message == alone.message


# -- what stays in memory -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dialect", "body"), STREAMS, ids=IDS)
def test_aborted_streams_free_everything(dialect: str, body: bytes) -> None:
    """J5, V29: without the help of the garbage collector."""
    chance = random.Random(2)

    def abort(times: int) -> None:
        for _ in range(times):
            decoder = Decoder(dialect)
            decoder.feed(body[: chance.randrange(len(body))])
            decoder.snapshot()
            _ = decoder.message

    abort(200)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        objects = len(gc.get_objects())
        before, _ = tracemalloc.get_traced_memory()
        abort(1000)
        after, _ = tracemalloc.get_traced_memory()
        assert len(gc.get_objects()) - objects < 50, "containers that nobody can reach"
        assert after - before < 400 * 1000, "bytes, most of them in the interpreter's free lists; a decoder takes 10 KB"
    finally:
        tracemalloc.stop()
        gc.enable()


def test_a_long_stream_without_a_message_takes_no_memory() -> None:
    decoder = Decoder("openai-chat", assemble=False)
    piece = text("some text") * 50
    decoder.feed(piece)
    tracemalloc.start()
    try:
        for _ in range(40):
            decoder.feed(piece)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(200):
            decoder.feed(piece)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2_000
    assert decoder.frames == 241 * 50


def test_a_long_stream_with_a_message_takes_what_its_text_takes() -> None:
    decoder = Decoder("openai-chat")
    piece = text("0123456789") * 100
    tracemalloc.start()
    try:
        for _ in range(300):
            decoder.feed(piece)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 300 * 100 * 10 * 2 + 1_500_000
    assert len(decoder.message.text) == 300_000


def test_work_on_arguments_is_linear() -> None:
    """WH-040: 4 times the deltas must not take 16 times as long; a snapshot at each of them included."""

    def seconds(count: int) -> float:
        best = 9.0
        frame = tools(call(0, args="x"))
        for _ in range(2):
            decoder = Decoder("openai-chat")
            decoder.feed(tools(call(0, "a", "f", "")))
            before = time.process_time()
            for _ in range(count):
                decoder.feed(frame)
                decoder.snapshot()
            best = min(best, time.process_time() - before)
        return best

    small = seconds(1000)
    assert seconds(4000) < 10 * small


# -- limits -------------------------------------------------------------------------------------------------------------------


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
    assert [part["kind"] for part in decoded.parts if part["type"] == "error"] == ["malformed_json", "incomplete_stream"]


# -- cut streams --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_a_stream_cut_at_every_byte(policy: Any) -> None:
    """Decision 3, V18: the parts of what arrived, then ``incomplete_stream``; a cut stream never looks complete."""
    ends = [size(*FRAMES[:number]) for number in range(len(FRAMES) + 1)]
    for cut in range(len(BODY) + 1):
        whole = max(number for number, end in enumerate(ends) if end <= cut)
        rest = BODY[ends[whole] : cut]
        parts = [part for frame in BY_FRAME[:whole] for part in frame]
        codes = []
        # Only the blank line is missing: the event is whole.
        unterminated = whole < len(FRAMES) and len(rest) >= len(FRAMES[whole]) - 2
        if unterminated and policy == "lenient":
            codes.append("unterminated_event")
            parts += BY_FRAME[whole]
            rest = b""
            whole += 1
        in_an_event = len(rest) > len("data")
        if whole == len(FRAMES):
            pass
        elif whole >= 6 and not in_an_event and not unterminated:
            codes.append("missing_done")
            parts += [t_end(), *ended('{"k":1}')]
            parts.append(fin("tool-calls", "tool_calls", usage=USAGE if whole == 7 else BARE))
        elif whole >= 6 and unterminated and policy == "lenient":
            codes.append("missing_done")
            parts += [t_end(), *ended('{"k":1}')]
            parts.append(fin("tool-calls", "tool_calls", usage=USAGE if whole == 7 else BARE))
        else:
            parts = parts or [START]
            parts.append(err("incomplete_stream", "close", cut))
        if policy == "strict" and codes == ["missing_done"]:
            codes = []
            parts = [part for frame in BY_FRAME[:whole] for part in frame] + [err("incomplete_stream", "close", cut)]

        for pieces in ([BODY[:cut]], [BODY[: cut // 2], BODY[cut // 2 : cut]]):
            decoded = decode(pieces, policy=policy)
            assert decoded.parts == parts, cut
            assert decoded.codes == codes, cut
            assert decoded.message.complete == (parts[-1]["type"] == "finish")
            assert decoded.message.complete or not any(c.complete for c in decoded.message.tool_calls)


BARE = {"inputTokens": {}, "outputTokens": {}}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("dialect", "body"), STREAMS, ids=IDS)
def test_what_came_before_a_cut_does_not_depend_on_what_would_have_come(dialect: str, body: bytes, policy: Any) -> None:
    """The trace of a prefix is a prefix of the trace of the whole, up to its end."""
    whole = decode(body, dialect, policy=policy)
    for cut in range(len(body)):
        decoder = Decoder(dialect, policy=policy)
        items = decoder.feed(body[:cut])
        assert items == whole.items[: len(items)]
        warnings = decoder.warnings
        assert warnings == whole.warnings[: len(warnings)]
        check_order_of(items + decoder.close(), decoder)


def check_order_of(items: list[Part], decoder: Decoder) -> None:
    from .wire import Decoded

    check_order(Decoded(items, decoder.warnings, decoder.message))


# -- junk -----------------------------------------------------------------------------------------------------------------------

JUNK = int(os.environ.get("STREAMCORE_JUNK", "1500"))
"""Inputs that are made up for each dialect; row J5 of the requirements is 10^6."""

SCRAPS = [
    *(b"data: ", b"event: ", b"id: ", b"\n", b"\n\n", b"\r", b"\r\n", b": ", b"[DONE]", b"data: [DONE]\n\n", b"\0", b"\xff"),
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b"null", b"true", b"0", b"-1", b"1e999", b"NaN", b'""', b"{}", b"[]", b"\\ud800"),
    *(b'"index":', b'"delta":', b'"content":', b'"tool_calls":', b'"function":', b'"arguments":', b'"error":', b'"type":'),
    *(b'"choices":', b'"finish_reason":', b'"usage":', b'"id":', b'"name":', b'"content_block":', b'"message":', b'"input":'),
    *(b"\xef\xbb\xbf", b"\xe2\x82", b"9" * 400, b"[" * 300, b'{"a":' * 300),
]  # fmt: skip


def junk(seed: random.Random, bodies: list[bytes]) -> bytes:
    """Random bytes, scraps of the formats, or a real stream with a few wounds."""
    kind = seed.random()
    if kind < 0.1:
        return seed.randbytes(seed.randrange(80))
    if kind < 0.25:
        return b"".join(seed.choices(SCRAPS, k=seed.randrange(30)))
    body = bytearray(seed.choice(bodies))
    for _ in range(seed.choice([1, 1, 2, 5])):
        at = seed.randrange(len(body) + 1)
        gone = seed.choice([0, 0, 1, 1, 5, 100])
        piece = seed.choice([*SCRAPS, b"", b"", seed.randbytes(2), bytes(body[at : at + 200])])
        body[at : at + gone] = piece
    return bytes(body)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_junk_gives_parts_and_no_exception(dialect: str) -> None:
    """J5: any other exception is a bug of ours. The outcome does not depend on the cuts either."""
    seed = random.Random(dialect)
    small = Limits(max_frame_bytes=700, max_stray_bytes=50, max_json_depth=20, max_arguments_chars=40, max_open_calls=2)
    for number in range(JUNK):
        body = junk(seed, BODIES[dialect])
        policy: Any = seed.choice(["lenient", "lenient", "lenient", "strict"])
        limits = seed.choice([None, None, small])
        one = seed.randrange(len(body) + 1)
        two = seed.randrange(one, len(body) + 1)
        whole = decode(body, dialect, policy=policy, limits=limits)
        cut = decode([body[:one], body[one:two], body[two:]], dialect, policy=policy, limits=limits)
        assert whole == cut, (number, body, one, two)
        for part in whole.items:
            part.as_json()
        assert isinstance(whole.message, Message)
        for block in whole.message.tool_calls:
            assert block.input is None or isinstance(block.input, dict)
        if dialect == "openai-chat":
            check_order(whole)
            assert decode(body, dialect, policy=policy, limits=limits, general=True) == whole, body


@given(st.binary(max_size=60), st.sampled_from(sorted(DIALECTS)))
def test_bytes_that_mean_nothing(body: bytes, dialect: str) -> None:
    decoded = decode(body, dialect)
    assert decoded == decode([body[at : at + 1] for at in range(len(body))], dialect)
    assert not decoded.message.complete
    assert decoded.message.error is not None
