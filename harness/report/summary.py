"""The summary of a step of GitHub Actions, in Markdown.

It holds 1 MiB, and one that is larger is not shown at all (GitHub's documentation of workflow commands, "Step isolation
and limits"). What is left out is said, with how much it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exits import InputError
from harness.report import console
from harness.report.baseline_text import last_line
from harness.report.details import clip
from harness.report.document import digest_of, seal
from harness.report.markdown import block, code, escaped
from harness.report.matrix import GLYPHS, worst_first
from harness.report.sizes import human_size
from harness.report.troubles import red_cases, troubles
from harness.verdict import SEVERITY, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.report.baseline import Comparison
    from harness.verdict import CaseResult, RunResult

LIMIT = 1 << 20
"""Bytes of one step's summary."""
MAX_CASES = 100
"""Cases spelt out; a reader fixes the first, and the page has the others."""
MAX_LISTED = 20
"""Lines of any other list."""
MAX_CASE = 6000
"""Characters said about one case."""


def summary(run: RunResult, comparison: Comparison | None = None, *, room: int = LIMIT) -> str:
    """The Markdown about ``run``, of at most ``room`` bytes; empty if not even the verdict has room.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    head = "\n".join(_head(run))
    more = (*_troubles(run), *(_compared(comparison) if comparison is not None else ()), *_dialects(run))
    rest = "\n".join(("", *more, ""))
    red = red_cases(run)
    last = _size(_left_out(len(red)))
    if _size(head + rest) + last > room:
        return head + _left_out(len(red)) if _size(head) + last <= room else ""
    parts, size = [head, rest], _size(head + rest)
    for part in map(_case, red[:MAX_CASES]):
        size += _size(part)
        if size + last > room:
            break
        parts.append(part)
    return "".join((*parts, _left_out(len(red) - len(parts) + 2)))


def append(text: str, path: Path) -> None:
    """Adds ``text`` to the file of a step's summary, all of it or nothing.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with path.open("ab") as file:
            before = file.tell()
            try:
                file.write(text.encode())
                file.flush()
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def room_in(path: Path) -> int:
    """Bytes that the file of a step's summary, which an earlier command may have begun, has room for."""
    return max(0, LIMIT - path.stat().st_size) if path.exists() else LIMIT


def _head(run: RunResult) -> Iterator[str]:
    totals, verdict = run.totals, run.verdict
    shard = f", shard {run.shard}" if run.shard else ""
    yield f"## {GLYPHS[verdict]} streamparity: {verdict}\n"
    yield f"{code(clip(run.subject, 200))}, plan {code(clip(run.plan, 200))}{shard}, report {code(digest_of(run)[:12])}\n"
    caught = f"{totals['mutants_caught']:,} of {totals['mutants']:,}" if totals["mutants"] else "none run"
    counts = ", ".join(f"{count:,} {one}" for one, count in worst_first(case.verdict for case in run.cases))
    figures = {
        "cases": f"{totals['cases']:,} ({counts or 'none'})",
        "replayed": human_size(totals["bytes"]),
        **{name: f"{totals[name]:,}" for name in ("chunkings", "splits", "comparisons")},
        "mutants caught": caught,
    }
    yield from _table(list(figures), [list(figures.values())])


def _troubles(run: RunResult) -> Iterator[str]:
    found = list(troubles(run))
    if not found:
        return
    yield "### The run as a whole\n"
    for trouble in found[:MAX_LISTED]:
        name, message = code(clip(trouble.name, 500)), escaped(clip(trouble.message, 500))
        yield f"* {trouble.verdict}, {escaped(trouble.kind)}: {name}; {message}"
    if len(found) > MAX_LISTED:
        yield f"* and {len(found) - MAX_LISTED:,} more"
    yield ""


def _compared(comparison: Comparison) -> Iterator[str]:
    yield "### Since the baseline\n"
    yield f"{escaped(last_line(comparison))}\n"
    for heading, changes in (("new", comparison.new_failures), ("fixed", comparison.fixed)):
        for change in changes[:MAX_LISTED]:
            yield f"* {heading}: {code(clip(change.case, 200))}"
        if len(changes) > MAX_LISTED:
            yield f"* {heading}: and {len(changes) - MAX_LISTED:,} more"
    yield ""


def _dialects(run: RunResult) -> Iterator[str]:
    """A row a dialect; of one dialect the head has said it all."""
    by_dialect: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        by_dialect.setdefault(case.dialect, []).append(case)
    if len(by_dialect) < 2:
        return
    verdicts = sorted({case.verdict for case in run.cases}, key=SEVERITY.__getitem__)
    rows = [
        [code(clip(dialect, 200)), str(len(cases)), *(str(_count(cases, verdict) or "") for verdict in verdicts)]
        for dialect, cases in sorted(by_dialect.items())
    ]
    yield from _table(["dialect", "cases", *(verdict.value for verdict in verdicts)], rows)


def _count(cases: Iterable[CaseResult], verdict: Verdict) -> int:
    return sum(case.verdict is verdict for case in cases)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _case(case: CaseResult) -> str:
    """Closed to begin with: the summary of a step is read as a list first."""
    title = f"{GLYPHS[case.verdict]} {case.verdict} {code(clip(case.case, 200))} {escaped(clip(console.headline(case), 300))}"
    told = clip(console.told(case), MAX_CASE).splitlines()
    return f"<details><summary>{title}</summary>\n\n{block(told)}\n\n</details>\n"


def _left_out(count: int) -> str:
    if not count:
        return ""
    return f"\n{count:,} red case{'' if count == 1 else 's'} more than shown here: the report has all of them.\n"


def _size(text: str) -> int:
    return len(text.encode())
