"""The canonical text, against a table of its rules and against its Node twin."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.canonical import canonical
from harness.generated_ids import GeneratedIds, rewrite_generated_ids

ORACLE = Path(__file__).parents[2] / "golden" / "oracle"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node 20")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1.0, "1"),
        (100.0, "100"),
        (-0.0, "0"),
        (1e-7, "1e-7"),
        (2.5e-8, "2.5e-8"),
        (0.000001, "0.000001"),
        (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
        (1.5e300, "1.5e+300"),
        (-123.456, "-123.456"),
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (12345678901234567890, "12345678901234567000"),
        (10**23, "1e+23"),
        (10**400, '{"$num":"Infinity"}'),
        (float("nan"), '{"$num":"NaN"}'),
        (float("-inf"), '{"$num":"-Infinity"}'),
        ([1, [], {}, ""], '[1,[],{},""]'),
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
    ],
)
def test_values_have_one_text(value: object, text: str) -> None:
    assert canonical(value) == text


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("é", '"\\u00e9"'),
        ("\x7f", '"\\u007f"'),
        ("\u2028\ufeff", '"\\u2028\\ufeff"'),
        ("😀", '"\\ud83d\\ude00"'),
        ("\ud83d", '"\\ud83d"'),
        ('"\\/\b\f\n\r\t\x01', '"\\"\\\\/\\b\\f\\n\\r\\t\\u0001"'),
    ],
)
def test_strings_are_ascii(text: str, quoted: str) -> None:
    assert canonical(text) == quoted


def test_a_pair_in_two_halves_reads_as_the_character() -> None:
    assert canonical("\ud83d" + "\ude00") == canonical("😀")


def test_keys_are_in_utf16_order_not_in_code_point_order() -> None:
    # U+10000 is above U+E000 as a code point and below it as UTF-16 (D800 DC00).
    assert canonical({"\ue000": 1, "\U00010000": 2, "10": 3, "9": 4, "Z": 5, "é": 6}) == (
        '{"10":3,"9":4,"Z":5,"\\u00e9":6,"\\ud800\\udc00":2,"\\ue000":1}'
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_text_is_json_of_an_equal_value(value: object) -> None:
    text = canonical(value)

    assert text.isascii()
    assert canonical(json.loads(text)) == text


def node(program: str, lines: list[str]) -> list[str]:
    """What ``program`` prints for ``lines``; it sees them as the array ``lines`` and has the oracle's canonical()."""
    source = (
        f"import {{ canonical }} from {json.dumps((ORACLE / 'canonical.mjs').as_uri())};\n"
        f"import {{ GeneratedIds }} from {json.dumps((ORACLE / 'generated-ids.mjs').as_uri())};\n"
        "import { readFileSync } from 'node:fs';\n"
        "const lines = readFileSync(0, 'utf8').split('\\n').slice(0, -1);\n"
        f"for (const line of lines) console.log({program});\n"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", source],
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("ascii").splitlines()


@needs_node
@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=200, max_size=400))
def test_every_double_has_the_text_that_node_gives_it(bits: list[int]) -> None:
    hexes = [f"{bit:016x}" for bit in bits]

    texts = node("canonical(Buffer.from(line, 'hex').readDoubleBE(0))", hexes)

    assert texts == [canonical(struct.unpack(">d", bytes.fromhex(digits))[0]) for digits in hexes]


@needs_node
@settings(max_examples=8, deadline=None)
@given(st.lists(json_values, min_size=50, max_size=150))
def test_every_value_has_the_text_that_node_gives_it(values: list[object]) -> None:
    wire = [json.dumps(value) for value in values]

    assert node("canonical(JSON.parse(line))", wire) == [canonical(json.loads(line)) for line in wire]


@needs_node
def test_what_json_has_no_word_for_is_written_down() -> None:
    program = """canonical({
        date: new Date(1000), invalid: new Date(NaN), bytes: new Uint8Array([1, 2, 255]), gone: undefined,
        call: () => 1, holes: [1, , undefined], zero: -0, not: NaN, ['__proto__']: 1 })"""

    (text,) = node(program, ["x"])

    assert text == (
        '{"__proto__":1,"bytes":"AQL/","date":"1970-01-01T00:00:01.000Z",'
        '"holes":[1,{"$hole":true},null],"invalid":null,"not":{"$num":"NaN"},"zero":0}'
    )


def renamed(parts: list[dict[str, object]], body: bytes) -> list[dict[str, object]]:
    return list(rewrite_generated_ids(parts, body))


def test_ids_that_the_body_does_not_have_are_numbered_in_order_of_appearance() -> None:
    parts: list[dict[str, object]] = [
        {"type": "text-start", "id": "made-up"},
        {"type": "tool-input-start", "id": "call_b", "toolName": "f"},
        {"type": "tool-input-delta", "id": "wire", "delta": "call_b"},
        {"type": "tool-call", "toolCallId": "call_a", "toolName": "f", "input": "{}"},
        {"type": "tool-call", "toolCallId": "call_b", "toolName": "f", "input": "{}"},
        {"type": "source", "id": "s1"},
    ]

    assert renamed(parts, b'data: {"id":"wire"}\n\n') == [
        {"type": "text-start", "id": "made-up"},
        {"type": "tool-input-start", "id": "$gen:0", "toolName": "f"},
        {"type": "tool-input-delta", "id": "wire", "delta": "call_b"},
        {"type": "tool-call", "toolCallId": "$gen:1", "toolName": "f", "input": "{}"},
        {"type": "tool-call", "toolCallId": "$gen:0", "toolName": "f", "input": "{}"},
        {"type": "source", "id": "$gen:2"},
    ]
    assert parts[1]["id"] == "call_b", "the parts of the caller stay as they are"


SPELLINGS = [
    ("call_é", '"call_é"'.encode()),
    ("call_é", b'"call_\\u00e9"'),
    ("call_é", b'"call_\\u00E9"'),
    ("a/b", b'"a\\/b"'),
    ('quo"te', b'"quo\\"te"'),
    ("tab\t", b'"tab\\t"'),
    ("😀", b'"\\ud83d\\ude00"'),
    ("\ud83d", b'"\\uD83D"'),
    ("", b""),
]
NOT_THERE = [("call_é", b'"call_e"'), ("\ud83d", "\ufffd".encode()), ("call_1", b"call_2")]


@pytest.mark.parametrize(("text", "body"), SPELLINGS)
def test_an_id_is_found_in_every_spelling_of_json(text: str, body: bytes) -> None:
    assert GeneratedIds(body).name(text) == text


@pytest.mark.parametrize(("text", "body"), NOT_THERE)
def test_another_id_is_not_mistaken_for_it(text: str, body: bytes) -> None:
    assert GeneratedIds(body).name(text) == "$gen:0"


@needs_node
def test_node_tells_the_same_ids_apart() -> None:
    pairs = SPELLINGS + NOT_THERE
    wire = [json.dumps([text, body.hex()]) for text, body in pairs]
    program = "canonical(((p) => new GeneratedIds(Buffer.from(p[1], 'hex')).name(p[0]))(JSON.parse(line)))"

    assert node(program, wire) == [canonical(GeneratedIds(body).name(text)) for text, body in pairs]
