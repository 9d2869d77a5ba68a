"""Wire strips and boundary heat-bars: what the page's script draws of a body, as data that is safe to embed.

A heat-bar has one mark a byte boundary. ``proven``: the body was cut there and held, as one of all two-way splits or
under a certificate; ``sampled``: it was cut there and held, but not everywhere; ``failing``: it fails when it is cut
there and nowhere else. What is in none of these was never tried alone.
"""

from __future__ import annotations

import shlex
from base64 import b64decode
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from harness.case import Case
from harness.chunking import parse_plan
from harness.proof import SAMPLES
from harness.report.sizes import human_size
from harness.verdict import GREEN, CaseResult, PlanResult, RunResult, Verdict
from harness.visible import abbreviations, code_point_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.findings import MinimalCut

KINDS = ("proven", "sampled", "failing")
"""What is known of a byte boundary."""
MAX_BYTES = 2_000_000
"""Characters of strips that a report holds, some two thousand a case: those that fail first, then some of each dialect."""
MAX_CHUNKS = 400
"""Recorded boundaries drawn on one strip."""
MAX_NAMES = 2000
"""Characters that the page can name."""


def most_telling(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """Those of ``cases`` whose strips a report draws: failures first, then named differences, then some of each dialect."""
    red: list[CaseResult] = []
    green: list[tuple[tuple[object, ...], CaseResult]] = []
    seen: dict[str, int] = {}
    for case in sorted(cases, key=lambda case: (case.case, case.subject)):
        if case.strip is None:
            continue
        if case.verdict not in GREEN:
            red.append(case)
            continue
        rank = seen[case.dialect] = seen.get(case.dialect, -1) + 1
        green.append(((rank, not case.differences, case.case, case.subject), case))
    kept, left = [], MAX_BYTES
    for case in (*red, *(case for _, case in sorted(green, key=lambda each: each[0]))):
        left -= weight(case)
        if left < 0:
            break
        kept.append(case)
    return kept


def missing(case: CaseResult) -> int:
    """Why a report lacks the bytes of ``case``, as a place in :func:`missing_words`."""
    if case.strip is not None:
        return 0
    if not case.body_bytes:
        return 1
    return 2 if case.verdict in (Verdict.NOT_CLAIMED, Verdict.NOT_RUN, Verdict.ERROR) else 3


def missing_words(cases: Iterable[CaseResult]) -> list[str]:
    """What a report of ``cases`` says of one whose bytes it lacks."""
    return [
        "",
        "Its body is empty: there are no bytes to show.",
        "It was not decoded to its end: there is nothing to lay beside its bytes.",
        f"This page holds {held(cases)}: not those of this case. The command checks it alone, and makes a page that does.",
    ]


def held(cases: Iterable[CaseResult]) -> str:
    """How many of ``cases`` have their bytes in a report, and what the bound is."""
    weights = [weight(case) for case in cases if case.strip is not None]
    words = f"the bytes of {len(weights):,} case{'' if len(weights) == 1 else 's'}"
    return f"{words}, {human_size(sum(weights))} of at most {human_size(MAX_BYTES)}, failures first"


def weight(case: CaseResult) -> int:
    """Characters that the strip of ``case`` takes, but for punctuation."""
    strip = case.strip
    if strip is None:
        return 0
    return len(strip.bytes) + 7 * len(strip.frames) + sum(len(one.text) + len(one.spans) + 48 for one in strip.written)


def view(case: CaseResult) -> dict[str, Any] | None:
    """The strip of ``case`` for the script: offsets count from the beginning of the body."""
    strip = case.strip
    if strip is None:
        return None
    end = strip.start + len(b64decode(strip.bytes))
    chunks = [at for at in accumulate(case.chunks) if strip.start < at < end]
    first = next((one for one in case.differences if one.byte_offset is not None), None)
    return {
        "start": strip.start,
        "bytes": strip.bytes,
        "frame": strip.frame,
        "ends": list(strip.frames),
        "chunks": chunks[:MAX_CHUNKS],
        "chunk": sum(at <= strip.start for at in accumulate(case.chunks)),
        "at": first.byte_offset if first is not None else None,
        "cuts": [place.offset for place in _cuts(case)],
        "written": [[one.part, one.kind, one.text, one.more, one.start, one.spans, one.exact] for one in strip.written],
        "more": strip.more,
    }


def heat(case: CaseResult) -> dict[str, Any] | None:
    """The heat-bar of ``case``; None for a body without a boundary."""
    size = case.body_bytes
    if size < 2:
        return None
    minimal = next((one.minimal for one in case.differences if one.minimal is not None), None)
    found: dict[str, Any] = {"size": size, "proven": [], "sampled": [], "failing": [], "note": ""}
    if minimal is not None:
        found["failing"] = [list(each) for each in minimal.failing]
        held = "proven" if minimal.singles_tried == size - 1 else "sampled"
        found[held] = _without(minimal.tried, minimal.failing)
        found["counts"] = {held: minimal.singles_tried - minimal.singles_failed, "failing": minimal.singles_failed}
        found["note"] = " ".join(_notes(minimal, size))
    if found["failing"] or found["proven"]:
        return found
    if any(_proves_every_split(plan) for plan in case.plans):
        found["proven"] = [[1, size]]
    elif not found["sampled"] and case.strip is not None:
        found["sampled"] = _sampled(case)
    return found if any(found[kind] for kind in (*KINDS, "note")) else None


def _notes(minimal: MinimalCut, size: int) -> Iterator[str]:
    """What the colours of a heat-bar do not say."""
    if not minimal.cuts and minimal.chunk is None:
        yield "It fails uncut: no boundary is to blame."
    elif not minimal.failing:
        yield "No single cut is known to make it fail; the minimal cut above says what does."
    if minimal.singles_tried > sum(end - start for start, end in minimal.tried):
        yield "The first stretches are drawn: an earlier version kept no more."
    if minimal.bounded:
        told = f"{minimal.singles_tried:,} of {size - 1:,} boundaries were tried alone"
        yield f"The search ended at its bound, after {minimal.runs:,} ways of cutting: {told}."


def _cuts(case: CaseResult) -> Sequence[Any]:
    return next((one.minimal.cuts for one in case.differences if one.minimal is not None), ())


def _without(ranges: Iterable[tuple[int, int]], holes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """``ranges`` without what lies in ``holes``; both in order."""
    kept = []
    for start, end in ranges:
        at = start
        for low, high in holes:
            if low >= end or high <= at:
                continue
            if low > at:
                kept.append([at, low])
            at = high
        if at < end:
            kept.append([at, end])
    return kept


def _proves_every_split(plan: PlanResult) -> bool:
    if plan.verdict is not Verdict.PASS or plan.sampled:
        return False
    if plan.certificate is not None:
        return plan.certificate.every_split or plan.certificate.widest > 1
    return plan.plan == "every-split" and plan.chunkings > 0


def _sampled(case: CaseResult) -> list[list[int]]:
    """The boundaries of the two-way splits that a thinned plan ran."""
    for plan in case.plans:
        if plan.plan == "every-split" and plan.verdict is Verdict.PASS and plan.sampled:
            blank = Case(case.case, case.dialect, bytes(case.body_bytes))
            every = [one.cuts[0] for one in parse_plan("every-split").chunkings(blank)]
            step = (len(every) - 1) / (SAMPLES - 1)
            return [[at, at + 1] for at in sorted({every[round(index * step)] for index in range(SAMPLES)})]
    return []


def command(case: CaseResult, run: RunResult) -> tuple[str, str]:
    """What runs ``case`` again: the words before the plan, and those after it."""
    for one in case.differences:
        try:
            words = shlex.split(one.reproduce)
        except ValueError:
            continue  # a command of somebody else's making
        if "--plan" in words[:-1]:
            at = words.index("--plan") + 1
            return _around(words, at)
    words = ["streamparity", "check", "--case", case.case, "--plan", ""]
    return _around([*words, "--subject", run.subject] if run.subject != "streamcore" else words, 5)


def _around(words: Sequence[str], at: int) -> tuple[str, str]:
    return f"{shlex.join(words[:at])} ", " ".join(["", shlex.join(words[at + 1 :])]).rstrip()


def names(cases: Iterable[CaseResult]) -> dict[str, str]:
    """The names of the characters that stand on the strips, by their hexadecimal numbers; ASCII letters need none."""
    found: set[str] = set()
    for case in cases:
        if case.strip is not None:
            found.update(b64decode(case.strip.bytes).decode("utf-8", "replace"))
            found.update(char for one in case.strip.written for char in one.text)
    odd = sorted(char for char in found if not (char.isascii() and char.isalnum()))[:MAX_NAMES]
    return {f"{ord(char):X}": code_point_name(char) for char in odd}


def spellings() -> dict[str, str]:
    """How characters that cannot stand for themselves are called, by their hexadecimal numbers."""
    return {f"{point:X}": name for point, name in abbreviations().items()}
