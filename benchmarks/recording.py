"""What recording costs a client that waits: the time to the first byte, direct, in process, and through the proxy."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.environment import ROOT
from benchmarks.findings import Bar, Findings, Table
from harness.record.simulator import Answer, Simulator
from harness.recording import recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.plan import Plan

BAR_MS = 5.0
CHUNKS = 20
PAUSE_MS = 5.0
"""Between two chunks: a recorder that waited for the end would be twenty times beyond the bar."""
REQUESTS = 100
REST_SECONDS = 0.1
"""Between two requests: the proxy writes each cassette when its stream is over, and a request in that moment waits for it."""
_PROXY = "from harness.record.cli import record; record()"


def measure(plan: Plan) -> Findings:
    """Milliseconds from the request to the first byte, and to the last; the three ways in turn within a round."""
    answer = Answer(tuple(b"data: %d\n\n" % number for number in range(CHUNKS)), pause_ms=PAUSE_MS)
    requests = max(1, plan.scaled(REQUESTS) // plan.rounds)
    first: dict[str, list[float]] = {}
    last: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(lambda _path, _request: answer) as simulator,
        ExitStack() as stack,
    ):
        # One scenario's cassette holds 64 exchanges; here none is written.
        recorder = recording(Path(folder) / "openai-chat" / "x.yaml")
        ways: Mapping[str, tuple[Any, str]] = {
            "direct": (stack.enter_context(httpx.Client()), simulator.address),
            "recording": (stack.enter_context(httpx.Client(transport=recorder.transport())), simulator.address),
            "proxy": (stack.enter_context(httpx.Client()), stack.enter_context(_Proxy(simulator.address, folder))),
        }
        for turn in range(plan.rounds):
            for name, (client, address) in ways.items():
                for number in range(requests):
                    sleep(REST_SECONDS)
                    begin = perf_counter()
                    with client.stream("POST", f"{address}/v1/chat/completions", json={"model": "m"}) as response:
                        chunks: Iterator[bytes] = response.iter_raw()
                        next(chunks)
                        seen = perf_counter() - begin
                        assert sum(1 for _ in chunks) == CHUNKS - 1
                    if turn or number:  # the first request opens what the others use
                        first.setdefault(name, []).append(seen * 1e3)
                        last.setdefault(name, []).append((perf_counter() - begin) * 1e3)
    base = median(first["direct"])
    rows = tuple(
        (name, f"{median(first[name]):.2f}", f"{_late(first[name]):.2f}", f"{median(last[name]):.1f}") for name in ways
    )
    bars = [
        Bar(f"first byte while recording ({name})", "<=", BAR_MS, "ms later", median(first[name]) - base)
        for name in ("recording", "proxy")
    ]
    count = len(first["direct"])
    note = f"{CHUNKS} chunks, {PAUSE_MS:g} ms apart, over loopback; {count} requests each, in turn, {REST_SECONDS:g} s apart"
    table = Table("Recording", ("way", "first byte ms", "p95 ms", "last byte ms"), rows, note)
    return Findings(bars, [table], {"recording": {name: [ms / 1e3 for ms in first[name]] for name in first}})


def _late(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


class _Proxy:
    """The command, in a process of its own as users run it; entering gives its address."""

    def __init__(self, upstream: str, folder: str) -> None:
        self._command = [sys.executable, "-c", _PROXY, "--proxy", "--upstream", upstream, "--out", folder]

    def __enter__(self) -> str:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()
