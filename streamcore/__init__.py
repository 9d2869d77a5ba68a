"""A sans-IO core for LLM provider streams: bytes in, parts and a message out, whatever the chunking.

No network, no clock, no logging, no globals. Data flows one way, and :class:`Decoder` is all of it::

    bytes -> framing -> dialects -> parts -> message
                           `- toolcalls

What is imported here is public, and so are these modules, each of use alone:

===============  ===================================================================================================
``sinks``        where calls and text go while they arrive: one order of effects, each once, failures marked
``legacy``       tool calls of older formats, and tags in text, as the parts of today
``snapshots``    updates that repeat what came before, as deltas
``fieldstream``  string fields of a JSON text as they stream, picked by path
``processors``   something made of arguments while they grow, chosen by call, by tool or by type
``jsonstream``   a JSON text as it arrives: events, the value so far, the place of an error; strict
``partialjson``  the same as each of three SDKs shows it, quirks included
``callstates``   how far a call has come: arguments, complete, output
===============  ===================================================================================================

All other modules are how it is done, and may change.
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
