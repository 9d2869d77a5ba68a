"""Minimal failing cut: from any chunking that fails down to the fewest boundaries, and then to the smallest chunk.

A search by running, and nothing else: what is claimed was seen. In this order, each step from what the one before found:

1. The uncut body. If it fails, no cut is to blame. If the body passes byte by byte, then the size of a chunk is: the
   smallest chunk that fails is looked for, everything else coming byte by byte.
2. Delta debugging over the boundaries of the failing chunking (Zeller and Hildebrandt, "Simplifying and Isolating
   Failure-Inducing Input", 2002: ``ddmin``) down to a set of which none can be spared.
3. If more than one is left: every single cut that is worth it, then every pair with one of those that are left.
4. One cut: all other single cuts, those beside bytes that mean something first. The first that fails is named, so that
   the same defect has the same name whatever chunking showed it. If those that fail are all of one place, or of one kind
   of place, and no other fails, it is an "if and only if".
5. Several: the chunk between two neighbours is narrowed from both sides as long as it fails.

The number of runs is bounded, and so are the bytes; nothing is random. The result says when the bound was hit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, product

from harness.case import Case
from harness.chunking import Chunking, chunk_chunking, cuts_chunking
from harness.difference import reproduce_command
from harness.evidence.kinds import Cause, told
from harness.findings import MinimalCut
from harness.minimal.chunks import cause_of_cuts
from harness.minimal.places import Places
from harness.minimal.raising import with_event
from harness.minimal.searched import Searched
from harness.minimal.statement import stated
from harness.proof import run
from harness.structure import interesting_cuts
from harness.subjects import PartJson, Session
from harness.verdict import Difference

MAX_RUNS = 2400
"""Ways of cutting that are run for one failure."""
MAX_BYTES = 6_000_000
"""Bytes that are fed for one failure: about a second of a subject in Python."""
_NEAR = 4
"""Offsets on either side of a cut that are tried in its place."""
_ALONG = 64
"""Offsets on either side of a cut that fails, as far as one beside the other fails too: the longest word that is worth a name."""

Fails = Callable[[Chunking], bool]
"""Whether a way of cutting fails. It must say the same when it is asked again."""


class _ExhaustedError(Exception):
    """The bound was hit."""


@dataclass
class _Probe:
    """Asks whether a way of cutting fails, each only once, as long as there are runs and bytes left."""

    body: bytes
    fails: Fails
    runs_left: int
    bytes_left: int
    known: dict[tuple[int, int, int], bool] = field(default_factory=dict)
    singles: dict[int, bool] = field(default_factory=dict)
    """The bodies in two chunks among them, by their cut."""

    def __call__(self, chunking: Chunking) -> bool:
        key = (hash(chunking.cuts), len(chunking.cuts), chunking.end)  # the cuts themselves would take megabytes
        if key not in self.known:
            if self.runs_left < 1 or self.bytes_left < chunking.end:
                raise _ExhaustedError
            self.runs_left -= 1
            self.bytes_left -= chunking.end
            self.known[key] = self.fails(chunking)
            if len(chunking.cuts) == 1 and chunking.end == len(self.body):
                self.singles[chunking.cuts[0]] = self.known[key]
        return self.known[key]

    def cuts(self, cuts: Sequence[int]) -> bool:
        """The whole body in the chunks that ``cuts`` make of it."""
        return self(cuts_chunking(cuts, len(self.body)))

    @contextmanager
    def half(self) -> Iterator[None]:
        """Only half of what is left may be spent in the block, and it ends early when that is spent."""
        runs, size = self.runs_left // 2, self.bytes_left // 2
        self.runs_left -= runs
        self.bytes_left -= size
        try:
            yield
        except _ExhaustedError:
            pass
        finally:
            self.runs_left += runs
            self.bytes_left += size


def failing(open_session: Callable[[], Session], body: bytes, wrong: Callable[[list[PartJson], Chunking], bool]) -> Fails:
    """What fails gives parts that are ``wrong``, or raises."""

    def fails(chunking: Chunking) -> bool:
        try:
            parts = run(open_session(), body, chunking)
        except Exception:  # noqa: BLE001 - whatever a subject raises, nobody expects it
            return True
        return wrong(parts, chunking)

    return fails


def other_parts(open_session: Callable[[], Session], body: bytes, expected: Sequence[PartJson]) -> Fails:
    """What fails gives other parts than ``expected``, or raises."""
    return failing(open_session, body, lambda parts, _: parts != expected)


def raises(open_session: Callable[[], Session], body: bytes) -> Fails:
    """What fails raises."""
    return failing(open_session, body, lambda *_: False)


def minimal_cut(
    case: Case,
    fails: Fails,
    start: Chunking,
    *,
    subject: str = "streamcore",
    options: Sequence[str] = (),
    max_runs: int = MAX_RUNS,
    max_bytes: int = MAX_BYTES,
) -> MinimalCut | None:
    """The least that makes ``case`` fail, given that ``start`` does; None if it does not when it is run again.

    Args:
        case: the body; its dialect says how to name the places of cuts.
        fails: runs a way of cutting, and says whether it fails.
        start: a way of cutting that fails; of a cut stream, one with an ``end`` inside the body.
        subject: as the command line names it.
        options: words of the command line that say where the case comes from.
        max_runs: ways of cutting that may be run.
        max_bytes: bytes that may be fed.
    """
    probe = _Probe(case.body, fails, max(max_runs, 1), max(max_bytes, start.end))
    if not probe(start):
        return None
    search = _Search(case, probe, Places(case.body, case.dialect))
    try:
        search.run(start)
    except _ExhaustedError:
        search.bounded = True
    return search.told(subject, options)


def explained(
    difference: Difference,
    earlier: Sequence[Difference],
    case: Case,
    open_session: Callable[[], Session],
    wrong: Callable[[list[PartJson], Chunking], bool],
    start: Chunking,
    subject: str = "streamcore",
    options: Sequence[str] = (),
) -> Difference:
    """``difference`` with its minimal cut, if it is the first of its case that has one (``earlier`` are those before it).

    ``wrong`` says whether the parts of a way of cutting show the difference; those of ``start`` do.
    """
    if any(other.minimal for other in earlier):
        return difference
    fails = failing(open_session, case.body, wrong)
    found = minimal_cut(case, fails, start, subject=subject, options=options)
    was_right = difference.plan != "whole" and not any(other.plan == "whole" for other in earlier)
    if found is not None and found.plan == "whole" and was_right:
        # The uncut body had been right when it was first asked for.
        found = replace(found, cause=told(Cause.NOT_AGAIN))
    return replace(difference, minimal=found)


def raised_by(
    case: Case,
    open_session: Callable[[], Session],
    chunkings: Iterable[Chunking],
    *,
    subject: str = "streamcore",
    options: Sequence[str] = (),
) -> MinimalCut | None:
    """The minimal cut that makes a subject raise, which is known to raise somewhere; None if it is not found again.

    ``chunkings`` are tried after the uncut body and single bytes, as many as the bound allows.
    """
    size = len(case.body)
    fails = raises(open_session, case.body)
    spent = 0
    for start in chain((cuts_chunking((), size), cuts_chunking(range(1, size), size)), chunkings):
        spent += start.end
        if spent > MAX_BYTES:
            return None
        if fails(start):
            found = minimal_cut(case, fails, start, subject=subject, options=options)
            if found is None or found.cuts:
                return found
            return with_event(found, open_session, Places(case.body, case.dialect))
    return None


class _Search:
    """One search. What was found so far is always in ``best`` (and ``chunk``), so that it may end anywhere."""

    def __init__(self, case: Case, probe: _Probe, places: Places) -> None:
        self.body = case.body
        self.case = case
        self.probe = probe
        self.places = places
        self.best = Chunking("", (), 0)
        self.chunk: tuple[int, int] | None = None
        self.bounded = False

    def run(self, start: Chunking) -> None:
        """All steps."""
        self.best = start
        if start.end < len(self.body):
            self._shorten(start)
            return
        if self.probe.cuts(()):
            self.best = cuts_chunking((), len(self.body))
            self._narrow_the_whole()
            return
        self._keep(_ddmin(start.cuts, self.probe.cuts, self._keep))
        if len(self.best.cuts) > 1:
            self._fewer()
        if len(self.best.cuts) == 1:
            self._survey()
        else:
            self._narrow()

    def _keep(self, cuts: Sequence[int]) -> None:
        self.best = cuts_chunking(cuts, len(self.body))

    def _shorten(self, start: Chunking) -> None:
        """A body that is cut off: without the other cuts, and as short as the bound allows to find out."""
        if start.cuts and self.probe(Chunking(f"cut@{start.end}", (), start.end)):
            self.best = start = Chunking(f"cut@{start.end}", (), start.end)
        if start.cuts:
            return
        # Those that end with a frame or just before its end first: there may be too many of the others.
        edges = sorted({0, *(end - back for end in self.places.ends for back in (0, 1))})
        for ends in (edges, range(len(self.body))):
            for end in ends:
                if end < self.best.end and self.probe(Chunking(f"cut@{end}", (), end)):
                    self.best = Chunking(f"cut@{end}", (), end)
                    break

    def _narrow_the_whole(self) -> None:
        size = len(self.body)
        if not size or self.probe(Chunking("bytes", tuple(range(1, size)), size)):
            return
        self.chunk = (0, size)
        start, end = self._narrowed(0, size, lambda low, high: self.probe(chunk_chunking(low, high, size)))
        if (start, end) != (0, size):
            self.best = chunk_chunking(start, end, size)

    def _narrowed(self, low: int, high: int, test: Callable[[int, int], bool]) -> tuple[int, int]:
        """The smallest chunk within ``low``..``high`` that fails, as far as steps of halving sizes lead."""
        step = high - low
        while step:
            if low + step < high and test(low + step, high):
                low += step
            elif high - step > low and test(low, high - step):
                high -= step
            else:
                step //= 2
            self.chunk = (low, high)
        return low, high

    def _fewer(self) -> None:
        """One cut instead of several, or two instead of more."""
        near = self._inside(cut + by for cut in self.best.cuts for by in range(-_NEAR, _NEAR + 1))
        with self.probe.half():
            for cut in self._inside([*self.best.cuts, *near, *interesting_cuts(self.body)]):
                if self.probe.cuts((cut,)):
                    return self._keep((cut,))
        with self.probe.half():
            for cut, other in product(self.best.cuts, near) if len(self.best.cuts) > 2 else ():
                if cut != other and self.probe.cuts(sorted((cut, other))):
                    return self._keep(sorted((cut, other)))
        return None

    def _inside(self, cuts: Iterable[int]) -> list[int]:
        return [cut for cut in dict.fromkeys(cuts) if 0 < cut < len(self.body)]

    def _survey(self) -> None:
        """Every other single cut, as far as the bound goes; the first that fails stands for all."""
        found = self.best.cuts[0]
        everywhere = range(1, len(self.body))
        affordable = min(self.probe.runs_left, self.probe.bytes_left // len(self.body))
        stride = -(-len(self.body) // max(affordable // 2, 1))
        near = range(found - _NEAR, found + _NEAR + 1)
        ordered = [*near, *interesting_cuts(self.body)[: affordable // 3], *everywhere[::stride], *everywhere]
        try:
            for step in (-1, 1):
                along = self._inside(found + step * by for by in range(1, _ALONG))
                next((cut for cut in along if not self.probe.cuts((cut,))), None)
            for cut in self._inside(ordered):
                self.probe.cuts((cut,))
        except _ExhaustedError:
            self.bounded = True
        self._keep((min(cut for cut, failed in self.probe.singles.items() if failed),))

    def _narrow(self) -> None:
        """The chunks between neighbouring cuts, as small as they still fail; then whatever can be spared by now."""
        for at in range(len(self.best.cuts) - 1):
            cuts = list(self.best.cuts)

            def test(low: int, high: int, at: int = at, cuts: Sequence[int] = tuple(cuts)) -> bool:
                return self.probe.cuts([*cuts[:at], low, high, *cuts[at + 2 :]])

            cuts[at : at + 2] = self._narrowed(cuts[at], cuts[at + 1], test)
            self._keep(cuts)
        self._keep(_ddmin(self.best.cuts, self.probe.cuts, self._keep))
        pair = self.best.cuts if len(self.best.cuts) == 2 else None
        self.chunk = (pair[0], pair[1]) if pair else None

    def told(self, subject: str, options: Sequence[str]) -> MinimalCut:
        """The result."""
        best = self.best
        places = tuple(self.places.at(cut) for cut in best.cuts)
        if best.name.startswith("chunk@") and self.chunk is not None:
            places = tuple(self.places.at(cut) for cut in self.chunk)
        elif best.end < len(self.body):
            places = (self.places.at(best.end),)
        elif len(best.cuts) > 2:
            self.chunk = None
        singles = self.probe.singles
        searched = Searched(best, places, self.chunk, singles, self.places)
        statement, exact = stated(searched)
        return MinimalCut(
            plan=best.name,
            cuts=places,
            chunk=self.chunk,
            statement=statement,
            exact=exact,
            runs=len(self.probe.known),
            singles_tried=len(singles),
            singles_failed=sum(singles.values()),
            bounded=self.bounded,
            reproduce=reproduce_command(self.case, subject, best.name, options),
            failing=_ranges(cut for cut, failed in singles.items() if failed),
            tried=_ranges(singles),
            cause=cause_of_cuts(searched),
        )


def _ranges(offsets: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """The same offsets as ranges, first and end, in order; :data:`MAX_RUNS` bounds them, too."""
    found: list[tuple[int, int]] = []
    for offset in sorted(offsets):
        if found and found[-1][1] == offset:
            found[-1] = (found[-1][0], offset + 1)
        else:
            found.append((offset, offset + 1))
    return tuple(found)


def _ddmin(cuts: Sequence[int], fails: Callable[[Sequence[int]], bool], keep: Callable[[Sequence[int]], None]) -> list[int]:
    """A subset of ``cuts`` that fails and of which none can be spared. ``keep`` is told of each smaller one."""
    held = list(cuts)
    parts = 2
    while len(held) >= 2:
        size = -(-len(held) // parts)
        pieces = [held[at : at + size] for at in range(0, len(held), size)]
        smaller = next((piece for piece in pieces if fails(piece)), None)
        if smaller is not None:
            held, parts = smaller, 2
        else:
            rests = ([cut for other in pieces if other is not piece for cut in other] for piece in pieces)
            smaller = next((rest for rest in rests if fails(rest)), None) if len(pieces) > 2 else None
            if smaller is None and parts >= len(held):
                return held
            held, parts = (held, min(2 * parts, len(held))) if smaller is None else (smaller, max(parts - 1, 2))
        keep(held)
    return held
