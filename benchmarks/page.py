"""How long the report takes to open, in Chromium: pages of several shapes, made of real results under other names.

``python -m benchmarks.page PARITY_JSON...``: the documents of runs, ``streamparity check --json`` writes them. One of them
must be of a subject that fails (``--subject mutant:utf8-per-chunk``) for the shapes with failures in them.

Each page is opened anew ``ROUNDS`` times, and told are the medians, in milliseconds from the start of the navigation: the
first paint, the end of the load event, and the first answer: a word that is typed into the search as soon as the page has
loaded, until the filtered page has been painted.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.report import html, load, matrix
from harness.verdict import GREEN, CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.verdict import RunResult

ROUNDS = 5
MEASURES = ("first paint", "loaded", "first answer")

_ANSWER = """
addEventListener("load", () => setTimeout(() => {
  const search = document.querySelector("#filter [name=q]");
  search.value = "tool";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(() => setTimeout(() => (window.answered = performance.now())));
}));
"""
_TIMING = """() => [
  performance.getEntriesByName("first-paint")[0].startTime,
  performance.getEntriesByType("navigation")[0].loadEventEnd,
  window.answered,
]"""


@dataclasses.dataclass(frozen=True)
class Shape:
    """How many cases of what a page holds."""

    subjects: int
    dialects: int
    cases: int
    """Of each subject."""
    failing: int = 0


SHAPES = {
    "two-dialects": Shape(1, 2, 5_000),
    "two-dialects-failing": Shape(1, 2, 5_000, 2_000),
    "five-subjects": Shape(5, 12, 1_000),
    "five-subjects-failing": Shape(5, 12, 1_000, 2_000),
    "many-dialects": Shape(1, 46, 5_060),
    "many-dialects-failing": Shape(1, 46, 5_060, 2_000),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what it measured. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("documents", type=Path, nargs="+", help="parity.json of a run")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="default: all")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where to leave the pages")
    options = parser.parse_args(arguments)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("benchmarks.page: no chromium on PATH", file=sys.stderr)
        return 4
    runs = [load(path) for path in options.documents]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        for name in options.shape or SHAPES:
            run = shaped(runs, SHAPES[name])
            path = folder / f"{name}.html"
            html.write(run, path)
            load_before = os.getloadavg()[0]
            times = _opened(path, chromium)
            told = ", ".join(
                f"{what} {statistics.median(each):.0f} ms" for what, each in zip(MEASURES, zip(*times, strict=True), strict=True)
            )
            size = path.stat().st_size / 1e6
            of = f"{len(run.cases):,} cases, {cells(run):,} cells, {size:.1f} MB"
            print(f"{name}: {of}: {told} (load {load_before:.1f})", flush=True)
    return 0


def shaped(runs: Sequence[RunResult], shape: Shape) -> RunResult:
    """The cases of ``runs`` repeated under other names until the page has ``shape``.

    Raises:
        SystemExit: failures are wanted, and no case of ``runs`` fails.
    """
    every = [case for run in runs for case in run.cases]
    green, red = (
        _by_dialect(case for case in every if case.verdict in verdicts)
        for verdicts in (GREEN - {Verdict.NOT_CLAIMED}, {Verdict.FAIL})
    )
    if shape.failing:
        green = {dialect: cases for dialect, cases in green.items() if dialect in red}
    if not green:
        raise SystemExit("benchmarks.page: no dialect of these documents has what is wanted; add one of a run of a mutant")
    largest = list(green)
    count = shape.cases * shape.subjects
    cases = []
    for index in range(count):
        number, subject = divmod(index, shape.subjects)
        # Spread evenly over all of them.
        fails = index * shape.failing // count != (index + 1) * shape.failing // count
        like = next((red if fails else green)[largest[number % shape.dialects % len(largest)]])
        dialect = f"dialect-{number % shape.dialects:02}"
        name = f"{dialect}/{like.case.split('/', 1)[1]}-{number}"
        cases.append(dataclasses.replace(like, case=name, dialect=dialect, subject=f"subject-{subject}"))
    return dataclasses.replace(runs[0], cases=tuple(cases))


def _by_dialect(cases: Iterable[CaseResult]) -> dict[str, Iterator[CaseResult]]:
    """Those of each dialect, again and again."""
    found: dict[str, list[CaseResult]] = {}
    for case in cases:
        found.setdefault(case.dialect, []).append(case)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return {dialect: itertools.cycle(each) for dialect, each in ordered}


def cells(run: RunResult) -> int:
    """Cells of the matrix under a reference or a plan."""
    return sum(len(row.cells) for group in matrix.groups(run) for row in group.rows)


def _opened(path: Path, chromium: str) -> list[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = []
        for _ in range(ROUNDS):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.add_init_script(_ANSWER)
            page.goto(path.as_uri())
            page.wait_for_function("window.answered")
            found.append(page.evaluate(_TIMING))
            context.close()
        browser.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
