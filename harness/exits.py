"""Exit codes of the command, and the errors that lead to them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PARITY = 0
DIFFERENCE = 1
"""A difference nobody has named, a stale divergence, a mutant that was not caught."""
USAGE = 2
HARNESS = 3
"""The harness itself broke, or the run proves nothing: no case, byte, cut, comparison or mutant."""
INPUT = 4
"""Missing, unreadable or stale input."""
INTERRUPTED = 130
NOBODY_READS = 141
"""Who reads stdout has closed it, so that nothing more can be told: what a shell says of a program that SIGPIPE ended."""


class InputError(Exception):
    """Input that is missing, unreadable or stale; the message says what, where, and what to do."""


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """What to tell someone who wrote a name that is none: the nearest one, and all of them."""
    near = get_close_matches(name, known, n=1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    return f"unknown {what} {name!r}{guess}; known: {', '.join(sorted(known))}"
