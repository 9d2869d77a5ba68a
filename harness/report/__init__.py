"""What a run found out, for programs (``parity.json``), for people (one HTML page) and for terminals.

``seal`` puts a run in the order in which it is reported and takes the green off one that proves nothing; everything
here reports sealed runs, so that the page, the document, the last line and the exit code agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report import document, html
from harness.report.baseline import compare
from harness.report.document import DocumentError, from_document, load, seal, to_document
from harness.report.html import render

if TYPE_CHECKING:
    from pathlib import Path

    from harness.verdict import RunResult

__all__ = ["DocumentError", "from_document", "load", "render", "render_again", "seal", "to_document", "write_reports"]


def write_reports(run: RunResult, json_path: Path, html_path: Path, before: RunResult | None = None) -> RunResult:
    """Writes the document and the page, each all or nothing; returns the run as it was reported. The page tells what became
    of the run ``before``, if there is one.

    Raises:
        DocumentError: two results for one case, or a path that cannot be written.
    """
    run = seal(run)
    document.write(run, json_path)
    html.write(run, html_path, compare(before, run) if before is not None else None)
    return run


def render_again(json_path: Path, html_path: Path, baseline: Path | None = None) -> RunResult:
    """Writes the page of the document at ``json_path``, held against the one at ``baseline``; returns the run it tells of.

    Raises:
        DocumentError: the document cannot be read, or is not whole; the page cannot be written.
    """
    run = load(json_path)
    html.write(run, html_path, compare(load(baseline), run) if baseline is not None else None)
    return run
