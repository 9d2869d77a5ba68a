"""The trace of a stream: the canonical text of a subject's parts, one JSON line a part and an end line.

::

    ["text-delta",{"delta":"H\\u00e9","id":"0"}]
    {"end":"ok"}

An error part whose stage is ``open`` or ``close`` says how the stream as a whole ended, so it is the end line, and so is one
of a frame that contradicts its own checksum or length, since nothing after it can be told apart; any other is a line like
the rest, unless it says itself that it ended the stream (``"end": true``). Offsets and wordings of errors are not part of
a trace: kind, stage and what the wire said are.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.canonical import canonical
from harness.generated_ids import rewrite_generated_ids
from harness.subjects import PartJson
from streamcore.errors import ErrorKind

_FRAMING = frozenset((ErrorKind.FRAME_CRC, ErrorKind.FRAME_LENGTH))
_NOT_COMPARED = frozenset(("type", "offset", "detail"))


VERSION = 1
"""Of the form of a stored trace."""


def header_line(sha256: str, reference: str) -> str:
    """The first line of a stored trace."""
    return canonical({"body": sha256, "ref": reference, "v": VERSION})


def trace_lines(parts: Sequence[PartJson], body: bytes) -> list[str]:
    """The trace of ``parts`` without its header: a line a part, then the end line."""
    lines = []
    end = {"end": "ok"}
    for part in rewrite_generated_ids(parts, body):
        rest = {key: value for key, value in part.items() if key not in _NOT_COMPARED}
        if part["type"] == "error" and _is_the_end(part):
            rest.pop("end", None)
            end = {"end": "error", "error": rest}  # type: ignore[dict-item]
        else:
            lines.append(canonical([part["type"], rest]))
    lines.append(canonical(end))
    return lines


def _is_the_end(error: PartJson) -> bool:
    return error.get("stage") in ("open", "close") or error.get("kind") in _FRAMING or error.get("end") is True


def ended_badly(parts: Sequence[PartJson]) -> bool:
    """Whether the stream reports that it could not be opened, or was cut."""
    return any(part["type"] == "error" and part.get("stage") in ("open", "close") for part in parts)
