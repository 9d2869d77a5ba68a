"""Each mutant differs from the core by its planted defect, where the wire has what it takes, and nowhere else."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.case import Case
from harness.chunking import parse_plan
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.hazards import load_catalogue
from harness.mutants import LAYERS, MUTANTS, Mutant
from harness.mutants.base import CORE, OPENAI_CHAT, SSE, Stage, reading, reshaping, rewriting
from harness.mutants.blocks import Blocks
from harness.mutants.eventstream import Messages
from harness.mutants.framing import Lines
from harness.mutants.mutation import graded_cases, run_mutants
from harness.mutants.overriding import Assembled, Values, framing, overriding
from harness.mutants.seeds import FieldPlaces, Snapshots
from harness.mutants.text import StrSplitlines
from harness.mutants.toolcalls import BEYOND, Calls, calls
from harness.proof import run
from harness.rules import violations
from harness.runner import Check, check_case
from harness.subjects.load import load_subject
from harness.verdict import GREEN, Verdict
from streamcore import DIALECTS
from streamcore.framing.jsonarray import JsonArrayFramer
from streamcore.framing.sse import SseFramer
from streamcore.snapshots import SnapshotTracker

from .committed import BY_ID, CASES, CASSETTES
from .exhibit_cases import RECORDED, WRONG_ON_ALL
from .exhibits import EXHIBITS, ONE_CALL, Exhibit, call, text, tools

if TYPE_CHECKING:
    from harness.subjects import PartJson, Subject

STORE = GoldenStore(CASSETTES.parent / "golden")
DIVERGENCES = Divergences.load(CASSETTES.parent / "golden" / "divergences.yaml")


def decode(subject: Subject, exhibit: Exhibit | Case, plan: str) -> list[PartJson]:
    """Parts without offsets, which are no part of a trace."""
    case = exhibit if isinstance(exhibit, Case) else exhibit.case
    for chunking in parse_plan(plan).chunkings(case):
        parts = run(subject.open(case), case.body, chunking)
        return [{key: value for key, value in part.items() if key != "offset"} for part in parts]
    return []


def test_every_mutant_has_an_exhibit() -> None:
    assert {*EXHIBITS, *RECORDED} == set(MUTANTS)
    assert all(any(exhibit.wrong for exhibit in exhibits) for exhibits in EXHIBITS.values())


@pytest.mark.parametrize("name", RECORDED)
def test_a_mutant_is_wrong_on_one_recording_and_right_on_another(name: str) -> None:
    mutant, shown = MUTANTS[name], RECORDED[name]
    wrong = BY_ID[shown.wrong]
    if shown.dialect:
        wrong = dataclasses.replace(wrong, dialect=shown.dialect)

    assert mutant.claims(wrong.dialect)
    try:
        assert decode(mutant, wrong, shown.plan) != decode(CORE, wrong, shown.plan)
    except (KeyError, UnicodeDecodeError):
        assert name in RAISING
    if name not in WRONG_ON_ALL:
        right = BY_ID[shown.right or shown.wrong]
        for plan in ("whole", "bytes", "every:7") if shown.right else ("whole",):
            assert decode(mutant, right, plan) == decode(CORE, right, plan), plan


RAISING = {"delta-needed", "utf8-strict"}


def test_no_two_mutants_do_the_same() -> None:
    shown = {one.wrong for one in RECORDED.values()} | {mutant.shown for mutant in MUTANTS.values()} - {""}
    cases = [BY_ID[name] for name in sorted(shown) if len(BY_ID[name].body) < 6000]
    known: dict[str, str] = {}
    for name, mutant in MUTANTS.items():
        told = []
        for case in cases:
            # Both plans, because some are right uncut; and the frames, because some are wrong about nothing else.
            for one, plan in ((case, "whole"), (case, "every:7"), (dataclasses.replace(case, dialect="sse"), "whole")):
                if mutant.claims(one.dialect):
                    told.append((one.id, one.dialect, plan, outcome(mutant, one, plan)))
        assert told
        same = known.setdefault(repr(told), name)
        assert same == name, f"{name} does what {same} does"


def outcome(mutant: Mutant, case: Case, plan: str) -> Any:
    try:
        return decode(mutant, case, plan)
    except Exception as error:  # noqa: BLE001 - some of them raise, which is their defect
        return type(error).__name__


@pytest.mark.parametrize("name", EXHIBITS)
def test_a_mutant_is_wrong_where_its_defect_shows_and_right_elsewhere(name: str) -> None:
    mutant = MUTANTS[name]
    for exhibit in EXHIBITS[name]:
        assert mutant.claims(exhibit.dialect)
        # The right ones first: what the shared one leaves behind must come from the stream that was cut.
        for plan in exhibit.right:
            assert decode(mutant, exhibit, plan) == decode(CORE, exhibit, plan), (plan, exhibit.body)
        for plan in exhibit.wrong:
            assert decode(mutant, exhibit, plan) != decode(CORE, exhibit, plan), (plan, exhibit.body)


def test_there_are_many_mutants_of_every_layer_each_in_one() -> None:
    assert len(MUTANTS) >= 60
    assert sum(map(len, LAYERS.values())) == len(MUTANTS)
    assert min(map(len, LAYERS.values())) >= 5
    claimed = {dialect for mutant in MUTANTS.values() for dialect in mutant.sessions}
    assert claimed == {*DIALECTS, "sse"} - UNCLAIMED


UNCLAIMED = {"cohere-v1"}
"""No recording of them is committed."""


def test_every_requirement_is_a_row() -> None:
    hazards = {hazard.id for hazard in load_catalogue(CASSETTES)}
    for name, mutant in MUTANTS.items():
        assert mutant.requirement in hazards or re.fullmatch(r"(V|J|P|R|A|S|B)[1-9]\d?", mutant.requirement), name
        assert mutant.shown in ("", *BY_ID), name


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


LARGE = {"bytes": 2500}
"""Bytes, 8000 but for that plan; what carries a defect does not look at the size of a body."""
CONTROLS = {
    "reading": reading(Unchanged),
    "rewriting": rewriting(Stage, *SSE),
    "calls": calls(Calls),
    "reshaping": reshaping(Same, *SSE),
    "blocks": reading(Blocks),
    "messages": reading(Messages, ("bedrock-converse-stream", "bedrock-invoke-with-response-stream")),
    "values": overriding(Values, *DIALECTS),
    "assembled": overriding(Assembled, OPENAI_CHAT),
    "framing": framing(type("SameArray", (JsonArrayFramer,), {}), "gemini-generateContent-json-array"),
    "fields": reshaping(FieldPlaces, *SSE),
    "snapshots": reshaping(lambda: Snapshots(SnapshotTracker), *SSE),
}


@pytest.mark.parametrize("plan", ["whole", "bytes", "every:7", "random:1"])
def test_what_carries_the_mutants_is_right(plan: str) -> None:
    exhibits = [Case("x/exhibit", exhibit.dialect, exhibit.body) for group in EXHIBITS.values() for exhibit in group]
    compared = dict.fromkeys(CONTROLS, 0)
    for case in (*CASES[::2], *exhibits):
        if len(case.body) > LARGE.get(plan, 8000):
            continue
        for chunking in parse_plan(plan).chunkings(case):
            expected = strip(run(CORE.open(case), case.body, chunking))
            for control, sessions in CONTROLS.items():
                if case.dialect not in sessions or (control == "calls" and case.hazard in BEYOND):
                    continue
                got = run(sessions[case.dialect](case), case.body, chunking)
                assert strip(got) == expected, (control, case.id, plan, case.body if case in exhibits else "")
                compared[control] += 1
    assert min(compared.values()) >= 5, compared


def strip(parts: list[PartJson]) -> list[PartJson]:
    """Without offsets: a stage may have made an event shorter."""
    return [{key: value for key, value in part.items() if key != "offset"} for part in parts]


def test_a_check_of_the_committed_recordings_catches_every_mutant() -> None:
    results = run_mutants(CASES, lambda _: STORE, DIVERGENCES, graded_cases(CASSETTES))

    assert [result.name for result in results] == list(MUTANTS)
    assert [result.name for result in results if not result.caught] == []
    for result in results:
        assert MUTANTS[result.name].claims(BY_ID[result.case].dialect)
        assert result.difference is None or (result.difference.event or 0) >= 0, result.name


SEEDS = {
    "sse-stops-early": ("openai-chat/text", "whole"),
    "sse-forgets-start": ("openai-chat/text", "whole"),
    "done-prefix": ("openai-chat/done-lookalike", "whole"),
    "array-string-forgotten": ("gemini-generateContent-json-array/escapes", "bytes"),
    "array-never-cleared": ("gemini-generateContent-json-array/length", "bytes"),
    "array-parser-per-chunk": ("gemini-generateContent-json-array/text", "bytes"),
    "array-characters-for-bytes": ("gemini-generateContent-json-array/unicode", "whole"),
    "calls-merged-by-index": ("openai-chat/index-reused", "whole"),
    "arguments-before-id-dropped": ("openai-chat/arguments-first", "whole"),
    "keys-in-order": ("openai-chat/key-order", "whole"),
    "id-only-lost": ("openai-chat/cut-after-id", "whole"),
    "contents-by-position": ("openai-chat/files-partly", "whole"),
    "past-last-piece": ("openai-chat/text", "whole"),
    "finish-flushed-away": ("openai-chat/text", "whole"),
    "skipped-text-repeated": ("openai-chat/text", "whole"),
}
"""Defects of the programs that this one began from -> the recording that shows each, and the plan."""


@pytest.mark.parametrize("name", SEEDS)
def test_a_recording_shows_each_defect_of_the_first_programs(name: str) -> None:
    case_id, plan = SEEDS[name]
    (case,) = (case for case in CASES if case.id == case_id)
    check = Check(f"mutant:{name}", (parse_plan("whole"), parse_plan("bytes")), DIVERGENCES)

    result = check_case(case, MUTANTS[name], check, STORE)

    assert result.verdict is Verdict.FAIL
    assert result.differences[0].plan == plan
    core = check_case(case, CORE, dataclasses.replace(check, subject_spec="streamcore"), STORE)
    assert core.verdict in GREEN, core.differences


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


def test_the_shared_calls_of_a_cut_stream_turn_up_in_the_next_of_its_case_and_in_no_other() -> None:
    cut = tools(call(0, '{"old":', "f", "a"), finish=None)
    after = tools(call(0, '{"x":1}', "g", "b"))

    def inputs(case: Case, body: bytes) -> list[str]:
        session = MUTANTS["calls-shared-by-streams"].open(case)
        parts = [part for at in range(len(body)) for part in session.feed(body[at : at + 1])] + session.close()
        return [part["input"] for part in parts if part["type"] == "tool-call"]

    case = Case("openai-chat/a", OPENAI_CHAT, cut)
    assert inputs(case, cut) == []
    assert inputs(case, after) == ['{"old":', '{"x":1}']
    assert inputs(case, after) == ['{"x":1}']  # a whole stream clears what others left
    assert inputs(case, cut) == []
    assert inputs(dataclasses.replace(case), after) == ['{"x":1}']


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

    assert rule in found if rule else not found


def test_str_splitlines_equals_the_standard_where_there_is_no_other_line_end() -> None:
    body = b"data: a\r\n\r\ndata: b\n\rdata: c\r\r: bye"
    for size in (1, 2, 3, len(body)):
        reader, framer = StrSplitlines(), SseFramer()
        frames = []
        for at in range(0, len(body), size):
            frames += framer.feed(reader.feed(body[at : at + size]))
        frames += framer.feed(reader.close())
        assert [frame[0] for frame in frames] == [b"a", b"b", b"c"]
