"""Each mutant differs from the core by its planted defect, where the wire has what it takes, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.case import Case
from harness.cassette import iter_cases
from harness.chunking import parse_plan
from harness.mutants import MUTANTS
from harness.mutants.base import ANTHROPIC_MESSAGES, CORE, OPENAI_CHAT, SSE, Stage, reading, reshaping, rewriting
from harness.mutants.framing import Lines
from harness.mutants.text import StrSplitlines
from harness.mutants.toolcalls import Calls, calls
from harness.proof import run
from harness.rules import violations
from harness.subjects.load import load_subject
from streamcore.framing.sse import SseFramer

if TYPE_CHECKING:
    from harness.subjects import PartJson, Subject

CASSETTES = Path(__file__).parents[2] / "cassettes"
CASES = list(iter_cases(CASSETTES))
DONE = b"data: [DONE]\n\n"


def sse(payload: Any, end: str = "\n") -> bytes:
    """An event; a typed one has its name before it."""
    name = f"event: {payload['type']}{end}" if "type" in payload else ""
    return f"{name}data: {json.dumps(payload, ensure_ascii=False)}{end}{end}".encode()


def chat(delta: dict[str, Any] | None = None, finish: str | None = None, **extra: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "c", "created": 1, "model": "m", "choices": [choice], **extra}


def call(index: int, arguments: str | None = None, name: str | None = None, ident: str | None = None) -> dict[str, Any]:
    """A piece of a tool call."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"index": index, **({"id": ident} if ident else {}), "function": function}


def tools(*deltas: dict[str, Any], finish: str | None = "tool_calls") -> bytes:
    """A chat stream of tool calls, each delta in a chunk of its own."""
    events = [sse(chat({"tool_calls": [delta]})) for delta in deltas]
    return b"".join(events) + (sse(chat(finish=finish)) + DONE if finish else b"")


def text(*pieces: str, end: str = "\n") -> bytes:
    """A chat stream of text."""
    events = b"".join(sse(chat({"content": piece}), end) for piece in pieces)
    return events + sse(chat(finish="stop"), end) + DONE.replace(b"\n", end.encode())


def block(*deltas: dict[str, Any], start: dict[str, Any], index: int = 0, stop: bool = True) -> list[dict[str, Any]]:
    """The events of one content block."""
    events: list[dict[str, Any]] = [{"type": "content_block_start", "index": index, "content_block": start}]
    events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return events + ([{"type": "content_block_stop", "index": index}] if stop else [])


def message(*events: dict[str, Any], complete: bool = True, end: str = "\n") -> bytes:
    """A Messages stream around the events of its blocks."""
    about: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    about |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
    start = {"type": "message_start", "message": about}
    ends: list[dict[str, Any]] = [
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 15},
        },
        {"type": "message_stop"},
    ]
    return b"".join(sse(event, end) for event in (start, *events, *(ends if complete else ())))


def tool(*fragments: str) -> list[dict[str, Any]]:
    """A tool use block."""
    deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in fragments]
    return block(*deltas, start={"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})


def says(word: str) -> list[dict[str, Any]]:
    """A text block."""
    return block({"type": "text_delta", "text": word}, start={"type": "text", "text": ""})


@dataclass(frozen=True)
class Exhibit:
    """A body on which a mutant is wrong under some plans, and right under others."""

    body: bytes
    wrong: tuple[str, ...]
    right: tuple[str, ...] = ()
    dialect: str = OPENAI_CHAT


ONE_CALL = (call(0, "", "f", "a"), call(0, '{"x"'), call(0, ":1}"))
TWO_ON_ONE_INDEX = (call(0, '{"x":1}', "f", "a"), call(0, '{"y":2}', "g", "b"))
INTERLEAVED = (
    call(0, "", "f", "a"),
    call(1, "", "g", "b"),
    call(0, '{"x":'),
    call(1, '{"y":'),
    call(0, "1}"),
    call(1, "2}"),
)
HELLO = text("Hé", "llo 🚀!", " .")
PRETTY = b'data: {"id":"c","created":1,"model":"m",\r\ndata: "choices":[]}\r\n\r\n' + text("a", end="\r\n")
THINKING = block(
    {"type": "thinking_delta", "thinking": "hm"},
    {"type": "signature_delta", "signature": "AB=="},
    start={"type": "thinking", "thinking": "", "signature": ""},
)
ERROR = {"error": {"message": "boom", "type": "server_error"}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}

EXHIBITS: dict[str, tuple[Exhibit, ...]] = {
    "sse-stops-early": (Exhibit(HELLO, ("whole",), ("bytes",)), Exhibit(HELLO, ("whole",), ("bytes",), "sse")),
    "sse-forgets-start": (Exhibit(HELLO, ("whole", "bytes")), Exhibit(b"data: a\n\n", ("bytes",), ("whole",), "sse")),
    "crlf-cut-is-blank": (
        Exhibit(PRETTY, ("bytes",), ("whole",)),
        Exhibit(message(*says("a"), end="\r\n"), ("bytes",), ("whole",), "sse"),
        Exhibit(HELLO, (), ("whole", "bytes", "every:7")),
    ),
    "lines-per-chunk": (Exhibit(HELLO, ("bytes", "every:7"), ("whole",)),),
    "remainder-dropped": (Exhibit(HELLO, ("bytes", "every:7"), ("whole",)),),
    "bom-kept": (Exhibit(b"\xef\xbb\xbf" + HELLO, ("whole", "bytes")), Exhibit(HELLO, (), ("whole", "bytes"))),
    "last-data-line-wins": (Exhibit(PRETTY, ("whole", "bytes")), Exhibit(HELLO, (), ("whole", "bytes"))),
    "data-wants-space": (
        Exhibit(HELLO.replace(b"data: ", b"data:"), ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "comment-is-data": (
        Exhibit(b": keep-alive\n\n" + HELLO, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "done-parsed": (Exhibit(HELLO, ("whole", "bytes")),),
    "done-prefix": (
        Exhibit(b"data: [DONE] not yet\n\n" + HELLO, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "utf8-per-chunk": (Exhibit(HELLO, ("bytes",), ("whole",)),),
    "utf8-halves-dropped": (Exhibit(HELLO, ("bytes",), ("whole",)),),
    "latin-1": (Exhibit(HELLO, ("whole", "bytes")), Exhibit(text("plain"), (), ("whole", "bytes"))),
    "str-splitlines": (
        Exhibit(text("a\u2028b"), ("whole", "bytes")),
        Exhibit(text("a\u0085b"), ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes", "every:7")),
        Exhibit(text("a", end="\r\n"), (), ("whole", "bytes", "every:7")),
    ),
    "calls-merged-by-index": (
        Exhibit(tools(*TWO_ON_ONE_INDEX), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
    ),
    "calls-shared-by-streams": (
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
        Exhibit(tools(*ONE_CALL[:2], finish=None), ("bytes",), ("whole",)),
    ),
    "arguments-to-last-call": (
        Exhibit(tools(*INTERLEAVED), ("whole", "bytes")),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "name-concatenated": (
        Exhibit(tools(call(0, '{"x":', "f", "a"), call(0, "1}", "f", "a")), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
    ),
    "first-call-only": (
        Exhibit(sse(chat({"tool_calls": list(INTERLEAVED[:2])})) + tools(), ("whole", "bytes")),
        Exhibit(tools(*INTERLEAVED), (), ("whole", "bytes")),
    ),
    "arguments-per-fragment": (
        Exhibit(tools(*ONE_CALL), ("whole", "bytes")),
        Exhibit(message(*tool("", '{"x"', ":1}")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*tool("", '{"x":1}')), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "ends-when-it-parses": (Exhibit(tools(call(0, "{}", "f", "a"), call(0, " ")), ("whole", "bytes")),),
    "whole-call-twice": (
        Exhibit(tools(call(0, '{"x":1}', "f", "a")), ("whole", "bytes")),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "empty-call-dropped": (
        Exhibit(tools(call(0, "", "f", "a")), ("whole", "bytes")),
        Exhibit(message(*tool("")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "arguments-reserialised": (
        Exhibit(tools(*ONE_CALL), ("whole", "bytes")),
        Exhibit(message(*tool('{"x":1}')), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
    ),
    "invalid-arguments-emptied": (
        Exhibit(tools(call(0, '{"x"', "f", "a")), ("whole", "bytes")),
        Exhibit(message(*tool('{"x"')), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(tools(*ONE_CALL), (), ("whole", "bytes")),
    ),
    "empty-input-prefixed": (
        Exhibit(message(*tool("", '{"x":1}')), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*tool("")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "cut-looks-complete": (
        Exhibit(tools(*ONE_CALL[:2], finish=None), ("whole", "bytes")),
        Exhibit(b"", ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
        Exhibit(HELLO + b"\n: bye", (), ("whole", "bytes")),
        Exhibit(message(*says("a")[:2], complete=False), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*says("a")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "error-swallowed": (
        Exhibit(sse(chat({"content": "a"})) + sse(ERROR) + DONE, ("whole", "bytes")),
        Exhibit(message({"type": "error", **ERROR}, complete=False), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "usage-summed": (Exhibit(message(*says("a")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),),
    "usage-chunk-lost": (
        Exhibit(text("a")[: -len(DONE)] + sse({**chat(), "choices": [], "usage": USAGE}) + DONE, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "choices-mixed": (
        Exhibit(sse({**chat(), "choices": [{"index": 1, "delta": {"content": "b"}}]}) + HELLO, ("whole", "bytes")),
        Exhibit(HELLO, (), ("whole", "bytes")),
    ),
    "signature-lost": (
        Exhibit(message(*THINKING), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*says("a")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "ping-is-fatal": (
        Exhibit(message({"type": "ping"}, *says("a")), ("whole", "bytes"), (), ANTHROPIC_MESSAGES),
        Exhibit(message(*says("a")), (), ("whole", "bytes"), ANTHROPIC_MESSAGES),
    ),
    "finish-flushed-away": (Exhibit(HELLO, ("whole", "bytes")), Exhibit(tools(*ONE_CALL), (), ("whole", "bytes"))),
    "skipped-text-repeated": (
        Exhibit(text("I", " am", " here"), ("whole", "bytes")),
        Exhibit(text("Hello", " there"), (), ("whole", "bytes")),
    ),
}


def decode(subject: Subject, exhibit: Exhibit | Case, plan: str) -> list[PartJson]:
    """Parts without offsets, which are no part of a trace."""
    case = exhibit if isinstance(exhibit, Case) else Case("x/exhibit", exhibit.dialect, exhibit.body)
    for chunking in parse_plan(plan).chunkings(case):
        parts = run(subject.open(case), case.body, chunking)
        return [{key: value for key, value in part.items() if key != "offset"} for part in parts]
    return []


def test_every_mutant_has_an_exhibit() -> None:
    assert set(EXHIBITS) == set(MUTANTS)
    assert all(any(exhibit.wrong for exhibit in exhibits) for exhibits in EXHIBITS.values())


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_wrong_where_its_defect_shows_and_right_elsewhere(name: str) -> None:
    mutant = MUTANTS[name]
    for exhibit in EXHIBITS[name]:
        assert mutant.claims(exhibit.dialect)
        # The right ones first: what the shared one leaves behind must come from the stream that was cut.
        for plan in exhibit.right:
            assert decode(mutant, exhibit, plan) == decode(CORE, exhibit, plan), (plan, exhibit.body)
        for plan in exhibit.wrong:
            assert decode(mutant, exhibit, plan) != decode(CORE, exhibit, plan), (plan, exhibit.body)


def test_mutants_are_subjects_with_a_name_a_line_and_a_requirement() -> None:
    for name, mutant in MUTANTS.items():
        assert load_subject(f"mutant:{name}") is mutant
        assert mutant.name == name
        assert mutant.requirement
        assert 10 < len(mutant.description) < 110
        assert "\n" not in mutant.description
        assert not mutant.claims("no-such-dialect")


class Unchanged:
    """A reader that takes lines apart and puts them together again."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, chunk: bytes) -> bytes:
        return b"".join(line + b"\n" for line in self._lines.split(chunk))

    def close(self) -> bytes:
        return self._lines.rest()


class Same:
    """A part stage that changes nothing."""

    def part(self, part: PartJson) -> list[PartJson]:
        return [part]


CONTROLS = {
    "reading": reading(Unchanged),
    "rewriting": rewriting(Stage, *SSE),
    "calls": calls(Calls),
    "reshaping": reshaping(Same, *SSE),
}


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("plan", ["whole", "bytes", "every:7", "random:1", "recorded"])
def test_what_carries_the_mutants_is_right(control: str, plan: str) -> None:
    sessions = CONTROLS[control]
    exhibits = [Case("x/exhibit", exhibit.dialect, exhibit.body) for group in EXHIBITS.values() for exhibit in group]
    compared = 0
    for case in (*CASES, *exhibits):
        if case.dialect not in sessions:
            continue
        for chunking in parse_plan(plan).chunkings(case):
            got = run(sessions[case.dialect](case), case.body, chunking)
            assert strip(got) == strip(run(CORE.open(case), case.body, chunking)), case.id
            compared += 1
    assert compared >= 20


def strip(parts: list[PartJson]) -> list[PartJson]:
    """Without offsets: a stage may have made an event shorter."""
    return [{key: value for key, value in part.items() if key != "offset"} for part in parts]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_open_event_at_the_end_reaches_the_core(end: str) -> None:
    whole = text("Hello", end=end)
    for size in range(0, len(whole), 3):
        exhibit = Exhibit(whole[:size], ())
        expected = decode(CORE, exhibit, "whole")
        for control in ("reading", "rewriting", "reshaping"):
            case = Case("x/cut", OPENAI_CHAT, exhibit.body)
            for plan in ("whole", "bytes"):
                chunking = next(parse_plan(plan).chunkings(case))
                parts = run(CONTROLS[control][OPENAI_CHAT](case), case.body, chunking)
                assert strip(parts) == expected, (control, plan, size)


def test_the_first_seed_parser_is_right_byte_by_byte_and_line_by_line_and_empty_when_whole() -> None:
    body = b"data: a\n\ndata: b\n\ndata: [DONE]\n\n"
    data = ["a", "b", "[DONE]"]
    mutant = MUTANTS["sse-stops-early"]
    case = Case("sse/abc", "sse", body)

    session = mutant.open(case)
    by_line = [part["data"] for line in body.splitlines(keepends=True) for part in session.feed(line)]

    assert [part["data"] for part in decode(mutant, case, "whole")] == []
    assert [part["data"] for part in decode(mutant, case, "bytes")] == data
    assert by_line == data


def test_the_second_seed_parser_gives_growing_prefixes_when_whole_and_nothing_when_split() -> None:
    body = b"data: a\n\ndata: b\n\ndata: [DONE]\n\n"
    mutant = MUTANTS["sse-forgets-start"]
    case = Case("sse/abc", "sse", body)

    session = mutant.open(case)
    by_line = [part for line in body.splitlines(keepends=True) for part in session.feed(line)]

    assert [part["data"] for part in decode(mutant, case, "whole")] == ["a", "a\nb", "a\nb\n[DONE]"]
    assert decode(mutant, case, "bytes") == []
    assert by_line == []


def test_the_second_seed_parser_does_not_take_quadratic_memory() -> None:
    body = b"data: " + b"x" * 500 + b"\n\n"
    parts = decode(MUTANTS["sse-forgets-start"], Case("sse/long", "sse", body * 2000), "whole")

    assert sum(len(part["data"]) for part in parts) < 8_000_000


def test_the_shared_calls_of_a_cut_stream_turn_up_in_the_next() -> None:
    mutant = MUTANTS["calls-shared-by-streams"]
    decode(mutant, Exhibit(tools(*ONE_CALL), ()), "whole")  # a whole stream clears what others left
    decode(mutant, Exhibit(tools(call(0, '{"old":', "f", "a"), finish=None), ()), "whole")

    parts = decode(mutant, Exhibit(tools(call(0, '{"x":1}', "g", "b")), ()), "whole")

    assert [part["input"] for part in parts if part["type"] == "tool-call"] == ['{"old":{"x":1}']
    exhibit = Exhibit(tools(*ONE_CALL), ())
    assert decode(mutant, exhibit, "whole") == decode(CORE, exhibit, "whole")


@pytest.mark.parametrize(
    ("name", "deltas", "rule"),
    [
        ("arguments-reserialised", ONE_CALL, "call-input"),
        ("ends-when-it-parses", (call(0, "{}", "f", "a"), call(0, " ")), "block-order"),
        ("whole-call-twice", (call(0, '{"x":1}', "f", "a"),), None),
    ],
)
def test_some_mutants_break_a_rule_and_some_need_a_golden(name: str, deltas: Any, rule: str | None) -> None:
    found = {violation.rule for violation in violations(decode(MUTANTS[name], Exhibit(tools(*deltas), ()), "whole"))}

    assert found == ({rule} if rule else set())


def test_str_splitlines_equals_the_standard_where_there_is_no_other_line_end() -> None:
    body = b"data: a\r\n\r\ndata: b\n\rdata: c\r\r: bye"
    for size in (1, 2, 3, len(body)):
        reader, framer = StrSplitlines(), SseFramer()
        frames = []
        for at in range(0, len(body), size):
            frames += framer.feed(reader.feed(body[at : at + size]))
        frames += framer.feed(reader.close())
        assert [frame[0] for frame in frames] == [b"a", b"b", b"c"]
