"""Recorded text in lines that may be printed anywhere: spans of text with a style, hidden characters spelt out."""

from __future__ import annotations

import sys
from typing import TextIO

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.report.console import wants_colour
from harness.visible import ascii_only, visible

Span = tuple[str, str]
"""``(text, style)``; the style is one of rich's, empty for none. The text must be visible already."""
Line = tuple[Span, ...]

_NOTE = len("... (+9999)")
_SHORTEST = 8
"""Columns that a cut line keeps at least, whatever the width."""


def readable(data: bytes) -> str:
    """Bytes as text: what cannot be seen is spelt out, and a byte that is no UTF-8 stands as ``⟨F0⟩``."""
    return spelt(data.decode("utf-8", "surrogateescape"))


def spelt(text: str) -> str:
    """``text`` with what cannot be seen spelt out; bytes that :func:`bytes.decode` let escape as in :func:`readable`."""
    if text.isascii():
        return visible(text)
    return "".join(
        f"\u27e8{ord(char) - 0xDC00:02X}\u27e9" if "\udc80" <= char <= "\udcff" else visible(char) for char in text
    )


def fitted(line: Line, width: int | None) -> Line:
    """``line`` in at most ``width`` columns of a terminal; what is left out is counted. No width: all of it."""
    if width is None or sum(cell_len(text) for text, _ in line) <= width:
        return line
    room = max(_SHORTEST, width - _NOTE)
    kept: list[Span] = []
    for text, style in line:
        short = _beginning(text, room)
        kept.append((short, style))
        room -= cell_len(short)
        if short != text:
            break
    hidden = len(plain(line)) - len(plain(tuple(kept)))
    return (*kept, (f"... (+{hidden})", "dim")) if hidden else line


def _beginning(text: str, columns: int) -> str:
    """As many characters of ``text`` as fit into ``columns``."""
    taken = 0
    for count, char in enumerate(text):
        taken += cell_len(char)
        if taken > columns:
            return text[:count]
    return text


def plain(line: Line) -> str:
    """The text alone."""
    return "".join(text for text, _ in line)


def write(lines: list[Line], stream: TextIO | None = None) -> None:
    """Prints ``lines`` on ``stream`` (stdout unless given): styled by rich on a terminal without NO_COLOR, else plain."""
    stream = sys.stdout if stream is None else stream
    if not wants_colour(stream):
        for line in lines:
            click.echo(encodable(plain(line), stream), file=stream)
        return
    console = Console(file=stream, highlight=False, markup=False, emoji=False, force_terminal=True)
    for line in lines:
        console.print(Text.assemble(*((encodable(text, stream), style) for text, style in line)), soft_wrap=True)


def encodable(text: str, stream: TextIO) -> str:
    r"""``text``, or its ``\uxxxx`` spelling where the stream has an encoding that cannot say it."""
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return ascii_only(text)
    return text
