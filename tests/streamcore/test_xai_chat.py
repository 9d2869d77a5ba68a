"""``xai-chat``: blocks named after chunks, whole calls and calls in pieces, citations, usage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder

from .chat_wire import NOTHING, counts, done, r_delta, r_end, r_start, source
from .wire import (
    ABSENT,
    DONE,
    HEAD,
    START,
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
    i_end,
    i_start,
    quick_only,
    size,
    t_call,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)

NAME = "xai-chat"
STOP = [finish("stop"), DONE]
CALLS = [finish("tool_calls"), DONE]
FIN = done("stop", "stop", NOTHING)
FIN_CALLS = done("tool-calls", "tool_calls", NOTHING)


def decoded(*frames: bytes, policy: str = "lenient") -> Decoded:
    return decode_every_way(b"".join(frames), NAME, policy=policy)


def thought(piece: str, **extra: Any) -> bytes:
    """A chunk with a piece of reasoning."""
    return chat({"reasoning_content": piece, **extra})


def whole(index: Any = 0, key: Any = "a", name: Any = "f", args: Any = '{"k":1}') -> Json:
    """A call as xAI sends it."""
    return call(index, key, name, args, "function")


def shown(args: str = '{"k":1}', key: str = "a", name: str = "f") -> list[Json]:
    """The parts of a whole call."""
    return [i_start(key, name), i_delta(args, key), *ended(args, key, name)]


# -- text and reasoning -----------------------------------------------------------------------------------------------


def test_reasoning_then_text() -> None:
    found = decoded(thought("hm"), thought(", ah"), text("hi"), text("!"), *STOP, policy="strict")

    assert found.parts == [
        *HEAD,
        r_start("reasoning-c"),
        r_delta("hm", "reasoning-c"),
        r_delta(", ah", "reasoning-c"),
        r_end("reasoning-c"),
        t_start("text-c"),
        t_delta("hi", "text-c"),
        t_delta("!", "text-c"),
        t_end("text-c"),
        FIN,
    ]
    assert found.codes == []


def test_equal_pieces_of_reasoning_are_two_pieces() -> None:
    """V21: deltas add up."""
    found = decoded(thought("ha"), thought("ha"), *STOP)

    assert found.message.reasoning == "haha"


def test_empty_pieces_are_not_shown() -> None:
    assert decoded(text(""), thought(""), *STOP).parts == [*HEAD, FIN]


def test_reasoning_that_goes_on_after_its_end_has_a_new_block() -> None:
    """V14."""
    found = decoded(thought("a"), text("b"), thought("c"), thought("d"), text("e"), thought("f"), *STOP)

    assert found.parts == [
        *HEAD,
        r_start("reasoning-c"), r_delta("a", "reasoning-c"), r_end("reasoning-c"),
        t_start("text-c"), t_delta("b", "text-c"),
        r_start("reasoning-c+"), r_delta("c", "reasoning-c+"), r_delta("d", "reasoning-c+"), r_end("reasoning-c+"),
        t_delta("e", "text-c"),
        r_start("reasoning-c++"), r_delta("f", "reasoning-c++"),
        t_end("text-c"), r_end("reasoning-c++"),
        FIN,
    ]  # fmt: skip


def test_a_new_chunk_id_opens_new_blocks() -> None:
    def said(chunk_id: str | None, delta: Json) -> bytes:
        return event({**chunk(choice(delta)), "id": chunk_id})

    frames = [said(one, {key: "x"}) for key in ("reasoning_content", "content") for one in ("c", "d", None, "")]
    found = decoded(*frames, *STOP)

    keys = ["c", "d", "0"]
    assert [part["id"] for part in found.parts if part["type"] == "reasoning-start"] == [f"reasoning-{k}" for k in keys]
    assert [part["id"] for part in found.parts if part["type"] == "text-start"] == [f"text-{key}" for key in keys]
    assert found.parts[-6:-1] == [
        r_end("reasoning-c"),
        r_end("reasoning-d"),
        *(t_end(f"text-{key}") for key in keys),
    ]
    assert found.message.reasoning == "xxxx"
    assert found.message.text == "xxxx"


def test_a_refusal_is_text() -> None:
    found = decoded(chat({"refusal": "no"}), *STOP)

    mark = {"providerMetadata": {"xai": {"refusal": True}}}
    assert found.parts[2:] == [
        t_start("text-c", **mark),
        t_delta("no", "text-c"),
        t_end("text-c"),
        done("content-filter", "stop", NOTHING),
    ]


def test_another_choice_has_blocks_of_its_own() -> None:
    body = [text("a"), text("b", index=1), thought("c"), finish("stop"), finish("length", 1), DONE]
    found = decoded(*body)

    assert found.message.text == "a"
    assert found.message.alternatives[0].text == "b"
    assert t_start("text-c", choice=1) in found.parts


# -- calls ------------------------------------------------------------------------------------------------------------


def test_whole_calls() -> None:
    second = whole(1, "b", "g", "{}")
    for frames in ([tools(whole()), tools(second)], [tools(whole(), second)]):
        found = decoded(thought("hm"), *frames, *CALLS, policy="strict")

        reasoned = [r_start("reasoning-c"), r_delta("hm", "reasoning-c"), r_end("reasoning-c")]
        assert found.parts == [*HEAD, *reasoned, *shown(), *shown("{}", "b", "g"), FIN_CALLS]


def test_a_whole_call_ends_before_what_comes_next() -> None:
    following: list[tuple[bytes, Json]] = [
        (text("x"), t_start("text-c")),
        (thought("x"), r_start("reasoning-c")),
        (event(chunk(citations=["https://x"])), source(0, "https://x")),
    ]
    for frame, part in following:
        found = decoded(tools(whole()), frame, *CALLS)
        assert found.parts[2:7] == [*shown(), part]


def test_a_whole_call_ends_with_the_stream_at_the_latest() -> None:
    found = decoded(tools(whole(), finish="tool_calls"))

    assert found.parts == [*HEAD, *shown(), FIN_CALLS]
    assert found.codes == ["missing_done"]


def test_a_call_that_was_cut_is_no_call() -> None:
    """V13: nothing said that the arguments were complete."""
    for frame in (tools(whole()), tools(whole(args='{"k"'))):
        found = decoded(frame)
        assert found.parts[-1] == err("incomplete_stream", "close", size(frame))
        assert not [call for call in found.message.tool_calls if call.complete]


@pytest.mark.parametrize(
    "first", ["", '{"k', "{}"], ids=["nothing", "a piece", "something that happens to be complete"]
)
def test_a_call_in_pieces(first: str) -> None:
    """WH-083: the TypeScript reference makes a call of each piece."""
    rest = ['":', "1}"]
    for more in (call(0), call(ABSENT), call(0, ""), call(0, "a")):
        pieces = [tools({**more, "function": {"arguments": piece}}) for piece in rest]
        found = decoded(tools(whole(args=first)), *pieces, text("x"), *CALLS)

        args = first + "".join(rest)
        shown_first = [i_delta(first)] if first else []
        marked = {} if first == '{"k' else {"invalid": True}
        assert found.parts == [
            *HEAD, i_start(), *shown_first, *map(i_delta, rest), t_start("text-c"), t_delta("x", "text-c"),
            t_end("text-c"), i_end(), t_call(args, **marked), FIN_CALLS,
        ]  # fmt: skip


def test_calls_in_pieces_side_by_side() -> None:
    pieces = [call(0, args='{"k"'), call(1, args='{"m"'), call(0, args=":1}"), call(1, args=":2}")]
    heads = tools(whole(args=""), whole(1, "b", "g", ""))
    found = decoded(heads, *map(tools, pieces), *CALLS)

    assert [(one.id, one.arguments, one.executable) for one in found.message.tool_calls] == [
        ("a", '{"k":1}', True),
        ("b", '{"m":2}', True),
    ]
    assert found.codes == ["index_decreased"]


def test_pieces_for_a_call_that_has_ended_are_reported() -> None:
    found = decoded(tools(whole()), text("x"), tools(call(0, args="more")), *CALLS)

    assert found.codes == ["delta_after_end"]
    assert [one.arguments for one in found.message.tool_calls] == ['{"k":1}']


def test_calls_that_share_an_index_or_lack_an_id() -> None:
    found = decoded(tools(whole()), tools(whole(0, "b", "g")), tools(whole(0, ABSENT, "h")), *CALLS)

    assert [(one.name, one.executable) for one in found.message.tool_calls] == [("f", True), ("g", True), ("h", True)]
    assert "id_synthesised" in found.codes


def test_an_error_cuts_the_call_before_it() -> None:
    frames = [tools(whole()), event({"code": "overloaded", "error": "The service is currently unavailable"})]
    payload = {"code": "overloaded", "error": "The service is currently unavailable"}
    found = decoded(*frames)

    error = err("provider", "stream", size(*frames), payload)
    assert found.parts == [*HEAD, i_start(), i_delta('{"k":1}'), error, done("error", None, NOTHING)]
    assert not found.message.tool_calls[0].executable


# -- what else a chunk says -------------------------------------------------------------------------------------------


def test_citations_usage_and_tier() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 4, "text_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 5},
        "cost_in_usd_ticks": 7,
    }
    last = event(chunk(usage=usage, citations=["https://a", "https://b"], service_tier="default"))
    found = decoded(text("x", "stop"), last, event(chunk()), DONE, policy="strict")

    shown_usage = counts(
        {"total": 10, "noCache": 6, "cacheRead": 4}, {"total": 8, "text": 3, "reasoning": 5}, raw=usage
    )
    assert found.parts[4:] == [
        source(0, "https://a"),
        source(1, "https://b"),
        t_end("text-c"),
        done("stop", "stop", shown_usage, {"xai": {"serviceTier": "default"}}),
    ]


def test_cached_tokens_that_are_not_part_of_the_prompt() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 4}}
    found = decoded(text("x", "stop"), event(chunk(usage=usage)), DONE)

    assert found.parts[-1]["usage"]["inputTokens"] == {"total": 5, "noCache": 1, "cacheRead": 4}


def test_a_chunk_that_describes_nothing() -> None:
    found = decoded(event({"choices": [choice({"content": "x"}, "stop")]}), DONE)

    assert found.parts[1] == {"type": "response-metadata"}


@pytest.mark.parametrize("payload", [{"code": "c", "error": "e"}, {"error": {"message": "m"}}], ids=["own", "OpenAI's"])
def test_errors(payload: Any) -> None:
    """V19."""
    shown_payload = payload if "code" in payload else payload["error"]
    bare = json.dumps(payload).encode()
    assert decoded(event(payload)).parts == [err("provider", "open", size(event(payload)), shown_payload)]
    assert decoded(bare).parts == [err("provider", "open", len(bare), shown_payload)]


def test_a_chunk_of_another_shape() -> None:
    wrong = chunk(choice({"content": 1}))
    found = decoded(text("x"), event(wrong), *STOP)

    assert found.parts[4] == err("invalid_payload", "stream", size(text("x"), event(wrong)), wrong)
    assert found.parts[-1] == FIN


def test_a_stream_that_ends_before_its_finish() -> None:
    """V18."""
    assert decoded(thought("x")).parts[-1]["kind"] == "incomplete_stream"
    assert decoded(DONE).parts == [START, err("incomplete_stream", "close", len(DONE))]


def test_the_quick_path_is_taken() -> None:
    decoder = Decoder(NAME)
    decoder.feed(thought("a") + thought("b"))
    with quick_only(decoder):
        parts = decoder.feed(thought("c") * 2)

    assert [part.as_json() for part in parts] == [r_delta("c", "reasoning-c")] * 2


def test_arguments_after_reasoning_end_it_on_every_path() -> None:
    frames = [tools(whole(args='{"k":')), thought("x"), tools(call(0, args="1}")), *CALLS]
    body = b"".join(frames)

    assert decode(body, NAME) == decode(body, NAME, general=True)
    assert decode(body, NAME).parts[5:8] == [r_delta("x", "reasoning-c"), r_end("reasoning-c"), i_delta("1}")]
