"""How the pages' commands are run: in this process, in the current folder, each as its kind wants it."""

from __future__ import annotations

import io
import re
import signal
import threading
import time
import tomllib
from typing import TYPE_CHECKING

import click
from packaging.requirements import Requirement

from harness import cli

from .docs_blocks import ROOT, streamparity

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Visit = Callable[[str], None]

_ADDRESS = re.compile(rb"\A(http://\S+)\n")


def serves(words: list[str]) -> bool:
    """Whether the command goes on until somebody stops it."""
    return words[1:2] == ["replay"] or (words[1:2] == ["record"] and "--proxy" in words)


def served(words: list[str], patch: pytest.MonkeyPatch, visit: Visit) -> tuple[int, str]:
    """Exit code and stdout of a command that serves: ``visit`` gets the address that it prints, then comes Ctrl-C."""
    raw, ended, alive = io.BytesIO(), threading.Event(), threading.Lock()
    went_wrong: list[BaseException] = []
    main = threading.get_ident()

    def visitor() -> None:
        while not (found := _ADDRESS.match(raw.getvalue())):
            if ended.wait(0.005):
                return
        try:
            visit(found[1].decode())
        except BaseException as error:  # noqa: BLE001 - it is raised again, by the test
            went_wrong.append(error)
        with alive:
            if not ended.is_set():
                signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=visitor)
    thread.start()
    try:
        code, output = streamparity(words, patch, raw)
    finally:
        with alive:
            ended.set()
        thread.join()
    if went_wrong:
        raise went_wrong[0]
    assert _ADDRESS.match(raw.getvalue()), f"{words}: prints no address: {output}"
    return code, output


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def installs(words: list[str]) -> None:
    """A ``pip install`` installs this package, with extras that it has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert words[:2] == ["pip", "install"], words
    wanted = [word for word in words[2:] if not word.startswith("-")]
    assert wanted, words
    for word in wanted:
        asked = Requirement(re.sub(r"^\.(?=\[|$)", project["name"], word))
        assert (asked.name, asked.extras - set(project["optional-dependencies"])) == (project["name"], set()), word


def parsed(words: list[str], where: str) -> None:
    """Reads the words as the command would, and runs nothing."""
    cli._mount()
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
