"""What ``pytest --parity`` collects: one item a case and plan, one for the goldens of a case, one for the mutants.

::

    parity::openai-chat/text::golden          the whole body and single bytes, compared with every reference; the rules
    parity::openai-chat/text::every-split     one plan
    parity::mutants                           the proof that the checks can fail
"""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.outcomes import OutcomeException

from harness.node_ids import ROOT
from harness.pytest_plugin.failures import ParityError, described, frames_of, headline
from harness.pytest_plugin.settings import KNOWN_ERRORS, raised_as
from harness.verdict import GREEN, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.case import Case
    from harness.chunking import Plan
    from harness.pytest_plugin.run import ParityRun
    from harness.verdict import CaseResult, Difference

MUTANTS = "mutants"


def collect(session: pytest.Session, run: ParityRun) -> Iterator[pytest.Item]:
    """Every item of ``run`` that the command line asks for."""
    root: Root = Root.from_parent(session, name=ROOT, nodeid=ROOT, run=run)
    return session.genitems(root)


class _Collector(pytest.Collector):
    def __init__(self, *, run: ParityRun, **about: Any) -> None:
        super().__init__(**about)
        self.run = run


class Root(_Collector):
    """All of them."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """A collector a case, then the mutants.

        Raises:
            CollectError: there is nothing to replay.
        """
        with raised_as(self.CollectError):
            cases = self.run.start()
        chosen = [case for case in cases if any(self._wanted(case))]
        mutants = self.run.runs_mutants and self.run.wants(f"{ROOT}::{MUTANTS}")
        if not chosen and not mutants and self.run.node_ids:
            raise self.CollectError(
                f"not found: {' '.join(self.run.node_ids)}; `pytest --parity --collect-only -q` lists what there is"
            )
        for case in chosen:
            yield CaseCollector.from_parent(self, name=case.id, run=self.run, case=case)
        if mutants:
            yield MutantsItem.from_parent(self, name=MUTANTS, run=self.run)

    def _wanted(self, case: Case) -> Iterator[str]:
        for name, _, _ in self.run.names():
            if self.run.wants(f"{ROOT}::{case.id}::{name}"):
                yield name


class CaseCollector(_Collector):
    """One case."""

    def __init__(self, *, case: Case, **about: Any) -> None:
        super().__init__(**about)
        self.case = case

    def collect(self) -> Iterator[pytest.Item]:
        """An item for the goldens, and one a plan; as often as there are subjects."""
        for name, spec, plan in self.run.names():
            if self.run.wants(f"{self.nodeid}::{name}"):
                yield CaseItem.from_parent(self, name=name, run=self.run, case=self.case, spec=spec, plan=plan)


class ParityItem(pytest.Item):
    """Base of the items."""

    def __init__(self, *, run: ParityRun, **about: Any) -> None:
        super().__init__(**about)
        self.run = run
        self.add_marker(pytest.mark.parity)
        run.counted()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What went wrong, without a traceback of ours; ``-vv`` shows all of an exception that nobody foresaw."""
        error = excinfo.value
        if isinstance(error, (ParityError, *KNOWN_ERRORS)):
            return str(error)
        if self.config.option.verbose > 1:
            return super().repr_failure(excinfo, style)
        told = str(error) if isinstance(error, OutcomeException) else f"{type(error).__name__}: {error}"
        return "\n".join([told, *frames_of(error, self.config.rootpath)])

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The heading of a failure."""
        return self.path, None, self.nodeid


class CaseItem(ParityItem):
    """One case and one plan; without a plan, the case and its goldens."""

    def __init__(self, *, case: Case, spec: str, plan: Plan | None, **about: Any) -> None:
        super().__init__(**about)
        self.case = case
        self.spec = spec
        self.plan = plan

    def runtest(self) -> None:
        """Runs the plan.

        Raises:
            ParityError: a difference, a broken rule, or a subject that broke.
        """
        result, error = self.run.run(self.spec, self.case, self.plan)
        self.run.record(self.spec, result)
        plan = result.plans[0] if result.plans else None
        self.user_properties += [
            ("parity_case", self.case.id),
            ("parity_subject", self.spec),
            ("parity_sha256", self.case.sha256),
            ("parity_verdict", result.verdict.value),
        ]
        if plan is not None:
            self.user_properties.append(("parity_chunkings", plan.chunkings))
        if result.verdict not in GREEN:
            raise ParityError(self._failure(result, error))
        if result.verdict is Verdict.NOT_CLAIMED:
            pytest.skip(f"not claimed: {result.reason}")
        if plan is not None and not plan.chunkings:
            pytest.skip(f"not run: {plan.reason}")

    def _failure(self, result: CaseResult, error: BaseException | None) -> str:
        lines = [headline(result), f"case       {self.case.id}  ({self.case.source})", f"subject    {self.spec}"]
        lines += frames_of(error, self.config.rootpath) if error is not None else ()
        for difference in result.differences:
            lines += ["", *described(difference), f"reproduce  {self._reproduce(difference)}"]
            if self.plan is not None and difference.minimal is not None and difference.minimal.plan != difference.plan:
                smallest = dataclasses.replace(difference, plan=difference.minimal.plan)
                lines.append(f"smallest   {self._reproduce(smallest)}")
            self.user_properties += [
                ("parity_chunking", difference.plan),
                ("parity_byte_offset", difference.byte_offset),
                ("parity_utf16_offset", difference.utf16_offset),
            ]
        if not result.differences:
            lines += ["", f"reproduce  {self._reproduce(None)}"]
        return "\n".join(lines)

    def _reproduce(self, difference: Difference | None) -> str:
        """One command that shows this difference and nothing else."""
        words = ["pytest", *self.run.settings.repeat]
        name = self.name
        if self.plan is not None and difference is not None:
            suffix = name.removeprefix(self.plan.name)
            words.append(f"--parity-plan={difference.plan}")
            name = difference.plan + suffix
        return shlex.join([*words, f"{ROOT}::{self.case.id}::{name}"])


class MutantsItem(ParityItem):
    """The proof that the checks can fail."""

    def runtest(self) -> None:
        """Runs every mutant.

        Raises:
            ParityError: one of them was not caught.
        """
        results = self.run.run_mutants()
        missed = [result for result in results if not result.caught]
        self.user_properties.append(("parity_mutants", f"{len(results) - len(missed)}/{len(results)}"))
        if missed or not results:
            lines = [f"{len(missed)} of {len(results)} mutants were not caught: no recording shows the defect"]
            lines += [f"  {result.name}: {result.description} ({result.tried} cases)" for result in missed]
            raise ParityError("\n".join(lines))
