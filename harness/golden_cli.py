"""``streamparity golden``: making goldens, and comparing them with what the SDKs give today."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import exits

if TYPE_CHECKING:
    from harness.case import Case
    from harness.golden import Change, GoldenStore

_SHOWN_LINES = 40
_FATAL = ("varies", "failed")


@click.group()
def golden() -> None:
    """Make goldens with the TypeScript SDKs, or compare those that are stored.

    Needs Node 20 or newer and `npm ci --ignore-scripts` in golden/oracle.
    """


def _options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option("--case", "globs", multiple=True, metavar="GLOB", help="Only cases whose id matches. Repeatable."),
        click.option(
            "--goldens", type=click.Path(path_type=Path), default=Path("golden"), show_default=True, metavar="DIR"
        ),
        click.option(
            "--cassettes", type=click.Path(path_type=Path), default=Path("cassettes"), show_default=True, metavar="DIR"
        ),
    ):
        command = option(command)
    return command


def _inputs(cassettes: Path, goldens: Path, globs: tuple[str, ...]) -> tuple[list[Case], GoldenStore]:
    from harness.check import NOTHING_HERE, find_cases
    from harness.golden import GoldenStore

    if not cassettes.is_dir():
        raise exits.InputError(NOTHING_HERE.format(folder=cassettes.parent.resolve()))
    cases = find_cases(cassettes, (), globs)
    if not cases:
        raise exits.InputError(f"no case matches {' '.join(globs)}; `streamparity check --list` prints the ids")
    return cases, GoldenStore(goldens)


@golden.command()
@_options
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Fill the cache for a folder of <dialect>/<slug>.body recordings instead. Repeatable.",
)
@click.option("--prune", is_flag=True, help="Also remove goldens that an earlier run made and no case needs any more.")
def make(cassettes: Path, goldens: Path, globs: tuple[str, ...], corpora: tuple[Path, ...], prune: bool) -> None:
    """Run the reference SDKs over the cassettes and store what they give."""
    if prune and (globs or corpora):
        raise click.UsageError("--prune looks at all cassettes: to the others, those not named would be no longer needed")
    if corpora:
        from harness.check import find_cases
        from harness.golden import GoldenCache

        cases = find_cases(None, corpora, globs)
        count = GoldenCache(Path(".streamparity/goldens"), goldens).make(cases)
        click.echo(f"{count} goldens made, the others were in .streamparity/goldens already")
        return
    cases, store = _inputs(cassettes, goldens, globs)
    changes = store.make(cases, prune=prune)
    for change in changes:
        click.echo(_line(change))
    click.echo(f"goldens of {len(cases)} cases: {len(changes)} files changed")
    if any(change.what in _FATAL for change in changes):
        sys.exit(exits.INPUT)


@golden.command()
@_options
def check(cassettes: Path, goldens: Path, globs: tuple[str, ...]) -> None:
    """Make the goldens again and compare; writes nothing. Exit code 4 if a stored golden is stale."""
    cases, store = _inputs(cassettes, goldens, globs)
    changes = store.check(cases, all_cases=not globs)
    for change in changes:
        click.echo(_line(change))
    click.echo(f"goldens of {len(cases)} cases: {len(changes)} differences")
    if changes:
        click.echo("see them: streamparity golden review; accept them: streamparity golden make", err=True)
        sys.exit(exits.INPUT)


@golden.command()
@_options
def review(cassettes: Path, goldens: Path, globs: tuple[str, ...]) -> None:
    """Show, line by line, how stored goldens differ from what the SDKs give now."""
    cases, store = _inputs(cassettes, goldens, globs)
    changes = store.check(cases, all_cases=not globs)
    for change in changes:
        click.secho(_line(change), bold=True)
        lines = list(difflib.unified_diff(change.stored, change.remade, "stored", "now", lineterm="", n=1))
        for line in lines[:_SHOWN_LINES]:
            colour = "green" if line.startswith("+") else "red" if line.startswith("-") else None
            click.secho(f"  {line}", fg=colour)
        if len(lines) > _SHOWN_LINES:
            click.echo(f"  {len(lines) - _SHOWN_LINES} more lines")
    click.echo(f"{len(changes)} differences")


def _line(change: Change) -> str:
    return f"{change.what:8} {change.path}" + (f": {change.detail}" if change.detail else "")
