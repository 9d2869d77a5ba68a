"""``bedrock-converse-stream``: parts of well-formed streams, cuts, how the service says no, and the quick path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder, ErrorKind, Limits
from streamcore.dialects.bedrock.blocks import joined_base64

from .bedrock_wire import (
    BEGIN,
    CONVERSE,
    HI,
    METADATA,
    SAID,
    USAGE,
    arguments,
    call_start,
    converse,
    delta,
    event_of,
    exception,
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
    unmodelled,
)
from .eventstream_wire import event
from .wire import NO_USAGE, START, Json, ended, err, i_delta, i_start, size, t_call, t_delta, t_end, t_start

# -- well-formed ----------------------------------------------------------------------------------------------------


def test_text() -> None:
    decoded = converse(text("h\u00e9"), text(": \\ {"), text('"'), stop())

    assert decoded.parts == [
        START, t_start(), t_delta("h\u00e9"), t_delta(": \\ {"), t_delta('"'), t_end(), fin("stop", "end_turn", USAGE),
    ]  # fmt: skip
    assert decoded.codes == []
    assert decoded.message.complete


def test_metadata_may_come_first() -> None:
    decoded = read(CONVERSE, BEGIN, *HI, METADATA, message_stop())

    assert decoded.parts == [START, *SAID, fin("stop", "end_turn")]


def test_a_start_without_a_kind_is_text() -> None:
    assert converse(start(0), text(), stop()).parts[1:-1] == [t_start(), t_delta("x"), t_end()]


def test_reasoning() -> None:
    decoded = converse(
        reasoning(text="th"), reasoning(text="ink"), reasoning(signature="S+/="), stop(), text("x", 1), stop(1)
    )

    assert decoded.parts[1:-1] == [
        r_start(), r_delta("th"), r_delta("ink"), r_delta("", signature="S+/="), r_end(),
        t_start("1"), t_delta("x", "1"), t_end("1"),
    ]  # fmt: skip
    assert decoded.codes == []


def test_redacted_reasoning() -> None:
    decoded = converse(
        reasoning(data="old"), stop(), reasoning(1, redactedContent="YQ=="), reasoning(1, redactedContent="Yg=="), stop(1)
    )

    assert decoded.parts[1:-1] == [
        r_start(), r_delta("", redactedData="old"), r_end(), r_start("1"), r_end("1", redactedContent="YWI="),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wire", "joined"), [("YWJj", "YWJj"), ("YQ==", "YQ=="), ("YQ==YmM=", "YWJj"), ("YQ=!=", "YQ=!="), ("", "")]
)
def test_pieces_of_base64_are_joined_as_bytes(wire: str, joined: str) -> None:
    assert joined_base64(wire) == joined


def test_nothing_to_show_opens_nothing() -> None:
    decoded = converse(
        text(""), stop(0), reasoning(1, text=""), stop(1), delta(2, citation={"title": "t"}), text("x", 2), stop(2), delta(3)
    )

    assert decoded.parts[1:-1] == [t_start("2"), t_delta("x", "2"), t_end("2")]
    assert decoded.codes == ["citation"]


def test_calls_in_parallel() -> None:
    decoded = converse(
        call_start(0), call_start(1, "b", "g"), arguments("", 0), arguments('{"k"', 0), arguments("{}", 1),
        arguments(":1}", 0), stop(1), stop(0), reason="tool_use",
    )  # fmt: skip

    assert decoded.parts[1:] == [
        i_start(), i_start("b", "g"), i_delta(""), i_delta('{"k"'), i_delta("{}", "b"), i_delta(":1}"),
        *ended("{}", "b", "g"), *ended('{"k":1}'), fin("tool-calls", "tool_use"),
    ]  # fmt: skip
    assert [call.input for call in decoded.message.tool_calls] == [{"k": 1}, {}]
    assert decoded.codes == []


def test_a_call_without_arguments() -> None:
    decoded = converse(call_start(), stop(), reason="tool_use")

    assert decoded.parts[1:-1] == [i_start(), *ended("{}")]


def test_a_tool_that_bedrock_runs() -> None:
    decoded = converse(
        call_start(0, type="server_tool_use"), arguments("{}"), stop(0),
        start(1, toolResult={"toolUseId": "a", "status": "success"}),
        delta(1, toolResult=[{"text": "1"}]), delta(1, toolResult=[{"json": {}}]), stop(1),
        start(2, toolResult={"toolUseId": "z", "status": "error"}), stop(2),
    )  # fmt: skip

    assert decoded.parts[1:-1] == [
        i_start(providerExecuted=True), i_delta("{}"), *ended("{}", providerExecuted=True)[:1],
        t_call("{}", providerExecuted=True),
        {"type": "tool-result", "toolCallId": "a", "toolName": "f", "result": [{"text": "1"}, {"json": {}}]},
        {"type": "tool-result", "toolCallId": "z", "toolName": "", "result": [], "isError": True},
    ]  # fmt: skip
    assert decoded.codes == ["result_without_call"]
    assert not decoded.message.tool_calls[0].executable


def test_an_image() -> None:
    decoded = converse(
        start(0, image={"format": "png"}), delta(0, image={"source": {"bytes": "YWJj"}}),
        delta(0, image={"source": {"bytes": "ZGU="}}), stop(0), start(1, image={"format": "png"}), stop(1),
    )  # fmt: skip

    assert decoded.parts[1:-1] == [{"type": "file", "mediaType": "image/png", "data": "YWJjZGU="}]


def test_an_image_that_failed() -> None:
    failure = delta(0, image={"error": {"message": "no"}})
    decoded = converse(start(0, image={"format": "png"}), failure, delta(0, image={}), stop(0))

    [error] = [part for part in decoded.parts if part["type"] == "error"]
    assert (error["kind"], error["payload"]) == ("provider", payload_of(failure))


@pytest.mark.parametrize(
    ("reason", "unified"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("content_filtered", "content-filter"),
        ("guardrail_intervened", "content-filter"), ("malformed_tool_use", "other"),
        ("model_context_window_exceeded", "other"),
    ],
)  # fmt: skip
def test_stop_reasons(reason: str, unified: str) -> None:
    decoded = converse(*HI, reason=reason)

    assert decoded.parts[-1] == fin(unified, reason)
    assert decoded.codes == []


def test_all_of_the_metadata() -> None:
    usage = {
        "inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 10, "cacheWriteInputTokens": 100,
        "cacheDetails": [{"inputTokens": 100, "ttl": "5m", "more": 1}], "serverToolUsage": {},
    }  # fmt: skip
    decoded = read(
        CONVERSE,
        BEGIN,
        message_stop("stop_sequence", additionalModelResponseFields={"delta": {"stop_sequence": "END"}, "more": 1}),
        event_of("metadata", trace={"guardrail": {}}),
        event_of(
            "metadata", usage=usage, trace={}, performanceConfig={"latency": "optimized"}, serviceTier={"type": "flex"}
        ),
    )

    assert decoded.parts[-1] == fin(
        "stop",
        "stop_sequence",
        {
            "inputTokens": {"total": 111, "noCache": 1, "cacheRead": 10, "cacheWrite": 100},
            "outputTokens": {"total": 2, "text": 2},
            "raw": usage,
        },
        usage={"cacheWriteInputTokens": 100, "cacheDetails": usage["cacheDetails"]},
        trace={},
        performanceConfig={"latency": "optimized"},
        serviceTier={"type": "flex"},
        stopSequence="END",
    )


# -- cut ------------------------------------------------------------------------------------------------------------


def test_no_message_stop_is_a_cut() -> None:
    frames = BEGIN, call_start(), arguments("{}")
    decoded = read(CONVERSE, *frames)

    assert decoded.parts == [START, i_start(), i_delta("{}"), err("incomplete_stream", "close", size(*frames))]
    assert not decoded.message.tool_calls[0].complete


def test_a_frame_that_is_cut() -> None:
    frames = BEGIN, *HI, message_stop()
    decoded = read(CONVERSE, *frames, METADATA[:-1])

    assert decoded.parts == [START, *SAID, err("incomplete_stream", "close", size(*frames, METADATA) - 1)]


def test_message_stop_is_enough() -> None:
    decoded = read(CONVERSE, BEGIN, *HI, message_stop())

    assert decoded.parts == [START, *SAID, fin("stop", "end_turn", NO_USAGE)]
    assert decoded.codes == ["usage_missing"]


def test_the_stop_reason_vouches_for_a_call_without_its_stop() -> None:
    assert converse(call_start(), arguments("{}"), reason="tool_use").parts[1:-1] == [
        i_start(), i_delta("{}"), *ended("{}"),
    ]  # fmt: skip
    cut = converse(call_start(), arguments("{}"), text("x", 1), reason="max_tokens")
    assert cut.parts[1:-1] == [i_start(), i_delta("{}"), t_start("1"), t_delta("x", "1"), t_end("1")]
    assert cut.codes == ["block_not_stopped", "block_not_stopped"]
    assert not cut.message.tool_calls[0].complete


def test_a_flipped_bit_is_found() -> None:
    frames = BEGIN, text("a"), text("b")
    body = bytearray(b"".join(frames))
    body[size(BEGIN) + 140] ^= 1
    decoded = read(CONVERSE, bytes(body))

    assert decoded.parts == [START, err("frame_crc", "stream", size(BEGIN))]


# -- errors of the service ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["throttlingException", "someFutureException"])
def test_an_exception(name: str) -> None:
    frames = BEGIN, text("a"), exception(name, {"message": "slow", "p": "ab"})
    decoded = read(CONVERSE, *frames)

    error = err("provider", "stream", size(*frames), {"message": "slow"})
    assert decoded.parts == [START, t_start(), t_delta("a"), error, fin("error", None, NO_USAGE)]
    assert decoded.message.error is not None
    assert decoded.message.error.detail == f"{name}: slow"


def test_an_exception_that_is_sent_as_an_event() -> None:
    frames = BEGIN, *HI, message_stop(), METADATA, event_of("modelStreamErrorException", message="no")
    decoded = read(CONVERSE, *frames)

    error = err("provider", "stream", size(*frames), {"message": "no"})
    assert decoded.parts == [START, *SAID, error, fin("error", None)]


def test_an_exception_that_is_no_json() -> None:
    frames = BEGIN, exception("internalServerException", b"oops")

    assert read(CONVERSE, *frames).parts[1] == err("provider", "stream", size(*frames), "oops")


def test_an_exception_before_anything_else() -> None:
    frame = exception("validationException", {"message": "bad"})

    assert read(CONVERSE, frame, BEGIN).parts == [err("provider", "open", size(frame), {"message": "bad"})]


def test_an_unmodelled_error() -> None:
    frames = BEGIN, unmodelled("InternalError", "boom")
    decoded = read(CONVERSE, *frames)

    assert decoded.parts[1] == err("provider", "stream", size(*frames), {"code": "InternalError", "message": "boom"})
    assert decoded.message.error is not None
    assert decoded.message.error.detail == "InternalError: boom"


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        ({"message": "denied"}, {"message": "denied"}),
        ({"Message": "denied"}, {"Message": "denied"}),
        ({"__type": "X"}, {"__type": "X"}),
        ({"Output": {"__type": "X"}, "Version": "1.0"}, {"__type": "X"}),
        ({"error": {"message": "no"}}, {"message": "no"}),
    ],
)
def test_a_refusal_without_framing(body: Json, payload: Json) -> None:
    written = json.dumps(body).encode()

    assert read(CONVERSE, written).parts == [err("provider", "open", 0, payload)]


@pytest.mark.parametrize("body", [b"<html>502</html>", b'["message"]', b'{"x":1}' * 3])
def test_a_body_of_another_kind(body: bytes) -> None:
    assert read(CONVERSE, body).parts == [err("not_an_event_stream", "open", 0)]


# -- the quick path -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        b'{"contentBlockIndex":0,"delta":{"text":"b"},"p":null}',
        b'{"contentBlockIndex":0,"delta":{"text":"b","toolUse":null}}',
        b'{"contentBlockIndex":0,"delta":{"text":"b"},"delta":{"text":"c"}}',
        b'{"contentBlockIndex":0,"delta":{"text":"a:b"},"delta":{"text":":c"}}',
        b'{"contentBlockIndex":0,"delta":{"text":"\\u003a"}}',
        b'{"contentBlockIndex":0,"delta":{"text":":","tex\\u0074":"b"}}',
        b'{"contentBlockIndex":0.0,"delta":{"text":"b"}}',
        b'{"contentBlockIndex":false,"delta":{"text":"b"}}',
        b'{"contentBlockIndex":0,"delta":{"text":"b\\ud83d"}}',
        b'{"contentBlockIndex":0,"delta":{"text":"b\xff"}}',
        b'{"contentBlockIndex":0,"delta":{"text":"b"}} ',
        b'{"contentBlockIndex":0,"delta":{"text":"b","more":1}}',
        b'{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"b"}}}',
        b'{"contentBlockIndex":0,"delta":{"toolUse":{"input":"b"}}}',
        b'{"contentBlockIndex":9,"delta":{"text":"b"}}',
        b'{"contentBlockIndex":0,"delta":{}}',
        b'{"contentBlockIndex":0,"delta":null}',
    ],
)
@pytest.mark.parametrize("policy", ["lenient", "strict"])
def test_the_quick_path_changes_nothing(frame: bytes, policy: Any) -> None:
    # The comparison itself is in decode_every_way.
    decoded = converse(text("a"), event("contentBlockDelta", frame), text("c"), policy=policy)

    assert decoded.parts[:3] == [START, t_start(), t_delta("a")]


def test_limits() -> None:
    shallow = Limits(max_json_depth=2)
    decoded = read(CONVERSE, BEGIN, text("a"), text("b"), reasoning(text="c"), limits=shallow)
    assert decoded.message.text == "ab"
    assert decoded.parts[4]["kind"] == "malformed_json"
    small = Limits(max_arguments_chars=3)
    decoded = read(CONVERSE, BEGIN, call_start(), arguments("ab"), arguments("cd"), arguments("e"), limits=small)
    assert [part["type"] for part in decoded.parts[2:]] == ["tool-input-delta", "error", "error"]
    assert decoded.parts[3]["kind"] == "event_too_large"
    few = Limits(max_open_calls=1)
    decoded = read(CONVERSE, BEGIN, text("a"), text("b", 1), text("c", 1), limits=few)
    assert decoded.message.error is not None
    assert decoded.message.error.kind is ErrorKind.TOOL_CALL_PROTOCOL


def test_strict_ends_at_the_first_departure() -> None:
    decoded = converse(*HI, stop(3), policy="strict")

    assert [part["type"] for part in decoded.parts[4:]] == ["error"]


def test_nothing_follows_a_fatal_error() -> None:
    decoder = Decoder(CONVERSE, policy="strict")
    decoder.feed(BEGIN + text("a") + stop(5))

    assert decoder.feed(text("a") + stop()) == []
    assert decoder.close() == []
