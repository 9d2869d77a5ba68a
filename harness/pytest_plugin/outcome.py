"""What the items of a run found out, put together: the same whatever the order and the process in which they ran."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.verdict import CaseResult, MutantResult, RunResult, worst_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True)
class Found:
    """What one item found out; ``subject`` as the user named it."""

    subject: str
    result: CaseResult


@dataclass(frozen=True)
class Packed:
    """What a worker of pytest-xdist hands over. All but the first two are the same for all workers."""

    found: list[Found]
    mutants: list[MutantResult]
    collected: int
    chosen: bool
    """Whether some of the items are not to be run."""
    complete: bool
    """Whether all cases that there are are to be run, under all plans."""
    orphan_goldens: list[str]
    orphan_cassettes: list[str]
    left_out: list[str]
    """Features of the grammar that no transcript has."""


def by_case(found: Iterable[Found], spec: str, plans: Sequence[str]) -> list[CaseResult]:
    """One result a case of the subject ``spec``, in order of the cases' ids; ``plans`` are names in their order."""
    results: dict[str, list[CaseResult]] = {}
    for one in found:
        if one.subject == spec:
            results.setdefault(one.result.case, []).append(one.result)
    order = {name: at for at, name in enumerate(plans, start=1)}
    return [_merged(several, order) for _, several in sorted(results.items())]


def _merged(results: list[CaseResult], order: dict[str, int]) -> CaseResult:
    """The results of all items of one case as one: first what its goldens say, then the plans, whichever came first."""
    results = sorted(results, key=lambda result: order.get(result.plans[0].plan, 0) if result.plans else 0)
    return dataclasses.replace(
        results[0],
        parts=max(result.parts for result in results),
        verdict=worst_of(result.verdict for result in results),
        plans=tuple(plan for result in results for plan in result.plans),
        differences=tuple(difference for result in results for difference in result.differences),
        reason=next((result.reason for result in results if result.reason), ""),
    )


def told(result: RunResult) -> Iterator[str]:
    """The numbers that show that a run was not vacuous, in lines."""
    totals = result.totals
    caught = f"{totals['mutants_caught']} of {totals['mutants']} mutants caught"
    shipped = sum(mutant.shipped for mutant in result.mutants)
    caught += f" ({shipped} of them by recordings that come with streamparity, and not by these)" if shipped else ""
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
