"""The quick path of the Gemini dialects gives what the general path gives.

Around every chunk that the quick path takes lie those that it must leave alone: the variants here.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Decoder, Limits
from streamcore.dialects.gemini.quick import read

from .gemini_wire import STOP, arg, call, chunk, piece, sse, text
from .wire import Json, decode, event, i_delta, quick_only, t_delta

TOKENS = [{"modality": "TEXT", "tokenCount": 8}]
USAGE: Json = {
    "promptTokenCount": 8,
    "candidatesTokenCount": 1,
    "totalTokenCount": 9,
    "promptTokensDetails": TOKENS,
    "serviceTier": "standard",
}
RATING: Json = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW", "probabilityScore": 0.25}
ABOUT: Json = {"usageMetadata": USAGE, "modelVersion": "m", "createTime": "1:2:3", "responseId": "r"}
TEXT: Json = {**chunk(text("x"), index=0), **ABOUT}
THOUGHT: Json = {**chunk(text("x", thought=True), safetyRatings=[RATING, RATING]), **ABOUT}
CALL: Json = {**chunk(piece(arg("$.x", "y", True))), **ABOUT}
WHOLE: Json = {**chunk(call("f", {"k": ["y:", {"1": 0.5}]}, "s:", id="i")), **ABOUT}
BARE: Json = {**chunk(call("f", {}))}
PLAIN = [TEXT, THOUGHT, CALL, WHOLE, BARE]

STRINGS = ["", ":", "a:b", "\ufffd", "\n", "\u2028", '"', "\\", "\x00", "\\u003a", "u003a", "\ud83d", "\U0001f600"]
ODD: list[Any] = [None, True, -1, 0.5, 10**30, "", "a:b", [[]], {"x": 1}]


def variants_of(value: Any) -> list[Any]:
    """``value`` with each of its members gone, replaced by each odd value, or joined by an unknown one."""
    found: list[Any] = list(ODD)
    if isinstance(value, dict):
        for key, item in value.items():
            rest = {name: other for name, other in value.items() if name != key}
            found.append(rest)
            found += [{**value, key: other} for other in variants_of(item)]
        found.append({**value, "unknown": 1})
    elif isinstance(value, list):
        found += [[other, *value[1:]] for other in variants_of(value[0])]
        found.append([*value, *value])
    elif isinstance(value, str):
        found += STRINGS
    return found


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def raw(plain: bytes) -> list[bytes]:
    """Variants of how a chunk is written."""
    text_key = next(key for key in (b'"text":"x"', b'"stringValue":"y"', b'"name":"f"') if key in plain)
    letter = text_key[-2:]
    return [
        plain.replace(letter, b'\xff"'),
        plain.replace(letter, b'\xe2\x82"'),
        plain.replace(letter, b'\xed\xa0\x80"'),
        plain.replace(letter, rb'\ud83d"'),
        plain.replace(letter, rb'\u003a\u003A"'),
        plain.replace(letter, rb':\u003a"'),
        plain.replace(text_key, b'"x":1,' + text_key),
        plain.replace(text_key, text_key + b"," + text_key),
        plain.replace(text_key, rb'"\u0074ext":"x"'),
        plain.replace(b'"responseId"', b'"responseId":"z","responseId"'),
        plain.replace(b'"promptTokenCount":8', b'"promptTokenCount":8,"promptTokenCount":9'),
        plain.replace(b'"promptTokenCount":8', b'"promptTokenCount":8.0'),
        plain.replace(b'"promptTokenCount":8', b'"promptTokenCount":-0'),
        plain.replace(b'"promptTokenCount":8', b'"promptTokenCount":NaN'),
        plain.replace(b'"promptTokenCount":8', b'"promptTokenCount":1e400'),
        plain.replace(b"0.25", b"1e400"),
        plain.replace(b"0.25", b"1"),
        plain.replace(b"0.25", b"0.1000000000000000055511151231257827"),
        b" \t" + plain.replace(b":", b" :\n") + b" ",
        b"\xef\xbb\xbf" + plain,
        plain + b"{}",
        plain[:-1],
        b"[" * 300 + plain,
    ]


VARIANTS = [compact(variant) for plain in PLAIN for variant in variants_of(plain)]
VARIANTS.append(compact({**TEXT, **chunk({**text("x"), **piece(arg("$.x", "y"))})}))
VARIANTS.append(compact(chunk(piece(arg("$.x", "y", True), name="f"))))
VARIANTS.append(compact(chunk(piece(arg("$.x", "y", True), signature="s"))))
VARIANTS.append(compact({**TEXT, **chunk(text("x", thoughtSignature="s"))}))
VARIANTS += [variant for plain in PLAIN for variant in raw(compact(plain))]
BEGIN = chunk(responseId="r")
OPENINGS = {
    "nothing open": [BEGIN],
    "not described": [chunk(text("a"))],
    "text open": [BEGIN, chunk(text("a"))],
    "thought open": [BEGIN, chunk(text("a", thought=True))],
    "a call open": [BEGIN, chunk(piece(name="f"))],
    "text and a call open": [BEGIN, chunk(text("a"), piece(name="f"))],
    "blocked": [BEGIN, chunk(text("a"), promptFeedback={"blockReason": "OTHER"})],
    "finished": [BEGIN, chunk(text("a"), finish="STOP")],
}


@pytest.mark.parametrize(
    ("opening", "policy"), [*((opening, "lenient") for opening in OPENINGS), ("text and a call open", "strict")]
)
def test_variants(opening: str, policy: str) -> None:
    """Each variant after text and a call under each policy, and after two of the other openings, which take turns."""
    head = sse(*OPENINGS[opening])
    others = [name for name in OPENINGS if name != "text and a call open"]
    for at, variant in enumerate(VARIANTS):
        if opening in others and (at - others.index(opening)) % len(others) > 1:
            continue
        body = head + event(variant) + sse(TEXT, CALL, WHOLE, STOP)
        quick = decode(body, "vertex-gemini", policy=policy)
        assert quick == decode(body, "vertex-gemini", policy=policy, general=True), variant


@pytest.mark.parametrize("limits", [Limits(max_json_depth=4), Limits(max_json_depth=8), Limits(max_json_depth=9), Limits(max_arguments_chars=3)])
def test_limits(limits: Limits) -> None:
    for opening in OPENINGS.values():
        deep: Json = {"a": {"b": {"c": [{"d": ["{[{[" * 40]}]}}}
        body = sse(*opening, *PLAIN, CALL, CALL, chunk(call("f", deep)), STOP)
        assert decode(body, "vertex-gemini", limits=limits) == decode(body, "vertex-gemini", limits=limits, general=True)


def test_the_quick_path_is_taken() -> None:
    """Or the tests above would compare nothing."""
    decoder = Decoder("vertex-gemini")
    decoder.feed(sse(*OPENINGS["text and a call open"]))
    with quick_only(decoder):
        parts = decoder.feed(sse(TEXT, CALL, {**TEXT, **chunk(text("y:z"))}))
        calls = decoder.feed(sse(WHOLE, BARE))

    assert [part.as_json() for part in parts] == [t_delta("x"), i_delta('{"x":"y', "gen_0"), t_delta("y:z")]
    assert [part.type for part in calls] == 2 * ["tool-input-start", "tool-input-delta", "tool-input-end", "tool-call"]


@pytest.mark.parametrize("plain", PLAIN)
def test_what_is_read_quickly(plain: Json) -> None:
    found = read(compact(plain), 256)
    assert found is not None
    assert (found.text, found.is_thought) == ("x" if plain in (TEXT, THOUGHT) else "", plain is THOUGHT)
    assert found.signature == ("s:" if plain is WHOLE else "")
    assert read(compact({**plain, **chunk(call())}), 256) is None
    assert read(compact({**plain, "modelVersion": "z"}).replace(b'"z"', b'"y","modelVersion":"z"'), 256) is None


scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=4)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)


@given(
    st.sampled_from(PLAIN),
    st.dictionaries(st.sampled_from(["usageMetadata", "modelVersion", "responseId", "candidates", "x"]), values, max_size=2),
    st.dictionaries(st.sampled_from(["text", "thought", "functionCall", "thoughtSignature", "x"]), values, max_size=2),
    st.dictionaries(st.sampled_from(["index", "content", "finishReason", "safetyRatings", "x"]), values, max_size=1),
    st.booleans(),
)
def test_generated_chunks(plain: Json, top: Json, part: Json, candidate: Json, ascii_only: bool) -> None:
    [one] = plain["candidates"]
    [said] = one["content"]["parts"]
    changed = {**plain, "candidates": [{**one, "content": {"parts": [{**said, **part}]}, **candidate}], **top}
    wire = event(json.dumps(changed, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))
    body = sse(*OPENINGS["text and a call open"]) + wire + sse(TEXT, STOP)
    quick = decode(body, "vertex-gemini")

    assert quick == decode(body, "vertex-gemini", general=True)
    assert quick == decode([body[:200], body[200:500], body[500:]], "vertex-gemini")
