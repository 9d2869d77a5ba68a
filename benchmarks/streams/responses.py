"""OpenAI's Responses API, and those who speak it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.workloads import Stream, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.streams.script import Script


@dataclass(frozen=True, slots=True)
class Server:
    """What one server does in its own way."""

    model: str
    obfuscated: bool = False
    """Pieces come with a filler that hides their length."""
    first: tuple[str, ...] = ()
    """Keys that stand before the others."""
    logprobs: bool = True
    reasoning_text: bool = False
    """Reasoning itself is sent and not a summary of it."""


SERVERS: dict[str, Server] = {
    "openai-responses": Server("gpt-5-2025-08-07", obfuscated=True),
    "azure-openai-responses": Server("gpt-5-nano", first=("sequence_number",)),
    "gateway-responses": Server("gpt-5", obfuscated=True),
    "bedrock-mantle-responses": Server("openai.gpt-oss-120b", reasoning_text=True),
    "deepseek-responses": Server("deepseek-v4-flash", reasoning_text=True),
    "openrouter-responses": Server("openai/gpt-5-mini"),
    "xai-responses": Server("grok-4.3", first=("sequence_number",), logprobs=False),
}
_FILLER = "Z2cqh4urYUFcdyo5"
_PARTS = {"summary": "summary_text", "reasoning": "reasoning_text"}


def _response(server: Server, status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_0123456789abcdef0123456789abcdef0123456789abcdef",
        "object": "response",
        "created_at": 1760000000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": server.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": "medium", "summary": "detailed"},
        "store": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "metadata": {},
        **more,
    }


def _reasoning(server: Server, script: Script) -> Iterator[tuple[str, dict[str, Any]]]:
    item: dict[str, Any] = {"id": "rs_0123456789abcdef0123456789abcdef", "type": "reasoning", "summary": []}
    kind = _PARTS["reasoning" if server.reasoning_text else "summary"]
    at: dict[str, Any] = {"item_id": item["id"], "output_index": 0}
    at |= {"content_index": 0} if server.reasoning_text else {"summary_index": 0}
    events = "reasoning_text" if server.reasoning_text else "reasoning_summary_text"
    part = "content_part" if server.reasoning_text else "reasoning_summary_part"
    yield "output_item.added", {"output_index": 0, "item": {**item, "status": "in_progress"}}
    yield f"{part}.added", {**at, "part": {"type": kind, "text": ""}}
    for piece in script.reasoning:
        yield f"{events}.delta", {**at, "delta": piece, **_filler(server, piece)}
    whole = {"type": kind, "text": script.thought}
    yield f"{events}.done", {**at, "text": script.thought}
    yield f"{part}.done", {**at, "part": whole}
    done = {"content": [whole]} if server.reasoning_text else {"summary": [whole]}
    yield "output_item.done", {"output_index": 0, "item": {**item, **done, "status": "completed"}}


def _message(server: Server, script: Script) -> Iterator[tuple[str, dict[str, Any]]]:
    item: dict[str, Any] = {"id": "msg_0123456789abcdef0123456789abcdef", "type": "message", "role": "assistant"}
    at = {"item_id": item["id"], "output_index": 1, "content_index": 0}
    extra: dict[str, Any] = {"logprobs": []} if server.logprobs else {}
    part: dict[str, Any] = {"type": "output_text", "annotations": [], **extra, "text": ""}
    yield "output_item.added", {"output_index": 1, "item": {**item, "status": "in_progress", "content": []}}
    yield "content_part.added", {**at, "part": part}
    for piece in script.text:
        yield "output_text.delta", {**at, "delta": piece, **extra, **_filler(server, piece)}
    whole = {**part, "text": script.answer}
    yield "output_text.done", {**at, "text": script.answer, **extra}
    yield "content_part.done", {**at, "part": whole}
    yield "output_item.done", {"output_index": 1, "item": {**item, "status": "completed", "content": [whole]}}


def _calls(server: Server, script: Script) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, pieces in enumerate(script.calls, 2):
        item = {"id": f"fc_{index:032}", "type": "function_call", "call_id": f"call_{index:024}", "name": "write_file"}
        at = {"item_id": item["id"], "output_index": index}
        added = {**item, "status": "in_progress", "arguments": ""}
        yield "output_item.added", {"output_index": index, "item": added}
        for piece in pieces:
            yield "function_call_arguments.delta", {**at, "delta": piece, **_filler(server, piece)}
        arguments = "".join(pieces)
        yield "function_call_arguments.done", {**at, "arguments": arguments}
        done = {**item, "status": "completed", "arguments": arguments}
        yield "output_item.done", {"output_index": index, "item": done}


def _filler(server: Server, piece: str) -> dict[str, str]:
    return {"obfuscation": _FILLER[sum(piece.encode()) % len(_FILLER) :]} if server.obfuscated else {}


def _written(server: Server, kind: str, number: int, fields: Mapping[str, Any]) -> bytes:
    event = {"type": f"response.{kind}", **fields, "sequence_number": number}
    ordered = {**{key: event[key] for key in server.first}, **event}
    name = ordered.pop("type")
    return named(name, **ordered)


def stream(dialect: str, script: Script) -> Stream:
    """The events of one server."""
    server = SERVERS[dialect]
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 99}}
    usage = {"input_tokens": 25, "output_tokens": 999, "total_tokens": 1024, **details}
    items = [*_reasoning(server, script), *_message(server, script), *_calls(server, script)]
    output = [fields["item"] for kind, fields in items if kind == "output_item.done"]
    told = [
        ("created", {"response": _response(server, "in_progress")}),
        ("in_progress", {"response": _response(server, "in_progress")}),
        *items,
        ("completed", {"response": _response(server, "completed", output=output, usage=usage)}),
    ]
    first, *rest, last = (_written(server, kind, number, fields) for number, (kind, fields) in enumerate(told))
    return Stream(dialect, dialect, (first,), tuple(rest), (last,))


MAKERS = {name: partial(stream, name) for name in SERVERS}
