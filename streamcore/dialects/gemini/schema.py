"""The chunk of Gemini's ``streamGenerateContent``, as far as it is read (API reference, "GenerateContentResponse").

The shapes are those that ``@ai-sdk/google`` validates with. Three things are wider: the calls of Google's own tools need
no id, ``index`` says which candidate is spoken of, and what only describes may lack any of its strings and numbers, for in
the JSON of Protocol Buffers one that is empty or zero is left out (ProtoJSON, "Presence and default values"). What a part
holds that is none of the documented kinds is kept by name, so that it can be reported.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.dialects.schema import anything, array, boolean, nullish, number, shape, string, union

_SIGNED: Final = {"thoughtSignature": nullish(string)}
_PARTIAL_ARG: Final = shape(
    {
        "jsonPath": string,
        "stringValue": nullish(string),
        "numberValue": nullish(number),
        "boolValue": nullish(boolean),
        "nullValue": anything,
        "willContinue": nullish(boolean),
    }
)
_KNOWN_PART: Final = union(
    shape(
        {
            "functionCall": shape(
                {
                    "id": nullish(string),
                    "name": nullish(string),
                    "args": anything,
                    "partialArgs": nullish(array(_PARTIAL_ARG)),
                    "willContinue": nullish(boolean),
                }
            ),
            **_SIGNED,
        }
    ),
    shape({"inlineData": shape({"mimeType": string, "data": string}), "thought": nullish(boolean), **_SIGNED}),
    shape({"toolCall": shape({"toolType": string, "args": anything, "id": nullish(string)}), **_SIGNED}),
    shape({"toolResponse": shape({"toolType": string, "response": anything, "id": nullish(string)}), **_SIGNED}),
    shape(
        {
            "executableCode": nullish(shape({"language": nullish(string), "code": nullish(string)})),
            "codeExecutionResult": nullish(shape({"outcome": nullish(string), "output": nullish(string)})),
            "text": nullish(string),
            "thought": nullish(boolean),
            **_SIGNED,
        }
    ),
)
_ASIDE: Final = frozenset(("thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution"))
"""Keys of a part that say something about its content and are none."""


def _part(value: Any) -> Any:
    checked = _KNOWN_PART(value)
    if not checked.keys() - _ASIDE:
        unknown = value.keys() - _ASIDE
        if unknown:
            checked["unknown"] = sorted(unknown)
    return checked


_RATINGS: Final = nullish(
    array(
        shape(
            {
                "category": nullish(string),
                "probability": nullish(string),
                "probabilityScore": nullish(number),
                "severity": nullish(string),
                "severityScore": nullish(number),
                "blocked": nullish(boolean),
            }
        )
    )
)
_GROUNDING: Final = shape(
    {
        "webSearchQueries": nullish(array(string)),
        "imageSearchQueries": nullish(array(string)),
        "retrievalQueries": nullish(array(string)),
        "searchEntryPoint": nullish(shape({"renderedContent": nullish(string)})),
        "groundingChunks": nullish(
            array(
                shape(
                    {
                        "web": nullish(shape({"uri": nullish(string), "title": nullish(string)})),
                        "image": nullish(
                            shape(
                                {
                                    "sourceUri": nullish(string),
                                    "imageUri": nullish(string),
                                    "title": nullish(string),
                                    "domain": nullish(string),
                                }
                            )
                        ),
                        "retrievedContext": nullish(
                            shape(
                                {
                                    "uri": nullish(string),
                                    "title": nullish(string),
                                    "text": nullish(string),
                                    "fileSearchStore": nullish(string),
                                }
                            )
                        ),
                        "maps": nullish(
                            shape(
                                {
                                    "uri": nullish(string),
                                    "title": nullish(string),
                                    "text": nullish(string),
                                    "placeId": nullish(string),
                                }
                            )
                        ),
                    }
                )
            )
        ),
        "groundingSupports": nullish(
            array(
                shape(
                    {
                        "segment": nullish(
                            shape(
                                {
                                    "startIndex": nullish(number),
                                    "endIndex": nullish(number),
                                    "text": nullish(string),
                                }
                            )
                        ),
                        "segment_text": nullish(string),
                        "groundingChunkIndices": nullish(array(number)),
                        "supportChunkIndices": nullish(array(number)),
                        "confidenceScores": nullish(array(number)),
                        "confidenceScore": nullish(array(number)),
                    }
                )
            )
        ),
        "retrievalMetadata": nullish(union(shape({"webDynamicRetrievalScore": number}), shape({}))),
    }
)
_TOKENS: Final = nullish(array(shape({"modality": nullish(string), "tokenCount": nullish(number)}, loose=True)))
_USAGE: Final = shape(
    {
        "cachedContentTokenCount": nullish(number),
        "thoughtsTokenCount": nullish(number),
        "promptTokenCount": nullish(number),
        "candidatesTokenCount": nullish(number),
        "toolUsePromptTokenCount": nullish(number),
        "totalTokenCount": nullish(number),
        "trafficType": nullish(string),
        "serviceTier": nullish(string),
        "promptTokensDetails": _TOKENS,
        "cacheTokensDetails": _TOKENS,
        "candidatesTokensDetails": _TOKENS,
        "toolUsePromptTokensDetails": _TOKENS,
    },
    loose=True,
)
CHUNK: Final = shape(
    {
        "responseId": nullish(string),
        "candidates": nullish(
            array(
                shape(
                    {
                        "index": anything,
                        "content": nullish(shape({"parts": nullish(array(_part))})),
                        "finishReason": nullish(string),
                        "finishMessage": nullish(string),
                        "safetyRatings": _RATINGS,
                        "groundingMetadata": nullish(_GROUNDING),
                        "urlContextMetadata": nullish(
                            shape(
                                {
                                    "urlMetadata": nullish(
                                        array(shape({"retrievedUrl": nullish(string), "urlRetrievalStatus": nullish(string)}))
                                    )
                                }
                            )
                        ),
                    }
                )
            )
        ),
        "usageMetadata": nullish(_USAGE),
        "promptFeedback": nullish(shape({"blockReason": nullish(string), "safetyRatings": _RATINGS})),
    }
)
"""``error``, where there is one, is read before."""

DETAILS: Final = (
    *(("candidates", "*", key) for key in ("groundingMetadata", "urlContextMetadata", "safetyRatings", "finishMessage")),
    ("promptFeedback", "safetyRatings"),
    *(("usageMetadata", f"{which}TokensDetails") for which in ("prompt", "cache", "candidates", "toolUsePrompt")),
    ("usageMetadata",),
)
"""What a chunk mentions beside its content and the reason why it ended."""
