"""How long the report takes to open: a page of 5,000 cells, made of real results under other names, in Chromium.

``python -m benchmarks.page PARITY_JSON``: the document of a run, ``streamparity check --json`` writes one.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.report import html, load, matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdict import RunResult

CELLS = 5_000
ROUNDS = 7

_TIMING = "(() => { const t = performance.getEntriesByType('navigation')[0]; return [t.loadEventEnd, t.domInteractive]; })()"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what it measured. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("document", type=Path, help="parity.json of a run")
    parser.add_argument("--cells", type=int, default=CELLS)
    options = parser.parse_args(arguments)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("benchmarks.page: no chromium on PATH", file=sys.stderr)
        return 4
    run = enlarged(load(options.document), options.cells)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        html.write(run, path)
        times = _opened(path, chromium)
        size = path.stat().st_size
    shown = ", ".join(f"{time:.0f}" for time, _ in times)
    print(
        f"{len(run.cases):,} cases, {cells(run):,} cells, {size / 1e6:.2f} MB: loaded in a median of "
        f"{statistics.median(time for time, _ in times):.0f} ms ({shown}), of which "
        f"{statistics.median(time for _, time in times):.0f} ms until the page could be read"
    )
    return 0


def enlarged(run: RunResult, least: int) -> RunResult:
    """``run`` with its cases repeated under other names until the matrix has ``least`` cells."""
    width = {row.case.case: len(row.cells) for group in matrix.groups(run) for row in group.rows}
    cases, left = list(run.cases), least - cells(run)
    for copy, case in ((copy, case) for copy in itertools.count(1) for case in run.cases):
        if left <= 0 or not any(width.values()):
            break
        cases.append(dataclasses.replace(case, case=f"{case.case}-copy-{copy}"))
        left -= width[case.case]
    return dataclasses.replace(run, cases=tuple(cases))


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
            page.goto(path.as_uri())
            found.append(page.evaluate(_TIMING))
            context.close()
        browser.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
