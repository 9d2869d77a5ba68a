"""Payloads of the other providers' APIs misread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.mutants.base import ANTHROPIC_MESSAGES, Mutant
from harness.mutants.overriding import GONE, overriding
from harness.mutants.payloads import Change, changing, changing_each, unread
from streamcore.dialects.base import Dialect
from streamcore.dialects.gemini.generate_content import Gemini

if TYPE_CHECKING:
    from streamcore.parts import Part

_ANTHROPIC = (ANTHROPIC_MESSAGES, "vertex-anthropic")
_GEMINI = ("gemini-generateContent", "vertex-gemini", "gemini-generateContent-json-array")


# -- Anthropic ------------------------------------------------------------------------------------------------------


def _redacted_dropped(value: dict[str, Any]) -> Any:
    block = value.get("content_block") or {}
    return {**value, "content_block": {"type": "unknown"}} if block.get("type") == "redacted_thinking" else None


def _index_by_arrival() -> Change:
    met: list[Any] = []

    def change(value: dict[str, Any]) -> Any:
        if "index" not in value:
            return None
        if value.get("type") == "content_block_start":
            met.append(value["index"])
        return {**value, "index": len(met) - 1}

    return change


def _stops_at_reason() -> Change:
    """Takes the reason why the model stopped for the end of what it said."""
    stopped = False

    def change(value: dict[str, Any]) -> Any:
        nonlocal stopped
        over = stopped
        stopped = over or bool((value.get("delta") or {}).get("stop_reason"))
        return GONE if over and str(value.get("type")).startswith("content_block") else None

    return change


# -- Gemini ---------------------------------------------------------------------------------------------------------


def _candidates(value: dict[str, Any], change: Callable[[list[Any]], list[Any]]) -> Any:
    """The chunk with the parts of each candidate changed; None if there are none, or they stay as they are."""
    found = value.get("candidates")
    if not found or not all(isinstance(candidate, dict) for candidate in found):
        return None
    changed = []
    for candidate in found:
        content = candidate.get("content") or {}
        parts = content.get("parts")
        new = change(parts) if parts and all(isinstance(part, dict) for part in parts) else parts
        changed.append({**candidate, "content": {**content, "parts": new}} if new != parts else candidate)
    return {**value, "candidates": changed} if changed != found else None


def _needs_args(value: dict[str, Any]) -> Any:
    return _candidates(
        value, lambda parts: [part for part in parts if "args" in part.get("functionCall", {"args": {}})]
    )


def _one_call_a_chunk(value: dict[str, Any]) -> Any:
    def first(parts: list[Any]) -> list[Any]:
        calls = [part for part in parts if "functionCall" in part]
        return [part for part in parts if part not in calls[1:]]

    return _candidates(value, first)


class OneId(Gemini):
    """Gives every call that comes without an id the same one."""

    def take_id(self, wanted: str | None, out: list[Part]) -> str:
        """The wire's id, or the one there is."""
        return super().take_id(wanted, out) if wanted else "the-only-id"


def _malformed_is_stop(value: dict[str, Any]) -> Any:
    found = [one for one in value.get("candidates") or [] if isinstance(one, dict)]
    if not any(one.get("finishReason") == "MALFORMED_FUNCTION_CALL" for one in found):
        return None
    return {**value, "candidates": [{**one, "finishReason": "STOP"} for one in found]}


class NoTail(Dialect):
    """Reads events, and nothing that stands behind them."""

    def stray_error(self, value: Any) -> Any:
        """No error."""


# -- others ---------------------------------------------------------------------------------------------------------


def _cohere_error_is_complete(value: dict[str, Any]) -> Any:
    delta = value.get("delta") or {}
    if value.get("type") != "message-end" or delta.get("finish_reason") != "ERROR":
        return None
    kept = {key: item for key, item in delta.items() if not key.startswith("error")}
    return {**value, "delta": {**kept, "finish_reason": "COMPLETE"}}


def _ollama_arguments_as_python(value: dict[str, Any]) -> Any:
    message = value.get("message") or {}
    if not message.get("tool_calls"):
        return None
    calls = [
        {**call, "function": {**call["function"], "arguments": str(call["function"].get("arguments"))}}
        for call in message["tool_calls"]
    ]
    return {**value, "message": {**message, "tool_calls": calls}}


def _ollama_error_is_done(value: dict[str, Any]) -> Any:
    return {**value, "done": True, "done_reason": "stop", "error": None} if "error" in value else None


MUTANTS = (
    Mutant(
        "after-reason-unread",
        "what comes after the stop reason is not read",
        "WH-049",
        changing_each(_stops_at_reason, *_ANTHROPIC),
    ),
    Mutant(
        "index-by-arrival",
        "blocks are counted as they begin, and their own index is not read: a gap mixes them up",
        "WH-066",
        changing_each(_index_by_arrival, *_ANTHROPIC),
        shown="anthropic-messages/local-parallel-tools",
    ),
    Mutant(
        "redacted-thinking-dropped",
        "a redacted thinking block is taken for an unknown one",
        "P3",
        changing(_redacted_dropped, *_ANTHROPIC),
    ),
    Mutant(
        "cache-tokens-unread",
        "tokens that were read from or written to a cache are not counted",
        "R6",
        unread({"cache_creation_input_tokens", "cache_read_input_tokens"}, *_ANTHROPIC),
    ),
    Mutant(
        "thought-is-text",
        "the mark of a thought is not read: reasoning comes out as text",
        "WH-052",
        unread({"thought"}, *_GEMINI),
        shown="gemini-generateContent/thinking",
    ),
    Mutant(
        "thought-signature-unread", "thoughtSignature is not read", "WH-074", unread({"thoughtSignature"}, *_GEMINI)
    ),
    Mutant(
        "block-reason-unread",
        "promptFeedback is not read: a blocked prompt is an empty answer",
        "WH-075",
        unread({"promptFeedback"}, *_GEMINI),
    ),
    Mutant(
        "malformed-call-is-stop",
        "MALFORMED_FUNCTION_CALL is mapped to stop",
        "WH-076",
        changing(_malformed_is_stop, *_GEMINI),
    ),
    Mutant("args-needed", "a function call without args is no call", "WH-077", changing(_needs_args, *_GEMINI)),
    Mutant(
        "one-call-a-chunk",
        "of several function calls in one chunk the first is read",
        "WH-107",
        changing(_one_call_a_chunk, *_GEMINI),
        shown="gemini-generateContent/parallel-tools",
    ),
    Mutant(
        "one-id-for-all",
        "calls that come without an id all get the same one",
        "WH-108",
        overriding(OneId, *_GEMINI),
    ),
    Mutant("error-tail-unread", "a JSON error behind the events is not read", "WH-031", overriding(NoTail, *_GEMINI)),
    Mutant(
        "cohere-error-is-complete",
        "the finish reason ERROR is taken for the end of a whole answer",
        "V19",
        changing(_cohere_error_is_complete, "cohere-v2"),
    ),
    Mutant("thinking-unread", "thinking is not read", "P4", unread({"thinking"}, "cohere-v2", "ollama-ndjson")),
    Mutant(
        "arguments-as-python",
        "arguments that are an object are written as Python writes them",
        "WH-096",
        changing(_ollama_arguments_as_python, "ollama-ndjson"),
    ),
    Mutant(
        "error-line-ends",
        "a line that holds an error is taken for the last line of a whole answer",
        "V19",
        changing(_ollama_error_is_done, "ollama-ndjson"),
    ),
)
