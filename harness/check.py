"""``streamparity check``: finds cases and goldens, runs them, and says what came out."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness import cassette, transcripts
from harness.against.twin import stale_allowances
from harness.case import Case
from harness.chunking import Plan
from harness.corpus import CorpusError, corpus_cases
from harness.divergence import Divergences
from harness.exits import InputError, unknown
from harness.golden import GoldenCache, GoldenError, GoldenStore, ReferenceFailed
from harness.init.shipped import excused_here, shipped
from harness.mutants.mutation import STAGES, graded_cases, run_mutants
from harness.oracle import OracleError
from harness.pairs import AnswerError, read
from harness.references import REFERENCES, references_for
from harness.runner import Check, GoldenSource, check_cases
from harness.sharding import Shard, share, spelt
from harness.subjects.load import load_subject
from harness.subjects.reference import ReferenceSubject, without_known_alarms
from harness.verdict import CaseResult, MutantResult, RunResult, unproven

NOTHING_HERE = """\
{folder} is no folder with recordings, so there is nothing to check.
Run `streamparity check` in a checkout of streamparity, or name folders: --cassettes DIR --goldens DIR (or --corpus DIR).
To begin a project of your own, with recordings: `streamparity init`. To record: `streamparity record --help`."""

WITHOUT_ORACLE = """\
The recordings of a corpus are compared with what the TypeScript SDKs make of them here and now, so this needs Node and a
checkout of streamparity with `npm ci --ignore-scripts` run in golden/oracle. Without them: `streamparity check` compares
the cassettes with committed goldens, and `streamparity decode --dialect D FILE.body` shows what a body says."""


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    cassettes: Path | None
    """Folder of cassettes; None when only a corpus is to be checked."""
    goldens: Path
    plans: tuple[Plan, ...]
    plan_names: str
    corpora: tuple[Path, ...] = ()
    globs: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ("streamcore",)
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    mutants: bool = True
    cache: Path = Path(".streamparity/goldens")
    shard: Shard | None = None
    """Only this share of the cases; the first one runs the mutants."""

    @property
    def options(self) -> tuple[str, ...]:
        """The words of the command line that say where cases and goldens come from."""
        words = [word for corpus in self.corpora for word in ("--corpus", str(_from_here(corpus)))]
        cassettes, goldens = (self.cassettes and _from_here(self.cassettes)), _from_here(self.goldens)
        if cassettes not in (None, Path("cassettes")):
            words += ["--cassettes", str(cassettes)]
        if goldens != Path("golden"):
            words += ["--goldens", str(goldens)]
        return tuple(words)


def _from_here(path: Path) -> Path:
    """``path`` without the folder of this machine in which the run is made: reports are compared between machines."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def find_cases(cassettes: Path | None, corpora: Sequence[Path], globs: Sequence[str]) -> list[Case]:
    """Cases of cassettes and corpora whose id matches one of ``globs`` (all, if there are none), in order of id.

    Raises:
        InputError: a folder or file cannot be used.
    """
    if cassettes is not None and not cassettes.is_dir():
        raise InputError(NOTHING_HERE.format(folder=cassettes.absolute()))
    try:
        found = list(cassette.iter_cases(cassettes)) if cassettes is not None else []
        for case in found:
            if case.dialect not in REFERENCES:
                raise InputError(f"{case.source}: recorded.dialect: {unknown('dialect', case.dialect, REFERENCES)}")
        for corpus in corpora:
            found += corpus_cases(corpus)
    except (cassette.CassetteError, CorpusError) as error:
        others = _OF_OTHERS if "'recorded' is a required property" in str(error) else ""
        raise InputError(f"{error}{others}") from None
    by_id: dict[str, Case] = {}
    for case in found:
        if not case.hazard and (not_a_stream := _not_a_stream(case.body)):
            raise InputError(f"{case.source}: the body is {not_a_stream}, not a stream of events; {_RECORD_AGAIN}")
        if case.twin is not None:
            try:
                read(case.dialect, case.twin)
            except AnswerError as error:
                raise InputError(f"{case.source}: the twin of its stream is {error}; {_RECORD_AGAIN}") from None
        if case.id in by_id:
            raise InputError(f"two cases are called {case.id}: {by_id[case.id].source} and {case.source}; rename one")
        by_id[case.id] = case
    return sorted((case for case in by_id.values() if selected(case.id, globs)), key=lambda case: case.id)


_OF_OTHERS = "; if it is one of pytest-recording or vcrpy, keep those of streamparity in a folder of their own, and name that"
_RECORD_AGAIN = "record it again, with `accept-encoding: identity` and a key that is accepted"


def _not_a_stream(body: bytes) -> str:
    """What the body is instead, if it is what a recorder gets when something went wrong; empty if it is not."""
    if body.startswith(b"\x1f\x8b"):
        return "gzip data"
    start = body[:64].lstrip().lower()
    return "HTML" if start.startswith((b"<!doctype html", b"<html")) else ""


def selected(case_id: str, globs: Sequence[str]) -> bool:
    """Whether the id matches one of ``globs``; everything does, if there are none."""
    return not globs or any(case_id == glob or fnmatchcase(case_id, glob) for glob in globs)


Progress = Callable[[int], AbstractContextManager[Callable[[CaseResult], None]]]
"""Given the number of case results to come, a context in which each of them is told."""


def execute(
    request: Request,
    progress: Progress = lambda _: nullcontext(lambda _: None),
    shrinking: transcripts.Telling = lambda _: nullcontext(lambda _: None),
) -> list[RunResult]:
    """One result a subject. ``shrinking`` is told of the dialects whose recordings are shrunk, if any are.

    Raises:
        InputError: nothing to check, or input that cannot be used.
    """
    everything = find_cases(request.cassettes, request.corpora, ())
    cases = [case for case in everything if selected(case.id, request.globs)]
    about = (cases, everything, request.plans, request.globs)
    covers = covers_asked_for(*about, jobs=request.jobs, cache=request.cache, shrinking=shrinking)
    shrunk = transcripts_of(covers, cases, request.globs)
    if not cases and not shrunk:
        if request.globs:
            raise InputError(f"no case matches {' '.join(request.globs)}; `streamparity check --list` prints the ids")
        raise InputError(NOTHING_HERE.format(folder=(request.cassettes or Path("cassettes")).absolute()))
    mine = {case.id for case in share([*cases, *shrunk], request.shard)}
    cases, shrunk = ([case for case in some if case.id in mine] for some in (cases, shrunk))
    store = GoldenStore(request.goldens)
    own = Divergences.load(request.goldens / "divergences.yaml")
    divergences = excused_here(own, everything)
    source = _golden_source(request, cases, store)
    _require_goldens(cases, source)
    first = request.shard is None or request.shard[0] == 1
    mutants = _mutants(request, divergences, store) if request.mutants and first else []
    results = []
    for spec in request.subjects:
        subject = load_subject(spec)
        check = Check(spec, request.plans, divergences, request.options)
        with progress(len(cases) + len(shrunk)) as tell:
            outcomes = check_cases([*cases, *shrunk], check, source, jobs=request.jobs, on_result=tell)
        outcomes = [dataclasses.replace(one, source=_portable(one.source)) for one in outcomes]
        if isinstance(subject, ReferenceSubject):
            outcomes = [without_known_alarms(outcome, divergences) for outcome in outcomes]
        results.append(
            concluded(
                spec,
                subject.version,
                outcomes,
                plan=request.plan_names,
                own=own,
                everything=everything,
                whole=True,
                mutants=mutants,
                problems=(*_problems(outcomes, mutants, request), *lost(covers, request.globs)),
                store=store,
                shard=request.shard,
            )
        )
    return results


def _portable(source: str) -> str:
    """Where a case came from, which need be no path."""
    return _from_here(Path(source)).as_posix() if Path(source).is_absolute() else source


def covers_asked_for(
    cases: Sequence[Case],
    everything: Sequence[Case],
    plans: Sequence[Plan],
    globs: Sequence[str],
    *,
    jobs: int,
    cache: Path,
    shrinking: transcripts.Telling = lambda _: nullcontext(lambda _: None),
) -> list[transcripts.Cover]:
    """What is made of the recordings of each dialect if all chunkings are to be proven, or of those of which a transcript
    is asked for by name. It is always made of all of them, so that a name means one transcript.

    Args:
        cases: those of ``everything`` that match ``globs``, if there are any.
        everything: all recordings.
        plans: ``certificate`` without a number asks for transcripts.
        globs: what the user chose; the id of a transcript asks for it.
        jobs: processes.
        cache: the folder of made goldens; the transcripts are kept beside it.
        shrinking: is told of the dialects whose recordings are shrunk, if any are.
    """
    dialects: set[str] | None = transcripts.dialects_named(globs)
    if any(plan.kind == "certificate" and not plan.number for plan in plans):
        # Whoever asks for some cases does not ask for what other dialects could make of them.
        dialects = {*(dialects or ()), *(case.dialect for case in cases)} if globs else None
    if dialects is not None and not dialects:
        return []
    kept = cache.with_name("transcripts")
    return transcripts.covers(everything, dialects=dialects, jobs=jobs, cache=kept, telling=shrinking)


def transcripts_of(covers: Sequence[transcripts.Cover], cases: Sequence[Case], globs: Sequence[str]) -> list[Case]:
    """Those that are asked for by name, or were made of one of ``cases``."""
    chosen = {case.id for case in cases}
    made = (case for cover in covers for case in cover.transcripts)
    return [case for case in made if selected(case.id, globs) or case.shrunk_from in chosen]


def _golden_source(request: Request, cases: Sequence[Case], store: GoldenStore) -> Callable[[Case], GoldenSource]:
    if not request.corpora:
        return lambda _: store
    committed = {case.id for case in cassette.iter_cases(request.cassettes)} if request.cassettes is not None else set()
    cache = GoldenCache(request.cache)
    try:
        cache.make([case for case in cases if case.id not in committed])
    except OracleError as error:
        raise InputError(f"{error}\n{WITHOUT_ORACLE}") from None
    return lambda case: store if case.id in committed else cache


def _require_goldens(cases: Sequence[Case], source: Callable[[Case], GoldenSource]) -> None:
    """Before anything is run or written: a missing golden is missing input, not a finding about the subject.

    A reference that failed on a recording of a corpus is neither: that case ends in an error, and the others go on.
    """
    missing = []
    for case in cases:
        for reference in references_for(case):
            try:
                source(case).lines(case, reference.name)
            except ReferenceFailed:
                continue
            except GoldenError as error:
                missing.append(str(error))
    if missing:
        more = f" ({len(missing) - 1} more like it)" if len(missing) > 1 else ""
        raise InputError(f"{missing[0]}{more}")


def _mutants(request: Request, divergences: Divergences, store: GoldenStore) -> list[MutantResult]:
    """The mutants run on the committed cassettes, whatever else is checked; without any, on the cases of the corpus."""
    folder = request.cassettes or Path("cassettes")
    if folder.is_dir():
        return mutants_on(folder, find_cases(folder, (), ()), lambda _: store, divergences)
    cases = find_cases(None, request.corpora, request.globs)
    return mutants_on(folder, cases, _golden_source(request, cases, store), divergences)


def mutants_on(
    folder: Path, cases: Sequence[Case], goldens: Callable[[Case], GoldenSource], divergences: Divergences
) -> list[MutantResult]:
    """Every mutant on ``cases``, the recordings in ``folder``; those that these do not show, on what comes with streamparity.

    Recordings of one's own have few dialects, and seldom what a defect needs to show: that the harness would catch it is
    proven by others then, and said so (:attr:`~harness.verdict.MutantResult.shipped`). Hundreds of plans over each of them
    would seldom find more, and take minutes: the smallest of one's own are cut as every check of a case cuts them anyway,
    whole and into single bytes. ``streamparity mutants`` takes its time.
    """
    catalogue = graded_cases(folder)
    try:
        home = shipped()
    except FileNotFoundError:
        home = folder.parent
    if (home / "cassettes").resolve() == folder.resolve():
        return run_mutants(cases, goldens, divergences, catalogue)
    found = run_mutants(cases, goldens, divergences, catalogue, stages=STAGES[:1], most=_OWN)
    escaped = {one.name for one in found if not one.caught}
    store, known = GoldenStore(home / "golden"), Divergences.load(home / "golden" / "divergences.yaml")
    theirs = find_cases(home / "cassettes", (), ()) if escaped else []
    others = run_mutants(theirs, lambda _: store, known, graded_cases(home / "cassettes"), escaped)
    caught = {one.name: dataclasses.replace(one, shipped=True) for one in others if one.caught}
    return [caught.get(one.name, one) for one in found]


def concluded(
    spec: str,
    version: str,
    outcomes: Sequence[CaseResult],
    *,
    plan: str,
    own: Divergences,
    everything: Sequence[Case],
    whole: bool,
    mutants: Sequence[MutantResult],
    problems: Sequence[str],
    store: GoldenStore,
    seed: int = 0,
    shard: Shard | None = None,
) -> RunResult:
    """What a subject showed, as it is reported: with the divergences and allowances that nobody needed, and the versions.

    Args:
        spec: the subject, as the user named it.
        version: the subject's.
        outcomes: one result a case.
        plan: as the user named the plans.
        own: the divergences of the project; what comes with streamparity beside them is never stale.
        everything: all recordings that there are, run or not.
        whole: whether nothing that the results tell of was left out, so that it can be told what nobody needs. Only
            streamcore is to need any of it: divergences are about it, and another subject need not have them.
        mutants: what became of each.
        problems: why the run proves nothing.
        store: the goldens, which know what made them.
        seed: of the random plans.
        shard: which share of the cases this is, if it is one.
    """
    used = {name for case in outcomes for reference in case.references for name in reference.divergences}
    judges = whole and spec == "streamcore" and shard is None
    reasons = excused_here(own, everything)
    return RunResult(
        subject=spec,
        plan=plan,
        cases=tuple(outcomes),
        mutants=tuple(mutants),
        stale_divergences=tuple(
            own.unused(used, {case.case for case in outcomes}, [case.id for case in everything]) if judges else ()
        ),
        stale_allowances=tuple(stale_allowances(outcomes, everything) if judges else ()),
        divergence_reasons=tuple((name, reasons.reason(name)) for name in sorted(used)),
        versions=versions(version, spec, store),
        seed=seed,
        problems=tuple(problems),
        shard=spelt(shard),
    )


_OWN = 20
"""Recordings of one's own that a mutant is run on."""


def versions(subject_version: str, spec: str, store: GoldenStore) -> tuple[tuple[str, str], ...]:
    try:
        own = version("streamparity")
    except PackageNotFoundError:
        own = "uninstalled"
    sdks = sorted(store.sdk_versions().items())
    return (("streamparity", own), ("python", platform.python_version()), (f"subject {spec}", subject_version), *sdks)


def lost(covers: Sequence[transcripts.Cover], globs: Sequence[str]) -> list[str]:
    """The transcripts of all recordings stand for them: what they leave out is proven of nothing."""
    return [] if globs else [f"the transcripts of {one.statement}" for one in covers if one.lost]


def _problems(cases: Sequence[CaseResult], mutants: Sequence[MutantResult], request: Request) -> Iterator[str]:
    """What makes a run prove nothing although nothing in it failed."""
    if request.shard is not None:
        return  # what the run as a whole shows is known when all shards are merged
    yield from unproven(cases, goldens=True)
    if request.mutants and not mutants:
        yield "no mutant was run"
