"""Parts add up to a message; the parts are given directly here, in any grouping."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from streamcore import (
    ErrorKind,
    ErrorStage,
    FinishReason,
    Message,
    ReasoningBlock,
    SourceBlock,
    TextBlock,
    ToolCallBlock,
    ToolResultBlock,
    WireError,
)
from streamcore.message import MessageAssembler, well_formed
from streamcore.parts import (
    Error,
    Finish,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    ResponseMetadata,
    Source,
    StreamStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputEnd,
    ToolInputStart,
    ToolResult,
    Usage,
)

BOOM = WireError(ErrorKind.PROVIDER, ErrorStage.STREAM, 9, "boom", {"message": "boom"})


def fold(parts: list[Part]) -> Message:
    """The message of ``parts``, the same however they are grouped, and over a snapshot at every part."""
    whole = MessageAssembler()
    whole.add(parts)
    expected = whole.message()

    singly = MessageAssembler()
    for at, part in enumerate(parts):
        middle = MessageAssembler()
        middle.restore(singly.snapshot())
        middle.add(parts[at:])
        assert middle.message() == expected
        singly.add([part])
        singly.message()
    assert singly.message() == expected
    for size in (2, 3):
        grouped = MessageAssembler()
        for start in range(0, len(parts), size):
            grouped.add(parts[start : start + size])
        assert grouped.message() == expected
    return expected


def test_nothing() -> None:
    assert fold([]) == Message()
    message = fold([StreamStart()])
    assert (message.text, message.reasoning, message.tool_calls, message.finish) == ("", "", (), None)
    assert not message.complete


def test_text_and_reasoning_in_order() -> None:
    """WH-068."""
    message = fold(
        [
            ReasoningStart("0"),
            ReasoningDelta("0", "hm"),
            ReasoningDelta("0", "", {"p": {"signature": "S"}}),
            ReasoningEnd("0"),
            TextStart("1"),
            TextDelta("1", "a"),
            TextDelta("1", "b"),
            TextEnd("1", {"p": {"citations": [1]}}),
            ReasoningStart("2", {"p": {"redacted": "R"}}),
            ReasoningEnd("2"),
            TextStart("3"),
            TextDelta("3", "c"),
            TextEnd("3"),
            Finish("stop", "end_turn", Usage(output_total=3), {"p": {"x": 1}}),
        ]
    )
    assert message.content == (
        ReasoningBlock("hm", {"p": {"signature": "S"}}),
        TextBlock("ab", {"p": {"citations": [1]}}),
        ReasoningBlock("", {"p": {"redacted": "R"}}),
        TextBlock("c"),
    )
    assert message.text == "abc"
    assert message.reasoning == "hm"
    assert message.finish == FinishReason("stop", "end_turn")
    assert message.usage == Usage(output_total=3)
    assert message.metadata == {"p": {"x": 1}}
    assert message.complete


def test_interleaved_blocks() -> None:
    message = fold(
        [
            TextStart("0"),
            ReasoningStart("0"),
            ToolInputStart("0", "f"),
            TextDelta("0", "a"),
            ReasoningDelta("0", "r"),
            ToolInputDelta("0", "{"),
            TextDelta("0", "b"),
            ToolInputDelta("0", "}"),
            ReasoningDelta("0", "s"),
        ]
    )
    assert message.content == (
        TextBlock("ab"),
        ReasoningBlock("rs"),
        ToolCallBlock("0", "f", "{}", complete=False, valid=False),
    )


def test_a_block_id_may_come_again() -> None:
    message = fold(
        [TextStart("0"), TextDelta("0", "a"), TextEnd("0"), TextStart("0"), TextDelta("0", "b"), TextEnd("0")]
    )
    assert message.content == (TextBlock("a"), TextBlock("b"))


def test_a_delta_without_a_start_opens_its_block() -> None:
    assert fold([TextDelta("0", "a"), ReasoningEnd("1", {"p": {"x": 1}})]).content == (
        TextBlock("a"),
        ReasoningBlock("", {"p": {"x": 1}}),
    )


def test_metadata_of_one_block_is_merged() -> None:
    message = fold(
        [
            TextStart("0", {"p": {"a": 1, "b": 1}}),
            TextDelta("0", "", {"q": {"c": 1}}),
            TextDelta("0", "", {}),
            TextEnd("0", {"p": {"b": 2}}),
        ]
    )
    assert message.content == (TextBlock("", {"p": {"a": 1, "b": 2}, "q": {"c": 1}}),)


@pytest.mark.parametrize(
    ("text", "arguments", "value"),
    [
        ('{"a":12345678901234567890}', '{"a":12345678901234567890}', {"a": 12345678901234567890}),
        ("", "{}", {}),
        (" \n", "{}", {}),
        (' {"a":1} ', ' {"a":1} ', {"a": 1}),
    ],
)
def test_a_complete_call(text: str, arguments: str, value: Any) -> None:
    """V10: no arguments mean an empty object, in the message."""
    parts: list[Part] = [ToolInputStart("a", "f")]
    parts += [ToolInputDelta("a", character) for character in text]
    before = fold(parts)
    parts += [ToolInputEnd("a"), ToolCall("a", "f", text, metadata={"p": {"x": 1}})]
    [call] = fold(parts).tool_calls

    assert call == ToolCallBlock("a", "f", arguments, complete=True, valid=True, metadata={"p": {"x": 1}})
    assert call.executable
    assert call.input == value
    [unfinished] = before.tool_calls
    assert unfinished == ToolCallBlock("a", "f", text, complete=False, valid=False)
    assert not unfinished.executable
    assert unfinished.input is None


def test_a_call_with_invalid_arguments() -> None:
    """V11: kept as they are, marked, never replaced."""
    [call] = fold([ToolInputStart("a", "f"), ToolCall("a", "f", '{"a"', invalid=True)]).tool_calls
    assert call == ToolCallBlock("a", "f", '{"a"', complete=True, valid=False)
    assert not call.executable
    assert call.input is None


def test_the_complete_call_has_the_last_word() -> None:
    parts = [ToolInputStart("a", "get_"), ToolInputDelta("a", "x"), ToolCall("a", "get_weather", "{}")]
    [call] = fold(parts).tool_calls
    assert (call.name, call.arguments) == ("get_weather", "{}")


def test_a_call_that_comes_whole() -> None:
    [call] = fold([ToolCall("a", "f", "{}")]).tool_calls
    assert call.executable


def test_what_the_provider_ran_itself() -> None:
    message = fold(
        [
            ToolInputStart("a", "search", provider_executed=True),
            ToolCall("a", "search", "{}", provider_executed=True),
            ToolResult("a", "search", [{"x": 1}], is_error=True),
            Source("url", "s", "https://x", "T"),
            Finish("stop", "end_turn"),
        ]
    )
    assert message.content == (
        ToolCallBlock("a", "search", "{}", complete=True, valid=True, provider_executed=True),
        ToolResultBlock("a", "search", [{"x": 1}], is_error=True),
        SourceBlock(Source("url", "s", "https://x", "T")),
    )
    assert not message.tool_calls[0].executable
    assert message.finish == FinishReason("stop", "end_turn"), "not a reason to call anything"


@pytest.mark.parametrize(
    ("unified", "with_call"),
    [
        ("stop", "tool-calls"),
        ("other", "tool-calls"),
        ("tool-calls", "tool-calls"),
        ("length", "length"),
        ("content-filter", "content-filter"),
        ("error", "error"),
    ],
)
def test_the_finish_reason_is_normalised(unified: Any, with_call: str) -> None:
    """V16, decision 5."""
    call = ToolCall("a", "f", "{}")
    assert fold([Finish(unified, "raw")]).finish == FinishReason(unified, "raw")
    assert fold([call, Finish(unified, "raw")]).finish == FinishReason(with_call, "raw")
    assert fold([ToolInputStart("a", "f"), Finish(unified, None)]).finish == FinishReason(unified, None)


def test_an_error_is_the_end() -> None:
    """V19."""
    other = WireError(ErrorKind.INCOMPLETE_STREAM, ErrorStage.CLOSE, 20)
    parts: list[Part] = [TextDelta("0", "a"), Error(BOOM), TextDelta("0", "b"), Error(other)]
    message = fold(parts)
    assert message.error == BOOM, "the first one counts"
    assert message.finish == FinishReason("error", None)
    assert message.text == "ab"
    assert not message.complete
    assert fold([*parts, Finish("stop", "stop")]).finish == FinishReason("error", "stop")


def test_response_metadata_is_merged() -> None:
    parts: list[Part] = [
        ResponseMetadata("i", "m", "t"),
        ResponseMetadata(None, "n", None),
        ResponseMetadata("", None, None),
    ]
    message = fold(parts)
    assert (message.id, message.model, message.timestamp) == ("", "n", "t")


def test_choices() -> None:
    message = fold(
        [
            TextDelta("2", "z", choice=2),
            TextDelta("0", "a"),
            ToolInputStart("a", "f", choice=1),
            ToolInputStart("a", "g", choice=2),
            ToolInputDelta("a", "{", choice=1),
            ToolInputDelta("a", "[", choice=2),
            ToolCall("a", "f", "{}", choice=1),
            Source("url", "s", choice=1),
            Finish("stop", "stop", choice=1),
            Finish("length", "length"),
            ResponseMetadata("i"),
        ]
    )
    assert message.text == "a"
    assert message.id == "i"
    assert message.finish == FinishReason("length", "length")
    first, second = message.alternatives
    assert [block.arguments for block in first.tool_calls] == ["{}"]
    assert isinstance(first.content[1], SourceBlock)
    assert first.finish == FinishReason("tool-calls", "stop")
    assert (second.text, second.finish, second.id) == ("z", None, None)
    assert [block.arguments for block in second.tool_calls] == ["["]


# -- well-formed text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain \u5317 \U0001f600", "plain \u5317 \U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00b", "\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00x", "\ufffd\U0001f600x"),
        ("\ud83dx\ude00", "\ufffdx\ufffd"),
        ("\ud83d\U0001f600", "\ufffd\U0001f600"),
        ("", ""),
    ],
)
def test_well_formed(text: str, expected: str) -> None:
    """Decision 6, V23: halves are joined, a half for good is U+FFFD, and nothing beside it gets lost."""
    assert well_formed(text) == expected
    for at in range(len(text) + 1):
        parts: list[Part] = [TextDelta("0", text[:at]), TextDelta("0", text[at:]), ReasoningDelta("1", text)]
        message = fold(parts)
        assert (message.text, message.reasoning) == (expected, expected)


def test_names_and_ids_are_well_formed() -> None:
    message = fold(
        [
            ResponseMetadata("i\ud83d", "m\ud83d"),
            ToolInputStart("a\ud83d", "f\ud83d"),
            ToolCall("a\ud83d", "f\ud83d", ""),
            Finish("other", "r\ud83d"),
        ]
    )
    assert (message.id, message.model) == ("i\ufffd", "m\ufffd")
    assert (message.tool_calls[0].id, message.tool_calls[0].name) == ("a\ufffd", "f\ufffd")
    assert message.finish == FinishReason("tool-calls", "r\ufffd")


def test_every_order_of_deltas_of_two_blocks() -> None:
    """Joining deltas that follow each other must never move them to another block."""
    pieces = [("0", "a"), ("0", "b"), ("1", "x"), ("1", "y")]
    for order in itertools.permutations(pieces):
        content = fold([TextStart("0"), TextStart("1"), *[TextDelta(*piece) for piece in order]]).content
        for position, block in enumerate(content):
            assert isinstance(block, TextBlock)
            assert block.text == "".join(text for key, text in order if key == str(position))
