"""``streamparity check`` from the outside: exit codes, what stands on stdout, one line for what a user got wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.exits import DIFFERENCE, HARNESS, INPUT, INTERRUPTED, NOBODY_READS, PARITY, USAGE

from .checkout import EMPTY, REPOSITORY, TEXT, make_checkout, replace

Answer = tuple[int, str, str]
Run = Callable[..., Answer]
QUICK = ("--no-mutants", "--plan", "bytes", "--jobs", "1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_checkout(tmp_path, monkeypatch)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, in this process: (exit code, stdout, stderr)."""

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["streamparity", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def one_line(answer: Answer, code: int) -> str:
    """The complaint, which must be one line on stderr, with nothing on stdout."""
    found, out, err = answer
    assert (found, out, err.count("\n")) == (code, "", 1), err
    return err.rstrip("\n")


def test_parity(project: Path, run: Run) -> None:
    code, out, err = run("check", *QUICK)

    assert code == PARITY
    assert out.splitlines()[-1].startswith("PASS streamcore, plan bytes: 2 cases (2 pass)")
    assert len(err.splitlines()) == 2
    document = (project / "reports" / "parity.json").read_text()
    assert TEXT in document
    assert (project / "reports" / "parity.html").stat().st_size > 1000


def test_quiet_prints_the_verdict_alone(project: Path, run: Run) -> None:
    code, out, err = run("check", *QUICK, "-q", "--json", "a.json", "--html", "b.html")

    assert (code, len(out.splitlines()), err) == (PARITY, 1, "")
    assert {path.name for path in project.iterdir()} - {"cassettes", "golden", "mysubjects.py"} == {"a.json", "b.html"}


def test_a_difference(project: Path, run: Run) -> None:
    replace(project / "golden" / f"{TEXT}.ai.openai.chat.ndjson", '" can"', '" cam"')

    code, out, _ = run("check", *QUICK)

    assert code == DIFFERENCE
    assert '["text-delta",{"delta":" cam","id":"0"}]' in out
    assert "streamparity check --case openai-chat/text --plan whole,bytes" in out
    assert out.splitlines()[-1].startswith("FAIL streamcore, plan bytes: 2 cases (1 fail, 1 pass)")


def test_a_stale_divergence(project: Path, run: Run) -> None:
    (project / "golden" / "divergences.yaml").write_text(
        f"- {{name: old, reference: sse, cases: [{TEXT}], ignore: [{{part: frame, path: id}}],"
        " reason: it was needed once upon a time, since: 2026-11-21}\n"
    )

    code, out, _ = run("check", *QUICK)

    assert code == DIFFERENCE
    assert "divergence old is written down, but no longer occurs: remove it from divergences.yaml" in out


def test_a_subject_that_raises(project: Path, run: Run) -> None:
    code, out, _ = run("check", *QUICK, "--subject", "mysubjects:Raises")

    assert code == HARNESS
    assert "LookupError: no luck today (" in out
    assert "2 cases (1 error, 1 pass)" in out.splitlines()[-1]


def test_several_subjects_get_a_report_each_and_the_worst_exit_code(project: Path, run: Run) -> None:
    code, out, _ = run("check", *QUICK, "-q", "--subject", "streamcore", "--subject", "mutant:done-parsed")

    assert code == DIFFERENCE
    assert [line.split()[:2] for line in out.splitlines()] == [["PASS", "streamcore,"], ["FAIL", "mutant:done-parsed,"]]
    assert sorted(path.name for path in (project / "reports").iterdir()) == [
        "parity-2.html",
        "parity-2.json",
        "parity.html",
        "parity.json",
    ]


def test_an_empty_folder_is_told_in_exactly_three_lines(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "harness.cli", "check"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout) == (INPUT, "")
    first, second, third = answer.stderr.splitlines()
    assert first == f"streamparity: {tmp_path / 'cassettes'} is no folder with recordings, so there is nothing to check."
    assert second == (
        "Run `streamparity check` in a checkout of streamparity, or name folders: --cassettes DIR --goldens DIR (or --corpus DIR)."
    )
    assert third == "To begin a project of your own, with recordings: `streamparity init`. To record: `streamparity record --help`."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["check", "--list"], ["check", "--cassettes", "nowhere"], ["golden", "check"]])
def test_other_ways_to_have_no_cassettes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = run(*arguments)

    assert (code, out, len(err.splitlines())) == (INPUT, "", 3)


def test_list(project: Path, run: Run) -> None:
    assert run("check", "--list") == (PARITY, f"{EMPTY}\n{TEXT}\n", "")
    assert run("check", "--list", "--case", "openai-chat/*") == (PARITY, f"{TEXT}\n", "")
    assert not (project / "reports").exists()


def test_a_glob_that_matches_nothing(project: Path, run: Run) -> None:
    assert one_line(run("check", *QUICK, "--case", "openai-chat/nope", "--case", "x/*"), INPUT) == (
        "streamparity: no case matches openai-chat/nope x/*; `streamparity check --list` prints the ids"
    )


def test_only_the_cases_that_match_are_run(project: Path, run: Run) -> None:
    assert "1 cases (1 pass)" in run("check", *QUICK, "--case", TEXT)[1]


def test_a_missing_golden_leaves_an_older_report_alone(project: Path, run: Run) -> None:
    (project / "golden" / f"{TEXT}.sse.ndjson").unlink()
    (project / "reports").mkdir()
    (project / "reports" / "parity.json").write_text("old")

    message = one_line(run("check", *QUICK), INPUT)

    assert message == (
        f"streamparity: golden/{TEXT}.sse.ndjson: no golden; run `streamparity golden make --case {TEXT}` (needs Node 20)"
    )
    assert [(path.name, path.read_text()) for path in (project / "reports").iterdir()] == [("parity.json", "old")]


def test_a_golden_of_another_body(project: Path, run: Run) -> None:
    replace(project / "golden" / f"{TEXT}.sse.ndjson", '"body":"cb766ac', '"body":"000000c')

    message = one_line(run("check", *QUICK), INPUT)

    assert message.startswith(f"streamparity: golden/{TEXT}.sse.ndjson:1: made of another body (000000c")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sha256: cb766", "sha256: 00000", "interactions[0].stream.sha256: wrong hash: the body's sha256 is cb766ac196a7..."),
        ("dialect: openai-chat", "dialect: open-chat", "recorded.dialect: unknown dialect 'open-chat' (did you mean openai-chat?); known: "),
        ("version: 1\n", "version: {\n", "line 3, column "),
        ("chunks: [357,", "chunks: [356,", "interactions[0].stream.chunks: the chunks add up to 3184 bytes, the body has 3185"),
    ],
    ids="hash dialect yaml chunks".split(),
)  # fmt: skip
def test_a_cassette_that_cannot_be_used(project: Path, run: Run, old: str, new: str, message: str) -> None:
    replace(project / "cassettes" / f"{TEXT}.yaml", old, new)

    assert one_line(run("check", *QUICK), INPUT).startswith(f"streamparity: cassettes/{TEXT}.yaml: {message}")
    assert not (project / "reports").exists()


def test_divergences_that_cannot_be_read(project: Path, run: Run) -> None:
    (project / "golden" / "divergences.yaml").write_text("- name: [\n")

    assert one_line(run("check", *QUICK), INPUT).startswith("streamparity: golden/divergences.yaml:2: not YAML: ")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"\x1f\x8b\x08\x00junk", "gzip data"),
        (b"<!DOCTYPE html><title>401</title>", "HTML"),
        (b"\n  <html lang=en>", "HTML"),
    ],
)
def test_a_recording_of_what_is_no_stream(project: Path, run: Run, body: bytes, what: str) -> None:
    folder = project / "corpus" / "openai-chat"
    folder.mkdir(parents=True)
    (folder / "odd.body").write_bytes(body)

    message = one_line(run("check", *QUICK, "--corpus", "corpus"), INPUT)

    assert message == (
        f"streamparity: corpus/openai-chat/odd.body: the body is {what}, not a stream of events; "
        "record it again, with `accept-encoding: identity` and a key that is accepted"
    )
    assert not (project / "reports").exists()


def test_two_cases_of_one_name(project: Path, run: Run) -> None:
    folder = project / "corpus" / "openai-chat"
    folder.mkdir(parents=True)
    (folder / "text.body").write_bytes(b"data: {}\n\n")

    message = one_line(run("check", *QUICK, "--corpus", "corpus", "--cassettes", "cassettes"), INPUT)

    assert message == (
        "streamparity: two cases are called openai-chat/text: cassettes/openai-chat/text.yaml and "
        "corpus/openai-chat/text.body; rename one"
    )


def test_a_corpus_that_is_not_there(project: Path, run: Run) -> None:
    assert one_line(run("check", "--corpus", "nowhere"), INPUT).startswith("streamparity: nowhere: no such folder; ")


def test_an_unknown_plan_names_those_that_exist(project: Path, run: Run) -> None:
    code, out, err = run("check", "--plan", "bytes,every:0")

    assert (code, out) == (USAGE, "")
    assert err.splitlines()[-1].startswith("Error: no plan is called 'every:0'; there are whole, bytes, recorded, ")


@pytest.mark.parametrize("arguments", [["check", "--jobs", "0"], ["check", "--nope"], ["nope"]])
def test_usage(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (USAGE, "")
    assert err.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("spec", ["nope", "nope:nope", "mutant:nope", "mysubjects:nope", "mysubjects:SUBJECTS"])
def test_an_unknown_subject(project: Path, run: Run, spec: str) -> None:
    message = one_line(run("check", *QUICK, "--subject", spec), USAGE)

    assert message.startswith("streamparity: ")
    assert spec.removeprefix("mutant:") in message
    assert not (project / "reports").exists()


def test_a_run_in_which_nothing_is_claimed(project: Path, run: Run) -> None:
    code, out, _ = run("check", *QUICK, "--subject", "mysubjects:Elsewhere")

    assert code == HARNESS
    assert "ERROR no case was claimed by the subject" in out.splitlines()


def test_a_run_that_cuts_nothing_proves_nothing(project: Path, run: Run) -> None:
    code, out, _ = run("check", "--plan", "whole", "--no-mutants")

    assert code == HARNESS
    assert "ERROR no body was cut: plan whole says nothing about chunking; run the plan `standard`" in out.splitlines()


def test_a_bug_of_the_harness_is_no_difference(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("harness.check.execute", broken)

    code, out, err = run("check", *QUICK)

    assert (code, out) == (HARNESS, "")
    assert "RuntimeError: a bug" in err
    assert err.splitlines()[-1] == "streamparity: this is a bug of the harness; please report it"


def test_an_interruption(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.check.execute", interrupted)

    # The empty line ends the one on which the terminal shows ^C.
    assert run("check", *QUICK) == (INTERRUPTED, "", "\ninterrupted\n")


def test_an_interruption_while_the_commands_are_imported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_mount", interrupted)

    assert run("check") == (INTERRUPTED, "", "interrupted\n")


def test_the_page_is_made_again_from_the_document(project: Path, run: Run) -> None:
    run("check", *QUICK, "--html", "first.html")

    assert run("report", "--html", "second.html") == (PARITY, "wrote second.html\n", "")
    assert (project / "second.html").read_bytes() == (project / "first.html").read_bytes()


def test_a_document_that_is_missing_or_none(project: Path, run: Run) -> None:
    (project / "odd.json").write_text(json.dumps({"a": 1}))

    assert one_line(run("report", "nope.json"), INPUT).startswith("streamparity: nope.json: cannot be read")
    assert one_line(run("report", "odd.json"), INPUT).startswith("streamparity: odd.json: not a parity document")
    assert not (project / "reports").exists()


def test_the_mutants_are_listed(run: Run) -> None:
    code, out, err = run("mutants", "--list")

    assert code == PARITY
    assert any(line.startswith("latin-1  ") for line in out.splitlines())
    assert err.strip() == "Run one: streamparity check --subject mutant:NAME --no-mutants"


def test_goldens_of_cases_that_are_not_there(project: Path, run: Run) -> None:
    for command in ("make", "check", "review"):
        assert one_line(run("golden", command, "--case", "nope/*"), INPUT) == (
            "streamparity: no case matches nope/*; `streamparity check --list` prints the ids"
        )


@pytest.mark.parametrize("command", ["make", "check", "review"])
def test_goldens_without_what_makes_them(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("PATH", "")
    before = {path: path.read_bytes() for path in (project / "golden").rglob("*") if path.is_file()}

    no_oracle = one_line(run("golden", command), INPUT)
    shutil.copytree(
        REPOSITORY / "golden" / "oracle",
        project / "golden" / "oracle",
        ignore=shutil.ignore_patterns("node_modules"),
    )
    no_node = one_line(run("golden", command), INPUT)

    assert no_oracle == (
        "streamparity: golden/oracle/oracle.mjs: no such file; making goldens needs a checkout of streamparity"
    )
    assert no_node == (
        "streamparity: making goldens needs Node 20 or newer, and there is no `node` in PATH: install it"
    )
    assert {path: path.read_bytes() for path in before} == before


def test_help_names_the_exit_codes(run: Run) -> None:
    for arguments in (["--help"], ["check", "--help"], ["decode", "-h"]):
        code, out, _ = run(*arguments)
        assert code == PARITY
        assert "Exit codes: 0 parity; 1 a difference, a stale divergence or a mutant that was not caught; 2 usage;" in out


def test_outputs_that_cannot_be_are_refused_before_the_run(project: Path, run: Run) -> None:
    (project / "folder").mkdir()
    (project / "file").write_text("mine")
    for arguments, code, message in (
        (("--json", "out", "--html", "./out"), USAGE, "Error: --json and --html both name out: name two files"),
        (("--json", "folder"), INPUT, "folder: cannot be written: it is a folder; name another file with --json"),
        (("--html", "file/page.html"), INPUT, f"cannot be written: {project / 'file'} is no folder; name another file with --html"),
    ):
        found, out, err = run("check", *QUICK, *arguments)
        assert (found, out) == (code, ""), arguments
        assert message in err
        assert "[1/" not in err
    assert (project / "file").read_text() == "mine"
    assert not (project / "out").exists()


def test_an_empty_list_of_plans_and_a_list_of_no_case_are_no_parity(project: Path, run: Run) -> None:
    code, out, err = run("check", "--plan", "")
    assert (code, out) == (USAGE, "")
    assert "an empty list of plans" in err
    assert "no case matches nope/*" in one_line(run("check", "--list", "--case", "nope/*"), INPUT)


def test_what_a_subject_prints_is_not_taken_for_ours(project: Path, run: Run) -> None:
    (project / "talks.py").write_text(
        "from mysubjects import Raises\n"
        "class Session:\n"
        "    def feed(self, chunk): print('by the way'); return []\n"
        "    def close(self): return []\n"
        "class Subject(Raises):\n"
        "    def open(self, case): return Session()\n"
    )
    code, out, err = run("check", *QUICK, "--subject", "talks:Subject", "--case", TEXT)

    assert code == DIFFERENCE
    assert "by the way" not in out
    assert "by the way" in err


def test_a_reader_who_has_gone_is_no_difference(project: Path) -> None:
    """Click would exit with 1."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "harness.cli", "decode", "cassettes/openai-chat/text.yaml"]
    ended = subprocess.run(command, cwd=project, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (NOBODY_READS, b"")
