"""JSON on the way in: the compiled decoder against the standard library's, depth, and duplicate keys."""

from __future__ import annotations

import json
import math
import random
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamcore import jsontext
from streamcore.jsontext import JsonTextError, depth, duplicate_key, loads

# -- in: values -----------------------------------------------------------------------------------------------------

ACCEPTED: list[tuple[bytes, Any]] = [
    (b"null", None),
    (b"true", True),
    (b" \t\r\n[1 , 2] ", [1, 2]),
    (b'{"a":{"b":[]}}', {"a": {"b": []}}),
    (b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
    (b'{"":0}', {"": 0}),
    (b'"\\u0041\\n\\/\\"\\\\"', 'A\n/"\\'),
    (b'"\\ud83d\\ude00"', "\U0001f600"),
    (b'"\\ud83d"', "\ud83d"),
    (b'"\\ude00\\ud83d"', "\ude00\ud83d"),
    (b'"\xe2\x80\xa8\x7f"', "\u2028\x7f"),
    (b'"a\xffb"', "a\ufffdb"),
    (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
    (b'{"\xff":1}', {"\ufffd": 1}),
    (b"9007199254740993", 9007199254740993),
    (b"-9223372036854775809", -9223372036854775809),
    (b"18446744073709551616", 18446744073709551616),
    (b"123456789012345678901234567890", 123456789012345678901234567890),
    (b"1.0", 1.0),
    (b"1E+2", 100.0),
    (b"1e400", math.inf),
    (b"-1e400", -math.inf),
    (b"5e-324", 5e-324),
    (b"1e-400", 0.0),
    (b"0.1", 0.1),
    (b"1" * 4300, int("1" * 4300)),
]


@pytest.mark.parametrize(("data", "value"), ACCEPTED, ids=lambda item: repr(item)[:30])
def test_accepted(data: bytes, value: Any) -> None:
    assert repr(loads(data)) == repr(value)
    assert repr(jsontext._loads_slowly(data, 256)) == repr(value)


def test_minus_zero() -> None:
    assert math.copysign(1, loads(b"-0.0")) == -1
    assert loads(b"-0") == 0


REFUSED = [
    b"",
    b" ",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b'{"a":NaN}',
    b"[1,]",
    b"{,}",
    b'{"a":1,}',
    b"{'a':1}",
    b"{a:1}",
    b'{"a" 1}',
    b'{"a":1}{"b":2}',
    b"[1] x",
    b"01",
    b"1.",
    b".5",
    b"+1",
    b"1e",
    b"0x1",
    b"tru",
    b"True",
    b'"\x01"',
    b'"\n"',
    b'"\t"',
    b'"\\x41"',
    b'"\\u12"',
    b'"open',
    b"[",
    b"\xef\xbb\xbf{}",
    b"\x0b1",
    b"\xc2\xa01",
    b"[1}",
    b"\xff",
    b"1" * 4301,
    b"[" + b"1" * 5000 + b"]",
    b"// c\n1",
]


@pytest.mark.parametrize("data", REFUSED, ids=lambda data: repr(data)[:30])
def test_refused(data: bytes) -> None:
    with pytest.raises(JsonTextError) as caught:
        loads(data)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(JsonTextError):
        jsontext._loads_slowly(data, 256)


def test_what_the_error_says() -> None:
    with pytest.raises(JsonTextError) as caught:
        loads(b'{"a" 1}')
    assert (caught.value.detail, caught.value.position) == ("Expecting ':' delimiter", 5)
    assert str(caught.value) == "Expecting ':' delimiter at character 5"


def test_an_interpreter_that_allows_fewer_digits() -> None:
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(700)
    try:
        assert loads(b"1" * 700) % 10 == 1
        for data in (b"1" * 5000, b'{"a":[' + b"1" * 5000 + b"]}"):
            with pytest.raises(JsonTextError):
                loads(data)
        with pytest.raises(JsonTextError, match="an integer of 701 digits"):
            jsontext._loads_slowly(b"1" * 701, 256)
    finally:
        sys.set_int_max_str_digits(limit)


# -- in: the two ways agree -----------------------------------------------------------------------------------------


def agree(data: bytes) -> None:
    """What the compiled decoder accepts, the standard library reads in the same way, down to the types."""
    try:
        fast = msgspec.json.Decoder().decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return
    assert repr(jsontext._loads_slowly(data, 10_000)) == repr(fast)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(documents, st.booleans(), st.sampled_from([None, 1]), st.sampled_from([(",", ":"), (" ,\t", "\r\n: ")]))
def test_documents(value: Any, ascii_only: bool, indent: int | None, separators: tuple[str, str]) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators)
    data = text.encode("utf-8", "surrogatepass")
    agree(data)
    if "\\ud" not in text:
        assert repr(loads(data)) == repr(value)


PIECES = [
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b'"a"', b'"b":', b"1", b"0", b"-", b".", b"e", b"E", b"+"),
    *(b"true", b"false", b"null", b"NaN", b"Infinity", b" ", b"\n", b"\t", b"\r", b"\x0b", b"\xc2\xa0", b"\x00"),
    *(b"\x1f", b"\x7f"),
    *(b"\\u003a", b"\\ud83d", b"\\ude00", b"\\/", b"\\b", b"\\x", b"\\u12", b"\xc3\xa9", b"\xff", b"\xef\xbb\xbf"),
    *(b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"),
    *(b"12345678901234567890123", b"1e400", b"-0.0", b"5e-324", b"1e-400"),
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))
def test_scraps(data: bytes) -> None:
    agree(data)


@given(documents, st.data())
def test_mutations(value: Any, data: st.DataObject) -> None:
    text = bytearray(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=2))
        text[at : at + data.draw(st.integers(0, 2))] = piece
    agree(bytes(text))


@given(st.from_regex(r"\A-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?\Z"))
@example("9007199254740993.0")
@example("0.1e1")
@example("2.2250738585072011e-308")
@example("179769313486231580793e289")
def test_numbers(text: str) -> None:
    agree(text.encode())
    agree(f"[{text},{text}]".encode())


# -- in: depth ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "levels"),
    [
        (b"1", 0),
        (b"[]", 1),
        (b'{"a":[{}]}', 3),
        (b'"[[["', 0),
        (b'["]","["]', 1),
        (rb'["\"[[["]', 1),
        (rb'["\\",[]]', 2),
        (b"[[", 2),
        (b"]]][", 0),
        (b'["[[', 1),
        (b'["\\', 1),
        (b'"a\nb[',  0),
    ],
)  # fmt: skip
def test_depth(data: bytes, levels: int) -> None:
    assert depth(data) == levels


@pytest.mark.parametrize("limit", [1, 2, 10, 256])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_the_depth_limit(limit: int, opening: bytes, closing: bytes) -> None:
    """WH-038: the limit is the same on both ways, to the level."""
    step = opening.count(b"[") + opening.count(b"{")
    for count in range(max(1, limit // step - 1), limit // step + 2):
        data = opening * count + b"1" + closing * count
        for read in (loads, jsontext._loads_slowly):
            if count * step <= limit:
                read(data, limit)
            else:
                with pytest.raises(JsonTextError, match=f"nested deeper than {limit} levels"):
                    read(data, limit)


@pytest.mark.parametrize("count", [5_000, 200_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":['])
def test_bottomless_nesting(count: int, opening: bytes) -> None:
    for data in (opening * count, opening * count + b"1"):
        with pytest.raises(JsonTextError, match="nested deeper than 256 levels"):
            loads(data)


def test_a_limit_that_the_interpreter_cannot_keep() -> None:
    data = b"[" * 200_000 + b"]" * 200_000
    with pytest.raises(JsonTextError, match="call stack"):
        loads(data, 10**6)


def test_brackets_in_strings_are_no_nesting() -> None:
    data = b'{"a":"' + b"[{" * 5000 + b'"}'
    assert loads(data) == {"a": "[{" * 5000}


@pytest.mark.parametrize("tail", [b"", b'"', b"\\"])
def test_depth_is_linear(tail: bytes) -> None:
    """V27: escaped quotes in a string without an end must not be tried one by one."""
    data = b'["' + b'\\"' * 200_000 + tail + b"[" * 300
    assert depth(data) in (1, 301)
    with pytest.raises(JsonTextError):
        loads(data)


# -- in: duplicate keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a":1,"b":2}', None),
        ('{"a":1,"a":1}', "a"),
        ('{"a":1,"b":{"c":1,"c":2}}', "c"),
        ('[{"a":1},{"a":2}]', None),
        ('{"a":{"a":{"a":1}}}', None),
        ('{"a":":","b":"::"}', None),
        ('{"a:b":1,"c":":"}', None),
        ('{"a":":","a":1}', "a"),
        ('{"a":"\\u003a","b":2}', None),
        ('{"a":"\\u003A","a":2}', "a"),
        ('{"a":1,"a":"\\u003a"}', "a"),
        ('{"x":"\\u003a\\u003a","a":"x:","a":1}', "a"),
        ('{"\\u0061":1,"a":2}', "a"),
        ('{"a":1,"\\u0061":2}', "a"),
        ('{"":1,"":2}', ""),
        ('{"a":[{"b":1,"b":2}],"a":3}', "b"),
        ("[]", None),
        ('"a:a"', None),
        ("1", None),
    ],
)
def test_duplicate_keys(text: str, key: str | None) -> None:
    data = text.encode()
    assert duplicate_key(data, loads(data)) == key


names = st.sampled_from(["a", "b", ":", "\u003a:", "\u0000"])
pairs = st.recursive(
    st.none() | st.integers(0, 1) | st.sampled_from(["", ":", "::", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=3).map(tuple),
)


def write(value: Any, escape: random.Random) -> str:
    """JSON text of lists, scalars, and objects given as tuples of pairs; colons escaped now and then."""

    def quoted(text: str) -> str:
        return "".join(
            "\\u003a" if char == ":" and escape.random() < 0.3 else json.dumps(char)[1:-1] for char in text
        ).join('""')

    if isinstance(value, tuple):
        return "{" + ",".join(f"{quoted(key)}:{write(item, escape)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write(item, escape) for item in value) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def has_duplicate(value: Any) -> bool:
    if isinstance(value, tuple):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(has_duplicate(item) for _, item in value)
    return isinstance(value, list) and any(map(has_duplicate, value))


@given(pairs, st.randoms(use_true_random=False))
def test_duplicate_keys_are_found_exactly(value: Any, escape: random.Random) -> None:
    data = write(value, escape).encode()
    assert (duplicate_key(data, loads(data)) is not None) == has_duplicate(value)


def test_duplicate_keys_under_invalid_utf8() -> None:
    data = b'{"\xff":1,"\xfe":2}'
    assert duplicate_key(data, loads(data)) == "\ufffd"


def test_duplicate_keys_deep_down() -> None:
    """As deep as the limit allows, however deep the caller's own stack is."""
    data = b'{"a":' * 255 + b'{"b":1,"b":2}' + b"}" * 255

    def nested(levels: int) -> str | None:
        return duplicate_key(data, loads(data)) if levels == 0 else nested(levels - 1)

    assert nested(300) == "b"
