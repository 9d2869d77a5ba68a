"""Gemini's function calls: whole ones, and those that come in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Limits

from .gemini_wire import STOP, arg, call, chunk, fin, gemini, metadata, payload, piece, sse, text
from .wire import Json, decode, i_delta, i_end, i_start, t_call, t_delta, t_end, t_start

SIGNED = metadata(thoughtSignature="s+/=")


def whole(arguments: str, key: str = "gen_0", name: str = "f", delta: bool = True, **extra: Any) -> list[Json]:
    """The parts of a call that came at once."""
    described = {key: value for key, value in extra.items() if key == "providerMetadata"}
    deltas = [i_delta(arguments, key, **described)] if delta else []
    return [i_start(key, name, **described), *deltas, i_end(key, **described), t_call(arguments, key, name, **extra)]


# -- whole ----------------------------------------------------------------------------------------------------------


def test_calls() -> None:
    parts = payload(
        chunk(call("f", {"b": [1.0, 1e21, 12345678901234567890], "2": "\u00e9\u2028", "10": None}, "s+/=")),
        chunk(call("g", {}, id="given"), call("g", {"x": 1})),
    )

    assert parts == [
        *whole('{"2":"\u00e9\u2028","10":null,"b":[1,1e+21,12345678901234567000]}', providerMetadata=SIGNED),
        *whole("{}", "given", "g"),
        *whole('{"x":1}', "gen_1", "g"),
    ]


@pytest.mark.parametrize("extra", [{}, {"args": None}, {"willContinue": False}])
def test_a_call_without_arguments(extra: Json) -> None:
    wire = {"functionCall": {"name": "f", **extra}, "thoughtSignature": "s+/="}

    assert payload(chunk(wire)) == whole("{}", delta=False, providerMetadata=SIGNED)


def test_calls_come_after_the_text_of_their_chunk_and_do_not_end_it() -> None:
    parts = payload(chunk(call(), text("a")), chunk(text("b")))

    assert parts == [t_start(), t_delta("a"), *whole("{}", delta=False), t_delta("b"), t_end()]


@pytest.mark.parametrize("args", ['{"x": 1}', "", "{", "[]", '"x"', [1], 1, True])
def test_arguments_that_are_no_object(args: Any) -> None:
    decoded = gemini(chunk(call("f", args)), STOP)

    arguments = args if isinstance(args, str) else json.dumps(args)
    valid = args in ('{"x": 1}', "") and isinstance(args, str)
    assert decoded.parts[1:-1] == whole(arguments, **({} if valid else {"invalid": True}))
    assert decoded.codes == ([] if valid else ["invalid_arguments"])
    [block] = decoded.message.tool_calls
    assert block.executable == valid


def test_two_calls_with_one_id() -> None:
    decoded = gemini(chunk(call("f", {}, id="a"), call("g", {}, id="a"), call("h", {}, id="gen_0")), STOP)

    assert [block.id for block in decoded.message.tool_calls] == ["a", "gen_0", "gen_1"]
    assert decoded.codes == ["duplicate_id", "duplicate_id"]


def test_a_made_up_id_is_new() -> None:
    decoded = gemini(chunk(call("f", {}, id="gen_0"), call("f", {}, id="gen_1"), call("g")), STOP)

    assert [block.id for block in decoded.message.tool_calls] == ["gen_0", "gen_1", "gen_2"]


@pytest.mark.parametrize("wire", [{"args": {"x": 1}}, {"args": {}, "name": ""}, {"args": {}, "name": "null"}, {"partialArgs": []}])
def test_a_call_without_a_name(wire: Json) -> None:
    decoded = gemini(chunk({"functionCall": wire}), STOP)

    [error] = [part for part in decoded.parts if part["type"] == "error"]
    assert (error["kind"], error["stage"]) == ("nameless_call", "stream")
    assert error["payload"].items() >= {key: value for key, value in wire.items() if key != "name"}.items()
    assert not decoded.message.tool_calls
    assert not decoded.message.complete


@pytest.mark.parametrize("wire", [{}, {"willContinue": True}, {"willContinue": False}, {"id": "a"}])
def test_a_piece_that_says_nothing(wire: Json) -> None:
    decoded = gemini(chunk({"functionCall": wire}), STOP)

    assert decoded.parts[1:] == [fin("stop", "STOP")]
    assert decoded.codes == []


# -- in pieces ------------------------------------------------------------------------------------------------------


def streamed(*deltas: str, name: str = "f", key: str = "gen_0") -> list[Json]:
    """The parts of a call that came in those pieces."""
    return [i_start(key, name), *(i_delta(delta, key) for delta in deltas), i_end(key), t_call("".join(deltas), key, name)]


def test_a_streamed_call() -> None:
    decoded = gemini(
        chunk(piece(name="f", signature="s+/="), responseId="r"),
        chunk(piece(arg("$.city", "Bos", True))),
        chunk(piece(arg("$.city", "to:n\"", True))),
        chunk(piece(arg("$.city", ""))),
        chunk(piece(arg("$.n", 1.0), arg("$.ok", True), arg("$.none", None))),
        chunk({"functionCall": {}}),
        chunk(piece(name="g")),
        chunk({"functionCall": {}}, finish="STOP"),
    )

    begun = {"providerMetadata": SIGNED}
    assert decoded.parts[2:-1] == [
        i_start("gen_0", **begun),
        i_delta('{"city":"Bos', "gen_0"),
        i_delta('to:n\\"', "gen_0"),
        i_delta('","n":1,"ok":true,"none":null', "gen_0"),
        i_delta("}", "gen_0", **begun),
        i_end("gen_0", **begun),
        t_call('{"city":"Boston","n":1,"ok":true,"none":null}'.replace("ton", 'to:n\\"'), "gen_0", **begun),
        *streamed("{}", name="g", key="gen_1"),
    ]
    assert decoded.parts[-1] == fin("tool-calls", "STOP")
    assert decoded.codes == []
    assert [block.executable for block in decoded.message.tool_calls] == [True, True]


def test_nested_arguments() -> None:
    parts = payload(
        chunk(piece(arg("$.a.b[0].c", "x", True), name="f")),
        chunk(piece(arg("$.a.b[0].c", "y"))),
        chunk(piece(arg("$.a.b[0]['d.e']", 1), arg("$.a.b[1].c", False))),
        chunk(piece(arg("$.a.f[0][0]", 1), arg("$.a.f[0][1]", 2), arg('$.g["\\"h"]', "z"), goes_on=None)),
    )

    assert parts == streamed(
        '{"a":{"b":[{"c":"x',
        "y",
        '","d.e":1},{"c":false',
        '}],"f":[[1,2]]},"g":{"\\"h":"z"',
        "}}",
    )


@pytest.mark.parametrize("last", [piece(arg("$.x", 1), goes_on=None), piece(arg("$.x", 1), goes_on=False)])
def test_a_call_ends_with_its_last_piece(last: Json) -> None:
    assert payload(chunk(piece(name="f")), chunk(last)) == streamed('{"x":1', "}")


def test_a_call_does_not_end_with_a_piece_of_a_string() -> None:
    parts = payload(chunk(piece(name="f")), chunk(piece(arg("$.x", "a", True), goes_on=None)), chunk({"functionCall": {}}))

    assert parts == streamed('{"x":"a', '"}')


def test_a_call_ends_with_an_empty_piece_that_does_not_continue() -> None:
    assert payload(chunk(piece(name="f")), chunk({"functionCall": {"willContinue": False}})) == streamed("{}")


def test_arguments_beside_the_name() -> None:
    wire = {"functionCall": {"name": "f", "args": {"a": [1], "b": {"2": 1, "1": 2}}, "willContinue": True}}

    assert payload(chunk(wire), chunk(piece(arg("$.c", 1), goes_on=None))) == streamed(
        '{"a":[1],"b":{"1":2,"2":1}', ',"c":1', "}"
    )


def test_pieces_of_calls_side_by_side() -> None:
    def of(key: str | None, **wire: Any) -> Json:
        return chunk({"functionCall": {**({"id": key} if key else {}), **wire}})

    decoded = gemini(
        of("a", name="f", willContinue=True),
        of("b", name="g", willContinue=True),
        of("a", partialArgs=[arg("$.x", 1)], willContinue=True),
        of(None, partialArgs=[arg("$.y", 2)], willContinue=True),
        of("a", name="f", willContinue=True),
        of("a"),
        of("z"),
        STOP,
    )

    assert [(block.id, block.arguments) for block in decoded.message.tool_calls] == [("a", '{"x":1}'), ("b", '{"y":2}')]
    assert decoded.codes == ["name_repeated"]
    assert decoded.message.complete


OUT_OF_ORDER = {
    "a member again": (arg("$.x", 1), arg("$.x", 2)),
    "a string that was ended": (arg("$.x", "a"), arg("$.x", "b")),
    "another kind of value": (arg("$.x", "a", True), arg("$.x", 1)),
    "a container that was left": (arg("$.x.a", 1), arg("$.y", 1), arg("$.x.b", 1)),
    "an element out of turn": (arg("$.x[0]", 1), arg("$.x[2]", 1)),
    "a name in a list": (arg("$.x[0]", 1), arg("$.x.y", 1)),
    "a list over a scalar": (arg("$.x", 1), arg("$.x[0]", 1)),
    "a root that is no object": (arg("$[0]", 1),),
    "the root itself": (arg("$", 1),),
    "no place": (arg("$.x[*]", 1),),
    "no end": (arg("$.x['y", 1),),
}


@pytest.mark.parametrize("args", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER)
def test_arguments_that_cannot_be_told_by_growing(args: tuple[Json, ...]) -> None:
    decoded = gemini(chunk(piece(*args, name="f")), chunk(piece(arg("$.z", 1))), chunk({"functionCall": {}}), STOP)

    [block] = decoded.message.tool_calls
    assert block.complete
    assert not block.executable
    deltas = [part["delta"] for part in decoded.parts if part["type"] == "tool-input-delta"]
    assert block.arguments == ("".join(deltas) or "{}")
    assert decoded.codes == ["partial_args_out_of_order", "invalid_arguments"]


@pytest.mark.parametrize("value", [{}, {"stringValue": None}, {"numberValue": None, "willContinue": False}])
def test_a_place_without_a_value(value: Json) -> None:
    assert payload(chunk(piece({"jsonPath": "$.x", **value}, name="f", goes_on=None))) == streamed("{}")


def test_a_call_that_is_not_ended_is_not_executable() -> None:
    decoded = gemini(chunk(piece(arg("$.x", 1), name="f")), STOP)

    [block] = decoded.message.tool_calls
    assert not block.complete
    assert decoded.codes == ["call_not_ended"]
    assert decoded.parts[-1] == fin("stop", "STOP")


def test_the_arguments_are_bounded() -> None:
    body = sse(*[chunk(piece(name="f")), *[chunk(piece(arg("$.x", "abcdefgh", True)))] * 9], STOP)
    decoded = decode(body, "vertex-gemini", limits=Limits(max_arguments_chars=40))

    assert decoded.parts[-1]["kind"] == "event_too_large"
    assert decoded == decode(body, "vertex-gemini", limits=Limits(max_arguments_chars=40), general=True)


def test_the_open_calls_are_bounded() -> None:
    decoded = decode(sse(*[chunk(piece(name="f"))] * 4), "vertex-gemini", limits=Limits(max_open_calls=3))

    assert decoded.parts[-1]["kind"] == "tool_call_protocol"


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6)
names = st.text(st.characters(codec="utf-8", exclude_characters="'\\"), max_size=4)
objects = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(names, inner, min_size=1, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def pieces_of(value: Any, path: str = "$") -> list[Json]:
    """The elements of ``partialArgs`` that tell ``value`` in document order, strings a character at a time."""
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in pieces_of(inner, f"{path}['{key}']")]
    if isinstance(value, list):
        return [one for at, inner in enumerate(value) for one in pieces_of(inner, f"{path}[{at}]")]
    if isinstance(value, str):
        return [arg(path, one, True) for one in value] + [arg(path, "")]
    return [arg(path, value)]


@given(objects, st.integers(1, 3))
def test_any_arguments_in_pieces_add_up(value: Json, size: int) -> None:
    told = pieces_of(value)
    steps = [told[at : at + size] for at in range(0, len(told), size)]
    wire = sse(chunk(piece(name="f")), *(chunk(piece(*some)) for some in steps), chunk({"functionCall": {}}), STOP)
    decoded = decode(wire, "vertex-gemini")

    [block] = decoded.message.tool_calls
    assert block.executable
    assert block.input == value
    assert decoded.codes == []
    assert decoded.parts == decode(wire, "vertex-gemini", general=True).parts


def test_a_call_that_a_block_of_the_prompt_cuts_is_told() -> None:
    """V13: it never becomes executable, and a warning says why it is open."""
    decoded = gemini(chunk(piece(name="f")), chunk(piece(arg("$.a", "x", True))), {"promptFeedback": {"blockReason": "SAFETY"}})

    assert decoded.parts[-1]["finishReason"] == {"unified": "content-filter", "raw": "SAFETY"}
    assert "tool-call" not in {part["type"] for part in decoded.parts}
    assert decoded.codes == ["call_not_ended"]
