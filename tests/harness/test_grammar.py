"""Grammars: every recording that is whole keeps to the one of its dialect, and each way of leaving it is told."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from harness.case import Case
from harness.faults import Wire
from harness.grammar import OUTPUT, Machine, level, part_steps, rows
from harness.grammar.wire import AT_MOST, CHAT, OBJECTS, RESPONSES, grammar_of, wire_findings
from harness.mutants.base import CORE
from harness.record.eventstream import event
from streamcore import DIALECTS

from .committed import BY_ID as CASES

TYPED = ("anthropic-messages", "openai-responses", "cohere-v2", "bedrock-converse-stream", "ollama-ndjson")


def sse(*values: Any, dialect: str = "anthropic-messages") -> Case:
    lines = (value if isinstance(value, str) else json.dumps(value) for value in values)
    return Case(f"{dialect}/c", dialect, "".join(f"data: {line}\n\n" for line in lines).encode())


def told(case: Case) -> list[tuple[int | None, str]]:
    return [(found.event, found.message) for found in wire_findings(case)]


def of(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def block(verb: str, index: int = 0, kind: str = "text") -> dict[str, Any]:
    about = {"start": {"content_block": {"type": kind}}, "delta": {"delta": {"type": kind}}}.get(verb, {})
    return of(f"content_block_{verb}", index=index, **about)


WHOLE = (
    of("message_start"), of("ping"), block("start"), block("delta", kind="text_delta"), block("stop"),
    of("message_delta"), of("message_stop"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (WHOLE, []),
        (WHOLE[:-1], [(None, "the end while the stream is in the state stopping")]),
        (WHOLE[5:], [(0, "message_delta while the stream is in the state start"), (1, "message_stop while the stream is in the state start"),
                     (None, "the end while the stream is in the state start")]),
        ((*WHOLE[:4], *WHOLE[5:]), [(None, "the end while block 0 is in the state text")]),
        ((*WHOLE[:3], block("delta", kind="input_json_delta"), *WHOLE[4:]), [(3, "input_json_delta while block 0 is in the state text")]),
        ((*WHOLE[:2], *WHOLE[3:]), [(2, "text_delta while block 0 is in the state start"), (3, "stop while block 0 is in the state start")]),
        ((*WHOLE[:5], *WHOLE[4:]), [(5, "stop while block 0 is in the state stopped")]),
        ((*WHOLE, of("error")), [(7, "error while the stream is in the state done")]),
        ((of("error"),), []),
        ((*WHOLE[:3], "{", *WHOLE[3:]), [(3, "the payload is no JSON")]),
        ((*WHOLE, "[]"), [(7, "the payload is no object")]),
        ((*WHOLE, "[DONE]"), [(7, "[DONE] while the stream is in the state done")]),
        ((*WHOLE[:2], block("start", kind="new"), block("delta", kind="new_delta"), *WHOLE[4:]), []),
    ],
)  # fmt: skip
def test_an_anthropic_message(events: tuple[Any, ...], expected: list[tuple[int | None, str]]) -> None:
    assert told(sse(*events)) == expected


def test_items_of_a_response() -> None:
    def numbered(*events: dict[str, Any]) -> Case:
        return sse(*({**one, "sequence_number": at} for at, one in enumerate(events)), dialect="openai-responses")

    item = (
        of("response.output_item.added", output_index=0),
        of("response.content_part.added", output_index=0, content_index=0),
        of("response.output_text.delta", output_index=0, content_index=0),
        of("response.output_text.done", output_index=0, content_index=0),
        of("response.content_part.done", output_index=0, content_index=0),
        of("response.output_item.done", output_index=0),
    )
    call = (
        of("response.output_item.added", output_index=1),
        of("response.function_call_arguments.delta", output_index=1),
        of("response.function_call_arguments.done", output_index=1),
        of("response.output_item.done", output_index=1),
    )
    start, end = of("response.created"), of("response.completed")

    assert told(numbered(start, *item, *call, end)) == []
    assert told(numbered(start, *item, call[0], call[2], call[1], call[3], end)) == [
        (9, "delta while arguments 1 is in the state done")
    ]
    assert told(numbered(start, *item[:2], *item[3:], *item[2:3], end)) == [
        (6, "about while item 0 is in the state done"), (6, "delta while content 0/0 is in the state closed"),
    ]  # fmt: skip
    assert told(numbered(start, of("response.mood"), end)) == [(1, "response.mood while the stream is in the state open")]
    skipped = sse({**start, "sequence_number": 0}, {**end, "sequence_number": 2}, dialect="openai-responses")
    assert told(skipped) == [(1, "sequence_number is 2 after 0")]


def test_blocks_of_bedrock_are_named_outside_the_json() -> None:
    def message(*names: str) -> Case:
        frames = [event(name, b'{"contentBlockIndex":0}' if "Block" in name else b"{}") for name in names]
        return Case("bedrock-converse-stream/c", "bedrock-converse-stream", b"".join(frames))

    text = ("messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")
    assert told(message(*text)) == []
    assert told(message(*text[:2], *text[3:])) == [(None, "the end while block 0 is in the state open")]
    assert told(message(*text, "messageStop")) == [(5, "messageStop while the stream is in the state done")]
    assert told(message("messageStart", "throttlingException")) == []


def test_chat_says_nothing_after_its_finish() -> None:
    def chunk(content: str = "", finish: str | None = None, index: int = 0) -> dict[str, Any]:
        return {"choices": [{"index": index, "delta": {"content": content}, "finish_reason": finish}]}

    def chat(*values: Any) -> Case:
        return sse(*values, dialect="openai-chat")

    usage = {"choices": [], "usage": {}}
    assert told(chat(chunk("a"), chunk(finish="stop"), usage, "[DONE]")) == []
    assert told(chat(chunk("a"), chunk(finish="stop"), chunk("b"), "[DONE]")) == [
        (2, "content while choice 0 is in the state finished")
    ]
    assert told(chat(chunk("a"), chunk("b", index=1), chunk(finish="stop"))) == [
        (None, "the end while choice 1 is in the state open")
    ]
    assert told(chat(chunk("a"), chunk(finish="stop"), "[DONE]", usage)) == [(3, "chunk while the stream is in the state done")]


@pytest.mark.parametrize("dialect", TYPED)
def test_recordings_that_are_whole_keep_to_their_grammar(dialect: str) -> None:
    whole = [case for case in CASES.values() if case.dialect == dialect and case.end == "complete" and not case.hazard]
    kept = [case for case in whole if not wire_findings(case)]

    assert len(kept) >= 0.6 * len(whole) > 1


@pytest.mark.parametrize("dialect", TYPED)
def test_a_frame_less_or_in_another_order_is_told(dialect: str) -> None:
    """Not each: a delta less is a shorter text, and a ping may stand anywhere."""
    whole = [case for case in CASES.values() if case.dialect == dialect and case.end == "complete" and not wire_findings(case)]
    case = max(whole, key=lambda case: len(case.body))
    wire = Wire.of(case)
    every = range(len(wire.frames))
    bodies = [wire.with_frames([other for other in every if other != at]) for at in every]
    told = [at for at, body in enumerate(bodies) if wire_findings(Case(case.id, dialect, body))]

    assert max(told) >= len(every) - 2  # a [DONE] behind the end may be missing
    assert len(told) >= (1 if dialect == "ollama-ndjson" else 3)


def test_no_dialect_lacks_a_grammar_and_no_body_breaks_one() -> None:
    for dialect in DIALECTS:
        grammar = grammar_of(dialect)
        assert "stream" in grammar.levels
        for one in grammar.levels.values():
            states = {after for row in one.table.values() for after in row.values()} - {""}
            assert states | {"start"} >= set(one.table), "a row that nothing leads to"
            assert one.ends <= states | {"start"}
            assert states <= {*one.table, *one.ends}, "a state that nothing leads out of, and in which nothing may end"
    assert grammar_of("groq") is CHAT
    assert grammar_of("azure-openai-responses") is RESPONSES
    assert grammar_of("gemini-generateContent") is OBJECTS
    assert wire_findings(Case("x/y", "not-a-dialect", b"data: 1\n\n")) == ()
    assert len(wire_findings(sse(*["{"] * 50))) == AT_MOST


@pytest.mark.parametrize("odd", ["[]", "{}", "[[1]]"])
def test_what_the_wire_numbers_with_a_list_is_told_apart_too(odd: str) -> None:
    """A value that cannot be a key of a dict once ended the whole check."""
    tried = 0
    for case in [*CASES.values()][::6]:
        body = re.sub(rb'"(index|output_index|contentBlockIndex|id)":\s*("[^"]*"|\d+)', rb'"\1":' + odd.encode(), case.body)
        tried += body != case.body
        for finding in wire_findings(dataclasses.replace(case, body=body)):
            assert finding.message
    assert tried > 20


def test_a_table_says_what_must_not_come() -> None:
    machine = Machine({"stream": level("b", start={"x": "b", "y": "", "*": "start"}, b=rows("b", "z"))})

    symbols = ("anything", "y", "x", "z", "x")
    assert [machine.take(("stream", None, symbol)) for symbol in symbols] == [
        None, "y while the stream is in the state start", None, None, "x while the stream is in the state b",
    ]  # fmt: skip
    assert list(machine.end()) == []


@pytest.mark.parametrize("cuts", ["whole", "bytes"])
def test_the_parts_of_every_recording_keep_to_the_grammar_of_parts(cuts: str) -> None:
    small = [case for case in CASES.values() if len(case.body) < 3000]
    assert len(small) > 100
    for case in small:
        session = CORE.open(case)
        chunks = [case.body] if cuts == "whole" else [case.body[at : at + 1] for at in range(len(case.body))]
        parts = [part for chunk in chunks for part in session.feed(chunk)] + session.close()
        machine = Machine(OUTPUT)
        assert [told for part in parts for step in part_steps(part) if (told := machine.take(step))] == [], case.id
