"""``openai-chat`` with more than one choice, and a stream of everything."""

from __future__ import annotations

from typing import Any

import pytest

from .openai_chat_wire import END, FIN, HI, PLAIN, bare
from .wire import (
    DONE,
    HEAD,
    META,
    NO_USAGE,
    START,
    chat,
    choice,
    chunk,
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

# -- choices --------------------------------------------------------------------------------------------------------


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


def test_logprobs_of_another_choice_are_not_the_streams() -> None:
    probabilities = {"content": [{"token": "x", "logprob": -1, "top_logprobs": []}]}
    body = text("a") + event(chunk({**choice({"content": "a"}, None, 1), "logprobs": probabilities}))
    decoded = decode_every_way(body + finish("stop") + finish("stop", 1) + DONE)

    assert decoded.parts[-1] == fin("stop", "stop")


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


# -- all at once ----------------------------------------------------------------------------------------------------


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
        assert decoded.codes == ["index_decreased", "empty_args"]
        assert [(c.name, c.input) for c in decoded.message.tool_calls] == [("f", {"q": "x"}), ("g", {})]


def test_no_usage_is_no_figure() -> None:
    assert decode_every_way(text("hi") + b"".join(END)).parts[-1]["usage"] == NO_USAGE
