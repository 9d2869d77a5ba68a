"""A simulated ConverseStream of Amazon Bedrock, written from the provider's documentation.

Sources: "ConverseStream" in the Amazon Bedrock API reference (the members of ``ConverseStreamOutput``: messageStart,
contentBlockStart, contentBlockDelta, contentBlockStop, messageStop, metadata, and the exceptions; ``ContentBlockDelta``,
``ReasoningContentBlockDelta``, ``CitationsDelta``, ``TokenUsage``, ``StopReason``), the user guide's "Carry out a conversation
with the Converse API operations", "Use a tool" and "Guardrails"; the frames are those of an AWS event stream.

As the real service does, payloads have their keys in alphabetical order and a ``p`` that hides their length, and text and
reasoning blocks open without a contentBlockStart.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.record.eventstream import damaged, error, event, exception, padding
from harness.record.wire import ScenarioError, made_up, only, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/model/{model}/converse-stream"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> list[bytes]:
    """The messages of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (a stop reason, or null for a stream that never gets
    there), ``fields`` (``additionalModelResponseFields`` of the stop), ``usage`` (``input``, ``output``, and
    ``cache_read``, ``cache_write`` tokens; null for no metadata), ``metadata`` (more of its members), ``latency`` (ms),
    ``padding`` (false: none), ``ascii`` (escape all non-ASCII).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    del request  # what it asks for shows in the reply alone
    only(reply, "says", "finish", "fields", "usage", "metadata", "latency", "padding", "ascii")
    return list(_Encoder(name, reply).messages())


class _Encoder:
    def __init__(self, name: str, reply: Mapping[str, Any]) -> None:
        self.seed = f"bedrock-converse-stream/{name}"
        self.reply = reply
        self.index = 0
        self.count = 0

    def messages(self) -> Iterator[bytes]:
        started = False
        for item in self.reply["says"]:
            if not started and not item.get("first"):
                started = True
                yield self.event("messageStart", role="assistant")
            frames = list(self.item(item))
            if "damaged" in item:
                frames[-1] = damaged(frames[-1], item["damaged"])
            yield from frames
        finish = self.reply.get("finish")
        if finish is None:
            return
        if not started:
            yield self.event("messageStart", role="assistant")
        more = {"additionalModelResponseFields": self.reply["fields"]} if "fields" in self.reply else {}
        yield self.event("messageStop", stopReason=finish, **more)
        if self.reply.get("usage") is not None:
            metrics = {"latencyMs": self.reply.get("latency", 640)}
            yield self.event("metadata", metrics=metrics, usage=self.usage(), **self.reply.get("metadata", {}))

    def item(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        """One thing that is said.

        ``text`` or ``reasoning`` (with ``by``, ``signature``), ``redacted`` (a list of base64 texts), ``tool`` (with
        ``arguments``, ``by``), each a block, with ``complete`` (false leaves it open); ``deltas`` (a block of other
        deltas, with ``start``); ``exception`` (its name, with its members as ``says``), ``error`` (a code, with
        ``message``), ``event`` (its name, with its members as ``says``, or with any ``payload``), ``bytes`` (hexadecimal,
        sent as they are), each with ``first`` (before messageStart). Any with ``damaged`` (see
        :func:`harness.record.eventstream.damaged`): its last message.
        """
        if "text" in item:
            only(item, "text", "by", "complete", "damaged")
            yield from self.block(item, [{"text": piece} for piece in pieces(item["text"], item.get("by"))])
        elif "reasoning" in item:
            only(item, "reasoning", "by", "signature", "complete", "damaged")
            deltas: list[Any] = [{"text": piece} for piece in pieces(item["reasoning"], item.get("by"))]
            if item.get("signature", True):
                deltas.append({"signature": made_up(f"{self.seed}/signature/{self.index}", 118, _BASE64) + "=="})
            yield from self.block(item, [{"reasoningContent": delta} for delta in deltas])
        elif "redacted" in item:
            only(item, "redacted", "complete", "damaged")
            yield from self.block(item, [{"reasoningContent": {"redactedContent": data}} for data in item["redacted"]])
        elif "tool" in item:
            only(item, "tool", "arguments", "by", "complete", "damaged")
            yield from self.tool(item)
        elif "deltas" in item:
            only(item, "deltas", "start", "complete", "damaged")
            yield from self.block(item, item["deltas"], item.get("start"))
        elif "exception" in item:
            only(item, "exception", "says", "first", "damaged")
            yield exception(item["exception"], self.payload(item["says"]))
        elif "error" in item:
            only(item, "error", "message", "first", "damaged")
            yield error(item["error"], item["message"])
        elif "event" in item:
            only(item, "event", "says", "payload", "first", "damaged")
            if "payload" in item:
                yield event(item["event"], item["payload"].encode())
            else:
                yield self.event(item["event"], **item["says"])
        elif "bytes" in item:
            only(item, "bytes", "first")
            yield bytes.fromhex(item["bytes"])
        else:
            raise ScenarioError(
                f"says: {sorted(item)} holds none of "
                "text, reasoning, redacted, tool, deltas, exception, error, event, bytes"
            )

    def tool(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        start = {"name": item["tool"], "toolUseId": "tooluse_" + made_up(f"{self.seed}/call/{self.index}", 22)}
        arguments = item["arguments"]
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        fragments = pieces(text, item.get("by", (4, 9, 6, 12)))
        yield from self.block(item, [{"toolUse": {"input": piece}} for piece in fragments], {"toolUse": start})

    def block(
        self, item: Mapping[str, Any], deltas: list[dict[str, Any]], start: Mapping[str, Any] | None = None
    ) -> Iterator[bytes]:
        if start is not None:
            yield self.event("contentBlockStart", contentBlockIndex=self.index, start=start)
        for delta in deltas:
            yield self.event("contentBlockDelta", contentBlockIndex=self.index, delta=delta)
        if item.get("complete", True):
            yield self.event("contentBlockStop", contentBlockIndex=self.index)
            self.index += 1

    def usage(self) -> dict[str, int]:
        tokens = self.reply["usage"]
        only(tokens, "input", "output", "cache_read", "cache_write")
        read, written = tokens.get("cache_read", 0), tokens.get("cache_write", 0)
        usage = {"inputTokens": tokens["input"], "outputTokens": tokens["output"]}
        usage["totalTokens"] = tokens["input"] + tokens["output"] + read + written
        if "cache_read" in tokens or "cache_write" in tokens:
            usage |= {"cacheReadInputTokenCount": read, "cacheReadInputTokens": read}
            usage |= {"cacheWriteInputTokenCount": written, "cacheWriteInputTokens": written}
        return usage

    def event(self, kind: str, **members: Any) -> bytes:
        self.count += 1
        if self.reply.get("padding", True):
            members["p"] = padding(f"{self.seed}/padding/{self.count}")
        return event(kind, self.payload(members))

    def payload(self, members: Mapping[str, Any]) -> bytes:
        ascii_only = bool(self.reply.get("ascii"))
        return json.dumps(members, ensure_ascii=ascii_only, separators=(",", ":"), sort_keys=True).encode()
