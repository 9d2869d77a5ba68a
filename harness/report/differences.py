"""A difference as a person reads it: two lines one above the other, around the first character that differs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from harness.difference import utf16_length
from harness.visible import LONGEST_UNIT, Unit, code_point_name, is_visible, shown, unit_at, units, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.findings import MinimalCut
    from harness.verdict import CaseResult, Difference

CONTEXT = 40
"""Characters shown on either side of the one that differs."""
EXACT = 600
"""Characters of the exact, escaped line that the page shows on either side; a line may be megabytes."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)

OWN_TRACES = {"bytes": "byte by byte", "whole": "uncut body"}
"""``Difference.against`` when the subject was compared with itself, and what to call that."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters that look alike."""

    text: str
    escape: bool = False
    """Whether the text spells out something that cannot be seen."""
    marked: bool = False
    """Whether this is the character that differs."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Character:
    """The character that differs, named."""

    display: str
    code_point: str
    """``U+00E9``."""
    name: str
    utf8: str
    """Hex bytes; empty for half of a surrogate pair, which has none."""
    utf16: str
    """Hex code units."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two lines."""

    label: str
    name: str
    """Whose line it is: the reference, or the subject."""
    present: bool
    """False when the trace had no such line."""
    before: int = 0
    """Characters of the line that are left out in front of the runs."""
    runs: tuple[Run, ...] = ()
    after: int = 0
    """Characters left out behind them."""
    escaped: tuple[Run, ...] = ()
    """The same characters as the trace spells them."""
    hex: tuple[Run, ...] = ()
    """The same characters as bytes of UTF-8."""
    character: Character | None = None
    """None when the line ends where the other goes on."""
    exact: str = ""
    exact_before: int = 0
    exact_after: int = 0


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """One difference of one case."""

    difference: Difference
    kind: str
    """``golden``, ``chunking`` (against the subject's own trace) or ``rule``."""
    sides: tuple[Side, ...]
    """The expected line, then ours; empty for a rule, which has none."""
    code_points: int | None = None
    """Code points before the difference within the string value that differs, as its UTF-16 offset counts code units."""


def kind_of(difference: Difference, case: CaseResult | None) -> str:
    """What ``difference`` is from, as :attr:`DifferenceView.kind` has it."""
    if difference.against in OWN_TRACES:
        return "chunking"
    no_lines = difference.expected is None and difference.actual is None
    if no_lines or (case is not None and difference.against not in {one.reference for one in case.references}):
        return "rule"
    return "golden"


def view_of(difference: Difference, case: CaseResult | None, subject: str) -> DifferenceView:
    """``difference`` for people; ``case`` is where it was found (None: a mutant's), ``subject`` whose line is ours."""
    expected, actual = difference.expected, difference.actual
    kind = kind_of(difference, case)
    if expected is None and actual is None:
        return DifferenceView(difference, kind, ())
    label = {"golden": "golden", "chunking": "same subject", "rule": "expected"}[kind]
    name = OWN_TRACES.get(difference.against, difference.against)
    mark = mark_of(expected, actual)
    pair = (_side(label, name, expected, mark), _side("ours", subject, actual, mark))
    return DifferenceView(difference, kind, pair, _code_points(difference, mark))


def _code_points(difference: Difference, mark: int | None) -> int | None:
    """The UTF-16 offset in code points; None where the line does not bear it out."""
    line = difference.expected
    if line is None or mark is None or difference.utf16_offset is None:
        return None
    string = next((found for found in _STRING.finditer(line) if found.start() < mark <= found.end()), None)
    if string is None:
        return None
    try:
        before = json.loads(f'{line[string.start() : mark]}"')
    except ValueError:
        return None
    return len(before) if utf16_length(before) == difference.utf16_offset else None


def tried(minimal: MinimalCut) -> str:
    """What a minimal cut rests on: how many ways of cutting were run, and what ended the search."""
    told = f"{minimal.runs:,} ways of cutting run"
    if minimal.singles_tried:
        told += f"; {minimal.singles_failed:,} of {minimal.singles_tried:,} single cuts fail"
    if not minimal.bounded:
        return told
    return f"{told}; ended by its bound, so {'not every cut was tried' if len(minimal.cuts) == 1 else 'there may be a smaller one'}"


def first_column(left: str, right: str) -> int:
    """Index of the first differing character of two lines."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def mark_of(expected: str | None, actual: str | None) -> int | None:
    """Where the differing character starts in both lines; None when they do not differ or only one is there.

    The lines may first differ inside an escape, or in the second half of a surrogate pair: what differs is the
    character that this is part of, and where that is spelt in two ways, the earlier start counts.
    """
    if expected is None or actual is None or expected == actual:
        return None
    column = first_column(expected, actual)
    starts = [unit.start for unit in (unit_at(expected, column), unit_at(actual, column)) if unit is not None]
    return min(starts, default=column)


def _side(label: str, name: str, line: str | None, mark: int | None) -> Side:
    if line is None:
        return Side(label, name, present=False)
    middle = mark if mark is not None else 0
    enough = middle + (CONTEXT + 2) * LONGEST_UNIT  # not to the end of the line, which may be megabytes away
    near = list(takewhile(lambda unit: unit.start < enough, units(line, middle, CONTEXT)))
    at = next((index for index, unit in enumerate(near) if unit.start >= middle), len(near))
    window = near[max(0, at - CONTEXT) : at + CONTEXT + 1]
    end = window[-1].end if window else 0
    start = window[0].start if window else 0
    marked = near[at] if mark is not None and at < len(near) else None
    runs = _runs(line, window, marked)
    end_of_line = (
        (Run("\u27e8end of line\u27e9", escape=True, marked=True),) if mark is not None and marked is None else ()
    )
    exact_start, exact_end = max(0, middle - EXACT), min(len(line), middle + EXACT)
    return Side(
        label=label,
        name=name,
        present=True,
        before=start,
        runs=runs + end_of_line,
        escaped=_escaped_runs(line, window, marked) + end_of_line,
        hex=_hex_runs(window, marked) + end_of_line,
        after=len(line) - end,
        character=_character(marked) if marked is not None else None,
        exact=visible(line[exact_start:exact_end]),
        exact_before=exact_start,
        exact_after=len(line) - exact_end,
    )


def _runs(line: str, window: list[Unit], marked: Unit | None) -> tuple[Run, ...]:
    def text(unit: Unit) -> tuple[str, bool]:
        shown, escape = unit.display(line[unit.start : unit.end])
        if unit is marked and not escape and code_point_name(unit.char).startswith("COMBINING"):
            shown = f"\u25cc{shown}"  # would otherwise sit on the character before it
        return shown, escape

    return _joined(window, marked, text)


def _escaped_runs(line: str, window: list[Unit], marked: Unit | None) -> tuple[Run, ...]:
    return _joined(window, marked, lambda unit: (visible(line[unit.start : unit.end]), False))


def _hex_runs(window: list[Unit], marked: Unit | None) -> tuple[Run, ...]:
    return _joined(window, marked, lambda unit: (f"{_utf8(unit.char) or shown(unit.char)} ", False))


def _joined(window: list[Unit], marked: Unit | None, text: Callable[[Unit], tuple[str, bool]]) -> tuple[Run, ...]:
    runs: list[Run] = []
    plain: list[str] = []

    def flush() -> None:
        if plain:
            runs.append(Run("".join(plain)))
            plain.clear()

    for unit in window:
        spelt, escape = text(unit)
        if unit is not marked and not escape:
            plain.append(spelt)
            continue
        flush()
        runs.append(Run(spelt, escape, unit is marked, _title(unit.char)))
    flush()
    return tuple(runs)


def _utf8(char: str) -> str:
    """Hex bytes; empty for half of a surrogate pair, which has none."""
    return "" if 0xD800 <= ord(char) <= 0xDFFF else char.encode().hex(" ").upper()


def _title(char: str) -> str:
    return f"U+{ord(char):04X} {code_point_name(char)}"


def _character(unit: Unit) -> Character:
    char = unit.char
    return Character(
        display=char if is_visible(char) else shown(char),
        code_point=f"U+{ord(char):04X}",
        name=code_point_name(char),
        utf8=_utf8(char),
        utf16=char.encode("utf-16-be", "surrogatepass").hex(" ", 2).upper(),
    )
