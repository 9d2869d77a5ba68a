"""Paths on the command line: what all commands understand by one, and what they check before any work is done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.exits import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PATH = click.Path(path_type=Path, readable=False)
"""A path. Who reads it says whether that is possible: what cannot be read is no matter of usage (:mod:`harness.exits`)."""


def outputs(named: Mapping[str, Path | None], inputs: Iterable[Path] = ()) -> None:
    """Refuses what a command is to write before it has worked for it.

    Args:
        named: option -> the file it names; None if it names none.
        inputs: what the command reads.

    Raises:
        click.UsageError: two options name one file, or one of ``inputs``.
        InputError: a file cannot be written where it is to stand.
    """
    read = {path.resolve() for path in inputs}
    taken: dict[Path, str] = {}
    for option, path in named.items():
        if path is None or (path.exists() and not path.is_file() and not path.is_dir()):  # a device or a pipe
            continue
        file = path.resolve()
        if file in read:
            raise click.UsageError(f"{option} {path} is what is read: name another file")
        if file in taken:
            raise click.UsageError(f"{taken[file]} and {option} both name {path}: name two files")
        taken[file] = option
        folder = next(one for one in file.parents if one.exists())
        if file.is_dir() or not folder.is_dir():
            wrong = "it is a folder" if file.is_dir() else f"{folder} is no folder"
            raise InputError(f"{path}: cannot be written: {wrong}; name another file with {option}")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"{path}: cannot be written: no permission to write in {folder}; name another file with {option}")
