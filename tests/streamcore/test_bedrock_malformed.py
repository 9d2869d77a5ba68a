"""``bedrock-converse-stream``: events that are not known, do not fit, have no place, or come out of order."""

from __future__ import annotations

from typing import Any

import pytest

from .bedrock_wire import (
    BEGIN,
    CONVERSE,
    HI,
    METADATA,
    SAID,
    arguments,
    call_start,
    converse,
    delta,
    event_of,
    fin,
    message_stop,
    payload_of,
    r_delta,
    r_end,
    r_start,
    read,
    reasoning,
    start,
    stop,
    text,
)
from .eventstream_wire import event, message
from .wire import START, ended, err, i_delta, i_start, size, t_call, t_delta, t_end, t_start


def test_what_is_not_known() -> None:
    decoded = converse(
        event_of("future", x=1), message(b"{}", [(":message-type", "string", "future")]), delta(0, future=1),
        reasoning(future=1), start(1, future={}), text("x", 1), stop(1), *HI, reason="future",
    )  # fmt: skip

    assert decoded.parts == [START, *SAID, fin("other", "future")]
    assert decoded.codes == [
        "unknown_event", "unknown_message_type", "unknown_delta", "unknown_delta", "unknown_block", "unknown_stop_reason",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    [
        event_of("contentBlockDelta", delta={"text": "x"}),
        delta("0", text="x"),
        delta(0, text=1),
        delta(0, toolResult={}),
        event_of("contentBlockStop"),
        start(0, toolUse={"name": 1}),
        event_of("messageStop"),
        event_of("metadata", usage={"inputTokens": "1"}),
    ],
)
def test_what_does_not_fit(frame: bytes) -> None:
    decoded = converse(frame, text("x", 7), stop(7))

    assert decoded.parts[1:-1] == [
        err("invalid_payload", "stream", size(BEGIN, frame), payload_of(frame)),
        t_start("7"), t_delta("x", "7"), t_end("7"),
    ]  # fmt: skip


def test_what_is_no_json() -> None:
    frame = event("contentBlockDelta", b"{")

    assert converse(frame).parts[1] == err("malformed_json", "stream", size(BEGIN, frame), "{")


def test_an_event_without_a_type() -> None:
    frame = message(b"{}", [(":message-type", "string", "event")])

    assert converse(frame).parts[1] == err("invalid_payload", "stream", size(BEGIN, frame))


def test_an_event_that_is_no_object() -> None:
    frame = event("messageStop", b"[1]")

    assert converse(frame).parts[1] == err("invalid_payload", "stream", size(BEGIN, frame), {"messageStop": [1]})


def test_text_and_reasoning_at_one_index() -> None:
    decoded = converse(reasoning(text="a"), text("b"), reasoning(text="c"), stop())

    assert decoded.parts[1:-1] == [
        r_start(), r_delta("a"), r_end(), t_start("0-1"), t_delta("b", "0-1"), t_end("0-1"),
        r_start("0-2"), r_delta("c", "0-2"), r_end("0-2"),
    ]  # fmt: skip
    assert decoded.codes == ["block_kind_changed", "block_kind_changed"]


def test_an_index_that_is_used_again() -> None:
    decoded = converse(*HI, text("b"), stop(), stop(), start(0), start(0), stop(0))

    assert decoded.parts[1:-1] == [
        *SAID, t_start("0-1"), t_delta("b", "0-1"), t_end("0-1"), t_start("0-2"), t_end("0-2"), t_start("0-3"), t_end("0-3"),
    ]  # fmt: skip
    assert decoded.codes == ["index_reused", "stop_without_start", "block_not_stopped"]


def test_what_has_no_place() -> None:
    frames = [call_start(), text("x"), reasoning(text="x"), delta(0, toolResult=[]), delta(1, image={}), text("y", 1)]
    decoded = converse(*frames, arguments("{}", 1), stop(), stop(1), reason="tool_use")

    errors = [part["payload"] for part in decoded.parts if part["type"] == "error"]
    assert errors == [payload_of(frame) for frame in (*frames[1:5], arguments("{}", 1))]
    assert [part for part in decoded.parts if part["type"] == "tool-call"] == [t_call("{}")]
    assert decoded.message.text == "y"


def test_arguments_of_no_call_are_reported_once() -> None:
    frame = arguments("{}")
    decoded = converse(frame, frame, text("x"), stop())

    assert decoded.parts[1:-1] == [err("nameless_call", "stream", size(BEGIN, frame), payload_of(frame))]


@pytest.mark.parametrize("name", [None, "", "null"])
def test_a_call_without_a_name(name: Any) -> None:
    frame = call_start(name=name)
    decoded = converse(frame, arguments("{}"), stop(), reason="tool_use")

    assert decoded.parts[1:-1] == [err("nameless_call", "stream", size(BEGIN, frame), payload_of(frame))]
    assert decoded.codes == ["finish_without_calls"]


def test_ids_are_unique_and_never_empty() -> None:
    decoded = converse(
        call_start(0, "call_gen_0"), stop(0), call_start(1, None), stop(1), call_start(2, "call_gen_0"), stop(2), reason="tool_use"
    )

    assert [call.id for call in decoded.message.tool_calls] == ["call_gen_0", "call_gen_1", "call_gen_2"]
    assert decoded.codes == ["id_synthesised", "duplicate_id"]


@pytest.mark.parametrize(("given", "text_of_it"), [({"k": 1}, '{"k":1}'), ('{"k": 1}', '{"k": 1}')])
def test_arguments_that_come_with_the_start(given: Any, text_of_it: str) -> None:
    decoded = converse(call_start(input=given), stop(), reason="tool_use")

    assert decoded.parts[1:-1] == [i_start(), *ended(text_of_it)]
    assert decoded.codes == ["start_not_empty"]


def test_arguments_that_are_no_object() -> None:
    decoded = converse(call_start(), arguments('{"k'), stop(), reason="max_tokens")

    assert decoded.parts[1:-1] == [i_start(), i_delta('{"k'), *ended('{"k', invalid=True)]
    assert decoded.codes == ["invalid_arguments"]


def test_several_members() -> None:
    decoded = converse(delta(0, text="a", reasoningContent={"text": "b", "signature": "s"}), stop())

    assert decoded.message.text == "a"
    assert decoded.message.reasoning == "b"
    assert decoded.codes == ["several_members", "block_kind_changed"]


def test_events_out_of_order() -> None:
    decoded = read(CONVERSE, text("a"), message_stop(), BEGIN, BEGIN, text("b"), stop(), message_stop(), METADATA)

    assert decoded.parts == [START, t_start(), t_delta("a"), t_delta("b"), t_end(), fin("stop", "end_turn")]
    assert decoded.codes == [
        "message_start_missing", "data_after_end", "data_after_end", "message_start_repeated", "data_after_end",
        "data_after_end", "data_after_end",
    ]  # fmt: skip
