"""The events of the Anthropic Messages API, as far as they are read (API reference, "Messages streaming").

Wider than the TypeScript reference in these points, each of which the dialect reports in its own way instead of
refusing the event: ``usage`` may be missing, the ``id`` and ``name`` of a tool call may be missing, and
``message_start`` may carry content blocks of any type. Callers, edits, iterations, skills and what results hold may be of
types that are not known, which mostly have the date of a version in them: they are kept as they are. Types of events,
blocks, deltas and citations that are not in the tables below are unknown, which is not the same as malformed: the caller
looks a type up before it checks the shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from streamcore.dialects.anthropic.results import CALLER, RESULTS
from streamcore.dialects.schema import (
    Schema,
    anything,
    array,
    literal,
    nullable,
    nullish,
    number,
    open_tagged,
    record,
    shape,
    string,
    tagged,
)
from streamcore.dialects.typed import type_of

_TOOL_USE: Final = shape(
    {
        "id": nullish(string),
        "name": nullish(string),
        "input": nullish(record),
        "caller": nullish(CALLER),
        "toolset_name": nullish(string),
    }
)

# A tool call that message_start brings ready-made.
_READY_TOOL_USE: Final = shape(
    {
        "type": literal("tool_use"),
        "id": nullish(string),
        "name": nullish(string),
        "input": anything,
        "caller": nullish(CALLER),
    }
)

_INPUT_TRANSFORMATIONS: Final = nullish(array(shape({"type": string, "path": string, "reason": string})))

_START_USAGE: Final = shape(
    {
        "input_tokens": number,
        "cache_creation_input_tokens": nullish(number),
        "cache_read_input_tokens": nullish(number),
    },
    loose=True,
)

ITERATIONS: Final = ("compaction", "message", "advisor_message", "fallback_message")
"""Types of the iterations of one message."""

EDITS: Final[dict[str, Schema]] = {
    "clear_tool_uses_20250919": shape({"cleared_tool_uses": number, "cleared_input_tokens": number}),
    "clear_thinking_20251015": shape({"cleared_thinking_turns": number, "cleared_input_tokens": number}),
    "compact_20260112": shape({}),
}
"""Types of edits of the context."""

_USAGE: Final = shape(
    {
        "input_tokens": nullish(number),
        "output_tokens": number,
        "output_tokens_details": nullish(shape({"thinking_tokens": nullish(number)})),
        "cache_creation_input_tokens": nullish(number),
        "cache_read_input_tokens": nullish(number),
        "iterations": nullish(
            array(
                shape(
                    {
                        "type": string,
                        "model": nullish(string),
                        "input_tokens": number,
                        "output_tokens": number,
                        "cache_creation_input_tokens": nullish(number),
                        "cache_read_input_tokens": nullish(number),
                    }
                )
            )
        ),
    },
    loose=True,
)


def _ready_block(value: Any) -> Any:
    kind = type_of(value)
    return value if kind is not None and kind != "tool_use" else _READY_TOOL_USE(value)


MESSAGE_START: Final = shape(
    {
        "message": shape(
            {
                "id": nullish(string),
                "model": nullish(string),
                "role": nullish(string),
                "usage": nullish(_START_USAGE),
                "content": nullish(array(_ready_block)),
                "stop_reason": nullish(string),
                "input_transformations": _INPUT_TRANSFORMATIONS,
                "container": nullish(shape({"expires_at": string, "id": string})),
            }
        )
    }
)

MESSAGE_DELTA: Final = shape(
    {
        "delta": shape(
            {
                "stop_reason": nullish(string),
                "stop_sequence": nullish(string),
                "stop_details": nullish(
                    shape(
                        {
                            "type": string,
                            "category": nullish(string),
                            "explanation": nullish(string),
                            "recommended_model": nullish(string),
                        }
                    )
                ),
                "container": nullish(
                    shape(
                        {
                            "expires_at": string,
                            "id": string,
                            "skills": nullish(
                                array(
                                    shape(
                                        {
                                            "type": string,
                                            "skill_id": string,
                                            "version": string,
                                        }
                                    )
                                )
                            ),
                        }
                    )
                ),
            }
        ),
        "usage": nullish(_USAGE),
        "input_transformations": _INPUT_TRANSFORMATIONS,
        "context_management": nullish(
            shape(
                {
                    "applied_edits": array(open_tagged("type", EDITS)),
                }
            )
        ),
    }
)


def unknown_types(event: Mapping[str, Any]) -> list[str]:
    """What a ``message_delta`` that has passed its schema mentions of types that are not known; it is kept as it is."""
    edits = (event.get("context_management") or {}).get("applied_edits") or ()
    iterations = (event.get("usage") or {}).get("iterations") or ()
    return [
        *(f"an edit of the context: {edit['type']}" for edit in edits if edit["type"] not in EDITS),
        *(f"an iteration: {one['type']}" for one in iterations if one["type"] not in ITERATIONS),
    ]


DETAILS: Final = (
    ("context_management",),
    ("input_transformations",),
    ("delta", "container"),
    ("delta", "stop_details"),
    ("usage", "iterations"),
    ("usage", "output_tokens_details"),
    ("usage",),
)
"""What a ``message_delta`` mentions beside the stop reason; without what does not fit of it, the rest is read."""

START_DETAILS: Final = (("message", "usage"), ("message", "container"), ("message", "input_transformations"))
"""What a ``message_start`` mentions beside the message's id and content."""

BLOCKS: Final[dict[str, Schema]] = {
    "text": shape({"text": string}),
    "thinking": shape({"thinking": string, "signature": nullish(anything)}),
    "redacted_thinking": shape({"data": string}),
    "compaction": shape({"content": nullish(string)}),
    "tool_use": _TOOL_USE,
    "server_tool_use": shape(
        {"id": nullish(string), "name": nullish(string), "input": nullish(record), "caller": nullish(CALLER)}
    ),
    "mcp_tool_use": shape({"id": nullish(string), "name": nullish(string), "input": anything, "server_name": string}),
    "fallback": shape({}),
    **RESULTS,
}
"""Content block types."""

CITATIONS: Final[dict[str, Schema]] = {
    "web_search_result_location": shape(
        {"cited_text": string, "url": string, "title": nullish(string), "encrypted_index": string}
    ),
    "page_location": shape(
        {
            "cited_text": string,
            "document_index": number,
            "document_title": nullable(string),
            "start_page_number": number,
            "end_page_number": number,
        }
    ),
    "char_location": shape(
        {
            "cited_text": string,
            "document_index": number,
            "document_title": nullable(string),
            "start_char_index": number,
            "end_char_index": number,
        }
    ),
}
"""Citation types."""

DELTAS: Final[dict[str, Schema]] = {
    "text_delta": shape({"text": string}),
    "thinking_delta": shape({"thinking": string}),
    "signature_delta": shape({"signature": string}),
    "input_json_delta": shape({"partial_json": string}),
    "compaction_delta": shape({"content": nullish(string)}),
    "citations_delta": shape({"citation": tagged("type", CITATIONS)}),
}
"""Delta types."""

CONTENT_BLOCK_START: Final = shape({"index": number, "content_block": tagged("type", BLOCKS)})
CONTENT_BLOCK_DELTA: Final = shape({"index": number, "delta": tagged("type", DELTAS)})
CONTENT_BLOCK_STOP: Final = shape({"index": number})

EVENTS: Final = frozenset(
    (
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    )
)
"""Event types."""

