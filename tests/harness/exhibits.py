"""Bodies on which each mutant is wrong, and bodies on which it is right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.case import Case
from harness.mutants.base import ANTHROPIC_MESSAGES, OPENAI_CHAT

DONE = b"data: [DONE]\n\n"


def sse(payload: Any, end: str = "\n") -> bytes:
    """An event; a typed one has its name before it."""
    name = f"event: {payload['type']}{end}" if "type" in payload else ""
    return f"{name}data: {json.dumps(payload, ensure_ascii=False)}{end}{end}".encode()


def chat(delta: dict[str, Any] | None = None, finish: str | None = None, **extra: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "c", "created": 1, "model": "m", "choices": [choice], **extra}


def call(index: int, arguments: str | None = None, name: str | None = None, ident: str | None = None) -> dict[str, Any]:
    """A piece of a tool call."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"index": index, **({"id": ident} if ident else {}), "function": function}


def tools(*deltas: dict[str, Any], finish: str | None = "tool_calls") -> bytes:
    """A chat stream of tool calls, each delta in a chunk of its own."""
    events = [sse(chat({"tool_calls": [delta]})) for delta in deltas]
    return b"".join(events) + (sse(chat(finish=finish)) + DONE if finish else b"")


def text(*pieces: str, end: str = "\n") -> bytes:
    """A chat stream of text."""
    events = b"".join(sse(chat({"content": piece}), end) for piece in pieces)
    return events + sse(chat(finish="stop"), end) + DONE.replace(b"\n", end.encode())


def block(*deltas: dict[str, Any], start: dict[str, Any], index: int = 0, stop: bool = True) -> list[dict[str, Any]]:
    """The events of one content block."""
    events: list[dict[str, Any]] = [{"type": "content_block_start", "index": index, "content_block": start}]
    events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return events + ([{"type": "content_block_stop", "index": index}] if stop else [])


def message(*events: dict[str, Any], complete: bool = True, end: str = "\n") -> bytes:
    """A Messages stream around the events of its blocks."""
    about: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    about |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
    start = {"type": "message_start", "message": about}
    ends: list[dict[str, Any]] = [
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 15},
        },
        {"type": "message_stop"},
    ]
    return b"".join(sse(event, end) for event in (start, *events, *(ends if complete else ())))


def tool(*fragments: str) -> list[dict[str, Any]]:
    """A tool use block."""
    deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in fragments]
    return block(*deltas, start={"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})


def says(word: str) -> list[dict[str, Any]]:
    """A text block."""
    return block({"type": "text_delta", "text": word}, start={"type": "text", "text": ""})


def index_last(delta: dict[str, Any]) -> dict[str, Any]:
    """The same piece of a tool call with its keys in another order."""
    return {key: delta[key] for key in sorted(delta, key=lambda key: (key == "index", key))}


@dataclass(frozen=True)
class Exhibit:
    """A body on which a mutant is wrong under some plans, and right under others."""

    body: bytes
    wrong: tuple[str, ...]
    right: tuple[str, ...] = ()
    dialect: str = OPENAI_CHAT

    @cached_property
    def case(self) -> Case:
        """The body as a case, the same each time: a mutant may let streams of one case share something."""
        return Case("x/exhibit", self.dialect, self.body)


ONE_CALL = (call(0, "", "f", "a"), call(0, '{"x"'), call(0, ":1}"))
TWO_ON_ONE_INDEX = (call(0, '{"x":1}', "f", "a"), call(0, '{"y":2}', "g", "b"))
INTERLEAVED = (
    call(0, "", "f", "a"),
    call(1, "", "g", "b"),
    call(0, '{"x":'),
    call(1, '{"y":'),
    call(0, "1}"),
    call(1, "2}"),
)
B_YML = {"name": "b", "yml_content": 'title: "b"\n'}
HELLO = text("Hé", "llo 🚀!", " .")
PRETTY = b'data: {"id":"c","created":1,"model":"m",\r\ndata: "choices":[]}\r\n\r\n' + text("a", end="\r\n")
THINKING = block(
    {"type": "thinking_delta", "thinking": "hm"},
    {"type": "signature_delta", "signature": "AB=="},
    start={"type": "thinking", "thinking": "", "signature": ""},
)
ERROR = {"error": {"message": "boom", "type": "server_error"}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}

EXHIBITS: dict[str, tuple[Exhibit, ...]] = {
    "sse-stops-early": (Exhibit(HELLO, ("whole",), ("bytes",)), Exhibit(HELLO, ("whole",), ("bytes",), "sse")),
    "sse-forgets-start": (Exhibit(HELLO, ("whole", "bytes")), Exhibit(b"data: a\n\n", ("bytes",), ("whole",), "sse")),
    "crlf-cut-is-blank": (
        Exhibit(PRETTY, ("bytes",), ("whole",)),
        Exhibit(message(*says("a"), end="\r\n"), ("bytes",), ("whole",), "sse"),
        Exhibit(HELLO, (), ("whole", "bytes", "every:7")),
    ),
    "lines-per-chunk": (Exhibit(HELLO, ("bytes", "every:7"), ("whole",)),),
    "remainder-dropped": (Exhibit(HELLO, ("bytes", "every:7"), ("whole",)),),
    "bom-kept": (Exhibit(b"\xef\xbb\xbf" + HELLO, ("whole", "bytes")), Exhibit(HELLO, (), ("whole", "bytes"))),
    "last-data-line-wins": (Exhibit(PRETTY, ("whole", "bytes")), Exhibit(HELLO, (), ("whole", "bytes"))),
    "data-wants-space": (
        Exhibit(HELLO.replace(b"data: ", b"data:"), ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "comment-is-data": (
        Exhibit(b": keep-alive\n\n" + HELLO, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "done-parsed": (Exhibit(HELLO, ("whole", "bytes")),),
    "done-prefix": (
        Exhibit(b"data: [DONE] not yet\n\n" + HELLO, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "utf8-per-chunk": (Exhibit(HELLO, ("bytes",), ("whole",)),),
    "utf8-halves-dropped": (Exhibit(HELLO, ("bytes",), ("whole",)),),
    "latin-1": (Exhibit(HELLO, ("whole", "bytes")), Exhibit(text("plain"), (), ("whole", "bytes"))),
    "str-splitlines": (
        Exhibit(text("a\u2028b"), ("whole", "bytes")),
        Exhibit(text("a\u0085b"), ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes", "every:7")),
        Exhibit(text("a", end="\r\n"), (), ("whole", "bytes", "every:7")),
    ),
    "calls-merged-by-index": (
        Exhibit(tools(*TWO_ON_ONE_INDEX), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
    ),
    "calls-shared-by-streams": (
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
        Exhibit(tools(*TWO_ON_ONE_INDEX), (), ("whole", "bytes")),
        Exhibit(tools(*ONE_CALL[:2], finish=None), ("bytes",), ("whole",)),
    ),
    "arguments-to-last-call": (
        Exhibit(tools(*INTERLEAVED), ("whole", "bytes")),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "name-concatenated": (
        Exhibit(tools(call(0, '{"x":', "f", "a"), call(0, "1}", "f", "a")), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
        Exhibit(tools(*TWO_ON_ONE_INDEX), (), ("whole", "bytes")),
    ),
    "first-call-only": (
        Exhibit(sse(chat({"tool_calls": list(INTERLEAVED[:2])})) + tools(), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
    ),
    "arguments-per-fragment": (
        Exhibit(tools(*ONE_CALL), ("whole", "bytes")),
        Exhibit(message(*tool("", '{"x"', ":1}")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*tool("", '{"x":1}')), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "ends-when-it-parses": (Exhibit(tools(call(0, "{}", "f", "a"), call(0, " ")), ("whole", "bytes")),),
    "whole-call-twice": (
        Exhibit(tools(call(0, '{"x":1}', "f", "a")), ("whole", "bytes")),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "empty-call-dropped": (
        Exhibit(tools(call(0, "", "f", "a")), ("whole", "bytes")),
        Exhibit(message(*tool("")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "arguments-reserialised": (
        Exhibit(tools(*ONE_CALL), ("whole", "bytes")),
        Exhibit(message(*tool('{"x":1}')), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
    ),
    "invalid-arguments-emptied": (
        Exhibit(tools(call(0, '{"x"', "f", "a")), ("whole", "bytes")),
        Exhibit(message(*tool('{"x"')), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "empty-input-prefixed": (
        Exhibit(message(*tool("", '{"x":1}')), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*tool("")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "cut-looks-complete": (
        Exhibit(tools(*ONE_CALL[:2], finish=None), ("whole", "bytes")),
        Exhibit(sse(chat({"content": "a"})), ("whole", "bytes")),
        Exhibit(b"", (), ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
        Exhibit(HELLO + b"\n: bye", (), ("whole", "bytes")),
        Exhibit(message(*says("a")[:2], complete=False), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*says("a")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "error-swallowed": (
        Exhibit(sse(chat({"content": "a"})) + sse(ERROR) + DONE, ("whole", "bytes")),
        Exhibit(message({"type": "error", **ERROR}, complete=False), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "usage-summed": (Exhibit(message(*says("a")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),),
    "usage-chunk-lost": (
        Exhibit(text("a")[: -len(DONE)] + sse({**chat(), "choices": [], "usage": USAGE}) + DONE, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "choices-mixed": (
        Exhibit(sse({**chat(), "choices": [{"index": 1, "delta": {"content": "b"}}]}) + HELLO, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "signature-lost": (
        Exhibit(message(*THINKING), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*says("a")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "ping-is-fatal": (
        Exhibit(message({"type": "ping"}, *says("a")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*says("a")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "finish-flushed-away": (Exhibit(HELLO, ("whole", "bytes")), Exhibit(tools(*ONE_CALL), (), ("whole", "bytes"))),
    "skipped-text-repeated": (
        Exhibit(text("I", " am", " here"), ("whole", "bytes")),
        Exhibit(text("Hello", " there"), (), ("whole", "bytes")),
    ),
    "arguments-before-id-dropped": (
        Exhibit(tools(call(0, '{"x"'), call(0, ":", "f", "a"), call(0, "1}")), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
    ),
    "keys-in-order": (
        Exhibit(tools(*map(index_last, INTERLEAVED)), ("whole", "bytes")),
        Exhibit(tools(*map(index_last, ONE_CALL)), (), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
        Exhibit(tools(*TWO_ON_ONE_INDEX), (), ("whole", "bytes")),
    ),
    "id-only-lost": (
        Exhibit(tools(*ONE_CALL, call(1, "", None, "b")), ("whole", "bytes")),
        Exhibit(tools(call(0, "", None, "a"), finish=None), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
        Exhibit(tools(*ONE_CALL[:2], finish=None), (), ("whole", "bytes")),
    ),
    "contents-by-position": (
        Exhibit(tools(call(0, json.dumps({"files": [{"name": "a"}, B_YML]}), "f", "a")), ("whole", "bytes")),
        Exhibit(tools(call(0, json.dumps({"files": [B_YML, {"name": "a"}]}), "f", "a")), (), ("whole", "bytes")),
        Exhibit(message(*tool(json.dumps({"files": [{}, B_YML]}))), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
    ),
    "past-last-piece": (
        Exhibit(text("Hello", " there", " again"), ("whole", "bytes")),
        Exhibit(text("Hello", " there"), (), ("whole", "bytes")),
        Exhibit(message(*says("a")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
}
