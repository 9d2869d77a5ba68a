"""What a case is checked against, and how what does not hold is told: with its reproducer and its minimal cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.case import Case
from harness.chunking import Chunking, Plan
from harness.difference import rule_broken
from harness.divergence import Divergences
from harness.minimal import explained
from harness.subjects import PartJson, Session
from harness.verdict import Difference


class GoldenSource(Protocol):
    """Where goldens come from: the committed store, or the cache of a corpus."""

    def lines(self, case: Case, reference: str, /) -> Sequence[str]:
        """The golden's lines without the header.

        Raises:
            GoldenMissing: there is none.
        """


@dataclass(frozen=True)
class Check:
    """Everything a case is checked against; sent to worker processes as it is."""

    subject_spec: str
    plans: tuple[Plan, ...]
    divergences: Divergences
    options: tuple[str, ...] = ()
    """Words of the command line that say where cases and goldens come from, for the commands that reproduce a finding."""
    minimal: bool = True
    """Look for the minimal cut of each finding; it costs more than the finding, and hundreds of mutants need but one each."""


def complaint(case: Case, check: Check, rule: str, plan: str, message: str) -> Difference:
    """What breaks a rule, under the plan that shows it."""
    return rule_broken(case, rule, plan, message, subject=check.subject_spec, options=check.options)


def explained_difference(
    difference: Difference,
    earlier: Sequence[Difference],
    case: Case,
    check: Check,
    open_session: Callable[[], Session],
    wrong: Callable[[list[PartJson], Chunking], bool],
    start: Chunking,
) -> Difference:
    """``difference`` with its minimal cut, if those are asked for: the least of ``start`` whose parts are ``wrong``."""
    if not check.minimal:
        return difference
    about = (check.subject_spec, check.options)
    return explained(difference, earlier, case, open_session, wrong, start, *about)
