"""A subject's parts against the goldens of the references, whole and byte by byte."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from functools import partial

from harness import native
from harness.canonical import canonical
from harness.case import Case
from harness.chunking import Chunking, cuts_chunking, parse_plan
from harness.difference import first_difference
from harness.proof import Walk, walk
from harness.references import Reference, references_for
from harness.subjects import PartJson, Session, Subject
from harness.terms import Check, GoldenSource, explained_difference
from harness.trace import trace_lines
from harness.verdict import Difference, ReferenceResult, Verdict


def against_references(
    case: Case,
    subject: Subject,
    check: Check,
    goldens: GoldenSource,
    observed: tuple[list[PartJson], Walk],
    differences: list[Difference],
) -> list[ReferenceResult]:
    """What each reference of the case says to the parts, or to the frames of a subject that hands those out.

    ``observed`` are the parts of the whole body, and the walk along it; what does not hold is added to ``differences``.
    """
    open_session = partial(subject.open, case)
    return [
        *(
            _against(reference, case, check, goldens, open_session, observed, differences)
            for reference in _references(case)
            if reference.kind != "frames"
        ),
        *_framing(case, subject, check, goldens, differences),
    ]


def _references(case: Case) -> Sequence[Reference]:
    """None for a transcript: it shows that chunking changes nothing, and what is right its recording shows."""
    return () if case.shrunk_from else references_for(case)


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
            evidence=check.divergences.beyond(case.id, reference.name, golden, lines),
        )
        if difference is not None:

            def wrong(parts: list[PartJson], _: Chunking) -> bool:
                told = _without_echoes(reference, trace_lines(parts, case.body))
                excused = check.divergences.excuse(case.id, reference.name, golden, told)
                return list(excused.expected) != list(excused.actual)

            start = next(parse_plan(plan).chunkings(case))
            differences.append(explained_difference(difference, differences, case, check, open_session, wrong, start))
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
        evidence=check.divergences.beyond(case.id, reference.name, [wanted], [got]),
    )  # fmt: skip
    assert found is not None
    message = json.loads(golden[-1])

    def wrong(parts: list[PartJson], _: Chunking) -> bool:
        theirs, ours = native.project(reference.name, parts, message)
        return canonical(theirs) != canonical(ours)

    start = cuts_chunking((), len(case.body))
    differences.append(explained_difference(found, differences, case, check, open_session, wrong, start))
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
