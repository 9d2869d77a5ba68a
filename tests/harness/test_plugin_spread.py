"""The pytest plugin in several processes: under pytest-xdist, and in shards."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from harness import transcripts
from harness.pytest_plugin.outcome import Found, by_case
from harness.report import DocumentError, to_document
from harness.report import load as load_document
from harness.report.document import dumps
from harness.report.merge import merge
from harness.transcripts import Cover
from harness.verdict import CaseResult, Difference, PlanResult, Verdict

from .plugin_project import CASES, REPOSITORY, copy, ids

if TYPE_CHECKING:
    from .plugin_project import Run


def test_one_process_two_workers_and_merged_shards_give_the_same_document(run: Run, project: pytest.Pytester) -> None:
    """Of a subject that fails, so that there are differences to keep in order."""
    project.makepyfile(
        wrong="""
        from harness.subjects.core import CoreSubject

        class Session:
            def __init__(self, case):
                self._core = CoreSubject().open(case)
                self.feed = self._core.feed

            def close(self):
                return [{"type": "text-delta", "id": "0", "delta": "x"}, *self._core.close()]

        class Subject:
            name, version = "wrong", "1"

            def claims(self, dialect):
                return dialect == "openai-chat"

            def open(self, case):
                return Session(case)
        """
    )
    both = ("harness.plugin", "xdist.plugin")

    def document(name: str, *arguments: str, plugins: tuple[str, ...] = both[:1]) -> tuple[bytes, pytest.RunResult]:
        json, html = f"out/{name}.json", f"out/{name}.html"
        asked = ("--parity", "--parity-subject=wrong:Subject", f"--parity-json={json}", f"--parity-report={html}")
        result = run(*asked, *arguments, plugins=plugins)
        assert (project.path / html).read_text().startswith("<!")
        result.stdout.fnmatch_lines([f"reports: *{name}.html and *{name}.json"])
        return (project.path / json).read_bytes(), result

    alone, result = document("alone")
    spread, spread_result = document("spread", "-n", "2", plugins=both)
    for one in (result, spread_result):
        one.assert_outcomes(passed=5, failed=2, skipped=3)
    assert spread == alone
    assert totals(spread_result) == totals(result)
    found = json.loads(alone)
    assert [case["case"] for case in found["cases"]] == list(CASES)
    assert [len(case["plans"]) for case in found["cases"]] == [0, 2, 2]
    assert str(project.path) not in alone.decode()

    document("shard9", "--parity-shard=9/9")  # nothing falls to it, which is nobody's fault
    for number in (3, 1, 2):
        document(f"shard{number}", f"--parity-shard={number}/3")
    shards = [load_document(project.path / f"out/shard{number}.json") for number in (2, 3, 1)]
    assert [[case.case for case in shard.cases] for shard in shards] == [[CASES[1]], [CASES[2]], [CASES[0]]]
    assert dumps(to_document(merge(shards))).encode() == alone
    for some, message in (
        (shards[:2], "shard 1/3 is missing"),
        ([*shards, shards[0]], "shard 2/3 is there twice"),
        ([load_document(project.path / "out/alone.json")], "is of a whole run"),
        ([shards[0], dataclasses.replace(shards[1], seed=7), shards[2]], "seed 0 in shard 2/3, 7 in shard 3/3"),
        ([], "no document to merge"),
    ):
        with pytest.raises(DocumentError, match=message):
            merge(some)


def totals(result: pytest.RunResult) -> str:
    return next(line for line in result.outlines if line.startswith("wrong:Subject: "))


def test_the_order_in_which_items_end_does_not_matter() -> None:
    def found(plan: str) -> Found:
        difference = Difference("bytes", plan, 0, None, None, 0, None, "", None, None)
        plans = (PlanResult(plan, 1, 0, 1, False, Verdict.FAIL),) if plan else ()
        about = ("openai-chat/text", "openai-chat", "mine", Verdict.FAIL, 9, "", "live", "", 1, 0)
        return Found("mine", CaseResult(*about, plans=plans, differences=(difference,), reason=f"of {plan}"))

    items = [found("bytes"), found(""), found("every:7"), found("whole")]
    (one,) = by_case(items, "mine", ["whole", "bytes", "every:7"])
    assert [by_case(items[::-1], "mine", ["whole", "bytes", "every:7"]), by_case(items, "other", [])] == [[one], []]
    assert [difference.plan for difference in one.differences] == ["", "whole", "bytes", "every:7"]
    assert [plan.plan for plan in one.plans] == ["whole", "bytes", "every:7"]
    assert one.reason == "of "


def test_the_plan_certificate_runs_transcripts_and_fails_a_run_that_loses_a_feature(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(REPOSITORY / "cassettes", project.path / "cassettes", "cohere-v1/error-mid-stream.yaml")
    shrunk = "cohere-v1/shrunk-error-mid-stream"
    asked = ("--parity", "--parity-case=cohere-v1/*", "--parity-plan=certificate", "--parity-no-mutants")

    def documents(name: str, *arguments: str, plugins: tuple[str, ...]) -> bytes:
        result = run(*asked, f"--parity-json={name}.json", *arguments, plugins=plugins, two_plans=False)
        result.assert_outcomes(passed=1 + 4)
        return (project.path / f"{name}.json").read_bytes()

    alone = documents("alone", plugins=("harness.plugin",))
    assert documents("spread", "-n", "2", plugins=("harness.plugin", "xdist.plugin")) == alone
    (small,) = (case for case in json.loads(alone)["cases"] if case["case"] == shrunk)
    assert small["plans"][0]["certificate"]["windows"] == small["body_bytes"] * (small["body_bytes"] + 1) // 2

    # By its name it is found under other plans too, as commands have it that show a difference again.
    named = run(f"parity::{shrunk}::bytes", "--parity-plan=bytes", "-v", two_plans=False)
    assert [line.split()[0] for line in ids(named)] == [f"parity::{shrunk}::bytes"]
    monkeypatch.setattr(transcripts, "covers", lambda *_, **__: [Cover("cohere-v1", frozenset({"event lost"}), ())])
    lossy = run("--parity", "--parity-plan=certificate", "-k", "cohere", two_plans=False)
    lossy.assert_outcomes(passed=2, deselected=7 + 1)
    assert lossy.ret == pytest.ExitCode.TESTS_FAILED
    lossy.stdout.fnmatch_lines(["ERROR the transcripts of cohere-v1: 0 of 1 grammar features*; lost: event lost"])
    asked_for_some = run(*asked, two_plans=False)
    asked_for_some.stdout.no_fnmatch_line("*lost: event lost*")
    assert "ERROR the run proves nothing: nothing was compared with a golden" in asked_for_some.outlines  # cohere has none


def test_a_report_that_cannot_be_whole_or_written_fails_the_run(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(test_crash="import os\ndef test_crash(): os._exit(1)")
    asked = ("--parity", "--parity-json=out/p.json")
    crashing = ("-n", "1", "--max-worker-restart=0", "-k", "crash or openai-chat/text")
    crashed = run(*asked, *crashing, plugins=("harness.plugin", "xdist.plugin"))
    assert crashed.ret != pytest.ExitCode.OK
    crashed.stdout.fnmatch_lines(["ERROR a worker ended without handing over its results: no report is written"])
    assert not (project.path / "out").exists()

    project.makepyfile(test_in_the_way="def test_own(): open('out', 'w').close()")
    unwritten = run(*asked, "-k", "in_the_way or openai-chat/text")
    assert unwritten.ret == pytest.ExitCode.TESTS_FAILED
    unwritten.stdout.fnmatch_lines(["ERROR the report was not written: *"])


def test_a_node_id_reaches_the_workers(run: Run) -> None:
    result = run("-n", "1", "parity::openai-chat/text", plugins=("harness.plugin", "xdist.plugin"))

    result.assert_outcomes(passed=3)
