"""Defects of the programs that this one began from, in layers that the other files leave out.

Further ones stand where they belong: two readers of event streams in ``framing``, calls merged by index in ``toolcalls``,
an accumulator's two mistakes in ``lifecycle``, the readers of JSON arrays in ``jsonarray``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from harness.mutants.base import ANTHROPIC_MESSAGES, OPENAI_CHAT, Mutant, reshaping, rewriting
from harness.mutants.toolcalls import BEYOND, Call, Calls, CallStage, calls
from streamcore.fieldstream import FieldStream
from streamcore.snapshots import SnapshotTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.subjects import PartJson


class NeedsIdFirst(Calls):
    """Makes an entry for a call when its id arrives; what came before it finds no entry, and is passed over."""

    def delta(self, wire: dict[str, Any]) -> list[PartJson]:
        """Nothing, before the id."""
        known = (wire.get("index") or 0) in self.slots
        return super().delta(wire) if known or wire.get("id") else []


class KeyByKey(Calls):
    """Reads the keys of a delta as they come, so that an id before its index is given to the call before."""

    def __init__(self, choice: int) -> None:
        super().__init__(choice)
        self._refused = False

    def delta(self, wire: dict[str, Any]) -> list[PartJson]:
        """The end of it all, if a call seems to get its id or its name a second time."""
        if self._refused or self._twice(wire):
            told = self._refused
            self._refused = True
            return [] if told else [{"type": "error", "kind": "tool_call_protocol", "stage": "stream", "offset": 0}]
        return super().delta(wire)

    def _twice(self, wire: dict[str, Any]) -> bool:
        """Whether a key before the index says anew what the call before has."""
        if "index" not in wire or not self.calls:
            return False
        before = list(wire)[: list(wire).index("index")]
        has, function = self.calls[-1], wire.get("function") or {}
        new_id = "id" in before and wire["id"] not in ("", None, has.id)
        new_name = "function" in before and function.get("name") not in ("", None, has.name)
        return bool((new_id and has.id) or (new_name and has.name))

    def finish(self) -> list[PartJson]:
        """Nothing, after the end."""
        return [] if self._refused else super().finish()


class NamelessIsNothing(Calls):
    """Has no word for a call of which no more than the id is known when the input ends."""

    def ended(self, call: Call) -> list[PartJson]:
        """Nothing, for a call that never began."""
        return super().ended(call) if call.started else []

    @property
    def awaited(self) -> bool:
        """Whether all that is known of the last call is its id."""
        return bool(self.calls) and not self.calls[-1].started


class NamelessStage(CallStage):
    """The same at the end of input: what was waited for is all that could have been missing."""

    def __init__(self) -> None:
        super().__init__(self._noted)
        self._all: list[NamelessIsNothing] = []

    def _noted(self, choice: int) -> Calls:
        self._all.append(NamelessIsNothing(choice))
        return self._all[-1]

    def after(self, parts: list[PartJson]) -> list[PartJson]:
        """The parts without the error that says that the stream was cut."""
        awaited = any(calls.awaited for calls in self._all)
        return super().after([part for part in parts if not (awaited and part.get("kind") == "incomplete_stream")])


class FieldPlaces:
    """Takes the contents out of ``files[]`` of a call's arguments as they stream, and puts each back where it was."""

    FIELD = "yml_content"

    def part(self, part: PartJson) -> list[PartJson]:
        """The call, with the contents in their places."""
        found = self._contents(part["input"]) if part["type"] == "tool-call" else {}
        places = self.places(list(found))
        if places == list(found):
            return [part]
        value = json.loads(part["input"])
        for place in found:
            del value["files"][place][self.FIELD]
        for place, text in zip(places, found.values(), strict=True):
            value["files"][place][self.FIELD] = text
        return [{**part, "input": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}]

    def places(self, found: list[int]) -> list[int]:
        """Which file each content belongs to, given where in ``files[]`` each was found."""
        return found

    def _contents(self, arguments: str) -> dict[int, str]:
        stream = FieldStream(f"files[*].{self.FIELD}")
        contents: dict[int, str] = {}
        for piece in stream.feed(arguments):
            place = int(piece.path[1])
            contents[place] = contents.get(place, "") + piece.delta
        return contents


class ByPosition(FieldPlaces):
    """Gives the first content to the first file, the second to the second: a file without one shifts all others."""

    def places(self, found: list[int]) -> list[int]:
        """In order, whatever stands between."""
        return list(range(len(found)))


class Tracker(Protocol):
    """What turns snapshots into deltas."""

    def add(self, snapshot_id: str, snapshot: str, /) -> str:
        """What is new."""


class Snapshots:
    """Keeps the text of each block whole, and asks a tracker each time what is new in it."""

    def __init__(self, tracker: Callable[[], Tracker]) -> None:
        self._tracker = tracker()
        self._said: dict[str, str] = {}

    def part(self, part: PartJson) -> list[PartJson]:
        """A piece of text as the tracker sees it."""
        if part["type"] != "text-delta":
            return [part]
        key = f"{part.get('choice', 0)}/{part['id']}"
        self._said[key] = self._said.get(key, "") + part["delta"]
        return [{**part, "delta": self._tracker.add(key, self._said[key])}]


class PastLastPiece(SnapshotTracker):
    """Takes for new what lies past the length of the last piece, not of all pieces: right twice, then wrong."""

    def __init__(self) -> None:
        super().__init__()
        self._length: dict[str, int] = {}

    def _delta(self, snapshot_id: str, last: str, snapshot: str) -> str | None:
        piece = snapshot[self._length.get(snapshot_id, len(last)) :]
        self._length[snapshot_id] = len(piece)
        return piece


MUTANTS = (
    Mutant(
        "arguments-before-id-dropped",
        "a call has no entry before its id: pieces of arguments that come earlier are dropped",
        "R2",
        calls(NeedsIdFirst),
        beyond=BEYOND,
        shown="openai-chat/arguments-first",
    ),
    Mutant(
        "keys-in-order",
        "keys are read as they come: an id before its index seems to be a second id of the call before",
        "A8",
        calls(KeyByKey),
        beyond=BEYOND,
        shown="openai-chat/key-order",
    ),
    Mutant(
        "id-only-lost",
        "a call of which only the id is known at the end of input is lost in silence",
        "A9",
        rewriting(NamelessStage, OPENAI_CHAT),
        beyond=BEYOND,
        shown="openai-chat/cut-after-id",
    ),
    Mutant(
        "contents-by-position",
        "contents of files[] are put back by position: a file without one shifts all the others",
        "B3",
        reshaping(ByPosition, OPENAI_CHAT, ANTHROPIC_MESSAGES),
        shown="openai-chat/files-partly",
    ),
    Mutant(
        "past-last-piece",
        "what is new in a snapshot is counted from the length of the last piece: the third delta is wrong",
        "B1",
        reshaping(lambda: Snapshots(PastLastPiece), OPENAI_CHAT, ANTHROPIC_MESSAGES),
    ),
)
