"""The committed recordings, read once for all tests of a process: to read them takes half a second."""

from __future__ import annotations

from pathlib import Path

from harness.cassette import iter_cases

CASSETTES = Path(__file__).parents[2] / "cassettes"
CASES = tuple(iter_cases(CASSETTES))
"""In the order of their files; nobody changes them."""
BY_ID = {case.id: case for case in CASES}
