"""A run as other programs know runs of tests: a suite a dialect, a test a case; and the mutants and the run as a whole.

Formats of test results know passed, failed, broken and skipped. A named divergence and a conflict that is settled count as
passed here, as they do in the verdict, and a case that was not run as broken: a run with one is no pass. What makes a run
red beside its cases (a mutant that was not caught, an entry that is stale, a run that proves nothing) is a test of its
own, for whoever adds up the tests must come to the same verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report import console
from harness.report.certificates import statements
from harness.report.document import seal
from harness.report.troubles import troubles
from harness.verdict import GREEN, Verdict
from harness.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.verdict import CaseResult, MutantResult, RunResult

MUTANTS = "mutants"
WHOLE = "the run as a whole"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test; every text may be shown: nothing in it is invisible, but for the line feeds of ``details``."""

    suite: str
    name: str
    verdict: Verdict
    message: str = ""
    """Of one that is red or was skipped: why, in one line."""
    details: str = ""
    """Of one that is red: all there is to say, in lines."""
    source: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    """What was compared, by name."""

    @property
    def red(self) -> bool:
        """Whether it makes the run red."""
        return self.verdict not in GREEN


def outcomes(run: RunResult) -> Iterator[Outcome]:
    """The tests of ``run``, suite by suite.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    for case in sorted(run.cases, key=lambda case: (case.dialect, case.case, case.subject)):
        yield _of_case(case)
    for mutant in run.mutants:
        yield _of_mutant(mutant)
    if not run.problems:
        yield Outcome(WHOLE, "it proves something", Verdict.PASS)
    for trouble in troubles(run):
        if trouble.kind != "mutant not caught":
            message = visible(trouble.message)
            yield Outcome(WHOLE, visible(trouble.label), trouble.verdict, message, f"{visible(trouble.label)}\n{message}")


def _of_case(case: CaseResult) -> Outcome:
    red = case.verdict not in GREEN
    facts = {
        "bytes": f"{case.body_bytes}",
        "sha256": case.sha256,
        "chunkings": f"{sum(plan.chunkings for plan in case.plans)}",
        "splits": f"{sum(plan.splits for plan in case.plans)}",
        "comparisons": f"{sum(plan.comparisons for plan in case.plans) + sum(one.lines for one in case.references)}",
        "references": ", ".join(f"{one.reference}: {one.verdict}" for one in case.references),
        "divergences": ", ".join(dict.fromkeys(name for one in case.references for name in one.divergences)),
        "sampled": ", ".join(plan.plan for plan in case.plans if plan.sampled),
        "proven": statements(case),
        "provenance": case.provenance,
    }
    return Outcome(
        suite=visible(case.dialect),
        name=visible(case.case),
        verdict=case.verdict,
        message=console.headline(case) if red else visible(case.reason),
        details=console.told(case) if red else "",
        source=visible(case.source),
        facts=tuple((name, visible(value)) for name, value in facts.items() if value),
    )


def _of_mutant(mutant: MutantResult) -> Outcome:
    name, described = visible(mutant.name), visible(mutant.description)
    if mutant.caught:
        facts = (("caught by", visible(f"{mutant.case}, plan {mutant.plan}")), ("does", described))
        return Outcome(MUTANTS, name, Verdict.PASS, facts=facts)
    message = f"not caught by {mutant.tried} cases: {described}"
    command = f"streamparity check --subject mutant:{name} --no-mutants"
    return Outcome(MUTANTS, name, Verdict.FAIL, message, f"{message}\nsee it with: {command}")
