"""``cohere-v2``: parts of well-formed streams."""

from __future__ import annotations

from typing import Any

import pytest

from .cohere_wire import (
    CALLS,
    CITATION,
    DIALECT,
    HEAD,
    TALK,
    USAGE,
    arguments,
    call_end,
    call_start,
    cohere,
    fin,
    message_end,
    message_start,
    plan,
    r_delta,
    r_end,
    r_start,
    wire,
)
from .wire import (
    ABSENT,
    NO_USAGE,
    Json,
    decode,
    decode_every_way,
    ended,
    i_delta,
    i_start,
    t_call,
    t_delta,
    t_end,
    t_start,
)


def payload(*events: Json | bytes) -> list[Json]:
    """The parts between head and finish."""
    parts = cohere(*events).parts
    assert parts[:2] == HEAD
    assert parts[-1] == fin()
    return parts[2:-1]


# -- well-formed ----------------------------------------------------------------------------------------------------


def test_reasoning_and_text() -> None:
    decoded = decode_every_way(TALK, DIALECT)
    assert decoded.parts == [
        *HEAD,
        r_start(),
        r_delta("so"),
        r_end(),
        t_start("1"),
        t_delta("h\u00e9: ", "1"),
        t_delta("x", "1"),
        t_end("1"),
        fin(),
    ]
    assert decoded.warnings == []
    assert decoded.message.complete


def test_calls_are_parsed_and_written_again() -> None:
    decoded = decode_every_way(CALLS, DIALECT)
    assert decoded.parts == [
        *HEAD,
        i_start(),
        i_delta('{\n "k"'),
        i_delta(": [1.0]}"),
        *ended('{"k":[1]}'),
        i_start("b", "g"),
        *ended("{}", "b", "g"),
        fin("tool-calls", "TOOL_CALL"),
    ]
    assert decoded.warnings == []
    assert [call.executable for call in decoded.message.tool_calls] == [True, True]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{ "a" : 1 }', '{"a":1}'),
        ('{"b":1,"1":2}', '{"1":2,"b":1}'),
        (" ", "{}"),
        ("null", "{}"),
        ('{"n":12345678901234567890}', '{"n":12345678901234567890}'),
        ('{"a":"\\ud83d"}', '{"a":"\\ud83d"}'),
        ('{"n": 1e3 }', '{"n":1000}'),
    ],
)
def test_the_final_arguments(written: str, shown: str) -> None:
    """As the reference writes them, but that no integer is rounded (V26)."""
    parts = payload(call_start(), arguments(written), call_end())
    assert parts == [i_start(), i_delta(written), *ended(shown)]


@pytest.mark.parametrize("written", ["[1]", "1", '{"a":', "{} {}", '"x"'])
def test_arguments_that_are_no_object_are_marked(written: str) -> None:
    decoded = cohere(call_start(), arguments(written), call_end())
    assert decoded.parts[-2] == t_call(written, invalid=True)
    assert decoded.codes == ["invalid_arguments"]
    strict = cohere(call_start(), arguments(written), call_end(), policy="strict")
    assert strict.parts[-1]["kind"] == "invalid_arguments"


def test_arguments_that_come_with_the_start() -> None:
    parts = payload(call_start(args='{"a"'), arguments(":1}"), call_end())
    assert parts == [i_start(), i_delta('{"a"'), i_delta(":1}"), *ended('{"a":1}')]


@pytest.mark.parametrize(
    ("reason", "unified"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("ERROR", "error"),
        ("TIMEOUT", "other"),
        ("FUTURE", "other"),
        (None, "other"),
    ],
)
def test_finish_reasons(reason: str | None, unified: str) -> None:
    decoded = decode_every_way(wire(message_start(), message_end(reason)), DIALECT)
    assert decoded.parts == [*HEAD, fin(unified, reason)]
    assert decoded.codes == {"FUTURE": ["unknown_finish_reason"], None: ["finish_reason_missing"]}.get(reason, [])


@pytest.mark.parametrize("usage", [ABSENT, None, {}])
def test_no_usage(usage: Any) -> None:
    decoded = decode_every_way(wire(message_start(), message_end("COMPLETE", usage)), DIALECT)
    assert decoded.parts == [*HEAD, fin(usage=NO_USAGE)]


def test_usage_without_tokens_is_kept_raw() -> None:
    usage = {"billed_units": {"input_tokens": 1}}
    decoded = decode_every_way(wire(message_start(), message_end(usage=usage)), DIALECT)
    assert decoded.parts == [*HEAD, fin(usage={**NO_USAGE, "raw": usage})]


def test_what_has_no_part_is_no_oddity() -> None:
    decoded = cohere(plan("I will"), *CITATION, {"type": "debug", "prompt": "x"})
    assert decoded.parts == [*HEAD, fin()]
    assert decoded.warnings == []


def test_usage_is_the_wires() -> None:
    assert decode(TALK, DIALECT).parts[-1]["usage"]["raw"] == USAGE
