"""Every dialect of a run in one line: how many cases, and which verdicts they got."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.verdict import SEVERITY, CaseResult, RunResult, Verdict
from harness.visible import ascii_only

if TYPE_CHECKING:
    from collections.abc import Iterator


def dialect_lines(run: RunResult) -> Iterator[str]:
    """A table, and below it why the dialects that the subject does not claim are not; nothing for a single dialect."""
    cases: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        cases.setdefault(case.dialect, []).append(case)
    if len(cases) < 2:
        return
    occurring = sorted({case.verdict for case in run.cases}, key=lambda verdict: SEVERITY[verdict])
    width = max(len("dialect"), *(len(ascii_only(dialect)) for dialect in cases))
    yield _line("dialect", width, ["cases", *(verdict.value for verdict in occurring)], occurring)
    for dialect, found in sorted(cases.items()):
        counts = Counter(case.verdict for case in found)
        figures = [str(len(found)), *(str(counts[verdict] or "") for verdict in occurring)]
        yield _line(ascii_only(dialect), width, figures, occurring)
    for dialect, found in sorted(cases.items()):
        reason = next((case.reason for case in found if case.verdict is Verdict.NOT_CLAIMED), None)
        if reason is not None:
            yield f"not claimed: {ascii_only(dialect)}: {ascii_only(reason)}"


def _line(name: str, width: int, figures: list[str], verdicts: list[Verdict]) -> str:
    widths = [len("cases"), *(max(4, len(verdict.value)) for verdict in verdicts)]
    cells = (f"{figure:>{wide}}" for figure, wide in zip(figures, widths, strict=True))
    return f"{name:{width}}  {'  '.join(cells)}".rstrip()
