"""``openai-chat`` on well-formed streams; how they end and what goes wrong has its own modules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .openai_chat_wire import END, FIN, HI, PLAIN, bare
from .wire import (
    DONE,
    HEAD,
    START,
    Json,
    chat,
    choice,
    chunk,
    decode_every_way,
    event,
    fin,
    finish,
    t_delta,
    t_end,
    t_start,
    text,
)

# -- text -----------------------------------------------------------------------------------------------------------


def test_text() -> None:
    decoded = decode_every_way(text("Hel") + text("lo \u5317\u4eac \U0001f600") + b"".join(END))

    assert decoded.parts == [*HEAD, t_start(), t_delta("Hel"), t_delta("lo \u5317\u4eac \U0001f600"), t_end(), FIN]
    assert decoded.codes == []
    assert decoded.message.text == "Hello \u5317\u4eac \U0001f600"
    assert decoded.message.complete


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c"])
def test_only_line_ends_end_a_line(separator: str) -> None:
    """WH-012."""
    payload = json.dumps(chunk(choice({"content": f"a{separator}b"})), ensure_ascii=False)
    decoded = decode_every_way(event(payload) + b"".join(END))

    assert decoded.message.text == f"a{separator}b"


@pytest.mark.parametrize(
    ("delta", "parts"),
    [
        ({"role": "assistant", "content": ""}, [t_start(), t_delta("")]),
        ({"role": "assistant", "content": None}, []),
        ({"role": "assistant"}, []),
        ({"content": None, "refusal": None, "tool_calls": None, "annotations": None}, []),
        ({"tool_calls": [], "annotations": []}, []),
        ({"reasoning_content": "hm", "reasoning": "hm", "audio": {}}, []),
        ({}, []),
        (None, []),
    ],
    ids=repr,
)
def test_first_deltas(delta: Any, parts: list[Json]) -> None:
    decoded = decode_every_way(chat(delta) + b"".join(END))

    assert decoded.parts == [*HEAD, *parts, *([t_end()] if parts else []), FIN]
    assert decoded.codes == []


def test_a_choice_without_a_delta() -> None:
    """WH-044."""
    frames = [text("a"), event(chunk({"index": 0, "finish_reason": None, "content_filter_offsets": {"a": 1}}))]
    decoded = decode_every_way(b"".join(frames + END))

    assert decoded.parts == [*HEAD, t_start(), t_delta("a"), t_end(), FIN]
    assert decoded.codes == []


def test_a_surrogate_pair_in_two_deltas_is_one_character_of_the_message() -> None:
    """WH-032."""
    body = event(rb'{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a\ud83d"}}]}')
    body += event(rb'{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\ude00b"}}]}')
    decoded = decode_every_way(body + b"".join(END))

    assert decoded.parts == [*HEAD, t_start(), t_delta("a\ud83d"), t_delta("\ude00b"), t_end(), FIN]
    assert decoded.message.text == "a\U0001f600b"


def test_refusal() -> None:
    frames = [chat({"role": "assistant", "refusal": "I ca"}), chat({"refusal": "n't"}), *END]
    decoded = decode_every_way(b"".join(frames))

    refused = {"openai": {"refusal": True}}
    assert decoded.parts == [
        *HEAD,
        t_start(providerMetadata=refused),
        t_delta("I ca"),
        t_delta("n't"),
        t_end(),
        fin("content-filter", "stop"),
    ]
    assert decoded.message.text == "I can't"
    assert decoded.message.finish is not None
    assert decoded.message.finish.unified == "content-filter"


def test_no_refusal() -> None:
    """V5: gateways fill every field, and an empty string refuses nothing."""
    frames = [chat({"content": "hi", "refusal": ""}), chat({"refusal": ""}), *END]
    assert decode_every_way(b"".join(frames)).parts == PLAIN


def test_refusal_behind_empty_content() -> None:
    frames = [chat({"content": "", "refusal": None}), chat({"refusal": "No"}), finish("length"), DONE]
    decoded = decode_every_way(b"".join(frames))

    assert decoded.parts == [*HEAD, t_start(), t_delta(""), t_delta("No"), t_end(), fin("length", "length")]


def test_annotations() -> None:
    def citation(n: int) -> Json:
        return {
            "type": "url_citation",
            "url_citation": {"start_index": 0, "end_index": 2, "url": f"https://x/{n}", "title": f"T{n}"},
        }

    frames = [text("hi"), chat({"annotations": [citation(1), citation(2)]}), chat({"annotations": [citation(3)]})]
    decoded = decode_every_way(b"".join(frames + END))

    sources = [
        {"type": "source", "sourceType": "url", "id": f"source_gen_{n - 1}", "url": f"https://x/{n}", "title": f"T{n}"}
        for n in (1, 2, 3)
    ]
    assert decoded.parts == [*HEAD, *HI, *sources, t_end(), FIN]
    assert len(decoded.message.content) == 4


def test_logprobs_are_metadata_and_the_last_ones_win() -> None:
    def probabilities(token: str) -> Json:
        top = [{"token": token, "logprob": -0.5, "bytes": [1]}]
        return {"content": [{"token": token, "logprob": -0.5, "bytes": [1], "top_logprobs": top}], "refusal": None}

    frames = [
        event(chunk({**choice({"content": "hi"}), "logprobs": probabilities(token)})) if token else text("!")
        for token in ("a", "b", None)
    ]
    decoded = decode_every_way(b"".join(frames + END))

    kept = {"token": "b", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -0.5}]}
    assert decoded.parts[-1] == fin("stop", "stop", metadata={"logprobs": [kept]})
    assert decoded.message.metadata == {"openai": {"logprobs": [kept]}}


# -- about the response ---------------------------------------------------------------------------------------------


def test_azure_first_chunk() -> None:
    """WH-042, WH-043: nothing in it describes the response."""
    azure = bare(choices=[], created=0, id="", model="", object="", prompt_filter_results=[{"prompt_index": 0}])
    decoded = decode_every_way(azure + text("hi") + b"".join(END))

    assert decoded.parts == PLAIN
    assert decoded.codes == []


@pytest.mark.parametrize(
    ("keys", "metadata"),
    [
        ({"id": "x"}, {"id": "x"}),
        ({"model": "y"}, {"modelId": "y"}),
        ({"created": 1700000000}, {"timestamp": "2023-11-14T22:13:20.000Z"}),
        ({"created": 1700000000.5}, {"timestamp": "2023-11-14T22:13:20.500Z"}),
        ({"created": 1.0009}, {"timestamp": "1970-01-01T00:00:01.000Z"}),
        ({"created": -1}, {"timestamp": "1969-12-31T23:59:59.000Z"}),
        ({"created": -62e9}, {"timestamp": "0005-04-19T09:46:40.000Z"}),
        ({"created": 10**30}, {}),
        ({"created": 1e308}, {}),
        ({"id": "", "model": "y", "created": 0}, {"id": "", "modelId": "y"}),
        ({"id": None, "model": None, "created": None}, None),
        ({"id": "", "model": "", "created": 0}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_metadata(keys: Json, metadata: Json | None) -> None:
    decoded = decode_every_way(bare(choices=[], **keys) + DONE)

    described = [] if metadata is None else [{"type": "response-metadata", **metadata}]
    assert decoded.parts == [START, *described, fin("other", None)]


def test_the_first_description_counts() -> None:
    other: Json = {"id": "z", "created": 2, "model": "n"}
    frames = [text("hi"), chat({"content": "!"}, **other), chat({"content": "!"}, **other), text("?")]
    decoded = decode_every_way(b"".join(frames + END))

    assert decoded.parts == [*HEAD, *HI, t_delta("!"), t_delta("!"), t_delta("?"), t_end(), FIN]
    assert (decoded.message.id, decoded.message.model, decoded.message.timestamp) == (
        "c",
        "m",
        "1970-01-01T00:00:01.000Z",
    )


USAGES = [
    (
        {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17},
        {
            "inputTokens": {"total": 10, "noCache": 10, "cacheRead": 0},
            "outputTokens": {"total": 7, "text": 7, "reasoning": 0},
        },
    ),
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
        {
            "inputTokens": {"total": 10, "noCache": 5, "cacheRead": 4, "cacheWrite": 1},
            "outputTokens": {"total": 7, "text": 2, "reasoning": 5},
        },
    ),
    (
        {"prompt_tokens": 1, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 9}},
        {
            "inputTokens": {"total": 1, "noCache": 1, "cacheRead": 0},
            "outputTokens": {"total": 2, "text": 0, "reasoning": 9},
        },
    ),
    (
        {"prompt_tokens": None, "prompt_tokens_details": None, "completion_tokens_details": None},
        {
            "inputTokens": {"total": 0, "noCache": 0, "cacheRead": 0},
            "outputTokens": {"total": 0, "text": 0, "reasoning": 0},
        },
    ),
    (
        {},
        {
            "inputTokens": {"total": 0, "noCache": 0, "cacheRead": 0},
            "outputTokens": {"total": 0, "text": 0, "reasoning": 0},
        },
    ),
]


@pytest.mark.parametrize(("wire", "usage"), USAGES, ids=lambda value: json.dumps(value)[:40])
def test_usage(wire: Json, usage: Json) -> None:
    body = text("hi") + finish("stop") + bare(id="c", choices=[], usage={**wire, "undocumented": 1}) + DONE
    decoded = decode_every_way(body)

    assert decoded.parts[-1] == fin("stop", "stop", usage={**usage, "raw": wire})
    assert decoded.message.usage is not None
    assert decoded.message.usage.as_json() == {**usage, "raw": wire}


def test_later_usage_replaces_earlier() -> None:
    """V24, WH-054."""
    frames = [chat({"content": "hi"}, usage={"prompt_tokens": 5, "completion_tokens": n}) for n in (1, 2, 3)]
    decoded = decode_every_way(b"".join(frames + END))

    usage = {
        "inputTokens": {"total": 5, "noCache": 5, "cacheRead": 0},
        "outputTokens": {"total": 3, "text": 3, "reasoning": 0},
        "raw": {"prompt_tokens": 5, "completion_tokens": 3},
    }
    assert decoded.parts[-1] == fin("stop", "stop", usage=usage)
    assert decoded.message.text == "hihihi"


def test_prediction_tokens_are_metadata() -> None:
    details = {"accepted_prediction_tokens": 2, "rejected_prediction_tokens": 0}
    body = text("hi") + finish("stop") + bare(choices=[], usage={"completion_tokens_details": details}) + DONE
    decoded = decode_every_way(body)

    assert decoded.parts[-1]["providerMetadata"] == {
        "openai": {"acceptedPredictionTokens": 2, "rejectedPredictionTokens": 0}
    }
