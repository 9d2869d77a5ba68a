"""The matrix as data: what the page's script makes rows of when they are needed.

What takes a browser long to open is elements, and a row is some forty of them. So a large page is sent with the first rows of
each dialect, and with what is in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.causes import cause_of
from harness.report.details import clip
from harness.report.matrix import GLYPHS
from harness.visible import visible

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from harness.report.matrix import Cell, Group, Line, Row

MAX_ROWS = 600
"""Rows of a page that has all of them as elements."""
SOME_ROWS = 120
"""Rows that a page with more has as elements, shared among its dialects."""
LEAST_ROWS = 4
"""Rows that any dialect has as elements."""
MAX_MARKS = 1000
"""Cases of a page whose overview has a mark for each."""
SOME_MARKS = 600
"""Marks of the overview of a page with more, shared among its lines and their verdicts."""
LEAST_MARKS, MOST_MARKS = 4, 60
"""Marks that one verdict then has on one line."""
MAX_TITLE = 300
"""Characters of what a cell says about itself."""


def rows_sent(groups: Sequence[Group]) -> int:
    """How many rows of each of ``groups`` are elements of the page from the beginning."""
    if sum(len(group.rows) for group in groups) <= MAX_ROWS:
        return MAX_ROWS
    return max(LEAST_ROWS, SOME_ROWS // len(groups))


def marks_sent(lines: Sequence[Line]) -> int:
    """How many marks each verdict has on each of ``lines``; 0 if all."""
    if sum(len(line.rows) for line in lines) <= MAX_MARKS:
        return 0
    share = SOME_MARKS // sum(len(line.by_verdict) for line in lines)
    return min(max(LEAST_MARKS, share), MOST_MARKS)


def table(groups: Sequence[Group], with_cards: Container[str]) -> dict[str, Any]:
    """Every row of ``groups``; a text that may come often is a number, its place in ``words``.

    A row is its anchor, name, verdict, subject, whether that is told, provenance, cause without its details, bytes, parts,
    frames, warnings, their codes, whether its differences are spelt out, its cells, and the whole cause. A cell is a
    verdict, a number, whether it was sampled, and what it says about itself; where nothing was to be run, it is the latter
    alone.
    """
    words = _Words()
    found = [
        [words[group.dialect], [_row(row, group.dialect, with_cards, words) for row in group.rows]] for group in groups
    ]
    return {"glyphs": {verdict.value: glyph for verdict, glyph in GLYPHS.items()}, "groups": found, "words": words.shown}


class _Words:
    """Texts, made visible, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._places: dict[str, int] = {}

    def __getitem__(self, text: str) -> int:
        if text not in self._places:
            self._places[text] = len(self.shown)
            self.shown.append(visible(text))
        return self._places[text]


def _row(row: Row, dialect: str, with_cards: Container[str], words: _Words) -> list[Any]:
    case, cause = row.case, cause_of(row.case)
    return [
        row.anchor,
        visible(case.case.removeprefix(f"{dialect}/")),
        words[case.verdict],
        words[case.subject],
        int(row.foreign),
        words[case.provenance],
        words[cause.partition(": ")[0]],
        case.body_bytes,
        case.parts,
        case.frames,
        len(case.warnings),
        [words[code] for code, _ in row.warnings],
        int(row.anchor in with_cards),
        [_cell(cell, words) for cell in row.cells],
        words[cause],
    ]


def _cell(cell: Cell, words: _Words) -> list[int] | int:
    title = words[clip(cell.title, MAX_TITLE)]
    if cell.verdict is None:
        return title
    return [words[cell.verdict], cell.count, int(cell.sampled), title]
