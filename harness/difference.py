"""The first place at which two traces differ, told so that a person can find it."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Sequence
from typing import Any

from harness.canonical import canonical
from harness.case import Case
from harness.verdict import Difference


def first_difference(
    expected: Sequence[str],
    actual: Sequence[str],
    *,
    against: str,
    plan: str,
    case: Case,
    subject: str,
    emitted_at: Sequence[tuple[int, int]] = (),
    note: str = "",
    options: Sequence[str] = (),
) -> Difference | None:
    """None if the traces are equal.

    ``emitted_at`` says for each part, as far as known, after how many bytes and in which frame it came out; ``options``
    are the words of the command line that say where the case comes from.
    """
    if list(expected) == list(actual):
        return None
    line = 0
    while line < min(len(expected), len(actual)) and expected[line] == actual[line]:
        line += 1
    wanted = expected[line] if line < len(expected) else None
    got = actual[line] if line < len(actual) else None
    column = _common_prefix(wanted or "", got or "")
    path, units = _locate(wanted, got)
    byte_offset, event = emitted_at[line] if line < len(emitted_at) else (None, None)
    return Difference(
        against=against,
        plan=plan,
        line=line,
        expected=wanted,
        actual=got,
        column=column,
        utf16_offset=units,
        path=path,
        byte_offset=byte_offset,
        event=event,
        note=note or _lost_call(expected, actual, wanted, got) or _guess(wanted, got),
        reproduce=reproduce_command(case, subject, plan, options),
    )


def rule_broken(
    case: Case, rule: str, plan: str, message: str, *, subject: str, options: Sequence[str] = ()
) -> Difference:
    """A broken rule as a difference: there are no two lines to hold against each other."""
    return Difference(
        against=rule,
        plan=plan,
        line=0,
        expected=None,
        actual=None,
        column=0,
        utf16_offset=None,
        path="",
        byte_offset=None,
        event=None,
        note=message,
        reproduce=reproduce_command(case, subject, plan, options),
    )


def value_broken(broken: Difference, path: str, expected: str | None, actual: str | None) -> Difference:
    """A broken rule that two values break: the one at ``path`` that was expected, and what stands there, as text."""
    column = _common_prefix(expected or "", actual or "")
    return dataclasses.replace(broken, expected=expected, actual=actual, column=column, path=path)


def reproduce_command(case: Case, subject: str, plan: str, options: Sequence[str] = ()) -> str:
    """The one command that shows the difference again.

    A run without a single boundary proves nothing, and is never green: beside a chunking that has none, ``bytes`` is run
    too, so that the command turns green once the difference is gone.
    """
    if plan == "whole" or plan.startswith(("cut@", "cut-", "faults:")):
        plan = f"{plan},bytes"
    words = ["streamparity", "check", *options, "--case", case.id, "--plan", plan]
    if subject != "streamcore":
        words += ["--subject", subject]
    return shlex.join(words)


def _common_prefix(left: str, right: str) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def utf16_length(text: str) -> int:
    """UTF-16 code units of ``text``."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _locate(expected: str | None, actual: str | None) -> tuple[str, int | None]:
    """JSON path of the first differing value, and the UTF-16 offset within it if both are strings."""
    if expected is None or actual is None:
        only = json.loads(expected or actual or "null")
        return (only[0] if isinstance(only, list) else "end"), None
    left, right = json.loads(expected), json.loads(actual)
    if isinstance(left, list) and isinstance(right, list) and left[0] == right[0]:
        return _walk(left[1], right[1], str(left[0]))
    if isinstance(left, dict) and isinstance(right, dict):
        return _walk(left, right, "end" if "end" in left else "final")
    return "type", None


def _walk(left: Any, right: Any, path: str) -> tuple[str, int | None]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}):
            if key not in left or key not in right:
                return f"{path}.{key}", None
            if _differ(left[key], right[key]):
                return _walk(left[key], right[key], f"{path}.{key}")
    elif isinstance(left, list) and isinstance(right, list):
        for index, (one, other) in enumerate(zip(left, right, strict=False)):
            if _differ(one, other):
                return _walk(one, other, f"{path}[{index}]")
        return f"{path}[{min(len(left), len(right))}]", None
    elif isinstance(left, str) and isinstance(right, str):
        return path, utf16_length(left[: _common_prefix(left, right)])
    return path, None


def _differ(one: Any, other: Any) -> bool:
    """As JSON: to Python, 1 and true are equal."""
    return canonical(one) != canonical(other)


def _guess(expected: str | None, actual: str | None) -> str:
    """A guess at the class of the cause."""
    if actual is not None and "\\ufffd" in actual and (expected is None or "\\ufffd" not in expected):
        return "U+FFFD was made: bytes of one character were decoded apart"
    if actual is None:
        return "output is missing from here on"
    if expected is None:
        return "output goes on where it should have ended"
    wanted, got = json.loads(expected), json.loads(actual)
    if isinstance(wanted, list) and isinstance(got, dict) and (got.get("error") or {}).get("kind") == "incomplete_stream":
        return "the stream was taken for one that was cut: the mark of its end was not seen"
    if isinstance(wanted, list) and isinstance(got, list):
        if wanted[0] != got[0]:
            return f"a {wanted[0]} part was expected, a {got[0]} part came"
        if wanted[1].get("id") != got[1].get("id"):
            return "the part belongs to another block or call"
    return ""


def _lost_call(expected: Sequence[str], actual: Sequence[str], wanted: str | None, got: str | None) -> str:
    """Which tool call never begins, and where its arguments went instead; empty if that is not what is wrong here."""
    if not any(line is not None and line.startswith('["tool-') for line in (wanted, got)):
        return ""
    theirs, ours = _arguments(expected), _arguments(actual)
    for call, text in theirs.items():
        if call in ours:
            continue
        other = next((one for one, said in ours.items() if text and text in said and text not in theirs.get(one, "")), None)
        where = f", and its arguments went to {other}: two calls became one" if other is not None else ""
        return f"a tool call never begins: {call}{where}"
    return ""


def _arguments(lines: Sequence[str]) -> dict[str, str]:
    """Id -> arguments of every call that begins."""
    calls: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith('["tool-input-'):
            continue
        kind, part = json.loads(line)
        if kind == "tool-input-start":
            calls.setdefault(part.get("id", ""), [])
        elif kind == "tool-input-delta":
            calls.setdefault(part.get("id", ""), []).append(part.get("delta", ""))
    return {call: "".join(pieces) for call, pieces in calls.items()}
