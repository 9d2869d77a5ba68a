"""Why a body fails when it is cut: the cause that the places of all cuts that were tried leave, or none.

Evidence is which single cuts fail *and* which pass: cuts inside a field name fail for code that loses every line that
comes in two chunks, too, and only those beside them tell the one from the other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from harness.evidence.kinds import Cause, told
from harness.minimal.places import Places, Position
from harness.minimal.searched import Searched

_BLANK_LINE = frozenset({Position.CR_LF, Position.LINE_END, Position.BEFORE_LINE_END})
_PRELUDE = frozenset({Position.LENGTHS, Position.PRELUDE_CRC, Position.INSIDE_PRELUDE_CRC, Position.HEADERS})
_ESCAPES = frozenset({Position.ESCAPE, Position.SURROGATES})
_STRING = frozenset({Position.STRING, Position.UTF8, *_ESCAPES})
_FIELD = frozenset({Position.FIELD_NAME, Position.FIELD_VALUE})
_BETWEEN_LINES = frozenset({Position.LINE_END, Position.FRAMES, Position.EDGE})
_ENDS = {*_BETWEEN_LINES, Position.CR_LF, Position.BEFORE_LINE_END}
_ENOUGH = 3
"""Cuts of other kinds that must pass."""
_MARK = "EF BB BF"
_CAUSES = 2
"""Causes that one sentence names."""
_LONGEST_WORD = 64
"""Bytes of the longest stretch that is called a word."""

_FRAMES = {
    "sse": Cause.CUT_FRAME,
    "eventstream": Cause.CUT_MESSAGE,
    "ndjson": Cause.CUT_LINE,
    "jsonarray": Cause.CUT_ELEMENT,
}
"""What is said of a frame that comes in two chunks, for people who do not call it that."""


def cause_of_cuts(found: Searched) -> str:
    """The sentence; empty where no boundary is needed, for then cutting is not the cause."""
    if found.is_cut_short or not found.cuts:
        return ""
    if found.size is not None:
        return _of_size(*found.size, found.places)
    if len(found.cuts) > 1:
        return told(Cause.CUTS, f"it takes {len(found.cuts)} cuts")
    return _of_one(found.singles, found.places)


def _of_size(low: int, high: int, places: Places) -> str:
    """One chunk must hold ``low`` to ``high``: no smaller one within it fails."""
    body = places.body
    text = body[low:high]
    lines = len(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1
    frames = sum(low < end <= high for end in places.ends)
    holds = f"it fails as soon as one holds bytes {low} to {high - 1}"
    if places.framing == "sse" and lines > 1:
        return told(Cause.PACKED_LINES, f"{holds}, {places.text(low, high)[-60:]!r}")
    if places.framing == "sse" and _is_mark(low, high, places):
        return told(Cause.DONE_MISREAD)
    if frames > 1 or (frames and any(low < end < high for end in places.ends)):
        return told(Cause.PACKED_FRAMES, holds)
    return told(Cause.SIZE, holds)


def _is_mark(low: int, high: int, places: Places) -> bool:
    """Whether the stretch lies in the last line that says anything, and that line is the closing mark."""
    start = max(places.body.rfind(b"\n", 0, low), places.body.rfind(b"\r", 0, low)) + 1
    return b"[DONE]" in places.body[start:high] and not places.body[start:high].strip(b"\r\n data:").strip(b"[DONE]")


def _of_one(singles: Mapping[int, bool], places: Places) -> str:
    failed = sorted(cut for cut, fails in singles.items() if fails)
    passed = [cut for cut, fails in singles.items() if not fails]
    where = {cut: places.position(cut) for cut in failed}
    kinds = set(where.values())
    if all(places.at(cut).after.startswith(_MARK) for cut in failed):
        return told(Cause.CUT_MARK)
    # What all of them have in common tells something only where cuts of other kinds inside a line were tried, and pass.
    others = [one for one in map(places.position, passed) if one not in _ENDS]
    groups = _groups(failed, where, places)
    if groups and len(others) >= _ENOUGH:
        return "; and ".join(told(cause, _detail(cause, cuts, places)) for cause, cuts in groups.items())
    for among, cause in _ONE_KIND:
        if kinds <= among and sum(one not in among for one in others) >= _ENOUGH:
            return told(cause)
    if all(_in_blank_line(cut, places) for cut in failed):
        return told(Cause.CUT_BLANK_LINE)
    if all(_between_frames(cut, places) for cut in failed):
        return told(Cause.CUT_BETWEEN)
    word = _word(failed, singles, places)
    if word:
        return told(Cause.CUT_WORD, word)
    return _of_units(failed, passed, where, places)


def _groups(failed: Sequence[int], where: Mapping[int, Position], places: Places) -> dict[Cause, list[int]]:
    """The cuts that fail by what each alone is enough to tell; nothing if one of them is none of these, or if they are many."""
    found: dict[Cause, list[int]] = {}
    for cut in failed:
        cause = _ALONE.get(where[cut]) or (Cause.CUT_DONE if _in_closing_line(cut, places) else None)
        if cause is None:
            return {}
        found.setdefault(cause, []).append(cut)
    return found if len(found) <= _CAUSES else {}


def _detail(cause: Cause, cuts: Sequence[int], places: Places) -> str:
    names = list(dict.fromkeys(places.at(cut).character for cut in cuts[:3]))
    return names[0] if cause is Cause.CUT_CHARACTER and len(names) == 1 else ""


def _in_closing_line(cut: int, places: Places) -> bool:
    body = places.body
    start = max(body.rfind(b"\n", 0, cut), body.rfind(b"\r", 0, cut)) + 1
    line = re.match(rb"[^\r\n]*", body[start : start + _LONGEST_WORD])
    return start < cut and line is not None and line[0].replace(b" ", b"") == b"data:[DONE]"


def _of_units(failed: Sequence[int], passed: Collection[int], where: Mapping[int, Position], places: Places) -> str:
    """Lines, frames, or everything: cuts between them never fail, and those of more than one kind inside them do."""
    sse = places.framing == "sse"
    between_frames = [cut for cut in (*failed, *passed) if places.position(cut) is Position.FRAMES]
    if not passed and between_frames:
        return told(Cause.CUT_ANYWHERE)
    spared = sum(places.position(cut) not in _ENDS for cut in passed)
    if spared > len(failed):
        return told(Cause.CUTS, _share(failed, passed))  # what most units bear in two chunks is not what harms the others
    if sse and not any(one in _BETWEEN_LINES or one is Position.CR_LF for one in where.values()):
        return told(Cause.CUT_LINE, _share(failed, passed))
    if not any(one is Position.FRAMES for one in where.values()):
        return told(_FRAMES[places.framing], _share(failed, passed))
    return told(Cause.CUTS, _share(failed, passed))


def _share(failed: Sequence[int], passed: Collection[int]) -> str:
    return f"{len(failed):,} of {len(failed) + len(passed):,} cuts that were tried fail"


def _in_blank_line(cut: int, places: Places) -> bool:
    """Inside the line ends that end a frame of an event stream."""
    if places.framing != "sse" or places.position(cut) not in _BLANK_LINE:
        return False
    end = next((end for end in places.ends if end > cut), len(places.body))
    return not places.body[cut - 1 : end].strip(b"\r\n")


def _between_frames(cut: int, places: Places) -> bool:
    """Behind the end of a frame, and before anything of the next."""
    end = max((end for end in places.ends if end <= cut), default=None)
    return end is not None and not places.body[end:cut].strip(b" \t\r\n,[]")


def _word(failed: Sequence[int], singles: Mapping[int, bool], places: Places) -> str:
    """What the bytes say inside which every cut fails and outside which none does, if it is one word; else empty."""
    low, high = failed[0], failed[-1]
    if len(failed) < 2 or high - low >= _LONGEST_WORD or len(failed) != high - low + 1:
        return ""
    said = places.body[low - 1 : high + 1]
    edges = (low - 1, high + 1)
    if any(byte < 0x20 or byte >= 0x7F for byte in said) or not all(singles.get(cut) is False for cut in edges):
        return ""
    return repr(said.decode("ascii").strip())


_ALONE = {
    Position.UTF8: Cause.CUT_CHARACTER,
    Position.CR_LF: Cause.CUT_CRLF,
    Position.ESCAPE: Cause.CUT_ESCAPE,
    Position.SURROGATES: Cause.CUT_ESCAPE,
    Position.DONE: Cause.CUT_DONE,
}
"""Places of which each is a cause by itself, and code may have several."""

_ONE_KIND: tuple[tuple[frozenset[Position], Cause], ...] = (
    (frozenset({Position.COMMENT}), Cause.CUT_COMMENT),
    (_FIELD, Cause.CUT_FIELD),
    (_PRELUDE, Cause.CUT_PRELUDE),
    (_STRING, Cause.CUT_STRING),
)
"""The kinds of places that all failing cuts have in common, the narrower first."""
