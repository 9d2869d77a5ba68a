"""The events of Gemini's Interactions API, and the parts they should give."""

from __future__ import annotations

from typing import Any

from .wire import NO_USAGE, START, Decoded, Json, _plus, decode_every_way, event

NAME = "gemini-interactions"
META: Json = {"type": "response-metadata", "id": "v1", "modelId": "m", "timestamp": "2026-05-13T19:57:27.000Z"}
MINE = {"google": {"interactionId": "v1"}}
DONE = b"event: done\ndata: [DONE]\n\n"


def said(kind: str, **fields: Any) -> Json:
    return {**fields, "event_type": kind}


CREATED = said("interaction.created", interaction={"id": "v1", "model": "m", "created": "2026-05-13T19:57:27Z"})


def completed(status: str | None = "completed", **fields: Any) -> Json:
    return said("interaction.completed", interaction={"id": "v1", "status": status, **fields})


def step(kind: str, *deltas: Json, index: int = 0, **fields: Any) -> list[Json]:
    """The events of one step."""
    return [
        said("step.start", index=index, step={"type": kind, **fields}),
        *(said("step.delta", index=index, delta=delta) for delta in deltas),
        said("step.stop", index=index),
    ]


def body(*events: Json) -> bytes:
    return b"".join(event(one, one.get("event_type", "")) for one in events)


def interaction(*events: Json, status: str = "completed", policy: Any = "lenient") -> Decoded:
    """What the events give between the start of an interaction and its end."""
    return decode_every_way(body(CREATED, *events, completed(status)) + DONE, NAME, policy=policy)


def parts_of(*events: Json) -> list[Json]:
    """The parts of well-formed events, without those of the start and the end."""
    decoded = interaction(*events)
    assert decoded.parts[:2] == [START, META]
    assert decoded.parts[-1]["type"] == "finish"
    assert decoded.codes == []
    return decoded.parts[2:-1]


def fin(unified: str, raw: str | None, usage: Json | None = None, **fields: Any) -> Json:
    metadata = {"google": {"interactionId": "v1", **fields}}
    reason = _plus({"unified": unified}, raw=raw)
    return {"type": "finish", "finishReason": reason, "usage": usage or NO_USAGE, "providerMetadata": metadata}
