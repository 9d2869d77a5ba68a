"""The action for GitHub, as far as it can be checked without GitHub: its form, and its script with a command that tells."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from harness.cli import check
from harness.report.cli import report

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "action.yml").read_text("utf-8")
ACTION: dict[str, Any] = yaml.safe_load(TEXT)
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
FAKE = """#!/usr/bin/env python3
import json, os, sys
from pathlib import Path
with open(os.environ["TOLD"], "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
Path("reports").mkdir(exist_ok=True)
if os.environ["EXIT"] != "4":
    Path("reports/parity.json").write_text("{}")
sys.exit(int(os.environ["EXIT"]))
"""


def test_it_has_the_form_of_a_composite_action() -> None:
    """GitHub, "Metadata syntax": what must be there, and what may stand in a step."""
    assert ACTION["name"]
    assert ACTION["description"]
    assert ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert ("run" in step) != ("uses" in step), step
        assert set(step) <= {"name", "id", "if", "uses", "with", "run", "shell", "working-directory", "env"}
        if "run" in step:
            assert step["shell"] == "bash"
        else:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
    for one in ACTION["inputs"].values():
        assert set(one) <= {"description", "default", "required"}
        assert one["description"]
        assert isinstance(one["default"], str)


def test_every_input_is_used_and_none_that_is_not_there() -> None:
    assert set(re.findall(r"\binputs\.([\w-]+)", TEXT)) == set(ACTION["inputs"])
    outputs = set(re.findall(r"steps\.check\.outputs\.(\w+)", TEXT))
    (script,) = (step["run"] for step in STEPS if step.get("id") == "check")
    assert outputs == set(re.findall(r'echo "(\w+)=', script))


def test_nothing_that_is_given_becomes_part_of_a_script() -> None:
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("code", [0, 1, 4])
def test_the_script_asks_for_what_was_given_and_ends_as_the_check_ends(code: int, tmp_path: Path) -> None:
    hostile = '$(touch broken) "; touch broken; #'
    command = tmp_path / "bin" / "streamparity"
    command.parent.mkdir()
    command.write_text(FAKE)
    command.chmod(0o755)
    (script,) = (step["run"] for step in STEPS if step.get("id") == "check")
    environment = {
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "SUBJECTS": "mine:Subject\n",
        "CASES": f"openai-chat/*\n{hostile}\n",
        "PLAN": "bytes",
        "SHARD": "2/3",
        "ARTIFACT": "parity",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "TOLD": str(tmp_path / "told"),
        "EXIT": str(code),
    }
    found = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=tmp_path, env=environment, check=False
    )

    assert found.returncode == code
    (words,) = map(json.loads, (tmp_path / "told").read_text().splitlines())
    given = ["--subject=mine:Subject", "--case=openai-chat/*", f"--case={hostile}", "--plan=bytes", "--shard=2/3"]
    assert words == ["check", *given]
    assert (tmp_path / "output").read_text().splitlines() == [
        "artifact=parity-2-of-3",
        *(["document=true"] if code != 4 else []),
    ]
    assert not (tmp_path / "broken").exists()


def test_the_commands_have_the_options_that_it_uses() -> None:
    known = {name for option in check.params for name in option.opts}
    assert {"--subject", "--case", "--plan", "--shard"} <= known
    told = CliRunner().invoke(report, ["summary", "--help"]).output
    assert "--annotations" in told
