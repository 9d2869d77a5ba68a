"""``python -m benchmarks [--smoke] [--only NAME] [--rounds N] [--out FILE]``.

The exit code says whether the benchmarks ran, never how fast anything was.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import dialects, framing, imports, incremental, latency, linearity, memory, parts, recording
from benchmarks.environment import describe
from benchmarks.findings import Findings, as_json, as_markdown, as_text, bars_table, markdown_rows
from benchmarks.node_peer import NodeFailedError
from benchmarks.plan import FULL_ROUNDS, SMOKE_ROUNDS, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEASUREMENTS: dict[str, Callable[[Plan], Findings]] = {
    "sse": framing.measure,
    "parts": parts.measure,
    "dialects": dialects.measure,
    "linearity": linearity.measure,
    "json": incremental.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "import": imports.measure,
    "recording": recording.measure,
}
_LEAST_ROUNDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what ``arguments`` ask for and prints it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="streamcore beside its peers")
    parser.add_argument("--smoke", action="store_true", help="the same code on tiny data: figures mean nothing")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="one measurement; may be repeated")
    parser.add_argument("--rounds", type=int, help=f"interleaved rounds (default {FULL_ROUNDS}, smoke {SMOKE_ROUNDS})")
    parser.add_argument("--out", type=Path, help="also write the results here: JSON if it ends in .json, else Markdown")
    options = parser.parse_args(arguments)
    if options.rounds is not None and options.rounds < _LEAST_ROUNDS:
        parser.error(f"--rounds: at least {_LEAST_ROUNDS}, for a median that means something")
    if options.out is not None and (options.out.is_dir() or not options.out.parent.is_dir()):
        parser.error(f"--out: {options.out} is not a file in a folder that exists")
    plan = Plan(options.smoke, options.rounds or (SMOKE_ROUNDS if options.smoke else FULL_ROUNDS))
    # Where on this machine the results went is nobody's business.
    words = [Path(word).name if "/" in word else word for word in (sys.argv[1:] if arguments is None else arguments)]
    command = " ".join(["python -m benchmarks", *words])

    begin = perf_counter()
    environment = describe()
    findings = Findings()
    for name, measure in MEASUREMENTS.items():
        if options.only and name not in options.only:
            continue
        try:
            found = measure(plan)
        except NodeFailedError as error:
            print(f"benchmarks: the AI SDK broke in Node: {error}", file=sys.stderr)
            return 1
        for table in found.tables:
            print(as_text(table), flush=True)
            if table.for_readme:
                print("", *markdown_rows(table), sep="\n")
        findings.add(found)
    environment["run"] = f"{plan.rounds} interleaved rounds, {perf_counter() - begin:.0f} s"
    if plan.smoke:
        environment["smoke run"] = "tiny data; the figures mean nothing"
    print()
    for name, value in environment.items():
        print(f"{name}: {value}")
    print(as_text(bars_table(findings.bars)))
    if options.out is not None:
        if options.out.suffix == ".json":
            text = json.dumps(as_json(environment, command, findings), indent=1) + "\n"
        else:
            text = as_markdown(environment, command, findings)
        _write(options.out, text)
        print(f"\nwritten to {options.out}")
    return 0


def _write(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)  # noqa: PTH101
    Path(file.name).replace(path)


if __name__ == "__main__":
    sys.exit(main())
