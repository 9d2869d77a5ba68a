"""How two recordings differ: the first byte, and the frames that are new, gone or changed, with the place in their JSON.

Compared is what a decoder sees: status, bodies, endings. Chunk boundaries, times and provenance differ between any two
recordings of the same thing. A comparison of shapes leaves out values, too: a frame is its event type and the keys and types
of its JSON, and equal frames in a row count once, because how many pieces a text comes in is chance.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from deepdiff import DeepDiff

from harness.canonical import canonical
from harness.coding import CodingError
from harness.inspection.frames import Framed, decoded, framed, framing_of, whole
from harness.inspection.text import Line, readable, spelt
from harness.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cassette import Cassette, Interaction
    from harness.inspection.frames import Frame

AROUND = 24
"""Bytes that are shown on either side of the first that differs."""
_NUMBER = re.compile(r"\d+")
_ADDED, _GONE, _CHANGED, _HEAD, _DIM = "green", "red", "yellow", "bold", "dim"


@dataclass(frozen=True, slots=True)
class Side:
    """One frame, or a run of frames of one shape: what it is compared by."""

    number: int
    """1-based, of the first frame."""
    key: tuple[str, str | bytes]
    event: str
    data: bytes
    value: Any
    """The JSON (or its shape); ``_TEXT`` if it is none."""


class _Text:
    """Stands for data that is no JSON."""

    def __repr__(self) -> str:
        return "text"


_TEXT = _Text()


def compare(
    one: Cassette, other: Cassette, *, frames: bool = True, raw: bool = True, shape: bool = False
) -> list[Line]:
    """Lines about how ``other`` differs from ``one``; none if it does not.

    Args:
        one: the recording that counts as the old one.
        other: the new one.
        frames: compare frames, decoded.
        raw: compare bodies byte by byte, as they were on the wire.
        shape: of frames, compare event types, keys and types alone.
    """
    lines: list[Line] = []
    if one.recorded.dialect != other.recorded.dialect:
        lines.append(_changed("dialect", one.recorded.dialect, other.recorded.dialect))
    for number, (left, right) in enumerate(zip_longest(one.interactions, other.interactions), start=1):
        if left is None or right is None:
            what, style = ("only in the first", _GONE) if right is None else ("only in the second", _ADDED)
            lines.append(((f"interaction {number}: {what}", style),))
            continue
        found = list(_ending(left, right))
        if raw:
            found += _bytes(left.body, right.body)
        if frames:
            found += _framewise(one, left, other, right, shape=shape)
        if found:
            lines += [((f"interaction {number}", _HEAD),), *((("  ", ""), *line) for line in found)]
    return lines


def _ending(left: Interaction, right: Interaction) -> Iterator[Line]:
    if left.status != right.status:
        yield _changed("status", str(left.status), str(right.status))
    if left.stream.end != right.stream.end:
        yield _changed("end", left.stream.end, right.stream.end)


def first_difference(left: bytes, right: bytes) -> int | None:
    """Offset of the first byte that differs, which may be the end of the shorter; None if there is none."""
    if left == right:
        return None
    low, high = 0, min(len(left), len(right))
    while low < high:  # equal up to low; the first difference is not behind high
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _bytes(left: bytes, right: bytes, of: str = "bytes") -> Iterator[Line]:
    at = first_difference(left, right)
    if at is None:
        return
    yield ((f"{of}: the first difference is byte {at} (of {len(left)} and {len(right)})", _CHANGED),)
    for mark, body, style in (("-", left, _GONE), ("+", right, _ADDED)):
        before, after = body[max(0, at - AROUND) : at], body[at : at + AROUND]
        there = readable(after) if after else "(the end)"
        yield ((f"  {mark} ", style), (readable(before), _DIM), ("|", style), (there, style))
    for mark, body, style in (("-", left, _GONE), ("+", right, _ADDED)):
        yield ((f"  {mark} {body[at : at + 8].hex(' ').upper() or '(the end)'}", style),)


def _framewise(one: Cassette, left: Interaction, other: Cassette, right: Interaction, *, shape: bool) -> Iterator[Line]:
    try:
        before, after = _read(one, left), _read(other, right)
    except CodingError as error:
        if left.body != right.body:
            yield ((f"frames: cannot be compared: byte {error.offset}: {visible(str(error))}", _CHANGED),)
        return
    yield from _steps(_sides(before, shape=shape), _sides(after, shape=shape))
    yield from _outside(before, after, shape=shape)


def _steps(old: Sequence[Side], new: Sequence[Side]) -> Iterator[Line]:
    matcher = SequenceMatcher(None, [side.key for side in old], [side.key for side in new])
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            continue
        for was, now in zip_longest(old[old_from:old_to], new[new_from:new_to]):
            if was is None:
                yield ((f"+ frame {now.number}: ", _ADDED), (_shown(now), _ADDED))
            elif now is None:
                yield ((f"- frame {was.number}: ", _GONE), (_shown(was), _GONE))
            else:
                moved = f" (now {now.number})" if now.number != was.number else ""
                yield ((f"~ frame {was.number}{moved}", _CHANGED),)
                yield from _within(was, now)


def _outside(before: _Read, after: _Read, *, shape: bool) -> Iterator[Line]:
    """What is in no frame, and what ended the framing."""
    if before.rest != after.rest and not shape:
        yield _changed("in no frame", readable(before.rest) or "(nothing)", readable(after.rest) or "(nothing)")
    was, now = (" ".join(read.found.trouble[:1]) for read in (before, after))
    if _NUMBER.sub("", was) != _NUMBER.sub("", now):
        yield _changed("framing", was or "(whole)", now or "(whole)")


@dataclass(frozen=True, slots=True)
class _Read:
    found: Framed
    rest: bytes
    """What follows the last frame and is none."""


def _read(cassette: Cassette, interaction: Interaction) -> _Read:
    body = decoded(interaction)
    if not interaction.is_stream:
        return _Read(Framed("none", (whole(body),), None, (), len(body.data)), b"")
    found = framed(body, framing_of(cassette.recorded.dialect, interaction))
    return _Read(found, b"" if found.unterminated else body.data[found.rest :])


def _sides(read: _Read, *, shape: bool) -> list[Side]:
    found = read.found
    frames = [*found.frames, *([found.unterminated] if found.unterminated else [])]
    sides = [_side(number, frame, shape=shape) for number, frame in enumerate(frames, start=1)]
    if shape:
        return [side for at, side in enumerate(sides) if not at or side.key != sides[at - 1].key]
    return sides


def _side(number: int, frame: Frame, *, shape: bool) -> Side:
    value: Any = _TEXT
    key: tuple[str, str | bytes] = (frame.event, b"" if shape else frame.data)
    with contextlib.suppress(ValueError, RecursionError):  # what is nested too deeply counts as text
        value = shape_of(frame.value) if shape else frame.value
        key = (frame.event, canonical(value) if shape else frame.data)
    return Side(number, key, frame.event, frame.data, value)


def shape_of(value: Any) -> Any:
    """The keys and types of a JSON value: objects by key, arrays by the different shapes in them, the rest by its type."""
    if isinstance(value, dict):
        return {key: shape_of(inner) for key, inner in value.items()}
    if isinstance(value, list):
        shapes = {canonical(shape): shape for shape in map(shape_of, value)}
        return [shapes[text] for text in sorted(shapes)]
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", type(None): "null"}.get(type(value), "text")


def _shown(side: Side) -> str:
    event = f"{visible(side.event)}  " if side.event else ""
    return event + readable(side.data)


def _within(was: Side, now: Side) -> Iterator[Line]:
    if was.event != now.event:
        yield (("  ", ""), *_changed("event", was.event or "(none)", now.event or "(none)"))
    if was.value is _TEXT or now.value is _TEXT:
        if was.data != now.data:
            yield ((f"  - {readable(was.data)}", _GONE),)
            yield ((f"  + {readable(now.data)}", _ADDED),)
        return
    places: list[Line] = []
    with contextlib.suppress(RecursionError):
        places = list(_places(was.value, now.value))
    yield from places
    if not places and was.event == now.event:
        # The same value spelt otherwise; or true, which deepdiff takes for 1.
        for line in _bytes(was.data, now.data, "data"):
            yield (("  ", ""), *line)


def _places(was: Any, now: Any) -> Iterator[Line]:
    """A line a place of the JSON that differs, in the order of the places."""
    tree = DeepDiff(was, now, view="tree", verbose_level=2, threshold_to_diff_deeper=0)
    found = [change for changes in tree.values() for change in changes]
    told = [(_path(change.path(output_format="list")), change) for change in found]
    for path, change in sorted(told, key=lambda pair: pair[0]):
        kind = change.report_type
        if kind.endswith("_added"):
            yield ((f"  + {path}: {_json(change.t2)}", _ADDED),)
        elif kind.endswith("_removed"):
            yield ((f"  - {path}: {_json(change.t1)}", _GONE),)
        else:
            yield (("  ", ""), *_changed(path, _json(change.t1), _json(change.t2)))


def _path(steps: Sequence[str | int]) -> str:
    """A JSONPath (RFC 9535): ``$.choices[0].delta['odd key']``."""
    text = "$"
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if step.isascii() and step.isidentifier() else f"[{_json(step)}]"
    return text


def _json(value: Any) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def _changed(name: str, was: str, now: str) -> Line:
    return ((f"~ {name}: ", _CHANGED), (spelt(was), _GONE), (" -> ", ""), (spelt(now), _ADDED))
