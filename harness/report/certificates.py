"""What a run proved about chunking, in lines of numbers; nothing for a run without proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Certificate
from harness.verdict import CaseResult, RunResult
from streamcore import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FULL = "certificate"
"""The plan that is to prove all chunkings of a transcript of every dialect."""


def proof_lines(run: RunResult) -> list[str]:
    """Which chunkings are proven of how many bodies; what was only sampled; and which dialects lack a full proof."""
    return list(_lines(run))


def certified_line(run: RunResult) -> str:
    """How many dialects are fully certified, and of how many bodies; empty if the run was not to show that."""
    if FULL not in (*run.plan.split(","), FULL if run.plan == "exhaustive" else ""):
        return ""
    sizes: dict[str, list[int]] = {}
    for case in run.cases:
        for plan in case.plans:
            if plan.certificate is not None and plan.certificate.proven_all and case.dialect in DIALECTS:
                sizes.setdefault(case.dialect, []).append(case.body_bytes)
    every = [size for some in sizes.values() for size in some if size]
    told = f"fully certified: {len(sizes):,} of {_many(len(DIALECTS), 'dialect')}"
    if every:
        chunkings = sum(1 << (size - 1) for size in every)
        told += (
            f"; all 2^(N-1) chunkings of each of {len(every):,} bodies of N = {min(every):,} to {max(every):,} bytes, in all more "
            f"than 2^{(chunkings - 1).bit_length() - 1 if chunkings > 1 else 0:,}"
        )
    return told


def statements(case: CaseResult) -> str:
    """What is proven of one case."""
    return "; ".join(plan.certificate.statement for plan in case.plans if plan.certificate is not None)


def _lines(run: RunResult) -> Iterator[str]:
    found = [(case, plan.certificate) for case in run.cases for plan in case.plans if plan.certificate is not None]
    if not found:
        return
    whole = [(case, one) for case, one in found if one.proven_all]
    if whole:
        dialects = {case.dialect for case, _ in whole}
        shrunk = sum("/shrunk-" in case.case for case, _ in whole)
        longest = max(one.body_bytes for _, one in whole)
        yield (
            f"proven: all 2^(N-1) chunkings of {_bodies(whole)} of N <= {longest:,} bytes in {_many(len(dialects), 'dialect')}"
            f" ({_sum(whole, 'windows')} windows{_memory(whole)}); {shrunk:,} of them shrunk from recordings"
        )
    by_width: dict[tuple[int, bool], list[tuple[CaseResult, Certificate]]] = {}
    for case, one in found:
        if not one.proven_all and not one.sampled:
            by_width.setdefault((one.widest, one.prefixes > 0), []).append((case, one))
    for (widest, ends), some in sorted(by_width.items()):
        told = (
            f"proven of {_bodies(some)}: all chunkings with chunks <= {widest} bytes ({_sum(some, 'windows')} windows)"
        )
        if ends:
            splits = sum(one.every_split for _, one in some)
            of = "every two-way split" if splits == len(some) else f"every two-way split of {splits:,} of them"
            told += (
                f", {of} ({_sum(some, 'prefixes')} prefixes, {_sum(some, 'suffixes')} suffixes), and all chunkings made of these "
                f"and of {_sum(some, 'structural')} windows between structural cuts{_memory(some)}"
            )
        yield told
    sampled = [(case, one) for case, one in found if one.sampled]
    if sampled:
        yield f"sampled: {_bodies(sampled)}; the subject has no snapshots, so nothing is proven of the chunkings that were not run"
    if FULL in (*run.plan.split(","), FULL if run.plan == "exhaustive" else "") and not sampled:
        missing = sorted(({case.dialect for case in run.cases} & set(DIALECTS)) - {case.dialect for case, _ in whole})
        if missing:
            yield f"no full proof for {', '.join(missing)}: none of their recordings could be shrunk to 1 KiB"
        # A run of a few chosen cases says nothing about most dialects, and need not say so.
        absent = sorted(set(DIALECTS) - {case.dialect for case in run.cases})
        if absent and len(absent) < len(DIALECTS) // 2:
            yield f"nothing at all about {', '.join(absent)}: this run has no recording that they could read"


def _bodies(found: Sequence[tuple[CaseResult, Certificate]]) -> str:
    return "1 body" if len(found) == 1 else f"{len(found):,} bodies"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _sum(found: Sequence[tuple[CaseResult, Certificate]], name: str) -> str:
    return f"{sum(getattr(one, name) for _, one in found):,}"


def _memory(found: Sequence[tuple[CaseResult, Certificate]]) -> str:
    remembered = sum(one.remembered for _, one in found)
    return f"; {remembered:,} chunks with the decoding of frames remembered" if remembered else ""
