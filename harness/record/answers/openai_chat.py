"""A whole chat completion: "The chat completion object" in OpenAI's API reference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.record.answers.content import LATER, cannot_say, joined
from harness.record.wire import made_up

if TYPE_CHECKING:
    from collections.abc import Mapping

_STREAMED_AT = 1_767_225_600
"""2026-01-01T00:00:00Z, as the simulated streams say."""


def whole(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> bytes:
    """The body; ``reply`` is that of :func:`harness.record.openai_chat.encode` (ScenarioError)."""
    seed = f"openai-chat/{name}"
    reasons = reply["finish"] if isinstance(reply["finish"], list) else [reply["finish"]] * int(request.get("n", 1))
    choices = [
        {"index": number, "message": _message(seed, reply, number), "logprobs": None, "finish_reason": reason}
        for number, reason in enumerate(reasons)
    ]
    body = {
        "id": "chatcmpl-" + made_up(f"{seed}/twin", 29),
        "object": "chat.completion",
        "created": _STREAMED_AT + LATER,
        "model": reply.get("model", request["model"]),
        "choices": choices,
        "usage": _usage(reply.get("usage") or {}),
        "service_tier": reply.get("tier", "default"),
        "system_fingerprint": reply.get("fingerprint", "fp_" + made_up(seed, 10, "0123456789abcdef")),
    }
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _message(seed: str, reply: Mapping[str, Any], choice: int) -> dict[str, Any]:
    content: str | None = None
    refusal: str | None = None
    calls: list[dict[str, Any]] = []
    for item in reply["says"]:
        if int(item.get("choice", 0)) != choice or "comment" in item:
            continue
        if "text" in item:
            content = (content or "") + joined(item["text"])
        elif "refusal" in item:
            refusal = (refusal or "") + joined(item["refusal"])
        elif "tool" in item:
            arguments = item["arguments"]
            text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            calls.append(
                {
                    "id": "call_" + made_up(f"{seed}/call/{choice}/{len(calls)}", 24),
                    "type": "function",
                    "function": {"name": item["tool"], "arguments": text},
                }
            )
        else:
            raise cannot_say(item)
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": refusal, "annotations": []}
    return {**message, "tool_calls": calls} if calls else message


def _usage(tokens: Mapping[str, int]) -> dict[str, Any]:
    prompt, completion = tokens.get("prompt", 0), tokens.get("completion", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": tokens.get("cached", 0), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.get("reasoning", 0),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
