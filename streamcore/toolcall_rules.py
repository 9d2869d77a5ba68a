"""The rules of tool-call assembly as tables: a state and an input give what happens, and what that departs from.

Two sets of rules meet in every element of ``tool_calls``. The *assumptions* say how a stream should look: indices begin at
0 and grow by one, id and name come once and both in the first element of a call, so that nothing but arguments spans
elements. Policy ``strict`` refuses whatever breaks them; policy ``lenient`` notes it. The *placements* say which call an
element belongs to when they are broken, as real servers break all of them.

No table has a gap: ``tests/streamcore/test_toolcall_rules.py`` walks every pair.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum, auto
from typing import Final, NamedTuple


class Slot(Enum):
    """What is known where an element points."""

    NO_CALL = auto()
    """It has no index, and there is no call yet."""
    NAMELESS = auto()
    """It has no index, and the call that was last spoken of has no name yet."""
    NAMED = auto()
    """It has no index, and the call that was last spoken of has its name."""
    FREE = auto()
    """No call holds its index."""
    ANONYMOUS = auto()
    """A call without an id holds its index."""
    HELD = auto()
    """A call with an id holds its index."""


class Id(Enum):
    """The id of an element."""

    NONE = auto()
    NEW = auto()
    OWN = auto()
    """The call that holds the index has it."""
    OTHER = auto()
    """Another call has it."""


class Name(Enum):
    """The name in an element, beside that of the call which has its id."""

    NONE = auto()
    SAME = auto()
    DIFFERENT = auto()


class Place(Enum):
    """Which call an element belongs to."""

    OPEN = auto()
    """A new one."""
    SLOT = auto()
    """The one that holds its index."""
    LAST = auto()
    """The one that was last spoken of."""
    BY_ID = auto()
    """The one that has its id."""


class Placement(NamedTuple):
    """An outcome, and the code of the leniency it takes; empty if it takes none."""

    place: Place
    code: str = ""


_IDS: Final = tuple(Id)
_NAMES: Final = tuple(Name)
_GIVEN: Final = (Name.SAME, Name.DIFFERENT)
_KNOWN: Final = (Id.OWN, Id.OTHER)
_UNKNOWN: Final = (Id.NONE, Id.NEW)
_MISSING: Final = "index_missing"

_ROWS: Final[tuple[tuple[Slot, Iterable[Id], Iterable[Name], Placement], ...]] = (
    (Slot.NO_CALL, _IDS, _NAMES, Placement(Place.OPEN, _MISSING)),
    (Slot.NAMELESS, [Id.NONE], _NAMES, Placement(Place.LAST, _MISSING)),
    (Slot.NAMELESS, [Id.NEW], _NAMES, Placement(Place.OPEN, _MISSING)),
    (Slot.NAMELESS, _KNOWN, _NAMES, Placement(Place.BY_ID, _MISSING)),
    (Slot.NAMED, [Id.NONE], [Name.NONE], Placement(Place.LAST, _MISSING)),
    (Slot.NAMED, [Id.NONE], _GIVEN, Placement(Place.OPEN, _MISSING)),
    (Slot.NAMED, [Id.NEW], _NAMES, Placement(Place.OPEN, _MISSING)),
    (Slot.NAMED, _KNOWN, _NAMES, Placement(Place.BY_ID, _MISSING)),
    (Slot.FREE, _UNKNOWN, _NAMES, Placement(Place.OPEN)),
    (Slot.FREE, _KNOWN, [Name.NONE], Placement(Place.BY_ID, "index_changed")),
    (Slot.FREE, _KNOWN, _GIVEN, Placement(Place.OPEN)),
    (Slot.ANONYMOUS, _IDS, _NAMES, Placement(Place.SLOT)),
    (Slot.HELD, [Id.NONE, Id.OWN], _NAMES, Placement(Place.SLOT)),
    (Slot.HELD, [Id.NEW], [Name.NONE], Placement(Place.SLOT, "id_changed")),
    (Slot.HELD, [Id.NEW], _GIVEN, Placement(Place.OPEN, "index_collision")),
    (Slot.HELD, [Id.OTHER], [Name.NONE, Name.SAME], Placement(Place.BY_ID, "index_collision")),
    (Slot.HELD, [Id.OTHER], [Name.DIFFERENT], Placement(Place.OPEN, "index_collision")),
)
PLACEMENTS: Final[Mapping[tuple[Slot, Id, Name], Placement]] = {
    key: placement for slot, ids, names, placement in _ROWS for key in itertools.product([slot], ids, names)
}


class NameState(Enum):
    """How far a call's name has come."""

    UNKNOWN = auto()
    OPEN = auto()
    """Known, and no arguments yet: it may go on."""
    CLOSED = auto()
    """Known, and arguments came."""


class Naming(NamedTuple):
    """What a name does, and the code of the leniency it takes."""

    starts: bool = False
    joins: bool = False
    code: str = ""


NAMINGS: Final[Mapping[tuple[NameState, Name], Naming]] = {
    (NameState.UNKNOWN, Name.NONE): Naming(),
    (NameState.UNKNOWN, Name.SAME): Naming(starts=True),
    (NameState.UNKNOWN, Name.DIFFERENT): Naming(starts=True),
    (NameState.OPEN, Name.NONE): Naming(),
    (NameState.OPEN, Name.SAME): Naming(code="name_repeated"),
    (NameState.OPEN, Name.DIFFERENT): Naming(joins=True, code="name_fragment"),
    (NameState.CLOSED, Name.NONE): Naming(),
    (NameState.CLOSED, Name.SAME): Naming(code="name_repeated"),
    (NameState.CLOSED, Name.DIFFERENT): Naming(code="name_after_arguments"),
}


# -- arguments that come again ------------------------------------------------------------------------------------------


class Again(StrEnum):
    """What has followed arguments that were whole."""

    NOTHING = auto()
    """White space at most."""
    PART = auto()
    """Their beginning, once more; it is held back."""
    OTHER = auto()
    """Something that they are not: they never become an object again."""


class Piece(Enum):
    """A piece of arguments, beside what would come next if all came again."""

    BLANK = auto()
    """White space before anything else."""
    PART = auto()
    """More of the same."""
    LAST = auto()
    """The rest of it, to the last character."""
    OTHER = auto()


class Fate(Enum):
    """What becomes of a piece."""

    APPEND = auto()
    HOLD = auto()
    DROP = auto()
    """With all that is held back."""
    RELEASE = auto()
    """All that is held back is appended, and then the piece."""


REPLAYS: Final[Mapping[tuple[Again, Piece], tuple[Again, Fate]]] = {
    (Again.NOTHING, Piece.BLANK): (Again.NOTHING, Fate.APPEND),
    (Again.NOTHING, Piece.PART): (Again.PART, Fate.HOLD),
    (Again.NOTHING, Piece.LAST): (Again.NOTHING, Fate.DROP),
    (Again.NOTHING, Piece.OTHER): (Again.OTHER, Fate.APPEND),
    (Again.PART, Piece.BLANK): (Again.OTHER, Fate.RELEASE),
    (Again.PART, Piece.PART): (Again.PART, Fate.HOLD),
    (Again.PART, Piece.LAST): (Again.NOTHING, Fate.DROP),
    (Again.PART, Piece.OTHER): (Again.OTHER, Fate.RELEASE),
    (Again.OTHER, Piece.BLANK): (Again.OTHER, Fate.APPEND),
    (Again.OTHER, Piece.PART): (Again.OTHER, Fate.APPEND),
    (Again.OTHER, Piece.LAST): (Again.OTHER, Fate.APPEND),
    (Again.OTHER, Piece.OTHER): (Again.OTHER, Fate.APPEND),
}
"""Some servers say all arguments a second time at the end. What may be that is held back, since a delta that is out cannot
be taken back; what it turns out not to be was the model's own, and is kept as it came."""


# -- assumptions ------------------------------------------------------------------------------------------------------


class Mode(Enum):
    """Whether the calls of a message are told apart by an index. *Direct*: an element is a whole call."""

    DIRECT = auto()
    STREAMING = auto()
    """From the first index on."""


class Index(Enum):
    """The index of an element, beside the highest seen; before the first, 0 is the next one."""

    NONE = auto()
    LOWER = auto()
    EQUAL = auto()
    NEXT = auto()
    BEYOND = auto()


class Broken(NamedTuple):
    """An assumption that does not hold: the code of the warning, and what is wrong, with ``{highest}`` and ``{index}``."""

    code: str
    detail: str


_FIRST: Final = Broken("index_origin", "First tool call index must be 0, got {index}")
DECREASED: Final = Broken(
    "index_decreased", "Tool call index cannot decrease, max seen is {highest}, got {index}"
)
_SKIPPED: Final = Broken(
    "index_skipped", "Tool call index cannot skip values, max seen is {highest}, got {index}"
)

ORDER: Final[Mapping[tuple[Mode, Index], Place | Broken]] = {
    (Mode.DIRECT, Index.NONE): Place.OPEN,
    (Mode.DIRECT, Index.LOWER): _FIRST,
    (Mode.DIRECT, Index.EQUAL): _FIRST,
    (Mode.DIRECT, Index.NEXT): Place.OPEN,
    (Mode.DIRECT, Index.BEYOND): _FIRST,
    (Mode.STREAMING, Index.NONE): Place.LAST,
    (Mode.STREAMING, Index.LOWER): DECREASED,
    (Mode.STREAMING, Index.EQUAL): Place.LAST,
    (Mode.STREAMING, Index.NEXT): Place.OPEN,
    (Mode.STREAMING, Index.BEYOND): _SKIPPED,
}
"""Where an element belongs as long as indices are what they should be."""


def _late(code: str, what: str) -> Broken:
    return Broken(code, f"At the end of a 'tool_calls' item, {what} should be already given")


_ID_AGAIN: Final = Broken("id_repeated", "ID is already given")
_NAME_AGAIN: Final = Broken("name_repeated", "Name is already given")
_ID_LATE: Final = _late("id_late", "'id'")
_NAME_LATE: Final = _late("name_late", "'name'")
_BOTH_LATE: Final = _late("id_and_name_late", "both 'id' and 'name'")

ITEMS: Final[Mapping[tuple[tuple[bool, bool], tuple[bool, bool]], Broken | None]] = {
    ((False, False), (False, False)): _BOTH_LATE,
    ((False, False), (False, True)): _ID_LATE,
    ((False, False), (True, False)): _NAME_LATE,
    ((False, False), (True, True)): None,
    ((False, True), (False, False)): _ID_LATE,
    ((False, True), (False, True)): _NAME_AGAIN,
    ((False, True), (True, False)): None,
    ((False, True), (True, True)): _NAME_AGAIN,
    ((True, False), (False, False)): _NAME_LATE,
    ((True, False), (False, True)): None,
    ((True, False), (True, False)): _ID_AGAIN,
    ((True, False), (True, True)): _ID_AGAIN,
    ((True, True), (False, False)): None,
    ((True, True), (False, True)): _NAME_AGAIN,
    ((True, True), (True, False)): _ID_AGAIN,
    ((True, True), (True, True)): _ID_AGAIN,
}
"""(id known, name known) of the call, (id, name) given by the element -> the assumption that breaks, if one does."""


def mode_of(highest: int) -> Mode:
    """The mode, by the highest index seen (-1 before the first)."""
    return Mode.DIRECT if highest < 0 else Mode.STREAMING


def order_of(index: int | None, highest: int) -> Index:
    """How an index stands to the highest one seen."""
    if index is None:
        return Index.NONE
    if index > highest:
        return Index.NEXT if index == highest + 1 else Index.BEYOND
    return Index.EQUAL if index == highest else Index.LOWER
