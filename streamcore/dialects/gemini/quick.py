"""The chunks that most of a Gemini stream consists of: one piece of text, of a thought or of the arguments of a streamed
call, or one call that comes whole; with the usage so far and perhaps the safety ratings.

Whatever is not just that is left to the general path, which gives the same parts (tests/streamcore proves it).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from streamcore import jsontext

DEPTH: Final = 9
"""Levels of nesting of such a chunk."""


Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number of tokens. Of larger numbers an integer and a fraction on the wire would differ."""
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Tokens(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    modality: Literal["TEXT", "IMAGE", "AUDIO", "VIDEO", "DOCUMENT"]
    tokenCount: Count  # noqa: N815 - the wire's name


class QuickUsage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """``usageMetadata``. Its strings are few and hold no colon, which :func:`read` relies on."""

    promptTokenCount: Count | UnsetType = UNSET  # noqa: N815 - the wire's names
    candidatesTokenCount: Count | UnsetType = UNSET  # noqa: N815
    totalTokenCount: Count | UnsetType = UNSET  # noqa: N815
    thoughtsTokenCount: Count | UnsetType = UNSET  # noqa: N815
    cachedContentTokenCount: Count | UnsetType = UNSET  # noqa: N815
    toolUsePromptTokenCount: Count | UnsetType = UNSET  # noqa: N815
    serviceTier: Literal["standard", "flex", "priority"] | UnsetType = UNSET  # noqa: N815
    trafficType: Literal["ON_DEMAND", "PROVISIONED_THROUGHPUT"] | UnsetType = UNSET  # noqa: N815
    promptTokensDetails: list[_Tokens] | UnsetType = UNSET  # noqa: N815
    candidatesTokensDetails: list[_Tokens] | UnsetType = UNSET  # noqa: N815
    cacheTokensDetails: list[_Tokens] | UnsetType = UNSET  # noqa: N815
    toolUsePromptTokensDetails: list[_Tokens] | UnsetType = UNSET  # noqa: N815


class _Arg(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    jsonPath: str  # noqa: N815 - the wire's names
    stringValue: str  # noqa: N815
    willContinue: bool | UnsetType = UNSET  # noqa: N815


class QuickCall(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """``functionCall`` with pieces of one or more strings, or whole."""

    partialArgs: list[_Arg] | UnsetType = UNSET  # noqa: N815 - the wire's names
    willContinue: bool | UnsetType = UNSET  # noqa: N815
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    args: Any = UNSET


class _Part(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str = ""
    thought: bool | UnsetType = UNSET
    functionCall: QuickCall | UnsetType = UNSET  # noqa: N815 - the wire's names
    thoughtSignature: str | UnsetType = UNSET  # noqa: N815


class _Content(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    parts: list[_Part]
    role: Literal["model"] | UnsetType = UNSET


class QuickRating(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One of ``safetyRatings``."""

    category: Literal[
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_CIVIC_INTEGRITY",
    ]
    probability: Literal["NEGLIGIBLE", "LOW", "MEDIUM", "HIGH"]
    probabilityScore: Share | UnsetType = UNSET  # noqa: N815 - the wire's names
    severity: (
        Literal["HARM_SEVERITY_NEGLIGIBLE", "HARM_SEVERITY_LOW", "HARM_SEVERITY_MEDIUM", "HARM_SEVERITY_HIGH"]
        | UnsetType
    ) = UNSET
    severityScore: Share | UnsetType = UNSET  # noqa: N815


class _Candidate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: _Content
    index: Literal[0] | UnsetType = UNSET
    safetyRatings: list[QuickRating] | UnsetType = UNSET  # noqa: N815 - the wire's name


class _Chunk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    candidates: list[_Candidate]
    usageMetadata: QuickUsage | UnsetType = UNSET  # noqa: N815 - the wire's names
    modelVersion: str | UnsetType = UNSET  # noqa: N815
    responseId: str | UnsetType = UNSET  # noqa: N815
    createTime: str | UnsetType = UNSET  # noqa: N815


class Quick(NamedTuple):
    """What such a chunk says."""

    text: str
    """Empty if there is a call."""
    is_thought: bool
    call: QuickCall | UnsetType
    ratings: list[QuickRating] | UnsetType
    usage: QuickUsage | UnsetType
    signature: str
    """Of a call that comes whole; empty if it has none."""


_decode = msgspec.json.Decoder(_Chunk).decode
_USAGE_KEYS: Final = len(QuickUsage.__struct_fields__)
_RATING_KEYS: Final = len(QuickRating.__struct_fields__)


def read(data: bytes, max_depth: int) -> Quick | None:
    """What such a chunk says; None if it is another, or has a key twice, or may nest deeper than ``max_depth``.

    Every key has its colon, so a text with just the colons that its keys and strings account for has no key twice;
    unless a colon may be written as an escape.
    """
    try:
        chunk = _decode(data)
        [candidate] = chunk.candidates
        [part] = candidate.content.parts
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    text = part.text
    call = part.functionCall
    ratings = candidate.safetyRatings
    usage = chunk.usageMetadata
    colons = 4 + text.count(":")  # the keys that every chunk has: candidates, content, parts, text or functionCall
    signature = ""
    if call is UNSET:
        if part.thoughtSignature is not UNSET:
            return None
    elif text or part.thought is not UNSET:
        return None
    elif call.partialArgs is UNSET:
        if not call.name or call.args is UNSET or call.willContinue is not UNSET:
            return None
        if data.count(b"[") + data.count(b"{") > max_depth:
            return None
        colons += 2 + call.name.count(":") + jsontext.colons_of(call.args)
        if call.id is not UNSET:
            colons += 1 + call.id.count(":")
        if part.thoughtSignature is not UNSET:
            signature = part.thoughtSignature
            colons += 1 + signature.count(":")
    else:
        whole = (call.name, call.args, call.id, part.thoughtSignature)
        if whole.count(UNSET) != len(whole):
            return None
        colons += 1 + _colons_of(call, call.partialArgs)
    if candidate.content.role is not UNSET:
        colons += 1
    if candidate.index is not UNSET:
        colons += 1
    if part.thought is not UNSET:
        colons += 1
    for string in (chunk.modelVersion, chunk.responseId, chunk.createTime):
        if string is not UNSET:
            colons += 1 + string.count(":")
    if ratings is not UNSET:
        colons += 1
        for rating in ratings:
            colons += _RATING_KEYS - msgspec.structs.astuple(rating).count(UNSET)
    if usage is not UNSET:
        values = msgspec.structs.astuple(usage)
        colons += 1 + _USAGE_KEYS - values.count(UNSET)
        for details in values[-4:]:
            if details is not UNSET:
                colons += 2 * len(details)
    if colons != data.count(b":") or b"u003" in data:
        return None
    return Quick(text, part.thought is True, call, ratings, usage, signature)


def _colons_of(call: QuickCall, args: list[_Arg]) -> int:
    """Within the object; the members of an element of ``partialArgs`` included."""
    colons = 1 if call.willContinue is not UNSET else 0
    for arg in args:
        colons += 2 + arg.jsonPath.count(":") + arg.stringValue.count(":")
        if arg.willContinue is not UNSET:
            colons += 1
    return colons
