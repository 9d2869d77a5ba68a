"""Gemini: a few words a chunk, tool calls whole; as server-sent events, and as one JSON array."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.streams.script import grouped
from benchmarks.workloads import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.streams.script import Script

_WORDS_OF_A_CHUNK = 2
_RATINGS = [
    {"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"}
    for name in ("SEXUALLY_EXPLICIT", "HATE_SPEECH", "HARASSMENT", "DANGEROUS_CONTENT")
]
_SIGNATURE = "CiQB" + "DDnWx2Ccq04K8Yfw" * 12


def _chunk(part: dict[str, Any], tokens: int, *, vertex: bool, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}}
    if finish is not None:
        candidate["finishReason"] = finish
    candidate["index"] = 0
    usage: dict[str, Any] = {"promptTokenCount": 34, "candidatesTokenCount": tokens, "totalTokenCount": 34 + tokens}
    if vertex:
        candidate["safetyRatings"] = _RATINGS
        usage["trafficType"] = "ON_DEMAND"
    usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": 34}]
    last = {"modelVersion": "gemini-2.5-pro", "responseId": "beHBaJfEMIi-qtsP0123456"}
    return {"candidates": [candidate], "usageMetadata": usage, **last}


def _chunks(script: Script, *, vertex: bool) -> Iterator[dict[str, Any]]:
    tokens = 0
    for piece in grouped(script.reasoning, _WORDS_OF_A_CHUNK):
        yield _chunk({"text": piece, "thought": True}, tokens, vertex=vertex)
    for tokens, piece in enumerate(grouped(script.text, _WORDS_OF_A_CHUNK)):
        yield _chunk({"text": piece}, tokens, vertex=vertex)
    for pieces in script.calls:
        call = {"name": "write_file", "args": json.loads("".join(pieces))}
        yield _chunk({"functionCall": call, "thoughtSignature": _SIGNATURE}, tokens, vertex=vertex)
    yield _chunk({"text": ""}, tokens, vertex=vertex, finish="STOP")


def events(dialect: str, script: Script) -> Stream:
    """Server-sent events with CR LF, as Google writes them."""
    vertex = dialect.startswith("vertex")
    chunks = (f"data: {json.dumps(chunk)}\r\n\r\n".encode() for chunk in _chunks(script, vertex=vertex))
    first, *rest, last = chunks
    return Stream(dialect, dialect, (first,), tuple(rest), (last,))


def array(dialect: str, script: Script) -> Stream:
    """One JSON array, indented as Google does. The reference cannot read it, and gets its elements as events."""
    vertex = dialect.startswith("vertex")
    first, *rest = (json.dumps(chunk, indent=2).encode() for chunk in _chunks(script, vertex=vertex))
    as_events = events(dialect, script).body
    return Stream(dialect, dialect, (b"[" + first,), tuple(b"\n,\n" + one for one in rest), (b"\n]\n",), as_events)


MAKERS = {
    **{name: partial(events, name) for name in ("gemini-generateContent", "gateway-gemini", "vertex-gemini")},
    "gemini-generateContent-json-array": partial(array, "gemini-generateContent-json-array"),
}
