"""A stretch of a body as the report draws it: its bytes, its frames, and which of them each output character came from.

The strings of the parts (``delta``) are looked for in the frame that they came out with, as the ledger does for the
arguments of tool calls: as a whole JSON string, or as a piece of one that goes on where the piece before it ended. A
string that its frame does not say, which is what a wrong subject puts out, is laid beside the likeliest one: what both
begin and end with is exact, and what differs between is charged to the bytes from which it should have come.

All of it is bounded: the stretch lies around the first difference, and begins and ends with whole characters.
"""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise, takewhile

from harness.case import Case
from harness.findings import Strip, Written
from harness.lanes import whole_characters
from harness.ledger import json_texts, strings
from harness.minimal.places import Places
from harness.proof import Walk
from harness.subjects import PartJson
from harness.verdict import Difference
from streamcore import DIALECTS
from streamcore.framing.sse import SseFramer

MAX_BYTES = 1536
"""Bytes of one stretch."""
MAX_CHARACTERS = 1200
"""Characters of output that are laid beside one stretch."""
MAX_WRITTEN = 60
"""Strings of output that are laid beside one stretch."""

FRAMES_BACK = 24
"""Frames before its own in which a string is looked for: arguments are held back until their call has a name."""

_Origin = tuple[int, str, bool]
"""The first byte, the spans from there on, and whether the bytes say just this."""

_CONTENT = frozenset(
    "text content thinking reasoning reasoning_content refusal completion response delta arguments partial_json "
    "generated_text args input data".split()
)
"""Keys under which APIs send what a model says."""


def strip_of(case: Case, walked: Walk, differences: Sequence[Difference]) -> Strip | None:
    """What to draw of ``case``, whose subject was fed byte by byte in ``walked``; None for an empty body."""
    size = len(case.body)
    if not size:
        return None
    ends = Places(case.body, case.dialect).ends
    start, end = _stretch(case.body, ends, _focus(ends, differences))
    first = bisect_right(ends, start)
    inside = [at for at in ends[first:] if at < end]
    last = next((at for at in ends[first + len(inside) :]), size)
    written, more = _written(case, walked, ends, (start, end))
    return Strip(
        start=start,
        bytes=b64encode(case.body[start:end]).decode(),
        frame=first,
        frames=(*inside, last),
        written=tuple(written),
        more=more,
    )


def _focus(ends: Sequence[int], differences: Sequence[Difference]) -> int:
    """The offset that a reader comes for."""
    for one in differences:
        if one.minimal is not None and one.minimal.cuts:
            return one.minimal.cuts[0].offset
    for one in differences:
        if one.byte_offset is not None:
            return ends[one.event - 1] if one.event and one.event <= len(ends) else max(0, one.byte_offset - 1)
    return 0


def _stretch(body: bytes, ends: Sequence[int], focus: int) -> tuple[int, int]:
    """At most :data:`MAX_BYTES` around ``focus``, from the start of a frame if one begins near enough."""
    if len(body) <= MAX_BYTES:
        return 0, len(body)
    start = max(0, min(focus - MAX_BYTES // 3, len(body) - MAX_BYTES))
    begins = bisect_left(ends, start)
    if start and begins < len(ends) and ends[begins] <= focus:
        start = ends[begins]
    return whole_characters(body, start, min(len(body), start + MAX_BYTES))


def _written(case: Case, walked: Walk, ends: Sequence[int], stretch: tuple[int, int]) -> tuple[list[Written], int]:
    bounds = [0, *ends, *([len(case.body)] if not ends or ends[-1] < len(case.body) else [])]
    frames: dict[int, _Frame] = {}
    found: list[Written] = []
    more, left = 0, MAX_CHARACTERS
    for index, (part, (at, _)) in enumerate(zip(walked.parts, walked.emitted_at(), strict=True)):
        text = _said(part)
        # Parts come out with the last byte of their frame, or at the end of input with what was left open.
        frame = min(bisect_left(bounds, at, 1) - 1, len(bounds) - 2)
        if not text or bounds[frame] >= stretch[1] or bounds[frame + 1] <= stretch[0]:
            continue
        if len(found) >= MAX_WRITTEN or not left:
            more += 1
            continue
        shown = text[:left]
        for near in range(frame, max(-1, frame - FRAMES_BACK), -1):
            if near not in frames:
                frames[near] = _Frame(case, bounds[near], bounds[near + 1])
            told = frames[near].said(text, len(shown))
            if told is not None:
                break
        start, spans, exact = told or frames[frame].beside(text, len(shown))
        left -= len(shown)
        found.append(Written(index, part["type"], shown, len(text) - len(shown), start, spans, exact))
    return found, more


def _said(part: PartJson) -> str:
    delta = part.get("delta")
    return delta if isinstance(delta, str) else ""


class _Frame:
    """One frame of the body, and how much of each of its strings is taken already."""

    def __init__(self, case: Case, start: int, end: int) -> None:
        framing = DIALECTS[case.dialect].framer if case.dialect in DIALECTS else SseFramer
        self._start, self._end = start, end
        self._places = [place for at, text in json_texts(case.body, start, end, framing) for place in strings(text, at)]
        self._places.sort(key=lambda place: place.key not in _CONTENT)
        self._taken = [0] * len(self._places)

    def said(self, text: str, count: int) -> _Origin | None:
        """Where the first ``count`` characters of ``text`` came from; None if the frame does not say it."""
        for index, place in enumerate(self._places):
            at = self._taken[index]
            if place.text == text and not at:
                return self._take(index, 0, text, count)
        for index, place in enumerate(self._places):
            at = place.text.find(text, self._taken[index])
            if at >= 0 and place.key in _CONTENT:
                return self._take(index, at, text, count)
        return None

    def beside(self, text: str, count: int) -> _Origin:
        """The bytes that are likeliest to be behind ``text``, which the frame does not say."""
        likest = max(range(len(self._places)), key=lambda index: self._likeness(index, text), default=None)
        if likest is not None:
            free, alike, _ = self._likeness(likest, text)
            # A value that the dialect wrote anew resembles no string of the wire.
            if free and (alike or not text.startswith(("{", "["))):
                return self._beside(likest, text, count)
        return self._start, f"{count}!{self._end - self._start}", False

    def _take(self, index: int, at: int, text: str, count: int) -> _Origin:
        place = self._places[index]
        self._taken[index] = at + len(text)
        offsets = place.offsets[at : at + count + 1]
        if place.how == "base64":
            end = place.offsets[at + len(text)]
            return offsets[0], f"{count}!{end - offsets[0] + -(end - offsets[0]) % 4}", True
        return offsets[0], _spans(offsets), True

    def _likeness(self, index: int, text: str) -> tuple[bool, int, int]:
        place = self._places[index]
        free = not self._taken[index] and place.how == "string" and place.key in _CONTENT and bool(place.text)
        head, tail = _common(place.text, text)
        return free, head + tail, -abs(len(place.text) - len(text))

    def _beside(self, index: int, text: str, count: int) -> _Origin:
        """Laid beside a string that says something else: only what differs shares its bytes."""
        place = self._places[index]
        self._taken[index] = len(place.text)
        head, tail = _common(place.text, text)
        offsets = place.offsets
        begins, ends = offsets[head], offsets[len(place.text) - tail]
        own = len(text) - head - tail
        middle = [f"{own}*1" if own == ends - begins else f"{own}!{ends - begins}"] if own else []
        behind = _spans(offsets[len(place.text) - tail :])
        told = [*filter(None, [_spans(offsets[: head + 1])]), *middle, *filter(None, [behind])]
        return offsets[0], _first(" ".join(told), count), False


def _common(one: str, other: str) -> tuple[int, int]:
    """How many characters both begin with, and how many of the others both end with."""
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    left = min(len(one), len(other)) - head
    pairs = zip(one[::-1][:left], other[::-1][:left], strict=True)
    return head, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _spans(offsets: Sequence[int]) -> str:
    return " ".join(f"{sum(1 for _ in run)}*{width}" for width, run in groupby(b - a for a, b in pairwise(offsets)))


def _first(spans: str, count: int) -> str:
    """The spans of the first ``count`` characters. A span that is shared keeps all of its bytes."""

    def cut() -> Iterator[str]:
        left = count
        for span in spans.split():
            sign = "*" if "*" in span else "!"
            number, width = map(int, span.split(sign))
            if left:
                yield f"{min(number, left)}{sign}{width}"
            left -= min(number, left)

    return " ".join(cut())
