"""The steps from two traces to a cause, in order: final messages, frames, errors, values, calls, parts, ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.case import Case
from harness.evidence.calls import of_calls, of_name
from harness.evidence.errors import of_errors, of_unheard
from harness.evidence.frames import of_frames
from harness.evidence.kinds import Cause, told
from harness.evidence.parts import of_nothing, of_parts
from harness.evidence.traces import Told
from harness.evidence.values import of_arguments, of_characters, of_text, quoted

_TEXTS = ("content", "text", "reasoning", "thinking", "refusal")
"""What the texts of a final message are called."""


def likely_cause(
    expected: Sequence[str], actual: Sequence[str], line: int, path: str, case: Case, *, failed: bool = False
) -> str:
    """One sentence, the cause before its details; empty if the evidence leaves more than one.

    Args:
        expected: a trace, or the one line of a final message.
        actual: the subject's.
        line: 0-based index of the first line that differs.
        path: JSON path of the first value that differs within it, as :class:`harness.verdict.Difference` has it.
        case: the body, and how its recording ended.
        failed: the subject reports an error on the way, which ``actual`` may lack: one that a divergence is about.
    """
    try:
        return _steps(expected, actual, line, path, case, failed=failed)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        # The parts of a foreign subject may have any shape, and what has not the shape of a part tells nothing.
        return ""


def _steps(
    expected: Sequence[str], actual: Sequence[str], line: int, path: str, case: Case, *, failed: bool
) -> str:
    wanted, got = (json.loads(lines[line]) if line < len(lines) else None for lines in (expected, actual))
    if path.startswith("final"):
        return _of_final(wanted, got, path)
    theirs, ours = Told(expected), Told(actual)
    if "frame" in {kind for kind, _ in (*theirs.parts, *ours.parts)}:
        return of_frames(theirs, ours, case)
    return (
        of_errors(theirs, ours, wanted, got, case)
        or ("" if failed else of_nothing(theirs, ours, case))
        or _of_metadata(wanted, got, path, same=theirs.counted == ours.counted)
        or _of_whole_text(theirs, ours)
        or of_calls(theirs, ours)
        or _of_strings(theirs, ours, line, wanted, got, path)
        or of_parts(theirs, ours, wanted, got, case)
    )


def unheard_error(expected: Sequence[str], actual: Sequence[str]) -> str:
    """The sentence about an error of the provider that the subject does not report; empty if there is none."""
    if not all(lines and lines[-1].startswith('{"end"') for lines in (expected, actual)):
        return ""
    try:
        return of_unheard(Told(expected), Told(actual))
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""  # as above


def _of_final(wanted: Any, got: Any, path: str) -> str:
    """Two final messages."""
    if isinstance(wanted, dict) and isinstance(got, dict) and wanted.get("failed") != got.get("failed"):
        return told(Cause.CUT_IS_WHOLE if wanted.get("failed") is True else Cause.FAILED)
    choices = [len(message.get("choices", ())) for message in (wanted, got)]
    if choices[0] > choices[1] > 0:
        return told(Cause.CHOICES, f"{choices[0]} became {choices[1]}")
    one, other = _at(wanted, path), _at(got, path)
    if path.endswith(".arguments"):
        if isinstance(other, str) and not isinstance(one, str):
            return told(Cause.ARGUMENTS_AS_TEXT, quoted(other))
        return of_arguments(one, other) if isinstance(one, str) and isinstance(other, str) else ""
    if ".usage" in path:
        return told(Cause.TOKENS, path.rpartition(".")[2])
    name = path.rpartition(".")[2]
    if isinstance(one, str) and isinstance(other, str):
        if one and not other:
            return told(Cause.FIELD_MISSING, name)
        return of_text(one, other, "") if name in _TEXTS else of_characters(one, other)
    if "tool_calls" in path and other is None and one is not None:
        return told(Cause.CALL_MISSING, quoted(json.dumps(one)))
    return ""


def _at(value: Any, path: str) -> Any:
    """The value at a path such as ``final.choices[0].refusal``; None if there is none."""
    for step in path.replace("[", ".[").split(".")[1:]:
        try:
            value = value[int(step[1:-1])] if step.startswith("[") else value[step]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return value


def _of_metadata(wanted: Any, got: Any, path: str, *, same: bool) -> str:
    """What stands beside the answer: counts, the reason of its end, what only this provider tells."""
    kind = path.partition(".")[0]
    if kind == "response-metadata" and same:
        return told(Cause.RESPONSE, path.partition(".")[2])
    if kind == "finish" and ".finishReason" in path:
        reasons = [line[1].get("finishReason") or {} for line in (wanted, got)]
        name = "raw" if reasons[0].get("raw") != reasons[1].get("raw") else "unified"
        one, other = (reason.get(name) or reason.get("unified") for reason in reasons)
        return told(Cause.FINISH_REASON, f"{one} became {other}")
    if kind == "finish" and (".usage" in path or "okens" in path):
        none = not any(got[1].get("usage", {}).get(name) for name in ("inputTokens", "outputTokens"))
        return told(Cause.TOKENS_MISSING) if none else told(Cause.TOKENS, path.partition(".")[2])
    if ".providerMetadata" in path and _at(wanted[1], path) is not None and _at(got[1], path) is None:
        names = [name for one in _at(wanted[1], f"{kind}.providerMetadata").values() for name in one]
        return told(Cause.METADATA, ", ".join(names[:3]))
    if path == "tool-call.invalid" and got[1].get("invalid"):
        return told(Cause.CALL_INVALID, quoted(got[1]["input"]) if got[1].get("input") else "")
    if path.endswith(".toolName"):
        return of_name(wanted[1]["toolName"], got[1]["toolName"])
    return ""


def _of_whole_text(theirs: Told, ours: Told) -> str:
    """All text and all reasoning taken together."""
    for kind in ("text", "reasoning"):
        one, other = theirs.text(kind), ours.text(kind)
        pieces = [[part for what, part in trace.parts if what == f"{kind}-delta"] for trace in (theirs, ours)]
        torn = (theirs.counted - ours.counted) and (ours.counted - theirs.counted)
        if one and one == other and torn and len(pieces[0]) != len(pieces[1]):
            return told(Cause.RECUT, f"{len(pieces[0])} became {len(pieces[1])}")
    reasoning = theirs.text("reasoning")
    if reasoning and not ours.text("reasoning") and reasoning in ours.text("text"):
        return told(Cause.REASONING_AS_TEXT, quoted(reasoning))
    return ""


def _of_strings(theirs: Told, ours: Told, line: int, wanted: Any, got: Any, path: str) -> str:
    """The same part with another string in it."""
    if not (isinstance(wanted, list) and isinstance(got, list) and wanted[0] == got[0]):
        return ""
    one, other = _at(wanted[1], path), _at(got[1], path)
    if not (isinstance(one, str) and isinstance(other, str)) or path.endswith((".id", ".toolCallId")):
        return ""
    if path in ("tool-call.input", "tool-input-delta.delta"):
        mine = wanted[1].get("toolCallId", wanted[1].get("id"))
        return of_arguments(one, other, [call.arguments for call in theirs.calls if call.id != mine])
    if path in ("text-delta.delta", "reasoning-delta.delta"):
        if not ours.counted - theirs.counted:
            return ""  # it is not another piece: one is missing
        before = Told(theirs.lines[:line]).text(wanted[0].removesuffix("-delta"), wanted[1].get("id"))
        return of_text(one, other, before)
    return of_characters(one, other)
