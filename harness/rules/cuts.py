"""What a stream that was cut may come to, given what the whole one comes to: the rule of ``cut-at-every-byte`` (V13, V18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.rules.stream import choice_of, is_incomplete

if TYPE_CHECKING:
    from harness.subjects import PartJson

_ENDINGS = frozenset(("text-end", "reasoning-end", "tool-input-end", "tool-call", "finish"))


def cut_is_legal(cut_parts: Sequence[PartJson], whole_parts: Sequence[PartJson]) -> str | None:
    """What is wrong with the parts of a body that was cut, given those of the whole body; None if they are legal.

    Legal are a prefix of the whole's parts and then

    * an ``incomplete_stream`` error of stage ``close``, the last part; or
    * nothing, if that prefix is everything or ends with the ``finish``, or a ``finish`` with the whole's finish reason:
      the stream had ended before the cut (what was cut off, such as the usage, may be missing from it); or
    * whatever ends a stream after the provider's own error, which explains why there is no more; or
    * a lone error of stage ``open`` or ``close`` where the whole is no stream of events either.
    """
    if _same(cut_parts, whole_parts):
        return None
    common = _common_prefix(cut_parts, whole_parts)
    rest = cut_parts[common:]
    if not rest:
        ended = _explained(cut_parts) or (bool(cut_parts) and cut_parts[-1]["type"] == "finish")
        return None if ended else "the body was cut and the parts just stop: no incomplete_stream error, no finish"
    if rest[0]["type"] == "stream-start" and common == 0:
        # The whole failed as a request; its beginning, without the error, is a stream that was opened.
        rest = rest[1:]
        if rest and rest[0]["type"] == "response-metadata" and _never_opened(whole_parts):
            rest = rest[1:]
    if len(rest) == 1 and is_incomplete(rest[0]):
        stage = rest[0].get("stage")
        return None if stage == "close" else f"the incomplete_stream error has stage {stage!r}, not 'close'"
    if _explained(cut_parts[:common]) and all(part["type"] in _ENDINGS for part in rest):
        return None
    if len(rest) == 1 and rest[0]["type"] == "error" and _never_opened(whole_parts):
        return None
    if len(rest) == 1 and rest[0]["type"] == "finish":
        return _finish_is_legal(rest[0], whole_parts, common)
    return f"the body was cut and a {rest[0]['type']} part came that the whole body does not have there"


def _same(left: Sequence[PartJson], right: Sequence[PartJson]) -> bool:
    return len(left) == len(right) == _common_prefix(left, right)


def _common_prefix(left: Sequence[PartJson], right: Sequence[PartJson]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one is not other and one != other and not _same_error(one, other):
            break
        count += 1
    return count


def _same_error(one: PartJson, other: PartJson) -> bool:
    """Whether only offsets differ: that of an event without its blank line is the end of the body."""
    return one["type"] == other["type"] == "error" and {**one, "offset": 0} == {**other, "offset": 0}


def _explained(parts: Sequence[PartJson]) -> bool:
    return any(part["type"] == "error" and part.get("kind") == "provider" for part in parts)


def _never_opened(whole_parts: Sequence[PartJson]) -> bool:
    return len(whole_parts) == 1 and whole_parts[0]["type"] == "error" and whole_parts[0].get("stage") == "open"


def _finish_is_legal(finish: PartJson, whole_parts: Sequence[PartJson], at: int) -> str | None:
    """``finish`` stands where the whole has part ``at``: that must be its finish too, or there was more to come."""
    choice = choice_of(finish)
    reason = next(
        (part.get("finishReason") for part in whole_parts if part["type"] == "finish" and choice_of(part) == choice),
        None,
    )
    if reason is None:
        return "the body was cut and finishes, although the whole body does not"
    if finish.get("finishReason") != reason:
        return f"the body was cut and finishes with {finish.get('finishReason')}, the whole body with {reason}"
    if at >= len(whole_parts) or whole_parts[at]["type"] != "finish" or choice_of(whole_parts[at]) != choice:
        return "the body was cut and finishes before everything that the whole body says is out"
    return None
