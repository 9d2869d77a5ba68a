"""Which TypeScript SDK is the reference for which dialect."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from streamcore.framing.sse import SseFramer

if TYPE_CHECKING:
    from harness.case import Case


@dataclass(frozen=True, slots=True)
class Reference:
    """A subject whose output is taken as the golden.

    ``trace`` references give parts, compared byte for byte; ``final`` ones a final message, compared on what it has in
    common with ours; ``frames`` ones the framing alone.
    """

    name: str
    kind: Literal["trace", "final", "frames"]
    package: str


SSE = Reference("sse", "frames", "eventsource-parser")

REFERENCES: dict[str, tuple[Reference, ...]] = {
    "openai-chat": (
        Reference("ai.openai.chat", "trace", "@ai-sdk/openai"),
        Reference("openai.chat", "final", "openai"),
        SSE,
    ),
    "anthropic-messages": (
        Reference("ai.anthropic", "trace", "@ai-sdk/anthropic"),
        Reference("anthropic", "final", "@anthropic-ai/sdk"),
        SSE,
    ),
}
"""Dialect -> its references, the unified one first."""


def references_for(case: Case) -> tuple[Reference, ...]:
    """The references that ``case`` is compared with.

    The AI SDK mixes all choices of an OpenAI response into one, so a body with more than one choice is compared with
    the native SDK alone.
    """
    references = REFERENCES.get(case.dialect, ())
    if case.dialect == "openai-chat" and has_several_choices(case.body):
        return tuple(reference for reference in references if reference.kind != "trace")
    return references


def has_several_choices(body: bytes) -> bool:
    """Whether any chunk of an OpenAI chat body speaks of a choice after the first (``index`` > 0)."""
    for data, *_ in SseFramer().feed(body):
        if b'"choices"' not in data:
            continue
        try:
            indices = [choice.get("index") for choice in json.loads(data)["choices"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # whatever this is, it is the dialect's to complain about
        if any(isinstance(index, int) and index > 0 for index in indices):
            return True
    return False
