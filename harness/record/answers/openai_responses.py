"""A whole response: "The response object" in OpenAI's API reference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.record.answers.content import LATER, cannot_say, joined
from harness.record.wire import made_up

if TYPE_CHECKING:
    from collections.abc import Mapping

_STREAMED_AT = 1_767_225_600
_HEX = "0123456789abcdef"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def whole(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> bytes:
    """The body; ``reply`` is that of :func:`harness.record.openai_responses.encode` (ScenarioError)."""
    seed = f"openai-responses/{name}"
    status = reply["finish"]
    said = [item for item in reply["says"] if "comment" not in item]
    lacks = {"reason": reply.get("reason", "max_output_tokens")} if status == "incomplete" else None
    body = {
        "id": "resp_" + made_up(f"{seed}/twin", 24, _HEX),
        "object": "response",
        "created_at": _STREAMED_AT + LATER,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": lacks,
        "instructions": None,
        "max_output_tokens": request.get("max_output_tokens"),
        "model": request["model"],
        "output": [_item(seed, at, item, request, status) for at, item in enumerate(said)],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": request.get("reasoning", {"effort": None, "summary": None}),
        "service_tier": reply.get("tier", "default"),
        "store": request.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": request.get("tools", []),
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _usage(reply.get("usage") or {}),
        "user": None,
        "metadata": {},
    }
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _item(seed: str, at: int, item: Mapping[str, Any], request: Mapping[str, Any], status: str) -> dict[str, Any]:
    ident = made_up(f"{seed}/twin/{at}", 24, _HEX)
    if "text" in item or "refusal" in item:
        part: dict[str, Any] = {"type": "refusal", "refusal": joined(item.get("refusal", ""))}
        if "text" in item:
            annotations = item.get("annotations", [])
            part = {"type": "output_text", "annotations": annotations, "logprobs": [], "text": joined(item["text"])}
        state = "incomplete" if status == "incomplete" else "completed"
        return {"id": f"msg_{ident}", "type": "message", "status": state, "content": [part], "role": "assistant"}
    if "reasoning" in item:
        summary = [{"type": "summary_text", "text": joined(text)} for text in item["reasoning"]]
        reasoning = {"id": f"rs_{ident}", "type": "reasoning", "summary": summary}
        if "reasoning.encrypted_content" in (request.get("include") or ()):
            reasoning["encrypted_content"] = "gAAAAAB" + made_up(f"{seed}/secret/{at}/120", 113, _BASE64)
        return reasoning
    if "tool" in item:
        arguments = item["arguments"]
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        call = {"id": f"fc_{ident}", "type": "function_call", "status": "completed", "arguments": text}
        return {**call, "call_id": "call_" + made_up(f"{seed}/{at}", 24), "name": item["tool"]}
    raise cannot_say(item)


def _usage(tokens: Mapping[str, int]) -> dict[str, Any]:
    taken, given = tokens.get("input", 0), tokens.get("output", 0)
    return {
        "input_tokens": taken,
        "input_tokens_details": {
            "cached_tokens": tokens.get("cached", 0),
            "cache_write_tokens": tokens.get("written", 0),
        },
        "output_tokens": given,
        "output_tokens_details": {"reasoning_tokens": tokens.get("reasoning", 0)},
        "total_tokens": taken + given,
    }
