"""Gemini's Interactions API: steps that start, go on in deltas, and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.streams.script import grouped
from benchmarks.workloads import Stream, compact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.streams.script import Script

_NAME = "gemini-interactions"
_ID = "v1_ChduZUFFYXB6S0tkMjVzT0lQc2FUYzJBRRIXbmVBRWFwektLZDI1"
_WORDS_OF_A_DELTA = 2


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + compact({**fields, "event_type": kind}) + b"\n\n"


def _step(index: int, deltas: Iterator[dict[str, Any]], **step: Any) -> Iterator[bytes]:
    yield _event("step.start", index=index, step=step)
    for delta in deltas:
        yield _event("step.delta", index=index, delta=delta)
    yield _event("step.stop", index=index)


def _events(script: Script) -> Iterator[bytes]:
    thoughts = (
        {"content": {"text": piece, "type": "text"}, "type": "thought_summary"}
        for piece in grouped(script.reasoning, _WORDS_OF_A_DELTA)
    )
    yield from _step(0, thoughts, type="thought")
    answer = ({"text": piece, "type": "text"} for piece in grouped(script.text, _WORDS_OF_A_DELTA))
    yield from _step(1, answer, type="model_output")
    for index, pieces in enumerate(script.calls, 2):
        arguments = ({"arguments": piece, "type": "arguments_delta"} for piece in pieces)
        call = {"id": f"call{index:04}", "type": "function_call", "name": "write_file", "arguments": {}}
        yield from _step(index, arguments, **call)


def stream(script: Script) -> Stream:
    """``gemini-interactions``."""
    interaction: dict[str, Any] = {"id": _ID, "object": "interaction", "model": "gemini-2.5-flash"}
    usage = {"total_tokens": 1024, "total_input_tokens": 25, "total_output_tokens": 900, "total_thought_tokens": 99}
    status = "requires_action" if script.calls else "completed"
    return Stream(
        _NAME,
        _NAME,
        (_event("interaction.created", interaction={**interaction, "status": "in_progress"}),),
        tuple(_events(script)),
        (
            _event("interaction.completed", interaction={**interaction, "status": status, "usage": usage}),
            b"event: done\ndata: [DONE]\n\n",
        ),
    )


MAKERS = {_NAME: stream}
