"""A sans-IO core for LLM provider streams: bytes in, parts and a message out, whatever the chunking.

No network, no clock, no logging, no globals. Data flows one way::

    bytes -> framing (SseFramer) -> dialects (OpenAIChat, AnthropicMessages) -> parts -> message
                                     `- toolcalls, schema

Beside that, each on its own: JSON text that is still arriving (``JsonStream``, ``PartialJson``, ``FieldStream``) and
snapshots that repeat what came before (``SnapshotTracker``).
"""

from streamcore.decoder import Decoder, Snapshot
from streamcore.dialects import DIALECTS
from streamcore.errors import CallerError, ErrorKind, ErrorStage, StreamcoreError, Warning, WireError
from streamcore.fieldstream import FieldDelta, FieldStream
from streamcore.jsonstream import JsonEvent, JsonFailure, JsonFault, JsonStream
from streamcore.limits import Limits
from streamcore.message import (
    FileBlock,
    FinishReason,
    Message,
    ReasoningBlock,
    SourceBlock,
    TextBlock,
    ToolCallBlock,
    ToolResultBlock,
)
from streamcore.partialjson import PartialJson
from streamcore.parts import Part
from streamcore.snapshots import SnapshotDivergence, SnapshotTracker
from streamcore.toolcalls import unwrap_arguments

__all__ = [
    "DIALECTS",
    "CallerError",
    "Decoder",
    "ErrorKind",
    "ErrorStage",
    "FieldDelta",
    "FieldStream",
    "FileBlock",
    "FinishReason",
    "JsonEvent",
    "JsonFailure",
    "JsonFault",
    "JsonStream",
    "Limits",
    "Message",
    "Part",
    "PartialJson",
    "ReasoningBlock",
    "Snapshot",
    "SnapshotDivergence",
    "SnapshotTracker",
    "SourceBlock",
    "StreamcoreError",
    "TextBlock",
    "ToolCallBlock",
    "ToolResultBlock",
    "Warning",
    "WireError",
    "unwrap_arguments",
]
