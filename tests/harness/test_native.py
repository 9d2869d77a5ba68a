"""Native references: final messages and parts, written by hand, meet in one projection."""

from __future__ import annotations

from typing import Any

import pytest

from harness.canonical import canonical
from harness.native import explain, project

NO_TOKENS = {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 3}}


def text(delta: str, **more: Any) -> dict[str, Any]:
    return {"type": "text-delta", "id": "0", "delta": delta, **more}


def finish(raw: str | None = "stop", usage: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "finish", "finishReason": {"unified": "stop", "raw": raw}, "usage": {"raw": usage}, **more}


def call(ident: str, name: str, arguments: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool-call", "toolCallId": ident, "toolName": name, "input": arguments, **more}


def choice(index: int = 0, reason: str = "stop", **message: Any) -> dict[str, Any]:
    return {"index": index, "finish_reason": reason, "message": {"role": "assistant", **message}}


def openai(parts: list[dict[str, Any]], *choices: dict[str, Any], usage: Any = None) -> Any:
    """The projection, which must be the same for both."""
    expected, actual = project("openai.chat", parts, {"end": "ok", "final": {"choices": [*choices], "usage": usage}})
    assert canonical(expected) == canonical(actual)
    return actual


def anthropic(parts: list[dict[str, Any]], *content: dict[str, Any], **final: Any) -> Any:
    expected, actual = project("anthropic", parts, {"end": "ok", "final": {"content": [*content], **final}})
    assert canonical(expected) == canonical(actual)
    return actual


def test_openai_text_and_usage() -> None:
    parts = [{"type": "text-start", "id": "0"}, text("Hel"), text("lo"), finish(usage=USAGE)]

    projected = openai(parts, choice(content="Hello", refusal=None), usage=USAGE)

    assert projected == {
        "choices": [{"content": "Hello", "refusal": "", "tool_calls": [], "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
    }


def test_openai_refusal_is_the_text_whose_block_says_so() -> None:
    parts = [
        {"type": "text-start", "id": "0"},
        text("Well"),
        {"type": "text-start", "id": "1", "providerMetadata": {"openai": {"refusal": True}}},
        {"type": "text-delta", "id": "1", "delta": "I can't."},
        finish(),
    ]

    (projected,) = openai(parts, choice(content="Well", refusal="I can't."))["choices"]

    assert (projected["content"], projected["refusal"]) == ("Well", "I can't.")


def test_openai_several_choices_keep_what_is_theirs() -> None:
    refused = {"openai": {"refusal": True}}
    parts = [
        text("a"),
        text("x", choice=2),
        {"type": "text-start", "id": "0", "choice": 1, "providerMetadata": refused},
        text("no", choice=1),
        call("c2", "f", "{}", choice=2),
        text("b"),
        finish("stop", USAGE),
        finish("content_filter", choice=1),
        finish("tool_calls", choice=2),
    ]

    projected = openai(
        parts,
        choice(0, content="ab"),
        choice(1, "content_filter", refusal="no", content=None),
        choice(2, "tool_calls", content="x", tool_calls=[tool("c2", "f", "{}")]),
        usage=USAGE,
    )

    assert [one["content"] for one in projected["choices"]] == ["ab", "", "x"]
    assert [len(one["tool_calls"]) for one in projected["choices"]] == [0, 0, 1]
    assert projected["usage"]["total_tokens"] == 12


def tool(ident: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_openai_arguments_are_compared_as_text() -> None:
    parts = [call("c1", "f", '{"n": 12345678901234567890}'), call("c2", "g", ""), finish("tool_calls")]
    calls = [tool("c1", "f", '{"n": 12345678901234567890}'), tool("c2", "g", "")]

    projected = openai(parts, choice(0, "tool_calls", content=None, tool_calls=calls))

    assert projected["choices"][0]["tool_calls"] == [
        {"id": "c1", "name": "f", "arguments": '{"n": 12345678901234567890}'},
        {"id": "c2", "name": "g", "arguments": ""},
    ]
    assert projected["usage"] == NO_TOKENS


@pytest.mark.parametrize(
    ("final", "path"),
    [
        (choice(content="Hellp"), "content"),
        (choice(content="Hello", refusal="x"), "refusal"),
        (choice(0, "length", content="Hello"), "finish_reason"),
        (choice(content="Hello", tool_calls=[tool("c", "f", "{}")]), "tool_calls"),
    ],
)
def test_openai_differences_are_seen_and_explained(final: dict[str, Any], path: str) -> None:
    parts = [text("Hello"), finish()]

    expected, actual = project("openai.chat", parts, {"end": "ok", "final": {"choices": [final]}})

    assert canonical(expected) != canonical(actual)
    assert f"root['choices'][0]['{path}']" in explain(expected, actual)


def test_openai_argument_text_differs_even_if_the_values_are_equal() -> None:
    parts = [call("c", "f", '{"a":1}'), finish()]
    final = choice(content=None, tool_calls=[tool("c", "f", '{"a": 1}')])

    expected, actual = project("openai.chat", parts, {"end": "ok", "final": {"choices": [final]}})

    assert expected != actual


def test_a_stream_that_failed_in_the_reference_must_have_failed_here() -> None:
    end = {"end": "error", "error": {"kind": "state", "stage": "close"}}
    error = {"type": "error", "kind": "incomplete_stream", "stage": "close"}

    assert project("openai.chat", [text("Hel"), error], end) == ({"failed": True}, {"failed": True})
    expected, actual = project("openai.chat", [text("Hel"), finish()], end)
    assert expected == {"failed": True}
    assert actual["failed"] is False
    assert actual["choices"][0]["content"] == "Hel"


BLOCKS: list[tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        [{"type": "text-start", "id": "0"}, text("Hel"), text("lo")],
        [{"type": "text", "text": "Hello"}],
        [{"type": "text", "text": "Hello"}],
    ),
    (
        [{"type": "text-start", "id": "0"}],
        [{"type": "text", "text": ""}],
        [],
    ),
    (
        [
            {"type": "reasoning-start", "id": "0"},
            {"type": "reasoning-delta", "id": "0", "delta": "Hm"},
            {"type": "reasoning-delta", "id": "0", "delta": "m"},
            {"type": "reasoning-delta", "id": "0", "delta": "", "providerMetadata": {"anthropic": {"signature": "EqQ="}}},
        ],
        [{"type": "thinking", "thinking": "Hmm", "signature": "EqQ="}],
        [{"type": "thinking", "thinking": "Hmm", "signature": "EqQ="}],
    ),
    (
        [{"type": "reasoning-start", "id": "0", "providerMetadata": {"anthropic": {"redactedData": "Em8="}}}],
        [{"type": "redacted_thinking", "data": "Em8="}],
        [{"type": "redacted", "data": "Em8="}],
    ),
    (
        [call("toolu_1", "f", '{"b": [1], "a": "\\u00e9"}')],
        [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "é", "b": [1]}}],
        [{"type": "tool", "id": "toolu_1", "input": {"a": "é", "b": [1]}}],
    ),
    (
        [call("toolu_1", "f", "")],
        [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}],
        [{"type": "tool", "id": "toolu_1", "input": {}}],
    ),
    (
        [call("srvtoolu_1", "code_execution", '{"type":"bash_code_execution","command":"ls"}')],
        [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "bash_code_execution", "input": {"command": "ls"}}],
        [{"type": "tool", "id": "srvtoolu_1", "input": {"command": "ls"}}],
    ),
]


@pytest.mark.parametrize(
    ("parts", "content", "blocks"), BLOCKS, ids="text empty thinking redacted tool no-arguments server-tool".split()
)
def test_anthropic_blocks(
    parts: list[dict[str, Any]], content: list[dict[str, Any]], blocks: list[dict[str, Any]]
) -> None:
    assert anthropic([*parts, finish("end_turn")], *content, stop_reason="end_turn")["blocks"] == blocks


def test_anthropic_blocks_keep_their_order_and_their_own_deltas() -> None:
    parts = [
        {"type": "text-start", "id": "0"},
        {"type": "reasoning-start", "id": "0"},
        text("a"),
        {"type": "reasoning-delta", "id": "0", "delta": "r"},
        call("t", "f", "{}"),
        {"type": "text-start", "id": "3"},
        {"type": "text-delta", "id": "3", "delta": "b"},
        text("c"),
    ]

    assert anthropic(
        parts,
        {"type": "text", "text": "ac"},
        {"type": "thinking", "thinking": "r", "signature": ""},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        {"type": "text", "text": "b"},
    )["blocks"] == [
        {"type": "text", "text": "ac"},
        {"type": "thinking", "thinking": "r", "signature": ""},
        {"type": "tool", "id": "t", "input": {}},
        {"type": "text", "text": "b"},
    ]


def test_anthropic_stop_reason_and_usage() -> None:
    usage = {"input_tokens": 10, "output_tokens": 2, "cache_read_input_tokens": 0, "service_tier": "standard"}

    projected = anthropic([finish("max_tokens", usage)], stop_reason="max_tokens", usage=usage)

    assert projected == {
        "blocks": [],
        "stop_reason": "max_tokens",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 2,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": None,
        },
    }


def test_anthropic_big_integers_are_what_javascript_makes_of_them() -> None:
    """The SDK parses the arguments, so its golden holds the double that an integer rounds to; ours keeps the text."""
    parts = [call("t", "f", '{"n":9007199254740993,"m":12345678901234567890}')]
    rounded = {"type": "tool_use", "id": "t", "input": {"n": 9007199254740992, "m": 12345678901234567000}}
    other = {"type": "tool_use", "id": "t", "input": {"n": 9007199254740994, "m": 12345678901234567000}}

    assert "9007199254740992" in canonical(anthropic(parts, rounded))
    expected, actual = project("anthropic", parts, {"end": "ok", "final": {"content": [other]}})
    assert canonical(expected) != canonical(actual)


def test_anthropic_arguments_that_are_no_json_are_kept_and_differ_from_a_repair() -> None:
    parts = [call("t", "f", '{"a": 1, "b')]
    final = {"content": [{"type": "tool_use", "id": "t", "input": {"a": 1}}]}

    expected, actual = project("anthropic", parts, {"end": "ok", "final": final})

    assert actual["blocks"] == [{"type": "tool", "id": "t", "input": {"not JSON": '{"a": 1, "b'}}]
    assert expected["blocks"] == [{"type": "tool", "id": "t", "input": {"a": 1}}]
    assert "not JSON" in explain(expected, actual)


def test_anthropic_a_lost_signature_differs() -> None:
    parts = [{"type": "reasoning-start", "id": "0"}, {"type": "reasoning-delta", "id": "0", "delta": "Hm"}]
    final = {"content": [{"type": "thinking", "thinking": "Hm", "signature": "EqQ="}]}

    expected, actual = project("anthropic", parts, {"end": "ok", "final": final})

    assert (expected["blocks"][0]["signature"], actual["blocks"][0]["signature"]) == ("EqQ=", "")


def test_an_explanation_is_one_short_line() -> None:
    expected = {"a": {str(n): n for n in range(200)}, "b": "line\nline"}

    told = explain(expected, {"a": {}, "b": "line\nlime"})

    assert "\n" not in told
    assert 0 < len(told) <= 500
