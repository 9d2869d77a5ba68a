"""Synthetic events of Cohere's Chat API v2."""

from __future__ import annotations

from typing import Any

from .wire import DONE, Decoded, Json, decode_every_way, event, present

DIALECT = "cohere-v2"
USAGE = {
    "billed_units": {"input_tokens": 4, "output_tokens": 9},
    "tokens": {"input_tokens": 70, "output_tokens": 12},
    "cached_tokens": 64,
}
COUNTED: Json = {"inputTokens": {"total": 70, "noCache": 70}, "outputTokens": {"total": 12, "text": 12}, "raw": USAGE}
META: Json = {"type": "response-metadata", "id": "m"}
HEAD: list[Json] = [{"type": "stream-start", "warnings": []}, META]


def wire(*events: Json | bytes) -> bytes:
    """A body; bytes go in as they are."""
    return b"".join(item if isinstance(item, bytes) else event(item, item["type"]) for item in events)


def _message(**content: Any) -> Json:
    return {"message": content}


def message_start(key: Any = "m") -> Json:
    return {
        "id": key,
        "type": "message-start",
        "delta": _message(role="assistant", content=[], tool_plan="", tool_calls=[], citations=[]),
    }


def message_end(reason: Any = "COMPLETE", usage: Any = USAGE, **more: Any) -> Json:
    return {"type": "message-end", "delta": present(finish_reason=reason, usage=usage, **more)}


def start(index: Any = 0, kind: str = "text", said: str = "") -> Json:
    content = {"type": kind, kind: said}
    return present(type="content-start", index=index, delta=_message(content=content))


def text(said: Any, index: Any = 0) -> Json:
    return present(type="content-delta", index=index, delta=_message(content={"text": said}))


def thinking(said: Any, index: Any = 0) -> Json:
    return present(type="content-delta", index=index, delta=_message(content={"thinking": said}))


def end(index: Any = 0) -> Json:
    return present(type="content-end", index=index)


def plan(said: str) -> Json:
    return {"type": "tool-plan-delta", "delta": _message(tool_plan=said)}


def call_start(key: Any = "a", name: Any = "f", args: Any = "", index: Any = 0, kind: Any = "function") -> Json:
    function = present(name=name, arguments=args)
    return present(
        type="tool-call-start",
        index=index,
        delta=_message(tool_calls=present(id=key, type=kind, function=function)),
    )


def arguments(piece: Any, index: Any = 0) -> Json:
    return present(
        type="tool-call-delta", index=index, delta=_message(tool_calls={"function": {"arguments": piece}})
    )


def call_end(index: Any = 0) -> Json:
    return present(type="tool-call-end", index=index)


CITATION = [
    {
        "type": "citation-start",
        "index": 0,
        "delta": _message(citations={"start": 0, "end": 2, "text": "hi", "sources": [], "type": "TEXT_CONTENT"}),
    },
    {"type": "citation-end", "index": 0},
]
TALK = wire(
    message_start(),
    start(0, "thinking"),
    thinking("so"),
    end(0),
    start(1),
    text("h\u00e9: ", 1),
    text("x", 1),
    *CITATION,
    end(1),
    message_end(),
    DONE,
)
"""Reasoning, then text."""
CALLS = wire(
    message_start(),
    plan("I will"),
    call_start("a", "f"),
    arguments('{\n "k"'),
    arguments(": [1.0]}"),
    call_end(0),
    call_start("b", "g", index=1),
    call_end(1),
    message_end("TOOL_CALL"),
    DONE,
)
"""A plan, a call with arguments and one without."""


# -- expected parts ---------------------------------------------------------------------------------------------------


def r_start(key: str = "0") -> Json:
    return {"type": "reasoning-start", "id": key}


def r_delta(delta: str, key: str = "0") -> Json:
    return {"type": "reasoning-delta", "id": key, "delta": delta}


def r_end(key: str = "0") -> Json:
    return {"type": "reasoning-end", "id": key}


def fin(unified: str = "stop", raw: str | None = "COMPLETE", usage: Json = COUNTED) -> Json:
    reason = {"unified": unified} if raw is None else {"unified": unified, "raw": raw}
    return {"type": "finish", "finishReason": reason, "usage": usage}


def cohere(*events: Json | bytes, **options: Any) -> Decoded:
    """What those events give between the start of a message and its end."""
    return decode_every_way(wire(message_start(), *events, message_end(), DONE), DIALECT, **options)
