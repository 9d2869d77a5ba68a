"""A simulated Anthropic Messages stream, written from the provider's documentation.

Sources: "Streaming messages" (event flow, ping and error events, cumulative usage, ``input_json_delta``,
``thinking_delta`` and ``signature_delta``), "Messages: create" in the API reference (message, usage and stop reasons),
"Building with extended thinking" (redacted thinking), "Citations", "Web search tool" (server tool use, results, and
citations of them), "Prompt caching" (cache token counts) and "Handling stop reasons" (refusal, stop sequence).

As the real service does, the JSON of each event may end in some spaces before its last brace, and ``ping`` events have
a space after the colon.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.record.wire import (
    LINE_ENDINGS,
    ScenarioError,
    as_written,
    comment,
    compact,
    framed,
    made_up,
    only,
    pieces,
    sse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/v1/messages"


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any], *, host: str = "") -> list[bytes]:
    """The wire events of one scenario.

    ``host`` is what other clouds write into the ids they give (``vrtx_``, ``bdrk_``).

    ``reply``: ``says`` (list, see :meth:`Encoder.item`), ``finish`` (a stop reason, or null for a stream that never
    gets there), ``stop_sequence``, ``stop_details``, ``usage`` (``input``, ``output``, and ``cache_read``,
    ``cache_creation``, ``thinking`` tokens, ``web_searches``), ``model``, ``ping`` (false: none), ``line_ending`` (lf,
    crlf, cr), ``ascii`` (escape all non-ASCII, as some proxies do), ``framing`` (see :func:`harness.record.wire.framed`).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(
        reply,
        "says",
        "finish",
        "stop_sequence",
        "stop_details",
        "usage",
        "model",
        "ping",
        "line_ending",
        "ascii",
        "framing",
    )
    return framed(Encoder(name, reply, request, host).events(), reply.get("framing", ()))


class Encoder:
    """One reply, event by event; what carries the events in another way overrides :meth:`write`."""

    def __init__(self, name: str, reply: Mapping[str, Any], request: Mapping[str, Any], host: str) -> None:
        self.host = host
        self.seed = f"anthropic-messages/{name}"
        self.reply = reply
        self.ending = LINE_ENDINGS[reply.get("line_ending", "lf")]
        self.model = reply.get("model", request["model"])
        self.tokens: Mapping[str, int] = reply.get("usage") or {}
        only(self.tokens, "input", "output", "cache_read", "cache_creation", "thinking", "web_searches")
        self.ping_due = bool(reply.get("ping", True))
        self.index = 0
        self.count = 0

    def events(self) -> Iterator[bytes]:
        started = False
        for item in self.reply["says"]:
            if not started and "comment" not in item and not item.get("first"):
                started = True
                yield self.start()
            yield from self.item(item)
        finish = self.reply.get("finish")
        if finish is None:
            return
        if not started:
            yield self.start()
        delta: dict[str, Any] = {"stop_reason": finish, "stop_sequence": self.reply.get("stop_sequence")}
        if "stop_details" in self.reply:
            delta["stop_details"] = self.reply["stop_details"]
        yield self.emit("message_delta", delta=delta, usage=self.final_usage())
        yield self.emit("message_stop")

    def item(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        """One thing that is said.

        ``text`` (with ``by``, ``citations``), ``thinking`` (with ``by``, ``signature``), ``tool`` or ``server_tool``
        (with ``arguments``, ``by``), each with ``complete`` (false leaves the block open); ``block`` (one that comes
        whole), ``ping``, ``comment``, ``event`` (any other event, with its fields), ``raw`` (bytes, see
        :func:`harness.record.wire.as_written`) and ``error`` (each with ``first``: before message_start).
        """
        if "comment" in item:
            only(item, "comment")
            yield comment(item["comment"], self.ending)
        elif "raw" in item:
            only(item, "raw", "first")
            yield as_written(item["raw"])
        elif "ping" in item:
            only(item, "ping")
            yield self.ping()
        elif "error" in item:
            only(item, "error", "first")
            yield self.emit("error", error=item["error"])
        elif "event" in item:
            yield self.emit(item["event"], **{key: value for key, value in item.items() if key != "event"})
        elif "text" in item:
            only(item, "text", "by", "citations", "complete")
            yield from self.text(item)
        elif "thinking" in item:
            only(item, "thinking", "by", "signature", "complete")
            yield from self.thinking(item)
        elif "tool" in item or "server_tool" in item:
            only(item, "tool", "server_tool", "arguments", "by", "complete")
            yield from self.tool(item)
        elif "block" in item:
            only(item, "block")
            yield from self.block(item["block"], [])
        else:
            raise ScenarioError(
                f"says: {sorted(item)} holds none of "
                "text, thinking, tool, server_tool, block, ping, comment, event, raw, error"
            )

    def text(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        citations = item.get("citations")
        start = {"citations": [], "type": "text", "text": ""} if citations else {"type": "text", "text": ""}
        deltas = [{"type": "citations_delta", "citation": citation} for citation in citations or ()]
        deltas += [{"type": "text_delta", "text": piece} for piece in pieces(item["text"], item.get("by"))]
        yield from self.block(start, deltas, complete=item.get("complete", True))

    def thinking(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(item["thinking"], item.get("by"))]
        if item.get("signature", True):
            alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            signature = made_up(f"{self.seed}/signature/{self.index}", 160, alphabet) + "=="
            deltas.append({"type": "signature_delta", "signature": signature})
        start = {"type": "thinking", "thinking": "", "signature": ""}
        yield from self.block(start, deltas, complete=item.get("complete", True))

    def tool(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        kind, prefix = ("tool_use", "toolu_") if "tool" in item else ("server_tool_use", "srvtoolu_")
        call_id = f"{prefix}{self.host}01" + made_up(f"{self.seed}/call/{self.index}", 22)
        start = {"type": kind, "id": call_id, "name": item.get("tool") or item["server_tool"], "input": {}}
        arguments = item["arguments"]
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        # The first fragment of every call is empty; a call without arguments has no other.
        fragments = ["", *(pieces(text, item.get("by", (3, 9, 6, 12))) if text not in ("", "{}") else ())]
        deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in fragments]
        yield from self.block(start, deltas, complete=item.get("complete", True))

    def block(
        self, start: Mapping[str, Any], deltas: list[dict[str, Any]], *, complete: bool = True
    ) -> Iterator[bytes]:
        if start.get("tool_use_id") == "$previous":  # a result names the server tool call in the block before it
            start = {
                **start,
                "tool_use_id": f"srvtoolu_{self.host}01" + made_up(f"{self.seed}/call/{self.index - 1}", 22),
            }
        yield self.emit("content_block_start", index=self.index, content_block=start)
        if self.ping_due:
            self.ping_due = False
            yield self.ping()
        for delta in deltas:
            yield self.emit("content_block_delta", index=self.index, delta=delta)
        if complete:
            yield self.emit("content_block_stop", index=self.index)
            self.index += 1

    def start(self) -> bytes:
        created = self.tokens.get("cache_creation", 0)
        usage = {
            "input_tokens": self.tokens.get("input", 0),
            "cache_creation_input_tokens": created,
            "cache_read_input_tokens": self.tokens.get("cache_read", 0),
            "cache_creation": {"ephemeral_5m_input_tokens": created, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1,
            "service_tier": "standard",
        }
        message = {
            "model": self.model,
            "id": f"msg_{self.host}01" + made_up(self.seed, 22),
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        return self.emit("message_start", message=message)

    def final_usage(self) -> dict[str, Any]:
        usage: dict[str, Any] = {
            "input_tokens": self.tokens.get("input", 0),
            "cache_creation_input_tokens": self.tokens.get("cache_creation", 0),
            "cache_read_input_tokens": self.tokens.get("cache_read", 0),
            "output_tokens": self.tokens.get("output", 0),
        }
        if "thinking" in self.tokens:
            usage["output_tokens_details"] = {"thinking_tokens": self.tokens["thinking"]}
        if "web_searches" in self.tokens:
            usage["server_tool_use"] = {"web_search_requests": self.tokens["web_searches"], "web_fetch_requests": 0}
        return usage

    def ping(self) -> bytes:
        return sse('{"type": "ping"}', "ping", self.ending)

    def emit(self, event: str, **fields: Any) -> bytes:
        self.count += 1
        return self.write(event, {"type": event, **fields})

    def write(self, kind: str, payload: dict[str, Any]) -> bytes:
        """One event, with as many spaces in its JSON as hide the length of what it says."""
        text = compact(payload, ascii_only=bool(self.reply.get("ascii")))
        spaces = int(made_up(f"{self.seed}/spaces/{self.count}", 2, "0123"), 4)
        return sse(text[:-1] + " " * spaces + "}", kind, self.ending)
