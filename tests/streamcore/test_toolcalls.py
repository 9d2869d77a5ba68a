"""Tool-call assembly, on the wire of ``openai-chat``: every way in which real servers have sent calls.

Each vector says what the parts are, which leniencies were used, what the message holds, and where policy ``strict`` gives
up. The ids WH-nnn name the defects in the catalogue of wire hazards that the vector comes from.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from streamcore import Limits

from .wire import (
    DONE,
    HEAD,
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

END = [finish("tool_calls"), DONE]
FIN = fin("tool-calls", "tool_calls")
PROTOCOL = "tool_call_protocol"
ARGUMENTS = "invalid_arguments"


@dataclass
class Vector:
    """A body and all that it must give; ``END`` follows ``frames`` unless ``cut``."""

    name: str
    frames: list[bytes]
    parts: list[Json]
    """Between the head and the finish."""
    calls: list[tuple[str, str, str, bool]]
    """(id, name, arguments, executable) of each call of the message."""
    warnings: list[str] = field(default_factory=list)
    strict: tuple[str, int] | None = None
    """Error kind, and the frame (counted from 1) in which policy strict ends; None where it accepts."""

    @property
    def body(self) -> bytes:
        return b"".join([*self.frames, *END])


VECTORS = [
    Vector(
        "plain",
        [tools(call(0, "a", "f", "", "function")), tools(call(0, args='{"x":')), tools(call(0, args="1}"))],
        [i_start(), i_delta('{"x":'), i_delta("1}"), *ended('{"x":1}')],
        [("a", "f", '{"x":1}', True)],
    ),
    Vector(
        "WH-098 a whole call in one delta",
        [tools(call(0, "a", "f", '{"c":1}', "function"))],
        [i_start(), i_delta('{"c":1}'), *ended('{"c":1}')],
        [("a", "f", '{"c":1}', True)],
    ),
    Vector(
        "WH-048 payload in the chunk of the finish reason",
        [tools(call(0, "a", "f", "{}"), finish="tool_calls")],
        [i_start(), i_delta("{}"), *ended("{}")],
        [("a", "f", "{}", True)],
    ),
    Vector(
        "WH-049 deltas after the finish reason",
        [tools(call(0, "a", "f", '{"x"')), finish("tool_calls"), tools(call(0, args=":1}"))],
        [i_start(), i_delta('{"x"'), i_delta(":1}"), *ended('{"x":1}')],
        [("a", "f", '{"x":1}', True)],
    ),
    Vector(
        "WH-100 interleaved calls",
        [
            tools(call(0, "a", "f", '{"x":'), call(1, "b", "g", '{"y":')),
            tools(call(0, args="1}")),
            tools(call(1, args="2}")),
        ],
        [
            i_start(),
            i_delta('{"x":'),
            i_start("b", "g"),
            i_delta('{"y":', "b"),
            i_delta("1}"),
            i_delta("2}", "b"),
            *ended('{"x":1}'),
            *ended('{"y":2}', "b", "g"),
        ],
        [("a", "f", '{"x":1}', True), ("b", "g", '{"y":2}', True)],
    ),
    Vector(
        "WH-104 text before, between and after",
        [text("x"), tools(call(0, "a", "f", "{")), text("y"), tools(call(0, args="}")), text("z")],
        [
            t_start(),
            t_delta("x"),
            i_start(),
            i_delta("{"),
            t_delta("y"),
            i_delta("}"),
            t_delta("z"),
            t_end(),
            *ended("{}"),
        ],
        [("a", "f", "{}", True)],
    ),
    # -- index ---------------------------------------------------------------------------------------------------------
    Vector(
        "WH-085 no index, an id opens a call, none goes on with the last",
        [
            tools(call(None, "a", "f", "{")),
            tools(call(None, args="}")),
            tools({"id": "b", "function": {"name": "g", "arguments": "["}}),
            tools({"id": "a", "function": {"arguments": " "}}),
            tools({"function": {"arguments": " "}}),
        ],
        [
            i_start(),
            i_delta("{"),
            i_delta("}"),
            i_start("b", "g"),
            i_delta("[", "b"),
            i_delta(" "),
            i_delta(" "),
            *ended("{}  "),
            *ended("[", "b", "g", invalid=True),
        ],
        [("a", "f", "{}  ", True), ("b", "g", "[", False)],
        ["index_missing"] * 5 + ["invalid_arguments"],
        (PROTOCOL, 1),
    ),
    Vector(
        "WH-085 neither index nor id: a name opens a call",
        [tools({"function": {"name": "f", "arguments": "{}"}}), tools({"function": {"name": "g", "arguments": "{}"}})],
        [
            i_start("call_gen_0_0"),
            i_delta("{}", "call_gen_0_0"),
            i_start("call_gen_0_1", "g"),
            i_delta("{}", "call_gen_0_1"),
            *ended("{}", "call_gen_0_0"),
            *ended("{}", "call_gen_0_1", "g"),
        ],
        [("call_gen_0_0", "f", "{}", True), ("call_gen_0_1", "g", "{}", True)],
        ["index_missing", "id_synthesised"] * 2,
        (PROTOCOL, 1),
    ),
    Vector(
        "neither index nor id: arguments before the name",
        [tools({"function": {"arguments": "{"}}), tools({"function": {"name": "f", "arguments": "}"}})],
        [i_start("call_gen_0_0"), i_delta("{", "call_gen_0_0"), i_delta("}", "call_gen_0_0"), *ended("{}", "call_gen_0_0")],
        [("call_gen_0_0", "f", "{}", True)],
        ["index_missing", "arguments_before_name", "index_missing", "id_synthesised"],
        (PROTOCOL, 1),
    ),
    Vector(
        "WH-086 all calls have index 0",
        [tools(call(0, "a", "f", '{"x":1}')), tools(call(0, "b", "g", '{"y":2}'))],
        [
            i_start(),
            i_delta('{"x":1}'),
            i_start("b", "g"),
            i_delta('{"y":2}', "b"),
            *ended('{"x":1}'),
            *ended('{"y":2}', "b", "g"),
        ],
        [("a", "f", '{"x":1}', True), ("b", "g", '{"y":2}', True)],
        ["index_collision"],
        (PROTOCOL, 2),
    ),
    Vector(
        "WH-086 all calls have index 0, pieces without an id",
        [
            tools(call(0, "a", "f", "")),
            tools(call(0, args="{}")),
            tools(call(0, "b", "g", "")),
            tools(call(0, args="{ }")),
        ],
        [
            i_start(),
            i_delta("{}"),
            i_start("b", "g"),
            i_delta("{ }", "b"),
            *ended("{}"),
            *ended("{ }", "b", "g"),
        ],
        [("a", "f", "{}", True), ("b", "g", "{ }", True)],
        ["index_collision"],
        (PROTOCOL, 3),
    ),
    Vector(
        "WH-086 all calls have index 0, alternating by id",
        [
            tools(call(0, "a", "f", "{")),
            tools(call(0, "b", "g", "{")),
            tools(call(0, "a", args=" ")),
            tools(call(0, args="}")),
            tools(call(0, "b", "g", "}")),
        ],
        [
            i_start(),
            i_delta("{"),
            i_start("b", "g"),
            i_delta("{", "b"),
            i_delta(" "),
            i_delta("}"),
            i_delta("}", "b"),
            *ended("{ }"),
            *ended("{}", "b", "g"),
        ],
        [("a", "f", "{ }", True), ("b", "g", "{}", True)],
        ["index_collision", "index_collision", "index_collision", "name_repeated"],
        (PROTOCOL, 2),
    ),
    Vector(
        "all calls have index 0 and an old id comes back with another name",
        [tools(call(0, "a", "f", "{}")), tools(call(0, "b", "g", "{}")), tools(call(0, "a", "h", "{ }"))],
        [
            i_start(),
            i_delta("{}"),
            i_start("b", "g"),
            i_delta("{}", "b"),
            i_start("call_gen_0_0", "h"),
            i_delta("{ }", "call_gen_0_0"),
            *ended("{}"),
            *ended("{}", "b", "g"),
            *ended("{ }", "call_gen_0_0", "h"),
        ],
        [("a", "f", "{}", True), ("b", "g", "{}", True), ("call_gen_0_0", "h", "{ }", True)],
        ["index_collision", "index_collision", "duplicate_id"],
        (PROTOCOL, 2),
    ),
    Vector(
        "WH-087 the first index is 1",
        [tools(call(1, "a", "f", "{}"))],
        [i_start(), i_delta("{}"), *ended("{}")],
        [("a", "f", "{}", True)],
    ),
    Vector(
        "WH-087 indices with a gap, the higher first: they open as they come and end by index",
        [tools(call(5, "a", "f", "{}")), tools(call(2, "b", "g", "{}"))],
        [i_start(), i_delta("{}"), i_start("b", "g"), i_delta("{}", "b"), *ended("{}", "b", "g"), *ended("{}")],
        [("a", "f", "{}", True), ("b", "g", "{}", True)],
    ),
    Vector(
        "a negative index is a key like any other",
        [tools(call(-1, "a", "f", "{")), tools(call(-1, args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
    ),
    Vector(
        "1.0 is 1",
        [tools(call(1.0, "a", "f", "{")), tools(call(1, args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
    ),
    Vector(
        "1.5 is no index",
        [tools(call(1.5, "a", "f", "{")), tools(call(1.5, args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
        ["index_missing", "index_missing"],
        (PROTOCOL, 1),
    ),
    Vector(
        "WH-088 two entries of one index in one delta",
        [tools(call(0, "a", "f", '{"ci'), call(0, args='ty":1}'))],
        [i_start(), i_delta('{"ci'), i_delta('ty":1}'), *ended('{"city":1}')],
        [("a", "f", '{"city":1}', True)],
    ),
    Vector(
        "a call goes on at another index, then without its id",
        [tools(call(0, "a", "f", "{")), tools(call(3, "a", args=" ")), tools(call(3, args="}"))],
        [i_start(), i_delta("{"), i_delta(" "), i_delta("}"), *ended("{ }")],
        [("a", "f", "{ }", True)],
        ["index_changed"],
        (PROTOCOL, 2),
    ),
    # -- id ------------------------------------------------------------------------------------------------------------
    *[
        Vector(
            f"WH-089 id {label}",
            [tools(call(0, wire_id, "f", "{")), tools(call(0, args="}"))],
            [
                i_start("call_gen_0_0"),
                i_delta("{", "call_gen_0_0"),
                i_delta("}", "call_gen_0_0"),
                *ended("{}", "call_gen_0_0"),
            ],
            [("call_gen_0_0", "f", "{}", True)],
            ["id_synthesised"],
            (PROTOCOL, 1),
        )
        for label, wire_id in (("null", None), ("empty", ""), ("blank", " "), ("the word null", "null"))
    ],
    Vector(
        "a made-up id never is one of the wire's",
        [
            tools(call(0, "call_gen_0_0", "f", "{}")),
            tools(call(1, "call_gen_0_1", "f", "{}")),
            tools(call(2, name="f", args="{}")),
        ],
        [
            i_start("call_gen_0_0"),
            i_delta("{}", "call_gen_0_0"),
            i_start("call_gen_0_1"),
            i_delta("{}", "call_gen_0_1"),
            i_start("call_gen_0_2"),
            i_delta("{}", "call_gen_0_2"),
            *ended("{}", "call_gen_0_0"),
            *ended("{}", "call_gen_0_1"),
            *ended("{}", "call_gen_0_2"),
        ],
        [(f"call_gen_0_{n}", "f", "{}", True) for n in range(3)],
        ["id_synthesised"],
        (PROTOCOL, 3),
    ),
    Vector(
        "WH-090 empty id and name in the pieces that follow",
        [tools(call(0, "a", "f", '{"x":')), tools(call(0, "", "", "1}")), tools(call(0, None, None, ""))],
        [i_start(), i_delta('{"x":'), i_delta("1}"), i_delta(""), *ended('{"x":1}')],
        [("a", "f", '{"x":1}', True)],
    ),
    Vector(
        "WH-091 the id comes again in each piece",
        [tools(call(0, "a", "f", "{")), tools(call(0, "a", args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
    ),
    Vector(
        "the id changes: the first stays",
        [tools(call(0, "a", "f", "{")), tools(call(0, "z", args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
        ["id_changed"],
        (PROTOCOL, 2),
    ),
    Vector(
        "an id on two indices: the second call gets another",
        [tools(call(0, "a", "f", "{}"), call(1, "a", "f", "{ }")), tools(call(1, args=" "))],
        [
            i_start(),
            i_delta("{}"),
            i_start("call_gen_0_0"),
            i_delta("{ }", "call_gen_0_0"),
            i_delta(" ", "call_gen_0_0"),
            *ended("{}"),
            *ended("{ } ", "call_gen_0_0"),
        ],
        [("a", "f", "{}", True), ("call_gen_0_0", "f", "{ } ", True)],
        ["duplicate_id"],
        (PROTOCOL, 1),
    ),
    Vector(
        "an id that comes late and is taken",
        [tools(call(0, args="{}")), tools(call(1, "a", "g", "{}")), tools(call(0, "a", "f"))],
        [
            i_start("a", "g"),
            i_delta("{}"),
            i_start("call_gen_0_0"),
            i_delta("{}", "call_gen_0_0"),
            *ended("{}", "call_gen_0_0"),
            *ended("{}", "a", "g"),
        ],
        [("a", "g", "{}", True), ("call_gen_0_0", "f", "{}", True)],
        ["arguments_before_name", "duplicate_id"],
        (PROTOCOL, 1),
    ),
    # -- name ----------------------------------------------------------------------------------------------------------
    Vector(
        "WH-092 the name comes again in each piece",
        [tools(call(0, "a", "f", "{")), tools(call(0, name="f", args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
        ["name_repeated"],
        (PROTOCOL, 2),
    ),
    Vector(
        "WH-093 the name in pieces",
        [tools(call(0, "a", "get_", "")), tools(call(0, name="weather", args="{}"))],
        [i_start("a", "get_"), i_delta("{}"), *ended("{}", "a", "get_weather")],
        [("a", "get_weather", "{}", True)],
        ["name_fragment"],
        (PROTOCOL, 2),
    ),
    Vector(
        "a name after arguments changes nothing",
        [tools(call(0, "a", "f", "{")), tools(call(0, name="g", args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
        ["name_after_arguments"],
        (PROTOCOL, 2),
    ),
    Vector(
        "R2 arguments, then the id, then the name",
        [tools(call(0, args="{")), tools(call(0, "a", args="}")), tools(call(0, name="f")), tools(call(0, args=" "))],
        [i_start(), i_delta("{}"), i_delta(" "), *ended("{} ")],
        [("a", "f", "{} ", True)],
        ["arguments_before_name", "arguments_before_name"],
        (PROTOCOL, 1),
    ),
    Vector(
        "the id, then the name",
        [tools(call(0, "a", args="")), tools(call(0, name="f", args="{}"))],
        [i_start(), i_delta("{}"), *ended("{}")],
        [("a", "f", "{}", True)],
    ),
    # -- type ----------------------------------------------------------------------------------------------------------
    *[
        Vector(
            f"type {wire_type!r}",
            [tools(call(0, "a", "f", "{}", wire_type))],
            [i_start(), i_delta("{}"), *ended("{}")],
            [("a", "f", "{}", True)],
        )
        for wire_type in (None, "", "null", "function")
    ],
    # -- arguments -----------------------------------------------------------------------------------------------------
    *[
        Vector(
            f"WH-095 arguments {label}",
            [tools(call(0, "a", "f", *args)), *([tools(call(0, args=None))] if label == "null" else [])],
            [i_start(), *ended("")],
            [("a", "f", "{}", True)],
        )
        for label, args in (("null", [None]), ("absent", []), ("empty", [""]))
    ],
    Vector(
        "arguments of JSON white space mean none",
        [tools(call(0, "a", "f", " \n"))],
        [i_start(), i_delta(" \n"), *ended(" \n")],
        [("a", "f", "{}", True)],
    ),
    Vector(
        "other white space does not",
        [tools(call(0, "a", "f", "\u00a0"))],
        [i_start(), i_delta("\u00a0"), *ended("\u00a0", invalid=True)],
        [("a", "f", "\u00a0", False)],
        ["invalid_arguments"],
        (ARGUMENTS, 3),
    ),
    Vector(
        "function null: a call without a name yet",
        [tools({"index": 0, "id": "a", "function": None}), tools(call(0, name="f", args="{}"))],
        [i_start(), i_delta("{}"), *ended("{}")],
        [("a", "f", "{}", True)],
    ),
    Vector(
        "WH-096 arguments that are an object, integers exact",
        [tools(call(0, "a", "f", {"id": 2512292042121000001, "t": "\u00e9", "l": [1.5, None, True]}))],
        [
            i_start(),
            i_delta('{"id":2512292042121000001,"t":"\u00e9","l":[1.5,null,true]}'),
            *ended('{"id":2512292042121000001,"t":"\u00e9","l":[1.5,null,true]}'),
        ],
        [("a", "f", '{"id":2512292042121000001,"t":"\u00e9","l":[1.5,null,true]}', True)],
        ["args_not_string"],
        ("invalid_payload", 1),
    ),
    Vector(
        "WH-036 an integer beyond 2^53",
        [tools(call(0, "a", "f", '{"id":2512292042121000001}'))],
        [i_start(), i_delta('{"id":2512292042121000001}'), *ended('{"id":2512292042121000001}')],
        [("a", "f", '{"id":2512292042121000001}', True)],
    ),
    Vector(
        "WH-037 a key twice",
        [tools(call(0, "a", "f", '{"a":1,"a":2}'))],
        [i_start(), i_delta('{"a":1,"a":2}'), *ended('{"a":1,"a":2}')],
        [("a", "f", '{"a":1,"a":2}', True)],
        ["duplicate_key"],
        ("invalid_arguments", 3),
    ),
    Vector(
        "WH-039 a key that means something to JavaScript",
        [tools(call(0, "a", "f", '{"__proto__":{"x":1}}'))],
        [i_start(), i_delta('{"__proto__":{"x":1}}'), *ended('{"__proto__":{"x":1}}')],
        [("a", "f", '{"__proto__":{"x":1}}', True)],
    ),
    *[
        Vector(
            f"{label}: kept, marked, never repaired",
            [tools(call(0, "a", "f", args))],
            [i_start(), i_delta(args), *ended(args, invalid=True)],
            [("a", "f", args, False)],
            ["invalid_arguments"],
            (ARGUMENTS, 3),
        )
        for label, args in (
            ("WH-038 nested too deep", "[" * 5000),
            ("WH-038 an object nested too deep", '{"a":' * 300 + "1" + "}" * 300),
            ("WH-041 not JSON", '{"a" 1}'),
            ("WH-047 WH-103 the tail is missing", '{"a":1'),
            ("WH-097 encoded twice", '"{\\"a\\":1}"'),
            ("a list", "[]"),
            ("a number", "1"),
            ("null", "null"),
            ("NaN", '{"a":NaN}'),
            ("two values", "{}{}"),
        )
    ],
    Vector(
        "WH-099 all arguments once more: reported, since deltas are additive",
        [tools(call(0, "a", "f", '{"a":')), tools(call(0, args="1}")), tools(call(0, args='{"a":1}'))],
        [
            i_start(),
            i_delta('{"a":'),
            i_delta("1}"),
            i_delta('{"a":1}'),
            *ended('{"a":1}{"a":1}', invalid=True),
        ],
        [("a", "f", '{"a":1}{"a":1}', False)],
        ["invalid_arguments"],
        (ARGUMENTS, 5),
    ),
    Vector(
        "WH-101 arguments that parse early end nothing",
        [tools(call(0, "a", "f", "{}")), tools(call(0, args=" ")), tools(call(0, args="\n"))],
        [i_start(), i_delta("{}"), i_delta(" "), i_delta("\n"), *ended("{} \n")],
        [("a", "f", "{} \n", True)],
    ),
    Vector(
        "WH-032 a surrogate pair in two pieces: joined in the message",
        [event(rb'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f",'
               rb'"arguments":"{\"k\":\"\ud83d"}}]}}],"id":"c","created":1,"model":"m"}'),
         event(rb'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\ude00\"}"}}]}}]}')],
        [i_start(), i_delta('{"k":"\ud83d'), i_delta('\ude00"}'), *ended('{"k":"\ud83d\ude00"}')],
        [("a", "f", '{"k":"\U0001f600"}', True)],
    ),
    Vector(
        "half a surrogate pair, for good",
        [event(rb'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"\udc00","function":{"name":"f\ud83d",'
               rb'"arguments":"{\"k\":\"\ud83d\"}"}}]}}],"id":"c","created":1,"model":"m"}')],
        [
            i_start("\udc00", "f\ud83d"),
            i_delta('{"k":"\ud83d"}', "\udc00"),
            *ended('{"k":"\ud83d"}', "\udc00", "f\ud83d"),
        ],
        [("\ufffd", "f\ufffd", '{"k":"\ufffd"}', True)],
    ),
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_lenient(vector: Vector) -> None:
    decoded = decode_every_way(vector.body)

    assert decoded.parts == [*HEAD, *vector.parts, FIN]
    assert decoded.codes == vector.warnings
    found = [(c.id, c.name, c.arguments, c.executable) for c in decoded.message.tool_calls]
    assert found == vector.calls
    assert all(c.complete for c in decoded.message.tool_calls)
    assert decoded.message.complete
    assert decoded.message.finish is not None
    assert (decoded.message.finish.unified, decoded.message.finish.raw) == ("tool-calls", "tool_calls")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_strict(vector: Vector) -> None:
    decoded = decode_every_way(vector.body, policy="strict")

    assert decoded.codes == []
    if vector.strict is None:
        assert decoded.parts == [*HEAD, *vector.parts, FIN]
        return
    kind, frame = vector.strict
    *before, last = decoded.parts
    assert last == err(kind, "stream", size(*[*vector.frames, *END][:frame]))
    assert before == [*HEAD, *vector.parts][: len(before)], "what was emitted before is what lenient emits"
    assert not decoded.message.complete
    assert decoded.message.finish is not None
    assert decoded.message.finish.unified == "error"


def test_strict_says_which_rule_was_broken() -> None:
    decoded = decode_every_way(tools(call(0, "a", "f", "{}"), call(0, "b", "g", "{}")), policy="strict")

    assert decoded.message.error is not None
    assert decoded.message.error.detail == "index_collision: calls 'a' and 'b' share index 0"


# -- calls that never were ----------------------------------------------------------------------------------------------


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

    assert decoded.parts == [
        *HEAD,
        i_start("b", "g"),
        i_delta("{}", "b"),
        err("nameless_call", "stream", size(*frames)),
    ]


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
        FIN,
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


# -- deltas that do not fit ---------------------------------------------------------------------------------------------


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


# -- limits ---------------------------------------------------------------------------------------------------------------


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


# -- shapes that must not matter ------------------------------------------------------------------------------------------


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
def test_key_order_does_not_matter(order: tuple[str, ...], inner: tuple[str, ...]) -> None:
    """A8."""
    function = {"name": "f", "arguments": "{}"}
    whole = {"index": 0, "id": "a", "type": "function", "function": {key: function[key] for key in inner}}
    body = tools({key: whole[key] for key in order}) + b"".join(END)

    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        assert decode(pieces).parts == [*HEAD, i_start(), i_delta("{}"), *ended("{}"), FIN]


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
