"""Three dialects in their plainest form, apart from the simulated providers, which have recordings to write and say more.

Two hands that read the same documentation: what a strategy makes up here is no echo of what the scenarios are made with.

Sources: Cohere, "Chat (v1)", "Streaming responses"; Anthropic, "Create a Text Completion (legacy)", "Streaming"; Gemini API,
"Interactions", "Streaming".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from harness.record.wire import compact, pieces, sse

if TYPE_CHECKING:
    from harness.strategies.saying import Said

Hidden = Callable[[str], str]


def parsed(text: str) -> Any:
    """The object of a JSON text; none is one without members."""
    return json.loads(text) if text.strip() else {}


def _cohere_v1(said: Said, hidden: Hidden) -> Iterator[dict[str, Any]]:
    yield {"is_finished": False, "event_type": "stream-start", "generation_id": "generation-1"}
    whole = ""
    calls = []
    for item in said.items:
        text = hidden(item.text)
        if item.kind == "call":
            calls.append({"name": item.name, "parameters": parsed(text)})
            continue
        for piece in pieces(text, item.by):
            whole += piece
            yield {"is_finished": False, "event_type": "text-generation", "text": piece}
    if calls:
        yield {"is_finished": False, "event_type": "tool-calls-generation", "text": whole, "tool_calls": calls}
    tokens = {"input_tokens": said.input_tokens, "output_tokens": said.output_tokens}
    response = {"response_id": "response-1", "text": whole, "meta": {"billed_units": tokens, "tokens": tokens}}
    yield {"is_finished": True, "event_type": "stream-end", "response": response, "finish_reason": said.raw}


def _completion(said: Said, hidden: Hidden) -> Iterator[dict[str, Any]]:
    head = {"type": "completion", "id": "compl_1", "model": "model-1"}
    for item in said.items:
        for piece in pieces(hidden(item.text), item.by):
            yield {**head, "completion": piece, "stop_reason": None, "stop": None}
    yield {**head, "completion": "", "stop_reason": said.raw, "stop": None}


def _interaction(said: Said, hidden: Hidden) -> Iterator[dict[str, Any]]:
    head = {"id": "v1_1", "model": "model-1", "object": "interaction", "created": "2026-01-01T00:00:00Z"}
    yield {"interaction": {**head, "status": "in_progress"}, "event_type": "interaction.created"}
    for index, item in enumerate(said.items):
        text = hidden(item.text)
        step: dict[str, Any]
        if item.kind == "call":
            step = {"type": "function_call", "id": f"call_{index}", "name": item.name}
            deltas: list[dict[str, Any]] = [
                {"type": "arguments_delta", "arguments": piece} for piece in pieces(text, item.by)
            ]
        elif item.kind == "reasoning":
            step = {"type": "thought"}
            deltas = [
                {"type": "thought_summary", "content": {"type": "text", "text": piece}}
                for piece in pieces(text, item.by)
            ]
        else:
            step = {"type": "model_output"}
            deltas = [{"type": "text", "text": piece} for piece in pieces(text, item.by)]
        yield {"index": index, "step": step, "event_type": "step.start"}
        for delta in deltas:
            yield {"index": index, "delta": delta, "event_type": "step.delta"}
        yield {"index": index, "event_type": "step.stop"}
    usage = {
        "total_input_tokens": said.input_tokens,
        "total_output_tokens": said.output_tokens,
        "total_tokens": said.input_tokens + said.output_tokens,
    }
    yield {"interaction": {**head, "status": said.raw, "usage": usage}, "event_type": "interaction.completed"}


def _lines(events: Callable[[Said, Hidden], Iterator[dict[str, Any]]]) -> Callable[[Said, Hidden], list[bytes]]:
    return lambda said, hidden: [f"{compact(event)}\n".encode() for event in events(said, hidden)]


def _events(
    events: Callable[[Said, Hidden], Iterator[dict[str, Any]]], key: str, *last: bytes
) -> Callable[[Said, Hidden], list[bytes]]:
    return lambda said, hidden: [*(sse(compact(event), event[key]) for event in events(said, hidden)), *last]


GRAMMARS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cohere-v1": {
        "encode": _lines(_cohere_v1),
        "finishes": {"stop": ("COMPLETE",), "length": ("MAX_TOKENS",), "tool-calls": ("COMPLETE",)},
        "framing": "ndjson",
        "reasoning": False,
        "stringified": True,
    },
    "anthropic-complete-legacy": {
        "encode": _events(_completion, "type"),
        "finishes": {"stop": ("stop_sequence",), "length": ("max_tokens",)},
        "reasoning": False,
        "calls": False,
        "usage": False,
    },
    "gemini-interactions": {
        "encode": _events(_interaction, "event_type", sse("[DONE]", "done")),
        "finishes": {"stop": ("completed",), "length": ("incomplete",), "tool-calls": ("requires_action",)},
    },
}
"""What :data:`harness.strategies.grammars.GRAMMARS` makes of each."""
