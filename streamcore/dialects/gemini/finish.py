"""How a Gemini stream ended, and what it cost (API reference, "FinishReason", "BlockReason", "UsageMetadata")."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from streamcore.parts import FinishUnified, Usage
from streamcore.state import Frozen

_FILTERED: Final = ("IMAGE_SAFETY", "RECITATION", "SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")
_FINISH: Final[dict[str, FinishUnified]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "MALFORMED_FUNCTION_CALL": "error",
    **dict.fromkeys(_FILTERED, "content-filter"),
}
_OTHERS: Final = frozenset(
    (
        "OTHER",
        "LANGUAGE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
        "MODEL_ARMOR",
        "NO_IMAGE",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_OTHER",
    )
)
"""Documented reasons that the unified vocabulary has no word for."""
UNSPECIFIED: Final = ("", "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED")
"""Values of an enum that was not set: they give no reason."""


def unified(reason: str, *, has_calls: bool) -> FinishUnified:
    """The unified finish reason; a stop after function calls is for their sake."""
    return "tool-calls" if reason == "STOP" and has_calls else _FINISH.get(reason, "other")


def is_known(reason: str) -> bool:
    """Whether the finish reason is documented."""
    return reason in _FINISH or reason in _OTHERS


def raw_usage(usage: Frozen | None) -> dict[str, Any] | None:
    """The usage object as the wire had it; the quick path keeps it as a record."""
    return None if usage is None else msgspec.to_builtins(usage.value)


def usage_of(raw: dict[str, Any] | None) -> Usage:
    """Gemini's usage in the unified spelling: thoughts come on top of the candidates' tokens, cached ones do not."""
    if raw is None:
        return Usage()
    prompt, candidates, cached, thoughts = (
        raw.get(key) or 0
        for key in ("promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "thoughtsTokenCount")
    )
    return Usage(
        input_total=prompt,
        input_no_cache=prompt - cached,
        input_cache_read=cached,
        output_total=candidates + thoughts,
        output_text=candidates,
        output_reasoning=thoughts,
        raw=raw,
    )
