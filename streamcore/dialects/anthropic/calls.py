"""How Anthropic's tool calls become parts (API docs, "Tool use", "Programmatic tool calling", "MCP connector"; for
toolsets "Computer use").

Most calls stream their arguments as they come. The others, as the TypeScript reference shows them:

* Code execution is one tool to the reader, three on the wire. Which of the three it was is put into the arguments as
  ``type``, before their first member.
* A call of a member of a toolset is a call of the toolset, with the member as argument ``action``; its arguments can
  only be shown once they are complete.
* An MCP call is shown only when it is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.dialects.anthropic.results import TOOL_SEARCHES, caller_of, mcp_metadata
from streamcore.parts import ToolCall, ToolInputStart
from streamcore.toolcalls import is_arguments_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVER_TOOLS: Final[dict[str, tuple[str, str]]] = {
    "web_fetch": ("web_fetch", ""),
    "web_search": ("web_search", ""),
    "code_execution": ("code_execution", "programmatic-tool-call"),
    "bash_code_execution": ("code_execution", "bash_code_execution"),
    "text_editor_code_execution": ("code_execution", "text_editor_code_execution"),
    "advisor": ("advisor", ""),
    **{name: (name, "") for name in TOOL_SEARCHES},
}
"""Name on the wire -> name in the parts, and the ``type`` that its arguments are given."""


@dataclass(frozen=True, slots=True)
class Call:
    """What ``content_block_start`` says about a tool call, its id aside."""

    name: str
    given: str = ""
    """Arguments text that came at the start; empty where the deltas bring it."""
    executed: bool = False
    """The provider runs the tool."""
    input_type: str = ""
    server: str | None = None
    """MCP server."""
    member: str = ""
    """Member of the toolset ``name``."""
    caller: Mapping[str, Any] | None = None

    @property
    def held(self) -> bool:
        """The arguments are not shown before they are complete."""
        return self.server is not None or bool(self.member)

    def start(self, call_id: str) -> ToolInputStart | None:
        """The part that opens the call, if it has one."""
        return None if self.server is not None else ToolInputStart(call_id, self.name, self.executed or None)

    def first_delta(self, text: str) -> str:
        """The first piece of the arguments, with their ``type``."""
        if not self.input_type or text[0] != "{":
            return text
        return f'{{"type": "{self.input_type}",{text[1:]}'

    def arguments(self, streamed: str) -> str:
        """The final arguments text, given all pieces that were shown or held."""
        text = streamed or self.given or "{}"
        if not self.member and (not self.executed or self.name != "code_execution"):
            return text
        value = _object(text)
        if value is None:
            return text
        if self.member:
            return jsontext.stringify({"action": self.member, **value})
        if "code" in value and "type" not in value:
            return jsontext.stringify({"type": "programmatic-tool-call", **value})
        return text

    def complete(self, call_id: str, arguments: str) -> ToolCall:
        """The part for the complete call."""
        call = ToolCall(call_id, self.name, arguments, self.executed or None, invalid=not is_arguments_text(arguments))
        if self.server is not None:
            call.dynamic = True
            call.metadata = mcp_metadata(self.server)
            return call
        extra: dict[str, Any] = {}
        if self.member:
            extra["toolsetName"] = self.name
        if self.caller:
            extra["caller"] = self.caller
        call.metadata = {"anthropic": extra} if extra else None
        return call


def call_of(block: Mapping[str, Any]) -> Call | None:
    """The call that a block opens; None for a server tool that is not known."""
    name = block["name"]
    given = block.get("input")
    text = "" if given is None or given == {} else jsontext.stringify(given)
    caller = caller_of(block)
    if block["type"] == "mcp_tool_use":
        return Call(name, text, executed=True, server=block["server_name"])
    if block["type"] == "server_tool_use":
        if name not in _SERVER_TOOLS:
            return None
        shown, input_type = _SERVER_TOOLS[name]
        return Call(shown, text, executed=True, input_type=input_type, caller=caller)
    toolset = block.get("toolset_name")
    return Call(toolset, text, member=name, caller=caller) if toolset else Call(name, text, caller=caller)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = jsontext.loads(jsontext.utf8(text))
    except jsontext.JsonTextError:
        return None
    return value if isinstance(value, dict) else None
