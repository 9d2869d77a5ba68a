"""Tool-call assembly: names, types and arguments, in every way in which real servers have sent them."""

from __future__ import annotations

import pytest

from .toolcall_vector import ARGUMENTS, PROTOCOL, Vector, check_lenient, check_strict
from .wire import (
    call,
    ended,
    event,
    i_delta,
    i_start,
    tools,
)

VECTORS = [
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
        ["name_late"],
        (PROTOCOL, 1),
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
            ["empty_args"],
        )
        for label, args in (("null", [None]), ("absent", []), ("empty", [""]))
    ],
    Vector(
        "arguments of JSON white space mean none",
        [tools(call(0, "a", "f", " \n"))],
        [i_start(), i_delta(" \n"), *ended(" \n")],
        [("a", "f", "{}", True)],
        ["empty_args"],
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
        ["name_late"],
        (PROTOCOL, 1),
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
            ("a list", "[]"),
            ("a number", "1"),
            ("null", "null"),
            ("NaN", '{"a":NaN}'),
            ("two values", "{}{}"),
        )
    ],
    *[
        Vector(
            f"WH-097 encoded twice{label}: kept, marked, never unwrapped",
            [tools(call(0, "a", "f", args))],
            [i_start(), i_delta(args), *ended(args, invalid=True)],
            [("a", "f", args, False)],
            ["double_encoded"],
            (ARGUMENTS, 3),
        )
        for label, args in (("", '"{\\"a\\":1}"'), (", with blanks around", ' "{ \\"a\\":1}\\n" '))
    ],
    *[
        Vector(
            f"a string that holds {label} is not encoded twice",
            [tools(call(0, "a", "f", args))],
            [i_start(), i_delta(args), *ended(args, invalid=True)],
            [("a", "f", args, False)],
            ["invalid_arguments"],
            (ARGUMENTS, 3),
        )
        for label, args in (("text", '"x"'), ("a list", '"[]"'), ("nothing", '""'), ("half an object", '"{"'), ("no end", '"'))
    ],
    Vector(
        "WH-099 all arguments once more: dropped",
        [tools(call(0, "a", "f", '{"a":')), tools(call(0, args="1}")), tools(call(0, args='{"a":1}'))],
        [i_start(), i_delta('{"a":'), i_delta("1}"), *ended('{"a":1}')],
        [("a", "f", '{"a":1}', True)],
        ["args_replayed"],
        (PROTOCOL, 3),
    ),
    Vector(
        "WH-099 all arguments once more, twice, with id and name, and white space behind",
        [tools(call(0, "a", "f", "{}")), *[tools(call(0, "a", "f", "{}"))] * 2, tools(call(0, args=" "))],
        [i_start(), i_delta("{}"), i_delta(" "), *ended("{} ")],
        [("a", "f", "{} ", True)],
        ["name_repeated", "args_replayed"] * 2,
        (PROTOCOL, 2),
    ),
    *[
        Vector(
            f"WH-099 once more in pieces, {label}: dropped",
            [tools(call(0, "a", "f", first)), *[tools(call(0, args=piece)) for piece in again]],
            [i_start(), i_delta(first), *ended(first)],
            [("a", "f", first, True)],
            ["args_replayed"],
            (PROTOCOL, 1 + len(again)),
        )
        for label, first, again in (
            ("three", '{"a":1}', ['{"a"', ":", "1}"]),
            ("each a character", '{"a":"\u00e9"}', list('{"a":"\u00e9"}')),
            ("the first of them empty white space", '{"a": 1}', ["{", '"a":', " ", "1", "}"]),
            ("white space around all of it", ' {"a":1}', [' \n{"a"', ":1} "]),
            ("an empty one among them", '{"a":1}', ['{"a"', "", ":1}"]),
            ("a brace in a string", '{"a":"}{"}', ['{"a":"}', '{"}']),
            ("a quote that is escaped", '{"a":"\\"}\\\\"}', ['{"a":"\\', '"}\\', '\\"}']),
            ("lists and objects within", '{"a":[{"b":{}},[]]}', ['{"a":[', '{"b":{}', "},[]]}"]),
        )
    ],
    Vector(
        "WH-099 once more in pieces, twice, and white space between",
        [tools(call(0, "a", "f", piece)) for piece in ['{"a"', ":1}", " ", "{", '"a":1}', '{"a":1', "}", "\n"]],
        [i_start(), i_delta('{"a"'), i_delta(":1}"), i_delta(" "), i_delta("\n"), *ended('{"a":1} \n')],
        [("a", "f", '{"a":1} \n', True)],
        [*["name_repeated"] * 4, "args_replayed", *["name_repeated"] * 2, "args_replayed", "name_repeated"],
        (PROTOCOL, 2),
    ),
    Vector(
        "WH-099 once more in pieces, two calls by turns",
        [
            tools(call(0, "a", "f", '{"x":1}'), call(1, "b", "g", '{"x":1}')),
            *[tools(call(at, args=piece)) for piece in ('{"x"', ":1}") for at in (0, 1)],
        ],
        [i_start(), i_delta('{"x":1}'), i_start("b", "g"), i_delta('{"x":1}', "b"), *ended('{"x":1}'),
         *ended('{"x":1}', "b", "g")],
        [("a", "f", '{"x":1}', True), ("b", "g", '{"x":1}', True)],
        ["index_decreased", "args_replayed", "args_replayed"],
        (PROTOCOL, 2),
    ),
    Vector(
        "WH-099 once more in pieces, before the name",
        [tools(call(0, "a", args='{"x":1}')), tools(call(0, args='{"x"')), tools(call(0, args=":1}")), tools(call(0, name="f"))],
        [i_start(), i_delta('{"x":1}'), *ended('{"x":1}')],
        [("a", "f", '{"x":1}', True)],
        ["arguments_before_name", "arguments_before_name", "args_replayed"],
        (PROTOCOL, 1),
    ),
    *[
        Vector(
            f"WH-099 in pieces, {label}: kept, and invalid",
            [tools(call(0, "a", "f", first)), *[tools(call(0, args=piece)) for piece in again]],
            [i_start(), i_delta(first), *map(i_delta, shown), *ended(first + "".join(again), invalid=True)],
            [("a", "f", first + "".join(again), False)],
            ["invalid_arguments"],
            (ARGUMENTS, 3 + len(again)),
        )
        for label, first, again, shown in (
            ("another value", '{"a":1}', ['{"a":', "2", "}"], ['{"a":2', "}"]),
            ("another value, late", '{"a":1}', ["{", '"a"', ":", "2}"], ['{"a":2}']),
            ("not all of it", '{"a":1}', ['{"a"', ":"], ['{"a":']),
            ("more than all of it", '{"a":1}', ['{"a"', ":1,", '"b":2}'], ['{"a":1,', '"b":2}']),
            ("one that goes on after the end", '{"a":1}', ['{"a":1}{"a"', ":1}"], ['{"a":1}{"a"', ":1}"]),
            ("nothing at first, and then the arguments", "{}", ["{", '"a":1', "}"], ['{"a":1', "}"]),
            ("once more after something else", '{"a":1}', ["{x", '{"a"', ":1}"], ["{x", '{"a"', ":1}"]),
            ("a text that has brackets and is none", '{"a" 1}', ['{"a"', " 1}"], ['{"a"', " 1}"]),
        )
    ],
    Vector(
        "objects within arguments are no replay",
        [tools(call(0, "a", "f", '{"l":["}')), *[tools(call(0, args=piece)) for piece in ("{", '",', "{}", ",", "{}", "]}")]],
        [i_start(), i_delta('{"l":["}'), *map(i_delta, ("{", '",', "{}", ",", "{}", "]}")), *ended('{"l":["}{",{},{}]}')],
        [("a", "f", '{"l":["}{",{},{}]}', True)],
    ),
    *[
        Vector(
            f"WH-099 {label}: kept, and invalid",
            [tools(call(0, "a", "f", first)), tools(call(0, args=again))],
            [i_start(), i_delta(first), i_delta(again), *ended(first + again, invalid=True)],
            [("a", "f", first + again, False)],
            ["invalid_arguments"],
            (ARGUMENTS, 4),
        )
        for label, first, again in (
            ("another object", '{"a":1}', '{"a":2}'),
            ("the same object written in another way", '{"a":1}', '{"a": 1}'),
            ("half an object twice", '{"a":', '{"a":'),
            ("a list twice", "[]", "[]"),
        )
    ],
    Vector(
        "WH-099 white space twice is no replay",
        [tools(call(0, "a", "f", " ")), tools(call(0, args=" "))],
        [i_start(), i_delta(" "), i_delta(" "), *ended("  ")],
        [("a", "f", "{}", True)],
        ["empty_args"],
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
    decoded = check_lenient(vector)

    assert decoded.parts == vector.all_parts
    assert decoded.codes == vector.warnings


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_strict(vector: Vector) -> None:
    decoded = check_strict(vector)

    assert decoded.message.complete is (vector.strict is None)
