"""The published strategies: what they say a stream says is what streamcore reads in it, however it is cut; and they say enough."""

from __future__ import annotations

import builtins
import functools
import importlib
import json
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from harness.faults.damage import OPERATORS, Damage, damaged, frames_of, framing_of
from harness.rules import violations
from harness.rules.text import has_halves
from harness.strategies import GRAMMARS, Expectation, SseEvent, chunkings, mutated, sayings, sse_lines, streams
from harness.subjects.core import FRAMINGS
from streamcore import DIALECTS, Decoder, Message
from streamcore.framing.sse import SseFramer

few = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
"""For each of fifty dialects."""
DISTINCT = sorted(
    {
        (grammar.framing, grammar.reasoning, grammar.calls, grammar.stringified, *grammar.finishes): dialect
        for dialect, grammar in GRAMMARS.items()
    }.values()
)
"""One dialect for each set of features."""
UNDESERVED = {"empty_args"}
"""Warnings that a stream of valid grammar may raise: a call without arguments is legal, and worth a word."""


def decode(dialect: str, chunks: list[bytes]) -> tuple[list[dict[str, Any]], Decoder]:
    decoder = Decoder(dialect)
    parts = [part for chunk in chunks for part in decoder.feed(chunk)] + decoder.close()
    return [part.as_json() for part in parts], decoder


def heard(message: Message, expected: Expectation) -> Expectation:
    """What streamcore made of a stream, as an expectation."""
    finish, usage = message.finish, message.usage
    assert finish is not None
    assert usage is not None
    calls = tuple(
        type(one)(call.name, call.arguments) for one, call in zip(expected.calls, message.tool_calls, strict=True)
    )
    told = (usage.input_total, usage.output_total) if expected.usage is not None else None
    return Expectation(
        expected.dialect, message.text, message.reasoning, calls, finish.unified, finish.raw, told
    )  # fmt: skip


def test_there_is_a_grammar_for_every_dialect() -> None:
    assert set(GRAMMARS) == set(DIALECTS)
    assert all(GRAMMARS[dialect].framing == framing_of(dialect) for dialect in DIALECTS)


@pytest.mark.parametrize("dialect", GRAMMARS)
def test_a_stream_says_what_is_expected_of_it_however_it_is_cut(dialect: str) -> None:
    @few
    @given(st.data())
    def check(data: st.DataObject) -> None:
        body, expected = data.draw(streams(dialect))
        runs = [[body], data.draw(chunkings(body)), data.draw(chunkings(body)), [body[:1], body[1:-1], body[-1:]]]
        first = None
        for chunks in runs:
            parts, decoder = decode(dialect, chunks)
            assert heard(decoder.message, expected) == expected
            assert decoder.message.error is None
            assert all(call.executable for call in decoder.message.tool_calls)
            assert [call.input for call in decoder.message.tool_calls] == [call.value for call in expected.calls]
            assert len({call.id for call in decoder.message.tool_calls}) == len(expected.calls)
            assert {warning.code for warning in decoder.warnings} <= UNDESERVED
            assert violations(parts, body=body, dialect=dialect) == []
            assert first in (None, parts)
            first = parts

    check()


@pytest.mark.parametrize("dialect", GRAMMARS)
def test_lone_surrogates_are_said_too(dialect: str) -> None:
    @settings(few, max_examples=2)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        body, expected = data.draw(streams(dialect, lone_surrogates=True))
        for chunks in ([body], data.draw(chunkings(body))):
            parts, decoder = decode(dialect, chunks)
            assert decoder.message.text == replaced(expected.text)
            assert decoder.message.reasoning == replaced(expected.reasoning)
            # Counting high and low halves does not tell whether they stand apart.
            assert {found.rule for found in violations(parts, body=body, dialect=dialect)} <= {"encodable"}

    check()


def replaced(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)


@pytest.mark.parametrize("dialect", GRAMMARS)
def test_rules_hold_whatever_is_done_to_a_stream(dialect: str) -> None:
    @few
    @given(st.data())
    def check(data: st.DataObject) -> None:
        (body, _), (other, _) = data.draw(streams(dialect)), data.draw(streams(dialect))
        body = data.draw(mutated(body, dialect, other=other))
        parts, decoder = decode(dialect, [body])
        cut, other_decoder = decode(dialect, data.draw(chunkings(body)))
        assert parts == cut
        assert decoder.message == other_decoder.message
        warned = [warning.code for warning in decoder.warnings]
        broken = {found.rule for found in violations(parts, body=body, dialect=dialect, warnings=warned)}
        decoder.message.text.encode()
        # Damage parts halves of pairs; the rule only counts them.
        broken -= {"encodable"} if has_halves(body) else set()
        assert broken == set()

    check()


@pytest.mark.parametrize("dialect", DISTINCT)
def test_every_feature_of_a_grammar_is_drawn(dialect: str) -> None:
    """Counted over four hundred streams: each kind of thing said, each finish, several calls, deltas of many and of one."""
    grammar = GRAMMARS[dialect]
    seen: Counter[str] = Counter()

    @settings(few, max_examples=400, phases=[Phase.generate], derandomize=True)
    @given(sayings(grammar))
    def draw(said: Any) -> None:
        calls = [item for item in said.items if item.kind == "call"]
        seen.update({item.kind for item in said.items})
        seen[f"finish {said.finish}"] += 1
        seen["several calls"] += len(calls) > 1
        seen["in many deltas"] += any(len(item.text) > 2 * max(item.by) for item in said.items)
        seen["beyond ASCII"] += any(not item.text.isascii() for item in said.items)
        seen["halves of pairs"] += any(
            "\ud800" <= character < "\ue000" for item in said.items for character in item.text
        )
        seen["silent"] += not said.items

    draw()
    wanted = {"text", *(f"finish {finish}" for finish in grammar.finishes if finish != "tool-calls"), "beyond ASCII"}
    wanted |= {"in many deltas", "halves of pairs", "silent"}
    wanted |= {"reasoning"} if grammar.reasoning else set()
    wanted |= {"call", "several calls", "finish tool-calls"} if grammar.calls else set()
    assert {feature for feature in wanted if not seen[feature]} == set(), seen
    assert seen["reasoning"] == 0 or grammar.reasoning
    assert seen["call"] == 0 or grammar.calls


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # find tells of what it found, however long
@pytest.mark.parametrize("dialect", ["openai-chat", "bedrock-converse-stream", "gemini-generateContent-json-array"])
def test_a_body_with_calls_and_text_can_be_found(dialect: str) -> None:
    body, expected = find(
        streams(dialect),
        lambda drawn: len(drawn[1].calls) > 1 and bool(drawn[1].text),
        settings=settings(few, max_examples=2000, phases=[Phase.generate]),  # the first that fits, not the smallest
    )
    for chunks in ([body], [body[at : at + 1] for at in range(len(body))]):
        assert len(decode(dialect, chunks)[1].message.tool_calls) == len(expected.calls)


@given(st.data())
def test_chunks_are_the_body(data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=60))
    chunks = data.draw(chunkings(body))
    assert b"".join(chunks) == body
    assert all(chunks)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_server_sent_events_are_dispatched_as_expected(data: st.DataObject) -> None:
    body, expected = data.draw(sse_lines())
    for chunks in ([body], data.draw(chunkings(body)), [body[at : at + 1] for at in range(len(body))]):
        framer = SseFramer()
        frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
        seen = [(payload.decode(), event or "message", ident) for payload, event, ident, _ in frames]
        assert seen == [(event.data, event.event, event.id) for event in expected]


def test_server_sent_events_come_in_every_form() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=150, phases=[Phase.generate], derandomize=True, database=None)
    @given(sse_lines())
    def draw(drawn: tuple[bytes, list[SseEvent]]) -> None:
        body, events = drawn
        seen["cr"] += b"\r" in body.replace(b"\r\n", b"")
        seen["crlf"] += b"\r\n" in body
        seen["lf"] += b"\n" in body.replace(b"\r\n", b"")
        seen["comment"] += b"\n:" in body or b"\r:" in body
        seen["mark"] += body.startswith(b"\xef\xbb\xbf")
        seen["id"] += any(event.last_event_id for event in events)
        seen["named"] += any(event.event != "message" for event in events)
        seen["lines"] += any("\n" in event.data for event in events)
        seen["empty"] += any(not event.data for event in events)

    draw()
    assert len(seen) == 9
    assert min(seen.values()) > 2, seen


@functools.cache
def with_text_and_calls(dialect: str) -> bytes:
    """A body of that dialect; found once for all operators."""
    return find(
        streams(dialect),
        lambda drawn: len(drawn[1].text) > 3 and bool(drawn[1].calls),
        # The first that fits, not the smallest, and always the same.
        settings=settings(max_examples=2000, phases=[Phase.generate], derandomize=True, database=None),
    )[0]


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("dialect", ["openai-chat", "bedrock-invoke-with-response-stream", "ollama-ndjson"])
def test_every_kind_of_damage_changes_something(dialect: str, operator: str) -> None:
    framing = framing_of(dialect)
    body = with_text_and_calls(dialect)
    assert b"".join(frames_of(body, framing)) == body
    changed = {
        damaged(body, framing, [Damage(operator, where, what)], body)
        for where in range(100, 1 << 16, 6553)
        for what in (0, 255, 30_000, 65_535)
    }
    assert len(changed - {body}) > 1
    for one in changed:
        assert decode(dialect, [one])[0] == decode(dialect, [one[:7], one[7:]])[0]


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # find tells of what it found, however long
def test_damage_to_the_payload_of_a_message_leaves_its_checksums_sound() -> None:
    body = find(
        streams("bedrock-invoke-with-response-stream"),
        lambda drawn: bool(drawn[1].text),
        settings=settings(few, max_examples=2000, phases=[Phase.generate]),
    )[0]
    for where in range(0, 1 << 16, 4096):
        hurt = damaged(body, "eventstream", [Damage("value", where, where >> 1)])
        for chunks in ([hurt], [hurt[:9], hurt[9:]]):
            framer = FRAMINGS["eventstream"][0]()
            assert sum(len(framer.feed(chunk)) for chunk in chunks) == len(frames_of(body, "eventstream"))
            assert framer.failure is None


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_damage_can_be_done_to_anything(framing: str, operator: str) -> None:
    for body in (b"", b"x", b"\x00\x00", b"{", b"\xff\xfe", b'{"a":1}\n'):
        for where, what in ((0, 0), (0xFFFF, 0xFFFF), (0x8000, 3)):
            for other in (b"", body, b'data: {"b":[]}\n\n'):
                harmed = damaged(body, framing, [Damage(operator, where, what)] * 2, other)
                assert isinstance(harmed, bytes), (body, where, what, other)


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(ValueError, match="did you mean openai-chat"):
        streams("openai-chats")


def test_without_hypothesis_the_module_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "hypothesis":
            raise ImportError(name)
        return real(name, *rest, **more)

    for name in [name for name in sys.modules if name.startswith("harness.strategies")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"pip install 'streamparity\[fuzz\]'"):
        importlib.import_module("harness.strategies")


def test_the_example_of_the_documentation_runs() -> None:
    """The parser that the docstring calls one's own, here a naive one, and caught."""

    class MyParser:
        """Takes each chunk for whole events."""

        def __init__(self) -> None:
            self.text = ""

        def feed(self, chunk: bytes) -> None:
            for line in chunk.decode(errors="ignore").splitlines():
                try:
                    self.text += json.loads(line.removeprefix("data: "))["delta"].get("text", "")
                except (ValueError, KeyError, AttributeError, TypeError):
                    continue

    def wrong(drawn: tuple[bytes, Expectation, list[bytes]]) -> bool:
        parser = MyParser()
        for chunk in drawn[2]:
            parser.feed(chunk)
        return parser.text != drawn[1].text

    @st.composite
    def cut(draw: st.DrawFn) -> tuple[bytes, Expectation, list[bytes]]:
        body, expected = draw(streams("anthropic-messages"))
        return body, expected, draw(chunkings(body))

    assert wrong(find(cut(), wrong, settings=settings(max_examples=500, phases=[Phase.generate])))
