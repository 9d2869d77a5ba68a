"""Tool calls that were cut, that do not fit, or that are too many; and shapes of the wire that must not matter."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from streamcore import Decoder, Limits

from .toolcall_vector import END, FIN
from .wire import (
    DONE,
    HEAD,
    call,
    chat,
    choice,
    chunk,
    decode,
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
    t_call,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)

# -- calls that never were ------------------------------------------------------------------------------------------


def test_a_call_without_a_name_is_an_error_and_the_others_stay() -> None:
    """WH-094."""
    frames = [tools(call(0, "a", args="{}"), call(1, "b", "g", "{}")), *END]
    decoded = decode_every_way(b"".join(frames))

    assert decoded.parts == [
        *HEAD,
        i_start("b", "g"),
        i_delta("{}", "b"),
        err("nameless_call", "stream", size(*frames)),
        *ended("{}", "b", "g"),
        FIN,
    ]
    assert decoded.codes == ["arguments_before_name"]
    assert [c.id for c in decoded.message.tool_calls] == ["b"]
    assert not decoded.message.complete


def test_a_call_without_a_name_ends_a_strict_stream() -> None:
    frames = [tools(call(0, "a"), call(1, "b", "g", "{}")), *END]
    decoded = decode_every_way(b"".join(frames), policy="strict")

    assert decoded.parts == [*HEAD, err("tool_call_protocol", "stream", size(frames[0]))]


@pytest.mark.parametrize("arguments", ['{"x":', "{}", ""])
def test_a_cut_call_never_ends(arguments: str) -> None:
    """WH-102, V13: not even where its arguments happen to parse."""
    body = tools(call(0, "a", "f", arguments))
    decoded = decode_every_way(body)

    deltas = [i_delta(arguments)] if arguments else []
    assert decoded.parts == [*HEAD, i_start(), *deltas, err("incomplete_stream", "close", len(body))]
    [found] = decoded.message.tool_calls
    assert (found.id, found.arguments, found.complete, found.valid) == ("a", arguments, False, False)
    assert not found.executable
    assert found.input is None


def test_a_call_of_which_only_the_id_came_is_no_call_and_the_stream_is_incomplete() -> None:
    """A9: nothing is dropped in silence."""
    frames = [tools(call(0, "a", "f", "{}")), tools(call(1, "b", args=""))]
    decoded = decode_every_way(b"".join(frames))

    assert decoded.parts == [*HEAD, i_start(), i_delta("{}"), err("incomplete_stream", "close", size(*frames))]
    assert decoded.codes == ["name_late"]
    assert [(c.id, c.complete) for c in decoded.message.tool_calls] == [("a", False)]
    strict = decode_every_way(b"".join(frames), policy="strict")
    assert strict.parts[-1] == err("tool_call_protocol", "stream", size(*frames))


def test_a_cut_while_arguments_come_again_leaves_what_came_before() -> None:
    """WH-099, WH-102: what is held back was no news, and the call never ends."""
    body = tools(call(0, "a", "f", '{"a":1}')) + tools(call(0, args='{"a"'))
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, i_start(), i_delta('{"a":1}'), err("incomplete_stream", "close", len(body))]
    [found] = decoded.message.tool_calls
    assert (found.arguments, found.complete, found.executable) == ('{"a":1}', False, False)


@pytest.mark.parametrize("again", [['{"a":', '"}', '{"}'], ['{"a":', '"}', "x"]], ids=["a replay", "none"])
def test_a_state_in_the_middle_of_a_replay_can_be_taken_on(again: list[str]) -> None:
    first = [call(0, "a", "f", '{"a":"}'), call(0, args='{"}')]
    body = b"".join([*(tools(one) for one in (*first, *(call(0, args=piece) for piece in again))), *END])
    whole = decode(body)
    for at in range(len(body) + 1):
        one, other = Decoder("openai-chat"), Decoder("openai-chat")
        before = one.feed(body[:at])
        other.restore(one.snapshot())
        assert before + other.feed(body[at:]) + other.close() == whole.items
        one.feed(body[at:])
        one.close()
        assert one.snapshot() == other.snapshot()
        assert hash(one.snapshot()) == hash(other.snapshot())
    assert whole.codes == (["args_replayed"] if again[-1] == '{"}' else ["invalid_arguments"])


def test_what_is_held_back_counts_once_it_is_no_replay() -> None:
    """WH-099: a limit is not passed by way of what was held back."""
    frames = [tools(call(0, "a", "f", '{"a":1}')), tools(call(0, args='{"a":')), tools(call(0, args="2}")), *END]
    decoded = decode_every_way(b"".join(frames), limits=Limits(max_arguments_chars=10))

    error = err("event_too_large", "stream", size(*frames[:3]))
    assert decoded.parts == [*HEAD, i_start(), i_delta('{"a":1}'), error]


@pytest.mark.parametrize("done", [b"", DONE])
def test_a_call_that_an_error_cut_never_ends(done: bytes) -> None:
    """V13, V19: a stream that the provider broke off has no finish reason for the call."""
    frames = [tools(call(0, "a", "f", "{}")), event({"error": {"message": "boom"}})]
    decoded = decode_every_way(b"".join(frames) + done)

    assert decoded.parts == [
        *HEAD,
        i_start(),
        i_delta("{}"),
        err("provider", "stream", size(*frames), {"message": "boom"}),
        fin("error", None),
    ]
    [found] = decoded.message.tool_calls
    assert not found.executable


def test_a_call_that_ended_before_an_error_stays() -> None:
    frames = [tools(call(0, "a", "f", "{}"), finish="tool_calls"), event({"error": {"message": "boom"}})]
    decoded = decode_every_way(b"".join(frames))

    assert decoded.parts == [
        *HEAD,
        i_start(),
        i_delta("{}"),
        err("provider", "stream", size(*frames), {"message": "boom"}),
        *ended("{}"),
        fin("error", None),
    ]
    assert decoded.message.tool_calls[0].executable


def test_done_ends_calls_without_a_finish_reason() -> None:
    decoded = decode_every_way(tools(call(0, "a", "f", "{}")) + DONE)

    assert decoded.parts == [*HEAD, i_start(), i_delta("{}"), *ended("{}"), fin("other", None)]
    assert decoded.message.finish is not None
    assert decoded.message.finish.unified == "tool-calls"


def test_arguments_cut_by_the_length_limit() -> None:
    """WH-047: the finish reason stays ``length`` and the call is not executable."""
    decoded = decode_every_way(tools(call(0, "a", "f", '{"x":"y')) + finish("length") + DONE)

    assert decoded.parts == [
        *HEAD,
        i_start(),
        i_delta('{"x":"y'),
        *ended('{"x":"y', invalid=True),
        fin("length", "length"),
    ]
    assert decoded.codes == ["invalid_arguments"]
    assert decoded.message.finish is not None
    assert decoded.message.finish.unified == "length"
    assert not decoded.message.tool_calls[0].executable


@pytest.mark.parametrize("reason", ["tool_calls", "function_call"])
def test_a_finish_reason_without_calls_is_reported(reason: str) -> None:
    """V17."""
    decoded = decode_every_way(text("x") + finish(reason) + DONE)

    assert decoded.parts == [*HEAD, t_start(), t_delta("x"), t_end(), fin("tool-calls", reason)]
    assert decoded.codes == ["finish_without_calls"]


def test_stop_with_calls_is_normalised_in_the_message_only() -> None:
    """WH-046."""
    decoded = decode_every_way(tools(call(0, "a", "f", "{}")) + finish("stop") + DONE)

    assert decoded.parts[-1] == fin("stop", "stop")
    assert decoded.message.finish is not None
    assert (decoded.message.finish.unified, decoded.message.finish.raw) == ("tool-calls", "stop")


# -- deltas that do not fit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delta", "payload_of"),
    [
        ({"index": "0", "id": "a", "function": {"name": "f"}}, "chunk"),
        ({"index": True, "id": "a", "function": {"name": "f"}}, "chunk"),
        ({"index": 0, "id": 7, "function": {"name": "f"}}, "chunk"),
        ({"index": 0, "id": "a", "function": {"name": ["f"]}}, "chunk"),
        ({"index": 0, "id": "a", "function": "f"}, "chunk"),
        ("a", "chunk"),
        (call(0, "a", "f", "{}", "custom"), "call"),
    ],
)
def test_a_delta_of_another_shape_is_an_error_and_the_stream_goes_on(delta: Any, payload_of: str) -> None:
    frames = [text("x"), chat({"tool_calls": [delta]}), text("y"), finish("stop"), DONE]
    decoded = decode_every_way(b"".join(frames))

    payload = delta if payload_of == "call" else chunk(choice({"tool_calls": [delta]}))
    assert decoded.parts == [
        *HEAD,
        t_start(),
        t_delta("x"),
        err("invalid_payload", "stream", size(*frames[:2]), payload),
        t_delta("y"),
        t_end(),
        fin("stop", "stop"),
    ]
    assert not decoded.message.complete
    strict = decode_every_way(b"".join(frames), policy="strict")
    assert strict.parts == decoded.parts[:5]


# -- limits ---------------------------------------------------------------------------------------------------------


def test_too_many_calls_end_the_stream() -> None:
    frames = [tools(*[call(n, f"id{n}", "f", "{}") for n in range(3)]), *END]
    decoded = decode_every_way(b"".join(frames), limits=Limits(max_open_calls=2))

    assert decoded.parts == [
        *HEAD,
        i_start("id0"),
        i_delta("{}", "id0"),
        i_start("id1"),
        i_delta("{}", "id1"),
        err("tool_call_protocol", "stream", size(frames[0])),
    ]
    assert not any(c.complete for c in decoded.message.tool_calls)


def test_no_calls_at_all_can_be_demanded() -> None:
    frames = [tools(call(0, "a", "f", "{}")), *END]
    decoded = decode_every_way(b"".join(frames), limits=Limits(max_open_calls=0))

    assert decoded.parts == [*HEAD, err("tool_call_protocol", "stream", size(frames[0]))]


def test_arguments_past_their_limit_end_the_stream() -> None:
    """A later, shorter piece must not slip in behind one that was refused."""
    frames = [tools(call(0, "a", "f", "12345678")), tools(call(0, args="abc")), tools(call(0, args="9")), *END]
    decoded = decode_every_way(b"".join(frames), limits=Limits(max_arguments_chars=10))

    error = err("event_too_large", "stream", size(*frames[:2]))
    assert decoded.parts == [*HEAD, i_start(), i_delta("12345678"), error]


def test_arguments_up_to_their_limit_are_fine() -> None:
    body = tools(call(0, "a", "f", '{"a":1234}')) + b"".join(END)
    decoded = decode_every_way(body, limits=Limits(max_arguments_chars=10))

    assert decoded.parts[-2] == t_call('{"a":1234}')


# -- shapes that must not matter ------------------------------------------------------------------------------------


def test_argument_text_may_be_cut_at_any_character() -> None:
    """WH-105, A4: pieces are never parsed on their own."""
    arguments = '{"p":"a\\"b\\\\c\\u00e9\u5317\U0001f600","n":[1,{"q":-0.5e3}]}'
    for at in range(len(arguments) + 1):
        body = tools(call(0, "a", "f", arguments[:at])) + tools(call(0, args=arguments[at:])) + b"".join(END)
        for pieces in ([body], [body[:97], body[97:]]):
            decoded = decode(pieces)
            assert decoded.parts[-2] == t_call(arguments)
            assert "".join(p["delta"] for p in decoded.parts if p["type"] == "tool-input-delta") == arguments
            assert decoded.message.tool_calls[0].input == {
                "p": 'a"b\\c\u00e9\u5317\U0001f600',
                "n": [1, {"q": -500.0}],
            }


@pytest.mark.parametrize("order", list(itertools.permutations(["index", "id", "type", "function"])), ids="-".join)
@pytest.mark.parametrize("inner", [("name", "arguments"), ("arguments", "name")], ids="-".join)
@pytest.mark.parametrize("policy", ["lenient", "strict"])
def test_key_order_does_not_matter(order: tuple[str, ...], inner: tuple[str, ...], policy: str) -> None:
    """A8; the second call has its index behind its id, too."""
    elements = []
    for index, key, name in ((0, "a", "f"), (1, "b", "g")):
        function = {"name": name, "arguments": "{"}
        whole = {"index": index, "id": key, "type": "function", "function": {part: function[part] for part in inner}}
        elements.append({part: whole[part] for part in order})
    more = {"index": 1, "function": {"arguments": "}"}}
    frames = [tools(elements[0]), tools(elements[1]), tools({part: more[part] for part in order if part in more})]

    parts = [*HEAD, i_start(), i_delta("{"), i_start("b", "g"), i_delta("{", "b"), i_delta("}", "b")]
    ends = [*ended("{", invalid=True), *ended("{}", "b", "g"), FIN]
    if policy == "strict":
        ends = [err("invalid_arguments", "stream", size(*frames, *END))]
    body = b"".join([*frames, *END])
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        assert decode(pieces, policy=policy).parts == [*parts, *ends]


def test_choices_have_their_own_calls() -> None:
    """WH-051, A10: the same index and the same id in two choices are two calls."""
    frames = [
        event(chunk(
            choice({"tool_calls": [call(0, "a", "f", "{")]}, None, 0),
            choice({"tool_calls": [call(0, "a", "g", "[")]}, None, 1),
        )),
        tools(call(0, args="}"), index=0),
        tools(call(0, args="]"), index=1),
        tools(call(1, name="h", args="{}"), index=1),
        finish("tool_calls", 1),
        *END,
    ]  # fmt: skip
    decoded = decode_every_way(b"".join(frames))

    assert decoded.parts == [
        *HEAD,
        i_start(),
        i_delta("{"),
        i_start("a", "g", choice=1),
        i_delta("[", choice=1),
        i_delta("}"),
        i_delta("]", choice=1),
        i_start("call_gen_1_0", "h", choice=1),
        i_delta("{}", "call_gen_1_0", choice=1),
        *ended("[]", "a", "g", choice=1, invalid=True),
        *ended("{}", "call_gen_1_0", "h", choice=1),
        fin_of(1, "tool-calls", "tool_calls"),
        *ended("{}"),
        FIN,
    ]
    assert [c.name for c in decoded.message.tool_calls] == ["f"]
    [other] = decoded.message.alternatives
    assert [(c.name, c.executable) for c in other.tool_calls] == [("g", False), ("h", True)]


def test_nested_calls_in_arguments_start_nothing() -> None:
    """J4."""
    inner = json.dumps({"tool_calls": [{"index": 1, "id": "z", "function": {"name": "g", "arguments": "{}"}}]})
    decoded = decode_every_way(tools(call(0, "a", "f", inner)) + b"".join(END))

    assert decoded.parts == [*HEAD, i_start(), i_delta(inner), *ended(inner), FIN]


def test_many_calls_without_ids_among_ids_that_look_made_up() -> None:
    """The search for a free id is no recursion."""
    wire = [call(n, f"call_gen_0_{n}", "f", "{}") for n in range(2000)]
    body = tools(*wire) + tools(call(2000, name="f", args="{}")) + b"".join(END)

    for pieces in ([body], [body[:50_000], body[50_000:]]):
        assert decode(pieces).message.tool_calls[-1].id == "call_gen_0_2000"
