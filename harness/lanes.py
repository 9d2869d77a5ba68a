"""As much of a ledger as the report draws: a lane for each call, its fragments, and the bytes that they stand in.

All of it is bounded, whatever the body holds: the first calls, the first and last fragments of each, the beginning of
a long fragment, and of the body the bytes of those fragments with some around them. The fragment at which an account
breaks is always among them.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from harness.findings import CallLanes, Fragment, Lane, WirePiece
from harness.ledger import Entry, Fault, Ledger
from harness.subjects import PartJson
from harness.tool_schemas import finished_calls
from streamcore.jsonstream import JsonStream

MAX_LANES = 8
"""Calls drawn of one case."""
MAX_FRAGMENTS = 48
"""Fragments drawn of one case, over all of its calls."""
LAST_FRAGMENTS = 2
"""How many of them end a lane that has too many."""
MAX_TEXT = 80
"""Characters of one fragment."""
AROUND = 100
"""Bytes of a frame that are shown before and after a fragment."""
EDGE = 60
"""Bytes shown of either end of a fragment."""

_CONTINUATIONS = 3
"""Bytes of a character of UTF-8 after its first."""

_Key = tuple[int, str]


def lanes_of(account: Ledger, fault: Fault | None, parts: Sequence[PartJson]) -> CallLanes | None:
    """What to draw of ``account``; None for a body without calls.

    Args:
        account: the ledger of the case.
        fault: where it breaks.
        parts: those of the whole body; they name the calls that got no arguments, too, and those that were finished,
            which are held against their schemas in the same order.
    """
    tools: dict[_Key, str] = {}
    for part in parts:
        if part["type"] == "tool-input-start":
            tools.setdefault((part.get("choice", 0), part["id"]), part["toolName"])
    entries: dict[_Key, list[Entry]] = {key: [] for key in tools}
    for entry in account.entries:
        entries.setdefault((entry.choice, entry.call), []).append(entry)
    if not entries:
        return None
    broken = (fault.entry.choice, fault.entry.call) if fault is not None and fault.entry is not None else None
    drawn = list(entries)[:MAX_LANES]
    if broken is not None and broken not in drawn:
        drawn[-1] = broken
    shares = _shares([len(entries[key]) for key in drawn])
    checks: dict[_Key, int] = {}
    for place, part in enumerate(finished_calls(parts)):
        checks.setdefault((part.get("choice", 0), part["toolCallId"]), place)
    lanes, shown = [], []
    for key, share in zip(drawn, shares, strict=True):
        mine = entries[key]
        at = next((at for at, entry in enumerate(mine) if fault is not None and entry is fault.entry), None)
        picked = _pick(len(mine), share, at)
        shown += [mine[ordinal] for ordinal in picked]
        lanes.append(
            Lane(
                call=key[1],
                tool=tools.get(key, ""),
                choice=key[0],
                characters=sum(len(entry.delta) for entry in mine),
                located=sum(len(entry.delta) for entry in mine if entry.how != "frame"),
                count=len(mine),
                fragments=tuple(_fragments(account, mine, picked)),
                check=checks.get(key),
                broken=at,
            )
        )
    return CallLanes(
        tuple(lanes), len(entries) - len(drawn), tuple(_wire(account, shown)), fault.message if fault else ""
    )


def _shares(counts: Sequence[int]) -> list[int]:
    """How many fragments each lane may show: what the short ones leave over goes to the long ones."""
    shares = [0] * len(counts)
    left = MAX_FRAGMENTS
    for done, lane in enumerate(sorted(range(len(counts)), key=counts.__getitem__)):
        shares[lane] = min(counts[lane], left // (len(counts) - done))
        left -= shares[lane]
    return shares


def _pick(count: int, share: int, broken: int | None) -> list[int]:
    """Which of ``count`` fragments to show: the first, the last, and those around the one that is broken."""
    if count <= share:
        return list(range(count))
    last = range(count - LAST_FRAGMENTS, count)
    near = range(max(0, broken - 1), min(count, broken + 2)) if broken is not None else range(0)
    picked = {*last, *near}
    first = (ordinal for ordinal in range(count) if ordinal not in picked)
    picked.update(next(first) for _ in range(share - len(picked)))
    return sorted(picked)


def _fragments(account: Ledger, entries: Sequence[Entry], picked: Sequence[int]) -> Iterator[Fragment]:
    """Those of ``picked``, each with what the arguments come to after it."""
    arguments = JsonStream()
    wanted = set(picked)
    for ordinal, entry in enumerate(entries):
        arguments.feed(entry.delta)
        if ordinal in wanted:
            yield _fragment(account, entry, ordinal, _snapshot(arguments))


def _snapshot(arguments: JsonStream) -> str:
    if not arguments.started or arguments.failure is not None:
        return ""
    told = json.dumps(arguments.value, ensure_ascii=False, separators=(",", ":"))
    return told if len(told) <= MAX_TEXT else f"{told[:MAX_TEXT]}\u2026"


def _fragment(account: Ledger, entry: Entry, ordinal: int, snapshot: str) -> Fragment:
    return Fragment(
        text=entry.delta[:MAX_TEXT],
        length=len(entry.delta),
        first=entry.first,
        ordinal=ordinal,
        frame=entry.frame,
        start=entry.start,
        end=entry.end,
        chunk=account.chunk(entry.end),
        how=entry.how,
        snapshot=snapshot,
    )


def _wire(account: Ledger, entries: Sequence[Entry]) -> Iterator[WirePiece]:
    """The bytes of ``entries`` and around them, cut wherever one of them or a frame begins or ends."""
    body, ends = account.case.body, account.frame_ends
    bounds = [*ends, len(body)]
    spans = []
    for entry in entries:
        frame = min(bisect_right(ends, entry.start) - 1, len(bounds) - 2)
        low, high = bounds[frame], bounds[frame + 1]
        spans.append((max(low, entry.start - AROUND), min(entry.start + EDGE, high)))
        spans.append((max(low, entry.end - EDGE), min(high, entry.end + AROUND)))
    cuts = sorted({*ends, *(entry.start for entry in entries), *(entry.end for entry in entries)})
    for start, end in _united(spans):
        start, end = whole_characters(body, start, end)
        inside = cuts[bisect_right(cuts, start) : bisect_right(cuts, end - 1)]
        for one, other in pairwise([start, *inside, end]):
            frame = bisect_right(ends, one) - 1
            text = body[one:other].decode("utf-8", "surrogateescape")
            yield WirePiece(frame if frame + 1 < len(ends) else None, one, other, text)


def _united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same bytes in ranges that neither overlap nor touch, in order."""
    united: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united


def whole_characters(body: bytes, start: int, end: int) -> tuple[int, int]:
    """The range without the bytes at its ends that continue a character, or begin one that goes on (RFC 3629)."""
    first = next((at for at in range(start, start + _CONTINUATIONS + 1) if not _continues(body, at)), start)
    last = next((at for at in range(end, end - _CONTINUATIONS - 1, -1) if not _continues(body, at)), end)
    return (first, last) if first < last else (start, end)


def _continues(body: bytes, at: int) -> bool:
    return at < len(body) and body[at] & 0xC0 == 0x80
