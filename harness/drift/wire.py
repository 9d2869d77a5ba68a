"""Recordings as drift sees them: frames with their kinds, the media type, and how they ended.

The kind of a frame is what a decoder tells frames apart by: the name of an SSE event or an AWS message, else the ``type``,
``event_type`` or ``object`` of its JSON; the text of a frame that is a bare word, such as ``[DONE]``; ``HTTP 429`` for
the body of an answer that is no stream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cassette import AGAIN, CassetteError
from harness.coding import CodingError
from harness.faults import damage
from harness.inspection.frames import Body, decoded, framed, framing_of, whole

if TYPE_CHECKING:
    from harness.case import Case
    from harness.cassette import Cassette, Interaction
    from harness.inspection.frames import Frame

UNSTREAMED = " without a stream"
"""What is added to the id of a stream for the answer without one to the same request."""
PLAIN = "(object)"
"""The kind of JSON objects without anything to tell them apart by."""
NO_JSON = "(text)"
_ARRAY = "(array)"
_TOKEN = re.compile(r"[\w./:-]{1,64}", re.ASCII)
_WORD = re.compile(rb"\[?[A-Za-z_]{1,40}\]?")
_NAMES = ("type", "event_type", "object")


@dataclass(frozen=True, slots=True)
class Sight:
    """One frame. Offsets are bytes in the decoded body; ``value`` is its JSON, None if it is none."""

    kind: str
    value: Any
    number: int
    """1-based."""
    start: int
    end: int
    fields: frozenset[str]
    """What else is in it: ``:content-type`` and other headers of an AWS message, ``id``, ``retry`` and comments of an SSE event."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One answer of a provider."""

    id: str
    """``<dialect>/<scenario>``."""
    dialect: str
    source: str
    provenance: str
    streamed: bool
    status: int
    media_type: str
    """Without parameters, in lower case; empty if it was not kept."""
    headers: frozenset[str]
    """Names of the response headers, in lower case, as far as recordings keep them."""
    complete: bool
    body: bytes
    """Decoded."""
    sights: tuple[Sight, ...]

    @property
    def ended_well(self) -> bool:
        """Whether the provider came to the end of what it wanted to say."""
        return self.complete and not any(is_failure(sight.kind) for sight in self.sights)


def is_failure(kind: str) -> bool:
    """Whether frames of this kind tell of an error."""
    return any(word in kind.lower() for word in ("error", "exception", "failed", "http"))


def of_cassette(cassette: Cassette, source: str) -> list[Recording]:
    """The answers in a cassette, numbered as its cases are.

    Raises:
        CassetteError: an encoded body cannot be decoded.
    """
    recorded = cassette.recorded
    found = []
    number = 0
    for at, interaction in enumerate(cassette.interactions):
        number += not interaction.twin
        try:
            body = decoded(interaction)
        except CodingError as error:
            where = f"interactions[{at}].response.body, byte {error.offset}"
            raise CassetteError(source, where, str(error), AGAIN) from error
        if interaction.is_stream:
            sights = _sights(body, framing_of(recorded.dialect, interaction))
        else:
            frame = whole(body)
            sights = (_sight(frame, 1, f"HTTP {interaction.status}"),)
        found.append(
            Recording(
                id=f"{recorded.dialect}/{recorded.scenario}"
                + (f"-{number}" if number > 1 else "")
                + (UNSTREAMED if interaction.twin else ""),
                dialect=recorded.dialect,
                source=source,
                provenance=recorded.provenance,
                streamed=interaction.is_stream,
                status=interaction.status,
                media_type=_media_type(interaction),
                headers=frozenset(name.lower() for name, _ in interaction.response_headers),
                complete=interaction.stream.end == "complete",
                body=body.data,
                sights=sights,
            )
        )
    return found


def of_case(case: Case) -> Recording:
    """A recording of a corpus, of which the body alone was kept."""
    sights = _sights(Body(case.body, ()), damage.framing_of(case.dialect))
    return Recording(
        id=case.id,
        dialect=case.dialect,
        source=case.source,
        provenance=case.provenance,
        streamed=True,
        status=200,
        media_type="",
        headers=frozenset(),
        complete=case.end == "complete",
        body=case.body,
        sights=sights,
    )


def _media_type(interaction: Interaction) -> str:
    values = (value for name, value in interaction.response_headers if name.lower() == "content-type")
    return next(values, "").partition(";")[0].strip().lower()


def _sights(body: Body, framing: str) -> tuple[Sight, ...]:
    found = framed(body, framing)
    sights = [_sight(frame, number) for number, frame in enumerate(found.frames, start=1)]
    if found.unterminated is not None:
        last = _sight(found.unterminated, len(sights) + 1)
        if last.value is not None:  # else the stream was cut inside it, and it is no frame
            sights.append(last)
    return tuple(sights)


def _sight(frame: Frame, number: int, kind: str = "") -> Sight:
    try:
        value = frame.value
    except (ValueError, RecursionError):  # an open frame, or no JSON at all
        value = None
    fields = frozenset(filter(None, map(_field, frame.notes)))
    return Sight(kind or kind_of(frame.event, frame.data, value), value, number, frame.start, frame.end, fields)


def _field(note: str) -> str:
    """The name of what an event has beside its data; comments are one thing, whatever they say."""
    if note.startswith(("checksums:", "bytes: ")):
        return ""
    if note.startswith(":"):
        name = note.partition(": ")[0]
        return name if len(name) > 1 and " " not in name and ": " in note else "comment"
    return note.partition(":")[0].strip()


def kind_of(event: str, data: bytes, value: Any) -> str:
    """The kind of a frame, given its name outside the JSON (or ``""``), its data and the JSON of that (None: none)."""
    if not isinstance(value, dict):
        word = data.strip()
        own = _ARRAY if isinstance(value, list) else word.decode() if _WORD.fullmatch(word) else NO_JSON
    elif isinstance(value.get("bytes"), dict):  # Bedrock's InvokeModel carries the events of others
        own = kind_of("", b"", value["bytes"])
    else:
        named = (value[name] for name in _NAMES if is_token(value.get(name)))
        own = next(named, "error" if value.get("error") else PLAIN)
    if not event or event == own:
        return own
    return event if own == PLAIN else f"{event} {own}"


def is_token(value: Any) -> bool:
    """Whether a value is a word out of a list rather than text."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None
