"""The first place at which two traces differ, told so that a person can find it."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Sequence
from typing import Any

from harness.canonical import canonical
from harness.case import Case
from harness.evidence import likely_cause, unheard_error
from harness.verdict import Difference

OWN_TRACES = ("bytes", "whole")
"""What ``against`` is when a subject is compared with itself: then the cause is how the bytes were cut."""


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
    evidence: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Difference | None:
    """None if the traces are equal.

    ``emitted_at`` says for each part, as far as known, after how many bytes and in which frame it came out; ``options``
    are the words of the command line that say where the case comes from. ``evidence`` is what tells of the cause, where
    the two traces hold more than that.
    """
    if list(expected) == list(actual):
        return None
    line, wanted, got = _first(expected, actual)
    column = _common_prefix(wanted or "", got or "")
    path, units = _locate(wanted, got)
    cause = "" if against in OWN_TRACES else _cause(evidence or (expected, actual), actual, case)
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
        note=note or _what_differs(wanted, got),
        reproduce=reproduce_command(case, subject, plan, options),
        cause=cause or ("" if against in OWN_TRACES else unheard_error(expected, actual)),
    )


def _first(expected: Sequence[str], actual: Sequence[str]) -> tuple[int, str | None, str | None]:
    """The first line that differs, and what it is on either side."""
    line = 0
    while line < min(len(expected), len(actual)) and expected[line] == actual[line]:
        line += 1
    return line, expected[line] if line < len(expected) else None, actual[line] if line < len(actual) else None


def _cause(evidence: tuple[Sequence[str], Sequence[str]], actual: Sequence[str], case: Case) -> str:
    """The likely cause of the difference between the two traces of ``evidence``; empty if they are equal, or do not tell."""
    line, wanted, got = _first(*evidence)
    if wanted == got:
        return ""
    failed = any(one.startswith('["error"') for one in actual)
    return likely_cause(*evidence, line, _locate(wanted, got)[0], case, failed=failed)


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


def _what_differs(expected: str | None, actual: str | None) -> str:
    """The two lines in words; empty where they are of one kind and the path says what differs."""
    if actual is None:
        return "output is missing from here on"
    if expected is None:
        return "output goes on where it should have ended"
    wanted, got = _called(json.loads(expected)), _called(json.loads(actual))
    return "" if wanted == got else f"{wanted} was expected, {got} came"


def _called(line: Any) -> str:
    """What a line of a trace is called."""
    if isinstance(line, list):
        return f"{'an' if str(line[0])[:1] in 'aeiou' else 'a'} {line[0]} part"
    if "end" not in line:
        return "a final message"
    kind = (line.get("error") or {}).get("kind")
    return f"the end with the error {kind}" if kind else "the end"
