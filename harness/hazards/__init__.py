"""The catalogue of wire hazards, and grades: what a subject makes of each, however it is cut.

``cassettes/hazards/<layer>.yaml`` holds a layer of the catalogue, described by ``schemas/hazards.schema.json``::

    layer: SSE lines
    hazards:
      - id: WH-010
        class: cr-only
        requirement: a lone CR ends a line as LF does
        issues: [owner/repository#12]
        cases:
          openai-chat/wh-010-cr-only:         # an ordinary cassette
            exact: {text: ab, finish: stop}   # patterns, see harness.hazards.outcomes
            acceptable: [{why: what another sound reader chooses, error: incomplete_stream}]
            wrong: [{name: nothing until the end, late: {not: ""}}]
        wrong: [...]                          # the same for all cases
        not_here: what of it a recorded body cannot show, and what shows it

A grade is ``exact``, ``acceptable``, or wrong: by the name of a known defect, ``unlisted`` if nobody has named it, or because
it depends on the cut. Each case is fed whole, byte by byte, and in two at every byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness import yaml_lines
from harness.case import Case
from harness.cassette import NOT_CASSETTES
from harness.exits import InputError, unknown
from harness.hazards.outcomes import Observed, misfits, observe, shows
from harness.pairs import compare
from harness.pool import processes
from harness.subjects import NotClaimed, PartJson, Subject
from harness.yaml_lines import YamlError

Outcome = Mapping[str, Any]


class Rank(StrEnum):
    """The closed set of grades, from best to worst."""

    EXACT = "exact"
    ACCEPTABLE = "acceptable"
    NOT_HERE = "not-here"
    """No recorded body can show it."""
    NOT_CLAIMED = "not-claimed"
    """The subject reads none of the dialects of its cases."""
    WRONG = "wrong"


_SEVERITY = {rank: number for number, rank in enumerate(Rank)}


@dataclass(frozen=True, slots=True)
class Grade:
    """A rank, and for an acceptable or a wrong outcome which one."""

    rank: Rank
    name: str = ""

    def __str__(self) -> str:
        return f"{self.rank}: {self.name}" if self.name else str(self.rank)


@dataclass(frozen=True, slots=True)
class Graded:
    """What one case is to come to."""

    case: str
    exact: Outcome
    acceptable: tuple[Outcome, ...] = ()
    """Each with ``why``."""
    wrong: tuple[Outcome, ...] = ()
    """Each with ``name``."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One row of the catalogue."""

    id: str
    kind: str
    """Its class, such as ``utf8-split``."""
    layer: str
    requirement: str
    issues: tuple[str, ...]
    cases: tuple[Graded, ...]
    not_here: str = ""


@dataclass(frozen=True, slots=True)
class CaseGrade:
    """What a subject made of one case. ``cuts`` counts the ways it was fed."""

    case: str
    grade: Grade
    cuts: int = 0


@dataclass(frozen=True, slots=True)
class HazardGrade:
    """What a subject made of one hazard: the worst of its cases."""

    hazard: Hazard
    cases: tuple[CaseGrade, ...]

    @property
    def grade(self) -> Grade:
        """Of all its cases; those that the subject does not claim count only if it claims none."""
        grades = [one.grade for one in self.cases if one.grade.rank is not Rank.NOT_CLAIMED]
        if not grades:
            return Grade(Rank.NOT_CLAIMED if self.cases else Rank.NOT_HERE)
        return max(grades, key=lambda grade: _SEVERITY[grade.rank])


def load_catalogue(cassettes: Path) -> list[Hazard]:
    """Every hazard of ``<cassettes>/hazards/*.yaml``, in order of their ids.

    Raises:
        InputError: there are none, a file cannot be used, or an id stands twice.
    """
    found: dict[str, Hazard] = {}
    for path in sorted((cassettes / NOT_CASSETTES).glob("*.yaml")):
        for hazard in _read(path):
            if hazard.id in found:
                raise InputError(f"{path}: {hazard.id} stands twice in the catalogue; remove one")
            found[hazard.id] = hazard
    if not found:
        raise InputError(
            f"{cassettes / NOT_CASSETTES}: there is no catalogue of hazards; run in a checkout of streamparity, "
            "or name its cassettes: --cassettes DIR"
        )
    return [found[key] for key in sorted(found)]


def select(hazards: Sequence[Hazard], layers: Sequence[str]) -> list[Hazard]:
    """The hazards of the layers that begin with one of ``layers``, whatever the case; all, if there are none.

    Raises:
        InputError: no layer is called so.
    """
    known = list(dict.fromkeys(hazard.layer for hazard in hazards))
    for name in layers:
        if not any(layer.lower().startswith(name.lower()) for layer in known):
            raise InputError(unknown("layer", name, known))
    return [one for one in hazards if not layers or any(one.layer.lower().startswith(n.lower()) for n in layers)]


def _read(path: Path) -> Iterator[Hazard]:
    try:
        document = yaml_lines.read(path)
    except YamlError as error:
        raise InputError(error.at(path)) from None
    for misfit in document.misfits("hazards"):
        where = ".".join(map(str, misfit.steps)) or "top level"
        raise InputError(f"{path}:{misfit.line}: {where}: not a layer of hazards: {misfit.what}")
    data = document.value
    for entry in data["hazards"]:
        common = tuple(entry.get("wrong", ()))
        yield Hazard(
            id=entry["id"],
            kind=entry["class"],
            layer=data["layer"],
            requirement=entry["requirement"],
            issues=tuple(entry["issues"]),
            cases=tuple(
                Graded(case, item["exact"], tuple(item.get("acceptable", ())), (*item.get("wrong", ()), *common))
                for case, item in entry.get("cases", {}).items()
            ),
            not_here=entry.get("not_here", ""),
        )


def grade_of(graded: Graded, observed: Observed) -> Grade:
    """The grade of one outcome."""
    if not misfits(graded.exact, observed, exact=True):
        return Grade(Rank.EXACT)
    for outcome in graded.acceptable:
        if not misfits(_fields(outcome), observed, exact=False):
            return Grade(Rank.ACCEPTABLE, outcome["why"])
    for outcome in graded.wrong:
        if shows(_fields(outcome), observed):
            return Grade(Rank.WRONG, outcome["name"])
    return Grade(Rank.WRONG, f"unlisted ({', '.join(misfits(graded.exact, observed, exact=True))})")


def _fields(outcome: Outcome) -> Outcome:
    return {key: value for key, value in outcome.items() if key not in ("why", "name")}


@dataclass(frozen=True, slots=True)
class _Said:
    """All that one run gave."""

    fed: list[PartJson]
    closed: list[PartJson]
    warnings: list[str] | None
    frames: int | None
    at_end: bool

    def observed(self, case: Case) -> Observed:
        """What it comes to."""
        found = observe(self.fed, self.closed, self.warnings, self.frames, at_end=self.at_end)
        held = compare(case, [*self.fed, *self.closed])
        found.twin = None if held is None else [one.path for one in held.unlike]
        return found


def _said(subject: Subject, case: Case, pieces: Sequence[bytes]) -> _Said:
    session = subject.open(case)
    fed: list[PartJson] = []
    for piece in pieces:
        fed += session.feed(piece)
    closed = session.close()
    warnings = getattr(session, "warnings", None)
    told = None if warnings is None else list(warnings)
    return _Said(fed, closed, told, getattr(session, "frames", None), getattr(session, "at_end", False))


def observed_of(subject: Subject, case: Case, pieces: Sequence[bytes]) -> tuple[list[PartJson], Observed]:
    """The parts of one run, and what they come to; whatever the subject raises goes through."""
    said = _said(subject, case, pieces)
    return [*said.fed, *said.closed], said.observed(case)


def grade_case(graded: Graded, subject: Subject, case: Case, *, step: int = 1) -> CaseGrade:
    """One case, whole, byte by byte, and cut in two at every byte (or, to be quick, at every ``step``-th)."""
    if not subject.claims(case.dialect):
        return CaseGrade(case.id, Grade(Rank.NOT_CLAIMED))
    body = case.body
    cuts: list[tuple[str, list[bytes]]] = [("whole", [body] if body else [])]
    if len(body) > 1:
        cuts.append(("bytes", [body[at : at + 1] for at in range(len(body))]))
        cuts += [(f"split@{at}", [body[:at], body[at:]]) for at in range(1, len(body), step)]
    known: list[tuple[Observed, Grade]] = []
    last: _Said | None = None
    for count, (name, pieces) in enumerate(cuts, 1):
        try:
            said = _said(subject, case, pieces)
            if said == last:  # as nearly always: what the same parts come to need not be found out again
                continue
            last, observed = said, said.observed(case)
        except NotClaimed:
            return CaseGrade(case.id, Grade(Rank.NOT_CLAIMED))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is what it makes of the case
            return CaseGrade(case.id, Grade(Rank.WRONG, f"raised {type(error).__name__} ({name})"), count)
        grade = next((grade for seen, grade in known if seen == observed), None)
        if grade is None:
            grade = grade_of(graded, observed)
            known.append((observed, grade))
        first = known[0][1]
        if grade != first:
            told = grade.name if grade.rank is Rank.WRONG else str(grade)
            return CaseGrade(case.id, Grade(Rank.WRONG, f"depends on the cut ({name}: {told}; whole: {first})"), count)
        if grade.rank is Rank.WRONG:
            return CaseGrade(case.id, grade, count)
    return CaseGrade(case.id, known[0][1], len(cuts))


def _grade_in_worker(spec: str, graded: Graded, case: Case) -> CaseGrade:
    from harness.subjects.load import load_subject

    return grade_case(graded, load_subject(spec), case)


def grade_hazards(
    hazards: Sequence[Hazard],
    cases: Sequence[Case],
    spec: str,
    *,
    jobs: int = 1,
    on_grade: Callable[[CaseGrade], None] = lambda _: None,
) -> list[HazardGrade]:
    """Every hazard, in order; ``spec`` names the subject as :func:`harness.subjects.load.load_subject` takes it.

    Raises:
        InputError: the catalogue names a case that is not there.
    """
    by_id = {case.id: case for case in cases}
    for hazard in hazards:
        for graded in hazard.cases:
            if graded.case not in by_id:
                raise InputError(f"{hazard.id}: {unknown('case', graded.case, by_id)[:200]}")
    wanted = [(hazard.id, graded) for hazard in hazards for graded in hazard.cases]
    done: dict[tuple[str, str], CaseGrade] = {}
    if jobs <= 1:
        for key, graded in wanted:
            done[key, graded.case] = _grade_in_worker(spec, graded, by_id[graded.case])
            on_grade(done[key, graded.case])
    else:
        with processes(jobs, len(wanted)) as pool:
            futures = [pool.submit(_grade_in_worker, spec, graded, by_id[graded.case]) for _, graded in wanted]
            for (key, graded), future in zip(wanted, futures, strict=True):
                done[key, graded.case] = future.result()
                on_grade(done[key, graded.case])
    return [HazardGrade(one, tuple(done[one.id, graded.case] for graded in one.cases)) for one in hazards]
