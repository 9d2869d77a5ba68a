"""Row R6, V24: the totals of a message are the figures that its provider gave last. Nothing is summed over events.

A provider tells usage once at the end, or again and again as a running total, or its input first and its output later.
:data:`TOTALS` declares for each family of dialects where the figures are and which of them add up to a total *within* one
report; that reports are never added up is what is tested, on every cassette, beside a reader of its own for each framing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.case import Case
from harness.cassette import load
from streamcore import DIALECTS, Decoder

from .anthropic_wire import message_delta, message_start, sse
from .wire import DONE, event, finish, text

Report = dict[str, Any]
Totals = tuple[int, int]
"""Of input and output."""

REPORTS = {
    "usage": ("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens", "inputTokens", "outputTokens", "tokens"),
    "usageMetadata": ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"),
}
"""Key of a report -> a report has at least one of these."""
TOTALS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "openai": (("prompt_tokens",), ("completion_tokens",)),
    "xai-chat": (("prompt_tokens",), ("completion_tokens", "reasoning_tokens")),
    "responses": (("input_tokens",), ("output_tokens",)),
    "messages": (("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"), ("output_tokens",)),
    "gemini": (("promptTokenCount",), ("candidatesTokenCount", "thoughtsTokenCount")),
    "converse": (("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"), ("outputTokens",)),
    "cohere-v2": (("input_tokens",), ("output_tokens",)),
    "ollama-ndjson": (("prompt_eval_count",), ("eval_count",)),
}
"""Family -> the figures of one report that make the total of the input, and those that make that of the output."""


def family(dialect: str) -> str:
    if dialect in TOTALS:
        return dialect
    for word, name in (("responses", "responses"), ("anthropic", "messages"), ("gemini", "gemini"), ("converse", "converse")):
        if word in dialect:
            return name
    return "messages" if dialect == "bedrock-invoke-with-response-stream" else "openai"


# -- what the wire says ------------------------------------------------------------------------------------------------


def payloads(dialect: str, body: bytes) -> Iterator[Any]:
    """The JSON of a whole, sound body, by the simplest reader there is of its framing."""
    if dialect.startswith("bedrock"):
        while body:
            length, headers = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
            if not 16 <= length <= len(body):
                raise ValueError("no message")
            payload = json.loads(body[12 + headers : length - 4] or b"{}")
            yield json.loads(base64.b64decode(payload["bytes"])) if "bytes" in payload else payload
            body = body[length:]
    elif dialect.endswith("json-array"):
        yield from json.loads(body)
    elif dialect.endswith("ndjson"):
        yield from map(json.loads, body.splitlines())
    else:
        for line in body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
            data = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and data.startswith(b"{"):
                yield json.loads(data)


def reports(value: Any) -> Iterator[Report]:
    """Every report of usage in a payload, wherever it is."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict) and inner.keys() & set(REPORTS.get(key, ())):
                yield inner
            else:
                yield from reports(inner)


def expected(dialect: str, body: bytes) -> tuple[int | None, int | None]:
    """The totals of input and output after the last report; a figure that a report leaves out keeps its value."""
    last: Report = {}
    for payload in payloads(dialect, body):
        found = [payload] if dialect.endswith("ndjson") else list(reports(payload))
        for report in found:
            last |= {key: figure for key, figure in (report.get("tokens") or report).items() if figure is not None}
    details = last.get("completion_tokens_details") or {}
    last |= {key: details[key] for key in ("reasoning_tokens",) if details.get(key) is not None}
    sums = []
    for keys in TOTALS[family(dialect)]:
        figures = [last[key] for key in keys if key in last]
        sums.append(sum(figures) if figures else None)
    return sums[0], sums[1]


def told(case: Case) -> Totals | None:
    """The totals of the message, one for all of three chunkings; None where there is no whole message."""
    totals = set()
    for size in (len(case.body) or 1, 7, 256):
        decoder = Decoder(case.dialect)
        for at in range(0, len(case.body), size):
            decoder.feed(case.body[at : at + size])
        decoder.close()
        message = decoder.message
        usage = message.usage
        whole = message.complete and usage is not None
        totals.add((int(usage.input_total or 0), int(usage.output_total or 0)) if whole and usage else None)
    [only] = totals
    return only


CASSETTES = Path(__file__).parents[2] / "cassettes"
FEWEST = 230
"""Cassettes that have figures to compare."""


@cache
def compared(dialect: str) -> list[tuple[str, Totals, Totals]]:
    """Id of each cassette of a whole, sound stream with figures, what its message has, and what the wire has."""
    found = []
    for path in sorted((CASSETTES / dialect).glob("*.yaml")):
        for case in load(path).cases(str(path)):
            message = told(case)
            if message is None:
                continue
            try:
                wire = expected(case.dialect, case.body)
            except ValueError:  # an event that is no JSON, which the decoder has survived
                continue
            if wire != (None, None):
                found.append((case.id, message, (wire[0] or 0, wire[1] or 0)))
    return found


DIALECTS_OF_CASSETTES = sorted(path.name for path in CASSETTES.iterdir() if path.name in DIALECTS)


@pytest.mark.parametrize("dialect", DIALECTS_OF_CASSETTES)
def test_the_totals_are_those_of_the_last_report(dialect: str) -> None:
    found = compared(dialect)
    assert [(name, message) for name, message, _ in found] == [(name, wire) for name, _, wire in found]


def test_reports_are_never_added_up() -> None:
    """Output tokens stand in ``message_start`` too, and some servers count along with every chunk."""
    counts = {"input_tokens": 10, "output_tokens": 3}
    running = [message_delta(None, usage={"output_tokens": count}) for count in (4, 5)]
    messages = sse(message_start(usage=counts), *running, message_delta(usage={"output_tokens": 6}), {"type": "message_stop"})
    chunks = [event({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": count}}) for count in (1, 2, 6)]
    chat = b"".join([text("x"), *chunks[:2], finish("stop"), chunks[2], DONE])
    for dialect, body in (("anthropic-messages", messages), ("openai-chat", chat), ("openai-compatible", chat)):
        assert told(Case(f"{dialect}/running", dialect, body)) == expected(dialect, body) == (10, 6)


def test_every_family_has_cassettes_to_compare() -> None:
    assert {family(dialect) for dialect in DIALECTS_OF_CASSETTES} == set(TOTALS)
    assert sum(len(compared(dialect)) for dialect in DIALECTS_OF_CASSETTES) >= FEWEST
