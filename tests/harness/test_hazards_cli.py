"""``streamparity check --hazards`` from the outside."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.cassette import NOT_CASSETTES
from harness.exits import DIFFERENCE, HARNESS, INPUT, PARITY, USAGE
from harness.hazards import load_catalogue, select

REPOSITORY = Path(__file__).resolve().parents[2]
Answer = tuple[int, str, str]
Run = Callable[..., Answer]
ONE = ("--case", "openai-chat/index-reused", "--jobs", "1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the catalogue, and with the cases of its first layer and some others."""
    catalogue = load_catalogue(REPOSITORY / "cassettes")
    wanted = {graded.case for hazard in select(catalogue, ["bytes"]) for graded in hazard.cases}
    for case in wanted | {"openai-chat/index-reused", "openai-chat/text", "bedrock-converse-stream/tool"}:
        path = tmp_path / "cassettes" / f"{case}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "cassettes" / f"{case}.yaml", path)
    shutil.copytree(REPOSITORY / "cassettes" / NOT_CASSETTES, tmp_path / "cassettes" / NOT_CASSETTES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, in this process and in the project: (exit code, stdout, stderr)."""

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["streamparity", "check", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def test_a_layer(run: Run) -> None:
    code, out, err = run("--hazards", "--layer", "bytes", "--jobs", "2")

    assert (code, err) == (PARITY, "")
    lines = out.splitlines()
    assert lines[0] == "Bytes to text (6 exact)"
    assert lines[1].split() == [
        "WH-001",
        "utf8-split",
        "exact",
        "openai-chat/unicode,",
        "bedrock-converse-stream/unicode",
    ]
    assert sum(line.startswith("  WH-") for line in lines) == 6
    assert any("not here: Whether an inflater" in line for line in lines)
    assert lines[-1].startswith("PASS 6 hazards: 6 exact (2 of them only in part); 8 cases, cut in ")


def test_a_mutant_is_wrong_and_told_why(run: Run) -> None:
    code, out, _ = run("--hazards", "--subject", "mutant:calls-merged-by-index", *ONE)

    assert code == DIFFERENCE
    assert "openai-chat/index-reused: calls merged into one" in out
    assert "asked for: Another id and name on an index that is in use" in out
    assert "seen in: ollama/ollama#15457" in out
    again = "check --hazards --subject mutant:calls-merged-by-index --case openai-chat/index-reused"
    assert f"reproduce: streamparity {again}\n" in out
    assert run(*again.split()[1:], "--jobs", "1")[:2] == (code, out)
    assert out.splitlines()[-1].startswith("FAIL 1 hazards: 1 wrong")


def test_a_mutant_of_the_framing_depends_on_the_cut(run: Run) -> None:
    code, out, _ = run(
        "--hazards", "--subject", "mutant:remainder-dropped", "--case", "openai-chat/text", "--layer", "sse lines"
    )

    assert code == DIFFERENCE
    assert "openai-chat/text: depends on the cut (bytes: events lost at the seams; whole: exact)" in out


def test_quiet(run: Run) -> None:
    code, out, _ = run("--hazards", "-q", *ONE)

    assert (code, len(out.splitlines())) == (PARITY, 1)


def test_two_subjects_and_the_exit_code_of_the_worse(run: Run) -> None:
    code, out, _ = run("--hazards", "--subject", "streamcore", "--subject", "mutant:calls-merged-by-index", *ONE)

    assert code == DIFFERENCE
    assert [line.split()[0] for line in out.splitlines() if line.startswith(("PASS", "FAIL"))] == ["PASS", "FAIL"]


def test_nothing_graded_is_not_a_pass(run: Run) -> None:
    code, out, _ = run(
        "--hazards", "--subject", "mutant:calls-merged-by-index", "--case", "bedrock-converse-stream/tool"
    )

    assert code == HARNESS
    assert out.splitlines()[-1].startswith("NOTHING GRADED 2 hazards: 2 not-claimed")


def test_what_a_user_got_wrong(run: Run) -> None:
    assert run("--layer", "json")[0] == USAGE
    assert run("--hazards", "--subject", "mutant:nobody", *ONE)[0] == USAGE
    code, out, err = run("--hazards", "--layer", "jsno")
    assert (code, out) == (INPUT, "")
    assert err.startswith("streamparity: unknown layer 'jsno'")
    code, _, err = run("--hazards", "--case", "nothing/*")
    assert (code, err.count("\n")) == (INPUT, 1)
    assert "no hazard has a case that matches nothing/*" in err


def test_a_project_without_a_catalogue_is_graded_by_the_one_that_comes_with_streamparity(run: Run, project: Path) -> None:
    shutil.rmtree(project / "cassettes" / NOT_CASSETTES)
    code, out, err = run("--hazards", "--layer", "bytes", "--jobs", "2")

    assert (code, err) == (PARITY, "")
    assert "WH-001" in out


def test_a_case_that_is_missing(run: Run) -> None:
    code, out, err = run("--hazards", "--layer", "json")

    assert (code, out, err.count("\n")) == (INPUT, "", 1)
    assert "WH-029: unknown case 'openai-chat/wh-029-two-documents'" in err


def test_another_folder(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    folder = str(project / "cassettes")
    code, out, _ = run("--hazards", "--cassettes", folder, "--subject", "mutant:calls-merged-by-index", *ONE)

    assert code == DIFFERENCE
    assert f"--subject mutant:calls-merged-by-index --cassettes {folder} --case openai-chat/index-reused" in out
