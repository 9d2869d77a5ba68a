"""Anthropic's messages, from Anthropic, through Vertex AI and through gateways, which pass the same events on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.workloads import Stream, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.streams.script import Script

SIGNATURE = "EqQBCkYIBRgCKkA" + "QUJDREVGR0hJSktMTU5PUA" * 12


def events(script: Script) -> Iterator[dict[str, Any]]:
    """The events as JSON values, ``message_start`` to ``message_stop``."""
    usage = {"input_tokens": 25, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {"id": "msg_0123456789ABCDEFGHIJKLMN", "type": "message", "role": "assistant", "content": []}
    end: dict[str, Any] = {"stop_reason": None, "stop_sequence": None, "usage": usage}
    yield {"type": "message_start", "message": {**message, "model": "claude-sonnet-4-5", **end}}
    yield _start(0, type="thinking", thinking="", signature="")
    for piece in script.reasoning:
        yield _delta(0, type="thinking_delta", thinking=piece)
    yield _delta(0, type="signature_delta", signature=SIGNATURE)
    yield {"type": "content_block_stop", "index": 0}
    yield _start(1, type="text", text="")
    yield {"type": "ping"}
    for piece in script.text:
        yield _delta(1, type="text_delta", text=piece)
    yield {"type": "content_block_stop", "index": 1}
    for index, pieces in enumerate(script.calls, 2):
        yield _start(index, type="tool_use", id=f"toolu_{index:022}", name="write_file", input={})
        for piece in ("", *pieces):
            yield _delta(index, type="input_json_delta", partial_json=piece)
        yield {"type": "content_block_stop", "index": index}
    stopped = {"stop_reason": "tool_use", "stop_sequence": None}
    yield {"type": "message_delta", "delta": stopped, "usage": {"output_tokens": 999}}
    yield {"type": "message_stop"}


def _start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def stream(dialect: str, script: Script) -> Stream:
    """Each event under its name."""
    first, *rest, last = (named(event.pop("type"), **event) for event in events(script))
    return Stream(dialect, dialect, (first,), tuple(rest), (last,))


MAKERS = {name: partial(stream, name) for name in ("anthropic-messages", "vertex-anthropic", "gateway-anthropic")}
