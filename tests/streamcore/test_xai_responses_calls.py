"""``xai-responses``: function calls, and the tools that xAI runs itself."""

from __future__ import annotations

from typing import Any

import pytest

from streamcore import Limits

from .chat_wire import NOTHING, done
from .test_xai_responses import NAME, completed, created, decoded, item, said, text
from .wire import (
    ABSENT,
    START,
    Json,
    decode,
    ended,
    err,
    event,
    i_delta,
    i_end,
    i_start,
    present,
    size,
    t_call,
    t_delta,
    t_end,
    t_start,
)

FIN = done("stop", "completed", NOTHING)
FIN_CALLS = done("tool-calls", "completed", NOTHING)
RAN: Json = {"providerExecuted": True}


def call(step: str, args: Any = "", index: Any = 0, key: Any = "a", name: Any = "f", **fields: Any) -> bytes:
    """A function call's item."""
    given = present(id="i", call_id=key, name=name, arguments=args, **fields)
    return item(step, "function_call", index, **given)


def args(piece: str, index: Any = 0, **fields: Any) -> bytes:
    return said("function_call_arguments.delta", item_id="i", output_index=index, delta=piece, **fields)


def result(key: str, name: str, value: Any) -> Json:
    return {"type": "tool-result", "toolCallId": key, "toolName": name, "result": value}


# -- function calls ---------------------------------------------------------------------------------------------------


def test_a_call() -> None:
    last = said("function_call_arguments.done", item_id="i", output_index=0, arguments='{"k":1}')
    found = decoded(
        call("added"), args('{"k"'), args(":1}"), last, call("done", '{"k":1}'), completed(), policy="strict"
    )

    assert found.parts == [START, i_start(), i_delta('{"k"'), i_delta(":1}"), *ended('{"k":1}'), FIN_CALLS]
    assert found.codes == []


def test_arguments_that_only_the_item_has() -> None:
    found = decoded(call("added"), call("done", '{"k":1}'), completed(), policy="strict")

    assert found.parts == [START, i_start(), *ended('{"k":1}'), FIN_CALLS]


def test_calls_side_by_side() -> None:
    found = decoded(
        call("added"),
        call("added", index=1, key="b", name="g"),
        args("{", 1),
        args("{"),
        args("}", 1),
        call("done", ABSENT, index=1, key="b", name="g"),
        args("}"),
        call("done", None),
        completed(),
    )

    assert found.parts[1:-1] == [
        i_start(),
        i_start("b", "g"),
        i_delta("{", "b"),
        i_delta("{"),
        i_delta("}", "b"),
        *ended("{}", "b", "g"),
        i_delta("}"),
        *ended("{}"),
    ]


def test_an_item_that_was_not_opened() -> None:
    found = decoded(call("done", "{}"), call("done", "{}"), completed())

    assert found.parts[1:-1] == [i_start(), *ended("{}")]
    assert found.codes == ["item_repeated"]


def test_pieces_without_a_call() -> None:
    found = decoded(created(), args("{"), completed())

    assert found.codes == ["delta_without_call"]
    assert found.parts[-1] == FIN


def test_arguments_that_differ_from_the_item() -> None:
    """V9, V20."""
    found = decoded(call("added"), args('{"k":1}'), call("done", '{"k":2}'), completed())

    assert [one.arguments for one in found.message.tool_calls] == ['{"k":1}']
    assert found.codes == ["snapshot_mismatch"]


def test_a_call_is_known_by_its_item_where_the_index_is_missing() -> None:
    found = decoded(call("added", index=None), args("{}", None), call("done", "{}", index=None), completed())

    assert found.parts[1:-1] == [i_start(), i_delta("{}"), *ended("{}")]


@pytest.mark.parametrize(
    ("text_of", "code"),
    [("{", "invalid_arguments"), ('{"k":1,"k":2}', "duplicate_key")],
    ids=["cut", "duplicate key"],
)
def test_arguments_that_are_not_in_order(text_of: str, code: str) -> None:
    """V11."""
    found = decoded(call("added"), call("done", text_of), completed())

    invalid = {"invalid": True} if text_of == "{" else {}
    assert found.parts[-2] == t_call(text_of, **invalid)
    assert found.codes == [code]


def test_an_item_that_was_cut_is_not_executable() -> None:
    """V13."""
    details = {"incomplete_details": {"reason": "max_output_tokens"}}
    ending = call("done", "{}", status="incomplete"), said("incomplete", response=details)
    found = decoded(call("added"), args("{}"), *ending)

    assert found.parts[-2:] == [t_call("{}", invalid=True), done("length", "max_output_tokens", NOTHING)]
    found = decoded(call("added"), args("{}"), ending[1])
    assert found.parts[-2:] == [i_end(), done("length", "max_output_tokens", NOTHING)]
    assert found.codes == ["item_not_done"]
    found = decoded(call("added"), args("{}"))
    assert found.parts[-2:] == [i_delta("{}"), err("incomplete_stream", "close", size(call("added"), args("{}")))]


def test_an_error_cuts_calls() -> None:
    found = decoded(call("added"), args("{}"), event({"type": "error", "message": "m"}))

    assert found.parts[-2:] == [i_end(), done("error", None, NOTHING)]


def test_a_complete_response_completes_its_calls() -> None:
    found = decoded(call("added"), args("{}"), completed())

    assert found.parts[-3:] == [*ended("{}"), FIN_CALLS]
    assert found.codes == ["item_not_done"]


def test_a_second_call_at_the_same_place() -> None:
    found = decoded(call("added"), args("{"), call("added", key="b"), call("done", "{}", key="b"), completed())

    assert found.parts[1:-1] == [i_start(), i_delta("{"), i_end(), i_start("b"), *ended("{}", "b")]
    assert found.codes == ["index_collision"]


def test_ids_are_unique() -> None:
    """V7."""
    frames = [call(step, "{}", at, key) for at, key in enumerate(("a", "a", "", None)) for step in ("added", "done")]
    found = decoded(*frames, completed())

    assert [one.id for one in found.message.tool_calls] == ["a", "call_gen_0", "call_gen_1", "call_gen_2"]
    assert set(found.codes) == {"duplicate_id", "id_synthesised"}


def test_a_name_that_comes_late_or_never() -> None:
    """V8."""
    frames = call("added", name=None), args("{"), args("}")
    found = decoded(*frames, call("done", "{}"), completed())
    assert found.parts[1:-1] == [i_start(), i_delta("{}"), *ended("{}")]

    found = decoded(call("added", name=ABSENT), call("done", "{}"), completed())
    assert found.parts[1:-1] == [i_start(), *ended("{}")]

    for name in ("", "null"):
        found = decoded(*frames, call("done", "{}", name=name), completed())
        assert [part["kind"] for part in found.parts if part["type"] == "error"] == ["nameless_call"]
        assert not found.message.tool_calls

    found = decoded(*frames, said("incomplete", response={}))
    assert [part["type"] for part in found.parts] == ["stream-start", "finish"]


def test_limits() -> None:
    """V27."""
    many = b"".join([*(call("added", index=at, key=str(at)) for at in range(5)), completed()])
    assert decode(many, NAME, limits=Limits(max_open_calls=4)).parts[-1]["kind"] == "tool_call_protocol"
    for name in ("f", ""):
        long = b"".join([call("added", name=name), args("x" * 6), args("x" * 6), completed()])
        assert decode(long, NAME, limits=Limits(max_arguments_chars=10)).parts[-1]["kind"] == "event_too_large"


# -- tools that xAI runs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [
        ("web_search_call", "browse_page", "web_search"),
        ("web_search_call", None, "web_search"),
        ("x_search_call", "", "x_search"),
        ("custom_tool_call", "x_keyword_search", "x_search"),
        ("custom_tool_call", "own", "own"),
        ("custom_tool_call", None, "custom_tool"),
        ("code_interpreter_call", None, "code_execution"),
        ("code_execution_call", "code_execution", "code_execution"),
        ("mcp_call", "own", "own"),
        ("mcp_call", None, "mcp"),
        ("view_image_call", None, "view_image"),
        ("view_x_video_call", "view", "view"),
    ],
)
def test_names(kind: str, name: str | None, shown: str) -> None:
    given = {"id": "a", "name": name, "arguments": "{}", "input": "{}", "status": "completed"}
    found = decoded(item("added", kind, **given), item("done", kind, **given), completed())

    parts = [i_start("a", shown), i_delta("{}"), i_end(), t_call("{}", "a", shown, **RAN), result("a", shown, {})]
    assert found.parts[1:] == [*parts, FIN]
    assert not found.message.tool_calls[0].executable


def test_a_custom_tool_is_shown_when_it_is_done() -> None:
    opening = item("added", "custom_tool_call", id="a", name="own", input="")
    ending = item("done", "custom_tool_call", id="a", name="own", input="print(1)")
    found = decoded(opening, text("x"), ending, ending, completed())

    assert found.parts[1:5] == [t_start("text-m"), t_delta("x", "text-m"), i_start("a", "own"), i_delta("print(1)")]
    assert found.parts[5:] == [
        i_end(),
        t_call("print(1)", "a", "own", **RAN),
        result("a", "own", {}),
        t_end("text-m"),
        FIN,
    ]
    assert found.codes == ["item_repeated"]


def test_arguments_of_xais_tools_are_looked_at() -> None:
    found = decoded(item("added", "mcp_call", id="a", name="own", arguments="{"), completed())

    assert found.parts[4] == t_call("{", "a", "own", invalid=True, **RAN)
    assert found.codes == ["invalid_arguments"]


URL = {"type": "url", "url": "https://x"}


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        (None, {}),
        ({"type": "banana"}, {}),
        ({"type": "search", "query": 1}, {}),
        ({"type": "search", "query": "q"}, {"action": {"type": "search", "query": "q"}}),
        (
            {"type": "search", "query": None, "queries": ["q"], "sources": [URL, {"type": "api"}, 1]},
            {"action": {"type": "search", "queries": ["q"]}, "sources": [URL]},
        ),
        ({"type": "open_page", "url": None}, {"action": {"type": "openPage", "url": None}}),
        (
            {"type": "find_in_page", "url": "u", "pattern": "p", "sources": []},
            {"action": {"type": "findInPage", "url": "u", "pattern": "p"}},
        ),
        ({"type": "find_in_page"}, {"action": {"type": "findInPage"}}),
    ],
)
def test_the_result_of_a_web_search(action: Any, shown: Json) -> None:
    found = decoded(item("done", "web_search_call", id="a", arguments="", action=action), completed())

    assert found.parts[-2] == result("a", "web_search", shown)


def test_a_file_search() -> None:
    hit = {"file_id": "f", "filename": "n", "score": 0.5, "text": "t"}
    opening = item("added", "file_search_call", id="a", status="in_progress")
    ending = item("done", "file_search_call", id="a", queries=["q"], results=[{**hit, "attributes": {}}])
    found = decoded(opening, ending, completed())

    name = "file_search"
    shown = {"queries": ["q"], "results": [{"fileId": "f", "filename": "n", "score": 0.5, "text": "t"}]}
    assert found.parts[1:-1] == [
        i_start("a", name),
        i_delta(""),
        i_end(),
        t_call("", "a", name, **RAN),
        result("a", name, shown),
    ]
    found = decoded(item("done", "file_search_call", id="a"), completed())
    assert found.parts[-2] == result("a", name, {"queries": [], "results": None})
