"""``openai-responses``: how streams begin, fail and are cut; event names and numbers; both paths through the dialect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.rules import cut_is_legal, violations
from streamcore import Decoder, Limits

from .openai_responses_wire import (
    COMPLETED,
    CREATED,
    DIALECT,
    HEAD,
    IN_PROGRESS,
    META,
    START,
    about,
    added,
    arguments,
    arguments_done,
    done,
    ended,
    fin,
    function,
    function_done,
    m_delta,
    m_end,
    m_start,
    message,
    message_done,
    payload,
    raw,
    read,
    read_items,
    reasoning,
    reasoning_done,
    refusal,
    sse,
    summary,
    text,
)
from .wire import decode, err, event, size

if TYPE_CHECKING:
    from .wire import Json

ERROR: Json = {"code": "server_error", "message": "boom"}
FLAT: Json = {"type": "error", **ERROR, "param": None, "sequence_number": 7}
NESTED: Json = {"type": "error", "error": {"type": "t", **ERROR}, "sequence_number": 7}
BARE: Json = {"error": ERROR, "type": "response.hologram"}
FAILED: Json = ended("failed", error=ERROR)
ERRORS: list[tuple[Json, Any]] = [(FLAT, FLAT), (NESTED, NESTED["error"]), (BARE, ERROR)]


# -- errors (V19, WH-028, WH-063) --------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [[], [CREATED], [CREATED, IN_PROGRESS]])
@pytest.mark.parametrize(("wire", "shown"), [*ERRORS, (FAILED, ERROR)])
def test_an_error_before_any_output_is_the_failure_of_the_request(before: list[Json], wire: Json, shown: Any) -> None:
    """It has stage ``open``, and nothing goes before or after it."""
    frames = [*before, wire]

    decoded = read(*frames, message(), text())

    error = shown if "type" not in shown or shown is not wire else wire
    assert decoded.parts == [err("provider", "open", len(sse(*frames)), error)]
    assert decoded.message.error is not None


@pytest.mark.parametrize(("wire", "shown"), ERRORS)
@pytest.mark.parametrize("after", [[], [FAILED], [COMPLETED]])
def test_an_error_after_output(wire: Json, shown: Any, after: list[Json]) -> None:
    """The stream fails once, however often it says so; what came before stays."""
    frames = [CREATED, message(), text(), wire]

    decoded = read(*frames, *after)

    error = err("provider", "stream", len(sse(*frames)), shown)
    assert decoded.parts == [*HEAD, m_start(), m_delta("x"), error, fin("error", "error")]
    assert decoded.message.finish is not None
    assert not decoded.message.complete


def test_a_failed_response() -> None:
    """Its event ends the stream; the reason may be one of an incomplete response."""
    usage = {"input_tokens": 1, "output_tokens": 2}
    end = ended("failed", error=ERROR, usage=usage, service_tier="x", incomplete_details={"reason": "max_output_tokens"})

    decoded = read_items(message(), text(), end=end)

    *_, error, finish = decoded.parts
    assert error["payload"] == ERROR
    assert finish["finishReason"] == {"unified": "length", "raw": "max_output_tokens"}
    assert finish["usage"]["raw"] == usage
    assert "serviceTier" not in finish["providerMetadata"]["openai"]


def test_a_response_that_failed_without_saying_why() -> None:
    """The finish reason says so."""
    decoded = read_items(end=ended("failed", error=None))

    assert decoded.parts == [*HEAD, fin("error", "error")]


def test_an_error_that_is_no_json() -> None:
    """Its text is the payload, if the event says that it is an error."""
    died = event("upstream died", "error")

    decoded = read(CREATED, message(), died)

    assert decoded.parts[3] == err("provider", "stream", size(sse(CREATED, message()), died), "upstream died")
    assert decoded.parts[4:] == [fin("error", "error")]


def test_json_errors_outside_any_event() -> None:
    """A body that is nothing else is the failure of the request."""
    decoded = read(json.dumps({"error": ERROR}).encode())

    assert decoded.parts == [err("provider", "open", len(json.dumps({"error": ERROR})), ERROR)]


def test_malformed_json_decides_the_finish_reason() -> None:
    """As in the reference, although the response was completed."""
    decoded = read_items(event("{", "response.in_progress"), message(), text(), message_done("x"))

    assert decoded.parts[2]["kind"] == "malformed_json"
    assert decoded.parts[-1] == fin("error")
    assert decoded.parts[1] == META


@pytest.mark.parametrize("end", [{"type": "response.completed"}, ended(usage={"input_tokens": None})])
def test_an_end_that_cannot_be_read(end: Json) -> None:
    """The stream has ended all the same."""
    decoded = read_items(message(), text(), message_done("x"), end=end)

    assert [part["type"] for part in decoded.parts[-2:]] == ["error", "finish"]
    assert decoded.parts[-1] == fin("error")


@pytest.mark.parametrize("value", [None, 1, [], {}, {"type": 1}, {"choices": []}])
def test_payloads_that_are_no_events(value: Any) -> None:
    """Each is an error, and the stream goes on."""
    decoded = read_items(event(value), message(), message_done())

    assert decoded.parts[2]["kind"] == "invalid_payload"
    assert decoded.parts[-1] == fin("error")


# -- beginnings and ends ----------------------------------------------------------------------------------------------


def test_a_second_creation() -> None:
    """The same one is a replay; another response ends the stream, for two are never merged."""
    other = {"type": "response.created", "response": {"id": "resp_2"}}

    same = read_items(message(), CREATED, text(), message_done("x"))
    second = read_items(message(), other, text())

    assert (payload(same), same.codes) == ([m_start(), m_delta("x"), m_end()], ["response_created_repeated"])
    assert [part["type"] for part in second.parts] == ["stream-start", "response-metadata", "text-start", "error"]
    assert second.parts[-1]["kind"] == "invalid_payload"


def test_without_creation() -> None:
    """The rest is shown; a late creation is shown when it comes."""
    decoded = read(message(), text(), message_done("x"), COMPLETED)
    late = read(message(), CREATED, text(), message_done("x"), COMPLETED)

    assert decoded.parts[0] == START
    assert decoded.parts[-1]["providerMetadata"] == {"openai": {"responseId": None}}
    assert decoded.codes == ["response_created_missing"]
    assert late.parts[:3] == [START, m_start(), META]


def test_after_the_end() -> None:
    """Nothing more is shown."""
    decoded = read_items(message(), text(), message_done("x"), COMPLETED, text(), end=FLAT)

    assert decoded.parts == [*HEAD, m_start(), m_delta("x"), m_end(), fin("stop")]
    assert decoded.codes == ["data_after_end", "data_after_end"]


@pytest.mark.parametrize("cut", [[], [CREATED], [CREATED, message(), text()], [CREATED, function(), arguments("{}")]])
def test_without_its_end_a_stream_was_cut(cut: list[Json]) -> None:
    """It has no finish, and its calls are not executed (V13, V18)."""
    decoded = read(*cut)

    assert (decoded.parts[-1]["kind"], decoded.parts[-1]["stage"]) == ("incomplete_stream", "close")
    assert decoded.message.finish is not None
    assert decoded.message.finish.unified == "error"
    assert not any(call.complete for call in decoded.message.tool_calls)


def test_the_last_event_without_its_blank_line() -> None:
    """If it is whole it counts."""
    body = sse(CREATED, message(), text(), message_done("x"), COMPLETED)

    decoded = read(body[:-1])

    assert decoded.parts[-1] == fin("stop")
    assert decoded.codes == ["unterminated_event"]


RICH: list[Json] = [
    CREATED,
    IN_PROGRESS,
    reasoning(0, encrypted_content="e"),
    summary("part.added"),
    summary("text.delta", delta="h\u00e9: "),
    summary("text.delta", delta="\ud83d"),
    summary("part.done"),
    summary("part.added", 1),
    summary("text.delta", 1, delta="b"),
    raw("delta", delta="c"),
    reasoning_done(0, encrypted_content="f"),
    message(1),
    text("a\\:\U0001f600", 1),
    refusal("no", 1, 1),
    message_done("a\\:\U0001f600", index=1),
    function(2),
    arguments('{"a":', 2),
    arguments(' "\\u003a"}', 2),
    arguments_done('{"a": "\\u003a"}', 2),
    function_done('{"a": "\\u003a"}', 2),
    added(3, "code_interpreter_call", id="ci", container_id="cn"),
    about("code_interpreter_call_code.delta", "ci", 3, delta="1"),
    about("code_interpreter_call_code.done", "ci", 3, code="1"),
    done(3, "code_interpreter_call", id="ci", container_id="cn", code="1", outputs=None),
    COMPLETED,
]
BODIES = {
    "complete": sse(*RICH),
    "failed": sse(*RICH[:13], FAILED),
    "an error in between": sse(*RICH[:13], FLAT, *RICH[13:]),
    "an error first": sse(CREATED, IN_PROGRESS, NESTED, FAILED),
    "items open": sse(*RICH[:17], COMPLETED),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_cut_at_every_byte(body: bytes) -> None:
    """No beginning of a stream looks complete, and none says what the whole does not."""
    whole = decode(body, DIALECT).parts
    assert violations(whole, body=body, dialect=DIALECT) == []
    walker = Decoder(DIALECT, assemble=False)
    closer = Decoder(DIALECT, assemble=False)
    so_far: list[Json] = []
    for at in range(len(body)):
        closer.restore(walker.snapshot())
        assert cut_is_legal([*so_far, *(part.as_json() for part in closer.close())], whole) is None, at
        so_far += [part.as_json() for part in walker.feed(body[at : at + 1])]


# -- names and numbers of events --------------------------------------------------------------------------------------


def test_event_names_are_hints() -> None:
    """The ``type`` counts."""
    wire = [event(item, name) for item, name in zip([CREATED, COMPLETED], ["", "message"], strict=True)]

    fine = read(*wire)
    odd = read(CREATED, event(COMPLETED, "response.failed"))

    assert (fine.parts, fine.codes) == ([*HEAD, fin("stop")], [])
    assert (odd.parts, odd.codes) == ([*HEAD, fin("stop")], ["event_name_mismatch"])


def test_unknown_events() -> None:
    """They are reported, never fatal (V25); the progress of what the provider does is no news."""
    decoded = read_items({"type": "response.hologram.delta"}, {"type": "keepalive"}, about("mcp_call.failed", "m"))

    assert decoded.parts == [*HEAD, fin("stop")]
    assert decoded.codes == ["unknown_event"]


@pytest.mark.parametrize(
    ("numbers", "codes"),
    [
        ([0, 1, 2, 3], []),
        ([5, 6, 7, 8], []),
        ([None, None, 3, 4], []),
        (["0", 1.5, True, None], []),
        ([0, 1, 3, 4], ["sequence_gap"]),
        ([0, 1, 1, 2], ["sequence_repeated"]),
        ([0, 0, 0, 9], ["sequence_repeated"]),
    ],
)
def test_numbers_of_events(numbers: list[Any], codes: list[str]) -> None:
    """Where they do not follow each other it is reported once: something was lost, or came again (V21)."""
    events = [CREATED, message(), text(), text("y")]
    numbered = [{**item, "sequence_number": number} for item, number in zip(events, numbers, strict=True)]

    decoded = read(*numbered, {**COMPLETED, "sequence_number": None}, resume_from=len(sse(CREATED)))

    assert [code for code in decoded.codes if code != "item_not_done"] == codes
    assert decoded.message.text == "xy"


def test_a_snapshot_holds_no_output() -> None:
    """Two decoders that said the same in other pieces are equal, and a state does not grow."""
    ways = []
    for pieces in (["abc" * 50, "d"], ["a", "b", "c"] * 50 + ["d"]):
        decoder = Decoder(DIALECT)
        decoder.feed(sse(CREATED, message(), *[text(piece, sequence_number=None) for piece in pieces]))
        ways.append(decoder.snapshot())

    assert ways[0].state == ways[1].state
    assert hash(ways[0].state) == hash(ways[1].state)


def test_offsets_are_those_of_frames() -> None:
    """A warning and an error say at which byte their frame ended."""
    frames = [sse(CREATED), sse({"type": "x"}), event("{", "response.in_progress")]

    decoded = decode(b"".join(frames), DIALECT)

    assert decoded.warnings[0].offset == size(*frames[:2])
    assert decoded.parts[2] == err("malformed_json", "stream", size(*frames), "{")


# -- limits -----------------------------------------------------------------------------------------------------------


def test_arguments_beyond_the_limit() -> None:
    """The stream ends there."""
    decoded = read_items(function(), arguments("1" * 30), arguments("1" * 11), limits=Limits(max_arguments_chars=40))

    assert [part["type"] for part in decoded.parts[2:]] == ["tool-input-start", "tool-input-delta", "error"]
    assert decoded.parts[-1]["kind"] == "event_too_large"


def test_too_many_open_items() -> None:
    """More than the limit end the stream."""
    decoded = read_items(*map(message, range(4)), limits=Limits(max_open_calls=3))

    assert decoded.parts[-1]["kind"] == "tool_call_protocol"
    assert decoded.parts[-2]["id"] == "m2"


def test_nesting_beyond_the_limit() -> None:
    """A delta nests two deep with its log probabilities."""
    refused = read({"type": "ping"}, text(), limits=Limits(max_json_depth=1))

    assert refused.parts[0] == START
    assert refused.parts[-2]["kind"] == "malformed_json"
