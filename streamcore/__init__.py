"""A sans-IO core for LLM provider streams: bytes in, parts and a message out, whatever the chunking.

No network, no clock, no logging, no globals. Data flows one way::

    bytes -> framing (SseFramer) -> dialects (OpenAIChat, AnthropicMessages) -> parts -> message
                                     `- toolcalls, schema
"""

from streamcore.decoder import Decoder, Snapshot
from streamcore.dialects import DIALECTS
from streamcore.errors import CallerError, ErrorKind, ErrorStage, StreamcoreError, Warning, WireError
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
from streamcore.parts import Part

__all__ = [
    "DIALECTS",
    "CallerError",
    "Decoder",
    "ErrorKind",
    "ErrorStage",
    "FileBlock",
    "FinishReason",
    "Limits",
    "Message",
    "Part",
    "ReasoningBlock",
    "Snapshot",
    "SourceBlock",
    "StreamcoreError",
    "TextBlock",
    "ToolCallBlock",
    "ToolResultBlock",
    "Warning",
    "WireError",
]
