"""Whole streams: drawn, written, cut, damaged."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from harness.chunking import structural_cuts
from harness.exits import unknown
from harness.faults.damage import OPERATORS, SCALE, Damage, damaged, framing_of
from harness.record.wire import comment
from harness.strategies.grammars import GRAMMARS, Grammar
from harness.strategies.saying import Call, Expectation, Item, Said, halved, joined

if TYPE_CHECKING:
    pass

_MOST_ITEMS = 5
_MOST_TOKENS = 10**6
_CUTS_AT_LEAST = 2
_BYTE_BY_BYTE_UP_TO = 4096
_MOST_DAMAGES = 4

_HAZARDS = (
    "\n", "\r\n", "\r", "\u2028", "\u0085", "\x00", "\x1f", "\x7f",
    '"', "\\", "\\n", '\\"', "\\ud83d", "data: x", "\n\ndata: [DONE]\n\n",
    "{", "}", "[]", "</think>", "e\u0301", "\ufeff", "\ufffd",
    "\u20ac", "\U0001f600", "\U0001f469\u200d\U0001f4bb", "\u4f60\u597d", "<b>", "null",
)  # fmt: skip
_PLAIN = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Co"), exclude_characters="\x00"), max_size=12
)
_TEXT = st.lists(st.sampled_from(_HAZARDS) | _PLAIN, min_size=1, max_size=5).map("".join).filter(bool)
_NAMES = st.from_regex(re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,20}", re.ASCII), fullmatch=True)
_BY = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple) | st.just((1 << 20,))
# Keys like 7 move to the front where the arguments become an object of ECMAScript, which is no fault of a reader.
_KEYS = _PLAIN.filter(lambda key: not key.isdigit() and key != "__proto__")


def streams(dialect: str, *, lone_surrogates: bool = False) -> st.SearchStrategy[tuple[bytes, Expectation]]:
    """A body in valid grammar of ``dialect``, and what a reader must get from it.

    Args:
        dialect: a name from :data:`harness.strategies.GRAMMARS`.
        lone_surrogates: text may hold halves of surrogate pairs that have no other half. Where the wire is JSON they are
            escapes, which are valid, and no string of Unicode can hold them.

    Raises:
        ValueError: no grammar has that name.
    """
    if dialect not in GRAMMARS:
        raise ValueError(unknown("dialect", dialect, GRAMMARS))
    return _streams(dialect, lone_surrogates)


@st.composite
def _streams(draw: st.DrawFn, dialect: str, lone_surrogates: bool) -> tuple[bytes, Expectation]:
    grammar = GRAMMARS[dialect]
    said = draw(sayings(grammar, lone_surrogates=lone_surrogates))
    units = grammar.write(said)
    if grammar.comments and draw(st.booleans()):
        places = draw(st.lists(st.integers(0, len(units)), max_size=3))
        for place in sorted(places, reverse=True):
            units.insert(place, comment(draw(st.sampled_from(("", "keep-alive", "{", " data: x")))))
        units[0] = draw(st.sampled_from((b"", b"\xef\xbb\xbf"))) + units[0]
    return b"".join(units), expectation(dialect, grammar, said)


@st.composite
def sayings(draw: st.DrawFn, grammar: Grammar, *, lone_surrogates: bool = False) -> Said:
    """What a model says that ``grammar`` can write."""
    kinds = ["text"] + ["reasoning"] * grammar.reasoning + ["call"] * 2 * grammar.calls
    count = draw(st.integers(grammar.least, _MOST_ITEMS))
    items = []
    for _ in range(count):
        kind: Any = draw(st.sampled_from(kinds))
        text = draw(_arguments(grammar.stringified) if kind == "call" else _said(lone_surrogates))
        text = text.translate(grammar.cannot_say)
        if draw(st.booleans()) and (kind != "call" or not grammar.stringified):
            text = halved(text)
        items.append(Item(kind, text, draw(_BY), draw(_NAMES) if kind == "call" else ""))
    if grammar.once:
        firsts = {item.kind: item for item in reversed(items)}
        items = [item for item in items if item.kind == "call" or item is firsts[item.kind]]
    called = any(item.kind == "call" for item in items)
    finishes = [
        (finish, raw) for finish, raws in grammar.finishes.items() for raw in raws if called == (finish == "tool-calls")
    ]
    finish, raw = draw(st.sampled_from(finishes))
    tokens = st.integers(grammar.least_tokens, _MOST_TOKENS)
    return Said(tuple(items), finish, raw, draw(tokens), draw(tokens), draw(st.integers(0, 255)))


def expectation(dialect: str, grammar: Grammar, said: Said) -> Expectation:
    """What a reader must get from what ``grammar`` wrote."""
    calls = tuple(
        Call(item.name, joined(item.text) if item.text.strip() else "{}") for item in said.items if item.kind == "call"
    )
    return Expectation(
        dialect,
        "".join(joined(item.text) for item in said.items if item.kind == "text"),
        "".join(joined(item.text) for item in said.items if item.kind == "reasoning"),
        calls,
        said.finish,
        said.raw,
        (said.input_tokens, said.output_tokens) if grammar.usage else None,
    )


@cache
def _said(lone_surrogates: bool) -> st.SearchStrategy[str]:
    if not lone_surrogates:
        return _TEXT
    # Not at either end: what stands beside it in another block is nobody's other half.
    half = st.integers(0xD800, 0xDFFF).map(chr)
    return st.tuples(_TEXT, half, _TEXT).map(lambda three: f"{three[0]}.{three[1]}.{three[2]}")


@cache
def _arguments(stringified: bool) -> st.SearchStrategy[str]:
    """JSON texts of objects, in many hands, or such as come out of ``JSON.parse`` and ``JSON.stringify`` as they went in."""
    text = _PLAIN | st.sampled_from([hazard for hazard in _HAZARDS if not (stringified and hazard == "\x00")])
    scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text
    if not stringified:
        scalars |= st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    values = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=6
    )
    objects = st.dictionaries(_KEYS, values, max_size=3)
    if stringified:
        return objects.map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    dumped = st.builds(_dumped, objects, st.sampled_from(_HANDS), st.sampled_from(("", " ", "\n")))
    return dumped | st.just("")


def _dumped(value: Any, hand: dict[str, Any], around: str) -> str:
    return around + json.dumps(value, **hand) + around


_HANDS: tuple[dict[str, Any], ...] = (
    {"ensure_ascii": False, "separators": (",", ":")},
    {"ensure_ascii": False},
    {"ensure_ascii": True},
    {"ensure_ascii": False, "indent": 2},
    {"ensure_ascii": True, "indent": "\t", "separators": (" ,", " : ")},
)


@st.composite
def chunkings(draw: st.DrawFn, body: bytes) -> list[bytes]:
    """``body`` in chunks, none of them empty: whole, byte by byte, or cut at places of which most mean something to a decoder.

    >>> chunkings(b"data: {}").map(b"".join)  # is always the body
    """
    size = len(body)
    how = draw(st.integers(0, 7))
    if size < _CUTS_AT_LEAST or how == 0:
        return [body] if body else []
    if how == 1 and size <= _BYTE_BY_BYTE_UP_TO:
        return [body[at : at + 1] for at in range(size)]
    anywhere = st.integers(1, size - 1)
    telling = structural_cuts(body)
    places = st.sampled_from(telling) | anywhere if telling else anywhere
    cuts = sorted(draw(st.sets(places, min_size=1, max_size=24)))
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, size], strict=True)]


def mutated(body: bytes, dialect: str, *, other: bytes = b"") -> st.SearchStrategy[bytes]:
    """``body`` after one to four kinds of damage: bits, bytes, frames and JSON values changed, lost, repeated, moved; cut off.

    Args:
        body: a stream.
        dialect: its dialect, or its framing: what its frames are.
        other: a second stream, from which frames and values are taken and on which the first may go on.
    """
    framing = framing_of(dialect)
    numbers = st.integers(0, SCALE - 1)
    damages = st.lists(
        st.builds(Damage, st.sampled_from(list(OPERATORS)), numbers, numbers), min_size=1, max_size=_MOST_DAMAGES
    )

    def apply(drawn: list[Damage]) -> bytes:
        return damaged(body, framing, drawn, other)

    return damages.map(apply)
