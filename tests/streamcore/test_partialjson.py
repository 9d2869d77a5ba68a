"""Partial views: what three SDKs show of every beginning of a document, and what they cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.canonical import canonical
from streamcore.errors import CallerError
from streamcore.jsonstream import JsonStream
from streamcore.partialjson import Flavour, PartialJson

from .json_texts import cut, every_cutting, texts

FOLDER = Path(__file__).parents[2] / "golden" / "partial-json"
DOCUMENTS: list[str] = json.loads((FOLDER / "documents.json").read_text(encoding="ascii"))
FLAVOURS: tuple[Flavour, ...] = get_args(Flavour)
LOSES_ITS_PLACE = "[[ ],1]"
"""After an empty array with white space inside, the parser of ``openai`` reads on as if one bracket more had closed."""


def goldens(flavour: Flavour) -> dict[str, list[str]]:
    """Document -> what is shown of its beginnings, shortest first (``tests/harness/partial_goldens.py`` makes them)."""
    answers: list[list[str]] = []
    for line in (FOLDER / f"{flavour}.jsonl").read_text(encoding="ascii").splitlines():
        if line.startswith('{"body"'):
            answers.append([])
        elif line.startswith("["):
            answers[-1].append(line)
    return dict(zip(DOCUMENTS, answers, strict=True))


def shown(partial: PartialJson) -> str:
    """As a line of a golden."""
    if partial.failed:
        assert partial.value is None
        return '["failed",{}]'
    return f'["shown",{{"value":{canonical(partial.value)}}}]'


def fed(flavour: Flavour, pieces: list[str]) -> PartialJson:
    partial = PartialJson(flavour)
    for piece in pieces:
        partial.feed(piece)
    return partial


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("text", DOCUMENTS)
def test_every_beginning_is_shown_as_the_sdk_shows_it(flavour: Flavour, text: str) -> None:
    expected = goldens(flavour)[text]
    looked_at_always = PartialJson(flavour)
    for end, line in enumerate(expected):
        looked_at_always.feed(text[end - 1 : end] if end else "")
        beginning = text[:end]
        views = [
            shown(looked_at_always),
            *(shown(fed(flavour, pieces)) for pieces in ([beginning], list(beginning), [text[: end // 2], text[end // 2 : end]])),
        ]
        if (flavour, beginning) == ("openai", LOSES_ITS_PLACE):
            assert (line, views) == ('["shown",{"value":[[]]}]', ['["shown",{"value":[[],1]}]'] * 4)
        else:
            assert views == [line] * 4, beginning


@pytest.mark.parametrize("flavour", FLAVOURS)
@given(text=texts, cuts=st.lists(st.integers(0, 10**6), max_size=6))
def test_a_whole_document_is_its_value(flavour: Flavour, text: str, cuts: list[int]) -> None:
    whole = json.loads(text)
    partial = fed(flavour, cut(text, cuts))
    if flavour == "anthropic" and type(whole) in (int, float):
        assert partial.failed  # for another digit may follow
    else:
        assert repr(partial.value) == repr(whole)


@pytest.mark.parametrize("flavour", FLAVOURS)
@given(text=texts, at=st.integers(0, 10**6))
def test_looking_changes_nothing(flavour: Flavour, text: str, at: int) -> None:
    end = at % (len(text) + 1)
    looked_at = PartialJson(flavour)
    for char in text[:end]:
        looked_at.feed(char)
        _ = looked_at.value
        _ = looked_at.failed
    assert shown(looked_at) == shown(fed(flavour, [text[:end]]))


@pytest.mark.parametrize(
    ("text", "openai", "anthropic", "ai"),
    [
        ('{"a":1,x', {"a": 1}, None, {"a": 1}),
        ('{"a":1]}', {"a": 1}, None, {"a": 1}),
        ("x", None, None, None),
    ],
)
def test_after_an_error_the_value_stays(text: str, openai: Any, anthropic: Any, ai: Any) -> None:
    for flavour, value in zip(FLAVOURS, (openai, anthropic, ai), strict=True):
        for pieces in ([text], list(text), [text, '"b":2']):
            partial = fed(flavour, pieces)
            assert partial.value == value
            assert partial.failed is (value is None)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_nesting_is_bounded(flavour: Flavour) -> None:
    partial = PartialJson(flavour, max_depth=2)
    partial.feed("[[[")
    assert partial.failed is (flavour == "anthropic")
    assert partial.value == (None if flavour == "anthropic" else [[]])


def test_an_integer_that_python_does_not_read_is_a_double_as_in_javascript() -> None:
    digits = "1" * 5000
    assert fed("ai", ["[" + digits]).value == [float("inf")]
    assert fed("openai", [digits]).value == float("inf")
    assert fed("anthropic", ["[" + digits]).value == []


def test_an_unknown_flavour_is_a_callers_error() -> None:
    with pytest.raises(CallerError, match="none of openai, anthropic, ai"):
        PartialJson("google")


def test_instances_do_not_see_each_other() -> None:
    partials = [PartialJson(flavour) for flavour in FLAVOURS for _ in range(2)]
    text = '{"a":"x y","b":[1,tr'
    for char in text:
        for partial in partials:
            partial.feed(char)
            _ = partial.value
    assert [shown(partial) for partial in partials] == [shown(fed(flavour, [text])) for flavour in FLAVOURS for _ in range(2)]


@pytest.mark.parametrize(
    ("text", "so_far", "complete"),
    [
        ('{"a":"x', {"a": "x"}, False),
        ('{"a":"x\\', {"a": "x"}, False),
        ('{"a":"x\\u12', {"a": "x"}, False),
        ('{"a":1,"b":', {"a": 1}, False),
        ('{"a":1,', {"a": 1}, False),
        ('{"a":1,"b', {"a": 1}, False),
        ('{"a":{"b":["c","d', {"a": {"b": ["c", "d"]}}, False),
        ('[{"a":"b"},{"c', [{"a": "b"}, {}], False),
        ('{"a":"x"', {"a": "x"}, False),
        ('{"a":"x"}', {"a": "x"}, True),
        ('{"a":[]} \n', {"a": []}, True),
        ('{"a":[]} x', {"a": []}, False),
    ],
)
def test_a_closed_beginning_is_what_was_received(text: str, so_far: Any, complete: bool) -> None:
    """Where only data that was really received is shown, the SDK's view and ours are one; whether it is whole is said."""
    for pieces in every_cutting(text):
        partial, own = fed("ai", pieces), JsonStream()
        for piece in pieces:
            own.feed(piece)
        assert partial.value == own.value == so_far
        assert partial.complete is own.complete is complete


@pytest.mark.parametrize(
    ("text", "guessed", "received"),
    [
        ('{"a":tr', {"a": True}, {}),
        ('{"a":[fals', {"a": [False]}, {"a": []}),
        ('{"a":1,"b":nul', {"a": 1, "b": None}, {"a": 1}),
        ('{"a":12', {"a": 12}, {}),
        ('{"a":[1,-2.5', {"a": [1, -2.5]}, {"a": [1]}),
        ('{"a":1.', {"a": 1}, {}),
    ],
)
def test_where_an_sdk_guesses_ours_waits(text: str, guessed: Any, received: Any) -> None:
    """B8: a literal or a number that may go on is shown by the SDK as it would end; what was received is nothing yet."""
    for pieces in every_cutting(text):
        partial, own = fed("ai", pieces), JsonStream()
        for piece in pieces:
            own.feed(piece)
        assert (partial.value, own.value) == (guessed, received)
        assert partial.complete is own.complete is False
