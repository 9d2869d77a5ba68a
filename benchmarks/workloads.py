"""The bytes that are measured: made here, the same every time, the wire format of two providers.

W1 and W2 differ in what dominates: W1 has much JSON around little text (about 290 B an event), W2 has short events of
two lines (about 122 B). The words are chosen by a seeded generator, so that no decoder sees one event over and over.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = (
    *("stream", "token", "model", "answer", "window", "parser", "buffer", "event", "value", "record", "result"),
    *("system", "between", "measure", "language", "output", "because", "about", "replay", "number", "network"),
    *("function", "the", "of", "and", "to", "in", "it"),
)
_CHAT_SEED = 11
_MESSAGES_SEED = 12
_ARGUMENTS_SEED = 13


@dataclass(frozen=True, slots=True)
class Stream:
    """One provider stream, in pieces: ``opening`` and ``closing`` happen once, ``events`` are what fills it."""

    name: str
    dialect: str
    opening: tuple[bytes, ...]
    events: tuple[bytes, ...]
    closing: tuple[bytes, ...]
    for_reference: bytes = b""
    """The same events in the form that the reference reads, where it does not read the dialect's own."""

    @property
    def body(self) -> bytes:
        """All bytes of the stream."""
        return b"".join((*self.opening, *self.events, *self.closing))

    @property
    def count(self) -> int:
        """Events of the stream, opening and closing included."""
        return len(self.opening) + len(self.events) + len(self.closing)


def openai_text(events: int) -> Stream:
    """W1: an OpenAI chat completion of ``events`` pieces of text."""
    draw = random.Random(_CHAT_SEED)
    return Stream(
        "W1",
        "openai-chat",
        (_chat({"role": "assistant", "content": "", "refusal": None}),),
        tuple(_chat({"content": f" {draw.choice(WORDS)}"}) for _ in range(events)),
        (_chat({}, "stop"), b"data: [DONE]\n\n"),
    )


def anthropic_text(events: int) -> Stream:
    """W2: an Anthropic message of ``events`` pieces of text."""
    draw = random.Random(_MESSAGES_SEED)
    return Stream(
        "W2",
        "anthropic-messages",
        (*_message_start(), named("content_block_start", index=0, content_block={"type": "text", "text": ""})),
        tuple(_block_delta(type="text_delta", text=f" {draw.choice(WORDS)}") for _ in range(events)),
        _message_stop("end_turn"),
    )


def openai_arguments(size: int) -> Stream:
    """One OpenAI tool call with about ``size`` bytes of arguments, in pieces of 8 characters."""
    call = {"index": 0, "id": "call_0123456789abcdefghijklmn", "type": "function"}
    start = {**call, "function": {"name": "write_file", "arguments": ""}}
    return Stream(
        "arguments",
        "openai-chat",
        (_chat({"role": "assistant", "content": None}), _chat({"tool_calls": [start]})),
        tuple(_chat({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in _arguments(size)),
        (_chat({}, "tool_calls"), b"data: [DONE]\n\n"),
    )


def anthropic_arguments(size: int) -> Stream:
    """One Anthropic tool call with about ``size`` bytes of arguments, in pieces of 8 characters."""
    block = {"type": "tool_use", "id": "toolu_0123456789ABCDEFGHIJKL", "name": "write_file", "input": {}}
    return Stream(
        "arguments",
        "anthropic-messages",
        (*_message_start(), named("content_block_start", index=0, content_block=block)),
        tuple(_block_delta(type="input_json_delta", partial_json=piece) for piece in _arguments(size)),
        _message_stop("tool_use"),
    )


def open_event(size: int) -> bytes:
    """One event of about ``size`` bytes, such as a generated image."""
    return b'data: {"b64_json":"' + b"QUJD" * (size // 4) + b'"}\n\n'


def cut(body: bytes, size: int) -> list[bytes]:
    """``body`` in chunks of ``size`` bytes."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def repeated(stream: Stream, events: int, size: int) -> Iterator[bytes]:
    """The bytes of ``stream`` with its events repeated until there are ``events``, in chunks of about ``size`` bytes.

    Holds one copy of the stream's own bytes, however many events that makes.
    """
    yield b"".join(stream.opening)
    rounds, rest = divmod(events, len(stream.events))
    chunks = cut(b"".join(stream.events), size)
    for _ in range(rounds):
        yield from chunks
    yield b"".join((*stream.events[:rest], *stream.closing))


def _arguments(size: int) -> Iterator[str]:
    draw = random.Random(_ARGUMENTS_SEED)
    lines: list[str] = []
    written = 0
    while written < size:
        line = " ".join(draw.choices(WORDS, k=8))
        lines.append(line)
        written += len(line) + 2
    text = json.dumps({"path": "notes.txt", "content": "\n".join(lines)})
    return (text[start : start + 8] for start in range(0, len(text), 8))


def _chat(delta: dict[str, Any], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-B0123456789abcdefghijklmnopq",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return b"data: " + compact(chunk) + b"\n\n"


def named(event: str, **fields: Any) -> bytes:
    """A server-sent event that says its type twice, as Anthropic's, OpenAI's responses and Cohere's do."""
    return f"event: {event}\ndata: ".encode() + compact({"type": event, **fields}) + b"\n\n"


def _block_delta(**delta: Any) -> bytes:
    return named("content_block_delta", index=0, delta=delta)


def _message_start() -> tuple[bytes, ...]:
    message: dict[str, Any] = {
        "id": "msg_0123456789ABCDEFGHIJKLMN",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 1},
    }
    return (named("message_start", message=message),)


def _message_stop(reason: str) -> tuple[bytes, ...]:
    return (
        named("content_block_stop", index=0),
        named("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 99}),
        named("message_stop"),
    )


def compact(value: Any) -> bytes:
    """JSON without white space."""
    return json.dumps(value, separators=(",", ":")).encode()
