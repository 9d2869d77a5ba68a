"""Row R5: the two limits of the reader of XML calls, at their real size."""

from __future__ import annotations

from typing import Any

import pytest

from streamcore.legacy.xmltools import MAX_MESSAGE_CHARS, MAX_PARAMETER_CHARS, XmlToolCalls
from streamcore.parts import Error, Part, TextDelta, TextEnd, TextStart, ToolCall

CHUNKS = (5_000, 70_001, 10**7)


def read(whole: str, size: int) -> list[Part]:
    reader = XmlToolCalls(["ask"], ["question"])
    out = reader.add([TextStart("0")])
    for at in range(0, len(whole), size):
        out += reader.add([TextDelta("0", whole[at : at + size])])
    return out + reader.add([TextEnd("0")])


def test_the_limits_are_a_mebibyte_and_100_kibibytes() -> None:
    assert (MAX_MESSAGE_CHARS, MAX_PARAMETER_CHARS) == (1024 * 1024, 100 * 1024)


@pytest.mark.parametrize("size", CHUNKS)
def test_a_message(size: int) -> None:
    for more, kinds in ((0, []), (1, ["event_too_large"])):
        out = read("x" * (MAX_MESSAGE_CHARS + more), size)
        assert [part.error.kind.value for part in out if isinstance(part, Error)] == kinds
        assert sum(len(part.delta) for part in out if isinstance(part, TextDelta)) == MAX_MESSAGE_CHARS


@pytest.mark.parametrize("size", CHUNKS)
def test_a_parameter(size: int) -> None:
    def arguments(length: int) -> Any:
        [call] = [part for part in read(f"<ask><question>{'x' * length}</question></ask>", size) if isinstance(part, ToolCall)]
        return call.input

    closing = len("</question>")
    assert arguments(MAX_PARAMETER_CHARS - closing) == '{"question":"' + "x" * (MAX_PARAMETER_CHARS - closing) + '"}'
    assert arguments(MAX_PARAMETER_CHARS + 1) == "{}"
