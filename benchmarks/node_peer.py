"""The AI SDK in a Node process that is started once and asked for one timing after the other.

So that Node takes part in the same rounds as everyone else. It times itself, and reads and cuts the file beforehand:
neither its start nor the way between the processes is in the figure.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, Self, cast

from benchmarks.environment import ROOT

if TYPE_CHECKING:
    from types import TracebackType
    from typing import IO

    from benchmarks.workloads import Stream

_PACKAGE = ROOT / "golden" / "oracle" / "package.json"
_SCRIPT = Path(__file__).with_name("ai_sdk.mjs")


def why_not() -> str:
    """Why the AI SDK cannot be run here; empty if it can."""
    if which("node") is None:
        return "no `node` on PATH"
    if not (_PACKAGE.parent / "node_modules" / "@ai-sdk" / "openai").is_dir():
        return "no node_modules (run `npm ci` in golden/oracle)"
    return ""


class NodeFailedError(Exception):
    """The Node process gave no answer; what it wrote to stderr."""


class AiSdk:
    """A running Node process; a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="streamparity-bench-")
        self._errors: IO[str] = (Path(self._folder.name) / "stderr").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            ["node", "--expose-gc", str(_SCRIPT), str(_PACKAGE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )
        self._files: dict[str, Path] = {}
        self.versions: dict[str, str] = self._answer()["versions"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cast("IO[str]", self._process.stdin).close()
        self._process.wait()
        cast("IO[str]", self._process.stdout).close()
        self._errors.close()
        self._folder.cleanup()

    def run(self, stream: Stream, chunk: int) -> tuple[float, int]:
        """Seconds that doStream took for all of ``stream`` in chunks of ``chunk`` bytes, and the parts it gave."""
        if stream.name not in self._files:
            path = Path(self._folder.name) / stream.name
            path.write_bytes(stream.body)
            self._files[stream.name] = path
        request = {"dialect": stream.dialect, "file": str(self._files[stream.name]), "chunk": chunk}
        stdin = cast("IO[str]", self._process.stdin)
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None
        answer = self._answer()
        return answer["ms"] / 1000, answer["parts"]

    def _answer(self) -> Any:
        line = cast("IO[str]", self._process.stdout).readline()
        if not line:
            raise self._failure()
        return json.loads(line)

    def _failure(self) -> NodeFailedError:
        self._process.wait()
        self._errors.seek(0)
        return NodeFailedError(self._errors.read().strip()[-500:] or f"node ended with {self._process.returncode}")
