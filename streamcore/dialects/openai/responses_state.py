"""The state of an OpenAI Responses stream: the response, its output items, and the ids that are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from streamcore.dialects.base import StreamState
from streamcore.dialects.callids import CallIds
from streamcore.dialects.typed import TypedEvents
from streamcore.state import EMPTY_LOG, Frozen, Log, State

if TYPE_CHECKING:
    pass

Spoken = tuple[int, int]
"""Length in bytes and checksum of a text in UTF-16, so that the halves of a surrogate pair may come one by one."""


class ItemState(State):
    """One output item that has begun and is not done."""

    __slots__ = (
        "annotations", "blocks", "called", "closed", "contradicted", "encrypted", "extra", "id", "kind", "log", "name",
        "open", "part_id", "phase", "renamed", "said", "settled", "started",
    )  # fmt: skip

    def __init__(self, kind: str, item_id: str | None) -> None:
        self.kind = kind
        """The item's type."""
        self.id = item_id
        self.renamed = False
        """A later event had another id for it."""
        self.part_id = ""
        """The id of its parts; for reasoning, what their ids begin with."""
        self.started = False
        """A message or call: its first part is out."""
        self.said: dict[int, Spoken] = {}
        """By content part; by :func:`summary_key` or :func:`raw_key`."""
        self.phase: str | None = None
        self.annotations: list[Frozen] = []
        self.blocks: dict[int, str] = {}
        """Reasoning: key -> the block that it has."""
        self.open: dict[str, bool] = {}
        """Reasoning: open block -> whether its summary part is done."""
        self.encrypted: str | None = None
        self.name = ""
        """Tool call: the tool."""
        self.log: Log = EMPTY_LOG
        """Tool call: the input so far."""
        self.settled = False
        """Tool call: the whole input was said."""
        self.closed = False
        """Tool call: ``tool-input-end`` is out."""
        self.called = False
        """Tool call: ``tool-call`` is out."""
        self.contradicted = False
        """Tool call: what came as a whole is not what came in deltas."""
        self.extra: Frozen | None = None
        """Tool call: what the item began with."""



class OutputState(State):
    """The output of one response."""

    __slots__ = (
        "approvals", "by_id", "call_ids", "client_calls", "done", "last_index", "last_message", "open",
        "part_ids", "searches", "sources",
    )  # fmt: skip

    def __init__(self) -> None:
        self.open: dict[int, ItemState] = {}
        """Items that have begun and are not done, by output index."""
        self.by_id: dict[str, int] = {}
        """Item id -> output index, of those."""
        self.done: dict[int, tuple[int, str | None]] = {}
        """Output index -> digest of what the complete item says, and its id."""
        self.last_index = -1
        self.last_message = -1
        """Output index of the message that began last."""
        self.client_calls = False
        """A call that the reader has to run was completed."""
        self.part_ids: set[str] = set()
        """Ids of blocks of text and reasoning."""
        self.call_ids = CallIds()
        self.sources = 0
        self.searches: list[str] = []
        """Tool searches whose result has not come."""
        self.approvals: dict[str, str] = {}
        """Approval request -> the id of the call that it is about."""

    def unused(self, part_id: str) -> str:
        """``part_id``, with a number behind it if a block has that id already."""
        found = part_id
        number = 1
        while found in self.part_ids:
            found = f"{part_id}-{number}"
            number += 1
        self.part_ids.add(found)
        return found

    def put(self, index: int, item: ItemState) -> None:
        """A new item at ``index``."""
        self.open[index] = item
        self.last_index = index
        if item.id is not None:
            self.by_id[item.id] = index

    def take(self, index: int) -> ItemState:
        """The item at ``index``, which is open no longer."""
        item = self.open.pop(index)
        if item.id is not None and self.by_id.get(item.id) == index:
            del self.by_id[item.id]
        return item


class ResponseState(StreamState):
    """The stream."""

    __slots__ = ("erred", "held", "numbered", "output", "refused", "response", "sequence")

    def __init__(self) -> None:
        super().__init__()
        self.response: tuple[str | None] | None = None
        """The id of the response that was created, in a tuple because it may be absent."""
        self.held: Frozen | None = None
        """``response-metadata`` that waits for the stream to open."""
        self.output = OutputState()
        self.refused = False
        self.erred: tuple[str | None] | None = None
        """An error was reported, with this finish reason."""
        self.sequence: int | None = None
        """The last ``sequence_number``."""
        self.numbered = True
        """The numbers followed each other so far, where there were any."""


class Report(TypedEvents):
    """What the modules of this dialect know of it."""

    provider: ClassVar[str]
    """The key of ``providerMetadata``."""
    state: ResponseState


def read_index(value: Any) -> int | None:
    """An output, content or summary index; None if it cannot be one."""
    return int(value) if type(value) in (int, float) and value >= 0 and value == value // 1 else None
