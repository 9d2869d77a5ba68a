"""Bytes to parts of every dialect that the AI SDK speaks too: our decoder and its ``doStream`` on the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import node_peer
from benchmarks.findings import Bar, Findings, Table
from benchmarks.streams import tell
from benchmarks.streams.script import script
from benchmarks.timing import interleaved, timed
from benchmarks.workloads import cut
from streamcore import DIALECTS, Decoder
from streamcore.parts import Error, Finish

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.plan import Plan
    from benchmarks.timing import Clock, Timings
    from benchmarks.workloads import Stream

CHUNK = 16384
_PIECES = 5000
_BAR = 3.0
_OURS = "streamcore.Decoder"
_THEIRS = "AI SDK doStream in Node"
_TITLE = "Bytes to parts, every dialect"
_HEAD = ("dialect", "reference", "events", "B/event", "1000 events/s", "the reference's", "ratio")
_NOTE = "without the message, 16 KiB chunks; medians of the rounds, the ratio that of the rounds' ratios"


def measured() -> list[str]:
    """The dialects that have a reference to be measured against."""
    return sorted(name for name in DIALECTS if node_peer.reference_of(name) is not None)


def own(stream: Stream, chunks: Iterable[bytes]) -> int:
    """Parts that a decoder gives which keeps no message."""
    decoder = Decoder(stream.dialect, assemble=False)
    feed = decoder.feed
    parts = 0
    for chunk in chunks:
        parts += len(feed(chunk))
    return parts + len(decoder.close())


def problems(stream: Stream) -> list[str]:
    """What is wrong with a stream that should be sound: errors, warnings, no finish."""
    decoder = Decoder(stream.dialect)
    parts = [*decoder.feed(stream.body), *decoder.close()]
    found = [part.error.detail for part in parts if isinstance(part, Error)]
    found += [f"{warning.code}: {warning.detail}" for warning in decoder.warnings]
    return found if any(isinstance(part, Finish) for part in parts) else [*found, "no finish"]


def measure(plan: Plan) -> Findings:
    """Thousands of events a second: for each dialect both sides in the same rounds."""
    findings = Findings()
    if missing := node_peer.why_not():
        findings.bars.append(Bar("events/s, every dialect, to the AI SDK in Node", ">=", _BAR, "x", None, missing))
        return findings
    told = script(plan.scaled(_PIECES))
    rows = []
    versions: dict[str, str] = {}
    for name in measured():
        stream = tell(name, told)
        timings, versions = _timed(stream, plan)
        rows.append(_row(stream, timings))
        what = f"events/s {name}, {CHUNK} B chunks, to the AI SDK in Node"
        findings.bars.append(Bar(what, ">=", _BAR, "x", timings.ratio(_OURS, _THEIRS)))
        findings.seconds[f"dialects/{name}"] = timings.seconds
    table = Table(_TITLE, _HEAD, tuple(rows), _NOTE, for_readme=True)
    findings.tables += [table, Table("Versions in Node", ("package", "version"), tuple(sorted(versions.items())))]
    return findings


def _timed(stream: Stream, plan: Plan) -> tuple[Timings, dict[str, str]]:
    """Timings, and versions of what ran. A Node of its own for each dialect: code that has met several providers'
    objects is slower than code that has met one's."""
    chunks = cut(stream.body, CHUNK)
    with node_peer.AiSdk() as node:
        clocks: dict[str, Clock] = {
            _OURS: timed(lambda: own(stream, chunks)),
            _THEIRS: node.clock(stream, CHUNK, plan.warm_up),
        }
        return interleaved(clocks, plan.rounds), node.versions


def _row(stream: Stream, timings: Timings) -> tuple[str, ...]:
    reference = node_peer.reference_of(stream.dialect)
    assert reference is not None
    rates = (f"{stream.count / timings.median(who) / 1000:.0f}" for who in (_OURS, _THEIRS))
    size = len(stream.body) / stream.count
    ratio = f"{timings.ratio(_OURS, _THEIRS):.1f}"
    return stream.dialect, reference.name, str(stream.count), f"{size:.0f}", *rates, ratio
