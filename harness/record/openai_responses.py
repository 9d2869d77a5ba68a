"""A simulated Responses stream, written from the providers' documentation: OpenAI's, Azure's and xAI's, by parameters.

Sources: "Streaming events" and "The response object" in OpenAI's API reference (events, ``sequence_number``,
``obfuscation``, the fields of a response), the guides "Function calling", "Reasoning" (summaries, encrypted content),
"Web search", "Code interpreter", "Remote MCP" (approval requests) and "Image generation"; "Content filtering" in the
Azure OpenAI reference; "Responses API" and "Server-side tools" in xAI's.

An event's fields stand in alphabetical order after its type, as the service writes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.record.wire import LINE_ENDINGS, ScenarioError, as_written, comment, compact, made_up, only, pieces, sse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PATH = "/v1/responses"
CREATED = 1_767_225_600
"""2026-01-01T00:00:00Z: simulated answers have no clock."""
_HEX = "0123456789abcdef"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True)
class Host:
    """Who speaks the protocol, and what its streams have of their own."""

    seed: str
    obfuscates: bool = True
    """Deltas carry random text that hides their length."""
    content_filters: bool = False
    """Azure: the response says what its filters found."""
    xai: bool = False
    """xAI: the number of an event comes before its type, ids are made from one UUID, and usage counts sources and cost."""


OPENAI = Host("openai-responses")
AZURE = Host("azure-openai-responses", content_filters=True)
XAI = Host("xai-responses", obfuscates=False, xai=True)


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any], host: Host = OPENAI) -> list[bytes]:
    """The wire events of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (``completed``, ``incomplete``, ``failed``, or null
    for a stream that never gets there), ``reason`` (why it is incomplete), ``error`` (why it failed), ``usage``
    (``input``, ``output``, and ``cached``, ``written``, ``reasoning`` tokens; xAI's ``sources`` and ``server_tools``),
    ``tier``, ``line_ending``. ``request`` decides what a real one decides: obfuscation, logprobs, encrypted reasoning.

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(reply, "says", "finish", "reason", "error", "usage", "tier", "line_ending")
    return list(_Encoder(name, reply, request, host).events())


class _Encoder:
    def __init__(self, name: str, reply: Mapping[str, Any], request: Mapping[str, Any], host: Host) -> None:
        self.seed = f"{host.seed}/{name}"
        self.reply = reply
        self.request = request
        self.host = host
        self.ending = LINE_ENDINGS[reply.get("line_ending", "lf")]
        self.obfuscate = host.obfuscates and (request.get("stream_options") or {}).get("include_obfuscation", True)
        self.logprobs = "message.output_text.logprobs" in (request.get("include") or ())
        self.encrypts = "reasoning.encrypted_content" in (request.get("include") or ())
        self.output: list[Mapping[str, Any]] = []
        self.number = 0
        digits = made_up(self.seed, 32, _HEX)
        self.uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def events(self) -> Iterator[bytes]:
        opened = False
        for item in self.reply["says"]:
            if not opened and not item.get("first") and "comment" not in item:
                opened = True
                yield from self.open()
            yield from self.item(item)
        finish = self.reply.get("finish")
        if finish is None:
            return
        if not opened:
            yield from self.open()
        yield self.emit(f"response.{finish}", response=self.response(finish))

    def open(self) -> Iterator[bytes]:
        for event in ("created", "in_progress"):
            yield self.emit(f"response.{event}", response=self.response("in_progress"))

    def item(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        """One thing that is said.

        ``text`` (with ``by``, ``annotations``, ``phase``), ``refusal`` (with ``by``), ``reasoning`` (a list of
        summaries, with ``by``), ``tool`` (with ``arguments``, ``by``), ``custom_tool`` (with ``input``, ``by``),
        ``server`` (the type of an item that the provider works on itself, see :meth:`server`), each with ``complete``
        (false leaves the item open); ``event`` (any other event, with its ``fields``; with ``left_out``
        the item that is done is not in the final response), ``comment``, ``raw`` (bytes, see
        :func:`harness.record.wire.as_written`), ``error`` (with ``first``: before response.created; ``flat``: its fields in
        the event itself, as the reference has them).
        """
        if "comment" in item:
            only(item, "comment")
            yield comment(item["comment"], self.ending)
        elif "raw" in item:
            only(item, "raw", "first")
            yield as_written(item["raw"])
        elif "event" in item:
            only(item, "event", "fields", "left_out")
            fields = item.get("fields", {})
            yield self.emit(item["event"], **fields)
            if item["event"] == "response.output_item.done" and not item.get("left_out"):
                self.output.append(fields["item"])
        elif "error" in item:
            only(item, "error", "first", "flat")
            yield self.emit("error", **(item["error"] if item.get("flat") else {"error": item["error"]}))
        elif "text" in item or "refusal" in item:
            only(item, "text", "refusal", "by", "annotations", "phase", "complete")
            yield from self.message(item)
        elif "reasoning" in item:
            only(item, "reasoning", "by", "complete")
            yield from self.reasoning(item)
        elif "tool" in item:
            only(item, "tool", "arguments", "by", "complete")
            arguments = item["arguments"]
            text = arguments if isinstance(arguments, str) else compact(arguments)
            yield from self.call(item, "function_call", "fc", "arguments", text, item["tool"])
        elif "custom_tool" in item:
            only(item, "custom_tool", "input", "by", "complete", "id")
            prefix = item.get("id", "ctc")
            yield from self.call(item, "custom_tool_call", prefix, "input", item["input"], item["custom_tool"])
        elif "server" in item:
            only(item, "server", "id", "before", "after", "phases", "complete")
            yield from self.server(item)
        else:
            raise ScenarioError(
                f"says: {sorted(item)} holds none of "
                "text, refusal, reasoning, tool, custom_tool, server, event, raw, comment, error"
            )

    def message(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        kind = "text" if "text" in item else "refusal"
        phase = {"phase": item["phase"]} if "phase" in item else {}
        status = "incomplete" if self.reply.get("finish") == "incomplete" else "completed"
        ident = self.ident("msg")
        place = {"item_id": ident, "output_index": len(self.output), "content_index": 0}
        head = {"id": ident, "type": "message"}
        tail = {**phase, "role": "assistant"}
        yield self.added({**head, "status": "in_progress", "content": [], **tail})
        yield self.emit("response.content_part.added", **place, part=_part(kind, "", [], []))
        text, logprobs = "", []
        for piece in pieces(item[kind], item.get("by")):
            text += piece
            if kind == "refusal":
                yield self.delta("response.refusal.delta", piece, **place)
                continue
            chances = [self.logprob(piece)] if self.logprobs else []
            logprobs += chances
            yield self.delta("response.output_text.delta", piece, **place, logprobs=chances)
        annotations = item.get("annotations", [])
        for at, annotation in enumerate(annotations):
            yield self.emit(
                "response.output_text.annotation.added", **place, annotation=annotation, annotation_index=at
            )
        if not item.get("complete", True):
            return
        if kind == "refusal":
            yield self.emit("response.refusal.done", **place, refusal=text)
        else:
            yield self.emit("response.output_text.done", **place, logprobs=logprobs, text=text)
        part = _part(kind, text, annotations, logprobs)
        yield self.emit("response.content_part.done", **place, part=part)
        yield self.done({**head, "status": status, "content": [part], **tail})

    def reasoning(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        ident = self.ident("rs")
        place = {"item_id": ident, "output_index": len(self.output)}
        head = {"id": ident, "type": "reasoning"}
        started = {"status": "in_progress"} if self.host.xai else {}
        done = {"status": "completed"} if self.host.xai else {}
        if self.encrypts:
            done["encrypted_content"] = self.secret(120)
            if not self.host.xai:
                started["encrypted_content"] = self.secret(44)
        yield self.added({**head, **started, "summary": []})
        summary = []
        for index, paragraph in enumerate(item["reasoning"]):
            where = {**place, "summary_index": index}
            yield self.emit("response.reasoning_summary_part.added", **where, part=_summary(""))
            text = ""
            for piece in pieces(paragraph, item.get("by")):
                text += piece
                yield self.delta("response.reasoning_summary_text.delta", piece, **where)
            if not item.get("complete", True) and index + 1 == len(item["reasoning"]):
                return
            yield self.emit("response.reasoning_summary_text.done", **where, text=text)
            yield self.emit("response.reasoning_summary_part.done", **where, part=_summary(text))
            summary.append(_summary(text))
        yield self.done({**head, **done, "summary": summary})

    def call(
        self, item: Mapping[str, Any], kind: str, prefix: str, field: str, text: str, name: str
    ) -> Iterator[bytes]:
        ident, index = self.ident(prefix), len(self.output)
        head = {"id": ident, "type": kind}
        made = f"call-{self.uuid}-{index}" if self.host.xai else "call_" + made_up(f"{self.seed}/{index}", 24)
        tail = {"call_id": made, "name": name}
        event = "custom_tool_call_input" if kind == "custom_tool_call" else "function_call_arguments"
        phases = [{"deltas": event, "field": field, "text": text, "by": item.get("by")}]
        yield self.added({**head, "status": "in_progress", field: "", **tail})
        yield from self.phases(phases, ident, kind, complete=item.get("complete", True))
        if item.get("complete", True):
            yield self.done({**head, "status": "completed", field: text, **tail})

    def server(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        """An item that the provider works on itself.

        ``id`` (prefix of its id), ``before`` and ``after`` (its fields when it starts and when it is done), ``phases``
        in order: the name of an event about it; a mapping with ``event`` and more fields; or a mapping with ``deltas``
        (the name of the events), ``text``, ``by`` and ``field`` (which holds the text when it is done).
        """
        kind, ident = item["server"], self.ident(item["id"])
        head = {"id": ident, "type": kind}
        yield self.added({**head, **item.get("before", {})})
        yield from self.phases(item.get("phases", ()), ident, kind, complete=item.get("complete", True))
        if item.get("complete", True):
            yield self.done({**head, **item.get("after", {})})

    def phases(
        self, phases: Sequence[str | Mapping[str, Any]], ident: str, kind: str, *, complete: bool
    ) -> Iterator[bytes]:
        place = {"item_id": ident, "output_index": len(self.output)}
        for phase in phases:
            if isinstance(phase, str):
                yield self.emit(f"response.{kind}.{phase}", **place)
            elif "deltas" in phase:
                name, text = phase["deltas"], phase["text"]
                whole = self.host.xai and kind == "function_call"
                for piece in pieces(text, len(text) if whole and text else phase.get("by") or (2, 4, 3, 7, 5)):
                    yield self.delta(f"response.{name}.delta", piece, **place)
                if complete:
                    yield self.emit(f"response.{name}.done", **place, **{phase["field"]: text})
            else:
                fields = {key: value for key, value in phase.items() if key != "event"}
                yield self.emit(f"response.{kind}.{phase['event']}", **place, **fields)

    def added(self, item: Mapping[str, Any]) -> bytes:
        return self.emit("response.output_item.added", item=item, output_index=len(self.output))

    def done(self, item: Mapping[str, Any]) -> bytes:
        event = self.emit("response.output_item.done", item=item, output_index=len(self.output))
        self.output.append(item)
        return event

    def delta(self, event: str, piece: str, **fields: Any) -> bytes:
        if self.obfuscate:
            pad = 1 + int(made_up(f"{self.seed}/pad/{self.number}", 4, "0123"), 4) % 15
            fields["obfuscation"] = made_up(f"{self.seed}/obfuscation/{self.number}", pad)
        return self.emit(event, delta=piece, **fields)

    def emit(self, event: str, **fields: Any) -> bytes:
        body = dict(sorted(fields.items()))
        if self.host.xai:
            payload = {"sequence_number": self.number, "type": event, **body}
        elif "response" in body:
            payload = {"type": event, **body, "sequence_number": self.number}
        else:
            payload = {"type": event, **dict(sorted({**body, "sequence_number": self.number}.items()))}
        self.number += 1
        return sse(compact(payload), event, self.ending)

    def response(self, status: str) -> dict[str, Any]:
        over = status != "in_progress"
        reason = self.reply.get("reason", "max_output_tokens")
        filters = {"content_filters": _FILTERS if over else None} if self.host.content_filters else {}
        asked = self.request.get
        return {
            "id": self.uuid if self.host.xai else self.ident("resp"),
            "object": "response",
            "created_at": CREATED,
            "status": status,
            **filters,
            "error": self.reply.get("error") if over else None,
            "incomplete_details": {"reason": reason} if status == "incomplete" else None,
            "max_output_tokens": asked("max_output_tokens"),
            "model": asked("model"),
            "output": list(self.output) if over else [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": asked("reasoning", {"effort": None, "summary": None}),
            "service_tier": self.reply.get("tier", "default") if over else "auto",
            "store": asked("store", True),
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": asked("tools", []),
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": self.usage() if over and status != "failed" else None,
            "metadata": {},
        }

    def usage(self) -> dict[str, Any]:
        tokens: Mapping[str, int] = self.reply.get("usage") or {}
        only(tokens, "input", "output", "cached", "written", "reasoning", "sources", "server_tools")
        taken, given = tokens.get("input", 0), tokens.get("output", 0)
        cache = {"cached_tokens": tokens.get("cached", 0)}
        if not self.host.xai:
            cache["cache_write_tokens"] = tokens.get("written", 0)
        usage: dict[str, Any] = {
            "input_tokens": taken,
            "input_tokens_details": cache,
            "output_tokens": given,
            "output_tokens_details": {"reasoning_tokens": tokens.get("reasoning", 0)},
            "total_tokens": taken + given,
        }
        if self.host.xai:
            usage["num_sources_used"] = tokens.get("sources", 0)
            usage["num_server_side_tools_used"] = tokens.get("server_tools", 0)
            usage["cost_in_usd_ticks"] = 2000 * taken + 5000 * given
        return usage

    def ident(self, prefix: str) -> str:
        if self.host.xai:  # the first item of a kind has the bare UUID of the response, calls are counted
            return f"{prefix}_{self.uuid}" + (f"_{len(self.output)}" if prefix not in ("msg", "rs") else "")
        place = "" if prefix == "resp" else f"/{len(self.output)}"
        return f"{prefix}_" + made_up(f"{self.seed}{place}", 24, _HEX)

    def secret(self, length: int) -> str:
        return "gAAAAAB" + made_up(f"{self.seed}/secret/{len(self.output)}/{length}", length - 7, _BASE64)

    def logprob(self, token: str) -> dict[str, Any]:
        chance = (1 + int(made_up(f"{self.seed}/logprob/{self.number}", 4, "0123456789"))) / 10_001
        return {"token": token, "bytes": list(token.encode()), "logprob": math.log(chance), "top_logprobs": []}


def _part(kind: str, text: str, annotations: Sequence[Any], logprobs: Sequence[Any]) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "annotations": list(annotations), "logprobs": list(logprobs), "text": text}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


_SAFE = {"filtered": False, "severity": "safe"}
_FILTERS: Sequence[Any] = [
    {
        "blocked": False,
        "source_type": source,
        "content_filter_raw": [],
        "content_filter_results": dict.fromkeys(("hate", "sexual", "violence", "self_harm"), _SAFE),
        "content_filter_offsets": {"start_offset": 0, "end_offset": 96, "check_offset": 0},
    }
    for source in ("prompt", "completion")
]
