"""The fixtures and the marker of the pytest plugin, in tests of one's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .plugin_project import REPOSITORY

if TYPE_CHECKING:
    from .plugin_project import Run

PAGE = (REPOSITORY / "docs/pytest.md").read_text("utf-8")


def test_fixtures_serve_tests_of_ones_own(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.parity(dialect="openai-chat", plan="bytes,every:7")
        def test_text(parity_case, cassette_bytes, chunk_plan, stream_subject, golden):
            (chunking,) = chunk_plan.chunkings(parity_case)
            session = stream_subject.open(parity_case)
            parts = [part for chunk in chunking.chunks(cassette_bytes) for part in session.feed(chunk)]
            parts += session.close()
            assert len(parts) == len(golden["ai.openai.chat"]) - 1

        @pytest.mark.parity(case="*/tool")
        def test_case(parity_case):
            assert parity_case.id == "anthropic-messages/tool"

        @pytest.fixture
        def size(cassette_bytes):
            return len(cassette_bytes)

        def test_through_another_fixture(size):
            assert size > 100
        """
    )
    result = run("-v", two_plans=False)

    result.assert_outcomes(passed=4 + 1 + 3)
    result.stdout.fnmatch_lines(["*::test_text*openai-chat/text*every:7*PASSED*"])


def test_fixtures_of_the_users_own_are_left_alone(run: Run, project: pytest.Pytester) -> None:
    project.makeconftest(
        """
        import pytest

        @pytest.fixture
        def chunk_plan():
            return "mine"

        @pytest.fixture
        def golden():
            return "mine too"
        """
    )
    project.makepyfile(
        test_own="""
        def test_own(chunk_plan, golden):
            assert (chunk_plan, golden) == ("mine", "mine too")
        """
    )
    run("-v", two_plans=False).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("parity(dialekt='x')", "the marker parity does not take 'dialekt': it takes dialect, case, plan and subject"),
        ("parity('openai-chat')", "the marker parity does not take a positional argument: it takes*"),
        ("parity(dialect='gemini')", "no case matches parity(dialect='gemini')"),
        ("parity(plan='nope')", "no plan is called 'nope'*"),
        ("parity(plan=5)", "the marker parity says plan=5: write a text, such as plan='whole,bytes'"),
    ],
)
def test_a_marker_that_chooses_nothing_is_an_error(
    run: Run, project: pytest.Pytester, marker: str, message: str
) -> None:
    project.makepyfile(test_own=f"import pytest\n@pytest.mark.{marker}\ndef test_own(parity_case, chunk_plan): pass")

    result = run(two_plans=False)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"test_own.py::test_own: {message}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_what_a_test_is_parametrised_with_by_hand_stays(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.parametrize(("parity_case", "chunk_plan"), [("openai-chat/text", "every:7")], indirect=True)
        def test_by_name(parity, parity_case, chunk_plan):
            assert (parity.case.id, chunk_plan.name) == ("openai-chat/text", "every:7")

        @pytest.mark.parametrize("parity_case", ["openai-chat/txet"], indirect=True)
        def test_misspelt(parity_case):
            pass

        @pytest.mark.parametrize("parity_case", ["of my own"])
        def test_direct(parity_case):
            assert parity_case == "of my own"

        @pytest.mark.parametrize("parity_case", ["of my own"])
        def test_not_a_case(parity):
            pass
        """
    )
    result = run("--tb=short", two_plans=False)

    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(
        [
            "unknown case 'openai-chat/txet' (did you mean openai-chat/text?); known: *",
            "parity_case is 'of my own' here, and no harness.case.Case: a fixture overrides the one of streamparity; *",
        ]
    )


@pytest.mark.usefixtures("short_search")
def test_parity_holds_ones_own_code_against_a_case(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(
        test_own="""
        import pytest
        from harness.trace import trace_lines
        from mine import Subject

        @pytest.mark.parity(case="openai-chat/unicode", plan="bytes,every:700")
        def test_wrong(parity):
            parity.check(Subject)

        @pytest.mark.parity(case="openai-chat/text", plan="bytes,every:7")
        @pytest.mark.parametrize("subject", [Subject, Subject(), "mine:Subject", None], ids=["class", "one", "name", "none"])
        def test_check(parity, subject):
            assert len(parity.check(subject).plans) == 2

        @pytest.mark.parity(case="openai-chat/unicode")
        @pytest.mark.parametrize("changed", [False, True])
        def test_compare(parity, golden, parity_case, stream_subject, changed):
            session = stream_subject.open(parity_case)
            parts = session.feed(parity_case.body) + session.close()
            at = next(at for at, part in enumerate(parts) if part["type"] == "text-delta" and len(part["delta"]) > 3)
            if changed:
                parts[at]["delta"] = parts[at]["delta"][:2] + "\\u200b" + parts[at]["delta"][2:]
            lines = trace_lines(parts, parity_case.body)
            if changed:
                with pytest.raises(AssertionError):
                    parity.compare(parts)
            else:
                assert parity.compare(parts).references
            assert lines == golden["ai.openai.chat"]

        @pytest.mark.parity(case="anthropic-messages/tool")
        def test_not_claimed(parity):
            parity.check(Subject)
        """
    )
    result = run("-p", "no:cacheprovider", "--parity-subject=streamcore", "-p", "no:randomly", two_plans=False)

    # The subject is wrong where a character has several bytes.
    result.assert_outcomes(passed=5, failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*ParityError: bytes: differs from ai.openai.chat in text-delta.delta",
            "*characters expected U+4F60 CJK UNIFIED IDEOGRAPH-4F60; actual U+FFFD REPLACEMENT CHARACTER",
            "*the golden has * lines, this trace *; they differ from line * on",
            "*expected *",
            "*actual *u200b*",
            "*characters expected U+*; actual U+200B ZERO WIDTH SPACE",
        ]
    )
    result.stdout.no_fnmatch_line("*proving.py*")


def test_the_page_about_pytest_is_true(run: Run, project: pytest.Pytester) -> None:
    """Its test runs, and its table names the options and ini keys that there are."""
    (code, _) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    project.makepyfile(test_page=code.replace("mypackage.stream import", "harness.subjects.core import CoreSubject as"))
    result = run("test_page.py", "-v", two_plans=False)
    result.assert_outcomes(passed=4)

    told = run("--parity", "--help", two_plans=False).stdout.str()
    options = set(re.findall(r"^  (--[a-z-]+)", told.split("cut at every byte:")[1].split("\n\n")[0], re.MULTILINE))
    keys = set(re.findall(r"^  (parity_\w+) ", told, re.MULTILINE))
    assert options == set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"--lf", "--co", "--deselect", "--ignore-scripts", "--timeout"}
    assert keys == set(re.findall(r"`(parity_\w+)`", PAGE)) - {"parity_case"}
