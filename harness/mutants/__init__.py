"""Deliberately wrong subjects, shipped: a green report proves nothing unless the harness can go red.

Each is code as it was found in the field, written anew, with one defect. ``streamparity check`` runs all of them and
fails if one passes; ``streamparity check --subject mutant:NAME`` shows how one falls.
"""

from __future__ import annotations

from harness.mutants import arguments, framing, lifecycle, text, toolcalls
from harness.mutants.base import Mutant

MUTANTS: dict[str, Mutant] = {
    mutant.name: mutant for module in (framing, text, toolcalls, arguments, lifecycle) for mutant in module.MUTANTS
}
"""By name, the framing first."""

__all__ = ["MUTANTS", "Mutant"]
