"""The proof by windows: feeding ``body[i:j]`` to S_i gives S_j and exactly the parts emitted between the two.

Each such pair of offsets that was tried and held is a *window*, and by induction every chunking whose chunks are all
windows gives the same parts. It does not matter which windows they are, so the pieces of a certificate add up: chunks of
up to W bytes, any first chunk (a prefix), any last chunk (a suffix), any chunk between two structural cuts, in any
combination.

A window is one call of ``feed``, and what happens within the call cannot be seen from outside. So each costs a call of
its own with all its bytes: no prefix follows from a shorter one, and a suffix may not be left early because a state on
its way is known. What is saved is around the calls:

* All windows of K bytes are fed in K runs along the body, from S_0, from S_1, and so on: where a window held, the session
  *is* at the next state, and need not be put there. That also lets it go on with all that its snapshot may leave out.
* A session may offer ``for_proof()``, the same one as a :class:`PartSession`: then parts are compared as they are, and
  become JSON only for the report. One that also has ``stride``, as ``_Track._stride``, feeds a whole run in one call.
* That may offer ``remembering()``: sessions that decode a frame from memory if they met it before in the same state.
  The plans ``windows`` and ``pairs`` do without. ``certificate`` uses them, for all but what it runs on real sessions:
  windows of up to :data:`REAL` bytes, windows, prefixes and suffixes at structural cuts. They too begin, and have to
  arrive, at the states of the real walk. How many windows rest on memory is counted.

Prefixes and suffixes cost the square of the body. Beyond :data:`FED_AT_MOST` bytes of feeding they are thinned out, and
the certificate counts what was run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Protocol, runtime_checkable

from harness.chunking import Chunking, chunk_chunking
from harness.findings import Certificate
from harness.structure import interesting_cuts, thinned
from harness.subjects import PartJson, Session

REAL = 16
"""Bytes of the widest windows that a certificate runs without memory."""
FED_AT_MOST = 2**30
"""Bytes that the prefixes and suffixes of a body may feed in all."""
STRUCTURAL_CUTS = 64
"""Structural cuts of a body between which all windows are run."""
REAL_CUTS = 24
"""Those of them between which, before which and behind which a certificate runs without memory."""
_STATES_AT_ONCE = 2**26
"""Bytes that the open frames of the states that are held may come to."""


@runtime_checkable
class PartSession(Protocol):
    """A session with snapshots that spares a proof what it does not need. What ``for_proof()`` of a session may return."""

    def feed_parts(self, chunk: bytes, /) -> list[Any]:
        """As ``feed``: parts that have ``as_json``, and are equal only if their JSON is."""

    def close_parts(self) -> list[Any]:
        """As ``close``."""

    def snapshot(self) -> Any:
        """As that of the session."""

    def restore(self, snapshot: Any, /) -> None:
        """As that of the session."""

    def is_at(self, snapshot: Any, /) -> bool:
        """Whether ``self.snapshot() == snapshot``."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A window that did not hold."""

    chunking: Chunking
    """The body byte by byte, but for that window; or the run in which it failed."""
    parts: list[PartJson]
    """What that chunking gave."""
    complaint: str = ""
    """Set if what failed is the snapshot."""


class _WindowError(Exception):
    def __init__(self, broken: Broken) -> None:
        super().__init__(broken.chunking.name)
        self.broken = broken


@dataclass(frozen=True, slots=True)
class _Share:
    """The windows that are run on one kind of session."""

    widths: range
    """From each state on, windows of so many bytes."""
    ends: frozenset[int]
    """Offsets: the prefix before, and the suffix behind."""
    spans: frozenset[tuple[int, int]]
    """Windows between structural cuts."""


def _between(cuts: Sequence[int]) -> frozenset[tuple[int, int]]:
    return frozenset(combinations(sorted(cuts), 2))


class _Track:
    """A session that is put where it shall be and fed, and what opens others like it."""

    def __init__(self, open_session: Callable[[], Any]) -> None:
        self.open = open_session
        session = open_session()
        if hasattr(session, "for_proof"):
            session = session.for_proof()
        self.feed: Callable[[bytes], list[Any]]
        self.close: Callable[[], list[Any]]
        self.is_at: Callable[[Any], bool]
        if isinstance(session, PartSession):
            self.feed, self.close, self.is_at = session.feed_parts, session.close_parts, session.is_at
        else:
            self.feed, self.close, self.is_at = (
                session.feed,
                session.close,
                lambda state: bool(session.snapshot() == state),
            )
        self.snapshot: Callable[[], Any] = session.snapshot
        self.restore: Callable[[Any], None] = session.restore
        self.stride: Callable[..., int] = getattr(session, "stride", self._stride)
        self.session = session
        self.first: Any = self.snapshot()
        self.last: Any = None
        """S_N, once it is known."""

    def _stride(
        self, body: bytes, start: int, width: int, states: Sequence[Any], counts: Sequence[int], parts: Sequence[Any]
    ) -> int:
        """Feeds the body from ``start`` on, where it is, ``width`` bytes at a time; returns how many of these windows led
        to the next of ``states`` with those ``parts`` between the next two of ``counts``, until one did not.
        """
        feed, is_at = self.feed, self.is_at
        held = 0
        before = counts[0]
        for after, state in zip(counts[1:], states, strict=False):
            end = start + width
            found = feed(body[start:end])
            if ((found or before != after) and found != parts[before:after]) or not is_at(state):
                break
            before = after
            start = end
            held += 1
        return held


class Windows:
    """The windows of one body on one subject.

    Args:
        body: what to cut.
        open_session: a fresh session; it has snapshots.
    """

    def __init__(self, body: bytes, open_session: Callable[[], Session]) -> None:
        self._body = body
        self._open = open_session
        self._real = _Track(open_session)
        self._parts: list[Any] = []
        self._counts = [0]
        walker = _Track(open_session)
        for at in range(len(body)):
            self._parts += walker.feed(body[at : at + 1])
            self._counts.append(len(self._parts))
        self._real.last = walker.snapshot()
        self._closing = walker.close()
        self.certificate = Certificate(len(body))
        """What has held so far."""

    def walked(self) -> tuple[list[PartJson], list[int]]:
        """The parts of the body byte by byte, ``close`` included, and how many were out after each byte."""
        parts = self._parts + self._closing
        return [part.as_json() for part in parts] if isinstance(
            self._real.session, PartSession
        ) else parts, self._counts

    def up_to(self, widest: int) -> Broken | None:
        """Every window of at most ``widest`` bytes; the first that does not hold, the narrowest first."""
        widest = min(widest, len(self._body))
        try:
            for first, stop, states in self._segments(widest):
                self._narrow(self._real, first, stop, states, range(1, widest + 1))
        except _WindowError as failed:
            return failed.broken
        self.certificate = replace(self.certificate, widest=widest)
        return None

    def certify(self, widest: int) -> Broken | None:
        """Every window of at most ``widest`` bytes, every prefix (the whole body too) and suffix, and all windows between
        structural cuts.

        Returns the first that does not hold; ``certificate`` says what did.
        """
        size = len(self._body)
        widest = min(widest, size)
        remembering = getattr(self._real.session, "remembering", None)
        found = [cut for cut in interesting_cuts(self._body) if 0 < cut < size]
        cuts = found[:STRUCTURAL_CUTS]
        ends = set() if widest >= size else set(thinned(range(1, size), max(FED_AT_MOST // size, 1), found))
        self.certificate = replace(self.certificate, structural_cuts=len(cuts), structural_cuts_found=len(found))
        everything = _Share(range(1, widest + 1), frozenset(ends), _between(cuts))
        shares = [(self._real, everything)]
        if remembering is not None:
            first = cuts[:REAL_CUTS]
            real = _Share(range(1, min(REAL, widest) + 1), everything.ends.intersection(first), _between(first))
            track = _Track(remembering)
            (track.last,) = track.session.snapshots_of([self._real.last])
            rest = _Share(
                range(len(real.widths) + 1, widest + 1), everything.ends - real.ends, everything.spans - real.spans
            )
            shares = [(self._real, real), (track, rest)]
        try:
            self._run(shares, widest)
            if widest < size:
                self._one(_Track(self._real.open), 0, size, self._real.last)
                self.certificate = replace(self.certificate, prefixes=self.certificate.prefixes + 1)
        except _WindowError as failed:
            return failed.broken
        self.certificate = replace(self.certificate, widest=widest)
        return None

    def _run(self, shares: Sequence[tuple[_Track, _Share]], widest: int) -> None:
        """What is in ``shares``, and counts it; a structural window of up to ``widest`` bytes is counted among those.

        All kinds of sessions begin, and have to arrive, at the states of the one real walk.
        """
        marks: dict[int, Any] = {}
        wanted = {cut for _, share in shares for span in share.spans for cut in span}
        for first, stop, states in self._segments(widest):
            marks.update((at, states[at - first]) for at in wanted.intersection(range(first, stop)))
            for track, share in shares:
                before = self.certificate.chunks
                there = self._as_of(track, states)
                self._narrow(track, first, stop, there, share.widths)
                ends = sorted(share.ends.intersection(range(first, stop)))
                for at in ends:
                    self._ends(track, at, there[at - first])
                proven = self.certificate
                self.certificate = replace(
                    proven, prefixes=proven.prefixes + len(ends), suffixes=proven.suffixes + len(ends)
                )
                self._count_memory(track, before)
        for track, share in shares:
            own = dict(zip(marks, self._as_of(track, list(marks.values())), strict=True))
            beyond = 0
            for start, end in sorted(share.spans):
                if end - start >= share.widths.stop:
                    track.restore(own[start])
                    self._one(track, start, end, own[end])
                    beyond += end - start > widest
            before = self.certificate.chunks
            self.certificate = replace(self.certificate, structural=self.certificate.structural + beyond)
            self._count_memory(track, before)

    def _as_of(self, track: _Track, states: list[Any]) -> list[Any]:
        """The states of real sessions as those of ``track`` have them."""
        return states if track is self._real else track.session.snapshots_of(states)

    def _count_memory(self, track: _Track, before: int) -> None:
        if track is not self._real:
            more = self.certificate.chunks - before
            self.certificate = replace(self.certificate, remembered=self.certificate.remembered + more)

    def _segments(self, reach: int) -> Iterator[tuple[int, int, list[Any]]]:
        """(first, stop, states): S_first and on, as far as windows of ``reach`` bytes go that begin before ``stop``."""
        size = len(self._body)
        length = max(reach, min(2048, _STATES_AT_ONCE // max(size, 1)), 1)
        walker = _Track(self._open)
        states = [walker.snapshot()]
        first = 0
        for at in range(size):
            walker.feed(self._body[at : at + 1])
            states.append(walker.snapshot())
            if len(states) > length + reach:
                yield first, first + length, states
                first += length
                states = states[length:]
        while first < size:
            stop = min(first + length, size)
            yield first, stop, states
            states = states[stop - first :]
            first = stop

    def _narrow(self, track: _Track, first: int, stop: int, states: list[Any], widths: range) -> None:
        """The windows that begin in ``first`` to ``stop``, K bytes wide, in K runs; for each K."""
        counts, held = self._counts, 0
        for width in widths:
            for begin in range(first, min(first + width, stop)):
                track.restore(states[begin - first])
                arrive = states[begin + width - first :: width]
                due = counts[begin : stop + width : width]
                wanted = min(len(arrive), len(due) - 1)
                done = track.stride(self._body, begin, width, arrive, due, self._parts)
                held += done
                if done < wanted:
                    self.certificate = replace(self.certificate, windows=self.certificate.windows + held)
                    start = begin + done * width
                    track.restore(states[start - first])
                    self._one(track, start, start + width, arrive[done])
                    raise _WindowError(self._broken_run(begin, start + width, width))
        self.certificate = replace(self.certificate, windows=self.certificate.windows + held)

    def _one(self, track: _Track, start: int, end: int, state: Any) -> None:
        """The window from ``start``, where ``track`` is, to ``end``, where it then has to be in ``state``."""
        found = track.feed(self._body[start:end])
        if found != self._parts[self._counts[start] : self._counts[end]] or not track.is_at(state):
            raise _WindowError(self._broken(track, start, end))

    def _ends(self, track: _Track, at: int, state: Any) -> None:
        """What comes before ``at`` in one chunk, and what comes behind it. Fresh sessions, and closing, are for real ones:
        what is remembered is frames, and a state that is the last one closes as it does.
        """
        if track is self._real:
            self._one(_Track(track.open), 0, at, state)
        else:
            track.restore(track.first)
            self._one(track, 0, at, state)
        track.restore(state)
        self._one(track, at, len(self._body), track.last)
        if track is self._real and track.close() != self._closing:
            raise _WindowError(self._broken(track, at, len(self._body)))

    def _broken_run(self, begin: int, end: int, width: int) -> Broken:
        size = len(self._body)
        cuts = tuple(cut for cut in (*range(1, begin), *range(begin, end + 1, width)) if 0 < cut < size)
        complaint = (
            f"chunks of {width} bytes from byte {begin} on led at byte {end} where a restored session does not get: "
            "the snapshot does not hold the whole state"
        )
        return Broken(Chunking(f"every {width} bytes from {begin} to {end}", cuts, size), [], complaint)

    def _broken(self, track: _Track, start: int, end: int) -> Broken:
        """What the body gives byte by byte, but for that window."""
        chunking = chunk_chunking(start, end, len(self._body))
        session = self._open()
        parts: list[PartJson] = []
        for chunk in chunking.chunks(self._body):
            parts += session.feed(chunk)
        parts += session.close()
        if track is self._real or parts != self.walked()[0]:
            return Broken(chunking, parts)
        complaint = (
            f"with frames decoded from memory, bytes {start} to {end} led elsewhere than one by one: "
            "what a frame says depends on more than the state"
        )
        return Broken(chunking, parts, complaint)
