"""What a run of the pytest plugin proves, what it is failed for, and what a part of it is spared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .plugin_project import REPOSITORY, copy

if TYPE_CHECKING:
    from .plugin_project import Run

UNCUT = "no body was cut: plan whole says nothing about chunking; run the plan `standard`"


def test_a_whole_run_that_cuts_nothing_fails_and_a_part_of_one_is_told_so(run: Run, project: pytest.Pytester) -> None:
    """A document that says `error` and a session that says all is well cannot both be right."""
    asked = ("--parity", "--parity-plan=whole", "--parity-no-mutants", "--parity-json=p.json")
    xdist = ("harness.plugin", "xdist.plugin")
    for more, plugins in (((), xdist[:1]), (("-n", "1"), xdist), (("--parity-case=openai-chat/*",), xdist[:1])):
        result = run(*asked, *more, plugins=plugins, two_plans=False)
        assert (result.ret, result.parseoutcomes().get("failed")) == (pytest.ExitCode.TESTS_FAILED, None)
        assert result.outlines.count(f"ERROR the run proves nothing: {UNCUT}") == 1
        found = json.loads((project.path / "p.json").read_text())
        assert (found["footer"]["verdict"], found["problems"]) == ("error", [UNCUT])

    for part in (("-k", "text or own"), ("parity::openai-chat/text",), ("-k", "golden", "-n", "1")):
        result = run(*asked, *part, plugins=xdist, two_plans=False)
        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines([f"not proved by this part of a run: {UNCUT}"])
        result.stdout.no_fnmatch_line("ERROR *")
    assert run(*asked, "--co", two_plans=False).ret == pytest.ExitCode.OK
    # A run that stops at the first failure was to prove more; one that repeats the failed ones, less.
    project.makepyfile(test_own="def test_own(): assert 0")
    for part in (("-x",), ("--lf",)):
        result = run(*asked, "-p", "cacheprovider", *part, two_plans=False)
        result.assert_outcomes(failed=1, deselected=6 if part == ("--lf",) else 0)
        result.stdout.no_fnmatch_line("ERROR *")


def test_recordings_of_the_local_model_are_excused_as_streamparity_check_does(
    run: Run, project: pytest.Pytester
) -> None:
    """Its own divergences stand beside the goldens of streamparity, and a project has only recordings of the same model."""
    copy(REPOSITORY, project.path, "cassettes/openai-responses/local-text.yaml")
    for golden in (REPOSITORY / "golden/openai-responses").glob("local-text.*.ndjson"):
        copy(REPOSITORY, project.path, f"golden/openai-responses/{golden.name}")
    project.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.parity(case="openai-responses/*", plan="bytes,every:7")
        def test_own(parity):
            parity.check("streamcore")
        """
    )
    result = run("--parity", "-v")

    result.assert_outcomes(passed=1 + 4 * 3)
    result.stdout.fnmatch_lines(["2 named divergences were needed: unnumbered-items-are-read, *"])
    result.stdout.no_fnmatch_line("ERROR *")
