"""Incremental JSON: what a delta costs early and late in a text, beside parsing all of it again with jiter each time; and
the memory that 10 MB take."""

from __future__ import annotations

import gc
import json
import random
import tracemalloc
from itertools import pairwise
from time import thread_time
from typing import TYPE_CHECKING, Any, get_args

from benchmarks.findings import Bar, Findings, Table
from benchmarks.timing import Clock, interleaved, timed
from benchmarks.workloads import WORDS
from streamcore.jsonstream import JsonStream
from streamcore.partialjson import Flavour, PartialJson
from streamcore.snapshots import SnapshotTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.plan import Plan

DELTA = 8
"""Characters of a delta."""
EARLY, LATE = 1 << 10, 64 << 10
"""Bytes after which the next KB is timed."""
_WINDOW = 1 << 10
_REPEATS = 32
"""Streams that are timed together; one window takes some 50 us."""
BAR_GROWTH = 1.5
BARS_JITER = {"nested": 30.0, "one string": 10.0}
_SAMPLES = 128
"""Texts that jiter parses, evenly spread over all beginnings, made before it is timed."""
LARGE = 10 << 20
BAR_KB = 100.0
_LARGE_PIECE = 1400
UPDATES = 50_000
BAR_UPDATES = 2.3
_SNAPSHOTS_AN_ID = 100


def nested(size: int) -> str:
    """Small objects in an array, compact, at least ``size`` characters."""
    draw = random.Random(21)
    items: list[str] = []
    length = 0
    while length < size:
        tags = [draw.choice(WORDS), draw.choice(WORDS)]
        item = {"id": len(items), "name": f"item {len(items)}", "tags": tags, "ok": draw.random() < 0.5, "v": draw.random()}
        items.append(json.dumps(item, separators=(",", ":")))
        length += len(items[-1]) + 1
    return f'{{"items":[{",".join(items)}]}}'


def one_string(size: int) -> str:
    """One text of at least ``size`` characters in an object, as a tool that writes a file is given it."""
    draw = random.Random(22)
    words: list[str] = []
    length = 0
    while length < size:
        words.append(draw.choice(WORDS))
        length += len(words[-1]) + 1
    return json.dumps({"content": " ".join(words)})


SHAPES: dict[str, Callable[[int], str]] = {"nested": nested, "one string": one_string}


def deltas(text: str) -> list[str]:
    """``text`` in pieces of 8 characters."""
    return [text[at : at + DELTA] for at in range(0, len(text), DELTA)]


def feed_all(pieces: list[str], *, look: bool) -> None:
    """Reads one text; ``look``: and the value so far after every piece."""
    stream = JsonStream()
    for piece in pieces:
        stream.feed(piece)
        if look:
            _ = stream.value
    assert stream.complete


def show_all(pieces: list[str], flavour: Flavour) -> None:
    """What an SDK would show after every piece."""
    partial = PartialJson(flavour)
    for piece in pieces:
        partial.feed(piece)
        _ = partial.value


def window(text: str, start: int, *, look: bool) -> Clock:
    """Times the KB of ``text`` that follows its first ``start`` characters, on many streams that have read those."""
    before, pieces = text[:start], deltas(text[start : start + _WINDOW])

    def run() -> float:
        streams = [JsonStream() for _ in range(_REPEATS)]
        for stream in streams:
            stream.feed(before)
        begin = thread_time()
        for stream in streams:
            for piece in pieces:
                stream.feed(piece)
                if look:
                    _ = stream.value
        return thread_time() - begin

    return run


def measure(plan: Plan) -> Findings:
    """Cost by position, beside jiter, memory, and snapshots."""
    findings = Findings()
    late = plan.scaled(LATE)
    _early_and_late(late, plan, findings)
    _beside_jiter(late, plan, findings)
    _memory(plan, findings)
    _snapshots(plan, findings)
    return findings


def _early_and_late(late: int, plan: Plan, findings: Findings) -> None:
    rows: list[tuple[str, ...]] = []
    for shape, make in SHAPES.items():
        text = make(late + 2 * _WINDOW)
        for look in (False, True):
            clocks = {"early": window(text, EARLY, look=look), "late": window(text, late, look=look)}
            timings = interleaved(clocks, plan.rounds)
            name = f"{shape}, {'feed and value' if look else 'feed'}"
            growth = timings.ratio("early", "late")  # how many times faster early is: what late costs more
            findings.bars.append(Bar(f"JSON deltas, {name}: at {late} B over at {EARLY} B", "<=", BAR_GROWTH, "x", growth))
            each = [timings.median(which) / (_REPEATS * _WINDOW / DELTA) * 1e6 for which in clocks]
            rows.append((name, *(f"{figure:.2f}" for figure in each), f"{growth:.2f}"))
            findings.seconds[f"json/{name}"] = timings.seconds
    note = f"us a delta of {DELTA} characters, over the KB that follows"
    head = ("what", f"at {EARLY} B", f"at {late} B", "ratio")
    findings.tables.append(Table("Incremental JSON: early and late in a text", head, tuple(rows), note))


def _beside_jiter(late: int, plan: Plan, findings: Findings) -> None:
    jiter = _jiter()
    rows: list[tuple[str, ...]] = []
    for shape, make in SHAPES.items():
        text = make(late)
        pieces = deltas(text)
        clocks = {
            "feed": timed(lambda pieces=pieces: feed_all(pieces, look=False)),  # type: ignore[misc]
            "feed and value": timed(lambda pieces=pieces: feed_all(pieces, look=True)),  # type: ignore[misc]
        }
        for flavour in get_args(Flavour):
            clocks[flavour] = timed(lambda pieces=pieces, flavour=flavour: show_all(pieces, flavour))  # type: ignore[misc]
        counts = dict.fromkeys(clocks, len(pieces))
        if jiter is not None:
            beginnings = _beginnings(text)
            clocks["jiter"] = timed(lambda beginnings=beginnings: _parse_all(jiter, beginnings))  # type: ignore[misc]
            counts["jiter"] = len(beginnings)
        timings = interleaved(clocks, plan.rounds)
        findings.seconds[f"json/{shape}, whole"] = timings.seconds
        each = {name: timings.median(name) / counts[name] * 1e6 for name in clocks}
        what = f"JSON deltas, {shape} of {len(text)} B: to jiter on all so far"
        ratio = timings.ratio("feed", "jiter") * counts["feed"] / counts["jiter"] if jiter is not None else None
        findings.bars.append(Bar(what, ">=", BARS_JITER[shape], "x", ratio, "" if jiter else "jiter is not installed"))
        with_value = f"{each['jiter'] / each['feed and value']:.1f}" if jiter is not None else "-"
        rows.append(
            (
                shape,
                *(f"{each[name]:.2f}" if name in each else "-" for name in ("feed", "feed and value", *get_args(Flavour), "jiter")),
                "-" if ratio is None else f"{ratio:.1f}",
                with_value,
            )
        )
    head = ("shape", "feed", "feed and value", *(f"as {name}" for name in get_args(Flavour)), "jiter", "ratio", "ratio with value")
    note = (
        "us a delta, mean over the text. feed gives the delta as an event, value what jiter gives: all so far, as objects; "
        "as NAME: what that SDK shows. jiter parses texts that are made beforehand, so joining the deltas costs it nothing"
    )
    findings.tables.append(Table("Incremental JSON: beside parsing again", head, tuple(rows), note))


def _jiter() -> Any:
    try:
        import jiter
    except ImportError:
        return None
    return jiter


def _beginnings(text: str) -> list[bytes]:
    ends = range(DELTA, len(text) + 1, DELTA)
    step = max(1, len(ends) // _SAMPLES)
    return [text[:end].encode() for end in ends[step // 2 :: step]]


def _parse_all(jiter: Any, beginnings: list[bytes]) -> None:
    for beginning in beginnings:
        jiter.from_json(beginning, partial_mode="trailing-strings")


def stream_large(size: int) -> tuple[int, int, int]:
    """(bytes that tracemalloc saw at most, deltas out before the last piece went in, characters of them) for one string
    of ``size`` characters, events only."""
    source = one_string(_LARGE_PIECE)
    piece = source[source.index(": ") + 3 : -2] + "\\n"
    stream = JsonStream(keep=False)
    stream.feed('{"files":[{"content":"')
    count = characters = 0
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(size // len(piece)):
            for event in stream.feed(piece):
                count += 1
                characters += len(event.value)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    stream.feed('"}]}')
    assert stream.complete
    return peak, count, characters


def _memory(plan: Plan, findings: Findings) -> None:
    size = plan.scaled(LARGE)
    peak, count, characters = stream_large(size)
    findings.bars.append(Bar(f"JSON, {size} B of one string, events only: memory", "<=", BAR_KB, "KB", peak / 1e3))
    row = (str(size), str(count), str(characters), f"{peak / 1e3:.1f}")
    head = ("bytes", "deltas before the last byte", "characters in them", "peak KB")
    findings.tables.append(Table("Incremental JSON: memory", head, (row,), "tracemalloc"))


def track(updates: list[tuple[str, str]]) -> None:
    """Snapshots to deltas; every id is forgotten at its end."""
    tracker = SnapshotTracker()
    for (name, snapshot), (following, _) in pairwise([*updates, ("", "")]):
        tracker.add(name, snapshot)
        if following != name:
            assert tracker.complete_text(name) == snapshot
            tracker.clear(name)
    assert len(tracker) == 0


def _snapshots(plan: Plan, findings: Findings) -> None:
    count = plan.scaled(UPDATES)
    text = one_string(_SNAPSHOTS_AN_ID * DELTA)
    grown = [text[: DELTA * (number + 1)] for number in range(_SNAPSHOTS_AN_ID)]
    once, twice = (
        [(f"call-{number // len(grown)}", grown[number % len(grown)]) for number in range(factor * count)] for factor in (1, 2)
    )
    timings = interleaved({"n": timed(lambda: track(once)), "2 n": timed(lambda: track(twice))}, plan.rounds)
    ratio = timings.ratio("n", "2 n")
    findings.bars.append(Bar(f"snapshots to deltas: time for {2 * count} over {count}", "<=", BAR_UPDATES, "x", ratio))
    row = (str(count), f"{timings.median('n') * 1e3:.2f}", str(2 * count), f"{timings.median('2 n') * 1e3:.2f}", f"{ratio:.2f}")
    findings.tables.append(Table("Snapshots to deltas", ("updates", "ms", "updates", "ms", "ratio"), (row,)))
    findings.seconds["json/snapshots"] = timings.seconds
