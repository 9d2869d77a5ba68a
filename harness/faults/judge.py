"""What must hold of the parts of a damaged stream. No golden is needed: the subject's own parts of the sound body are enough.

Of every fault: nothing is raised; the rules hold; what came out before the damage is as it was; and the damaged bytes, cut
otherwise, give the same parts. Beyond that:

==================  ==========================================================================================
``drop-frame``      without its last frame a stream does not look complete
``corrupt-frame``   it is told, by an error or a warning, or by what is missing
``flip-bit``        nothing of the message comes out, and nothing after it: an error, ``frame_crc`` or ``frame_length``
``gzip``            an error, ``not_an_event_stream`` where the framing is text, and nothing else
``keep-alives``     the parts are those of the sound body, and the subject keeps none of them in memory
``slow-loris``      the parts are those of the sound body
``big-event``       the parts are those of the sound body, or the error ``event_too_large`` says why not
``two-streams``     the parts of both are those of the sound body
==================  ==========================================================================================
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.case import Case
from harness.chunking import Chunking, Plan, random_cuts
from harness.faults import OPERATORS, STORM_BYTES, Fault, Wire
from harness.proof import SAMPLES, Outcome, Walk, run
from harness.rules import cut_is_legal, violations
from harness.subjects import PartJson, Session, SnapshotSession
from harness.trace import trace_lines

KEPT_AT_MOST = STORM_BYTES // 4
"""Bytes that a subject may hold more after a storm of keep-alives than before it."""
_SMALL = 16 * 1024
_PRIME = 1021
"""Bytes of a chunk of a big body, and how many chunks a very big one has."""
_APART = 61
"""Bytes by which the second of two streams is behind the first."""
_PIECE = 4096
"""Bytes in which storms arrive while memory is measured."""
_OF_A_MESSAGE = frozenset({"frame_crc", "frame_length"})
_NO_STREAM = {
    "sse": frozenset({"not_an_event_stream"}),
    "jsonarray": frozenset({"not_an_event_stream"}),
    "ndjson": frozenset({"not_an_event_stream", "malformed_json"}),
    "eventstream": frozenset({"not_an_event_stream", *_OF_A_MESSAGE}),
}


def prove_faults(plan: Plan, case: Case, open_session: Callable[[], Session], walked: Walk) -> Outcome:
    """Runs the bodies of ``faults:NAME`` (or the one of ``faults:NAME@K``) up to the first whose parts are not right."""
    name, _, number = plan.name.removeprefix("faults:").partition("@")
    wire = Wire.of(case)
    if not walked.has_snapshots:
        wire.flips_at_most = SAMPLES
    bench = _Bench(wire, open_session, walked)
    chunkings = splits = comparisons = 0
    for fault in OPERATORS[name](wire):
        if number and fault.number != int(number):
            continue
        chunkings += 1
        comparisons += 1
        parts, complaint = bench.judged(name, fault)
        if complaint is None and name not in ("flip-bit", "slow-loris"):
            cuts = _cuts(len(fault.body))
            chunkings += 1
            splits += len(cuts)
            comparisons += 1
            complaint = bench.otherwise(fault, parts, cuts)
        if complaint is not None:
            broken = Chunking(f"faults:{name}@{fault.number}", (), len(fault.body))
            return Outcome(chunkings, splits, comparisons, wire.thinned, (broken, parts), complaint)
    return Outcome(chunkings, splits, comparisons, wire.thinned and bool(chunkings))


@dataclass
class _Bench:
    """One subject, one case, and what is right."""

    wire: Wire
    open_session: Callable[[], Session]
    walked: Walk
    _prefix: tuple[int, Any, list[PartJson]] | None = None
    """A session's state after that many sound bytes, and the parts so far."""
    _right: tuple[int, list[PartJson]] | None = None
    """What was found right before: most bits of a message make the same parts, and are not judged one by one."""

    def __post_init__(self) -> None:
        case = self.wire.case
        self.lines = trace_lines(self.walked.parts, case.body)
        sound = violations(self.walked.parts, body=case.body, dialect=case.dialect)
        self.excused = {violation.rule for violation in sound}
        self.session: Any = self.open_session()

    def judged(self, name: str, fault: Fault) -> tuple[list[PartJson], str | None]:
        """The parts of the damaged body, and what is wrong with them."""
        try:
            parts, warned = self._parts(fault)
        except Exception as error:  # noqa: BLE001 - damage must not make a subject raise
            return [], f"raises {type(error).__name__}: {error}"
        if (fault.start, parts) == self._right:
            return parts, None
        complaint = next(self._complaints(name, fault, parts, warned), None)
        if name == "flip-bit" and complaint is None:
            self._right = (fault.start, parts)
        return parts, complaint

    def otherwise(self, fault: Fault, parts: Sequence[PartJson], cuts: tuple[int, ...]) -> str | None:
        """What is wrong when the damaged body is cut at ``cuts``."""
        try:
            other = run(self.open_session(), fault.body, Chunking("otherwise", cuts, len(fault.body)))
        except Exception as error:  # noqa: BLE001 - as above
            return f"raises {type(error).__name__} when it is cut otherwise: {error}"
        return None if other == list(parts) else "the damaged bytes, cut otherwise, give other parts"

    def _parts(self, fault: Fault) -> tuple[list[PartJson], bool]:
        if fault.chunks or not self.walked.has_snapshots:
            session: Any = self.open_session()
            parts = [part for chunk in fault.chunks or (fault.body,) for part in session.feed(chunk)]
            return parts + session.close(), bool(getattr(session, "warnings", ()))
        session = self.session
        if self._prefix is None or self._prefix[0] != fault.start:
            fresh: Any = self.open_session()
            self._prefix = (fault.start, *_fed(fresh, fault.body[: fault.start]))
        session.restore(self._prefix[1])
        known = len(getattr(session, "warnings", ()))
        parts = self._prefix[2] + session.feed(fault.body[fault.start :]) + session.close()
        return parts, len(getattr(session, "warnings", ())) > known

    def _complaints(self, name: str, fault: Fault, parts: list[PartJson], warned: bool) -> Iterator[str]:
        case, sound = self.wire.case, self.walked.parts
        before = sound[: self.walked.counts[fault.start]]
        if parts[: len(before)] != before:
            yield f"what came out before the damage at byte {fault.start} is not as it was"
        yield from self._of(name, fault, parts, parts[len(before) :], warned)
        for violation in violations(parts, body=fault.body, dialect=case.dialect):
            # A block whose end was lost may stay open, if that is said; half a character has lost its other half.
            told = violation.rule == "block-left-open" and warned
            torn = violation.rule == "encodable" and name.endswith(("-frame", "-frames"))
            if violation.rule not in self.excused and not told and not torn:
                yield f"breaks the rule {violation.rule}: {violation.message}"

    def _of(
        self, name: str, fault: Fault, parts: list[PartJson], rest: list[PartJson], warned: bool
    ) -> Iterator[str]:
        case, sound = self.wire.case, self.walked.parts
        match name:
            case "drop-frame":
                if case.body.startswith(fault.body.rstrip()) and (wrong := cut_is_legal(parts, sound)):
                    yield f"the last frame is missing: {wrong}"
            case "corrupt-frame":
                if not warned and parts == sound:
                    yield "a frame that is no JSON changed nothing, and nothing was said"
            case "flip-bit":
                yield from _of_a_flipped_bit(rest)
            case "gzip":
                yield from _of_no_stream(parts, _NO_STREAM[self.wire.framing])
            case "keep-alives":
                if trace_lines(parts, fault.body) != self.lines:
                    yield "keep-alives changed the parts"
                if fault.storm is not None:
                    yield from self._of_memory(fault.body, *fault.storm)
            case "slow-loris":
                if parts != sound:
                    yield "single bytes with nothing between them give other parts"
            case "two-streams":
                yield from self._of_two_streams()
            case "big-event":
                too_large = [part for part in rest if part["type"] == "error" and part.get("kind") == "event_too_large"]
                if not too_large and trace_lines(parts, fault.body) != self.lines:
                    yield "blanks between two tokens changed the parts"

    def _of_two_streams(self) -> Iterator[str]:
        body = self.wire.case.body
        one, other = self.open_session(), self.open_session()
        parts: tuple[list[PartJson], list[PartJson]] = ([], [])
        for at in range(0, len(body) + _APART, _APART):
            parts[0].extend(one.feed(body[at : at + _APART]))
            parts[1].extend(other.feed(body[max(at - _APART, 0) : at]))
        for found, session in zip(parts, (one, other), strict=True):
            found.extend(session.close())
            if found != self.walked.parts:
                yield "a stream that is read by turns with another one gives other parts"

    def _of_memory(self, body: bytes, start: int, end: int) -> Iterator[str]:
        session = self.open_session()
        session.feed(body[:start])
        was_on = tracemalloc.is_tracing()
        tracemalloc.start()
        held = tracemalloc.get_traced_memory()[0]
        for at in range(start, end, _PIECE):
            session.feed(body[at : min(at + _PIECE, end)])
        held = tracemalloc.get_traced_memory()[0] - held
        if not was_on:
            tracemalloc.stop()
        if held > KEPT_AT_MOST:
            yield f"{held} bytes more are held after {end - start} bytes of keep-alives"


def _cuts(size: int) -> tuple[int, ...]:
    """Small chunks, as long as there are not too many of them."""
    return random_cuts(size, 1) if size <= _SMALL else tuple(range(_PRIME, size, max(_PRIME, size // _PRIME)))


def _fed(session: SnapshotSession, start: bytes) -> tuple[Any, list[PartJson]]:
    parts = session.feed(start)
    return session.snapshot(), parts


def _of_a_flipped_bit(rest: Sequence[PartJson]) -> Iterator[str]:
    others = [part["type"] for part in rest if part["type"] not in ("error", "stream-start")]
    if others:
        yield f"a bit was flipped, and a {others[0]} part came out"
    kinds = [part.get("kind") for part in rest if part["type"] == "error"]
    if not _OF_A_MESSAGE.issuperset(kinds) or len(kinds) != 1:
        yield f"a bit was flipped, and the errors are {kinds}, not frame_crc or frame_length"


def _of_no_stream(parts: Sequence[PartJson], expected: frozenset[str]) -> Iterator[str]:
    others = [part["type"] for part in parts if part["type"] not in ("error", "stream-start")]
    if others:
        yield f"gzip data gave a {others[0]} part"
    kinds = [part.get("kind") for part in parts if part["type"] == "error"]
    if not kinds or not expected.issuperset(kinds):
        yield f"gzip data gave the errors {kinds}, not {' or '.join(sorted(expected))}"
