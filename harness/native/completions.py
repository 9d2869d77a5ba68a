"""The second reference of ``openai-completions-legacy``: the chunks that OpenAI's own SDK yields.

It accumulates nothing, so both sides are projected onto the text and raw finish reason of each choice, and token totals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.subjects import PartJson

_TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")


def of_subject(parts: Sequence[PartJson]) -> dict[str, Any]:
    """What the unified parts say."""
    choices: dict[int, dict[str, Any]] = {}
    raw: dict[str, Any] = {}
    for part in parts:
        if part["type"] in ("text-start", "text-delta", "finish"):
            choice = choices.setdefault(part.get("choice", 0), _choice())
            choice["text"] += part.get("delta", "")
            if part["type"] == "finish":
                choice["finish_reason"] = part["finishReason"].get("raw")
                raw = raw or part["usage"].get("raw") or {}
    return _projected(choices, raw)


def of_native(final: dict[str, Any]) -> dict[str, Any]:
    """What the SDK's chunks say; a later usage replaces an earlier one."""
    choices: dict[int, dict[str, Any]] = {0: _choice()}
    raw: dict[str, Any] = {}
    for chunk in final["chunks"]:
        raw = chunk.get("usage") or raw
        for wire in chunk["choices"]:
            choice = choices.setdefault(wire.get("index", 0), _choice())  # OpenAI's last chunk may lack it
            choice["text"] += wire.get("text") or ""
            choice["finish_reason"] = wire.get("finish_reason") or choice["finish_reason"]
    return _projected(choices, raw)


def _choice() -> dict[str, Any]:
    return {"text": "", "finish_reason": None}


def _projected(choices: dict[int, dict[str, Any]], raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "choices": [choices[index] for index in sorted(choices)],
        "usage": {name: raw.get(name) for name in _TOTALS},
    }
