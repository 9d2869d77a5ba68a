"""Row J2 beside jiter: the value of every beginning, and each way in which it differs from the other parser's.

jiter's ``partial_mode="trailing-strings"`` also shows an open string as far as it has come. All differences are named
here; one that is not named fails, and so does a name that nothing needs.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cassette import iter_cases
from harness.corpus import corpus_cases
from streamcore import DIALECTS, Decoder
from streamcore.jsonstream import JsonStream

from .json_texts import texts
from .test_jsonstream_documents import wounded

jiter = pytest.importorskip("jiter", reason="the parser to compare with is not installed")

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
DOCUMENTS: list[str] = json.loads((ROOT / "golden" / "partial-json" / "documents.json").read_text(encoding="ascii"))
REFUSED = object()
_HALF_A_PAIR = "lone leading surrogate in hex escape", "unexpected end of hex escape", "invalid unicode code point"

DIFFERENCES = {
    "number goes on": "a number at the end is shown, although another digit may follow",
    "nothing yet": "a beginning without a value, or with part of a scalar alone, is refused and not shown as nothing",
    "half a pair": "an escaped surrogate without its other half is refused; JSON.parse and RFC 8259 allow it",
    "no JSON begins so": "NaN and Infinity are read, and what cannot go on is shown all the same: [1x as [1], {}x as {}",
    "too deep": "some 200 levels are the most; ours are 256 unless told otherwise",
}
"""What jiter does otherwise, and how."""


def jiters(text: str) -> tuple[Any, str]:
    """jiter's value of a beginning, and its complaint if it refuses it."""
    try:
        return jiter.from_json(text.encode("utf-8", "surrogatepass"), partial_mode="trailing-strings"), ""
    except ValueError as error:
        return REFUSED, str(error)


def difference(text: str, ours: JsonStream) -> str:
    """The name of the difference at the end of ``text``, which was fed to ``ours``; empty if there is none."""
    value, complaint = jiters(text)
    if ours.failure is not None:
        return "" if value is REFUSED else "no JSON begins so"
    if value is REFUSED:
        if complaint.startswith(_HALF_A_PAIR):
            return "half a pair"
        if complaint.startswith("recursion limit exceeded"):
            return "too deep"
        if not ours.started and complaint.startswith("EOF while parsing"):
            return "nothing yet"
        return f"{text!r}: {complaint}"
    if repr(value) == repr(ours.value):
        return ""
    if ours.token.kind == "number" and repr(value) == repr(_with_number(text)):
        return "number goes on"
    return f"{text!r}: {value!r} is not {ours.value!r}"


def _with_number(text: str) -> Any:
    """The value of a beginning that ends in a number, once that number is whole."""
    stream = JsonStream()
    stream.feed(text)
    if not stream.path:
        stream.close()
    else:
        stream.feed(" ")
    return stream.value


def differences(text: str) -> Counter[str]:
    """Of every beginning; what ours shows depends neither on the cuts nor on having been looked at."""
    found: Counter[str] = Counter()
    by_characters = JsonStream()
    for end in range(len(text) + 1):
        if end:
            by_characters.feed(text[end - 1])
        at_once, in_two = JsonStream(), JsonStream()
        at_once.feed(text[:end])
        in_two.feed(text[: end // 2])
        in_two.feed(text[end // 2 : end])
        assert repr(at_once.value) == repr(in_two.value) == repr(by_characters.value)
        found[difference(text[:end], by_characters)] += 1
    return found


def unnamed(found: Counter[str]) -> list[str]:
    return [name for name in found if name and name not in DIFFERENCES]


def arguments(bodies: Iterator[Any]) -> list[str]:
    """The arguments of every call in recordings."""
    result = set()
    for case in bodies:
        if case.dialect in DIALECTS:
            decoder = Decoder(case.dialect)
            for chunk in (case.body[:1000], case.body[1000:]):
                decoder.feed(chunk)
            decoder.close()
            result |= {call.arguments[:4000] for call in decoder.message.tool_calls}
    return sorted(result - {""})


@pytest.mark.parametrize("text", DOCUMENTS)
def test_every_beginning_of_a_document(text: str) -> None:
    assert not unnamed(differences(text))


def test_every_beginning_of_the_arguments_in_the_cassettes() -> None:
    of_cassettes = arguments(iter_cases(ROOT / "cassettes"))
    assert len(of_cassettes) > 30
    found = sum((differences(text) for text in of_cassettes if len(text) < 3000), Counter[str]())
    assert not unnamed(found)
    assert found[""] > 1000


@pytest.mark.corpus
def test_every_beginning_of_the_arguments_in_real_recordings() -> None:
    if not CORPUS.is_dir():
        pytest.skip("no recordings here")
    found = sum((differences(text) for text in arguments(corpus_cases(CORPUS))), Counter[str]())
    assert set(found) <= {"", "number goes on", "nothing yet"}
    assert found[""] > 1000


@given(texts)
def test_every_beginning_of_any_document(text: str) -> None:
    assert not unnamed(differences(text))


@given(texts, st.integers(0, 2**32))
def test_every_beginning_of_a_wounded_document(text: str, seed: int) -> None:
    assert not unnamed(differences(wounded(text, random.Random(seed))))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("number goes on", "[12"),
        ("number goes on", '{"a":-0.5e3'),
        ("number goes on", "7"),
        ("nothing yet", ""),
        ("nothing yet", " tru"),
        ("nothing yet", "-"),
        ("half a pair", '"\\ud83d x'),
        ("half a pair", '["\\ude00"'),
        ("no JSON begins so", "[NaN"),
        ("no JSON begins so", "-Infinity"),
        ("no JSON begins so", "[1x"),
        ("no JSON begins so", "{} x"),
        ("no JSON begins so", '["\\u"'),
        ("too deep", "[" * 220),
        ("", '{"a":"x\\'),
        ("", '{"a":"x\\u00'),
        ("", '{"a":"x\\ud83d'),
        ("", '{"a":1,"b'),
        ("", "[1,,"),
    ],
)
def test_a_difference_is_what_it_is_called(name: str, text: str) -> None:
    for pieces in ([text], list(text), [text[:2], text[2:]]):
        stream = JsonStream()
        for piece in pieces:
            stream.feed(piece)
        assert difference(text, stream) == name


def test_every_difference_occurs() -> None:
    examples = ["[12", "", '"\\ud83d x', "[NaN", "[" * 220]
    found = sum((differences(text) for text in examples), Counter[str]())
    assert set(found) == {"", *DIFFERENCES}
