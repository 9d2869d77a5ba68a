"""The run: verdicts of cases on copies of committed recordings, and the differences that lead to them."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.case import Case
from harness.chunking import parse_plans
from harness.divergence import Divergences
from harness.findings import Certificate
from harness.golden import GoldenStore
from harness.runner import Check, check_case
from harness.subjects import PartJson
from harness.subjects.core import CoreSession, CoreSubject
from harness.verdict import CaseResult, Difference, PlanResult, ReferenceResult, Verdict

from .checkout import REPOSITORY, TEXT, add, case_called, excuse_all, make_checkout, replace


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_checkout(tmp_path, monkeypatch)


def checked(
    project: Path, name: str, plans: str = "whole", subject: Any = None, divergences: Divergences | None = None
) -> CaseResult:
    check = Check("streamcore", parse_plans(plans), divergences or Divergences())
    store = GoldenStore(project / "golden")
    return check_case(case_called(project, name), subject or CoreSubject(), check, store)


def test_a_case_that_passes_says_what_was_compared(project: Path) -> None:
    result = checked(project, TEXT, "whole,bytes,recorded,every-split,cut-at-every-byte,windows:2")

    def passed(plan: str, chunkings: int, splits: int, comparisons: int) -> PlanResult:
        return PlanResult(plan, chunkings, splits, comparisons, sampled=False, verdict=Verdict.PASS)

    assert (result.verdict, result.case, result.dialect, result.subject) == (Verdict.PASS, TEXT, "openai-chat", "streamcore")
    assert (result.body_bytes, result.parts, result.frames) == (3185, 12, 10)
    assert (result.text, result.provenance, result.reason) == ("Hello! I can help you debug.", "simulator", "")
    assert result.chunks == (357, 332, 332, 327, 337, 331, 336, 310, 509, 14)
    assert result.references == (
        ReferenceResult("ai.openai.chat", Verdict.PASS, 13),
        ReferenceResult("openai.chat", Verdict.PASS, 1),
        ReferenceResult("sse", Verdict.PASS, 11),
    )
    assert result.plans == (
        passed("whole", 1, 0, 1),
        passed("bytes", 1, 3184, 1),
        passed("recorded", 1, 9, 1),
        passed("every-split", 3184, 3184, 6368),
        passed("cut-at-every-byte", 3185, 0, 3185),
        dataclasses.replace(passed("windows:2", 6369, 6369, 6369), certificate=Certificate(3185, widest=2, windows=6369)),
    )
    assert result.differences == result.warnings == ()


def test_a_plan_with_nothing_to_run_says_so(project: Path) -> None:
    (plan,) = checked(project, TEXT, "split@99999").plans

    assert (plan.chunkings, plan.comparisons, plan.reason) == (0, 0, "nothing to run for this body")


@pytest.mark.parametrize("name", ["bad-checksum", "cut-mid-prelude"])
def test_how_the_framing_ended_is_compared(name: str, project: Path) -> None:
    case = f"bedrock-converse-stream/{name}"
    add(project, case)

    result = checked(project, case)
    replace(project / "golden" / f"{case}.eventstream.ndjson", '{"end":"error",', '{"end":"ok",')
    other = checked(project, case)

    assert [one.verdict for one in result.references if one.reference == "eventstream"] == [Verdict.PASS]
    assert [one.verdict for one in other.references if one.reference == "eventstream"] == [Verdict.FAIL]


def test_one_changed_character_in_a_golden(project: Path) -> None:
    replace(project / "golden" / f"{TEXT}.ai.openai.chat.ndjson", '" can"', '" cam"')

    result = checked(project, TEXT, "whole,bytes")

    assert result.verdict is Verdict.FAIL
    assert [one.verdict for one in result.references] == [Verdict.FAIL, Verdict.PASS, Verdict.PASS]
    assert [plan.verdict for plan in result.plans] == [Verdict.PASS, Verdict.PASS]
    (difference,) = result.differences
    assert difference.minimal is not None
    assert (difference.minimal.plan, difference.minimal.cuts) == ("whole", ())
    assert (dataclasses.replace(difference, minimal=None),) == (
        Difference(
            against="ai.openai.chat",
            plan="whole",
            line=6,
            expected='["text-delta",{"delta":" cam","id":"0"}]',
            actual='["text-delta",{"delta":" can","id":"0"}]',
            column=27,
            utf16_offset=3,
            path="text-delta.delta",
            byte_offset=357 + 332 + 332 + 327,
            event=3,
            note="",
            reproduce="streamparity check --case openai-chat/text --plan whole,bytes",
        ),
    )


def test_the_command_of_a_difference_shows_it_again(project: Path) -> None:
    replace(project / "golden" / f"{TEXT}.ai.openai.chat.ndjson", '" can"', '" cam"')
    (difference,) = checked(project, TEXT, "bytes").differences
    name, *arguments = shlex.split(difference.reproduce)
    assert name == "streamparity"

    shown = subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments, "--no-mutants"],
        env={"PYTHONPATH": str(REPOSITORY), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.returncode == 1
    assert difference.expected is not None
    assert difference.actual is not None
    assert difference.expected in shown.stdout
    assert difference.actual in shown.stdout
    assert difference.reproduce in shown.stdout
    assert "1 cases (1 fail)" in shown.stdout.splitlines()[-1]
    assert "Traceback" not in shown.stderr


def test_a_changed_native_golden_names_the_value(project: Path) -> None:
    replace(project / "golden" / f"{TEXT}.openai.chat.ndjson", "help you", "help me")

    (difference,) = checked(project, TEXT).differences

    assert (difference.against, difference.path, difference.line) == ("openai.chat", "final.choices[0].content", 0)
    assert difference.utf16_offset == len("Hello! I can help ")
    assert "Hello! I can help me debug." in difference.note


def test_a_changed_framing_golden(project: Path) -> None:
    replace(project / "golden" / f"{TEXT}.sse.ndjson", "[DONE]", "[DUNE]")

    (difference,) = checked(project, TEXT).differences

    assert (difference.against, difference.path, difference.line) == ("sse", "frame.data", 9)
    assert (difference.utf16_offset, difference.byte_offset, difference.event) == (2, 3185, 9)


def test_a_golden_that_ends_too_early_or_too_late(project: Path) -> None:
    path = project / "golden" / f"{TEXT}.ai.openai.chat.ndjson"
    lines = path.read_text().splitlines(keepends=True)

    path.write_text("".join([*lines[:-2], lines[-1]]))
    (less,) = checked(project, TEXT).differences
    path.write_text("".join([*lines[:-1], lines[-3], lines[-1]]))
    (more,) = checked(project, TEXT).differences

    assert (less.line, less.path, less.expected) == (11, "type", '{"end":"ok"}')
    assert (more.line, more.path, more.actual) == (12, "type", '{"end":"ok"}')
    assert more.expected == '["text-end",{"id":"0"}]'


class Wrapped(CoreSubject):
    """streamcore with another session."""

    def __init__(self, session: type[CoreSession]) -> None:
        super().__init__()
        self.session = session

    def open(self, case: Case) -> Any:
        return super().open(case) if case.dialect == "sse" else self.session(case.dialect)


class LosesLast(CoreSession):
    """Loses what a chunk of 2 to 1000 bytes completes, if it ends with a line."""

    def feed(self, chunk: bytes) -> list[PartJson]:
        parts = super().feed(chunk)
        return parts[:-1] if 1 < len(chunk) < 1000 and chunk.endswith(b"\n") else parts


class CountsChunks(CoreSession):
    """Its state tells how often it was fed."""

    fed = 0

    def feed(self, chunk: bytes) -> list[PartJson]:
        self.fed += 1
        return super().feed(chunk)

    def snapshot(self) -> Any:
        return super().snapshot(), self.fed

    def restore(self, snapshot: Any) -> None:
        inner, self.fed = snapshot
        super().restore(inner)


class Completes(CoreSession):
    """Hides that a stream was cut."""

    def close(self) -> list[PartJson]:
        return [part for part in super().close() if part["type"] != "error"]


def test_a_subject_that_depends_on_the_cut_fails_with_the_cut_that_shows_it(project: Path) -> None:
    result = checked(project, TEXT, "whole,bytes,every-split", Wrapped(LosesLast))

    assert result.verdict is Verdict.FAIL
    assert [one.verdict for one in result.references] == [Verdict.PASS] * 3
    assert [plan.verdict for plan in result.plans] == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]
    (difference,) = result.differences
    # The first frame has ended after 356 bytes; the one after those is the blank line that completes it.
    assert (difference.against, difference.plan, difference.line) == ("bytes", "split@357", 3)
    assert (difference.byte_offset, difference.event) == (357, 0)
    assert difference.expected == '["text-delta",{"delta":"","id":"0"}]'
    assert difference.note == "the same bytes, cut otherwise, gave other parts"
    assert difference.reproduce == "streamparity check --case openai-chat/text --plan split@357"
    assert result.plans[2].chunkings == 357


def test_a_part_that_a_window_loses_is_the_difference_and_not_the_end_of_the_window(project: Path) -> None:
    (difference,) = checked(project, TEXT, "windows:2", Wrapped(LosesLast)).differences

    assert (difference.plan, difference.line, difference.byte_offset) == ("chunk@1346-1348", 6, 1348)
    assert difference.expected == '["text-delta",{"delta":" can","id":"0"}]'


def test_equal_parts_with_another_state_are_told_as_such(project: Path) -> None:
    result = checked(project, TEXT, "every-split,windows:2", Wrapped(CountsChunks))

    (difference,) = result.differences
    assert (difference.against, difference.plan) == ("state", "windows:2")
    assert difference.note == "equal parts, but another state is left behind"
    assert (difference.expected, difference.actual) == (None, None)
    assert [plan.verdict for plan in result.plans] == [Verdict.PASS, Verdict.FAIL]


def test_a_subject_that_hides_a_cut_breaks_a_rule(project: Path) -> None:
    result = checked(project, TEXT, "whole,cut-at-every-byte", Wrapped(Completes))

    (difference,) = result.differences
    assert (difference.against, difference.plan) == ("cut-is-incomplete", "cut@0")
    assert difference.note == "the body was cut and the parts just stop: no incomplete_stream error, no finish"
    assert difference.reproduce == "streamparity check --case openai-chat/text --plan cut@0,bytes"
    assert result.plans[1].verdict is Verdict.FAIL


def test_a_broken_invariant_is_told_beside_the_difference_from_the_golden(project: Path) -> None:
    class Speaks(CoreSession):
        def close(self) -> list[PartJson]:
            return [*super().close(), {"type": "text-start", "id": "9"}]

    result = checked(project, TEXT, "whole", Wrapped(Speaks))

    assert result.verdict is Verdict.FAIL
    unified, *rules = result.differences
    assert (unified.against, unified.line, unified.actual) == ("ai.openai.chat", 12, '["text-start",{"id":"9"}]')
    assert ("one-finish", "a text-start part after the finish") in [(one.against, one.note) for one in rules]
    assert {one.reproduce for one in rules} == {"streamparity check --case openai-chat/text --plan whole,bytes"}


def test_a_missing_golden_is_an_error_of_that_case(project: Path) -> None:
    path = project / "golden" / f"{TEXT}.openai.chat.ndjson"
    path.unlink()

    result = checked(project, TEXT)

    assert result.verdict is Verdict.ERROR
    assert result.reason == f"{path}: no golden; run `streamparity golden make --case {TEXT}` (needs Node 20)"


def test_a_used_divergence(project: Path) -> None:
    case = "openai-chat/reset-mid-text"
    add(project, case)

    assert checked(project, case).verdict is Verdict.FAIL
    result = checked(project, case, "whole,bytes", divergences=excuse_all(project))

    assert result.verdict is Verdict.DIVERGENCE
    assert result.references[0] == ReferenceResult(
        "ai.openai.chat", Verdict.DIVERGENCE, 10, ("cut-is-incomplete-openai",)
    )
    assert result.differences == ()
    assert result.warnings == ()


def test_a_divergence_excuses_nothing_else(project: Path) -> None:
    case = "openai-chat/reset-mid-text"
    add(project, case)
    replace(project / "golden" / f"{case}.ai.openai.chat.ndjson", '"One,"', '"Two,"')

    result = checked(project, case, divergences=excuse_all(project))

    assert result.verdict is Verdict.FAIL
    assert result.references[0].divergences == ()
    assert (result.differences[0].path, result.differences[0].utf16_offset) == ("text-delta.delta", 0)


def test_references_that_disagree_are_a_conflict(project: Path) -> None:
    case = "openai-chat/index-reused"
    add(project, case)

    (difference,) = checked(project, case).differences
    result = checked(project, case, divergences=excuse_all(project))

    assert (difference.against, difference.path) == ("openai.chat", "final.choices[0].tool_calls[0].arguments")
    assert result.verdict is Verdict.CONFLICT
    unified, native, framing = result.references
    assert (unified.verdict, framing.verdict) == (Verdict.PASS, Verdict.PASS)
    assert (native.verdict, native.divergences) == (Verdict.CONFLICT, ("reused-index-opens-a-call",))
    assert "tool_calls" in native.reason
