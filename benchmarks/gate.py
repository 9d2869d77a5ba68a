"""``python -m benchmarks.gate [--baseline REVISION] [--rounds N]``: is this checkout slower than the one it is held against?

A stored time would only be about the machine that took it, so what is stored (``baseline.txt``) is a revision, whose
``streamcore`` is unpacked. In each round both run in fresh processes, for a process may be 5 % faster than its twin by
where its memory lies, and are timed in turn, A B, B A, A B, ..., on the same bytes, in CPU time of the thread. A workload
fails if the median of the rounds' ratios is beyond 1.05 and the change is no accident (one-sided sign test, p < 0.05).
Exit codes: 0 as fast, 1 slower, 2 usage, 4 no such revision.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from math import comb
from pathlib import Path
from statistics import median
from typing import IO, TYPE_CHECKING

from benchmarks import workloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.workloads import Stream

ROOT = Path(__file__).resolve().parents[1]
BASELINE = Path(__file__).with_name("baseline.txt")
SLOWER = 1.05
"""A median ratio beyond this is a regression: 5 %."""
SIGNIFICANCE = 0.05
ROUNDS = 15
LEAST_ROUNDS = 5
"""With fewer, not even a change in every round is significant."""
TURNS = 5
"""Of a round, after one to warm up."""
CHUNK = 1400
EVENTS = 1500
ARGUMENTS = 64_000

# Runs with the folder of one streamcore first on its path, so that it imports that one; it never sees the other.
_WORKER = """
import gc, sys
from time import thread_time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import streamcore
assert Path(streamcore.__file__).is_relative_to(sys.argv[1]), streamcore.__file__
bodies = {}
for line in sys.stdin:
    dialect, name, size = line.split()
    body = bodies.setdefault(name, Path(name).read_bytes())
    chunks = [body[at : at + int(size)] for at in range(0, len(body), int(size))]
    gc.collect()
    begin = thread_time()
    decoder = streamcore.Decoder(dialect)
    for chunk in chunks:
        decoder.feed(chunk)
    decoder.close()
    message = decoder.message
    seconds = thread_time() - begin
    assert message.complete
    print(seconds, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One workload: how many times the baseline's time each round took."""

    name: str
    ratios: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return median(self.ratios)

    @property
    def p(self) -> float:
        """How likely so many slower rounds are if both are equally fast: a one-sided sign test."""
        slower = sum(ratio > 1 for ratio in self.ratios)
        rounds = sum(ratio != 1 for ratio in self.ratios)
        return sum(comb(rounds, count) for count in range(slower, rounds + 1)) / 2**rounds

    @property
    def is_slower(self) -> bool:
        """Beyond the bar, and no accident."""
        return self.ratio > SLOWER and self.p < SIGNIFICANCE


class _Contender:
    """A process that decodes with the ``streamcore`` of one folder."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        command = [sys.executable, "-c", _WORKER, str(folder.resolve())]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(process.wait, timeout=30)  # after both ends are closed: callbacks run backwards
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout
        stack.callback(self._out.close)
        stack.callback(self._in.close)

    def seconds(self, dialect: str, body: Path) -> float:
        """CPU seconds of decoding a body once."""
        print(dialect, body, CHUNK, file=self._in, flush=True)
        answer = self._out.readline()
        if not answer:
            raise RuntimeError(f"a decoder ended while it read {dialect}; its complaint stands above")
        return float(answer)


def streams() -> dict[str, Stream]:
    """What is decoded."""
    return {
        "chat, text": workloads.openai_text(EVENTS),
        "chat, arguments": workloads.openai_arguments(ARGUMENTS),
        "messages, text": workloads.anthropic_text(EVENTS),
        "messages, arguments": workloads.anthropic_arguments(ARGUMENTS),
    }


def compare(baseline: Path, candidate: Path, rounds: int) -> list[Outcome]:
    """The outcomes of all workloads; both folders hold a ``streamcore``."""
    ratios: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        bodies = {what: (stream.dialect, Path(name) / str(at)) for at, (what, stream) in enumerate(streams().items())}
        for what, stream in streams().items():
            bodies[what][1].write_bytes(stream.body)
        for _ in range(rounds):
            with ExitStack() as stack:
                before, after = _Contender(baseline, stack), _Contender(candidate, stack)
                for what, (dialect, body) in bodies.items():
                    ratios.setdefault(what, []).append(_ratio(before, after, dialect, body))
    return [Outcome(what, tuple(found)) for what, found in ratios.items()]


def _ratio(before: _Contender, after: _Contender, dialect: str, body: Path) -> float:
    turns = []
    for turn in range(TURNS + 1):
        order = (before, after) if turn % 2 else (after, before)
        seconds = {contender: contender.seconds(dialect, body) for contender in order}
        turns.append(seconds[after] / seconds[before])
    return median(turns[1:])


def unpack(revision: str, folder: Path) -> None:
    """Writes the ``streamcore`` of a revision into a folder. Raises LookupError where there is none."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", "--end-of-options", revision, "streamcore"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise LookupError("git is not installed") from None
    if done.returncode:
        raise LookupError(done.stderr.decode(errors="replace").strip())
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares and prints. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gate", description="is this checkout slower than that one?"
    )
    parser.add_argument("--baseline", metavar="REVISION", help=f"default: the one in {BASELINE.name}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}")
    options = parser.parse_args(arguments)
    if options.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds: at least {LEAST_ROUNDS}, or no change is ever significant")
    revision = options.baseline or BASELINE.read_text(encoding="ascii").strip()
    with tempfile.TemporaryDirectory() as name:
        try:
            unpack(revision, Path(name))
        except LookupError as error:
            print(f"gate: no streamcore of {revision}: {error}; name another with --baseline", file=sys.stderr)
            return 4
        outcomes = compare(Path(name), ROOT, options.rounds)
    print(f"against {revision[:12]}, {options.rounds} rounds, median of the rounds' ratios (more is slower)")
    for outcome in outcomes:
        verdict = "SLOWER" if outcome.is_slower else "ok"
        print(f"  {outcome.name:20} {outcome.ratio:6.3f} x   p = {outcome.p:.4f}   {verdict}")
    return 1 if any(outcome.is_slower for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
