"""What a run of pytest is asked to replay: command line, marker and ini file, in that order."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import check
from harness.cassette import CassetteError
from harness.chunking import Plan, PlanError, parse_plans
from harness.corpus import CorpusError
from harness.divergence import DivergenceError
from harness.exits import InputError
from harness.golden import GoldenCache, GoldenError, GoldenStore
from harness.oracle import OracleError
from harness.references import references_for
from harness.sharding import Shard, parse_shard, share, spelt
from harness.subjects.load import SubjectError, load_subject
from harness.transcripts import dialects_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.case import Case
    from harness.runner import GoldenSource
    from harness.subjects import Subject

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
def raised_as(kind: type[Exception], where: str = "") -> Iterator[None]:
    """:data:`KNOWN_ERRORS` become ``kind``, which pytest prints without a traceback, behind the words ``where``."""
    try:
        yield
    except KNOWN_ERRORS as error:
        raise kind(where + str(error)) from None


@contextmanager
def failed_as() -> Iterator[None]:
    """:data:`KNOWN_ERRORS` fail the test that is set up, without a traceback."""
    try:
        yield
    except KNOWN_ERRORS as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@dataclass(frozen=True)
class Settings:
    """What the command line and the ini file ask for."""

    subjects: tuple[str, ...]
    plans: tuple[Plan, ...]
    plan_names: str
    cassettes: Path | None
    """None when only a corpus is to be replayed."""
    golden: Path
    known_divergences: Path
    corpora: tuple[Path, ...]
    globs: tuple[str, ...]
    shard: Shard | None
    """(k, n): the k-th of n, from 1."""
    seed: int
    mutants: bool
    html: Path | None
    json: Path | None
    cache: Path
    jobs: int
    """Processes that recordings are shrunk in."""
    makes_goldens: bool
    """Whether goldens that are missing are made before they are wanted."""
    root: Path
    """Where modules of the user's own are looked for, beside the folder in which pytest was started."""
    repeat: tuple[str, ...]
    """The options of this run that a command must have that repeats a part of it."""

    @classmethod
    def of(cls, config: pytest.Config, *, plan: str | None = None, subject: str | None = None) -> Settings:
        """Reads them; ``plan`` and ``subject`` stand between the command line and the ini file.

        Raises:
            PlanError: no such plan.
            InputError: no such shard, no such file of divergences, or a report that cannot be written.
        """
        option, ini = config.option, partial(_ini, config)
        here, root = config.invocation_params.dir, config.rootpath
        corpora = [here / name for name in option.parity_corpus or ()]
        corpora = corpora or [root / name for name in listed(ini("parity_corpus"))]
        cassettes = here / option.parity_cassettes if option.parity_cassettes else None
        if cassettes is None and (ini("parity_cassettes") or not corpora):
            cassettes = root / (ini("parity_cassettes") or "cassettes")
        golden = here / option.parity_golden if option.parity_golden else root / (ini("parity_golden") or "golden")
        divergences = golden / "divergences.yaml"
        if option.known_divergences or ini("parity_known_divergences"):
            given = option.known_divergences
            divergences = here / given if given else root / ini("parity_known_divergences")
            if not divergences.is_file():
                raise InputError(f"{divergences}: no such file of divergences; write `[]` into one if there are none")
        named = option.parity_subject or ([subject] if subject else listed(ini("parity_subject")))
        plan_names = option.parity_plan or plan or ini("parity_plan") or ("smoke" if corpora else "standard")
        html, document = _reports(here, option.parity_report, option.parity_json)
        return cls(
            subjects=tuple(named or ("streamcore",)),
            plans=tuple(_seeded(one, option.parity_seed) for one in parse_plans(plan_names)),
            plan_names=plan_names,
            cassettes=cassettes,
            golden=golden,
            known_divergences=divergences,
            corpora=tuple(corpora),
            globs=tuple(option.parity_case or ()),
            shard=parse_shard(option.parity_shard, "--parity-shard") if option.parity_shard else None,
            seed=option.parity_seed,
            mutants=not option.parity_no_mutants,
            html=html,
            json=document,
            cache=root / ".streamparity/goldens",
            jobs=1 if hasattr(config, "workerinput") else os.cpu_count() or 1,
            makes_goldens=bool(option.update_golden),
            root=root,
            repeat=tuple(_given(option)),
        )

    def header(self) -> str:
        """One line for the head of the run."""
        sources = [str(path) for path in (self.cassettes, *self.corpora) if path is not None]
        part = f"; shard {spelt(self.shard)}" if self.shard else ""
        return f"streamparity: {', '.join(self.subjects)}; plan {self.plan_names}; {', '.join(sources)}{part}"

    def cases(self) -> list[Case]:
        """The cases, without transcripts.

        Raises:
            InputError: a folder or a file cannot be used, or there is no case.
        """
        found = self._found()
        if not found and not dialects_named(self.globs):
            where = " and ".join(str(path) for path in (self.cassettes, *self.corpora) if path is not None)
            wanted = f" matches {' '.join(self.globs)}" if self.globs else ""
            known = "`pytest --parity --collect-only -q` without --parity-case lists them"
            advice = known if self.globs else "`streamparity init` brings some, `streamparity record --help` tells of more"
            raise InputError(f"no case in {where}{wanted}: nothing would be proved; {advice}")
        if self.corpora or self.makes_goldens or self.golden.is_dir() or not any(map(references_for, found)):
            return found
        advice = f"name it with --parity-golden or parity_golden{_slashes(self.golden)}"
        raise InputError(f"{self.golden}: no such folder of goldens; {advice}")

    def subject(self, spec: str) -> Subject:
        """The subject that ``spec`` names; modules are looked for in the root folder, too, from wherever pytest was started.

        Raises:
            SubjectError: there is none, or it cannot be used.
        """
        if str(self.root) not in sys.path:
            sys.path.append(str(self.root))
        try:
            return load_subject(spec)
        except SubjectError as error:
            looked = f"; looked in {self.root}, in the folder of this shell, and where {sys.executable} has its packages"
            raise SubjectError(f"{error}{looked if 'cannot import' in str(error) else ''}") from None

    def transcripts(self, cases: Sequence[Case], node_ids: Sequence[str]) -> tuple[list[Case], list[str]]:
        """What is replayed beside ``cases``, if all chunkings are to be proven; and what that leaves out, in lines.

        ``node_ids`` are items that the command line names: then nothing else is asked for.
        """
        named = [name.split("::")[1] for name in node_ids if name.count("::")]
        chosen = [case for case in cases if not named or case.id in named]
        globs = (*self.globs, *named)
        proving = any(plan.kind == "certificate" and not plan.number for plan in self.plans)
        if not proving and not dialects_named(globs):
            return [], []
        everything = check.find_cases(self.cassettes, self.corpora, ())
        covers = check.covers_asked_for(chosen, everything, self.plans, globs, jobs=self.jobs, cache=self.cache)
        return check.transcripts_of(covers, chosen, globs), check.lost(covers, globs)

    def _found(self) -> list[Case]:
        if self.cassettes is not None and not self.cassettes.is_dir():
            what = "a file, and no folder of cassettes" if self.cassettes.exists() else "no such folder of cassettes"
            advice = f"name it with --parity-cassettes or parity_cassettes{_slashes(self.cassettes)}; `streamparity init` makes one"
            raise InputError(f"{self.cassettes}: {what}; {advice}")
        return check.find_cases(self.cassettes, self.corpora, self.globs)

    def recorded(self) -> list[Case]:
        """The cases of all cassettes, whatever was chosen of them; their goldens are stored.

        Raises:
            InputError: a file cannot be used.
        """
        return check.find_cases(self.cassettes, (), ()) if self.cassettes is not None else []

    def share(self, cases: Sequence[Case]) -> list[Case]:
        """Those of ``cases`` that are this shard's."""
        return share(cases, self.shard)

    def goldens(self, cases: Sequence[Case]) -> Callable[[Case], GoldenSource]:
        """Where the goldens of each case come from; those of a corpus are made now, unless they are there.

        Raises:
            InputError, OracleError: they cannot be made.
        """
        store = GoldenStore(self.golden)
        if not self.corpora:
            return lambda _: store
        committed = {case.id for case in self.recorded()}
        cache = GoldenCache(self.cache, self.golden)
        cache.make([case for case in cases if case.id not in committed])
        return lambda case: store if case.id in committed else cache


def _ini(config: pytest.Config, key: str) -> str:
    """A key of the ini file.

    Raises:
        InputError: it is a list, which pytest takes for text at most with a warning.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = config.getini(key)
    if not isinstance(value, str):
        raise InputError(f"{config.inipath}: {key} is {value!r}: write one text, with several names separated by spaces")
    return value


def listed(text: str) -> list[str]:
    """The words of an ini value, those with spaces in quotes. A backslash is one: paths of Windows have them."""
    words = shlex.shlex(text, posix=True, punctuation_chars=False)
    words.whitespace_split, words.commenters, words.escape = True, "", ""
    try:
        return list(words)
    except ValueError:
        raise InputError(f"{text!r} in the ini file of pytest: a quotation mark is not closed") from None


def _slashes(path: Path) -> str:
    return " (with / between folders, as every system takes it)" if os.sep != "\\" and "\\" in str(path) else ""


def _reports(here: Path, html: str | None, document: str | None) -> tuple[Path | None, Path | None]:
    """Where the page and the document are to go: found out before the run, and not after it.

    Raises:
        InputError: they cannot go there.
    """
    page, data = (here / name if name else None for name in (html, document))
    if page is None and data is None:
        return None, None
    page, data = page or (data or Path()).with_suffix(".html"), data or (page or Path()).with_suffix(".json")
    if page == data:
        raise InputError(f"{page}: both the page and the document would go there; call one .html and the other .json")
    for path in (page, data):
        nearest = next(one for one in path.parents if one.exists())
        what = "is a folder" if path.is_dir() else "" if nearest.is_dir() else f"{nearest} is no folder"
        what = what or ("" if os.access(nearest, os.W_OK) else f"nothing can be written to {nearest}")
        if what:
            raise InputError(f"{path}: the report cannot go there: {what}; name a file with --parity-report or --parity-json")
    return page, data


def _seeded(plan: Plan, seed: int) -> Plan:
    if plan.kind != "random" or not seed:
        return plan
    return Plan(f"random:{plan.number + seed}", "random", plan.number + seed)


def _given(option: Any) -> Iterator[str]:
    for name in ("subject", "cassettes", "golden", "corpus"):
        value = getattr(option, f"parity_{name}")
        for one in [value] if isinstance(value, str) else value or ():
            yield f"--parity-{name}={one}"
    if option.known_divergences:
        yield f"--known-divergences={option.known_divergences}"
