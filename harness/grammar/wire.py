"""The event grammar of each dialect's wire, and where a recording leaves it.

A finding is about the recording (the provider, the proxy, the recorder) and never about the subject. It makes no case
fail: the streams that break their grammar are those that decoders break on.

=======================================  ==========================================================================
Anthropic Messages                       one message; blocks by ``index``, each with the deltas of its type
OpenAI Responses and those like it       one response; items by ``output_index``, their contents and summaries by index,
                                         arguments; ``sequence_number`` counts by one
Cohere v2                                one message; contents and calls by ``index``
Bedrock Converse                         one message; blocks by ``contentBlockIndex``, a start only where it is a call
Gemini Interactions                      one interaction; steps by ``index``
Ollama                                   lines up to the one that says ``done``
OpenAI chat and those like it            chunks up to ``[DONE]``; no content of a choice after its finish reason
everything else                          JSON objects
=======================================  ==========================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.case import Case
from harness.faults.damage import framing_of
from harness.findings import WireFinding
from harness.grammar import Level, Machine, Step, level, rows
from harness.subjects.core import FRAMINGS
from streamcore import DIALECTS
from streamcore.dialects.anthropic.messages import AnthropicMessages
from streamcore.dialects.compatible.chat import OpenAICompatible
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.responses import OpenAIResponses

AT_MOST = 20
"""Findings told of one recording."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """The levels, and what reads an event: its symbols, given its name outside the JSON (or ``""``) and its JSON."""

    levels: Mapping[str, Level]
    read: Callable[[str, Any], Iterator[Step]]
    counts: str = ""
    """A key whose values count by one."""


def _anthropic(_: str, value: Any) -> Iterator[Step]:
    kind = value.get("type")
    if kind == "ping":
        return
    if not isinstance(kind, str) or not kind.startswith("content_block_"):
        yield "stream", None, str(kind)
        return
    yield "stream", None, "block"
    symbol = kind.removeprefix("content_block_")
    if symbol == "start":
        symbol = str((value.get("content_block") or {}).get("type"))
    elif symbol == "delta":
        symbol = str((value.get("delta") or {}).get("type"))
    yield "block", value.get("index"), symbol


ANTHROPIC = Grammar(
    {
        "stream": level(
            "done failed",
            start={"message_start": "open", "error": "failed"},
            open=rows("open", "block", message_delta="stopping", error="failed"),
            stopping=rows("stopping", "message_delta", message_stop="done", error="failed"),
        ),
        "block": level(
            "stopped",
            start={
                "text": "text", "thinking": "thinking", "tool_use": "tool", "server_tool_use": "tool",
                "mcp_tool_use": "tool", "stop": "", "text_delta": "", "input_json_delta": "", "thinking_delta": "",
                "signature_delta": "", "citations_delta": "", "*": "other",
            },
            text=rows("text", "text_delta", "citations_delta", stop="stopped"),
            thinking=rows("thinking", "thinking_delta", "signature_delta", stop="stopped"),
            tool=rows("tool", "input_json_delta", stop="stopped"),
            other={"stop": "stopped", "*": "other"},
        ),
    },
    _anthropic,
)  # fmt: skip

_ENDINGS = {"response.completed": "done", "response.incomplete": "done", "response.failed": "done", "error": "failed"}
_CONTENTS = {
    "response.output_text": "content_index", "response.refusal": "content_index", "response.content_part": "content_index",
    "response.reasoning_text": "content_index", "response.reasoning_summary_part": "summary_index",
    "response.reasoning_summary_text": "summary_index",
}  # fmt: skip


def _responses(_: str, value: Any) -> Iterator[Step]:
    kind = str(value.get("type"))
    index = value.get("output_index")
    if kind == "keepalive":
        return
    if index is None:
        yield "stream", None, kind
        return
    yield "stream", None, "item"
    stem, _, verb = kind.rpartition(".")
    if stem == "response.output_text.annotation":
        stem, verb = "response.output_text", "annotation"
    yield "item", index, verb if stem == "response.output_item" else "about"
    if stem in _CONTENTS:
        part = "part " if stem.endswith("_part") else ""
        name = "summary" if "summary" in stem else "content"
        yield name, (index, value.get(_CONTENTS[stem])), part + verb
    elif stem.endswith("_arguments"):
        yield "arguments", index, verb


_SAID = level(
    "closed",
    start={"part added": "open"},
    open=rows("open", "delta", "annotation", "done", **{"part done": "closed"}),
)
RESPONSES = Grammar(
    {
        "stream": level(
            "done failed",
            start={"response.created": "open", **_ENDINGS},
            open=rows("open", "item", "response.in_progress", "response.queued", **_ENDINGS),
            done={"error": "failed"},
            failed=_ENDINGS,
        ),
        "item": level("done", start={"added": "open"}, open=rows("open", "about", done="done")),
        "content": _SAID,
        "summary": _SAID,
        "arguments": level("done", start={"delta": "open", "done": "done"}, open=rows("open", "delta", done="done")),
    },
    _responses,
    counts="sequence_number",
)


def _cohere(_: str, value: Any) -> Iterator[Step]:
    kind = str(value.get("type"))
    name, _, verb = kind.rpartition("-")
    if name not in ("content", "tool-call", "citation"):
        yield "stream", None, kind
        return
    yield "stream", None, "part"
    yield name, value.get("index"), verb


_OPENED = level("done", start={"start": "open"}, open=rows("open", "delta", end="done"))
COHERE = Grammar(
    {
        "stream": level(
            "done",
            start={"message-start": "open"},
            open=rows("open", "part", "tool-plan-delta", "debug", **{"message-end": "done"}),
            done=rows("done", "[DONE]"),
        ),
        "content": _OPENED,
        "tool-call": _OPENED,
        "citation": level("done", start={"start": "open"}, open={"end": "done"}),
    },
    _cohere,
)


def _converse(name: str, value: Any) -> Iterator[Step]:
    if not name.startswith("contentBlock"):
        yield "stream", None, "exception" if name.endswith(("Exception", "error")) else name
        return
    yield "stream", None, "block"
    yield "block", value.get("contentBlockIndex"), name.removeprefix("contentBlock").lower()


CONVERSE = Grammar(
    {
        "stream": level(
            "done failed",
            start={"messageStart": "open", "exception": "failed"},
            open=rows("open", "block", messageStop="stopped", exception="failed"),
            stopped={"metadata": "done", "exception": "failed"},
        ),
        "block": level("done", start={"start": "open", "delta": "open"}, open=rows("open", "delta", stop="done")),
    },
    _converse,
)


def _interactions(_: str, value: Any) -> Iterator[Step]:
    kind = str(value.get("event_type"))
    if not kind.startswith("step."):
        yield "stream", None, kind
        return
    yield "stream", None, "step"
    yield "step", value.get("index"), kind.removeprefix("step.")


INTERACTIONS = Grammar(
    {
        "stream": level(
            "done failed",
            start={"interaction.created": "open", "error": "failed"},
            open=rows("open", "step", "interaction.status_update", **{"interaction.completed": "done", "error": "failed"}),
            done=rows("done", "[DONE]"),
            failed=rows("failed", "[DONE]", "interaction.status_update"),
        ),
        "step": level("done", start={"start": "open"}, open=rows("open", "delta", stop="done")),
    },
    _interactions,
)


def _chat(_: str, value: Any) -> Iterator[Step]:
    yield "stream", None, "error" if value.get("error") else "chunk"
    choices = value.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            delta = choice.get("delta")
            says = isinstance(delta, dict) and (delta.get("content") or delta.get("tool_calls") or delta.get("refusal"))
            if says:
                yield "choice", choice.get("index", 0), "content"
            if choice.get("finish_reason"):
                yield "choice", choice.get("index", 0), "finish"


CHAT = Grammar(
    {
        "stream": level(
            "start open done failed",
            start=rows("open", "chunk", error="failed"),
            open=rows("open", "chunk", error="failed", **{"[DONE]": "done"}),
            failed=rows("failed", "chunk", "error", "[DONE]"),
        ),
        "choice": level(
            "finished",
            start={"content": "open", "finish": "finished"},
            open={"content": "open", "finish": "finished"},
            finished={"finish": "finished"},
        ),
    },
    _chat,
)


def _ollama(_: str, value: Any) -> Iterator[Step]:
    yield "stream", None, "error" if value.get("error") else "done" if value.get("done") else "line"


OLLAMA = Grammar(
    {
        "stream": level(
            "done failed",
            start={"line": "open", "done": "done", "error": "failed"},
            open={"line": "open", "done": "done", "error": "failed"},
        )
    },
    _ollama,
)


def _objects(*_: Any) -> Iterator[Step]:
    yield from ()


OBJECTS = Grammar({"stream": level("start", start={"[DONE]": "start"})}, _objects)
"""What nothing more is known of than that its frames are JSON objects."""


def grammar_of(dialect: str) -> Grammar:
    """The grammar of a dialect's wire."""
    known = {"cohere-v2": COHERE, "bedrock-converse-stream": CONVERSE, "gemini-interactions": INTERACTIONS}
    known["ollama-ndjson"] = OLLAMA
    if dialect in known:
        return known[dialect]
    family = DIALECTS.get(dialect, object)
    for base, grammar in ((AnthropicMessages, ANTHROPIC), (OpenAIResponses, RESPONSES)):
        if issubclass(family, base):
            return grammar
    return CHAT if issubclass(family, OpenAIChat | OpenAICompatible) else OBJECTS


def wire_findings(case: Case) -> tuple[WireFinding, ...]:
    """Where the recording leaves its dialect's grammar, the first :data:`AT_MOST` places."""
    if case.dialect not in DIALECTS:
        return ()
    grammar = grammar_of(case.dialect)
    machine = Machine(grammar.levels)
    found: list[WireFinding] = []
    last: int | None = None
    for event, (name, data) in enumerate(_events(case)):
        value, complaint = _value(data)
        steps: Iterable[Step] = grammar.read(name, value) if value is not None else ()
        if complaint == "[DONE]":
            steps, complaint = [("stream", None, "[DONE]")], ""
        complaints = [complaint] if complaint else [told for told in map(machine.take, steps) if told]
        if grammar.counts and value is not None and isinstance(count := value.get(grammar.counts), int):
            if last is not None and count != last + 1:
                complaints.append(f"{grammar.counts} is {count} after {last}")
            last = count
        found += [WireFinding(event, told) for told in complaints]
    found += [WireFinding(None, told) for told in machine.end()]
    return tuple(found[:AT_MOST])


def _events(case: Case) -> Iterator[tuple[str, bytes]]:
    """Name outside the JSON, and payload, of each frame."""
    framing = framing_of(case.dialect)
    for frame in FRAMINGS[framing][0]().feed(case.body):
        if framing == "eventstream":
            headers, payload, _ = frame
            names = (headers.get(key) for key in (":exception-type", ":event-type", ":message-type"))
            yield str(next(filter(None, names), "")), payload
        else:
            yield "", frame[0]


def _value(data: bytes) -> tuple[Any, str]:
    """The object in a frame, or None and what there is instead."""
    if data.strip() == b"[DONE]":
        return None, "[DONE]"
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None, "the payload is no JSON"
    return (value, "") if isinstance(value, dict) else (None, "the payload is no object")
