"""Raises processes that record one stream after another into the same file, until they are killed.

``python recording_nursery.py CASSETTE URL WRITER``: for each line on stdin one process; its id goes to stdout, and, when it is
gone, its status. What is written takes its time, as on a slow disk. ``WRITER`` is ``ours``, or ``careless``: one that writes
in place, which whoever looks for broken cassettes must catch.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

import harness.cassette
from harness.recording import recording

PIECES = 40
SLOWNESS_SECONDS = 0.001
_open = os.fdopen


class SlowFile:
    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> SlowFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, text: str) -> None:
        step = len(text) // PIECES + 1
        for start in range(0, len(text), step):
            self._file.write(text[start : start + step])
            self._file.flush()
            time.sleep(SLOWNESS_SECONDS)


def careless(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with SlowFile(path.open("w")) as file:
        file.write(text)


def record(path: Path, url: str) -> None:
    # Without certificates, which take longer to read than all the rest.
    transport = httpx.HTTPTransport(verify=False)
    with recording(path, dialect="openai-chat", overwrite=True, transport=transport) as client:
        client.post(url, json={"model": "m", "stream": True})


def main() -> None:
    path, url, writer = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if writer == "careless":
        harness.cassette.write_atomically = careless
    else:
        mock.patch.object(os, "fdopen", lambda *args, **named: SlowFile(_open(*args, **named))).start()
    record(path, url)  # the first cassette, which could be lost; and what is loaded here, no child has to load
    for _ in sys.stdin:
        try:
            child = os.fork()
            while child == 0:
                record(path, url)
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the child must not go on as a nursery
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
