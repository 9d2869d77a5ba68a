"""The command line. Data goes to stdout, progress to stderr; exit codes are in ``harness.exits``."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import ClassVar, NoReturn

import click

from harness import exits
from harness.arguments import PATH, outputs
from harness.exits import InputError

EPILOG = """\b
Exit codes: 0 parity; 1 a difference, a stale divergence or a mutant that was not caught; 2 usage;
3 the harness broke, or the run proves nothing; 4 missing, unreadable or stale input; 130 interrupted."""


class _Commands(click.Group):
    """The commands; those of ``LATE`` are imported when they are asked for, as what they import takes its time."""

    LATE: ClassVar = {"report": "harness.report.cli"}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.LATE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.LATE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(self.LATE[cmd_name]), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command. Click would end one whose reader has gone with 1, which is a difference."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            with contextlib.suppress(OSError, ValueError):  # or the interpreter complains at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(exits.NOBODY_READS)


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="streamparity", prog_name="streamparity")
def cli() -> None:
    """Prove that LLM streaming code gives the same result however the bytes are cut.

    Recorded provider streams are replayed through the code under test, cut at every byte boundary, and the outcome is
    compared, character for character, with what the TypeScript SDKs make of the same bytes.
    """


@cli.command(epilog=EPILOG)
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    metavar="S",
    help="streamcore (default), package.module:attribute, 'process:COMMAND' (any language; docs/write-a-subject.md), "
    "http:package.module:callable (an HTTP client), reference (the AI SDK), or mutant:NAME; repeatable.",
)
@click.option(
    "--plan",
    "plan_names",
    metavar="P",
    help="smoke, standard, exhaustive, or a list such as bytes,every:7,split@12,faults. Default: standard, with --corpus smoke.",
)
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=PATH,
    metavar="DIR",
    help="Check a folder of <dialect>/<slug>.body recordings, such as `corpus pull` makes, instead of the cassettes; "
    "goldens are made on the fly (needs Node 20). Repeatable.",
)
@click.option(
    "--cassettes", type=PATH, metavar="DIR", help="Folder of cassettes. Default: ./cassettes."
)
@click.option(
    "--goldens",
    type=PATH,
    default=Path("golden"),
    show_default=True,
    metavar="DIR",
    help="Folder of goldens and divergences.yaml.",
)
@click.option(
    "--case",
    "globs",
    multiple=True,
    metavar="GLOB",
    help="Only cases whose id matches, such as 'openai-chat/*'. Repeatable.",
)
@click.option(
    "--json",
    "json_path",
    type=PATH,
    default=Path("reports/parity.json"),
    show_default=True,
    metavar="F",
    help="Where the machine-readable report goes.",
)
@click.option(
    "--html",
    "html_path",
    type=PATH,
    default=Path("reports/parity.html"),
    show_default=True,
    metavar="F",
    help="Where the page for people goes.",
)
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N", help="Processes. Default: one a core.")
@click.option(
    "--mutants/--no-mutants",
    default=True,
    show_default=True,
    help="Run the mutants, which prove that the check can fail.",
)
@click.option(
    "--baseline",
    type=PATH,
    metavar="OLD",
    help="An earlier parity.json: also print what fails that did not, what is fixed, and what still fails. The exit code "
    "stays that of this run.",
)
@click.option("--shard", metavar="K/N", help="Only the K-th of N shares of the cases; `report merge` puts them together.")
@click.option("--list", "list_only", is_flag=True, help="Print the ids of the cases and stop.")
@click.option(
    "--rows",
    "rows_folder",
    is_flag=False,
    flag_value="tests/rows",
    type=PATH,
    metavar="[DIR]",
    help="Instead: print every requirement with the tests that prove it, and fail if one has none. "
    "Default: ./tests/rows.",
)
@click.option(
    "--hazards",
    is_flag=True,
    help="Instead: grade the subject on the catalogue of wire hazards (exact, acceptable, wrong).",
)
@click.option(
    "--layer", "layers", multiple=True, metavar="L", help="With --hazards: only this layer, such as 'json'. Repeatable."
)
@click.option("--quiet", "-q", is_flag=True, help="Print the verdict only.")
def check(
    subjects: tuple[str, ...],
    plan_names: str | None,
    corpora: tuple[Path, ...],
    cassettes: Path | None,
    goldens: Path,
    globs: tuple[str, ...],
    json_path: Path,
    html_path: Path,
    jobs: int | None,
    mutants: bool,
    baseline: Path | None,
    shard: str | None,
    list_only: bool,
    rows_folder: Path | None,
    hazards: bool,
    layers: tuple[str, ...],
    quiet: bool,
) -> None:
    """Replay every case through the subject under every plan and compare with the goldens.

    \b
    Examples:
      streamparity check
      streamparity check --case 'anthropic-messages/*' --plan bytes
      streamparity check --subject mypackage.streaming:Subject --plan exhaustive
      streamparity check --case 'groq/*' --plan certificate
      streamparity check --case openai-chat/text --plan split@123
      streamparity check --baseline main/parity.json
      streamparity check --shard 1/4 --json shard-1.json
      streamparity check --rows
      streamparity check --hazards --subject mypackage.streaming:Subject --layer 'sse lines'
    """
    if (hazards or rows_folder is not None) and (shard is not None or baseline is not None):
        raise click.UsageError("--shard and --baseline are about the cases: they do not go with --hazards or --rows")
    if rows_folder is not None:
        from harness.rows import as_table, load_rows

        rows = load_rows(rows_folder)
        click.echo(as_table(rows))
        sys.exit(rows.exit_code)
    if layers and not hazards:
        raise click.UsageError("--layer goes with --hazards")
    if hazards:
        from harness.hazards.table import grade_and_print
        from harness.init.shipped import graded_cassettes

        where, specs = cassettes or graded_cassettes(Path("cassettes")), subjects or ("streamcore",)
        sys.exit(grade_and_print(where, specs, layers, globs, jobs=jobs or os.cpu_count() or 1, quiet=quiet))

    from harness.check import Request, execute, find_cases
    from harness.chunking import PlanError, parse_plans
    from harness.report import console, load, write_reports
    from harness.report.baseline import compare
    from harness.report.baseline_text import last_line, lines_of
    from harness.sharding import ShardError, parse_shard, share

    if baseline is not None and len(subjects) > 1:
        raise click.UsageError("--baseline is the report of one subject: name one --subject")
    names = plan_names if plan_names is not None else "smoke" if corpora else "standard"
    try:
        plans = parse_plans(names)
        part = parse_shard(shard) if shard is not None else None
    except (PlanError, ShardError) as error:
        raise click.UsageError(str(error)) from None
    folder = cassettes if cassettes is not None else None if corpora else Path("cassettes")
    if list_only:
        found = find_cases(folder, corpora, globs)
        if globs and not found:
            raise InputError(f"no case matches {' '.join(globs)}; without --case, --list prints all ids")
        for case in share(found, part):
            click.echo(case.id)
        return
    outputs({"--json": json_path, "--html": html_path})
    request = Request(
        cassettes=folder,
        goldens=goldens,
        plans=plans,
        plan_names=names,
        corpora=corpora,
        globs=globs,
        subjects=subjects or ("streamcore",),
        jobs=jobs or os.cpu_count() or 1,
        mutants=mutants,
        shard=part,
    )
    before = load(baseline) if baseline is not None else None  # a bad one is told of before the work, not after
    with contextlib.redirect_stdout(sys.stderr):  # what a subject prints is no data of ours
        results = execute(
            request,
            lambda total: console.progress(total, quiet=quiet),
            lambda total: console.shrinking(total, quiet=quiet),
        )
    worst = exits.PARITY
    for index, result in enumerate(results):
        suffix = "" if index == 0 else f"-{index + 1}"
        page = html_path.with_stem(html_path.stem + suffix)
        document = json_path.with_stem(json_path.stem + suffix)
        result = write_reports(result, document, page, before)
        if before is not None:
            comparison = compare(before, result)
            for line in [last_line(comparison)] if quiet else lines_of(comparison):
                click.echo(f"baseline: {line}")
        click.echo(console.summarise(result, page, quiet=quiet))
        worst = max(worst, console.exit_code(result))
    sys.exit(worst)


@cli.command(epilog=EPILOG)
@click.option(
    "--dialect",
    metavar="D",
    help="The dialect of the files. sse, eventstream, ndjson and jsonarray stop after the framing. A cassette knows its own.",
)
@click.option(
    "--chunks",
    default="whole",
    show_default=True,
    metavar="whole|bytes|N",
    help="How the bytes are fed: at once, one by one, or N at a time.",
)
@click.option("--summary", is_flag=True, help="One JSON object a file instead of the trace.")
@click.option("--policy", type=click.Choice(["lenient", "strict"]), default="lenient", show_default=True)
@click.argument("files", nargs=-1, metavar="[FILE]...")
def decode(dialect: str | None, chunks: str, summary: bool, policy: str, files: tuple[str, ...]) -> None:
    """Print what streamcore makes of recorded bodies: FILE is a raw body, a cassette (.yaml), or - for stdin.

    \b
    Examples:
      streamparity decode --dialect anthropic-messages body.sse
      curl -sN ... | streamparity decode --dialect openai-chat --summary -
      streamparity decode cassettes/openai-chat/text.yaml
    """
    from harness.decode import decode_files

    for line in decode_files(files or ("-",), dialect=dialect, chunks=chunks, summary=summary, policy=policy):
        click.echo(line.encode("utf-8", "replace"))


def _mount() -> None:
    from harness.corpus_pull.cli import corpus
    from harness.drift.cli import drift
    from harness.golden_cli import golden
    from harness.init.cli import init
    from harness.inspection.cli import cassette
    from harness.mutants.cli import mutants
    from harness.record.cli import record
    from harness.replay.cli import replay

    cli.add_command(cassette)
    cli.add_command(corpus)
    cli.add_command(drift)
    cli.add_command(golden)
    cli.add_command(init)
    cli.add_command(mutants)
    cli.add_command(record)
    cli.add_command(replay)


def _end(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def _told(error: OSError) -> str:
    what = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {what}"
    # A file that cannot be written is named by who writes it.
    return f"standard output: {what}" if error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG) else what


def main() -> NoReturn:
    """Entry point of the command."""
    try:
        _mount()
        from harness.cassette import CassetteError
        from harness.corpus import CorpusError
        from harness.divergence import DivergenceError
        from harness.golden import GoldenError
        from harness.oracle import OracleError
        from harness.subjects.load import SubjectError
    except KeyboardInterrupt:  # what is imported takes its time
        _end("interrupted", exits.INTERRUPTED)

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="backslashreplace")  # a name that a terminal cannot show is no reason to stop
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        _end("interrupted", exits.INTERRUPTED)
    except KeyboardInterrupt:
        _end("interrupted", exits.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code if error.exit_code > exits.DIFFERENCE else exits.USAGE)  # click's own is 1
    except SubjectError as error:
        _end(f"streamparity: {error}", exits.USAGE)
    except (InputError, CassetteError, CorpusError, DivergenceError, GoldenError, OracleError) as error:
        _end(f"streamparity: {error}", exits.INPUT)
    except OSError as error:
        _end(f"streamparity: {_told(error)}", exits.INPUT)
    except Exception:  # noqa: BLE001 - a bug of ours must not look like exit code 1, a difference
        import traceback

        _end(f"{traceback.format_exc()}streamparity: this is a bug of the harness; please report it", exits.HARNESS)
    sys.exit(exits.PARITY)


if __name__ == "__main__":
    main()
