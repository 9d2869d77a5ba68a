"""A child process that answers one JSON line with one JSON line.

It is started by the first question. One that hangs or dies is ended, and the next question starts another, so that it
costs the question it was busy with and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import queue
import re
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_PIPE_BYTES = 4096
"""What a pipe takes at once on every system (POSIX, ``PIPE_BUF`` of Linux)."""


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
        self._stderr: IO[bytes] | None = None
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
        complaint = self._complaint()
        self.close()
        if late.is_set():
            return None
        raise ChildError(complaint)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return answer
        self.close()  # what it says next belongs to nothing we know
        shown = line[:80].decode("utf-8", "backslashreplace").strip()
        raise ChildError(f"answered a line that is no JSON object: {shown!r}")

    def _start(self) -> subprocess.Popen[bytes]:
        # A file, not a pipe: nobody reads it while the child is well, and a full pipe would stop the child.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _end()
        self._lines = queue.SimpleQueue()
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
            )
        except OSError as error:
            raise ChildError(f"{self._command[0]}: cannot be started: {error.strerror or error}") from None
        finally:
            reader = threading.Thread(target=_read, args=(self._process, self._lines), daemon=True)
            # Also when nobody closes us: an unread child would outlive those who asked it.
            self._end = weakref.finalize(self, _end, self._process, self._stderr, reader)
        reader.start()
        return self._process

    def _complaint(self) -> str:
        if self._stderr is None:
            return "no message"
        self._stderr.seek(0)
        text = self._stderr.read().decode("utf-8", "replace")
        found = re.findall(r"^.*Error.*$", text, re.MULTILINE)
        # Node says what went wrong before it shows the stack, Python after it.
        told = found[-1] if "Traceback" in text and found else found[0] if found else " ".join(text.split())[-300:]
        return told.strip() or "no message"

    def close(self) -> None:
        """Ends the process; the next question starts another."""
        self._process, self._stderr = None, None
        if self._end is not None:
            self._end()
            self._end = None


def _read(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Hands on what it says, and ``b""`` when it has ended."""
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put(b"")


def _end(process: subprocess.Popen[bytes] | None, stderr: IO[bytes], reader: threading.Thread) -> None:
    if process is not None:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(2)
        if process.stdout is not None and not reader.is_alive():
            process.stdout.close()
    stderr.close()
