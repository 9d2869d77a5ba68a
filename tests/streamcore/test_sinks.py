"""Sinks: what happens, in which order, and that it happens once; however the body is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder
from streamcore.parts import Part, TextDelta, ToolCall, ToolInputStart
from streamcore.sinks import ConversationLines, SinkDriver, TextLines

from .wire import DONE, call, chunkings, event, finish, text, tools

Operation = tuple[Any, ...]


class Writer:
    def __init__(self, name: str, log: list[Operation]) -> None:
        self.name = name
        self.log = log

    def start(self, call: int, call_id: str, name: str) -> None:
        self.log.append((self.name, "start", call, call_id, name))

    def delta(self, call: int, arguments: str) -> None:
        self.log.append((self.name, "delta", call, arguments))

    def end(self, call: int, arguments: str) -> None:
        self.log.append((self.name, "end", call, arguments))

    def aborted(self, call: int, reason: str) -> None:
        self.log.append((self.name, "aborted", call, reason))


class Text:
    def __init__(self, log: list[Operation]) -> None:
        self.log = log

    def start(self) -> None:
        self.log.append(("text", "start"))

    def delta(self, text: str) -> None:
        self.log.append(("text", "delta", text))

    def end(self) -> None:
        self.log.append(("text", "end"))


class Recorder:
    """A sink that writes down what it is told."""

    def __init__(self) -> None:
        self.log: list[Operation] = []
        self.conversation: Any = Writer("conversation", self.log)
        self.tools = Writer("tools", self.log)
        self.text = Text(self.log)

    def on_first_tool_call(self) -> None:
        self.log.append(("first",))

    def on_end(self) -> None:
        self.log.append(("end",))

    def aborted(self, call: int | None, reason: str) -> None:
        self.log.append(("aborted", call, reason))


def driven(body: bytes, choice: int = 0) -> list[Operation]:
    """The one log that every chunking of ``body`` gives."""
    logs = []
    for pieces in chunkings(body):
        decoder, sink = Decoder("openai-chat"), Recorder()
        driver = SinkDriver(sink, choice)
        for piece in pieces:
            driver.add(decoder.feed(piece))
        driver.add(decoder.close())
        driver.close()
        driver.close()
        logs.append(sink.log)
    assert all(log == logs[0] for log in logs)
    return logs[0]


def both(operation: str, *details: Any) -> list[Operation]:
    """What both writers are told, the conversation first."""
    return [("conversation", operation, *details), ("tools", operation, *details)]


NO_CALLS = text("h\u00e9") + text("!") + finish("stop") + DONE
ONE_CALL = (
    text("a")
    + tools(call(0, "x", "f"))
    + tools(call(0, args='{"k"'))
    + text("b")
    + tools(call(0, args=":1}"))
    + finish("tool_calls")
    + DONE
)
THREE_CALLS = (
    tools(call(0, "x", "f", "{"), call(1, "y", "g"))
    + tools(call(1, args='{"a":2}'))
    + tools(call(0, args="}"), call(2, "z", "f"))
    + finish("tool_calls")
    + DONE
)


def test_the_log_of_no_call() -> None:
    assert driven(NO_CALLS) == [
        ("text", "start"),
        ("text", "delta", "h\u00e9"),
        ("text", "delta", "!"),
        ("text", "end"),
    ]


def test_the_log_of_one_call() -> None:
    assert driven(ONE_CALL) == [
        ("text", "start"),
        ("text", "delta", "a"),
        ("first",),
        *both("start", 0, "x", "f"),
        *both("delta", 0, '{"k"'),
        ("text", "delta", "b"),
        *both("delta", 0, ":1}"),
        ("text", "end"),
        *both("end", 0, '{"k":1}'),
        ("end",),
    ]


def test_the_log_of_three_calls() -> None:
    assert driven(THREE_CALLS) == [
        ("first",),
        *both("start", 0, "x", "f"),
        *both("delta", 0, "{"),
        *both("start", 1, "y", "g"),
        *both("delta", 1, '{"a":2}'),
        *both("delta", 0, "}"),
        *both("start", 2, "z", "f"),
        *both("end", 0, "{}"),
        *both("end", 1, '{"a":2}'),
        *both("end", 2, ""),
        ("end",),
    ]


def test_a_cut_at_every_byte_ends_no_call() -> None:
    """``end`` is given only once the whole body is in, and every call that began is accounted for."""
    whole = driven(THREE_CALLS)
    for cut in range(len(THREE_CALLS)):
        decoder, sink = Decoder("openai-chat"), Recorder()
        driver = SinkDriver(sink)
        driver.add(decoder.feed(THREE_CALLS[:cut]))
        driver.add(decoder.close())
        driver.close()
        begun = [each[2] for each in sink.log if each[:2] == ("conversation", "start")]
        closed = [each[2] for each in sink.log if each[0] == "conversation" and each[1] in ("end", "aborted")]
        assert sorted(closed) == begun
        assert sink.log.count(("first",)) == bool(begun)
        finished = sink.log == whole
        assert (("end",) in sink.log) == finished
        assert any(each[0] == "aborted" for each in sink.log) != finished


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        (tools(call(0, "x", "f", "{"), call(1, "y", "g", "{}")), [0, 1]),
        (tools(call(0, "x", "f", "[1]")) + finish("tool_calls") + DONE, [0]),
        (tools(call(0, "x")) + finish("tool_calls") + DONE, [None]),
        (tools(call(0, "x")), [None]),
        (tools(call(0, "x", args='{"k":1}')), [None]),
        (b"<html>", [None]),
        (text("a") + event({"error": {"message": "boom"}}), [None]),
        (tools(call(0, "x", "f", "{")) + event({"error": {"message": "boom"}}), [0]),
    ],
    ids=["cut", "not an object", "nameless", "cut before the name", "cut after arguments without a name", "no stream", "error without calls", "error within a call"],
)
def test_failure_leaves_a_mark(body: bytes, calls: list[int | None]) -> None:
    log = driven(body)
    assert [each[1] for each in log if each[0] == "aborted"][: len(calls)] == calls
    assert not [each for each in log if each[1:2] == ("end",) and each[0] != "text"]
    for number in calls:
        if number is not None:
            at = next(index for index, each in enumerate(log) if each[:2] == ("aborted", number))
            reason = log[at][2]
            assert log[at - 2 : at] == both("aborted", number, reason)
            assert reason


def test_each_choice_has_its_own_sink() -> None:
    body = (
        tools(call(0, "x", "f", "{}")) + tools(call(0, "x", "g", "[]"), index=1) + finish("tool_calls")
        + finish("tool_calls", 1) + DONE
    )  # fmt: skip
    assert driven(body)[-3:] == [*both("end", 0, "{}"), ("end",)]
    assert [each[0] for each in driven(body, 1)].count("aborted") == 1


def test_calls_in_one_piece_and_calls_of_the_provider() -> None:
    sink = Recorder()
    driver = SinkDriver(sink)
    parts: list[Part] = [
        ToolInputStart("s", "search", provider_executed=True),
        ToolCall("s", "search", "{}"),
        ToolCall("p", "search", "{}", provider_executed=True),
        TextDelta("0", ""),
        ToolCall("w", "f", '{"k":1}'),
        ToolCall("e", "f", ""),
    ]
    driver.add(parts)
    assert sink.log == [
        ("first",),
        *both("start", 0, "w", "f"),
        *both("delta", 0, '{"k":1}'),
        *both("end", 0, '{"k":1}'),
        *both("start", 1, "e", "f"),
        *both("end", 1, ""),
    ]


def lines(body: bytes, place: str = "conversation") -> list[str]:
    """What ``ConversationLines`` or ``TextLines`` writes, the same for every chunking."""
    results = []
    for pieces in chunkings(body):
        decoder, sink, written = Decoder("openai-chat"), Recorder(), list[str]()
        setattr(sink, place, ConversationLines(written.append) if place == "conversation" else TextLines(written.append).of("assistant"))
        driver = SinkDriver(sink)
        for piece in pieces:
            driver.add(decoder.feed(piece))
        driver.add(decoder.close())
        driver.close()
        results.append("".join(written).splitlines())
    assert all(result == results[0] for result in results)
    return results[0]


def test_conversation_lines() -> None:
    assert lines(NO_CALLS) == []
    assert lines(ONE_CALL) == ['{"id":"x","name":"f","arguments":"{\\"k\\":1}"}']
    assert [json.loads(line) for line in lines(THREE_CALLS)] == [
        {"id": "x", "name": "f", "arguments": "{}"},
        {"id": "y", "name": "g", "arguments": '{"a":2}'},
        {"id": "z", "name": "f", "arguments": ""},
    ]


def test_a_broken_line_is_no_json() -> None:
    written = lines(tools(call(0, "x", "f", "{}"), call(1, "y", "g", '{"a"')))
    assert written == ['{"id":"x","name":"f","arguments":"{}', '{"id":"y","name":"g","arguments":"{\\"a\\"']
    for line in written:
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads(line)


TEXT_AND_CALLS = text("a\n") + THREE_CALLS.removesuffix(finish("tool_calls") + DONE) + text("b") + finish("tool_calls") + DONE


def test_text_lines_know_nothing_of_calls() -> None:
    assert lines(NO_CALLS, "text") == ['{"role":"assistant","content":"h\u00e9!"}']
    assert lines(ONE_CALL, "text") == ['{"role":"assistant","content":"ab"}']
    assert lines(TEXT_AND_CALLS, "text") == ['{"role":"assistant","content":"a\\nb"}']
    assert lines(THREE_CALLS, "text") == []
    assert lines(TEXT_AND_CALLS) == lines(THREE_CALLS)


def test_a_text_line_ends_with_its_block_and_where_another_role_speaks() -> None:
    written: list[str] = []
    texts = TextLines(written.append)
    one, other = texts.of("assistant"), texts.of("tool")
    one.start()
    one.delta("a")
    one.delta('"')
    other.start()
    other.delta("t")
    one.delta("b")
    other.end()
    one.end()
    one.start()
    one.end()
    one.start()
    one.delta("c")
    one.end()
    one.end()

    assert "".join(written).splitlines() == [
        '{"role":"assistant","content":"a\\""}',
        '{"role":"tool","content":"t"}',
        '{"role":"assistant","content":"b"}',
        '{"role":"assistant","content":"c"}',
    ]


def test_a_text_line_whose_block_never_ended_is_no_json() -> None:
    written: list[str] = []
    one = TextLines(written.append).of("assistant")
    for piece in ("cut", "whole"):
        one.start()
        one.delta(piece)
    one.end()

    broken, whole = "".join(written).splitlines()
    assert json.loads(whole) == {"role": "assistant", "content": "whole"}
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(broken)
