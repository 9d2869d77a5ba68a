"""Every mutant on the recordings, every plan told apart: which catch which, and that none of them accuses the core.

``streamparity check`` asks only whether a mutant is caught at all. Here each is run on more cases than it needs: those that
were made for what it does wrong and the smallest of its dialects, as many as :data:`COUNTED`; plans that cost much on
:data:`COUNTED_COSTLY` of them. Where that catches nobody, all other cases are tried too.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from harness.case import Case
from harness.check import find_cases
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.init.shipped import excused_here
from harness.mutants import LAYERS, MUTANTS, Mutant
from harness.mutants.mutation import CHEAP, COSTLY, EVERY_CASE, HAZARDS, STAGES, Bench, Catch, graded_cases, hunt
from harness.pool import processes
from harness.verdict import Difference

COUNTED = 40
"""Cases that a mutant is run on under plans that cost little."""
COUNTED_COSTLY = 6
_AT_ONCE = 8
"""Cases of the control that one process takes at a time."""

Stages = tuple[tuple[str, ...], ...]
TOGETHER: Stages = ((*EVERY_CASE, *CHEAP), (HAZARDS,), COSTLY)
"""The plans in as few checks of a case as may be: each check walks it byte by byte and compares it with every reference."""


@dataclass(frozen=True)
class Where:
    """Where the recordings are, and which of them are meant; every process reads them for itself."""

    cassettes: Path
    goldens: Path
    globs: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    """Plans to run on all cases instead of the built-in ones; empty for those."""

    @property
    def stages(self) -> Stages:
        """The plans to run, in order."""
        return (self.plans,) if self.plans else TOGETHER

    def bench(self) -> Bench:
        """The cases and everything that they are held against.

        Raises:
            InputError: a folder or file cannot be used.
        """
        store = GoldenStore(self.goldens)
        cases = find_cases(self.cassettes, (), self.globs)
        divergences = excused_here(Divergences.load(self.goldens / "divergences.yaml"), cases)
        return Bench.of(cases, lambda _: store, divergences, graded_cases(self.cassettes))


@dataclass(frozen=True)
class Fate:
    """What became of one mutant."""

    mutant: str
    tried: int
    """Cases that it was run on; 0 if it claims none of them."""
    caught: int = 0
    """Those that caught it."""
    plans: dict[str, int] = field(default_factory=dict)
    """Plan -> cases on which that plan caught it."""
    first: Catch | None = None
    """The first catch, plans that cost little before the others; None for a survivor."""
    difference: Difference | None = None
    """That of the first catch, with its minimal cut."""


@dataclass(frozen=True)
class Control:
    """What the same plans said of the core on the same cases."""

    cases: int
    alarms: tuple[Catch, ...]
    """One a case, the first."""


@dataclass(frozen=True)
class Survey:
    """One run."""

    fates: tuple[Fate, ...]
    control: Control
    usable: int
    """Cases that there were."""

    @property
    def run(self) -> list[Fate]:
        """The mutants that claimed any case at all."""
        return [fate for fate in self.fates if fate.tried]

    @property
    def survivors(self) -> list[Fate]:
        """Those that nothing caught."""
        return [fate for fate in self.run if fate.first is None]


def survey(
    names: Sequence[str], where: Where, *, jobs: int = 1, tell: Callable[[int], None] = lambda _: None
) -> Survey:
    """Runs the mutants called ``names``, and the core as their control. ``tell`` hears how many of them are done.

    Raises:
        InputError: a folder or file cannot be used.
    """
    bench = where.bench()
    wanted = list(_for_control(bench, [MUTANTS[name] for name in names], where))
    with processes(jobs, len(names) + len(wanted), _begin, where) as pool:
        # The longest first, so that no process is left alone with one at the end.
        futures = {name: pool.submit(_fate, name) for name in sorted(names, key=_cost, reverse=True)}
        controls = [pool.submit(_alarms, wanted[at : at + _AT_ONCE]) for at in range(0, len(wanted), _AT_ONCE)]
        fates = [_told(futures[name], tell) for name in names]
        alarms: dict[str, Catch] = {}
        for alarm in (alarm for future in controls for alarm in future.result()):
            alarms.setdefault(alarm.case, alarm)
    return Survey(tuple(fates), Control(len({case for case, _ in wanted}), tuple(alarms.values())), len(bench.cases))


def layer_of(mutant: str) -> str:
    """The layer that a mutant belongs to."""
    return next(layer for layer, mutants in LAYERS.items() if mutant in {one.name for one in mutants})


def _cost(name: str) -> int:
    return len(MUTANTS[name].sessions)


def _told(future: Future[Fate], tell: Callable[[int], None]) -> Fate:
    fate = future.result()
    tell(1)
    return fate


_here: list[tuple[Where, Bench]] = []
"""What this process runs on."""


def _begin(where: Where) -> None:
    _here[:] = [(where, where.bench())]
    # Millions of short-lived objects and no cycles worth a search, as in the runner.
    gc.disable()


def _fate(name: str) -> Fate:
    where, bench = _here[0]
    mutant = MUTANTS[name]
    claimed = bench.claimed(mutant)
    catches = [
        catch
        for stage in where.stages
        for case in _counted(mutant, bench, stage, where)
        if (catch := bench.catch(mutant, case, stage)) is not None
    ]
    if not catches and not where.plans:
        found, _ = hunt(mutant, bench)
        catches = [found] if found is not None else []
    if not catches:
        return Fate(name, len(claimed))
    if not where.plans:  # as if each stage had been run over all cases before the next
        stage_of = {plan: at for at, stage in enumerate(STAGES) for plan in stage}
        catches.sort(key=lambda catch: stage_of[catch.plans[0]])
    plans = Counter(plan for plan, _ in {(plan, catch.case) for catch in catches for plan in catch.plans})
    tried = {case.id for stage in where.stages for case in _counted(mutant, bench, stage, where)}
    return Fate(
        name,
        len(tried | {catch.case for catch in catches}),
        len({catch.case for catch in catches}),
        dict(plans),
        catches[0],
        bench.explained(mutant, catches[0]),
    )


def _counted(mutant: Mutant, bench: Bench, stage: tuple[str, ...], where: Where) -> list[Case]:
    claimed = bench.claimed(mutant)
    if where.plans:
        return claimed
    made_for_it = [case for case in claimed if case.id == mutant.shown or case.hazard == mutant.requirement]
    others = [case for case in claimed if case not in made_for_it]
    return [*made_for_it, *others][: COUNTED_COSTLY if stage == COSTLY else COUNTED]


def _for_control(bench: Bench, mutants: Sequence[Mutant], where: Where) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(case, plans), each once, for every one that a mutant is run on."""
    met: set[tuple[str, tuple[str, ...]]] = set()
    for mutant in mutants:
        for stage in where.stages:
            for case in _counted(mutant, bench, stage, where):
                if (case.id, stage) not in met:
                    met.add((case.id, stage))
                    yield case.id, stage


def _alarms(wanted: Sequence[tuple[str, tuple[str, ...]]]) -> list[Catch]:
    _, bench = _here[0]
    by_id = {case.id: case for case in bench.cases}
    return [alarm for case, stage in wanted if (alarm := bench.alarm(by_id[case], stage)) is not None]
