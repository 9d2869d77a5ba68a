"""Synthetic events of the OpenAI Responses API, and what bodies made of them give under every chunking."""

from __future__ import annotations

from typing import Any

from streamcore import Decoder

from .wire import Decoded, Json, decode_every_way, event

DIALECT = "openai-responses"
_RESUME_EVERY = 7
"""Bytes: a prime, so that in time every place within an event is met."""


def sse(*events: Json | bytes) -> bytes:
    """A body whose events are numbered, unless they are; bytes go in as they are."""
    numbered = (
        item if isinstance(item, bytes) else {"sequence_number": number, **item} for number, item in enumerate(events)
    )
    return b"".join(item if isinstance(item, bytes) else event(item, item["type"]) for item in numbered)


CREATED: Json = {"type": "response.created", "response": {"id": "resp_1", "created_at": 1, "model": "m"}}
IN_PROGRESS: Json = {"type": "response.in_progress", "response": {"id": "resp_1"}}


def ended(kind: str = "completed", **fields: Any) -> Json:
    """A terminal event."""
    return {"type": f"response.{kind}", "response": {"id": "resp_1", **fields}}


COMPLETED = ended()


def added(index: Any, kind: str, **fields: Any) -> Json:
    """A ``response.output_item.added`` event."""
    return {"type": "response.output_item.added", "output_index": index, "item": {"type": kind, **fields}}


def done(index: Any, kind: str, **fields: Any) -> Json:
    """A ``response.output_item.done`` event."""
    return {"type": "response.output_item.done", "output_index": index, "item": {"type": kind, **fields}}


def about(kind: str, item_id: Any, index: Any = 0, **fields: Any) -> Json:
    """Any event about one item."""
    return {"type": f"response.{kind}", "item_id": item_id, "output_index": index, **fields}


def message(index: Any = 0, **fields: Any) -> Json:
    """A message item begins, id ``m<index>``."""
    return added(index, "message", **{"id": f"m{index}", "role": "assistant", "content": [], **fields})


def text(piece: str = "x", index: Any = 0, content: Any = 0, **fields: Any) -> Json:
    """A piece of text of that message."""
    extra = {"content_index": content, "delta": piece, "logprobs": [], "obfuscation": "oo", **fields}
    return {**about("output_text.delta", f"m{index}", index), **extra}


def refusal(piece: str, index: Any = 0, content: Any = 0) -> Json:
    """A piece of a refusal in that message."""
    return about("refusal.delta", f"m{index}", index, content_index=content, delta=piece)


def text_done(whole: str, index: Any = 0, content: Any = 0) -> Json:
    """The whole text of a content part."""
    return about("output_text.done", f"m{index}", index, content_index=content, text=whole)


def message_done(*texts: str, index: Any = 0, **fields: Any) -> Json:
    """A message item is done, with those content parts."""
    content = [{"type": "output_text", "text": whole, "annotations": []} for whole in texts]
    return done(index, "message", **{"id": f"m{index}", "role": "assistant", "content": content, **fields})


def reasoning(index: Any = 0, **fields: Any) -> Json:
    """A reasoning item begins, id ``r<index>``."""
    return added(index, "reasoning", **{"id": f"r{index}", "summary": [], **fields})


def summary(step: str, part: Any = 0, index: Any = 0, **fields: Any) -> Json:
    """An event about a part of the summary of that item; ``step`` as in ``part.added`` or ``text.delta``."""
    return about(f"reasoning_summary_{step}", f"r{index}", index, summary_index=part, **fields)


def raw(step: str, content: Any = 0, index: Any = 0, **fields: Any) -> Json:
    """An event about raw reasoning of that item; ``step`` as in ``delta``."""
    return about(f"reasoning_text.{step}", f"r{index}", index, content_index=content, **fields)


def reasoning_done(index: Any = 0, **fields: Any) -> Json:
    """A reasoning item is done."""
    return done(index, "reasoning", **{"id": f"r{index}", "summary": [], **fields})


def function(index: Any = 0, name: Any = "f", **fields: Any) -> Json:
    """A function call begins, item id ``f<index>`` and call id ``c<index>``."""
    item = {"id": f"f{index}", "call_id": f"c{index}", "name": name, "arguments": "", **fields}
    return added(index, "function_call", **item)


def arguments(piece: str, index: Any = 0, **fields: Any) -> Json:
    """A piece of its arguments."""
    return about("function_call_arguments.delta", f"f{index}", index, delta=piece, **fields)


def arguments_done(whole: str, index: Any = 0) -> Json:
    """Its arguments as a whole."""
    return about("function_call_arguments.done", f"f{index}", index, arguments=whole)


def function_done(whole: str | None, index: Any = 0, **fields: Any) -> Json:
    """It is done."""
    item = {"id": f"f{index}", "call_id": f"c{index}", "name": "f", "arguments": whole, "status": "completed", **fields}
    return done(index, "function_call", **item)


def own(provider: str = "openai", /, **fields: Any) -> Json:
    """``providerMetadata``."""
    return {provider: fields}


START: Json = {"type": "stream-start", "warnings": []}
META: Json = {
    "type": "response-metadata",
    "id": "resp_1",
    "modelId": "m",
    "timestamp": "1970-01-01T00:00:01.000Z",
}
HEAD: list[Json] = [START, META]


def m_start(index: int = 0, **fields: Any) -> Json:
    """The ``text-start`` of a message."""
    return {"type": "text-start", "id": f"m{index}", "providerMetadata": own(itemId=f"m{index}", **fields)}


def m_delta(delta: str, index: int = 0) -> Json:
    """A ``text-delta`` of it."""
    return {"type": "text-delta", "id": f"m{index}", "delta": delta}


def no_delta(delta: str, index: int = 0) -> Json:
    """A ``text-delta`` of a refusal."""
    return m_delta(delta, index) | {"providerMetadata": own(refusal=True)}


def m_end(index: int = 0, **fields: Any) -> Json:
    """Its ``text-end``."""
    return {"type": "text-end", "id": f"m{index}", "providerMetadata": own(itemId=f"m{index}", **fields)}


def r_start(block: str = "r0:0", encrypted: str | None = None, item: str = "r0") -> Json:
    """A ``reasoning-start``."""
    fields = own(itemId=item, reasoningEncryptedContent=encrypted)
    return {"type": "reasoning-start", "id": block, "providerMetadata": fields}


def r_delta(delta: str, block: str = "r0:0", item: str = "r0") -> Json:
    """A ``reasoning-delta``."""
    return {"type": "reasoning-delta", "id": block, "delta": delta, "providerMetadata": own(itemId=item)}


def r_end(block: str = "r0:0", encrypted: str | None = None, item: str = "r0") -> Json:
    """The ``reasoning-end`` that comes with the end of the item."""
    fields = own(itemId=item, reasoningEncryptedContent=encrypted)
    return {"type": "reasoning-end", "id": block, "providerMetadata": fields}


def called(name: str, call_id: str, value: str, item: str | None = None, **fields: Any) -> Json:
    """A ``tool-call``; ``item`` is the item id in its metadata."""
    metadata = {} if item is None else {"providerMetadata": own(itemId=item)}
    return {"type": "tool-call", "toolCallId": call_id, "toolName": name, "input": value, **metadata, **fields}


def outcome(name: str, call_id: str, value: Any, item: str | None = None, **fields: Any) -> Json:
    """A ``tool-result``."""
    metadata = {} if item is None else {"providerMetadata": own(itemId=item)}
    return {"type": "tool-result", "toolCallId": call_id, "toolName": name, "result": value, **metadata, **fields}


def fin(unified: str, raw: str | None = None, **metadata: Any) -> Json:
    """The ``finish`` of a response without usage."""
    return {
        "type": "finish",
        "finishReason": {"unified": unified} | ({} if raw is None else {"raw": raw}),
        "usage": {"inputTokens": {}, "outputTokens": {}},
        "providerMetadata": own(**{"responseId": "resp_1", **metadata}),
    }


def read(*events: Json | bytes, resume_from: int = 0, dialect: str = DIALECT, **options: Any) -> Decoded:
    """What the events give: under every chunking, without the quick path, and resumed from a snapshot now and then.

    ``resume_from`` is where the snapshots begin: what all bodies have in common needs them only once.
    """
    body = sse(*events)
    expected = decode_every_way(body, dialect, **options)
    walker = Decoder(dialect, assemble=False, **options)
    resumed = Decoder(dialect, assemble=False, **options)
    so_far = walker.feed(body[:resume_from])
    for at in range(resume_from, len(body)):
        so_far += walker.feed(body[at : at + 1])
        if at % _RESUME_EVERY == 0:
            resumed.restore(walker.snapshot())
            assert so_far + resumed.feed(body[at + 1 :]) + resumed.close() == expected.items, at
            assert resumed.warnings == expected.warnings, at
    return expected


def read_items(*events: Json | bytes, end: Json = COMPLETED, **options: Any) -> Decoded:
    """As :func:`read`, between ``response.created`` and an end."""
    return read(CREATED, *events, end, resume_from=len(sse(CREATED)), **options)


def payload(decoded: Decoded) -> list[Json]:
    """The parts between the head and the finish."""
    *parts, last = decoded.parts
    assert parts[:2] == HEAD
    assert last["type"] == "finish"
    return parts[2:]
