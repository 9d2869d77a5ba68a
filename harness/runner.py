"""Cases x plans x a subject, compared with goldens: the run behind ``streamparity check``."""

from __future__ import annotations

import dataclasses
import gc
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from harness.against.bytes import check_plan
from harness.against.references import against_references
from harness.against.twin import against_twin
from harness.case import Case
from harness.chunking import Chunking, Plan, cuts_chunking, parse_plan
from harness.golden import GoldenMissing
from harness.grammar.wire import wire_findings
from harness.lanes import lanes_of
from harness.ledger import ledger_of
from harness.minimal import raised_by
from harness.pool import processes
from harness.proof import walk
from harness.references import WITHOUT_DIALECT
from harness.rules import violations
from harness.strip import strip_of
from harness.subjects import NotClaimed, PartJson, Subject
from harness.subjects.misfits import misfit
from harness.terms import Check, GoldenSource, complaint, explained_difference
from harness.tool_schemas import check_calls
from harness.verdict import CaseResult, Difference, Verdict, worst_of

__all__ = ["Check", "GoldenSource", "check_case", "check_cases", "check_plan", "plans_from"]


def check_case(
    case: Case,
    subject: Subject,
    check: Check,
    goldens: GoldenSource,
    on_error: Callable[[BaseException], None] = lambda _: None,
) -> CaseResult:
    """One case under every plan and against every reference. ``on_error`` is told what the subject raises."""
    return guarded(case, subject, check, partial(_checked, case, subject, check, goldens), on_error)


def guarded(
    case: Case,
    subject: Subject,
    check: Check,
    run: Callable[[CaseResult], CaseResult],
    on_error: Callable[[BaseException], None] = lambda _: None,
) -> CaseResult:
    """What ``run`` makes of a result that says nothing yet. That the subject claims nothing, or breaks, is a result too."""
    result = CaseResult(
        case=case.id,
        dialect=case.dialect,
        subject=subject.name,
        verdict=Verdict.NOT_CLAIMED,
        body_bytes=len(case.body),
        sha256=case.sha256,
        provenance=case.provenance,
        source=case.source,
        parts=0,
        frames=0,
        chunks=case.chunks,
        hazard=case.hazard,
        origin=case.origin,
    )
    try:
        if subject.claims(case.dialect):
            return run(result)
        reason = WITHOUT_DIALECT.get(case.dialect) or f"{subject.name} does not claim {case.dialect}"
        return dataclasses.replace(result, reason=reason)
    except NotClaimed as refusal:
        return dataclasses.replace(result, reason=str(refusal))
    except GoldenMissing as missing:
        return dataclasses.replace(result, verdict=Verdict.ERROR, reason=str(missing))
    except (SystemExit, GeneratorExit) as error:  # the first would end this process, with whatever exit code it likes
        on_error(error)
        return dataclasses.replace(result, verdict=Verdict.ERROR, reason=f"the subject ends the process: {raised(error)}")
    except Exception as error:  # noqa: BLE001 - a subject may raise anything: that is a finding, not our end
        on_error(error)
        reason = misfit(subject, case) or raised(error)
        if not check.minimal:
            return dataclasses.replace(result, verdict=Verdict.ERROR, reason=reason)
        chunkings = (chunking for plan in check.plans if not plan.is_proof for chunking in plan.chunkings(case))
        found = raised_by(
            case, partial(subject.open, case), chunkings, subject=check.subject_spec, options=check.options
        )
        differences = [complaint(case, check, "no-exception", found.plan, reason)] if found else []
        explained_ones = tuple(dataclasses.replace(one, minimal=found) for one in differences)
        return dataclasses.replace(result, verdict=Verdict.ERROR, reason=reason, differences=explained_ones)


def raised(error: BaseException) -> str:
    """An exception in one line, with the place where it was raised."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    told = " ".join(str(error).split())
    return f"{type(error).__name__}: {told} ({_importable(where.filename)}:{where.lineno})"


def _importable(filename: str) -> str:
    """``filename`` from the folder on that Python found it in: the same on every machine that has it installed."""
    path = Path(filename)
    folders = [Path(folder or ".").resolve() for folder in ("", str(Path(__file__).parents[1]), *sys.path)]
    inside = [path.relative_to(folder).as_posix() for folder in folders if path.is_relative_to(folder)]
    return min(inside, key=len, default=filename)


def _checked(case: Case, subject: Subject, check: Check, goldens: GoldenSource, blank: CaseResult) -> CaseResult:
    open_session = partial(subject.open, case)
    session = open_session()
    whole = session.feed(case.body) + session.close()
    warnings = tuple(getattr(session, "warnings", ()))
    frames = int(getattr(session, "frames", 0))
    walked = walk(open_session(), case.body)
    differences: list[Difference] = []
    references = against_references(case, subject, check, goldens, (whole, walked), differences)
    given = warnings if hasattr(session, "warnings") else None
    broken = partial(violations, end=case.end, body=case.body, dialect=case.dialect, warnings=given)
    uncut = cuts_chunking((), len(case.body))
    for violation in broken(whole):

        def breaks(parts: list[PartJson], _: Chunking, rule: str = violation.rule) -> bool:
            return any(rule == other.rule for other in broken(parts))

        found = complaint(case, check, violation.rule, "whole", violation.message)
        differences.append(explained_difference(found, differences, case, check, open_session, breaks, uncut))
    pair = against_twin(case, check, open_session, whole, differences)
    # Another subject may hand out arguments later than with the frame that brought them, which is no mistake.
    account = ledger_of(case, walked) if subject.name == "streamcore" and not case.shrunk_from else None
    inexact = account.fault() if account else None
    if inexact is not None:
        differences.append(complaint(case, check, "argument-ledger", "bytes", inexact.message))
    plans = [check_plan(plan, case, check, open_session, (whole, walked), differences) for plan in check.plans]
    verdicts = [*(one.verdict for one in references), *(one.verdict for one in plans)]
    if differences:
        verdicts.append(Verdict.FAIL)
    return dataclasses.replace(
        blank,
        verdict=worst_of(verdicts),
        parts=len(whole),
        frames=frames,
        references=tuple(references),
        plans=tuple(plans),
        differences=tuple(differences),
        warnings=warnings,
        text="".join(part["delta"] for part in whole if part["type"] == "text-delta")[:200],
        calls=check_calls(case, whole),
        argument_chars=account.characters if account else 0,
        located_chars=account.located if account else 0,
        wire=wire_findings(case),
        lanes=lanes_of(account, inexact, whole) if account else None,
        pair=pair,
        # Mutants are told in one line each.
        strip=strip_of(case, walked, differences) if check.minimal else None,
    )


def _check_in_worker(case: Case, check: Check, goldens: GoldenSource) -> CaseResult:
    from harness.subjects.load import load_subject

    # A case makes millions of short-lived objects and no cycles worth a search; the collector would take a tenth of the time.
    gc.disable()
    try:
        return check_case(case, load_subject(check.subject_spec), check, goldens)
    finally:
        gc.enable()


def check_cases(
    cases: Sequence[Case],
    check: Check,
    goldens: Callable[[Case], GoldenSource],
    *,
    jobs: int = 1,
    on_result: Callable[[CaseResult], None] = lambda _: None,
) -> list[CaseResult]:
    """Every case, in order; ``jobs`` processes."""
    if jobs <= 1 or len(cases) <= 1:
        results = []
        for case in cases:
            results.append(_check_in_worker(case, check, goldens(case)))
            on_result(results[-1])
        return results
    by_case: dict[str, CaseResult] = {}
    # Longest first, so that no worker is left alone with a big body at the end.
    order = sorted(cases, key=lambda case: -len(case.body))
    with processes(jobs, len(cases)) as pool:
        futures = [pool.submit(_check_in_worker, case, check, goldens(case)) for case in order]
        for future in futures:
            result = future.result()
            by_case[result.case] = result
            on_result(result)
    return [by_case[case.id] for case in cases]


def plans_from(names: Iterable[str]) -> tuple[Plan, ...]:
    """Plans by name."""
    return tuple(parse_plan(name) for name in names)
