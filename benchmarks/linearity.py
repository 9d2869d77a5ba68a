"""What four times as much costs: one open event, and the arguments of one tool call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import workloads
from benchmarks.findings import Bar, Findings, Table
from benchmarks.parts import own
from benchmarks.timing import interleaved, timed
from streamcore.framing.sse import SseFramer

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.plan import Plan
    from benchmarks.timing import Timings

BAR = 5.5
_FACTOR = 4
_EVENT_BYTES = {1: 64 << 10, 64: 512 << 10, 1400: 512 << 10}
"""Chunk size -> size of the smaller event."""
_LARGE_EVENT_BYTES = 4 << 20
"""From some MB on the C allocator takes every buffer fresh from the system, whose page faults then are most of the time,
and whether 4 n crosses that line and n does not decides the ratio. So the large event has no bar but a control."""
_ARGUMENTS_BYTES = 32 << 10
_CHUNK = 1400


def decode_event(chunks: list[bytes], size: int) -> None:
    """Frames one event; ``size`` is that of its body, to check that all of it came out."""
    framer = SseFramer()
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    [(data, _, _, end)] = frames
    if end != size or len(data) != size - len(b"data: \n\n"):
        raise AssertionError("the event was not framed whole")


def collect_bytes(chunks: list[bytes], size: int) -> None:
    """The control: no framing, only what any framer must do with memory (collect the bytes, hand out the payload)."""
    collected = bytearray()
    for chunk in chunks:
        collected += chunk
    payload = bytes(collected)[len(b"data: ") :]
    if len(payload) != size - len(b"data: "):
        raise AssertionError("the control lost bytes")


def measure(plan: Plan) -> Findings:
    """Time for n and for 4 n, interleaved."""
    findings = Findings()
    rows: list[tuple[str, ...]] = []
    for chunk, full_size in _EVENT_BYTES.items():
        size = plan.scaled(full_size)
        small, large = (workloads.open_event(factor * size) for factor in (1, _FACTOR))
        one, four = (workloads.cut(body, chunk) for body in (small, large))
        _compare(
            f"one open event, {chunk} B chunks",
            len(small),
            len(large),
            lambda one=one, small=small: decode_event(one, len(small)),  # type: ignore[misc]
            lambda four=four, large=large: decode_event(four, len(large)),  # type: ignore[misc]
            plan,
            rows,
            findings,
        )
    _compare_large(plan, rows, findings)
    for make in (workloads.openai_arguments, workloads.anthropic_arguments):
        size = plan.scaled(_ARGUMENTS_BYTES)
        less, more = (make(factor * size) for factor in (1, _FACTOR))
        few, many = (workloads.cut(stream.body, _CHUNK) for stream in (less, more))
        dialect = less.dialect
        _compare(
            f"tool arguments, {dialect}",
            len(less.body),
            len(more.body),
            lambda few=few, dialect=dialect: own(dialect, few),  # type: ignore[misc]
            lambda many=many, dialect=dialect: own(dialect, many),  # type: ignore[misc]
            plan,
            rows,
            findings,
        )
    head = ("what", "n", "ms", "4 n", "ms", "ratio")
    note = "tool arguments: in pieces of 8 characters, 1400 B chunks; n and 4 n are bytes of the body; see README.md"
    findings.tables.append(Table("Four times as much", head, tuple(rows), note))
    return findings


def _compare_large(plan: Plan, rows: list[tuple[str, ...]], findings: Findings) -> None:
    size = plan.scaled(_LARGE_EVENT_BYTES)
    bodies = [workloads.open_event(factor * size) for factor in (1, _FACTOR)]
    cuts = [workloads.cut(body, _CHUNK) for body in bodies]
    for what, work in (("framed", decode_event), ("control", collect_bytes)):
        name = f"one large open event, {what} (no bar)"
        timings = interleaved(
            {
                "n": timed(lambda work=work: work(cuts[0], len(bodies[0]))),  # type: ignore[misc]
                "4 n": timed(lambda work=work: work(cuts[1], len(bodies[1]))),  # type: ignore[misc]
            },
            plan.rounds,
        )
        rows.append(_row(name, len(bodies[0]), len(bodies[1]), timings))
        findings.seconds[f"linearity/{name}"] = timings.seconds


def _row(what: str, small: int, large: int, timings: Timings) -> tuple[str, ...]:
    one, four = (f"{timings.median(name) * 1e3:.2f}" for name in ("n", "4 n"))
    return what, str(small), one, str(large), four, f"{timings.ratio('n', '4 n'):.2f}"


def _compare(
    what: str,
    small: int,
    large: int,
    one: Callable[[], object],
    four: Callable[[], object],
    plan: Plan,
    rows: list[tuple[str, ...]],
    findings: Findings,
) -> None:
    timings = interleaved({"n": timed(one), "4 n": timed(four)}, plan.rounds)
    findings.bars.append(Bar(f"{what}: time for 4 n over n", "<=", BAR, "x", timings.ratio("n", "4 n")))
    rows.append(_row(what, small, large, timings))
    findings.seconds[f"linearity/{what}"] = timings.seconds
