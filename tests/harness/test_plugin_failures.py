"""What the pytest plugin says about a subject that is wrong."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from .plugin_project import EVERY_ID

if TYPE_CHECKING:
    from .plugin_project import Run


@pytest.mark.usefixtures("short_search")
def test_a_difference_is_told_so_that_it_can_be_found(run: Run) -> None:
    result = run("--parity", "--parity-subject=mine:Subject", "-k", "openai-chat/unicode")

    # Whole and single bytes differ, so one of the two differs from the golden.
    result.assert_outcomes(failed=2, passed=1, deselected=7)
    result.stdout.fnmatch_lines(
        [
            "bytes: differs from ai.openai.chat in text-delta.delta",
            "case       openai-chat/unicode  (*unicode.yaml)",
            "subject    mine:Subject",
            "plan       bytes, against ai.openai.chat",
            "place      *byte *, trace line *, UTF-16 offset 0, in text-delta.delta",
            r'expected   *"delta":"\u4f60\u597d*',
            r'actual     *"delta":"\ufffd\ufffd*',
            "*^",
            "characters expected U+4F60 CJK UNIFIED IDEOGRAPH-4F60; actual U+FFFD REPLACEMENT CHARACTER",
            "cause      a character whose bytes come in two chunks is broken: U+4F60 CJK UNIFIED IDEOGRAPH-4F60",
            "reproduce  pytest --parity-subject=mine:Subject parity::openai-chat/unicode::golden",
        ]
    )
    for word in ("Traceback", "def runtest", "items.py", "runner.py"):
        result.stdout.no_fnmatch_line(f"*{word}*")
    # The caret stands below the first different character.
    lines = result.outlines
    at = next(number for number, line in enumerate(lines) if line.startswith("expected"))
    column = lines[at + 2].index("^")
    assert lines[at][:column] == lines[at + 1][:column].replace("actual  ", "expected")
    assert lines[at][column] != lines[at + 1][column]


def test_the_reproduce_command_shows_the_same_difference(run: Run, request: pytest.FixtureRequest) -> None:
    result = run("--parity", "--parity-subject=mine:Subject", "--parity-plan=every-split", "-k", "unicode and split")

    command = next(line for line in result.outlines if line.startswith("reproduce")).split(None, 1)[1]
    words = shlex.split(command)
    assert words[0] == "pytest"
    assert words[-1].startswith("parity::openai-chat/unicode::split@")
    request.getfixturevalue("short_search")
    again = run(*words[1:], two_plans=False)
    again.assert_outcomes(failed=1)
    headline = next(line for line in result.outlines if "differs from" in line)
    assert headline in again.outlines
    result.stdout.fnmatch_lines(
        [
            "minimal    split@*: fails if and only if a chunk ends inside a UTF-8 character: *",
            "           byte *: * | *",
            "smallest   pytest --parity-subject=mine:Subject --parity-plan=split@*",
        ]
    )


def test_a_subject_that_raises_is_an_error_in_one_line(run: Run) -> None:
    result = run("--parity", "--parity-subject=mine:Broken", "-k", "openai-chat/text")

    result.assert_outcomes(failed=3, deselected=7)
    result.stdout.fnmatch_lines(["*RuntimeError: no luck today*mine.py:*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*def runtest*")


def test_a_missing_golden_is_one_line_and_says_what_to_do(run: Run, project: pytest.Pytester) -> None:
    (project.path / "golden/openai-chat/text.ai.openai.chat.ndjson").unlink()

    result = run("--parity", "-k", "openai-chat/text")

    result.assert_outcomes(failed=1, passed=2, deselected=7)
    result.stdout.fnmatch_lines(["error: *text.ai.openai.chat.ndjson: no golden; run*golden make*"])


def test_a_dialect_that_is_not_claimed_is_skipped_and_never_green(run: Run) -> None:
    result = run("--parity", "--parity-subject=mine:Subject", "-k", "openai-chat/text or tool", "-rs")

    result.assert_outcomes(passed=3, skipped=3, deselected=4)
    result.stdout.fnmatch_lines(["SKIPPED*not claimed: mine does not claim anthropic-messages"])


def test_a_run_in_which_nothing_was_claimed_is_an_error(run: Run) -> None:
    result = run("--parity", "--parity-subject=mine:Elsewhere")

    result.assert_outcomes(passed=1, skipped=len(EVERY_ID))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ERROR the run proves nothing: no case was claimed by the subject"])


def test_a_stale_divergence_fails_a_whole_run_and_not_a_part_of_it(run: Run, project: pytest.Pytester) -> None:
    entry = "- {name: old, reference: ai.openai.chat, cases: [openai-chat/text], ignore: [{part: finish}], "
    entry += "reason: it was like this once and is no more, since: '2026-01-01'}\n"
    (project.path / "golden/divergences.yaml").write_text(entry)

    result = run("--parity")
    result.assert_outcomes(passed=1 + len(EVERY_ID))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ERROR stale divergence: old"])

    assert run("--parity", "-k", "openai-chat/text").ret == pytest.ExitCode.OK


def test_divergences_that_cannot_be_read_are_a_usage_error(run: Run, project: pytest.Pytester) -> None:
    (project.path / "golden/divergences.yaml").write_text("- {name: x}\n")

    result = run("--parity")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *divergences.yaml*"])


def test_last_failed_runs_what_failed_and_x_stops_there(run: Run, project: pytest.Pytester) -> None:
    (project.path / "golden/openai-chat/text.ai.openai.chat.ndjson").unlink()
    entry = "- {name: old, reference: ai.openai.chat, cases: [openai-chat/text], ignore: [{part: finish}], "
    (project.path / "golden/divergences.yaml").write_text(
        f"{entry}reason: it was like this once, since: '2026-01-01'}}\n"
    )

    stopped = run("--parity", "-x")
    stopped.assert_outcomes(failed=1, passed=4)
    stopped.stdout.no_fnmatch_line("*stale divergence*")
    again = run("--parity", "--lf")
    again.assert_outcomes(failed=1, deselected=9)
