"""Deliberately wrong subjects, shipped: a green report proves nothing unless the harness can go red.

Each is code as it was found in the field, written anew, with one defect. ``streamparity check`` runs all of them and
fails if one passes; ``streamparity check --subject mutant:NAME`` shows how one falls.
"""

from __future__ import annotations

from harness.mutants import (
    arguments,
    assembly,
    blocks,
    endings,
    eventstream,
    framing,
    jsonarray,
    lifecycle,
    openai,
    providers,
    seeds,
    text,
    toolcalls,
    twins,
    values,
)
from harness.mutants.base import Mutant

LAYERS: dict[str, tuple[Mutant, ...]] = {
    "framing": (*framing.MUTANTS, *blocks.MUTANTS, *eventstream.MUTANTS, *jsonarray.MUTANTS),
    "text": text.MUTANTS,
    "json": values.MUTANTS,
    "dialects": (*openai.MUTANTS, *providers.MUTANTS),
    "toolcalls": (*toolcalls.MUTANTS, *assembly.MUTANTS, *arguments.MUTANTS),
    "lifecycle": (*lifecycle.MUTANTS, *endings.MUTANTS, *twins.MUTANTS),
    "seeds": seeds.MUTANTS,
}
"""What stands where between bytes and message, from the wire inwards, and at last what the first programs got wrong."""

MUTANTS: dict[str, Mutant] = {mutant.name: mutant for mutants in LAYERS.values() for mutant in mutants}
"""By name, in the order of their layers."""

__all__ = ["LAYERS", "MUTANTS", "Mutant"]
