"""``streamparity record --proxy`` and ``--import``: recordings that other programs make."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cassette import Cassette, CassetteError, save
from harness.exits import USAGE
from harness.record.addresses import dialect_of
from harness.record.keeping import Kept, credentials
from harness.record.proxy import Proxy
from harness.record.redaction import shown_address
from harness.record.vcr_import import from_vcr
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from harness.record.transport import Recording

FORCE = "pass --force to replace it"


class CassetteFolder:
    """Writes one cassette an exchange: ``<out>/<dialect>/<scenario>.yaml``, then ``-2``, ``-3``; or named by the time.

    ``dialect``: take every POST for this one, instead of telling by its address. A name that is taken is passed over,
    unless ``force`` says to replace what another run has written.
    """

    def __init__(
        self, out: Path, *, dialect: str | None = None, scenario: str | None = None, force: bool = False
    ) -> None:
        Kept(dialect or "openai-chat", scenario or "x")  # wrong names are said before anything is recorded
        self._out, self._dialect, self._scenario, self._force = out, dialect, scenario, force
        self._written: set[Path] = set()
        if scenario and dialect and not force and (out / dialect / f"{scenario}.yaml").exists():
            raise CassetteError(str(out / dialect / f"{scenario}.yaml"), "", "exists already", FORCE)

    @property
    def count(self) -> int:
        """How many cassettes were written."""
        return len(self._written)

    def add(self, recording: Recording) -> None:
        """Write an exchange, and say so on stdout; on stderr, why one is not written."""
        name = f"{recording.method} {shown_address(recording.url, credentials(recording))}"
        dialect = (self._dialect or dialect_of(recording.url)) if recording.method == "POST" else None
        if dialect is None:
            hint = (
                ""
                if recording.method != "POST"
                else ": its path is no API's that is known here; say which with --dialect"
            )
            click.echo(f"passed {name}  ({recording.status}, not recorded{hint})", err=True)
            return
        try:
            path = self._free(dialect, self._scenario or recording.at.strftime("%Y%m%dt%H%M%Sz"))
            kept = Kept(dialect, path.stem)
            kept.add(recording)
            cassette = kept.cassette()
            save(cassette, path, overwrite=True)
        except (RecordError, CassetteError) as error:
            click.echo(f"{name}: not recorded: {error}", err=True)
            return
        self._written.add(path)
        click.echo(f"wrote  {path}  ({figures(cassette)})")

    def _free(self, dialect: str, name: str) -> Path:
        number = 1
        while True:
            path = self._out / dialect / (f"{name}-{number}.yaml" if number > 1 else f"{name}.yaml")
            if path not in self._written and (self._force or not path.exists()):
                return path
            number += 1


def run_proxy(
    upstream: str | None,
    out: Path,
    *,
    port: int = 0,
    dialect: str | None = None,
    scenario: str | None = None,
    force: bool = False,
    keep_encoding: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM; the base URL to use goes to stdout.

    Raises:
        RecordError: the address or a name is wrong, or the port is taken.
        CassetteError: the cassette exists, and ``force`` is false.
    """
    if upstream is None:
        raise RecordError("--proxy: which API? Pass --upstream https://api.openai.com/v1", exit_code=USAGE)
    folder = CassetteFolder(out, dialect=dialect, scenario=scenario, force=force)
    try:
        proxy = Proxy(
            upstream, folder.add, port=port, identity=not keep_encoding, say=lambda line: click.echo(line, err=True)
        )
        asyncio.run(_serve(proxy, upstream))
    except ValueError as error:
        raise RecordError(f"--upstream: {error}", exit_code=USAGE) from error
    except OSError as error:
        raise RecordError(f"--port {port}: {error.strerror}", exit_code=USAGE) from error
    left = f"; {proxy.unfinished} under way, not recorded" if proxy.unfinished else ""
    click.echo(f"stopped: {folder.count} recorded{left}", err=True)


async def _serve(proxy: Proxy, upstream: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C is a KeyboardInterrupt there
            loop.add_signal_handler(number, stop.set)
    async with proxy:
        click.echo(proxy.address)
        click.echo(f"recording {upstream}: set a client's base URL to the address above; Ctrl-C ends", err=True)
        await stop.wait()


def import_vcr(file: Path, out: Path, *, dialect: str | None, scenario: str | None, force: bool = False) -> None:
    """Make a cassette of one that vcrpy has recorded, and say so on stdout (RecordError, CassetteError)."""
    if dialect is None:
        raise RecordError(f"--import {file}: whose streams are they? Pass --dialect", exit_code=USAGE)
    cassette = from_vcr(file, dialect, scenario)
    path = out / dialect / f"{cassette.recorded.scenario}.yaml"
    if path.exists() and not force:
        raise CassetteError(str(path), "", "exists already", FORCE)
    save(cassette, path, overwrite=True)
    click.echo(f"wrote  {path}  ({figures(cassette)})")


def figures(cassette: Cassette) -> str:
    """``3185 bytes, 10 chunks, complete``; a status that is not 200, and how many there are of several."""
    first = cassette.interactions[0]
    chunks = len(first.stream.chunks)
    words = [f"{len(first.body)} bytes", f"{chunks} chunks" if chunks or not first.body else "chunks unknown"]
    words += [first.stream.end] + ([f"status {first.status}"] if first.status != 200 else [])
    more = len(cassette.interactions) - 1
    return ", ".join(words + ([f"and {more} more"] if more else []))
