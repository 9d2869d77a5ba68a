"""Memory over a very long stream, in fresh processes; also the program that these processes run:
``python -m benchmarks.memory DIALECT EVENTS {flat|kept|traced}`` prints one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

from benchmarks import workloads
from benchmarks.environment import ROOT, resident_bytes
from benchmarks.findings import Bar, Findings, Table
from streamcore import Decoder

if TYPE_CHECKING:
    from benchmarks.plan import Plan

BAR_MB = 1.0
EVENTS = 1_000_000
TRACED_EVENTS = 200_000
MARKS = 5
"""RSS is noted so many times, evenly, besides the mark where growth is counted from."""
BASE_SHARE = 10
"""Growth is counted from the mark at a tenth of the events (100 000 of a million)."""
_CHUNK = 1400
_MAKERS = {"openai-chat": workloads.openai_text, "anthropic-messages": workloads.anthropic_text}
_PIECES = 2000
"""Different events of the stream, repeated."""


def probe(dialect: str, events: int, mode: str) -> dict[str, Any]:
    """Decodes ``events`` events in this process.

    Returns ``marks`` ([events, resident bytes] pairs; ``flat`` and ``kept``), ``text`` (characters of the message;
    ``kept``), or ``peak`` (bytes that tracemalloc saw at most, of those allocated
    after the first tenth; ``traced``).
    """
    stream = _MAKERS[dialect](min(_PIECES, events))
    decoder = Decoder(dialect, assemble=mode == "kept")
    base = events // BASE_SHARE
    wanted = sorted({base, *(events * mark // MARKS for mark in range(1, MARKS + 1))})
    marks: list[tuple[int, int]] = []
    for chunk in workloads.repeated(stream, events, _CHUNK):
        decoder.feed(chunk)
        if mode == "traced":
            if not tracemalloc.is_tracing() and decoder.frames >= base:
                tracemalloc.start()
        elif len(marks) < len(wanted) and decoder.frames >= wanted[len(marks)]:
            marks.append((decoder.frames, resident_bytes() or 0))
    result: dict[str, Any] = {"frames": decoder.frames, "marks": marks}
    if mode == "traced":
        result["peak"] = tracemalloc.get_traced_memory()[1]
    decoder.close()
    if mode == "kept":
        message = decoder.message
        result["with_message"] = resident_bytes() or 0
        result["text"] = len(message.text)
    return result


def measure(plan: Plan) -> Findings:
    """RSS along the stream and what tracemalloc saw, for both dialects."""
    findings = Findings()
    events = plan.scaled(EVENTS)
    traced_events = plan.scaled(TRACED_EVENTS)
    no_rss = "" if resident_bytes() is not None else "no /proc on this system"
    rows: list[tuple[str, ...]] = []
    for dialect in _MAKERS:
        flat, kept = (_child(dialect, events, mode) for mode in ("flat", "kept"))
        traced = _child(dialect, traced_events, "traced")
        for mode, found in (("assemble=False", flat), ("message kept", kept)):
            marks = found["marks"]
            growth = marks[-1][1] - marks[0][1]
            each = growth / (marks[-1][0] - marks[0][0])
            rows.append((f"{dialect}, {mode}", *(f"{size / 1e6:.1f}" for _, size in marks), f"{each:.1f}"))
            if mode == "assemble=False":
                what = f"memory {dialect}, {events} events, assemble=False: growth after the first {marks[0][0]}"
                findings.bars.append(Bar(what, "<=", BAR_MB, "MB", None if no_rss else growth / 1e6, no_rss))
        rows.append((f"{dialect}, message made at the end", *[""] * MARKS, f"{kept['with_message'] / 1e6:.1f}", ""))
        rows.append((f"{dialect}, peak by tracemalloc", *[""] * MARKS, f"{traced['peak'] / 1e6:.3f}", ""))
    head = ("MB resident after", *(f"{count}" for count, _ in marks), "B/event")
    note = (
        f"B/event: growth from the first mark to the last. Peak by tracemalloc: over {traced_events} events with "
        "assemble=False, of what was allocated after the first tenth; MB, in the last column of sizes"
    )
    findings.tables.append(Table("Memory", head, tuple(rows), note))
    return findings


def _child(dialect: str, events: int, mode: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.memory", dialect, str(events), mode]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed: {answer.stderr.strip()[-500:]}")
    return json.loads(answer.stdout)


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
