"""A run of ``pytest --parity``: what was found out, and what is said about it at the end.

What a subject gives for a whole body and for single bytes is observed once a process, and kept for all plans of the case.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from harness import check, runner
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.init.shipped import excused_here
from harness.node_ids import ROOT
from harness.proof import Walk, walk
from harness.pytest_plugin.orphans import orphan_cassettes, orphan_goldens, replayed
from harness.pytest_plugin.outcome import Found, Packed, by_case, told
from harness.pytest_plugin.settings import Settings, raised_as
from harness.report import DocumentError, seal, write_reports
from harness.runner import Check, GoldenSource, check_case, guarded
from harness.subjects.reference import ReferenceSubject, without_known_alarms
from harness.verdict import CaseResult, Difference, MutantResult, RunResult, Verdict, unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.case import Case
    from harness.chunking import Plan
    from harness.subjects import PartJson, Subject

GOLDEN = "golden"
"""The name of the item that compares a case with its references."""


class ParityRun:
    """One run of pytest with ``--parity``, in one process.

    Raises:
        pytest.UsageError: no such plan or subject, or divergences that cannot be used.
    """

    def __init__(self, config: pytest.Config, node_ids: Sequence[str]) -> None:
        with raised_as(pytest.UsageError):
            self.settings = Settings.of(config)
            self.subjects = {spec: self.settings.subject(spec) for spec in self.settings.subjects}
            self._own = Divergences.load(self.settings.known_divergences)
        self.node_ids = node_ids
        self.found: list[Found] = []
        self.mutants: list[MutantResult] = []
        self.summary: list[str] = []
        self._root = config.rootpath
        self._everything: list[Case] = []
        self._cases: list[Case] = []
        self._observed: dict[tuple[str, str], tuple[list[PartJson], Walk]] = {}
        self._collected = 0
        self._chosen = False
        self._complete = False
        self._replayed: frozenset[str] = frozenset()
        self._orphan_goldens: list[str] = []
        self._orphan_cassettes: list[str] = []
        self._left_out: list[str] = []
        self._lost = False

    # -- collecting --

    def start(self) -> list[Case]:
        """The cases.

        Raises:
            InputError: there are none, or they cannot be used.
        """
        self._everything = self.settings.cases()
        shrunk, self._left_out = self.settings.transcripts(self._everything, self.node_ids)
        self._cases = self.settings.share([*self._everything, *shrunk])
        return self._cases

    @property
    def runs_mutants(self) -> bool:
        """Whether they are asked for, and of this shard."""
        return self.settings.mutants and (self.settings.shard is None or self.settings.shard[0] == 1)

    def names(self) -> Iterator[tuple[str, str, Plan | None]]:
        """Item name, subject and plan (None for the goldens) of everything that is run on a case."""
        for spec in self.subjects:
            suffix = f"[{spec}]" if len(self.subjects) > 1 else ""
            yield GOLDEN + suffix, spec, None
            for plan in self.settings.plans:
                yield plan.name + suffix, spec, plan

    def wants(self, node_id: str) -> bool:
        """Whether the command line asks for that item."""
        return not self.node_ids or any(
            node_id == wanted or node_id.startswith(f"{wanted}::") for wanted in self.node_ids
        )

    def suite(self, items: Sequence[pytest.Item]) -> None:
        """``items`` are the tests that were collected beside ours, before any is deselected."""
        self._replayed = replayed(items)

    def chosen(self, items: Sequence[pytest.Item]) -> None:
        """``items`` are left after ``-k``, ``-m`` and the like."""
        settings = self.settings
        count = sum(item.nodeid.startswith(f"{ROOT}::") for item in items)
        self._chosen = count != self._collected or bool(self.node_ids)
        self._complete = not (self._chosen or settings.globs or settings.shard)
        if self._complete and settings.cassettes is not None:
            self._orphan_goldens = orphan_goldens(settings.golden, self._everything, self._root)
            self._orphan_cassettes = orphan_cassettes(settings.cassettes, self._everything, self._replayed, self._root)

    def counted(self) -> None:
        """One item more was collected."""
        self._collected += 1

    # -- running --

    @cached_property
    def _divergences(self) -> Divergences:
        left_out = self.settings.recorded() if self.settings.globs else ()
        return excused_here(self._own, [*self._everything, *left_out])

    @cached_property
    def _goldens(self) -> Callable[[Case], GoldenSource]:
        return self.settings.goldens(self._everything)

    def run(self, spec: str, case: Case, plan: Plan | None) -> tuple[CaseResult, BaseException | None]:
        """One item: the goldens and the rules, or one plan. And what the subject has raised, if it has."""
        subject = self.subjects[spec]
        asked = Check(spec, () if plan is None else (plan,), self._divergences)
        errors: list[BaseException] = []
        if plan is None:
            result = check_case(case, subject, asked, self._goldens(case), errors.append)
            if isinstance(subject, ReferenceSubject):
                result = without_known_alarms(result, self._divergences)
        else:
            # What breaks without this plan is explained where the case is held against its goldens.
            early = dataclasses.replace(asked, minimal=(spec, case.id) in self._observed)
            result = guarded(case, subject, early, partial(self._planned, spec, case, asked), errors.append)
        return result, errors[0] if errors else None

    def _planned(self, spec: str, case: Case, asked: Check, blank: CaseResult) -> CaseResult:
        subject, (plan,) = self.subjects[spec], asked.plans
        observed = self._observe(spec, subject, case)
        differences: list[Difference] = []
        result = runner.check_plan(plan, case, asked, partial(subject.open, case), observed, differences)
        verdict = Verdict.FAIL if differences else result.verdict
        parts, found = len(observed[0]), tuple(differences)
        return dataclasses.replace(blank, verdict=verdict, parts=parts, plans=(result,), differences=found)

    def _observe(self, spec: str, subject: Subject, case: Case) -> tuple[list[PartJson], Walk]:
        known = self._observed.get((spec, case.id))
        if known is None:
            session = subject.open(case)
            known = (session.feed(case.body) + session.close(), walk(subject.open(case), case.body))
            self._observed = {(spec, case.id): known}  # the plans of a case follow each other
        return known

    def run_mutants(self) -> list[MutantResult]:
        """All of them, on the cassettes whatever else is replayed; without cassettes on the corpus."""
        folder = self.settings.cassettes
        cases = check.find_cases(folder, (), ()) if folder is not None else self._everything
        found = check.mutants_on(folder or Path("cassettes"), cases, self._goldens, self._divergences)
        self.mutants += found
        return found

    # -- results --

    def record(self, spec: str, result: CaseResult) -> None:
        """Keeps what one item found out."""
        source = Path(result.source)
        if source.is_relative_to(self._root):
            # Two machines that share the work, and the report, have it in different places.
            result = dataclasses.replace(result, source=source.relative_to(self._root).as_posix())
        self.found.append(Found(spec, result))

    def packed(self) -> str:
        """Everything found out in this process, as text for another one."""
        about = self._collected, self._chosen, self._complete, self._orphan_goldens, self._orphan_cassettes, self._left_out
        packed = Packed(self.found, self.mutants, *about)
        return json.dumps(msgspec.to_builtins(packed))  # the standard library's JSON keeps lone surrogates

    def unpack(self, text: str) -> None:
        """Takes over what another process packed."""
        packed = msgspec.convert(json.loads(text), Packed)
        self.found += packed.found
        self.mutants += packed.mutants
        self._collected = packed.collected
        self._chosen, self._complete = packed.chosen, packed.complete
        self._orphan_goldens, self._orphan_cassettes = packed.orphan_goldens, packed.orphan_cassettes
        self._left_out = packed.left_out

    def lose(self) -> None:
        """Another process ended without handing over what it found out."""
        self._lost = True

    def results(self) -> list[RunResult]:
        """One a subject."""
        return [self._result(spec) for spec in self.subjects]

    def _result(self, spec: str) -> RunResult:
        settings = self.settings
        cases = by_case(self.found, spec, [plan.name for plan in settings.plans])
        everything = self._everything or settings.cases()  # a controller collects nothing
        empty = unproven(cases, goldens=True) if cases and not settings.shard else ()
        run = check.concluded(
            spec,
            self.subjects[spec].version,
            cases,
            plan=settings.plan_names,
            own=self._own,
            everything=everything,
            whole=self._complete,
            mutants=self.mutants,
            problems=(*empty, *self._left_out),
            store=GoldenStore(settings.golden),
            seed=settings.seed,
            shard=settings.shard,
        )
        return seal(run)

    def finish(self, session: pytest.Session) -> None:
        """Judges the run as a whole, writes the reports, and fills ``summary``.

        What was chosen out of a run, or was stopped, is not what the whole of it proves: it is said, and fails nothing.
        """
        if self._lost:
            self.summary.append("ERROR a worker ended without handing over its results: no report is written")
            self._fail(session)
            return
        if not self._collected and not self.settings.shard:
            return  # pytest has said why
        if not self.found and not self.mutants and self._collected:
            self.summary.append(f"none of {self._collected} items was run: nothing was proved")
            return
        if session.shouldstop or session.shouldfail or session.exitstatus == pytest.ExitCode.INTERRUPTED:
            self._complete, self._chosen = False, True
        for at, result in enumerate(self.results()):
            self.summary += told(result)
            written = self._write(result, "" if at == 0 else f"-{at + 1}")
            bad = [*self._left_out, *(f"stale divergence: {name}" for name in result.stale_divergences)]
            bad += [f"allowance that no pair needs: {name}" for name in result.stale_allowances]
            unproved = [problem for problem in result.problems if problem not in self._left_out]
            if self._chosen:
                self.summary += [f"not proved by this part of a run: {problem}" for problem in unproved]
            else:
                bad = [*(f"the run proves nothing: {problem}" for problem in unproved), *bad]
            self.summary += [f"ERROR {line}" for line in bad]
            if bad or not written:
                self._fail(session)
        orphans = self._orphan_goldens if self._complete else []
        if self._complete and session.config.args_source is not pytest.Config.ArgsSource.ARGS:
            orphans = orphans + self._orphan_cassettes  # a test that was not collected may replay one
        if orphans:
            self.summary += [f"ERROR {line}" for line in orphans]
            self._fail(session)

    def _fail(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, result: RunResult, suffix: str) -> bool:
        """Whether everything that was asked for was written."""
        if self.settings.html is None or self.settings.json is None:
            return True
        document, html = self.settings.json, self.settings.html
        document, html = (path.with_stem(path.stem + suffix) for path in (document, html))
        try:
            write_reports(result, document, html)
        except (DocumentError, OSError) as error:
            self.summary.append(f"ERROR the report was not written: {error}")
            return False
        self.summary.append(f"reports: {html} and {document}")
        return True
