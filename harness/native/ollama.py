"""The second reference of ``ollama-ndjson``: the chunks that Ollama's own SDK yields.

It accumulates nothing and gives calls no ids, so both sides are projected onto text, reasoning, calls by name and
argument values, the raw finish reason and the token counts. Numbers are compared as the doubles that ECMAScript has.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.subjects import PartJson

_COUNTS = ("prompt_eval_count", "eval_count")


def of_subject(parts: Sequence[PartJson]) -> dict[str, Any]:
    """What the unified parts say."""
    finish: dict[str, Any] = next((part for part in parts if part["type"] == "finish"), {})
    figures = (finish.get("usage") or {}).get("raw") or {}
    return {
        "text": _joined(parts, "text-delta"),
        "thinking": _joined(parts, "reasoning-delta"),
        "tool_calls": [_call(part["toolName"], _value(part)) for part in parts if part["type"] == "tool-call"],
        "done_reason": (finish.get("finishReason") or {}).get("raw"),
        "usage": {name: figures.get(name) for name in _COUNTS},
    }


def of_native(final: dict[str, Any]) -> dict[str, Any]:
    """What the SDK's chunks say."""
    chunks = final["chunks"]
    messages = [chunk.get("message") or {} for chunk in chunks]
    last = chunks[-1] if chunks else {}
    calls = [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    return {
        "text": "".join(
            (chunk.get("response") or "") + (message.get("content") or "")
            for chunk, message in zip(chunks, messages, strict=True)
        ),
        "thinking": "".join(
            (chunk.get("thinking") or "") + (message.get("thinking") or "")
            for chunk, message in zip(chunks, messages, strict=True)
        ),
        "tool_calls": [_call(call.get("name"), call.get("arguments")) for call in calls],
        "done_reason": last.get("done_reason"),
        "usage": {name: last.get(name) for name in _COUNTS},
    }


def _joined(parts: Sequence[PartJson], kind: str) -> str:
    return "".join(part["delta"] for part in parts if part["type"] == kind)


def _value(part: PartJson) -> Any:
    return part["input"] if part.get("invalid") else json.loads(part["input"], parse_int=float)


def _call(name: str | None, arguments: Any) -> dict[str, Any]:
    # An absent object of arguments is an empty one.
    return {"name": name, "arguments": {} if arguments is None else arguments}
