"""The tool calls of xAI's Responses API: function calls, whose arguments stream, and tools that xAI runs itself.

A function call opens with its item, goes on with pieces of its arguments, and ends with its item again, or at the latest
where the response says that it is complete. The other tools come whole (xAI docs, "Tools overview"); the unified name of
a tool is that of the family it belongs to, as in the TypeScript reference.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore import jsontext
from streamcore.dialects.callids import CallIds, stated
from streamcore.dialects.xai.responses_schema import web_search_result
from streamcore.errors import ErrorKind
from streamcore.limits import Limits
from streamcore.parts import Part, ToolCall, ToolInputDelta, ToolInputEnd, ToolInputStart, ToolResult
from streamcore.state import EMPTY_LOG, Log, State
from streamcore.toolcalls import Reporter, check_arguments

_WEB_SEARCH: Final = ("web_search", "web_search_with_snippets", "browse_page")
_X_SEARCH: Final = ("x_user_search", "x_keyword_search", "x_semantic_search", "x_thread_fetch")
_FAMILY: Final[dict[str, str]] = {
    "web_search_call": "web_search",
    "x_search_call": "x_search",
    "code_interpreter_call": "code_execution",
    "code_execution_call": "code_execution",
    "file_search_call": "file_search",
}
_NAMELESS: Final[dict[str, str]] = {
    "mcp_call": "mcp",
    "view_image_call": "view_image",
    "view_x_video_call": "view_x_video",
    "custom_tool_call": "custom_tool",
}
"""What a tool is called whose item has no name."""


def _unified_name(kind: str, name: str) -> str:
    """The tool's name in the parts; a name on the wire that belongs to a family counts before the type of the item."""
    if name in _WEB_SEARCH or kind == "web_search_call":
        return "web_search"
    if name in _X_SEARCH or kind == "x_search_call":
        return "x_search"
    if name == "code_execution":
        return name
    return _FAMILY.get(kind) or name or _NAMELESS[kind]


class FunctionCall(State):
    """A function call that is being assembled. ``name`` is empty as long as it is unknown."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self, call_id: str, name: str) -> None:
        self.id = call_id
        self.name = name
        self.arguments: Log = EMPTY_LOG


class ResponseCalls(State):
    """All calls of one response."""

    __slots__ = ("executed", "functions", "given", "ids", "resulted")

    def __init__(self) -> None:
        self.functions: dict[int | str, FunctionCall] = {}
        """Output index (the item's id where it has none) -> the call that is open there."""
        self.executed: set[str] = set()
        self.resulted: set[str] = set()
        """Items of tools that xAI ran: those that are shown, and those whose result is out."""
        self.ids = CallIds()
        self.given = 0
        """Function calls that were completed."""

    def more(self, index: Any, text: str, limits: Limits, out: list[Part]) -> bool:
        """One more piece of a function call's arguments; False if there is more to it than that."""
        call = self.functions.get(index)
        if call is None or not call.name or call.arguments.length + len(text) > limits.max_arguments_chars:
            return False
        call.arguments = Log(call.arguments, text)
        out.append(ToolInputDelta(call.id, text))
        return True

    def delta(self, key: int | str, text: str, report: Reporter, out: list[Part]) -> None:
        """A piece of the arguments of the function call at ``key``."""
        call = self.functions.get(key)
        if call is None:
            _depart("delta_without_call", f"arguments for output {key!r}, where no call is open", report, out)
            return
        if not self.more(key, text, report.limits, out):
            if call.arguments.length + len(text) > report.limits.max_arguments_chars:
                detail = f"the arguments of {call.name!r} pass {report.limits.max_arguments_chars} characters"
                report.fail(ErrorKind.EVENT_TOO_LARGE, detail, out, fatal=True)
            call.arguments = call.arguments.append(text)

    def added(self, key: int | str, item: dict[str, Any], report: Reporter, out: list[Part]) -> None:
        """The item of a function call opens."""
        if key in self.functions:
            _depart("index_collision", f"a second call opens at output {key!r}", report, out)
            self._cut(key, out)
        self._open(key, item, report, out)

    def _open(self, key: int | str, item: dict[str, Any], report: Reporter, out: list[Part]) -> FunctionCall:
        if len(self.ids.taken) >= report.limits.max_open_calls:
            detail = f"more than {len(self.ids.taken)} tool calls in one message"
            report.fail(ErrorKind.TOOL_CALL_PROTOCOL, detail, out, fatal=True)
        call = FunctionCall(self._unique(item.get("call_id") or "", report, out), stated(item.get("name")) or "")
        self.functions[key] = call
        if call.name:
            out.append(ToolInputStart(call.id, call.name))
        return call

    def _unique(self, call_id: str, report: Reporter, out: list[Part]) -> str:
        if not call_id.strip() or call_id in self.ids.taken:
            code = "duplicate_id" if call_id in self.ids.taken else "id_synthesised"
            _depart(code, f"the id {call_id!r} cannot name a call", report, out)
            return self.ids.make_up()
        self.ids.taken[call_id] = ""
        return call_id

    def done(self, key: int | str, item: dict[str, Any], report: Reporter, out: list[Part]) -> None:
        """The item of a function call is complete, or as complete as it will be."""
        call = self.functions.get(key)
        if call is None:
            if item.get("call_id") in self.ids.taken:
                _depart("item_repeated", f"the call {item['call_id']!r} is done a second time", report, out)
                return
            call = self._open(key, item, report, out)
        name = stated(item.get("name")) or ""
        if not call.name and name:
            call.name = name
            out.append(ToolInputStart(call.id, name))
            if call.arguments.length:
                out.append(ToolInputDelta(call.id, call.arguments.text()))
        streamed = call.arguments.text()
        given = item.get("arguments")
        if streamed and given is not None and jsontext.joined(given) != jsontext.joined(streamed):
            detail = f"the deltas of {call.name!r} and its item have different arguments"
            _depart("snapshot_mismatch", detail, report, out)
        self._complete(key, streamed or given or "", report, out, cut=item.get("status") == "incomplete")

    def _complete(self, key: int | str, text: str, report: Reporter, out: list[Part], *, cut: bool = False) -> None:
        call = self.functions.pop(key)
        if not call.name:
            report.fail(ErrorKind.NAMELESS_CALL, f"the call {call.id!r} has no name", out)
            return
        invalid = not check_arguments(call.name, text, report, out) or cut
        self.given += 1
        out.append(ToolInputEnd(call.id))
        out.append(ToolCall(call.id, call.name, text, invalid=invalid))

    def _cut(self, key: int | str, out: list[Part]) -> None:
        call = self.functions.pop(key)
        if call.name:
            out.append(ToolInputEnd(call.id))

    def finish(self, report: Reporter, out: list[Part], *, complete: bool) -> None:
        """Ends the calls whose items were never done: where the response is complete, so are they."""
        for key, call in list(self.functions.items()):
            _depart("item_not_done", f"the item of the call {call.id!r} was never done", report, out)
            if complete:
                self._complete(key, call.arguments.text(), report, out)
            else:
                self._cut(key, out)

    def ran(self, kind: str, item: dict[str, Any], report: Reporter, out: list[Part], *, done: bool) -> None:
        """The item of a tool that xAI runs opens or is done."""
        call_id = item["id"]
        name = _unified_name(kind, stated(item.get("name")) or "")
        # The input of a custom tool is only there in the end.
        if call_id not in self.executed and (done or kind != "custom_tool_call"):
            self.executed.add(call_id)
            text = item.get("input" if kind == "custom_tool_call" else "arguments") or ""
            invalid = kind != "custom_tool_call" and not check_arguments(name, text, report, out)
            out.append(ToolInputStart(call_id, name))
            out.append(ToolInputDelta(call_id, text))
            out.append(ToolInputEnd(call_id))
            out.append(ToolCall(call_id, name, text, provider_executed=True, invalid=invalid))
        if done:
            if call_id in self.resulted:
                _depart("item_repeated", f"the item {call_id!r} is done a second time", report, out)
                return
            self.resulted.add(call_id)
            out.append(ToolResult(call_id, name, _result(kind, item)))


def _result(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    """What is said about a tool's result: xAI tells it of two kinds only."""
    if kind == "web_search_call":
        return web_search_result(item.get("action"))
    if kind != "file_search_call":
        return {}
    results = item.get("results")
    return {
        "queries": item.get("queries") or [],
        "results": None
        if results is None
        else [{"fileId": found["file_id"], **{key: found[key] for key in _FOUND}} for found in results],
    }


_FOUND: Final = ("filename", "score", "text")


def _depart(code: str, detail: str, report: Reporter, out: list[Part]) -> None:
    report.lenient(code, detail, out, ErrorKind.TOOL_CALL_PROTOCOL)
