"""A recording as a page of text: where it is from, what was asked, what came, and each frame or chunk with its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harness.coding import CodingError
from harness.exits import InputError
from harness.inspection.frames import Body, Framed, decoded, framed, framing_of
from harness.inspection.text import Line, fitted, readable, spelt
from harness.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cassette import Cassette, Headers, Interaction
    from harness.inspection.frames import Frame

View = Literal["frames", "chunks"]

_HEAD, _DIM, _EVENT, _BAD = "bold", "dim", "cyan", "bold red"
_ENDS = {
    "complete": "ended complete",
    "cut": "CUT: the peer closed early",
    "reset": "RESET: the connection was reset",
    "timeout": "TIMEOUT: nothing more came",
}


def page(
    cassette: Cassette, source: str, *, interaction: int | None = None, view: View = "frames", width: int | None = None
) -> list[Line]:
    """The lines about ``cassette``; ``width`` columns at most each (None: as long as they are). No line holds a control.

    Raises:
        InputError: the recording has no interaction of that (1-based) number.
    """
    count = len(cassette.interactions)
    if interaction is not None and not 1 <= interaction <= count:
        raise InputError(f"{source}: has {count} interaction{'s' * (count > 1)}, and no number {interaction}")
    lines: list[Line] = list(_provenance(cassette, source))
    for number, one in enumerate(cassette.interactions, start=1):
        if interaction in (None, number):
            whole = ", without a stream: the twin of the one before" if one.twin else ""
            lines += [(), ((f"interaction {number} of {count}{whole}", _HEAD),)]
            lines += _exchange(one)
            lines += _came(cassette, one, view)
    return [fitted(line, width) for line in lines]


def _provenance(cassette: Cassette, source: str) -> Iterator[Line]:
    recorded = cassette.recorded
    yield ((spelt(source), _HEAD),)
    hazard = f", shows {recorded.hazard}" if recorded.hazard else ""
    yield _field("case", f"{recorded.dialect}/{recorded.scenario}{hazard}")
    yield _field("from", f"{recorded.provenance}, provider {recorded.provider}, model {recorded.model or 'unknown'}")
    yield _field("recorded", f"{recorded.at} by {recorded.by}")
    for one in recorded.redactions:
        yield _field("redacted", f"{one.where}: {one.what} ({one.count})")


def _exchange(one: Interaction) -> Iterator[Line]:
    yield _field("request", f"{one.method} {one.uri}")
    yield from _headers(one.request_headers)
    if one.request_body:
        yield (("  body      ", _DIM), (readable(one.request_body), ""))
    yield (("  status    ", _DIM), (visible(f"{one.status} {one.reason}"), "" if one.status < 400 else _BAD))
    yield from _headers(one.response_headers)
    stream = one.stream
    count = len(stream.chunks)
    chunks = f"{count} chunk{'s' * (count != 1)}" if stream.chunks or not one.body else "chunks not kept"
    last = f" after {stream.at_ms[-1]:g} ms" if stream.at_ms else ""
    yield (
        ("  stream    ", _DIM),
        (f"{len(one.body)} bytes, {chunks}, sha256 {one.sha256[:12]}; ", ""),
        (f"{_ENDS[stream.end]}{last}", "" if stream.end == "complete" else _BAD),
    )


def _headers(headers: Headers) -> Iterator[Line]:
    for name, value in headers:
        yield (("            ", _DIM), (f"{visible(name)}: {visible(value)}", _DIM))


def _came(cassette: Cassette, one: Interaction, view: View) -> Iterator[Line]:
    try:
        body = decoded(one)
    except CodingError as error:
        yield (("  ", ""), (f"byte {error.offset}: the body cannot be decoded: {visible(str(error))}", _BAD))
        return
    if one.codings:
        yield _field("decoded", f"{len(body.data)} bytes ({', '.join(one.codings)} undone; offsets below are of these)")
    if view == "chunks":
        yield from _chunks(body)
    elif one.is_stream:
        yield from _frames(framed(body, framing_of(cassette.recorded.dialect, one)), body)
    elif body.data:
        yield (("  no stream ", _DIM), (readable(body.data), ""))


def _chunks(body: Body) -> Iterator[Line]:
    if not body.chunks:
        if body.data:
            yield (("  chunks were not kept; the whole body:", _DIM),)
            yield (("  ", ""), (readable(body.data), ""))
        return
    rows = [
        (str(number), _range(chunk.start, chunk.end), _ms(chunk.at_ms))
        for number, chunk in enumerate(body.chunks, start=1)
    ]
    texts = [readable(body.data[chunk.start : chunk.end]) for chunk in body.chunks]
    yield from _table(("chunk", "bytes", "ms"), rows, [((text, ""),) for text in texts])


def _frames(found: Framed, body: Body) -> Iterator[Line]:
    yield _field("frames", f"{len(found.frames)} ({found.framing})")
    shown = [*found.frames, *([found.unterminated] if found.unterminated else [])]
    rows = []
    for number, frame in enumerate(shown, start=1):
        mark = "open" if frame is found.unterminated else str(number)
        rows.append((mark, _range(frame.start, frame.end), _chunk_numbers(frame), _ms(frame.at_ms)))
    yield from _table(("frame", "bytes", "chunk", "ms"), rows, [_said(frame) for frame in shown], shown)
    for line in found.trouble:
        yield (("  ", ""), (visible(line), _BAD))
    rest = body.data[found.rest :]
    if rest and found.unterminated is None:
        yield (
            ("  ", ""),
            (f"bytes {_range(found.rest, len(body.data))} are in no frame: ", _DIM),
            (readable(rest), ""),
        )


def _table(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], said: Sequence[Line], frames: Sequence[Frame] = ()
) -> Iterator[Line]:
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    yield (("  " + "  ".join(name.rjust(width) for name, width in zip(head, widths, strict=True)), _DIM),)
    for position, row in enumerate(rows):
        cells = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield ((f"  {cells}  ", _DIM), *said[position])
        for note in frames[position].notes if frames else ():
            yield ((" " * (4 + len(cells)), ""), (spelt(note), _DIM))


def _said(frame: Frame) -> Line:
    data = (readable(frame.data), "")
    return ((f"{visible(frame.event)}  ", _EVENT), data) if frame.event else (data,)


def _field(name: str, value: str) -> Line:
    return ((f"  {name:<10}", _DIM), (spelt(value), ""))


def _range(start: int, end: int) -> str:
    return f"{start}..{end}"


def _ms(at_ms: float | None) -> str:
    return "-" if at_ms is None else f"{at_ms:g}"


def _chunk_numbers(frame: Frame) -> str:
    if frame.chunk is None or frame.first_chunk is None:
        return "-"
    first, last = frame.first_chunk + 1, frame.chunk + 1
    return str(last) if first == last else f"{first}-{last}"
