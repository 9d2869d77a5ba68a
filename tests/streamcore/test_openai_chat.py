"""``openai-chat`` apart from tool calls (see test_toolcalls.py): what it reads, what it refuses, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Limits

from .wire import (
    DONE,
    HEAD,
    META,
    NO_USAGE,
    START,
    Json,
    chat,
    choice,
    chunk,
    decode,
    decode_every_way,
    ended,
    err,
    event,
    fin,
    fin_of,
    finish,
    i_delta,
    i_start,
    size,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)
from .wire import call as tool

END = [finish("stop"), DONE]
FIN = fin("stop", "stop")
HI = [t_start(), t_delta("hi")]
PLAIN = [*HEAD, *HI, t_end(), FIN]
"""What ``text("hi")`` and ``END`` give."""


def bare(**keys: Any) -> bytes:
    """The event of a payload with just these keys."""
    return event(keys)


# -- text ---------------------------------------------------------------------------------------------------------------


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


# -- about the response -------------------------------------------------------------------------------------------------


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
    other = {"id": "z", "created": 2, "model": "n"}
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


# -- finish ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "unified", "warnings"),
    [
        ("stop", "stop", []),
        ("length", "length", []),
        ("content_filter", "content-filter", []),
        ("banana", "other", ["unknown_finish_reason"]),
        ("STOP", "other", ["unknown_finish_reason"]),
        (None, "other", []),
        ("", "other", []),
    ],
)
def test_finish_reasons(raw: str | None, unified: str, warnings: list[str]) -> None:
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(text("hi") + finish(raw) + DONE, policy=policy)

        assert decoded.parts == [*HEAD, *HI, t_end(), fin(unified, raw or None)]
        assert decoded.codes == warnings
        assert decoded.message.finish is not None
        assert (decoded.message.finish.unified, decoded.message.finish.raw) == (unified, raw or None)


def test_an_empty_finish_reason_is_none() -> None:
    """WH-045."""
    decoded = decode_every_way(text("h", "") + text("i", "") + finish("stop") + text("!", "") + DONE)

    assert decoded.parts == [*HEAD, t_start(), t_delta("h"), t_delta("i"), t_delta("!"), t_end(), FIN]


def test_payload_beside_and_behind_the_finish_reason() -> None:
    """WH-048, WH-049."""
    decoded = decode_every_way(text("h", "length") + text("i") + finish("stop") + text("!") + DONE)

    assert decoded.parts == [*HEAD, t_start(), t_delta("h"), t_delta("i"), t_delta("!"), t_end(), FIN]


def test_a_body_without_done_is_complete_if_it_has_its_finish_reason() -> None:
    """P2."""
    body = text("hi") + finish("stop")
    decoded = decode_every_way(body)

    assert decoded.parts == PLAIN
    assert decoded.codes == ["missing_done"]
    assert decoded.message.complete

    strict = decode_every_way(body, policy="strict")
    assert strict.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]


@pytest.mark.parametrize(
    "frames",
    [
        [text("hi")],
        [text("hi"), finish(None)],
        [text("hi"), finish("")],
        [text("hi"), bare(choices=[], usage={})],
        [text("hi"), text("", index=1), finish("stop", 1)],
        [text("hi"), text("", index=1), finish("stop", 0)],
    ],
    ids=["nothing", "null", "empty", "usage", "the other choice", "not the other choice"],
)
def test_a_body_without_done_and_finish_reason_was_cut(frames: list[bytes]) -> None:
    """WH-056, V18."""
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(b"".join(frames), policy=policy)

        assert decoded.parts[-1] == err("incomplete_stream", "close", size(*frames))
        assert all(part["type"] != "finish" for part in decoded.parts)
        assert decoded.message.text == "hi"
        assert not decoded.message.complete


def test_nothing_but_done() -> None:
    assert decode_every_way(DONE).parts == [START, fin("other", None)]


@pytest.mark.parametrize("payload", ["[DONE] ", "[done]", '"[DONE]"', "[DONE]x", "DONE"])
def test_done_has_one_spelling(payload: str) -> None:
    """P2."""
    decoded = decode_every_way(text("hi") + event(payload) + text("!") + b"".join(END))

    assert [part["type"] for part in decoded.parts] == [
        *("stream-start", "response-metadata", "text-start", "text-delta", "error", "text-delta", "text-end", "finish")
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a space more before it", b"data:  [DONE]\n\n"),
    ],
)
def test_done_is_compared_as_it_is(name: str, body: bytes) -> None:
    decoded = decode_every_way(text("hi") + finish("stop") + body)

    assert decoded.parts == [
        *HEAD,
        *HI,
        err("malformed_json", "stream", size(text("hi"), finish("stop"), body), " [DONE]"),
        t_end(),
        FIN,
    ]


@pytest.mark.parametrize("name", ["", "message", "done"])
def test_done_under_any_event_name_and_line_end(name: str) -> None:
    for eol in ("\n", "\r", "\r\n"):
        decoded = decode_every_way(text("hi") + finish("stop") + event("[DONE]", name, eol))

        assert decoded.parts == PLAIN
        assert decoded.codes == []


@pytest.mark.parametrize("late", [text("late"), event("junk"), DONE, event({"error": {"message": "late"}})])
def test_data_after_done_is_reported_and_never_read(late: bytes) -> None:
    """P2, V15."""
    body = text("hi") + b"".join(END)
    decoded = decode_every_way(body + late + late)

    assert decoded.parts == PLAIN
    assert decoded.codes == ["data_after_end", "data_after_end"]
    assert decoded.message.complete

    strict = decode_every_way(body + late + late, policy="strict")
    assert strict.parts == [*PLAIN, err("invalid_payload", "stream", len(body + late))]


def test_comments_and_stray_text_after_done_are_nothing() -> None:
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(text("hi") + b"".join(END) + b": bye\n\nstray\n\n", policy=policy)
        assert decoded.parts == PLAIN
        assert decoded.codes == []


# -- the last event has no blank line -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [1, 2], ids=["no blank line", "no line end"])
@pytest.mark.parametrize("last", ["done", "finish", "text"])
def test_an_unterminated_event_is_delivered_if_it_is_whole(last: str, tail: int) -> None:
    """WH-023, decision 3."""
    frames = {"done": [text("hi"), *END], "finish": [text("hi"), finish("stop")], "text": [text("hi")]}[last]
    body = b"".join(frames)[:-tail]
    decoded = decode_every_way(body)

    codes = ["unterminated_event"]
    if last == "text":
        assert decoded.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]
    else:
        assert decoded.parts == PLAIN
        if last == "finish":
            codes.append("missing_done")
    assert decoded.codes == codes

    strict = decode_every_way(body, policy="strict")
    before = {"done": [*HEAD, *HI], "finish": [*HEAD, *HI], "text": [START]}[last]
    assert strict.parts == [*before, err("incomplete_stream", "close", len(body))]


@pytest.mark.parametrize("rest", [b"data: {", b"data: [DON", b"data:", b"data: ", b'event: x\ndata: {"a"', b"data\n"])
def test_an_unterminated_event_that_is_not_whole_is_a_cut(rest: bytes) -> None:
    body = text("hi") + finish("stop") + rest
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]
    assert decoded.codes == []


def test_an_unterminated_event_after_done() -> None:
    body = text("hi") + b"".join(END)
    assert decode_every_way(body + b"data: {").codes == []
    decoded = decode_every_way(body + b"data: {}")
    assert decoded.parts == PLAIN
    assert decoded.codes == ["data_after_end"]


# -- errors of the provider -----------------------------------------------------------------------------------------------

SHAPES: list[tuple[str, bytes, Any]] = [
    ("an object", event({"error": {"message": "boom", "code": 500}}), {"message": "boom", "code": 500}),
    ("a string", event({"error": "boom"}), "boom"),
    ("a number", event({"error": 500}), 500),
    ("a list", event({"error": ["boom"]}), ["boom"]),
    ("with no choices", event({"id": "c", "choices": [], "error": {"message": "boom"}}), {"message": "boom"}),
    ("with choices null", event({"choices": None, "error": {"message": "boom"}}), {"message": "boom"}),
    (
        "WH-028 an event named error",
        event({"type": "error", "message": "boom"}, "error"),
        {"type": "error", "message": "boom"},
    ),
    ("an event named error, plain", event({"message": "boom"}, "error"), {"message": "boom"}),
    ("a type", event({"type": "error", "message": "boom"}), {"type": "error", "message": "boom"}),
    ("both", event({"type": "error", "error": {"message": "boom"}}, "error"), {"message": "boom"}),
]


@pytest.mark.parametrize(("label", "wire", "payload"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_an_error_in_the_middle(label: str, wire: bytes, payload: Any) -> None:
    """WH-055, V19: partial output is kept, and nothing looks finished."""
    body = text("hi") + wire
    decoded = decode_every_way(body)

    error = err("provider", "stream", len(body), payload)
    assert decoded.parts == [*HEAD, *HI, error, t_end(), fin("error", None)]
    assert decoded.codes == []
    message = decoded.message
    assert message.text == "hi"
    assert message.error is not None
    assert message.error.payload == payload
    assert message.error.detail == ("" if "boom" not in str(payload) or isinstance(payload, list) else "boom")
    assert message.finish is not None
    assert message.finish.unified == "error"
    assert not message.complete

    assert decode_every_way(body + DONE).parts == decoded.parts
    strict = decode_every_way(body, policy="strict")
    assert strict.parts == [*HEAD, *HI, error]


@pytest.mark.parametrize(("label", "wire", "payload"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_an_error_first(label: str, wire: bytes, payload: Any) -> None:
    """WH-112: the whole request failed; nothing else comes out."""
    for policy in ("lenient", "strict"):
        for rest in (b"", DONE, text("hi") + b"".join(END)):
            decoded = decode_every_way(wire + rest, policy=policy)

            assert decoded.parts == [err("provider", "open", len(wire), payload)]
            assert decoded.message.finish is not None
            assert decoded.message.finish.unified == "error"


def test_an_error_after_the_finish_reason() -> None:
    frames = [text("hi"), finish("stop"), event({"error": {"message": "boom"}})]
    decoded = decode_every_way(b"".join(frames) + DONE)

    assert decoded.parts == [*HEAD, *HI, err("provider", "stream", size(*frames), {"message": "boom"}), t_end(), FIN]
    assert not decoded.message.complete


def test_an_error_beside_choices() -> None:
    """The text of the chunk is kept, and so is the error."""
    frames = [text("hi"), event(chunk(choice({"content": "!"}), error={"message": "boom"})), *END]
    decoded = decode_every_way(b"".join(frames))

    error = err("provider", "stream", size(*frames[:2]), {"message": "boom"})
    assert decoded.parts == [*HEAD, *HI, error, t_delta("!"), t_end(), FIN]
    strict = decode_every_way(b"".join(frames), policy="strict")
    assert strict.parts == [*HEAD, *HI, error]


def test_an_error_beside_choices_first() -> None:
    body = event(chunk(choice({"content": "!"}), error="boom"))
    assert decode_every_way(body + DONE).parts == [err("provider", "open", len(body), "boom")]


def test_several_errors() -> None:
    boom = event({"error": "boom"})
    decoded = decode_every_way(text("hi") + boom + boom + text("!"))

    assert decoded.parts == [
        *HEAD,
        *HI,
        err("provider", "stream", size(text("hi"), boom), "boom"),
        err("provider", "stream", size(text("hi"), boom, boom), "boom"),
        t_delta("!"),
        t_end(),
        fin("error", None),
    ]
    assert decoded.message.error is not None
    assert decoded.message.error.offset == size(text("hi"), boom)


@pytest.mark.parametrize(
    "payload",
    [
        {"error": None},
        {"type": "chat.completion.chunk", "message": "x"},
        {"type": "error"},
        {"message": "x"},
    ],
    ids=repr,
)
def test_what_is_no_error(payload: Json) -> None:
    decoded = decode_every_way(text("hi") + event(chunk(choice({"content": "!"}), **payload)) + b"".join(END))

    assert decoded.parts == [*HEAD, *HI, t_delta("!"), t_end(), FIN]


def test_a_cut_event_behind_an_error() -> None:
    """The provider's error is explanation enough."""
    frames = [text("hi"), event({"error": "boom"}), b'data: {"choi']
    decoded = decode_every_way(b"".join(frames))

    error = err("provider", "stream", size(*frames[:2]), "boom")
    assert decoded.parts == [*HEAD, *HI, error, t_end(), fin("error", None)]


# -- errors of the payload ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        "{",
        '{"a":1}{"b":2}',
        "nonsense",
        '{"choices":[{"delta":{},"logprobs":{"x":-Infinity}}]}',
        '{"choices":[],"x":NaN}',
        "[" * 300 + "]" * 300,
        "<html>",
        '{"a":"\x01"}',
        "\ufeff{}",
        "01",
    ],
    ids=lambda payload: payload[:20],
)
def test_malformed_json(payload: str) -> None:
    """WH-029, WH-035, WH-038: the event is lost, the stream is not."""
    bad = event(payload)
    decoded = decode_every_way(text("hi") + bad + text("!") + b"".join(END))

    error = err("malformed_json", "stream", size(text("hi"), bad), payload)
    assert decoded.parts == [*HEAD, *HI, error, t_delta("!"), t_end(), FIN]
    assert not decoded.message.complete
    strict = decode_every_way(text("hi") + bad + text("!") + b"".join(END), policy="strict")
    assert strict.parts == [*HEAD, *HI, error]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        42,
        [],
        {},
        "text",
        {"choices": {}},
        {"choices": None},
        {"choices": [None]},
        {"choices": [1]},
        {"id": 7, "choices": []},
        {"created": "now", "choices": []},
        {"created": True, "choices": []},
        {"model": [], "choices": []},
        {"usage": 3, "choices": []},
        {"usage": {"prompt_tokens": "3"}, "choices": []},
        chunk(choice({"content": ["a"]})),
        chunk(choice({"content": 1})),
        chunk(choice({"refusal": 1})),
        chunk(choice([])),
        chunk(choice({}, 7)),  # type: ignore[arg-type]
        chunk(choice({}, None, "0")),
        chunk({**choice({}), "logprobs": {"content": [{"token": "a"}]}}),
        chunk(choice({"annotations": [{"type": "file"}]})),
        chunk(choice({"annotations": [{"type": "url_citation", "url_citation": {"url": "x"}}]})),
    ],
    ids=lambda payload: json.dumps(payload)[:60],
)
def test_payloads_of_another_shape(payload: Any) -> None:
    bad = event(json.dumps(payload))
    decoded = decode_every_way(text("hi") + bad + text("!") + b"".join(END))

    found = decoded.parts[4]
    assert (found["kind"], found["stage"], found["offset"]) == ("invalid_payload", "stream", size(text("hi"), bad))
    assert found.get("payload") == payload
    assert decoded.parts[:4] + decoded.parts[5:] == [*HEAD, *HI, t_delta("!"), t_end(), FIN]
    strict = decode_every_way(text("hi") + bad + text("!") + b"".join(END), policy="strict")
    assert strict.parts == decoded.parts[:5]


@pytest.mark.parametrize("first", [event("{"), event("{}")], ids=["malformed", "invalid"])
def test_a_bad_payload_first_opens_the_stream(first: bytes) -> None:
    decoded = decode_every_way(first + text("hi") + b"".join(END))

    assert [part["type"] for part in decoded.parts][:3] == ["stream-start", "error", "response-metadata"]
    assert decoded.parts[1]["stage"] == "stream"


@pytest.mark.parametrize("empty", [b"data:\n\n", b"data: \n\n", b"data\n\n", b"event: ping\ndata: \n\n"])
def test_empty_data(empty: bytes) -> None:
    """WH-022."""
    body = text("hi") + empty + b"".join(END)
    decoded = decode_every_way(body)

    assert decoded.parts == PLAIN
    assert decoded.codes == ["empty_data"]
    strict = decode_every_way(body, policy="strict")
    assert strict.parts == [*HEAD, *HI, err("invalid_payload", "stream", size(text("hi"), empty))]


def test_blocks_without_data_are_no_events() -> None:
    """WH-017, WH-020, WH-021."""
    noise = b"retry: 3000\n\nid: 1\n\nevent: x\n\n: KEEP ALIVE\n\n"
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(noise + text("hi") + noise + b"".join(END) + noise, policy=policy)
        assert decoded.parts == PLAIN
        assert decoded.codes == []


def test_payload_over_several_data_lines() -> None:
    """WH-015."""
    first, _, rest = text("hi").removesuffix(b"\n\n").partition(b",")
    body = first + b",\ndata: " + rest + b"\n\n" + b"".join(END)
    assert decode_every_way(body).parts == PLAIN


def test_invalid_utf8_is_replaced_and_reported() -> None:
    """WH-003."""
    bad = text("a?b").replace(b"?", b"\xff")
    body = text("hi") + bad + b"".join(END)
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, *HI, t_delta("a\ufffdb"), t_end(), FIN]
    assert decoded.codes == ["invalid_utf8"]
    strict = decode_every_way(body, policy="strict")
    assert strict.parts == [*HEAD, *HI, err("invalid_utf8", "stream", size(text("hi"), bad))]


def test_a_replacement_character_of_the_wire_is_nothing_special() -> None:
    payload = json.dumps(chunk(choice({"content": "a\ufffdb"})), ensure_ascii=False)
    decoded = decode_every_way(text("hi") + event(payload) + b"".join(END), policy="strict")

    assert decoded.parts == [*HEAD, *HI, t_delta("a\ufffdb"), t_end(), FIN]


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b'{"choices":[{"index":0,"delta":{"content":"x","content":"y"}}],"id":"c","created":1,"model":"m"}', "y"),
        (b'{"choices":[{"index":0,"delta":{"content":"y"}}],"id":"z","id":"c","created":1,"model":"m"}', "y"),
        (b'{"choices":[{"index":0,"delta":{"content":"x:","content":"\\u003a"}}],"id":"c","created":1,"model":"m"}', ":"),
    ],
)
def test_duplicate_keys(wire: bytes, content: str) -> None:
    """WH-037: the last one wins."""
    body = text("hi") + event(wire) + b"".join(END)
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, *HI, t_delta(content), t_end(), FIN]
    assert decoded.codes == ["duplicate_key"]
    strict = decode_every_way(body, policy="strict")
    assert strict.parts == [*HEAD, *HI, err("invalid_payload", "stream", size(text("hi"), event(wire)))]


# -- choices --------------------------------------------------------------------------------------------------------------


def test_two_choices() -> None:
    """WH-051, decision 7."""
    frames = [
        event(chunk(choice({"content": "a"}), choice({"content": "x"}, None, 1))),
        text("y", index=1),
        text("b", "length"),
        finish("stop", 1),
        bare(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 2}),
        DONE,
    ]
    decoded = decode_every_way(b"".join(frames))

    usage = {
        "inputTokens": {"total": 1, "noCache": 1, "cacheRead": 0},
        "outputTokens": {"total": 2, "text": 2, "reasoning": 0},
        "raw": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    assert decoded.parts == [
        *HEAD,
        t_start(),
        t_delta("a"),
        t_start("1", choice=1),
        t_delta("x", "1", choice=1),
        t_delta("y", "1", choice=1),
        t_delta("b"),
        t_end("1", choice=1),
        fin_of(1, "stop", "stop"),
        t_end(),
        fin("length", "length", usage=usage),
    ]
    message = decoded.message
    assert message.text == "ab"
    [other] = message.alternatives
    assert other.text == "xy"
    assert message.finish is not None
    assert other.finish is not None
    assert (message.finish.unified, other.finish.unified) == ("length", "stop")


def test_only_another_choice() -> None:
    decoded = decode_every_way(text("x", "stop", index=2) + DONE)

    assert decoded.parts == [
        *HEAD,
        t_start("2", choice=2),
        t_delta("x", "2", choice=2),
        t_end("2", choice=2),
        fin_of(2, "stop", "stop"),
        fin("other", None),
    ]


@pytest.mark.parametrize("index", [None, -1, 0.5])
def test_a_choice_without_a_usable_index_is_the_first(index: Any) -> None:
    frames = [chat({"content": "hi"}, None, index), *END]
    decoded = decode_every_way(b"".join(frames))

    assert decoded.parts == PLAIN
    assert decoded.codes == ["choice_index_missing"]
    strict = decode_every_way(b"".join(frames), policy="strict")
    assert strict.parts == [*HEAD, err("invalid_payload", "stream", size(frames[0]))]


def test_an_absent_choice_index() -> None:
    decoded = decode_every_way(event(chunk({"delta": {"content": "hi"}})) + b"".join(END))

    assert decoded.parts == PLAIN
    assert decoded.codes == ["choice_index_missing"]


def test_a_choice_index_that_is_written_as_a_float() -> None:
    decoded = decode_every_way(text("hi") + chat({"content": "!"}, None, 0.0) + chat({}, "stop", 0.0) + DONE)

    assert decoded.parts == [*HEAD, *HI, t_delta("!"), t_end(), FIN]
    assert decoded.codes == []


# -- bodies that are something else ---------------------------------------------------------------------------------------


def test_an_empty_body() -> None:
    """WH-113, V18."""
    for policy in ("lenient", "strict"):
        for body in (b"", b"\n\n", b": hello\n\n", b"\xef\xbb\xbf", b"event: x\n\n"):
            decoded = decode_every_way(body, policy=policy)
            assert decoded.parts == [START, err("incomplete_stream", "close", len(body))]


@pytest.mark.parametrize(
    ("body", "in_detail"),
    [
        (b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n", "<!DOCTYPE html>"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x49\x2c\x49\x04\x00", "(gzip data)"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"message":"denied"}', "denied"),
        (b'[{"error":1}]', "error"),
        (b"x" * 100_000, "xxx"),
        (b'{"error":null}', "error"),
    ],
    ids=["HTML", "gzip", "text", "JSON", "JSON list", "long", "JSON without error"],
)
def test_a_body_of_another_kind(body: bytes, in_detail: str) -> None:
    """WH-006."""
    for policy in ("lenient", "strict"):
        pieces: Callable[..., Any] = decode_every_way if len(body) < 1000 else decode
        decoded = pieces(body, policy=policy)

        assert decoded.parts == [err("not_an_event_stream", "open", len(body))]
        assert decoded.message.error is not None
        assert in_detail in decoded.message.error.detail
        assert len(decoded.message.error.detail) < 1000


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_a_bare_json_error_body(eol: str) -> None:
    body = json.dumps({"error": {"message": "no key", "code": 401}}, indent=1).replace("\n", eol).encode()
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(body, policy=policy)
        assert decoded.parts == [err("provider", "open", len(body), {"message": "no key", "code": 401})]


def test_a_bare_json_error_behind_the_events() -> None:
    """WH-031."""
    body = text("hi") + b'{\n "error": {"code": 503, "message": "gone"}\n}\n'
    decoded = decode_every_way(body)

    error = err("provider", "stream", len(body), {"code": 503, "message": "gone"})
    assert decoded.parts == [*HEAD, *HI, error, t_end(), fin("error", None)]


def test_a_bare_json_error_between_the_events() -> None:
    frames = [text("hi"), b'{"error":{"code":503}}\n\n', text("!")]
    decoded = decode_every_way(b"".join(frames))

    error = err("provider", "stream", size(*frames), {"code": 503})
    assert decoded.parts == [*HEAD, *HI, t_delta("!"), error, t_end(), fin("error", None)]


def test_stray_text_is_reported() -> None:
    body = text("hi") + b"upstream reset\n" + finish("stop")
    decoded = decode_every_way(body)

    assert decoded.parts == PLAIN
    assert decoded.codes == ["stray_text", "missing_done"]
    assert decoded.warnings[0].detail == 'text outside any event: "upstream reset"'


def test_stray_text_before_an_unterminated_event_does_not_undo_it() -> None:
    body = b"noise\n" + text("hi")[:-2]
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]
    assert decoded.codes == ["unterminated_event", "stray_text"]


# -- the quick path -------------------------------------------------------------------------------------------------------


def _near(content: str = "x") -> Json:
    """A chunk that the quick path takes."""
    return {**chunk({**choice({"content": content}), "logprobs": None}), "usage": None, "object": "chat.completion.chunk"}


def _variants() -> list[tuple[str, bytes]]:
    plain = _near()
    [one] = plain["choices"]
    deltas: list[Any] = [{}, None, [], "x", 1, {"content": None}, {"content": 1}, {"content": "x", "role": "assistant"}]
    deltas += [{"content": "x", "refusal": "y"}, {"content": "x", "extra": [[[]]]}, {"refusal": "x"}]
    indices: list[Any] = [None, False, True, 0.0, -0.0, 1, -1, "0", [], 10**30]
    found: list[tuple[str, Any]] = [
        ("plain", plain),
        *((f"content {text!r}", _near(text)) for text in ("", ":", "a:b", "[", "{", "\ufffd", "\n", "\u2028", '"', "\\u003a")),
        *((f"delta {delta!r}", {**plain, "choices": [{**one, "delta": delta}]}) for delta in deltas),
        *((f"index {index!r}", {**plain, "choices": [{**one, "index": index}]}) for index in indices),
        *((f"finish {value!r}", {**plain, "choices": [{**one, "finish_reason": value}]}) for value in ("", "stop", 1)),
        *((f"logprobs {value!r}", {**plain, "choices": [{**one, "logprobs": value}]}) for value in ({}, 1, {"content": []})),
        *((f"choice + {key}", {**plain, "choices": [{**one, key: {}}]}) for key in ("message", "content_filter_results")),
        *((f"without {key}", {k: v for k, v in plain.items() if k != key}) for key in plain),
        *((f"choice without {key}", {**plain, "choices": [{k: v for k, v in one.items() if k != key}]}) for key in one),
        *((f"choices {value!r}", {**plain, "choices": value}) for value in ([], {}, None, "x", [one, one], [one, None], {"a": one})),
        *((f"created {value!r}", {**plain, "created": value}) for value in (True, False, 1.0, 2, None, "1", [])),
        *((f"id {value!r}", {**plain, "id": value}) for value in ("d", None, "", 1)),
        *((f"model {value!r}", {**plain, "model": value}) for value in ("d", None, "", 1)),
        *((f"usage {value!r}", {**plain, "usage": value}) for value in ({}, {"prompt_tokens": 1}, 1, [])),
        *((f"error {value!r}", {**plain, "error": value}) for value in (None, "boom", {"message": "boom"}, 0)),
        ("type error", {**plain, "type": "error", "message": "boom"}),
        ("nested lists", {**plain, "x": json.loads("[" * 300 + "]" * 300)}),
        ("lists to the limit", {**plain, "x": json.loads("[" * 255 + "]" * 255)}),
        *((f"payload {value!r}", value) for value in (None, 1, "x", [], [plain], True)),
    ]  # fmt: skip
    text = [(label, json.dumps(value, separators=(",", ":")).encode()) for label, value in found]
    raw = json.dumps(plain).encode()
    text += [
        ("invalid UTF-8", raw.replace(b'"x"', b'"\xff"')),
        ("a cut character", raw.replace(b'"x"', b'"\xe2\x82"')),
        ("encoded surrogate", raw.replace(b'"x"', b'"\xed\xa0\x80"')),
        ("half a pair", raw.replace(b'"x"', rb'"\ud83d"')),
        ("escaped colon", raw.replace(b'"x"', rb'"\u003a\u003A"')),
        ("content twice", raw.replace(b'"content"', b'"content": "y", "content"')),
        ("id twice", raw.replace(b'"id"', b'"id": "d", "id"')),
        ("a dropped colon for an added one", raw.replace(b'"content": "x"', b'"content": ":", "content": "x"')),
        ("NaN", raw.replace(b'"usage": null', b'"usage": NaN')),
        ("white space", b" \t\r\n" + raw + b" "),
        ("a BOM", b"\xef\xbb\xbf" + raw),
        ("more behind it", raw + b"{}"),
        ("not closed", raw[:-1]),
    ]
    return text


VARIANTS = _variants()


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("limits", [Limits(), Limits(max_json_depth=3), Limits(max_json_depth=4)], ids=repr)
def test_the_quick_path_gives_what_the_general_path_gives(policy: str, limits: Limits) -> None:
    """Around every chunk that the quick path takes lie those that it must leave alone."""
    opening = event({"id": "c", "created": 1, "model": "m", "choices": []}) + event(json.dumps(_near("open")))
    for label, payload in VARIANTS:
        for name in ("", "error", "x"):
            body = opening + event(payload, name) + event(json.dumps(_near("next"))) + DONE
            quick = decode(body, policy=policy, limits=limits)
            assert quick == decode(body, policy=policy, limits=limits, general=True), (label, name)
            assert quick == decode([body[at : at + 1] for at in range(len(body))], policy=policy, limits=limits), label


def test_the_quick_path_is_taken() -> None:
    """Or the test above would compare nothing."""
    from streamcore import Decoder

    decoder = Decoder("openai-chat")
    decoder.feed(text("hi"))
    general = decoder._dialect.frame_in_full  # type: ignore[attr-defined]
    calls = []
    decoder._dialect.frame_in_full = lambda *frame: calls.append(frame) or general(*frame)  # type: ignore[attr-defined]
    parts = decoder.feed(event(json.dumps(_near("x"))) + event(json.dumps(_near("y:z"))))

    assert [part.as_json() for part in parts] == [t_delta("x"), t_delta("y:z")]
    assert len(calls) == 1, "only the second has a colon"


scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=4)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2))  # fmt: skip
keys = st.sampled_from(
    ["id", "created", "model", "choices", "usage", "error", "type", "message", "x", "index", "delta", "content", "logprobs"]
)  # fmt: skip


@given(
    st.dictionaries(keys, values, max_size=2),
    st.dictionaries(keys, values, max_size=2),
    st.dictionaries(keys, values, max_size=1),
    st.text(max_size=5),
    st.booleans(),
)
def test_the_quick_path_on_generated_chunks(top: Json, inner: Json, delta: Json, content: str, ascii_only: bool) -> None:
    changed = {**_near(), **top}
    if "choices" not in top:
        changed["choices"] = [{**choice({"content": content, **delta}), **inner}]
    payload = json.dumps(changed, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    body = text("hi") + event(payload) + text("!") + DONE
    quick = decode(body)

    assert quick == decode(body, general=True)
    assert quick == decode([body[:200], body[200:230], body[230:]])


# -- all at once ----------------------------------------------------------------------------------------------------------


def test_a_stream_of_everything() -> None:
    frames = [
        chat({"role": "assistant", "content": ""}),
        text("Let me see. "),
        tools(tool(0, "a", "f", "", "function")),
        tools(tool(0, args='{"q":'), tool(1, "b", "g", "")),
        tools(tool(0, args='"x"}')),
        finish("tool_calls"),
        bare(id="c", choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4}),
        DONE,
    ]
    for eol in (b"\n", b"\r\n", b"\r"):
        decoded = decode_every_way(b"\xef\xbb\xbf: hello\n\n" + b"".join(frames).replace(b"\n", eol))

        usage = {
            "inputTokens": {"total": 3, "noCache": 3, "cacheRead": 0},
            "outputTokens": {"total": 4, "text": 4, "reasoning": 0},
            "raw": {"prompt_tokens": 3, "completion_tokens": 4},
        }
        assert decoded.parts == [
            START,
            META,
            t_start(),
            t_delta(""),
            t_delta("Let me see. "),
            i_start(),
            i_delta('{"q":'),
            i_start("b", "g"),
            i_delta('"x"}'),
            t_end(),
            *ended('{"q":"x"}'),
            *ended("", "b", "g"),
            fin("tool-calls", "tool_calls", usage=usage),
        ]
        assert decoded.codes == []
        assert [(c.name, c.input) for c in decoded.message.tool_calls] == [("f", {"q": "x"}), ("g", {})]


def test_no_usage_is_no_figure() -> None:
    assert decode_every_way(text("hi") + b"".join(END)).parts[-1]["usage"] == NO_USAGE
