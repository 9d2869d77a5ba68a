"""Row J1: what RFC 8259 leaves to a parser, as a table. What is chosen is what the standard library does, however cut."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from streamcore.jsonstream import JsonFailure, JsonFault

from .json_outcomes import built, fed, shown
from .json_texts import every_cutting

CHOICES: dict[str, tuple[str, Any]] = {
    "a number too large for a double is infinite": ("[1e400]", [math.inf]),
    "and so is a negative one": ("[-1E+9999]", [-math.inf]),
    "a number too small for a double is zero": ("[1e-400]", [0.0]),
    "and keeps its sign": ("[-1e-400]", [-0.0]),
    "more digits than a double has are rounded": ("[0.1000000000000000055511151231257827]", [0.1]),
    "an integer is exact however large": ("[9007199254740993,-18446744073709551617]", [9007199254740993, -18446744073709551617]),
    "minus zero is an integer": ("[-0]", [0]),
    "a first half of a pair stays alone": ('["\\ud800"]', ["\ud800"]),
    "a second half of a pair stays alone": ('["\\udfaa"]', ["\udfaa"]),
    "two first halves stay two": ('["\\ud83d\\ud83d"]', ["\ud83d\ud83d"]),
    "halves in the wrong order stay two": ('["\\ude00\\ud83d"]', ["\ude00\ud83d"]),
    "a half and another character stay two": ('["\\ud83dabc"]', ["\ud83dabc"]),
    "a half behind a whole pair stays alone": ('["\\ud83d\\ude00\\ud83d"]', ["\U0001f600\ud83d"]),
    "a code point that means nothing is a character": ('["\\uffff\\ufdd0"]', ["\uffff\ufdd0"]),
    "an escaped zero is a character": ('["\\u0000"]', ["\0"]),
    "a key that comes twice has its last value": ('{"a":"b","a":"c"}', {"a": "c"}),
    "and two spellings of a key are one": ('{"a":1,"\\u0061":2}', {"a": 2}),
    "an empty key is a key": ('{"":0}', {"": 0}),
    "a scalar is a text": ('"x"', "x"),
    "a byte order mark is no part of a text": ("\ufeff[]", JsonFailure(JsonFault.EXPECTED_VALUE, 0)),
    "nesting ends at the limit": ("[" * 500 + "]" * 500, JsonFailure(JsonFault.TOO_DEEP, 256)),
}
"""What is left open -> a text, and the value or the failure."""


@pytest.mark.parametrize("choice", CHOICES)
def test_what_the_standard_leaves_open(choice: str) -> None:
    text, expected = CHOICES[choice]
    outcomes = []
    for pieces in every_cutting(text):
        stream, events = fed(pieces)
        if isinstance(expected, JsonFailure):
            assert stream.failure == expected
        else:
            assert stream.failure is None
            assert repr(stream.value) == repr(expected) == repr(json.loads(text))
            assert repr(built(events)) == repr(expected)
        outcomes.append((shown(stream), events))
    assert all(outcome == outcomes[0] for outcome in outcomes)
