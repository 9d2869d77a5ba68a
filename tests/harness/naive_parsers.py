"""Parsers of an event stream as they stand in many programs, each with one of the mistakes that are made again and again.

What they understand of the bytes goes to the core, so that what comes out differs by the mistake alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from harness.case import Case
from harness.mutants.base import CORE
from harness.subjects import PartJson, Session


class Naive:
    """A session of a naive parser: ``chunk`` gives what it reads as data in one chunk, ``rest`` what it does at the end."""

    def __init__(self, case: Case) -> None:
        self.core = CORE.open(case)
        self.held = ""

    def chunk(self, data: bytes) -> Iterator[str]:
        raise NotImplementedError

    def rest(self) -> Iterator[str]:
        yield from ()

    def feed(self, chunk: bytes) -> list[PartJson]:
        return self._parts(self.chunk(chunk))

    def close(self) -> list[PartJson]:
        return self._parts(self.rest()) + self.core.close()

    def _parts(self, found: Iterator[str]) -> list[PartJson]:
        parts: list[PartJson] = []
        for data in found:
            lines = "".join(f"data: {line}\n" for line in data.split("\n"))
            parts += self.core.feed(f"{lines}\n".encode("utf-8", "surrogatepass"))
        return parts

    def lines(self, text: str) -> Iterator[str]:
        """The data of the whole lines so far, for those who get the lines right."""
        *whole, self.held = (self.held + text).split("\n")
        for line in whole:
            if line.startswith("data: "):
                yield line[6:].rstrip("\r")


class DecodesEachChunk(Naive):
    """``chunk.decode()``: right as long as every character comes whole."""

    def chunk(self, data: bytes) -> Iterator[str]:
        yield from self.lines(data.decode())


class DecodesEachChunkLeniently(Naive):
    """``chunk.decode(errors="replace")``."""

    def chunk(self, data: bytes) -> Iterator[str]:
        yield from self.lines(data.decode(errors="replace"))


class SplitsEachChunk(Naive):
    """``for event in chunk.split("\\n\\n")``: no buffer."""

    def chunk(self, data: bytes) -> Iterator[str]:
        for event in data.decode("utf-8", "surrogateescape").split("\n\n"):
            if event.startswith("data: "):
                yield event[6:].encode("utf-8", "surrogateescape").decode(errors="replace")


class FindsData(Naive):
    """A regular expression on what has come so far, and no look at whether the line is whole."""

    def chunk(self, data: bytes) -> Iterator[str]:
        yield from re.findall(r"data: (.+)", data.decode(errors="ignore"))


class ParsesEachLine(Naive):
    """``json.loads`` of every line of a chunk, which raises when a line is not whole."""

    def chunk(self, data: bytes) -> Iterator[str]:
        for line in data.split(b"\n"):
            if line.startswith(b"data: ") and line != b"data: [DONE]":
                yield json.dumps(json.loads(line[6:]))
            elif line:
                yield "[DONE]"


class LooksForLineFeeds(Naive):
    """Events end at LF LF, and a line keeps its CR: no event of a CR LF stream ever ends."""

    def chunk(self, data: bytes) -> Iterator[str]:
        *whole, self.held = (self.held + data.decode("latin-1")).split("\n\n")
        for event in whole:
            if event.startswith("data: "):
                yield event[6:].encode("latin-1").decode(errors="replace")


class SplitsLinesOfText(Naive):
    """``text.splitlines()``, which knows eight more line ends than an event stream has."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.bytes = b""

    def chunk(self, data: bytes) -> Iterator[str]:
        self.bytes += data
        end = self.bytes.rfind(b"\n") + 1
        text, self.bytes = self.bytes[:end].decode(errors="replace"), self.bytes[end:]
        for line in text.splitlines():
            if line.startswith("data:"):
                yield line[5:].lstrip()


class ParsesTheMark(Naive):
    """``json.loads`` of all data, ``[DONE]`` too: it raises once the answer is over."""

    def chunk(self, data: bytes) -> Iterator[str]:
        for found in self.lines(data.decode("latin-1")):
            yield json.dumps(json.loads(found.encode("latin-1")))


class ParsesTheMarkAtItsEnd(Naive):
    """The same with everything read first and parsed at the end."""

    def chunk(self, data: bytes) -> Iterator[str]:
        self.held += data.decode("latin-1")
        yield from ()

    def rest(self) -> Iterator[str]:
        for found in self.lines("\n"):
            yield json.dumps(json.loads(found.encode("latin-1")))


class StopsAtTheReason(Naive):
    """Reads nothing behind the first finish reason: no usage, and nothing that comes with it."""

    over = False

    def chunk(self, data: bytes) -> Iterator[str]:
        for found in self.lines(data.decode("latin-1")):
            if not self.over:
                self.over = '"finish_reason":"' in found
                yield found.encode("latin-1").decode()


class MergesCallsByIndex(Naive):
    """A list of calls by index: what comes with the last index is joined to it, whatever its id."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.ids: dict[int, str] = {}

    def chunk(self, data: bytes) -> Iterator[str]:
        for found in self.lines(data.decode("latin-1")):
            yield self._merged(found.encode("latin-1").decode())

    def _merged(self, found: str) -> str:
        try:
            event: dict[str, Any] = json.loads(found)
        except ValueError:
            return found
        for choice in event.get("choices", ()):
            for call in (choice.get("delta") or {}).get("tool_calls") or ():
                first = self.ids.setdefault(call["index"], call.get("id", ""))
                if call.get("id", first) != first:
                    call["id"] = first
                    call["function"].pop("name", None)
        return json.dumps(event)


class NeedsTheEventsName(Naive):
    """Reads the type from ``event:``, and passes over an event that has none."""

    def chunk(self, data: bytes) -> Iterator[str]:
        *whole, self.held = (self.held + data.decode("latin-1")).split("\n\n")
        for event in whole:
            name, _, line = event.partition("\n")
            if name.startswith("event: ") and line.startswith("data: "):
                yield line[6:].encode("latin-1").decode()


NAIVE: dict[str, Callable[[Case], Session]] = {one.__name__: one for one in Naive.__subclasses__()}


class NaiveSubject:
    """One of them as a subject."""

    version = "1"

    def __init__(self, name: str) -> None:
        self.name = name

    def claims(self, dialect: str) -> bool:
        return dialect in ("openai-chat", "anthropic-messages")

    def open(self, case: Case) -> Session:
        return NAIVE[self.name](case)
