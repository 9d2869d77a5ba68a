"""A subject under a plan, against itself fed byte by byte: the same bytes, cut otherwise, come to the same parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from harness.case import Case
from harness.chunking import Chunking, Plan, parse_plan
from harness.difference import first_difference
from harness.faults.judge import prove_faults
from harness.proof import Outcome, Walk, prove
from harness.rules import cut_is_legal
from harness.subjects import PartJson, Session
from harness.terms import Check, complaint, explained_difference
from harness.trace import trace_lines
from harness.verdict import Difference, PlanResult, Verdict


def check_plan(
    plan: Plan,
    case: Case,
    check: Check,
    open_session: Callable[[], Session],
    observed: tuple[list[PartJson], Walk],
    differences: list[Difference],
) -> PlanResult:
    """One plan, compared with the byte-by-byte walk of the same subject."""
    whole, walked = observed
    outcome: Outcome
    if plan.kind == "whole":
        outcome = Outcome(1, 0, 1, sampled=False)
        if whole != walked.parts:
            outcome = dataclasses.replace(outcome, broken=(next(plan.chunkings(case)), whole))
    elif plan.kind == "faults":
        outcome = prove_faults(plan, case, open_session, walked)
    else:
        outcome = prove(plan, case, open_session, walked, cut_is_legal)
    verdict = Verdict.PASS
    if outcome.broken is not None:
        verdict = Verdict.FAIL
        chunking, parts = outcome.broken
        name = chunking.name

        def wrong(parts: list[PartJson], chunking: Chunking) -> bool:
            return parts != right if chunking.end == len(case.body) else cut_is_legal(parts, walked.parts) is not None

        # Where the uncut body is known to be wrong, single bytes are what there is to go by.
        right = walked.parts if any(one.plan == "whole" for one in differences) else whole
        found: Difference | None
        if outcome.complaint and plan.is_proof:
            found = None
            rule, shown_by = ("fault", name) if plan.kind == "faults" else ("state", plan.name)
            differences.append(complaint(case, check, rule, shown_by, outcome.complaint))
        elif outcome.complaint:
            found = complaint(case, check, "cut-is-incomplete", name, outcome.complaint)
        else:
            found = first_difference(
                trace_lines(walked.parts, case.body),
                trace_lines(parts, case.body),
                against="bytes",
                plan=name,
                case=case,
                subject=check.subject_spec,
                options=check.options,
                emitted_at=walked.emitted_at(),  # type: ignore[arg-type]
                note="the same bytes, cut otherwise, gave other parts",
            )
        if found is None and not outcome.complaint:
            # The chunking alone would be green: its parts are right.
            name = plan.name if plan.is_proof else name
            differences.append(complaint(case, check, "state", name, "equal parts, but another state is left behind"))
        elif found is not None:
            start = chunking if parts != right else next(parse_plan("bytes").chunkings(case))
            differences.append(explained_difference(found, differences, case, check, open_session, wrong, start))
    return PlanResult(
        plan=plan.name,
        chunkings=outcome.chunkings,
        splits=outcome.splits,
        comparisons=outcome.comparisons,
        sampled=outcome.sampled,
        verdict=verdict,
        certificate=outcome.certificate,
        reason="" if outcome.chunkings else "needs snapshots" if outcome.sampled else "nothing to run for this body",
    )
