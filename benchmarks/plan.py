"""How much of everything is run."""

from __future__ import annotations

from dataclasses import dataclass

FULL_ROUNDS = 9
SMOKE_ROUNDS = 3
_SMOKE_SHARE = 40


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a run. A smoke run does all that a full run does, on little data: its figures mean nothing."""

    smoke: bool
    rounds: int

    def scaled(self, size: int) -> int:
        """``size`` for a full run, a small part of it for a smoke run."""
        return max(8, size // _SMOKE_SHARE) if self.smoke else size

    @property
    def warm_up(self) -> int:
        """Bodies that Node decodes before it is timed; after some five its figures stop falling."""
        return 1 if self.smoke else 12
