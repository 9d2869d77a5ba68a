"""Every code block of the pages for people runs, or says why it does not."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import tomllib
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import httpx
import pytest
import yaml

from harness import cli
from harness.cassette import load

from .docs_blocks import PAGES, ROOT, Block, blocks, shows, streamparity

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCKS = [block for page in PAGES for block in blocks(page)]
ELSEWHERE = {
    "docs/tutorial.md": "test_docs_tutorial.py",
    "docs/add-an-openai-compatible-server.md": "test_docs_compatible.py",
    "docs/pytest.md": "test_plugin_fixtures.py",
    "docs/write-a-subject.md": "test_process_subject.py",
}
"""Pages whose Python, or whose diffs, another test runs or compares."""
_OPENAI = "docs/add-an-openai-compatible-server.md"
NOT_RUN: dict[tuple[str, str], str] = {
    ("README.md", "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/streamparity check"): "CI does",
    ("README.md", "python3 -m venv .venv-test && .venv-test/bin/pip install -q -e '.[test]' && .venv-test/bin/python -m pytest -q -n auto"): "CI does",
    ("README.md", "pip install streamparity"): "test_init.py does",
    ("README.md", "streamparity check --subject mypackage.parity:Subject"): "it takes a minute; the tutorial does it in seconds",
    ("README.md", "pytest --parity -m parity"): "test_plugin.py does",
    ("README.md", "streamparity check --hazards --subject mypackage.parity:Subject"): "test_hazards_cli.py does",
    ("README.md", "streamparity report summary --annotations"): "test_report_commands_cli.py does",
    ("README.md", "streamparity record --proxy --upstream https://api.openai.com/v1"): "it serves until it is stopped",
    ("README.md", "streamparity replay cassettes/openai-chat/text.yaml --plan bytes"): "it serves until it is stopped",
    ("README.md", "streamparity corpus pull --out corpus"): "it downloads",
    ("README.md", "from harness.recording import recording"): "it asks a live API; test_recording.py does",
    ("README.md", "pip install -e '.[test,dev]'; ruff check .; mypy; pytest"): "CI does",
    (_OPENAI, "streamparity record --dialect crusoe --scenario hello --from https://HOST --key-env CRUSOE_API_KEY \\"): "it asks a live API",
    (_OPENAI, "streamparity golden make --case 'crusoe/*'"): "it needs Node; test_golden.py makes goldens",
    (_OPENAI, "streamparity check --case 'crusoe/*'"): "it runs all mutants; the tutorial does",
    ("docs/drift.md", "streamparity record openai --out new"): "it asks a live API",
    ("docs/drift.md", "the provider   moved: openai-chat: 1 new recording against 35 known (6 local-model, 29 simulator)"): "it is output",
    ("docs/drift.md", "streamparity drift --case 'openai-chat/*' --sdk openai=latest"): "it installs packages from the npm registry",
    ("docs/pytest.md", "pytest --parity"): "test_plugin.py does",
    ("docs/pytest.md", "pytest --parity -k openai-chat --update-golden=changed --update-golden-reason='ai-sdk 5.1 joins text deltas'"): "it needs Node; test_plugin_goldens.py does",
    ("docs/pytest.md", "pytest --parity -m parity --parity-shard=1/3 --parity-json=shard1.json"): "test_plugin.py does",
    ("docs/recording.md", "from harness.recording import recording"): "it asks a live API; test_recording.py does",
    ("docs/recording.md", 'with recording("cassettes/anthropic-messages/greeting.yaml", http=httpx2) as client:'): "it asks a live API; test_recording.py does",
    ("docs/recording.md", "streamparity record --proxy --upstream https://api.openai.com/v1 --out cassettes"): "it serves until it is stopped",
    ("docs/recording.md", "streamparity record openai --dry-run"): "it asks a live API",
    ("docs/recording.md", "streamparity record --import tests/cassettes/test_chat.yaml --dialect openai-chat"): "it is about a file of the reader",
    ("docs/tutorial.md", "pip install streamparity"): "it installs packages",
}
"""Page and first line of every block that is not run, and why."""
UNMARKED = ("README.md", "docs/pytest.md")
"""Pages in which the reason stands only above."""


def scenery(folder: Path) -> dict[str, Any]:
    """What stands for the reader's own project, and the names that a page takes for known."""
    for kind, dialect in product(("cassettes", "golden"), ("openai-chat", "ollama-ndjson")):
        # Links to the files: whatever a command writes, it writes beside them.
        shutil.copytree(ROOT / kind / dialect, folder / kind / dialect, copy_function=os.symlink)
    for name in ("manifest.json", "divergences.yaml"):
        (folder / "golden" / name).symlink_to(ROOT / "golden" / name)
    package = folder / "mypackage"
    package.mkdir()
    for module in ("parity", "stream"):
        (package / f"{module}.py").write_text("from harness.subjects.core import CoreSubject as Subject\n")
    (case,) = load(ROOT / "cassettes/anthropic-messages/text.yaml").cases("anthropic-messages/text")
    return {"__name__": "page", "response": httpx.Response(200, content=case.body), "httpx": httpx}


def test_a_block_that_is_not_run_says_why_and_there_are_no_more_of_them() -> None:
    unrun = {block.key: block.not_run for block in BLOCKS if block.not_run or block.key in NOT_RUN}

    assert unrun.keys() == NOT_RUN.keys()
    assert {key: reason for key, reason in unrun.items() if key[0] not in UNMARKED} == {
        key: reason for key, reason in NOT_RUN.items() if key[0] not in UNMARKED
    }


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/tutorial.md"])
def test_every_block_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = scenery(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        run = RUN[block.language]
        if block.key in NOT_RUN:
            continue
        if page in ELSEWHERE and run in (python, diff):
            assert Path(page).name in (ROOT / "tests/harness" / ELSEWHERE[page]).read_text("utf-8")
            continue
        try:
            run(block, known, monkeypatch)
        except BaseException as error:
            error.add_note(f"{page}:{block.line}")
            raise


def test_every_page_is_in_the_contents_and_every_link_leads_somewhere() -> None:
    """As `mkdocs build --strict` says, which CI runs, but here and now."""
    contents = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    links = 0
    for path in (ROOT / "docs").rglob("*.md"):
        assert f"{path.relative_to(ROOT / 'docs').as_posix()}\n" in contents
        for target, anchor in re.findall(r"\]\(([\w./-]+\.md)(#[^)]*)?\)", path.read_text("utf-8")):
            links += 1
            assert not anchor, f"{path.name}: a link to a heading breaks when the heading is reworded"
            assert (path.parent / target).is_file(), f"{path.name}: {target}"
    assert links > 20


def test_the_commands_that_are_not_run_have_the_options_that_they_use() -> None:
    cli._mount()
    seen = 0
    for block in BLOCKS:
        if block.key in NOT_RUN and block.language == "python":
            compile(block.text, f"{block.page}:{block.line}", "exec")
        if block.key in NOT_RUN and block.language in ("", "sh", "console"):
            for words, _ in block.commands:
                if words[0] == "streamparity":
                    parsed(words[1:], f"{block.page}:{block.line}")
                    seen += 1
    assert seen > 5


def parsed(words: list[str], where: str) -> None:
    """Reads the words as the command would, and runs nothing."""
    command: click.Command = cli.cli
    context = click.Context(command)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        if isinstance(found, click.Group) and (not words or words[0].startswith("-")):
            break
        command, context = found, click.Context(found, info_name=name, parent=context)
    try:
        command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        error.message = f"{where}: {error.message}"
        raise


def python(block: Block, known: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    """A page is one program: what a block defines, the next one knows."""
    exec(compile(block.text, f"{ROOT / block.page}:{block.line}", "exec"), known)  # noqa: S102 - our own pages


def commands(block: Block, known: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    for words, shown in block.commands:
        assert words[0] == "streamparity", f"only streamparity is run here, not {words[0]}"
        code, output = streamparity(words, patch)
        assert code == block.exit, output
        assert not shows(output, shown), output


def diff(block: Block, known: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    raise AssertionError("a diff is for a test of its own")


def setting(block: Block, known: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    """Settings of pytest: each one is an option of the plugin."""
    options = (ROOT / "harness/pytest_plugin/options.py").read_text("utf-8")
    if block.language == "toml":
        table = tomllib.loads(block.text)["tool"]["pytest"]["ini_options"]
    else:
        ini = configparser.ConfigParser()
        ini.read_string(block.text)
        table = dict(ini["pytest"])
    assert table
    assert all(f'addini("{name}"' in options for name in table)


def workflow(block: Block, known: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    """Steps of GitHub: what is given to the action, it takes."""
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    steps = yaml.safe_load(block.text)["jobs"]["parity"]["steps"]
    given = [step.get("with", {}) for step in steps if re.match(r"OWNER/streamparity@", step.get("uses", ""))]
    assert given
    assert all(set(one) <= set(inputs) for one in given)


def divergence(block: Block, known: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    """Entries of divergences.yaml."""
    from harness.divergence import Divergences

    Path("entries.yaml").write_text(block.text)
    assert Divergences.load(Path("entries.yaml")).entries


def yaml_block(block: Block, known: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    (workflow if "jobs:" in block.text else divergence)(block, known, patch)


RUN: dict[str, Callable[[Block, dict[str, Any], pytest.MonkeyPatch], None]] = {
    "python": python,
    "sh": commands,
    "console": commands,
    "": commands,
    "diff": diff,
    "toml": setting,
    "ini": setting,
    "yaml": yaml_block,
}
