"""What a stream tells otherwise than the whole answer to the same request: counts that are lost, arguments that run together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.mutants.base import ANTHROPIC_MESSAGES, OPENAI_CHAT, Mutant, reshaping

if TYPE_CHECKING:
    from harness.subjects import PartJson

_DIALECTS = (OPENAI_CHAT, "openai-responses", ANTHROPIC_MESSAGES, "gemini-generateContent", "bedrock-converse-stream")


class WithoutReasoningTokens:
    """Counts the tokens of the output, and not how many of them were reasoning."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The finish without that count."""
        given = (part.get("usage") or {}).get("outputTokens") or {}
        if not given.get("reasoning"):
            return [part]
        kept = {name: count for name, count in given.items() if name != "reasoning"}
        return [{**part, "usage": {**part["usage"], "outputTokens": kept}}]


class RunsTogether:
    """Keeps one object for the arguments of all calls, so that each call also has those of the calls before it."""

    def __init__(self) -> None:
        self._so_far: dict[str, object] = {}

    def part(self, part: PartJson) -> list[PartJson]:
        """The call with all arguments so far."""
        if part["type"] != "tool-call":
            return [part]
        try:
            arguments = json.loads(part["input"])
        except ValueError:
            return [part]
        if not isinstance(arguments, dict) or not self._so_far.keys() - arguments.keys():
            self._so_far.update(arguments if isinstance(arguments, dict) else {})
            return [part]
        self._so_far.update(arguments)
        return [{**part, "input": json.dumps(self._so_far, separators=(",", ":"))}]


MUTANTS = (
    Mutant(
        "reasoning-tokens-lost",
        "how many tokens of the output were reasoning is not told",
        "V28",
        reshaping(WithoutReasoningTokens, *_DIALECTS),
        shown="openai-chat/reasoning",
    ),
    Mutant(
        "calls-run-together",
        "the arguments of a call hold those of the calls before it as well",
        "V28",
        reshaping(RunsTogether, *_DIALECTS),
        shown="openai-chat/parallel-tools",
    ),
)
