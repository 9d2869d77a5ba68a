"""Tool-call lanes: where each piece of each call's arguments stood in the body, laid out for the page.

A lane is one call. Its fragments are drawn three times, each time with the same number: on a ruler of the body's bytes,
as a list in order of arrival, and in the bytes themselves. :func:`highlight_rules` ties the three together by style
alone, so that pointing at one shows the others even where scripts are off.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from harness.findings import Fragment, Lane, WirePiece
from harness.lanes import MAX_FRAGMENTS
from harness.report.wire import tick_path
from harness.verdict import GREEN, CallCheck, CaseResult, SchemaVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_CASES = 60
"""Cases drawn in one report; each is bounded on its own."""
RUNNING = 72
"""Characters of the running argument string."""
LANE_HEIGHT = 18
"""Units of the ruler."""
TOP = 22
"""Where the lanes begin, below the ticks and the bar."""
_THIN = 0.35
"""Percent of the ruler's width that a mark has at least, so that it can be pointed at."""

_NOT_UTF8 = re.compile("[\udc80-\udcff]")

CHECKS = {
    SchemaVerdict.VALID: ("pass", "\u2713", "fits the tool's schema"),
    SchemaVerdict.NO_SCHEMA: ("not-run", "\u25cb", "JSON; no schema to hold it against"),
    SchemaVerdict.NOT_THE_SCHEMA: ("divergence", "\u2248", "JSON, but not what the schema asks for"),
    SchemaVerdict.NOT_JSON: ("divergence", "\u2248", "not JSON"),
}
"""What the arguments are: colour, glyph, words. Never red: it tells of the model, and not of the subject."""
UNFINISHED = ("not-run", "\u25cb", "never finished")


@dataclass(frozen=True, slots=True)
class Mark:
    """A fragment on the ruler, in percent of its width."""

    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A fragment in the list."""

    number: int
    """What its mark and its bytes have in common with it, counted from 0 over the case."""
    fragment: Fragment
    mark: Mark
    skipped: int
    """Fragments before it that are not drawn."""
    unshown: int
    """Characters of the arguments between what is shown before it and itself."""
    more: int
    """Characters of it that are not shown."""
    broken: bool
    """Whether the account breaks here."""
    running: str
    """The end of the arguments up to and with it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One lane."""

    lane: Lane
    y: int
    pieces: tuple[Piece, ...]
    check: tuple[str, str, str]
    """Colour, glyph and words of ``CHECKS``."""
    detail: str
    """Where and how the arguments leave the schema."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """Neighbouring bytes of a frame."""

    numbers: str
    """The fragments that they are of, with blanks between; empty if of none."""
    text: str
    skipped: int
    """Bytes before them that are not shown."""


@dataclass(frozen=True, slots=True)
class WireFrame:
    """What is shown of one frame."""

    index: int | None
    start: int
    end: int
    chunk: int | None
    """The recorded chunk in which it begins."""
    bytes: tuple[Bytes, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One case."""

    case: CaseResult
    anchor: str
    rows: tuple[Row, ...]
    more: int
    """Calls that are not drawn."""
    frames: tuple[WireFrame, ...]
    ticks: str
    """SVG path of the recorded chunk boundaries; empty where they are unknown."""
    fault: str

    @property
    def height(self) -> int:
        """Units of the ruler."""
        return TOP + LANE_HEIGHT * len(self.rows)

    @property
    def charged(self) -> int:
        """Characters that only their frame is known of."""
        return self.case.argument_chars - self.case.located_chars

    @property
    def fragments(self) -> int:
        """All of the lanes that are drawn."""
        return sum(row.lane.count for row in self.rows)


def most_telling(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """Those of ``cases`` that a report draws: broken accounts first, then failures, then some of each dialect."""
    ranked: list[tuple[tuple[object, ...], CaseResult]] = []
    seen: dict[str, int] = {}
    for case in sorted(cases, key=lambda case: (case.case, case.subject)):
        if case.lanes is None:
            continue
        rank = seen[case.dialect] = seen.get(case.dialect, -1) + 1
        ranked.append(((not case.lanes.fault, case.verdict in GREEN, rank, case.case, case.subject), case))
    return [case for _, case in sorted(ranked, key=lambda each: each[0])[:MAX_CASES]]


def drawing(case: CaseResult, anchor: str) -> Drawing:
    """The layout of ``case``, which has lanes; ``anchor`` is its name in addresses."""
    assert case.lanes is not None
    numbers = iter(range(sum(len(lane.fragments) for lane in case.lanes.lanes)))
    rows = tuple(_row(lane, at, case, numbers) for at, lane in enumerate(case.lanes.lanes))
    pieces = [piece for row in rows for piece in row.pieces]
    return Drawing(
        case=case,
        anchor=anchor,
        rows=rows,
        more=case.lanes.more,
        frames=tuple(_frames(case.lanes.wire, pieces, list(accumulate(case.chunks)))),
        ticks=tick_path(list(accumulate(case.chunks))[:-1], case.body_bytes) if case.body_bytes else "",
        fault=case.lanes.fault,
    )


def _row(lane: Lane, at: int, case: CaseResult, numbers: Iterator[int]) -> Row:
    check = case.calls[lane.check] if lane.check is not None and lane.check < len(case.calls) else None
    return Row(
        lane=lane,
        y=TOP + LANE_HEIGHT * at,
        pieces=tuple(_pieces(lane, case.body_bytes, numbers)),
        check=CHECKS[check.verdict] if check is not None else UNFINISHED,
        detail=_detail(check),
    )


def _detail(check: CallCheck | None) -> str:
    return " ".join(filter(None, (check.path, check.detail))) if check is not None else ""


def _pieces(lane: Lane, size: int, numbers: Iterator[int]) -> Iterator[Piece]:
    ordinal, shown, running = -1, 0, ""
    for fragment in lane.fragments:
        running += "\u2026" * (fragment.first > shown) + fragment.text + "\u2026" * (fragment.length > len(fragment.text))
        yield Piece(
            number=next(numbers),
            fragment=fragment,
            mark=_mark(fragment, size),
            skipped=fragment.ordinal - ordinal - 1,
            unshown=fragment.first - shown,
            more=fragment.length - len(fragment.text),
            broken=fragment.ordinal == lane.broken,
            running=running if len(running) <= RUNNING else f"\u2026{running[-RUNNING:]}",
        )
        ordinal, shown = fragment.ordinal, fragment.first + len(fragment.text)


def _mark(fragment: Fragment, size: int) -> Mark:
    whole = max(size, fragment.end, 1)
    width = max(100 * (fragment.end - fragment.start) / whole, _THIN)
    return Mark(f"{min(100 * fragment.start / whole, 100 - width):.3f}%", f"{width:.3f}%")


def _frames(wire: Sequence[WirePiece], pieces: Sequence[Piece], chunk_ends: list[int]) -> Iterator[WireFrame]:
    for index, group in groupby(wire, key=lambda piece: piece.frame):
        found = list(group)
        start = found[0].start
        before = [start, *(piece.end for piece in found)]
        yield WireFrame(
            index=index,
            start=start,
            end=found[-1].end,
            chunk=bisect_right(chunk_ends, start) if chunk_ends else None,
            bytes=tuple(
                Bytes(_covering(piece, pieces), spelt(piece.text), piece.start - last)
                for piece, last in zip(found, before, strict=False)
            ),
        )


def _covering(wire: WirePiece, pieces: Sequence[Piece]) -> str:
    of = (piece for piece in pieces if piece.fragment.start <= wire.start and wire.end <= piece.fragment.end)
    return " ".join(str(piece.number) for piece in of)


def spelt(text: str) -> str:
    """``text`` with the bytes that are no UTF-8 as two hexadecimal digits each."""
    return _NOT_UTF8.sub(lambda found: f"\u27e8{ord(found[0]) - 0xDC00:02X}\u27e9", text)


def highlight_rules() -> str:
    """The rule by which pointing at a fragment, or coming to it with the keyboard, shows it wherever it is drawn."""
    selectors = (
        f'.lanes:has([data-f~="{number}"]:is(:hover,:focus)) [data-f~="{number}"]' for number in range(MAX_FRAGMENTS)
    )
    shown = "background: var(--mark); color: var(--mark-text); fill: var(--mark); stroke: var(--fail); outline-color: var(--fail);"
    return f"{','.join(selectors)} {{ {shown} }}\n"
