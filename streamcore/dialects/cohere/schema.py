"""The events of Cohere's Chat API v2, as far as they are read (API docs, "Chat with streaming", "Tool use: streaming").

Wider than the TypeScript reference in these points, which the dialect reports or settles in its own way instead of
refusing the whole event: an index may be missing, and so may a call's id, name and arguments, the usage of the end and
its parts; and ``message-end`` may carry an error.
"""

from __future__ import annotations

from typing import Final

from streamcore.dialects.schema import Schema, anything, nullish, number, shape, string


def _message(**content: Schema) -> Schema:
    return shape({"message": shape(content)})


_TOKENS: Final = shape({"input_tokens": nullish(number), "output_tokens": nullish(number)}, loose=True)
_USAGE: Final = shape({"tokens": nullish(_TOKENS)}, loose=True)
_FUNCTION: Final = shape({"name": nullish(string), "arguments": nullish(anything)})

MESSAGE_START: Final = shape({"id": nullish(string)})
MESSAGE_END: Final = shape(
    {"delta": shape({"finish_reason": nullish(string), "usage": nullish(_USAGE), "error": nullish(anything)})}
)
CONTENT_START: Final = shape(
    {
        "index": nullish(number),
        "delta": _message(content=shape({"type": string, "text": nullish(string), "thinking": nullish(string)})),
    }
)
CONTENT_DELTA: Final = shape(
    {
        "index": nullish(number),
        "delta": _message(content=shape({"text": nullish(string), "thinking": nullish(string)})),
    }
)
CONTENT_END: Final = shape({"index": nullish(number)})
CALL_START: Final = shape(
    {
        "index": nullish(number),
        "delta": _message(
            tool_calls=shape({"id": nullish(string), "type": nullish(string), "function": nullish(_FUNCTION)})
        ),
    }
)
CALL_DELTA: Final = shape(
    {"index": nullish(number), "delta": _message(tool_calls=shape({"function": nullish(_FUNCTION)}))}
)
CALL_END: Final = shape({"index": nullish(number)})

UNSHOWN: Final = ("tool-plan-delta", "citation-start", "citation-end", "debug")
"""Documented events that have no part; see the dialect."""
EVENTS: Final = (
    "message-start",
    "message-end",
    "content-start",
    "content-delta",
    "content-end",
    "tool-call-start",
    "tool-call-delta",
    "tool-call-end",
    *UNSHOWN,
)

