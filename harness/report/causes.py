"""The likely class of what makes a case fail: a few words that failures with one cause have in common."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.verdict import GREEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.verdict import CaseResult

NOT_CHUNKING = "wrong whatever the chunking"


def cause_of(case: CaseResult) -> str:
    """Empty for a case that counts as green, and for one that was not run.

    A minimal cut says most: it was found by running. Then what the difference itself suggests.
    """
    if case.verdict in GREEN or not case.differences:
        return ""
    minimal = next((one.minimal for one in case.differences if one.minimal is not None), None)
    if minimal is not None and minimal.cuts:
        kind = minimal.cuts[0].position
        return f"chunk ends {kind}" if not minimal.plan.startswith("cut@") else f"stream ends {kind}"
    first = case.differences[0]
    if first.expected is None and first.actual is None:
        return f"breaks {first.against}"
    return first.note.partition(":")[0] if first.note else NOT_CHUNKING


def causes(cases: Iterable[CaseResult]) -> list[tuple[str, int]]:
    """Every class of ``cases`` and how many it has, the most frequent first."""
    found = Counter(cause for case in cases if (cause := cause_of(case)))
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))
