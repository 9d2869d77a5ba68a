"""What a run proved, from the command line to the report: transcripts beside the cases, and figures of them all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness import transcripts
from harness.check import Request, execute
from harness.chunking import parse_plans
from harness.findings import Certificate
from harness.report import console, html
from harness.report.certificates import certified_line, proof_lines, statements
from harness.report.document import from_document, to_document
from harness.transcripts import Cover
from harness.verdict import CaseResult, PlanResult, RunResult, Verdict
from streamcore import DIALECTS

from .checkout import TEXT, make_checkout

ALL = Certificate(100, widest=100, windows=5_050, remembered=4_000)
SOME = Certificate(
    2_000, widest=64, windows=126_000, prefixes=2_000, suffixes=1_999, structural=1_500, structural_cuts=64,
    structural_cuts_found=90, remembered=100_000,
)  # fmt: skip
NARROW = Certificate(2_000, widest=16, windows=31_880)
SAMPLED = Certificate(50, sampled=True)


def run_of(*certificates: Certificate | None, plan: str = "windows:64") -> RunResult:
    cases = tuple(
        CaseResult(
            f"openai-chat/{'shrunk-' if one is ALL else ''}{number}", "openai-chat", "s", Verdict.PASS, 100, "0" * 64, "live", "", 1, 1,
            plans=(PlanResult(plan, 9, 9, 9, sampled=False, verdict=Verdict.PASS, certificate=one),),
        )
        for number, one in enumerate(certificates)
    )  # fmt: skip
    return RunResult("s", plan, cases, ())


def test_the_lines_of_a_run_add_its_certificates_up() -> None:
    assert proof_lines(run_of(ALL, ALL, SOME, NARROW, SAMPLED, None)) == [
        (
            "proven: all 2^(N-1) chunkings of 2 bodies of N <= 100 bytes in 1 dialect (10,100 windows; 8,000 chunks with the "
            "decoding of frames remembered); 2 of them shrunk from recordings"
        ),
        "proven of 1 body: all chunkings with chunks <= 16 bytes (31,880 windows)",
        (
            "proven of 1 body: all chunkings with chunks <= 64 bytes (126,000 windows), every two-way split (2,000 prefixes, 1,999 "
            "suffixes), and all chunkings made of these and of 1,500 windows between structural cuts; 100,000 chunks with the "
            "decoding of frames remembered"
        ),
        "sampled: 1 body; the subject has no snapshots, so nothing is proven of the chunkings that were not run",
    ]
    assert proof_lines(run_of(None)) == []


def test_splits_that_are_not_all_proven_are_not_called_so() -> None:
    fewer = dataclasses.replace(SOME, suffixes=1_000)

    assert "every two-way split of 1 of them (4,000 prefixes, 2,999 suffixes)" in proof_lines(run_of(SOME, fewer))[0]
    assert "some of 1,999 two-way splits" in fewer.statement
    assert "1,500 windows between 64 of 90 structural cuts" in fewer.statement


def test_dialects_without_a_full_proof_are_named() -> None:
    run = run_of(SOME, plan="certificate")
    everywhere = dataclasses.replace(
        run,
        cases=(
            *run.cases,
            *(dataclasses.replace(run.cases[0], case=f"{name}/x", dialect=name) for name in sorted(DIALECTS)[1:]),
        ),
    )

    assert proof_lines(run)[-1] == "no full proof for openai-chat: none of their recordings could be shrunk to 1 KiB"
    lines = proof_lines(everywhere)
    assert lines[-1].startswith("nothing at all about ai21: ")
    assert lines[-2].startswith("no full proof for anthropic-complete-legacy, ")


def test_one_line_says_how_many_dialects_are_fully_certified() -> None:
    assert certified_line(run_of(ALL, plan="certificate:64")) == ""
    assert certified_line(run_of(SOME, plan="certificate")) == f"fully certified: 0 of {len(DIALECTS)} dialects"
    assert certified_line(run_of(ALL, dataclasses.replace(ALL, body_bytes=7), SOME, plan="bytes,certificate")) == (
        f"fully certified: 1 of {len(DIALECTS)} dialects; all 2^(N-1) chunkings of each of 2 bodies of N = 100 to 100 bytes, in "
        "all more than 2^99"
    )
    assert console.summarise(run_of(ALL, plan="certificate"), quiet=True).startswith("fully certified: 1 of ")


def test_a_feature_that_the_transcripts_lost_is_a_problem_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_checkout(tmp_path, monkeypatch)
    request = Request(
        project / "cassettes", project / "golden", parse_plans("certificate"), "certificate", jobs=1, mutants=False
    )
    lossy = Cover("openai-chat", frozenset({"event lost"}), ())
    monkeypatch.setattr(transcripts, "covers", lambda *_, **__: [lossy])
    monkeypatch.setattr("harness.check.check_cases", lambda *_, **__: [])

    (run,) = execute(request)
    (chosen,) = execute(dataclasses.replace(request, globs=(TEXT,)))

    assert run.verdict is Verdict.ERROR
    assert (
        "the transcripts of openai-chat: 0 of 1 grammar features in 0 transcripts (0 bytes); lost: event lost"
        in run.problems
    )
    assert not any("lost" in problem for problem in chosen.problems)


def test_the_document_keeps_a_certificate() -> None:
    run = run_of(ALL, SOME, None)

    again = from_document(to_document(run))

    assert [case.plans[0].certificate for case in again.cases] == [SOME, None, ALL]


def test_the_plan_certificate_runs_transcripts_beside_the_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_checkout(tmp_path, monkeypatch)
    few = ("openai-chat", "anthropic-messages", "groq")
    monkeypatch.setattr(transcripts, "DIALECTS", {name: DIALECTS[name] for name in few})
    request = Request(
        project / "cassettes", project / "golden", parse_plans("certificate"), "certificate", jobs=1, mutants=False
    )

    (run,) = execute(request)

    assert run.verdict is Verdict.PASS
    by_id = {case.case: case for case in run.cases}
    small, text = by_id["openai-chat/shrunk-text"], by_id[TEXT]
    assert small.source.startswith("shrunk from openai-chat/text, 3,185 to ")
    assert (small.references, small.verdict) == ((), Verdict.PASS)
    (plan,) = small.plans
    assert plan.certificate is not None
    assert plan.certificate.proven_all
    assert plan.certificate.windows == small.body_bytes * (small.body_bytes + 1) // 2
    (plan,) = text.plans
    assert plan.certificate is not None
    assert (plan.certificate.widest, plan.certificate.every_split, plan.certificate.proven_all) == (64, True, False)
    assert "groq/shrunk-openai-chat-text" in by_id
    told, page = console.summarise(run), html.render(run)
    for line in proof_lines(run):
        assert line in told
    assert "proven: all 2^(N-1) chunkings" in page
    assert statements(small).startswith(f"all 2^{small.body_bytes - 1} chunkings (")
    assert not list((project / ".streamparity" / "transcripts").glob("*.body"))

    # Its name alone brings it back, under any plan.
    (again,) = execute(
        dataclasses.replace(request, globs=("openai-chat/shrunk-text",), plans=parse_plans("bytes"), plan_names="bytes")
    )
    assert [case.case for case in again.cases] == ["openai-chat/shrunk-text"]
    assert again.cases[0].sha256 == small.sha256
