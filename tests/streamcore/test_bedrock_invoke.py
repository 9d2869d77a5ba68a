"""``bedrock-invoke-with-response-stream``: each model family's own events, and what Bedrock puts around them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from streamcore import Decoder, Limits

from . import anthropic_wire as anthropic
from .bedrock_models import CLAUDE, COMMAND, DEEPSEEK, LAST, LLAMA, MESSAGE, METRICS, MISTRAL, NOVA, TITAN
from .bedrock_wire import INVOKE, chunk, compact, event_of, exception, fin, invoke, read
from .eventstream_wire import event
from .wire import NO_USAGE, START, Json, decode, ended, err, fin_of, i_delta, i_start, size, t_delta, t_end, t_start

USAGE: Json = {
    "inputTokens": {"total": 5, "noCache": 5},
    "outputTokens": {"total": 6, "text": 6},
    "raw": METRICS,
}


def payload(*events: Any, **options: Any) -> list[Json]:
    """The parts after ``stream-start``."""
    first, *rest = invoke(*events, **options).parts
    assert first == START
    return rest


# -- Anthropic ------------------------------------------------------------------------------------------------------


def test_a_message_is_what_the_messages_api_streams() -> None:
    decoded = invoke(*MESSAGE)

    assert decoded.parts == decode(anthropic.sse(*MESSAGE), anthropic.DIALECT).parts
    assert decoded.codes == []
    assert decoded.message.tool_calls[0].id == "t2"
    assert decoded.message.complete


def test_a_message_that_is_cut() -> None:
    frames = [chunk(item) for item in MESSAGE[:11]]
    decoded = read(INVOKE, *frames)

    assert decoded.parts[-2:] == [i_delta('{"k":', "t2"), err("incomplete_stream", "close", size(*frames))]


def test_an_error_of_the_model() -> None:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    frames = [chunk(MESSAGE[0]), chunk({"type": "error", "error": error})]

    assert read(INVOKE, *frames).parts[2:] == [err("provider", "stream", size(*frames), error)]


# -- Nova -----------------------------------------------------------------------------------------------------------


def test_nova() -> None:
    usage = {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokenCount": 0}
    last = {"metadata": {"usage": usage, "metrics": {}}, **LAST, "amazon-bedrock-trace": {"guardrail": {}}}
    decoded = invoke(*NOVA, last)

    shown = {
        "inputTokens": {"total": 3, "noCache": 3, "cacheRead": 0, "cacheWrite": 0},
        "outputTokens": {"total": 4, "text": 4},
        "raw": usage,
    }
    assert decoded.parts == [
        START, t_start(), t_delta("a"), t_end(), i_start(), i_delta("{}"), *ended("{}"),
        fin("tool-calls", "tool_use", shown, trace={"guardrail": {}}),
    ]  # fmt: skip
    assert decoded.codes == []


def test_nova_that_is_cut() -> None:
    assert payload(*NOVA[:5])[-1]["kind"] == "incomplete_stream"


def test_a_service_error_takes_back_the_stop_reason_of_nova() -> None:
    frames = [*map(chunk, NOVA), exception("modelStreamErrorException", {"message": "no"})]
    decoded = read(INVOKE, *frames)

    assert decoded.parts[-2:] == [
        err("provider", "stream", size(*frames), {"message": "no"}), fin("error", None, NO_USAGE),
    ]  # fmt: skip


def test_nova_events_that_are_no_objects() -> None:
    frames = [chunk(NOVA[0]), chunk([]), chunk(b"{")]

    assert read(INVOKE, *frames).parts[1:3] == [
        err("invalid_payload", "stream", size(*frames[:2]), []), err("malformed_json", "stream", size(*frames), "{"),
    ]  # fmt: skip


# -- chat completions -----------------------------------------------------------------------------------------------


def test_chunks_of_a_chat_completion() -> None:
    def piece(delta: Json, finish: str | None = None, **more: Any) -> Json:
        return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}

    call = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    decoded = invoke(
        piece({"role": "assistant", "content": "a"}), piece({"content": "b"}), piece({"tool_calls": [call]}),
        piece({}, "tool_calls", **LAST), {"id": "c", "model": "m", "choices": []},
    )  # fmt: skip

    assert decoded.message.text == "ab"
    assert [(block.id, block.arguments) for block in decoded.message.tool_calls] == [("a", "{}")]
    assert decoded.parts[-1]["finishReason"] == {"unified": "tool-calls", "raw": "tool_calls"}
    assert decoded.codes == []
    assert payload(piece({"content": "a"}))[-1]["kind"] == "incomplete_stream"


# -- text -----------------------------------------------------------------------------------------------------------

FAMILIES = {
    "titan": (TITAN, "stop", "FINISH"),
    "llama": (LLAMA, "length", "length"),
    "claude": (CLAUDE, "stop", "stop_sequence"),
    "command": (COMMAND, "stop", "COMPLETE"),
    "mistral": (MISTRAL, "stop", "stop"),
    "deepseek": (DEEPSEEK, "length", "length"),
}
TEXT = [t_start(), t_delta("a"), t_delta("b"), t_end()]


@pytest.mark.parametrize("family", FAMILIES)
def test_text_of_a_family(family: str) -> None:
    events, unified, raw = FAMILIES[family]
    decoded = invoke(*events[:-1], {**events[-1], **LAST})

    assert decoded.parts == [START, *TEXT, fin(unified, raw, USAGE)]
    assert decoded.codes == []


@pytest.mark.parametrize("family", FAMILIES)
def test_text_of_a_family_that_is_cut(family: str) -> None:
    events = FAMILIES[family][0][:-1]

    assert payload(*events)[-1] == err("incomplete_stream", "close", size(*map(chunk, events)))


@pytest.mark.parametrize(("family", "counts"), [("titan", (5.0, 6.0)), ("llama", (5, 6)), ("mistral", None)])
def test_without_metrics_the_counts_of_the_family_are_the_usage(family: str, counts: Any) -> None:
    events, unified, raw = FAMILIES[family]
    usage = NO_USAGE
    if counts:
        total, answer = counts
        usage = {"inputTokens": {"total": total, "noCache": total}, "outputTokens": {"total": answer, "text": answer}}

    assert payload(*events)[-1] == fin(unified, raw, usage)


def test_several_answers() -> None:
    decoded = invoke(
        {"index": 0, "text": "a", "is_finished": False}, {"index": 1, "text": "b", "is_finished": False},
        {"index": 1, "is_finished": True, "finish_reason": "COMPLETE"},
        {"is_finished": True, "finish_reason": "MAX_TOKENS", **LAST},
    )  # fmt: skip

    assert decoded.parts == [
        START, t_start(), t_delta("a"), t_start("1", choice=1), t_delta("b", "1", choice=1), t_end("1", choice=1),
        fin_of(1, "stop", "COMPLETE"), t_end(), fin("length", "MAX_TOKENS", USAGE),
    ]  # fmt: skip
    assert decoded.message.alternatives[0].text == "b"


def test_a_guardrail_that_blocks() -> None:
    blocked = {
        "outputText": "Blocked", "index": 0.0, "totalOutputTextTokenCount": 3.0, "inputTextTokenCount": 6.0,
        "amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": {"guardrail": {}},
    }  # fmt: skip
    usage = {"inputTokens": {"total": 6.0, "noCache": 6.0}, "outputTokens": {"total": 3.0, "text": 3.0}}

    assert payload(blocked)[-1] == fin("content-filter", "INTERVENED", usage, trace={"guardrail": {}})


def test_a_family_that_gives_no_reason() -> None:
    assert payload({"generation": "a", **LAST})[-1] == fin("other", None, USAGE)


def test_what_is_not_known_to_a_family() -> None:
    decoded = invoke({"text": "a", "is_finished": False, "tool_calls": [{}]}, {"x": 1}, {**COMMAND[2], "finish_reason": "?"})

    assert decoded.parts[1:] == [t_start(), t_delta("a"), t_end(), fin("other", "?", NO_USAGE)]
    assert decoded.codes == ["unread_content", "unknown_event", "unknown_stop_reason"]


def test_what_does_not_fit_a_family() -> None:
    frames = [chunk(LLAMA[0]), chunk({"generation": 1}), chunk([]), chunk(b"{"), chunk({"error": {"message": "no"}})]
    decoded = read(INVOKE, *frames)

    assert decoded.parts[3:] == [
        err("invalid_payload", "stream", size(*frames[:2]), {"generation": 1}),
        err("invalid_payload", "stream", size(*frames[:3]), []),
        err("malformed_json", "stream", size(*frames[:4]), "{"),
        err("provider", "stream", size(*frames), {"message": "no"}),
        t_end(),
        fin("error", None, {
            "inputTokens": {"total": 5, "noCache": 5}, "outputTokens": {"total": 1, "text": 1},
        }),
    ]  # fmt: skip


def test_text_after_the_last_event() -> None:
    decoded = invoke(*LLAMA, {"generation": "c"})

    assert decoded.message.text == "abc"
    assert decoded.codes == ["data_after_end"]


# -- what is around them --------------------------------------------------------------------------------------------


def test_an_exception_before_any_event() -> None:
    frame = exception("throttlingException", {"message": "slow"})

    assert read(INVOKE, frame, chunk(LLAMA[0])).parts == [err("provider", "open", size(frame), {"message": "slow"})]


@pytest.mark.parametrize("events", [MESSAGE, LLAMA], ids=["anthropic", "llama"])
def test_an_exception_in_the_middle(events: list[Json]) -> None:
    frames = [chunk(events[0]), exception("modelTimeoutException", {"message": "late"})]
    decoded = read(INVOKE, *frames)

    assert err("provider", "stream", size(*frames), {"message": "late"}) in decoded.parts
    assert decoded.message.error is not None
    assert decoded.message.error.detail == "modelTimeoutException: late"


def test_events_that_are_not_known() -> None:
    decoded = invoke(event_of("future", x=1), *LLAMA)

    assert decoded.parts[1:-1] == TEXT
    assert decoded.codes == ["unknown_event"]


@pytest.mark.parametrize("inner", [{"x": 1}, [], {"type": 1}, "x", {"choices": 1}])
def test_a_family_that_is_not_known(inner: Any) -> None:
    frame = chunk(inner)
    expected = inner if inner != {"choices": 1} else None
    decoded = read(INVOKE, frame)

    first = decoded.parts[1]
    assert (first["kind"], first["offset"]) == ("invalid_payload", size(frame))
    assert expected is None or first["payload"] == expected
    assert decoded.parts[-1]["kind"] == "incomplete_stream"


def test_a_first_event_that_is_no_json() -> None:
    frames = [chunk(b"{"), *map(chunk, LLAMA)]
    decoded = read(INVOKE, *frames)

    assert decoded.parts[1] == err("malformed_json", "stream", size(frames[0]), "{")
    assert decoded.parts[2:-1] == TEXT


@pytest.mark.parametrize(
    "payload_text",
    [b'{"p":"a"}', b'{"bytes":"!"}', b'{"bytes":"YQ"}', b'{"bytes":1}', b"[]", b'{"bytes":"YQ==YQ=="}', b'{"bytes":"Y Q=="}'],
)
def test_a_chunk_without_bytes(payload_text: bytes) -> None:
    frames = [chunk(LLAMA[0]), event("chunk", payload_text), chunk(LLAMA[1])]
    decoded = read(INVOKE, *frames)

    assert [part["kind"] for part in decoded.parts if part["type"] == "error"] == ["invalid_payload"]
    assert decoded.message.text == "ab"


def test_a_chunk_that_is_no_json() -> None:
    frames = [chunk(LLAMA[0]), event("chunk", b"{")]

    assert read(INVOKE, *frames).parts[3] == err("malformed_json", "stream", size(*frames), "{")


@pytest.mark.parametrize(
    "written",
    [
        b'{"bytes":"%s"}',
        b'{"bytes":"%s","p":null}',
        b'{"p":":","bytes":"%s"}',
        b' {"bytes" : "%s"}',
        b'{"bytes":"%s","more":1}',
        b'{"bytes":"","bytes":"%s"}',
    ],
)
def test_ways_to_write_a_chunk(written: bytes) -> None:
    encoded = [b64encode(compact(item)) for item in LLAMA]
    decoded = read(INVOKE, *(event("chunk", written % item) for item in encoded))

    assert decoded.parts[1:-1] == TEXT


def test_limits() -> None:
    deep = Limits(max_json_depth=1)

    assert read(INVOKE, chunk({"type": [[]]}), limits=deep).parts[1]["kind"] == "malformed_json"


def test_a_snapshot_brings_back_the_family() -> None:
    body = b"".join(map(chunk, MESSAGE))
    decoder, other = Decoder(INVOKE), Decoder(INVOKE)
    fresh = other.snapshot()
    parts = decoder.feed(body[:1000])
    other.restore(decoder.snapshot())
    rest = other.feed(body[1000:]) + other.close()
    other.restore(fresh)

    assert [part.as_json() for part in parts + rest] == invoke(*MESSAGE).parts
    assert other.close()[-1].as_json()["kind"] == "incomplete_stream"


def test_nothing_follows_a_fatal_error() -> None:
    decoder = Decoder(INVOKE, policy="strict")
    decoder.feed(chunk(LLAMA[0]) + event_of("chunk", bytes="!"))

    assert decoder.feed(chunk(LLAMA[1])) == []
    nova = Decoder(INVOKE, policy="strict")
    assert [part.as_json()["type"] for part in nova.feed(chunk(NOVA[0]) + chunk([]))] == ["stream-start", "error"]
    assert nova.feed(chunk(NOVA[1])) == []
