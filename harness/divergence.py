"""Named divergences: differences from a golden that are kept on purpose.

``divergences.yaml`` is a list of entries::

    - name: error-without-type-is-provider
      reference: ai.openai.chat
      cases: [openai-chat/error-mid-stream, "openai-chat/*-bare-error"]
      ignore:
        - {part: error, path: kind}                # this value is left out of such lines, on both sides
        - {part: text-end, side: golden}           # the golden's lines of this type are left out
        - {part: text-start}                       # lines of this type are left out, on both sides
      reason: the SDK takes an error without a type for a payload it cannot read
      since: 2026-11-21
      expires: 2027-06-01                          # optional: from then on the entry is stale
      issue: an address                            # optional

What an entry hides is what its ``ignore`` names, and nothing else. An entry excuses a case only if the traces are equal
line by line once everything it ignores is left out; one more difference anywhere, in the same case or even in the same
line, and the case fails as if there were no entry. ``part`` is a part type, ``end`` for the end line, or ``final`` for
the projected message of a native reference. ``path`` goes from the part downwards, keys and list positions joined by
dots, ``*`` for any. ``side`` narrows a whole-line rule to lines that only the golden, or only our trace, may have.

Where no single entry is enough, two are tried, then all that are about the case; those that were needed are named in
the report. An entry that was not needed, although all the cases that it is about were run, is stale, and fails the run.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from harness import yaml_lines
from harness.canonical import canonical
from harness.references import REFERENCES
from harness.yaml_lines import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.yaml_lines import Document

Side = Literal["golden", "ours"]
_EXCLUDE = "a path and a side exclude each other"


class DivergenceError(Exception):
    """``divergences.yaml`` cannot be used; one line that says where and why."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """What is left out before two traces are compared."""

    part: str
    path: tuple[str, ...] = ()
    """Where the value is within the part; empty for the whole line."""
    side: Side | None = None
    """The only side on which whole lines are left out; None for both."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """One entry."""

    name: str
    reference: str
    cases: tuple[str, ...]
    """Case ids or globs of them."""
    ignore: tuple[Ignored, ...]
    reason: str
    since: str
    expires: str = ""
    """ISO date from which on the entry is stale; empty for never."""

    def covers(self, case: str, reference: str | None = None) -> bool:
        """Whether the entry is about that case, and about that reference if one is given."""
        return reference in (None, self.reference) and any(
            case == glob or fnmatchcase(case, glob) for glob in self.cases
        )


@dataclass(frozen=True, slots=True)
class Excused:
    """The two traces, with what the used entries ignore left out. ``names`` is empty if no entry helps."""

    names: tuple[str, ...]
    expected: list[str]
    actual: list[str]


@dataclass(frozen=True)
class Divergences:
    """All entries of one file."""

    entries: tuple[Divergence, ...] = ()
    source: str = field(default="", compare=False)

    @classmethod
    def load(cls, path: Path) -> Divergences:
        """The entries of ``path``; none if there is no such file.

        Raises:
            DivergenceError: not YAML, not the documented shape, an unknown reference, or a name twice.
        """
        if not path.exists():
            return cls((), str(path))
        try:
            document = yaml_lines.read(path)
        except YamlError as error:
            raise DivergenceError(error.at(path)) from None
        document = replace(document, value=_with_dates_as_text(document.value))
        items = document.value or []
        for line, complaint in _problems(document, items):
            raise DivergenceError(f"{path}:{line}: {complaint}")
        return cls(tuple(_entry(item) for item in items), str(path))

    def excuse(self, case: str, reference: str, expected: Sequence[str], actual: Sequence[str]) -> Excused:
        """The traces with as few entries applied as make them equal; as they are if none do."""
        candidates = [entry for entry in self.entries if entry.covers(case, reference)]
        for chosen in _choices(candidates):
            wanted = _without(expected, chosen, "golden")
            if wanted == _without(actual, chosen, "ours"):
                return Excused(tuple(entry.name for entry in chosen), wanted, wanted)
        return Excused((), list(expected), list(actual))

    def beyond(
        self, case: str, reference: str, expected: Sequence[str], actual: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """The traces without anything that an entry is about: where none makes them equal, what is left tells why."""
        candidates = [entry for entry in self.entries if entry.covers(case, reference)]
        return _without(expected, candidates, "golden"), _without(actual, candidates, "ours")

    def reason(self, name: str) -> str:
        """Why the entry called ``name`` is kept."""
        return next((f"{entry.reason} (since {entry.since})" for entry in self.entries if entry.name == name), "")

    def unused(
        self,
        used: Iterable[str],
        cases_run: Iterable[str],
        known: Iterable[str] | None = None,
        today: dt.date | None = None,
    ) -> list[str]:
        """Names of stale entries: not needed, or past their ``expires`` day.

        An entry is judged only when cases that it is about were run, and all of them were: those it names by id, and
        those of ``known`` (every case there is, if the caller can tell) that match its globs. So a partial run accuses
        nobody.
        """
        used, run = set(used), set(cases_run)
        everything = run | set(known or ())
        day = (today or dt.datetime.now(tz=dt.UTC).date()).isoformat()
        stale = []
        for entry in self.entries:
            about = {case for case in everything if entry.covers(case)}
            about |= {glob for glob in entry.cases if not set("*?[") & set(glob)}
            judged = bool(about) and about <= run
            expired = bool(entry.expires) and entry.expires <= day and bool(about & run)
            if expired or (judged and entry.name not in used):
                stale.append(entry.name)
        return stale


def _with_dates_as_text(value: Any) -> Any:
    """YAML reads 2026-11-21 as a date, whether or not it was meant as text."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list):
        return [_with_dates_as_text(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_dates_as_text(item) for key, item in value.items()}
    return value


def _problems(document: Document, items: Any) -> Iterable[tuple[int, str]]:
    """(line, what is wrong there) in the order of the file."""
    misfits = document.misfits("divergences", otherwise=[])
    for misfit in misfits:
        name = ".".join(map(str, misfit.steps[1:])) or "entry" if misfit.steps else "the file"
        yield misfit.line, f"{name}: {_EXCLUDE if misfit.keyword == 'not' else misfit.what}"
    if misfits:
        return
    references = {reference.name for several in REFERENCES.values() for reference in several}
    names: set[str] = set()
    for position, item in enumerate(items):
        if item["reference"] not in references:
            known = ", ".join(sorted(references))
            line = document.line([position, "reference"])
            yield line, f"reference: {item['reference']!r} is none of {known}"
        if item["name"] in names:
            yield document.line([position, "name"]), f"name: {item['name']!r} stands twice; names are unique"
        names.add(item["name"])


def _entry(item: dict[str, Any]) -> Divergence:
    return Divergence(
        name=item["name"],
        reference=item["reference"],
        cases=tuple(item["cases"]),
        ignore=tuple(
            Ignored(rule["part"], tuple(rule["path"].split(".")) if "path" in rule else (), rule.get("side"))
            for rule in item["ignore"]
        ),
        reason=item["reason"],
        since=item["since"],
        expires=item.get("expires", ""),
    )


def _choices(candidates: Sequence[Divergence]) -> Iterable[tuple[Divergence, ...]]:
    yield from combinations(candidates, 1)
    yield from combinations(candidates, 2)
    if len(candidates) > 2:
        yield tuple(candidates)


def _without(lines: Sequence[str], entries: Iterable[Divergence], side: Side) -> list[str]:
    rules = [rule for entry in entries for rule in entry.ignore]
    dropped = {rule.part for rule in rules if not rule.path and rule.side in (None, side)}
    paths: dict[str, list[tuple[str, ...]]] = {}
    for rule in rules:
        if rule.path:
            paths.setdefault(rule.part, []).append(rule.path)
    result = []
    for line in lines:
        value = json.loads(line)
        kind = value[0] if isinstance(value, list) else "end" if "end" in value else "final"
        if kind in dropped:
            continue
        if kind not in paths:
            result.append(line)
            continue
        for path in paths[kind]:
            _remove(value[1] if isinstance(value, list) else value, path)
        result.append(canonical(value))
    return result


def _remove(value: Any, path: Sequence[str]) -> None:
    """Removes the value at ``path``; ``*`` stands for every key or index."""
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        indices = range(len(value)) if head == "*" else [int(head)] if head.isdigit() and int(head) < len(value) else []
        for index in indices:
            if rest:
                _remove(value[index], rest)
            else:
                value[index] = None  # not deleted: what stands behind it keeps its place
    elif isinstance(value, dict):
        for key in list(value) if head == "*" else [head] if head in value else []:
            if rest:
                _remove(value[key], rest)
            else:
                del value[key]
