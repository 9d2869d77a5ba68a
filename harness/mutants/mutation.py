"""The proof that the proof has teeth: every mutant must be caught.

A mutant is a subject with one planted defect. It is run through the very same checks as any subject, case by case, until
one of them goes red. A mutant that no case catches makes the whole run red: either the cases lost what caught it, or the
harness did.

What catches a mutant must spare the core, which is the control: a case on which the core itself fails, or one that the
mutant fails for what carries its defect and not for the defect, catches nobody.

Where the references themselves are wrong, a defect that only repeats what they do is no difference from a golden. Those
cases are in the catalogue of hazards with what should come of them; so the last thing a mutant is held against is that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from harness.case import Case
from harness.cassette import NOT_CASSETTES
from harness.chunking import Chunking, parse_plan
from harness.difference import rule_broken
from harness.divergence import Divergences
from harness.golden import GoldenError
from harness.hazards import Graded, Rank, grade_of, load_catalogue, observed_of
from harness.minimal import minimal_cut
from harness.mutants import MUTANTS, Mutant
from harness.mutants.base import CORE
from harness.proof import run
from harness.references import references_for
from harness.runner import Check, GoldenSource, check_case
from harness.subjects import Subject
from harness.verdict import CaseResult, Difference, MutantResult, Verdict

EVERY_CASE = ("whole", "bytes")
"""What every check of a case runs anyway, and to which most mutants fall."""
CHEAP = ("every:7", "random:1")
COSTLY = ("random:2", "structural", "cut-at-every-byte")
PLANS = (*EVERY_CASE, *CHEAP, *COSTLY)
"""Enough to catch each of them."""
HAZARDS = "hazards"
"""Stands where the name of a plan does, for what the catalogue of hazards expects."""
STAGES = (EVERY_CASE, CHEAP, (HAZARDS,), COSTLY)
"""Each is run on all cases before the next is run on any."""

BIGGEST_BODY = 20_000
"""Bytes; larger cases would cost much and catch nothing that a small one does not."""

_BROKEN = (Verdict.FAIL, Verdict.ERROR)


@dataclass(frozen=True)
class Catch:
    """What a case showed of a mutant."""

    case: str
    plans: tuple[str, ...]
    """Those that failed, as :data:`PLANS` names them, or :data:`HAZARDS`; never none."""
    difference: Difference | None = None
    """The first; None for an exception and for a grade."""
    told: str = ""
    """What is known beside the difference: the exception, the grade."""


@dataclass
class Bench:
    """Cases on which mutants are run, and everything that they are held against."""

    cases: Sequence[Case]
    """Smallest first."""
    goldens: Callable[[Case], GoldenSource]
    divergences: Divergences
    catalogue: Mapping[str, Graded] = field(default_factory=dict)
    """By case."""
    _alarms: dict[tuple[str, tuple[str, ...]], Catch | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        cases: Sequence[Case],
        goldens: Callable[[Case], GoldenSource],
        divergences: Divergences,
        catalogue: Mapping[str, Graded] | None = None,
    ) -> Bench:
        """Those of ``cases`` that are small enough and have their goldens."""
        usable = [case for case in cases if len(case.body) <= BIGGEST_BODY and _has_goldens(case, goldens(case))]
        return cls(sorted(usable, key=lambda case: (len(case.body), case.id)), goldens, divergences, catalogue or {})

    def claimed(self, mutant: Mutant) -> list[Case]:
        """The cases that can prove something about a mutant."""
        return [case for case in self.cases if mutant.claims(case.dialect) and case.hazard not in mutant.beyond]

    def catch(self, mutant: Mutant, case: Case, plans: tuple[str, ...]) -> Catch | None:
        """What ``plans`` show of a mutant on one case; None if nothing, or if the core fails there too."""
        found = self._failure(mutant, f"mutant:{mutant.name}", case, plans)
        return found if found is not None and self.alarm(case, plans) is None else None

    def alarm(self, case: Case, plans: tuple[str, ...]) -> Catch | None:
        """What the same plans show of the core on the same case, which should be nothing."""
        key = (case.id, plans)
        if key not in self._alarms:
            self._alarms[key] = self._failure(CORE, "streamcore", case, plans)
        return self._alarms[key]

    def explained(self, mutant: Mutant, catch: Catch) -> Difference | None:
        """The difference of a catch with its minimal cut, where it has one.

        What the catalogue calls wrong has one too: that a grade is wrong is a failure as any other.
        """
        case = next(case for case in self.cases if case.id == catch.case)
        plans = EVERY_CASE if catch.plans[0] in EVERY_CASE else catch.plans[:1]
        if plans == (HAZARDS,):
            return self._least_misgraded(mutant, case)
        check = Check(f"mutant:{mutant.name}", tuple(map(parse_plan, plans)), self.divergences)
        differences = _real(check_case(case, mutant, check, self.goldens(case)))
        return next((one for one in differences if one.minimal is not None), catch.difference)

    def _failure(self, subject: Subject, spec: str, case: Case, plans: tuple[str, ...]) -> Catch | None:
        if plans == (HAZARDS,):
            return self._misgraded(subject, case)
        check = Check(spec, tuple(map(parse_plan, plans)), self.divergences, minimal=False)
        result = check_case(case, subject, check, self.goldens(case))
        if result.verdict is Verdict.ERROR:
            return Catch(case.id, (_raising(subject, case, plans),), None, result.reason)
        differences = _real(result)
        if result.verdict not in _BROKEN or not differences:
            return None
        return Catch(case.id, tuple(_failed(differences, result)), differences[0], differences[0].note)

    def _misgraded(self, subject: Subject, case: Case) -> Catch | None:
        """Whole and byte by byte; what every other cut gives is what the plans are for."""
        found = self._first_misgraded(subject, case)
        return Catch(case.id, (HAZARDS,), None, found[1]) if found is not None else None

    def _first_misgraded(self, subject: Subject, case: Case) -> tuple[Chunking, str] | None:
        chunkings = (next(parse_plan(plan).chunkings(case)) for plan in EVERY_CASE) if case.id in self.catalogue else ()
        for chunking in chunkings:
            told = self._complaint(subject, case, chunking)
            if told:
                return chunking, told
        return None

    def _complaint(self, subject: Subject, case: Case, chunking: Chunking) -> str:
        """What the catalogue says against one way of cutting a case; empty if nothing."""
        try:
            _, observed = observed_of(subject, case, [piece for piece in chunking.chunks(case.body) if piece])
        except Exception as error:  # noqa: BLE001 - a subject may raise anything: that is what it makes of the case
            return f"{type(error).__name__}: {error}"
        grade = grade_of(self.catalogue[case.id], observed)
        return str(grade) if grade.rank is Rank.WRONG else ""

    def _least_misgraded(self, mutant: Mutant, case: Case) -> Difference | None:
        found = self._first_misgraded(mutant, case)
        if found is None:
            return None
        start, told = found
        spec = f"mutant:{mutant.name}"
        again = f"streamparity check --hazards --case {case.id} --subject {spec}"
        least = minimal_cut(case, lambda chunking: self._complaint(mutant, case, chunking) != "", start, subject=spec)
        broken = rule_broken(case, HAZARDS, start.name, told, subject=spec)
        return replace(broken, reproduce=again, minimal=least and replace(least, reproduce=again))


def _real(result: CaseResult) -> list[Difference]:
    """What is wrong with the parts. Offsets count bytes of the body, and a mutant may have fed the core others."""
    return [one for one in result.differences if one.against != "state"]


def _failed(differences: Sequence[Difference], result: CaseResult) -> Iterator[str]:
    """Names of the plans that failed. The uncut body and single bytes are always run, whatever plans there are."""
    if any(one.plan == "whole" and one.against != "bytes" for one in differences):
        yield "whole"
    if any(one.plan == "bytes" or (one.plan == "whole" and one.against == "bytes") for one in differences):
        yield "bytes"
    yield from (one.plan for one in result.plans if one.verdict is Verdict.FAIL and one.plan not in EVERY_CASE)


def _raising(subject: Subject, case: Case, plans: Sequence[str]) -> str:
    """The plan under which a subject raises: that of the uncut body if it does so there too."""
    try:
        run(subject.open(case), case.body, next(parse_plan("whole").chunkings(case)))
    except Exception:  # noqa: BLE001 - as above
        return "whole"
    return next((plan for plan in plans if plan != "whole"), "bytes")


def graded_cases(cassettes: Path) -> dict[str, Graded]:
    """What the catalogue of hazards beside the cassettes expects, by case; nothing if there is no catalogue.

    Raises:
        InputError: there is one, and it cannot be used.
    """
    if not any((cassettes / NOT_CASSETTES).glob("*.yaml")):
        return {}
    return {graded.case: graded for hazard in load_catalogue(cassettes) for graded in hazard.cases}


def run_mutants(
    cases: Sequence[Case],
    goldens: Callable[[Case], GoldenSource],
    divergences: Divergences,
    catalogue: Mapping[str, Graded] | None = None,
    names: Collection[str] | None = None,
    stages: Sequence[tuple[str, ...]] = STAGES,
    most: int | None = None,
) -> list[MutantResult]:
    """Each mutant, or those called ``names``, against ``cases``, smallest first and ``most`` at most, until caught; ``stages``
    are the plans."""
    bench = Bench.of(cases, goldens, divergences, catalogue)
    chosen = [mutant for name, mutant in MUTANTS.items() if names is None or name in names]
    return [_result(mutant, *hunt(mutant, bench, stages, most)) for mutant in chosen]


def hunt(
    mutant: Mutant, bench: Bench, stages: Sequence[tuple[str, ...]] = STAGES, most: int | None = None
) -> tuple[Catch | None, int]:
    """The first catch of a mutant, and how many cases it was run on until then."""
    cases = bench.claimed(mutant)
    made_for_it = [case for case in cases if case.id == mutant.shown or case.hazard == mutant.requirement]
    cases = cases[:most]
    # Plan by plan over all cases: most mutants fall to a whole body or to single bytes, which cost next to nothing.
    for among, stage in product((made_for_it, cases), stages):
        for tried, case in enumerate(among, 1):
            catch = bench.catch(mutant, case, stage)
            if catch is not None:
                return catch, tried
    return None, len(cases)


def _has_goldens(case: Case, goldens: GoldenSource) -> bool:
    """A case without a golden ends in an error whatever the subject does: it must not count as having caught one."""
    try:
        for reference in references_for(case):
            goldens.lines(case, reference.name)
    except GoldenError:
        return False
    return True


def _result(mutant: Mutant, catch: Catch | None, tried: int) -> MutantResult:
    result = MutantResult(mutant.name, mutant.description, caught=False, tried=tried)
    if catch is None:
        return result
    plan = catch.difference.plan if catch.difference else catch.plans[0]
    return replace(result, caught=True, case=catch.case, plan=plan, difference=catch.difference)
