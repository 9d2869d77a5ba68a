"""A whole answer of Converse: "Converse" in the Amazon Bedrock API reference (``ConverseOutput``, ``ContentBlock``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.record.answers.content import cannot_say, joined
from harness.record.wire import made_up

if TYPE_CHECKING:
    from collections.abc import Mapping

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def whole(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> bytes:
    """The body; ``reply`` is that of :func:`harness.record.bedrock_converse.encode` (ScenarioError)."""
    del request  # what it asks for shows in the reply alone
    seed = f"bedrock-converse-stream/{name}"
    body = {
        "metrics": {"latencyMs": reply.get("latency", 640) + 900},
        "output": {
            "message": {
                "content": [_block(seed, at, item) for at, item in enumerate(reply["says"])],
                "role": "assistant",
            }
        },
        "stopReason": reply["finish"],
        "usage": _usage(reply.get("usage") or {}),
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _block(seed: str, at: int, item: Mapping[str, Any]) -> dict[str, Any]:
    if "text" in item:
        return {"text": joined(item["text"])}
    if "reasoning" in item:
        said = {"text": joined(item["reasoning"])}
        if item.get("signature", True):
            said["signature"] = made_up(f"{seed}/signature/{at}", 118, _BASE64) + "=="
        return {"reasoningContent": {"reasoningText": said}}
    if "tool" in item:
        arguments = item["arguments"]
        value = json.loads(arguments or "{}") if isinstance(arguments, str) else arguments
        ident = "tooluse_" + made_up(f"{seed}/call/{at}", 22)
        return {"toolUse": {"input": value, "name": item["tool"], "toolUseId": ident}}
    if "toolUse" in item.get("start", ()):
        text = "".join(delta["toolUse"]["input"] for delta in item["deltas"])
        return {"toolUse": {**item["start"]["toolUse"], "input": json.loads(text or "{}")}}
    raise cannot_say(item)


def _usage(tokens: Mapping[str, int]) -> dict[str, int]:
    taken, given = tokens.get("input", 0), tokens.get("output", 0)
    read, written = tokens.get("cache_read", 0), tokens.get("cache_write", 0)
    usage = {"inputTokens": taken, "outputTokens": given, "totalTokens": taken + given + read + written}
    return {**usage, "cacheReadInputTokens": read, "cacheWriteInputTokens": written}
