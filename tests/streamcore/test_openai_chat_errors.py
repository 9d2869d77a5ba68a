"""``openai-chat``: errors of the provider, of the payload, and bodies that are no event stream at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .openai_chat_wire import END, FIN, HI, PLAIN
from .wire import (
    DONE,
    HEAD,
    Json,
    choice,
    chunk,
    decode_every_way,
    err,
    event,
    fin,
    finish,
    size,
    t_delta,
    t_end,
    text,
)

# -- errors of the provider -----------------------------------------------------------------------------------------

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


FAILED = fin("error", "stop")


def test_an_error_after_the_finish_reason() -> None:
    """V19: it takes back what the finish reason said, as for the reference."""
    frames = [text("hi"), finish("stop"), event({"error": {"message": "boom"}})]
    decoded = decode_every_way(b"".join(frames) + DONE)

    boom = err("provider", "stream", size(*frames), {"message": "boom"})
    assert decoded.parts == [*HEAD, *HI, boom, t_end(), fin("error", None)]
    assert not decoded.message.complete


@pytest.mark.parametrize("unread", [b"data: {]\n\n", event({"choices": 1}), event(chunk(choice({"content": 1})))])
def test_a_chunk_that_cannot_be_read(unread: bytes) -> None:
    """Decision 5: behind the finish reason it is how the stream finished, for whoever's reference says so."""
    for dialect in ("openai-chat", "azure-openai", "openai-compatible", "groq", "deepseek"):
        before = decode_every_way(text("hi") + unread + finish("stop") + DONE, dialect)
        instead = decode_every_way(text("hi") + unread + DONE, dialect)
        behind = decode_every_way(text("hi") + finish("stop") + unread + DONE, dialect)
        assert before.parts[-1]["finishReason"] == {"unified": "stop", "raw": "stop"}
        assert instead.parts[-1]["finishReason"] == behind.parts[-1]["finishReason"] == {"unified": "error"}
        assert behind.message.text == "hi"
    for dialect in ("mistral", "perplexity", "xai-chat"):
        behind = decode_every_way(text("hi") + finish("stop") + unread + DONE, dialect)
        assert behind.parts[-1]["finishReason"] == {"unified": "stop", "raw": "stop"}


def test_an_error_beside_choices() -> None:
    """The text of the chunk is kept, and so is the error."""
    frames = [text("hi"), event(chunk(choice({"content": "!"}), error={"message": "boom"})), *END]
    decoded = decode_every_way(b"".join(frames))

    error = err("provider", "stream", size(*frames[:2]), {"message": "boom"})
    assert decoded.parts == [*HEAD, *HI, error, t_delta("!"), t_end(), FAILED]
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


# -- errors of the payload ------------------------------------------------------------------------------------------


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
        chunk(choice({}, 7)),
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
    assert found["payload"] == payload
    assert decoded.parts[:4] + decoded.parts[5:] == [*HEAD, *HI, t_delta("!"), t_end(), FIN]
    strict = decode_every_way(text("hi") + bad + text("!") + b"".join(END), policy="strict")
    assert strict.parts == decoded.parts[:5]


@pytest.mark.parametrize("payload", ["{", "ping", '{"tool":"s"}', "[]", "null", '{"choices":[1]}'])
def test_events_of_another_api_are_reported_and_skipped(payload: str) -> None:
    """WH-026, V25: never fatal, under either policy."""
    name = "x.progress " + "y" * 100
    body = text("hi") + event(payload, name) + text("!") + b"".join(END)
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(body, policy=policy)

        assert decoded.parts == [*HEAD, *HI, t_delta("!"), t_end(), FIN]
        assert decoded.codes == ["unknown_event"]
        assert decoded.warnings[0].detail == 'an event named "x.progress ' + "y" * 49 + '"'
        assert decoded.warnings[0].offset == size(text("hi"), event(payload, name))


@pytest.mark.parametrize("name", ["message", "completion", "x"])
def test_the_event_name_of_a_chunk_does_not_matter(name: str) -> None:
    chunks = [chunk(choice({"content": "hi"})), chunk(choice({}, "stop"))]
    body = b"".join(event(payload, name) for payload in chunks) + event("[DONE]", name)
    decoded = decode_every_way(body)

    assert decoded.parts == PLAIN
    assert decoded.codes == []


def test_an_error_under_any_event_name() -> None:
    body = text("hi") + event({"error": {"message": "boom"}}, "x")
    error = err("provider", "stream", len(body), {"message": "boom"})
    assert decode_every_way(body).parts == [*HEAD, *HI, error, t_end(), fin("error", None)]


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
        (rb'{"choices":[{"delta":{"content":"","content":"\u003a"},"index":0}],"id":"c","created":1,"model":"m"}', ":"),
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
