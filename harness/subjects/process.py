"""A subject in a process of its own, in any language: JSON lines on stdin and stdout.

Four questions, one answer each, in order; ``id`` is given back as it came. ``harness/schemas/subject-protocol.schema.json``
has every message, ``docs/write-a-subject.md`` an example::

    {"op":"hello","id":0,"v":1}
    {"op":"hello","id":0,"v":1,"name":"mine","version":"2.1","dialects":["openai-chat"],"capabilities":["run","feed"]}

    {"op":"run","id":1,"case":{"id":"openai-chat/text","dialect":"openai-chat"},"body":"<base64>","chunkings":[[5,120]],"trace":true}
    {"op":"run","id":1,"results":[{"digest":"8c1f...","parts":[{"type":"stream-start",...},...]}]}

    {"op":"feed","id":2,"case":{...},"chunk":"<base64>"}          a case begins a new stream; without one the stream goes on
    {"op":"feed","id":2,"parts":[...]}

    {"op":"finish","id":3}
    {"op":"finish","id":3,"parts":[...]}

A chunking is a list of lengths of chunks; where they add up to less than the body, the stream ends there. A digest may be
any string: equal digests say that the parts are equal. What goes wrong is ``{"op":...,"id":...,"error":{"message":...}}``.
A subject has to offer ``run`` or ``feed``. With ``feed`` the report can name the byte at which a part came out.
"""

from __future__ import annotations

import base64
import functools
import json
import shlex
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema.exceptions import best_match

from harness.case import Case
from harness.child import Child, ChildError
from harness.subjects import PartJson
from harness.subjects.at_end import AtEndSession

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

PROTOCOL_VERSION = 1
START_LIMIT_S = 60.0
"""Until ``hello`` is answered: interpreters and SDKs are slow to load on a busy machine."""
ANSWER_LIMIT_S = 60.0
"""For one question."""


class ProcessError(Exception):
    """The process cannot be used, or broke; the message is one line."""


class ProcessSubject:
    """What runs ``command`` and speaks with it.

    Args:
        command: program and arguments, as a shell would split them (``node subject.mjs``); no shell is involved.

    Raises:
        ProcessError: it cannot be started, or does not answer ``hello`` as it should.
    """

    def __init__(self, command: str | Sequence[str], *, limit_s: float = ANSWER_LIMIT_S) -> None:
        try:
            self._command = shlex.split(command) if isinstance(command, str) else list(command)
        except ValueError as error:
            raise ProcessError(f"process:{command}: cannot be split into words ({error})".replace("\n", " ")) from None
        if not self._command:
            raise ProcessError("no command: write process:PROGRAM ARGUMENT...")
        self._child = Child(self._command)
        self._limit_s = limit_s
        self._questions = 0
        self._stream: object = None
        hello = self.ask("hello", START_LIMIT_S, v=PROTOCOL_VERSION)
        if hello["v"] != PROTOCOL_VERSION:
            raise ProcessError(f"{self._shown}: speaks version {hello['v']} of the protocol, not {PROTOCOL_VERSION}")
        self.name: str = hello["name"]
        self.version: str = hello["version"]
        self._dialects = frozenset(hello["dialects"])
        self._feeds = "feed" in hello["capabilities"]
        self.runs: bool = "run" in hello["capabilities"]
        """Whether it can be asked about many chunkings at once."""

    @property
    def _shown(self) -> str:
        return shlex.join(self._command)

    def claims(self, dialect: str) -> bool:
        """Whether ``hello`` named it."""
        return dialect in self._dialects

    def open(self, case: Case) -> FedSession | RunSession:
        """A fresh session; of those that feed, the one before is over with it."""
        if not self._feeds:
            return RunSession(self, case)
        session = FedSession(self, case)
        self._stream = session
        return session

    def is_current(self, session: object) -> bool:
        """Whether ``session`` is the one that the process is reading."""
        return self._stream is session

    def ask(self, op: str, limit_s: float | None = None, **fields: Any) -> dict[str, Any]:
        """The answer to one question.

        Raises:
            ProcessError: the process died, was too slow, says that it failed, or answered what the schema does not allow.
        """
        self._questions += 1
        limit_s = limit_s or self._limit_s
        question = {"op": op, "id": self._questions, **fields}
        try:
            answer = self._child.ask(question, limit_s)
        except ChildError as error:
            raise ProcessError(f"{self._shown}: stopped at {op}: {error}") from None
        if answer is None:
            raise ProcessError(f"{self._shown}: no answer to {op} in {limit_s:g} s")
        wrong = _complaint(answer)
        if wrong is None and (answer["op"], answer["id"]) != (op, question["id"]):
            wrong = f"it is about {answer['op']} {answer['id']}"
        if wrong is not None:
            self._child.close()
            raise ProcessError(f"{self._shown}: an answer to {op} {question['id']} that is none: {wrong}")
        if "error" in answer:
            raise ProcessError(f"{self._shown}: {op}: {' '.join(answer['error']['message'].split())}")
        return answer

    def run(
        self, case: Case, body: bytes, chunkings: Sequence[Sequence[int]], *, trace: bool
    ) -> list[tuple[str, list[PartJson]]]:
        """Digest, and with ``trace`` the parts, of each chunking of ``body``.

        Raises:
            ProcessError: as :meth:`ask`, or the answer is about another number of chunkings, or lacks the parts.
        """
        cuts = [list(lengths) for lengths in chunkings]
        encoded = base64.b64encode(body).decode()
        results = self.ask("run", case=_about(case), body=encoded, chunkings=cuts, trace=trace)["results"]
        if len(results) != len(cuts) or (trace and not all("parts" in result for result in results)):
            asked = "the parts of" if trace else "the digests of"
            raise ProcessError(f"{self._shown}: run: asked for {asked} {len(cuts)} chunkings, it answered something else")
        return [(result["digest"], result.get("parts", [])) for result in results]

    def close(self) -> None:
        """Ends the process."""
        self._child.close()


class FedSession:
    """One stream, handed over chunk by chunk."""

    def __init__(self, subject: ProcessSubject, case: Case) -> None:
        self._subject = subject
        self._case = case
        self._start: dict[str, Any] = {"case": _about(case)}

    def _ask(self, op: str, **fields: Any) -> list[PartJson]:
        if not self._subject.is_current(self):
            raise ProcessError("a child process reads one stream after another, and the next one has begun")
        parts: list[PartJson] = self._subject.ask(op, **self._start, **fields)["parts"]
        self._start = {}
        return parts

    def feed(self, chunk: bytes) -> list[PartJson]:
        """What ``chunk`` completed."""
        return self._ask("feed", chunk=base64.b64encode(chunk).decode())

    def close(self) -> list[PartJson]:
        """The rest."""
        return self._ask("finish")

    def run_many(
        self, body: bytes, chunkings: Sequence[Sequence[int]], *, trace: bool
    ) -> list[tuple[str, list[PartJson]]] | None:
        """See :class:`harness.subjects.BatchSession`."""
        return self._subject.run(self._case, body, chunkings, trace=trace) if self._subject.runs else None


class RunSession(AtEndSession):
    """One stream that is run when it has ended."""

    def __init__(self, subject: ProcessSubject, case: Case) -> None:
        self._subject = subject
        self._case = case
        super().__init__(self._run)

    def run_many(
        self, body: bytes, chunkings: Sequence[Sequence[int]], *, trace: bool
    ) -> list[tuple[str, list[PartJson]]] | None:
        """See :class:`harness.subjects.BatchSession`."""
        return self._subject.run(self._case, body, chunkings, trace=trace)

    def _run(self, chunks: list[bytes]) -> list[PartJson]:
        [(_, parts)] = self._subject.run(self._case, b"".join(chunks), [[*map(len, chunks)]], trace=True)
        return parts


def _about(case: Case) -> dict[str, str]:
    return {"id": case.id, "dialect": case.dialect}


def _complaint(answer: dict[str, Any]) -> str | None:
    """What the schema has against ``answer``."""
    found = best_match(_validator().iter_errors(answer))
    return None if found is None else f"{found.json_path}: {' '.join(found.message.split())[:200]}"


@functools.cache
def _validator() -> Validator:
    schema = json.loads(resources.files("harness").joinpath("schemas/subject-protocol.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator({**schema["$defs"]["answer"], "$defs": schema["$defs"]})
