"""The table of ``streamparity check --hazards``: a line a hazard, by layer, and totals.

All text is ASCII, whatever a subject's exceptions or a catalogue hold: it goes to a terminal.
"""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections import Counter
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from click import echo, progressbar, style

from harness.check import find_cases, selected
from harness.exits import DIFFERENCE, HARNESS, PARITY, InputError
from harness.hazards import Grade, Hazard, HazardGrade, Rank, grade_hazards, load_catalogue, select
from harness.report.console import wants_colour
from harness.visible import ascii_only

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.case import Case

_COLOURS = {Rank.EXACT: "green", Rank.ACCEPTABLE: "yellow", Rank.WRONG: "red"}


def grade_and_print(
    cassettes: Path,
    specs: Sequence[str],
    layers: Sequence[str] = (),
    globs: Sequence[str] = (),
    *,
    jobs: int = 1,
    quiet: bool = False,
) -> int:
    """Grades each subject, prints its table, and returns the exit code: that of the worst, or 3 if nothing was graded.

    Raises:
        InputError: the catalogue or a cassette cannot be used, or no hazard has a case that matches ``globs``.
    """
    cases = find_cases(cassettes, (), ())
    hazards = select(load_catalogue(cassettes), layers)
    if globs:
        hazards = [replace(one, cases=tuple(c for c in one.cases if selected(c.case, globs))) for one in hazards]
        hazards = [one for one in hazards if one.cases]
        if not hazards:
            raise InputError(f"no hazard has a case that matches {' '.join(globs)}; leave --case out to see them all")
    worst = PARITY
    for spec in specs:
        with contextlib.redirect_stdout(sys.stderr):  # what a subject prints is no data of ours
            graded = _graded(hazards, cases, spec, jobs, hidden=quiet or not wants_colour(sys.stderr))
        if len(specs) > 1 and not quiet:
            echo(f"{spec}:\n")
        where = "" if cassettes == Path("cassettes") else f" --cassettes {shlex.quote(str(cassettes))}"
        command = f"streamparity check --hazards --subject {shlex.quote(spec)}{where}"
        echo(table(graded, command, quiet=quiet, colour=wants_colour(sys.stdout)))
        figures = totals(graded)
        if not any(case.cuts for one in graded for case in one.cases):
            worst = HARNESS
        elif figures[Rank.WRONG]:
            worst = max(worst, DIFFERENCE)
    return worst


def _graded(
    hazards: Sequence[Hazard], cases: Sequence[Case], spec: str, jobs: int, *, hidden: bool
) -> list[HazardGrade]:
    total = sum(len(one.cases) for one in hazards)
    with progressbar(length=total, label="hazards", file=sys.stderr, hidden=hidden) as bar:
        return grade_hazards(hazards, cases, spec, jobs=jobs, on_grade=lambda _: bar.update(1))


def totals(graded: Sequence[HazardGrade]) -> dict[Rank, int]:
    """Hazards of each rank, every rank present."""
    found = Counter(one.grade.rank for one in graded)
    return {rank: found.get(rank, 0) for rank in Rank}


def table(graded: Sequence[HazardGrade], command: str, *, quiet: bool = False, colour: bool = False) -> str:
    """The whole table; with ``quiet`` only its last line. ``command`` grades the subject again, given a case."""
    blocks: list[str] = []
    if not quiet:
        for layer, group in groupby(sorted(graded, key=lambda one: one.hazard.id), key=lambda one: one.hazard.layer):
            members = list(group)
            figures = totals(members)
            told = ", ".join(f"{count} {rank}" for rank, count in figures.items() if count)
            blocks += [
                f"{ascii_only(layer)} ({told})",
                *(line for one in members for line in _lines(one, command, colour)),
                "",
            ]
    return "\n".join([*blocks, last_line(graded, colour=colour)])


def last_line(graded: Sequence[HazardGrade], *, colour: bool = False) -> str:
    """The verdict and the figures it rests on."""
    figures = totals(graded)
    cases = [case for one in graded for case in one.cases if case.cuts]
    shown = {case.case for case in cases}
    verdict = Grade(Rank.WRONG) if figures[Rank.WRONG] else Grade(Rank.EXACT)
    word = "FAIL" if figures[Rank.WRONG] else "PASS" if cases else "NOTHING GRADED"
    told = ", ".join(f"{count} {rank}" for rank, count in figures.items() if count)
    partly = sum(1 for one in graded if one.hazard.cases and one.hazard.not_here)
    return (
        f"{_painted(word, verdict, colour)} {len(graded)} hazards: {told} ({partly} of them only in part); "
        f"{len(shown)} cases, cut in {sum(case.cuts for case in cases):,} ways"
    )


def _lines(one: HazardGrade, command: str, colour: bool) -> Iterator[str]:
    hazard = one.hazard
    grade = _painted(f"{one.grade.rank:11}", one.grade, colour)
    cases = ", ".join(case.case for case in one.cases) or hazard.not_here
    yield f"  {hazard.id}  {ascii_only(hazard.kind):24} {grade} {ascii_only(cases)}"
    for case in one.cases:
        if case.grade.name:
            yield f"  {'':33}{ascii_only(f'{case.case}: {case.grade.name}')}"
    if one.cases and hazard.not_here:
        yield f"  {'':33}not here: {ascii_only(hazard.not_here)}"
    if one.grade.rank is Rank.WRONG:
        yield f"  {'':33}asked for: {ascii_only(hazard.requirement)}"
        issues = ", ".join(hazard.issues[:3])
        if issues:
            yield f"  {'':33}seen in: {ascii_only(issues)}"
        worst = next(case.case for case in one.cases if case.grade == one.grade)
        yield f"  {'':33}reproduce: {ascii_only(f'{command} --case {shlex.quote(worst)}')}"


def _painted(text: str, grade: Grade, colour: bool) -> str:
    return style(text, fg=_COLOURS.get(grade.rank, "magenta"), bold=True) if colour else text
