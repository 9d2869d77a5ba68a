"""The chunk of the servers that speak OpenAI Chat Completions, as far as it is read.

Beside OpenAI's keys there are reasoning, under names that differ, content as a list of typed parts (Mistral's form),
thought signatures (Google's form, in ``extra_content``), Groq's own place for the usage, and the ``text`` of the legacy
completions endpoint. A usage keeps the keys that are not named here, but for Groq's. Wider than the TypeScript
reference in the same points as ``openai_chat_schema``.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from streamcore.dialects.openai.chat_schema import FUNCTION
from streamcore.dialects.schema import Schema, anything, array, nullish, number, shape, string, union

_COUNTS: Final = {
    "prompt_tokens": nullish(number),
    "completion_tokens": nullish(number),
    "total_tokens": nullish(number),
}
_CACHED: Final = {"cached_tokens": nullish(number)}
_USAGE: Final = shape(
    {
        **_COUNTS,
        "prompt_cache_hit_tokens": nullish(number),
        "prompt_cache_miss_tokens": nullish(number),
        "prompt_tokens_details": nullish(shape(_CACHED, loose=True)),
        "completion_tokens_details": nullish(
            shape(
                {
                    "reasoning_tokens": nullish(number),
                    "accepted_prediction_tokens": nullish(number),
                    "rejected_prediction_tokens": nullish(number),
                },
                loose=True,
            )
        ),
    },
    loose=True,
)
_GROQ_USAGE: Final = shape(
    {
        **_COUNTS,
        "prompt_tokens_details": nullish(shape(_CACHED)),
        "completion_tokens_details": nullish(shape({"reasoning_tokens": nullish(number)})),
    }
)
_CALL: Final = shape(
    {
        "index": nullish(number),
        "id": nullish(string),
        "type": nullish(string),
        "function": FUNCTION,
        "extra_content": nullish(shape({"google": nullish(shape({"thought_signature": nullish(string)}))})),
    }
)
_DELTA: Final = {
    "role": nullish(string),
    "content": nullish(union(string, array(shape({"type": string}, loose=True)))),
    "refusal": nullish(string),
    "tool_calls": nullish(array(_CALL)),
    "function_call": FUNCTION,
}
_LOGPROBS: Final = shape({"content": nullish(array(anything)), "reasoning_content": nullish(array(anything))})


@cache
def chunk_of(reasoning: tuple[str, ...], usage_at: str) -> Schema:
    """The chunk of a server that has its reasoning in these members of ``delta``, and its usage in that of the chunk.

    A usage elsewhere is not read, so nothing is asked of it.
    """
    choice = {
        "index": nullish(number),
        "finish_reason": nullish(string),
        "delta": nullish(shape({**_DELTA, **{key: nullish(string) for key in reasoning}})),
        "text": nullish(anything),
        "logprobs": nullish(union(_LOGPROBS, anything)),
    }
    return shape(
        {
            "id": nullish(string),
            "created": nullish(number),
            "model": nullish(string),
            "object": nullish(anything),
            "system_fingerprint": nullish(anything),
            "choices": array(shape(choice)),
            usage_at: nullish(_USAGE if usage_at == "usage" else shape({"usage": nullish(_GROQ_USAGE)})),
        }
    )
