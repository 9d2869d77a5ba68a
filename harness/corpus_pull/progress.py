"""How a pull goes, on stderr: a bar on a terminal, else a plain line an archive."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

from harness.corpus_pull.pull import Telling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from harness.corpus_pull.archives import Archive


@contextlib.contextmanager
def telling(total: int, *, quiet: bool, stream: TextIO | None = None) -> Iterator[Telling]:
    """Whom to tell of ``total`` archives; nobody, if ``quiet``. ``stream`` is stderr unless given."""
    stream = sys.stderr if stream is None else stream
    if quiet:
        yield Telling()
    elif stream.isatty() and "NO_COLOR" not in os.environ:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=Console(file=stream), transient=True) as progress:
            yield _Bar(progress, total)
    else:
        yield _Lines(stream)


class _Bar(Telling):
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._number = progress, total, 0
        self._task: TaskID | None = None

    def archive(self, archive: Archive) -> None:
        self._number += 1
        if self._task is not None:
            self._progress.remove_task(self._task)
        text = f"{self._number}/{self._total} {archive.project} {archive.version}"
        self._task = self._progress.add_task(text, total=None)

    def bytes(self, done: int, total: int | None) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total)

    def ended(self, archive: Archive, taken: int, failure: str) -> None:
        self._progress.console.print(_line(archive, taken, failure), highlight=False, markup=False)


class _Lines(Telling):
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def ended(self, archive: Archive, taken: int, failure: str) -> None:
        self._stream.write(_line(archive, taken, failure) + "\n")
        self._stream.flush()


def _line(archive: Archive, taken: int, failure: str) -> str:
    return f"{archive.project} {archive.version}: {'failed' if failure else f'{taken} recordings'}"
