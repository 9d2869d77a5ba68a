"""Parts that the relatives of OpenAI's chat give, spelled out beside those of ``wire``."""

from __future__ import annotations

from typing import Any

from .wire import Json, present


def r_start(key: str, **extra: Any) -> Json:
    """A ``reasoning-start`` part."""
    return {"type": "reasoning-start", "id": key, **extra}


def r_delta(delta: str, key: str, **extra: Any) -> Json:
    """A ``reasoning-delta`` part."""
    return {"type": "reasoning-delta", "id": key, "delta": delta, **extra}


def r_end(key: str, **extra: Any) -> Json:
    """A ``reasoning-end`` part."""
    return {"type": "reasoning-end", "id": key, **extra}


def source(number: int, url: str, **extra: Any) -> Json:
    """A ``source`` part."""
    return {"type": "source", "sourceType": "url", "id": f"source_gen_{number}", "url": url, **extra}


def counts(given: Json | None = None, made: Json | None = None, raw: Any = None) -> Json:
    """The ``usage`` of a finish."""
    usage: Json = {"inputTokens": given or {}, "outputTokens": made or {}}
    return usage if raw is None else {**usage, "raw": raw}


NOTHING = counts({"total": 0, "noCache": 0, "cacheRead": 0, "cacheWrite": 0}, {"total": 0, "text": 0, "reasoning": 0})
"""The usage that xAI's provider shows where there is none."""


def done(unified: str, raw: str | None, usage: Json, metadata: Json | None = None) -> Json:
    """The ``finish`` part of choice 0."""
    reason = {"unified": unified} if raw is None else {"unified": unified, "raw": raw}
    said = {} if metadata is None else present(providerMetadata=metadata)
    return {"type": "finish", "finishReason": reason, "usage": usage, **said}
