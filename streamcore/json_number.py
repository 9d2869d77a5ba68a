"""The numbers of JSON as a table (RFC 8259 section 6), and their values as the standard library reads them."""

from __future__ import annotations

from typing import Final

DIGITS: Final = "0123456789"


def _table() -> dict[str, dict[str, str]]:
    """State -> character -> next state."""
    exponent = {"e": "e", "E": "e"}
    return {
        "": {"-": "-", **dict.fromkeys(DIGITS, "int"), "0": "zero"},
        "-": {**dict.fromkeys(DIGITS, "int"), "0": "zero"},
        "zero": {".": "point", **exponent},
        "int": {**dict.fromkeys(DIGITS, "int"), ".": "point", **exponent},
        "point": dict.fromkeys(DIGITS, "fraction"),
        "fraction": {**dict.fromkeys(DIGITS, "fraction"), **exponent},
        "e": {**dict.fromkeys(DIGITS, "exponent"), "+": "sign", "-": "sign"},
        "sign": dict.fromkeys(DIGITS, "exponent"),
        "exponent": dict.fromkeys(DIGITS, "exponent"),
    }


TRANSITIONS: Final = _table()
WHOLE: Final = frozenset(("zero", "int", "fraction", "exponent"))
"""States in which the number may end."""


def number_of(text: str) -> int | float:
    """The value of a whole number: integers exact, others doubles.

    Raises:
        ValueError: an integer of more digits than the interpreter reads (``sys.set_int_max_str_digits``).
    """
    return int(text) if text.removeprefix("-").isdigit() else float(text)
