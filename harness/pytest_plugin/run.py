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
from harness.against.twin import stale_allowances
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.init.shipped import recordings_for_mutants
from harness.mutants.mutation import graded_cases, run_mutants
from harness.node_ids import ROOT
from harness.proof import Walk, walk
from harness.pytest_plugin.orphans import orphan_cassettes, orphan_goldens, replayed
from harness.pytest_plugin.outcome import Found, Packed, by_case, told
from harness.pytest_plugin.settings import Settings, raised_as
from harness.runner import Check, GoldenSource, check_case
from harness.sharding import spelt
from harness.subjects.load import load_subject
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
            self.subjects = {spec: load_subject(spec) for spec in self.settings.subjects}
            self.divergences = Divergences.load(self.settings.known_divergences)
        self.node_ids = node_ids
        self.found: list[Found] = []
        self.mutants: list[MutantResult] = []
        self.summary: list[str] = []
        self._root = config.rootpath
        self._everything: list[Case] = []
        self._cases: list[Case] = []
        self._observed: dict[tuple[str, str], tuple[list[PartJson], Walk]] = {}
        self._collected = 0
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
        chosen = self.node_ids or settings.globs or settings.shard
        self._complete = count == self._collected and not chosen
        if self._complete and settings.cassettes is not None:
            self._orphan_goldens = orphan_goldens(settings.golden, self._everything, self._root)
            self._orphan_cassettes = orphan_cassettes(settings.cassettes, self._everything, self._replayed, self._root)

    def counted(self) -> None:
        """One item more was collected."""
        self._collected += 1

    # -- running --

    @cached_property
    def _goldens(self) -> Callable[[Case], GoldenSource]:
        return self.settings.goldens(self._everything)

    def run(self, spec: str, case: Case, plan: Plan | None) -> CaseResult:
        """One item: the goldens and the rules, or one plan."""
        subject = self.subjects[spec]
        asked = Check(spec, (), self.divergences)
        if plan is None or not subject.claims(case.dialect):
            return check_case(case, subject, asked, self._goldens(case))
        observed = self._observe(spec, subject, case)
        differences: list[Difference] = []
        result = runner.check_plan(plan, case, asked, partial(subject.open, case), observed, differences)
        return CaseResult(
            case=case.id,
            dialect=case.dialect,
            subject=subject.name,
            verdict=Verdict.FAIL if differences else result.verdict,
            body_bytes=len(case.body),
            sha256=case.sha256,
            provenance=case.provenance,
            source=case.source,
            parts=len(observed[0]),
            frames=0,
            plans=(result,),
            differences=tuple(differences),
            chunks=case.chunks,
            hazard=case.hazard,
            origin=case.origin,
        )

    def _observe(self, spec: str, subject: Subject, case: Case) -> tuple[list[PartJson], Walk]:
        known = self._observed.get((spec, case.id))
        if known is None:
            session = subject.open(case)
            known = (session.feed(case.body) + session.close(), walk(subject.open(case), case.body))
            self._observed = {(spec, case.id): known}  # the plans of a case follow each other
        return known

    def run_mutants(self) -> list[MutantResult]:
        """All of them, on the cassettes whatever else is replayed; without cassettes on the corpus. A starter set is too small."""
        folder = self.settings.cassettes
        home = recordings_for_mutants(GoldenStore(self.settings.golden), folder) if folder is not None else None
        if home is not None:
            results = check.mutants_on(home)
        else:
            cases = check.find_cases(folder, (), ()) if folder is not None else self._everything
            catalogue = graded_cases(folder) if folder is not None else None
            found = run_mutants(cases, self._goldens, self.divergences, catalogue)
            results = check.caught_elsewhere(found, folder or Path("cassettes"))
        self.mutants += results
        return results

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
        orphans = self._orphan_goldens, self._orphan_cassettes
        packed = Packed(self.found, self.mutants, self._collected, self._complete, *orphans, self._left_out)
        return json.dumps(msgspec.to_builtins(packed))  # the standard library's JSON keeps lone surrogates

    def unpack(self, text: str) -> None:
        """Takes over what another process packed."""
        packed = msgspec.convert(json.loads(text), Packed)
        self.found += packed.found
        self.mutants += packed.mutants
        self._collected = packed.collected
        self._complete = packed.complete
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
        used = {name for case in cases for reference in case.references for name in reference.divergences}
        stale: list[str] = []
        unneeded: list[str] = []
        if self._complete and spec == "streamcore":
            stale = self.divergences.unused(used, {case.case for case in cases})
            unneeded = stale_allowances(cases, self._everything or settings.cases())  # a controller collects nothing
        return RunResult(
            subject=spec,
            plan=settings.plan_names,
            cases=tuple(cases),
            mutants=tuple(self.mutants),
            stale_divergences=tuple(stale),
            stale_allowances=tuple(unneeded),
            divergence_reasons=tuple((name, self.divergences.reason(name)) for name in sorted(used)),
            versions=check.versions(self.subjects[spec].version, spec, GoldenStore(settings.golden)),
            seed=settings.seed,
            problems=(*(unproven(cases) if self.found and not settings.shard else ()), *self._left_out),
            shard=spelt(settings.shard),
        )

    def finish(self, session: pytest.Session) -> None:
        """Judges the run as a whole, writes the reports, and fills ``summary``."""
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
            self._complete = False
        for at, result in enumerate(self.results()):
            self.summary += told(result)
            bad = [*result.problems, *(f"stale divergence: {name}" for name in result.stale_divergences)]
            bad += [f"allowance that no pair needs: {name}" for name in result.stale_allowances]
            self.summary += [f"ERROR {line}" for line in bad]
            written = self._write(result, "" if at == 0 else f"-{at + 1}")
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
        html, document = self.settings.html, self.settings.json
        if html is None and document is None:
            return True
        from harness.report import DocumentError, write_reports  # brings a template engine

        document = document or (html or Path()).with_suffix(".json")
        html = html or document.with_suffix(".html")
        document, html = (path.with_stem(path.stem + suffix) for path in (document, html))
        try:
            write_reports(result, document, html)
        except (DocumentError, OSError) as error:
            self.summary.append(f"ERROR the report was not written: {error}")
            return False
        self.summary.append(f"reports: {html} and {document}")
        return True
