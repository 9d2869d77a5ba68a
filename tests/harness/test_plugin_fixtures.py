"""The fixtures and the marker of the pytest plugin, in tests of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .plugin_project import Run


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
    ],
)
def test_a_marker_that_chooses_nothing_is_an_error(
    run: Run, project: pytest.Pytester, marker: str, message: str
) -> None:
    project.makepyfile(test_own=f"import pytest\n@pytest.mark.{marker}\ndef test_own(parity_case, chunk_plan): pass")

    result = run(two_plans=False)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")
