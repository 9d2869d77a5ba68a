"""The pytest plugin, run as its users run it: in a process of its own, in a folder that is not ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from harness.mutants import MUTANTS

from .plugin_project import CASES, EVERY_ID, REPOSITORY, golden_body, ids

if TYPE_CHECKING:
    from .plugin_project import Run


def test_every_case_and_plan_is_a_test_without_any_test_code(run: Run) -> None:
    result = run("--parity")

    result.assert_outcomes(passed=1 + len(EVERY_ID))
    size = sum(len(golden_body(case)) for case in CASES)
    result.stdout.fnmatch_lines(
        [
            "streamparity: streamcore; plan whole,bytes; *cassettes",
            f"streamcore: 3 cases, {size:,} bytes, * parts; 6 chunkings, * splits, * comparisons; no mutant run",
        ]
    )


def test_collect_only_lists_them_and_runs_nothing(run: Run) -> None:
    result = run("--parity", "--collect-only", "-q")

    assert ids(result) == EVERY_ID
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*proved*")


def test_without_parity_nothing_is_collected_or_imported(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(
        test_own="""
        import sys

        def test_own():
            loaded = [name for name in sys.modules if name.split(".")[0] in ("harness", "streamcore")]
            light = ["harness", "harness.node_ids", "harness.plugin", "harness.pytest_plugin"]
            assert sorted(loaded) == [*light, "harness.pytest_plugin.options"]
        """
    )
    result = run("-v", two_plans=False, afresh=True)

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*streamparity*")


def test_it_costs_less_than_five_milliseconds_to_have_it_installed() -> None:
    """The best of several tries: the first may have to compile it, and on a busy machine others measure the machine."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    heavy = ("click", "deepdiff", "httpx", "jinja2", "jsonschema", "msgspec", "rich", "yaml")
    program = f"import sys, pytest; import harness.plugin; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    microseconds = []
    for _ in range(5):
        command = [sys.executable, "-X", "importtime", "-c", program]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.split() == []
        (line,) = (line for line in done.stderr.splitlines() if line.endswith(" harness.plugin"))
        microseconds.append(int(line.split("|")[1]))
        if microseconds[-1] < 5000:
            return
    pytest.fail(f"importing harness.plugin takes {microseconds} us")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("openai-chat/text", [name for name in EVERY_ID if "openai-chat/text" in name]),
        ("bytes and not anthropic", [f"parity::{case}::bytes" for case in CASES[1:]]),
        ("golden", [f"parity::{case}::golden" for case in CASES]),
    ],
)
def test_k_chooses_among_them(run: Run, expression: str, expected: list[str]) -> None:
    assert ids(run("--parity", "--collect-only", "-q", "-k", expression)) == expected


def test_m_chooses_them_by_their_marker(run: Run) -> None:
    run("--parity", "-m", "parity").assert_outcomes(passed=len(EVERY_ID), deselected=1)
    run("--parity", "-m", "not parity").assert_outcomes(passed=1, deselected=len(EVERY_ID))


def test_a_node_id_is_run_alone_and_needs_no_option(run: Run) -> None:
    result = run("-v", "parity::openai-chat/text::bytes", "parity::anthropic-messages/tool")

    assert [line.split()[0] for line in ids(result)] == [*EVERY_ID[:3], "parity::openai-chat/text::bytes"]
    result.assert_outcomes(passed=4)


def test_a_node_id_that_does_not_exist_is_an_error(run: Run) -> None:
    result = run("parity::openai-chat/none::bytes")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["not found: parity::openai-chat/none::bytes;*--collect-only*"])


def test_when_all_are_deselected_the_run_says_that_it_proved_nothing(run: Run) -> None:
    result = run("--parity", "-k", "test_own")

    result.assert_outcomes(passed=1, deselected=len(EVERY_ID))
    result.stdout.fnmatch_lines([f"none of {len(EVERY_ID)} items was run: nothing was proved"])


# -- reports ----------------------------------------------------------------------------------------------------------


def test_no_report_is_written_unless_asked_for(run: Run, project: pytest.Pytester) -> None:
    run("--parity")

    assert not list(project.path.glob("**/*.html"))
    assert not list(project.path.glob("**/parity.json"))


def test_junit_carries_what_identifies_a_result(run: Run, project: pytest.Pytester) -> None:
    golden = project.path / "golden/openai-chat/unicode.ai.openai.chat.ndjson"
    golden.write_text(golden.read_text().replace('"delta":"', '"delta":"~', 1))
    run("--parity", "--junit-xml=j.xml", "-k", "openai-chat/unicode")

    suite = ET.parse(project.path / "j.xml")  # noqa: S314 - pytest wrote it a moment ago
    found = {
        test.attrib["name"]: {item.attrib["name"]: item.attrib["value"] for item in test.iter("property")}
        for test in suite.iter("testcase")
    }
    assert found["bytes"]["parity_case"] == "openai-chat/unicode"
    assert found["bytes"]["parity_chunkings"] == "1"
    assert found["golden"]["parity_verdict"] == "fail"
    assert found["golden"]["parity_utf16_offset"] == "0"
    assert int(found["golden"]["parity_byte_offset"]) > 0


# -- what is asked for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parity-plan=nope"], "no plan is called 'nope'; there are whole, bytes*"),
        (["--parity-subject=nope"], "subject 'nope': write streamcore, reference, mutant:NAME, *"),
        (["--parity-subject=mutant:nope"], "no mutant is called 'nope'*"),
        (["--parity-subject=mine:Nope", "-n", "2"], "subject 'mine:Nope': module mine has no 'Nope'"),
        (["--parity-shard=4/3"], "--parity-shard=4/3: write K/N, such as 1/3, 2/3 and 3/3"),
        (["--known-divergences=nowhere.yaml"], "*nowhere.yaml: no such file of divergences; *"),
        (["--parity-json=cassettes"], "*cassettes: the report cannot go there: is a folder; name a file with *"),
        (["--parity-json=mine.py/p.json"], "*p.html: the report cannot go there: *mine.py is no folder; *"),
        (["--parity-report=p.json"], "*p.json: both the page and the document would go there; *"),
        (["--parity-subject=gone:Subject"], "subject 'gone:Subject': cannot import gone: *; looked in *"),
    ],
)
def test_a_misspelt_name_is_a_usage_error(run: Run, arguments: list[str], message: str) -> None:
    plugins = ("harness.plugin", "xdist.plugin") if "-n" in arguments else ("harness.plugin",)
    result = run("--parity", *arguments, plugins=plugins)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parity-cassettes=nowhere"], "*nowhere: no such folder of cassettes; name it with --parity-cassettes*"),
        (["--parity-cassettes=empty"], "no case in *empty: nothing would be proved; `streamparity init` brings some*"),
        (["--parity-case=gemini/*"], "no case in *cassettes matches gemini/?: nothing would be proved; *lists them"),
        (["--parity-golden=nowhere"], "*nowhere: no such folder of goldens; name it with --parity-golden*"),
        (["--parity-cassettes=mine.py"], "*mine.py: a file, and no folder of cassettes; name it*"),
        (["--parity-corpus=nowhere"], "*nowhere: no such folder*"),
        (["--parity-cassettes=theirs"], "*text.yaml: top level: not a streamparity cassette: *; if it is one of pytest-recording *"),
    ],
)
def test_zero_items_are_an_error_and_not_a_pass(
    run: Run, project: pytest.Pytester, arguments: list[str], message: str
) -> None:
    project.mkdir("empty")
    theirs = project.mkdir("theirs") / "test_module"
    theirs.mkdir()
    (theirs / "text.yaml").write_text("interactions: []\nversion: 1\n")
    result = run("--parity", *arguments)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_ini_keys_are_the_defaults_and_the_command_line_wins(run: Run, project: pytest.Pytester) -> None:
    project.path.joinpath("cassettes").rename(project.path / "tapes")
    project.path.joinpath("golden").rename(project.path / "gold")
    project.makeini(
        """
        [pytest]
        parity_subject = mine:Subject streamcore
        parity_plan = bytes
        parity_cassettes = tapes
        parity_golden = gold
        """
    )
    result = run("--parity", "--parity-case=openai-chat/text", "--co", "-q", two_plans=False)
    expected = ["golden[mine:Subject]", "bytes[mine:Subject]", "golden[streamcore]", "bytes[streamcore]"]
    assert ids(result) == [*(f"parity::openai-chat/text::{name}" for name in expected), "parity::mutants"]

    wins = ("--parity-case=openai-chat/text", "--parity-subject=streamcore", "--parity-plan=every:7")
    result = run("--parity", "-v", *wins, "--parity-no-mutants", two_plans=False)
    assert [line.split()[0] for line in ids(result)] == [
        "parity::openai-chat/text::golden",
        "parity::openai-chat/text::every:7",
    ]
    result.assert_outcomes(passed=3)


def test_pyproject_may_hold_the_keys(run: Run, project: pytest.Pytester) -> None:
    (project.path / "tox.ini").unlink()
    project.makepyprojecttoml('[tool.pytest.ini_options]\nparity_plan = "every:9"\nparity_subject = "streamcore"\n')

    result = run("--parity", "--parity-no-mutants", "--co", "-q", "-k", "text and every", two_plans=False)

    assert ids(result) == ["parity::openai-chat/text::every:9"]


def test_the_default_plan_is_standard(run: Run) -> None:
    result = run("--parity", "--parity-case=openai-chat/text", "--co", "-q", two_plans=False)

    names = [line.split("::")[2] for line in ids(result)[:-1]]
    assert names[:4] == ["golden", "whole", "bytes", "recorded"]
    assert names[-2:] == ["every-split", "cut-at-every-byte"]


def test_the_seed_shifts_the_random_plans_and_their_names(run: Run) -> None:
    chosen = ("--parity-plan=random:1,random:2", "--parity-seed=40", "-k", "text and random")
    result = run("--parity", "--parity-no-mutants", "-v", *chosen, two_plans=False)

    assert [line.split()[0] for line in ids(result)] == [
        "parity::openai-chat/text::random:41",
        "parity::openai-chat/text::random:42",
    ]


def test_the_mutants_are_one_test_that_names_those_that_were_not_caught(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three recordings do not have what it takes to show every defect; two mutants are enough to tell so."""
    monkeypatch.setattr("harness.check.shipped", lambda: project.path)  # no others come to their help
    few = {name: MUTANTS[name] for name in ("utf8-per-chunk", "crlf-cut-is-blank")}
    monkeypatch.setattr("harness.mutants.mutation.MUTANTS", few)
    result = run("parity::mutants", two_plans=False)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "1 of 2 mutants were not caught: no recording shows the defect",
            "  crlf-cut-is-blank: *",
            "*1 of 2 mutants caught",
        ]
    )
    result.stdout.no_fnmatch_line("  utf8-per-chunk: *")


@pytest.mark.node
@pytest.mark.skipif(
    shutil.which("node") is None or not (REPOSITORY / "golden/oracle/node_modules").is_dir(),
    reason="needs Node and `npm ci` in golden/oracle",
)
def test_goldens_of_a_corpus_are_made_on_the_fly(run: Run, project: pytest.Pytester) -> None:
    folder = project.mkdir("corpus") / "openai-chat"
    folder.mkdir()
    (folder / "one.body").write_bytes(golden_body("openai-chat/text"))

    result = run("--parity", "--parity-corpus=corpus", f"--parity-golden={REPOSITORY / 'golden'}")

    result.assert_outcomes(passed=4)
    assert list((project.path / ".streamparity/goldens").glob("*/*/*.ai.openai.chat.ndjson"))
