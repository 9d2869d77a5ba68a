"""Subjects: the code under test, behind one small protocol.

In process a subject opens a session for a case; the session is fed bytes and answers with parts, as JSON objects in the
AI SDK's spelling (``{"type": "text-delta", "id": "0", "delta": "H"}``). A session that also has ``snapshot`` and
``restore`` lets the runner prove every boundary without decoding every prefix anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from harness.case import Case

PartJson = dict[str, Any]


class NotClaimed(Exception):  # noqa: N818 - no error: a verdict
    """Raised by ``open``: the subject reads this dialect, but not this stream; the message says why."""


class Session(Protocol):
    """One stream. ``feed`` and ``close`` return the parts that became complete, in order."""

    def feed(self, chunk: bytes, /) -> list[PartJson]:
        """The parts that ``chunk`` completed."""

    def close(self) -> list[PartJson]:
        """End of input: the rest of the parts."""


@runtime_checkable
class SnapshotSession(Session, Protocol):
    """A session whose whole state can be taken out and put back."""

    def snapshot(self) -> Any:
        """The state: comparable with ``==``, and unaffected by what is fed later."""

    def restore(self, snapshot: Any, /) -> None:
        """Takes on a state that ``snapshot`` returned on this session."""


@runtime_checkable
class BatchSession(Session, Protocol):
    """A session whose subject can be asked about many ways of cutting a body at once."""

    def run_many(
        self, body: bytes, chunkings: Sequence[Sequence[int]], /, *, trace: bool
    ) -> list[tuple[str, list[PartJson]]] | None:
        """For each chunking, the lengths of its chunks: a digest of all parts, and with ``trace`` the parts themselves.

        Equal digests say that the parts are equal. None if the subject cannot be asked so. What the session was fed
        until then is unaffected.
        """


class Subject(Protocol):
    """The code under test."""

    name: str
    version: str

    def claims(self, dialect: str, /) -> bool:
        """Whether it decodes ``dialect``; cases of other dialects get the verdict not-claimed."""

    def open(self, case: Case, /) -> Session:
        """A fresh session for one stream of ``case``'s dialect.

        Raises:
            NotClaimed: see there.
        """
