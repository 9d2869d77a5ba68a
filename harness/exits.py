"""Exit codes of the command, and the errors that lead to them."""

from __future__ import annotations

PARITY = 0
DIFFERENCE = 1
"""A difference nobody has named, a stale divergence, a mutant that was not caught."""
USAGE = 2
HARNESS = 3
"""The harness itself broke."""
INPUT = 4
"""Missing, unreadable or stale input."""
INTERRUPTED = 130


class InputError(Exception):
    """Input that is missing, unreadable or stale; the message says what, where, and what to do."""
