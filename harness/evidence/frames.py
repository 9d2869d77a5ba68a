"""The frames of one body as two readers have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from harness.case import Case
from harness.evidence.kinds import Cause, told
from harness.evidence.traces import Told
from harness.evidence.values import of_characters
from streamcore.framing.sse import SseFramer

_NAMED = ("anthropic", "vertex-anthropic", "openai-responses", "xai-responses")
"""How the names of dialects begin whose events have names."""
_MARK = b"\xef\xbb\xbf"
_DATA = re.compile(rb"(?:^|[\r\n])data:([^\r\n]*)")


def of_frames(expected: Told, actual: Told, case: Case) -> str:
    """What became of the first frame that differs, or of all of them; empty if that is not seen."""
    body = case.body
    theirs = [part for kind, part in expected.parts if kind == "frame"]
    ours = [part for kind, part in actual.parts if kind == "frame"]
    if theirs and not ours:
        return told(Cause.NOTHING_READ, peculiar(case))
    pairs = enumerate(zip(theirs, ours, strict=False))
    at = next((at for at, (one, other) in pairs if one != other), min(len(theirs), len(ours)))
    if at == len(theirs):
        return told(Cause.PARTS_AGAIN, "events") if ours[at:] and ours[at] in theirs else ""
    if at == len(ours):
        return told(Cause.TAIL_MISSING, _count(len(theirs) - at))
    one, other = theirs[at], ours[at]
    wanted, got = str(one.get("data", "")), str(other.get("data", ""))
    if got == wanted:
        return told(Cause.EVENT_NAME) if one.get("event") and not other.get("event") else ""
    if not got and one in ours[at:]:
        return told(Cause.EMPTY_EVENT)
    if len(ours) < len(theirs) and other in theirs[at:]:
        return told(Cause.HEAD_MISSING if at == 0 else Cause.PARTS_MISSING, peculiar(case) if at == 0 else "events")
    wires = [body[start:end] for start, end in pairwise([0, *(frame[-1] for frame in SseFramer().feed(body))])]
    wire = wires[at] if len(wires) == len(theirs) else b""
    return of_data(wanted, got, wire) or of_characters(wanted, got)


def _count(events: int) -> str:
    return "1 event" if events == 1 else f"{events:,} events"


def of_data(wanted: str, got: str, wire: bytes) -> str:
    """The data of one event in two readings, of which the second has less; empty if that is not what it is.

    ``wire`` are the bytes of the event, as far as they are known: what its lost lines look like may tell more than that they
    were lost.
    """
    lines = wanted.split("\n")
    if wire.startswith(_MARK) and got == "\n".join(lines[1:]):
        return told(Cause.HEAD_MISSING, "the body begins with a byte order mark, and its first line was not read")
    fields = [found[1].decode("utf-8", "replace") for found in _DATA.finditer(wire)]
    with_space = [field[1:] for field in fields if field.startswith(" ")]
    if fields and len(fields) == len(lines) > len(with_space) > 0 and got == "\n".join(with_space):
        return told(Cause.DATA_SPACE)
    if len(lines) > 1 and got in (lines[0], lines[-1]) and got != "\n".join(with_space):
        return told(Cause.LAST_LINE, f"the {'last' if got == lines[-1] else 'first'} of {len(lines)}")
    if len(lines) > 1 and got.replace("\n", "") == wanted.replace("\n", ""):
        return told(Cause.LINE_ENDS)
    pieces = wanted.splitlines()
    if len(pieces) > len(lines) and got in pieces:
        end = wanted[len(got)] if wanted.startswith(got) else ""
        if end and end not in "\r\n":
            return told(Cause.LINE_SEPARATOR, f"U+{ord(end):04X}")
    return told(Cause.PARSED_EARLY) if got and wanted.startswith(got) else ""


def peculiar(case: Case) -> str:
    """What is out of the ordinary about the bytes of an event stream, and all of it is allowed; empty if nothing is."""
    found = []
    body = case.body
    if body.startswith(_MARK):
        found.append("the body begins with a byte order mark")
    lf, crlf, cr = body.count(b"\n"), body.count(b"\r\n"), body.count(b"\r")
    if b"data:" not in body:
        return _noted(found)
    if cr and not lf:
        found.append("its lines end with CR alone")
    elif crlf and crlf == lf == cr:
        found.append("its lines end with CR LF")
    elif cr:
        found.append("its lines end with LF and with CR")
    if case.dialect.startswith(_NAMED) and not re.search(rb"(?:^|[\r\n])event:", body):
        found.append("no event has a name")
    bare = sum(not field[1].startswith(b" ") for field in _DATA.finditer(body))
    if bare:
        found.append("no space stands behind some data:" if b"data: " in body else "no space stands behind data:")
    return _noted(found)


def _noted(found: Sequence[str]) -> str:
    return f"note that {' and '.join(found)}" if found else ""
