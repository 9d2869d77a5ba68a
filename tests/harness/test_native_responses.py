"""The native reference of the Responses API: final responses and parts, written by hand, meet in one projection."""

from __future__ import annotations

from typing import Any

import pytest

from harness.canonical import canonical
from harness.native import project

PROVIDERS = ["openai", "azure", "xai"]


def meet(provider: str, parts: list[dict[str, Any]], *output: dict[str, Any], **final: Any) -> Any:
    """The projection, which must be the same for both; ``$`` stands for the provider."""
    named = [
        {key: {provider: value["$"]} if key == "providerMetadata" else value for key, value in part.items()}
        for part in parts
    ]
    expected, actual = project("openai.responses", named, {"end": "ok", "final": {"output": [*output], **final}})
    assert canonical(expected) == canonical(actual)
    return actual


def own(**fields: Any) -> dict[str, Any]:
    return {"$": fields}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_messages_and_refusals(provider: str) -> None:
    parts = [
        {"type": "text-start", "id": "m", "providerMetadata": own(itemId="m")},
        {"type": "text-delta", "id": "m", "delta": "a"},
        {"type": "text-delta", "id": "m", "delta": "no", "providerMetadata": own(refusal=True)},
        {"type": "text-delta", "id": "m", "delta": "b"},
        {"type": "text-end", "id": "m"},
    ]
    content = [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "no"}]

    found = meet(provider, parts, {"type": "message", "content": [*content, {"type": "output_text", "text": "b"}]})

    assert found["items"] == [{"type": "message", "text": "ab", "refusal": "no"}]


@pytest.mark.parametrize(("sealed", "encrypted"), [("other", True), (None, False)])
def test_reasoning(sealed: str | None, encrypted: bool) -> None:
    """Whether it is encrypted counts; the text of it is another one each time."""
    parts = [
        {"type": "reasoning-start", "id": "r:0", "providerMetadata": own(itemId="r")},
        {"type": "reasoning-delta", "id": "r:0", "delta": "a", "providerMetadata": own(itemId="r")},
        {"type": "reasoning-end", "id": "r:0", "providerMetadata": own(itemId="r")},
        {"type": "reasoning-start", "id": "r:1", "providerMetadata": own(itemId="r")},
        {"type": "reasoning-delta", "id": "r:1", "delta": "b", "providerMetadata": own(itemId="r")},
        {"type": "reasoning-end", "id": "r:1", "providerMetadata": own(reasoningEncryptedContent=sealed, itemId="r")},
        {"type": "reasoning-start", "id": "s"},
        {"type": "reasoning-end", "id": "s"},
    ]
    summary = [{"type": "summary_text", "text": "a"}]
    wire = {"type": "reasoning", "summary": summary, "content": [{"type": "reasoning_text", "text": "b"}]}
    wire |= {"encrypted_content": "one"} if encrypted else {}

    found = meet("openai", parts, wire, {"type": "reasoning"})

    assert found["items"][0] == {"type": "reasoning", "text": "ab", "encrypted": encrypted}


def called(name: str, call_id: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool-call", "toolCallId": call_id, "toolName": name, "input": text, **more}


def test_calls_that_the_reader_runs() -> None:
    """Those of the provider are left out; of some only the id can be compared."""
    parts = [
        called("f", "c1", "{}"),
        called("web_search", "c2", "{}", providerExecuted=True),
        called("sql", "c3", '"\u00e9\\""'),
        called("shell", "c4", '{"action":{}}'),
    ]
    output = [
        {"type": "function_call", "call_id": "c1", "arguments": "{}"},
        {"type": "web_search_call", "id": "c2"},
        {"type": "custom_tool_call", "call_id": "c3", "input": '\u00e9"'},
        {"type": "shell_call", "call_id": "c4", "action": {}},
        {"type": "tool_search_call", "call_id": None, "execution": "server"},
    ]

    assert [item["id"] for item in meet("openai", parts, *output)["items"]] == ["c1", "c3", "c4"]


def test_how_it_ended() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    finish = {"type": "finish", "finishReason": {"unified": "length", "raw": "max"}, "usage": {"raw": {**usage, "x": 1}}}
    parts = [{**finish, "providerMetadata": own(responseId="r")}]

    found = meet("openai", parts, usage=usage, incomplete_details={"reason": "max"}, id="r")

    assert (found["reason"], found["usage"], found["id"]) == ("max", usage, "r")
