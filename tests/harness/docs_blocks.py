"""The code blocks of the pages for people, and what it takes to run them."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from harness import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")))
_MARK = re.compile(r"<!-- (not run|exit): (.*?) -->\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of code."""

    page: str
    line: int
    """1-based, of its first line of code."""
    language: str
    """Empty for an indented block."""
    title: str
    """Name of the file that it shows or changes; empty if it names none."""
    text: str
    not_run: str
    """Why it is not run; empty if it is."""
    exit: int

    @property
    def is_shell(self) -> bool:
        """Whether it holds commands."""
        return self.language in ("", "sh", "console")

    @property
    def commands(self) -> list[tuple[list[str], list[str]]]:
        """The words of each command, and the output that is shown below it."""
        shown: list[tuple[str, list[str]]] = []
        for line in self.text.replace("\\\n", " ").splitlines():
            if self.language != "console":
                shown.append((line, []))
            elif line.startswith("$ "):
                shown.append((line[2:], []))
            else:
                shown[-1][1].append(line)
        return [(words, output) for line, output in shown if (words := shlex.split(line, comments=True))]


def blocks(page: str) -> Iterator[Block]:
    """All of a page, in order."""
    mark = ""
    for token in MarkdownIt("commonmark").parse((ROOT / page).read_text("utf-8")):
        if token.type == "html_block":
            mark = token.content
        elif token.type in ("fence", "code_block"):
            assert token.map is not None
            language, _, rest = token.info.partition(" ")
            title = re.search(r'title="([^"]+)"', rest)
            known = dict([found.groups()] if (found := _MARK.search(mark)) else [])
            yield Block(
                page=page,
                line=token.map[0] + (2 if token.type == "fence" else 1),
                language=language,
                title=title[1] if title else "",
                text=token.content,
                not_run=" ".join(known.get("not run", "").split()),
                exit=int(known.get("exit", "0")),
            )
            mark = ""
        elif token.nesting >= 0 and token.type != "inline":
            mark = ""


def write_or_change(block: Block, folder: Path) -> None:
    """Puts the file that a block shows into ``folder``, or changes it as a diff says."""
    path = folder / block.title
    if block.language != "diff":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
        return
    text = path.read_text("utf-8")
    for hunk in block.text.split("@@\n"):
        lines = hunk.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        assert text.count(old) == 1, f"{block.page}:{block.line}: {text.count(old)} places of {block.title} are\n{old}"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def streamparity(words: list[str], patch: pytest.MonkeyPatch, raw: io.BytesIO | None = None) -> tuple[int, str]:
    """Exit code and stdout of the command, run in this process in the current folder; ``raw`` has stdout while it runs."""
    patch.setattr(sys, "argv", words)
    patch.syspath_prepend(str(Path.cwd()))  # which the command does itself, for good
    patch.setattr(sys, "dont_write_bytecode", True)
    here = {path.stem for path in Path.cwd().glob("*.py")} | {path.parent.name for path in Path.cwd().glob("*/*.py")}
    for name in [name for name in sys.modules if name.partition(".")[0] in here]:
        del sys.modules[name]  # it may have been changed since, or be another test's
    importlib.invalidate_caches()
    raw, errors, code = raw or io.BytesIO(), io.StringIO(), 0
    output = io.TextIOWrapper(raw, "utf-8", write_through=True)  # some commands write bytes
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, raw.getvalue().decode() + (errors.getvalue() if code > 1 else "")


def shows(output: str, shown: list[str]) -> str:
    """The first line of ``shown`` that ``output`` does not have, or not in this order; empty if it has all.

    A line may be shown without its end, and ``...`` stands for any lines.
    """
    rest = iter(output.splitlines())
    for line in shown:
        if line.strip() not in ("", "...") and not any(one.strip().startswith(line.strip()) for one in rest):
            return line
    return ""
