"""The chunk of Gemini's ``streamGenerateContent``, as far as it is read (API reference, "GenerateContentResponse").

The shapes are those that ``@ai-sdk/google`` validates with. Two things are wider: the calls of Google's own tools need no
id, and ``index`` says which candidate is spoken of. What a part holds that is none of the documented kinds is kept by
name, so that it can be reported.
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
            "executableCode": nullish(shape({"language": string, "code": string})),
            "codeExecutionResult": nullish(shape({"outcome": string, "output": nullish(string)})),
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
        "searchEntryPoint": nullish(shape({"renderedContent": string})),
        "groundingChunks": nullish(
            array(
                shape(
                    {
                        "web": nullish(shape({"uri": string, "title": nullish(string)})),
                        "image": nullish(
                            shape(
                                {
                                    "sourceUri": string,
                                    "imageUri": string,
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
_TOKENS: Final = nullish(array(shape({"modality": string, "tokenCount": number}, loose=True)))
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
                                        array(shape({"retrievedUrl": string, "urlRetrievalStatus": string}))
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
