"""JSON texts for properties: documents of every construct, written in several ways, and cuttings of a text."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from random import Random

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=8)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
texts = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent),
    documents,
    st.booleans(),
    st.sampled_from([None, None, 1]),
)


def cut(text: str, cuts: list[int]) -> list[str]:
    """``text`` in pieces that end at ``cuts``, taken modulo its length."""
    ends = sorted({0, len(text), *(at % (len(text) + 1) for at in cuts)})
    return [text[start:end] for start, end in pairwise(ends)] or [text]


def every_cutting(text: str) -> list[list[str]]:
    """Whole, by characters, in two at every place, and with empty pieces."""
    splits = [[text[:at], text[at:]] for at in range(len(text) + 1)]
    return [[text], list(text), *splits, [piece for char in text for piece in (char, "")]]


_CHARACTERS = ["a", "b", " ", '"', "\\", "\n", "\t", "\u00e9", "\u4f60", "\U0001f600", *"{}[]:,/0", "\x7f", "\u2028", "\ud83d", "\ude00"]


def _string(source: Random) -> str:
    return "".join(source.choices(_CHARACTERS, k=source.choice([0, 1, 1, 2, 3, 6])))


def _value(source: Random, depth: int) -> Any:
    kind = source.random()
    if depth <= 0 or kind < 0.45:
        numbers = [0, -1, source.randrange(10**6), -(10**20), source.random(), source.uniform(-1e300, 1e300), 1e-7]
        return source.choice([None, True, False, *numbers, *(_string(source) for _ in range(3))])
    items = range(source.randrange(4))
    if kind < 0.7:
        return [_value(source, depth - 1) for _ in items]
    return {_string(source): _value(source, depth - 1) for _ in items}


def written(source: Random) -> str:
    """A document that costs little to make, so that there can be a million."""
    value = _value(source, source.randrange(5))
    return json.dumps(value, ensure_ascii=source.random() < 0.5, indent=source.choice([None, None, 1]))
