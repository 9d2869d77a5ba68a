"""What is wrong with a run and belongs to none of its cases: whoever reads only the cases would take it for green."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.matrix import by_severity
from harness.verdict import GREEN, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.verdict import CaseResult, RunResult


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that makes a run red."""

    kind: str
    """``problem``, ``mutant not caught``, ``stale divergence`` or ``stale allowance``."""
    name: str
    """Of the mutant or the entry; of a problem all there is to say."""
    message: str
    """What it means and what to do, in one sentence; the name is not in it."""
    verdict: Verdict = Verdict.FAIL

    @property
    def label(self) -> str:
        """Kind and name, by which it is known again in another run."""
        return f"{self.kind}: {self.name}"


def troubles(run: RunResult) -> Iterator[Trouble]:
    """Those of ``run``, worst first."""
    for problem in run.problems:
        yield Trouble("problem", problem, "the run as a whole proves nothing", Verdict.ERROR)
    for mutant in run.mutants:
        if not mutant.caught:
            yield Trouble("mutant not caught", mutant.name, f"{mutant.tried} cases did not catch it: {mutant.description}")
    for name in run.stale_divergences:
        yield Trouble("stale divergence", name, "it no longer occurs: remove it from divergences.yaml")
    for name in run.stale_allowances:
        yield Trouble("stale allowance", name, "no stream differs from its twin in it: remove it from pairs/allowed.yaml")


def red_cases(run: RunResult) -> list[CaseResult]:
    """The cases that make ``run`` red: by severity, then by id."""
    return [case for case in by_severity(run.cases) if case.verdict not in GREEN]
