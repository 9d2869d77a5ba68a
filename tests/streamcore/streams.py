"""Whole streams to take apart: a plain one with its parts by frame, an odd one, and one of each other dialect."""

from __future__ import annotations

from collections import Counter
from inspect import isfunction
from pathlib import Path
from typing import Any

from harness import cassette
from streamcore import DIALECTS, Decoder, Part
from streamcore.dialects.base import Dialect

from . import bedrock_wire as bedrock
from .bedrock_models import COMMAND
from .wire import (
    DONE,
    HEAD,
    Json,
    call,
    chat,
    ended,
    event,
    fin,
    finish,
    i_delta,
    i_start,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)

FRAMES = [
    text("h\u00e9"),
    tools(call(0, "a", "f", "{")),
    tools(call(0, args='"k":1')),
    text("!"),
    tools(call(0, args="}")),
    finish("tool_calls"),
    event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
    DONE,
]
BODY = b"".join(FRAMES)
USAGE = {
    "inputTokens": {"total": 1, "noCache": 1, "cacheRead": 0},
    "outputTokens": {"total": 2, "text": 2, "reasoning": 0},
    "raw": {"prompt_tokens": 1, "completion_tokens": 2},
}
BY_FRAME: list[list[Json]] = [
    [*HEAD, t_start(), t_delta("h\u00e9")],
    [i_start(), i_delta("{")],
    [i_delta('"k":1')],
    [t_delta("!")],
    [i_delta("}")],
    [],
    [],
    [t_end(), *ended('{"k":1}'), fin("tool-calls", "tool_calls", usage=USAGE)],
]
"""The parts that each of ``FRAMES`` completes."""
FINISHED = 6
"""The finish reason is in the sixth frame."""

ODD = b"".join(
    [
        b"\xef\xbb\xbf: hello\r\n\r\n",
        text("x").replace(b"\n", b"\r\n"),
        event({"error": {"message": "boom"}}, "error"),
        b"stray\n",
        event("{"),
        tools(call(None, "a", "f", "{"), call(3, args="]"), call(3, name="g")),
        tools(call(0, "a", "f", "{}"), call(0, "b", "f", {"x": 1})),
        chat({"refusal": "no"}, "stop", 1),
        event(b'{"choices":[],"choices":[]}'),
        b"id: 1\ndata: {\ndata: }\n\n",
        b'data: {"choices"',
    ]
)
"""A stream that uses nearly every leniency."""

_EVENTS: list[tuple[str, Json]] = [
    ("message_start", {"message": {"id": "m", "model": "c", "usage": {"input_tokens": 1, "output_tokens": 1}}}),
    ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
    ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
    ("content_block_stop", {"index": 0}),
    ("content_block_start", {"index": 1, "content_block": {"type": "tool_use", "id": "a", "name": "f"}}),
    ("content_block_delta", {"index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"k":1}'}}),
    ("content_block_stop", {"index": 1}),
    ("message_delta", {"delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}),
    ("message_stop", {}),
]
ANTHROPIC = b"".join(event({"type": name, **payload}, name) for name, payload in _EVENTS)

_CASSETTES = Path(__file__).parents[2] / "cassettes"
_MOST = 1
"""Recordings of one dialect that are taken apart: the smallest, since many tests cut it at every byte."""


def _recorded(dialect: str) -> list[bytes]:
    bodies = {case.body for path in (_CASSETTES / dialect).glob("*.yaml") for case in cassette.load(path).cases()}
    return sorted(bodies, key=lambda body: (len(body), body))[:_MOST]


def _code(dialect: type[Dialect]) -> tuple[type, type]:
    """The class that reads, and the framer: dialects that only set parameters share both."""
    reader = next(kind for kind in dialect.__mro__ if any(isfunction(member) for member in vars(kind).values()))
    return reader, dialect.framer


def _distinct() -> list[str]:
    """One dialect for each code, and a second one where there are more: what all have in common is tested on these."""
    seen: Counter[tuple[type, type]] = Counter()
    names = []
    for name, dialect in sorted(DIALECTS.items()):
        seen[_code(dialect)] += 1
        if seen[_code(dialect)] <= 2:
            names.append(name)
    return sorted({*names, "openai-chat", "anthropic-messages", bedrock.CONVERSE, bedrock.INVOKE})


# A dialect of which nothing is recorded gets the streams of others: most of what is asked of it holds for any bytes.
BODIES = {dialect: _recorded(dialect) or [BODY, ANTHROPIC] for dialect in _distinct()}
BODIES |= {"openai-chat": [BODY, ODD], "anthropic-messages": [ANTHROPIC]}
BODIES |= {bedrock.CONVERSE: [bedrock.TALK], bedrock.INVOKE: [b"".join(map(bedrock.chunk, COMMAND))]}
STREAMS = [(dialect, body) for dialect, bodies in BODIES.items() for body in bodies]
IDS = [f"{dialect} {len(body)} bytes" for dialect, body in STREAMS]
POLICIES: list[Any] = ["lenient", "strict"]


def per_byte(decoder: Decoder, body: bytes) -> list[Part]:
    return [part for at in range(len(body)) for part in decoder.feed(body[at : at + 1])]
