"""Synthetic events of the Anthropic Messages API, and what bodies made of them give under every chunking."""

from __future__ import annotations

from typing import Any

from streamcore import Decoder

from .wire import Decoded, Json, decode_every_way, event

DIALECT = "anthropic-messages"


def sse(*events: Json | bytes) -> bytes:
    """A body; bytes go in as they are."""
    return b"".join(item if isinstance(item, bytes) else event(item, item["type"]) for item in events)


def message_start(**fields: Any) -> Json:
    """A ``message_start`` event."""
    usage = {"input_tokens": 5, "output_tokens": 1}
    return {"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": [], "usage": usage, **fields}}


def message_delta(reason: str | None = "end_turn", usage: Json | None = None, **fields: Any) -> Json:
    """A ``message_delta`` event; ``fields`` beyond those of ``delta`` go beside it."""
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": usage or {"output_tokens": 7},
        **fields,
    }


MESSAGE_STOP: Json = {"type": "message_stop"}
PING: Json = {"type": "ping"}


def start(index: Any, kind: str, **fields: Any) -> Json:
    """A ``content_block_start`` event."""
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(index: Any, kind: str, **fields: Any) -> Json:
    """A ``content_block_delta`` event."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: Any) -> Json:
    """A ``content_block_stop`` event."""
    return {"type": "content_block_stop", "index": index}


def text(index: Any = 0, piece: str = "x") -> Json:
    """A ``text_delta``."""
    return delta(index, "text_delta", text=piece)


def thinking(index: Any = 0, piece: str = "x") -> Json:
    """A ``thinking_delta``."""
    return delta(index, "thinking_delta", thinking=piece)


def signature(index: Any = 0, value: str = "S1g+/=") -> Json:
    """A ``signature_delta``."""
    return delta(index, "signature_delta", signature=value)


def arguments(index: Any, piece: str) -> Json:
    """An ``input_json_delta``."""
    return delta(index, "input_json_delta", partial_json=piece)


def cite(index: int, kind: str, **fields: Any) -> Json:
    """A ``citations_delta``."""
    return delta(index, "citations_delta", citation={"type": kind, "cited_text": "c", **fields})


def text_start(index: Any = 0, content: str = "") -> Json:
    """The start of a text block."""
    return start(index, "text", text=content)


def call_start(index: int = 0, name: str = "f", **fields: Any) -> Json:
    """The start of a ``tool_use`` block, id ``t<index>``."""
    return start(index, "tool_use", **{"id": f"t{index}", "name": name, "input": {}, **fields})


def server_start(index: int = 0, name: str = "web_search", **fields: Any) -> Json:
    """The start of a ``server_tool_use`` block, id ``s<index>``."""
    return start(index, "server_tool_use", **{"id": f"s{index}", "name": name, "input": {}, **fields})


def result(index: int, kind: str, content: Any, **fields: Any) -> Json:
    """The start of a result block, for the call ``s0``."""
    return start(index, kind, **{"tool_use_id": "s0", "content": content, **fields})


def anthropic(**fields: Any) -> Json:
    """``providerMetadata``."""
    return {"anthropic": fields}


def outcome(value: Any, name: str, call_id: str = "s0", **fields: Any) -> Json:
    """A ``tool-result`` part."""
    return {"type": "tool-result", "toolCallId": call_id, "toolName": name, "result": value, **fields}


HEAD: list[Json] = [
    {"type": "stream-start", "warnings": []},
    {"type": "response-metadata", "id": "msg_1", "modelId": "m"},
]


def read(*events: Json | bytes, resume_from: int = 0, **options: Any) -> Decoded:
    """What the events give: under every chunking, without the quick path, and resumed from a snapshot at every byte.

    ``resume_from`` is where the snapshots begin: what all bodies have in common needs them only once.
    """
    body = sse(*events)
    expected = decode_every_way(body, DIALECT, **options)
    walker = Decoder(DIALECT, assemble=False, **options)
    resumed = Decoder(DIALECT, assemble=False, **options)
    so_far = walker.feed(body[:resume_from])
    for at in range(resume_from, len(body)):
        so_far += walker.feed(body[at : at + 1])
        resumed.restore(walker.snapshot())
        assert so_far + resumed.feed(body[at + 1 :]) + resumed.close() == expected.items, at
        assert resumed.warnings == expected.warnings, at
    return expected


def read_message(*events: Json | bytes, reason: str | None = "end_turn", **options: Any) -> Decoded:
    """As :func:`read`, between a ``message_start`` and an end."""
    begin = message_start()
    return read(begin, *events, message_delta(reason), MESSAGE_STOP, resume_from=len(sse(begin)), **options)


def payload(decoded: Decoded) -> list[Json]:
    """The parts between the head and the finish."""
    *parts, last = decoded.parts
    assert parts[:2] == HEAD
    assert last["type"] == "finish"
    return parts[2:]
