"""Incremental JSON, construct by construct: values, errors at one place whatever the cuts, events, tokens, bounds."""

from __future__ import annotations

import gc
import json
import math
import sys
import tracemalloc
from typing import Any

import pytest

from streamcore.errors import CallerError
from streamcore.jsonstream import JsonFailure, JsonFault, JsonStream

from .json_outcomes import built, fed, shown
from .json_texts import every_cutting

VALID = [
    *("{}", "[]", '""', "0", "-0", "12", "-1.5", "1e5", "1E+5", "1e-5", "0.0", "-0.0e0", "true", "false", "null"),
    *(" 1 ", "\t[\n]\r", '{"a":1}', '{"a":{}}', "[[]]", "[1,2]", "[1 , 2]", '{ "a" : 1 , "b" : [ ] }', "[[[1]],[2]]"),
    *('"a"', '"\u00e9\u4f60\U0001f600"', r'"\"\\\/\b\f\n\r\t"', r'"\u00e9\u4F60"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\ude00"'),
    *(r'"\ud83d\ud83d\ude00"', r'"\ud83dx\ude00"', r'"\ud83d\n"', r'{"\ud83d\ude00":"\ud83d"}', '"\x7f\u2028\ufeff"', '"\ud83d\ude00"'),
    *('{"a":1,"a":2}', '{"":""}', '{"a":{"b":[{"c":"d"},[],null]},"e":-1}', "123456789012345678901234567890", "1e400", "-1e400"),
    *("[1,true]", "[true,1]", '[1,"x"]', "[1]", "[-1]", "[0]", "[0.5]", "[1e1]", '{"a":0}', '[{"a":0},1]', "4.9e-324"),
]  # fmt: skip
INVALID: list[tuple[str, JsonFault, int]] = [
    ("", JsonFault.INCOMPLETE, 0),
    (" \n", JsonFault.INCOMPLETE, 2),
    ("[", JsonFault.INCOMPLETE, 1),
    ("{", JsonFault.INCOMPLETE, 1),
    ('{"a', JsonFault.INCOMPLETE, 3),
    ('{"a"', JsonFault.INCOMPLETE, 4),
    ('{"\\ud83d', JsonFault.INCOMPLETE, 8),
    ('{"a":', JsonFault.INCOMPLETE, 5),
    ('{"a":1', JsonFault.INCOMPLETE, 6),
    ('{"a":1,', JsonFault.INCOMPLETE, 7),
    ('"a', JsonFault.INCOMPLETE, 2),
    ('"\\', JsonFault.INCOMPLETE, 2),
    ('"\\u12', JsonFault.INCOMPLETE, 5),
    ('"\\ud83d', JsonFault.INCOMPLETE, 7),
    ("tru", JsonFault.INCOMPLETE, 3),
    ("-", JsonFault.INCOMPLETE, 1),
    ("1.", JsonFault.INCOMPLETE, 2),
    ("1e", JsonFault.INCOMPLETE, 2),
    ("1e+", JsonFault.INCOMPLETE, 3),
    ("[1", JsonFault.INCOMPLETE, 2),
    ("[1]]", JsonFault.TRAILING_DATA, 3),
    ("1 2", JsonFault.TRAILING_DATA, 2),
    ("{}{}", JsonFault.TRAILING_DATA, 2),
    ("nullx", JsonFault.TRAILING_DATA, 4),
    ("1x", JsonFault.TRAILING_DATA, 1),
    ("x", JsonFault.EXPECTED_VALUE, 0),
    ("]", JsonFault.EXPECTED_VALUE, 0),
    ("+1", JsonFault.EXPECTED_VALUE, 0),
    (".5", JsonFault.EXPECTED_VALUE, 0),
    ("NaN", JsonFault.EXPECTED_VALUE, 0),
    ("[Infinity]", JsonFault.EXPECTED_VALUE, 1),
    ("'a'", JsonFault.EXPECTED_VALUE, 0),
    ("\ufeff{}", JsonFault.EXPECTED_VALUE, 0),
    ("\xa0{}", JsonFault.EXPECTED_VALUE, 0),
    ("// x\n1", JsonFault.EXPECTED_VALUE, 0),
    ("[1,]", JsonFault.EXPECTED_VALUE, 3),
    ("[,1]", JsonFault.EXPECTED_VALUE, 1),
    ('{"a":}', JsonFault.EXPECTED_VALUE, 5),
    ('{"a":,', JsonFault.EXPECTED_VALUE, 5),
    ("{a:1}", JsonFault.EXPECTED_KEY, 1),
    ("{1:1}", JsonFault.EXPECTED_KEY, 1),
    ("{,}", JsonFault.EXPECTED_KEY, 1),
    ('{"a":1,}', JsonFault.EXPECTED_KEY, 7),
    ('{"a"}', JsonFault.EXPECTED_COLON, 4),
    ('{"a" 1}', JsonFault.EXPECTED_COLON, 5),
    ('{"a",1}', JsonFault.EXPECTED_COLON, 4),
    ("[1 2]", JsonFault.EXPECTED_COMMA, 3),
    ("[1}", JsonFault.EXPECTED_COMMA, 2),
    ('{"a":1]', JsonFault.EXPECTED_COMMA, 6),
    ('["a" "b"]', JsonFault.EXPECTED_COMMA, 5),
    ('{"a":1 "b":2}', JsonFault.EXPECTED_COMMA, 7),
    ("[1:2]", JsonFault.EXPECTED_COMMA, 2),
    ("[nulL]", JsonFault.BAD_LITERAL, 4),
    ("trUe", JsonFault.BAD_LITERAL, 2),
    ("fals ", JsonFault.BAD_LITERAL, 4),
    ("01", JsonFault.BAD_NUMBER, 1),
    ("-01", JsonFault.BAD_NUMBER, 2),
    ("[-]", JsonFault.BAD_NUMBER, 2),
    ("[1.]", JsonFault.BAD_NUMBER, 3),
    ("[1.e1]", JsonFault.BAD_NUMBER, 3),
    ("[1e]", JsonFault.BAD_NUMBER, 3),
    ("[1e+]", JsonFault.BAD_NUMBER, 4),
    ("1.5.2", JsonFault.BAD_NUMBER, 3),
    ("1-2", JsonFault.BAD_NUMBER, 1),
    ("1e5e", JsonFault.BAD_NUMBER, 3),
    ("-x", JsonFault.BAD_NUMBER, 1),
    ('"\\x"', JsonFault.BAD_ESCAPE, 2),
    ('"\\u12g4"', JsonFault.BAD_ESCAPE, 5),
    ('"\\U0001"', JsonFault.BAD_ESCAPE, 2),
    ('"a\nb"', JsonFault.CONTROL_CHARACTER, 2),
    ('"\x00"', JsonFault.CONTROL_CHARACTER, 1),
    ('{"\t":1}', JsonFault.CONTROL_CHARACTER, 2),
    ('["\u00e9\u4f60\U0001f600", x]', JsonFault.EXPECTED_VALUE, 14),
    ('"\U0001f600\n"', JsonFault.CONTROL_CHARACTER, 5),
    ('"\ud83d\n"', JsonFault.CONTROL_CHARACTER, 4),
]


@pytest.mark.parametrize("text", VALID)
def test_a_text_has_the_value_that_the_standard_library_reads(text: str) -> None:
    expected = json.loads(text)
    outcomes = []
    for pieces in every_cutting(text):
        stream, events = fed(pieces)
        assert stream.complete
        assert repr(stream.value) == repr(expected), pieces
        assert repr(built(events)) == repr(expected), pieces
        outcomes.append((shown(stream), events))
    assert all(outcome == outcomes[0] for outcome in outcomes)


@pytest.mark.parametrize(("text", "fault", "offset"), INVALID)
def test_an_error_has_one_kind_and_place(text: str, fault: JsonFault, offset: int) -> None:
    with pytest.raises(ValueError):
        json.loads(text, parse_constant=lambda name: int(f"{name} is not JSON"))
    outcomes = []
    for pieces in every_cutting(text):
        stream, events = fed(pieces)
        assert stream.failure == JsonFailure(fault, offset), pieces
        assert not stream.complete
        outcomes.append((shown(stream), events))
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_every_fault_has_a_vector() -> None:
    assert {fault for _, fault, _ in INVALID} == set(JsonFault) - {JsonFault.TOO_DEEP}


@pytest.mark.parametrize("depth", [1, 3])
def test_nesting_is_bounded(depth: int) -> None:
    for pieces in every_cutting("[" * depth + "]" * depth):
        assert fed(pieces, max_depth=depth)[0].complete
    for pieces in every_cutting('{"a":' * depth + "[1"):
        stream, _ = fed(pieces, max_depth=depth)
        assert stream.failure == JsonFailure(JsonFault.TOO_DEEP, 5 * depth)


def test_nothing_is_read_after_a_failure() -> None:
    stream = JsonStream()
    stream.feed('{"a":1,x')
    assert stream.feed('"b":2}') == []
    assert stream.close() == []
    assert stream.value == {"a": 1}
    assert stream.failure == JsonFailure(JsonFault.EXPECTED_KEY, 7)


@pytest.mark.parametrize("text", ['{"a":1}', '"abc', "x", ""])
def test_feeding_after_close_is_a_callers_error(text: str) -> None:
    stream = JsonStream()
    stream.feed(text)
    stream.close()
    assert stream.close() == []
    with pytest.raises(CallerError, match="after close"):
        stream.feed("more")


def test_a_stream_that_keeps_nothing_has_no_value() -> None:
    stream = JsonStream(keep=False)
    events = stream.feed('{"a":["x",1]}')
    assert stream.complete
    assert built(events) == {"a": ["x", 1]}
    with pytest.raises(CallerError, match="keep=False"):
        _ = stream.value


def test_the_events_of_a_document() -> None:
    _, events = fed(['{"a":["x', '\\n",1],"b":', "null}"])
    assert events == [
        ("open", (), "object"),
        ("key", (), "a"),
        ("open", ("a",), "array"),
        ("open", ("a", 0), "string"),
        ("delta", ("a", 0), "x\n"),
        ("close", ("a", 0), None),
        ("value", ("a", 1), 1),
        ("close", ("a",), None),
        ("key", (), "b"),
        ("value", ("b",), None),
        ("close", (), None),
    ]


@pytest.mark.parametrize(
    ("prefix", "value", "open_string"),
    [
        ("", None, None),
        ("[1", [], None),
        ("[1,", [1], None),
        ("[12 ", [12], None),
        ("[tru", [], None),
        ("[true", [True], None),
        ('{"a', {}, None),
        ('{"a"', {}, None),
        ('{"a":', {}, None),
        ('{"a":"', {"a": ""}, ("a",)),
        ('{"a":"x\\', {"a": "x"}, ("a",)),
        ('{"a":"x\\u00', {"a": "x"}, ("a",)),
        ('{"a":"x\\ud83d', {"a": "x"}, ("a",)),
        ('{"a":"x\\ud83d\\ude00', {"a": "x\U0001f600"}, ("a",)),
        ('{"a":[{"b":"c', {"a": [{"b": "c"}]}, ("a", 0, "b")),
        ('"ab', "ab", ()),
        ("12", None, None),
    ],
)
def test_the_value_so_far_holds_what_was_received(prefix: str, value: Any, open_string: Any) -> None:
    for pieces in every_cutting(prefix):
        stream = JsonStream()
        for piece in pieces:
            stream.feed(piece)
            _ = stream.value  # looking changes nothing
        assert stream.value == value
        assert stream.open_string == open_string
        assert not stream.complete


def test_an_integer_that_python_does_not_read() -> None:
    digits = sys.get_int_max_str_digits()
    for pieces in (["[" + "1" * (digits + 1) + "]"], ["[", "1" * digits, "1", "]"]):
        assert fed(pieces)[0].failure == JsonFailure(JsonFault.BAD_NUMBER, digits + 2)
    assert fed(["1" * digits])[0].value == int("1" * digits)
    assert math.isfinite(fed(["1." + "1" * digits])[0].value)


def test_a_key_that_comes_twice_is_noted() -> None:
    text = '{"a":1,"b":{"a":"x"},"a":[{"c":0,"c":1}]}'
    for pieces in every_cutting(text):
        stream, _ = fed(pieces)
        assert stream.value == json.loads(text)
        assert stream.duplicates == [("a",), ("a", 0, "c")]


def test_ten_megabytes_go_through_in_bounded_memory() -> None:
    piece = "word " * 240 + "\\u00e9\\n"
    letters = 5 * 240 + 2
    stream = JsonStream(keep=False)
    stream.feed('{"files":[{"path":"a.py","content":"')
    first = stream.feed(piece)
    assert first[0][:2] == ("delta", ("files", 0, "content"))
    total = len(first[0].value)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(10_000_000 // len(piece)):
            total += sum(len(event.value) for event in stream.feed(piece))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    stream.feed('"}]}')
    assert stream.complete
    assert total == (10_000_000 // len(piece) + 1) * letters


def test_a_number_of_any_length_costs_its_length() -> None:
    digits = "[0." + "1" * 400_000 + "]"
    stream, _ = fed([digits[at : at + 8] for at in range(0, len(digits), 8)])
    assert stream.value == [float(digits[1:-1])]


@pytest.mark.parametrize("text", [('{"a":1,"b":[tr', '"x\\ud83d'), ('["ab', 'c"]'), ("12", "3"), ('{"k\\u00', '41":-0.5e', "1}")])
def test_the_token_that_is_open(text: tuple[str, ...]) -> None:
    """What was read of it, however it was cut."""
    whole = "".join(text)
    for end in range(len(whole) + 1):
        streams = [fed_open(pieces) for pieces in every_cutting(whole[:end])]
        assert len({(stream.token, stream.path, stream.open_string, stream.number_text) for stream in streams}) == 1


def fed_open(pieces: list[str]) -> JsonStream:
    """Fed and not closed."""
    stream = JsonStream()
    for piece in pieces:
        stream.feed(piece)
    return stream


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("", ("", "")),
        ("[", ("", "")),
        ("[tru", ("literal", "tru")),
        ("[true", ("", "")),
        ("[-1.", ("number", "-1.")),
        ("[1 ", ("", "")),
        ('["a', ("string", "")),
        ('["a\\u00', ("string", "")),
        ('["\\ud83d', ("string", "\ud83d")),
        ('{"a', ("key", "")),
        ('{"a"', ("", "")),
    ],
)
def test_tokens(text: str, token: tuple[str, str]) -> None:
    for pieces in every_cutting(text):
        assert fed_open(pieces).token == token


def test_instances_do_not_see_each_other() -> None:
    texts_of = ['{"a":[1,2,{"b":"x\\ny"}],"a":true}', '["\\ud83d\\ude00",-1.5e3,null]', '{"a":1,,']
    streams = [JsonStream() for _ in texts_of]
    for at in range(max(map(len, texts_of))):
        for stream, text in zip(streams, texts_of, strict=True):
            stream.feed(text[at : at + 1])
    for stream, text in zip(streams, texts_of, strict=True):
        stream.close()
        assert shown(stream) == shown(fed([text])[0])


@pytest.mark.parametrize("keep", [True, False])
def test_an_open_string_at_the_end_keeps_half_a_pair(keep: bool) -> None:
    for pieces in every_cutting('"a\\ud83d'):
        stream, events = fed(pieces, keep=keep)
        assert events[-1] == ("delta", (), "a\ud83d")
        assert stream.open_string == ()
        assert stream.failure == JsonFailure(JsonFault.INCOMPLETE, 8)
        assert not keep or stream.value == "a\ud83d"
