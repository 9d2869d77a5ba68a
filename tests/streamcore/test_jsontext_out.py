"""JSON on the way out: ECMAScript's way of writing numbers and values."""

from __future__ import annotations

import json
import math
import random
import shutil
import struct
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore.jsontext import number_text, stringify

# -- out: numbers ---------------------------------------------------------------------------------------------------

NUMBERS: list[tuple[float, str]] = [
    (0, "0"),
    (0.0, "0"),
    (-0.0, "0"),
    (1, "1"),
    (1.0, "1"),
    (-1.5, "-1.5"),
    (100.0, "100"),
    (1e-7, "1e-7"),
    (2.5e-8, "2.5e-8"),
    (0.000001, "0.000001"),
    (0.00000123, "0.00000123"),
    (1.5e-6, "0.0000015"),
    (1e16, "10000000000000000"),
    (1e20, "100000000000000000000"),
    (123456789e12, "123456789000000000000"),
    (1e21, "1e+21"),
    (1.5e300, "1.5e+300"),
    (-1.5e300, "-1.5e+300"),
    (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (2.2250738585072014e-308, "2.2250738585072014e-308"),
    (12345678901234567890, "12345678901234567000"),
    (-12345678901234567890, "-12345678901234567000"),
    (9007199254740991, "9007199254740991"),
    (9007199254740992, "9007199254740992"),
    (9007199254740993, "9007199254740992"),
    (9007199254740995, "9007199254740996"),
    (100000000000000000000000, "1e+23"),
    (10**400, "Infinity"),
    (-(10**400), "-Infinity"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    (math.nan, "NaN"),
    (0.1, "0.1"),
    (0.1 + 0.2, "0.30000000000000004"),
    (123.456, "123.456"),
    (4.35, "4.35"),
    (True, "1"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS, ids=repr)
def test_number_text(value: float, text: str) -> None:
    assert number_text(value) == text


doubles = st.floats(allow_nan=False, allow_infinity=False)


@given(doubles)
def test_number_text_denotes_the_same_double_in_the_fewest_digits(value: float) -> None:
    text = number_text(value)
    assert float(text) == value
    assert ("e" in text) == (value != 0 and not 1e-6 <= abs(value) < 1e21)
    digits = text.lstrip("-").partition("e")[0].replace(".", "").strip("0")
    assert len(digits) <= 17
    assert len(digits) <= len(repr(abs(value)).partition("e")[0].replace(".", "").strip("0"))


def _doubles(count: int) -> list[float]:
    chance = random.Random(5)
    found = [struct.unpack("<d", chance.randbytes(8))[0] for _ in range(count)]
    found += [chance.uniform(-1, 1) * 10.0 ** chance.randint(-9, 24) for _ in range(count)]
    found += [10.0**n for n in range(-330, 309)]
    return [value for value in found if math.isfinite(value)]


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="no Node")
def test_number_text_is_what_ecmascript_writes() -> None:
    values = _doubles(20_000)
    script = 'const a=JSON.parse(require("fs").readFileSync(0,"utf8"));process.stdout.write(a.map(String).join("\\n"))'
    done = subprocess.run(["node", "-e", script], input=json.dumps(values).encode(), capture_output=True, check=True)
    assert list(map(number_text, values)) == done.stdout.decode().split("\n")


# -- out: values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1.0, "1"),
        (math.nan, "null"),
        (-math.inf, "null"),
        (10**400, "null"),
        ("a\"\\\b\f\n\r\t\x00\x1f/\x7f", '"a\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7f"'),
        ("\u2028\ufffd\u5317\U0001f600", '"\u2028\ufffd\u5317\U0001f600"'),
        ("\ud83d", '"\\ud83d"'),
        ("a\udfffb\ud800", '"a\\udfffb\\ud800"'),
        ("\ud83d\ude00", '"\U0001f600"'),
        ("\U0001f600\ud83d", '"\U0001f600\\ud83d"'),
        ([], "[]"),
        ({}, "{}"),
        ([1, [2.5, "x"], {}], '[1,[2.5,"x"],{}]'),
        ({"b": 1, "a": 2}, '{"b":1,"a":2}'),
        ({"b": 1, "10": 2, "2": 3, "a": 4, "0": 5}, '{"0":5,"2":3,"10":2,"b":1,"a":4}'),
        ({"b": 1, "01": 2, "1.0": 3, "-1": 4, "": 5, "1": 7}, '{"1":7,"b":1,"01":2,"1.0":3,"-1":4,"":5}'),
        (
            {"b": 1, "4294967295": 2, "4294967294": 3, "10000000000": 4},
            '{"4294967294":3,"b":1,"4294967295":2,"10000000000":4}',
        ),
        ({"b": 1, "1" * 5000: 2}, '{"b":1,"' + "1" * 5000 + '":2}'),
        ({"b": 1, "\u0661": 2, "\u00b2": 3}, '{"b":1,"\u0661":2,"\u00b2":3}'),
        ({"\ud83d": 1}, '{"\\ud83d":1}'),
        ({"__proto__": {"x": 1}}, '{"__proto__":{"x":1}}'),
    ],
    ids=lambda item: repr(item)[:40],
)  # fmt: skip
def test_stringify(value: Any, text: str) -> None:
    assert stringify(value) == text


def test_stringify_however_deep() -> None:
    value: Any = 1.0
    for _ in range(20_000):
        value = {"2": [], "1": [value]}
    assert stringify(value) == '{"1":[' * 20_000 + "1" + '],"2":[]}' * 20_000


@pytest.mark.parametrize("value", [["\ud83d"], {"\udc00": "\u007f\x1f\x00"}, [2**53, -(2**53), 2**53 + 1], [[{"k": []}]]])
def test_stringify_with_and_without_what_has_to_be_spelled_by_hand(value: Any) -> None:
    """A member that is a fraction makes it go by hand."""
    assert stringify([value, 0.5]) == f"[{stringify(value)},0.5]"


def test_stringify_deep_lists() -> None:
    value: Any = []
    for _ in range(20_000):
        value = [value]
    assert stringify(value) == "[" * 20_001 + "]" * 20_001


def test_stringify_the_arguments_of_the_notes() -> None:
    """What the TypeScript reference makes of numbers and keys of Gemini's arguments."""
    assert stringify([1.0, 1e21, -0.0, 12345678901234567890, 1e-7]) == "[1,1e+21,0,12345678901234567000,1e-7]"
    assert stringify({"10": 2, "b": 1, "2": 3}) == '{"2":3,"10":2,"b":1}'


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.integers(0, 20).map(str), inner),
)


@given(values)
def test_stringify_spells_the_value_with_its_indices_first(value: Any) -> None:
    text = stringify(value)
    # ECMAScript has doubles only: 5.468326044680831e+16 is written 54683260446808310, which is another integer.
    assert json.loads(text, parse_int=float) == value
    again: Any = json.loads(text, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
    if isinstance(value, dict):
        indices = [key for key in value if str(key).isascii() and key.isdigit() and str(int(key)) == key and len(key) < 5]
        assert again[: len(indices)] == sorted(indices, key=int)
        assert again[len(indices) :] == [key for key in value if key not in indices]


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="no Node")
def test_stringify_is_what_ecmascript_writes() -> None:
    chance = random.Random(7)
    alphabet = ["a", "7", "0", "12", "\u00e9", "\U0001f600", "\ud83d", "\ude00", '"', "\\", "\n", "\x7f", "\u2028", "-"]

    def text() -> str:
        # A pair that is written as two halves is one character for whoever reads it.
        pieces = "".join(chance.choices(alphabet, k=chance.randint(0, 4)))
        return pieces.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    def value(levels: int) -> Any:
        match chance.randint(0, 5 if levels else 3):
            case 0:
                return text()
            case 1:
                return chance.choice([None, True, False])
            case 2:
                return chance.choice([chance.randint(-(10**25), 10**25), chance.randint(-9, 9)])
            case 3:
                return chance.uniform(-1, 1) * 10.0 ** chance.randint(-12, 25)
            case 4:
                return [value(levels - 1) for _ in range(chance.randint(0, 4))]
            case _:
                return {text(): value(levels - 1) for _ in range(chance.randint(0, 6))}

    values = [value(4) for _ in range(3000)]
    script = (
        'const fs=require("fs");for(const l of fs.readFileSync(0,"utf8").split("\\n"))'
        'console.log(JSON.stringify(JSON.parse(l)))'
    )  # fmt: skip
    wire = "\n".join(json.dumps(item) for item in values)
    done = subprocess.run(["node", "-e", script], input=wire.encode(), capture_output=True, check=True)
    assert [stringify(item) for item in values] == done.stdout.decode().removesuffix("\n").split("\n")
