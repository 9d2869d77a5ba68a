"""Rules about tool calls: their ids, names and arguments. See :mod:`harness.rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.canonical import canonical
from harness.rules.stream import Violation, choice_of
from streamcore import jsontext

if TYPE_CHECKING:
    from harness.subjects import PartJson


def of_the_calls(parts: Sequence[PartJson], dialect: str) -> Iterator[Violation]:
    """What is wrong with the calls of a stream of ``dialect``."""
    names: dict[tuple[Any, str], str] = {}
    deltas: dict[tuple[Any, str], list[str]] = {}
    called: set[tuple[Any, str]] = set()
    for index, part in enumerate(parts):
        match part["type"]:
            case "tool-input-start":
                key = (choice_of(part), part["id"])
                names[key] = part["toolName"]
                deltas[key] = []
                yield from _named(part["id"], part["toolName"], index)
            case "tool-input-delta":
                deltas.setdefault((choice_of(part), part["id"]), []).append(part["delta"])
            case "tool-call":
                key = (choice_of(part), part["toolCallId"])
                if key in called:
                    yield Violation("call-id", "V7", f"two tool calls have the id {key[1]!r}", index)
                called.add(key)
                if key not in names:
                    yield from _named(part["toolCallId"], part["toolName"], index)
                elif not part["toolName"].startswith(names[key]):
                    message = f"call {key[1]!r} starts as {names[key]!r} and ends as {part['toolName']!r}"
                    yield Violation("call-name", "V5", message, index)
                yield from _input(part, deltas.get(key), index, dialect)


def _named(call_id: str, name: str, index: int) -> Iterator[Violation]:
    if not call_id:
        yield Violation("call-id", "V7", f"a call of {name!r} has no id", index)
    if not name:
        yield Violation("call-name", "V5", f"call {call_id!r} has no name", index)


def _input(part: PartJson, deltas: list[str] | None, index: int, dialect: str) -> Iterator[Violation]:
    """Without a delta the input may have come at once, or be the ``{}`` that stands for no arguments."""
    if not deltas:
        return
    text = "".join(deltas)
    if part["input"] == text or (not text and part["input"] == "{}"):
        return
    if any(fits(text, part) for ends, fits in _OTHER_SPELLINGS.items() if dialect.endswith(ends)):
        return
    at = next((at for at, (one, other) in enumerate(zip(text, part["input"], strict=False)) if one != other), None)
    at = min(len(text), len(part["input"])) if at is None else at
    message = f"the deltas of call {part['toolCallId']!r} and its input differ from character {at} on"
    yield Violation("call-input", "V9", message, index)


def _written_anew(text: str, part: PartJson) -> bool:
    """Cohere's reference parses the arguments and writes them again, as ECMAScript does; ``{}`` for none and ``null``."""
    try:
        value = jsontext.loads(jsontext.utf8(text)) if text.strip() else None
    except jsontext.JsonTextError:
        return False
    return bool(part["input"] == ("{}" if value is None else jsontext.stringify(value)))


def _of_a_custom_tool(text: str, part: PartJson) -> bool:
    """Responses: the free text of a custom tool as a JSON string; code for the interpreter, its keys in another order."""
    sorted_anew = part.get("providerExecuted") and _keys_sorted(text) == _keys_sorted(part["input"])
    return bool(part["input"] == jsontext.string_text(text) or sorted_anew)


_OTHER_SPELLINGS: dict[str, Callable[[str, PartJson], bool]] = {
    "cohere-v2": _written_anew,
    "responses": _of_a_custom_tool,
}
"""How the names of those dialects end whose reference spells a call's input otherwise than its deltas, and how."""


def _keys_sorted(text: str) -> str | None:
    """The canonical text of the JSON value of ``text``; None if it has none."""
    try:
        return canonical(jsontext.loads(jsontext.utf8(text)))
    except jsontext.JsonTextError:
        return None
