"""The events of xAI's Responses API, as far as they are read (xAI API reference, "Create new response", streaming).

Wider than the TypeScript reference, which refuses an event for a member that nobody reads: only what is read is checked
here, ``null`` is absence, and an item of an unknown type is reported on its own.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.dialects.schema import (
    Mismatch,
    Schema,
    anything,
    array,
    literal,
    nullish,
    number,
    record,
    shape,
    string,
    tagged,
)
from streamcore.parts import Usage


def _counts(name: str) -> Schema:
    return nullish(shape({name: nullish(number)}, loose=True))


_USAGE: Final = shape(
    {
        "input_tokens": number,
        "output_tokens": number,
        "input_tokens_details": _counts("cached_tokens"),
        "output_tokens_details": _counts("reasoning_tokens"),
    },
    loose=True,
)
_REASON: Final = nullish(shape({"reason": nullish(string)}))
_CITATIONS: Final = nullish(array(record))

CREATED: Final = shape(
    {"response": shape({"id": nullish(string), "model": nullish(string), "created_at": nullish(number)})}
)
DELTA: Final = shape({"item_id": string, "delta": string})
SUMMARY_PART: Final = shape({"item_id": string})
ARGUMENTS: Final = shape({"item_id": nullish(string), "output_index": nullish(number), "delta": string})
TEXT_DONE: Final = shape({"annotations": _CITATIONS})
ANNOTATION: Final = shape({"annotation": record})
ITEM: Final = shape({"item": record, "output_index": nullish(number)})
ENDED: Final = shape(
    {
        "response": shape(
            {
                "status": nullish(string),
                "usage": nullish(_USAGE),
                "service_tier": nullish(string),
                "incomplete_details": _REASON,
                "error": anything,
            }
        )
    }
)
ERROR: Final = shape({"type": string, "code": nullish(string), "message": string, "param": nullish(string)})

_EXECUTED: Final = shape(
    {
        "id": string,
        "name": nullish(string),
        "arguments": nullish(string),
        "input": nullish(string),
        "action": anything,
    }
)
_FILE_SEARCH: Final = shape(
    {
        "id": string,
        "queries": nullish(array(string)),
        "results": nullish(array(shape({"file_id": string, "filename": string, "score": number, "text": string}))),
    }
)
_TEXTS: Final = nullish(array(shape({"text": nullish(string), "annotations": _CITATIONS})))
ITEMS: Final[dict[str, Schema]] = {
    "message": shape({"id": string, "content": _TEXTS}),
    "reasoning": shape(
        {"id": string, "summary": _TEXTS, "content": _TEXTS, "encrypted_content": nullish(string)},
    ),
    "function_call": shape(
        {
            "id": nullish(string),
            "call_id": nullish(string),
            "name": nullish(string),
            "arguments": nullish(string),
            "status": nullish(string),
        }
    ),
    "file_search_call": _FILE_SEARCH,
    **dict.fromkeys(
        (
            "web_search_call",
            "x_search_call",
            "code_interpreter_call",
            "code_execution_call",
            "view_image_call",
            "view_x_video_call",
            "custom_tool_call",
            "mcp_call",
        ),
        _EXECUTED,
    ),
}
"""Type of an output item -> its shape."""

_STEPS: Final = ("in_progress", "searching", "executing", "interpreting", "completed", "failed")
SILENT: Final = frozenset(
    (
        "response.content_part.added",
        "response.content_part.done",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.function_call_arguments.done",
        *(
            f"response.{text}.{step}"
            for text in ("code_interpreter_call_code", "custom_tool_call_input", "mcp_call_arguments", "mcp_call_output")
            for step in ("delta", "done")
        ),
        *(
            f"response.{tool}_call.{step}"
            for tool in ("web_search", "x_search", "file_search", "code_execution", "code_interpreter", "mcp")
            for step in _STEPS
        ),
    )
)
"""Events that are documented and repeat, in smaller steps, what the items say."""

_SOURCES: Final = nullish(array(anything))
_ACTION: Final = tagged(
    "type",
    {
        "search": shape({"query": nullish(string), "queries": nullish(array(string)), "sources": _SOURCES}),
        "open_page": shape({"url": nullish(string), "sources": _SOURCES}),
        "find_in_page": shape({"url": nullish(string), "pattern": nullish(string), "sources": _SOURCES}),
    },
)
_SOURCE: Final = shape({"type": literal("url"), "url": string})
_CITATION: Final = shape({"type": literal("url_citation"), "url": string, "title": nullish(string)})


def fitting(schema: Schema, value: Any) -> Any:
    """What ``schema`` makes of ``value``; None if it does not fit."""
    try:
        return schema(value)
    except Mismatch:
        return None


def citation(value: Any) -> tuple[str, str] | None:
    """(address, title) of an annotation that cites an address; the address is the title where none is given."""
    found = fitting(_CITATION, value)
    if found is None:
        return None
    title = found.get("title")
    return found["url"], found["url"] if title is None else title


def web_search_result(action: Any) -> dict[str, Any]:
    """What the unified ``tool-result`` of a web search says: the action in the AI SDK's spelling, and its sources."""
    checked = fitting(_ACTION, action)
    if checked is None:
        return {}
    found = [fitting(_SOURCE, source) for source in checked.get("sources") or ()]
    sources = [source for source in found if source is not None]
    kind = checked["type"]
    if kind == "search":
        shown = {key: checked[key] for key in ("query", "queries") if checked.get(key) is not None}
    else:
        keys = ("url",) if kind == "open_page" else ("url", "pattern")
        shown = {key: checked[key] for key in keys if key in checked}
    name = {"search": "search", "open_page": "openPage", "find_in_page": "findInPage"}[kind]
    return {"action": {"type": name, **shown}, **({"sources": sources} if sources else {})}


def usage_of(wire: Any) -> Usage:
    """xAI's usage in the unified spelling: zeros where there is none; cached tokens may not be counted in the total."""
    if wire is None:
        return Usage(0, 0, 0, 0, 0, 0, 0)
    cached = (wire.get("input_tokens_details") or {}).get("cached_tokens") or 0
    reasoning = (wire.get("output_tokens_details") or {}).get("reasoning_tokens") or 0
    given = wire["input_tokens"]
    return Usage(
        input_total=given if cached <= given else given + cached,
        input_no_cache=given - cached if cached <= given else given,
        input_cache_read=cached,
        output_total=wire["output_tokens"],
        output_text=wire["output_tokens"] - reasoning,
        output_reasoning=reasoning,
        raw=wire,
    )
