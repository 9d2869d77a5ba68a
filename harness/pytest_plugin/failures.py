"""A difference as pytest shows it."""

from __future__ import annotations

import traceback
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from _pytest.outcomes import OutcomeException

from harness.report.causes import likely
from harness.report.differences import first_column, tried, view_of
from harness.verdict import Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdict import CaseResult

_HARNESS = Path(__file__).parents[1]
_CONTEXT = 40
"""Characters of a trace line that are shown before a difference."""
_WIDTH = 100
"""Characters of a trace line that are shown at all."""


class ParityError(AssertionError):
    """A verdict that is not green; the message is what the user sees."""


def headline(result: CaseResult) -> str:
    """What pytest shows in its short summary."""
    if not result.differences:
        return f"{result.verdict.value}: {result.reason}"
    first = result.differences[0]
    where = f" in {first.path}" if first.path else f": {first.note}" if first.note else ""
    return f"{first.plan}: {'breaks' if first.expected == first.actual else 'differs from'} {first.against}{where}"


def described(difference: Difference) -> list[str]:
    """A difference for people: plan, place, and both lines around it, as far as they are known."""
    lines = [f"plan       {difference.plan}, against {difference.against}"]
    has_lines = difference.expected is not None or difference.actual is not None
    place = {
        "event": difference.event,
        "byte": difference.byte_offset,
        "trace line": difference.line if has_lines else None,
        "UTF-16 offset": difference.utf16_offset,
        "in": difference.path or None,
    }
    known = [f"{name} {value}" for name, value in place.items() if value is not None]
    if known:
        lines.append(f"place      {', '.join(known)}")
    if has_lines:
        start = max(0, difference.column - _CONTEXT)
        lines += [
            f"expected   {_around(difference.expected, start)}",
            f"actual     {_around(difference.actual, start)}",
            " " * (11 + difference.column - start + (3 if start else 0)) + "^",
        ]
        named = _characters(difference)
        lines += [f"characters {named}"] if named else []
    if difference.note:
        lines.append(f"note       {difference.note}")
    if cause := likely(difference):
        lines.append(f"cause      {cause[:_WIDTH]}")
    if difference.minimal is not None:
        minimal = difference.minimal
        lines.append(f"minimal    {minimal.plan[:_WIDTH]}: {minimal.statement}")
        lines += [f"           byte {place.offset}: {place.before} | {place.after}" for place in minimal.cuts[:4]]
        if minimal.cuts:
            lines.append(f"           {tried(minimal)}")
    return lines


def frames_of(error: BaseException, root: Path) -> list[str]:
    """Where an exception came from, from the user's own code on: where the harness called it is not what they look for."""
    stack = traceback.extract_tb(error.__traceback__)
    theirs = [at for at, frame in enumerate(stack) if not Path(frame.filename).is_relative_to(_HARNESS)]
    ours = [at for at in range(len(stack)) if at not in theirs]
    begin = next((at for at in theirs if at > min(ours, default=-1)), len(stack))
    end = len(stack)
    if isinstance(error, OutcomeException):  # what ends a test from the outside, such as a timeout, came on top
        end = max((at + 1 for at in theirs if Path(stack[at].filename).is_relative_to(root)), default=end)
    lines = []
    for frame in stack[begin:end]:
        path = Path(frame.filename)
        near = path.relative_to(root) if path.is_relative_to(root) else path
        lines += [f"  {near}:{frame.lineno} in {frame.name}", *([f"    {frame.line}"] if frame.line else [])]
    return ["raised in", *lines] if lines else []


def compared(golden: Sequence[str], lines: Sequence[str]) -> list[str]:
    """What pytest shows of two traces that are not equal: the first lines that differ, and which characters do."""
    pairs = enumerate(zip_longest(golden, lines))
    at, (expected, actual) = next((at, pair) for at, pair in pairs if pair[0] != pair[1])
    column = first_column(expected or "", actual or "")
    difference = Difference("golden", "", at, expected, actual, column, None, "", None, None)
    told = described(difference)[1:]
    return [f"the golden has {len(golden)} lines, this trace {len(lines)}; they differ from line {at} on", *told]


def _characters(difference: Difference) -> str:
    """The two characters by name: what cannot be seen has one, too."""
    named = [
        f"{side.character.code_point} {side.character.name}" if side.character else "the end of the line"
        for side in view_of(difference, None, "").sides
        if side.present
    ]
    return f"expected {named[0]}; actual {named[1]}" if len(named) == 2 else ""


def _around(line: str | None, start: int) -> str:
    if line is None:
        return "nothing more"
    end = start + _WIDTH
    return f"{'...' if start else ''}{line[start:end]}{'...' if end < len(line) else ''}"
