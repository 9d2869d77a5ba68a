"""``cohere-v2``: what departs from a well-formed stream."""

from __future__ import annotations

from typing import Any

import pytest

from streamcore import Limits

from .cohere_wire import (
    CALLS,
    DIALECT,
    HEAD,
    TALK,
    arguments,
    call_end,
    call_start,
    cohere,
    end,
    fin,
    message_end,
    message_start,
    r_delta,
    r_end,
    r_start,
    start,
    text,
    thinking,
    wire,
)
from .torture import check_cuts, check_mutations
from .wire import (
    ABSENT,
    DONE,
    NO_USAGE,
    START,
    Json,
    decode_every_way,
    ended,
    err,
    event,
    i_delta,
    i_start,
    size,
    t_delta,
    t_end,
    t_start,
)


def test_an_error_at_the_end() -> None:
    """V19: what there was stays; the open call was cut."""
    said = message_end("ERROR", {}, error="invalid tool generation", error_type="INVALID_TOOL_GENERATION")
    body = wire(message_start(), start(), text("x"), call_start(), said, DONE)
    decoded = decode_every_way(body, DIALECT)
    assert decoded.parts == [
        *HEAD,
        t_start(),
        t_delta("x"),
        i_start(),
        err("provider", "stream", len(body) - len(DONE), said),
        t_end(),
        fin("error", "ERROR", NO_USAGE),
    ]
    assert decoded.message.error is not None
    assert decoded.message.error.detail == "invalid tool generation"
    assert not decoded.message.tool_calls[0].complete


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (event({"error": {"message": "boom"}}), {"message": "boom"}),
        (event({"message": "boom"}, "error"), {"message": "boom"}),
        (event({"type": "error", "message": "boom"}, "error"), {"type": "error", "message": "boom"}),
        (event({"id": "1", "message": "boom"}), {"id": "1", "message": "boom"}),
        (event("boom", "error"), "boom"),
        (event("1", "error"), 1),
    ],
)
def test_an_error_event(said: bytes, shown: Any) -> None:
    assert decode_every_way(said, DIALECT).parts == [err("provider", "open", len(said), shown)]
    head = wire(message_start())
    assert decode_every_way(head + said, DIALECT).parts == [*HEAD, err("provider", "stream", size(head, said), shown)]


def test_an_error_body_that_is_no_stream() -> None:
    for body in (b'{"message":"invalid api token"}', b'{"id":"x","message":"no"}\n', b'{"error":"no"}'):
        [part] = decode_every_way(body, DIALECT).parts
        assert (part["kind"], part["stage"]) == ("provider", "open")
    for body in (b"<html>", b'{"x":1}', b"[1]"):
        assert decode_every_way(body, DIALECT).parts == [err("not_an_event_stream", "open", len(body))]


def test_a_cut_stream_is_incomplete() -> None:
    for body in (TALK, CALLS):
        check_cuts(body, DIALECT)
    body = wire(message_start(), call_start(), arguments("{}"), DONE)
    assert decode_every_way(body, DIALECT).parts == [
        *HEAD,
        i_start(),
        i_delta("{}"),
        err("incomplete_stream", "close", len(body)),
    ]
    assert decode_every_way(body, DIALECT).codes == ["done_marker"]


@pytest.mark.parametrize("body", [TALK, CALLS], ids=["talk", "calls"])
def test_mutated_bytes_never_raise(body: bytes) -> None:
    check_mutations(body, DIALECT)


ODDITIES: list[tuple[str, list[Json | bytes], list[Json], list[str]]] = [
    ("an unknown event", [{"type": "new-event"}], [], ["unknown_event"]),
    ("a block that was not started", [text("x"), end()], [t_start(), t_delta("x"), t_end()], ["block_start_missing"]),
    (
        "thinking that was not started",
        [thinking("x"), end()],
        [r_start(), r_delta("x"), r_end()],
        ["block_start_missing"],
    ),
    ("a block that was not ended", [start(), text("x")], [t_start(), t_delta("x"), t_end()], ["block_not_stopped"]),
    (
        "a start inside a block",
        [start(), start(), text("x"), end()],
        [t_start(), t_end(), t_start("0-1"), t_delta("x", "0-1"), t_end("0-1")],
        ["block_not_stopped"],
    ),
    (
        "an index that was used",
        [start(), end(), start(), end()],
        [t_start(), t_end(), t_start("0-1"), t_end("0-1")],
        ["index_reused"],
    ),
    (
        "thinking in a text block",
        [start(), thinking("x"), end()],
        [t_start(), t_end(), r_start("0-1"), r_delta("x", "0-1"), r_end("0-1")],
        ["block_not_stopped", "block_start_missing"],
    ),
    ("an end of nothing", [end()], [], ["stop_without_start"]),
    (
        "text at the start",
        [start(said="a"), text("b"), end()],
        [t_start(), t_delta("a"), t_delta("b"), t_end()],
        ["start_not_empty"],
    ),
    (
        "no index",
        [start(ABSENT), text("x", ABSENT), end(None)],
        [t_start(), t_delta("x"), t_end()],
        ["index_missing"] * 3,
    ),
    ("an unknown block", [start(0, "image"), text("x"), end()], [], ["unknown_block"]),
    ("a call that is ended twice", [call_start(), call_end(), call_end()], [i_start(), *ended("{}")],
     ["stop_without_start"]),
    (
        "two calls with one id",
        [call_start(), call_end(), call_start(index=1), call_end(1)],
        [i_start(), *ended("{}"), i_start("call_gen_0"), *ended("{}", "call_gen_0")],
        ["duplicate_id"],
    ),
    (
        "calls without ids",
        [call_start("call_gen_0"), call_end(), call_start("null", index=1), call_end(1), call_start(None), call_end()],
        [
            i_start("call_gen_0"),
            *ended("{}", "call_gen_0"),
            i_start("call_gen_1"),
            *ended("{}", "call_gen_1"),
            i_start("call_gen_2"),
            *ended("{}", "call_gen_2"),
        ],
        ["id_synthesised"] * 2,
    ),
    ("calls without indices", [call_start(index=ABSENT), arguments("{}", ABSENT), call_end(ABSENT)],
     [i_start(), i_delta("{}"), *ended("{}")], []),
    (
        "two calls at once",
        [call_start(), call_start("b", "g", index=1), arguments("{}", 1), arguments('{"x":1}'), call_end(1), call_end()],
        [i_start(), i_start("b", "g"), i_delta("{}", "b"), i_delta('{"x":1}'), *ended("{}", "b", "g"),
         *ended('{"x":1}')],
        [],
    ),
    (
        "arguments that are an object",
        [call_start(), arguments({"a": 1}), call_end()],
        [i_start(), i_delta('{"a":1}'), *ended('{"a":1}')],
        ["args_not_string"],
    ),
    ("a call that is started over", [call_start(), call_start("b"), call_end()],
     [i_start(), i_start("b"), *ended("{}", "b")], ["block_not_stopped"]),
    ("a call that was not ended", [call_start()], [i_start()], ["block_not_stopped"]),
    ("a message that is started twice", [message_start()], [], ["message_start_repeated"]),
]  # fmt: skip


@pytest.mark.parametrize(("events", "parts", "codes"), [odd[1:] for odd in ODDITIES], ids=[odd[0] for odd in ODDITIES])
def test_oddities(events: list[Json | bytes], parts: list[Json], codes: list[str]) -> None:
    decoded = cohere(*events)
    assert decoded.parts == [*HEAD, *parts, fin()]
    assert decoded.codes == codes
    strict = cohere(*events, policy="strict")
    assert strict.message.complete is (not codes or codes[0].startswith("unknown"))


FAILURES: list[tuple[str, Json | bytes, str]] = [
    ("no type", event({"x": 1}), "invalid_payload"),
    ("no object", event([1]), "invalid_payload"),
    ("not JSON", event("{"), "malformed_json"),
    ("content that is neither", {"type": "content-delta", "index": 0, "delta": {"message": {"content": {}}}},
     "invalid_payload"),
    ("a start without content", {"type": "content-start", "index": 0}, "invalid_payload"),
    ("an index that is none", start("0"), "invalid_payload"),
    ("an end that is none", {"type": "content-end", "index": "0"}, "invalid_payload"),
    ("a call of another type", call_start(kind="custom"), "invalid_payload"),
    ("a call without a name", call_start(name=None), "nameless_call"),
    ("a call named null", call_start(name="null"), "nameless_call"),
    ("arguments of no call", arguments("{}"), "nameless_call"),
    ("a call that is none", {"type": "tool-call-start"}, "invalid_payload"),
    ("arguments that are none", {"type": "tool-call-delta"}, "invalid_payload"),
    ("the end of a call that is none", {"type": "tool-call-end", "index": []}, "invalid_payload"),
    ("a start that is none", message_start(1), "invalid_payload"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "kind"), [failure[1:] for failure in FAILURES], ids=[bad[0] for bad in FAILURES])
def test_failures(said: Json | bytes, kind: str) -> None:
    decoded = cohere(said, arguments("{}"), text("x", 5))
    assert next(part["kind"] for part in decoded.parts if part["type"] == "error") == kind
    assert t_delta("x", "5") in decoded.parts
    assert not decoded.message.complete
    strict = cohere(said, policy="strict")
    assert (strict.parts[-1]["type"], strict.parts[-1]["kind"]) == ("error", kind)


def test_a_second_message_is_the_end() -> None:
    decoded = cohere(message_start("other"), text("x"))
    assert decoded.parts[-1]["kind"] == "invalid_payload"
    assert len(decoded.parts) == 3


def test_an_end_that_cannot_be_read_ends_nothing() -> None:
    decoded = decode_every_way(wire(message_start(), message_end(1), DONE), DIALECT)
    assert [part.get("kind") for part in decoded.parts[2:]] == ["invalid_payload", "incomplete_stream"]


def test_a_reason_without_a_call_and_a_call_that_the_reason_vouches_for() -> None:
    decoded = decode_every_way(wire(message_start(), message_end("TOOL_CALL")), DIALECT)
    assert decoded.codes == ["finish_without_calls"]
    decoded = decode_every_way(wire(message_start(), call_start(), message_end("TOOL_CALL")), DIALECT)
    assert decoded.parts == [*HEAD, i_start(), *ended("{}"), fin("tool-calls", "TOOL_CALL")]
    assert decoded.codes == ["block_not_stopped"]


def test_a_stream_without_its_start_and_with_more_behind_its_end() -> None:
    body = wire(start(), text("x"), end(), message_end(), text("y"), event("{}", "new"))
    decoded = decode_every_way(body, DIALECT)
    assert decoded.parts[:-1] == [START, t_start(), t_delta("x"), t_end(), fin()]
    assert decoded.codes == ["message_start_missing", "data_after_end"]
    assert decoded.parts[-1]["kind"] == "invalid_payload"


def test_an_event_whose_name_is_another() -> None:
    decoded = cohere(event(start(), "content-delta"), event(text("x"), "tool-call-delta"), event(end()))
    assert decoded.parts[2:-1] == [t_start(), t_delta("x"), t_end()]
    assert decoded.codes == ["event_name_mismatch"] * 2


def test_limits() -> None:
    few = Limits(max_open_calls=2)
    decoded = cohere(*(start(index) for index in range(4)), limits=few)
    assert decoded.parts[-1]["kind"] == "tool_call_protocol"
    short = Limits(max_arguments_chars=4)
    decoded = cohere(call_start(), arguments('{"a"'), arguments(":1}"), arguments("x"), call_end(), limits=short)
    assert [part.get("kind") for part in decoded.parts[2:]] == [None, None, "event_too_large", None]
