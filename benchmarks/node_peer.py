"""The AI SDK in a Node process that is started once and asked for one timing after the other.

So that Node takes part in the same rounds as everyone else. It times itself, and reads and cuts the file beforehand:
neither its start nor the way between the processes is in the figure.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, Self, cast

from benchmarks.environment import ROOT
from harness.references import REFERENCES
from streamcore import Decoder

if TYPE_CHECKING:
    from types import TracebackType
    from typing import IO

    from benchmarks.timing import Clock
    from benchmarks.workloads import Stream
    from harness.references import Reference

SAID = ("text-delta", "tool-call", "finish")
"""Parts of which both sides must have the same number. Of others one may have more: some references leave out
reasoning, or say what the request said."""
_PACKAGE = ROOT / "golden" / "oracle" / "package.json"
_SCRIPT = Path(__file__).with_name("ai_sdk.mjs")


def why_not() -> str:
    """Why the AI SDK cannot be run here; empty if it can."""
    if which("node") is None:
        return "no `node` on PATH"
    if not (_PACKAGE.parent / "node_modules" / "@ai-sdk" / "openai").is_dir():
        return "no node_modules (run `npm ci` in golden/oracle)"
    return ""


def said(stream: Stream) -> dict[str, int]:
    """The parts of the types :data:`SAID` that streamcore gives."""
    decoder = Decoder(stream.dialect)
    counted = Counter(part.type for part in (*decoder.feed(stream.body), *decoder.close()))
    return {name: counted[name] for name in SAID}


def reference_of(dialect: str) -> Reference | None:
    """The AI SDK's model for a dialect, as the oracle names it; None if it has none."""
    return next((reference for reference in REFERENCES.get(dialect, ()) if reference.kind == "trace"), None)


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

    def run(self, stream: Stream, chunk: int) -> tuple[float, dict[str, int]]:
        """Seconds that doStream took for all of ``stream`` in chunks of ``chunk`` bytes, and the parts it gave, by type."""
        if stream.name not in self._files:
            path = Path(self._folder.name) / stream.name
            path.write_bytes(stream.for_reference or stream.body)
            self._files[stream.name] = path
        reference = reference_of(stream.dialect)
        assert reference is not None
        request = {"reference": reference.name, "file": str(self._files[stream.name]), "chunk": chunk}
        stdin = cast("IO[str]", self._process.stdin)
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None
        answer = self._answer()
        return answer["ms"] / 1000, answer["parts"]

    def clock(self, stream: Stream, chunk: int, warm_up: int) -> Clock:
        """The clock of ``stream`` in chunks of ``chunk`` bytes, after ``warm_up`` runs of it.

        Every run must say what streamcore says.
        """
        expected = said(stream)

        def run() -> float:
            seconds, parts = self.run(stream, chunk)
            if (found := {name: parts.get(name, 0) for name in SAID}) != expected:
                raise AssertionError(f"{stream.name}: the AI SDK gave {found}, streamcore {expected}")
            return seconds

        for _ in range(warm_up):
            run()
        return run

    def _answer(self) -> Any:
        line = cast("IO[str]", self._process.stdout).readline()
        if not line:
            raise self._failure()
        return json.loads(line)

    def _failure(self) -> NodeFailedError:
        self._process.wait()
        self._errors.seek(0)
        return NodeFailedError(self._errors.read().strip()[-500:] or f"node ended with {self._process.returncode}")
