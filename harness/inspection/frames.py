"""The frames of a recorded body, each with its bytes, the chunks that brought it, and when it was whole."""

from __future__ import annotations

import json
from base64 import b64decode
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from struct import unpack_from
from typing import TYPE_CHECKING, Any
from zlib import crc32

from harness.coding import decode_chunks
from harness.subjects.core import FRAMINGS
from streamcore import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.cassette import Interaction

_MEDIA_TYPES = {
    "text/event-stream": "sse",
    "application/vnd.amazon.eventstream": "eventstream",
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/stream+json": "ndjson",  # Cohere, chat v1
    "application/json": "jsonarray",
}
_EVENT_HEADERS = (":event-type", ":exception-type", ":error-code")
_SSE_FIELDS = (b"data", b"event", b"id")
_PRELUDE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Chunk:
    """One recorded chunk, decoded: where in the decoded body it lies, and when it came (None: not kept)."""

    start: int
    end: int
    at_ms: float | None


@dataclass(frozen=True)
class Body:
    """A decoded response body and its chunks; those that yielded nothing yet are empty, so that numbers are the recording's."""

    data: bytes
    chunks: tuple[Chunk, ...]

    def chunk_of(self, offset: int) -> int | None:
        """0-based number of the chunk that brought the byte at ``offset``; None if chunks were not kept."""
        number = bisect_right(self._ends, offset)
        return number if number < len(self.chunks) else None

    @cached_property
    def _ends(self) -> list[int]:
        return [chunk.end for chunk in self.chunks]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. ``start`` and ``end`` are offsets in the decoded body; comments before an SSE event belong to it."""

    start: int
    end: int
    first_chunk: int | None
    chunk: int | None
    """The chunk that made it whole."""
    at_ms: float | None
    event: str
    """The SSE event type, or what the headers of an AWS message call it; mostly empty."""
    data: bytes
    notes: tuple[str, ...] = ()
    """What else is in it: id, comments and other lines; headers; checksums. Not yet safe to print."""

    @property
    def value(self) -> Any:
        """The data as JSON, base64 payloads of Bedrock unwrapped.

        Raises:
            ValueError: it is no JSON.
        """
        value = strict_json(self.data)
        inner = value.get("bytes") if isinstance(value, dict) else None
        if isinstance(inner, str):
            try:
                return {**value, "bytes": strict_json(b64decode(inner, validate=True))}
            except ValueError:
                return value
        return value


@dataclass(frozen=True, slots=True)
class Framed:
    """All that the framing of a body finds."""

    framing: str
    """``sse``, ``eventstream``, ``ndjson`` or ``jsonarray``."""
    frames: tuple[Frame, ...]
    unterminated: Frame | None
    """What the end of input left open and could still be read."""
    trouble: tuple[str, ...]
    """What ended the framing before its time; one line each, with its byte."""
    rest: int
    """Offset of the bytes behind the last frame; the length of the body if there are none."""


def decoded(interaction: Interaction) -> Body:
    """The decoded body of a response, chunk by chunk.

    Raises:
        harness.coding.CodingError: its content coding cannot be undone.
    """
    stream = interaction.stream
    ends = list(accumulate(stream.chunks or (len(interaction.body),), initial=0))
    pieces = [interaction.body[start:end] for start, end in pairwise(ends)]
    if interaction.codings:
        pieces = decode_chunks(pieces, interaction.codings)
    data = b"".join(pieces)
    bounds = pairwise(accumulate(map(len, pieces), initial=0))
    chunks = (Chunk(start, end, at) for (start, end), at in zip(bounds, stream.at_ms, strict=False))
    return Body(data, tuple(chunks) if stream.chunks else ())


def framing_of(dialect: str, interaction: Interaction) -> str:
    """The framing of a dialect; of one that streamcore does not know, what the content type says; SSE if that says nothing."""
    if dialect in DIALECTS:
        framer = DIALECTS[dialect].framer
        return next(name for name, (made_by, _) in FRAMINGS.items() if made_by is framer)
    kind = next((value for name, value in interaction.response_headers if name.lower() == "content-type"), "")
    return _MEDIA_TYPES.get(kind.partition(";")[0].strip().lower(), "sse")


def framed(body: Body, framing: str) -> Framed:
    """The frames of ``body``."""
    data = body.data
    framer = FRAMINGS[framing][0]()
    found: list[Frame] = []
    at = 0
    for raw in framer.feed(data):
        end = raw[-1]
        # An SSE event may be out with the CR of its last line end, to which a LF still belongs.
        end += framing == "sse" and data[end - 1 : end + 1] == b"\r\n"
        found.append(_frame(body, framing, raw, at, end))
        at = end
    last = framer.close()
    open_frame = _frame(body, framing, last, at, len(data)) if last is not None else None
    trouble = []
    if framer.failure is not None:
        trouble.append(f"byte {framer.failure.offset}: {framer.failure.kind.value}: {framer.failure.detail}")
        trouble += _checksums_said(data, framer.failure.offset) if framing == "eventstream" else ()
    elif framer.truncated:
        trouble.append(f"byte {len(data)}: the body ends inside {_unit(framing)}")
        trouble += _checksums_said(data, at) if framing == "eventstream" else ()
    elif open_frame is not None:
        trouble.append(f"byte {len(data)}: the last frame has no end")
    return Framed(framing, tuple(found), open_frame, tuple(trouble), at)


def whole(body: Body) -> Frame:
    """A body that is no stream, as one frame."""
    return _frame(body, "ndjson", (body.data, len(body.data)), 0, len(body.data))


def strict_json(data: bytes) -> Any:
    """The value of JSON text; ValueError for anything else, ``NaN`` and nesting beyond Python's among it."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    try:
        return json.loads(data, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _unit(framing: str) -> str:
    return {"eventstream": "a message", "jsonarray": "its array"}.get(framing, "a frame")


def _frame(body: Body, framing: str, raw: Any, start: int, end: int) -> Frame:
    first = body.chunk_of(start)
    chunk = body.chunk_of(end - 1) if end > start else first
    frame = Frame(
        start=start,
        end=end,
        first_chunk=first,
        chunk=chunk,
        at_ms=None if chunk is None else body.chunks[chunk].at_ms,
        event="",
        data=raw[0],
    )
    if framing == "sse":
        data, event, ident, _ = raw
        notes = tuple(_other_lines(body.data[start:end]))
        if ident is not None:
            notes = (f"id: {ident}", *notes)
        return replace(frame, event=event, data=data, notes=notes)
    if framing == "eventstream":
        headers, payload, _ = raw
        named = _named(headers)
        others = tuple(f"{name}: {value}" for name, value in headers.items() if name != named)
        event = str(headers[named]) if named else ""
        return replace(
            frame, event=event, data=payload, notes=(*others, *_checksums_said(body.data, start), *_inner(payload))
        )
    return frame


def _named(headers: Mapping[str, object]) -> str:
    return next((name for name in _EVENT_HEADERS if name in headers), "")


def _other_lines(block: bytes) -> Iterator[str]:
    """Lines of an SSE block that are no part of its event: comments, ``retry``, fields that no standard knows."""
    for line in block.removeprefix(b"\xef\xbb\xbf").splitlines():
        if line and line.partition(b":")[0] not in _SSE_FIELDS:
            yield line.decode("utf-8", "surrogateescape")


def _inner(payload: bytes) -> Iterator[str]:
    """What Bedrock's InvokeModelWithResponseStream wraps in base64."""
    try:
        value = strict_json(payload)
        if isinstance(value, dict) and isinstance(value.get("bytes"), str):
            yield "bytes: " + b64decode(value["bytes"], validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        return


def _checksums_said(data: bytes, start: int) -> Iterator[str]:
    """Both checksums of the AWS message at ``start``, as far as its bytes are there."""
    there = len(data) - start
    if there < _PRELUDE_BYTES:
        yield f"checksums: {there} of the {_PRELUDE_BYTES} bytes of a prelude are there"
        return
    total, _, given = unpack_from(">III", data, start)
    right = crc32(data[start : start + 8])
    if given != right:
        yield f"checksums: prelude wrong (says {given:08x}, is {right:08x})"
        return
    if not _PRELUDE_BYTES + 4 <= total <= there:
        yield f"checksums: prelude good; the message has {there} of its {total} bytes"
        return
    (given,) = unpack_from(">I", data, start + total - 4)
    right = crc32(data[start : start + total - 4])
    said = "good" if given == right else f"wrong (says {given:08x}, is {right:08x})"
    yield f"checksums: prelude good, message {said}"
