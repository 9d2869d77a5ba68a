"""The pinned archives: the table in ``archives.yaml``, and safe reading of the files in one."""

from __future__ import annotations

import functools
import hashlib
import re
import tarfile
import zlib
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from harness.exits import InputError
from harness.package_index import Pin
from harness.yaml_lines import YamlError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = ("vcrpy", "langchain")
"""How an archive keeps its recordings: as vcrpy's cassettes (YAML or JSON), or as those of langchain's tests (YAML, gzipped,
requests apart from responses)."""
MAX_MEMBERS = 100_000
MAX_MEMBER_BYTES = 64 * 1024 * 1024
"""As large as a cassette may be, here and everywhere; also what a gzipped member may unfold into."""
MAX_ARCHIVE_BYTES = 1024 * 1024 * 1024
"""Unpacked; the largest archive that is pinned has 70 MB. A small one can be made to unfold into a huge one."""


class ArchiveError(Exception):
    """An archive that cannot be read; one line that says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place in an archive where recordings are: a glob below the archive's top folder, and of which kind they are."""

    glob: str
    kind: str


@dataclass(frozen=True, slots=True)
class Archive:
    """One pinned archive. ``licence`` is an SPDX expression; ``licence_file`` lies below the archive's top folder."""

    project: str
    version: str
    file: str
    sha256: str
    licence: str
    licence_file: str
    sources: tuple[Source, ...]

    @property
    def pin(self) -> Pin:
        """What is to be fetched."""
        return Pin(self.project, self.file, self.sha256)


def pinned_archives() -> tuple[Archive, ...]:
    """All archives of the table that comes with this package, in its order."""
    return table(resources.files("harness.corpus_pull").joinpath("archives.yaml").read_bytes(), "archives.yaml")


def table(data: bytes, name: str) -> tuple[Archive, ...]:
    """The archives of a table in YAML.

    Raises:
        InputError: it is no such table.
    """
    try:
        return tuple(_archive(row) for row in parse(data).value)
    except YamlError as error:
        raise InputError(error.at(name)) from None
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"{name}: no table of pinned archives ({type(error).__name__}: {error})") from None


def _archive(row: dict[str, Any]) -> Archive:
    sources = tuple(Source(**source) for source in row["recordings"])
    archive = Archive(sources=sources, **{key: value for key, value in row.items() if key != "recordings"})
    if not isinstance(archive.version, str):
        raise TypeError(f"{archive.project}: put the version in quotes, 1.10 is another number than you think")
    if not re.fullmatch("[0-9a-f]{64}", archive.sha256) or "/" in archive.file or not sources:
        raise ValueError(f"{archive.project} needs a sha256, the name of a file, and places of recordings")
    if unknown := {source.kind for source in sources} - set(KINDS):
        raise ValueError(f"{archive.project}: unknown kind {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    return archive


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its path below the top folder, its bytes, and the place of recordings that it belongs to."""

    path: str
    data: bytes
    source: Source | None


def members(path: Path, archive: Archive) -> Iterator[Member]:
    """The licence and the files of recordings in the archive at ``path``, in the archive's order; nothing is unpacked.

    Regular files alone are read, so that no link and no device of an archive is ever followed, and under limits.

    Raises:
        ArchiveError: it is no archive, passes a limit, or is damaged.
    """
    total = 0
    try:
        with tarfile.open(path, "r:gz") as tar:
            for number, info in enumerate(tar):
                total += info.size
                if number >= MAX_MEMBERS or total > MAX_ARCHIVE_BYTES:
                    raise ArchiveError(f"{archive.file}: larger than any archive of recordings: not read any further")
                member = _wanted(info, archive)
                if member is None or not info.isreg():
                    continue
                if info.size > MAX_MEMBER_BYTES:
                    raise ArchiveError(f"{archive.file}: {member[0]} has more than {MAX_MEMBER_BYTES} bytes")
                file = tar.extractfile(info)
                data = file.read() if file is not None else b""
                yield Member(member[0], _unzipped(data, member[0], archive), member[1])
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ArchiveError(f"{archive.file}: no source archive that can be read ({error})") from None


def _wanted(info: tarfile.TarInfo, archive: Archive) -> tuple[str, Source | None] | None:
    path = "/".join(PurePosixPath(info.name).parts[1:])  # the top folder is called after the version
    if path == archive.licence_file:
        return path, None
    source = next((source for source in archive.sources if _pattern(source.glob).fullmatch(path)), None)
    return (path, source) if source else None


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    """``**/`` is any number of folders, ``*`` anything but a slash; Python 3.13 could do this itself."""
    return re.compile(re.escape(glob).replace(r"\*\*/", "(?:.+/)?").replace(r"\*", "[^/]*"))


def _unzipped(data: bytes, path: str, archive: Archive) -> bytes:
    if not path.endswith(".gz"):
        return data
    unzip = zlib.decompressobj(31)
    data = unzip.decompress(data, MAX_MEMBER_BYTES)
    if unzip.unconsumed_tail or not unzip.eof:
        raise ArchiveError(f"{archive.file}: {path} is cut, or unfolds into more than {MAX_MEMBER_BYTES} bytes")
    return data


def digest_of(archives: tuple[Archive, ...]) -> str:
    """A digest that changes with anything in the table."""
    return hashlib.sha256(repr(archives).encode()).hexdigest()
