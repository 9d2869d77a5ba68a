"""Wrong ways from bytes to text."""

from __future__ import annotations

import codecs

from harness.mutants.base import Mutant, reading


class DecodesEachChunk:
    """Decodes every chunk by itself: a character that is cut in two becomes U+FFFD twice."""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk, decoded and encoded again."""
        return chunk.decode("utf-8", "replace").encode()

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class DropsHalves:
    """Decodes every chunk by itself, and leaves out what does not decode."""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk, decoded and encoded again."""
        return chunk.decode("utf-8", "ignore").encode()

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class Latin1:
    """Decodes the body as Latin-1, the old default of HTTP for text without a charset."""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk, decoded and encoded again."""
        return chunk.decode("latin-1").encode()

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class StrSplitlines:
    """Decodes as it should, then splits with ``str.splitlines``, which knows eight more line ends than SSE does.

    The way of the line decoders of general HTTP clients: what follows the last line end is kept for the next chunk, and
    a CR at the very end waits there for its LF.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept: list[str] = []
        self._after_cr = False

    def feed(self, chunk: bytes) -> bytes:
        """The lines that ``chunk`` completed."""
        text = self._decoder.decode(chunk)
        if self._after_cr:
            text = "\r" + text
            self._after_cr = False
        if text.endswith("\r"):
            self._after_cr = True
            text = text[:-1]
        if not text:
            return b""
        lines = text.splitlines(keepends=True)
        open_line = lines.pop() if lines[-1].splitlines()[0] == lines[-1] else ""
        if not lines:
            self._kept.append(open_line)
            return b""
        lines[0] = "".join(self._kept) + lines[0]
        self._kept = [open_line]
        return b"".join(line.splitlines()[0].encode("utf-8", "surrogatepass") + b"\n" for line in lines)

    def close(self) -> bytes:
        """The open line."""
        text = "".join(self._kept) + self._decoder.decode(b"", final=True)
        return text.encode() + (b"\n" if self._after_cr else b"")


class MarkAnywhere:
    """Decodes every chunk with a decoder that takes a byte order mark off, wherever in the stream the chunk begins."""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk without a mark at its start."""
        return chunk.removeprefix(codecs.BOM_UTF8)

    def close(self) -> bytes:
        """Nothing is ever kept."""
        return b""


class Strict:
    """Decodes as it should, and raises at the first byte that is no UTF-8."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def feed(self, chunk: bytes) -> bytes:
        """The chunk, decoded and encoded again.

        Raises:
            UnicodeDecodeError: a byte is no UTF-8.
        """
        return self._decoder.decode(chunk).encode()

    def close(self) -> bytes:
        """Half a character at the end is passed over."""
        return b""


MUTANTS = (
    Mutant(
        "utf8-per-chunk",
        "each chunk is decoded by itself: a character that is cut becomes U+FFFD",
        "WH-001",
        reading(DecodesEachChunk),
    ),
    Mutant(
        "utf8-halves-dropped",
        "each chunk is decoded by itself and what does not decode is left out: a character that is cut is gone",
        "WH-002",
        reading(DropsHalves),
    ),
    Mutant("latin-1", "a body without a charset is decoded as Latin-1", "WH-004", reading(Latin1)),
    Mutant(
        "str-splitlines",
        "lines are split with str.splitlines: U+2028, U+2029 and U+0085 inside a JSON string end the line",
        "WH-012",
        reading(StrSplitlines),
    ),
    Mutant(
        "mark-anywhere",
        "a byte order mark is taken off every chunk: one that stands in the text is lost when a chunk begins with it",
        "P1",
        reading(MarkAnywhere),
        shown="openai-chat/mark-inside",
    ),
    Mutant("utf8-strict", "one byte that is no UTF-8 ends the whole stream in an exception", "WH-003", reading(Strict)),
)
