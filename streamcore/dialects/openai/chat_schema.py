"""The chunk of OpenAI Chat Completions, as far as it is read (API reference, "The chat completion chunk object").

Wider than the TypeScript reference in these points, which the dialect reports or settles in its own way instead of
refusing the whole chunk: the index of a choice or of a tool call may be missing, a call's ``function`` may be null, its
``type`` and a role any string, its arguments any JSON value; there are refusals; and a citation needs no character
positions.
"""

from __future__ import annotations

from typing import Final

from streamcore.dialects.schema import anything, array, literal, nullish, number, shape, string

_USAGE: Final = shape(
    {
        "prompt_tokens": nullish(number),
        "completion_tokens": nullish(number),
        "total_tokens": nullish(number),
        "prompt_tokens_details": nullish(
            shape({"cached_tokens": nullish(number), "cache_write_tokens": nullish(number)})
        ),
        "completion_tokens_details": nullish(
            shape(
                {
                    "reasoning_tokens": nullish(number),
                    "accepted_prediction_tokens": nullish(number),
                    "rejected_prediction_tokens": nullish(number),
                }
            )
        ),
    }
)
_TOKEN: Final = {"token": string, "logprob": number}
FUNCTION: Final = nullish(shape({"name": nullish(string), "arguments": nullish(anything)}))
"""What a call's ``function`` says, and the legacy ``function_call`` of a delta."""
TOOL_CALLS: Final = nullish(
    array(shape({"index": nullish(number), "id": nullish(string), "type": nullish(string), "function": FUNCTION}))
)
CHUNK: Final = shape(
    {
        "id": nullish(string),
        "created": nullish(number),
        "model": nullish(string),
        "choices": array(
            shape(
                {
                    "index": nullish(number),
                    "finish_reason": nullish(string),
                    "logprobs": nullish(
                        shape({"content": nullish(array(shape({**_TOKEN, "top_logprobs": array(shape(_TOKEN))})))})
                    ),
                    "delta": nullish(
                        shape(
                            {
                                "role": nullish(string),
                                "content": nullish(string),
                                "refusal": nullish(string),
                                "tool_calls": TOOL_CALLS,
                                "function_call": FUNCTION,
                                "annotations": nullish(
                                    array(
                                        shape(
                                            {
                                                "type": literal("url_citation"),
                                                "url_citation": shape({"url": string, "title": string}),
                                            }
                                        )
                                    )
                                ),
                            }
                        )
                    ),
                }
            )
        ),
        "usage": nullish(_USAGE),
    }
)
