"""The proof that the proof has teeth: every mutant must be caught.

A mutant is a subject with one planted defect. It is run through the very same checks as the subject, case by case, until
one of them goes red. A mutant that no case catches makes the whole run red: either the cases lost what caught it, or the
harness did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.case import Case
from harness.chunking import parse_plan
from harness.divergence import Divergences
from harness.golden import GoldenError
from harness.mutants import MUTANTS, Mutant
from harness.references import references_for
from harness.runner import Check, GoldenSource, check_case
from harness.verdict import MutantResult, Verdict

PLANS = ("whole", "bytes", "every:7", "random:1", "random:2", "structural", "cut-at-every-byte")
"""Enough to catch each of them, and cheap on a subject without snapshots."""

BIGGEST_BODY = 20_000
"""Bytes; larger cases would cost much and catch nothing that a small one does not."""

BEYOND_MUTANTS = frozenset({"WH-089", "WH-093", "WH-094", "WH-096", "WH-099", "WH-106"})
"""Hazards that the simple assembler, in which defects of tool calls are planted, gets wrong without any: a mutant that
fell to one of these would prove nothing."""


def run_mutants(
    cases: Sequence[Case], goldens: Callable[[Case], GoldenSource], divergences: Divergences
) -> list[MutantResult]:
    """Each mutant against ``cases``, smallest first, until caught."""
    usable = [
        case
        for case in cases
        if len(case.body) <= BIGGEST_BODY and case.hazard not in BEYOND_MUTANTS and _has_goldens(case, goldens(case))
    ]
    ordered = sorted(usable, key=lambda case: len(case.body))
    return [_hunt(mutant, ordered, goldens, divergences) for mutant in MUTANTS.values()]


def _has_goldens(case: Case, goldens: GoldenSource) -> bool:
    """A case without a golden ends in an error whatever the subject does: it must not count as having caught one."""
    try:
        for reference in references_for(case):
            goldens.lines(case, reference.name)
    except GoldenError:
        return False
    return True


def _hunt(
    mutant: Mutant, cases: Sequence[Case], goldens: Callable[[Case], GoldenSource], divergences: Divergences
) -> MutantResult:
    # Plan by plan over all cases: most mutants fall to a whole body or to single bytes, which cost next to nothing.
    for stage in (PLANS[:4], PLANS[4:]):
        check = Check(f"mutant:{mutant.name}", tuple(parse_plan(name) for name in stage), divergences)
        for tried, case in enumerate(cases, 1):
            result = check_case(case, mutant, check, goldens(case))
            if result.verdict in (Verdict.FAIL, Verdict.ERROR):
                difference = result.differences[0] if result.differences else None
                return MutantResult(
                    name=mutant.name,
                    description=mutant.description,
                    caught=True,
                    case=case.id,
                    plan=difference.plan if difference else "whole",
                    difference=difference,
                    tried=tried,
                )
    return MutantResult(mutant.name, mutant.description, caught=False, tried=len(cases))
