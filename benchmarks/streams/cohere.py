"""Cohere's Chat API v2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.workloads import Stream, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.streams.script import Script

_USAGE = {"billed_units": {"input_tokens": 4, "output_tokens": 9}, "tokens": {"input_tokens": 70, "output_tokens": 99}}


def _message(event: str, index: int | None = None, **content: Any) -> bytes:
    at = {} if index is None else {"index": index}
    return named(event, **at, delta={"message": content})


def _events(script: Script) -> Iterator[bytes]:
    yield _message("content-start", 0, content={"type": "thinking", "thinking": ""})
    for piece in script.reasoning:
        yield _message("content-delta", 0, content={"thinking": piece})
    yield named("content-end", index=0)
    yield _message("content-start", 1, content={"type": "text", "text": ""})
    for piece in script.text:
        yield _message("content-delta", 1, content={"text": piece})
    yield named("content-end", index=1)
    for index, pieces in enumerate(script.calls):
        call = {"id": f"write_file_{index:012}", "type": "function", "function": {"name": "write_file", "arguments": ""}}
        yield _message("tool-call-start", index, tool_calls=call)
        for piece in pieces:
            yield _message("tool-call-delta", index, tool_calls={"function": {"arguments": piece}})
        yield named("tool-call-end", index=index)


def stream(script: Script) -> Stream:
    """``cohere-v2``."""
    empty: dict[str, Any] = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    start = named("message-start", id="b0e6bd1a-9ab0-4b8b-8a0a-0123456789ab", delta={"message": empty})
    end = named("message-end", delta={"finish_reason": "TOOL_CALL", "usage": _USAGE})
    return Stream("cohere-v2", "cohere-v2", (start,), tuple(_events(script)), (end, b"data: [DONE]\n\n"))


MAKERS = {"cohere-v2": stream}
