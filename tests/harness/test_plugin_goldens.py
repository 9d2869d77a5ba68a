"""What the pytest plugin makes of goldens: updating them, files that nobody needs, divergences kept elsewhere."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from .plugin_project import EVERY_ID, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from .plugin_project import Run

TEXT = "golden/openai-chat/text.ai.openai.chat.ndjson"
WHY = "--update-golden-reason=the SDK moved"


@pytest.fixture
def oracle(project: pytest.Pytester) -> pytest.Pytester:
    """The project with the oracle beside its goldens."""
    (project.path / "golden/oracle").symlink_to(REPOSITORY / "golden/oracle")
    return project


@pytest.mark.parametrize(
    ("arguments", "ci", "message"),
    [
        (
            ["--update-golden=new", WHY],
            "1",
            "--update-golden=new in CI (CI=1): a run that makes its own goldens proves *",
        ),
        (["--update-golden=all"], "", "--update-golden=all wants a reason: add --update-golden-reason *"),
        (["--update-golden=all", "--update-golden-reason= "], "false", "--update-golden=all wants a reason: *"),
        (["--update-golden=changed", WHY, "-n", "2"], "", "--update-golden=changed runs in one process: leave out -n*"),
        (
            ["--update-golden=changed", WHY],
            "",
            "making goldens needs Node 20 or newer, and there is no `node` in PATH*",
        ),
    ],
)
def test_goldens_are_not_made_in_ci_without_a_reason_by_many_or_without_node(
    run: Run, oracle: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, arguments: list[str], ci: str, message: str
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "")
    before = contents(oracle.path / "golden")
    plugins = ("harness.plugin", "xdist.plugin") if "-n" in arguments else ("harness.plugin",)

    result = run("--parity", *arguments, plugins=plugins)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}".replace("[", "[[]")])
    assert contents(oracle.path / "golden") == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.glob("*/*.ndjson")}


@pytest.mark.node
@pytest.mark.skipif(
    shutil.which("node") is None or not (REPOSITORY / "golden/oracle/node_modules").is_dir(),
    reason="needs Node and `npm ci` in golden/oracle",
)
def test_each_update_makes_its_kind_of_golden_and_keeps_the_reason(
    run: Run, oracle: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    missing, spoilt = oracle.path / TEXT, oracle.path / TEXT.replace("text.ai", "unicode.ai")
    right = contents(oracle.path / "golden")
    missing.unlink()
    spoilt.write_bytes(right[spoilt].replace(b'"text-delta"', b'"text-dilta"'))
    chosen = ("--parity", "-k", "openai-chat", WHY)

    listed = run(*chosen, "--update-golden=all", "--collect-only", "-q")
    assert listed.ret == pytest.ExitCode.OK
    assert not missing.exists()
    new = run(*chosen, "--update-golden=new")
    new.assert_outcomes(passed=5, failed=1, deselected=4)
    new.stdout.fnmatch_lines(
        ["1 goldens of 2 cases made: the SDK moved", "missing  openai-chat/text.ai.openai.chat.ndjson"]
    )
    changed = run(*chosen, "--update-golden=changed")
    changed.assert_outcomes(passed=6, deselected=4)
    changed.stdout.fnmatch_lines(["1 goldens of 2 cases made: the SDK moved", "edited   openai-chat/unicode.ai.*"])

    assert contents(oracle.path / "golden") == right
    log = [json.loads(line) for line in (oracle.path / "golden/updates.ndjson").read_text().splitlines()]
    assert [entry["reason"] for entry in log] == ["the SDK moved"] * 2
    assert [entry["goldens"] for entry in log] == [
        [path.relative_to(oracle.path / "golden").as_posix()] for path in (missing, spoilt)
    ]


def test_what_nobody_needs_fails_a_whole_run_and_not_a_part_of_it(run: Run, project: pytest.Pytester) -> None:
    (project.path / "golden/openai-chat/old.ai.openai.chat.ndjson").write_text("left behind\n")
    cassette = (project.path / "cassettes/openai-chat/text.yaml").read_text()
    (project.path / "cassettes/astray.yaml").write_text(cassette)
    lines = ["ERROR orphan golden: golden/openai-chat/old.ai.openai.chat.ndjson: no case needs it; *"]
    astray = "ERROR orphan cassette: cassettes/astray.yaml: never looked at: cassettes are <dialect>/<scenario>.yaml; *"

    whole = run("--parity")
    whole.assert_outcomes(passed=1 + len(EVERY_ID))
    assert whole.ret == pytest.ExitCode.TESTS_FAILED
    whole.stdout.fnmatch_lines([*lines, astray])
    named = run("--parity", "test_own.py")
    assert named.ret == pytest.ExitCode.TESTS_FAILED
    named.stdout.fnmatch_lines(lines)
    named.stdout.no_fnmatch_line("*orphan cassette*")
    for part in (["-k", "openai"], ["--parity-case=openai-chat/*"], EVERY_ID[:1], ["--parity-shard=1/1"]):
        result = run("--parity", *part)
        assert result.ret == pytest.ExitCode.OK
        result.stdout.no_fnmatch_line("*orphan*")
    spread = run("--parity", "-n", "1", plugins=("harness.plugin", "xdist.plugin"))
    spread.stdout.fnmatch_lines([*lines, astray])

    project.makepyfile(test_uses="import pytest\n@pytest.mark.stream_cassette('astray')\ndef test_uses(): pass")
    (project.path / "golden/openai-chat/old.ai.openai.chat.ndjson").unlink()
    for whole_run in (["--parity"], ["--parity", "-m", "parity"]):
        assert run(*whole_run).ret == pytest.ExitCode.OK


def test_divergences_may_be_kept_elsewhere(run: Run, project: pytest.Pytester) -> None:
    golden = project.path / TEXT
    golden.write_text(golden.read_text().replace('"finishReason"', '"finishRaisin"', 1))
    entry = "- {name: raisins, reference: ai.openai.chat, cases: [openai-chat/text], ignore: [{part: finish}], "
    project.path.joinpath("known.yaml").write_text(f"{entry}reason: a test of divergences, since: '2026-01-01'}}\n")

    run("--parity", "-k", "openai-chat/text and golden").assert_outcomes(failed=1, deselected=9)
    known = run("--parity", "--known-divergences=known.yaml")
    known.assert_outcomes(passed=1 + len(EVERY_ID))
    known.stdout.fnmatch_lines(["1 named divergences were needed: raisins"])
    project.makeini("[pytest]\nparity_known_divergences = known.yaml\n")
    run("--parity", "-k", "openai-chat/text").assert_outcomes(passed=3, deselected=7)
