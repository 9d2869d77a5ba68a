"""A whole message: "Messages: create" in Anthropic's API reference, and "Building with extended thinking"."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.record.answers.content import cannot_say, joined
from harness.record.wire import made_up

if TYPE_CHECKING:
    from collections.abc import Mapping

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def whole(name: str, reply: Mapping[str, Any], request: Mapping[str, Any], *, host: str = "") -> bytes:
    """The body; ``reply`` and ``host`` are those of :func:`harness.record.anthropic_messages.encode` (ScenarioError)."""
    seed = f"anthropic-messages/{name}"
    said = [item for item in reply["says"] if not {"ping", "comment"} & set(item)]
    body = {
        "model": reply.get("model", request["model"]),
        "id": f"msg_{host}01" + made_up(f"{seed}/twin", 22),
        "type": "message",
        "role": "assistant",
        "content": [_block(seed, at, item, host) for at, item in enumerate(said)],
        "stop_reason": reply["finish"],
        "stop_sequence": reply.get("stop_sequence"),
        "usage": _usage(reply.get("usage") or {}),
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _block(seed: str, at: int, item: Mapping[str, Any], host: str) -> dict[str, Any]:
    if "text" in item and "citations" not in item:
        return {"type": "text", "text": joined(item["text"])}
    if "thinking" in item:
        signature = made_up(f"{seed}/signature/{at}", 160, _BASE64) + "==" if item.get("signature", True) else ""
        return {"type": "thinking", "thinking": joined(item["thinking"]), "signature": signature}
    if "tool" in item:
        arguments = item["arguments"]
        value = json.loads(arguments or "{}") if isinstance(arguments, str) else arguments
        ident = f"toolu_{host}01" + made_up(f"{seed}/call/{at}", 22)
        return {"type": "tool_use", "id": ident, "name": item["tool"], "input": value}
    if "block" in item and item["block"]["type"] == "redacted_thinking":
        return dict(item["block"])
    raise cannot_say(item)


def _usage(tokens: Mapping[str, int]) -> dict[str, Any]:
    created = tokens.get("cache_creation", 0)
    usage: dict[str, Any] = {
        "input_tokens": tokens.get("input", 0),
        "cache_creation_input_tokens": created,
        "cache_read_input_tokens": tokens.get("cache_read", 0),
        "cache_creation": {"ephemeral_5m_input_tokens": created, "ephemeral_1h_input_tokens": 0},
        "output_tokens": tokens.get("output", 0),
        "service_tier": "standard",
    }
    if "thinking" in tokens:
        usage["output_tokens_details"] = {"thinking_tokens": tokens["thinking"]}
    return usage
