"""A whole answer of ``generateContent``: ``GenerateContentResponse`` in the Gemini API reference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.record.answers.content import cannot_say, joined
from harness.record.wire import made_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def whole(name: str, reply: Mapping[str, Any], request: Mapping[str, Any], *, vertex: bool = False) -> bytes:
    """The body; ``reply`` and ``vertex`` are those of :func:`harness.record.gemini.encode` (ScenarioError)."""
    seed = f"{'vertex-gemini' if vertex else 'gemini'}/{name}"
    content = {"parts": list(_signed(seed, reply)), "role": "model"}
    body = {
        "candidates": [{"content": content, "finishReason": reply["finish"], "index": 0}],
        "usageMetadata": _usage(reply.get("usage") or {}),
        "modelVersion": reply.get("model", request.get("model")),
        **({"createTime": "2026-01-01T00:00:02.000000Z"} if vertex else {}),
        "responseId": made_up(f"{seed}/twin", 22, _BASE64[:62] + "-_"),
    }
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _signed(seed: str, reply: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    signed = 0
    for part in (part for item in reply["says"] for part in _parts(item)):
        if part.get("thoughtSignature") == "$signature":
            signed += 1
            part["thoughtSignature"] = made_up(f"{seed}/signature/{signed}", 94, _BASE64) + "=="
        yield part


def _parts(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    signature = {"thoughtSignature": "$signature"} if item.get("signature") else {}
    if "text" in item:
        yield {"text": joined(item["text"]), **({"thought": True} if item.get("thought") else {}), **signature}
    elif "tool" in item and not item.get("id"):
        arguments = item.get("arguments", {})
        value = json.loads(arguments) if isinstance(arguments, str) else arguments
        yield {"functionCall": {"name": item["tool"], **({"args": value} if "arguments" in item else {})}, **signature}
    elif "parts" in item:
        for part in item["parts"] or ():
            if not {"text", "functionCall"} & set(part):
                raise cannot_say(part)
            yield dict(part)
    else:
        raise cannot_say(item)


def _usage(tokens: Mapping[str, Any]) -> dict[str, Any]:
    prompt, said, thoughts = (tokens.get(name, 0) for name in ("prompt", "candidates", "thoughts"))
    usage: dict[str, Any] = {"promptTokenCount": prompt}
    if said:
        usage["candidatesTokenCount"] = said
    usage["totalTokenCount"] = prompt + said + thoughts
    if "cached" in tokens:
        usage["cachedContentTokenCount"] = tokens["cached"]
    usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": prompt}]
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    return usage
