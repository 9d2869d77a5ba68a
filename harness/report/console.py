"""What ``check`` says in a terminal: progress on stderr while it runs, then failures and a line of verdict for stdout.

All text is ASCII: recorded text is spelt as the trace spells it, so no control reaches the terminal, and a caret under
the two lines points at the right column whatever the terminal thinks about the width of characters.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING, TextIO

from click import style

from harness import exits
from harness.findings import MinimalCut
from harness.report.causes import UNKNOWN, cause_of
from harness.report.certificates import certified_line, proof_lines
from harness.report.dialects import dialect_lines
from harness.report.differences import OWN_TRACES, DifferenceView, kind_of, mark_of, tried, view_of
from harness.report.document import seal
from harness.report.matrix import by_severity, worst_first
from harness.report.sizes import human_size
from harness.verdict import GREEN, CaseResult, Difference, MutantResult, RunResult, Verdict
from harness.visible import ascii_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONTEXT = 40
"""Characters of a line on either side of the one that differs."""
MAX_DIFFERENCES = 3
"""Differences printed for one case; the report has more."""
MAX_NOTE = 500
MAX_CUTS = 4
"""Cuts printed of one minimal cut."""

_COLOURS = {Verdict.PASS: "green", Verdict.DIVERGENCE: "yellow", Verdict.CONFLICT: "blue", Verdict.FAIL: "red"}
_RAISED = re.compile(r"^\w[\w.]*: .*\(.+:\d+\)$", re.DOTALL)
_NO_GOLDEN = re.compile(r"\bno golden\b")


@contextlib.contextmanager
def progress(
    total: int | None = None, *, quiet: bool = False, stream: TextIO | None = None
) -> Iterator[Callable[[CaseResult], None]]:
    """While the block runs, tells of each finished case that is given to the function it yields.

    A bar on a terminal; otherwise a plain line a case; nothing if ``quiet``. ``stream`` is stderr unless given;
    ``total`` is how many cases there will be, where that is known.
    """
    stream = sys.stderr if stream is None else stream
    if quiet:
        yield lambda _: None
    elif _is_terminal(stream):
        with _bar(total, stream) as tell:
            yield tell
    else:
        done = 0

        def line(result: CaseResult) -> None:
            nonlocal done
            done += 1
            of = f"/{total}" if total is not None else ""
            print(f"[{done}{of}] {_counted(result)}", file=stream, flush=True)

        yield line


@contextlib.contextmanager
def shrinking(total: int, *, quiet: bool = False, stream: TextIO | None = None) -> Iterator[Callable[[str], None]]:
    """While the block runs, shows on a terminal how many dialects have their transcripts: before the first case is run."""
    stream = sys.stderr if stream is None else stream
    if quiet or not total or not _is_terminal(stream):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(file=stream, no_color=True if os.environ.get("NO_COLOR") else None, highlight=False)
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("shrinking recordings", total=total)
        yield lambda dialect: bar.update(task, advance=1, description=f"shrinking recordings: {dialect}")


@contextlib.contextmanager
def _bar(total: int | None, stream: TextIO) -> Iterator[Callable[[CaseResult], None]]:
    from rich.console import Console  # costs 100 ms, and only terminals need it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(file=stream, no_color=True if os.environ.get("NO_COLOR") else None, highlight=False)
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        bad = 0

        def tell(result: CaseResult) -> None:
            nonlocal bad
            if result.verdict not in GREEN:
                bad += 1
                bar.console.print(_counted(result), markup=False, style="red")
            failed = f"{bad} failed  " if bad else ""
            bar.update(task, advance=1, description=f"{failed}{ascii_only(result.case)}".replace("[", r"\["))

        yield tell


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _counted(result: CaseResult) -> str:
    comparisons = sum(plan.comparisons for plan in result.plans) + sum(one.lines for one in result.references)
    case = ascii_only(f"{result.hazard} {result.case}".strip())
    return f"{result.verdict} {case} ({human_size(result.body_bytes)}, {comparisons:,} comparisons)"


def wants_colour(stream: TextIO) -> bool:
    """Whether ``stream`` takes colours: a terminal that is not dumb, and no NO_COLOR in the environment."""
    return _is_terminal(stream) and not os.environ.get("NO_COLOR")


def summarise(run: RunResult, report: Path | None = None, *, quiet: bool = False, colour: bool | None = None) -> str:
    """What a run found out, for people: every failing case, what else is wrong, a line a dialect, and last the verdict.

    Args:
        run: the run.
        report: where the page is, to be named in the last line.
        quiet: the last line only, and how much is certified if that was asked for.
        colour: whether to use terminal colours; None asks stdout and the environment.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    paint = _Paint(wants_colour(sys.stdout) if colour is None else colour)
    blocks: list[str] = []
    if not quiet:
        blocks += [_case_block(case, paint) for case in by_severity(run.cases) if case.verdict not in GREEN]
        blocks += [_mutant_line(mutant, paint) for mutant in run.mutants if not mutant.caught]
        blocks += [
            f"{paint.verdict(Verdict.FAIL)} divergence {ascii_only(name)} is written down, but no longer occurs: "
            "remove it from divergences.yaml"
            for name in run.stale_divergences
        ]
        blocks += [
            f"{paint.verdict(Verdict.FAIL)} no stream differs from its twin in {ascii_only(name)}: "
            "remove the entry from harness/pairs/allowed.yaml"
            for name in run.stale_allowances
        ]
        blocks += [f"{paint.verdict(Verdict.ERROR)} {ascii_only(problem)}" for problem in run.problems]
        blocks += _shipped_lines(run)
        blocks += dialect_lines(run)
        blocks += proof_lines(run)
    if certified := certified_line(run):
        blocks.append(certified)
    return "\n".join([*blocks, _last_line(run, report, paint)])


def is_input_problem(run: RunResult) -> bool:
    """Whether what broke is the input and not the harness: every case that broke lacks a golden."""
    broken = [case for case in seal(run).cases if case.verdict in (Verdict.ERROR, Verdict.NOT_RUN)]
    return bool(broken) and all(_NO_GOLDEN.search(case.reason) and not _RAISED.match(case.reason) for case in broken)


def exit_code(run: RunResult) -> int:
    """What the command ends with that reports ``run``; see :mod:`harness.exits`."""
    if run.verdict is Verdict.ERROR:
        return exits.INPUT if is_input_problem(run) else exits.HARNESS
    return exits.DIFFERENCE if run.verdict is Verdict.FAIL else exits.PARITY


def told(case: CaseResult) -> str:
    """What is wrong with one case, as :func:`summarise` puts it: lines of printable ASCII, the first with its id."""
    return _case_block(case, _Paint(False)).rstrip("\n")


def headline(case: CaseResult) -> str:
    """What is wrong with one case, in one line of printable ASCII: its first difference, or why it was not compared."""
    if not case.differences:
        return _short(case.reason) or "no reason was recorded"
    first, more = case.differences[0], len(case.differences) - 1
    also = f" (and {more} more)" if more else ""
    return f"{_headline(first, kind_of(first, case))}, chunking {_short(first.plan)}; {_place(first)}{also}"


class _Paint:
    """Colours, or none of them. The words stay the same."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def verdict(self, verdict: Verdict) -> str:
        return self(verdict.value.upper(), fg=_COLOURS.get(verdict, "magenta"), bold=True)

    def __call__(self, text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
        if not self._colour:
            return text
        return style(text, fg=fg, bold=bold or None, dim=dim or None)


def _case_block(case: CaseResult, paint: _Paint) -> str:
    lines = [f"{paint.verdict(case.verdict)} {paint(ascii_only(case.case), bold=True)}"]
    if case.reason:
        lines.append(f"  {_short(case.reason)}")
    if cause := cause_of(case):
        label = "" if cause == UNKNOWN else f"{paint('likely cause:', bold=True)} "
        lines.append(f"  {label}{_short(cause)}")
    for finding in case.wire[:MAX_CUTS]:
        place = "at its end" if finding.event is None else f"event {finding.event}"
        lines.append(f"  the recording leaves its grammar, {place}: {_short(finding.message)}")
    for difference in case.differences[:MAX_DIFFERENCES]:
        lines += _difference_lines(view_of(difference, case, case.subject), paint)
    left = len(case.differences) - MAX_DIFFERENCES
    if left > 0:
        lines.append(f"  {left} more difference{'' if left == 1 else 's'} of this case in the report")
    return "\n".join(lines) + "\n"


def _difference_lines(view: DifferenceView, paint: _Paint) -> Iterator[str]:
    difference = view.difference
    yield f"  {_headline(difference, view.kind)}, chunking {ascii_only(difference.plan)}"
    yield f"    {_place(difference)}"
    if difference.note:
        yield f"    {_short(difference.note)}"
    if view.sides:
        yield from (f"    {line}" for line in _context(view, paint))
    if difference.minimal is not None:
        yield from (f"    {line}" for line in _minimal_lines(difference.minimal))
    command = difference.minimal.reproduce if difference.minimal is not None else difference.reproduce
    if command:
        yield f"    {paint('reproduce:', dim=True)} {ascii_only(command)}"


def _minimal_lines(minimal: MinimalCut) -> Iterator[str]:
    yield f"minimal: {_short(minimal.plan)}, {_short(minimal.statement)}"
    for place in minimal.cuts[:MAX_CUTS]:
        seen = ascii_only(f"{place.text_before} | {place.text_after}")
        yield f"  byte {place.offset}: {place.before} | {place.after}   {seen}"
    if minimal.cuts:
        yield f"  {tried(minimal)}"


def _headline(difference: Difference, kind: str) -> str:
    against = ascii_only(difference.against)
    if kind == "chunking":
        return f"depends on the chunking (against itself, {OWN_TRACES[difference.against]})"
    return f"breaks the rule {against}" if kind == "rule" else f"differs from {against}"


def _place(difference: Difference) -> str:
    def number(value: int | None) -> str:
        return "unknown" if value is None else str(value)

    words = [f"event {number(difference.event)}", f"byte {number(difference.byte_offset)}"]
    words.append(f"utf16 {'-' if difference.utf16_offset is None else difference.utf16_offset}")
    if difference.path:
        words.append(ascii_only(difference.path)[:200])
    if difference.expected is not None or difference.actual is not None:
        words.append(f"line {difference.line} column {difference.column}")
    return ", ".join(words)


def _context(view: DifferenceView, paint: _Paint) -> Iterator[str]:
    """Both lines as the trace spells them, a caret under the first character that differs, and its names."""
    expected, actual = view.difference.expected, view.difference.actual
    at = mark_of(expected, actual) or 0
    labels = [ascii_only(side.label) for side in view.sides]
    width = max(map(len, labels))
    indent = 0
    for label, line in zip(labels, (expected, actual), strict=True):
        if line is None:
            yield f"{label:{width}}  (no such line: the trace ends before it)"
            continue
        start, end = max(0, at - CONTEXT), min(len(line), at + CONTEXT)
        left = f"({start} more)..." if start else ""
        right = f"...({len(line) - end} more)" if end < len(line) else ""
        indent = len(left) + len(ascii_only(line[start:at]))
        yield f"{label:{width}}  {left}{ascii_only(line[start:end])}{right}"
    if mark_of(expected, actual) is None:
        return
    yield paint(f"{'':{width}}  {'':{indent}}^", fg="red", bold=True)
    names = [
        f"{side.label} {side.character.code_point} {side.character.name}" if side.character else f"{side.label} ends"
        for side in view.sides
    ]
    yield "; ".join(names)


def _mutant_line(mutant: MutantResult, paint: _Paint) -> str:
    name, tried = ascii_only(mutant.name), mutant.tried
    cases = f"{tried} case{'' if tried == 1 else 's'}"
    return (
        f"{paint.verdict(Verdict.FAIL)} mutant {name} was not caught by {cases}: "
        f"{_short(mutant.description)}; see it with: streamparity check --subject mutant:{name} --no-mutants"
    )


def _shipped_lines(run: RunResult) -> Iterator[str]:
    """The defects that the recordings of a project cannot show: nobody is to believe that they would."""
    names = [ascii_only(mutant.name) for mutant in run.mutants if mutant.shipped]
    if names:
        told = "defects not shown by these recordings, but by those that come with streamparity"
        yield f"{told}: {', '.join(names)}"


def _short(text: str) -> str:
    text = ascii_only(text.replace("\n", " "))
    return text if len(text) <= MAX_NOTE else f"{text[:MAX_NOTE]}... {len(text) - MAX_NOTE} more characters"


def _last_line(run: RunResult, report: Path | None, paint: _Paint) -> str:
    totals = run.totals
    counts = ", ".join(f"{count} {verdict}" for verdict, count in worst_first(case.verdict for case in run.cases))
    figures = ", ".join(f"{totals[key]:,} {key}" for key in ("chunkings", "splits", "comparisons"))
    if totals["pairs"]:
        figures += f", {totals['pairs']:,} pair{'' if totals['pairs'] == 1 else 's'} of stream and whole answer"
    caught = f"{totals['mutants_caught']}/{totals['mutants']} mutants caught"
    if elsewhere := sum(mutant.shipped for mutant in run.mutants):
        caught += f" ({elsewhere} of them by recordings that come with streamparity alone)"
    shard = f", shard {run.shard}" if run.shard else ""
    words = [
        f"{ascii_only(run.subject)}, plan {_short(run.plan)}{shard}: {totals['cases']:,} cases ({counts or 'none'})",
        f"{human_size(totals['bytes'])}, {figures}",
        caught if totals["mutants"] else "no mutants run",
    ]
    if report is not None:
        words.append(f"report {report}")
    return f"{paint.verdict(run.verdict)} {'; '.join(words)}"
