"""The decoder's state: snapshots at every byte, decoders side by side, and what stays in memory."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from typing import Any

import pytest

from streamcore import CallerError, Decoder, Part, Snapshot

from .streams import BODY, FRAMES, IDS, POLICIES, STREAMS
from .wire import (
    DONE,
    Json,
    call,
    decode,
    event,
    text,
    tools,
)

# -- state ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("dialect", "body"), STREAMS, ids=IDS)
def test_snapshot_and_restore_at_every_byte(dialect: str, body: bytes, policy: Any) -> None:
    """The rest is read after each byte; under ``strict``, which differs in what it makes of a frame, after each fifth."""
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
        if policy == "lenient" or at % 5 == 0:
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


@pytest.mark.parametrize(("dialect", "body"), STREAMS, ids=IDS)
def test_is_at_says_what_comparing_snapshots_says(dialect: str, body: bytes) -> None:
    walker, other = Decoder(dialect), Decoder(dialect)
    states = [walker.snapshot()]
    for at in range(len(body)):
        walker.feed(body[at : at + 1])
        states.append(walker.snapshot())
    for step in (1, 97):
        other.restore(states[0])
        for at in range(0, len(body), step):
            other.feed(body[at : at + step])
            here = min(at + step, len(body))
            # Twice: once found equal, the image of the snapshot is the decoder's own.
            assert other.is_at(states[here])
            assert other.is_at(states[here])
            assert not other.is_at(states[here - 1])
            assert other.snapshot() == states[here]
    other.close()
    assert not other.is_at(states[-1])
    walker.close()
    assert other.is_at(walker.snapshot())
    assert not Decoder(dialect, policy="strict").is_at(states[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"data: 1\n", b"data: 2\n"),
        (b"data: 1\n", b"data: 1\r"),
        (b"event: a\n", b"event: b\n"),
        (b"id: 1\n", b"id: 2\n"),
        (b"id: 1\n\n", b"id: 2\n\n"),
        (b"retry: 1\n", b"retry: 2\n"),
        (b"<br>\n", b"<hr>\n"),
        (tools(call(0, "a", "f", '{"a')), tools(call(0, "a", "f", '{"b'))),
        (tools(call(0, "a", "f", "{")), tools(call(0, "b", "f", "{"))),
        (text("a") + DONE, text("a") + b"data: [NONE]"),
    ],
)
def test_is_at_tells_states_apart_that_have_read_as_many_bytes(one: bytes, other: bytes) -> None:
    """What the snapshots differ in is not the open line: that of the framer behind it, or that of the dialect alone."""
    for step in (1, 3, len(one)):
        first, second = Decoder("openai-chat"), Decoder("openai-chat")
        for at in range(0, len(one), step):
            first.feed(one[at : at + step])
        for at in range(0, len(other), step):
            second.feed(other[at : at + step])
        assert first.snapshot() != second.snapshot()
        for _ in range(2):
            assert not first.is_at(second.snapshot())
            assert not second.is_at(first.snapshot())
            assert first.is_at(first.snapshot())


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
    more = text("some more text") + tools(call(0, args='"some": "more",'))
    decoder.feed(more * 3)  # the shape of the chunk that keeps coming is remembered, once
    small = len(repr(decoder.snapshot()))
    for _ in range(2000):
        decoder.feed(more)
    assert len(repr(decoder.snapshot())) < small + 50


# -- several at once ------------------------------------------------------------------------------------------------


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


# -- what stays in memory -------------------------------------------------------------------------------------------


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

    abort(100)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        objects = len(gc.get_objects())
        before, _ = tracemalloc.get_traced_memory()
        abort(250)
        after, _ = tracemalloc.get_traced_memory()
        assert len(gc.get_objects()) - objects < 50, "containers that nobody can reach"
        assert after - before < 400 * 250, "bytes, most of them in the interpreter's free lists; a decoder takes 10 KB"
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
