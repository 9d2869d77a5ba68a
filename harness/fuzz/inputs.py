"""Inputs made from seeds: a body, and some damage that two numbers each and a seed decide."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from harness.faults.damage import OPERATORS, SCALE, Damage, damaged, framing_of

MOST_BYTES = 4096
"""Of one input; what damage makes longer is cut off."""
_OPERATORS = tuple(OPERATORS)
_MOST_DAMAGES = 6


def damages(chance: Random) -> list[Damage]:
    """One to six, fewer more often."""
    count = 1 + int(_MOST_DAMAGES * chance.random() * chance.random())
    return [Damage(chance.choice(_OPERATORS), chance.randrange(SCALE), chance.randrange(SCALE)) for _ in range(count)]


def numbered(target: str, seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """Input ``number`` of a run: the same for the same seeds and the same ``seed``."""
    chance = Random(f"{seed}/{target}/{number}")
    body, other = chance.choice(seeds), chance.choice(seeds)
    return damaged(body, framing_of(target), damages(chance), other)[:MOST_BYTES]
