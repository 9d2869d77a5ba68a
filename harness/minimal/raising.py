"""Which event makes a subject raise, whatever the chunks: found by feeding it, and told with what the event says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.chunking import cuts_chunking
from harness.evidence.kinds import Cause, told
from harness.findings import MinimalCut
from harness.minimal.places import Places
from harness.proof import run
from harness.subjects import Session

_BYTES = 100_000
"""Bytes that are fed one by one."""
_LONGEST = 60
"""Bytes of an event that a statement quotes."""


def with_event(found: MinimalCut, open_session: Callable[[], Session], places: Places) -> MinimalCut:
    """``found``, which needs no cut, with the event that raises; as it is where that is not seen."""
    event = _while_fed(open_session, places)
    event = _at_the_end(open_session, places) if event is None else event
    if event is None:
        return found
    start = places.ends[event - 1] if event else 0
    wire = places.body[start : places.ends[event]].rstrip(b"\r\n")
    said = places.text(start, start + min(_LONGEST, len(wire)))
    statement = f"{found.statement}; it raises at event {event}, {said!r}"
    done = places.framing == "sse" and b"[DONE]" in wire and b"{" not in wire
    reason = _raised(open_session, places.body).lower()
    cause = told(Cause.DONE_PARSED) if done and ("json" in reason or "expecting value" in reason) else found.cause
    return replace(found, statement=statement, cause=cause)


def _while_fed(open_session: Callable[[], Session], places: Places) -> int | None:
    """The event that holds the byte which raises as it is fed; None if none does."""
    try:
        session = open_session()
    except Exception:  # noqa: BLE001 - whatever a subject raises is what is looked for, and this is before any event
        return None
    for at in range(min(len(places.body), _BYTES)):
        try:
            session.feed(places.body[at : at + 1])
        except Exception:  # noqa: BLE001 - as above
            before = places.event(at)
            return before if before is not None else len(places.ends) - 1 if places.ends else None
    return None


def _at_the_end(open_session: Callable[[], Session], places: Places) -> int | None:
    """Of a subject that reads everything first: the event with which it raises and without which it does not."""
    low, high = 0, len(places.ends)
    while high - low > 1:
        middle = (low + high) // 2
        if _raised(open_session, places.body[: places.ends[middle - 1]]):
            high = middle
        else:
            low = middle
    # That the very first should be to blame is also what code that wants a whole stream looks like.
    return high - 1 if low else None


def _raised(open_session: Callable[[], Session], body: bytes) -> str:
    """The kind of what is raised, and what it says; empty if nothing is."""
    try:
        run(open_session(), body, cuts_chunking((), len(body)))
    except Exception as error:  # noqa: BLE001 - as above
        return f"{type(error).__name__}: {error}"
    return ""
