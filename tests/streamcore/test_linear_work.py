"""Rows B9 and WH-040: what a delta costs does not depend on what came before it. Work is counted, not timed."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from streamcore import Decoder, toolcalls
from streamcore.callstates import CallEvent, CallState, CallStates
from streamcore.fieldstream import FieldStream
from streamcore.json_machine import JsonMachine
from streamcore.jsonstream import JsonStream
from streamcore.processors import ArgumentsSoFar, Processors
from streamcore.snapshots import SnapshotTracker
from streamcore.state import Log

from .wire import DONE, call, finish, tools

CHUNKS = 100_000
COUNTED: list[CountingMachine] = []


class CountingMachine(JsonMachine):
    """A machine that counts how often a reader is looked up, which is once a step, and characters that are put together."""

    __slots__ = ("_reader", "joined", "steps")

    def __init__(self, **options: Any) -> None:
        self.steps = 0
        self.joined = 0
        super().__init__(**options)
        COUNTED.append(self)

    @property
    def read(self) -> Any:
        self.steps += 1
        return self._reader

    @read.setter
    def read(self, reader: Any) -> None:
        self._reader = reader

    def put_string(self) -> None:
        self.joined += sum(map(len, self.pieces))
        super().put_string()


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[CountingMachine]]:
    """Every machine that is made from now on, counting."""
    monkeypatch.setattr("streamcore.jsonstream.JsonMachine", CountingMachine)
    COUNTED.clear()
    yield COUNTED
    COUNTED.clear()


def pieces_of(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


DOCUMENTS: dict[str, Callable[[int], str]] = {
    "one string": lambda length: json.dumps({"content": "word " * (length // 5)}),
    "escapes": lambda length: json.dumps({"content": '\n"\\é\U0001f600' * (length // 24)}),
    "numbers": lambda length: json.dumps(list(range(10_000, 10_000 + length // 7))),
    "one number": lambda length: "[0." + "1" * length + "]",
    "keys": lambda length: json.dumps({f"k{at:06}": None for at in range(length // 17)}),
    "objects": lambda length: json.dumps([{"a": [{}], "b": True}] * (length // 24)),
    "white space": lambda length: "[" + " \n" * (length // 2) + "1]",
}


@pytest.mark.parametrize("size", [1, 8])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_delta_of_json_costs_its_length(machines: list[CountingMachine], document: str, size: int) -> None:
    totals = []
    for length in (8_000, 16_000):
        text = DOCUMENTS[document](length)
        stream = JsonStream()
        machine = machines[-1]
        for piece in pieces_of(text, size):
            before = machine.steps
            stream.feed(piece)
            _ = stream.value
            # A step for each character at most, the one that finds the piece used up, and looks at where it stands.
            assert machine.steps - before <= len(piece) + 6
        stream.close()
        assert stream.value == json.loads(text)
        assert machine.joined <= len(text)
        totals.append((machine.steps, len(text)))
    (steps, length), (more, longer) = totals
    assert more / longer <= 1.02 * steps / length


def counted_log(patch: pytest.MonkeyPatch) -> dict[str, int]:
    """From now on: characters of arguments that are read again, or parsed, and how often arguments grow."""
    work = {"read": 0, "parsed": 0, "grown": 0}
    since, parse, begin = Log.since, toolcalls._arguments, Log.__init__

    def counted_since(self: Log, earlier: Log | None) -> str:
        found = since(self, earlier)
        work["read"] += len(found)
        return found

    def counted_parse(text: str) -> Any:
        work["parsed"] += len(text)
        return parse(text)

    def counted_begin(self: Log, *content: Any) -> None:
        work["grown"] += 1
        begin(self, *content)

    patch.setattr(Log, "since", counted_since)
    patch.setattr(Log, "__init__", counted_begin)
    patch.setattr(toolcalls, "_arguments", counted_parse)
    return work


ARGUMENTS = {
    "letters": ["a"],
    "braces in a string": ["{", "}"],
    "what looks like the arguments again": ['{\\"s\\":', "}{", "{}"],
}


@pytest.mark.parametrize(("general", "count"), [(False, CHUNKS), (True, CHUNKS // 10)], ids=["quick path", "general path"])
@pytest.mark.parametrize("kind", ARGUMENTS)
def test_a_delta_of_arguments_reads_nothing_again(kind: str, general: bool, count: int) -> None:
    """WH-040: each character is looked at once at most until the arguments end, and nothing is parsed before that."""
    pieces = ['{"s":"', *(ARGUMENTS[kind][at % len(ARGUMENTS[kind])] for at in range(count)), '"}']
    length = sum(map(len, pieces))
    frames = [tools(call(0, "a", "f", "")), *(tools(call(0, args=piece)) for piece in pieces)]
    decoder = Decoder("openai-chat", assemble=False)
    if general:
        reader: Any = decoder._dialect
        reader.frame = reader.frame_in_full
    with pytest.MonkeyPatch.context() as patch:
        work = counted_log(patch)
        for at in range(0, len(frames), 1000):
            decoder.feed(b"".join(frames[at : at + 1000]))
            assert work["read"] <= length
        assert work["parsed"] == 0
        assert work["grown"] == len(frames)
        parts = [*decoder.feed(finish("tool_calls") + DONE), *decoder.close()]
        assert [part.type for part in parts] == ["tool-input-end", "tool-call", "finish"]
        assert work["read"] <= 2 * length
        assert work["parsed"] == length
        assert work["grown"] == len(frames)


def test_arguments_that_come_again_and_again_are_read_a_few_times_each() -> None:
    """WH-099: a replay is compared as it comes, not from its start."""
    once = json.dumps({"content": "x" * 2_000})
    pieces = pieces_of(once, 8)
    body = tools(call(0, "a", "f", "")) + b"".join(tools(call(0, args=piece)) for piece in pieces * 20)
    decoder = Decoder("openai-chat")
    with pytest.MonkeyPatch.context() as patch:
        work = counted_log(patch)
        for at in range(0, len(body), 997):
            decoder.feed(body[at : at + 997])
        decoder.feed(finish("tool_calls") + DONE)
        assert work["read"] <= 24 * len(once)
        assert work["parsed"] == 2 * len(once)
    assert [warning.code for warning in decoder.warnings] == ["args_replayed"] * 19
    assert [block.arguments for block in decoder.message.tool_calls] == [once]


# -- snapshots, processors, states of calls ----------------------------------------------------------------------------


class CountedText(str):
    """A text that counts what it is asked."""

    asked = 0
    compared = 0
    copied = 0
    __slots__ = ()

    def startswith(self, prefix: Any, *place: Any) -> bool:
        CountedText.asked += 1
        CountedText.compared += len(prefix)
        return super().startswith(prefix, *place)

    def __getitem__(self, place: Any) -> str:
        found = super().__getitem__(place)
        CountedText.copied += len(found)
        return found


def test_an_update_is_compared_once_and_only_what_is_new_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """B9: 100 000 updates of 100 ids."""
    for name in ("asked", "compared", "copied"):
        monkeypatch.setattr(CountedText, name, 0)
    text = "0123456789" * (CHUNKS // 1000)
    ids = [f"call-{number}" for number in range(CHUNKS // len(text))]
    tracker = SnapshotTracker()
    for end in range(1, len(text) + 1):
        for name in ids:
            assert tracker.add(name, CountedText(text[:end])) == text[end - 1]
    assert all(tracker.complete_text(name) == text for name in ids)
    assert CountedText.asked == CHUNKS - len(ids)
    assert CountedText.compared == len(ids) * sum(range(len(text)))
    assert CountedText.copied == CHUNKS - len(ids)


class Length:
    """How often something came, by a look at the last output."""

    def can_process(self, call: ArgumentsSoFar) -> bool:
        return call.arguments.started

    def process(self, call: ArgumentsSoFar) -> Any:
        return (call.output or 0) + 1


def test_a_chunk_of_a_processed_call_costs_its_length(machines: list[CountingMachine]) -> None:
    """B9: 100 000 chunks of one call, and of a hundred."""
    for count in (1, 100):
        processors = Processors()
        processors.register("kind", "file", Length())
        text = '{"content":"' + "x" * (CHUNKS // count - 14) + '"}'
        for char in text:
            for number in range(count):
                processors.feed(f"call-{number}", char, kind="file")
        assert [processors.output(f"call-{number}") for number in range(count)] == [len(text)] * count
        assert sum(machine.steps for machine in machines[-count:]) <= 3 * CHUNKS


def test_a_field_is_told_piece_by_piece(machines: list[CountingMachine]) -> None:
    stream = FieldStream("files[*].content")
    text = json.dumps({"files": [{"content": "x" * 100} for _ in range(CHUNKS // 120)]})
    deltas = [delta for char in text for delta in stream.feed(char)]
    assert sum(len(delta.delta) for delta in deltas) == 100 * (CHUNKS // 120)
    assert machines[-1].steps <= 3 * len(text)


def run_call(processors: Processors, states: CallStates, name: str) -> list[Any]:
    """All of one call, told piece by piece."""
    text = json.dumps({"path": name, "content": "word " * 200})
    outputs = [
        (processors.feed(name, piece, kind="file"), states.report(name, CallEvent.ARGUMENTS)) for piece in pieces_of(text, 3)
    ]
    return [*outputs, states.report(name, CallEvent.COMPLETE), states.report(name, CallEvent.OUTPUT)]


def test_threads_with_ids_of_their_own_do_what_one_does_alone() -> None:
    """B9."""
    names = [f"call-{number}" for number in range(16)]
    results = []
    for workers in (1, 8):
        processors, states = Processors(), CallStates()
        processors.register("kind", "file", Length())
        with ThreadPoolExecutor(workers) as pool:
            results.append(list(pool.map(lambda name, p=processors, s=states: run_call(p, s, name), names)))
        assert (len(processors), len(states)) == (16, 16)
        assert {states.state(name) for name in names} == {CallState.HAS_OUTPUT}
    assert results[0] == results[1]
    assert [outputs[-1] for outputs in results[0]] == [CallState.HAS_OUTPUT] * 16


def test_memory_is_back_at_its_base_after_clear() -> None:
    """B9."""
    processors, states = Processors(), CallStates()
    processors.register("kind", "file", Length())

    def turn() -> None:
        names = [f"call-{number}" for number in range(50)]
        for name in names:
            run_call(processors, states, name)
        for name in names:
            processors.clear(name)
            states.clear(name)
        gc.collect()

    turn()
    tracemalloc.start()
    try:
        turn()
        before = tracemalloc.get_traced_memory()[0]
        turn()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (len(processors), len(states)) == (0, 0)
    assert after - before < 2_000
