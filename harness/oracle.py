"""Drives the Node program that makes goldens: child processes that speak JSON lines over stdin and stdout.

The messages are described in ``golden/oracle/README.md``. The children are started once and asked many times; one that
hangs or dies is replaced, and only the request that it was busy with is answered with a complaint.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, Self

from harness.child import Child, ChildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

PROTOCOL_VERSION = 1
MIN_NODE = 20
WORKERS = 2
"""Child processes at most; each is one thread of JavaScript."""
RANDOM_CUTS = 3
"""Random chunkings with which the oracle checks itself, beside whole and byte by byte."""
SEED = 1
TIME_LIMIT_S = 60.0
"""For one body and reference, all chunkings together. The slowest real recording takes about 2 s."""
START_LIMIT_S = 60.0
"""Until the first answer: loading the SDKs takes about 1 s, more on a busy machine with cold disks."""
GRACE_S = 5.0
"""How much longer the child may take to say itself that its limit is over; a busy loop in an SDK never says so."""

_INHERITED = ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


class OracleError(Exception):
    """The oracle cannot be run, or broke; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one reference made of one body."""

    reference: str
    lines: tuple[str, ...] = ()
    """The golden's lines, header first; empty if there is no golden."""
    varies: str = ""
    """How the output depended on the chunking, if it did: then it is no golden."""
    failed: str = ""
    """Why there is no output: the SDK did not end in time, or the child process died."""


def _environment() -> dict[str, str]:
    """What a child may see: NODE_OPTIONS, proxies and SDK settings of the user's would change goldens."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def oracle_folder(goldens: Path) -> Path:
    """Where the Node project lies, given the folder of goldens; falls back to the one below the current folder.

    Raises:
        OracleError: in neither place.
    """
    for folder in (goldens / "oracle", Path("golden/oracle")):
        if (folder / "oracle.mjs").is_file():
            return folder.resolve()
    raise OracleError(f"{goldens}/oracle/oracle.mjs: no such file; making goldens needs a checkout of streamparity")


def find_node() -> tuple[str, str]:
    """(path, version) of the Node in PATH.

    Raises:
        OracleError: there is none, or it is older than MIN_NODE.
    """
    node = which("node")
    if node is None:
        raise OracleError(f"making goldens needs Node {MIN_NODE} or newer, and there is no `node` in PATH: install it")
    try:
        asked = subprocess.run(
            [node, "--version"], env=_environment(), capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OracleError(f"{node}: cannot be run ({error}); install Node {MIN_NODE} or newer") from None
    said = asked.stdout.strip()
    found = re.match(r"v(\d+)\.", said)
    if found is None or int(found[1]) < MIN_NODE:
        raise OracleError(f"making goldens needs Node {MIN_NODE} or newer; {node} --version says {said or 'nothing'}")
    return node, said


def _check_installed(folder: Path, installed: dict[str, str]) -> None:
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in sorted(wanted.items()):
        if installed.get(name) != version:
            raise OracleError(
                f"{folder}: {name} {version} is wanted, {installed.get(name, 'nothing')} is installed: "
                "run `npm ci --ignore-scripts` there"
            )


class Oracle:
    """The oracle, ready to be asked. Use as a context manager.

    ``node_version`` is as ``node --version`` says it, ``sdks`` is package -> exact version of what is installed.

    Raises:
        OracleError: Node is missing or too old, or the SDKs are not installed as the lock file has them.
    """

    def __init__(self, folder: Path, *, workers: int = WORKERS, time_limit_s: float = TIME_LIMIT_S) -> None:
        node, self.node_version = find_node()
        if not (folder / "node_modules").is_dir():
            raise OracleError(f"the SDKs are not installed: run `npm ci --ignore-scripts` in {folder}")
        self._time_limit_s = time_limit_s
        command = [node, "oracle.mjs"]
        self._children = [Child(command, folder, _environment()) for _ in range(max(1, workers))]
        self._idle: queue.SimpleQueue[Child] = queue.SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        try:
            hello = self._children[0].ask({"op": "hello", "id": 0}, START_LIMIT_S) or {}
        except ChildError as error:
            raise OracleError(f"the oracle stopped: {error}; is `npm ci --ignore-scripts` in {folder} needed?") from None
        if hello.get("v") != PROTOCOL_VERSION:
            self.close()
            raise OracleError(f"{folder}/oracle.mjs does not speak version {PROTOCOL_VERSION} of the protocol: {hello}")
        self.sdks: dict[str, str] = dict(sorted(hello["sdks"].items()))
        self.references: tuple[str, ...] = tuple(hello["references"])
        try:
            _check_installed(folder, self.sdks)
        except OracleError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child processes."""
        for child in self._children:
            child.close()

    def run(self, requests: Iterable[tuple[str, bytes, str]]) -> Iterator[Answer]:
        """One answer for each (id, body, reference), in order.

        Raises:
            OracleError: a request is wrong (an unknown reference).
        """
        with ThreadPoolExecutor(max_workers=len(self._children)) as pool:
            yield from pool.map(self._answer, requests)

    def _answer(self, request: tuple[str, bytes, str]) -> Answer:
        name, body, reference = request
        message = {
            "op": "run",
            "id": name,
            "ref": reference,
            "body_base64": base64.b64encode(body).decode(),
            "check": {"random": RANDOM_CUTS, "seed": SEED},
            "limit_ms": round(self._time_limit_s * 1000),
        }
        child = self._idle.get()
        try:
            answer = child.ask(message, self._time_limit_s + GRACE_S + (0 if child.running else START_LIMIT_S))
            if answer is not None and answer.get("error", {}).get("code") == "time_limit":
                child.close()  # it ends itself: an SDK may still be busy inside
        except ChildError as error:
            return Answer(reference, failed=f"the oracle stopped: {error}")
        finally:
            self._idle.put(child)
        if answer is None:
            return Answer(reference, failed=f"no answer in {self._time_limit_s:g} s")
        complaint = answer.get("error")
        if complaint is None:
            return Answer(reference, tuple(answer["lines"]), _difference(answer.get("difference")))
        if complaint["code"] in ("unknown_reference", "bad_request"):
            raise OracleError(f"{name}: the oracle refused the request: {complaint['message']}")
        return Answer(reference, failed=complaint["message"])


def _difference(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    whole, other = _short(found["whole"]), _short(found["other"])
    return f"line {found['line'] + 1} depends on the chunking: {whole} whole, {other} with {found['plan']}"


def _short(line: str | None) -> str:
    if line is None:
        return "nothing"
    return line if len(line) <= 120 else f"{line[:117]}..."
