"""The matrix: cases, a group for each dialect, by references and plans; failures first."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.verdict import GREEN, SEVERITY, CaseResult, PlanResult, ReferenceResult, RunResult, Verdict, worst_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GLYPHS = {
    Verdict.PASS: "\u2713",
    Verdict.DIVERGENCE: "\u2248",
    Verdict.CONFLICT: "\u21c4",
    Verdict.NOT_CLAIMED: "\u2013",
    Verdict.NOT_RUN: "\u25cb",
    Verdict.FAIL: "\u2717",
    Verdict.ERROR: "!",
}
"""Shapes that differ without their colour; none of them has an emoji form."""

_FAMILY = re.compile(r"(\w[\w-]*)[:@]")


@dataclass(frozen=True, slots=True)
class Column:
    """A reference, or a plan; plans that differ in a number only (``random:0``, ``random:1``) share a column."""

    label: str
    members: frozenset[str]
    unit: str
    """What the numbers in its cells count."""
    plan: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One case under one column; ``verdict`` is None where there was nothing to run."""

    verdict: Verdict | None
    count: int = 0
    sampled: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One case."""

    case: CaseResult
    anchor: str
    """What stands for the case in ids and in the address: percent-encoded, so that any case id will do."""
    foreign: bool
    """Whether another subject than that of the first case was run."""
    cells: tuple[Cell, ...]
    warnings: tuple[tuple[str, int], ...]
    """Codes and how often each was given."""


@dataclass(frozen=True, slots=True)
class Group:
    """One dialect."""

    dialect: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    counts: tuple[tuple[Verdict, int], ...]
    """Cases of each verdict that occurs, worst first."""


def groups(run: RunResult) -> tuple[Group, ...]:
    """The matrix of ``run``; the dialects with the worst verdicts first, then by name."""
    by_dialect: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        by_dialect.setdefault(case.dialect, []).append(case)
    found = [_group(run, dialect, cases) for dialect, cases in sorted(by_dialect.items())]
    return tuple(sorted(found, key=lambda group: -max(_rank(verdict) for verdict, _ in group.counts)))


@dataclass(frozen=True, slots=True)
class Line:
    """The cases of one dialect and one subject, at a glance."""

    dialect: str
    subject: str
    """Empty if it is that of the first case."""
    rows: tuple[Row, ...]

    @property
    def green(self) -> int:
        """How many of them count as green."""
        return sum(row.case.verdict in GREEN for row in self.rows)

    @property
    def by_verdict(self) -> tuple[tuple[Verdict, tuple[Row, ...]], ...]:
        """The rows of each verdict, worst first."""
        found: dict[Verdict, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.case.verdict, []).append(row)
        return tuple((verdict, tuple(rows)) for verdict, rows in found.items())


def lines(groups: Iterable[Group]) -> tuple[Line, ...]:
    """The matrix of cases and subjects, a line for each dialect and subject, in the order of ``groups``."""
    found: dict[tuple[str, str], list[Row]] = {}
    for group in groups:
        for row in group.rows:
            found.setdefault((group.dialect, row.case.subject if row.foreign else ""), []).append(row)
    return tuple(Line(*key, tuple(rows)) for key, rows in found.items())


def by_severity(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """``cases`` with failures first, then by id."""
    return sorted(cases, key=lambda case: (-SEVERITY[case.verdict], case.case, case.subject))


def _rank(verdict: Verdict) -> int:
    """Dialects are told apart by what is wrong in them only: the green ones stay in order of name."""
    return 0 if verdict in GREEN else SEVERITY[verdict]


def anchor_of(case: CaseResult, run: RunResult) -> str:
    """The name of ``case`` in ids and in the address, unique within the page."""
    name = quote(case.case, safe="/", errors="surrogatepass")
    return f"{name}&subject={quote(case.subject, errors='surrogatepass')}" if _is_foreign(case, run) else name


def _is_foreign(case: CaseResult, run: RunResult) -> bool:
    return case.subject != run.cases[0].subject


def worst_first(verdicts: Iterable[Verdict]) -> tuple[tuple[Verdict, int], ...]:
    """How often each verdict occurs, worst first."""
    return tuple(sorted(Counter(verdicts).items(), key=lambda item: -SEVERITY[item[0]]))


def _group(run: RunResult, dialect: str, cases: Sequence[CaseResult]) -> Group:
    columns = _columns(cases)
    rows = [
        Row(
            case=case,
            anchor=anchor_of(case, run),
            foreign=_is_foreign(case, run),
            cells=tuple(_cell(case, column) for column in columns),
            warnings=tuple(Counter(case.warnings).items()),
        )
        for case in by_severity(cases)
    ]
    return Group(dialect, columns, tuple(rows), worst_first(case.verdict for case in cases))


def _columns(cases: Sequence[CaseResult]) -> tuple[Column, ...]:
    references: dict[str, None] = {}
    families: dict[str, dict[str, None]] = {}
    # The case that has most shows in which order they belong.
    for case in sorted(cases, key=lambda case: -len(case.references)):
        references.update(dict.fromkeys(one.reference for one in case.references))
    for case in cases:
        for plan in case.plans:
            families.setdefault(family(plan.plan), {})[plan.plan] = None
    columns = [Column(name, frozenset((name,)), "lines", plan=False) for name in references]
    for name, members in families.items():
        label = next(iter(members)) if len(members) == 1 else f"{name} \u00d7{len(members)}"
        columns.append(Column(label, frozenset(members), "chunkings", plan=True))
    return tuple(columns)


def family(plan: str) -> str:
    """``random`` for ``random:7``; a plan without a number is its own family."""
    found = _FAMILY.match(plan)
    return found[1] if found else plan


def _cell(case: CaseResult, column: Column) -> Cell:
    if column.plan:
        return _plan_cell([plan for plan in case.plans if plan.plan in column.members])
    return _reference_cell([one for one in case.references if one.reference in column.members])


def _reference_cell(found: Sequence[ReferenceResult]) -> Cell:
    if not found:
        return Cell(None, title="not a reference for this case")
    words = [word for one in found for word in (*one.divergences, one.reason) if word]
    return Cell(worst_of(one.verdict for one in found), sum(one.lines for one in found), title="; ".join(words))


def _plan_cell(found: Sequence[PlanResult]) -> Cell:
    chunkings = sum(plan.chunkings for plan in found)
    verdict = worst_of(plan.verdict for plan in found)
    reasons = "; ".join(dict.fromkeys(plan.reason for plan in found if plan.reason))
    if not chunkings and verdict is Verdict.PASS:
        return Cell(None, title=reasons or "nothing to run")
    numbers = f"{sum(plan.splits for plan in found):,} splits, {sum(plan.comparisons for plan in found):,} comparisons"
    # What passed is told in numbers by the details of the case.
    told = reasons if verdict is Verdict.PASS else "; ".join(filter(None, (numbers, reasons)))
    return Cell(verdict, chunkings, any(plan.sampled for plan in found), told)
