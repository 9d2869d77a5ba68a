"""Each mutant differs from the core by its planted defect, where the wire has what it takes, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.case import Case
from harness.cassette import iter_cases
from harness.chunking import parse_plan
from harness.mutants import MUTANTS
from harness.mutants.base import CORE, OPENAI_CHAT, SSE, Stage, reading, reshaping, rewriting
from harness.mutants.framing import Lines
from harness.mutants.text import StrSplitlines
from harness.mutants.toolcalls import Calls, calls
from harness.mutation import BEYOND_MUTANTS
from harness.proof import run
from harness.rules import violations
from harness.subjects.load import load_subject
from streamcore.framing.sse import SseFramer

from .exhibits import EXHIBITS, ONE_CALL, Exhibit, call, text, tools

if TYPE_CHECKING:
    from harness.subjects import PartJson, Subject

CASSETTES = Path(__file__).parents[2] / "cassettes"
CASES = list(iter_cases(CASSETTES))


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
        if case.dialect not in sessions or case.hazard in BEYOND_MUTANTS:
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

    assert [part["input"] for part in parts if part["type"] == "tool-call"] == ['{"old":', '{"x":1}']
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
