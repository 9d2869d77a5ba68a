"""What is played to whom: takes one recorded interaction after another, and cuts its body as the plan says."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio

from harness.case import Case
from harness.cassette import NOT_CASSETTES, Cassette, load
from harness.chunking import PLAN_SETS, Chunking, Plan, PlanError, parse_plan
from harness.replay.matching import Asked, asked, credentials, differences, nearest, same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from harness.case import StreamEnd
    from harness.cassette import Headers, Interaction


class NoRecordingError(AssertionError):
    """No recording answers a request. Says which is nearest and how it differs, or that it was used up; never a key."""


class UnplayedError(AssertionError):
    """Recordings that nobody asked for."""


class Clock(Protocol):
    """Time as a replay sees it, in milliseconds."""

    def now(self) -> float:
        """Milliseconds since some moment."""

    def sleep(self, ms: float, /) -> None:
        """Lets ``ms`` pass."""

    async def sleep_async(self, ms: float, /) -> None:
        """The same."""


class VirtualClock:
    """Nobody waits: the recorded times pass on this clock alone, which a test may read."""

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Milliseconds that have been slept."""
        return self._now

    def sleep(self, ms: float) -> None:
        with self._lock:
            self._now += ms

    async def sleep_async(self, ms: float) -> None:
        self.sleep(ms)


class RealClock:
    """The recorded times are waited for."""

    def now(self) -> float:
        return time.monotonic() * 1000

    def sleep(self, ms: float) -> None:
        time.sleep(ms / 1000)

    async def sleep_async(self, ms: float) -> None:
        await anyio.sleep(ms / 1000)


@dataclass(frozen=True, slots=True)
class Playback:
    """One response as it is to be sent. ``at_ms`` has one time a chunk, in milliseconds after the request."""

    interaction: Interaction
    chunks: tuple[bytes, ...]
    at_ms: tuple[float, ...]
    end: StreamEnd


def playback(interaction: Interaction, plan: str | Plan | Chunking = "recorded") -> Playback:
    """``interaction`` cut as the plan says, or as it was recorded, or else in one piece.

    A chunk is due when the recording had its last byte. A chunking that ends before the body does is a cut stream.

    Raises:
        PlanError: no plan has that name, or it has more than one way to cut this body.
    """
    body, stream = interaction.body, interaction.stream
    known = stream.chunks if sum(stream.chunks) == len(body) else ()
    chunking = _chunking(plan, Case("replay/body", "replay", body, known))
    chunks = tuple(chunking.chunks(body))
    ends, times = list(accumulate(known)), stream.at_ms if len(stream.at_ms) == len(known) else ()
    at_ms: list[float] = []
    recorded = 0
    for end in accumulate(map(len, chunks)):
        while recorded < len(ends) - 1 and ends[recorded] < end:
            recorded += 1
        at_ms.append(times[recorded] if times else 0.0)
    return Playback(interaction, chunks, tuple(at_ms), stream.end if chunking.end == len(body) else "cut")


def _chunking(plan: str | Plan | Chunking, case: Case) -> Chunking:
    if isinstance(plan, Chunking):
        return plan
    plan = one_way(plan)
    for found in plan.chunkings(case):
        return found
    # split@90 says nothing about a body of 50 bytes, nor `recorded` about one whose chunks nobody kept.
    return Chunking("whole", (), len(case.body))


def one_way(plan: str | Plan) -> Plan:
    """The plan, if it has one way to cut a body; a replay sends it but once.

    Raises:
        PlanError: see :func:`playback`.
    """
    hint = "name one of them, such as bytes, every:7, random:1, split@12 or cut@40"
    if isinstance(plan, str) and plan in PLAN_SETS:
        raise PlanError(f"{plan} is a set of plans, and a replay sends a body once; {hint}")
    plan = parse_plan(plan) if isinstance(plan, str) else plan
    if plan.is_proof or plan.kind in ("structural", "every-split", "cut-at-every-byte"):
        raise PlanError(f"plan {plan.name} cuts a body in many ways, and a replay sends it once; {hint}")
    return plan


class Player:
    """Recorded interactions in their order, each of which answers one request that is the same as its own.

    As a context manager, it ends with :meth:`assert_all_played` unless something else has gone wrong before.

    Args:
        cassettes: loaded ones, or files, or folders whose ``*.yaml`` are all played.
        plan: how bodies are cut; by default as they were recorded.
        clock: what the recorded times pass on; by default nobody waits.
        allow_repeats: the last recording of a request answers it again and again when all have been used.
        allow_unplayed: :meth:`assert_all_played` passes over recordings that nobody asked for.

    Raises:
        CassetteError: one cannot be read.
        PlanError: see :func:`playback`.
    """

    def __init__(
        self,
        *cassettes: Cassette | Path | str,
        plan: str | Plan | Chunking = "recorded",
        clock: Clock | None = None,
        allow_repeats: bool = False,
        allow_unplayed: bool = False,
    ) -> None:
        self.plan = plan if isinstance(plan, Chunking) else one_way(plan)
        self.clock: Clock = clock or VirtualClock()
        self.allow_repeats, self.allow_unplayed = allow_repeats, allow_unplayed
        self.misses: list[NoRecordingError] = []
        """Requests that no recording answered; a client may have hidden the error that told so."""
        self._lock = threading.Lock()
        self._recorded: list[tuple[str, Interaction, Asked]] = []
        for cassette in _loaded(cassettes):
            number = 0
            for one in cassette.interactions:
                number += not one.twin
                name = f"{cassette.recorded.dialect}/{cassette.recorded.scenario}" + (
                    f"-{number}" if number > 1 else ""
                )
                name += " twin" if one.twin else ""
                request = asked(one.method, one.uri, one.request_body)
                self._recorded.append((name, one, request))
        self._plays = [0] * len(self._recorded)

    @property
    def plays(self) -> tuple[tuple[str, int], ...]:
        """The name of each interaction, and how often it was played."""
        return tuple((name, plays) for (name, *_), plays in zip(self._recorded, self._plays, strict=True))

    @property
    def unplayed(self) -> tuple[tuple[str, Asked], ...]:
        """What nobody asked for. A twin is not missed: it is there to be compared with its stream, not for who streams."""
        recorded = zip(self._recorded, self._plays, strict=True)
        return tuple((name, request) for (name, one, request), plays in recorded if not plays and not one.twin)

    def take(self, method: str, url: str, headers: Headers = (), body: bytes | None = None) -> Playback:
        """What answers the request.

        Raises:
            NoRecordingError: nothing does.
        """
        wanted = asked(method, url, body)
        with self._lock:
            fits = [at for at, (_, _, recorded) in enumerate(self._recorded) if same(recorded, wanted)]
            fresh = [at for at in fits if not self._plays[at]]
            if not fresh and not (fits and self.allow_repeats):
                miss = self._miss(asked(method, url, body, credentials(headers)), len(fits))
                self.misses.append(miss)
                raise miss
            # A retry that was answered in the end stays answered: so the last one, not the first.
            chosen = fresh[0] if fresh else fits[-1]
            self._plays[chosen] += 1
            return playback(self._recorded[chosen][1], self.plan)

    def assert_all_played(self) -> None:
        """Passes if every interaction but twins was played and every request answered.

        Raises:
            NoRecordingError: the first request that was not answered.
            UnplayedError: nobody asked for some recordings.
        """
        if self.misses:
            raise NoRecordingError(*self.misses[0].args)
        if self.unplayed and not self.allow_unplayed:
            lines = "".join(f"\n  {name}: {request.shown}" for name, request in self.unplayed)
            hint = "replay fewer cassettes, or allow_unplayed"
            raise UnplayedError(f"nobody asked for {len(self.unplayed)} of {len(self._plays)} recordings; {hint}{lines}")

    def __enter__(self) -> Player:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.assert_all_played()

    def _miss(self, wanted: Asked, used: int) -> NoRecordingError:
        if used:
            again = "allow_repeats plays the last one again"
            return NoRecordingError(f"{wanted.shown}: asked once more than the {used} times it was recorded; {again}")
        if not self._recorded:
            return NoRecordingError(f"{wanted.shown}: there are no recordings")
        at = nearest(wanted, [request for *_, request in self._recorded])
        name, _, recorded = self._recorded[at]
        lines = "".join(f"\n  {line}" for line in differences(recorded, wanted))
        return NoRecordingError(
            f"{wanted.shown}: no recording answers it; the nearest is {name} ({recorded.shown}); from that one to this:{lines}"
        )


def _loaded(cassettes: Sequence[Cassette | Path | str]) -> list[Cassette]:
    loaded: list[Cassette] = []
    for cassette in cassettes:
        if isinstance(cassette, Cassette):
            loaded.append(cassette)
            continue
        path = Path(cassette)
        inside = [one for one in sorted(path.glob("**/*.yaml")) if one.parent.name != NOT_CASSETTES]
        loaded += [load(one) for one in (inside if path.is_dir() else [path])]
    return loaded
