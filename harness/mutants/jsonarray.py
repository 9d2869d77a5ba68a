"""Wrong readers of JSON arrays and of lines of JSON. Those of arrays stood in one program (see ``seeds``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.mutants.base import Mutant, parsed
from harness.mutants.overriding import framing
from streamcore.framing.jsonarray import JsonArrayFramer
from streamcore.framing.ndjson import NdjsonFramer

if TYPE_CHECKING:
    from streamcore.framing.jsonarray import JsonArrayFrame
    from streamcore.framing.ndjson import NdjsonFrame
    from streamcore.limits import Limits

_ARRAYS = ("gemini-generateContent-json-array", "vertex-gemini-json-array")
_LINES = "ollama-ndjson"


class StringForgotten(JsonArrayFramer):
    """Forgets between two chunks that it is inside a string: brackets of the text count."""

    def feed(self, chunk: bytes) -> list[JsonArrayFrame]:
        """As if the chunk began outside any string."""
        if self._depth:
            self._in_string = self._escaped = False
        return super().feed(chunk)


class NeverCleared(JsonArrayFramer):
    """Keeps elements in its buffer that it has handed out, until a chunk ends inside one: they come again."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self._out: list[JsonArrayFrame] = []

    def feed(self, chunk: bytes) -> list[JsonArrayFrame]:
        """All elements of the buffer."""
        again = self._out
        found = again + super().feed(chunk)
        self._out = [] if self._pending else found
        return found


class ParserPerChunk(JsonArrayFramer):
    """Makes a new parser for every chunk: only elements that lie in one chunk are found."""

    def feed(self, chunk: bytes) -> list[JsonArrayFrame]:
        """The elements that are whole in ``chunk``, whatever came before."""
        start = chunk.find(b"{")
        found = JsonArrayFramer().feed(b"[" + chunk[start:]) if start >= 0 else []
        before = self.frames
        super().feed(chunk)
        self.frames = before + len(found)
        return [(data, self.offset) for data, _ in found]


class CharactersForBytes(JsonArrayFramer):
    """Counts characters and cuts bytes: after the first character that has several, elements end too early."""

    def _complete(self, chunk: bytes, begin: int, end: int, out: list[JsonArrayFrame]) -> int:
        end = super()._complete(chunk, begin, end, out)
        data, at = out[-1]
        out[-1] = (data[: len(data.decode("utf-8", "replace"))], at)
        return end


class LineInAChunk(NdjsonFramer):
    """Takes the lines of each chunk on their own, and passes over those that are not JSON."""

    def feed(self, chunk: bytes) -> list[NdjsonFrame]:
        """The lines that look whole."""
        lines = [line for line in chunk.split(b"\n") if parsed(line)]
        before = self.frames
        super().feed(chunk)
        self.frames = before + len(lines)
        return [(line, self.offset) for line in lines]

    def close(self) -> None:
        """Nothing is ever kept."""
        super().close()


MUTANTS = (
    Mutant(
        "array-string-forgotten",
        "a JSON array's parser forgets between chunks that it is inside a string: brackets of the text count",
        "J1",
        framing(StringForgotten, *_ARRAYS),
    ),
    Mutant(
        "array-never-cleared",
        "a JSON array's buffer is not cleared when all of it was used: elements come again",
        "V21",
        framing(NeverCleared, *_ARRAYS),
    ),
    Mutant(
        "array-parser-per-chunk",
        "a new parser of the JSON array is made for every chunk: an element that is cut is lost",
        "WH-030",
        framing(ParserPerChunk, *_ARRAYS),
    ),
    Mutant(
        "array-characters-for-bytes",
        "a JSON array's characters are counted and its bytes are cut: other scripts break an element",
        "P4",
        framing(CharactersForBytes, *_ARRAYS),
    ),
    Mutant(
        "json-line-per-chunk",
        "each chunk of JSON lines is split on its own; a line that is cut is skipped as incomplete",
        "V1",
        framing(LineInAChunk, _LINES),
    ),
)
