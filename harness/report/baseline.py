"""A run held against an earlier one: what fails that did not, what does no longer, what still does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.report.document import digest_of
from harness.report.troubles import troubles
from harness.verdict import GREEN, Verdict, worst_of

if TYPE_CHECKING:
    from harness.verdict import CaseResult, RunResult

FORMAT = "streamparity/parity-diff"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One case in both runs."""

    case: str
    """Its id; where a run has results of several subjects for it, with the subject."""
    old: Verdict | None
    """None: the earlier run did not have it."""
    new: Verdict | None
    """None: the later run does not have it."""
    detail: str = ""
    """Of a case that fails now: how, in one line of printable ASCII."""
    differently: bool = False
    """Whether it fails in both, but first differs elsewhere, or from something else."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One fact about the runs as a whole that is not the same: a version, or one of the numbers."""

    name: str
    old: str | int | None
    new: str | int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs; everything in order of name."""

    old_digest: str
    """Of the document of the earlier run, as in its footer."""
    new_digest: str
    old_verdict: Verdict
    new_verdict: Verdict
    header: tuple[Moved, ...]
    """Subject, plan, seed, shard and versions that differ: then the runs may not say the same thing."""
    new_failures: tuple[Change, ...]
    """Red now, and green before or not there."""
    fixed: tuple[Change, ...]
    """Green now, and red before."""
    still_failing: tuple[Change, ...]
    """Red in both."""
    came: tuple[Change, ...]
    """Not in the earlier run; those that are red are new failures, too."""
    went: tuple[Change, ...]
    """Not in the later run. One that was red is not fixed by that."""
    changed: tuple[Change, ...]
    """Green in both, by another verdict."""
    new_troubles: tuple[str, ...]
    """Of the run as a whole: problems, stale entries, mutants that are not caught, each with what it is."""
    gone_troubles: tuple[str, ...]
    numbers: tuple[Moved, ...]
    """The totals that differ: the numbers that show that a run was not vacuous."""

    @property
    def worse(self) -> bool:
        """Whether something fails that did not before."""
        return bool(self.new_failures or self.new_troubles)

    @property
    def same(self) -> bool:
        """Whether nothing differs. Of what fails in both, it does so in the same place."""
        lists = (self.header, self.new_failures, self.fixed, self.came, self.went, self.changed)
        differently = any(change.differently for change in self.still_failing)
        return not any((*lists, differently, self.new_troubles, self.gone_troubles, self.numbers))


def compare(old: RunResult, new: RunResult) -> Comparison:
    """What became of ``old`` in ``new``; any two runs, of different subjects, too."""
    before, after = _by_name(old), _by_name(new)
    changes = [_change(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]
    old_troubles, new_troubles = ([trouble.label for trouble in troubles(run)] for run in (old, new))
    both = [change for change in changes if change.old is not None and change.new is not None]
    red_now = [change for change in changes if _is_red(change.new)]
    return Comparison(
        old_digest=digest_of(old),
        new_digest=digest_of(new),
        old_verdict=old.verdict,
        new_verdict=new.verdict,
        header=_moved(_header(old), _header(new)),
        new_failures=tuple(change for change in red_now if not _is_red(change.old)),
        fixed=tuple(change for change in both if _is_red(change.old) and not _is_red(change.new)),
        still_failing=tuple(change for change in red_now if _is_red(change.old)),
        came=tuple(change for change in changes if change.old is None),
        went=tuple(change for change in changes if change.new is None),
        changed=tuple(change for change in both if change.old != change.new and {change.old, change.new} <= GREEN),
        new_troubles=tuple(sorted({*new_troubles} - {*old_troubles})),
        gone_troubles=tuple(sorted({*old_troubles} - {*new_troubles})),
        numbers=_moved(old.totals, new.totals),
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """``comparison`` as a JSON value; ``schemas/parity-diff.schema.json`` describes it."""

    def case(change: Change) -> dict[str, Any]:
        value = {"case": change.case, "old": change.old, "new": change.new}
        if change.detail:
            value["detail"] = change.detail
        return {**value, "differently": True} if change.differently else value

    def moved(facts: tuple[Moved, ...]) -> list[dict[str, Any]]:
        return [{"name": fact.name, "old": fact.old, "new": fact.new} for fact in facts]

    lists = ("new_failures", "fixed", "still_failing", "came", "went", "changed")
    return {
        "format": FORMAT,
        "version": VERSION,
        "old": {"verdict": comparison.old_verdict, "digest": comparison.old_digest},
        "new": {"verdict": comparison.new_verdict, "digest": comparison.new_digest},
        "same": comparison.same,
        "worse": comparison.worse,
        "header": moved(comparison.header),
        **{name: [case(change) for change in getattr(comparison, name)] for name in lists},
        "new_troubles": list(comparison.new_troubles),
        "gone_troubles": list(comparison.gone_troubles),
        "numbers": moved(comparison.numbers),
    }


def _is_red(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict not in GREEN


def _by_name(run: RunResult) -> dict[str, list[CaseResult]]:
    """Results by what to call them. A run holds one result a case, unless someone put several subjects into it."""
    times = Counter(case.case for case in run.cases)
    found: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        found.setdefault(case.case if times[case.case] == 1 else f"{case.case} of {case.subject}", []).append(case)
    return found


def _change(name: str, before: list[CaseResult] | None, after: list[CaseResult] | None) -> Change:
    from harness.report.console import headline

    old, new = (worst_of(case.verdict for case in found) if found else None for found in (before, after))
    detail = headline(after[0]) if after and _is_red(new) else ""
    differently = bool(before and after and _is_red(old) and _is_red(new) and _place(before[0]) != _place(after[0]))
    return Change(name, old, new, detail, differently)


def _place(case: CaseResult) -> tuple[object, ...]:
    """Where and from what a case first differs; not what stands there, as that may hold generated ids."""
    if not case.differences:
        return (case.verdict, case.reason)
    first = case.differences[0]
    return (case.verdict, first.against, first.plan, first.line, first.path, first.byte_offset)


def _header(run: RunResult) -> dict[str, str | int]:
    return {"subject": run.subject, "plan": run.plan, "seed": run.seed, "shard": run.shard, **dict(run.versions)}


def _moved(old: dict[str, Any], new: dict[str, Any]) -> tuple[Moved, ...]:
    names = dict.fromkeys((*old, *new))
    return tuple(Moved(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))
