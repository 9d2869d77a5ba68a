"""The likely cause of what makes a case fail: one sentence, the same wherever a difference is shown, and none without evidence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.references import EVENTSTREAM, SSE
from harness.verdict import GREEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.verdict import CaseResult, Difference

_FRAMES = {SSE.name, EVENTSTREAM.name}

UNKNOWN = "no single cause known"
"""What is said where the evidence leaves more than one: better than a guess that somebody follows for an hour."""


def cause_of(case: CaseResult) -> str:
    """The sentence for the case: its cause, and after a colon the details.

    Empty for a case that counts as green, and for one that was not run. That of the difference with the minimal cut counts
    first: it was found by running. Where the first difference tells of no cause, a rule that is broken too may; what other
    references say of the same parts is not asked.
    """
    if case.verdict in GREEN or not case.differences:
        return ""
    searched = [one for one in case.differences if one.minimal is not None][:1]
    # What is wrong with the frames makes everything wrong that is made of them.
    frames = [one for one in case.differences if one.against in _FRAMES]
    first = searched if any(one.minimal and one.minimal.cause for one in searched) else frames
    rules = [one for one in case.differences if one.expected is None and one.actual is None]
    told = (likely(one) for one in (*first, *searched, *case.differences[:1], *rules))
    return next((cause for cause in told if cause), UNKNOWN)


def likely(difference: Difference) -> str:
    """The sentence for one difference; empty if no cause is known.

    Where its minimal cut needs a boundary, only what the chunks tell counts: what came out of them is the consequence.
    """
    minimal = difference.minimal
    if minimal is not None and (minimal.cause or minimal.cuts) and not minimal.plan.startswith("cut@"):
        return minimal.cause
    if difference.cause or difference.expected is not None or difference.actual is not None:
        return difference.cause
    if difference.against == "no-exception":
        kind, _, said = difference.note.partition(": ")
        return f"raises {kind}: {said}" if said else f"raises {kind}"
    rule = f"breaks the rule {difference.against}"
    return f"{rule}: {difference.note}" if difference.note else rule


def causes(cases: Iterable[CaseResult]) -> list[tuple[str, int]]:
    """Every cause of ``cases`` without its details, and how many have it, the most frequent first."""
    found = Counter(cause.partition(": ")[0] for case in cases if (cause := cause_of(case)))
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))
