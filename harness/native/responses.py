"""What the final response of the ``openai`` SDK and our parts have in common, for the Responses API.

Compared are messages with their refusals, reasoning (its summary and its raw text, and whether it is there encrypted),
the tool calls that the reader runs, the reason of an incomplete response, token totals, and the response's id. The
encrypted content itself is not: the API encrypts anew for each event that says it, and every version is good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.subjects import PartJson

_REWRITTEN = {
    "local_shell_call": "local_shell",
    "shell_call": "shell",
    "apply_patch_call": "apply_patch",
    "tool_search_call": "tool_search",
}
"""Item type -> tool, for calls whose input the unified parts spell in another way: only their ids are compared."""
_TOTALS = ("input_tokens", "output_tokens", "total_tokens")


def _totals(usage: Any) -> dict[str, Any]:
    return {name: (usage or {}).get(name) for name in _TOTALS}


def _own(part: PartJson) -> Mapping[str, Any]:
    """The provider's metadata of a part; its key is the provider's name."""
    return next(iter((part.get("providerMetadata") or {}).values()), {})


def _item_of(part: PartJson) -> str:
    return str(_own(part).get("itemId", part["id"]))


def of_subject(parts: Sequence[PartJson]) -> dict[str, Any]:
    """The projection of our parts."""
    items: list[dict[str, Any]] = []
    texts: dict[str, dict[str, Any]] = {}
    thoughts: dict[str, dict[str, Any]] = {}
    finish: PartJson = {}
    response: PartJson = {}
    for part in parts:
        match part["type"]:
            case "response-metadata":
                response = part
            case "text-start":
                texts[part["id"]] = {"type": "message", "text": "", "refusal": ""}
                items.append(texts[part["id"]])
            case "text-delta":
                texts[part["id"]]["refusal" if _own(part).get("refusal") else "text"] += part["delta"]
            case "reasoning-start":
                item_id = _item_of(part)
                if item_id not in thoughts:
                    thoughts[item_id] = {"type": "reasoning", "text": "", "encrypted": False}
                    items.append(thoughts[item_id])
            case "reasoning-delta":
                thoughts[_item_of(part)]["text"] += part["delta"]
            case "reasoning-end":
                thoughts[_item_of(part)]["encrypted"] |= _own(part).get("reasoningEncryptedContent") is not None
            case "tool-call" if not part.get("providerExecuted"):
                text = None if part["toolName"] in _REWRITTEN.values() else part["input"]
                items.append({"type": "call", "id": part["toolCallId"], "input": text})
            case "finish":
                finish = part
    reason = (finish.get("finishReason") or {}).get("raw")
    return {
        "items": items,
        "reason": None if reason == "completed" else reason,  # xAI's raw reason is the status, where there is no other
        "usage": _totals((finish.get("usage") or {}).get("raw")),
        "id": _own(finish).get("responseId", response.get("id")),
    }


def of_native(final: dict[str, Any]) -> dict[str, Any]:
    """The projection of the SDK's final response."""
    items: list[dict[str, Any]] = []
    for item in final.get("output", ()):
        content = item.get("content") or ()
        match item.get("type"):
            case "message":
                text = "".join(part["text"] for part in content if part["type"] == "output_text")
                refusal = "".join(part["refusal"] for part in content if part["type"] == "refusal")
                items.append({"type": "message", "text": text, "refusal": refusal})
            case "reasoning":
                text = "".join(part["text"] for part in (*(item.get("summary") or ()), *content))
                encrypted = item.get("encrypted_content") is not None
                items.append({"type": "reasoning", "text": text, "encrypted": encrypted})
            case "function_call":
                items.append({"type": "call", "id": item["call_id"], "input": item["arguments"]})
            case "custom_tool_call":
                text = json.dumps(item["input"], ensure_ascii=False)
                items.append({"type": "call", "id": item["call_id"], "input": text})
            case kind if kind in _REWRITTEN and item.get("execution") != "server":
                items.append({"type": "call", "id": item["call_id"], "input": None})
    return {
        "items": items,
        "reason": (final.get("incomplete_details") or {}).get("reason"),
        "usage": _totals(final.get("usage")),
        "id": final.get("id"),
    }
