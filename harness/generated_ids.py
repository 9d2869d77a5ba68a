"""Ids that an implementation made up become ``$gen:N``, so that two implementations can be compared.

An id is made up if it does not occur in the body, in any spelling that JSON allows for it. The rule applies to ``id``
and ``toolCallId`` of the parts that are about tool calls and sources; ids of text and reasoning blocks are names that
the reference chooses, and are compared as they are. The Node twin is ``golden/oracle/generated-ids.mjs``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PART_TYPES = frozenset(
    (
        "tool-input-start",
        "tool-input-delta",
        "tool-input-end",
        "tool-call",
        "tool-result",
        "tool-approval-request",
        "source",
    )
)
_ID_KEYS = ("id", "toolCallId")
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


def _spellings(text: str) -> set[bytes]:
    """Every way in which a JSON writer could have put ``text`` on the wire."""
    escaped = json.dumps(text)[1:-1]
    forms = [escaped, _ESCAPE.sub(lambda found: "\\u" + found[1].upper(), escaped)]
    try:
        text.encode()
    except UnicodeEncodeError:
        pass  # a lone surrogate has no UTF-8 form
    else:
        forms += [text, json.dumps(text, ensure_ascii=False)[1:-1]]
    return {form.encode() for form in (*forms, *(form.replace("/", "\\/") for form in forms))}


class GeneratedIds:
    """The numbering of made-up ids within one trace."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._names: dict[str, str] = {}
        self._count = 0

    def name(self, text: str) -> str:
        """``text`` itself if it occurs in the body, else its ``$gen:N``."""
        name = self._names.get(text)
        if name is None:
            if any(form in self._body for form in _spellings(text)):
                name = text
            else:
                name = f"$gen:{self._count}"
                self._count += 1
            self._names[text] = name
        return name


def rewrite_generated_ids(parts: Iterable[dict[str, Any]], body: bytes) -> Iterator[dict[str, Any]]:
    """The parts with their made-up ids renamed; parts without one are passed on as they are."""
    ids = GeneratedIds(body)
    for part in parts:
        if part["type"] not in _PART_TYPES:
            yield part
            continue
        renamed = {key: ids.name(part[key]) for key in _ID_KEYS if isinstance(part.get(key), str)}
        yield {**part, **renamed}
