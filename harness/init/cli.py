"""``streamparity init``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from harness.exits import InputError

_LISTED = ("written", "added to", "replaced", "kept")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="[DIR]")
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    default=("openai-chat",),
    show_default=True,
    metavar="D",
    help="Copy recordings of this API, and let the adapter claim it. Repeatable.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Copy every recording of these dialects, also those that are malformed on purpose. Without it: a starter set.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def init(folder: Path, dialects: tuple[str, ...], everything: bool, force: bool) -> None:
    """Put your own parser under proof: write what that takes into DIR (default: here). Nothing is asked.

    An adapter for your parser (parity_subject.py), a setting for pytest, a GitHub workflow, lines for git, and recordings
    with their goldens to begin with. What is there already is kept: settings are added to, other files stay as they are
    unless you say --force.

    \b
    Examples:
      streamparity init
      streamparity init --dialect anthropic-messages --dialect openai-responses
      streamparity init --all other/project
    """
    from harness.init.project import SUBJECT, WITH_EXAMPLE
    from harness.init.project import init as write

    try:
        report = write(folder, dialects, everything=everything, force=force)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(str(error)) from None
    data = [one for one in report if one.path.startswith(("cassettes/", "golden/")) and one.path != "golden/manifest.json"]
    for one in report:
        if one not in data:
            click.echo(f"{one.what:9} {one.path}" + (f" ({one.note})" if one.note else ""))
    for name in ("cassettes", "golden"):
        counts = Counter(one.what for one in data if one.path.startswith(f"{name}/"))
        told = ", ".join(f"{counts[what]} {what}" for what in _LISTED if counts[what])
        click.echo(f"{'':9} {name}/: {told}")
    where = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    if WITH_EXAMPLE in dialects:
        click.echo("\nparity_subject.py reads OpenAI chat completions with an example parser. See it pass, then put yours in:")
    else:
        click.echo("\nparity_subject.py has no parser yet: put yours in. Until then every case is an error, and says so:")
    click.echo(f"\n  {where}streamparity check --subject {SUBJECT}")
