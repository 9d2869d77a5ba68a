"""Whole runs: what the cases, the mutants and the divergences add up to."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness import check
from harness.case import Case
from harness.cassette import iter_cases
from harness.check import Request, execute
from harness.chunking import parse_plan, parse_plans
from harness.divergence import Divergences
from harness.exits import HARNESS, InputError
from harness.golden import GoldenStore, ReferenceFailed
from harness.mutants import mutation
from harness.report.console import exit_code, summarise
from harness.runner import Check, check_cases
from harness.verdict import CaseResult, Verdict

from .checkout import EMPTY, REPOSITORY, SUBJECTS, TEXT, add, excuse_all, make_checkout, replace


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_checkout(tmp_path, monkeypatch)


def request(project: Path, **changes: Any) -> Request:
    names = changes.pop("plan_names", "bytes")
    settings = Request(project / "cassettes", project / "golden", parse_plans(names), names, jobs=1, mutants=False)
    return dataclasses.replace(settings, **changes)


def test_an_exception_of_the_subject_is_an_error_and_the_other_cases_go_on(project: Path) -> None:
    (run,) = execute(request(project, subjects=("mysubjects:Raises",)))

    empty, text = run.cases
    assert (empty.case, empty.verdict) == (EMPTY, Verdict.PASS)
    assert (text.case, text.verdict) == (TEXT, Verdict.ERROR)
    line = SUBJECTS.splitlines().index('            raise LookupError("no luck today")') + 1
    assert text.reason == f"LookupError: no luck today (mysubjects.py:{line})"
    assert (text.references, text.plans, text.parts) == ((), (), 0)
    assert run.verdict is Verdict.ERROR


def test_execute_wants_every_golden_before_it_runs_anything(project: Path) -> None:
    for reference in ("openai.chat", "sse"):
        (project / "golden" / f"{TEXT}.{reference}.ndjson").unlink()

    with pytest.raises(InputError) as raised:
        execute(request(project, subjects=("mysubjects:Raises",)))

    assert str(raised.value).startswith(f"{project / 'golden'}/{TEXT}.openai.chat.ndjson: no golden; ")
    assert str(raised.value).endswith("(1 more like it)")


def test_a_dialect_that_the_subject_does_not_claim(project: Path) -> None:
    (run,) = execute(request(project, subjects=("mysubjects:Chat",)))

    empty, text = run.cases
    assert (empty.verdict, empty.reason) == (Verdict.NOT_CLAIMED, "chat does not claim anthropic-messages")
    assert (empty.references, empty.plans) == ((), ())
    # The framing alone is another dialect: it is compared only for a subject that claims it.
    assert [one.reference for one in text.references] == ["ai.openai.chat", "openai.chat"]
    assert run.verdict is Verdict.PASS
    assert run.problems == ()


def test_a_run_in_which_nothing_is_claimed_proves_nothing(project: Path) -> None:
    (run,) = execute(request(project, subjects=("mysubjects:Elsewhere",)))

    assert run.problems == ("no case was claimed by the subject",)
    assert run.counts["not-claimed"] == 2
    assert run.verdict is Verdict.ERROR


def stale_entry(project: Path, case: str = TEXT) -> None:
    (project / "golden" / "divergences.yaml").write_text(
        f"- {{name: old, reference: ai.openai.chat, cases: [{case}], ignore: [{{part: finish, path: usage}}],"
        " reason: it was needed once upon a time, since: 2026-11-21}\n"
    )


def test_a_divergence_that_no_longer_occurs_fails_the_run(project: Path) -> None:
    stale_entry(project)

    (run,) = execute(request(project))
    (elsewhere,) = execute(request(project, subjects=("mysubjects:Mine",)))
    (partly,) = execute(request(project, globs=("anthropic-messages/*",)))

    assert [case.verdict for case in run.cases] == [Verdict.PASS, Verdict.PASS]
    assert (run.stale_divergences, run.verdict) == (("old",), Verdict.FAIL)
    # It is about streamcore, and about a case that must have been run.
    assert (elsewhere.stale_divergences, elsewhere.verdict) == ((), Verdict.PASS)
    assert (partly.stale_divergences, partly.verdict) == ((), Verdict.PASS)


def test_used_divergences_are_listed_with_their_reasons(project: Path) -> None:
    add(project, "openai-chat/reset-mid-text")
    excuse_all(project)

    (run,) = execute(request(project, globs=("openai-chat/*",)))

    ((name, reason),) = run.divergence_reasons
    assert name == "cut-is-incomplete-openai"
    assert reason.endswith("(since 2026-11-21)")
    assert run.counts["divergence"] == 1


def test_two_processes_find_what_one_finds_in_the_same_order(project: Path) -> None:
    add(project, "openai-chat/reset-mid-text")
    replace(project / "golden" / f"{EMPTY}.sse.ndjson", '{"end":"ok"}', '{"end":"error"}')
    wanted = request(project, subjects=("streamcore", "mysubjects:Raises"))

    one, two = execute(wanted), execute(dataclasses.replace(wanted, jobs=2))

    assert one == two
    assert [case.case for case in two[0].cases] == [EMPTY, "openai-chat/reset-mid-text", TEXT]
    assert [case.verdict.value for case in two[0].cases] == ["fail", "fail", "pass"]
    assert [case.verdict.value for case in two[1].cases] == ["fail", "error", "error"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_result_is_told_once(project: Path, jobs: int) -> None:
    told: list[CaseResult] = []
    cases = sorted(iter_cases(project / "cassettes"), key=lambda case: case.id, reverse=True)
    check = Check("streamcore", (parse_plan("bytes"),), Divergences())

    results = check_cases(cases, check, lambda _: GoldenStore(project / "golden"), jobs=jobs, on_result=told.append)

    assert [result.case for result in results] == [TEXT, EMPTY]
    assert sorted(told, key=lambda result: result.case) == results[::-1]


def test_the_versions_of_everything_that_took_part(project: Path) -> None:
    (run,) = execute(request(project, subjects=("mysubjects:Mine",)))
    versions = dict(run.versions)

    assert versions["subject mysubjects:Mine"] == "7"
    assert {"streamparity", "python", "@ai-sdk/openai", "openai", "eventsource-parser"} <= set(versions)


@pytest.fixture
def three_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that any recording catches, one that only a chat shows, one that needs reasoning."""
    chosen = {name: mutation.MUTANTS[name] for name in THREE_MUTANTS}
    monkeypatch.setattr(mutation, "MUTANTS", chosen)


THREE_MUTANTS = ("remainder-dropped", "done-parsed", "signature-lost")


@pytest.mark.usefixtures("three_mutants")
def test_a_mutant_that_no_recording_catches_fails_the_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "shipped", lambda: project)
    (run,) = execute(request(project, mutants=True))

    found = {mutant.name: (mutant.caught, mutant.case, mutant.tried) for mutant in run.mutants}
    assert found == {
        "remainder-dropped": (True, EMPTY, 1),
        "done-parsed": (True, TEXT, 1),
        "signature-lost": (False, "", 1),
    }
    assert [case.verdict for case in run.cases] == [Verdict.PASS, Verdict.PASS]
    assert run.problems == ()
    assert run.verdict is Verdict.FAIL


@pytest.mark.usefixtures("three_mutants")
def test_what_recordings_of_ones_own_do_not_show_those_that_are_shipped_do(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the run says so; a defect that nobody's recordings show still fails it."""
    home = tmp_path / "shipped"
    for kind in ("cassettes", "golden"):
        shutil.copytree(REPOSITORY / kind / "anthropic-messages", home / kind / "anthropic-messages")
    shutil.copy(REPOSITORY / "golden" / "manifest.json", home / "golden")
    monkeypatch.setattr(check, "shipped", lambda: home)

    (run,) = execute(request(project, mutants=True))

    found = {mutant.name: (mutant.caught, mutant.shipped) for mutant in run.mutants}
    assert found == {"remainder-dropped": (True, False), "done-parsed": (True, False), "signature-lost": (True, True)}
    assert run.verdict is Verdict.PASS
    assert "3/3 mutants caught (1 of them by recordings that come with streamparity" in summarise(run)
    assert "not shown by these recordings, but by those that come with streamparity: signature-lost" in summarise(run)


@pytest.mark.usefixtures("three_mutants")
def test_a_missing_golden_catches_no_mutant(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "shipped", lambda: project)
    (project / "golden" / f"{TEXT}.openai.chat.ndjson").unlink()

    (run,) = execute(request(project, globs=(EMPTY,), mutants=True))

    assert {mutant.case for mutant in run.mutants if mutant.caught} == {EMPTY}
    # It is the only case there is, and those of a chat claim none.
    assert {mutant.name: mutant.tried for mutant in run.mutants} == dict(zip(THREE_MUTANTS, (1, 0, 1), strict=True))


def test_a_run_that_asks_for_mutants_and_has_none_proves_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation, "MUTANTS", {})

    (run,) = execute(request(project, mutants=True))

    assert (run.problems, run.verdict) == (("no mutant was run",), Verdict.ERROR)


def test_a_reference_that_fails_on_a_recording_of_a_corpus_ends_that_case_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for case in iter_cases(project / "cassettes"):
        (project / "corpus" / case.dialect).mkdir(parents=True)
        (project / "corpus" / f"{case.id}.body").write_bytes(case.body)
    store = GoldenStore(project / "golden")

    class Slow:
        def __init__(self, _: Path) -> None:
            pass

        def make(self, cases: list[Case]) -> int:
            return len(cases)

        def lines(self, case: Case, reference: str) -> list[str]:
            if case.id == TEXT and reference == "sse":
                raise ReferenceFailed(f"{case.id}: {reference} gave none: no answer in 180 s")
            return list(store.lines(case, reference))

    monkeypatch.setattr(check, "GoldenCache", Slow)
    (run,) = execute(request(project, cassettes=None, corpora=(project / "corpus",)))

    assert {case.case: case.verdict for case in run.cases} == {EMPTY: Verdict.PASS, TEXT: Verdict.ERROR}
    assert next(case.reason for case in run.cases if case.case == TEXT).endswith("sse gave none: no answer in 180 s")
    assert exit_code(run) == HARNESS
