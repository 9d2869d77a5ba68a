"""``openai-compatible``: what the servers of OpenAI's chat API have beside it, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest

from streamcore import DIALECTS

from .chat_wire import counts, done, r_delta, r_end, r_start
from .wire import (
    ABSENT,
    DONE,
    META,
    START,
    Decoded,
    Json,
    call,
    chat,
    choice,
    chunk,
    decode_every_way,
    ended,
    err,
    event,
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

HEAD = [START, META]
COMPAT: Json = {"compat": {}}
FIN = done("stop", "stop", counts(), COMPAT)
R_START = r_start("reasoning-0")
R_END = r_end("reasoning-0")
T_START = t_start("txt-0")
T_END = t_end("txt-0")


def hi(delta: str) -> Json:
    """A piece of the text."""
    return t_delta(delta, "txt-0")


def why(delta: str) -> Json:
    """A piece of the reasoning."""
    return r_delta(delta, "reasoning-0")


def read(*frames: bytes, server: str = "openai-compatible", **options: Any) -> Decoded:
    return decode_every_way(b"".join(frames), server, **options)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_and_text_take_turns(key: str) -> None:
    """Each ends where the other goes on, and begins anew under the same id."""
    reasoning = [chat({key: piece}) for piece in ("th", "", "ink")]
    decoded = read(*reasoning, text("a"), text(""), chat({key: "b"}), finish("stop"), DONE)

    assert decoded.parts == [
        *HEAD, R_START, why("th"), why("ink"), R_END, T_START, hi("a"), T_END, R_START, why("b"), R_END, FIN,
    ]  # fmt: skip
    assert decoded.codes == []
    assert (decoded.message.text, decoded.message.reasoning) == ("a", "thinkb")


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"reasoning_content": "a", "reasoning": "b"}, "a"),
        ({"reasoning_content": None, "reasoning": "b"}, "b"),
        ({"reasoning_content": "", "reasoning": "b"}, ""),
    ],
)
def test_reasoning_is_read_once(delta: Json, expected: str) -> None:
    """Servers that know both names say it under both."""
    decoded = read(chat(delta), finish("stop"), DONE)

    assert decoded.message.reasoning == expected


def test_calls_end_reasoning_and_leave_text_open() -> None:
    decoded = read(
        chat({"reasoning": "r", "content": "t", "tool_calls": [call(0, "a", "f", "{")]}),
        chat({"reasoning": "r"}),
        tools(call(0, args="}")),
        finish("tool_calls"),
        DONE,
    )

    assert decoded.parts == [
        *HEAD, R_START, why("r"), R_END, T_START, hi("t"), i_start(), i_delta("{"), T_END, R_START, why("r"), R_END,
        i_delta("}"), *ended("{}"), done("tool-calls", "tool_calls", counts(), COMPAT),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([], []),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": ""}, {"type": "text"}], [T_START, hi("a"), T_END]),
        (
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "r"}, {"type": "text", "text": "s"}, 1, {}]},
                {"type": "thinking", "thinking": [{"type": "text", "text": None}]},
                {"type": "thinking", "thinking": "no list"},
                {"type": "image", "text": "x"},
                {"type": "text", "text": "a"},
            ],
            [R_START, why("rs"), R_END, T_START, hi("a"), T_END],
        ),
    ],
    ids=["empty", "text", "thinking"],
)
def test_content_may_be_a_list(content: Any, expected: list[Json]) -> None:
    assert read(chat({"content": content}), finish("stop"), DONE).parts == [*HEAD, *expected, FIN]


def test_content_of_another_kind() -> None:
    """A list whose items have no type is no content."""
    bad = chunk(choice({"content": [{"text": "x"}]}))
    frames = [event(bad), finish("stop"), DONE]

    assert read(*frames).parts == [START, err("invalid_payload", "stream", size(frames[0]), bad), META, FIN]


@pytest.mark.parametrize(
    ("head", "meta"),
    [
        ({"id": "", "created": 0, "model": None}, {"id": "", "timestamp": "1970-01-01T00:00:00.000Z"}),
        ({}, {}),
        ({"created": 1_743_453_498_000}, {"timestamp": "+057217-11-03T22:20:00.000Z"}),
        ({"created": 1e300}, {}),
        ({"created": -62_167_219_201}, {"timestamp": "-000001-12-31T23:59:59.000Z"}),
    ],
)
def test_the_first_chunk_describes_the_response(head: Json, meta: Json) -> None:
    """Whatever it says; a server that counts milliseconds dates itself into a far year."""
    frames = [event({**head, "choices": []}), text("a"), finish("stop"), DONE]

    assert read(*frames).parts == [START, {"type": "response-metadata", **meta}, T_START, hi("a"), T_END, FIN]


def test_thought_signatures_are_of_their_call() -> None:
    """Google's form, through its OpenAI endpoint; there the index may be missing."""
    signed = {**call(ABSENT, "a", "f", "{}"), "extra_content": {"google": {"thought_signature": "s=="}}}
    late = {**call(1, args="}"), "extra_content": {"google": {"thought_signature": "t"}}}
    decoded = read(
        tools(signed, call(1, "b", "g", "{")),
        tools(late),
        tools({**late, "function": {"arguments": " "}, "extra_content": {"google": None}}),
        finish("tool_calls"),
        DONE,
    )

    assert [part for part in decoded.parts if part["type"] == "tool-call"] == [
        {
            "type": "tool-call", "toolCallId": "a", "toolName": "f", "input": "{}",
            "providerMetadata": {"compat": {"thoughtSignature": "s=="}},
        },
        {
            "type": "tool-call", "toolCallId": "b", "toolName": "g", "input": "{} ",
            "providerMetadata": {"compat": {"thoughtSignature": "t"}},
        },
    ]  # fmt: skip
    assert decoded.codes == ["index_missing", "index_origin"]


def test_a_signature_without_a_call() -> None:
    wrong = {**call(0, "a", "f", "{}", "custom"), "extra_content": {"google": {"thought_signature": "s"}}}
    decoded = read(tools(wrong), finish("stop"), DONE, server="groq")

    assert [part["type"] for part in decoded.parts] == ["stream-start", "response-metadata", "error", "finish"]


def test_usage() -> None:
    """The last one counts, keys that nobody knows are kept, and what went into a cache is not taken off."""
    raw = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 6, "accepted_prediction_tokens": 1},
        "cost": 0.5,
    }
    decoded = read(chat({}, usage={"prompt_tokens": 1}), text("a"), chat({}, "stop", usage=raw), chat({}), DONE)

    usage = counts({"total": 10, "noCache": 6, "cacheRead": 4}, {"total": 5, "text": 0, "reasoning": 6}, raw)
    assert decoded.parts[-1] == done("stop", "stop", usage, {"compat": {"acceptedPredictionTokens": 1}})

    behind = read(chat({}, usage=raw), text("a"), chat({}, "stop", usage={}), DONE)
    nothing = counts({"total": 0, "noCache": 0, "cacheRead": 0}, {"total": 0, "text": 0, "reasoning": 0}, {})
    assert behind.parts[-1] == done("stop", "stop", nothing, COMPAT)


def test_what_type_a_call_is_of() -> None:
    """Kimi's servers have functions of their own that a client calls like any other; elsewhere the type tells forms apart."""
    element = {"index": 0, "id": "a", "type": "builtin_function", "function": {"name": "$web_search", "arguments": "{}"}}
    frames = [tools(element), finish("tool_calls"), DONE]
    for server in ("openai-compatible", "openrouter", "mistral"):
        decoded = read(*frames, server=server)
        assert [(call.name, call.executable) for call in decoded.message.tool_calls] == [("$web_search", True)]
        assert decoded.codes == []
    for server in ("openai-chat", "groq", "deepseek", "xai-chat"):
        assert read(*frames, server=server).message.tool_calls == ()


def test_a_refusal_is_text_that_says_so() -> None:
    decoded = read(chat({"refusal": ""}), chat({"refusal": "no"}), finish("stop"), DONE)

    start = t_start("txt-0", providerMetadata={"compat": {"refusal": True}})
    assert decoded.parts == [*HEAD, start, hi("no"), T_END, done("content-filter", "stop", counts(), COMPAT)]


def test_other_choices_have_their_own_blocks() -> None:
    frames = [chat({"reasoning": "r"}, index=1), text("a"), text("b", index=1), finish("stop"), finish("stop", 1), DONE]
    decoded = read(*frames)

    own: Json = {"choice": 1}
    assert [part for part in decoded.parts if part.get("choice")] == [
        r_start("reasoning-1", **own), r_delta("r", "reasoning-1", **own), r_end("reasoning-1", **own),
        t_start("txt-1", **own), t_delta("b", "txt-1", **own), t_end("txt-1", **own),
        {"type": "finish", "finishReason": {"unified": "stop", "raw": "stop"}, "usage": counts(), **own},
    ]  # fmt: skip


# -- errors ----------------------------------------------------------------------------------------------------------

BOOM: Json = {"message": "boom", "code": 400}


def test_an_error_takes_back_the_finish_reason() -> None:
    """And what stands beside it is read: the SDK drops it."""
    frames = [chat({"reasoning": "r"}, "length"), chat({"content": "a"}, error=BOOM, usage={"prompt_tokens": 1}), DONE]
    decoded = read(*frames)

    usage = counts({"total": 1, "noCache": 1, "cacheRead": 0}, {"total": 0, "text": 0, "reasoning": 0})
    assert decoded.parts == [
        *HEAD, R_START, why("r"), err("provider", "stream", size(*frames[:2]), BOOM), R_END, T_START, hi("a"), T_END,
        done("error", None, {**usage, "raw": {"prompt_tokens": 1}}, COMPAT),
    ]  # fmt: skip


def test_a_call_that_an_error_cut_is_none() -> None:
    decoded = read(tools(call(0, "a", "f", "{}")), event({"error": BOOM}))

    assert [part["type"] for part in decoded.parts][2:] == ["tool-input-start", "tool-input-delta", "error", "finish"]
    assert decoded.parts[-1] == done("error", None, counts(), COMPAT)


def test_an_error_that_comes_first_is_the_failure_of_the_request() -> None:
    frame = event({"error": BOOM})

    for body in (frame, frame + DONE):
        assert read(body).parts == [err("provider", "open", len(frame), BOOM)]


def test_an_error_that_is_null_is_none() -> None:
    """The SDK loses the text beside it."""
    assert read(chat({"content": "a"}, "stop", error=None), DONE).parts == [*HEAD, T_START, hi("a"), T_END, FIN]


@pytest.mark.parametrize(
    ("line", "payload"),
    [(b'error: {"error":{"message":"boom"}}\n', {"message": "boom"}), (b'error: {"code":500}', {"code": 500})],
)
def test_an_error_in_a_field_of_its_own(line: bytes, payload: Json) -> None:
    """llama.cpp's server; SSE tells clients to ignore the line."""
    frames = [text("a"), line]

    assert read(*frames, server="local-openai-compat").parts == [
        *HEAD, T_START, hi("a"), err("provider", "stream", size(*frames), payload), T_END,
        done("error", None, counts(), COMPAT),
    ]  # fmt: skip


@pytest.mark.parametrize("line", [b"error: [1]\n", b'error: {"co', b"error: no\n"])
def test_a_field_of_that_name_without_an_error(line: bytes) -> None:
    decoded = read(text("a"), finish("stop"), DONE.strip(), b"\n\n", line)

    assert decoded.parts[-1] == FIN


def test_a_cut_stream_is_never_complete() -> None:
    """Without a finish reason, whatever had come."""
    for frames in ([text("a")], [chat({"reasoning": "a"})], [tools(call(0, "a", "f", "{}"))]):
        decoded = read(*frames)

        assert decoded.parts[-1] == err("incomplete_stream", "close", size(*frames))
        assert not {"finish", "tool-call"} & {part["type"] for part in decoded.parts}


# -- servers ---------------------------------------------------------------------------------------------------------


def test_done_without_a_finish_reason() -> None:
    """The SDK calls it an error; it is one under policy ``strict``, except from a server that never gives a reason."""
    end = done("other", None, counts(), COMPAT)
    decoded = read(text("a"), DONE)
    assert (decoded.parts, decoded.codes) == ([*HEAD, T_START, hi("a"), T_END, end], ["finish_missing"])
    assert read(text("a"), DONE, policy="strict").parts[-1]["kind"] == "incomplete_stream"

    for policy in ("lenient", "strict"):
        decoded = read(text("a"), DONE, server="snowflake", policy=policy)
        assert (decoded.parts[-1], decoded.codes) == (end, [])
    assert read(text("a"), server="snowflake").parts[-1]["kind"] == "incomplete_stream"


@pytest.mark.parametrize(
    ("server", "codes", "strict"),
    [("zai", ["missing_done"], "error"), ("writer", [], "finish"), ("huggingface", [], "finish")],
)
def test_a_finish_reason_without_done(server: str, codes: list[str], strict: str) -> None:
    frames = [text("a"), finish("stop")]
    decoded = read(*frames, server=server)

    assert (decoded.parts[-1], decoded.codes) == (FIN, codes)
    assert read(*frames, server=server, policy="strict").parts[-1]["type"] == strict


def test_an_error_may_come_behind_openrouters_finish_reason() -> None:
    """So only ``[DONE]`` completes its streams."""
    frames = [b": OPENROUTER PROCESSING\n\n", text("a"), b": OPENROUTER PROCESSING\n\n", finish("stop")]

    assert read(*frames, server="openrouter").parts[-1] == err("incomplete_stream", "close", size(*frames))
    assert read(*frames, DONE, server="openrouter").parts[-1] == FIN
    assert read(*frames, event({"error": BOOM}), server="openrouter").parts[-1]["finishReason"] == {"unified": "error"}


def test_completions_of_a_local_server() -> None:
    """vLLM's legacy endpoint has the text beside a delta that is missing; elsewhere such a text is no content."""
    head = {"id": "c", "created": 1, "model": "m"}
    choices = [{"index": 0, "text": piece, "finish_reason": None} for piece in ("a", "", None, "b")]
    frames = [event({**head, "choices": [one]}) for one in choices]
    end = [event({**head, "choices": [{"index": 0, "text": "", "finish_reason": "length"}]}), DONE]

    assert read(*frames, *end, server="local-openai-compat").message.text == "ab"
    assert read(*frames, *end).message.text == ""


def test_together_stops_at_eos() -> None:
    assert read(text("a"), finish("eos"), DONE, server="together").codes == []
    assert read(text("a"), finish("eos"), DONE, server="zai").codes == ["unknown_finish_reason"]


def test_every_server_reads_a_plain_stream() -> None:
    """The rows say what else a server does; what all do, each of them does."""
    for server, dialect in DIALECTS.items():
        if getattr(dialect, "server", None) is None or server in ("groq", "deepseek"):
            continue
        decoded = read(text("a"), tools(call(0, "a", "f", "{}")), finish("tool_calls"), DONE, server=server)
        assert decoded.parts == [
            *HEAD, T_START, hi("a"), i_start(), i_delta("{}"), T_END, *ended("{}"),
            done("tool-calls", "tool_calls", counts(), COMPAT),
        ], server  # fmt: skip
