"""``mistral``: content lists, thinking, whole calls, usage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder

from .chat_wire import counts, done, r_delta, r_end, r_start
from .wire import (
    ABSENT,
    DONE,
    HEAD,
    Decoded,
    Json,
    call,
    chat,
    choice,
    chunk,
    decode,
    decode_every_way,
    ended,
    err,
    event,
    finish,
    i_delta,
    i_start,
    quick_only,
    size,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)

NAME = "mistral"
STOP = [finish("stop"), DONE]
FIN = done("stop", "stop", counts())


def decoded(*frames: bytes, policy: str = "lenient") -> Decoded:
    return decode_every_way(b"".join(frames), NAME, policy=policy)


def thinking(*texts: Any, **extra: Any) -> Json:
    """A piece of content that is reasoning."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": one} for one in texts], **extra}


def spoken(one: Any) -> Json:
    """A piece of content that is text."""
    return {"type": "text", "text": one}


def content(*pieces: Any) -> bytes:
    """A chunk whose content is a list."""
    return chat({"content": list(pieces)})


def reasoned(*deltas: str, key: str = "generated-0") -> list[Json]:
    return [r_start(key), *(r_delta(delta, key) for delta in deltas), r_end(key)]


def test_text() -> None:
    found = decoded(text(""), text("a"), text("b: [c]"), text(""), *STOP, policy="strict")

    assert found.parts == [*HEAD, t_start(), t_delta("a"), t_delta("b: [c]"), t_end(), FIN]
    assert found.codes == []


def test_thinking_then_text() -> None:
    found = decoded(
        content(thinking("a")),
        content(thinking("b", "c")),
        content(thinking()),
        content(thinking("d", closed=True), spoken("e")),
        text("f"),
        *STOP,
        policy="strict",
    )

    said = [t_start(), t_delta("e"), t_delta("f"), t_end()]
    assert found.parts == [*HEAD, *reasoned("a", "bc", "d"), *said, FIN]


def test_text_and_thinking_in_turn() -> None:
    """V14: each block has a name of its own."""
    found = decoded(content(spoken("a"), spoken("b"), thinking("c"), spoken("d")), content(thinking("e")), *STOP)

    assert found.parts == [
        *HEAD,
        t_start(), t_delta("ab"), t_end(),
        *reasoned("c"),
        t_start("0-1"), t_delta("d", "0-1"), t_end("0-1"),
        *reasoned("e", key="generated-1"),
        FIN,
    ]  # fmt: skip


def test_pieces_that_say_nothing_and_pieces_that_are_not_known() -> None:
    """V25: the TypeScript reference refuses the whole chunk."""
    odd: list[Any] = [{"type": "image_url", "image_url": "x"}, {"type": "reference", "reference_ids": [1]}]
    found = decoded(content(*odd, spoken("a")), *STOP, policy="strict")
    assert found.message.text == "a"

    unknown: list[Any] = [{"type": "banana"}, {}, spoken(1), {"type": "thinking", "thinking": "x"}]
    found = decoded(content(*unknown, spoken("a"), thinking(1, "b"), {"type": "thinking", "thinking": [1]}), *STOP)
    assert found.codes == ["unknown_content"] * 4
    assert (found.message.text, found.message.reasoning) == ("a", "b")


@pytest.mark.parametrize("index", [0, ABSENT])
def test_whole_calls_end_with_the_stream(index: Any) -> None:
    calls = [call(index, "a", "f", '{"k":1}'), call(1 if index == 0 else index, "b", "g", "{}")]
    found = decoded(text("x"), content(thinking("y")), tools(*calls, finish="tool_calls"), DONE)

    assert found.parts[6:] == [
        r_delta("y", "generated-0"),
        i_start(), i_delta('{"k":1}'),
        i_start("b", "g"), i_delta("{}", "b"),
        r_end("generated-0"),
        *ended('{"k":1}'), *ended("{}", "b", "g"),
        done("tool-calls", "tool_calls", counts()),
    ]  # fmt: skip


def test_calls_end_in_the_order_in_which_they_began() -> None:
    """As the reference has it; the other dialects go by the index."""
    found = decoded(tools(call(1, "b", "g", "{}")), tools(call(0, "a", "f", "{}")), finish("tool_calls"), DONE)

    assert [part["toolCallId"] for part in found.parts if part["type"] == "tool-call"] == ["b", "a"]


def test_a_call_in_pieces() -> None:
    found = decoded(tools(call(0, "a", "f", '{"k"')), tools(call(0, "null", "", ":1}")), finish("tool_calls"), DONE)

    assert [one.arguments for one in found.message.tool_calls] == ['{"k":1}']
    assert found.codes == []


@pytest.mark.parametrize(
    ("reason", "unified", "codes"),
    [
        ("model_length", "length", []),
        ("length", "length", []),
        ("error", "other", ["unknown_finish_reason"]),
    ],
)
def test_finish_reasons(reason: str, unified: str, codes: list[str]) -> None:
    found = decoded(text("x"), finish(reason), DONE)

    assert found.parts[-1] == done(unified, reason, counts())
    assert found.codes == codes


@pytest.mark.parametrize(
    ("details", "cached"),
    [
        ({}, 0),
        ({"num_cached_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}, 3),
        ({"prompt_tokens_details": {"cached_tokens": 4}, "prompt_token_details": None}, 4),
        ({"prompt_token_details": {"cached_tokens": 5}}, 5),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, 0),
    ],
)
def test_usage(details: Json, cached: int) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12, **details}
    found = decoded(chat({"content": "x"}, "stop", usage=usage), DONE)

    given = {"total": 10, "noCache": 10 - cached, **({"cacheRead": cached} if cached else {})}
    assert found.parts[-1] == done("stop", "stop", counts(given, {"total": 2, "text": 2}, usage))


@pytest.mark.parametrize(
    "payload",
    [
        {"object": "error", "message": "m", "type": "t", "code": "1"},
        {"detail": [{"msg": "m"}]},
        {"error": {"message": "m"}},
    ],
    ids=["own", "detail", "OpenAI's"],
)
def test_errors(payload: Any) -> None:
    """V19."""
    shown = payload.get("error", payload)
    bare = json.dumps(payload).encode()
    assert decoded(bare).parts == [err("provider", "open", len(bare), shown)]
    frames = [text("x"), event(payload)]
    found = decoded(*frames)
    assert found.parts[4:] == [err("provider", "stream", size(*frames), shown), t_end(), done("error", None, counts())]


def test_a_stream_that_is_cut() -> None:
    """V13, V18."""
    frames = [content(thinking("x")), tools(call(0, "a", "f", "{}"))]
    found = decoded(*frames)

    assert found.parts[-1] == err("incomplete_stream", "close", size(*frames))
    assert not found.message.tool_calls[0].complete


def test_chunks_of_another_shape() -> None:
    for delta in ({"content": 1}, {"content": ["x"]}, {"tool_calls": {}}):
        wrong = chunk(choice(delta))
        found = decoded(text("x"), event(wrong), *STOP)
        assert found.parts[4] == err("invalid_payload", "stream", size(text("x"), event(wrong)), wrong)


OPENINGS = [text("x"), content(thinking("x")), text("x") + tools(call(0, "a", "f", "{"))]


def variants() -> list[Any]:
    """Deltas that the quick path takes, and those that it must leave alone."""
    strings = ["y", "", ":", "[{", "\u00e9", "\ud83d", '"']
    contents: list[Any] = [*strings, None, 1, [], {}, [None], [spoken("y")], [thinking("y"), spoken("z")]]
    contents += [[thinking(one)] for one in (*strings, None, 1)]
    contents += [[thinking("y", closed=value)] for value in (True, [], {}, ":", [[]])]
    contents += [[thinking("y", "z")], [thinking()], [thinking("y"), thinking("z")], [{"type": "thinking", "thinking": [1]}]]
    contents += [[{**thinking("y"), "type": "x"}], [{"type": "thinking", "thinking": [{"type": "x", "text": "y"}]}]]
    contents += [[{"type": "thinking", "thinking": [{"type": "text", "text": "y", "x": 1}]}]]
    deltas: list[Any] = [{"content": one} for one in contents]
    deltas += [{}, {"tool_calls": [call(0, args="}")]}, {"content": "y", "role": "assistant"}]
    chunks: list[Any] = [chunk(choice(delta), p="abc") for delta in deltas]
    chunks += [chunk(choice({"content": "y"}), **extra) for extra in ({"usage": 1}, {"error": "x"}, {"id": "d"}, {"p": []})]
    written = [json.dumps(one).encode() for one in chunks]
    return [*written, written[0].replace(b'"y"', rb'"\u003a"'), written[0].replace(b'"y"', b'"y", "content": "z"')]


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("opening", range(len(OPENINGS)))
def test_quick_and_general_path_agree(policy: str, opening: int) -> None:
    for variant in variants():
        body = b"".join([OPENINGS[opening], event(variant), text("z"), *STOP])
        assert decode(body, NAME, policy=policy) == decode(body, NAME, policy=policy, general=True), variant


def test_the_quick_path_is_taken() -> None:
    for opening, frame, part in (
        (OPENINGS[0], chat({"content": "y: ["}, p="ab"), t_delta("y: [")),
        (OPENINGS[1], content(thinking("y: [")), r_delta("y: [", "generated-0")),
        (OPENINGS[1], content(thinking("y", closed=True)), r_delta("y", "generated-0")),
    ):
        decoder = Decoder(NAME)
        decoder.feed(opening)
        with quick_only(decoder):
            parts = decoder.feed(frame)
        assert [one.as_json() for one in parts] == [part]
