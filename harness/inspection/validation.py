"""All that is wrong with cassettes, with the line of the file where it stands.

:func:`harness.cassette.load` stops at the first thing that makes a cassette useless; here everything is told, and also what
is useable but cannot be true: a stream that is called cut although its body is whole, a dialect nobody knows, a time that
runs backwards, a secret that is still there.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harness import cassette as cassettes
from harness import yaml_lines
from harness.cassette import AGAIN, Cassette, CassetteError
from harness.coding import CodingError, is_encoded
from harness.exits import unknown
from harness.inspection.age import moment
from harness.inspection.frames import decoded
from harness.inspection.text import spelt
from harness.record.secrets import find
from streamcore import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.cassette import Interaction
    from harness.yaml_lines import Document

_MADE_BY = "make it with `streamparity record`"
_PUBLISH = "take it out before anyone sees it: " + AGAIN
_LINE = re.compile(r"line (\d+)")
_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong. ``line`` is 1-based, None where no line of the file can be named."""

    path: str
    line: int | None
    where: str
    what: str
    hint: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        where = f"{self.where}: " if self.where else ""
        return spelt(" ".join(f"{place}: {where}{self.what}; {self.hint}".split()))


def complaints(path: Path) -> list[Complaint]:
    """What is wrong with a file, in the order of its lines; nothing if nothing is."""
    source = str(path)
    try:
        data = cassettes.read_file(path)
        document = cassettes.parse_yaml(data, source)
    except CassetteError as error:
        line = _LINE.search(error.where)
        return [Complaint(source, int(line[1]) if line else None, error.where, error.what, error.hint)]
    lines = _Lines(yaml_lines.Document(data.decode(), document))
    found = list(_unlike_schema(document, source, lines)) or list(_contradictions(document, source, lines))
    if not found:
        try:
            loaded = cassettes.loads(data, source)
        except CassetteError as error:  # pragma: no cover - load knows something that is not told above
            return [Complaint(source, lines.of(error.where), error.where, error.what, error.hint)]
        found = [
            Complaint(source, lines.of(where), where, what, hint)
            for where, what, hint in (*_provenance(loaded), *_interactions(loaded))
        ]
    return sorted(found, key=lambda one: (one.line or 0, one.where, one.what))


class _Lines:
    """The lines on which the values of a cassette begin, by their place as errors write it."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def at(self, steps: Sequence[str | int]) -> int | None:
        """Of the value on that way, or of the nearest thing around it that is there; None for the whole."""
        return self._document.line(steps) if steps else None

    def of(self, where: str) -> int | None:
        """Of the value at ``interactions[0].stream.chunks``."""
        return self.at([name or int(number) for name, number in _STEP.findall(where)])


def _unlike_schema(document: Any, source: str, lines: _Lines) -> Iterator[Complaint]:
    for error in cassettes.schema_errors(document):
        where = re.sub(r"^\$\.?", "", error.json_path) or "top level"
        what = error.message if len(error.message) <= 160 else error.message[:120] + "... (shortened)"
        yield Complaint(
            source, lines.at(list(error.absolute_path)), where, f"not a streamparity cassette: {what}", _MADE_BY
        )


def _contradictions(document: Any, source: str, lines: _Lines) -> Iterator[Complaint]:
    """Where lengths, times and digest do not fit the body."""
    for index, item in enumerate(document["interactions"]):
        stream, string = item["stream"], item["response"]["body"]["string"]
        body = string if isinstance(string, bytes) else string.encode("utf-8", "surrogatepass")
        chunks, at_ms = (stream[name] or [] for name in ("chunks", "at_ms"))
        digest = hashlib.sha256(body).hexdigest()
        wrong = {
            "chunks": f"the chunks add up to {sum(chunks)} bytes, the body has {len(body)}"
            if stream["chunks"] is not None and sum(chunks) != len(body)
            else "",
            "at_ms": f"{len(at_ms)} times for {len(chunks)} chunks" if len(at_ms) != len(chunks) else "",
            "sha256": f"wrong hash: the body's sha256 is {digest[:12]}..., the cassette says {stream['sha256'][:12]}..."
            if digest != stream["sha256"]
            else "",
        }
        for name, what in wrong.items():
            if what:
                where = f"interactions[{index}].stream.{name}"
                yield Complaint(source, lines.of(where), where, what, AGAIN)


_Finding = tuple[str, str, str]
"""Where, what, hint."""


def _provenance(cassette: Cassette) -> Iterator[_Finding]:
    recorded = cassette.recorded
    if recorded.dialect not in DIALECTS:
        hint = "name one that streamcore decodes"
        yield "recorded.dialect", unknown("dialect", recorded.dialect, DIALECTS), hint
    if moment(recorded.at) is None:
        yield "recorded.at", f"{recorded.at} is no date", AGAIN


def _interactions(cassette: Cassette) -> Iterator[_Finding]:
    for index, one in enumerate(cassette.interactions):
        place = f"interactions[{index}]"
        for where, what, hint in (*_implausible(one), *_secrets(one)):
            yield f"{place}.{where}", what, hint


def _implausible(one: Interaction) -> Iterator[_Finding]:
    stream, size = one.stream, len(one.body)
    back = next((later for earlier, later in pairwise(stream.at_ms) if later < earlier), None)
    if back is not None:
        yield "stream.at_ms", f"time runs backwards, to {back:g} ms", AGAIN
    promised = next((value for name, value in one.response_headers if name.lower() == "content-length"), "")
    if promised.isascii() and promised.isdigit() and one.method.upper() != "HEAD":
        if stream.end == "complete" and int(promised) != size:
            yield "stream.end", f"complete, with {size} of the {promised} bytes that content-length promises", AGAIN
        elif stream.end != "complete" and int(promised) <= size:
            yield "stream.end", f"{stream.end}, though all {promised} bytes of content-length are there", AGAIN
    if one.codings:
        yield from _miscoded(one)


def _miscoded(one: Interaction) -> Iterator[_Finding]:
    named = ", ".join(one.codings)
    try:
        decoded(one)
        whole = is_encoded(one.body, one.codings)
    except CodingError as error:
        yield "response.body", f"byte {error.offset}: {error}", AGAIN
        return
    if one.body and whole != (one.stream.end == "complete") and one.stream.end in ("complete", "cut"):
        said = "ends before its end mark" if not whole else "is whole"
        yield "stream.end", f"{one.stream.end}, but the {named} of the body {said}", AGAIN


def _secrets(one: Interaction) -> Iterator[_Finding]:
    """What the recorder would have taken out or refused. Never says what it found, only what kind and where."""
    for where, data in _parts(one):
        for kind, offset in _found(data):
            yield where, f"byte {offset}: looks like a secret: {kind}", _PUBLISH


def _parts(one: Interaction) -> Iterator[tuple[str, bytes]]:
    yield "request.uri", one.uri.encode("utf-8", "surrogatepass")
    yield "request.body", one.request_body or b""
    for side, headers in (("request", one.request_headers), ("response", one.response_headers)):
        for name, value in headers:
            yield f"{side}.headers", f"{name}: {value}".encode("utf-8", "surrogatepass")
    try:
        yield "response.body", decoded(one).data
    except CodingError:
        yield "response.body", one.body


def _found(data: bytes) -> Iterator[tuple[str, int]]:
    """Kinds and offsets; each kind once, at the first place."""
    kinds: dict[str, int] = {}
    for finding in find(data):
        kinds.setdefault(finding.kind, finding.offset)
    yield from kinds.items()
