"""Amazon Bedrock: binary event-stream messages, with ConverseStream's own events or an Anthropic event in each."""

from __future__ import annotations

import struct
from base64 import b64encode
from binascii import crc32
from typing import TYPE_CHECKING, Any

from benchmarks.streams import anthropic
from benchmarks.workloads import Stream, compact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.streams.script import Script

_STRING = 7
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _header(name: str, value: str) -> bytes:
    head, tail = name.encode(), value.encode()
    return bytes((len(head),)) + head + bytes((_STRING,)) + struct.pack(">H", len(tail)) + tail


def _message(event: str, payload: dict[str, Any]) -> bytes:
    """One message of the format: prelude and its CRC, headers, payload, CRC of it all."""
    headers = b"".join(
        (
            _header(":event-type", event),
            _header(":content-type", "application/json"),
            _header(":message-type", "event"),
        )
    )
    data = compact(payload)
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    whole = prelude + struct.pack(">I", crc32(prelude)) + headers + data
    return whole + struct.pack(">I", crc32(whole))


def _converse(script: Script) -> Iterator[bytes]:
    yield _message("messageStart", {"p": "abcdefgh", "role": "assistant"})
    for piece in script.reasoning:
        yield _delta(0, len(piece), reasoningContent={"text": piece})
    yield _delta(0, 5, reasoningContent={"signature": anthropic.SIGNATURE})
    yield _message("contentBlockStop", {"contentBlockIndex": 0, "p": "abc"})
    for piece in script.text:
        yield _delta(1, len(piece), text=piece)
    yield _message("contentBlockStop", {"contentBlockIndex": 1, "p": "abcdef"})
    for index, pieces in enumerate(script.calls, 2):
        call = {"toolUse": {"name": "write_file", "toolUseId": f"tooluse_{index:022}"}}
        yield _message("contentBlockStart", {"contentBlockIndex": index, "p": "abcd", "start": call})
        for piece in pieces:
            yield _delta(index, len(piece), toolUse={"input": piece})
        yield _message("contentBlockStop", {"contentBlockIndex": index, "p": "a"})
    yield _message("messageStop", {"p": "abcdefghij", "stopReason": "tool_use"})
    usage = {"inputTokens": 25, "outputTokens": 999, "totalTokens": 1024}
    yield _message("metadata", {"metrics": {"latencyMs": 961}, "p": "abc", "usage": usage})


def _delta(index: int, salt: int, **delta: Any) -> bytes:
    # Bedrock pads its events to hide how long the pieces are.
    padding = _PADDING[: 7 * (salt + index) % len(_PADDING)]
    return _message("contentBlockDelta", {"contentBlockIndex": index, "delta": delta, "p": padding})


def _invoke(script: Script) -> Iterator[bytes]:
    for at, event in enumerate(anthropic.events(script)):
        if event["type"] == "ping":  # Bedrock sends none
            continue
        yield _message("chunk", {"bytes": b64encode(compact(event)).decode(), "p": _PADDING[: 11 * at % len(_PADDING)]})


def converse(script: Script) -> Stream:
    """``bedrock-converse-stream``."""
    return _stream("bedrock-converse-stream", _converse(script))


def invoke(script: Script) -> Stream:
    """``bedrock-invoke-with-response-stream`` of a model of Anthropic's, the only family that the reference reads."""
    return _stream("bedrock-invoke-with-response-stream", _invoke(script))


def _stream(dialect: str, messages: Iterator[bytes]) -> Stream:
    first, *rest, last = messages
    return Stream(dialect, dialect, (first,), tuple(rest), (last,))


MAKERS = {"bedrock-converse-stream": converse, "bedrock-invoke-with-response-stream": invoke}
