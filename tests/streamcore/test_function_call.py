"""OpenAI's legacy ``function_call``: the same parts as the modern form of the same call."""

from __future__ import annotations

from typing import Any

import pytest

from .wire import DONE, call, chat, decode, finish, text, tools

PIECES = [("get_weather", ""), (None, '{"city":'), (None, ' "Oslo"}')]


def modern() -> list[bytes]:
    deltas = [call(0, "", name, arguments) for name, arguments in PIECES]
    return [text("Well."), *map(tools, deltas), finish("tool_calls"), DONE]


def legacy() -> list[bytes]:
    def delta(name: str | None, arguments: str) -> bytes:
        return chat({"function_call": {"arguments": arguments, **({"name": name} if name else {})}})

    return [text("Well."), *(delta(*piece) for piece in PIECES), finish("function_call"), DONE]


@pytest.mark.parametrize("dialect", ["openai-chat", "azure-openai", "openai-compatible", "groq"])
def test_it_is_a_tool_call(dialect: str) -> None:
    body, twin = b"".join(legacy()), b"".join(modern())
    expected = decode(twin, dialect)
    assert [block.arguments for block in expected.message.tool_calls] == ['{"city": "Oslo"}']
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))], [body[:200], body[200:]], legacy()):
        decoded = decode(pieces, dialect)
        parts: list[Any] = decoded.parts
        assert parts[:-1] == expected.parts[:-1]
        assert parts[-1]["finishReason"] == {"unified": "tool-calls", "raw": "function_call"}
        assert [block.executable for block in decoded.message.tool_calls] == [True]


def test_one_that_is_cut_is_no_call() -> None:
    body = b"".join(legacy()[:-2])
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        decoded = decode(pieces)
        assert decoded.parts[-1]["kind"] == "incomplete_stream"
        assert not any(block.complete for block in decoded.message.tool_calls)
