"""What mutants are made of: streamcore with one layer before it replaced by wrong code.

A mutant shall differ from a right subject by its planted defect and by nothing else, so everything else is the core
itself. Three places to plant one::

    bytes -> Reader (wrong) -> lines of an event stream -> core -> parts             class Reading
    bytes -> SSE framer -> EventStage (wrong): an event, changed or not -> core -> parts      class Rewriting
    bytes -> core -> parts -> PartStage (wrong) -> parts                              class Reshaping

With a stage that does nothing each of the three gives what the core gives; ``tests/harness/test_mutants.py`` proves it.
A fourth is the core itself with one method of it overridden: ``harness.mutants.overriding``.

Mutants have no snapshots: they are run anew for each chunking, as foreign code is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.case import Case
from harness.subjects import PartJson, Session
from harness.subjects.core import CoreSubject
from streamcore import DIALECTS
from streamcore.framing.sse import SseFrame, SseFramer

CORE = CoreSubject()
OPENAI_CHAT = "openai-chat"
ANTHROPIC_MESSAGES = "anthropic-messages"
SSE = ("sse", *(name for name, dialect in DIALECTS.items() if dialect.framer is SseFramer))
"""The dialects whose frames are server-sent events, and ``sse``, which stops after the framing."""

Opener = Callable[[Case], Session]


@dataclass
class Mutant:
    """A deliberately wrong subject."""

    name: str
    description: str
    """One line: what it does wrong."""
    requirement: str
    """The row it breaks: of the wire hazards (``WH-001``), the requirements (``P1``) or the invariants (``V9``)."""
    sessions: Mapping[str, Opener] = field(repr=False)
    """How it reads each dialect it claims."""
    shown: str = ""
    """A case that shows it; it is tried first, so that the others need not be. Cases made for the requirement are too."""
    beyond: frozenset[str] = frozenset()
    """Hazards that what carries the defect gets wrong without it: a mutant that fell to one would prove nothing."""
    version: str = "1"

    def claims(self, dialect: str) -> bool:
        """Whether the defect can show in ``dialect``."""
        return dialect in self.sessions

    def open(self, case: Case) -> Session:
        """A fresh session."""
        return self.sessions[case.dialect](case)


class Reader(Protocol):
    """Takes the bytes of a body apart, and hands on an event stream with LF line ends that says what it understood."""

    def feed(self, chunk: bytes, /) -> bytes:
        """What ``chunk`` completed."""

    def close(self) -> bytes:
        """What the end of input left over."""


class Reading:
    """A session whose bytes go through a reader before the core sees them."""

    def __init__(self, case: Case, reader: Reader) -> None:
        self._reader = reader
        self._core = CORE.open(case)

    def feed(self, chunk: bytes) -> list[PartJson]:
        """The parts of what the reader understood."""
        return self._core.feed(self._reader.feed(chunk))

    def close(self) -> list[PartJson]:
        """The rest."""
        return self._core.feed(self._reader.close()) + self._core.close()

    @property
    def frames(self) -> int:
        """Events that reached the core."""
        return self._core.frames


class EventStage(Protocol):
    """Sees each event before the core does."""

    def event(self, data: bytes, event: str, /) -> bytes | list[PartJson] | None:
        """What becomes of it: other data, or parts instead of it; None leaves it as it is, ``b""`` drops it."""

    def after(self, parts: list[PartJson], /) -> list[PartJson]:
        """The parts that the core made of the event (or of the end of input), changed or not."""

    def end(self) -> list[bytes]:
        """Data of events that are made up at the end of input."""


class Rewriting:
    """A session whose events go through a stage."""

    def __init__(self, case: Case, stage: EventStage) -> None:
        self._framer = SseFramer()
        self._stage = stage
        self._core = CORE.open(case)
        self._pending = bytearray()
        self._base = 0  # offset in the body of the first byte of _pending

    def feed(self, chunk: bytes) -> list[PartJson]:
        """The parts of the events that ``chunk`` completed, as the stage wants them."""
        self._pending += chunk
        parts: list[PartJson] = []
        for frame in self._framer.feed(chunk):
            size = frame[3] - self._base
            wire = bytes(self._pending[:size])
            del self._pending[:size]
            self._base += size
            parts += self._event(frame, wire)
        return parts

    def _event(self, frame: SseFrame, wire: bytes) -> list[PartJson]:
        data, event, _, _ = frame
        instead = self._stage.event(data, event)
        if isinstance(instead, list):
            return self._stage.after(instead)
        if instead is not None:
            wire = b"" if not instead else event_bytes(instead, event)
        return self._stage.after(self._core.feed(wire))

    def close(self) -> list[PartJson]:
        """The unterminated event, if its data is complete, goes through the stage too; then comes the end of input."""
        residual = self._framer.close()
        parts: list[PartJson] = []
        if residual is not None and _is_json(residual[0]):
            wire = bytes(self._pending)
            self._pending.clear()
            parts = self._event(residual, wire)
            residual = None
        made_up = self._stage.end()
        if made_up:
            # Code that ends a stream in its own way has thrown a half event away; a whole one it has taken.
            wire = b"\n\n" if residual is None else b""
            self._pending = bytearray(wire + b"".join(event_bytes(data, "") for data in made_up))
        parts += self._stage.after(self._core.feed(bytes(self._pending)))
        return parts + self._stage.after(self._core.close())

    @property
    def frames(self) -> int:
        """Events so far."""
        return self._framer.frames


class Stage:
    """The right event stage: everything as it is. Mutants override what they get wrong."""

    def event(self, data: bytes, event: str) -> bytes | list[PartJson] | None:  # noqa: ARG002 - the signature is not ours to choose
        """Leaves the event as it is."""
        return None

    def after(self, parts: list[PartJson]) -> list[PartJson]:
        """Leaves the parts as they are."""
        return parts

    def end(self) -> list[bytes]:
        """Makes nothing up."""
        return []


class PartStage(Protocol):
    """Sees each part after the core has made it."""

    def part(self, part: PartJson, /) -> list[PartJson]:
        """What becomes of it."""


class Reshaping:
    """A session whose parts go through a stage."""

    def __init__(self, case: Case, stage: PartStage) -> None:
        self._core = CORE.open(case)
        self._stage = stage

    def feed(self, chunk: bytes) -> list[PartJson]:
        """The core's parts, as the stage wants them."""
        return [made for part in self._core.feed(chunk) for made in self._stage.part(part)]

    def close(self) -> list[PartJson]:
        """The rest."""
        return [made for part in self._core.close() for made in self._stage.part(part)]

    @property
    def frames(self) -> int:
        """Events so far."""
        return self._core.frames


def reading(make: Callable[[], Reader], dialects: tuple[str, ...] = SSE) -> dict[str, Opener]:
    """Sessions that read with the reader that ``make`` returns."""
    return dict.fromkeys(dialects, lambda case: Reading(case, make()))


def rewriting(make: Callable[[], EventStage], *dialects: str) -> dict[str, Opener]:
    """Sessions that pass events through the stage that ``make`` returns."""
    return dict.fromkeys(dialects, lambda case: Rewriting(case, make()))


def reshaping(make: Callable[[], PartStage], *dialects: str) -> dict[str, Opener]:
    """Sessions that pass parts through the stage that ``make`` returns."""
    return dict.fromkeys(dialects, lambda case: Reshaping(case, make()))


def event_bytes(data: bytes, event: str) -> bytes:
    """An event as an event stream spells it."""
    name = b"event: " + event.encode() + b"\n" if event else b""
    return name + b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")) + b"\n"


def parsed(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``; an empty one if there is none, which is how lenient clients see it."""
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def dumped(value: Any) -> bytes:
    """``value`` as compact JSON; escapes keep lone surrogates."""
    return json.dumps(value, separators=(",", ":")).encode()


def _is_json(data: bytes) -> bool:
    if data == b"[DONE]":
        return True
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
