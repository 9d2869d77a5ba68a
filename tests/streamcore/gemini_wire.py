"""Gemini's chunks, in every form they come in, and the parts they should give.

:func:`gemini` feeds the same chunks as server-sent events and as a JSON array, in every chunking, with and without the
quick path; what it returns is what all of them gave.
"""

from __future__ import annotations

import json
from typing import Any

from .wire import NO_USAGE, Decoded, Json, _plus, decode_every_way, event

DIALECTS = {
    "google": ("gemini-generateContent", "gemini-generateContent-json-array"),
    "vertex": ("vertex-gemini", "vertex-gemini-json-array"),
}
FIRST: Json = {"type": "response-metadata", "id": "r"}
USAGE: Json = {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12}


def chunk(*parts: Json, finish: str | None = None, **extra: Any) -> Json:
    """A chunk with one candidate; what is ``extra`` and no key of a chunk belongs to the candidate."""
    top = {key: extra.pop(key) for key in ("usageMetadata", "promptFeedback", "responseId", "error") if key in extra}
    candidate = {"content": {"parts": list(parts), "role": "model"}, **extra}
    return {"candidates": [{**candidate, **({"finishReason": finish} if finish is not None else {})}], **top}


def text(content: str, **extra: Any) -> Json:
    """A part of text."""
    return {"text": content, **extra}


def call(name: Any = "f", args: Any = None, signature: str | None = None, **extra: Any) -> Json:
    """A part with a function call."""
    wire = {key: value for key, value in (("name", name), ("args", args)) if value is not None}
    return _plus({"functionCall": {**wire, **extra}}, thoughtSignature=signature)


def piece(*args: Json, goes_on: bool | None = True, name: str | None = None, signature: str | None = None) -> Json:
    """A part with a piece of a streamed function call."""
    wire = _plus({"partialArgs": list(args)} if args else {}, name=name, willContinue=goes_on)
    return _plus({"functionCall": wire}, thoughtSignature=signature)


def arg(path: str, value: Any, goes_on: bool | None = None) -> Json:
    """One element of ``partialArgs``."""
    kinds = {str: "stringValue", bool: "boolValue", int: "numberValue", float: "numberValue", type(None): "nullValue"}
    return {"jsonPath": path, kinds[type(value)]: value, **({} if goes_on is None else {"willContinue": goes_on})}


STOP = chunk(finish="STOP")


def sse(*chunks: Any) -> bytes:
    """The chunks as server-sent events with CRLF, as Gemini sends them."""
    return b"".join(event(one, eol="\r\n") for one in chunks)


def array(*chunks: Any) -> bytes:
    """The chunks as the elements of one array, as Gemini sends them without ``alt=sse``."""
    return ("[" + "\n,\r\n".join(json.dumps(one, indent=2) for one in chunks) + "\n]\n").encode()


def without_offsets(decoded: Decoded) -> list[Json]:
    """The parts, but where in the body an error was."""
    return [{key: value for key, value in part.items() if key != "offset"} for part in decoded.parts]


def gemini(*chunks: Any, policy: Any = "lenient", provider: str = "google") -> Decoded:
    """What the chunks give, whatever their form and however they are cut."""
    events, elements = DIALECTS[provider]
    found = decode_every_way(sse(*chunks), events, policy=policy)
    other = decode_every_way(array(*chunks), elements, policy=policy)
    assert without_offsets(other) == without_offsets(found)
    assert other.codes == found.codes
    return found


def payload(*chunks: Any, policy: Any = "lenient") -> list[Json]:
    """The parts of the chunks, without those that begin every stream and without its ``finish``."""
    decoded = gemini({**chunks[0], "responseId": "r"}, *chunks[1:], STOP, policy=policy)
    rest: list[Json]
    head, *rest, last = decoded.parts[1:]
    assert head == FIRST
    assert last["type"] == "finish"
    return rest


def metadata(provider: str = "google", **fields: Any) -> Json:
    """``providerMetadata`` with those fields."""
    return {provider: fields}


def fin(
    unified: str, raw: str | None, *, usage: Json | None = None, provider: str = "google", **said: Any
) -> Json:
    """The ``finish`` part of choice 0."""
    names = "finishMessage groundingMetadata promptFeedback safetyRatings serviceTier urlContextMetadata usageMetadata"
    counted = usage or NO_USAGE
    fields = {**dict.fromkeys(names.split()), **said}
    if usage is not None:
        fields["usageMetadata"] = usage["raw"]
    return {
        "type": "finish",
        "finishReason": _plus({"unified": unified}, raw=raw),
        "usage": counted,
        "providerMetadata": {provider: fields},
    }
