"""Drift: who moved? Three things can, and each is compared with what it was.

===============  ====================================  =================================================
the provider     the shape of a new recording          every committed recording of the dialect
the reference    goldens made by another SDK version   the committed goldens
we               what the subject makes of a case      the committed goldens
===============  ====================================  =================================================

"Could not check" is an answer of its own: a comparison that could not be made says nothing about who moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness import exits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.drift.provider import ShapeDrift
    from harness.verdict import Difference

PROVIDER, REFERENCE, WE = "provider", "reference", "we"


class Answer(StrEnum):
    """What is known about one party."""

    NOT_MOVED = "did-not-move"
    MOVED = "moved"
    COULD_NOT_CHECK = "could-not-check"
    """It was to be compared, and something of that, or all of it, could not be."""
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that could not be compared, and why; ``what`` is a file, a case or a package."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class GoldenDrift:
    """One golden that somebody no longer gives: a reference of another version, or the subject."""

    case: str
    reference: str
    package: str
    """The npm package of the reference, with its version where that is known."""
    difference: Difference | None
    """The first line that differs; None where there are no two lines to hold against each other."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What was found out about one party."""

    party: str
    asked: bool = True
    checked: int = 0
    """Recordings of the provider's, goldens of the others'."""
    facts: tuple[str, ...] = ()
    """What it was compared with; one line each."""
    findings: tuple[ShapeDrift | GoldenDrift, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    notes: tuple[str, ...] = ()
    """What may be of interest and is no drift."""
    hint: str = ""
    """How to have it checked, if nobody asked."""
    versions: tuple[tuple[str, str, str], ...] = ()
    """(package, committed version, version compared with), of the reference."""

    @property
    def answer(self) -> Answer:
        """Inquiry, if anything did; else whether all that was to be compared could be."""
        if not self.asked:
            return Answer.NOT_ASKED
        if self.findings:
            return Answer.MOVED
        return Answer.COULD_NOT_CHECK if self.unchecked or not self.checked else Answer.NOT_MOVED


def exit_code(parties: Sequence[Inquiry]) -> int:
    """1 if anybody moved; else 3 if nothing at all could be compared, 4 if something could not, and 0 if nobody moved."""
    answers = {party.answer for party in parties}
    if Answer.MOVED in answers:
        return exits.DIFFERENCE
    if not any(party.checked for party in parties):
        return exits.HARNESS
    return exits.INPUT if Answer.COULD_NOT_CHECK in answers else exits.PARITY
