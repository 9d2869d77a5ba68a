"""Arguments that come again: whether a piece repeats, from its start, the whole object that came before it.

Whether they are whole is asked where they end with a brace and a piece begins with one, as a replay does. Their end is
looked for from where it was looked for last, so that all of it costs one look at each character.
"""

from __future__ import annotations

import re
from typing import Final

from streamcore import jsontext
from streamcore.state import EMPTY_LOG, Log, State
from streamcore.toolcall_rules import REPLAYS, Again, Fate, Piece

_BRACKETS: Final = re.compile(r'["{}\[\]]')
_QUOTES: Final = re.compile(r'["\\]')
_STEPS: Final = {"{": 1, "[": 1, "}": -1, "]": -1}


def may_begin_again(arguments: Log, piece: str) -> bool:
    """Whether ``arguments`` may end as an object does, and ``piece`` begin as one; seldom, within arguments."""
    return piece.lstrip(jsontext.WHITESPACE).startswith("{") and arguments.tail.rstrip(jsontext.WHITESPACE)[-1:] in ("", "}")


class Brackets(State):
    """How far the end of a text was looked for, by its brackets alone."""

    __slots__ = ("closed", "depth", "escaped", "log", "quoted")

    def __init__(self) -> None:
        self.log: Log = EMPTY_LOG
        """Up to where."""
        self.depth = 0
        self.quoted = False
        self.escaped = False
        """The last character was a backslash in a string."""
        self.closed = False
        """The outermost bracket was."""

    def look(self, log: Log) -> bool:
        """Whether the outermost bracket of ``log``, which continues what was looked at last, is closed."""
        text = log.since(self.log)
        self.log = log
        at = int(self.escaped and bool(text))
        self.escaped = self.escaped and not text
        while not self.closed:
            found = (_QUOTES if self.quoted else _BRACKETS).search(text, at)
            if found is None:
                break
            at = found.end()
            char = found.group()
            if char == '"':
                self.quoted = not self.quoted
            elif char == "\\":
                self.escaped = at == len(text)
                at += 1
            else:
                self.depth += _STEPS[char]
                self.closed = self.depth <= 0
        return self.closed


class Replay(State):
    """Arguments that were whole, and what followed them. ``whole`` is an object's text, or empty if they are none."""

    __slots__ = ("at", "held", "state", "whole")

    def __init__(self, whole: str) -> None:
        self.whole = whole.strip(jsontext.WHITESPACE)
        self.state = Again.NOTHING if self.whole else Again.OTHER
        self.at = 0
        """Characters of ``whole`` that have come again."""
        self.held: Log = EMPTY_LOG
        """The pieces that are held back."""

    def take(self, piece: str) -> Fate:
        """What becomes of the next piece; one that is to be held back is. The others, see :meth:`release`."""
        kind, length = self._compare(piece)
        self.state, fate = REPLAYS[self.state, kind]
        if fate is Fate.HOLD:
            self.held = self.held.append(piece)
            self.at += length
        elif fate is Fate.DROP:
            self.release()
        return fate

    def release(self) -> str:
        """All that is held back, which no longer is."""
        text = self.held.text()
        self.held = EMPTY_LOG
        self.at = 0
        return text

    def _compare(self, piece: str) -> tuple[Piece, int]:
        """What a piece is, and how many characters of ``whole`` it is."""
        text = piece if self.state is Again.PART else piece.lstrip(jsontext.WHITESPACE)
        if not text and self.state is not Again.PART:
            return Piece.BLANK, 0
        bare = text.rstrip(jsontext.WHITESPACE)
        if self.at + len(bare) == len(self.whole) and self.whole.startswith(bare, self.at):
            return Piece.LAST, len(bare)
        if self.whole.startswith(text, self.at):
            return Piece.PART, len(text)
        return Piece.OTHER, 0
