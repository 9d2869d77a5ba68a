"""A simulated Cohere Chat stream of version 1, written from the provider's documentation.

Sources: "Chat (v1)" with streaming in the API reference (the events and their fields, ``FinishReason``, the response that
``stream-end`` repeats, ``meta``), and the guides "Streaming responses", "Tool use" and "Retrieval augmented generation"
of that version. The service escapes angle brackets and ampersands; each event is one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.record.wire import ScenarioError, compact, made_up, only, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PATH = "/v1/chat"
MEDIA_TYPE = "application/stream+json"


def ask_message(prompt: str) -> Mapping[str, Any]:
    """One user message; what was said before stands elsewhere."""
    return {"message": prompt}


def encode(
    name: str,
    reply: Mapping[str, Any],
    request: Mapping[str, Any],  # noqa: ARG001 - the API decides nothing by it, and every encoder is called alike
) -> list[bytes]:
    """The lines of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (a reason, or null for a stream that never gets
    there), ``usage`` (``input`` and ``output`` tokens).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(reply, "says", "finish", "usage")
    return list(_Encoder(name, reply).lines())


class _Encoder:
    def __init__(self, name: str, reply: Mapping[str, Any]) -> None:
        self.seed = f"cohere-v1/{name}"
        self.reply = reply
        self.whole = ""
        self.calls: list[dict[str, Any]] = []
        self.more: dict[str, Any] = {}
        """What the response at the end repeats beside the text."""

    def lines(self) -> Iterator[bytes]:
        generation = self.ident("generation")
        yield self.event("stream-start", generation_id=generation)
        says: Sequence[Mapping[str, Any]] = self.reply["says"]
        for position, item in enumerate(says):
            yield from self.item(item, last_call=position + 1 == len(says) or "tool" not in says[position + 1])
        reason = self.reply.get("finish")
        if reason is None:
            return
        tokens = self.reply.get("usage") or {}
        only(tokens, "input", "output")
        taken, given = tokens.get("input", 0), tokens.get("output", 0)
        meta = {
            "api_version": {"version": "1"},
            "billed_units": {"input_tokens": taken, "output_tokens": given},
            "tokens": {"input_tokens": taken + 60, "output_tokens": given + 2},
        }
        response = {"response_id": self.ident("response"), "text": self.whole, "generation_id": generation}
        ends = {"response": {**response, **self.more, "finish_reason": reason, "meta": meta}, "finish_reason": reason}
        yield self.event("stream-end", finished=True, **ends)

    def item(self, item: Mapping[str, Any], *, last_call: bool) -> Iterator[bytes]:
        """One thing that is said.

        ``text`` (with ``by``); ``tool`` (with ``arguments``, ``by`` and ``complete``: false leaves it, and those before
        it, at what the chunks have said); ``citations`` and ``documents`` (lists); ``message`` (an error, which has no
        event's form).
        """
        if "text" in item:
            only(item, "text", "by")
            for piece in pieces(item["text"], item.get("by")):
                self.whole += piece
                yield self.event("text-generation", text=piece)
        elif "tool" in item:
            only(item, "tool", "arguments", "by", "complete")
            yield from self.call(item, last=last_call)
        elif "citations" in item:
            only(item, "citations")
            self.more["citations"] = [*self.more.get("citations", ()), *item["citations"]]
            yield self.event("citation-generation", citations=item["citations"])
        elif "documents" in item:
            only(item, "documents")
            self.more["documents"] = item["documents"]
            yield self.event("search-results", documents=item["documents"])
        elif "message" in item:
            only(item, "message")
            yield _line({"message": item["message"]})
        else:
            raise ScenarioError(f"says: {sorted(item)} holds none of text, tool, citations, documents, message")

    def call(self, item: Mapping[str, Any], *, last: bool) -> Iterator[bytes]:
        """A call in pieces, and behind the last one what alone need be read: all of them whole."""
        index, parameters = len(self.calls), item["arguments"]
        self.calls.append({"name": item["tool"], "parameters": parameters})
        yield self.event("tool-calls-chunk", tool_call_delta={"name": item["tool"], "index": index})
        for piece in pieces(compact(parameters), item.get("by", (6, 9, 4))):
            yield self.event("tool-calls-chunk", tool_call_delta={"index": index, "parameters": piece})
        if last and item.get("complete", True):
            self.more["tool_calls"] = self.calls
            yield self.event("tool-calls-generation", text=self.whole, tool_calls=self.calls)

    def event(self, kind: str, *, finished: bool = False, **fields: Any) -> bytes:
        return _line({"is_finished": finished, "event_type": kind, **fields})

    def ident(self, what: str) -> str:
        digits = made_up(f"{self.seed}/{what}", 32, "0123456789abcdef")
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _line(payload: Mapping[str, Any]) -> bytes:
    text = compact(payload)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"{text}\n".encode()
