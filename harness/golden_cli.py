"""``streamparity golden``: making goldens, and comparing them with what the SDKs give today."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import exits
from harness.arguments import PATH

if TYPE_CHECKING:
    from harness.case import Case
    from harness.golden import Change, GoldenStore

_SHOWN_LINES = 40
_FATAL = ("varies", "failed")


_EPILOG = """\b
Exit codes: 0 done, and as stored; 2 usage; 4 a stored golden is stale, a reference failed or gave two things for one body,
or there are no recordings, no checkout, no Node or no SDKs to make goldens with; 130 interrupted."""


@click.group(epilog=_EPILOG)
def golden() -> None:
    """Make goldens with the TypeScript SDKs, or compare those that are stored.

    Needs a checkout with Node 20 or newer and `npm ci --ignore-scripts` run in golden/oracle.
    """


def _options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option("--case", "globs", multiple=True, metavar="GLOB", help="Only cases whose id matches. Repeatable."),
        click.option(
            "--goldens", type=PATH, default=Path("golden"), show_default=True, metavar="DIR", help="Folder of goldens."
        ),
        click.option(
            "--cassettes", type=PATH, default=Path("cassettes"), show_default=True, metavar="DIR", help="Folder of cassettes."
        ),
    ):
        command = option(command)
    return command


def _inputs(cassettes: Path, goldens: Path, globs: tuple[str, ...]) -> tuple[list[Case], GoldenStore]:
    from harness.check import NOTHING_HERE, find_cases
    from harness.golden import GoldenStore

    cases = find_cases(cassettes, (), globs) if cassettes.is_dir() else []
    if not cases and not globs:
        raise exits.InputError(NOTHING_HERE.format(folder=cassettes.absolute()))
    if not cases:
        raise exits.InputError(f"no case matches {' '.join(globs)}; `streamparity check --list` prints the ids")
    return cases, GoldenStore(goldens)


@golden.command(epilog=_EPILOG)
@_options
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=PATH,
    metavar="DIR",
    help="Fill the cache for a folder of <dialect>/<slug>.body recordings instead. Repeatable.",
)
@click.option("--prune", is_flag=True, help="Also remove goldens that an earlier run made and no case needs any more.")
def make(cassettes: Path, goldens: Path, globs: tuple[str, ...], corpora: tuple[Path, ...], prune: bool) -> None:
    """Run the reference SDKs over the cassettes and store what they give.

    \b
    Examples:
      streamparity golden make --case 'openai-chat/*'
      streamparity golden make --prune
      streamparity golden make --corpus corpus
    """
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


@golden.command(epilog=_EPILOG)
@_options
def check(cassettes: Path, goldens: Path, globs: tuple[str, ...]) -> None:
    """Make the goldens again and compare; writes nothing.

    \b
    Examples:
      streamparity golden check
      streamparity golden check --case openai-chat/text
    """
    cases, store = _inputs(cassettes, goldens, globs)
    changes = store.check(cases, all_cases=not globs)
    for change in changes:
        click.echo(_line(change))
    click.echo(f"goldens of {len(cases)} cases: {len(changes)} differences")
    if changes:
        click.echo("see them: streamparity golden review; accept them: streamparity golden make", err=True)
        sys.exit(exits.INPUT)


@golden.command(epilog=_EPILOG)
@_options
def review(cassettes: Path, goldens: Path, globs: tuple[str, ...]) -> None:
    """Show, line by line, how stored goldens differ from what the SDKs give now.

    \b
    Example:
      streamparity golden review --case 'anthropic-messages/*'
    """
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
