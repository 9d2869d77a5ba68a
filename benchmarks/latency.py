"""How long one event takes from its last byte to its parts, alone and among a thousand streams that are read in turns."""

from __future__ import annotations

from statistics import quantiles
from time import perf_counter_ns
from typing import TYPE_CHECKING

from benchmarks import workloads
from benchmarks.findings import Bar, Findings, Table
from streamcore import Decoder

if TYPE_CHECKING:
    from benchmarks.plan import Plan
    from benchmarks.workloads import Stream

BAR_MS = 1.0
"""At the 99th percentile, of one event."""
EVENTS = 20_000
STREAMS = 1000
EVENTS_EACH = 40
_MAKERS = {"openai-chat": workloads.openai_text, "anthropic-messages": workloads.anthropic_text}


def in_turns(stream: Stream, streams: int) -> tuple[list[int], list[Decoder]]:
    """Nanoseconds of each event of ``streams`` decoders, which are given one event each in turns; and the decoders."""
    decoders = [Decoder(stream.dialect) for _ in range(streams)]
    took: list[int] = []
    for event in (*stream.opening, *stream.events, *stream.closing):
        for decoder in decoders:
            begin = perf_counter_ns()
            decoder.feed(event)
            took.append(perf_counter_ns() - begin)
    for decoder in decoders:
        decoder.close()
    return took, decoders


def measure(plan: Plan) -> Findings:
    """The 50th and the 99th percentile, of one stream and of many, for both dialects."""
    findings = Findings()
    rows: list[tuple[str, ...]] = []
    for dialect, make in _MAKERS.items():
        for streams, events in ((1, plan.scaled(EVENTS)), (plan.scaled(STREAMS), EVENTS_EACH)):
            took, _ = in_turns(make(events), streams)
            hundredths = quantiles(took, n=100)
            middle, late = (hundredths[at - 1] / 1e3 for at in (50, 99))
            many = "1 stream" if streams == 1 else f"{streams} streams in turns"
            rate = len(took) / sum(took) * 1e6
            rows.append((f"{dialect}, {many}", f"{middle:.1f}", f"{late:.1f}", f"{max(took) / 1e3:.0f}", f"{rate:.0f}"))
            findings.bars.append(Bar(f"latency {dialect}, {many}: p99 of an event", "<=", BAR_MS, "ms", late / 1e3))
    head = ("us from an event's last byte to its parts", "p50", "p99", "most", "1000 events/s")
    findings.tables.append(Table("Latency", head, tuple(rows), "each event is one chunk; the message is kept"))
    return findings
