"""For mkdocs: the page of commands is what their ``--help`` says, and docstrings are read as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

from harness import cli

PAGE = "reference/commands.md"


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page as written, and then a section a command."""
    if page.file.src_uri != PAGE:
        return markdown
    cli._mount()
    return "\n\n".join([markdown, *_sections(cli.cli, "streamparity", None)])


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings name what they mean as Sphinx does (``:class:`Name```); here the name alone is enough."""
    return re.sub(r":(?:attr|class|data|func|meth|mod):(?=<code>)", "", html)


def _sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=100)
    # A fence of four: a text of help may hold one of three.
    yield f"## {name}\n\n````text\n{command.get_help(context).strip()}\n````"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from _sections(found, f"{name} {inner}", context)
