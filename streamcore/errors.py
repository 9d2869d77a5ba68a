"""What can go wrong, in one small tree.

::

    StreamcoreError                 never raised itself
    +-- CallerError                 you used the API wrongly: feed after close, unknown dialect, foreign snapshot
    +-- SnapshotDivergence          an update does not continue the one before it (streamcore.snapshots)
    WireError                       (a value, not an exception) the bytes were wrong

Bad wire data never raises out of :meth:`streamcore.Decoder.feed`: it becomes an ``error`` part that carries a
:class:`WireError`. Any other exception that leaves this package is a bug of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class StreamcoreError(Exception):
    """Base of everything this package raises; abstract."""

    def __init__(self, *args: object) -> None:
        if type(self) is StreamcoreError:
            raise TypeError("StreamcoreError is abstract")
        super().__init__(*args)


class CallerError(StreamcoreError):
    """The API was used wrongly (feed after close, unknown dialect or policy, a snapshot of another decoder)."""


class ErrorKind(StrEnum):
    """The closed set of reasons an ``error`` part can carry."""

    INCOMPLETE_STREAM = "incomplete_stream"
    """Input ended before the dialect's terminal mark, or inside a frame."""
    MALFORMED_JSON = "malformed_json"
    """A payload is not JSON (RFC 8259), or nests deeper than :attr:`Limits.max_json_depth`."""
    INVALID_PAYLOAD = "invalid_payload"
    """A payload is JSON but not the shape its dialect documents."""
    INVALID_ARGUMENTS = "invalid_arguments"
    """Strict policy: the final arguments of a tool call are not a JSON object."""
    NAMELESS_CALL = "nameless_call"
    """A tool call ended without ever having had a name."""
    TOOL_CALL_PROTOCOL = "tool_call_protocol"
    """Strict policy: the deltas of a tool call broke the strict assembly rules. Either policy: there are more calls
    than :attr:`Limits.max_open_calls`."""
    EVENT_TOO_LARGE = "event_too_large"
    """A frame outgrew :attr:`Limits.max_frame_bytes`."""
    FRAME_CRC = "frame_crc"
    """A checksum of an AWS event-stream message does not match its bytes."""
    FRAME_LENGTH = "frame_length"
    """A length inside an AWS event-stream message is impossible: shorter than its parts, or beyond the format's bounds."""
    NOT_AN_EVENT_STREAM = "not_an_event_stream"
    """The body is something else: HTML, a compressed body, plain text."""
    INVALID_UTF8 = "invalid_utf8"
    """Strict policy: a payload is not UTF-8."""
    PROVIDER = "provider"
    """The provider itself reported an error inside the stream."""


class ErrorStage(StrEnum):
    """How far the stream had come when the error occurred."""

    OPEN = "open"
    """Before any other part: the request failed as a whole and may be retried."""
    STREAM = "stream"
    """After some output, which stays valid."""
    CLOSE = "close"
    """At the end of input."""


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent.ABSENT
"""There is no payload; ``None`` is the payload ``null``."""


@dataclass(slots=True, frozen=True)
class WireError:
    """One thing that was wrong with the bytes.

    ``offset`` counts bytes from the start of the body to the end of the frame that was at fault (or to the byte at
    which a limit was passed). ``payload`` is what the wire said about it: the provider's error object, the text that is
    not JSON. ``detail`` is for people; programs compare ``kind`` and ``stage``.
    """

    kind: ErrorKind
    stage: ErrorStage
    offset: int
    detail: str = ""
    payload: object = ABSENT


@dataclass(slots=True, frozen=True)
class Warning:  # noqa: A001 - the name is part of the public contract
    """A leniency that was used, or an oddity that was seen; the stream goes on. ``offset`` is as in WireError."""

    code: str
    offset: int
    detail: str = ""
