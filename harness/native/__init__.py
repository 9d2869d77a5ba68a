"""The second reference: a provider's own SDK, compared on the final message.

Its accumulated message has another shape than the unified parts, so both are projected onto what they have in common:
text, refusals, reasoning with its signatures, tool calls with their arguments, the raw finish reason, token totals. The
projections are compared as canonical text; deepdiff tells what differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from deepdiff import DeepDiff

from harness.native import bedrock as native_bedrock
from harness.native import completions as native_completions
from harness.native import gemini as native_gemini
from harness.native import ollama as native_ollama
from harness.native import responses as native_responses
from harness.subjects import PartJson

Projection = dict[str, Any]


def _said(parts: Sequence[PartJson], choice: int, refusals: set[tuple[int, str]], *, refused: bool) -> str:
    """The text of one choice: the refusals, or everything else."""
    return "".join(
        part["delta"]
        for part in parts
        if part["type"] == "text-delta"
        and part.get("choice", 0) == choice
        and ((choice, part["id"]) in refusals) is refused
    )


def _openai_subject(parts: Sequence[PartJson]) -> Projection:
    refusals = {
        (part.get("choice", 0), part["id"])
        for part in parts
        if part["type"] == "text-start" and (part.get("providerMetadata") or {}).get("openai", {}).get("refusal")
    }
    choices = []
    for index in sorted({part.get("choice", 0) for part in parts if part["type"] == "finish"}):
        calls = [
            {"id": part["toolCallId"], "name": part["toolName"], "arguments": part["input"]}
            for part in parts
            if part["type"] == "tool-call" and part.get("choice", 0) == index
        ]
        finish = next(part for part in parts if part["type"] == "finish" and part.get("choice", 0) == index)
        choices.append(
            {
                "content": _said(parts, index, refusals, refused=False),
                "refusal": _said(parts, index, refusals, refused=True),
                "tool_calls": calls,
                "finish_reason": finish["finishReason"].get("raw"),
            }
        )
    raw = next((part["usage"].get("raw") for part in parts if part["type"] == "finish" and "choice" not in part), None)
    return {"choices": choices, "usage": _totals(raw, _OPENAI_TOTALS)}


_OPENAI_TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")
_ANTHROPIC_TOTALS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def _totals(usage: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: (usage or {}).get(name) for name in names}


def _openai_native(final: dict[str, Any]) -> Projection:
    choices = []
    for choice in final.get("choices", ()):
        message = choice.get("message") or {}
        choices.append(
            {
                "content": message.get("content") or "",
                "refusal": message.get("refusal") or "",
                "tool_calls": [
                    {
                        "id": call.get("id"),
                        "name": (call.get("function") or {}).get("name"),
                        "arguments": (call.get("function") or {}).get("arguments"),
                    }
                    for call in message.get("tool_calls") or ()
                ],
                "finish_reason": choice.get("finish_reason"),
            }
        )
    return {"choices": choices, "usage": _totals(final.get("usage"), _OPENAI_TOTALS)}


_ANTHROPIC_BLOCKS = ("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_use")


def _anthropic_subject(parts: Sequence[PartJson]) -> Projection:
    blocks: list[dict[str, Any]] = []
    open_blocks: dict[tuple[str, str], dict[str, Any]] = {}
    finish: dict[str, Any] = {}
    for part in parts:
        kind = part["type"]
        own = (part.get("providerMetadata") or {}).get("anthropic") or {}
        if kind in ("text-start", "reasoning-start"):
            if own.get("type") == "compaction":
                continue
            block: dict[str, Any] = {"type": "text", "text": ""}
            if kind == "reasoning-start":
                redacted = own.get("redactedData")
                block = {"type": "redacted", "data": redacted} if redacted is not None else {"type": "thinking"}
                if redacted is None:
                    block |= {"thinking": "", "signature": ""}
            open_blocks[kind.partition("-")[0], part["id"]] = block
            blocks.append(block)
        elif kind in ("text-delta", "reasoning-delta"):
            found = open_blocks.get((kind.partition("-")[0], part["id"]))
            if found is not None and found["type"] in ("text", "thinking"):
                found[found["type"]] += part["delta"]
                found.update({"signature": own["signature"]} if "signature" in own else {})
        elif kind == "tool-call":
            value = _value(part["input"])
            if part["toolName"] == "code_execution" and isinstance(value, dict):
                value.pop("type", None)  # the unified parts add it, to tell the three tools of that name apart
            blocks.append({"type": "tool", "id": part["toolCallId"], "input": value})
        elif kind == "finish":
            finish = part
    raw = (finish.get("usage") or {}).get("raw")
    return {
        "blocks": [block for block in blocks if block.get("text") != ""],
        "stop_reason": (finish.get("finishReason") or {}).get("raw"),
        "usage": _totals(raw, _ANTHROPIC_TOTALS),
    }


def _value(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {"not JSON": text}


def _anthropic_native(final: dict[str, Any]) -> Projection:
    blocks: list[dict[str, Any]] = []
    for block in final.get("content", ()):
        kind = block.get("type")
        if kind == "text" and block.get("text"):
            blocks.append({"type": "text", "text": block["text"]})
        elif kind == "thinking":
            blocks.append({"type": "thinking", "thinking": block["thinking"], "signature": block.get("signature", "")})
        elif kind == "redacted_thinking":
            blocks.append({"type": "redacted", "data": block["data"]})
        elif kind in _ANTHROPIC_BLOCKS and kind != "text":
            blocks.append({"type": "tool", "id": block["id"], "input": block.get("input")})
    return {
        "blocks": blocks,
        "stop_reason": final.get("stop_reason"),
        "usage": _totals(final.get("usage"), _ANTHROPIC_TOTALS),
    }


PROJECTIONS: dict[str, tuple[Callable[[Sequence[PartJson]], Projection], Callable[[dict[str, Any]], Projection]]] = {
    "openai.chat": (_openai_subject, _openai_native),
    "anthropic": (_anthropic_subject, _anthropic_native),
    "openai.responses": (native_responses.of_subject, native_responses.of_native),
    "ollama": (native_ollama.of_subject, native_ollama.of_native),
    "openai.completion": (native_completions.of_subject, native_completions.of_native),
    **native_bedrock.PROJECTIONS,
    **dict.fromkeys(
        ("genai", "genai.array", "genai.vertex"), (native_gemini.of_subject, native_gemini.of_native)
    ),
}


def project(reference: str, parts: Sequence[PartJson], end: dict[str, Any]) -> tuple[Projection, Projection]:
    """(what the native golden says, what the subject says), both projected.

    ``end`` is the golden's end line. A stream that failed projects to the fact that it did: the SDKs throw where the
    unified parts keep what came before.
    """
    of_subject, of_native = PROJECTIONS[reference]
    if end["end"] == "error":
        failed = any(part["type"] == "error" for part in parts)
        return {"failed": True}, {"failed": True} if failed else {"failed": False, **of_subject(parts)}
    return of_native(end["final"]), of_subject(parts)


def explain(expected: Projection, actual: Projection) -> str:
    """What differs, in one short line a value."""
    found = DeepDiff(expected, actual, ignore_order=False, verbose_level=2)
    return str(found.pretty()).replace("\n", "; ")[:500]
