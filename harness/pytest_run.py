"""A run of ``pytest --parity``: what is asked for, what was found out, and what is said about it at the end.

What a subject gives for a whole body and for single bytes is observed once a process, and kept for all plans of the case.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from harness import check, runner
from harness.cassette import CassetteError
from harness.chunking import Plan, PlanError, parse_plans
from harness.corpus import CorpusError
from harness.divergence import DivergenceError, Divergences
from harness.exits import InputError
from harness.golden import GoldenCache, GoldenError, GoldenStore
from harness.mutants.mutation import graded_cases, run_mutants
from harness.oracle import OracleError
from harness.proof import Walk, walk
from harness.runner import Check, GoldenSource, check_case
from harness.subjects.load import SubjectError, load_subject
from harness.verdict import CaseResult, Difference, MutantResult, RunResult, Verdict, worst_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.case import Case
    from harness.subjects import PartJson, Subject

GOLDEN = "golden"
"""The name of the item that compares a case with its references."""

KNOWN_ERRORS = (
    CassetteError,
    CorpusError,
    DivergenceError,
    GoldenError,
    InputError,
    OracleError,
    PlanError,
    SubjectError,
)
"""Their messages are one line for the user."""


@contextmanager
def raised_as(kind: type[Exception]) -> Iterator[None]:
    """:data:`KNOWN_ERRORS` become ``kind``, which pytest prints without a traceback."""
    try:
        yield
    except KNOWN_ERRORS as error:
        raise kind(str(error)) from None


@dataclass(frozen=True)
class Settings:
    """What the command line and the ini file ask for."""

    subjects: tuple[str, ...]
    plans: tuple[Plan, ...]
    plan_names: str
    cassettes: Path | None
    """None when only a corpus is to be replayed."""
    golden: Path
    corpora: tuple[Path, ...]
    globs: tuple[str, ...]
    seed: int
    mutants: bool
    html: Path | None
    json: Path | None
    cache: Path
    repeat: tuple[str, ...]
    """The options of this run that a command must have that repeats a part of it."""

    @classmethod
    def of(cls, config: pytest.Config, *, plan: str | None = None, subject: str | None = None) -> Settings:
        """Reads them; ``plan`` and ``subject`` stand between the command line and the ini file.

        Raises:
            PlanError: no such plan.
        """
        option, ini = config.option, config.getini
        here, root = config.invocation_params.dir, config.rootpath
        corpora = [here / name for name in option.parity_corpus or ()]
        corpora = corpora or [root / name for name in shlex.split(ini("parity_corpus"))]
        cassettes = here / option.parity_cassettes if option.parity_cassettes else None
        if cassettes is None and (ini("parity_cassettes") or not corpora):
            cassettes = root / (ini("parity_cassettes") or "cassettes")
        golden = here / option.parity_golden if option.parity_golden else root / (ini("parity_golden") or "golden")
        named = option.parity_subject or ([subject] if subject else shlex.split(ini("parity_subject")))
        plan_names = option.parity_plan or plan or ini("parity_plan") or ("smoke" if corpora else "standard")
        return cls(
            subjects=tuple(named or ("streamcore",)),
            plans=tuple(_seeded(one, option.parity_seed) for one in parse_plans(plan_names)),
            plan_names=plan_names,
            cassettes=cassettes,
            golden=golden,
            corpora=tuple(corpora),
            globs=tuple(option.parity_case or ()),
            seed=option.parity_seed,
            mutants=not option.parity_no_mutants,
            html=here / option.parity_report if option.parity_report else None,
            json=here / option.parity_json if option.parity_json else None,
            cache=root / ".streamparity/goldens",
            repeat=tuple(_given(option)),
        )

    def header(self) -> str:
        """One line for the head of the run."""
        sources = [str(path) for path in (self.cassettes, *self.corpora) if path is not None]
        return f"streamparity: {', '.join(self.subjects)}; plan {self.plan_names}; {', '.join(sources)}"

    def cases(self) -> list[Case]:
        """The cases.

        Raises:
            InputError: a folder or a file cannot be used, or there is no case.
        """
        if self.cassettes is not None and not self.cassettes.is_dir():
            raise InputError(f"{self.cassettes}: no such folder; name it with --parity-cassettes or parity_cassettes")
        found = check.find_cases(self.cassettes, self.corpora, self.globs)
        if not found:
            where = " and ".join(str(path) for path in (self.cassettes, *self.corpora) if path is not None)
            wanted = f" matches {' '.join(self.globs)}" if self.globs else ""
            raise InputError(f"no case in {where}{wanted}: nothing would be proved")
        return found

    def goldens(self, cases: Sequence[Case]) -> Callable[[Case], GoldenSource]:
        """Where the goldens of each case come from; those of a corpus are made now, unless they are there.

        Raises:
            InputError, OracleError: they cannot be made.
        """
        store = GoldenStore(self.golden)
        if not self.corpora:
            return lambda _: store
        recorded = check.find_cases(self.cassettes, (), ()) if self.cassettes is not None else []
        committed = {case.id for case in recorded}
        cache = GoldenCache(self.cache, self.golden)
        cache.make([case for case in cases if case.id not in committed])
        return lambda case: store if case.id in committed else cache


def _seeded(plan: Plan, seed: int) -> Plan:
    if plan.kind != "random" or not seed:
        return plan
    return Plan(f"random:{plan.number + seed}", "random", plan.number + seed)


def _given(option: Any) -> Iterator[str]:
    for name in ("subject", "cassettes", "golden", "corpus"):
        value = getattr(option, f"parity_{name}")
        for one in [value] if isinstance(value, str) else value or ():
            yield f"--parity-{name}={one}"


class ParityRun:
    """One run of pytest with ``--parity``, in one process.

    Raises:
        pytest.UsageError: no such plan or subject, or divergences that cannot be used.
    """

    def __init__(self, config: pytest.Config, node_ids: Sequence[str]) -> None:
        with raised_as(pytest.UsageError):
            self.settings = Settings.of(config)
            self.subjects = {spec: load_subject(spec) for spec in self.settings.subjects}
            self.divergences = Divergences.load(self.settings.golden / "divergences.yaml")
        self.node_ids = node_ids
        self.found: list[Found] = []
        self.mutants: list[MutantResult] = []
        self.summary: list[str] = []
        self._cases: list[Case] = []
        self._observed: dict[tuple[str, str], tuple[list[PartJson], Walk]] = {}
        self._collected = 0
        self._complete = False

    # -- collecting --

    def start(self) -> list[Case]:
        """The cases.

        Raises:
            InputError: there are none, or they cannot be used.
        """
        self._cases = self.settings.cases()
        return self._cases

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

    def chosen(self, count: int) -> None:
        """``count`` items are left after ``-k``, ``-m`` and the like."""
        self._complete = count == self._collected and not self.node_ids and not self.settings.globs

    def counted(self) -> None:
        """One item more was collected."""
        self._collected += 1

    # -- running --

    @cached_property
    def _goldens(self) -> Callable[[Case], GoldenSource]:
        return self.settings.goldens(self._cases)

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
        )

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
        cases = check.find_cases(folder, (), ()) if folder is not None else self._cases
        catalogue = graded_cases(folder) if folder is not None else None
        results = run_mutants(cases, self._goldens, self.divergences, catalogue)
        self.mutants += results
        return results

    # -- results --

    def record(self, spec: str, result: CaseResult) -> None:
        """Keeps what one item found out."""
        self.found.append(Found(spec, result))

    def packed(self) -> str:
        """Everything found out in this process, as text for another one."""
        packed = _Packed(self.found, self.mutants, self._collected, self._complete)
        return json.dumps(msgspec.to_builtins(packed))  # the standard library's JSON keeps lone surrogates

    def unpack(self, text: str) -> None:
        """Takes over what another process packed."""
        packed = msgspec.convert(json.loads(text), _Packed)
        self.found += packed.found
        self.mutants += packed.mutants
        self._collected = packed.collected
        self._complete = packed.complete

    def results(self) -> list[RunResult]:
        """One a subject."""
        return [self._result(spec) for spec in self.subjects]

    def _result(self, spec: str) -> RunResult:
        by_case: dict[str, list[CaseResult]] = {}
        for found in self.found:
            if found.subject == spec:
                by_case.setdefault(found.result.case, []).append(found.result)
        order = {name: at for at, name in enumerate((GOLDEN, *(plan.name for plan in self.settings.plans)))}
        cases = [_merged(results, order) for _, results in sorted(by_case.items())]
        used = {name for case in cases for reference in case.references for name in reference.divergences}
        stale: list[str] = []
        if self._complete and spec == "streamcore":
            stale = self.divergences.unused(used, {case.case for case in cases})
        return RunResult(
            subject=spec,
            plan=self.settings.plan_names,
            cases=tuple(cases),
            mutants=tuple(self.mutants),
            stale_divergences=tuple(stale),
            divergence_reasons=tuple((name, self.divergences.reason(name)) for name in sorted(used)),
            versions=check.versions(self.subjects[spec].version, spec, GoldenStore(self.settings.golden)),
            seed=self.settings.seed,
            problems=tuple(self._problems(cases)),
        )

    def _problems(self, cases: Sequence[CaseResult]) -> Iterator[str]:
        """What makes a run prove nothing although nothing in it failed."""
        if self.found and all(case.verdict is Verdict.NOT_CLAIMED for case in cases):
            yield "no case was claimed by the subject"
        elif self.found and not sum(case.body_bytes for case in cases):
            yield "no byte was replayed"
        elif self.found and not any(case.plans or case.references for case in cases):
            yield "nothing was compared"

    def finish(self, session: pytest.Session) -> None:
        """Judges the run as a whole, writes the reports, and fills ``summary``."""
        if not self._collected:
            return  # pytest has said why
        if not self.found and not self.mutants:
            self.summary.append(f"none of {self._collected} items was run: nothing was proved")
            return
        for at, result in enumerate(self.results()):
            self.summary += _told(result)
            bad = [*result.problems, *(f"stale divergence: {name}" for name in result.stale_divergences)]
            self.summary += [f"ERROR {line}" for line in bad]
            if bad and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._write(result, "" if at == 0 else f"-{at + 1}")

    def _write(self, result: RunResult, suffix: str) -> None:
        html, document = self.settings.html, self.settings.json
        if html is None and document is None:
            return
        from harness.report import DocumentError, write_reports  # brings a template engine

        document = document or (html or Path()).with_suffix(".json")
        html = html or document.with_suffix(".html")
        document, html = (path.with_stem(path.stem + suffix) for path in (document, html))
        try:
            write_reports(result, document, html)
        except (DocumentError, OSError) as error:
            self.summary.append(f"ERROR the report was not written: {error}")
        else:
            self.summary.append(f"reports: {html} and {document}")


@dataclass(frozen=True)
class Found:
    """What one item found out; ``subject`` as the user named it."""

    subject: str
    result: CaseResult


@dataclass(frozen=True)
class _Packed:
    found: list[Found]
    mutants: list[MutantResult]
    collected: int
    complete: bool


def _merged(results: Sequence[CaseResult], order: dict[str, int]) -> CaseResult:
    """The results of all items of one case as one."""
    first = next((result for result in results if result.references or not result.plans), results[0])
    plans = sorted((plan for result in results for plan in result.plans), key=lambda plan: order.get(plan.plan, 0))
    return dataclasses.replace(
        first,
        parts=max(result.parts for result in results),
        verdict=worst_of(result.verdict for result in results),
        plans=tuple(plans),
        differences=tuple(difference for result in results for difference in result.differences),
        reason=next((result.reason for result in results if result.reason), ""),
    )


def _told(result: RunResult) -> Iterator[str]:
    totals = result.totals
    caught = f"{totals['mutants_caught']} of {totals['mutants']} mutants caught"
    yield (
        f"{result.subject}: {totals['cases']:,} cases, {totals['bytes']:,} bytes, {totals['parts']:,} parts; "
        f"{totals['chunkings']:,} chunkings, {totals['splits']:,} splits, {totals['comparisons']:,} comparisons; "
        + (caught if totals["mutants"] else "no mutant run")
    )
    sampled = sum(plan.sampled for case in result.cases for plan in case.plans)
    if sampled:
        yield f"{sampled:,} plans were sampled, not run in full"
    if result.divergence_reasons:
        names = ", ".join(name for name, _ in result.divergence_reasons)
        yield f"{len(result.divergence_reasons)} named divergences were needed: {names}"
