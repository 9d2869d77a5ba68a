"""``streamparity report``: what a ``parity.json`` says, for a browser, a pull request, a dashboard, or beside another run."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import exits
from harness.arguments import PATH, outputs
from harness.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT = Path("reports/parity.json")
PAGE = Path("reports/parity.html")
STDOUT = Path("-")
"""As a file, what other programs mean by it."""

_EPILOG = """\b
Exit codes: 0 done; 2 usage; 4 no parity.json, or one that is cut off, edited or of another version; 130 interrupted.
What the run found out does not matter here: `streamparity check` said it."""
_DIFF_EPILOG = """\b
Exit codes, as of diff: 0 the same; 1 something differs (with --new-failures: something fails that did not before);
2 usage; 4 a document that cannot be used; 130 interrupted."""
_MERGE_EPILOG = """\b
Exit codes, as of check: 0 parity; 1 a difference, a stale divergence or a mutant that was not caught; 2 usage;
3 the harness broke, or the run proves nothing; 4 not the shards of one run, or unusable; 130 interrupted."""


class ReportGroup(click.Group):
    """``report [DOCUMENT] [--html F]`` without the name of a command is ``report html``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Names the command that is meant, if none is named."""
        first = args[0] if args else ""
        if first not in self.commands and first not in ctx.help_option_names:
            if first.isidentifier() and not Path(first).exists():
                raise click.UsageError(exits.unknown("command or document", first, self.commands), ctx)
            args = ["html", *args]
        return super().parse_args(ctx, args)


@click.group(name="report", cls=ReportGroup, epilog=_EPILOG)
def report() -> None:
    """Tell what a parity.json says: as a page, a summary, JUnit, CTRF or a badge; hold two against each other; merge shards.

    DOCUMENT is reports/parity.json unless given. Without the name of a command, `report [DOCUMENT] [--html F]` makes the
    page. The same document gives the same bytes, whatever the command, and a file is written all or not at all.
    """


def _document(command: click.decorators.FC) -> click.decorators.FC:
    return click.argument("document", type=PATH, default=DOCUMENT)(command)


def _out(what: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option("--out", "-o", type=PATH, metavar="F", help=f"Where it goes; - is stdout. Default: {what}.")


_BASELINE = click.option(
    "--baseline",
    type=PATH,
    metavar="OLD",
    help="An earlier parity.json: also say what is new, what is fixed, and what still fails.",
)


@report.command(epilog=_EPILOG)
@_document
@click.option(
    "--html", "--out", "-o", "html_path", type=PATH, default=PAGE, show_default=True, metavar="F"
)
@_BASELINE
def html(document: Path, html_path: Path, baseline: Path | None) -> None:
    """Write the page for people: one file that needs no network."""
    from harness.report import render_again

    outputs({"--html": html_path}, [document, *([baseline] if baseline is not None else [])])
    render_again(document, html_path, baseline)
    click.echo(f"wrote {html_path}")


@report.command(epilog=_EPILOG)
@_document
@_out("the end of the file $GITHUB_STEP_SUMMARY where that is set, else stdout")
@click.option(
    "--annotations", is_flag=True, help="Also print an ::error command for each red case, at most 10, on stdout."
)
@_BASELINE
def summary(document: Path, out: Path | None, annotations: bool, baseline: Path | None) -> None:
    """Write the summary of a step of GitHub Actions, in Markdown, and annotations of its cassettes.

    \b
    Examples:
      streamparity report summary --annotations          (in a workflow, after `streamparity check`; `if: always()`)
      streamparity report summary reports/parity.json > summary.md
    """
    from harness.report import load
    from harness.report import summary as markdown
    from harness.report.baseline import compare
    from harness.report.workflow import commands

    _apart("--out", out, document, baseline)
    run = load(document)
    comparison = compare(load(baseline), run) if baseline is not None else None
    step = Path(os.environ["GITHUB_STEP_SUMMARY"]) if out is None and os.environ.get("GITHUB_STEP_SUMMARY") else None
    room = markdown.room_in(step) if step is not None else markdown.LIMIT
    text = markdown.summary(run, comparison, room=room)
    if not text:
        click.echo(f"{step}: no room for another summary ({markdown.LIMIT:,} bytes a step); nothing was added", err=True)
    elif step is not None:
        markdown.append(text, step)
    else:
        _deliver(text, out)
    if annotations:
        for line in commands(run):
            click.echo(line)


@report.command(epilog=_EPILOG)
@_document
@_out("stdout")
def junit(document: Path, out: Path | None) -> None:
    """Write JUnit XML: a suite a dialect, a test a case, with the numbers that show that the run was not vacuous."""
    from harness.report import load
    from harness.report.junit import junit as as_xml

    _apart("--out", out, document)
    _deliver(as_xml(load(document)), out)


@report.command(epilog=_EPILOG)
@_document
@_out("stdout")
def ctrf(document: Path, out: Path | None) -> None:
    """Write CTRF, the common test report format in JSON (https://ctrf.io)."""
    from harness.report import load
    from harness.report.ctrf import ctrf as as_ctrf
    from harness.report.ctrf import dumps

    _apart("--out", out, document)
    _deliver(dumps(as_ctrf(load(document))), out)


@report.command(epilog=_EPILOG)
@_document
@click.option(
    "--json", "json_path", type=PATH, metavar="F", help="Write what shields.io's endpoint reads."
)
@click.option("--svg", "svg_path", type=PATH, metavar="F", help="Write an image that needs nothing.")
@click.option("--label", default="parity", show_default=True, metavar="TEXT", help="The words on the left; may be empty.")
def badge(document: Path, json_path: Path | None, svg_path: Path | None, label: str) -> None:
    """Write a badge with the verdict and the numbers behind it; without --json and --svg, the JSON to stdout."""
    from harness.report import badge as badges
    from harness.report import load

    outputs({"--json": json_path, "--svg": svg_path}, [document])
    shown = badges.badge(load(document), label)
    if json_path is not None or svg_path is None:
        _deliver(_as_text(badges.endpoint(shown)), json_path)
    if svg_path is not None:
        _deliver(badges.svg(shown), svg_path)


@report.command(epilog=_DIFF_EPILOG)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--json", "json_path", type=PATH, metavar="F", help="Also write it all to a file; - is stdout.")
@click.option("--new-failures", is_flag=True, help="Exit 1 only if something fails that did not before.")
def diff(old: Path, new: Path, json_path: Path | None, new_failures: bool) -> None:
    """Say what became of the run OLD in the run NEW: new failures, fixed, still failing, cases that came or went, numbers.

    \b
    Examples:
      streamparity report diff main/parity.json reports/parity.json
      streamparity report diff main/parity.json reports/parity.json --new-failures   (a gate)
    """
    from harness.report import load
    from harness.report.baseline import as_json, compare
    from harness.report.baseline_text import lines_of

    _apart("--json", json_path, old, new)
    comparison = compare(load(old), load(new))
    if json_path is not None:
        _deliver(_as_text(as_json(comparison)), json_path)
    if json_path != STDOUT:
        for line in lines_of(comparison):
            click.echo(line)
    differs = comparison.worse if new_failures else not comparison.same
    sys.exit(exits.DIFFERENCE if differs else exits.PARITY)


@report.command(epilog=_MERGE_EPILOG)
@click.argument("shards", nargs=-1, required=True, type=PATH, metavar="SHARD...")
@click.option(
    "--json", "--out", "-o", "json_path", type=PATH, default=DOCUMENT, show_default=True, metavar="F"
)
@click.option("--html", "html_path", type=PATH, default=PAGE, show_default=True, metavar="F")
@click.option("--cassettes", type=PATH, metavar="DIR", help="As of the shards. Default: ./cassettes.")
@click.option(
    "--goldens", type=PATH, default=Path("golden"), show_default=True, metavar="DIR", help="As of the shards."
)
@click.option("--corpus", "corpora", multiple=True, type=PATH, metavar="DIR", help="As of the shards.")
@click.option("--quiet", "-q", is_flag=True, help="Print the verdict only.")
def merge(
    shards: tuple[Path, ...],
    json_path: Path,
    html_path: Path,
    cassettes: Path | None,
    goldens: Path,
    corpora: tuple[Path, ...],
    quiet: bool,
) -> None:
    """Put the documents of all shards of one run together, as if it had not been divided, and report it.

    The shards are those of `streamparity check --shard K/N` or `pytest --parity --parity-shard K/N`, in any order, of one
    subject. Of streamcore's it is told which divergences nobody needed any more, so --cassettes, --goldens and --corpus
    must lead to what the shards were run on.

    \b
    Example:
      streamparity check --shard 1/2 --json one.json     (on one machine)
      streamparity check --shard 2/2 --json two.json     (on another)
      streamparity report merge one.json two.json
    """
    from harness.check import find_cases
    from harness.divergence import Divergences
    from harness.report import console, load, write_reports
    from harness.report.merge import merge as merged

    outputs({"--json": json_path, "--html": html_path}, shards)
    runs = [load(shard) for shard in shards]
    divergences, known = None, []
    if any(run.subject == "streamcore" for run in runs):
        if not goldens.is_dir():
            raise exits.InputError(f"{goldens}: no such folder; --goldens names that of the shards, with its divergences.yaml")
        known = find_cases(cassettes or (None if corpora else Path("cassettes")), corpora, ())
        divergences = Divergences.load(goldens / "divergences.yaml")
    run = write_reports(merged(runs, divergences, known), json_path, html_path)
    click.echo(console.summarise(run, html_path, quiet=quiet))
    sys.exit(console.exit_code(run))


def _as_text(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


def _apart(option: str, out: Path | None, *read: Path | None) -> None:
    """Before any work: see :func:`harness.arguments.outputs`."""
    outputs({option: None if out == STDOUT else out}, [path for path in read if path is not None])


def _deliver(text: str, out: Path | None) -> None:
    """To the file, all of it or nothing; without one, or to ``-``, to stdout, as UTF-8 whatever the terminal speaks."""
    if out is None or out == STDOUT:
        click.echo(text.encode(), nl=False)
        return
    try:
        write_atomically(out, text)
    except OSError as error:
        raise exits.InputError(f"{out}: cannot be written: {error.strerror or error}") from None
    click.echo(f"wrote {out}", err=True)
