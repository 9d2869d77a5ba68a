"""Faults: each operator does what its name says, streamcore stands all of them, and what does not is caught."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness import faults
from harness.canonical import canonical
from harness.case import Case
from harness.chunking import FAULTS, PLAN_SETS, PlanError, parse_plan, parse_plans
from harness.divergence import Divergences
from harness.faults import OPERATORS, Fault, Wire
from harness.faults.judge import prove_faults
from harness.golden import GoldenStore
from harness.mutants.base import CORE
from harness.proof import Outcome, walk
from harness.record.eventstream import event
from harness.runner import Check, check_case
from harness.subjects import PartJson
from harness.subjects.core import CoreSession, CoreSubject
from harness.verdict import Verdict
from streamcore import Decoder, Limits

from .checkout import TEXT, case_called, make_checkout
from .committed import BY_ID as CASES

ONE_OF_EACH = (
    "openai-chat/tool", "anthropic-messages/tool", "bedrock-converse-stream/text", "ollama-ndjson/tool",
    "gemini-generateContent-json-array/text",
)  # fmt: skip
SSE = Case("sse/c", "sse", b'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n')
LINES = Case("ndjson/c", "ndjson", b'{"a":1}\n{"b":2}\n{"c":3}')
ARRAY = Case("jsonarray/c", "jsonarray", b'[{"a":1},\n{"b":2}\n]\n')
AWS = Case("eventstream/c", "eventstream", event("a", b'{"a":1}') + event("b", b'{"b":2}'))


def made(name: str, case: Case) -> list[Fault]:
    return list(OPERATORS[name](Wire.of(case)))


def outcome(name: str, case: Case, make: Any = CoreSession) -> Outcome:
    opened = partial(CORE.open, case) if case.dialect in faults.FRAMINGS else partial(make, case.dialect)
    return prove_faults(parse_plan(f"faults:{name}"), case, opened, walk(opened(), case.body))


def payloads(body: bytes, framing: str) -> list[Any]:
    framer = faults.FRAMINGS[framing][0]()
    return [json.loads(frame[0 if framing != "eventstream" else 1]) for frame in framer.feed(body)]


def test_every_operator_is_a_plan() -> None:
    assert tuple(OPERATORS) == FAULTS
    assert [plan.name for plan in parse_plans("faults")] == [f"faults:{name}" for name in FAULTS] == [*PLAN_SETS["faults"]]
    assert parse_plan("faults:drop-frame@12").name == "faults:drop-frame@12"
    for name in ("faults:", "faults:drop", "faults:drop-frame@", "faults:drop-frame@x"):
        with pytest.raises(PlanError, match="faults:NAME"):
            parse_plan(name)


def test_frames_of_an_event_stream() -> None:
    assert [fault.body for fault in made("drop-frame", SSE)] == [
        b'data: {"b":2}\n\ndata: [DONE]\n\n',
        b'data: {"a":1}\n\ndata: [DONE]\n\n',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
    ]
    assert [(fault.number, fault.start) for fault in made("drop-frame", SSE)] == [(0, 0), (1, 15), (2, 30)]
    assert made("duplicate-frame", SSE)[1].body == SSE.body[:30] + SSE.body[15:]
    assert made("duplicate-frame", SSE)[1].start == 30
    assert [fault.body for fault in made("swap-frames", SSE)] == [
        SSE.body[15:30] + SSE.body[:15] + SSE.body[30:],
        SSE.body[:15] + SSE.body[30:] + SSE.body[15:30],
    ]
    assert [fault.body.count(b'" ') for fault in made("corrupt-frame", SSE)] == [1, 1]


@pytest.mark.parametrize(("case", "framing"), [(ARRAY, "jsonarray"), (AWS, "eventstream")])
def test_the_framing_stays_sound(case: Case, framing: str) -> None:
    assert [payloads(fault.body, framing) for fault in made("drop-frame", case)] == [[{"b": 2}], [{"a": 1}]]
    assert payloads(made("duplicate-frame", case)[0].body, framing) == [{"a": 1}, {"a": 1}, {"b": 2}]
    assert payloads(made("swap-frames", case)[0].body, framing) == [{"b": 2}, {"a": 1}]
    corrupt = made("corrupt-frame", case)
    assert len(corrupt) == 2
    for fault in corrupt:
        framer = faults.FRAMINGS[framing][0]()
        assert len(framer.feed(fault.body)) == 2
        assert framer.failure is None
        with pytest.raises(ValueError, match="delimiter"):
            payloads(fault.body, framing)


def test_a_line_that_lacks_its_end_is_no_frame_yet() -> None:
    assert [fault.body for fault in made("drop-frame", LINES)] == [b'{"b":2}\n{"c":3}', b'{"a":1}\n{"c":3}']


def test_flipped_bits() -> None:
    found = made("flip-bit", AWS)
    assert len({fault.body for fault in found}) == len(found) == 8 * len(AWS.body)
    assert [fault.number for fault in found] == list(range(len(found)))
    one, other = (int.from_bytes(body) for body in (found[13].body, AWS.body))
    assert (one ^ other).bit_count() == 1
    assert (found[13].body[1], found[13].start) == (AWS.body[1] ^ 4, 0)
    assert found[-1].start == len(event("a", b'{"a":1}'))
    assert made("flip-bit", SSE) == []
    wire = Wire.of(AWS)
    wire.flips_at_most = 50
    few = list(OPERATORS["flip-bit"](wire))
    assert wire.thinned
    assert 40 <= len(few) <= 51
    assert {fault.number % 8 for fault in few} == set(range(8))
    assert {fault.start for fault in few} == {0, found[-1].start}


def test_keep_alives_stand_between_frames() -> None:
    for case, spelling in ((SSE, b": keep-alive\n\n"), (LINES, b"\n"), (ARRAY, b" \n")):
        found = made("keep-alives", case)
        assert {fault.start for fault in found} >= {0}
        for fault in found:
            assert fault.body[: fault.start] == case.body[: fault.start]
            assert fault.body.endswith(case.body[fault.start :])
        assert found[0].body.count(spelling) > faults.STORM_BYTES // len(spelling) - 5
    assert made("keep-alives", AWS) == []
    counts = [fault.body.count(b'{"type": "ping"}') for fault in made("keep-alives", CASES["anthropic-messages/tool"])]
    assert len([count for count in counts if count > 1000]) == 2


def test_big_events_say_what_they_said_before() -> None:
    for case, framing in ((LINES, "ndjson"), (ARRAY, "jsonarray"), (AWS, "eventstream")):
        (fault,) = made("big-event", case)
        assert len(fault.body) == len(case.body) + faults.BIG_EVENT_BYTES
        assert payloads(fault.body, framing) == payloads(case.body, framing)


def test_big_bodies_get_fewer_of_each() -> None:
    case = Case("ndjson/long", "ndjson", b"".join(b'{"a":%d}\n' % number for number in range(1000)))
    wire = Wire.of(case)
    found = list(OPERATORS["drop-frame"](wire))
    assert wire.thinned
    assert len(found) == faults.FRAMES_AT_MOST
    assert (found[0].number, found[-1].number) == (0, 999)
    result = outcome("duplicate-frame", case)
    assert (result.sampled, result.broken) == (True, None)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("case", ONE_OF_EACH)
def test_streamcore_stands_every_fault(case: str, name: str) -> None:
    result = outcome(name, CASES[case])

    assert (result.complaint, result.broken) == ("", None)
    applies = name != "flip-bit" if CASES[case].dialect != "bedrock-converse-stream" else name != "keep-alives"
    assert (result.chunkings > 0) is applies
    assert result.comparisons >= result.chunkings
    assert (result.splits > 0) is (applies and name not in ("flip-bit", "slow-loris"))


def test_no_flipped_bit_of_an_aws_message_gets_through() -> None:
    case = CASES["bedrock-converse-stream/text"]
    case = Case(case.id, case.dialect, case.body[:1024])
    result = outcome("flip-bit", case)

    assert result.broken is None
    assert not result.sampled
    assert result.chunkings == 8 * sum(map(len, Wire.of(case).frames)) > 2000


class Wrong(CoreSession):
    """streamcore with something else about it."""

    def feed(self, chunk: bytes) -> list[PartJson]:
        return self.changed(super().feed(self.read(chunk)))

    def close(self) -> list[PartJson]:
        return self.changed(super().close())

    def read(self, chunk: bytes) -> bytes:
        return chunk

    def changed(self, parts: list[PartJson]) -> list[PartJson]:
        return parts


class Silent(Wrong):
    """Hides every error."""

    def changed(self, parts: list[PartJson]) -> list[PartJson]:
        return [part for part in parts if part["type"] != "error"]


class Repairs(Wrong):
    """Puts the colon back."""

    def read(self, chunk: bytes) -> bytes:
        return chunk.replace(b'" "', b'":"').replace(b'" {', b'":{').replace(b'" [', b'":[')


class Raises(Wrong):
    """Does not expect what is no JSON."""

    def changed(self, parts: list[PartJson]) -> list[PartJson]:
        if any(part.get("kind") == "malformed_json" for part in parts):
            raise ValueError("no JSON")
        return parts


class Speaks(Wrong):
    """Takes a comment for text."""

    def read(self, chunk: bytes) -> bytes:
        return chunk.replace(b": keep-alive\n\n", b'data: {"choices":[{"index":0,"delta":{"content":"!"}}]}\n\n', 1)


class Hoards(Wrong):
    """Keeps every chunk."""

    def __init__(self, dialect: str) -> None:
        super().__init__(dialect)
        self.kept: list[bytes] = []

    def read(self, chunk: bytes) -> bytes:
        self.kept.append(bytes(bytearray(chunk)))
        return chunk


class EndsEarly(Wrong):
    """Takes an empty read for the end."""

    ended = False

    def read(self, chunk: bytes) -> bytes:
        self.ended = self.ended or not chunk
        return b"" if self.ended else chunk


class Shortens(Wrong):
    """Loses what is big."""

    def read(self, chunk: bytes) -> bytes:
        return chunk if len(chunk) < 100_000 else b""


class Reordered(Wrong):
    """Depends on how the bytes are cut once they are damaged."""

    def changed(self, parts: list[PartJson]) -> list[PartJson]:
        return [part for part in parts if part.get("kind") != "malformed_json" or len(parts) > 2]


OPENAI, BEDROCK = CASES["openai-chat/tool"], CASES["bedrock-converse-stream/text"]


@pytest.mark.parametrize(
    ("name", "make", "case", "complaint"),
    [
        ("drop-frame", Silent, CASES["anthropic-messages/tool"], "the last frame is missing: "),
        ("corrupt-frame", Repairs, OPENAI, "a frame that is no JSON changed nothing, and nothing was said"),
        ("corrupt-frame", Raises, OPENAI, "raises ValueError: no JSON"),
        ("corrupt-frame", Reordered, OPENAI, "the damaged bytes, cut otherwise, give other parts"),
        ("flip-bit", Silent, BEDROCK, "a bit was flipped, and the errors are [], not frame_crc or frame_length"),
        ("gzip", Silent, OPENAI, "gzip data gave the errors [], not not_an_event_stream"),
        ("keep-alives", Speaks, OPENAI, "keep-alives changed the parts"),
        ("keep-alives", Hoards, OPENAI, " bytes of keep-alives"),
        ("slow-loris", EndsEarly, OPENAI, "single bytes with nothing between them give other parts"),
        ("big-event", Shortens, OPENAI, "blanks between two tokens changed the parts"),
    ],
)
def test_what_does_not_stand_a_fault_is_caught(name: str, make: Any, case: Case, complaint: str) -> None:
    result = outcome(name, case, make)

    assert result.broken is not None
    assert complaint in result.complaint
    chunking = result.broken[0]
    assert chunking.name.startswith(f"faults:{name}@")
    opened = partial(make, case.dialect)
    again = prove_faults(parse_plan(chunking.name), case, opened, walk(opened(), case.body))
    assert (again.complaint, again.broken) == (result.complaint, result.broken)
    assert again.chunkings <= 2


def test_a_limit_is_no_fault_and_says_why() -> None:
    class Limited(CoreSession):
        def __init__(self, dialect: str) -> None:
            super().__init__(dialect)
            self._decoder = Decoder(dialect, assemble=False, limits=Limits(max_frame_bytes=1_000_000))

    for name in ("openai-chat/tool", "bedrock-converse-stream/text", "ollama-ndjson/tool"):
        case = CASES[name]
        (fault,) = made("big-event", case)
        session = Limited(case.dialect)
        parts = session.feed(fault.body) + session.close()
        kinds = [part.get("kind") for part in parts if part["type"] == "error"]
        assert kinds in (["event_too_large"], ["frame_length"])
        if kinds == ["event_too_large"]:
            assert outcome("big-event", case, Limited).broken is None


class Planted(CoreSubject):
    """The core, with other sessions for all but the framing."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self._make = make

    def open(self, case: Case) -> Any:
        return super().open(case) if case.dialect == "sse" else self._make(case.dialect)


def test_a_fault_is_a_plan_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_checkout(tmp_path, monkeypatch)
    case, store = case_called(project, TEXT), GoldenStore(project / "golden")

    def checked(plans: str, make: Callable[[str], Any] | None = None) -> Any:
        subject = CoreSubject() if make is None else Planted(make)
        return check_case(case, subject, Check("streamcore", parse_plans(plans), Divergences()), store)

    right = checked("faults:gzip,faults:drop-frame")
    assert right.verdict is Verdict.PASS
    assert [(plan.plan, plan.verdict, plan.chunkings > 0) for plan in right.plans] == [
        ("faults:gzip", Verdict.PASS, True),
        ("faults:drop-frame", Verdict.PASS, True),
    ]
    wrong = checked("faults:gzip", Silent)
    (difference,) = wrong.differences
    assert (wrong.verdict, difference.against, difference.plan) == (Verdict.FAIL, "fault", "faults:gzip@0")
    assert difference.reproduce == "streamparity check --case openai-chat/text --plan faults:gzip@0,bytes"
    assert canonical(difference.note)
