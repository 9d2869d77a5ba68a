"""A child process that answers one JSON line with one JSON line.

It is started by the first question. One that hangs or dies is ended, and the next question starts another, so that it
costs the question it was busy with and nothing else.
"""

from __future__ import annotations

import contextlib
import io
import json
import queue
import re
import signal
import subprocess
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_PIPE_BYTES = 4096
"""What a pipe takes at once on every system (POSIX, ``PIPE_BUF`` of Linux)."""
_ANSWER_BYTES = 1 << 28
"""Of one answer: more than any body comes to, and less than a child that never ends its line would fill memory with."""
_KEPT_BYTES = 1 << 16
"""Of what it says on stderr: so much of the beginning, and so much of the end. A child may say more than a disk holds."""
_TOLD = 300
"""Characters of what it said that are quoted."""


class ChildError(Exception):
    """It cannot be started, died, or said something that is no JSON object; the message is one line."""


class Child:
    """One child process, asked one thing at a time.

    Args:
        command: the program and its arguments.
        folder: its working directory.
        environment: all of its environment; None gives it ours.
    """

    def __init__(self, command: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._said = bytearray()
        self._listener: threading.Thread | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._end: Callable[[], object] | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started; it may still be busy loading."""
        return self._process is not None

    def ask(self, message: Mapping[str, Any], limit_s: float) -> dict[str, Any] | None:
        """The answer, or None if the child had to be ended because it gave none within ``limit_s`` seconds.

        Raises:
            ChildError: see there.
        """
        process = self._process or self._start()
        if process.stdin is None:  # never: it is a pipe
            raise ChildError("no pipe")
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        question = json.dumps(message).encode() + b"\n"
        # Only what does not fit into the pipe can get stuck in it; a timer is a thread, too dear for each small question.
        timer = threading.Timer(limit_s, end) if len(question) > _PIPE_BYTES else None
        line = b""
        try:
            if timer is not None:
                timer.start()
            process.stdin.write(question)
            process.stdin.flush()
            line = self._lines.get(timeout=limit_s)
        except OSError:
            pass  # it died while being written to; what it said is in stderr
        except queue.Empty:
            end()
        finally:
            if timer is not None:
                timer.cancel()
        if line.endswith(b"\n"):
            return self._answer(line)
        if late.is_set():
            self.close()
            return None
        endless = len(line) >= _ANSWER_BYTES
        complaint = f"answered a line of more than {_ANSWER_BYTES >> 20} MiB" if endless else self._complaint(process)
        self.close()
        raise ChildError(complaint)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(line, parse_constant=_no_json)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict):
            return answer
        self.close()  # what it says next belongs to nothing we know
        shown = line[:80].decode("utf-8", "backslashreplace").strip()
        raise ChildError(f"answered a line that is no JSON object: {shown!r}")

    def _start(self) -> subprocess.Popen[bytes]:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        said = bytearray()
        try:
            process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
            raise ChildError(f"{self._command[0]}: cannot be started: {getattr(error, 'strerror', None) or error}") from None
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        listener = threading.Thread(target=_listen, args=(process, said), daemon=True)
        # Also when nobody closes us: an unread child would outlive those who asked it.
        self._end = weakref.finalize(self, _end, process, reader, listener)
        self._process, self._lines, self._said, self._listener = process, lines, said, listener
        reader.start()
        listener.start()
        return process

    def _complaint(self, process: subprocess.Popen[bytes]) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        if self._listener is not None:
            self._listener.join(2)
        text = self._said.decode("utf-8", "replace")
        found = re.findall(r"^.*Error.*$", text, re.MULTILINE)
        # Node says what went wrong before it shows the stack, Python after it.
        told = found[-1] if "Traceback" in text and found else found[0] if found else " ".join(text.split())[-_TOLD:]
        told = told.strip()
        if len(told) > _TOLD:
            told = f"{told[:_TOLD]}... (shortened)"
        code = process.returncode
        if code is None or (told and code >= 0):
            return told or "no message"
        return f"{told or 'no message'} ({_ended_by(code)})"

    def close(self) -> None:
        """Ends the process; the next question starts another."""
        self._process = None
        if self._end is not None:
            self._end()
            self._end = None


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _ended_by(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def _read(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Hands on what it says, and ``b""`` when it has ended."""
    if process.stdout is not None:
        while line := process.stdout.readline(_ANSWER_BYTES):
            lines.put(line)
    lines.put(b"")


def _listen(process: subprocess.Popen[bytes], said: bytearray) -> None:
    """Keeps what it says on stderr: nobody else reads that while it is well, and a full pipe would stop it."""
    if isinstance(process.stderr, io.BufferedReader):  # as every pipe is that was opened for reading
        while data := process.stderr.read1(_KEPT_BYTES):
            said += data
            if len(said) > 2 * _KEPT_BYTES:
                del said[_KEPT_BYTES:-_KEPT_BYTES]


def _end(process: subprocess.Popen[bytes], reader: threading.Thread, listener: threading.Thread) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for thread, pipe in ((reader, process.stdout), (listener, process.stderr)):
        thread.join(2)
        if pipe is not None and not thread.is_alive():
            pipe.close()
