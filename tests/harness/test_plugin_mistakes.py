"""What a user of the pytest plugin gets wrong: said in their own terms, with their own frames, and without any of ours."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cassette import load
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.pytest_plugin.settings import listed
from harness.runner import Check, check_case
from harness.subjects.core import CoreSubject
from harness.subjects.misfits import misfit, not_a_part
from harness.verdict import Verdict

from .plugin_project import CASES, REPOSITORY

if TYPE_CHECKING:
    from harness.case import Case
    from harness.subjects import Session

    from .plugin_project import Run

BAD = """
    import sys
    from types import SimpleNamespace
    from harness.subjects import NotClaimed
    from mine import Subject

    class Raises(Subject):
        def open(self, case):
            session = super().open(case)
            session.feed = lambda chunk: read(chunk)
            return session

    def read(chunk):
        raise ValueError("no luck\\n today")

    class Exits(Subject):
        def open(self, case):
            sys.exit(0)

    class Nothing(Subject):
        def open(self, case):
            return SimpleNamespace(feed=lambda chunk: None, close=lambda: [])

    class Refuses(Subject):
        def open(self, case):
            raise NotClaimed("not this one")

    class Unsure(Subject):
        def claims(self, dialect):
            raise LookupError("who knows")
"""
KINDS = ("Raises", "Exits", "Nothing", "Refuses", "Unsure")


@pytest.mark.usefixtures("short_search")
def test_a_subject_that_breaks_is_told_with_its_own_frames_and_is_never_a_pass(
    run: Run, project: pytest.Pytester
) -> None:
    project.makepyfile(bad=BAD)
    subjects = [f"--parity-subject=bad:{kind}" for kind in KINDS]
    result = run("--parity", *subjects, "--parity-case=openai-chat/text", "-m", "parity")

    result.assert_outcomes(failed=4 * 3, skipped=3, deselected=1)
    lines = result.outlines
    for name in ("golden", "whole", "bytes"):  # each item tells all, since each may be the only one that is run
        told = {}
        for kind in KINDS:
            if kind != "Refuses":
                heading = next(line for line in lines if f"::{name}[bad:{kind}] " in line)
                told[kind] = lines[lines.index(heading) + 1 :][:8]
        assert told["Raises"][0].endswith("ValueError: no luck today (bad.py:13)")
        frames = ["raised in", "    session.feed = lambda chunk: read(chunk)", '    raise ValueError("no luck\\n today")']
        assert told["Raises"][3:8:2] == frames
        assert told["Exits"][0] == "error: the subject ends the process: SystemExit: 0 (bad.py:17)"
        assert told["Nothing"][0].endswith("feed() returned None, and not a list of parts")
        assert told["Unsure"][0] == "error: LookupError: who knows (bad.py:29)"
    result.stdout.no_fnmatch_line("*none of * items was run*")
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*harness/*.py:*")


def test_what_ends_a_test_from_outside_is_told_with_the_line_that_it_stopped(run: Run, project: pytest.Pytester) -> None:
    """As pytest-timeout does it: an outcome is raised in the middle of whatever runs."""
    project.makepyfile(
        bad="""
        import pytest
        from mine import Subject

        class Hangs(Subject):
            def open(self, case):
                wait()

        def wait():
            pytest.fail("Timeout (>1.0s)")
        """
    )
    result = run("parity::openai-chat/text::bytes", "--parity-subject=bad:Hangs")

    result.assert_outcomes(failed=1)
    at = result.outlines.index("Timeout (>1.0s)")
    assert result.outlines[at + 1 : at + 6] == [
        "raised in",
        "  bad.py:6 in open",
        "    wait()",
        "  bad.py:9 in wait",
        '    pytest.fail("Timeout (>1.0s)")',
    ]
    result.stdout.no_fnmatch_line("*outcomes.py*")


@pytest.mark.parametrize("ending", [SystemExit, GeneratorExit])
def test_a_subject_that_ends_the_process_does_not_end_a_check(ending: type[BaseException]) -> None:
    class Exits(CoreSubject):
        def open(self, case: Case) -> Session:
            raise ending(case.id == "")

    (case,) = load(REPOSITORY / "cassettes" / f"{CASES[1]}.yaml").cases(CASES[1])
    result = check_case(case, Exits(), Check("x", (), Divergences()), GoldenStore(REPOSITORY / "golden"))
    assert (result.verdict, result.reason.partition(" (")[0]) == (
        Verdict.ERROR,
        f"the subject ends the process: {ending.__name__}: False",
    )
    assert misfit(Exits(), case) == misfit(CoreSubject(), case) == ""
    for reason in ({}, {"finishReason": None}, {"finishReason": "stop"}, {"finishReason": {"raw": "stop"}}):
        assert 'a finish has a finishReason such as {"unified": "stop"' in not_a_part({"type": "finish", **reason})
    assert not_a_part({"type": "finish", "finishReason": {"unified": "stop"}}) == ""
    assert not_a_part({"type": "text-delta"}).endswith("a text-delta has a text as its delta")
    assert "it is not JSON (" in not_a_part({"type": "raw", "value": object()})


def test_fixtures_tell_what_is_wrong_and_show_no_code_of_ours(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(
        bad=BAD,
        test_own="""
        import pytest
        pytestmark = pytest.mark.parity(case="openai-chat/text", plan="bytes")

        @pytest.mark.parametrize("subject", ["bad:Raises", "gone:X", 5])
        def test_check(parity, subject):
            parity.check(subject)

        @pytest.mark.parametrize("parts", [None, [5]])
        def test_compare(parity, parts):
            parity.compare(parts)

        @pytest.mark.parity(subject="nobody", case="openai-chat/text")
        def test_subject(stream_subject):
            pass
        """,
    )
    result = run("--tb=short", two_plans=False)

    result.assert_outcomes(failed=5, errors=1)
    result.stdout.fnmatch_lines(
        [
            "subject 'nobody': write streamcore, *",
            "E   *ParityError: whole: breaks no-exception: ValueError: no luck today (bad.py:13)",
            "E     bad.py:13 in read",
            "E   *subject 'gone:X': cannot import gone: No module named 'gone'; looked in *",
            "E   *parity.check() wants a subject, what makes one when it is called, or its name; 5 lacks name, claims, open",
            "E   *parity.compare() wants a list of parts, and not None",
            "E   *parity.compare() was given, at 0, 5 as a part: a part is a dict such as *",
        ]
    )
    result.stdout.no_fnmatch_line("*pytest_plugin/*")
    result.stdout.no_fnmatch_line("During handling of *")


def test_what_is_written_into_an_ini_file(run: Run, project: pytest.Pytester) -> None:
    assert listed(r'C:\a\b "D:\two words" last') == [r"C:\a\b", r"D:\two words", "last"]
    for written, message in (
        ('parity_subject = ["streamcore"]', "*pyproject.toml: parity_subject is *streamcore*: write one text, *"),
        ("parity_corpus = '\"C:\\tapes'", "*a quotation mark is not closed"),
    ):
        (project.path / "tox.ini").unlink(missing_ok=True)
        project.makepyprojecttoml(f'[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n{written}\n')
        result = run("--parity", two_plans=False)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: {message}"])
    project.makepyprojecttoml("[tool.pytest.ini_options]\nparity_cassettes = '.\\cassettes'\n")
    run("--parity").stdout.fnmatch_lines(["*no such folder of cassettes; *with / between folders*"])


def test_a_module_of_the_root_folder_is_found_from_any_folder(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makeini("[pytest]\nparity_subject = mine:Elsewhere\naddopts = --parity-json=p.json\nparity_plan = bytes\n")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry or ".").resolve() != project.path])
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.chdir(project.mkdir("below"))
    result = run("--parity", "--co", "-q", two_plans=False, afresh=True)
    assert (result.ret, result.outlines[0]) == (pytest.ExitCode.OK, f"parity::{CASES[0]}::golden")

    # Reports are those of a run with --parity: in addopts they are meant for it, where one stands alone it is forgotten.
    assert run("../test_own.py", two_plans=False).ret == pytest.ExitCode.OK
    refused = run("../test_own.py", "--parity-report=x.html", two_plans=False)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["ERROR: --parity-report=x.html: nothing is replayed without --parity; *"])
