"""Shards put together: the documents of ``--shard 1/3`` to ``3/3`` as the one that an undivided run would have given."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness.against.twin import stale_allowances
from harness.report.document import DocumentError, seal
from harness.verdict import CaseResult, RunResult, unproven
from harness.visible import ascii_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Case
    from harness.divergence import Divergences

__all__ = ["merge", "unproven"]


def merge(shards: Sequence[RunResult], divergences: Divergences | None = None, known: Sequence[Case] = ()) -> RunResult:
    """The run of which ``shards`` are all the parts, in any order; the same subject's.

    ``divergences`` are those that the shards were held against, and ``known`` all the cases that there are: only with
    them is it told which entries nobody needed any more, and only streamcore is to need them.

    Raises:
        DocumentError: none, or they are not all the shards of one run: one is missing or there twice, or subject, plan,
            seed or versions differ, or a case is in two with different results.
    """
    if not shards:
        raise DocumentError("no document to merge; name the files that the shards wrote")
    _check_complete(shards)
    first = shards[0]
    for other in shards[1:]:
        for name in ("subject", "plan", "seed", "versions"):
            one, two = getattr(first, name), getattr(other, name)
            if one != two:
                told = ascii_only(f"{name} {one!r} in shard {first.shard}, {two!r} in shard {other.shard}")[:300]
                raise DocumentError(f"not the shards of one run: {told}; run all shards alike")
    by_number = sorted(shards, key=lambda shard: int(shard.shard.partition("/")[0]))
    cases = _united(by_number)
    used = {name for case in cases for reference in case.references for name in reference.divergences}
    stale: list[str] = []
    unneeded: list[str] = []
    if first.subject == "streamcore":
        if divergences is not None:
            stale = divergences.unused(used, {case.case for case in cases}, [case.id for case in known])
        unneeded = stale_allowances(cases, known)
    # What each shard complains of is what the undivided run would have complained of, too: it is not about its cases.
    problems = [*unproven(cases, goldens=True), *(problem for shard in by_number for problem in shard.problems)]
    together = dataclasses.replace(
        first,
        cases=tuple(cases),
        mutants=tuple(mutant for shard in by_number for mutant in shard.mutants),
        stale_divergences=tuple(stale),
        stale_allowances=tuple(unneeded),
        divergence_reasons=tuple(sorted({reason for shard in by_number for reason in shard.divergence_reasons})),
        problems=tuple(dict.fromkeys(problems)),
        shard="",
    )
    return seal(together)


def _united(shards: Sequence[RunResult]) -> list[CaseResult]:
    """The results of all shards. One that two shards have alike is one result: the folder grew between two runs."""
    found: dict[tuple[str, str], tuple[CaseResult, RunResult]] = {}
    for shard in shards:
        for case in shard.cases:
            one, owner = found.setdefault((case.case, case.subject), (case, shard))
            if one != case:
                raise DocumentError(
                    f"{ascii_only(case.case)} is in shard {owner.shard} and in shard {shard.shard}, with different results; "
                    "run all shards alike"
                )
    return [case for case, _ in found.values()]


def _check_complete(shards: Sequence[RunResult]) -> None:
    whole = next((shard for shard in shards if not shard.shard), None)
    if whole is not None:
        raise DocumentError(
            f"a document of {ascii_only(whole.subject)} is of a whole run, and no shard: nothing to merge"
        )
    counts = sorted({int(shard.shard.partition("/")[2]) for shard in shards})
    if len(counts) > 1:
        raise DocumentError(f"shards of {' and '.join(map(str, counts))}: they are not of one run")
    numbers = [int(shard.shard.partition("/")[0]) for shard in shards]
    missing = sorted(set(range(1, counts[0] + 1)) - set(numbers))
    if missing:
        raise DocumentError(f"shard {missing[0]}/{counts[0]} is missing; merge all {counts[0]}")
    twice = sorted(number for number in set(numbers) if numbers.count(number) > 1)
    if twice:
        raise DocumentError(f"shard {twice[0]}/{counts[0]} is there twice")
