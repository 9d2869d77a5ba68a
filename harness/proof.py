"""What proves all chunkings.

Let S_0 .. S_N be the states of a session along a body that is fed byte by byte. If for every i < j feeding ``body[i:j]``
to S_i gives S_j and exactly the parts emitted between the two, then by induction every one of the 2^(N-1) chunkings gives
the same parts. The pairs with j - i <= W prove every chunking whose chunks are at most W bytes. Two-way splits alone prove
two-way splits. :mod:`harness.windows` runs them.

A session with snapshots makes this cheap: each S_i is reached once. A session without is run anew for each chunking, and
then a plan is thinned out to :data:`SAMPLES` chunkings, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.case import Case
from harness.chunking import PAIRS_UP_TO, WIDEST, Chunking, Plan, parse_plan
from harness.findings import Certificate
from harness.subjects import BatchSession, PartJson, Session, SnapshotSession
from harness.windows import Windows

SAMPLES = 200
"""Chunkings of one plan that are run on a session without snapshots."""
BATCH_BYTES = 200_000
"""Bytes of bodies that one question to a subject is about, if it can be asked about many chunkings at once: the answer
comes in seconds, also from a slow one."""

CutRule = Callable[[Sequence[PartJson], Sequence[PartJson]], str | None]
"""(parts of the cut body, parts of the whole body) -> what is wrong with the cut, or None."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A session fed byte by byte."""

    parts: list[PartJson]
    """Everything, ``close`` included."""
    counts: list[int]
    """counts[i]: parts that were out after i bytes."""
    frames: list[int]
    """frames[k]: frames completed when part k came out; empty if the session does not count them."""
    has_snapshots: bool

    def emitted_at(self) -> list[tuple[int, int | None]]:
        """For each part: bytes fed when it came out, and 0-based index of the frame that completed it."""
        result: list[tuple[int, int | None]] = []
        for at, count in enumerate(self.counts):
            while len(result) < count:
                # What came out before any frame was whole (its limit was passed, say) belongs to none.
                frame = self.frames[len(result)] - 1 if self.frames and self.frames[len(result)] else None
                result.append((at, frame))
        end = len(self.counts) - 1
        result += [(end, None)] * (len(self.parts) - len(result))
        return result


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one plan showed. ``broken`` names the chunking that gave other parts, with those parts."""

    chunkings: int
    splits: int
    comparisons: int
    sampled: bool
    broken: tuple[Chunking, list[PartJson]] | None = None
    complaint: str = ""
    """Set instead of a difference when a rule was broken."""
    certificate: Certificate | None = None
    """Of a proof that held."""


def run(session: Session, body: bytes, chunking: Chunking) -> list[PartJson]:
    """All parts of ``body`` cut as ``chunking`` says."""
    parts: list[PartJson] = []
    for chunk in chunking.chunks(body):
        parts += session.feed(chunk)
    return parts + session.close()


def walk(session: Session, body: bytes) -> Walk:
    """Feeds ``body`` byte by byte."""
    counts_frames = hasattr(session, "frames")
    parts: list[PartJson] = []
    counts = [0]
    frames: list[int] = []
    for at in range(len(body)):
        parts += session.feed(body[at : at + 1])
        if counts_frames and len(parts) > len(frames):
            frames += [session.frames] * (len(parts) - len(frames))  # type: ignore[attr-defined]
        counts.append(len(parts))
    parts += session.close()
    return Walk(parts, counts, frames, isinstance(session, SnapshotSession))


def states(session: Any, body: bytes) -> Iterator[Any]:
    """S_0, S_1, .. S_N of a session that has snapshots; one at a time, because each holds a copy of its open frame."""
    yield session.snapshot()
    for at in range(len(body)):
        session.feed(body[at : at + 1])
        yield session.snapshot()


def prove(plan: Plan, case: Case, open_session: Callable[[], Session], walked: Walk, rule: CutRule) -> Outcome:
    """Runs ``plan`` and compares every chunking with the byte-by-byte walk."""
    if plan.kind in ("windows", "pairs", "certificate"):
        return _windows(plan, case, open_session, walked)
    if walked.has_snapshots and plan.kind == "every-split":
        return _splits(case, open_session, walked)
    if walked.has_snapshots and plan.kind == "cut-at-every-byte":
        return _cuts(case, open_session, walked, rule)
    chunkings, sampled = _thinned(plan.chunkings(case))
    splits = 0
    for count, (chunking, parts) in enumerate(_runs(case, open_session, chunkings, walked), 1):
        splits += len(chunking.cuts)
        if chunking.end < len(case.body):
            complaint = rule(parts, walked.parts)
            if complaint:
                return Outcome(count, splits, count, sampled, (chunking, parts), complaint)
        elif parts != walked.parts:
            return Outcome(count, splits, count, sampled, (chunking, parts))
    return Outcome(len(chunkings), splits, len(chunkings), sampled)


def _runs(
    case: Case, open_session: Callable[[], Session], chunkings: Sequence[Chunking], walked: Walk
) -> Iterator[tuple[Chunking, list[PartJson]]]:
    """Each chunking with its parts: one after the other, or :data:`BATCH_BYTES` of bodies a question."""
    body = case.body
    session = open_session()
    many = session.run_many if isinstance(session, BatchSession) else None
    known = many(body, [[1] * len(body)], trace=True) if many is not None and len(chunkings) > 1 else None
    if many is None or known is None or known[0][1] != walked.parts:
        yield from ((chunking, run(open_session(), body, chunking)) for chunking in chunkings)
        return
    right = known[0][0]
    step = max(1, BATCH_BYTES // max(len(body), 1))
    for at in range(0, len(chunkings), step):
        batch = chunkings[at : at + step]
        # Of a body that is cut off the parts themselves are judged; of a whole one, whether they are the same.
        trace = any(chunking.end < len(body) for chunking in batch)
        lengths = [[len(chunk) for chunk in chunking.chunks(body) if chunk] for chunking in batch]
        for chunking, (digest, parts) in zip(batch, many(body, lengths, trace=trace) or (), strict=True):
            if digest == right and chunking.end == len(body):
                yield chunking, walked.parts
            else:
                yield chunking, parts if trace else run(open_session(), body, chunking)


def _thinned(chunkings: Iterator[Chunking], most: int = SAMPLES) -> tuple[list[Chunking], bool]:
    found = list(chunkings)
    if len(found) <= most:
        return found, False
    step = (len(found) - 1) / (most - 1)
    return [found[round(index * step)] for index in range(most)], True


def _splits(case: Case, open_session: Callable[[], Session], walked: Walk) -> Outcome:
    """Two chunks, cut at every offset.

    The first chunk is fed whole each time: a state that was reached byte by byte would prove less. The snapshot spares
    only the opening of a session.
    """
    body = case.body
    session: Any = open_session()
    start = session.snapshot()
    for cut in range(1, len(body)):
        session.restore(start)
        parts = session.feed(body[:cut])
        if len(parts) != walked.counts[cut]:
            parts += session.feed(body[cut:]) + session.close()
        else:
            parts += session.feed(body[cut:])
            parts += session.close()
            if parts == walked.parts:
                continue
        chunking = Chunking(f"split@{cut}", (cut,), len(body))
        return Outcome(cut, cut, 2 * cut, sampled=False, broken=(chunking, parts))
    count = max(len(body) - 1, 0)
    return Outcome(count, count, 2 * count, sampled=False)


def _cuts(case: Case, open_session: Callable[[], Session], walked: Walk, rule: CutRule) -> Outcome:
    session: Any = open_session()
    count = 0
    for end, state in enumerate(states(open_session(), case.body)):
        if end == len(case.body):
            break
        session.restore(state)
        parts = walked.parts[: walked.counts[end]] + session.close()
        count += 1
        complaint = rule(parts, walked.parts)
        if complaint:
            chunking = Chunking(f"cut@{end}", (), end)
            return Outcome(count, 0, count, sampled=False, broken=(chunking, parts), complaint=complaint)
    return Outcome(count, 0, count, sampled=False)


def _windows(plan: Plan, case: Case, open_session: Callable[[], Session], walked: Walk) -> Outcome:
    size = len(case.body)
    if not walked.has_snapshots:
        return _sampled(case, open_session, walked) if plan.kind == "certificate" else Outcome(0, 0, 0, sampled=True)
    if plan.kind == "pairs" and size > PAIRS_UP_TO:
        return Outcome(0, 0, 0, sampled=False)
    windows = Windows(case.body, open_session)
    if windows.walked() != (walked.parts, walked.counts):
        chunking = Chunking("bytes", tuple(range(1, size)), size)
        return Outcome(1, 1, 1, sampled=False, broken=(chunking, windows.walked()[0]))
    if plan.kind == "certificate":
        broken = windows.certify(plan.number or (size if size <= PAIRS_UP_TO else WIDEST))
    else:
        broken = windows.up_to(plan.number or size)
    proven = windows.certificate
    count = proven.chunks + (broken is not None)
    if broken is None:
        return Outcome(count, count, count, sampled=False, certificate=proven)
    found = (broken.chunking, broken.parts)
    return Outcome(count, count, count, sampled=False, broken=found, complaint=broken.complaint)


def _sampled(case: Case, open_session: Callable[[], Session], walked: Walk) -> Outcome:
    """In place of a certificate, for a session without snapshots: half of the samples in two chunks, half in many."""
    size = len(case.body)
    half, _ = _thinned(parse_plan("every-split").chunkings(case), SAMPLES // 2)
    seeds = range(SAMPLES - len(half)) if size > 1 else ()
    splits = count = 0
    chunkings = [*half, *(next(parse_plan(f"random:{seed}").chunkings(case)) for seed in seeds)]
    for chunking, parts in _runs(case, open_session, chunkings, walked):
        splits += len(chunking.cuts)
        count += 1
        if parts != walked.parts:
            return Outcome(count, splits, count, sampled=True, broken=(chunking, parts))
    return Outcome(count, splits, count, sampled=True, certificate=Certificate(size, sampled=True))
