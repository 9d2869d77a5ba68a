"""A recording that is killed, at any moment, leaves the old cassette or the new one."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassette import CassetteError, load
from harness.record.simulator import Answer, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

NURSERY = Path(__file__).with_name("recording_nursery.py")
LONGEST_SECONDS = 0.4
"""Several recordings by a quick machine, and about one by a busy one."""


class Source:
    """Streams that differ from each other, each with its number in its first chunk and its length by that number."""

    def __init__(self) -> None:
        self.count = 0

    def answer(self, _path: str, _request: Any) -> Answer:
        self.count += 1
        return Answer(chunks(self.count), pause_ms=1)


def chunks(number: int) -> tuple[bytes, ...]:
    return (f"data: {number}\n\n".encode(), *(b"data: %d\n\n" % at for at in range(number % 7)), b"data: [DONE]\n\n")


@contextmanager
def nursery(path: Path, writer: str) -> Iterator[tuple[subprocess.Popen[str], Source]]:
    source = Source()
    with Simulator(source.answer) as simulator:
        command = [sys.executable, str(NURSERY), str(path), f"{simulator.address}/v1/chat/completions", writer]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield process, source
            assert process.stdin is not None
            process.stdin.close()


def interrupt(process: subprocess.Popen[str], number: signal.Signals, after: float) -> int:
    """Start a recorder, send it a signal after so many seconds, and return its exit code."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    child = int(process.stdout.readline())
    time.sleep(after)
    os.kill(child, number)
    # A process that is just being born forgets a SIGINT: Python clears what is pending after a fork.
    while not select.select([process.stdout], [], [], 2)[0]:
        os.kill(child, number)
    return int(process.stdout.readline())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("number", "times"), [(signal.SIGKILL, 50), (signal.SIGINT, 10)])
def test_no_cassette_is_lost_or_half_written(number: signal.Signals, times: int, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    moments = random.Random(20261121)
    found: list[bytes] = []
    with nursery(path, "ours") as (process, source):
        for _ in range(times):
            exited = interrupt(process, number, moments.uniform(0, LONGEST_SECONDS))
            assert exited == (-signal.SIGKILL if number == signal.SIGKILL else 130)
            (interaction,) = load(path).interactions
            which = int(interaction.body.split(b"\n", 1)[0].removeprefix(b"data: "))
            assert which <= source.count
            assert interaction.body == b"".join(chunks(which))
            assert interaction.stream.chunks == tuple(map(len, chunks(which)))
            assert interaction.stream.end == "complete"
            found.append(interaction.body)
    assert len(set(found)) > times // 10, "the recorder hardly recorded: nothing was at stake"
    if number == signal.SIGINT:
        assert [entry.name for entry in path.parent.iterdir()] == ["x.yaml"], "an interrupted writer cleans up"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_writer_that_writes_in_place_is_caught(tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    moments = random.Random(1)
    with nursery(path, "careless") as (process, _):
        for _ in range(100):
            interrupt(process, signal.SIGKILL, moments.uniform(0.05, LONGEST_SECONDS))
            try:
                load(path)
            except CassetteError:
                return
    pytest.fail("100 kills of a careless writer, and no cassette broken: the test above proves nothing")
