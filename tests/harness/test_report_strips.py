"""Heat-bars, and which strips a report holds, told from the results alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from harness.findings import Certificate, Strip
from harness.report import seal, strips
from harness.verdict import PlanResult, Verdict

from .report_runs import case, difference, minimal, passing

STRIP = Strip(0, "YWJj", 0, (3,), (), 0)


def _plan(name: str, **changes: Any) -> PlanResult:
    base = PlanResult(name, 999, 999, 999, sampled=False, verdict=Verdict.PASS)
    return dataclasses.replace(base, **changes)


def _bar(**changes: Any) -> dict[str, Any]:
    found = strips.heat(case(body_bytes=1000, **changes))
    assert found is not None
    return found


def test_what_every_split_or_a_certificate_showed_is_proven() -> None:
    assert _bar(plans=(_plan("every-split"),))["proven"] == [[1, 1000]]
    assert _bar(plans=(_plan("windows:8", certificate=Certificate(1000, widest=8)),))["proven"] == [[1, 1000]]
    assert strips.heat(case(body_bytes=1000, plans=(_plan("bytes"),))) is None
    assert strips.heat(case(body_bytes=1, plans=(_plan("every-split"),))) is None
    sampled = Certificate(1000, sampled=True)
    assert strips.heat(case(body_bytes=1000, plans=(_plan("certificate", sampled=True, certificate=sampled),))) is None


def test_a_thinned_plan_marks_the_splits_that_it_ran() -> None:
    bar = _bar(plans=(_plan("every-split", chunkings=200, sampled=True),), strip=STRIP)
    assert bar["proven"] == []
    assert (len(bar["sampled"]), bar["sampled"][0], bar["sampled"][-1]) == (200, [1, 2], [999, 1000])


@pytest.mark.parametrize(("tried", "count", "kind"), [(((1, 1000),), 999, "proven"), (((1, 500),), 499, "sampled")])
def test_a_search_marks_what_failed_and_what_held(tried: tuple[tuple[int, int], ...], count: int, kind: str) -> None:
    found = minimal(failing=((10, 12), (90, 91)), tried=tried, singles_tried=count, singles_failed=3)
    bar = _bar(verdict=Verdict.FAIL, differences=(difference(minimal=found),), plans=(_plan("every-split", verdict=Verdict.FAIL),))
    assert bar["failing"] == [[10, 12], [90, 91]]
    assert bar[kind] == [[1, 10], [12, 90], [91, tried[0][1]]]
    assert bar["counts"] == {kind: count - 3, "failing": 3}


def test_every_stretch_is_drawn_and_a_bound_is_told() -> None:
    tried = tuple((at, at + 1) for at in range(1, 1000, 2))
    found = minimal(failing=tried[::5], tried=tried, singles_tried=500, singles_failed=100, bounded=True, runs=2400)
    bar = _bar(verdict=Verdict.FAIL, differences=(difference(minimal=found),))
    assert (len(bar["failing"]), len(bar["sampled"])) == (100, 400)
    assert bar["note"] == "The search ended at its bound, after 2,400 ways of cutting: 500 of 999 boundaries were tried alone."


def test_a_body_that_fails_uncut_blames_no_boundary() -> None:
    found = minimal(plan="whole", cuts=(), failing=(), tried=(), singles_tried=0, singles_failed=0)
    assert "no boundary is to blame" in _bar(verdict=Verdict.FAIL, differences=(difference(minimal=found),))["note"]


def test_a_report_keeps_as_many_strips_as_fit_failures_first(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case(f"openai-chat/{at:03}", strip=STRIP) for at in range(90)]
    cases += [case(f"anthropic-messages/{at}", strip=STRIP) for at in range(5)]
    cases += [case(f"openai-chat/x{at:03}", strip=STRIP, verdict=Verdict.FAIL) for at in range(100)]
    whole = seal(passing(cases=tuple(cases)))
    assert all(one.strip is not None for one in whole.cases), "an ordinary run has all"
    assert [strips.missing(one) for one in whole.cases] == [0] * 195

    monkeypatch.setattr(strips, "MAX_BYTES", 140 * strips.weight(cases[0]))
    run = seal(whole)
    kept = [one for one in run.cases if one.strip is not None]
    assert len(kept) == 140
    assert sum(one.verdict is Verdict.FAIL for one in kept) == 100
    assert sum(one.dialect == "anthropic-messages" for one in kept) == 5
    assert seal(run) == run
    lost = next(one for one in run.cases if one.strip is None)
    assert "the bytes of 140 cases" in strips.missing_words(run.cases)[strips.missing(lost)]
    empty = case("openai-chat/empty", body_bytes=0)
    assert "empty" in strips.missing_words(())[strips.missing(empty)]
    skipped = case("openai-chat/a", verdict=Verdict.NOT_RUN)
    assert "not decoded" in strips.missing_words(())[strips.missing(skipped)]


def test_the_command_names_the_case_and_leaves_the_plan_open() -> None:
    run = passing(subject="mutant:x")
    words = ("streamparity check --case 'openai-chat/a b' --plan ", " --subject mutant:x")
    assert strips.command(case("openai-chat/a b"), run) == words
    assert strips.command(case("openai-chat/a"), passing())[1] == ""
    known = difference(reproduce="streamparity check --corpus c --case a --plan split@7 --subject s")
    told = strips.command(case(differences=(known,)), run)
    assert told == ("streamparity check --corpus c --case a --plan ", " --subject s")
    assert strips.command(case("openai-chat/a b", differences=(difference(reproduce="'"),)), run) == words
