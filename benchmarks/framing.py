"""SSE decode alone: bytes in, events out, streamcore's framer beside the decoders of three Python packages."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from benchmarks import workloads
from benchmarks.findings import Bar, Findings, Table
from benchmarks.timing import interleaved, timed
from streamcore.framing.sse import SseFramer

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.plan import Plan
    from benchmarks.workloads import Stream

    Decode = Callable[[list[bytes]], int]

OWN = "SseFramer"
OWN_TEXT = "SseFramer + str"
BAR = 2.5
BAR_CHUNKS = (1400, 16384, 65536)
CHUNKS = (1, 64, *BAR_CHUNKS)
_EVENTS_AT_FULL_SIZE = {1: 600, 64: 3000, 1400: 12000, 16384: 12000, 65536: 12000}
"""Events of a timed body per chunk size: some 10 ms or more for the fastest contender."""


def own(chunks: list[bytes]) -> int:
    """Events that streamcore's framer finds."""
    framer = SseFramer()
    feed = framer.feed
    events = 0
    for chunk in chunks:
        events += len(feed(chunk))
    framer.close()
    return events


def own_with_text(chunks: list[bytes]) -> int:
    """The same with every payload decoded to str, which the peers always do and a JSON decoder has no use for."""
    framer = SseFramer()
    feed = framer.feed
    events = 0
    for chunk in chunks:
        events += len([data.decode() for data, _, _, _ in feed(chunk)])
    framer.close()
    return events


def peers() -> dict[str, Decode]:
    """The decoders that are installed, by name."""
    found: dict[str, Decode] = {}
    try:
        from openai._streaming import SSEDecoder as OpenAIDecoder

        found["openai"] = lambda chunks: sum(1 for _ in OpenAIDecoder().iter_bytes(iter(chunks)))
    except ImportError:
        pass
    try:
        from anthropic._streaming import SSEDecoder as AnthropicDecoder

        found["anthropic"] = lambda chunks: sum(1 for _ in AnthropicDecoder().iter_bytes(iter(chunks)))
    except ImportError:
        pass
    try:
        import httpx_sse  # noqa: F401 - only to see whether it is there

        found["httpx-sse"] = _httpx_sse
    except ImportError:
        pass
    return found


def _httpx_sse(chunks: list[bytes]) -> int:
    # As its EventSource.iter_sse does, but from bytes in memory.
    from httpx_sse._decoders import SSEDecoder, SSELineDecoder

    text = codecs.getincrementaldecoder("utf-8")(errors="replace")
    lines = SSELineDecoder()
    events = SSEDecoder()
    found = 0
    for chunk in chunks:
        for line in lines.decode(text.decode(chunk)):
            if events.decode(line.rstrip("\n")) is not None:
                found += 1
    return found


def measure(plan: Plan) -> Findings:
    """MB/s of everyone on W1 and W2 at every chunk size."""
    findings = Findings()
    others = peers()
    for make in (workloads.openai_text, workloads.anthropic_text):
        rows: list[tuple[str, ...]] = []
        for size in CHUNKS:
            stream = make(plan.scaled(_EVENTS_AT_FULL_SIZE[size]))
            _measure_one(stream, size, others, plan, rows, findings)
        each = len(stream.body) // stream.count
        note = "MB/s, median; ratio to the fastest peer. Peers give str, SseFramer gives bytes: hence the second row"
        title = f"SSE decode, {stream.name}: {stream.dialect} text, {each} B an event"
        head = ("chunk", OWN, OWN_TEXT, *others, "ratio", "ratio + str")
        findings.tables.append(Table(title, head, tuple(rows), note))
    return findings


def _measure_one(
    stream: Stream, size: int, others: dict[str, Decode], plan: Plan, rows: list[tuple[str, ...]], findings: Findings
) -> None:
    body = stream.body
    chunks = workloads.cut(body, size)
    decoders: dict[str, Decode] = {OWN: own, OWN_TEXT: own_with_text, **others}
    timings = interleaved(
        {name: timed(lambda decode=decode: decode(chunks)) for name, decode in decoders.items()},  # type: ignore[misc]
        plan.rounds,
    )
    rates = [f"{len(body) / timings.median(name) / 1e6:.1f}" for name in decoders]
    ratio = None
    ratios = ["-", "-"]
    if others:
        fastest = timings.fastest(list(others))
        ratio = timings.ratio(OWN, fastest)
        ratios = [f"{ratio:.2f}", f"{timings.ratio(OWN_TEXT, fastest):.2f}"]
    rows.append((f"{size} B", *rates, *ratios))
    findings.seconds[f"sse/{stream.name}/{size}"] = timings.seconds
    if size in BAR_CHUNKS:
        missing = "no peer is installed (pip install '.[bench]')"
        what = f"SSE decode {stream.name}, {size} B chunks, to the fastest peer"
        findings.bars.append(Bar(what, ">=", BAR, "x", ratio, missing))
