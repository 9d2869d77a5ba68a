"""Fields of a text that is still arriving, by path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore.errors import CallerError
from streamcore.fieldstream import FieldDelta, FieldStream
from streamcore.jsonstream import JsonFailure, JsonFault, Path

from .json_texts import cut, every_cutting

YAML = 'name: "é\U0001f600"\nsteps:\n  - run: echo "a\\tb"\n'
DOCUMENT = {
    "note": 'a key "yml_content" inside a string: {"yml_content":"no"}',
    "yml_content": "at another path",
    "files": [
        {"name": "without the field"},
        {"name": "one", "yml_content": YAML},
        {"yml_content": ""},
        {"yml_content": {"yml_content": "deeper"}},
        {"yml_content": 5},
        ["yml_content"],
        {"yml_content": "last\n", "size": 1},
    ],
}
FIELDS = {("files", 1, "yml_content"): YAML, ("files", 2, "yml_content"): "", ("files", 6, "yml_content"): "last\n"}


def fields(pattern: str, pieces: list[str]) -> dict[Path, str]:
    """Path -> all of the field, in the order of their ends; every field ends once and says nothing afterwards."""
    stream = FieldStream(pattern)
    open_fields: dict[Path, str] = {}
    done: dict[Path, str] = {}
    for piece in pieces:
        for path, delta, is_done in stream.feed(piece):
            assert path not in done
            assert delta or is_done
            open_fields[path] = open_fields.get(path, "") + delta
            if is_done:
                done[path] = open_fields.pop(path)
    stream.close()
    assert not open_fields
    assert stream.failure is None
    return done


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 1])
def test_every_file_of_a_document(ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(DOCUMENT, ensure_ascii=ascii_only, indent=indent)
    for pieces in every_cutting(text):
        assert fields("files[*].yml_content", pieces) == FIELDS


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("files[1].yml_content", {("files", 1, "yml_content"): YAML}),
        ("files[i].name", {("files", 0, "name"): "without the field", ("files", 1, "name"): "one"}),
        ("yml_content", {("yml_content",): "at another path"}),
        ("files[*].yml_content.yml_content", {("files", 3, "yml_content", "yml_content"): "deeper"}),
        ("files[*][0]", {("files", 5, 0): "yml_content"}),
        ("files[*].size", {}),
        ("files", {}),
        ("[*]", {}),
    ],
)
def test_patterns(pattern: str, found: dict[Path, str]) -> None:
    text = json.dumps(DOCUMENT)
    for pieces in ([text], list(text)):
        assert fields(pattern, pieces) == found


def test_keys_that_look_like_positions() -> None:
    for pieces in every_cutting('{"a":{"0":"key"},"b":["item"]}'):
        assert fields("a[0]", pieces) == {}
        assert fields("a.0", pieces) == {("a", "0"): "key"}
        assert fields("b.0", pieces) == {}
        assert fields("b[0]", pieces) == {("b", 0): "item"}


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.booleans(), st.lists(st.integers(0, 10**4), max_size=5))
def test_a_field_is_its_value(content: str, ascii_only: bool, cuts: list[int]) -> None:
    text = json.dumps({"files": [{"content": content}, {"content": content}]}, ensure_ascii=ascii_only)
    assert fields("files[*].content", cut(text, cuts)) == {("files", at, "content"): content for at in (0, 1)}


def test_pieces_come_as_they_arrive() -> None:
    stream = FieldStream("a")
    assert stream.feed('{"a":"x\\') == [FieldDelta(("a",), "x", done=False)]
    assert stream.feed("ny") == [FieldDelta(("a",), "\ny", done=False)]
    assert stream.feed('z"') == [FieldDelta(("a",), "z", done=True)]
    assert stream.feed(',"b":1}') == []


def test_an_end_that_comes_alone_is_told() -> None:
    stream = FieldStream("a")
    stream.feed('{"a":"x')
    assert stream.feed('"') == [FieldDelta(("a",), "", done=True)]


@pytest.mark.parametrize(
    ("text", "options", "failure"),
    [
        ('{"a":"x"', {}, JsonFailure(JsonFault.INCOMPLETE, 8)),
        ('{"a":"x",}', {}, JsonFailure(JsonFault.EXPECTED_KEY, 9)),
        ('{"a":[', {"max_depth": 1}, JsonFailure(JsonFault.TOO_DEEP, 5)),
    ],
)
def test_a_text_that_is_none(text: str, options: dict[str, Any], failure: JsonFailure) -> None:
    for pieces in every_cutting(text):
        stream = FieldStream("a", **options)
        for piece in pieces:
            stream.feed(piece)
        stream.close()
        assert stream.failure == failure


@pytest.mark.parametrize("pattern", ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[-1]", "a[x]", "a]", "[*", "a.[0]", "a[0]b"])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(CallerError, match="is no path"):
        FieldStream(pattern)
