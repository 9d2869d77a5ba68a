"""The allow-list: what a stream and its twin may differ in (``allowed.yaml``), and which of its entries nobody needs."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from harness.yaml_lines import shipped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from harness.case import Case


@dataclass(frozen=True, slots=True)
class Allowance:
    """One entry."""

    dialects: tuple[str, ...]
    """Names, or patterns as in a shell."""
    path: str
    """Of the value in an answer (:mod:`harness.pairs.answer`); it covers all that is inside."""
    reason: str
    without: str = ""
    """The dotted path of a request's field: only if the streamed request has none, or says that it is false."""
    provenance: str = ""
    """Only for recordings of this one: what a certain server does is not allowed to the others of its dialect."""

    @property
    def name(self) -> str:
        """What reports call it."""
        condition = f" without {self.without}" if self.without else ""
        condition += f" of {self.provenance}" if self.provenance else ""
        return f"{' '.join(self.dialects)}: {self.path}{condition}"

    def applies(self, case: Case) -> bool:
        """Whether it is about the pair of this case: its dialect, and what its streamed request asks for."""
        fits = any(fnmatchcase(case.dialect, pattern) for pattern in self.dialects)
        fits = fits and self.provenance in ("", case.provenance)
        return fits and not (self.without and _asked(self.without, (case.request or {}).get("body")))

    def covers(self, path: str) -> bool:
        """Whether it allows a difference at ``path``."""
        pattern = re.escape(self.path).replace(r"\[\*\]", r"\[\d+\]")
        return re.match(rf"{pattern}(?=[.\[]|$)", path) is not None


def _asked(path: str, request: Any) -> bool:
    value = request
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return bool(value)


@functools.cache
def allowances() -> tuple[Allowance, ...]:
    """The entries, in the order of the file."""
    return tuple(
        Allowance(
            tuple(entry["dialects"]),
            entry["path"],
            entry["reason"],
            entry.get("without", ""),
            entry.get("provenance", ""),
        )
        for entry in shipped("harness.pairs", "allowed.yaml")
    )


def stale(
    judging: Iterable[Case], run: Collection[str], used: Collection[str], entries: Sequence[Allowance] | None = None
) -> list[str]:
    """Names of the entries that nobody needed, although all the pairs that they are for were run.

    ``judging`` is every case whose pair is compared value by value, ``run`` the ids of those that were, ``used`` the names of
    the entries that were needed.
    """
    pairs = list(judging)
    found = []
    for entry in allowances() if entries is None else entries:
        its = [case.id for case in pairs if entry.applies(case)]
        if its and entry.name not in used and all(case in run for case in its):
            found.append(entry.name)
    return found
