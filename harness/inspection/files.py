"""Which cassettes are meant by the paths that someone wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassette import NOT_CASSETTES
from harness.exits import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ENDINGS = (".yaml", ".yml")


def cassette_files(paths: Sequence[Path]) -> list[Path]:
    """Files as they are, folders searched to the bottom, in the order of paths, each once.

    Raises:
        InputError: a path is not there, or a folder has no cassette in it.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if _is_cassette(file, path))
            if not inside:
                raise InputError(f"{path}: no cassettes (*.yaml) in it; make some with `streamparity record`")
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise InputError(f"{path}: not there; name a cassette or a folder of them")
    return list(found)


def _is_cassette(file: Path, root: Path) -> bool:
    return file.suffix in _ENDINGS and NOT_CASSETTES not in file.relative_to(root).parts[:-1] and file.is_file()
