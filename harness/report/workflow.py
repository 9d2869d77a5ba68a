"""Annotations in a workflow of GitHub Actions: what is red, as commands that its log is searched for.

GitHub shows 10 errors a step, so there is one a case, and the last tells of those that are left. What a command may hold:
``%``, CR and LF are written ``%25``, ``%0D`` and ``%0A``, in a property also ``:`` and ``,`` as ``%3A`` and ``%2C`` (the
runner's ``ActionCommand``); everything recorded is printable ASCII before that, on one line.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from harness.report import console
from harness.report.causes import cause_of
from harness.report.document import seal
from harness.report.troubles import red_cases, troubles
from harness.visible import ascii_only

if TYPE_CHECKING:
    from harness.verdict import CaseResult, RunResult

MAX_ANNOTATIONS = 10
"""Of one kind, that GitHub shows of one step."""
MAX_LINES = 20
"""Of one annotation."""
MAX_LINE = 500
"""Characters of one of them."""

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def commands(run: RunResult) -> list[str]:
    """Workflow commands, a line each: one a red case, and one for what is wrong with the run as a whole.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    whole = [f"{trouble.label}; {trouble.message}" for trouble in troubles(run)]
    found = [_command("the run as a whole", whole)] if whole else []
    found += [_command(f"{case.verdict} {case.case}", _told(case), case.source) for case in red_cases(run)]
    if len(found) <= MAX_ANNOTATIONS:
        return found
    left = len(found) - MAX_ANNOTATIONS + 1
    return [*found[: MAX_ANNOTATIONS - 1], _command("more", [f"{left:,} more cases are red; the report names them"])]


def _told(case: CaseResult) -> list[str]:
    first = case.differences[:1]
    notes = [one.note for one in first if one.note]
    again = [one.minimal.reproduce if one.minimal else one.reproduce for one in first]
    causes = [f"likely cause: {cause}" for cause in (cause_of(case),) if cause]
    return [console.headline(case), *notes, *causes, *(f"reproduce: {command}" for command in again if command)]


def _command(title: str, lines: list[str], source: str = "") -> str:
    """One error; that of a file of the repository is shown beside its first line."""
    more = [f"and {len(lines) - MAX_LINES:,} more"] if len(lines) > MAX_LINES else []
    text = "\n".join(ascii_only(line)[:MAX_LINE] for line in (*lines[:MAX_LINES], *more))
    is_ours = source and not PurePosixPath(source).is_absolute() and not PureWindowsPath(source).is_absolute()
    place = f"file={_spelt(ascii_only(source)[:MAX_LINE], _PROPERTY)},line=1," if is_ours else ""
    return f"::error {place}title={_spelt(ascii_only(f'streamparity: {title}')[:200], _PROPERTY)}::{_spelt(text, _DATA)}"


def _spelt(text: str, spellings: dict[str, str]) -> str:
    return re.sub("[" + re.escape("".join(spellings)) + "]", lambda found: spellings[found[0]], text)
