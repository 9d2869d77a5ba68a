"""The AWS SDK for Bedrock as second reference: it accumulates nothing, so its final state is the list of events it read.

The events are folded here, by rules written from the API reference and shared with nobody, into what the unified parts
can be folded into too: blocks in order of their first event, the raw stop reason, token counts. InvokeModel passes on
each model family's own events; the family is seen from their keys.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

from harness.subjects import PartJson

Projection = dict[str, Any]
Block = dict[str, Any]


def bedrock_subject(parts: Sequence[PartJson]) -> Projection:
    """What the parts of a stream say."""
    blocks: dict[tuple[Any, ...], Block] = {}
    finish: dict[str, Any] = {}
    for part in parts:
        family = part["type"].rpartition("-")[0]
        choice = part.get("choice", 0)
        own: dict[str, Any] = {}
        for fields in (part.get("providerMetadata") or {}).values():
            own |= fields
        if family in ("text", "reasoning"):
            block = blocks.setdefault((family, choice, part["id"]), {"choice": choice, "text": ""})
            if family == "reasoning":
                block |= {"reasoning": True} | {key: own[key] for key in _SEALS if key in own}
            block["text"] += part.get("delta", "")
        elif part["type"] == "tool-input-start":
            blocks["call", choice, part["id"]] = {"call": part["id"], "name": part["toolName"]}
        elif part["type"] == "tool-call":
            blocks["call", choice, part["toolCallId"]]["arguments"] = part["input"]
        elif part["type"] == "tool-result":
            blocks["result", 0, part["toolCallId"]] = {"result": part["toolCallId"], "content": part["result"]}
        elif part["type"] == "file":
            blocks["file", 0, len(blocks)] = {"image": part["mediaType"], "data": part["data"]}
        elif part["type"] == "finish" and not choice:
            finish = part
    usage = finish.get("usage") or {}
    return {
        "blocks": _shown(blocks.values()),
        "stop_reason": (finish.get("finishReason") or {}).get("raw"),
        "input_tokens": (usage.get("inputTokens") or {}).get("noCache"),
        "output_tokens": (usage.get("outputTokens") or {}).get("total"),
    }


_SEALS = ("signature", "redactedContent", "redactedData")


def _shown(blocks: Any) -> list[Block]:
    """The blocks that hold anything."""
    return [block for block in blocks if block.get("text") != "" or any(key in block for key in _SEALS)]


def converse_native(final: dict[str, Any]) -> Projection:
    """What the events of ConverseStream, or of a Nova model under InvokeModel, say."""
    blocks: dict[int, Block] = {}
    stop_reason = None
    usage: dict[str, Any] = {}
    for event in final["events"]:
        if "contentBlockStart" in event:
            index, start = event["contentBlockStart"]["contentBlockIndex"], event["contentBlockStart"].get("start") or {}
            if "toolUse" in start:
                use = start["toolUse"]
                blocks[index] = {"call": use["toolUseId"], "name": use["name"], "arguments": ""}
            elif "toolResult" in start:
                blocks[index] = {"result": start["toolResult"]["toolUseId"], "content": []}
            elif "image" in start:
                blocks[index] = {"image": f"image/{start['image']['format']}", "data": ""}
        elif "contentBlockDelta" in event:
            index, delta = event["contentBlockDelta"]["contentBlockIndex"], event["contentBlockDelta"].get("delta") or {}
            _converse_delta(blocks, index, delta)
        elif "messageStop" in event:
            stop_reason = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            usage = event["metadata"].get("usage") or {}
    for block in blocks.values():
        if "call" in block:
            block["arguments"] = block["arguments"] or "{}"
        if "redactedContent" in block:
            block["redactedContent"] = base64.b64encode(block["redactedContent"]).decode()
    return {
        "blocks": _shown(blocks.values()),
        "stop_reason": stop_reason,
        "input_tokens": usage.get("inputTokens"),
        "output_tokens": usage.get("outputTokens"),
    }


def _converse_delta(blocks: dict[int, Block], index: int, delta: dict[str, Any]) -> None:
    if "toolUse" in delta:
        blocks[index]["arguments"] += delta["toolUse"].get("input") or ""
    elif "toolResult" in delta:
        blocks[index]["content"] += delta["toolResult"]
    elif "image" in delta:
        blocks[index]["data"] += (delta["image"].get("source") or {}).get("bytes") or ""
    elif "text" in delta:
        blocks.setdefault(index, {"choice": 0, "text": ""})["text"] += delta["text"]
    elif "reasoningContent" in delta:
        content = delta["reasoningContent"]
        block = blocks.setdefault(index, {"choice": 0, "text": "", "reasoning": True})
        block["text"] += content.get("text") or ""
        if "signature" in content:
            block["signature"] = content["signature"]
        if "redactedContent" in content:
            # The SDK decodes the base64 of the wire, and the trace encodes the bytes again.
            block["redactedContent"] = block.get("redactedContent", b"") + base64.b64decode(content["redactedContent"])


def _anthropic(events: Sequence[dict[str, Any]]) -> Projection:
    blocks: dict[int, Block] = {}
    stop_reason = None
    counts: dict[str, Any] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                counts |= event["message"].get("usage") or {}
            case "content_block_start":
                block = event["content_block"]
                if block["type"] == "tool_use":
                    made: Block = {"call": block["id"], "name": block["name"], "arguments": ""}
                elif block["type"] == "redacted_thinking":
                    made = {"choice": 0, "text": "", "reasoning": True, "redactedData": block["data"]}
                else:
                    made = {"choice": 0, "text": ""}
                    made |= {"reasoning": True} if block["type"] == "thinking" else {}
                blocks[event["index"]] = made
            case "content_block_delta":
                block, delta = blocks[event["index"]], event["delta"]
                if delta["type"] == "input_json_delta":
                    block["arguments"] += delta["partial_json"]
                elif delta["type"] == "signature_delta":
                    block["signature"] = delta["signature"]
                else:
                    block["text"] += delta.get("text") or delta.get("thinking") or ""
            case "message_delta":
                stop_reason = event["delta"].get("stop_reason")
                counts |= {key: value for key, value in (event.get("usage") or {}).items() if value is not None}
    for block in blocks.values():
        if "call" in block:
            block["arguments"] = block["arguments"] or "{}"
    return {
        "blocks": _shown(blocks.values()),
        "stop_reason": stop_reason,
        "input_tokens": counts.get("input_tokens"),
        "output_tokens": counts.get("output_tokens"),
    }


_TEXT_KEYS = ("outputText", "generation", "completion", "text")
_REASON_KEYS = ("completionReason", "stop_reason", "finish_reason")
_INPUT_KEYS = ("inputTextTokenCount", "prompt_token_count")
_OUTPUT_KEYS = ("totalOutputTextTokenCount", "generation_token_count")


def _plain(events: Sequence[dict[str, Any]]) -> Projection:
    """The families that stream text alone: Titan, Llama, Claude's text completions, Command, Mistral, DeepSeek, OpenAI."""
    texts: dict[int, str] = {}
    said: dict[str, Any] = {"stop_reason": None, "input_tokens": None, "output_tokens": None}
    for event in events:
        for item in event.get("outputs") or event.get("choices") or [event]:
            # Titan numbers its chunks, the others their answers.
            index = 0 if "outputText" in item else int(item.get("index") or 0)
            text = _first(item, _TEXT_KEYS) or _first(item.get("delta") or {}, ("content",)) or ""
            texts[index] = texts.get(index, "") + text
            said["stop_reason"] = _first(item, _REASON_KEYS) or said["stop_reason"]
        said["input_tokens"] = _first(event, _INPUT_KEYS) or said["input_tokens"]
        said["output_tokens"] = _first(event, _OUTPUT_KEYS) or said["output_tokens"]
        metrics = event.get("amazon-bedrock-invocationMetrics")
        if metrics:
            said |= {"input_tokens": metrics["inputTokenCount"], "output_tokens": metrics["outputTokenCount"]}
    if said["stop_reason"] is None and events[-1].get("amazon-bedrock-guardrailAction") == "INTERVENED":
        said["stop_reason"] = "INTERVENED"
    return {"blocks": _shown({"choice": index, "text": text} for index, text in texts.items()), **said}


def _first(event: dict[str, Any], keys: Sequence[str]) -> Any:
    return next((event[key] for key in keys if event.get(key) is not None), None)


def invoke_subject(parts: Sequence[PartJson]) -> Projection:
    """As :func:`bedrock_subject`, for a stream of InvokeModelWithResponseStream."""
    return _numbered(bedrock_subject(parts))


def invoke_native(final: dict[str, Any]) -> Projection:
    """What the events of InvokeModelWithResponseStream say."""
    events: list[dict[str, Any]] = final["events"]
    if any("messageStart" in event for event in events):
        return _numbered(converse_native(final))
    return _numbered(_anthropic(events) if any("type" in event for event in events) else _plain(events))


def _numbered(projection: Projection) -> Projection:
    """With the calls' ids as numbers: an id in base64 does not occur in the body, so a golden calls it generated."""
    order: dict[str, int] = {}
    for block in projection["blocks"]:
        for key in ("call", "result"):
            if key in block:
                block[key] = order.setdefault(block[key], len(order))
    return projection


PROJECTIONS: dict[str, tuple[Callable[[Sequence[PartJson]], Projection], Callable[[dict[str, Any]], Projection]]] = {
    "bedrock.sdk": (bedrock_subject, converse_native),
    "bedrock.invoke.sdk": (invoke_subject, invoke_native),
}
