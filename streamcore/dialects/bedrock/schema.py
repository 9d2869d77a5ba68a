"""The events of Bedrock's ConverseStream, as far as they are read (API reference, "ConverseStream", response elements).

Wider than the TypeScript reference in these points, each of which the dialect reports in its own way instead of refusing
the event: the id and the name of a tool call may be missing, and a delta may have members that are not known.
"""

from __future__ import annotations

from typing import Final

from streamcore.dialects.schema import Schema, anything, array, nullish, number, optional, record, shape, string

_START: Final = shape(
    {
        "toolUse": nullish(
            shape(
                {
                    "toolUseId": nullish(string),
                    "name": nullish(string),
                    "type": nullish(string),
                    "input": nullish(anything),
                }
            )
        ),
        "toolResult": nullish(shape({"toolUseId": string, "status": nullish(string), "type": nullish(string)})),
        "image": nullish(shape({"format": string})),
    },
    loose=True,
)

_USAGE: Final = shape(
    {
        "inputTokens": number,
        "outputTokens": number,
        "totalTokens": optional(number),
        "cacheReadInputTokens": nullish(number),
        "cacheWriteInputTokens": nullish(number),
        "cacheDetails": nullish(array(shape({"inputTokens": number, "ttl": string}, loose=True))),
    },
    loose=True,
)

EVENTS: Final[dict[str, Schema]] = {
    "messageStart": shape({"role": nullish(string)}),
    "contentBlockStart": shape({"contentBlockIndex": number, "start": nullish(_START)}),
    "contentBlockDelta": shape({"contentBlockIndex": number, "delta": nullish(record)}),
    "contentBlockStop": shape({"contentBlockIndex": number}),
    "messageStop": shape(
        {
            "stopReason": string,
            "additionalModelResponseFields": nullish(
                shape({"delta": nullish(shape({"stop_sequence": nullish(string)}))}, loose=True)
            ),
        }
    ),
    "metadata": shape(
        {
            "usage": nullish(_USAGE),
            "trace": nullish(anything),
            "performanceConfig": nullish(shape({"latency": string})),
            "serviceTier": nullish(shape({"type": string})),
        }
    ),
}
"""Event types."""

DETAILS: Final = {
    "messageStop": (("additionalModelResponseFields",),),
    "metadata": (("performanceConfig",), ("serviceTier",), ("usage", "cacheDetails")),
}
"""What an event mentions beside what it is about."""

DELTAS: Final[dict[str, Schema]] = {
    "text": string,
    "toolUse": shape({"input": nullish(string)}),
    "reasoningContent": shape(
        {
            "text": nullish(string),
            "signature": nullish(string),
            "redactedContent": nullish(string),
            "data": nullish(string),
        },
        loose=True,
    ),
    "citation": record,
    "toolResult": array(anything),
    "image": shape(
        {
            "source": nullish(shape({"bytes": nullish(string)}, loose=True)),
            "error": nullish(shape({"message": nullish(string)}, loose=True)),
        }
    ),
}
"""Members of a delta."""
