"""``openai-responses``: the tools that the provider knows, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streamcore import ToolResultBlock

from .openai_responses_wire import (
    HEAD,
    about,
    added,
    called,
    done,
    fin,
    outcome,
    payload,
    read_items,
)
from .wire import i_delta, i_end, i_start

if TYPE_CHECKING:
    from .wire import Json

EXEC: dict[str, Any] = {"providerExecuted": True}


@pytest.mark.parametrize(
    ("action", "result"),
    [
        ({"type": "search", "query": "q", "queries": None}, {"action": {"type": "search", "query": "q"}}),
        (
            {"type": "search", "query": None, "queries": ["q"], "sources": [{"type": "url", "url": "u", "x": 1}]},
            {"action": {"type": "search", "queries": ["q"]}, "sources": [{"type": "url", "url": "u"}]},
        ),
        ({"type": "open_page", "url": None}, {"action": {"type": "openPage", "url": None}}),
        ({"type": "open_page"}, {"action": {"type": "openPage"}}),
        (
            {"type": "find_in_page", "url": "u", "pattern": "p"},
            {"action": {"type": "findInPage", "url": "u", "pattern": "p"}},
        ),
        (None, {}),
    ],
)
def test_web_search(action: Any, result: Json) -> None:
    """The call has no input; what was done is its result."""
    progress = [about(f"web_search_call.{state}", "ws") for state in ("in_progress", "searching", "completed")]

    decoded = read_items(
        added(0, "web_search_call", id="ws"), *progress, done(0, "web_search_call", id="ws", action=action)
    )

    call = called("web_search", "ws", "{}", **EXEC)
    assert payload(decoded) == [
        i_start("ws", "web_search", **EXEC),
        i_end("ws"),
        call,
        outcome("web_search", "ws", result),
    ]
    assert decoded.codes == []


def test_a_web_search_of_a_new_kind() -> None:
    """It is reported, and the call still has a result (V25)."""
    decoded = read_items(
        added(0, "web_search_call", id="ws"), done(0, "web_search_call", id="ws", action={"type": "listen"})
    )

    assert payload(decoded)[-1] == outcome("web_search", "ws", {})
    assert decoded.codes == ["unknown_action"]


def test_file_search() -> None:
    """Results are there only if they were asked for."""
    found = {"attributes": {"a": 1}, "file_id": "f", "filename": "n", "score": 0.5, "text": "t", "x": 1}

    decoded = read_items(
        added(0, "file_search_call", id="fs"),
        done(0, "file_search_call", id="fs", queries=["q"], results=[found]),
        added(1, "file_search_call", id="ft"),
        done(1, "file_search_call", id="ft", queries=[], results=None),
    )

    shown = {"attributes": {"a": 1}, "fileId": "f", "filename": "n", "score": 0.5, "text": "t"}
    assert payload(decoded) == [
        called("file_search", "fs", "{}", **EXEC),
        outcome("file_search", "fs", {"queries": ["q"], "results": [shown]}),
        called("file_search", "ft", "{}", **EXEC),
        outcome("file_search", "ft", {"queries": [], "results": None}),
    ]


def test_image_generation() -> None:
    """A partial image is a preliminary result; the message holds the final one."""
    partial = about("image_generation_call.partial_image", "ig", partial_image_b64="AA", partial_image_index=0)

    decoded = read_items(
        added(0, "image_generation_call", id="ig"), partial, done(0, "image_generation_call", id="ig", result="BB")
    )

    assert payload(decoded) == [
        called("image_generation", "ig", "{}", **EXEC),
        outcome("image_generation", "ig", {"result": "AA"}, preliminary=True),
        outcome("image_generation", "ig", {"result": "BB"}),
    ]
    results = [block for block in decoded.message.content if isinstance(block, ToolResultBlock)]
    assert results == [ToolResultBlock("ig", "image_generation", {"result": "BB"}, False)]


@pytest.mark.parametrize("status", ["completed", None])
def test_computer_use(status: str | None) -> None:
    """The reference shows no more than that it took place."""
    decoded = read_items(added(0, "computer_call", id="cc"), done(0, "computer_call", id="cc", status=status))

    result = {"type": "computer_use_tool_result", "status": "completed"}
    assert payload(decoded) == [
        i_start("cc", "computer_use", **EXEC),
        i_end("cc"),
        called("computer_use", "cc", "", **EXEC),
        outcome("computer_use", "cc", result),
    ]


def test_code_interpreter() -> None:
    """The code is one string of the input: its pieces are escaped as they come."""
    item = {"id": "ci", "container_id": 'c"n'}
    code = 'print("h\u00e9")\n'
    pieces = [about("code_interpreter_call_code.delta", "ci", delta=piece) for piece in (code[:7], code[7:])]
    outputs = [{"type": "logs", "logs": "x", "y": 1}, {"type": "image", "url": "u"}, {"type": "hologram", "z": 1}]

    decoded = read_items(
        added(0, "code_interpreter_call", code="", outputs=None, **item),
        about("code_interpreter_call.in_progress", "ci"),
        *pieces,
        about("code_interpreter_call_code.done", "ci", code=code),
        done(0, "code_interpreter_call", code=code, outputs=outputs, **item),
    )

    name = "code_interpreter"
    value = '{"code":"print(\\"h\u00e9\\")\\n","containerId":"c\\"n"}'
    kept = [{"type": "logs", "logs": "x"}, {"type": "image", "url": "u"}, {"type": "hologram", "z": 1}]
    assert payload(decoded) == [
        i_start("ci", name, **EXEC),
        i_delta('{"containerId":"c\\"n","code":"', "ci"),
        i_delta('print(\\"', "ci"),
        i_delta('h\u00e9\\")\\n', "ci"),
        i_delta('"}', "ci"),
        i_end("ci"),
        called(name, "ci", value, **EXEC),
        outcome(name, "ci", {"outputs": kept}),
    ]
    assert decoded.codes == []


@pytest.mark.parametrize("outputs", [{"outputs": None}, {}])
def test_code_that_came_with_the_item_alone(outputs: Json) -> None:
    """Nothing of it came before; nothing of it is lost."""
    item = {"id": "ci", "container_id": "cn"}

    decoded = read_items(
        added(0, "code_interpreter_call", code=None, **item), done(0, "code_interpreter_call", code="1", **item, **outputs)
    )

    assert payload(decoded)[1:] == [
        i_delta('{"containerId":"cn","code":"', "ci"),
        i_delta("1", "ci"),
        i_delta('"}', "ci"),
        i_end("ci"),
        called("code_interpreter", "ci", '{"code":"1","containerId":"cn"}', **EXEC),
        outcome("code_interpreter", "ci", outputs),
    ]


def patch(kind: str = "update_file", diff: str | None = "", **fields: Any) -> Json:
    """A patch, call id ``c``."""
    operation = {"type": kind, "path": "a/\u00e9"} | ({} if diff is None else {"diff": diff})
    return {"id": "ap", "call_id": "c", "status": "completed", "operation": operation, **fields}


@pytest.mark.parametrize("pieces", [['+"', "\n"], []])
def test_apply_patch(pieces: list[str]) -> None:
    """The diff streams as the code of the interpreter does; without deltas it comes as a whole."""
    step = "apply_patch_call_operation_diff"
    deltas = [about(f"{step}.delta", "ap", delta=piece, obfuscation="o") for piece in pieces]

    decoded = read_items(
        added(0, "apply_patch_call", **patch(status="in_progress")),
        *deltas,
        about(f"{step}.done", "ap", diff='+"\n'),
        done(0, "apply_patch_call", **patch(diff='+"\n')),
    )

    head = '{"callId":"c","operation":{"type":"update_file","path":"a/\u00e9","diff":"'
    shown = [i_delta('+\\"', "c"), i_delta("\\n", "c")] if pieces else [i_delta('+\\"\\n', "c")]
    assert decoded.parts == [
        *HEAD,
        i_start("c", "apply_patch"),
        i_delta(head, "c"),
        *shown,
        i_delta('"}}', "c"),
        i_end("c"),
        called("apply_patch", "c", head + '+\\"\\n"}}', "ap"),
        fin("tool-calls"),
    ]


def test_a_patch_that_deletes() -> None:
    """It has no diff, and is known from the start."""
    decoded = read_items(
        added(0, "apply_patch_call", **patch("delete_file", None, status="in_progress")),
        done(0, "apply_patch_call", **patch("delete_file", None)),
    )

    value = '{"callId":"c","operation":{"type":"delete_file","path":"a/\u00e9"}}'
    parts = [i_start("c", "apply_patch"), i_delta(value, "c"), i_end("c"), called("apply_patch", "c", value, "ap")]
    assert payload(decoded) == parts


def test_a_patch_that_is_not_completed() -> None:
    """No call comes of it."""
    decoded = read_items(
        added(0, "apply_patch_call", **patch(status="in_progress")),
        done(0, "apply_patch_call", **patch(diff="+", status="in_progress")),
    )

    assert [part["type"] for part in decoded.parts[2:]] == [
        "tool-input-start", "tool-input-delta", "tool-input-delta", "tool-input-delta", "tool-input-end", "finish",
    ]  # fmt: skip
    assert decoded.parts[-1] == fin("stop")


def test_shells() -> None:
    """Both are for the reader to run; the output of one may come from the provider."""
    action = {"type": "exec", "command": ["ls"], "timeout_ms": 5, "working_directory": "w", "env": {"B": "1", "2": "x"}}
    output = [
        {"stdout": "o", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
        {"stdout": "", "stderr": "e", "outcome": {"type": "timeout"}},
    ]

    decoded = read_items(
        added(0, "local_shell_call", id="ls"),
        done(0, "local_shell_call", id="ls", call_id="c0", action=action),
        added(1, "shell_call", id="sc"),
        about("shell_call_command.delta", "sc", 1, delta="l"),
        done(1, "shell_call", id="sc", call_id="c1", action={"commands": ["ls"], "timeout_ms": None}),
        added(2, "shell_call_output", id="so"),
        done(2, "shell_call_output", id="so", call_id="c1", output=output),
    )

    value = '{"action":{"type":"exec","command":["ls"],"timeoutMs":5,"workingDirectory":"w","env":{"2":"x","B":"1"}}}'
    ran = [
        {"stdout": "o", "stderr": "", "outcome": {"type": "exit", "exitCode": 0}},
        {"stdout": "", "stderr": "e", "outcome": {"type": "timeout"}},
    ]
    assert payload(decoded) == [
        called("local_shell", "c0", value, "ls"),
        called("shell", "c1", '{"action":{"commands":["ls"]}}', "sc"),
        outcome("shell", "c1", {"output": ran}),
    ]
    assert decoded.codes == []


def test_mcp_calls() -> None:
    """They are shown when they are done; their tools were never declared, so they are dynamic."""
    item = {"name": "n", "server_label": "s", "arguments": '{"a":1}'}

    decoded = read_items(
        added(0, "mcp_list_tools", id="ml"),
        about("mcp_list_tools.completed", "ml"),
        done(0, "mcp_list_tools", id="ml", tools=[]),
        added(1, "mcp_call", id="m1"),
        about("mcp_call_arguments.delta", "m1", 1, delta="{"),
        done(1, "mcp_call", id="m1", output="o", error=None, **item),
        added(2, "mcp_call", id="m2"),
        done(2, "mcp_call", id="m2", output=None, error={"code": 1}, **{**item, "arguments": "{"}),
    )

    dynamic = {**EXEC, "dynamic": True}
    result = {"type": "call", "serverLabel": "s", "name": "n", "arguments": '{"a":1}', "output": "o"}
    failure = {"type": "call", "serverLabel": "s", "name": "n", "arguments": "{", "error": {"code": 1}}
    assert payload(decoded) == [
        called("mcp.n", "m1", '{"a":1}', **dynamic),
        outcome("mcp.n", "m1", result, "m1"),
        called("mcp.n", "m2", "{", invalid=True, **dynamic),
        outcome("mcp.n", "m2", failure, "m2"),
    ]


def test_mcp_approval() -> None:
    """A call that waits for leave has an id of ours; if it is made within the stream, it is not shown twice."""
    item = {"name": "n", "server_label": "s", "arguments": "{}"}

    decoded = read_items(
        added(0, "mcp_approval_request", id="m1"),
        done(0, "mcp_approval_request", id="m1", **item),
        added(1, "mcp_approval_request", id="m2"),
        done(1, "mcp_approval_request", id="m2", approval_request_id="q", **item),
        added(2, "mcp_call", id="m3"),
        done(2, "mcp_call", id="m3", approval_request_id="q", output="o", **item),
    )

    calls = [called("mcp.n", f"call_gen_{at}", "{}", **EXEC, dynamic=True) for at in range(2)]
    result = {"type": "call", "serverLabel": "s", "name": "n", "arguments": "{}", "output": "o"}
    assert payload(decoded) == [
        calls[0],
        {"type": "tool-approval-request", "approvalId": "m1", "toolCallId": "call_gen_0"},
        calls[1],
        {"type": "tool-approval-request", "approvalId": "q", "toolCallId": "call_gen_1"},
        outcome("mcp.n", "call_gen_1", result, "m3"),
    ]


def test_tool_search_by_the_provider() -> None:
    """Its output does not say which search it is of: they come in order."""
    decoded = read_items(
        added(0, "tool_search_call", id="ts", execution="server", call_id=None),
        done(0, "tool_search_call", id="ts", execution="server", call_id=None, arguments={"q": 1}),
        added(1, "tool_search_output", id="to", execution="server"),
        done(1, "tool_search_output", id="to", execution="server", call_id=None, tools=[{"type": "function"}]),
        done(2, "tool_search_output", id="tp", call_id=None, tools=[]),
    )

    name = "tool_search"
    assert payload(decoded) == [
        i_start("ts", name, **EXEC),
        i_end("ts"),
        called(name, "ts", '{"arguments":{"q":1},"call_id":null}', "ts", **EXEC),
        outcome(name, "ts", {"tools": [{"type": "function"}]}, "to"),
        outcome(name, "tp", {"tools": []}, "tp"),
    ]


def test_tool_search_by_the_client() -> None:
    """It is the reader's to run, and shown when it is complete."""
    decoded = read_items(
        added(0, "tool_search_call", id="ts", execution="client", call_id="c", arguments={}),
        done(0, "tool_search_call", id="ts", execution="client", call_id="c"),
    )

    name = "tool_search"
    assert payload(decoded) == [i_start("c", name), i_end("c"), called(name, "c", '{"call_id":"c"}', "ts")]
