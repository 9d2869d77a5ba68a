"""Errors that one trace reports and the other does not: what was refused that is right, and accepted that is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harness.case import Case
from harness.evidence.frames import of_data, peculiar
from harness.evidence.kinds import Cause, told
from harness.evidence.traces import Told
from harness.evidence.values import quoted
from streamcore import DIALECTS
from streamcore.framing.eventstream import EventStreamFramer
from streamcore.framing.sse import SseFramer

_CUT = "incomplete_stream"
_DAMAGE = ("frame_crc", "frame_length")
_COMMENT = re.compile(rb"(?:^|[\r\n]):[ ]?([^\r\n]*)")


def of_errors(expected: Told, actual: Told, wanted: Any, got: Any, case: Case) -> str:
    """What the errors at the first difference tell; empty if there is none, or nothing that they leave no doubt of."""
    theirs, ours = _error(wanted), _error(got)
    if theirs is not None and theirs.get("kind") in _DAMAGE and not any(one.get("kind") in _DAMAGE for one in actual.errors):
        return told(Cause.DAMAGED, str(theirs["kind"]))
    if theirs is not None and ours is not None and isinstance(wanted, list) == isinstance(got, list):
        differ = theirs.get("kind") != ours.get("kind")
        return told(Cause.ERROR_KIND, f"{theirs.get('kind')} became {ours.get('kind')}") if differ else ""
    if theirs is not None and theirs.get("kind") != _CUT:
        return _of_missing(theirs, actual, wanted)
    if ours is not None and ours.get("kind") != _CUT and theirs is None:
        return _of_unwanted(ours, expected, case)
    return ""


def _error(line: Any) -> dict[str, Any] | None:
    if isinstance(line, list):
        return line[1] if line[0] == "error" else None
    found = line.get("error") if isinstance(line, dict) else None
    return found if isinstance(found, dict) else None


def _of_missing(error: dict[str, Any], actual: Told, wanted: Any) -> str:
    kind = error.get("kind")
    if any(other.get("kind") == kind and other.get("payload") == error.get("payload") for other in actual.errors):
        return told(Cause.ERROR_LATE) if isinstance(wanted, dict) else ""
    if any(other.get("kind") == kind for other in actual.errors) or (isinstance(wanted, dict) and actual.end.get("error")):
        return ""  # it is there in another form
    if kind == "malformed_json":
        return told(Cause.ACCEPTED, quoted(str(error.get("payload", ""))))
    return told(Cause.ERROR_UNHEARD, "it is the provider's own" if kind == "provider" else str(kind or ""))


def of_unheard(expected: Told, actual: Told) -> str:
    """The provider's error that a trace has, where the other reports at most that the stream was cut; else empty.

    This holds whatever divergences there are: how an error is told may differ on purpose, that it is told may not.
    """
    provider = any(error.get("kind") == "provider" for error in expected.errors)
    if not provider or any(error.get("kind") != _CUT for error in actual.errors):
        return ""
    return told(Cause.ERROR_UNHEARD, "it is the provider's own")


def _of_unwanted(error: dict[str, Any], expected: Told, case: Case) -> str:
    kind = error.get("kind")
    payload = error.get("payload")
    if any(other.get("kind") == kind and other.get("payload") == payload for other in expected.errors):
        return ""
    if kind != "malformed_json" or not isinstance(payload, str):
        about = payload.get("type") if isinstance(payload, dict) else None
        return told(Cause.UNEXPECTED, f"{kind}, for an event of the type {about}" if isinstance(about, str) else str(kind or ""))
    if payload.strip() == "[DONE]":
        return told(Cause.DONE_PARSED)
    if not payload or case.dialect not in DIALECTS:
        return told(Cause.UNEXPECTED, f"{kind}, for an event without data" if payload == "" else str(kind or ""))
    comments = {found[1].decode("utf-8", "replace") for found in _COMMENT.finditer(case.body)}
    if _is_events(case) and payload in comments:
        return told(Cause.COMMENT_PARSED, quoted(payload))
    for data, wire in _events(case):
        if data == payload:
            return told(Cause.REFUSED, _why_refused(payload)) if _is_json(payload) else ""
        if found := of_data(data, payload, wire):
            return found
        if data and payload.startswith(data):
            return told(Cause.FRAMES_MERGED, peculiar(case))
    return told(Cause.UNEXPECTED, str(kind or ""))


def _is_events(case: Case) -> bool:
    return DIALECTS[case.dialect].framer is SseFramer


def _events(case: Case) -> Iterator[tuple[str, bytes]]:
    """The data of each frame, and its bytes; of messages, which are checked before they are parsed, none."""
    framer = DIALECTS[case.dialect].framer
    start = 0
    for frame in framer().feed(case.body) if framer is not EventStreamFramer else ():
        data, end = frame[0], frame[-1]
        yield data.decode("utf-8", "replace"), case.body[start:end]
        start = end


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _why_refused(text: str) -> str:
    depth = deepest = 0
    for char in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        depth += (char in "[{") - (char in "]}")
        deepest = max(deepest, depth)
    return f"it nests {deepest} deep and has {len(text):,} characters"
