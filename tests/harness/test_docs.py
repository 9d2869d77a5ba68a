"""Every code block of the pages for people runs; what cannot, because it installs packages, is in one short list."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .docs_blocks import PAGES, ROOT, Block, blocks, shows, streamparity
from .docs_commands import installs, parsed, served, serves
from .docs_providers import online, visit
from .docs_scenes import beforehand, planted, stage

BLOCKS = [block for page in PAGES for block in blocks(page)]
ELSEWHERE = {
    "docs/tutorial.md": "test_docs_tutorial.py",
    "docs/add-an-openai-compatible-server.md": "test_docs_compatible.py",
    "docs/pytest.md": "test_plugin_fixtures.py",
    "docs/write-a-subject.md": "test_process_subject.py",
}
"""Pages whose Python, or whose diffs, another test runs or compares; all of the tutorial."""
INSTALLS = "it installs packages"
NOT_RUN = {
    ("README.md", "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/streamparity check"): "CI runs it",
    (
        "README.md",
        "python3 -m venv .venv-test && .venv-test/bin/pip install -q -e .[test] && .venv-test/bin/python -m pytest -q -n auto",
    ): "CI runs it",
    ("README.md", "pip install streamparity"): INSTALLS,
    ("README.md", "pip install -e .[test,dev]; ruff check .; mypy; pytest"): "CI does the same, step by step",
    ("docs/tutorial.md", "pip install streamparity"): INSTALLS,
}
"""Page and command of all that is not run here, and why. What they say is looked at below."""


def test_a_command_that_is_not_run_stands_in_the_list_and_on_its_page() -> None:
    found = {
        (block.page, " ".join(words)): block.not_run
        for block in BLOCKS
        if block.is_shell
        for words, _ in block.commands
    }

    assert NOT_RUN.keys() <= found.keys()
    assert {key: why for key, why in found.items() if why} == {
        key: why for key, why in NOT_RUN.items() if key[0] != "README.md"
    }, "the README has no marks, other pages do"
    assert all("pip install " in command for _, command in NOT_RUN)
    assert len(NOT_RUN) == 5, "take out of the list what runs; nothing comes into it"


def test_what_is_not_run_installs_what_there_is_and_is_what_ci_does() -> None:
    """CI takes the commands that begin the README out of it, and does the third step by step."""
    script = (ROOT / ".ci/run").read_text("utf-8")
    cuts = [
        line.partition(" >")[0] for line in script.splitlines() if line.startswith("sed -n ") and "README.md" in line
    ]
    cut = [subprocess.run(["bash", "-c", one], cwd=ROOT, capture_output=True, text=True, check=True) for one in cuts]
    opening = [block.text for block in blocks("README.md") if block.language == "sh"][:2]
    assert sorted(one.stdout for one in cut) == sorted(opening)
    installing = 0
    for _, command in NOT_RUN:
        if command in {" ".join(shlex.split(text)) for text in opening}:
            continue
        install, *steps = command.split("; ")
        installs(install.split())
        installing += 1
        assert all(f'"$python" -m {step}' in script for step in steps)
    assert installing == 3


POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@POSIX
@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/tutorial.md"])
def test_every_block_runs(
    page: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, plugin_imported: None
) -> None:
    run(page, pytester, monkeypatch, real_oracle=False)


@pytest.mark.node
@pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "golden/oracle/node_modules").is_dir(),
    reason="needs Node and `npm ci` in golden/oracle",
)
@pytest.mark.parametrize("page", ["docs/add-an-openai-compatible-server.md", "docs/pytest.md"])
def test_every_block_runs_with_node(
    page: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, plugin_imported: None
) -> None:
    """The pages that make goldens, with the oracle itself."""
    run(page, pytester, monkeypatch, real_oracle=True)


def test_every_command_in_a_sentence_has_the_options_that_it_uses() -> None:
    seen = 0
    for page in PAGES:
        prose = re.sub(r"^( {4}|```).*$", "", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE)
        for command in re.findall(r"`(streamparity [^`]+)`", prose):
            parsed(shlex.split(command)[1:], f"{page}: {command}")
            seen += 1
        for command in re.findall(r"`(pip install [^`;]+)", prose):
            installs(shlex.split(command))
            seen += 1
    assert seen > 30


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


# --- how each kind of block is run ---


@dataclass(frozen=True)
class Here:
    """Where a page is run: what its blocks know, and what undoes all of it."""

    known: dict[str, Any]
    patch: pytest.MonkeyPatch
    pytester: pytest.Pytester


def run(page: str, pytester: pytest.Pytester, patch: pytest.MonkeyPatch, *, real_oracle: bool) -> None:
    """Runs a page from top to bottom, as one program in one folder. Each block ends as it says, and shows what it shows."""
    here = Here(stage(page, pytester.path, patch, real_oracle=real_oracle), patch, pytester)
    for block in blocks(page):
        runs = RUN[block.language]
        try:
            if page in ELSEWHERE and runs in (python, diff):
                assert Path(page).name in (ROOT / "tests/harness" / ELSEWHERE[page]).read_text("utf-8")
            else:
                runs(block, here)
        except BaseException as error:
            error.add_note(f"{page}:{block.line}")
            raise


def python(block: Block, here: Here) -> None:
    """A page is one program: what a block defines, the next one knows."""
    program = compile(block.text, f"{ROOT / block.page}:{block.line}", "exec")
    records = "recording(" in block.text
    with online() if records else nullcontext() as asked:
        exec(program, here.known)  # noqa: S102 - our own pages
    assert asked or not records, "it asked nobody"


def commands(block: Block, here: Here) -> None:
    for words, shown in block.commands:
        if (block.page, " ".join(words)) in NOT_RUN:
            continue
        beforehand(words)
        if words[0] == "pytest":
            result = here.pytester.runpytest_inprocess("-p", "harness.plugin", *words[1:])
            code, output = int(result.ret), result.stdout.str()
            assert result.parseoutcomes().get("passed"), output
        else:
            assert words[0] == "streamparity", f"{words[0]} is not run here"
            with online() if words[1] == "record" else nullcontext():
                if serves(words):
                    code, output = served(words, here.patch, visit(words))
                else:
                    code, output = streamparity(words, here.patch)
        assert code == block.exit, f"{' '.join(words)}: exit code {code}\n{output}"
        assert not shows(output, shown), f"{' '.join(words)}\n{output}"


def diff(block: Block, here: Here) -> None:
    raise AssertionError("a diff is for a test of its own")


def output(block: Block, here: Here) -> None:
    """What the command of the block before shows when it has something to say."""
    with pytest.MonkeyPatch.context() as patch:
        planted(patch)
        code, said = streamparity(["streamparity", "drift", "--new", "new"], patch)
    assert code == 1, said
    figures = re.compile(r"\b\d+(?= (?:known|local-model|simulator|recordings))")  # which grow with every recording
    assert figures.sub("N", block.text) in figures.sub("N", said), said


def setting(block: Block, here: Here) -> None:
    """Settings of pytest: each one is an option of the plugin, and the page goes on with them."""
    options = (ROOT / "harness/pytest_plugin/options.py").read_text("utf-8")
    if block.language == "toml":
        table = tomllib.loads(block.text)["tool"]["pytest"]["ini_options"]
    else:
        ini = configparser.ConfigParser()
        ini.read_string(block.text)
        table = dict(ini["pytest"])
    assert table
    assert all(f'addini("{name}"' in options for name in table)
    Path("pyproject.toml" if block.language == "toml" else "pytest.ini").write_text(block.text)


def workflow(block: Block, here: Here) -> None:
    """Steps of GitHub: what is given to the action, it takes."""
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    steps = yaml.safe_load(block.text)["jobs"]["parity"]["steps"]
    given = [step.get("with", {}) for step in steps if re.match(r"OWNER/streamparity@", step.get("uses", ""))]
    assert given
    assert all(set(one) <= set(inputs) for one in given)


def divergence(block: Block, here: Here) -> None:
    """Entries of divergences.yaml."""
    from harness.divergence import Divergences

    Path("entries.yaml").write_text(block.text)
    assert Divergences.load(Path("entries.yaml")).entries


def yaml_block(block: Block, here: Here) -> None:
    (workflow if "jobs:" in block.text else divergence)(block, here)


RUN: dict[str, Callable[[Block, Here], None]] = {
    "python": python,
    "sh": commands,
    "console": commands,
    "": commands,
    "diff": diff,
    "text": output,
    "toml": setting,
    "ini": setting,
    "yaml": yaml_block,
}
