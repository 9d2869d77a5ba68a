"""Values that differ in every chunk: which may, and that a chunk read without them gives what the general path gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Decoder, Limits
from streamcore.dialects.openai.varying_repeats import worth_a_try
from streamcore.parts import Finish

from .wire import DONE, Json, call, chunk, decode, decode_every_way, event, finish

Maker = Callable[[Any, int], Json]


def _chunk(delta: Json, beside: Json | None = None, **top: Any) -> Json:
    return chunk({"index": 0, "delta": delta, "finish_reason": None, **(beside or {})}, **top)


def _usage(at: int, **more: Any) -> Json:
    return {"prompt_tokens": 25, "completion_tokens": at, "total_tokens": 25 + at, **more}


VARYING: dict[str, tuple[str, Maker]] = {
    "token": ("together", lambda said, at: _chunk({"token_id": at, "role": "assistant", "content": said}, {"text": said})),
    "usage": ("openai-compatible", lambda said, at: _chunk({"content": said}, usage=_usage(at))),
    "usage with details": (
        "local-openai-compat",
        lambda said, at: _chunk({"content": said}, usage=_usage(at, cost=at / 8, completion_tokens_details={"x": at})),
    ),
    "usage of OpenAI": ("openai-chat", lambda said, at: _chunk({"content": said}, usage=_usage(at, x=at))),
    "usage of Mistral": ("mistral", lambda said, at: _chunk({"content": said}, usage=_usage(at))),
    "usage that is not read": ("groq", lambda said, at: _chunk({"reasoning": said}, usage=_usage(at))),
    "usage of xAI": ("xai-chat", lambda said, at: _chunk({"content": said}, usage=_usage(at))),
    "usage beside arguments": (
        "deepseek",
        lambda said, at: _chunk({"tool_calls": [call(0, args=said)]}, usage=_usage(at)),
    ),
    "so far": (
        "perplexity",
        lambda said, at: _chunk({"content": said}, {"message": {"content": "x:\"'" * at}}, usage=_usage(at)),
    ),
    "padding": ("mistral", lambda said, at: _chunk({"content": said}, p="abcdefg"[: at % 7])),
    "padding and timings": (
        "azure-openai",
        lambda said, at: _chunk({"content": said}, obfuscation="abc"[: at % 3], timings={"ms": at / 4, "of": [at, 0]}),
    ),
}
NEVER: dict[str, tuple[str, Maker]] = {
    "id": ("openai-compatible", lambda said, at: {**_chunk({"content": said}), "id": f"c{at}"}),
    "time": ("zai", lambda said, at: {**_chunk({"content": said}), "created": at}),
    "type": ("zai", lambda said, at: _chunk({"content": said}, type=f"t{at}", message="m")),
    "name of a key": ("zai", lambda said, at: _chunk({"content": said}, **{f"k{at}": 1})),
    "fingerprint": ("deepseek", lambda said, at: _chunk({"content": said}, system_fingerprint=f"f{at}")),
    "predictions": (
        "openai-chat",
        lambda said, at: _chunk(
            {"content": said}, usage=_usage(1, completion_tokens_details={"accepted_prediction_tokens": at})
        ),
    ),
    "words in the usage": ("zai", lambda said, at: _chunk({"content": said}, usage=_usage(1, tier=f"t{at}"))),
    "large numbers": ("together", lambda said, at: _chunk({"token_id": 10**20 + at, "content": said})),
    "too many": ("zai", lambda said, at: _chunk({"content": said}, x=[at] * 17)),
    "usage in another place": ("groq", lambda said, at: _chunk({"content": said}, x_groq={"usage": _usage(at)})),
}
ALL = {**VARYING, **NEVER}


def _written(kind: str, said: Any, at: int) -> bytes:
    return json.dumps(ALL[kind][1](said, at), separators=(",", ":")).encode()


def _stream(kind: str, *chunks: bytes, learnt: int = 3) -> bytes:
    opening = event(_chunk({"tool_calls": [call(0, "a", "f", "{")]}))
    before = b"".join(event(_written(kind, f"{at}", at)) for at in range(1, 1 + learnt))
    behind = event(_written(kind, "9", 9)) + finish("stop") + DONE
    return opening + before + b"".join(map(event, chunks)) + behind


def _general(decoder: Decoder) -> list[Any]:
    """What the general path of ``decoder`` will have read."""
    reader: Any = decoder._dialect
    general = reader.frame_in_full
    frames: list[Any] = []

    def count(frame: Any, out: Any) -> None:
        frames.append(frame)
        general(frame, out)

    reader.frame_in_full = count
    return frames


@pytest.mark.parametrize("kind", ALL)
def test_which_values_may_vary(kind: str) -> None:
    decoder = Decoder(ALL[kind][0])
    frames = _general(decoder)
    decoder.feed(_stream(kind, *(_written(kind, f"x{at}", at) for at in range(4, 84)), learnt=3))

    if kind in VARYING:
        assert len(frames) <= 6, "the opening, what is compared, and the end"
    else:
        assert len(frames) > 80


@pytest.mark.parametrize("kind", ALL)
def test_every_way_of_feeding(kind: str) -> None:
    found = decode_every_way(_stream(kind, *(_written(kind, text, at) for at, text in enumerate('a"b:', 4))), ALL[kind][0])

    assert found.codes in ([], ["invalid_arguments"])


@pytest.mark.parametrize("kind", VARYING)
def test_the_last_usage_counts(kind: str) -> None:
    """It is read from a chunk that was not, and where a later one says nothing, it stays."""
    dialect = VARYING[kind][0]
    body = _stream(kind, *(_written(kind, "x", at) for at in range(4, 8))).replace(event(_written(kind, "9", 9)), b"")
    quick = decode(body, dialect)

    assert quick == decode(body, dialect, general=True)
    finish = quick.items[-1]
    assert isinstance(finish, Finish)
    if "usage" in json.loads(_written(kind, "x", 7)) and kind != "usage that is not read":
        assert finish.usage.raw["completion_tokens"] == 7


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("kind", ALL)
def test_variants(kind: str, policy: str) -> None:
    dialect = ALL[kind][0]
    plain = _written(kind, "x", 5)
    numbers = [b"0", b"-1", b"05", b"5.5", b"5.", b"-0", b"1e3", b"1e999", b"NaN", b"5 ", b"", b"null", b'"5"', b"5,5", b"true"]
    numbers += [b"9" * length for length in (15, 16, 20, 400)]
    texts = [b'""', b'"\xff"', b'"\x01"', b'"a", "b": "c"', b'"a" ', b"null", b"1", b'"\\q"', b'"\\ud83d"', b'"', b'"\\u003a"']
    variants = [plain.replace(b"5", number) for number in numbers]
    variants += [plain.replace(b":5", b":" + number, 1) for number in numbers]
    variants += [plain.replace(b'"x"', text) for text in texts]
    variants += [plain.replace(b'"c"', b'"d"'), plain[:-1], plain + b" ", plain[1:], b"{}", b"[DONE]"]
    variants += [plain.replace(b'"x:', text[:-1] + b":") for text in texts]
    places = range(0 if policy == "lenient" else 3, len(plain), 6)
    # Where a quote or a backslash went in one place, a digit or a brace goes in the next.
    variants += [plain[:at] + bytes([byte]) + plain[at + 1 :] for at in places for byte in (b"0}" if at % 12 < 6 else b'"\\')]
    for variant in variants:
        body = _stream(kind, variant, plain)
        quick = decode(body, dialect, policy=policy)
        assert quick == decode(body, dialect, policy=policy, general=True), variant


@given(
    st.sampled_from(sorted(ALL)),
    st.lists(st.tuples(st.text(max_size=4), st.integers(0, 40)), max_size=12),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=2)), max_size=2),
)
def test_generated(kind: str, said: list[tuple[str, int]], changes: list[tuple[int, bytes]]) -> None:
    dialect = ALL[kind][0]
    body = _stream(kind, *(_written(kind, text, at) for text, at in said))
    for at, other in changes:
        at %= len(body)
        body = body[:at] + other + body[at + 1 :]
    quick = decode(body, dialect)

    assert quick == decode(body, dialect, general=True)
    assert quick == decode([body[at : at + 7] for at in range(0, len(body), 7)], dialect)


@pytest.mark.parametrize("kind", VARYING)
def test_limits_hold(kind: str) -> None:
    limits = Limits(max_arguments_chars=20)
    body = _stream(kind, *(_written(kind, "0123456789", at) for at in range(4, 8)))
    assert decode(body, ALL[kind][0], limits=limits) == decode(body, ALL[kind][0], limits=limits, general=True)


@pytest.mark.parametrize("kind", VARYING)
def test_snapshots(kind: str) -> None:
    """A decoder that takes on the state in the middle of repeats goes on alike."""
    body = _stream(kind, *(_written(kind, "x", at) for at in range(4, 8)))
    cut = body.index(_written(kind, "x", 6))
    one, other, third = (Decoder(ALL[kind][0]) for _ in range(3))
    one.feed(body[:cut])
    for at in range(cut):
        third.feed(body[at : at + 1])
    snapshot = one.snapshot()
    assert snapshot == third.snapshot()
    assert hash(snapshot) == hash(third.snapshot())
    other.restore(snapshot)
    expected = [*one.feed(body[cut:]), *one.close()]

    assert [*other.feed(body[cut:]), *other.close()] == expected
    assert other.message == one.message


def test_tries_become_rare() -> None:
    tries = [misses for misses in range(3200) if worth_a_try(misses)]

    assert tries[:6] == [0, 1, 2, 3, 4, 5]
    assert tries[6:9] == [32, 33, 34]
    assert len(tries) < 320
