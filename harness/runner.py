"""Cases x plans x a subject, compared with goldens: the run behind ``streamparity check``."""

from __future__ import annotations

import dataclasses
import gc
import json
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from harness import native
from harness.canonical import canonical
from harness.case import Case
from harness.chunking import Chunking, Plan, cuts_chunking, parse_plan
from harness.difference import first_difference, rule_broken
from harness.divergence import Divergences
from harness.faults.judge import prove_faults
from harness.golden import GoldenMissing
from harness.grammar.wire import wire_findings
from harness.lanes import lanes_of
from harness.ledger import ledger_of
from harness.minimal import explained, raised_by
from harness.proof import Outcome, Walk, prove, walk
from harness.references import WITHOUT_DIALECT, Reference, references_for
from harness.rules import cut_is_legal, violations
from harness.subjects import NotClaimed, PartJson, Session, Subject
from harness.tool_schemas import check_calls
from harness.trace import trace_lines
from harness.verdict import CaseResult, Difference, PlanResult, ReferenceResult, Verdict, worst_of


class GoldenSource(Protocol):
    """Where goldens come from: the committed store, or the cache of a corpus."""

    def lines(self, case: Case, reference: str, /) -> Sequence[str]:
        """The golden's lines without the header.

        Raises:
            GoldenMissing: there is none.
        """


@dataclass(frozen=True)
class Check:
    """Everything a case is checked against; sent to worker processes as it is."""

    subject_spec: str
    plans: tuple[Plan, ...]
    divergences: Divergences
    options: tuple[str, ...] = ()
    """Words of the command line that say where cases and goldens come from, for the commands that reproduce a finding."""
    minimal: bool = True
    """Look for the minimal cut of each finding; it costs more than the finding, and hundreds of mutants need but one each."""


def check_case(case: Case, subject: Subject, check: Check, goldens: GoldenSource) -> CaseResult:
    """One case under every plan and against every reference."""
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
    )
    if not subject.claims(case.dialect):
        reason = WITHOUT_DIALECT.get(case.dialect) or f"{subject.name} does not claim {case.dialect}"
        return dataclasses.replace(result, reason=reason)
    try:
        return _checked(case, subject, check, goldens, result)
    except NotClaimed as refusal:
        return dataclasses.replace(result, reason=str(refusal))
    except GoldenMissing as missing:
        return dataclasses.replace(result, verdict=Verdict.ERROR, reason=str(missing))
    except Exception as error:  # noqa: BLE001 - a subject may raise anything: that is a finding, not our end
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        if not check.minimal:
            return dataclasses.replace(result, verdict=Verdict.ERROR, reason=reason)
        chunkings = (chunking for plan in check.plans if not plan.is_proof for chunking in plan.chunkings(case))
        found = raised_by(case, partial(subject.open, case), chunkings, subject=check.subject_spec, options=check.options)
        differences = [_complaint(case, check, "no-exception", found.plan, reason)] if found else []
        explained_ones = tuple(dataclasses.replace(one, minimal=found) for one in differences)
        return dataclasses.replace(result, verdict=Verdict.ERROR, reason=reason, differences=explained_ones)


def _checked(case: Case, subject: Subject, check: Check, goldens: GoldenSource, blank: CaseResult) -> CaseResult:
    open_session = partial(subject.open, case)
    session = open_session()
    whole = session.feed(case.body) + session.close()
    warnings = tuple(getattr(session, "warnings", ()))
    frames = int(getattr(session, "frames", 0))
    walked = walk(open_session(), case.body)
    differences: list[Difference] = []
    references = [
        _against(reference, case, check, goldens, open_session, (whole, walked), differences)
        for reference in _references(case)
        if reference.kind != "frames"
    ]
    references += _framing(case, subject, check, goldens, differences)
    given = warnings if hasattr(session, "warnings") else None
    broken = partial(violations, end=case.end, body=case.body, dialect=case.dialect, warnings=given)
    uncut = cuts_chunking((), len(case.body))
    for violation in broken(whole):

        def breaks(parts: list[PartJson], _: Chunking, rule: str = violation.rule) -> bool:
            return any(rule == other.rule for other in broken(parts))

        complaint = _complaint(case, check, violation.rule, "whole", violation.message)
        differences.append(_explained(complaint, differences, case, check, open_session, breaks, uncut))
    # Another subject may hand out arguments later than with the frame that brought them, which is no mistake.
    account = ledger_of(case, walked) if subject.name == "streamcore" and not case.shrunk_from else None
    inexact = account.fault() if account else None
    if inexact is not None:
        differences.append(_complaint(case, check, "argument-ledger", "bytes", inexact.message))
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
    )


def _explained(
    difference: Difference,
    earlier: Sequence[Difference],
    case: Case,
    check: Check,
    open_session: Callable[[], Session],
    wrong: Callable[[list[PartJson], Chunking], bool],
    start: Chunking,
) -> Difference:
    if not check.minimal:
        return difference
    about = (check.subject_spec, check.options)
    return explained(difference, earlier, case, open_session, wrong, start, *about)


def _references(case: Case) -> Sequence[Reference]:
    """None for a transcript: it shows that chunking changes nothing, and what is right its recording shows."""
    return () if case.shrunk_from else references_for(case)


def _complaint(case: Case, check: Check, rule: str, plan: str, message: str) -> Difference:
    return rule_broken(case, rule, plan, message, subject=check.subject_spec, options=check.options)


def _against(
    reference: Reference,
    case: Case,
    check: Check,
    goldens: GoldenSource,
    open_session: Callable[[], Session],
    observed: tuple[list[PartJson], Walk],
    differences: list[Difference],
) -> ReferenceResult:
    """The whole body against one golden; a trace reference also byte by byte."""
    golden = goldens.lines(case, reference.name)
    if reference.kind == "final":
        return _against_native(reference, case, check, golden, open_session, observed[0], differences)
    whole, walked = observed
    emitted_at = walked.emitted_at()
    used: tuple[str, ...] = ()
    golden = _without_echoes(reference, golden)
    for plan, parts in (("whole", whole), ("bytes", walked.parts)):
        lines = _without_echoes(reference, trace_lines(parts, case.body))
        if lines == list(golden):
            continue
        excused = check.divergences.excuse(case.id, reference.name, golden, lines)
        used = tuple(dict.fromkeys((*used, *excused.names)))
        difference = first_difference(
            excused.expected,
            excused.actual,
            against=reference.name,
            plan=plan,
            case=case,
            subject=check.subject_spec,
            options=check.options,
            emitted_at=emitted_at,  # type: ignore[arg-type]
        )
        if difference is not None:

            def wrong(parts: list[PartJson], _: Chunking) -> bool:
                told = _without_echoes(reference, trace_lines(parts, case.body))
                excused = check.divergences.excuse(case.id, reference.name, golden, told)
                return list(excused.expected) != list(excused.actual)

            start = next(parse_plan(plan).chunkings(case))
            differences.append(_explained(difference, differences, case, check, open_session, wrong, start))
            return ReferenceResult(reference.name, Verdict.FAIL, len(golden), used)
    return ReferenceResult(reference.name, Verdict.DIVERGENCE if used else Verdict.PASS, len(golden), used)


def _without_echoes(reference: Reference, lines: Sequence[str]) -> Sequence[str]:
    """The lines that rest on the body; those that tell of the request are left out on both sides."""
    echoes = tuple(f'["{kind}",' for kind in reference.echoes)
    return [line for line in lines if not line.startswith(echoes)] if echoes else lines


def _against_native(
    reference: Reference,
    case: Case,
    check: Check,
    golden: Sequence[str],
    open_session: Callable[[], Session],
    parts: list[PartJson],
    differences: list[Difference],
) -> ReferenceResult:
    expected, actual = native.project(reference.name, parts, json.loads(golden[-1]))
    wanted, got = canonical(expected), canonical(actual)
    if wanted == got:
        return ReferenceResult(reference.name, Verdict.PASS, 1)
    excused = check.divergences.excuse(case.id, reference.name, [wanted], [got])
    if excused.names and excused.expected == excused.actual:
        return ReferenceResult(reference.name, Verdict.CONFLICT, 1, excused.names, native.explain(expected, actual))
    found = first_difference(
        [wanted], [got], against=reference.name, plan="whole", case=case, subject=check.subject_spec,
            options=check.options,
        note=native.explain(expected, actual),
    )  # fmt: skip
    assert found is not None
    message = json.loads(golden[-1])

    def wrong(parts: list[PartJson], _: Chunking) -> bool:
        theirs, ours = native.project(reference.name, parts, message)
        return canonical(theirs) != canonical(ours)

    start = cuts_chunking((), len(case.body))
    differences.append(_explained(found, differences, case, check, open_session, wrong, start))
    return ReferenceResult(reference.name, Verdict.FAIL, 1, (), found.note)


def _framing(
    case: Case, subject: Subject, check: Check, goldens: GoldenSource, differences: list[Difference]
) -> list[ReferenceResult]:
    """The framing alone, for a subject that offers it: dialect ``sse`` is the same body, decoded to frames only."""
    results = []
    for reference in _references(case):
        if reference.kind == "frames" and subject.claims(reference.name):
            framed = dataclasses.replace(case, dialect=reference.name)
            open_framing = partial(_Framing, subject, framed)
            session = open_framing()
            whole = session.feed(case.body) + session.close()
            walked = walk(open_framing(), case.body)
            results.append(_against(reference, case, check, goldens, open_framing, (whole, walked), differences))
    return results


class _Framing:
    """A session of the framing alone, whose last part is what ended it before its time, where it says so."""

    def __init__(self, subject: Subject, framed: Case) -> None:
        self._session = subject.open(framed)
        self.feed = self._session.feed

    @property
    def frames(self) -> int:
        """Frames so far."""
        return int(getattr(self._session, "frames", 0))

    def close(self) -> list[PartJson]:
        """The rest of the frames."""
        parts = self._session.close()
        error = getattr(self._session, "error", None)
        return [*parts, {"type": "error", **error}] if error else parts


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
            differences.append(_complaint(case, check, rule, shown_by, outcome.complaint))
        elif outcome.complaint:
            found = _complaint(case, check, "cut-is-incomplete", name, outcome.complaint)
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
            differences.append(_complaint(case, check, "state", name, "equal parts, but another state is left behind"))
        elif found is not None:
            start = chunking if parts != right else next(parse_plan("bytes").chunkings(case))
            differences.append(_explained(found, differences, case, check, open_session, wrong, start))
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
    with ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(_check_in_worker, case, check, goldens(case)) for case in order]
        for future in futures:
            result = future.result()
            by_case[result.case] = result
            on_result(result)
    return [by_case[case.id] for case in cases]


def plans_from(names: Iterable[str]) -> tuple[Plan, ...]:
    """Plans by name."""
    return tuple(parse_plan(name) for name in names)
