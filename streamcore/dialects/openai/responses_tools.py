"""Tools whose calls come as whole items in the OpenAI Responses API (API reference, "Responses", output items).

Most of them the provider executes itself: the item that begins is the call, the one that is done its result. The names
are those that the tools have where the request does not rename them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.parts import ToolApprovalRequest, ToolCall, ToolInputEnd, ToolInputStart, ToolResult
from streamcore.toolcalls import is_arguments_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamcore.dialects.openai.responses_state import ItemState, Report
    from streamcore.parts import Metadata, Part

IMAGE: Final = "image_generation"

_NAMES: Final = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "image_generation_call": IMAGE,
    "computer_call": "computer_use",
    "tool_search_call": "tool_search",
    "tool_search_output": "tool_search",
    "local_shell_call": "local_shell",
    "shell_call": "shell",
    "shell_call_output": "shell",
}
"""Item type -> the tool."""
_HOSTED: Final = "server"
"""``execution`` of a tool search that the provider runs."""


def begin_tool(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    """The item begins. Some tools' calls are shown only when they are complete."""
    name = item.name = _NAMES.get(item.kind, "")
    kind = item.kind
    streams = kind in ("web_search_call", "computer_call") or (
        kind == "tool_search_call" and wire.get("execution") == _HOSTED
    )
    if not streams and kind not in ("file_search_call", "image_generation_call"):
        return
    item.part_id = report.state.output.call_ids.give(wire.get("id"), name, report, out)
    item.started = True
    if streams:
        out.append(ToolInputStart(item.part_id, name, True))
    if kind == "web_search_call":
        _close(item, out)
    if kind not in ("computer_call", "tool_search_call"):
        out.append(ToolCall(item.part_id, name, "{}", True))


def _close(item: ItemState, out: list[Part]) -> None:
    item.closed = True
    out.append(ToolInputEnd(item.part_id))


def end_tool(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    """The item is done."""
    match item.kind:
        case "web_search_call":
            out.append(ToolResult(item.part_id, item.name, _searched(wire.get("action"), report)))
        case "file_search_call":
            out.append(ToolResult(item.part_id, item.name, _found(wire)))
        case "image_generation_call":
            out.append(ToolResult(item.part_id, item.name, {"result": wire.get("result")}))
        case "computer_call":
            _close(item, out)
            out.append(ToolCall(item.part_id, item.name, "", True))
            result = {"type": "computer_use_tool_result", "status": wire.get("status") or "completed"}
            out.append(ToolResult(item.part_id, item.name, result))
        case "tool_search_call":
            _end_tool_search(item, wire, report, out)
        case "tool_search_output":
            waiting = report.state.output.searches
            call_id = wire.get("call_id") or (waiting.pop(0) if waiting else wire.get("id") or "")
            out.append(ToolResult(call_id, item.name, {"tools": wire["tools"]}, metadata=_of_item(wire, report)))
        case "local_shell_call":
            _call(item, wire, {"action": {"type": "exec", **_renamed(wire["action"], _EXEC)}}, report, out)
        case "shell_call":
            _call(item, wire, {"action": {"commands": wire["action"]["commands"]}}, report, out)
        case "shell_call_output":
            output = [_ran(command) for command in wire["output"]]
            out.append(ToolResult(wire.get("call_id") or "", item.name, {"output": output}))
        case "mcp_call":
            _mcp_call(wire, report, out)
        case "mcp_approval_request":
            _mcp_approval(wire, report, out)
        case _:  # mcp_list_tools: which tools there are is no part of the answer
            pass


def abandon_tool(item: ItemState, out: list[Part]) -> None:
    """The stream ends, or another item takes this one's place."""
    if item.started and not item.closed and item.kind in ("computer_call", "tool_search_call"):
        _close(item, out)


def _of_item(wire: Mapping[str, Any], report: Report) -> Metadata:
    return {report.provider: {"itemId": wire["id"]} if wire.get("id") is not None else {}}


def _renamed(wire: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: wire[key] for key, name in names.items() if key in wire}


_EXEC: Final = {
    "command": "command",
    "timeout_ms": "timeoutMs",
    "user": "user",
    "working_directory": "workingDirectory",
    "env": "env",
}
_RESULT: Final = {
    "attributes": "attributes",
    "file_id": "fileId",
    "filename": "filename",
    "score": "score",
    "text": "text",
}


def _call(item: ItemState, wire: Mapping[str, Any], value: Any, report: Report, out: list[Part]) -> None:
    """A call that the reader has to run."""
    call_id = report.state.output.call_ids.give(wire.get("call_id"), item.name, report, out)
    out.append(ToolCall(call_id, item.name, jsontext.stringify(value), metadata=_of_item(wire, report)))


def _searched(action: Mapping[str, Any] | None, report: Report) -> dict[str, Any]:
    """The result of a web search."""
    match action and action["type"]:
        case None:
            return {}
        case "search":
            assert action is not None
            shown = {key: action[key] for key in ("query", "queries") if action.get(key) is not None}
            sources = {"sources": action["sources"]} if action.get("sources") is not None else {}
            return {"action": {"type": "search", **shown}, **sources}
        case "open_page":
            assert action is not None
            return {"action": {"type": "openPage", **_renamed(action, {"url": "url"})}}
        case "find_in_page":
            assert action is not None
            return {"action": {"type": "findInPage", **_renamed(action, {"url": "url", "pattern": "pattern"})}}
        case unknown:
            report.warn("unknown_action", f"a web search of type {str(unknown)[:60]}")
            return {}


def _found(wire: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a file search."""
    results = wire.get("results")
    found = None if results is None else [_renamed(result, _RESULT) for result in results]
    return {"queries": wire["queries"], "results": found}


def _ran(command: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a shell command."""
    outcome = command["outcome"]
    shown = {"type": "exit", "exitCode": outcome["exit_code"]} if outcome["type"] == "exit" else {"type": "timeout"}
    return {"stdout": command["stdout"], "stderr": command["stderr"], "outcome": shown}


def _end_tool_search(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    hosted = wire.get("execution") == _HOSTED
    output = report.state.output
    if not item.started:
        item.part_id = output.call_ids.give(wire.get("id") if hosted else wire.get("call_id") or wire.get("id"), item.name,
                                      report, out)  # fmt: skip
        out.append(ToolInputStart(item.part_id, item.name, True if hosted else None))
    if hosted:
        output.searches.append(item.part_id)
    value: dict[str, Any] = {"arguments": wire["arguments"]} if "arguments" in wire else {}
    value["call_id"] = None if hosted else item.part_id
    _close(item, out)
    executed = True if hosted else None
    text = jsontext.stringify(value)
    out.append(ToolCall(item.part_id, item.name, text, executed, metadata=_of_item(wire, report)))


def _mcp_call(wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    """A call that was made on a server; one that had to be approved in this stream is known already."""
    output = report.state.output
    name = f"mcp.{wire['name']}"
    call_id = output.approvals.get(wire.get("approval_request_id") or "")
    if call_id is None:
        call_id = output.call_ids.give(wire.get("id"), name, report, out)
        out.append(_mcp(call_id, name, wire))
    result = {
        "type": "call",
        "serverLabel": wire["server_label"],
        "name": wire["name"],
        "arguments": wire["arguments"],
        **{key: wire[key] for key in ("output", "error") if wire.get(key) is not None},
    }
    out.append(ToolResult(call_id, name, result, metadata=_of_item(wire, report)))


def _mcp(call_id: str, name: str, wire: Mapping[str, Any]) -> ToolCall:
    arguments = wire["arguments"]
    return ToolCall(call_id, name, arguments, True, True, invalid=not is_arguments_text(arguments))


def _mcp_approval(wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    """A call that waits for leave: it has no id of its own, only the request has."""
    output = report.state.output
    name = f"mcp.{wire['name']}"
    request = wire.get("approval_request_id") or wire.get("id") or ""
    call_id = output.approvals[request] = output.call_ids.make_up()
    out.append(_mcp(call_id, name, wire))
    out.append(ToolApprovalRequest(request, call_id))
