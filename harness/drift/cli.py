"""``streamparity drift``: who moved: the provider, the reference, we, several, nobody, or could it not be checked."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from harness.arguments import PATH, outputs

_EPILOG = """\b
Exit codes: 0 nobody moved; 1 somebody moved; 2 usage; 3 nothing at all could be compared;
4 something that was asked for could not be compared, and nobody is known to have moved; 130 interrupted."""


@click.command(
    name="drift",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--case", "globs", multiple=True, metavar="GLOB", help="Only cases whose id matches. Repeatable.")
@click.option(
    "--new",
    "new",
    type=PATH,
    metavar="DIR",
    help="Did the provider move? A folder of new cassettes, as `streamparity record PROVIDER --out DIR` makes them.",
)
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=PATH,
    metavar="DIR",
    help="With --new: learn what is known from these <dialect>/<slug>.body recordings, too. Repeatable.",
)
@click.option(
    "--sdk",
    "sdks",
    multiple=True,
    metavar="NAME=VERSION",
    help="Did the reference move? An SDK of the oracle's in another version, such as openai=latest; needs Node 20 and "
    "npm, which installs it into a temporary copy. Repeatable.",
)
@click.option("--subject", default="streamcore", show_default=True, metavar="S", help="Who we are; as of `check`.")
@click.option(
    "--cassettes", type=PATH, default=Path("cassettes"), show_default=True, metavar="DIR"
)
@click.option("--goldens", type=PATH, default=Path("golden"), show_default=True, metavar="DIR")
@click.option(
    "--json", "json_path", type=PATH, metavar="FILE", help="Also write it all to a file."
)
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N", help="Processes. Default: one a core.")
def drift(
    globs: tuple[str, ...],
    new: Path | None,
    corpora: tuple[Path, ...],
    sdks: tuple[str, ...],
    subject: str,
    cassettes: Path,
    goldens: Path,
    json_path: Path | None,
    jobs: int | None,
) -> None:
    """Say who moved: the provider, the reference, or we.

    Three comparisons, each with what is committed: the shape of new recordings with that of all known recordings of their
    dialect (events, members, types, words such as finish reasons; no values); goldens made by another version of an SDK with
    the goldens; and what the subject makes of the cases with the goldens. The last one is always made, the others when
    asked for. What could not be compared is told apart from what did not move.

    \b
    Examples:
      streamparity drift
      streamparity drift --new recordings-of-today
      streamparity drift --case 'openai-chat/*' --sdk openai=latest --sdk @ai-sdk/openai=latest
    """
    from harness.check import NOTHING_HERE, selected
    from harness.drift import exit_code
    from harness.drift.core import readable_cases, we_moved
    from harness.drift.document import document
    from harness.drift.npm import SdkError
    from harness.drift.provider import provider_moved
    from harness.drift.reference import reference_moved
    from harness.drift.told import page
    from harness.exits import InputError
    from harness.files import write_atomically
    from harness.inspection.text import write

    if corpora and new is None:
        raise click.UsageError("--corpus says what recordings are known: it goes with --new")
    if new is not None and new.resolve().is_relative_to(cassettes.resolve()):
        raise click.UsageError(f"--new {new} lies in {cassettes}: recordings would be compared with themselves")
    outputs({"--json": json_path})
    if not cassettes.is_dir():
        raise InputError(NOTHING_HERE.format(folder=cassettes.parent.resolve()))
    everything, unread = readable_cases(cassettes)
    cases = [case for case in everything if selected(case.id, globs)]
    unread = [one for one in unread if selected(one.what, globs)]
    if globs and not cases and not unread and new is None:
        raise InputError(f"no case matches {' '.join(globs)}; `streamparity check --list` prints the ids")
    with _status() as tell:
        tell("comparing shapes")
        provider = provider_moved(new, cassettes, corpora, globs)
        tell(f"installing {', '.join(sdks)} into a copy of the oracle, and making goldens with it")
        try:
            reference = reference_moved(cases, goldens, sdks)
        except SdkError as error:
            raise click.UsageError(str(error)) from None
        tell(f"running {subject} on {len(cases)} cases")
        with contextlib.redirect_stdout(sys.stderr):  # what a subject prints is no data of ours
            we = we_moved(cases, everything, unread, goldens, subject=subject, jobs=jobs or os.cpu_count() or 1)
    parties = [provider, reference, we]
    if json_path is not None:
        write_atomically(json_path, json.dumps(document(parties), indent=1, sort_keys=True) + "\n")
    write(list(page(parties)))
    sys.exit(exit_code(parties))


@contextlib.contextmanager
def _status() -> Iterator[Callable[[str], None]]:
    """What is being done, on standard error, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True, highlight=False).status("") as status:
        yield lambda text: status.update(escape(text))
