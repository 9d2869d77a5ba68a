"""What the page shows of a case on request: the data that its script puts in as text."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.report import strips
from harness.report.causes import cause_of
from harness.report.certificates import statements
from harness.report.matrix import Row, family
from harness.verdict import GREEN, CallCheck, CaseResult, RunResult
from harness.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_CHUNKS = 200
"""Recorded chunk lengths shown for one case."""
MAX_CALLS = 20
"""Tool calls shown of one case."""
MAX_TEXT = 2000
"""Characters of any one reason, note or description."""
SHARED = ("facts", "origin", "references", "plans")
"""Lists of what is often the same for many cases."""
MAX_REDACTIONS = 20
"""Redactions listed for one case."""


def details(row: Row, run: RunResult) -> dict[str, Any]:
    """All of it but the strip is safe to show already; the strip is made visible character by character."""
    case = row.case
    facts = [
        ["body", f"{case.body_bytes:,} bytes"],
        ["hazard", case.hazard],
        ["subject", case.subject],
        ["likely cause", cause_of(case)],
        ["reason", clip(case.reason)],
        ["says", clip(case.text)],
        ["warnings", ", ".join(f"{code} \u00d7{count}" for code, count in row.warnings)],
        ["proven", statements(case)],
        ["chunks", _chunks(case.chunks)],
        *(["call", clip(_call(one))] for one in case.calls[:MAX_CALLS]),
        ["arguments", _traced(case)],
    ]
    shown = {
        "case": case.case,
        "drawn": case.lanes is not None,
        "facts": [fact for fact in facts if fact[1]],
        "origin": [fact for fact in provenance(case) if fact[1]],
        "references": [
            [one.reference, one.verdict.value, one.lines, ", ".join(one.divergences), clip(one.reason)]
            for one in case.references
        ],
        "plans": _plans(case),
        "missing": strips.missing(case),
        "command": list(strips.command(case, run)),
    }
    found: dict[str, Any] = _all_visible(shown)
    if heat := strips.heat(case):
        found["heat"] = {**heat, **{kind: _steps(heat[kind]) for kind in strips.KINDS}}
    if view := strips.view(case):
        found["view"] = view
    return found


def share(cases: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Any]]:
    """``cases``, where what several say alike is its place in the list that is returned beside them."""
    keys = [{name: [json.dumps(item) for item in case[name]] for name in SHARED} for case in cases]
    counts = Counter(key for each in keys for name in SHARED for key in each[name])
    places = {key: place for place, key in enumerate(key for key, number in counts.items() if number > 1)}
    told = [
        {**case, **{name: [places.get(key, item) for key, item in zip(each[name], case[name], strict=True)] for name in SHARED}}
        for case, each in zip(cases, keys, strict=True)
    ]
    return told, [json.loads(key) for key in places]


def _steps(ranges: Iterable[Sequence[int]]) -> list[int]:
    """``ranges`` as the bytes between each and the one before it, and its own, in turn."""
    steps, last = [], 0
    for start, end in ranges:
        steps += [start - last, end - start]
        last = end
    return steps


def provenance(case: CaseResult) -> list[list[Any]]:
    """Where a recording came from, as pairs of a name and a text, or a list of texts; nothing for what is not known."""
    origin = case.origin
    facts: list[list[Any]] = [["provenance", case.provenance]]
    if origin is not None:
        redactions = [clip(told, 200) for told in origin.redactions[:MAX_REDACTIONS]]
        if len(origin.redactions) > MAX_REDACTIONS:
            redactions.append(f"{len(origin.redactions) - MAX_REDACTIONS:,} more in the cassette")
        facts += [
            ["recorded", origin.at],
            ["by", origin.by],
            ["provider", origin.provider],
            ["model", origin.model],
            ["redactions", redactions or "none was needed"],
        ]
    return [*facts, ["sha256", case.sha256], ["source", case.source]]


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """``text``, or its beginning and how much is left out."""
    return text if len(text) <= limit else f"{text[:limit]} \u2026 {len(text) - limit:,} more characters"


def _plans(case: CaseResult) -> list[list[Any]]:
    """Name, chunkings, splits, comparisons, sampled: green plans that differ in a number only are one line."""
    plans: dict[str, list[int]] = {}
    for plan in case.plans:
        numbers = plans.setdefault(family(plan.plan) if plan.verdict in GREEN else plan.plan, [0, 0, 0, 0])
        for index, number in enumerate((plan.chunkings, plan.splits, plan.comparisons, int(plan.sampled))):
            numbers[index] += number
    return [[name, *numbers] for name, numbers in plans.items()]


def _traced(case: CaseResult) -> str:
    if not case.argument_chars:
        return ""
    return f"{case.argument_chars:,} characters, {case.located_chars:,} of them traced to their bytes"


def _call(one: CallCheck) -> str:
    return " ".join(filter(None, (f"{one.tool}:", one.verdict.value, one.path, one.detail)))


def _all_visible(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_visible(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_all_visible(member) for member in value]
    return visible(value) if isinstance(value, str) else value


def _chunks(lengths: Sequence[int]) -> str:
    if not lengths:
        return ""
    more = f" \u2026 {len(lengths) - MAX_CHUNKS:,} more" if len(lengths) > MAX_CHUNKS else ""
    return f"{len(lengths):,} as recorded: {' '.join(map(str, lengths[:MAX_CHUNKS]))}{more} bytes"
