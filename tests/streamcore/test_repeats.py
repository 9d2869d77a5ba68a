"""A chunk that repeats the one before it but for its text gives what the general path gives; no other is a repeat.

Each stream here has a chunk twice, so that the second makes itself remembered, then one that is nearly its repeat.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Decoder, Limits
from streamcore.dialects.openai.repeats import repeatable
from streamcore.parts import TextDelta, TextStart, ToolInputDelta

from .wire import DONE, Json, call, chunk, decode, event, finish

FILTERED = {"hate": {"filtered": False, "severity": "safe"}}
PLAIN: dict[str, tuple[str, Json]] = {
    "text": ("openai-compatible", {"delta": {"role": "assistant", "content": "%"}}),
    "reasoning": ("zai", {"delta": {"content": "", "reasoning_content": "%"}}),
    "reasoning of Groq": ("groq", {"delta": {"reasoning": "%"}}),
    "reasoning with details": (
        "openrouter",
        {"delta": {"reasoning": "%", "reasoning_details": [{"type": "reasoning.text", "text": "%", "index": 0}]}},
    ),
    "text said twice": ("writer", {"delta": {"content": "%"}, "message": {"content": "%"}}),
    "text without probabilities": (
        "snowflake",
        {"delta": {"content": "%", "refusal": ""}, "logprobs": {"content": None, "refusal": None}},
    ),
    "arguments said twice": (
        "writer",
        {"delta": {"tool_calls": [call(0, args="%")]}, "message": {"tool_calls": [call(0, args="%")]}},
    ),
    "text beside the delta": ("together", {"delta": {"content": "%", "token_id": 5}, "text": "%"}),
    "text in a list": ("openai-compatible", {"delta": {"content": [{"type": "text", "text": "%"}]}}),
    "thinking": (
        "openai-compatible",
        {"delta": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "%"}]}]}},
    ),
    "thinking of Mistral": (
        "mistral",
        {"delta": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "%"}]}]}},
    ),
    "completion": ("local-openai-compat", {"text": "%"}),
    "arguments": ("openai-compatible", {"delta": {"tool_calls": [call(0, args="%")]}}),
    "arguments with the id": ("openai-compatible", {"delta": {"tool_calls": [call(0, "a", args="%")]}}),
    "filtered": ("azure-openai", {"delta": {"content": "%"}, "content_filter_results": FILTERED}),
    "filtered arguments": (
        "azure-openai",
        {"delta": {"tool_calls": [call(0, args="%")]}, "content_filter_results": FILTERED},
    ),
}
PADDED = {"text", "filtered", "filtered arguments"}
TEXTS = ["", "x", " y", "a: [b] {c}", '"', "\\", "\\\\", "content", '","', "\n\x00", "%"]
TEXTS += ["\u00e9\u2028", "\ud83d\ude00", "\ud83d"]
STRANGE = [b'""', b'"\xff"', b'"\x01"', b'"a", "b": "c"', b'"a" ', b' "a"', b'"" ', b"null", b"1"]
STRANGE += [b'"\\q"', b'"\\u00e9"', b'"']


def written(kind: str, piece: bytes, **extra: Any) -> bytes:
    """The chunk of that kind with ``piece`` as it is spelled on the wire."""
    template = {**chunk({"index": 0, "finish_reason": None, **PLAIN[kind][1]}), **extra}
    if kind in PADDED:
        template["obfuscation"] = "p4d"
    return json.dumps(template, separators=(",", ":")).encode().replace(b'"%"', piece)


def stream(kind: str, *chunks: bytes) -> bytes:
    """A stream with an open call and, of that kind, a block that goes on."""
    opening = {"delta": {"tool_calls": [call(0, "a", "f", "{")]}}
    first = [event(chunk({"index": 0, "finish_reason": None, **opening}))]
    first += [event(written(kind, b'"1"')), event(written(kind, b'"2"'))]
    return b"".join(first) + b"".join(map(event, chunks)) + event(written(kind, b'"9"')) + finish("stop") + DONE


@pytest.mark.parametrize("kind", PLAIN)
def test_repeats_are_taken(kind: str) -> None:
    """Or the tests below would compare nothing."""
    decoder = Decoder(PLAIN[kind][0])
    reader: Any = decoder._dialect
    general = reader.frame_in_full
    slow = []

    def count(*arguments: Any) -> None:
        slow.append(arguments)
        general(*arguments)

    reader.frame_in_full = count
    repeats = [written(kind, json.dumps(piece).encode()) for piece in ("x", "a: bc", "\u00e9", '"')]
    decoder.feed(stream(kind, *repeats).removesuffix(DONE))

    assert len(slow) <= 4, "the opening, the first and second of the kind, and the finish"


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("kind", PLAIN)
def test_variants(kind: str, policy: str) -> None:
    dialect = PLAIN[kind][0]
    spelled = [json.dumps(piece, ensure_ascii=ascii_only) for piece in TEXTS for ascii_only in (True, False)]
    pieces = [piece.encode("utf-8", "surrogatepass") for piece in spelled]
    variants = [[written(kind, piece)] for piece in pieces + STRANGE]
    plain = written(kind, b'"x"')
    variants += [
        [plain.replace(b'"id":"c"', b'"id":"d"'), plain],
        [plain.replace(b'"finish_reason":null', b'"finish_reason":"stop"'), plain],
        [plain.replace(b"}", b'},"error":null', 1), plain],
        [plain[:-1], plain],
        [plain + b" ", plain],
        [b"{}", plain],
        [b"[DONE]", plain],
        *([plain.replace(b'"p4d"', other), plain] for other in (b'"longer"', b'""', b'"\\q"', b'"a\\"b"', b"1")),
        [plain.replace(b',"obfuscation":"p4d"', b""), plain],
    ]
    for chunks in variants:
        body = stream(kind, *chunks)
        quick = decode(body, dialect, policy=policy)
        assert quick == decode(body, dialect, policy=policy, general=True), chunks
        if policy == "lenient":  # the policies differ in what they make of the frames, not in how these are found
            assert quick == decode([body[at : at + 1] for at in range(len(body))], dialect), chunks


@pytest.mark.parametrize("kind", PLAIN)
def test_limits_hold(kind: str) -> None:
    limits = Limits(max_arguments_chars=20)
    body = stream(kind, *(written(kind, b'"0123456789"') for _ in range(3)))
    quick = decode(body, PLAIN[kind][0], limits=limits)

    assert quick == decode(body, PLAIN[kind][0], limits=limits, general=True)
    assert (quick.parts[-1]["type"] == "error") is ("arguments" in kind)


@pytest.mark.parametrize("name", ["error", "message", "x"])
def test_a_named_event_is_no_repeat(name: str) -> None:
    for kind, (dialect, _) in PLAIN.items():
        body = stream(kind).replace(finish("stop"), event(written(kind, b'"x"'), name) + finish("stop"))
        assert decode(body, dialect) == decode(body, dialect, general=True)


@given(st.sampled_from(sorted(PLAIN)), st.lists(st.text(max_size=6), max_size=4), st.booleans())
def test_any_text(kind: str, pieces: list[str], ascii_only: bool) -> None:
    chunks = [written(kind, json.dumps(piece, ensure_ascii=ascii_only).encode()) for piece in pieces]
    body = stream(kind, *chunks)

    assert decode(body, PLAIN[kind][0]) == decode(body, PLAIN[kind][0], general=True)


def test_what_is_not_repeatable() -> None:
    """Another part, metadata, another choice, and chunks where the string is in more places than are known."""
    plain = written("text", b'"x"')
    part = TextDelta("0", "x")
    assert repeatable(plain, part)
    assert repeatable(plain, TextStart("0")) is None
    assert repeatable(plain, TextDelta("0", "x", {"a": {}})) is None
    assert repeatable(plain, TextDelta("0", "x", None, 1)) is None
    assert repeatable(plain, TextDelta("0", "y")) is None
    assert repeatable(plain, ToolInputDelta("a", "x")) is None
    assert repeatable(b"{}", part) is None
    assert repeatable(written("text", b'"x"', system="x"), part) is None
    assert repeatable(written("text", b'"\\u0078"', system="x"), part), "written otherwise, it is found"
    assert repeatable(written("text", b'"x"', content="y"), part) is not None
    assert repeatable(b'{"content":"y",' + plain[1:], part), "the first of that key is another"
    assert repeatable(plain.replace(b'"x"', b'"y"'), part) is None
    for logprobs, none in ((b'{"content":[]}', True), (b"1", True), (b'{"content":null,"refusal":null}', False)):
        other = plain.replace(b'"index":0', b'"logprobs":%s,"index":0' % logprobs)
        assert (repeatable(other, part) is None) is none
    assert repeatable(written("text", b'","'), TextDelta("0", ",")) is None, "which stands between strings too"
    assert repeatable(written("text", b'"\xee\x83\x8b"'), TextDelta("0", "\ue0cb")) is None
    arguments = written("arguments", b'"x"')
    assert repeatable(arguments, ToolInputDelta("a", "x"))
    for index in (b"0.0", b"null", b'"0"', b"true"):
        other = arguments.replace(b'[{"index":0,"fu', b'[{"index":%s,"fu' % index)
        assert repeatable(other, ToolInputDelta("a", "x")) is None
