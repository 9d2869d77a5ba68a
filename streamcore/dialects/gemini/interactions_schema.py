"""The events of Gemini's Interactions API, as far as they are read (API reference, "Interactions", "Streaming").

Members that are not named here are kept: results and arguments of Google's own tools have shapes of their own.
"""

from __future__ import annotations

from typing import Final

from streamcore.dialects.schema import Schema, anything, array, boolean, nullish, number, record, shape, string

CALLS: Final = {
    "google_search_call": "google_search",
    "code_execution_call": "code_execution",
    "url_context_call": "url_context",
    "file_search_call": "file_search",
    "google_maps_call": "google_maps",
    "mcp_server_tool_call": "mcp_server_tool",
}
"""Type of the call of a tool that Google runs -> name of the tool."""
RESULTS: Final = {kind.removesuffix("_call") + "_result": name for kind, name in CALLS.items()}
"""Type of its result -> name of the tool."""

_STATUS: Final = {"status": nullish(string)}
_IMAGE: Final = {"data": nullish(string), "mime_type": nullish(string), "uri": nullish(string)}
ANNOTATIONS: Final = nullish(
    array(
        shape(
            {
                "type": string,
                **dict.fromkeys(("url", "title", "file_name", "document_uri", "name"), nullish(string)),
            },
            loose=True,
        )
    )
)
_SUMMARY: Final = shape({"type": string, "text": nullish(string)}, loose=True)
_CALL: Final = {"id": nullish(string), "name": nullish(string), "signature": nullish(string), "arguments": nullish(record)}
_RESULT: Final = {"call_id": nullish(string), "name": nullish(string), "result": anything, "is_error": nullish(boolean)}
_TOKENS: Final = nullish(array(shape({"modality": nullish(string), "tokens": nullish(number)}, loose=True)))
USAGE: Final = shape(
    {
        **dict.fromkeys(
            (
                "total_input_tokens",
                "total_output_tokens",
                "total_thought_tokens",
                "total_cached_tokens",
                "total_tool_use_tokens",
                "total_tokens",
            ),
            nullish(number),
        ),
        **dict.fromkeys(
            (
                "input_tokens_by_modality",
                "output_tokens_by_modality",
                "cached_tokens_by_modality",
                "tool_use_tokens_by_modality",
            ),
            _TOKENS,
        ),
    },
    loose=True,
)


def _loose(**keys: Schema) -> Schema:
    return shape(keys, loose=True)


STEPS: Final[dict[str, Schema]] = {
    "model_output": _loose(
        content=nullish(array(_loose(type=string, text=nullish(string), annotations=ANNOTATIONS, **_IMAGE)))
    ),
    "thought": _loose(signature=nullish(string), summary=nullish(array(_SUMMARY))),
    "function_call": _loose(**_CALL),
    **dict.fromkeys(CALLS, _loose(**_CALL)),
    **dict.fromkeys(RESULTS, _loose(**_RESULT)),
    "user_input": _loose(),
}
DELTAS: Final[dict[str, Schema]] = {
    "text": _loose(text=nullish(string)),
    "text_annotation": _loose(annotations=ANNOTATIONS),
    "text_annotation_delta": _loose(annotations=ANNOTATIONS),
    "image": _loose(**_IMAGE),
    "video": _loose(**_IMAGE),
    "thought_summary": _loose(content=nullish(_SUMMARY)),
    "thought_signature": _loose(signature=nullish(string)),
    "arguments_delta": _loose(arguments=nullish(string), id=nullish(string), signature=nullish(string)),
    **dict.fromkeys(CALLS, _loose(**_CALL)),
    **dict.fromkeys(RESULTS, _loose(**_RESULT)),
}
_CREATED: Final = dict.fromkeys(("id", "created", "model"), nullish(string))
_COMPLETED: Final = {"id": nullish(string), "usage": nullish(USAGE), "service_tier": nullish(string), **_STATUS}
EVENTS: Final[dict[str, Schema]] = {
    "interaction.created": _loose(interaction=nullish(_loose(**_CREATED))),
    "step.start": _loose(index=number, step=_loose(type=string)),
    "step.delta": _loose(index=number, delta=_loose(type=string)),
    "step.stop": _loose(index=number),
    **dict.fromkeys(
        ("interaction.status_update", "interaction.in_progress", "interaction.requires_action"), _loose(**_STATUS)
    ),
    "interaction.completed": _loose(interaction=nullish(_loose(**_COMPLETED))),
    "error": _loose(error=anything),
}
DETAILS: Final = (
    *(("interaction", "usage", f"{which}_tokens_by_modality") for which in ("input", "output", "cached", "tool_use")),
    *(("interaction", key) for key in ("usage", "service_tier", "created", "model")),
)
"""What an event mentions beside the interaction and its status."""
