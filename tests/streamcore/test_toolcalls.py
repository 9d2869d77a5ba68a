"""Tool-call assembly, on the wire of ``openai-chat``: which call a delta belongs to.

Each vector says what the parts are, which leniencies were used, what the message holds, and where policy ``strict``
gives up. The ids WH-nnn name the defects in the catalogue of wire hazards that a vector comes from.
"""

from __future__ import annotations

import pytest

from .toolcall_vector import PROTOCOL, Vector, check_lenient, check_strict
from .wire import (
    ABSENT,
    call,
    ended,
    finish,
    i_delta,
    i_start,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)

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
        ["index_decreased"],
        (PROTOCOL, 2),
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
        (PROTOCOL, 2),
    ),
    Vector(
        "WH-085 no index: the call that was spoken of last goes on",
        [
            tools(call(0, "a", "f", "{"), call(1, "b", "g", "{")),
            tools(call(0, args=" ")),
            tools(call(ABSENT, args="}")),
            tools(call(1, args="}")),
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
        ["index_decreased", "index_missing"],
        (PROTOCOL, 2),
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
        [
            i_start("call_gen_0_0"),
            i_delta("{", "call_gen_0_0"),
            i_delta("}", "call_gen_0_0"),
            *ended("{}", "call_gen_0_0"),
        ],
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
        ["index_origin"],
        (PROTOCOL, 1),
    ),
    Vector(
        "WH-087 indices with a gap, the higher first: they open as they come and end by index",
        [tools(call(5, "a", "f", "{}")), tools(call(2, "b", "g", "{}"))],
        [i_start(), i_delta("{}"), i_start("b", "g"), i_delta("{}", "b"), *ended("{}", "b", "g"), *ended("{}")],
        [("a", "f", "{}", True), ("b", "g", "{}", True)],
        ["index_origin", "index_decreased"],
        (PROTOCOL, 1),
    ),
    Vector(
        "a negative index is a key like any other",
        [tools(call(-1, "a", "f", "{")), tools(call(-1, args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
        ["index_origin"],
        (PROTOCOL, 1),
    ),
    Vector(
        "1.0 is 1",
        [tools(call(1.0, "a", "f", "{")), tools(call(1, args="}"))],
        [i_start(), i_delta("{"), i_delta("}"), *ended("{}")],
        [("a", "f", "{}", True)],
        ["index_origin"],
        (PROTOCOL, 1),
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
        ["index_changed", "index_skipped"],
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
        ["id_repeated"],
        (PROTOCOL, 2),
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
        ["arguments_before_name", "index_decreased", "duplicate_id"],
        (PROTOCOL, 1),
    ),
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_lenient(vector: Vector) -> None:
    decoded = check_lenient(vector)
    assert decoded.parts == vector.all_parts
    assert decoded.codes == vector.warnings


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_strict(vector: Vector) -> None:
    decoded = check_strict(vector)
    assert decoded.message.complete is (vector.strict is None)
