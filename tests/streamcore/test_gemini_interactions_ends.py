"""Gemini's Interactions API: how an interaction ends, and streams that are cut, broken or odd."""

from __future__ import annotations

import random
from typing import Any

import pytest

from streamcore import Limits

from .interactions_wire import CREATED, DONE, META, MINE, NAME, body, completed, fin, interaction, said, step
from .wire import NO_USAGE, START, Json, decode, decode_every_way, err, event, t_delta, t_end, t_start


@pytest.mark.parametrize(
    ("status", "unified"),
    [
        ("completed", "stop"),
        ("requires_action", "tool-calls"),
        ("failed", "error"),
        ("incomplete", "length"),
        ("cancelled", "other"),
        ("future", "other"),
    ],
)
def test_statuses(status: str, unified: str) -> None:
    decoded = interaction(status=status)

    assert decoded.parts[-1] == fin(unified, status)
    told = {"future": ["unknown_finish_reason"], "requires_action": ["finish_without_calls"]}
    assert decoded.codes == told.get(status, [])


def test_usage() -> None:
    raw = {
        "total_input_tokens": 9,
        "total_cached_tokens": 2,
        "total_output_tokens": 3,
        "total_thought_tokens": 4,
        "output_tokens_by_modality": [{"modality": "text", "tokens": 3}, {"modality": None}],
        "x": 1,
    }
    decoded = decode_every_way(body(CREATED, completed(usage=raw, service_tier="flex")), NAME)
    usage = {
        "inputTokens": {"total": 9, "noCache": 7, "cacheRead": 2},
        "outputTokens": {"total": 7, "text": 3, "reasoning": 4},
        "raw": raw,
    }
    assert decoded.parts[-1] == fin("stop", "completed", usage, serviceTier="flex", outputTokensByModality={"text": 3})

    empty = decode_every_way(body(CREATED, completed(usage={})), NAME)
    assert empty.parts[-1] == fin("stop", "completed", {**NO_USAGE, "raw": {}})


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (said("interaction.requires_action"), "requires_action"),
        (said("interaction.status_update", status="failed"), "failed"),
    ],
)
def test_a_status_that_ends_the_stream(last: Json, status: str) -> None:
    decoded = decode_every_way(body(CREATED, last), NAME)

    assert decoded.parts[-1]["finishReason"]["raw"] == status
    # V17: nothing was called that an action could be required for.
    assert decoded.codes == ["missing_done", *(["finish_without_calls"] if status == "requires_action" else [])]
    assert decode_every_way(body(CREATED, last), NAME, policy="strict").parts[-1]["kind"] == "incomplete_stream"


def test_a_cut_stream_never_looks_complete() -> None:
    whole = body(
        CREATED,
        said("interaction.in_progress"),
        *step("model_output", {"type": "text", "text": "a:b"}),
        *step("function_call", {"type": "arguments_delta", "arguments": "{}"}, index=1, id="c", name="f"),
        completed(),
    )
    parts = decode_every_way(whole, NAME).parts
    for at in range(whole.rindex(b"}") + 1):
        cut = decode(whole[:at], NAME)
        assert cut.parts[-1]["kind"] == "incomplete_stream"
        before = cut.parts[:-1]
        assert before == parts[: len(before)]


def test_what_is_open_at_the_end_is_ended_unless_it_is_a_call() -> None:
    decoded = interaction(
        said("step.start", index=0, step={"type": "model_output", "content": [{"type": "text"}]}),
        said("step.start", index=1, step={"type": "function_call", "name": "f", "id": "c"}),
        said("step.start", index=2, step={"type": "thought"}),
        said("step.start", index=3, step={"type": "google_search_call"}),
    )

    assert [part["type"] for part in decoded.parts[2:]] == [
        "text-start",
        "tool-input-start",
        "reasoning-start",
        "text-end",
        "reasoning-end",
        "finish",
    ]
    assert decoded.codes == ["call_not_ended"]
    assert not decoded.message.tool_calls[0].executable


def test_an_error_in_the_stream() -> None:
    error = {"code": "internal", "message": "boom"}
    start = said("step.start", index=0, step={"type": "model_output", "content": [{"type": "text", "text": "a"}]})
    wire = body(CREATED, start, said("error", error=error))
    decoded = decode_every_way(wire, NAME)

    assert decoded.parts[2:] == [
        t_start("v1:0"),
        t_delta("a", "v1:0"),
        err("provider", "stream", len(wire), error),
        t_end("v1:0", providerMetadata=MINE),
        fin("error", "failed"),
    ]
    unknown = decode_every_way(body(CREATED, said("error")), NAME)
    assert unknown.parts[2]["payload"] == {"message": "Unknown interaction error"}
    late = decode_every_way(body(CREATED, completed(), said("error", error=error)), NAME)
    assert [part["type"] for part in late.parts[2:]] == ["finish", "error"]
    assert not late.message.complete


@pytest.mark.parametrize("wire", [said("error", error={"code": "x"}), {"error": {"code": "x"}}])
def test_an_error_instead_of_a_stream(wire: Json) -> None:
    whole = event(wire)

    assert decode_every_way(whole, NAME).parts == [err("provider", "open", len(whole), {"code": "x"})]


def test_what_comes_after_the_end() -> None:
    decoded = decode_every_way(body(CREATED, completed(), *step("thought")) + DONE, NAME)

    assert decoded.parts == [START, META, fin("stop", "completed")]
    assert decoded.codes == ["data_after_end"] * 2


def test_what_is_unknown_is_a_warning() -> None:
    decoded = interaction(
        said("interaction.sparkled"),
        *step("dream", {"type": "dust"}),
        *step("thought", {"type": "text", "text": "x"}, index=1),
        said("step.delta", index=7, delta={"type": "text", "text": "x"}),
        said("step.stop", index=7),
    )

    assert decoded.codes == ["unknown_event", "unknown_step", "unknown_delta", "unknown_delta", *["unknown_step"] * 2]
    assert decoded.message.complete


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        said("step.start"),
        said("step.stop", index="0"),
        said("step.stop", index=0.5),
        said("step.delta", index=0, delta={"type": 1}),
        said("step.delta", index=0, delta={"type": "text", "text": 1}),
        said("step.start", index=0, step={"type": "google_search_call", "arguments": "x"}),
        said("interaction.created", interaction=[]),
        {"event_type": 1},
    ],
)
def test_payloads_of_another_shape(value: Any) -> None:
    wire = body(CREATED) + event(value if value is not None else "null") + body(completed())
    decoded = decode_every_way(wire, NAME)

    assert (decoded.parts[2]["kind"], decoded.parts[2]["payload"]) == ("invalid_payload", value)
    assert not decoded.message.complete


def test_a_payload_that_is_no_json() -> None:
    assert decode_every_way(body(CREATED) + event("{"), NAME).parts[2]["kind"] == "malformed_json"


def near_a_text_delta() -> list[bytes]:
    plain = b'{"index":0,"delta":{"text":"x","type":"text"},"event_type":"step.delta"}'
    letters = [b'"\\ud83d"', b'"\\u003a"', b'":"', b'""', b'"\xff"', b'"\xed\xa0\x80"', b"1", b"null", b'"x","text":"y"']
    found = [plain, *(plain.replace(b'"x"', other) for other in letters)]
    found += [plain.replace(b'"index":0', b'"index":' + other) for other in (b"1", b"0.0", b"true", b"9", b"0,\"index\":1")]
    found += [plain.replace(b'"index"', b'"event_id":%s,"index"' % other) for other in (b'"e:"', b"null", b"1")]
    found += [plain.replace(b'"index"', b'"more":[],"index"'), plain.replace(b"step.delta", b"step.stop"), plain + b"x"]
    return found


def test_the_quick_path_gives_what_the_general_one_gives() -> None:
    texts = step("model_output", {"type": "text", "text": "a"})[:-1]
    for opening in ([], texts, [*texts, *step("thought", index=1)[:1]], [*texts, completed()]):
        for variant in near_a_text_delta():
            wire = body(CREATED, *opening) + event(variant) + body(completed())
            for options in ({}, {"policy": "strict"}, {"limits": Limits(max_json_depth=1)}):
                quick: Any = decode(wire, NAME, **options)
                assert quick == decode(wire, NAME, general=True, **options), variant


def test_mutated_bytes_never_raise() -> None:
    chance = random.Random(3)
    whole = body(
        CREATED,
        *step("thought", {"type": "thought_signature", "signature": "s"}),
        *step("model_output", {"type": "text", "text": "a"}, {"type": "text_annotation", "annotations": [{"type": "x"}]}),
        *step("function_call", {"type": "arguments_delta", "arguments": "{}"}, id="c", name="f"),
        *step("file_search_result", result=[{"url": "https://a"}]),
        completed(usage={"total_input_tokens": 1}),
    )
    tokens = [b'"', b"{", b"}", b"[", b"]", b":", b",", b"null", b"1e999", b"\xff", b"\n\n", b"-1", b"true"]
    for _ in range(200):
        mutated = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(mutated))
            mutated[at : at + chance.randint(0, 3)] = chance.choice(tokens)
        wire = bytes(mutated)
        decoded = decode(wire, NAME)
        assert decode([wire[:70], wire[70:200], wire[200:]], NAME) == decoded
        assert decode(wire, NAME, general=True) == decoded
        assert any(part["type"] in ("finish", "error") for part in decoded.parts)


@pytest.mark.parametrize("created", ["0001-01-01T00:00:00+10:00", "", "soon"])
def test_a_time_that_is_none(created: str) -> None:
    wire = body(said("interaction.created", interaction={"id": "v1", "created": created}), completed())

    assert decode_every_way(wire, NAME).parts[1] == {"type": "response-metadata", "id": "v1"}


def test_a_time_without_a_zone_is_in_utc() -> None:
    wire = body(said("interaction.created", interaction={"created": "2026-05-13T19:57:27.5"}), completed())

    assert decode_every_way(wire, NAME).parts[1]["timestamp"] == "2026-05-13T19:57:27.500Z"


def test_a_step_that_is_replayed_is_reported_and_is_another_block() -> None:
    """V14, V21: whether the step before it at its index had ended or not."""
    text = step("model_output", {"type": "text", "text": "a"})
    for first in (text, text[:-1]):
        decoded = decode_every_way(body(CREATED, *first, *text, completed()), NAME)
        assert decoded.codes == ["index_collision"]
        blocks = [part["id"] for part in decoded.parts if part["type"].startswith("text-")]
        assert blocks == ["v1:0"] * 3 + ["v1:0:2"] * 3

    call = step("function_call", {"type": "arguments_delta", "arguments": "{}"}, id="a", name="f")
    decoded = decode_every_way(body(CREATED, *call[:-1], *text, completed("requires_action")), NAME)
    assert decoded.codes == ["index_collision", "call_not_ended"]
    assert not [part for part in decoded.parts if part["type"] == "tool-call"]


def test_a_step_that_calls_itself_what_an_output_becomes_opens_nothing() -> None:
    """Found by fuzzing: its deltas came out of a block that had not started."""
    decoded = interaction(*step("text", {"type": "text", "text": "lost"}))

    assert not [part for part in decoded.parts if part["type"].startswith("text")]
