"""``anthropic-messages``: how streams begin, end, are cut, and stay within limits; both paths through the dialect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Decoder, Limits
from streamcore.dialects.anthropic.schema import BLOCKS, DELTAS

from .anthropic_wire import (
    DIALECT,
    HEAD,
    MESSAGE_STOP,
    PING,
    arguments,
    call_start,
    delta,
    message_delta,
    message_start,
    payload,
    read,
    read_message,
    server_start,
    signature,
    sse,
    start,
    stop,
    text,
    text_start,
    thinking,
)
from .wire import check_order, decode, err, event, i_delta, i_end, i_start, size, t_call, t_delta, t_end, t_start

if TYPE_CHECKING:
    from .wire import Json

RICH: list[Json] = [
    message_start(),
    start(0, "thinking", thinking=""),
    thinking(0, "h\u00e9: "),
    signature(),
    stop(0),
    text_start(1),
    text(1, "a\\:\U0001f600"),
    stop(1),
    call_start(2),
    arguments(2, '{"a":'),
    arguments(2, ' "\\u003a"}'),
    stop(2),
    server_start(3, "bash_code_execution"),
    arguments(3, '{"command": "ls"}'),
    stop(3),
    message_delta("tool_use"),
    MESSAGE_STOP,
]


# -- beginnings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [[], [PING]])
def test_an_error_before_any_part_is_the_failure_of_the_request(before: list[Json]) -> None:
    """It has stage ``open``, and nothing goes before or after it (WH-112)."""
    error = {"type": "overloaded_error", "message": "m"}
    frames = [*before, {"type": "error", "error": error}]

    decoded = read(*frames, text_start(), text())

    assert decoded.parts == [err("provider", "open", len(sse(*frames)), error)]
    assert decoded.message.error is not None


def test_what_message_start_may_lack() -> None:
    """Neither id nor model nor usage is needed."""
    decoded = read({"type": "message_start", "message": {}}, message_delta(), MESSAGE_STOP)

    assert decoded.parts[:2] == [HEAD[0], {"type": "response-metadata"}]
    assert decoded.parts[-1]["usage"]["raw"] == {"output_tokens": 7}
    assert decoded.codes == ["usage_missing"]


def test_text_in_message_start_is_reported() -> None:
    """Only calls can stand ready in ``message_start``; a ready call that is malformed takes its event along."""
    decoded = read(message_start(content=[{"type": "text", "text": "x"}]), MESSAGE_STOP)
    malformed = read(message_start(content=[1]), MESSAGE_STOP)

    assert (payload(decoded), decoded.codes) == ([], ["unknown_block"])
    assert [part["type"] for part in malformed.parts] == ["stream-start", "error", "finish"]


def test_without_message_start() -> None:
    """The rest of the message is shown all the same; usage is what the reference shows then."""
    decoded = read(text_start(), text(), stop(0), MESSAGE_STOP)

    assert decoded.parts[:-1] == [HEAD[0], t_start(), t_delta("x"), t_end()]
    assert decoded.parts[-1]["finishReason"] == {"unified": "other"}
    assert decoded.parts[-1]["usage"]["raw"]["input_tokens"] == 0
    assert decoded.codes == ["message_start_missing"]


def test_a_second_message_ends_the_stream() -> None:
    """Two messages are never merged into one."""
    second = message_start(id="msg_2")
    frames = [message_start(), text_start(), text(), second]

    decoded = read(*frames, text(), stop(0), message_delta(), MESSAGE_STOP)

    error = err("invalid_payload", "stream", len(sse(*frames)), second)
    assert decoded.parts == [*HEAD, t_start(), t_delta("x"), error]


# -- ends -------------------------------------------------------------------------------------------------------------


def test_a_stream_without_message_stop_was_cut() -> None:
    """However complete it looks; a cut call stays incomplete, and there is no ``finish``."""
    frames = [message_start(), call_start(), arguments(0, "{}")]
    cut = read(*frames)
    unfinished = read(*frames, stop(0), message_delta("tool_use"))

    begun = [*HEAD, i_start("t0"), i_delta("{}", "t0")]
    assert cut.parts == [*begun, err("incomplete_stream", "close", len(sse(*frames)))]
    assert [call.complete for call in cut.message.tool_calls] == [False]
    assert unfinished.parts[:-1] == [*begun, i_end("t0"), t_call("{}", "t0")]
    assert unfinished.parts[-1]["kind"] == "incomplete_stream"


def test_an_error_explains_why_the_stream_ends() -> None:
    """After the provider's own error no ``incomplete_stream`` is added, and the partial output stays (WH-070)."""
    error = {"type": "overloaded_error", "message": "m"}
    frames = [message_start(), text_start(), text(), {"type": "error", "error": error}]

    decoded = read(*frames)

    assert decoded.parts == [*HEAD, t_start(), t_delta("x"), err("provider", "stream", len(sse(*frames)), error)]
    assert decoded.message.text == "x"


def test_after_the_end_only_an_error_counts() -> None:
    """Data is ignored with a warning, pings and [DONE] without one."""
    whole = [message_start(), message_delta(), MESSAGE_STOP]
    silent = read(*whole, PING, b"data: [DONE]\n\n")
    loud = read(*whole, text_start(), text(), {"type": "error", "error": "late"})

    assert (silent.parts[:2], silent.parts[-1]["type"], silent.codes) == (HEAD, "finish", [])
    assert loud.parts[:-1] == silent.parts
    assert loud.parts[-1]["payload"] == "late"
    assert loud.codes == ["data_after_end", "data_after_end"]


def test_the_stop_reason_vouches_for_a_call_that_was_not_stopped() -> None:
    """``tool_use`` says that the calls are complete; any other reason leaves the call incomplete."""
    events = [call_start(), arguments(0, "{}")]
    vouched = read_message(*events, reason="tool_use")
    cut = read_message(*events, reason="max_tokens")

    begun = [i_start("t0"), i_delta("{}", "t0")]
    assert payload(vouched) == [*begun, i_end("t0"), t_call("{}", "t0")]
    assert payload(cut) == begun
    assert vouched.codes == cut.codes == ["block_not_stopped"]


@pytest.mark.parametrize("events", [[], [server_start(), stop(0)]])
def test_tool_use_without_a_call_for_the_reader(events: list[Json]) -> None:
    """A stop reason that nothing backs is reported."""
    assert read_message(*events, reason="tool_use").codes == ["finish_without_calls"]


def test_a_last_event_without_its_blank_line() -> None:
    """A complete last event counts, with a warning; half of one does not."""
    body = sse(message_start(), message_delta(), MESSAGE_STOP)

    assert decode(body[:-2], DIALECT).codes == ["unterminated_event"]
    assert decode(body[:-2], DIALECT).parts[-1]["type"] == "finish"
    assert decode(body[:-3], DIALECT).parts[-1]["kind"] == "incomplete_stream"


def test_cut_at_every_byte() -> None:
    """What came before the cut is a prefix of the whole, no call is completed by it, and only the whole ends well."""
    body = sse(*RICH)
    whole = read(*RICH).parts
    assert whole[-1]["type"] == "finish"

    for at in range(len(body) - 2):
        *parts, last = decode(body[:at], DIALECT).parts

        assert parts == whole[: len(parts)]
        assert (last["kind"], last["stage"], last["offset"]) == ("incomplete_stream", "close", at)


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start_of_call", [call_start(), server_start(0, "bash_code_execution"), call_start(input={"b": 1})]
)
def test_arguments_beyond_the_limit(start_of_call: Json) -> None:
    """The call is given up, with one error; it never becomes complete."""
    events = [start_of_call, arguments(0, '{"a":'), arguments(0, "1" * 40), arguments(0, "}"), stop(0)]

    decoded = read_message(*events, limits=Limits(max_arguments_chars=40))

    assert [part.get("kind") for part in payload(decoded)] == [None, None, "event_too_large"]
    assert [call.complete for call in decoded.message.tool_calls] == [False]


@pytest.mark.parametrize("make", [text_start, text])
def test_too_many_open_blocks(make: Any) -> None:
    """More blocks than the limit end the stream, whether they were started or implied."""
    decoded = read(message_start(), *map(make, range(4)), limits=Limits(max_open_calls=3))

    assert decoded.parts[-1]["kind"] == "tool_call_protocol"
    assert decoded.parts[-2]["id"] == "2"


def test_nesting_beyond_the_limit_on_both_paths() -> None:
    """A delta nests two deep."""
    allowed = read(message_start(), text_start(), text(), limits=Limits(max_json_depth=3))
    refused = read({"type": "ping"}, text(), limits=Limits(max_json_depth=1))

    assert allowed.parts[-2] == t_delta("x")
    assert refused.parts[-2]["kind"] == "malformed_json"


# -- the quick path ---------------------------------------------------------------------------------------------------

TWICE = [
    '{"type":"content_block_delta","index":0,"index":0,"delta":{"type":"text_delta","text":"x"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"y","text":"x"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"","text":"\\u003a"}}',
    '{"type":"content_block_delta","index":0,"delta":1,"delta":{"type":"text_delta","text":"x"}}',
]


@pytest.mark.parametrize("wire", TWICE)
def test_a_key_that_comes_twice_is_noticed(wire: str) -> None:
    """The quick path may not swallow the warning; an escaped colon may not hide a key."""
    decoded = read_message(text_start(), event(wire, "content_block_delta"), stop(0))

    shown = json.loads(wire)["delta"]["text"]
    assert (payload(decoded)[1], decoded.codes) == (t_delta(shown), ["duplicate_key"])


@pytest.mark.parametrize(
    "wire",
    [
        '{"delta":{"text":"x","type":"text_delta"},"index":0,"type":"content_block_delta"}',
        ' { "type" : "content_block_delta" , "index" : 0 , "delta" : { "type" : "text_delta" , "text" : "x" } } ',
        '{"type":"content_block_delta","index":0.0,"delta":{"type":"text_delta","text":"x"}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x","new":1},"new":{"a":":"}}',
    ],
)
def test_other_spellings_of_a_delta(wire: str) -> None:
    """Order of keys, white space, fractions and fields of the future make no difference."""
    decoded = read_message(text_start(), event(wire, "content_block_delta"), stop(0))

    assert (payload(decoded), decoded.codes) == ([t_start(), t_delta("x"), t_end()], [])


def test_bytes_that_are_not_utf8() -> None:
    """They are read as U+FFFD, with a warning, on either path."""
    broken = sse(text(0, "@")).replace(b"@", b"\xe9\xff")

    decoded = read_message(text_start(), broken, stop(0))

    assert (payload(decoded)[1], decoded.codes) == (t_delta("\ufffd\ufffd"), ["invalid_utf8"])


INDICES = st.sampled_from([0, 0, 0, 1, 1, 2, 5, -1, 0.5, None])
BITS = st.sampled_from(["", "x", ":", "\\u003a", "\ud83d", '{"a":1}', "{", "}", "\u2028"])
NAMES = st.sampled_from(["f", "", "web_search", "bash_code_execution", "advisor", None])
IDS = st.sampled_from(["a", "b", "", None, "call_gen_0"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("text", "thinking", "signature", "partial_json", "content", "data", "server_name"), BITS),
        **dict.fromkeys(("name", "toolset_name"), NAMES),
        **dict.fromkeys(("id", "tool_use_id"), IDS),
        "input": st.sampled_from([{}, {"a": 1}, None, 1]),
        "is_error": st.booleans(),
    },
)


@st.composite
def events(draw: st.DrawFn) -> Json:
    """Any event, most of them nearly right."""
    kind = draw(st.sampled_from([*["start", "delta", "stop"] * 3, "other"]))
    index = draw(INDICES)
    if kind == "start":
        return start(index, draw(st.sampled_from([*BLOCKS, "hologram"])), **draw(FIELDS))
    if kind == "delta":
        return delta(index, draw(st.sampled_from([*DELTAS, "holo_delta"])), **draw(FIELDS))
    if kind == "stop":
        return stop(index)
    return draw(
        st.sampled_from(
            [PING, message_start(), message_start(id="msg_2"), message_delta("tool_use"), MESSAGE_STOP, {"type": "x"}]
        )
    )


@given(st.lists(events(), max_size=12), st.sampled_from(["lenient", "strict"]), st.data())
def test_any_events_in_any_order(sequence: list[Json], policy: Any, data: st.DataObject) -> None:
    """No order of events breaks the order of parts, the uniqueness of ids, or the agreement of both paths."""
    body = sse(message_start(), *sequence)
    cut = data.draw(st.integers(0, len(body)))

    decoded = decode(body, DIALECT, policy=policy)

    check_order(decoded)
    assert decode(body, DIALECT, policy=policy, general=True) == decoded
    assert decode([body[:cut], body[cut:]], DIALECT, policy=policy) == decoded
    ids = [part["toolCallId"] for part in decoded.parts if part["type"] == "tool-call"]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    if policy == "strict":
        assert all(part["type"] != "error" for part in decoded.parts[:-1])


def test_a_snapshot_holds_no_output() -> None:
    """Two decoders with equal states are equal, whatever they emitted to get there, and a state does not grow."""
    ways = []
    for pieces in (["abc"], ["a", "b", "c"] * 50):
        decoder = Decoder(DIALECT)
        decoder.feed(sse(message_start(), text_start(), *[text(0, piece) for piece in pieces]))
        ways.append(decoder.snapshot())

    assert ways[0].state == ways[1].state
    assert hash(ways[0].state) == hash(ways[1].state)


def test_offsets_are_those_of_frames() -> None:
    """A warning and an error say at which byte their frame ended."""
    frames = [sse(message_start()), sse(stop(3)), event("{", "ping")]

    decoded = decode(b"".join(frames), DIALECT)

    assert decoded.warnings[0].offset == size(*frames[:2])
    assert decoded.parts[2] == err("malformed_json", "stream", size(*frames), "{")
