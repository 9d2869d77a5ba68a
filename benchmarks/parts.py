"""Bytes to full parts and a message: streamcore's decoder, the provider SDKs for Python, the AI SDK in Node."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from benchmarks import node_peer, sdks, workloads
from benchmarks.findings import Bar, Findings, Table
from benchmarks.timing import interleaved, timed
from streamcore import Decoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.plan import Plan
    from benchmarks.sdks import Iterate
    from benchmarks.timing import Clock, Timings
    from benchmarks.workloads import Stream

OWN = "streamcore.Decoder"
OWN_OVER_HTTP = "streamcore.Decoder behind httpx2's mock transport"
HTTP_ALONE = "httpx2's mock transport alone"
CHUNK = 1400
LARGE_CHUNK = 65536
_EVENTS_AT_FULL_SIZE = {"W1": 6000, "W2": 12000}
_PYTHON_BARS = {"W1": 20.0, "W2": 5.0}
_NODE_BAR = 3.0


def own(dialect: str, chunks: Iterable[bytes]) -> int:
    """Parts that a decoder gives, the message made at the end."""
    decoder = Decoder(dialect)
    feed = decoder.feed
    parts = 0
    for chunk in chunks:
        parts += len(feed(chunk))
    parts += len(decoder.close())
    if not decoder.message.complete:
        raise AssertionError(f"the {dialect} workload did not decode to a complete message")
    return parts


def python_peer(stream: Stream) -> tuple[str, Iterate | None]:
    """The provider's own SDK, by name."""
    if stream.dialect == "openai-chat":
        return "openai, raw iteration", sdks.openai_raw()
    return "anthropic, raw iteration", sdks.anthropic_raw()


def measure(plan: Plan) -> Findings:
    """Microseconds an event on W1 and W2, everyone in the same rounds."""
    findings = Findings()
    missing = node_peer.why_not()
    with nullcontext() if missing else node_peer.AiSdk() as node:
        for make in (workloads.openai_text, workloads.anthropic_text):
            name = make(1).name
            _measure_one(make(plan.scaled(_EVENTS_AT_FULL_SIZE[name])), node, missing, plan, findings)
        if node is not None:
            versions = ", ".join(f"{name} {version}" for name, version in node.versions.items())
            findings.tables.append(Table("Node", ("what", "versions"), (("AI SDK", versions),)))
    return findings


def _measure_one(stream: Stream, node: node_peer.AiSdk | None, missing: str, plan: Plan, findings: Findings) -> None:
    body = stream.body
    chunks = workloads.cut(body, CHUNK)
    large = workloads.cut(body, LARGE_CHUNK)
    parts = own(stream.dialect, chunks)

    def drain(source: Iterator[bytes]) -> int:
        return sum(1 for _ in source)

    def decode(source: Iterator[bytes]) -> int:
        return own(stream.dialect, source)

    def clock(iterate: Iterate, source: list[bytes]) -> Callable[[], float]:
        return timed(lambda: iterate(source))

    peer, iterate = python_peer(stream)
    clocks: dict[str, Clock] = {OWN: timed(lambda: own(stream.dialect, chunks))}
    if iterate is not None:
        clocks[peer] = clock(iterate, chunks)
    if (behind := sdks.over_transport(decode)) is not None:
        clocks[OWN_OVER_HTTP] = clock(behind, chunks)
    if (transport := sdks.over_transport(drain)) is not None:
        clocks[HTTP_ALONE] = clock(transport, chunks)
    ai_sdk = "AI SDK doStream in Node"
    own_large, node_large = f"{OWN}, 64 KB chunks", f"{ai_sdk}, 64 KB chunks"
    if node is not None:
        clocks[ai_sdk] = node.clock(stream, CHUNK, plan.warm_up)
        clocks[own_large] = timed(lambda: own(stream.dialect, large))
        clocks[node_large] = node.clock(stream, LARGE_CHUNK, plan.warm_up)
    timings = interleaved(clocks, plan.rounds)

    ratio = None if iterate is None else timings.ratio(OWN, peer)
    findings.bars.append(
        Bar(
            f"bytes to parts {stream.name}, to {peer}",
            ">=",
            _PYTHON_BARS[stream.name],
            "x",
            ratio,
            "it is not installed (pip install '.[bench]')",
        )
    )
    for ours, theirs, chunk in ((OWN, ai_sdk, CHUNK), (own_large, node_large, LARGE_CHUNK)):
        ratio = None if node is None else timings.ratio(ours, theirs)
        what = f"events/s {stream.name}, {chunk} B chunks, to the AI SDK in Node"
        findings.bars.append(Bar(what, ">=", _NODE_BAR, "x", ratio, missing))
    findings.tables.append(_table(stream, timings, parts))
    findings.seconds[f"parts/{stream.name}"] = timings.seconds


def _table(stream: Stream, timings: Timings, parts: int) -> Table:
    rows = []
    for name in timings.seconds:
        seconds = timings.median(name)
        each = seconds / stream.count
        rows.append((name, f"{each * 1e6:.2f}", f"{1 / each / 1e3:.0f}", f"{timings.ratio(OWN, name):.2f}"))
    note = "time of each over that of streamcore.Decoder: median of the rounds' ratios. 1400 B chunks unless said"
    title = f"Bytes to parts, {stream.name}: {stream.count} events, {len(stream.body)} B, {parts} parts"
    return Table(title, ("who", "us/event", "1000 events/s", "time ratio"), tuple(rows), note)
