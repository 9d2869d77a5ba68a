"""What the AWS SDK's events and the unified parts have in common, and that a difference shows."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from harness import native
from harness.against.references import _without_echoes
from harness.canonical import canonical
from harness.case import Case
from harness.references import REFERENCES, SSE, references_for
from streamcore import Decoder
from tests.streamcore import anthropic_wire as anthropic
from tests.streamcore import bedrock_wire as bedrock
from tests.streamcore.bedrock_models import CLAUDE, COMMAND, DEEPSEEK, LAST, LLAMA, MESSAGE, MISTRAL, NOVA, TITAN

Json = dict[str, Any]

CONVERSE: list[Json] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "so"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "S=="}}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "YQ=="}}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "Yg=="}}}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"text": "a"}}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"text": ""}}},
    {"contentBlockStop": {"contentBlockIndex": 2}},
    {"contentBlockDelta": {"contentBlockIndex": 3, "delta": {"citation": {"title": "t"}}}},
    {"contentBlockStop": {"contentBlockIndex": 3}},
    {"contentBlockStart": {"contentBlockIndex": 4, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 4, "delta": {"toolUse": {"input": '{"k"'}}}},
    {"contentBlockDelta": {"contentBlockIndex": 4, "delta": {"toolUse": {"input": ":1}"}}}},
    {"contentBlockStop": {"contentBlockIndex": 4}},
    {"contentBlockStart": {"contentBlockIndex": 5, "start": {"toolResult": {"toolUseId": "a"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 5, "delta": {"toolResult": [{"text": "r"}]}}},
    {"contentBlockStop": {"contentBlockIndex": 5}},
    {"contentBlockStart": {"contentBlockIndex": 6, "start": {"image": {"format": "png"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 6, "delta": {"image": {"source": {"bytes": "YWJj"}}}}},
    {"contentBlockStop": {"contentBlockIndex": 6}},
    {"contentBlockStart": {"contentBlockIndex": 7, "start": {"toolUse": {"toolUseId": "b", "name": "g"}}}},
    {"contentBlockStop": {"contentBlockIndex": 7}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}},
]
REDACTED = [
    MESSAGE[0], anthropic.start(0, "redacted_thinking", data="D=="), anthropic.stop(0), anthropic.call_start(1),
    anthropic.stop(1), anthropic.message_delta("tool_use"), {"type": "message_stop"},
]  # fmt: skip
BLOCKED = {"outputText": "no", "totalOutputTextTokenCount": 1, "amazon-bedrock-guardrailAction": "INTERVENED"}
ANSWERS = [{"index": 1, "text": "a", "is_finished": False}, {"index": 0, "text": "b", "is_finished": False}, COMMAND[2]]
MODELS: dict[str, list[Json]] = {
    "anthropic": MESSAGE,
    "redacted": REDACTED,
    "nova": [*NOVA, {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}, **LAST}],
    "titan": TITAN,
    "blocked": [BLOCKED],
    "llama": [LLAMA[0], {**LLAMA[1], **LAST}],
    "claude": CLAUDE,
    "command": ANSWERS,
    "mistral": MISTRAL,
    "deepseek": DEEPSEEK,
}


def parts_of(dialect: str, body: bytes) -> list[Json]:
    decoder = Decoder(dialect)
    return [part.as_json() for part in (*decoder.feed(body), *decoder.close())]


def body_of(events: list[Json]) -> bytes:
    return b"".join(bedrock.event_of(*event, **next(iter(event.values()))) for event in events)


def agree(reference: str, parts: list[Json], events: list[Json]) -> bool:
    # The projections may use what they are given up.
    end = {"end": "ok", "final": {"events": copy.deepcopy(events)}}
    expected, actual = native.project(reference, parts, end)
    return canonical(expected) == canonical(actual)


def test_a_converse_stream() -> None:
    assert agree("bedrock.sdk", parts_of(bedrock.CONVERSE, body_of(CONVERSE)), CONVERSE)


@pytest.mark.parametrize("at", [1, 2, 4, 7, 12, 13, 17, 20, 22, 24, 25])
def test_an_event_more_or_less_shows(at: int) -> None:
    parts = parts_of(bedrock.CONVERSE, body_of(CONVERSE[:at] + CONVERSE[at + 1 :]))

    assert not agree("bedrock.sdk", parts, CONVERSE)


@pytest.mark.parametrize("model", MODELS)
def test_events_of_a_model(model: str) -> None:
    events = MODELS[model]
    parts = parts_of(bedrock.INVOKE, b"".join(map(bedrock.chunk, events)))

    assert agree("bedrock.invoke.sdk", parts, events)
    assert not agree("bedrock.invoke.sdk", parts[:-1], events)


def test_a_stream_that_failed() -> None:
    end = {"end": "error", "error": {"kind": "provider", "stage": "stream"}}
    parts = parts_of(bedrock.CONVERSE, body_of(CONVERSE[:2]))

    assert native.project("bedrock.sdk", parts, end) == ({"failed": True}, {"failed": True})


@pytest.mark.parametrize(
    ("model", "kinds"), [("anthropic", ["trace", "final", "frames"]), ("nova", ["final", "frames"])]
)
def test_only_anthropic_models_have_a_unified_reference(model: str, kinds: list[str]) -> None:
    case = Case(f"{bedrock.INVOKE}/x", bedrock.INVOKE, b"".join(map(bedrock.chunk, MODELS[model])))

    assert [reference.kind for reference in references_for(case)] == kinds


def test_what_a_reference_makes_of_the_request_is_left_out() -> None:
    unified, *_ = REFERENCES[bedrock.CONVERSE]
    lines = ['["stream-start",{"warnings":[]}]', '["response-metadata",{"modelId":"m"}]', '{"end":"ok"}']

    assert _without_echoes(unified, lines) == [lines[0], lines[2]]
    assert _without_echoes(SSE, lines) == lines
