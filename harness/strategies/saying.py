"""What a model says in one answer, before any provider writes it down, and what a reader of the stream must get from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

Unified = Literal["stop", "length", "content-filter", "tool-calls", "other"]
"""Why the model stopped, in the words that all providers share here."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing said: text, reasoning, or a call."""

    kind: Literal["text", "reasoning", "call"]
    text: str
    """The text; of a call its arguments, as JSON text or empty. Half a surrogate pair is a character of its own here."""
    by: tuple[int, ...]
    """Into deltas of so many characters, in turn."""
    name: str = ""
    """Of the function that is called."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer."""

    items: tuple[Item, ...]
    finish: Unified
    raw: str | None
    """The provider's word for it; None where the stream has none."""
    input_tokens: int
    output_tokens: int
    form: int
    """Chooses among forms of the same thing that a grammar allows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call."""

    name: str
    arguments: str
    """The JSON text of an object: as it stood on the wire; ``{}`` where nothing did; and where the wire has an object instead
    of a text, as ``JSON.stringify`` writes it."""

    @property
    def value(self) -> dict[str, Any]:
        """The arguments as Python has them."""
        value: dict[str, Any] = json.loads(self.arguments)
        return value


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a reader must get from a stream, however it is cut."""

    dialect: str
    text: str
    """All answer text. Pairs of surrogates are joined, over deltas too; where the stream was asked to have lone ones, they
    are in here as code points, and a reader whose strings cannot hold them has U+FFFD for each."""
    reasoning: str
    """All reasoning text, as ``text``."""
    calls: tuple[Call, ...]
    """In order. Their ids are the provider's, or the reader's own where it sends none: unique, not empty."""
    finish: Unified
    """``tool-calls`` whenever there are calls; ``other`` where the provider never says why."""
    raw: str | None
    """The provider's own word for the finish; None where it has none."""
    usage: tuple[int, int] | None
    """Input and output tokens; None where the dialect does not tell them."""


def joined(text: str) -> str:
    """``text`` with halves of a surrogate pair that stand side by side made one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def halved(text: str) -> str:
    """``text`` with each character beyond U+FFFF as two surrogates, so that a cut may fall between them."""
    return "".join(
        character if character <= "\uffff" else "".join(map(chr, _halves(ord(character)))) for character in text
    )


def _halves(point: int) -> tuple[int, int]:
    return 0xD800 + ((point - 0x10000) >> 10), 0xDC00 + ((point - 0x10000) & 0x3FF)
