"""Synthetic events of Bedrock's two streams, and what bodies made of them give under every chunking."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from streamcore import Decoder
from streamcore.framing.eventstream import EventStreamFramer

from .eventstream_wire import event, message
from .wire import Decoded, Json, decode_every_way, t_delta, t_end, t_start

CONVERSE = "bedrock-converse-stream"
INVOKE = "bedrock-invoke-with-response-stream"


def compact(value: Any) -> bytes:
    """JSON without spaces; bytes are taken as they are."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def event_of(name: str, **payload: Any) -> bytes:
    """One event, padded as Bedrock pads it."""
    return event(name, compact({**payload, "p": "abc"}))


def exception(name: str, payload: Any) -> bytes:
    """A modelled error."""
    return message(
        compact(payload),
        [
            (":exception-type", "string", name),
            (":content-type", "string", "application/json"),
            (":message-type", "string", "exception"),
        ],
    )


def unmodelled(code: str, text: str) -> bytes:
    """An error without a payload."""
    return message(
        b"",
        [(":error-code", "string", code), (":error-message", "string", text), (":message-type", "string", "error")],
    )


BEGIN = event_of("messageStart", role="assistant")
METADATA = event_of(
    "metadata", usage={"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}, metrics={"latencyMs": 1}
)


def start(index: Any, **members: Any) -> bytes:
    """A ``contentBlockStart``."""
    return event_of("contentBlockStart", contentBlockIndex=index, start=members)


def call_start(index: int = 0, key: Any = "a", name: Any = "f", **more: Any) -> bytes:
    """The start of a tool call."""
    return start(index, toolUse={"toolUseId": key, "name": name, **more})


def delta(index: Any, **members: Any) -> bytes:
    """A ``contentBlockDelta``."""
    return event_of("contentBlockDelta", contentBlockIndex=index, delta=members)


def text(piece: str = "x", index: Any = 0) -> bytes:
    """A piece of text."""
    return delta(index, text=piece)


def arguments(piece: str, index: Any = 0) -> bytes:
    """A piece of a call's arguments."""
    return delta(index, toolUse={"input": piece})


def reasoning(index: Any = 0, **content: Any) -> bytes:
    """A piece of reasoning."""
    return delta(index, reasoningContent=content)


def stop(index: Any = 0) -> bytes:
    """A ``contentBlockStop``."""
    return event_of("contentBlockStop", contentBlockIndex=index)


def message_stop(reason: Any = "end_turn", **more: Any) -> bytes:
    """A ``messageStop``."""
    return event_of("messageStop", stopReason=reason, **more)


def chunk(inner: Any) -> bytes:
    """A ``chunk`` event around one event of the model."""
    return event_of("chunk", bytes=b64encode(compact(inner)).decode())


TALK = b"".join(
    [
        BEGIN, reasoning(text="th"), reasoning(signature="s"), stop(), text("a", 1), text("b", 1), stop(1), call_start(2),
        arguments('{"k":', 2), arguments("1}", 2), stop(2), start(3), stop(3), message_stop("tool_use"), METADATA,
    ]
)  # fmt: skip
"""A ConverseStream body with some of everything."""


def payload_of(frame: bytes) -> Json:
    """The event in ``frame`` as an error has it: by name, without padding."""
    [(headers, data, _)] = EventStreamFramer().feed(frame)
    value = json.loads(data)
    value.pop("p", None)
    return {str(headers[":event-type"]): value}


def read(dialect: str, *frames: bytes, **options: Any) -> Decoded:
    """What the frames give: under every chunking, without the quick path, and resumed from a snapshot at every byte."""
    body = b"".join(frames)
    expected = decode_every_way(body, dialect, **options)
    walker = Decoder(dialect, assemble=False, **options)
    resumed = Decoder(dialect, assemble=False, **options)
    so_far = []
    for at in range(len(body)):
        so_far += walker.feed(body[at : at + 1])
        if at % 5 == 0 or at > len(body) - 20:
            resumed.restore(walker.snapshot())
            assert so_far + resumed.feed(body[at + 1 :]) + resumed.close() == expected.items, at
            assert resumed.warnings == expected.warnings, at
    return expected


def converse(*frames: bytes, reason: str = "end_turn", **options: Any) -> Decoded:
    """A ConverseStream body of ``frames`` between its start and its end."""
    return read(CONVERSE, BEGIN, *frames, message_stop(reason), METADATA, **options)


def invoke(*events: Any, **options: Any) -> Decoded:
    """An InvokeModel body of the model's ``events``; bytes are frames as they are."""
    frames = [item if isinstance(item, bytes) else chunk(item) for item in events]
    return read(INVOKE, *frames, **options)


USAGE: Json = {
    "inputTokens": {"total": 3, "noCache": 3, "cacheRead": 0, "cacheWrite": 0},
    "outputTokens": {"total": 4, "text": 4},
    "raw": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
}
"""The usage of ``METADATA``."""


def fin(unified: str, raw: str | None, usage: Json = USAGE, /, **metadata: Any) -> Json:
    """A ``finish`` part."""
    reason = {"unified": unified} if raw is None else {"unified": unified, "raw": raw}
    part: Json = {"type": "finish", "finishReason": reason, "usage": usage}
    return {**part, "providerMetadata": {"bedrock": metadata}} if metadata else part


def r_start(key: str = "0") -> Json:
    """A ``reasoning-start`` part."""
    return {"type": "reasoning-start", "id": key}


def r_delta(piece: str, key: str = "0", **metadata: Any) -> Json:
    """A ``reasoning-delta`` part."""
    part: Json = {"type": "reasoning-delta", "id": key, "delta": piece}
    return {**part, "providerMetadata": {"bedrock": metadata}} if metadata else part


def r_end(key: str = "0", **metadata: Any) -> Json:
    """A ``reasoning-end`` part."""
    part: Json = {"type": "reasoning-end", "id": key}
    return {**part, "providerMetadata": {"bedrock": metadata}} if metadata else part


HI = (text("h\u00e9", 0), stop(0))
"""A text block."""
SAID: list[Json] = [t_start(), t_delta("h\u00e9"), t_end()]
"""The parts of ``HI``."""
