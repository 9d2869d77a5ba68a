"""``anthropic-messages``: how messages end, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .anthropic_wire import MESSAGE_STOP, anthropic, message_delta, message_start, read, read_message

if TYPE_CHECKING:
    from .wire import Json


@pytest.mark.parametrize(
    ("reason", "unified"),
    [
        ("end_turn", "stop"),
        ("pause_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content-filter"),
        ("compaction", "other"),
        (None, "other"),
    ],
)
def test_stop_reasons(reason: str | None, unified: str) -> None:
    """Every documented stop reason, and none."""
    decoded = read_message(reason=reason)

    expected = {"unified": unified} | ({} if reason is None else {"raw": reason})
    assert decoded.parts[-1]["finishReason"] == expected
    assert decoded.codes == []


def finish_of(*events: Json) -> Json:
    """The ``finish`` part of a stream that ends well."""
    return read(*events, MESSAGE_STOP).parts[-1]


def test_usage_replaces_and_totals_include_the_cache() -> None:
    """A later figure replaces an earlier one, field by field; nothing is summed over events."""
    first = {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4}
    details = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 2, "new": 1}}
    finish = finish_of(
        message_start(usage={**first, "tier": "s"}),
        message_delta(usage=details),
        message_delta("max_tokens", usage={"output_tokens": 10, "cache_read_input_tokens": 5, "more": [1]}),
    )

    assert finish["usage"] == {
        "inputTokens": {"total": 9, "noCache": 1, "cacheRead": 5, "cacheWrite": 3},
        "outputTokens": {"total": 10, "text": 8, "reasoning": 2},
        "raw": finish["providerMetadata"]["anthropic"]["usage"],
    }
    assert finish["usage"]["raw"] == {
        **first,
        "tier": "s",
        "output_tokens": 10,
        "output_tokens_details": {"thinking_tokens": 2},
        "cache_read_input_tokens": 5,
        "more": [1],
    }
    assert finish["finishReason"]["raw"] == "max_tokens"
    assert finish["providerMetadata"]["anthropic"]["cacheCreationInputTokens"] == 3


@pytest.mark.parametrize(
    ("kinds", "total"),
    [
        (("compaction", "message", "advisor_message"), (11, 7)),
        (("advisor_message",), (5, 7)),
        (("message", "fallback_message"), (5, 7)),
        ((), (5, 7)),
    ],
)
def test_iterations(kinds: tuple[str, ...], total: tuple[int, int]) -> None:
    """Compaction is part of the bill, an advisor is not, and a fallback's totals are its own already."""
    figures = {"compaction": (10, 2), "message": (1, 5), "advisor_message": (100, 50), "fallback_message": (5, 7)}
    iterations = [
        {"type": kind, "model": "o", "input_tokens": figures[kind][0], "output_tokens": figures[kind][1], "new": 1}
        for kind in kinds
    ]
    for item in iterations[:1]:
        item |= {"model": None, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0}
    finish = finish_of(message_start(), message_delta(usage={"output_tokens": 7, "iterations": iterations}))

    assert (finish["usage"]["inputTokens"]["noCache"], finish["usage"]["outputTokens"]["total"]) == total
    assert finish["providerMetadata"]["anthropic"]["iterations"] == [
        {"type": kind, "inputTokens": figures[kind][0], "outputTokens": figures[kind][1]}
        | ({"model": "o"} if place else {"cacheReadInputTokens": 3})
        for place, kind in enumerate(kinds)
    ]


def test_metadata_at_the_end() -> None:
    """Container with skills, stop sequence and details, context edits, input transformations."""
    event = message_delta(
        "stop_sequence",
        context_management={
            "applied_edits": [
                {"type": "clear_tool_uses_20250919", "cleared_tool_uses": 1, "cleared_input_tokens": 2},
                {"type": "clear_thinking_20251015", "cleared_thinking_turns": 3, "cleared_input_tokens": 4},
                {"type": "compact_20260112"},
            ]
        },
        input_transformations=[{"type": "t", "path": "p", "reason": "r", "new": 1}],
    )
    event["delta"] |= {
        "stop_sequence": "END",
        "stop_details": {"type": "d", "category": "c", "explanation": None, "recommended_model": "m2"},
        "container": {
            "id": "c",
            "expires_at": "e",
            "skills": [{"type": "custom", "skill_id": "s", "version": "1", "new": 1}],
        },
    }

    assert finish_of(message_start(), event)["providerMetadata"] == anthropic(
        usage={"input_tokens": 5, "output_tokens": 7},
        cacheCreationInputTokens=None,
        stopSequence="END",
        stopDetails={"type": "d", "category": "c", "recommendedModel": "m2"},
        inputTransformations=[{"type": "t", "path": "p", "reason": "r"}],
        iterations=None,
        container={"id": "c", "expiresAt": "e", "skills": [{"type": "custom", "skillId": "s", "version": "1"}]},
        contextManagement={
            "appliedEdits": [
                {"type": "clear_tool_uses_20250919", "clearedToolUses": 1, "clearedInputTokens": 2},
                {"type": "clear_thinking_20251015", "clearedThinkingTurns": 3, "clearedInputTokens": 4},
                {"type": "compact_20260112"},
            ]
        },
    )


def test_a_container_counts_only_where_it_was_said_last() -> None:
    """``message_delta`` takes back a container that it does not repeat."""
    begun = message_start(container={"id": "c", "expires_at": "e"})

    kept = finish_of(begun)["providerMetadata"]["anthropic"]["container"]
    taken_back = finish_of(begun, message_delta())["providerMetadata"]["anthropic"]["container"]

    assert (kept, taken_back) == ({"id": "c", "expiresAt": "e", "skills": None}, None)
