"""Rules about a stream as a whole: the order of its parts, how it ends, and its numbers. See :mod:`harness.rules`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.grammar import OUTPUT, Machine, part_steps

if TYPE_CHECKING:
    from harness.subjects import PartJson

FINISH_REASONS = frozenset(("stop", "length", "content-filter", "tool-calls", "error", "other", "unknown"))
"""The unified reasons that the AI SDK's stream part knows, ``unknown`` among those of its version 5."""
_NOTHING = frozenset(("null", "None", "undefined"))
"""How absent ids and names are spelt by those who make strings of them."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One place at which a rule is broken."""

    rule: str
    requirement: str
    message: str
    index: int
    """0-based index of the part; the number of parts if it is the end that is wrong."""


def choice_of(part: PartJson) -> Any:
    """Which of several answers a part belongs to; 0 where it does not say."""
    return part.get("choice") or 0


def is_incomplete(part: PartJson) -> bool:
    """Whether it says that the stream was cut."""
    return part["type"] == "error" and part.get("kind") == "incomplete_stream"


def of_the_stream(parts: Sequence[PartJson], warnings: Sequence[str] | None) -> Iterator[Violation]:
    """What is wrong with the stream as a whole. ``warnings`` are the subject's, None for one that gives none."""
    yield from _order(parts)
    yield from _ends(parts)
    yield from _reasons(parts, warnings)
    yield from _absent(parts)
    yield from _numbers(parts)


def _order(parts: Sequence[PartJson]) -> Iterator[Violation]:
    """By the grammar of parts; what rules of their own tell better is left to them."""
    machine = Machine(OUTPUT)
    for index, part in enumerate(parts):
        for step in part_steps(part):
            complaint = machine.take(step)
            if complaint and step[0] == "call":
                yield Violation("call-order", "V12", complaint, index)
            elif complaint and index == 0:
                yield Violation("stream-start", "V14", f"the stream begins with a {part['type']} part", index)


def _ends(parts: Sequence[PartJson]) -> Iterator[Violation]:
    if not any(part["type"] in ("finish", "error", "frame") for part in parts):
        yield Violation("end-untold", "V18", "the stream ends with neither a finish nor an error", len(parts))


def _reasons(parts: Sequence[PartJson], warnings: Sequence[str] | None) -> Iterator[Violation]:
    failed = called = False
    for index, part in enumerate(parts):
        failed = failed or (part["type"] == "error" and part.get("kind") == "provider")
        called = called or part["type"] in ("tool-call", "error")
        if part["type"] != "finish":
            continue
        reason = part.get("finishReason")
        unified = reason.get("unified") if isinstance(reason, Mapping) else reason
        if unified not in FINISH_REASONS:
            yield Violation("finish-reason", "V16", f"{unified!r} is no unified finish reason", index)
        elif failed and unified == "stop":
            yield Violation("error-then-stop", "V19", "the provider reported an error, and the finish says stop", index)
        elif unified == "tool-calls" and not called and warnings is not None and not warnings:
            message = "the finish says tool-calls, there is no call, and no warning tells of it"
            yield Violation("finish-without-call", "V17", message, index)


def _absent(parts: Sequence[PartJson]) -> Iterator[Violation]:
    for index, part in enumerate(parts):
        if part["type"] in ("tool-call", "tool-input-start"):
            for key in ("id", "toolCallId", "toolName"):
                if part.get(key) in _NOTHING:
                    yield Violation("call-name", "V5", f"the {key} of a call is {part[key]!r}", index)


def _numbers(parts: Sequence[PartJson]) -> Iterator[Violation]:
    for index, part in enumerate(parts):
        if not all(map(_finite, part.values())):
            yield Violation("finite", "V26", f"a {part['type']} part holds a number that is none in JSON", index)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(_finite, value))
