"""Whole answers of Anthropic, Google and Amazon.

Sources: "Messages: create" in Anthropic's API reference; ``GenerateContentResponse`` in the Gemini API reference;
"Converse" in the Amazon Bedrock API reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pairs.answer import Answer, Block, answer, choice, said, tool, usage

if TYPE_CHECKING:
    from collections.abc import Iterator


def anthropic(data: dict[str, Any]) -> Answer:
    """A message. Its tokens of input are counted without those that came from a cache or went into one."""
    counts = data.get("usage") or {}
    cached = counts.get("cache_read_input_tokens") or 0
    taken = (counts.get("input_tokens") or 0) + cached + (counts.get("cache_creation_input_tokens") or 0)
    thought = (counts.get("output_tokens_details") or {}).get("thinking_tokens")
    return answer(
        [choice(map(_block, filter(_is_own, data["content"])), data.get("stop_reason"))],
        usage(taken, counts.get("output_tokens"), cached=cached, reasoning=thought),
        ident=data.get("id"),
        model=data.get("model"),
    )


def _is_own(block: dict[str, Any]) -> bool:
    return block["type"] in ("text", "thinking", "redacted_thinking", "tool_use")


def _block(block: dict[str, Any]) -> Block:
    if block["type"] == "text":
        return said("text", block["text"])
    if block["type"] == "thinking":
        return said("reasoning", block["thinking"], signature=block.get("signature") or None)
    if block["type"] == "redacted_thinking":
        return said("reasoning", "", redacted=block["data"])
    return tool(block["id"], block["name"], block["input"])


def gemini(data: dict[str, Any]) -> Answer:
    """A response of generateContent."""
    counts = data.get("usageMetadata") or {}
    thoughts = counts.get("thoughtsTokenCount")
    given = (counts.get("candidatesTokenCount") or 0) + (thoughts or 0) if counts else None
    ordered = sorted(data.get("candidates") or (), key=lambda one: one.get("index") or 0)
    return answer(
        [choice(_joined((one.get("content") or {}).get("parts") or ()), one.get("finishReason")) for one in ordered],
        usage(counts.get("promptTokenCount"), given, cached=counts.get("cachedContentTokenCount"), reasoning=thoughts),
        ident=data.get("responseId"),
        model=data.get("modelVersion"),
    )


def _joined(parts: Any) -> list[Block]:
    """The blocks of an answer.

    Neighbouring texts of a kind are one, wherever a response happens to cut them. So are those with a call between them:
    in the reference's parts the block of a text stays open while a call comes, and only reasoning ends it, and it reasoning.
    """
    blocks: list[Block] = []
    last: Block = {"type": ""}
    for part in parts:
        signature = part.get("thoughtSignature")
        if "text" in part:
            block = said("reasoning" if part.get("thought") else "text", part["text"], signature=signature)
            if block["type"] == last["type"]:
                last.update(block, text=last["text"] + block["text"])
            else:
                blocks.append(last := block)
        elif "functionCall" in part:
            call = part["functionCall"]
            blocks.append(tool(call.get("id"), call.get("name"), call.get("args"), signature=signature))
    return blocks


def converse(data: dict[str, Any]) -> Answer:
    """An answer of Converse, which has no id and does not name its model."""
    counts = data.get("usage") or {}
    cached, written = counts.get("cacheReadInputTokens") or 0, counts.get("cacheWriteInputTokens") or 0
    taken = counts["inputTokens"] + cached + written if "inputTokens" in counts else None
    blocks = [block for each in data["output"]["message"]["content"] for block in _converse_block(each)]
    return answer(
        [choice(blocks, data.get("stopReason"))],
        usage(taken, counts.get("outputTokens"), cached=cached),
    )


def _converse_block(block: dict[str, Any]) -> Iterator[Block]:
    if "text" in block:
        yield said("text", block["text"])
    elif "reasoningContent" in block:
        reasoning = block["reasoningContent"]
        text = reasoning.get("reasoningText") or {}
        yield said(
            "reasoning",
            text.get("text", ""),
            signature=text.get("signature"),
            redacted=reasoning.get("redactedContent"),
        )
    elif "toolUse" in block:
        yield tool(block["toolUse"]["toolUseId"], block["toolUse"]["name"], block["toolUse"]["input"])
