"""``streamparity cassette``: look at recordings, check them, compare two, and see how old they are."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import exits
from harness.arguments import PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inspection.age import Age
    from harness.inspection.show import View
    from harness.inspection.text import Line

_SETTINGS = {"help_option_names": ["-h", "--help"]}
_PATHS = click.argument("paths", nargs=-1, metavar="[PATH]...", type=PATH)


def _width(function: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--width",
        type=click.IntRange(0),
        metavar="N",
        help="Columns of a line; what is longer is cut, and counted. 0: all of it. Default: the terminal's, else all.",
    )(function)


@contextlib.contextmanager
def _told_safely() -> Iterator[None]:
    """Complaints hold names out of the recording: they are spelt out. A reader who has read enough is no error."""
    from harness.cassette import CassetteError
    from harness.inspection.text import spelt

    try:
        yield
    except (CassetteError, exits.InputError) as error:
        raise exits.InputError(spelt(" ".join(str(error).split()))) from error
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end


@click.group(context_settings=_SETTINGS)
def cassette() -> None:
    """Look at recordings: show one, check them, compare two, see how old they are. Nothing here changes a file."""


@cassette.command(
    context_settings=_SETTINGS,
    epilog="Exit codes: 0 shown; 2 usage; 4 the cassette is missing or no cassette, or has no such interaction.",
)
@click.argument("file", metavar="CASSETTE", type=PATH)
@click.option("--interaction", type=int, metavar="N", help="Only the Nth exchange of the cassette, from 1.")
@click.option("--frames", "view", flag_value="frames", help="Show the stream frame by frame (the default).")
@click.option("--chunks", "view", flag_value="chunks", help="Show it chunk by chunk, as it arrived.")
@_width
def show(file: Path, interaction: int | None, view: View | None, width: int | None) -> None:
    """Print a recording, frame by frame or chunk by chunk.

    Where it is from, the request, status and headers, how it ended, and each frame with its bytes, chunk and time.

    Bytes are offsets in the decoded body, times are milliseconds after the request was sent; a frame that came in several
    chunks names the first and the last, and the time of the last. What cannot be seen is spelt out in angle brackets: LF,
    ZWJ, U+202E, and F0 for a byte that is no UTF-8. Under an event stand its id, comments and headers, and the checksums
    of an AWS message.

    \b
    Examples:
      streamparity cassette show cassettes/openai-chat/text.yaml
      streamparity cassette show cassettes/openai-chat/reset-mid-text.yaml --chunks --width 100
    """
    from harness.cassette import load
    from harness.inspection.show import page
    from harness.inspection.text import write

    with _told_safely():
        write(page(load(file), str(file), interaction=interaction, view=view or "frames", width=_columns(width)))


@cassette.command(
    context_settings=_SETTINGS, epilog="Exit codes: 0 all are good; 2 usage; 4 something is wrong, or nothing is there."
)
@_PATHS
def validate(paths: tuple[Path, ...]) -> None:
    """Check cassettes and tell all that is wrong. PATH is a file or a folder. Default: ./cassettes.

    Each is checked against the schema, its digest, and the sums of its chunks; its dialect must be one that streamcore
    decodes, its times must not run backwards, its ending must be possible with what came, and nothing in it may look like a
    secret. Every complaint is one line: FILE:LINE: where: what is wrong; what to do.

    \b
    Examples:
      streamparity cassette validate
      streamparity cassette validate cassettes/openai-chat recordings/mine.yaml
    """
    from harness.inspection.files import cassette_files
    from harness.inspection.text import encodable
    from harness.inspection.validation import complaints

    files: list[Path] = []
    wrong = told = 0
    with _told_safely():
        files = cassette_files(paths or (Path("cassettes"),))
        for file in files:
            found = complaints(file)
            wrong += bool(found)
            told += len(found)
            for complaint in found:
                click.echo(encodable(str(complaint), sys.stdout))
    good = f"{len(files) - wrong} of {len(files)} cassettes are good"
    click.echo(good + (f"; complaints: {told}" if wrong else ""), err=True)
    sys.exit(exits.INPUT if wrong else exits.PARITY)


@cassette.command(
    context_settings=_SETTINGS,
    epilog="Exit codes: 0 no difference; 1 they differ; 2 usage; 4 one of them is no cassette.",
)
@click.argument("one", metavar="OLD", type=PATH)
@click.argument("other", metavar="NEW", type=PATH)
@click.option("--frames", is_flag=True, help="Only frame by frame, decoded.")
@click.option("--bytes", "raw", is_flag=True, help="Only byte by byte, as it was on the wire.")
@click.option(
    "--shape", is_flag=True, help="Of frames, compare event types, keys and JSON types; values do not matter."
)
@_width
def diff(one: Path, other: Path, frames: bool, raw: bool, shape: bool, width: int | None) -> None:
    """Say how recording NEW differs from recording OLD.

    First the first byte that differs, with what stands around it; then the frames: + new, - gone, ~ changed, and the place
    in their JSON. Statuses and endings count; chunk boundaries, times and provenance do not. With --shape a run of frames
    of one shape counts once: two recordings of the same scenario are then the same, however many pieces the text came in.

    \b
    Examples:
      streamparity cassette diff old/text.yaml cassettes/openai-chat/text.yaml
      streamparity cassette diff --shape old/text.yaml new/text.yaml
    """
    from harness.cassette import load
    from harness.inspection.comparison import compare
    from harness.inspection.text import fitted, write

    if shape and raw:
        raise click.UsageError("--shape leaves values out, and --bytes compares nothing else: choose one")
    both = not (frames or raw or shape)
    columns = _columns(width)
    lines: list[Line] = []
    with _told_safely():
        lines = compare(load(one), load(other), frames=frames or shape or both, raw=raw or both, shape=shape)
        write([fitted(line, columns) for line in lines])
    if not lines:
        click.echo("no difference", err=True)
    sys.exit(exits.DIFFERENCE if lines else exits.PARITY)


@cassette.command(
    context_settings=_SETTINGS,
    epilog="Exit codes: 0 none is too old; 1 one is; 2 usage; 4 a path has no cassettes, or one that cannot be read.",
)
@_PATHS
@click.option(
    "--max-days", type=click.FloatRange(min=0), metavar="N", help="Fail if a recording is older. Default: only tell."
)
@click.option("--all", "simulators", is_flag=True, help="Hold recordings of the simulator to it, too; they are exempt.")
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
    help="The time in UTC to count from. Default: the clock.",
)
def age(paths: tuple[Path, ...], max_days: float | None, simulators: bool, now: datetime | None) -> None:
    """Tell how old recordings are, by provider. PATH is a file or a folder. Default: ./cassettes.

    Providers change what they send, so a recording should be made again from time to time. Recordings of the simulator are
    written down, not observed: they do not age unless --all is given. A recording from the future is held to be too old.

    \b
    Examples:
      streamparity cassette age
      streamparity cassette age --max-days 90 cassettes/openai-chat
    """
    from harness.inspection.age import ages, table
    from harness.inspection.files import cassette_files
    from harness.inspection.text import write

    counted_from = now.replace(tzinfo=UTC) if now else datetime.now(UTC)
    found: list[Age] = []
    with _told_safely():
        found = ages(cassette_files(paths or (Path("cassettes"),)), counted_from)
        write(list(table(found, max_days, simulators=simulators)))
    if max_days is not None and any(one.is_over(max_days, simulators=simulators) for one in found):
        sys.exit(exits.DIFFERENCE)


def _columns(width: int | None) -> int | None:
    """What --width says: None for lines of any length."""
    if width is not None:
        return width or None
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
