"""Whole answers of OpenAI's APIs and of those that took after them.

Sources: "The chat completion object", "The response object" and "The completion object" in OpenAI's API reference;
``reasoning_content`` in DeepSeek's, ``reasoning`` in OpenRouter's and Groq's; "Chat completion" in Mistral's (content in
chunks); "Chat" in Cohere's v2; "Generate a chat completion" in Ollama's API documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.pairs.answer import Answer, Block, answer, choice, moment, said, tool, usage

if TYPE_CHECKING:
    from collections.abc import Iterator


def chat(data: dict[str, Any]) -> Answer:
    """A chat completion."""
    counts = data.get("usage") or {}
    prompt, completion = counts.get("prompt_tokens_details") or {}, counts.get("completion_tokens_details") or {}
    ordered = sorted(data["choices"], key=lambda one: one.get("index") or 0)
    return answer(
        [choice(_chat_blocks(one["message"]), one.get("finish_reason")) for one in ordered],
        usage(
            counts.get("prompt_tokens"),
            counts.get("completion_tokens"),
            cached=prompt.get("cached_tokens"),
            reasoning=completion.get("reasoning_tokens"),
        ),
        ident=data.get("id"),
        model=data.get("model"),
        created=moment(data.get("created")),
    )


def _chat_blocks(message: dict[str, Any]) -> Iterator[Block]:
    thought = message.get("reasoning_content") or message.get("reasoning")
    if thought:
        yield said("reasoning", thought)
    content: Any = message.get("content")
    pieces: list[dict[str, Any]] = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    for piece in pieces:
        if piece["type"] == "thinking":
            yield said("reasoning", "".join(each.get("text", "") for each in piece["thinking"]))
        elif piece["type"] == "text":
            yield said("text", piece["text"])
    if message.get("refusal"):
        yield said("refusal", message["refusal"])
    for call in message.get("tool_calls") or ():
        yield tool(call.get("id"), call["function"]["name"], call["function"].get("arguments"))


def completion(data: dict[str, Any]) -> Answer:
    """A completion of the older API: text alone."""
    counts = data.get("usage") or {}
    return answer(
        [choice([said("text", one["text"])], one.get("finish_reason")) for one in data["choices"]],
        usage(counts.get("prompt_tokens"), counts.get("completion_tokens")),
        ident=data.get("id"),
        model=data.get("model"),
        created=moment(data.get("created")),
    )


def response(data: dict[str, Any], *, says_status: bool = False) -> Answer:
    """A response; ``says_status``: where it lacks nothing, its status is why it ended, as the SDK for xAI has it."""
    counts = data.get("usage") or {}
    finish = (data.get("incomplete_details") or {}).get("reason") or (data.get("status") if says_status else None)
    return answer(
        [choice((block for item in data["output"] for block in _item(item)), finish)],
        usage(
            counts.get("input_tokens"),
            counts.get("output_tokens"),
            cached=(counts.get("input_tokens_details") or {}).get("cached_tokens"),
            reasoning=(counts.get("output_tokens_details") or {}).get("reasoning_tokens"),
        ),
        ident=data.get("id"),
        model=data.get("model"),
        created=moment(data.get("created_at")),
    )


def _item(item: dict[str, Any]) -> Iterator[Block]:
    kind = item["type"]
    if kind == "message":
        for part in item["content"]:
            refused = part["type"] == "refusal"
            yield said("refusal" if refused else "text", part["refusal" if refused else "text"])
    elif kind == "reasoning":
        texts = [part["text"] for part in item.get("summary") or item.get("content") or ()]
        yield said("reasoning", "\n\n".join(texts), signature=item.get("encrypted_content"))
    elif kind == "function_call":
        yield tool(item["call_id"], item["name"], item["arguments"])


def cohere(data: dict[str, Any]) -> Answer:
    """An answer of Cohere's second API. Its ``tool_plan`` is left out: the reference's parts do not tell it."""
    message, tokens = data["message"], (data.get("usage") or {}).get("tokens") or {}
    blocks = [
        said("reasoning", part["thinking"]) if part["type"] == "thinking" else said("text", part["text"])
        for part in message.get("content") or ()
    ]
    calls = message.get("tool_calls") or ()
    blocks += [tool(one["id"], one["function"]["name"], one["function"]["arguments"]) for one in calls]
    counts = usage(tokens.get("input_tokens"), tokens.get("output_tokens"))
    return answer([choice(blocks, data.get("finish_reason"))], counts, ident=data.get("id"))


def ollama(data: dict[str, Any]) -> Answer:
    """An answer of Ollama's own API; its calls have no ids, and their arguments are objects."""
    message = data["message"]
    blocks = [said("reasoning", message["thinking"])] if message.get("thinking") else []
    blocks.append(said("text", message.get("content") or ""))
    calls = message.get("tool_calls") or ()
    blocks += [tool(None, one["function"]["name"], one["function"]["arguments"]) for one in calls]
    created = re.sub(r"(\.\d{3})\d*", r"\1", str(data.get("created_at") or "")) or None
    counts = usage(data.get("prompt_eval_count"), data.get("eval_count"))
    return answer([choice(blocks, data.get("done_reason"))], counts, model=data.get("model"), created=created)
