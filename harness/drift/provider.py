"""Whether the provider moved: new recordings, held against the shape of all that are known of their dialect.

An alarm is something never seen in any known recording, or never missing from one. What some of them have and others
lack is optional by nature, and no drift whichever way a new recording has it; nor are values, counts and chunks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.case import Case
from harness.cassette import CassetteError, load
from harness.check import selected
from harness.corpus import CorpusError, load_body
from harness.drift import PROVIDER, Inquiry, Unchecked
from harness.drift.shape import (
    DEEPEST,
    END,
    START,
    Object,
    Shape,
    children,
    member_path,
    members,
    steps,
    types_of,
    words_of,
)
from harness.drift.wire import of_case, of_cassette
from harness.exits import InputError
from harness.grammar.wire import wire_findings
from harness.inspection.files import cassette_files
from streamcore import DIALECTS

if TYPE_CHECKING:
    from harness.drift.wire import Recording, Sight

ENOUGH = 3
"""Recordings at least that must have had something, each of them, for its absence to be an alarm."""
HINT = "give --new DIR, a folder of new cassettes: `streamparity record PROVIDER --out DIR`"
_SIMULATED = (
    "all that is known is the simulator's, written from the documentation: what differs may be the simulator's mistake"
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a new recording."""

    case: str
    source: str
    frame: int | None
    """1-based; None for what is in no frame."""
    byte: int | None
    """Offset in the decoded body: of what is new where that stands in the frame just once, else of the frame."""


@dataclass(frozen=True, slots=True)
class ShapeDrift:
    """One way in which recordings of a dialect left its shape."""

    dialect: str
    what: str
    """One of

    ``new-event``       a kind of frame that was never seen
    ``event-gone``      a kind of frame that no whole recording lacked
    ``new-member``      of an object
    ``member-gone``     one that no such object lacked
    ``new-type``        another JSON type than ever before
    ``new-value``       another finish reason, role, status, ``type``: a word out of a list
    ``new-order``       a frame of one kind after one of another, as never before
    ``against-grammar`` what the dialect's event grammar refuses, and no known recording did
    ``new-field``       a field of an SSE event, or a header of an AWS message
    ``media-type``      ``new-header``  ``header-gone``
    """
    event: str
    """The kind of the frame; empty for what is in no frame."""
    path: str
    """JSON path; empty for what is no JSON."""
    now: str
    known: tuple[str, ...]
    """What was known in its place."""
    recordings: int
    """How many known recordings it never was in, or never missing from."""
    places: tuple[Place, ...]


Key = tuple[str, str, str, str]
Sighting = tuple[Key, Place, tuple[str, ...], int]
"""(what, event, path, now), where, what was known, in how many recordings."""


def known_recordings(cassettes: Path, corpora: Sequence[Path], dialect: str) -> tuple[list[Recording], list[Unchecked]]:
    """What is known of a dialect, recordings that show a hazard left out, and what of that cannot be read."""
    found: list[Recording] = []
    unread: list[Unchecked] = []
    for path in sorted((cassettes / dialect).glob("*.yaml")):
        try:
            cassette = load(path)
            if cassette.recorded.dialect == dialect and not cassette.recorded.hazard:
                found += of_cassette(cassette, str(path))
        except CassetteError as error:
            unread.append(Unchecked(str(path), str(error)))
    for corpus in corpora:
        if not corpus.is_dir():
            raise InputError(f"{corpus}: no such folder; --corpus wants a folder of <dialect>/<slug>.body files")
        for path in sorted((corpus / dialect).glob("*.body") if dialect in DIALECTS else ()):
            try:
                found.append(of_case(load_body(path, dialect)))
            except CorpusError as error:
                unread.append(Unchecked(str(path), str(error)))
    return found, unread


def new_recordings(folder: Path, globs: Sequence[str]) -> tuple[list[Recording], list[Unchecked]]:
    """The recordings below ``folder``, those that show a hazard left out, and what of it cannot be read."""
    try:
        files = cassette_files([folder])
    except InputError as error:
        return [], [Unchecked(str(folder), str(error))]
    found: list[Recording] = []
    unread: list[Unchecked] = []
    for path in files:
        try:
            cassette = load(path)
            if cassette.recorded.hazard:
                continue  # malformed on purpose: it says nothing about a provider
            found += of_cassette(cassette, str(path))
        except CassetteError as error:
            unread.append(Unchecked(str(path), str(error)))
    chosen = [recording for recording in found if selected(recording.id, globs)]
    if found and not chosen:
        unread.append(Unchecked(str(folder), f"none of its {len(found)} recordings matches {' '.join(globs)}"))
    return chosen, unread


def provider_moved(folder: Path | None, cassettes: Path, corpora: Sequence[Path], globs: Sequence[str]) -> Inquiry:
    """Holds the recordings in ``folder`` against those in ``cassettes`` and ``corpora``.

    Raises:
        InputError: a corpus is no folder.
    """
    if folder is None:
        return Inquiry(PROVIDER, asked=False, hint=HINT)
    new, unchecked = new_recordings(folder, globs)
    checked = 0
    facts: list[str] = []
    notes: list[str] = []
    sightings: dict[tuple[str, Key], list[Sighting]] = {}
    for dialect in sorted({recording.dialect for recording in new}):
        known, unread = known_recordings(cassettes, corpora, dialect)
        unchecked += unread
        shape = Shape(known)
        scenarios = {recording.id: recording for recording in known}
        mine = [recording for recording in new if recording.dialect == dialect]
        judged: list[Recording] = []
        for recording in mine:
            if reason := _in_the_way(recording, shape, scenarios, cassettes):
                unchecked.append(Unchecked(recording.source, reason))
                continue
            if not recording.streamed and recording.sights[0].kind not in shape.kinds:
                notes.append(f"{recording.id}: no known recording has an answer without a stream to compare it with")
                continue
            judged.append(recording)
            for sighting in Comparison(recording, shape, known).sightings():
                sightings.setdefault((dialect, sighting[0]), []).append(sighting)
            notes += _not_again(recording, scenarios.get(recording.id))
        checked += len(judged)
        if judged:
            streams = sum(recording.streamed for recording in judged)
            without = (
                f" and {_count(len(judged) - streams, 'answer')} without a stream" if streams < len(judged) else ""
            )
            facts.append(f"{dialect}: {_count(streams, 'new recording')}{without} against {_told(shape)}")
            if set(shape.provenance) == {"simulator"} and any(one.provenance != "simulator" for one in judged):
                notes.append(f"{dialect}: {_SIMULATED}")
    findings = tuple(_drift(dialect, key, same) for (dialect, key), same in sightings.items())
    return Inquiry(
        PROVIDER,
        checked=checked,
        facts=tuple(facts),
        findings=findings,
        unchecked=tuple(unchecked),
        notes=tuple(notes),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _told(shape: Shape) -> str:
    kinds = ", ".join(f"{count} {provenance}" for provenance, count in sorted(shape.provenance.items()))
    return f"{shape.recordings} known ({kinds})"


def _in_the_way(recording: Recording, shape: Shape, scenarios: dict[str, Recording], cassettes: Path) -> str:
    """Why a recording cannot be compared; empty if it can."""
    if not shape.recordings:
        return f"no recording of {recording.dialect} in {cassettes} to compare it with"
    before = scenarios.get(recording.id)
    if not 200 <= recording.status < 300 and (before is None or before.status != recording.status):
        return f"the provider answered HTTP {recording.status}, so nothing of its stream is known; record it again"
    if not recording.sights:
        return "there is no whole frame in it; record it again"
    return ""


def _not_again(recording: Recording, before: Recording | None) -> Iterator[str]:
    """Kinds of frames that the known recording of the same scenario has, and the new one has not."""
    if before is None or not (before.complete and recording.complete):
        return
    gone = sorted({sight.kind for sight in before.sights} - {sight.kind for sight in recording.sights})
    if gone:
        yield f"{recording.id}: not seen again: {', '.join(gone)} (other recordings lack them too)"


def _drift(dialect: str, key: Key, same: list[Sighting]) -> ShapeDrift:
    what, event, path, now = key
    _, _, known, recordings = same[0]
    return ShapeDrift(dialect, what, event, path, now, known, recordings, tuple(place for _, place, _, _ in same))


class Comparison:
    """One new recording against the shape of its dialect; each thing is told at its first place only."""

    def __init__(self, recording: Recording, shape: Shape, known: Sequence[Recording]) -> None:
        self._recording = recording
        self._shape = shape
        self._known = known

    def sightings(self) -> Iterable[Sighting]:
        first: dict[Key, Sighting] = {}
        for sighting in self._all():
            first.setdefault(sighting[0], sighting)
        return first.values()

    def _all(self) -> Iterator[Sighting]:
        if self._recording.streamed:
            yield from self._heading()
        for sight in self._recording.sights:
            kind = self._shape.kinds.get(sight.kind)
            if kind is None:
                own = ", ".join(sight.value) if isinstance(sight.value, dict) else ""
                now = f"{sight.kind} with {own}" if own else sight.kind
                yield self._alarm("new-event", sight, "", now, self._shape.kinds)
                continue
            for name in sorted(sight.fields - kind.fields):
                yield self._alarm("new-field", sight, "", name, kind.fields, mark=name)
            if isinstance(sight.value, dict):
                yield from self._within(sight, kind.objects, sight.value, "$", 0)
        if self._recording.streamed:
            yield from self._order()
            yield from self._grammar()

    def _heading(self) -> Iterator[Sighting]:
        recording, shape = self._recording, self._shape
        kind = recording.media_type
        if kind and shape.media_types and kind not in shape.media_types:
            yield self._alarm("media-type", None, "", kind, shape.media_types)
        heads = shape.headers.get(recording.provenance)
        if heads is None or heads.recordings < ENOUGH:
            return
        for name in sorted(recording.headers - heads.known):
            yield self._alarm("new-header", None, "", name, heads.known, recordings=heads.recordings)
        for name in sorted(heads.required - recording.headers):
            yield self._alarm("header-gone", None, "", name, (), recordings=heads.recordings)

    def _within(
        self, sight: Sight, places: dict[str, Object], value: dict[str, Any], place: str, depth: int
    ) -> Iterator[Sighting]:
        known = places.get(place)
        if known is None or depth > DEEPEST:
            return  # what led here was new itself, and is told
        own = dict(members(value))
        for name, inner in own.items():
            path = member_path(place, name)
            member = known.members.get(name)
            if member is None:
                yield self._alarm(
                    "new-member", sight, path, "/".join(sorted({*types_of(inner)})), known.members, mark=name
                )
                continue
            for kind in sorted({*types_of(inner)} - member.types):
                yield self._alarm("new-type", sight, path, kind, member.types, mark=name)
            for word in words_of(name, inner):
                if member.words and word not in member.words:
                    yield self._alarm("new-value", sight, path, json.dumps(word), member.words, mark=word)
            for below, child in children(name, inner, place):
                if below not in places:
                    yield from self._typed_anew(sight, places, below, child)
                yield from self._within(sight, places, child, below, depth + 1)
        if len(known.recordings) >= ENOUGH:
            for name in sorted(known.required - own.keys()):
                yield self._alarm("member-gone", sight, member_path(place, name), "(none)",
                                  sorted(known.members[name].types), recordings=len(known.recordings))  # fmt: skip

    def _typed_anew(
        self, sight: Sight, places: dict[str, Object], place: str, child: dict[str, Any]
    ) -> Iterator[Sighting]:
        """An object with a ``type`` that none at its place had, or without one where all had."""
        base = place.rpartition("<")[0] if place.endswith(">") else place
        others = [other[len(base) + 1 : -1] for other in places if other.startswith(f"{base}<") and other.endswith(">")]
        words = [word for word in others if "<" not in word]
        if words and base == place:
            yield self._alarm("member-gone", sight, f"{base}.type", "(none)", words)
        elif words:
            yield self._alarm("new-value", sight, f"{base}.type", json.dumps(child["type"]), words, mark=child["type"])
        elif base in places:
            yield self._alarm("new-member", sight, f"{base}.type", "string", places[base].members, mark="type")

    def _order(self) -> Iterator[Sighting]:
        """Steps between kinds that are both known, and kinds that are always there."""
        recording, shape = self._recording, self._shape
        known = {START, END, *shape.kinds}
        for before, after, sight in steps(recording):
            if before in known and after in known and (before, after) not in shape.steps:
                follow = sorted(follower for leader, follower in shape.steps if leader == before)
                yield self._alarm("new-order", sight, "", f"{after} after {before}", follow)
        if recording.ended_well and shape.ended_well >= ENOUGH:
            for kind in sorted(shape.required - {sight.kind for sight in recording.sights}):
                yield self._alarm("event-gone", None, "", kind, (), recordings=shape.ended_well)

    def _grammar(self) -> Iterator[Sighting]:
        if not any(self._complaints(self._recording)):
            return
        before = {text for recording in self._known for text, _ in self._complaints(recording)}
        for text, event in self._complaints(self._recording):
            sight = self._recording.sights[event] if event is not None and event < len(self._recording.sights) else None
            # What a kind of frame that no grammar can know does to its level is told with the kind.
            if text not in before and (sight is None or sight.kind in self._shape.kinds):
                yield self._alarm("against-grammar", sight, "", text, ())

    @staticmethod
    def _complaints(recording: Recording) -> Iterator[tuple[str, int | None]]:
        """What the grammar has against a whole stream, without the numbers in it, and the 0-based frame."""
        if recording.dialect in DIALECTS and recording.complete and recording.streamed:
            for finding in wire_findings(Case(recording.id, recording.dialect, recording.body)):
                yield _DIGITS.sub("N", finding.message), finding.event

    def _alarm(
        self,
        what: str,
        sight: Sight | None,
        path: str,
        now: str,
        known: Iterable[str],
        *,
        mark: str = "",
        recordings: int = 0,
    ) -> Sighting:
        recording = self._recording
        frame = byte = None
        if sight is not None:
            frame, byte = sight.number, sight.start
            text = json.dumps(mark).encode() if mark else b""
            if text and recording.body.count(text, sight.start, sight.end) == 1:
                byte = recording.body.index(text, sight.start, sight.end)
        place = Place(recording.id, recording.source, frame, byte)
        event = sight.kind if sight is not None else ""
        if sight is not None and not recording.streamed:
            recordings = recordings or len(self._shape.kinds[sight.kind].recordings)
        return (what, event, path, now), place, tuple(sorted(known)), recordings or self._shape.recordings
