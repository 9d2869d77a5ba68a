"""What is said in a stream, whatever API says it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from benchmarks.workloads import WORDS

_SEED = 21
_REASONING = 0.3
_TEXT = 0.45
_PIECES_OF_A_CALL = 60


@dataclass(frozen=True, slots=True)
class Script:
    """Reasoning, then text, then tool calls, each in the small pieces in which models make them."""

    reasoning: tuple[str, ...]
    text: tuple[str, ...]
    calls: tuple[tuple[str, ...], ...]
    """For each call the pieces of its arguments."""

    @property
    def answer(self) -> str:
        """All text."""
        return "".join(self.text)

    @property
    def thought(self) -> str:
        """All reasoning."""
        return "".join(self.reasoning)


def script(pieces: int) -> Script:
    """A script of about so many pieces, the same every time."""
    draw = random.Random(_SEED)
    words: list[str] = []
    while len(words) < pieces:
        piece = _piece(draw)
        # Never one after its like: xAI's reference takes that for the same piece again.
        if piece != (words[-1] if words else ""):
            words.append(piece)
    first, second = round(pieces * _REASONING), round(pieces * (_REASONING + _TEXT))
    count = max(1, (pieces - second) // _PIECES_OF_A_CALL)
    return Script(
        tuple(words[:first]),
        tuple(words[first:second]),
        tuple(_arguments(draw, min(_PIECES_OF_A_CALL, pieces - second)) for _ in range(count)),
    )


def _piece(draw: random.Random) -> str:
    # A line break or a mark that JSON escapes here and there, as in any answer.
    return draw.choice((".\n\n", ' "', ":")) if draw.random() < 0.05 else f" {draw.choice(WORDS)}"


def _arguments(draw: random.Random, pieces: int) -> tuple[str, ...]:
    text = json.dumps({"path": "notes.txt", "content": " ".join(draw.choices(WORDS, k=pieces))})
    size = max(1, -(-len(text) // pieces))
    return tuple(text[start : start + size] for start in range(0, len(text), size))


def grouped(pieces: tuple[str, ...], size: int) -> tuple[str, ...]:
    """The same text in pieces that are ``size`` times as big, for APIs that send a sentence at a time."""
    return tuple("".join(pieces[start : start + size]) for start in range(0, len(pieces), size))
