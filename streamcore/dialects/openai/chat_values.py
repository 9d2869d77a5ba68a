"""What the values in a chunk of OpenAI Chat Completions are in the unified spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from streamcore.parts import FinishUnified, Usage
from streamcore.state import Frozen

FINISH: Final[dict[str, FinishUnified]] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content-filter",
    "function_call": "tool-calls",
    "tool_calls": "tool-calls",
}


def error_in(value: Any, event: str) -> Any:
    """The provider's error, in whichever shape it came; None if the payload holds none."""
    if type(value) is not dict:
        return None
    error = value.get("error")
    if error is not None:
        return error
    if (event == "error" or value.get("type") == "error") and "message" in value:
        return value
    return None


_PREDICTED: Final = (
    ("accepted_prediction_tokens", "acceptedPredictionTokens"),
    ("rejected_prediction_tokens", "rejectedPredictionTokens"),
)
"""Key of the usage's details -> key of the metadata."""


def predictions(usage: dict[str, Any]) -> dict[str, Any]:
    """What a usage says for the metadata of the finish."""
    details = usage.get("completion_tokens_details") or {}
    return {name: details[key] for key, name in _PREDICTED if details.get(key) is not None}


def whole(number: float | None) -> int | None:
    """A number that can be an index (1.0 is 1 to ECMAScript); None if it cannot."""
    return int(number) if number is not None and number == number // 1 else None


@dataclass(frozen=True, slots=True)
class UsageKeys:
    """How a server's usage object departs from OpenAI's."""

    cached: tuple[str, ...] = ("prompt_tokens_details", "cached_tokens")
    """Where the prompt tokens that came out of a cache are."""
    written: bool = False
    """Prompt tokens that went into a cache are told, and are not among the others."""
    absent: int | None = 0
    """What a detail counts that is not told."""


OPENAI_USAGE: Final = UsageKeys(written=True)
COMPATIBLE_USAGE: Final = UsageKeys()


def usage_of(wire: Frozen | None, keys: UsageKeys = OPENAI_USAGE) -> Usage:
    """The usage object in the unified spelling; reasoning and cached tokens are part of the totals they detail."""
    if wire is None:
        return Usage()
    usage = wire.value
    prompt = usage.get("prompt_tokens") or 0
    completion = usage.get("completion_tokens") or 0
    cached = _first(_at(usage, keys.cached), keys.absent)
    written = _at(usage, ("prompt_tokens_details", "cache_write_tokens")) if keys.written else None
    reasoning = _first(_at(usage, ("completion_tokens_details", "reasoning_tokens")), keys.absent)
    return Usage(
        input_total=prompt,
        input_no_cache=prompt - (cached or 0) - (written or 0),
        input_cache_read=cached,
        input_cache_write=written,
        output_total=completion,
        output_text=max(0, completion - (reasoning or 0)),
        output_reasoning=reasoning,
        raw=usage,
    )


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """What is at ``path`` in an object of objects; None if the way ends before."""
    for key in path:
        value = (value or {}).get(key)
    return value


def _first(value: Any, absent: int | None) -> Any:
    return absent if value is None else value
