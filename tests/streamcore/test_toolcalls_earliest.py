"""Row J3: a call starts with the byte that completes the frame in which its id and its name are known, not later."""

from __future__ import annotations

import pytest

from streamcore import Decoder

from . import anthropic_wire as messages
from .wire import DONE, call, finish, size, text, tools

END = [finish("tool_calls"), DONE]
CHAT: dict[str, tuple[list[bytes], list[int]]] = {
    "id and name at once": ([text("x"), tools(call(0, "a", "f", "{}"))], [2]),
    "the id first": ([tools(call(0, "a")), text("x"), tools(call(0, name="f")), tools(call(0, args="{}"))], [3]),
    "the name without an id": ([tools(call(0, name="f")), tools(call(0, args="{}"))], [1]),
    "arguments first": ([tools(call(0, "a", args="{")), tools(call(0, name="f", args="}"))], [2]),
    "two calls in one frame": ([text("x"), tools(call(0, "a", "f", "{}"), call(1, "b", "g", "{}"))], [2, 2]),
    "two calls, the second one first": ([tools(call(0, "a")), tools(call(1, "b", "g", "{}")), tools(call(0, name="f"))], [2, 3]),
}
"""Frames, and the frames (from 1) with which each call starts."""


def starts(dialect: str, body: bytes, chunk: int) -> list[int]:
    """How many bytes were fed when each call started; a chunk is a step."""
    decoder = Decoder(dialect)
    found = []
    for at in range(0, len(body), chunk):
        parts = decoder.feed(body[at : at + chunk])
        found += [min(at + chunk, len(body)) for part in parts if part.type == "tool-input-start"]
    decoder.close()
    assert decoder.message.complete
    return found


def rounded(offset: int, chunk: int, body: bytes) -> int:
    """The end of the chunk that holds the byte before ``offset``."""
    return min(-(-offset // chunk) * chunk, len(body))


@pytest.mark.parametrize("name", CHAT)
@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 10_000])
def test_chat_completions(name: str, chunk: int) -> None:
    frames, begin = CHAT[name]
    body = b"".join([*frames, *END])
    assert starts("openai-chat", body, chunk) == [rounded(size(*frames[:frame]), chunk, body) for frame in begin]


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 10_000])
def test_messages(chunk: int) -> None:
    before = messages.sse(messages.message_start(), messages.call_start(0, id="a"))
    after = messages.sse(messages.arguments(0, "{}"), messages.stop(0), messages.message_delta("tool_use"), {"type": "message_stop"})
    assert starts("anthropic-messages", before + after, chunk) == [rounded(len(before), chunk, before + after)]
