"""Recorded text in GitHub's Markdown, where it stays text.

Every character that Markdown, HTML or the log of a workflow could take for more than itself is written as a character
reference, which CommonMark (section 2.5) never reads as structure: no table cell, code span, link, mention or HTML element
ends or begins in it, and no line of it is a workflow command (``::error::``, or anywhere in a line ``##[error]``).
"""

from __future__ import annotations

import re

from harness.visible import visible

_ACTIVE = re.compile(r"[^\w \-/,;()=+.\u0080-\U0010ffff]|_|(?<=[Ww])\.", re.ASCII)
"""Also underscores (emphasis), and the dot of ``www.`` (a link)."""


def escaped(text: str) -> str:
    """``text`` on one line, to stand in running text, in a table or in an HTML element."""
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", visible(text))


def code(text: str) -> str:
    """``text`` in the type of code, on one line."""
    return f"<code>{escaped(text).replace('  ', '&#32;&#32;')}</code>"


def block(lines: list[str]) -> str:
    """Lines of code, one below the other."""
    return "\n".join(("<pre>", *map(escaped, lines), "</pre>"))
