"""The tables of tool-call assembly: no gap in any, and whatever is put in, under either policy, a known outcome."""

from __future__ import annotations

import itertools
import json
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Limits, unwrap_arguments
from streamcore.dialects.base import FatalError
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.parts import Error, Part, ToolCall, ToolInputDelta, ToolInputEnd, ToolInputStart
from streamcore.toolcall_rules import (
    ITEMS,
    NAMINGS,
    ORDER,
    PLACEMENTS,
    REPLAYS,
    Again,
    Broken,
    Id,
    Index,
    Mode,
    Name,
    NameState,
    Piece,
    Place,
    Slot,
    mode_of,
    order_of,
)
from streamcore.toolcalls import ToolCallAssembler

KNOWN = {
    "args_replayed",
    "arguments_before_name",
    "delta_after_end",
    "double_encoded",
    "duplicate_id",
    "duplicate_key",
    "empty_args",
    "id_and_name_late",
    "id_changed",
    "id_late",
    "id_repeated",
    "id_synthesised",
    "index_changed",
    "index_collision",
    "index_decreased",
    "index_missing",
    "index_origin",
    "index_skipped",
    "invalid_arguments",
    "name_after_arguments",
    "name_fragment",
    "name_late",
    "name_repeated",
}
"""Every code of a warning about tool calls."""
ABORTS = {"tool_call_protocol", "nameless_call", "invalid_arguments"}

BOOLS = list(itertools.product([False, True], repeat=2))
TABLES: list[tuple[Any, list[list[Any]]]] = [
    (PLACEMENTS, [list(Slot), list(Id), list(Name)]),
    (NAMINGS, [list(NameState), list(Name)]),
    (ORDER, [list(Mode), list(Index)]),
    (ITEMS, [BOOLS, BOOLS]),
    (REPLAYS, [list(Again), list(Piece)]),
]


@pytest.mark.parametrize(("table", "axes"), TABLES, ids=["placements", "namings", "order", "items", "replays"])
def test_a_table_has_no_gap_and_nothing_besides(table: Any, axes: list[list[Any]]) -> None:
    assert set(table) == set(itertools.product(*axes))


def test_a_call_that_is_said_to_hold_the_index_does() -> None:
    for (slot, identity, _), placement in PLACEMENTS.items():
        if placement.place is Place.SLOT:
            assert slot in (Slot.ANONYMOUS, Slot.HELD)
        if placement.place is Place.BY_ID:
            assert identity in (Id.OWN, Id.OTHER)
        if placement.place is Place.LAST:
            assert slot in (Slot.NAMELESS, Slot.NAMED)


@pytest.mark.parametrize(
    ("index", "highest", "expected"),
    [
        (None, -1, Index.NONE),
        (None, 3, Index.NONE),
        (-2, -1, Index.LOWER),
        (-1, -1, Index.EQUAL),
        (0, -1, Index.NEXT),
        (1, -1, Index.BEYOND),
        (2, 3, Index.LOWER),
        (3, 3, Index.EQUAL),
        (4, 3, Index.NEXT),
        (5, 3, Index.BEYOND),
    ],
)
def test_order(index: int | None, highest: int, expected: Index) -> None:
    assert order_of(index, highest) is expected
    assert mode_of(highest) is (Mode.DIRECT if highest < 0 else Mode.STREAMING)


# -- every state with every input --------------------------------------------------------------------------------------

Element = tuple[int | None, str | None, str | None, str | None]

INDICES = [None, -2, -1, 0, 1, 2, 7]
IDS = [None, "", "null", "a", "b"]
FUNCTIONS = [None, "f", "g"]
TEXTS = [None, "", " ", "{", "}", " }", "{}"]
ELEMENTS: list[Element] = list(itertools.product(INDICES, IDS, FUNCTIONS, TEXTS))
BEGINNINGS: list[list[Element]] = [
    [],
    [(None, "a", "f", None)],
    [(None, None, None, "{")],
    [(0, None, None, None)],
    [(0, "a", None, None)],
    [(0, "a", "f", None)],
    [(0, "a", "f", "{}")],
    [(0, None, "f", "{")],
    [(0, "a", "f", None), (1, "b", "g", "{")],
    [(0, "a", "f", "{"), (0, "b", "g", "{}")],
    [(2, "a", "f", "{}"), (0, None, None, "{")],
    [(0, "a", "f", "{ }"), (0, None, None, "{")],
    [(0, "a", "f", "{}"), (0, None, None, "{}")],
    [(0, "a", "f", "{}"), (0, None, None, "{x")],
]
"""Ways into every state that the tables know: of slots, of ids, of names, of indices, of arguments that come again."""


def outcome(elements: list[Element], policy: Any) -> tuple[list[Part], list[str], Error | None]:
    """Parts, codes of the warnings, and the error that ended the stream; each property of any stream is asserted."""
    dialect = OpenAIChat(policy, Limits())
    tools = ToolCallAssembler(0)
    out: list[Part] = []
    dialect.open(out)
    try:
        for element in elements:
            tools.delta(*element, dialect, out)
        tools.finish(dialect, out)
    except FatalError:
        assert policy == "strict"
    errors = [part for part in out if isinstance(part, Error)]
    codes = [warning.code for warning in dialect.warnings]
    assert {error.error.kind.value for error in errors} <= ABORTS
    assert set(codes) <= KNOWN
    texts: dict[str, str] = {}
    for part in out:
        if isinstance(part, ToolInputStart):
            assert part.id
            assert part.id not in texts
            texts[part.id] = ""
        elif isinstance(part, ToolInputDelta):
            texts[part.id] += part.delta
        elif isinstance(part, ToolCall):
            assert part.input == texts.pop(part.tool_call_id)
        else:
            assert not isinstance(part, ToolInputEnd) or part.id in texts
    if policy == "strict":
        assert set(codes) <= {"empty_args"}
        assert len(errors) <= 1
    else:
        assert not texts, "a call that began has ended"
    return out, codes, errors[0] if errors else None


@pytest.mark.parametrize("beginning", BEGINNINGS, ids=str)
@pytest.mark.parametrize("policy", ["lenient", "strict"])
def test_every_state_takes_every_input(beginning: list[Element], policy: str) -> None:
    for element in ELEMENTS:
        outcome([*beginning, element], policy)


def test_the_beginnings_and_the_inputs_reach_every_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    met: dict[str, set[Any]] = {}

    class Watched(dict[Any, Any]):
        def __init__(self, name: str, table: Any) -> None:
            super().__init__(table)
            self.met = met.setdefault(name, set())

        def __getitem__(self, key: Any) -> Any:
            self.met.add(key)
            return super().__getitem__(key)

    tables = {"PLACEMENTS": PLACEMENTS, "NAMINGS": NAMINGS, "ORDER": ORDER, "ITEMS": ITEMS, "REPLAYS": REPLAYS}
    for name, table in tables.items():
        home = "replays" if name == "REPLAYS" else "toolcalls"
        monkeypatch.setattr(f"streamcore.{home}.{name}", Watched(name, table))
    for beginning, element, policy in itertools.product(BEGINNINGS, ELEMENTS, ["lenient", "strict"]):
        outcome([*beginning, element], policy)

    never = {name: set(table) - met[name] for name, table in tables.items()}
    assert never == {
        "PLACEMENTS": {key for key in PLACEMENTS if cannot_be(key)},
        "NAMINGS": {(state, Name.NONE) for state in NameState} | {(NameState.UNKNOWN, Name.SAME)},
        "ORDER": set(),
        "ITEMS": {key for key in ITEMS if key[0] == (False, True)},  # where a name comes without an id, one is made up
        "REPLAYS": {(Again.PART, Piece.BLANK)},  # there white space is more of the same, or is not
    }


def cannot_be(key: tuple[Enum, ...]) -> bool:
    """Pairs that the words of the table can say and no stream can be in."""
    slot, identity, name = key
    if slot is Slot.NO_CALL:
        return identity in (Id.OWN, Id.OTHER) or name is Name.SAME
    if identity is Id.OWN:
        return slot is not Slot.HELD
    return identity in (Id.NONE, Id.NEW) and name is Name.SAME


@given(elements=st.lists(st.sampled_from(ELEMENTS), max_size=12), policy=st.sampled_from(["lenient", "strict"]))
def test_any_walk_has_a_known_outcome(elements: list[Element], policy: str) -> None:
    outcome(elements, policy)


@given(elements=st.lists(st.sampled_from(ELEMENTS), max_size=12))
def test_strict_takes_what_lenient_finds_nothing_in(elements: list[Element]) -> None:
    out, codes, error = outcome(elements, "lenient")
    strict, _, refused = outcome(elements, "strict")

    if error is None and set(codes) <= {"empty_args"}:
        assert (strict, refused) == (out, None)
    else:
        # A whole call without an index is strict's own: there it is no departure.
        assert refused is not None or set(codes) <= {"empty_args", "index_missing"}


@pytest.mark.parametrize("entry", [value for value in [*ORDER.values(), *ITEMS.values()] if isinstance(value, Broken)])
def test_what_is_broken_can_be_said(entry: Broken) -> None:
    assert entry.code in KNOWN
    assert "{" not in entry.detail.format(highest=1, index=3)


# -- the helper that nobody calls but you ---------------------------------------------------------------------------------


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_unwrapping_undoes_one_encoding(value: dict[str, Any]) -> None:
    text = json.dumps(value)

    assert unwrap_arguments(json.dumps(text)) == text
    assert unwrap_arguments(text) == text, "an object is left alone, whatever its fields hold"
    assert unwrap_arguments(json.dumps(json.dumps(text))) == json.dumps(json.dumps(text)), "and two are not undone"


@pytest.mark.parametrize("text", ["", " ", '"', '""', '"x"', '"[1]"', '"{"', "[1]", "1", "null", '"\\ud800"', '"{}" x'])
def test_anything_else_is_left_alone(text: str) -> None:
    assert unwrap_arguments(text) == text
