"""Incremental JSON beside the standard library: documents, their mutations, and scraps, in any pieces."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamcore.jsonstream import JsonStream

from .json_outcomes import built, fed, shown
from .json_texts import cut, texts, written


def grown(before: Any, after: Any) -> bool:
    """Whether ``after`` is ``before`` with something added at its end: strings by suffix, arrays and objects by items."""
    if isinstance(before, str):
        return isinstance(after, str) and after.startswith(before)
    if isinstance(before, list):
        return isinstance(after, list) and len(before) <= len(after) and all(map(grown, before, after))
    if isinstance(before, dict):
        return isinstance(after, dict) and all(key in after and grown(before[key], after[key]) for key in before)
    return type(before) is type(after) and repr(before) == repr(after)


@given(texts, st.lists(st.integers(0, 10**6), max_size=6))
def test_any_document_in_any_pieces(text: str, cuts: list[int]) -> None:
    expected = json.loads(text)
    stream, events = fed(cut(text, cuts))
    assert stream.complete
    assert repr(stream.value) == repr(expected)
    assert repr(built(events)) == repr(expected)


@given(texts)
def test_what_was_shown_is_never_taken_back(text: str) -> None:
    stream = JsonStream()
    before: Any = None
    for char in text:
        stream.feed(char)
        after = json.loads(json.dumps(stream.value)) if stream.started else None
        assert before is None or grown(before, after)
        before = after


def _refuse(name: str) -> Any:
    raise ValueError(name)


def agrees(text: str) -> None:
    """The verdict and the value of the standard library, and one outcome for all of three cuttings."""
    outcomes = [fed(pieces) for pieces in ([text], list(text), [text[: len(text) // 2], text[len(text) // 2 :]])]
    first = (shown(outcomes[0][0]), outcomes[0][1])
    assert all((shown(stream), events) == first for stream, events in outcomes)
    stream = outcomes[0][0]
    try:
        expected = json.loads(text, parse_constant=_refuse)
    except ValueError:
        assert stream.failure is not None, text
        return
    assert stream.failure is None, text
    assert repr(stream.value) == repr(expected), text


def wounded(text: str, seed: random.Random) -> str:
    """``text`` with a few characters gone, doubled, swapped or from elsewhere."""
    chars = list(text)
    for _ in range(seed.choice([1, 1, 2, 4])):
        at = seed.randrange(len(chars) + 1)
        gone = seed.choice([0, 0, 1, 1, 3])
        chars[at : at + gone] = seed.choice(['"', "\\", "{", "}", "[", "]", ",", ":", "0", "-", "e", ".", "\n", "\\u", "x", "", " "])
    return "".join(chars)


@given(texts, st.integers(0, 2**32))
def test_wounded_documents_get_the_standard_librarys_verdict(text: str, seed: int) -> None:
    agrees(wounded(text, random.Random(seed)))


DOCUMENTS_A_SEED = 10


@given(st.integers(0, 2**64))
def test_made_documents_and_their_mutations_get_the_standard_librarys_verdict(seed: int) -> None:
    """Cheap documents, ten a seed: the thorough profile looks at 10^6, and at as many mutations."""
    source = random.Random(seed)
    for _ in range(DOCUMENTS_A_SEED):
        text = written(source)
        agrees(text)
        agrees(wounded(text, source))


@given(st.text(st.sampled_from('{}[],:"\\/ \n-+.0123456789eEtrufalsn\u00e9'), max_size=12))
def test_scraps_get_the_standard_librarys_verdict(text: str) -> None:
    agrees(text)
