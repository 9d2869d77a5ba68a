"""Whether we moved: what the subject makes of the cases, held against the committed goldens and named divergences."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassette import NOT_CASSETTES, CassetteError, load
from harness.chunking import parse_plans
from harness.divergence import Divergences
from harness.drift import WE, GoldenDrift, Inquiry, Unchecked
from harness.golden import GoldenError, GoldenStore
from harness.references import REFERENCES, references_for
from harness.runner import Check, check_cases
from harness.subjects.load import load_subject
from harness.verdict import CaseResult, Verdict

if TYPE_CHECKING:
    from harness.case import Case

PLAN = "whole"
"""Drift asks what comes out, and not whether that depends on the chunking, which is what `check` is for."""
_RESULTS = (Verdict.PASS, Verdict.DIVERGENCE, Verdict.CONFLICT, Verdict.FAIL)


def readable_cases(folder: Path) -> tuple[list[Case], list[Unchecked]]:
    """The cases of all cassettes that can be read, and by case id those that cannot."""
    found: list[Case] = []
    unread: list[Unchecked] = []
    for path in sorted(folder.glob("*/*.yaml")):
        if path.parent.name == NOT_CASSETTES:
            continue
        try:
            found += load(path).cases(str(path))
        except CassetteError as error:
            unread.append(Unchecked(f"{path.parent.name}/{path.stem}", str(error)))
    return found, unread


def we_moved(
    cases: Sequence[Case],
    everything: Sequence[Case],
    unread: Sequence[Unchecked],
    goldens: Path,
    *,
    subject: str = "streamcore",
    jobs: int = 1,
) -> Inquiry:
    """Runs the subject on ``cases``, some or all of ``everything``, and compares with the goldens.

    A golden that is not there, not of this body, or not the one that was made says nothing about the subject; nor do
    the cassettes ``unread``.

    Raises:
        SubjectError: there is no such subject.
        DivergenceError: the divergences cannot be read.
    """
    store = GoldenStore(goldens)
    divergences = Divergences.load(goldens / "divergences.yaml")
    version = load_subject(subject).version
    sound: list[Case] = []
    unchecked = list(unread)
    for case in cases:
        reason = unusable(store, case)
        if reason:
            unchecked.append(Unchecked(case.id, reason))
        else:
            sound.append(case)
    results = check_cases(
        sound, Check(subject, parse_plans(PLAN), divergences, minimal=False), lambda _: store, jobs=jobs
    )
    findings: list[GoldenDrift] = []
    goldens_read = lines = unclaimed = 0
    for result in results:
        if result.verdict is Verdict.NOT_CLAIMED:
            unclaimed += 1
            continue
        compared = [one for one in result.references if one.verdict in _RESULTS]
        goldens_read += len(compared)
        lines += sum(one.lines for one in compared)
        findings += _findings(result, store)
    used = {name for result in results for one in result.references for name in one.divergences}
    if subject == "streamcore":  # nobody else's differences are written down
        run = {result.case for result in results}
        findings += [_stale(name) for name in divergences.unused(used, run, [case.id for case in everything])]
    fact = f"{subject} {version}: {len(results) - unclaimed} cases against {goldens_read:,} goldens, {lines:,} lines"
    notes = (f"{subject} does not claim the dialects of {unclaimed} cases",) if unclaimed else ()
    return Inquiry(
        WE, checked=goldens_read, facts=(fact,), findings=tuple(findings), unchecked=tuple(unchecked), notes=notes
    )


def unusable(store: GoldenStore, case: Case) -> str:
    """Why the goldens of a case say nothing; empty if they do."""
    made = store.manifest.get("goldens", {})
    for reference in references_for(case):
        path = store.path(case.id, reference.name)
        try:
            store.lines(case, reference.name)
        except GoldenError as error:
            return str(error)
        key = path.relative_to(store.root).as_posix()
        if hashlib.sha256(path.read_bytes()).hexdigest() != made.get(key):
            return (
                f"{path}: not the golden that was made; run `streamparity golden make --case {case.id}` (needs Node 20)"
            )
    return ""


def _findings(result: CaseResult, store: GoldenStore) -> list[GoldenDrift]:
    sdks = store.sdk_versions()
    packages = {one.name: one.package for one in REFERENCES.get(result.dialect, ())}
    if result.verdict is Verdict.ERROR:
        return [GoldenDrift(result.case, "", "", None, result.reason)]
    if result.verdict is not Verdict.FAIL:
        return []
    found = [
        GoldenDrift(
            result.case, one.against, f"{packages[one.against]} {sdks.get(packages[one.against], '')}".strip(), one
        )
        for one in result.differences
        if one.against in packages
    ]
    return found or [GoldenDrift(result.case, one.against, "", one) for one in result.differences[:1]]


def _stale(name: str) -> GoldenDrift:
    return GoldenDrift(name, "", "", None, "this divergence is written down, but no longer occurs")
