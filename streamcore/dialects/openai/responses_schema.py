"""The events of the OpenAI Responses API, as far as they are read (API reference, "Responses", "Streaming events").

Wider than the TypeScript reference, which refuses a whole event for one member that it does not know: ids, names and
status words may be missing, the positions of a citation too, and what cannot be told apart by its ``type`` is kept as
it is. Types of events, items and annotations that are not in the tables below are unknown, which is not the same as
malformed: the caller looks a type up before it checks the shape.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.dialects.schema import (
    Mismatch,
    Schema,
    anything,
    array,
    boolean,
    nullish,
    number,
    record,
    shape,
    string,
    tagged,
)
from streamcore.dialects.typed import type_of


def _variants(shapes: dict[str, Schema]) -> Schema:
    """An object whose ``type`` says which of ``shapes`` it has; of another type it is kept as it is."""
    known = tagged("type", shapes)

    def check(value: Any) -> Any:
        kind = type_of(value)
        return value if kind is not None and kind not in shapes else known(value)

    return check


_IDENTIFIED: Final = {"id": nullish(string), "call_id": nullish(string), "status": nullish(string)}

_CONTENT: Final = nullish(
    array(
        _variants(
            {
                "output_text": shape({"text": string, "annotations": nullish(array(anything))}),
                "refusal": shape({"refusal": string}),
                "reasoning_text": shape({"text": string}),
                "summary_text": shape({"text": string}),
            }
        )
    )
)

_MESSAGE: Final = shape({"id": nullish(string), "phase": nullish(string), "content": _CONTENT})
_REASONING: Final = shape(
    {"id": nullish(string), "encrypted_content": nullish(string), "summary": _CONTENT, "content": _CONTENT}
)
_FUNCTION_CALL: Final = shape(
    {
        **_IDENTIFIED,
        "name": nullish(string),
        "arguments": nullish(string),
        "async": nullish(boolean),
        "namespace": nullish(string),
    }
)
_CUSTOM_CALL: Final = shape(
    {**_IDENTIFIED, "name": nullish(string), "input": nullish(string), "async": nullish(boolean)}
)
_CODE_INTERPRETER: Final = shape(
    {
        **_IDENTIFIED,
        "container_id": string,
        "code": nullish(string),
        "outputs": nullish(
            array(_variants({"logs": shape({"logs": string}), "image": shape({"url": string})})),
        ),
    }
)
_APPLY_PATCH: Final = shape(
    {
        **_IDENTIFIED,
        "operation": tagged(
            "type",
            {
                "create_file": shape({"path": string, "diff": string}),
                "delete_file": shape({"path": string}),
                "update_file": shape({"path": string, "diff": string}),
            },
        ),
    }
)
_LOCAL_SHELL: Final = shape(
    {
        **_IDENTIFIED,
        "action": shape(
            {
                "command": array(string),
                "timeout_ms": nullish(number),
                "user": nullish(string),
                "working_directory": nullish(string),
                "env": nullish(record),
            }
        ),
    }
)
_SHELL: Final = shape({**_IDENTIFIED, "action": shape({"commands": array(string)})})
_SHELL_OUTPUT: Final = shape(
    {
        **_IDENTIFIED,
        "output": array(
            shape(
                {
                    "stdout": string,
                    "stderr": string,
                    "outcome": tagged("type", {"timeout": shape({}), "exit": shape({"exit_code": number})}),
                }
            )
        ),
    }
)
_SEARCH_ACTIONS: Final = {
    "search": shape(
        {
            "query": nullish(string),
            "queries": nullish(array(string)),
            "sources": nullish(array(_variants({"url": shape({"url": string}), "api": shape({"name": string})}))),
        }
    ),
    "open_page": shape({"url": nullish(string)}),
    "find_in_page": shape({"url": nullish(string), "pattern": nullish(string)}),
}
_FILE_SEARCH: Final = shape(
    {
        **_IDENTIFIED,
        "queries": array(string),
        "results": nullish(
            array(
                shape(
                    {
                        "attributes": nullish(record),
                        "file_id": string,
                        "filename": string,
                        "score": nullish(number),
                        "text": nullish(string),
                    }
                )
            )
        ),
    }
)
_MCP_CALL: Final = shape(
    {
        **_IDENTIFIED,
        "arguments": string,
        "name": string,
        "server_label": string,
        "output": nullish(string),
        "error": anything,
        "approval_request_id": nullish(string),
    }
)
_MCP_APPROVAL: Final = shape(
    {**_IDENTIFIED, "name": string, "arguments": string, "approval_request_id": nullish(string)}
)
_TOOL_SEARCH: Final = shape({**_IDENTIFIED, "execution": nullish(string), "arguments": anything})
_BARE: Final = shape(_IDENTIFIED)

_ITEMS: Final[dict[str, Schema]] = {
    "message": _MESSAGE,
    "reasoning": _REASONING,
    "function_call": _FUNCTION_CALL,
    "custom_tool_call": _CUSTOM_CALL,
    "code_interpreter_call": _CODE_INTERPRETER,
    "apply_patch_call": _APPLY_PATCH,
    "tool_search_call": _TOOL_SEARCH,
    **dict.fromkeys(
        (
            "web_search_call",
            "computer_call",
            "file_search_call",
            "image_generation_call",
            "local_shell_call",
            "shell_call",
            "shell_call_output",
            "tool_search_output",
            "mcp_call",
            "mcp_list_tools",
            "mcp_approval_request",
        ),
        _BARE,
    ),
}
_ITEMS_DONE: Final[dict[str, Schema]] = {
    **_ITEMS,
    "web_search_call": shape({**_IDENTIFIED, "action": nullish(_variants(_SEARCH_ACTIONS))}),
    "file_search_call": _FILE_SEARCH,
    "image_generation_call": shape({**_IDENTIFIED, "result": nullish(string)}),
    "local_shell_call": _LOCAL_SHELL,
    "shell_call": _SHELL,
    "shell_call_output": _SHELL_OUTPUT,
    "tool_search_output": shape({**_IDENTIFIED, "tools": array(record)}),
    "mcp_call": _MCP_CALL,
    "mcp_approval_request": _MCP_APPROVAL,
}
ADDED: Final = {kind: shape({"item": item}) for kind, item in _ITEMS.items()}
"""Output item type -> the event that such an item begins."""
DONE: Final = {kind: shape({"item": item}) for kind, item in _ITEMS_DONE.items()}
"""Output item type -> the event that such an item is complete."""

OUTPUT_ITEM: Final = shape({"output_index": nullish(number), "item": shape({"type": string}, loose=True)})

ANNOTATIONS: Final[dict[str, Schema]] = {
    "url_citation": shape(
        {"start_index": nullish(number), "end_index": nullish(number), "url": string, "title": nullish(string)}
    ),
    "file_citation": shape({"file_id": string, "filename": nullish(string), "index": nullish(number)}),
    "container_file_citation": shape(
        {
            "container_id": string,
            "file_id": string,
            "filename": nullish(string),
            "start_index": nullish(number),
            "end_index": nullish(number),
        }
    ),
    "file_path": shape({"file_id": string, "index": nullish(number)}),
}
"""Annotation types."""

_IN_ITEM: Final = {"item_id": nullish(string), "output_index": nullish(number)}
_IN_CONTENT: Final = {**_IN_ITEM, "content_index": nullish(number)}
_IN_SUMMARY: Final = {**_IN_ITEM, "summary_index": nullish(number)}
_DELTA: Final = {"delta": string}

ITEM_EVENTS: Final[dict[str, Schema]] = {
    "response.output_text.delta": shape({**_IN_CONTENT, **_DELTA}),
    "response.output_text.done": shape({**_IN_CONTENT, "text": string}),
    "response.refusal.delta": shape({**_IN_CONTENT, **_DELTA}),
    "response.refusal.done": shape({**_IN_CONTENT, "refusal": string}),
    "response.output_text.annotation.added": shape({**_IN_ITEM, "annotation": tagged("type", ANNOTATIONS)}),
    "response.reasoning_summary_part.added": shape(_IN_SUMMARY),
    "response.reasoning_summary_part.done": shape(_IN_SUMMARY),
    "response.reasoning_summary_text.delta": shape({**_IN_SUMMARY, **_DELTA}),
    "response.reasoning_summary_text.done": shape({**_IN_SUMMARY, "text": string}),
    "response.reasoning_text.delta": shape({**_IN_CONTENT, **_DELTA}),
    "response.reasoning_text.done": shape({**_IN_CONTENT, "text": string}),
    "response.function_call_arguments.delta": shape({**_IN_ITEM, **_DELTA}),
    "response.function_call_arguments.done": shape({**_IN_ITEM, "arguments": string}),
    "response.custom_tool_call_input.delta": shape({**_IN_ITEM, **_DELTA}),
    "response.custom_tool_call_input.done": shape({**_IN_ITEM, "input": string}),
    "response.code_interpreter_call_code.delta": shape({**_IN_ITEM, **_DELTA}),
    "response.code_interpreter_call_code.done": shape({**_IN_ITEM, "code": string}),
    "response.apply_patch_call_operation_diff.delta": shape({**_IN_ITEM, **_DELTA}),
    "response.apply_patch_call_operation_diff.done": shape({**_IN_ITEM, "diff": string}),
    "response.image_generation_call.partial_image": shape({**_IN_ITEM, "partial_image_b64": string}),
}
"""Types of the events about one item, beside those that begin and end it."""

CONFIRMATIONS: Final = frozenset(
    (
        "response.output_text.done",
        "response.refusal.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.done",
    )
)
"""Those of them that only say again what the deltas said, and what the complete item will say."""

CREATED: Final = shape(
    {"response": shape({"id": nullish(string), "created_at": nullish(number), "model": nullish(string)})}
)
_USAGE: Final = shape(
    {
        "input_tokens": number,
        "input_tokens_details": nullish(
            shape({"cached_tokens": nullish(number), "cache_write_tokens": nullish(number)}, loose=True)
        ),
        "output_tokens": number,
        "output_tokens_details": nullish(shape({"reasoning_tokens": nullish(number)}, loose=True)),
    },
    loose=True,
)
FINISHED: Final = shape(
    {
        "response": shape(
            {
                "error": anything,
                "incomplete_details": nullish(shape({"reason": nullish(string)})),
                "usage": nullish(_USAGE),
                "reasoning": nullish(shape({"context": nullish(string)})),
                "service_tier": nullish(string),
                "output": nullish(anything),
            }
        )
    }
)

ENDS: Final = ("response.completed", "response.incomplete", "response.failed")
"""Event types after which nothing comes."""

QUIET: Final = frozenset(
    (
        "keepalive",
        "response.in_progress",
        "response.queued",
        "response.content_part.added",
        "response.content_part.done",
        "response.reasoning_part.added",
        "response.reasoning_part.done",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.shell_call_command.added",
        "response.shell_call_command.delta",
        "response.shell_call_command.done",
        *(
            f"response.{call}.{state}"
            for call, states in {
                "code_interpreter_call": ("in_progress", "interpreting", "completed"),
                "file_search_call": ("in_progress", "searching", "completed"),
                "image_generation_call": ("in_progress", "generating", "completed"),
                "mcp_call": ("in_progress", "completed", "failed"),
                "mcp_list_tools": ("in_progress", "completed", "failed"),
                "web_search_call": ("in_progress", "searching", "completed"),
            }.items()
            for state in states
        ),
    )
)
"""Types of events that say how far something has come, or what another event says again."""



def text_in(part: Any) -> bool:
    """Whether a content part holds text."""
    return type(part) is dict and bool(part.get("text") or part.get("refusal"))


REPEATED: Final = {"message": (("item", "content"),), "reasoning": (("item", "summary"), ("item", "content"))}
"""Item type -> where in the events that begin and end an item it holds what the deltas say."""


def said_by(item: Any) -> tuple[str, ...] | None:
    """The text or arguments that a complete item holds, for comparison; None for an item that cannot be compared."""
    kind = type_of(item)
    try:
        if kind == "message":
            return tuple(part.get("text", part.get("refusal", "")) for part in _MESSAGE(item).get("content") or ())
        if kind == "function_call":
            return (_FUNCTION_CALL(item).get("arguments") or "",)
    except Mismatch:
        pass
    return None
