"""``<think>`` tags in the text become reasoning.

The rules are those of Roo Code's TagMatcher, which reads models that have no field for their reasoning: the tag counts
only as the very first character of the message, or inside such a tag; tags nest; blanks may stand before and after the
name; a tag that is nested is itself part of the reasoning; and what turns out to be no tag is text. Since the
first tag is the first character, a message has one block of reasoning at most.
"""

from __future__ import annotations

from enum import IntEnum

from streamcore.legacy.rewriter import TextReader, TextRewriter
from streamcore.parts import Part, ReasoningDelta, ReasoningEnd, ReasoningStart

MAX_TAG_CHARS = 1024
"""Characters of the longest tag; only blanks can make one longer than its name, and they must not be held for ever."""


class _Where(IntEnum):
    TEXT = 0
    OPENING = 1
    CLOSING = 2


class ThinkTags(TextRewriter):
    """``<think>`` at the beginning of a message, and what is in it.

    Args:
        name: the tag's name.
    """

    def __init__(self, name: str = "think") -> None:
        super().__init__()
        self._name = name

    def reader(self, choice: int) -> TextReader:
        """One matcher a choice."""
        return _ThinkReader(choice, self._name)


class _ThinkReader(TextReader):
    def __init__(self, choice: int, name: str) -> None:
        super().__init__(choice)
        self._name = name
        self._where = _Where.TEXT
        self._at_start = True
        self._depth = 0
        self._matched = 0  # characters of the name
        self._held = ""
        self._reasoning = ""  # id of the open block

    def read(self, text: str, out: list[Part]) -> None:
        at: int | None = 0
        while at is not None and at < len(text):
            at = self._text(text, at, out) if self._where is _Where.TEXT else self._tag(text[at], at, out)

    def flush(self, out: list[Part]) -> None:
        self._give_up(out)
        if self._reasoning:
            out.append(ReasoningEnd(self._reasoning, choice=self.choice))
            self._reasoning = ""
            self._depth = 0

    def _text(self, text: str, at: int, out: list[Part]) -> int | None:
        if self._depth <= 0 and not (self._at_start and text[at] == "<"):
            self._at_start = False
            self._emit(text[at:], out)
            return None
        self._at_start = False
        found = text.find("<", at)
        if found < 0:
            self._emit(text[at:], out)
            return None
        self._emit(text[at:found], out)
        self._where = _Where.OPENING
        self._matched = 0
        self._held = "<"
        return found + 1

    def _tag(self, char: str, at: int, out: list[Part]) -> int:
        self._held += char
        whole = self._matched == len(self._name)
        if char == ">" and whole:
            self._tag_ends(out)
        elif char == "/" and self._matched == 0 and self._where is _Where.OPENING:
            self._where = _Where.CLOSING
        elif char == " " and (whole or self._matched == 0) and len(self._held) < MAX_TAG_CHARS:
            pass
        elif not whole and self._name[self._matched] == char:
            self._matched += 1
        else:
            self._give_up(out)
        return at + 1

    def _tag_ends(self, out: list[Part]) -> None:
        opening = self._where is _Where.OPENING
        self._where = _Where.TEXT
        self._depth += 1 if opening else -1
        if self._depth > (1 if opening else 0):
            self._give_up(out)  # nested: the tag is part of the reasoning
            return
        self._held = ""
        self.take()
        if opening:
            self._reasoning = f"think-{self.choice}"
            out.append(ReasoningStart(self._reasoning, choice=self.choice))
        elif self._reasoning:
            out.append(ReasoningEnd(self._reasoning, choice=self.choice))
            self._reasoning = ""

    def _give_up(self, out: list[Part]) -> None:
        """What is held is no tag."""
        self._where = _Where.TEXT
        held, self._held = self._held, ""
        self._emit(held, out)

    def _emit(self, text: str, out: list[Part]) -> None:
        if not self._reasoning:
            self.say(text, out)
        elif text:
            out.append(ReasoningDelta(self._reasoning, text, None, self.choice))
