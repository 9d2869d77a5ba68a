"""A simulated Cohere Chat stream (version 2), written from the provider's documentation.

Sources: "Chat with streaming" in the API reference (events and their fields), the guides "Streaming responses", "Tool
use" (the plan comes before the calls, citations among the text) and "Reasoning" (thinking content).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.record.wire import ScenarioError, compact, made_up, only, pieces, sse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/v2/chat"


def encode(
    name: str,
    reply: Mapping[str, Any],
    request: Mapping[str, Any],  # noqa: ARG001 - the API decides nothing by it, and every encoder is called alike
) -> list[bytes]:
    """The wire events of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (a reason, or null for a stream that never gets
    there), ``error`` (beside the reason), ``usage`` (``input`` and ``output`` tokens).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(reply, "says", "finish", "error", "usage")
    return list(_Encoder(name, reply).events())


class _Encoder:
    def __init__(self, name: str, reply: Mapping[str, Any]) -> None:
        self.seed = f"cohere-v2/{name}"
        self.reply = reply
        self.index = self.citations = 0

    def events(self) -> Iterator[bytes]:
        digits = made_up(self.seed, 32, "0123456789abcdef")
        ident = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        yield self.event({"id": ident, "type": "message-start", "delta": {"message": empty}})
        for item in self.reply["says"]:
            yield from self.item(item)
        finish = self.reply.get("finish")
        if finish is None:
            return
        tokens = self.reply.get("usage") or {}
        only(tokens, "input", "output")
        taken, given = tokens.get("input", 0), tokens.get("output", 0)
        usage = {
            "billed_units": {"input_tokens": taken, "output_tokens": given},
            "tokens": {"input_tokens": taken + 496, "output_tokens": given + 2},
            "cached_tokens": 0,
        }
        delta = {"finish_reason": finish, "usage": usage, **self.reply.get("error", {})}
        yield self.event({"type": "message-end", "delta": delta})
        yield sse("[DONE]")

    def item(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        """One thing that is said.

        ``plan`` (with ``by``), ``text`` or ``thinking`` (with ``by``, ``citations``, which come before the last delta),
        ``tool`` (with ``arguments``, ``by``); all but the plan with ``complete`` (false leaves it open).
        """
        if "plan" in item:
            only(item, "plan", "by")
            for piece in pieces(item["plan"], item.get("by")):
                yield self.event({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}})
        elif "text" in item or "thinking" in item:
            only(item, "text", "thinking", "by", "citations", "complete")
            yield from self.content(item, "text" if "text" in item else "thinking")
        elif "tool" in item:
            only(item, "tool", "arguments", "by", "complete")
            yield from self.tool(item)
        else:
            raise ScenarioError(f"says: {sorted(item)} holds none of text, thinking, plan, tool")

    def content(self, item: Mapping[str, Any], kind: str) -> Iterator[bytes]:
        yield self.at("content-start", {"content": {"type": kind, kind: ""}})
        deltas = list(pieces(item[kind], item.get("by")))
        for number, piece in enumerate(deltas):
            if number + 1 == len(deltas):
                yield from self.cite(item.get("citations", ()))
            yield self.at("content-delta", {"content": {kind: piece}})
        if item.get("complete", True):
            yield self.event({"type": "content-end", "index": self.index})
            self.index += 1

    def cite(self, citations: list[Mapping[str, Any]] | tuple[()]) -> Iterator[bytes]:
        for citation in citations:
            message = {"citations": {**citation, "type": "TEXT_CONTENT"}}
            yield self.event({"type": "citation-start", "index": self.citations, "delta": {"message": message}})
            yield self.event({"type": "citation-end", "index": self.citations})
            self.citations += 1

    def tool(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        name, arguments = item["tool"], item["arguments"]
        ident = f"{name}_" + made_up(f"{self.seed}/call/{self.index}", 12, "abcdefghijklmnopqrstuvwxyz0123456789")
        call = {"id": ident, "type": "function", "function": {"name": name, "arguments": ""}}
        yield self.at("tool-call-start", {"tool_calls": call})
        text = arguments if isinstance(arguments, str) else compact(arguments)
        for piece in pieces(text, item.get("by", (2, 4, 3, 7))) if text != "{}" else ():
            yield self.at("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}})
        if item.get("complete", True):
            yield self.event({"type": "tool-call-end", "index": self.index})
            self.index += 1

    def at(self, kind: str, message: Mapping[str, Any]) -> bytes:
        return self.event({"type": kind, "index": self.index, "delta": {"message": message}})

    def event(self, payload: Mapping[str, Any]) -> bytes:
        return sse(compact(payload), payload["type"])
