"""What all adapters of tags in the text have in common: the text blocks around the tags."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from streamcore.parts import Error, Finish, Part, TextDelta, TextEnd, TextStart


class FatalAdapterError(Exception):
    """An ``error`` part is out, and nothing may follow it. Nobody but :class:`TextRewriter` sees this."""


class TextReader(ABC):
    """The text of one choice, read for tags.

    A text block begins only with its first text, so that a block of nothing but tags leaves no empty one behind.
    """

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self._start: TextStart | None = None  # of the open block
        self._started = False
        self._taken = False

    @abstractmethod
    def read(self, text: str, out: list[Part]) -> None:
        """More of the text, never empty."""

    @abstractmethod
    def flush(self, out: list[Part]) -> None:
        """A block is over: what was held because it might begin a tag is text."""

    def finish(self, out: list[Part]) -> None:  # noqa: B027 - most have nothing to say
        """The message is over."""

    def say(self, text: str, out: list[Part]) -> None:
        """Text that is no tag."""
        if text and self._start is not None:
            self._begin(out)
            out.append(TextDelta(self._start.id, text, None, self.choice))

    def take(self) -> None:
        """Some of the open block was a tag."""
        self._taken = True

    def part(self, part: Part, out: list[Part]) -> None:
        """Any part of this choice."""
        match part:
            case TextDelta(metadata=None, delta=delta):
                if delta:
                    self.read(delta, out)
            case TextDelta():
                self.read(part.delta, out)
                self._begin(out)
                out.append(TextDelta(part.id, "", part.metadata, self.choice))
            case TextStart():
                self._start, self._started, self._taken = part, False, False
            case TextEnd():
                self.flush(out)
                if not self._taken or part.metadata is not None:
                    self._begin(out)
                if self._started:
                    out.append(part)
                self._start = None
            case Finish():
                self.finish(out)
                out.append(part)
            case _:
                out.append(part)

    def _begin(self, out: list[Part]) -> None:
        if self._start is not None and not self._started:
            self._started = True
            out.append(self._start)


class TextRewriter(ABC):
    """Parts in, parts out."""

    def __init__(self) -> None:
        self._readers: dict[int, TextReader] = {}
        self._dead = False

    @abstractmethod
    def reader(self, choice: int) -> TextReader:
        """A new reader for the text of a choice."""

    def add(self, parts: Iterable[Part]) -> list[Part]:
        """The parts that can be given now. Nothing is left over after the ``finish`` or the error that ends a stream."""
        out: list[Part] = []
        try:
            for part in parts:
                if self._dead:
                    break
                if type(part) is Error:
                    # It may be the last part: what is held has to go before it.
                    for reader in self._readers.values():
                        reader.flush(out)
                    out.append(part)
                else:
                    choice = getattr(part, "choice", 0)
                    if choice not in self._readers:
                        self._readers[choice] = self.reader(choice)
                    self._readers[choice].part(part, out)
        except FatalAdapterError:
            self._dead = True
        return out
