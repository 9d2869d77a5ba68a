"""Many streams in one process: side by side they are what they are alone, and what is given up leaves nothing behind.

``STREAMPARITY_ABORTED_STREAMS`` says how many streams are given up; 100 000 is the number that was promised (J7).
"""

from __future__ import annotations

import gc
import os
import random
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streamcore import Decoder

from .wire import DONE, Decoded, Json, call, chunkings, decode, event, finish, text, tools

ABORTED = int(os.environ.get("STREAMPARITY_ABORTED_STREAMS", "400"))
WARM_UP = 100
LEFT_BEHIND = 16 * 1024
"""Bytes that may stay, however many streams there were: caches and counters of the interpreter."""


def chat(number: int) -> bytes:
    """A stream of text and two calls that take turns, unlike that of any other number."""
    key = f"call_{number}"
    frames = [
        text(f"text {number} "),
        tools(call(0, key, "f", '{"n":')),
        tools(call(1, f"{key}b", "g", '{"s":"')),
        *[tools(call(index, args=str(1 + number % 9))) for index in (0, 1, 0, 1)],
        text("and more"),
        tools(call(0, args="}")),
        tools(call(1, args='"}')),
    ]
    return b"".join([*frames, finish("tool_calls"), DONE])


def messages(number: int) -> bytes:
    """The same for another API."""
    start: Json = {"id": f"msg_{number}", "model": "m", "role": "assistant", "content": [], "usage": {}}
    block = {"type": "tool_use", "id": f"toolu_{number}", "name": "f", "input": {}}
    payloads: list[Json] = [
        {"type": "message_start", "message": {"type": "message", **start, "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *[
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
            for piece in ('{"n":', str(number), "}")
        ],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return b"".join(event(payload, payload["type"]) for payload in payloads)


STREAMS = {"openai-chat": chat, "groq": chat, "anthropic-messages": messages}


@pytest.mark.parametrize("seed", range(4))
def test_side_by_side_is_one_after_another(seed: int) -> None:
    """J5."""
    chance = random.Random(seed)
    dialects = [chance.choice(list(STREAMS)) for _ in range(24)]
    bodies = [STREAMS[dialect](number) for number, dialect in enumerate(dialects)]
    alone = [decode(body, dialect) for body, dialect in zip(bodies, dialects, strict=True)]
    waiting = [list(chance.choice(list(chunkings(body, 0)))) for body in bodies]
    decoders = [Decoder(dialect) for dialect in dialects]
    items: list[list[object]] = [[] for _ in bodies]
    running = list(range(len(bodies)))
    while running:
        at = chance.choice(running)
        if waiting[at]:
            items[at] += decoders[at].feed(waiting[at].pop(0))
        else:
            items[at] += decoders[at].close()
            running.remove(at)

    for at, decoder in enumerate(decoders):
        assert Decoded(items[at], decoder.warnings, decoder.message) == alone[at]
        assert decoder.message.tool_calls[0].executable


@contextmanager
def traced() -> Iterator[None]:
    """With allocations counted."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("closed", [False, True], ids=["dropped", "closed"])
def test_streams_that_are_given_up_leave_nothing_behind(closed: bool) -> None:
    """J7, V29: wherever the stream was."""
    chance = random.Random(7)

    def give_up(count: int) -> int:
        for number in range(count):
            dialect = chance.choice(list(STREAMS))
            body = STREAMS[dialect](number)
            decoder = Decoder(dialect)
            decoder.feed(body[: chance.randrange(len(body))])
            decoder.snapshot()
            if closed:
                decoder.close()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    with traced():
        base = give_up(WARM_UP)
        after = give_up(ABORTED)

    assert after - base < LEFT_BEHIND, f"{after - base} bytes stay after {ABORTED} streams"
