"""The wire strip: one body as a ruler, with the chunks it came in, the cuts that were made, and where it went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from harness.case import Case
from harness.chunking import PlanError, parse_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.verdict import CaseResult, Difference

RESOLUTION = 1000
"""Steps of the ruler; ticks closer than one step are drawn as one."""
DENSE = 300
"""Ticks that can still be told apart."""


@dataclass(frozen=True, slots=True)
class WireStrip:
    """What to draw, in thousandths of the body's length."""

    size: int
    """Bytes of the body."""
    recorded: str
    """SVG path of the recorded chunk boundaries; empty where they are unknown."""
    recorded_chunks: int
    cuts: str
    """SVG path of the cuts of the chunking that failed; empty when it made none."""
    cut_count: int
    fed: int
    """Bytes that were fed: fewer than ``size`` for a stream that was cut off."""
    at: int | None
    """Byte offset of the difference."""

    def percent(self, offset: int) -> str:
        """``offset`` as a share of the strip's width, for an SVG attribute."""
        return f"{100 * min(offset, self.size) / self.size:.2f}%"

    def anchor(self, offset: int) -> str:
        """On which side of a mark at ``offset`` its label must stand to stay on the strip."""
        share = offset / self.size
        return "start" if share < 0.2 else "end" if share > 0.8 else "middle"


def wire_strip(case: CaseResult, difference: Difference) -> WireStrip | None:
    """The strip of ``difference``; None when there is nothing to see on it."""
    if not case.body_bytes or (difference.byte_offset is None and len(case.chunks) < 2):
        return None
    cuts, fed = _cuts(case, difference.plan)
    recorded = list(accumulate(case.chunks))[:-1]
    return WireStrip(
        size=case.body_bytes,
        recorded=tick_path(recorded, case.body_bytes),
        recorded_chunks=len(case.chunks),
        cuts=tick_path(cuts, case.body_bytes),
        cut_count=len(cuts),
        fed=fed,
        at=difference.byte_offset,
    )


def _cuts(case: CaseResult, chunking: str) -> tuple[tuple[int, ...], int]:
    """The cuts that ``chunking`` makes, and how many bytes it feeds."""
    size = case.body_bytes
    try:
        plan = parse_plan(chunking)
        # These depend on the length alone, which is all that a result keeps of the body.
        if plan.kind in ("split", "cut", "every", "random", "bytes", "recorded"):
            found = next(plan.chunkings(Case(case.case, case.dialect, bytes(size), case.chunks)), None)
            if found is not None:
                return found.cuts, found.end
    except PlanError:
        pass  # a rule, or a chunking of the subject's own; then there are no cuts to draw
    return (), size


def tick_path(offsets: Iterable[int], size: int) -> str:
    """An SVG path with a tick at each of ``offsets``, for a view box of ``RESOLUTION`` by 9."""
    steps = list(_steps(offsets, size))
    if len(steps) > DENSE:
        return f"M{steps[0]} 0H{steps[-1]}V9H{steps[0]}Z"  # a solid band: what the eye would see anyway
    return "".join(f"M{step} 0v9" for step in steps)


def _steps(offsets: Iterable[int], size: int) -> Iterator[int]:
    last = -1
    for offset in offsets:
        step = round(RESOLUTION * offset / size)
        if step != last and 0 <= step <= RESOLUTION:
            yield step
            last = step
