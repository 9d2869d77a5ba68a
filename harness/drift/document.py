"""What drift found out, for programs: ``schemas/drift.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema

from harness.drift import Answer, GoldenDrift, Inquiry, exit_code

if TYPE_CHECKING:
    from harness.drift.provider import ShapeDrift

VERSION = 1


def document(parties: Sequence[Inquiry]) -> dict[str, Any]:
    """The JSON object; checked against its schema."""
    found = {
        "v": VERSION,
        "moved": [party.party for party in parties if party.answer is Answer.MOVED],
        "exit_code": exit_code(parties),
        **{party.party: _party(party) for party in parties},
    }
    jsonschema.validate(found, schema())
    return found


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    text = resources.files("harness").joinpath("schemas/drift.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _party(party: Inquiry) -> dict[str, Any]:
    return {
        "answer": party.answer.value,
        "checked": party.checked,
        "compared": list(party.facts),
        "findings": [_finding(finding) for finding in party.findings],
        "unchecked": [asdict(one) for one in party.unchecked],
        "notes": list(party.notes),
        "versions": [{"package": name, "from": before, "to": now} for name, before, now in party.versions],
        "hint": party.hint,
    }


def _finding(finding: ShapeDrift | GoldenDrift) -> dict[str, Any]:
    if not isinstance(finding, GoldenDrift):
        return {**asdict(finding), "known": list(finding.known), "places": [asdict(place) for place in finding.places]}
    difference = finding.difference
    return {
        "case": finding.case,
        "reference": finding.reference,
        "package": finding.package,
        "reason": finding.reason or (difference.note if difference else ""),
        "line": difference.line if difference else None,
        "path": difference.path if difference else "",
        "golden": difference.expected if difference else None,
        "now": difference.actual if difference else None,
    }
