"""The parts of the unified stream, named and shaped as the stream parts of the Vercel AI SDK's language models (v3).

Each part is a slotted dataclass with one :meth:`as_json` that gives the SDK's spelling; keys whose value is absent are
left out, as ``JSON.stringify`` leaves out ``undefined``. Two things go beyond the SDK: parts of an OpenAI choice other
than 0 carry ``choice``, and a ``tool-call`` whose arguments are not a JSON object carries ``invalid: true``.

Order within a stream: ``stream-start``, ``response-metadata``, then the payload (each ``-start`` before its deltas
before its ``-end``, each once), then ``finish``. ``error`` may stand anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from streamcore import jsontext
from streamcore.errors import ABSENT, WireError

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with str keys."""

Metadata = dict[str, dict[str, Json]]
"""``providerMetadata``: provider name -> its own fields."""

FinishUnified = Literal["stop", "length", "content-filter", "tool-calls", "error", "other"]


@dataclass(slots=True)
class Part:
    """Base of all parts; ``type`` is the AI SDK's name for it."""

    type: ClassVar[str]

    def as_json(self) -> dict[str, Json]:
        """The part as a JSON object in the AI SDK's spelling."""
        raise NotImplementedError


def _with(result: dict[str, Json], **optional: Json) -> dict[str, Json]:
    result.update({key: value for key, value in optional.items() if value is not None})
    return result


@dataclass(slots=True)
class StreamStart(Part):
    """First part of every stream that could be opened."""

    type = "stream-start"

    def as_json(self) -> dict[str, Json]:
        """``warnings`` is about the request, so it is always empty here."""
        return {"type": "stream-start", "warnings": []}


@dataclass(slots=True)
class ResponseMetadata(Part):
    """What the provider says about the response; as soon as the first frame that says it is in."""

    type = "response-metadata"
    id: str | None = None
    model_id: str | None = None
    timestamp: str | None = None
    """ISO 8601 in UTC with milliseconds."""

    def as_json(self) -> dict[str, Json]:
        """Absent fields are left out."""
        return _with({"type": "response-metadata"}, id=self.id, modelId=self.model_id, timestamp=self.timestamp)


@dataclass(slots=True)
class _Block(Part):
    id: str
    metadata: Metadata | None = None
    choice: int = 0

    def as_json(self) -> dict[str, Json]:
        """``id`` names the block within the stream."""
        return _with({"type": self.type, "id": self.id}, providerMetadata=self.metadata, choice=self.choice or None)


@dataclass(slots=True)
class _Delta(Part):
    id: str
    delta: str
    metadata: Metadata | None = None
    choice: int = 0

    def as_json(self) -> dict[str, Json]:
        """``delta`` continues the block named ``id``."""
        result = {"type": self.type, "id": self.id, "delta": self.delta}
        if self.metadata is None and not self.choice:
            return result
        return _with(result, providerMetadata=self.metadata, choice=self.choice or None)


@dataclass(slots=True)
class TextStart(_Block):
    """A text block opens."""

    type = "text-start"


@dataclass(slots=True)
class TextDelta(_Delta):
    """More of a text block."""

    type = "text-delta"


@dataclass(slots=True)
class TextEnd(_Block):
    """A text block is complete."""

    type = "text-end"


@dataclass(slots=True)
class ReasoningStart(_Block):
    """A reasoning block opens; redacted reasoning carries its data in ``metadata`` and has no deltas."""

    type = "reasoning-start"


@dataclass(slots=True)
class ReasoningDelta(_Delta):
    """More of a reasoning block; a signature comes as an empty delta with ``metadata``."""

    type = "reasoning-delta"


@dataclass(slots=True)
class ReasoningEnd(_Block):
    """A reasoning block is complete."""

    type = "reasoning-end"


@dataclass(slots=True)
class ToolInputStart(Part):
    """A tool call begins: its id and name are known."""

    type = "tool-input-start"
    id: str
    tool_name: str
    provider_executed: bool | None = None
    dynamic: bool | None = None
    title: str | None = None
    metadata: Metadata | None = None
    choice: int = 0

    def as_json(self) -> dict[str, Json]:
        """``id`` is the tool call's id."""
        return _with(
            {"type": "tool-input-start", "id": self.id, "toolName": self.tool_name},
            providerExecuted=self.provider_executed,
            dynamic=self.dynamic,
            title=self.title,
            providerMetadata=self.metadata,
            choice=self.choice or None,
        )


@dataclass(slots=True)
class ToolInputDelta(_Delta):
    """More of the arguments text of a tool call, exactly as the wire had it."""

    type = "tool-input-delta"


@dataclass(slots=True)
class ToolInputEnd(_Block):
    """The arguments of a tool call are complete."""

    type = "tool-input-end"


@dataclass(slots=True)
class ToolCall(Part):
    """A complete tool call. It is executable only when ``invalid`` is false. Never emitted for a call that was cut."""

    type = "tool-call"
    tool_call_id: str
    tool_name: str
    input: str
    """The arguments text, byte-exact; may be empty where the provider sent none."""
    provider_executed: bool | None = None
    dynamic: bool | None = None
    metadata: Metadata | None = None
    choice: int = 0
    invalid: bool = False

    def as_json(self) -> dict[str, Json]:
        """``input`` is JSON text, not a JSON value."""
        return _with(
            {"type": "tool-call", "toolCallId": self.tool_call_id, "toolName": self.tool_name, "input": self.input},
            providerExecuted=self.provider_executed,
            dynamic=self.dynamic,
            providerMetadata=self.metadata,
            choice=self.choice or None,
            invalid=self.invalid or None,
        )


@dataclass(slots=True)
class ToolResult(Part):
    """The result of a tool that the provider itself executed."""

    type = "tool-result"
    tool_call_id: str
    tool_name: str
    result: Json
    is_error: bool | None = None
    dynamic: bool | None = None
    metadata: Metadata | None = None
    choice: int = 0
    preliminary: bool | None = None
    """Another result of the same call follows, and replaces this one."""

    def as_json(self) -> dict[str, Json]:
        """``result`` is a JSON value; its shape is the tool's."""
        return _with(
            {
                "type": "tool-result",
                "toolCallId": self.tool_call_id,
                "toolName": self.tool_name,
                "result": self.result,
            },
            isError=self.is_error,
            dynamic=self.dynamic,
            preliminary=self.preliminary,
            providerMetadata=self.metadata,
            choice=self.choice or None,
        )


@dataclass(slots=True)
class Source(Part):
    """A source the answer rests on: an address (``source_type`` url) or a document."""

    type = "source"
    source_type: Literal["url", "document"]
    id: str
    url: str | None = None
    title: str | None = None
    media_type: str | None = None
    filename: str | None = None
    metadata: Metadata | None = None
    choice: int = 0

    def as_json(self) -> dict[str, Json]:
        """``url`` for addresses, ``mediaType`` and ``filename`` for documents."""
        return _with(
            {"type": "source", "sourceType": self.source_type, "id": self.id},
            url=self.url,
            title=self.title,
            mediaType=self.media_type,
            filename=self.filename,
            providerMetadata=self.metadata,
            choice=self.choice or None,
        )


@dataclass(slots=True)
class File(Part):
    """A file that the model made, such as an image."""

    type = "file"
    media_type: str
    data: str
    """Base64, as the wire had it."""
    metadata: Metadata | None = None
    choice: int = 0

    def as_json(self) -> dict[str, Json]:
        """``mediaType`` and ``data``."""
        return _with(
            {"type": "file", "mediaType": self.media_type, "data": self.data},
            providerMetadata=self.metadata,
            choice=self.choice or None,
        )


@dataclass(slots=True)
class ToolApprovalRequest(Part):
    """The provider wants to execute a tool itself, and waits for the user's leave."""

    type = "tool-approval-request"
    approval_id: str
    tool_call_id: str
    metadata: Metadata | None = None

    def as_json(self) -> dict[str, Json]:
        """``approvalId`` names the request, ``toolCallId`` the call that it is about."""
        return _with(
            {"type": "tool-approval-request", "approvalId": self.approval_id, "toolCallId": self.tool_call_id},
            providerMetadata=self.metadata,
        )


@dataclass(slots=True)
class Usage:
    """Token counts. Absent where the provider did not say; later figures replace earlier ones field by field."""

    input_total: int | float | None = None
    input_no_cache: int | float | None = None
    input_cache_read: int | float | None = None
    input_cache_write: int | float | None = None
    output_total: int | float | None = None
    output_text: int | float | None = None
    output_reasoning: int | float | None = None
    raw: Json = None
    """The provider's own usage object."""

    def as_json(self) -> dict[str, Json]:
        """The AI SDK's nesting: ``inputTokens``, ``outputTokens``, ``raw``."""
        return _with(
            {
                "inputTokens": _with(
                    {},
                    total=self.input_total,
                    noCache=self.input_no_cache,
                    cacheRead=self.input_cache_read,
                    cacheWrite=self.input_cache_write,
                ),
                "outputTokens": _with(
                    {}, total=self.output_total, text=self.output_text, reasoning=self.output_reasoning
                ),
            },
            raw=self.raw,
        )


@dataclass(slots=True)
class Finish(Part):
    """The last part of a stream that reached its terminal mark; one per choice, after all payload."""

    type = "finish"
    unified: FinishUnified
    raw: str | None
    """The provider's own word for it."""
    usage: Usage = field(default_factory=Usage)
    metadata: Metadata | None = None
    choice: int = 0

    def as_json(self) -> dict[str, Json]:
        """``finishReason`` is what the reference says; ``Message.finish`` is the normalised view. A count of the provider's
        that is infinite (``1e400``) is null, as in an error's payload."""
        result: dict[str, Json] = _with(
            {
                "type": "finish",
                "finishReason": _with({"unified": self.unified}, raw=self.raw),
                "usage": self.usage.as_json(),
            },
            providerMetadata=self.metadata,
            choice=self.choice or None,
        )
        finite: dict[str, Json] = jsontext.finite(result)
        return finite


@dataclass(slots=True)
class Error(Part):
    """Something was wrong with the bytes, or the provider said that something was wrong on its side.

    At stage ``open`` or ``close`` it is the last part; at stage ``stream`` more may follow.
    """

    type = "error"
    error: WireError

    def as_json(self) -> dict[str, Json]:
        """``kind`` and ``stage`` are closed sets; ``offset`` counts bytes of the body; ``payload`` is the wire's,
        with null for a number that is infinite: what was refused may hold any."""
        result: dict[str, Json] = {
            "type": "error",
            "kind": self.error.kind.value,
            "stage": self.error.stage.value,
            "offset": self.error.offset,
        }
        if self.error.payload is not ABSENT:
            result["payload"] = jsontext.finite(self.error.payload)
        return result
