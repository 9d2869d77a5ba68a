"""What a measurement found: bars met or not, and tables; as text, as Markdown, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise about speed or size, and what was measured."""

    what: str
    sense: Literal[">=", "<="]
    bound: float
    unit: str
    measured: float | None = None
    not_run: str = ""
    """Why there is no figure."""

    @property
    def verdict(self) -> str:
        """``pass``, ``short``, or why it was not run. Information only: no exit code depends on it."""
        if self.measured is None:
            return f"not run: {self.not_run}"
        met = self.measured >= self.bound if self.sense == ">=" else self.measured <= self.bound
        return "pass" if met else "short"

    def cells(self) -> tuple[str, ...]:
        """One row of the table of bars."""
        figure = "-" if self.measured is None else f"{self.measured:.2f} {self.unit}"
        return self.what, f"{self.sense} {self.bound:g} {self.unit}", figure, self.verdict


@dataclass(frozen=True, slots=True)
class Table:
    """Figures for people."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    for_readme: bool = False
    """Printed as Markdown too, to be copied."""


@dataclass(slots=True)
class Findings:
    """The yield of one measurement."""

    bars: list[Bar] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Measured -> contender -> seconds of every round."""

    def add(self, other: Findings) -> None:
        """Appends what ``other`` found."""
        self.bars += other.bars
        self.tables += other.tables
        self.seconds |= other.seconds


def bars_table(bars: list[Bar]) -> Table:
    """All bars, one row each."""
    return Table("Bars", ("what", "bar", "measured", "verdict"), tuple(bar.cells() for bar in bars))


def as_text(table: Table) -> str:
    """For a terminal: columns padded, figures to the right."""
    rows = (table.head, *table.rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = ["", table.title]
    for row in rows:
        cells = [
            cell.ljust(width) if column == 0 or not cell[:1].isdigit() else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    if table.note:
        lines.append(f"  ({table.note})")
    return "\n".join(lines)


def as_markdown(environment: dict[str, str], command: str, findings: Findings) -> str:
    """A page of everything."""
    lines = ["# Results", "", f"Printed by `{command}`; nothing here was edited.", ""]
    lines += [f"- {name}: {value}" for name, value in environment.items()]
    for table in (bars_table(findings.bars), *findings.tables):
        lines += ["", f"## {table.title}", "", *markdown_rows(table)]
        if table.note:
            lines += ["", table.note]
    return "\n".join(lines) + "\n"


def markdown_rows(table: Table) -> list[str]:
    """The lines of a Markdown table."""
    return [_line(table.head), _line(("---",) * len(table.head)), *map(_line, table.rows)]


def as_json(environment: dict[str, str], command: str, findings: Findings) -> dict[str, Any]:
    """Everything, every single timing included."""
    return {
        "command": command,
        "environment": environment,
        "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in findings.bars],
        "tables": [asdict(table) for table in findings.tables],
        "seconds": findings.seconds,
    }


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
