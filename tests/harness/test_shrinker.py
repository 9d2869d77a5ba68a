"""Transcripts: short, with every feature of what they were made of, and always the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import cassette
from harness.case import Case
from harness.faults import Wire
from harness.faults.damage import opened
from harness.transcripts.features import features_of
from harness.transcripts.raw_json import NotRawJsonError, parse
from harness.transcripts.shrinker import shrink
from streamcore import Decoder

from .checkout import REPOSITORY

FOLDERS = ("huggingface", "ollama-ndjson", "gemini-generateContent-json-array", "bedrock-converse-stream")
RECORDINGS = {
    case.id: case
    for folder in FOLDERS
    for path in sorted((REPOSITORY / "cassettes" / folder).glob("*.yaml"))
    for case in cassette.load(path).cases()
    if not case.hazard
}
ONE_OF_EACH_FRAMING = (
    "huggingface/tool",
    "huggingface/unicode",
    "ollama-ndjson/thinking",
    "gemini-generateContent-json-array/cut-mid-arguments",
    "bedrock-converse-stream/cut-mid-arguments",
)


def decoded(case: Case, body: bytes) -> list[str]:
    """The types of the parts, byte by byte and at once, which must not differ."""
    whole, single = Decoder(case.dialect), Decoder(case.dialect)
    parts = whole.feed(body) + whole.close()
    stepped = [part for at in range(len(body)) for part in single.feed(body[at : at + 1])] + single.close()
    assert parts == stepped
    return [part.type for part in parts]


@pytest.mark.parametrize("name", ONE_OF_EACH_FRAMING)
def test_a_transcript_is_shorter_and_has_the_same_features(name: str) -> None:
    case = RECORDINGS[name]

    body = shrink(case)

    assert len(body) < len(case.body) * 0.7
    assert len(body) <= 1024
    assert features_of(case.dialect, body, case.end) == features_of(case.dialect, case.body, case.end)
    assert set(decoded(case, body)) == set(decoded(case, case.body))


@pytest.mark.parametrize("name", ["huggingface/tool", "gemini-generateContent-json-array/cut-mid-arguments"])
def test_a_transcript_is_always_the_same_and_cannot_be_shrunk_again(name: str) -> None:
    case = RECORDINGS[name]
    once, again = shrink(case), shrink(case)

    assert once == again
    assert shrink(Case(case.id, case.dialect, once, end=case.end)) == once


def test_without_the_members_of_parts_it_gets_shorter_and_keeps_the_grammar() -> None:
    case = RECORDINGS["bedrock-converse-stream/cut-mid-arguments"]

    with_members, without = shrink(case), shrink(case, members=False)

    assert len(without) <= len(with_members)
    assert features_of(case.dialect, without, case.end, members=False) == features_of(
        case.dialect, case.body, case.end, members=False
    )


def sse(*payloads: str, end: str = "\n\n") -> bytes:
    return "".join(f"data: {payload}{end}" for payload in payloads).encode()


def chat(delta: str, more: str = "") -> str:
    return f'{{"id":"chatcmpl-1234567890","choices":[{{"index":0,"delta":{delta}{more}}}]}}'


BODY = sse(
    chat('{"content":"Hello \u00e9\U0001f600"}'),
    chat('{"content":"wor\\nld"}'),
    chat('{"tool_calls":[{"index":0,"id":"call_abcdef","function":{"name":"weather","arguments":"{\\"city\\":"}}]}'),
    chat('{"tool_calls":[{"index":0,"function":{"arguments":"\\"Zurich\\"}"}}]}'),
    chat("{}", ',"finish_reason":"tool_calls"'),
    "[DONE]",
)


def test_features_tell_what_a_body_has() -> None:
    found = features_of("openai-chat", BODY)

    assert {
        'finish_reason "tool_calls"',
        "2 text-delta",
        "1 tool-call",
        "arguments in pieces",
        "tool-call of the body",
        "UTF-8 of 2 bytes",
        "UTF-8 of 4 bytes",
        "escape n",
        'escape "',
        "line end LF",
        "data b'[DONE]'",
    } <= found
    assert not any(one.startswith(("warning", "error", "violation")) for one in found)


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        (BODY.replace(b"\\n", b" "), "escape n"),
        (BODY.replace("\U0001f600".encode(), b""), "UTF-8 of 4 bytes"),
        (BODY.replace(b"data: [DONE]\n\n", b""), "data b'[DONE]'"),
        (BODY.replace(b'"id":"call_abcdef",', b""), "tool-call of the body"),
        (BODY.replace(b"\n", b"\r\n"), "line end LF"),
    ],
)
def test_what_is_lost_is_no_longer_a_feature(body: bytes, lost: str) -> None:
    assert lost in features_of("openai-chat", BODY)
    assert lost not in features_of("openai-chat", body)


def test_errors_and_warnings_are_features() -> None:
    cut = features_of("openai-chat", BODY[:-40], "cut")
    assert "error incomplete_stream close" in cut
    assert "error malformed_json stream" in features_of("openai-chat", sse("{bad") + BODY)
    assert "warning empty_data" in features_of("openai-chat", b"data:\n\n" + BODY)


def test_ids_and_arguments_stay_of_one_piece() -> None:
    body = shrink(Case("openai-chat/c", "openai-chat", BODY))

    decoder = Decoder("openai-chat")
    decoder.feed(body)
    decoder.close()
    (call,) = decoder.message.tool_calls
    assert (call.id, call.name) != ("call_abcdef", "weather")
    assert call.id.encode() in body
    assert len(body) < len(BODY) * 0.75


# -- raw JSON ---------------------------------------------------------------------------------------------------------


def test_every_payload_of_the_recordings_comes_back_byte_for_byte() -> None:
    payloads = [
        payload
        for case in RECORDINGS.values()
        for wire in [Wire.of(case)]
        for piece in wire.pieces
        if (payload := opened(piece, wire.framing)[0])[:1] == b"{"
    ]
    assert len(payloads) > 100
    good = 0
    for payload in payloads:
        try:
            assert parse(payload).dump() == payload
            good += 1
        except NotRawJsonError:
            continue
    assert good > len(payloads) * 0.9


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=10,
    ),
    st.sampled_from([None, 0, 2]),
)
def test_any_json_comes_back_byte_for_byte(value: object, indent: int | None) -> None:
    import json

    text = (" " + json.dumps(value, indent=indent) + "\n").encode()

    assert parse(text).dump() == text


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[1,]", b'{"a" 1}', b"{1:2}", b"[1 2]", b"1 2", b"]", b"[" * 300 + b"]" * 300]
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotRawJsonError):
        parse(text)
