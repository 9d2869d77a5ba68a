"""The folder of what was pulled: ``<dialect>/<slug>.body`` and ``.json``, the licences, and ``index.json`` over them.

``index.json`` says which archives it is from and the sha256 of everything; a folder is replaced as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from harness.cache import cache_folder
from harness.exits import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1
"""Of the index, and of the rules by which streams are told and named: a folder of another version is made again."""
INDEX = "index.json"
LICENCES = "_licences"


def default_folder() -> Path:
    """Where a corpus is kept if nobody says where: beside the other things that are fetched once."""
    return cache_folder() / "corpus"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording in the index. ``path`` and ``interaction`` are where in the archive it is, ``bytes`` how many it has."""

    dialect: str
    project: str
    version: str
    path: str
    interaction: int
    licence: str
    wire: str
    fidelity: str
    coding: str
    bytes: int
    sha256: str
    metadata_sha256: str
    """Of the ``.json`` beside the body."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one archive that was read."""

    project: str
    version: str
    file: str
    sha256: str
    licence: str
    licence_path: str
    licence_sha256: str
    left_out: dict[str, int]
    """Why streams in it were left out, and how many for each reason."""
    repeated: int
    """Streams in it that were kept from somewhere else already."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a folder holds: archives by the name of their file, recordings by ``<dialect>/<slug>``."""

    archives: dict[str, Taken] = field(default_factory=dict)
    recordings: dict[str, Entry] = field(default_factory=dict)

    def of(self, file: str) -> Iterator[tuple[str, Entry]]:
        """The recordings from one archive."""
        taken = self.archives[file]
        for name, entry in self.recordings.items():
            if (entry.project, entry.version) == (taken.project, taken.version):
                yield name, entry


def load_index(folder: Path) -> Index | None:
    """The index of a folder; None if there is no folder yet, it is empty, or an older version's.

    Raises:
        InputError: the folder holds something else, or its index is spoilt.
    """
    path = folder / INDEX
    if not path.exists():
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: not a folder; name another with --out")
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"{folder}: not a folder that `corpus pull` made (no {INDEX}); name another with --out")
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["v"] != VERSION:
            return None
        archives = {file: _taken(item) for file, item in data["archives"].items()}
        recordings = {_safe(name): Entry(**item) for name, item in data["recordings"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"spoilt ({type(error).__name__}: {error})"
        raise InputError(f"{path}: {what}; remove {folder} and run `streamparity corpus pull` again") from None
    return Index(archives, recordings)


def _taken(item: dict[str, Any]) -> Taken:
    taken = Taken(**item)
    parts = PurePosixPath(taken.licence_path).parts
    if len(parts) != 3 or parts[0] != LICENCES or ".." in parts:
        raise ValueError(f"{taken.licence_path!r} is not where licences are")
    return taken


def _safe(name: str) -> str:
    if len(PurePosixPath(name).parts) != 2 or ".." in name or name.startswith(("/", "_", ".")):
        raise ValueError(f"{name!r} is no <dialect>/<name>")
    return name


def write_index(folder: Path, index: Index) -> None:
    """Into a folder that nobody sees yet."""
    document: dict[str, Any] = {"v": VERSION}
    document["archives"] = {file: asdict(item) for file, item in sorted(index.archives.items())}
    document["recordings"] = {name: asdict(item) for name, item in sorted(index.recordings.items())}
    (folder / INDEX).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def problems(folder: Path, index: Index) -> dict[str, str]:
    """What is missing, changed, or there without being in the index: file -> what is wrong; none if all is as pulled."""
    wanted = {name: sha256 for file in index.archives for name, sha256 in _files(index, file)}
    found = {}
    for name, sha256 in sorted(wanted.items()):
        try:
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
                found[name] = f"changed: its sha256 is not the one in {INDEX}"
        except FileNotFoundError:
            found[name] = "missing"
        except OSError as error:
            found[name] = f"cannot be read ({error.strerror})"
    there = {path.relative_to(folder).as_posix() for path in folder.glob("*/*") if path.suffix in (".body", ".json")}
    return found | dict.fromkeys(sorted(there - set(wanted)), f"not in {INDEX}: remove it")


def whole_archives(folder: Path, index: Index) -> dict[str, str]:
    """File -> sha256 of each archive of which everything that was pulled is still there, unchanged."""
    wrong = problems(folder, index) if index.archives else {}
    whole = [file for file in index.archives if not any(name in wrong for name, _ in _files(index, file))]
    return {file: index.archives[file].sha256 for file in whole}


def _files(index: Index, file: str) -> Iterator[tuple[str, str]]:
    """Path and sha256 of all that is kept from one archive."""
    yield index.archives[file].licence_path, index.archives[file].licence_sha256
    for name, entry in index.of(file):
        yield f"{name}.body", entry.sha256
        yield f"{name}.json", entry.metadata_sha256


def keep(folder: Path, old: Path, index: Index, file: str, into: Index) -> None:
    """Takes over from ``old`` what an earlier pull had from one archive, but for bodies that ``into`` has already."""
    taken = index.archives[file]
    _copy(old, folder, taken.licence_path)
    known = {entry.sha256 for entry in into.recordings.values()}
    for name, entry in index.of(file):
        if entry.sha256 not in known:
            _copy(old, folder, f"{name}.body")
            _copy(old, folder, f"{name}.json")
            into.recordings[name] = entry
    into.archives[file] = taken


def _copy(old: Path, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(old / name, folder / name)


class Replacement:
    """A new folder beside ``target``, which takes its place if the block says so with :meth:`commit`, else vanishes."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> Replacement:
        parent = self._target.parent
        parent.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(tempfile.mkdtemp(dir=parent, prefix=f".{self._target.name}-"))
        self.folder = self._scratch / "new"
        self.folder.mkdir()
        self.downloads = self._scratch / "downloads"
        self.downloads.mkdir()
        return self

    def commit(self) -> None:
        """Puts the new folder in the place of the old one."""
        old = self._scratch / "old"
        if self._target.exists():
            self._target.replace(old)
        try:
            self.folder.replace(self._target)
        except OSError:
            if old.exists():
                old.replace(self._target)
            raise

    def __exit__(self, *_: object) -> None:
        old = self._scratch / "old"
        if old.exists() and not self._target.exists():  # interrupted between the two renames
            old.replace(self._target)
        shutil.rmtree(self._scratch, ignore_errors=True)
