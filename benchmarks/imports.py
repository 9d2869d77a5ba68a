"""What ``import streamcore`` costs, each time in a fresh process, beside the SDKs."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.environment import ROOT, resident_bytes, version_of
from benchmarks.findings import Bar, Findings, Table

if TYPE_CHECKING:
    from benchmarks.plan import Plan

BAR_MB = 8.0
_MOST_ROUNDS = 5
"""An import of the SDKs takes seconds."""
_CANDIDATES = ("streamcore", "openai", "anthropic")
_PROGRAM = """
import json, sys, time
from benchmarks.environment import resident_bytes
size = resident_bytes() or 0
begin = time.perf_counter()
__import__(sys.argv[1])
print(json.dumps([time.perf_counter() - begin, (resident_bytes() or 0) - size]))
"""


def measure(plan: Plan) -> Findings:
    """Milliseconds and resident memory, interleaved."""
    names = [name for name in _CANDIDATES if name == "streamcore" or version_of(name) != "not installed"]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    sizes: dict[str, list[float]] = {name: [] for name in names}
    # The first turn fills the caches of the file system; a smoke run has no other.
    for turn in range(1 if plan.smoke else 1 + min(plan.rounds, _MOST_ROUNDS)):
        for name in names:
            command = [sys.executable, "-c", _PROGRAM, name]
            answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            took, size = json.loads(answer.stdout)
            if turn or plan.smoke:
                seconds[name].append(took)
                sizes[name].append(size / 1e6)
    rows = tuple((name, f"{median(seconds[name]) * 1e3:.0f}", f"{median(sizes[name]):.1f}") for name in names)
    note = "over a bare Python that has already loaded what the measurement needs (platform, datetime, pathlib, ...)"
    no_rss = "" if resident_bytes() is not None else "no /proc on this system"
    growth = None if no_rss else median(sizes["streamcore"])
    return Findings(
        [Bar("import streamcore: resident memory", "<=", BAR_MB, "MB", growth, no_rss)],
        [Table("Import", ("package", "ms", "MB resident"), rows, note)],
        {"import": seconds},
    )
