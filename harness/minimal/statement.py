"""When a body fails, in one line: what a search for the minimal cut has shown, and not a word more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.findings import CutPlace
from harness.minimal.places import Places, Position
from harness.minimal.searched import Searched

_AT_MOST = 3
"""Kinds of places that one statement names."""
_WORD = 64
"""Bytes of the longest stretch that one statement quotes."""


def stated(found: Searched) -> tuple[str, bool]:
    """The statement, and whether it is an "if and only if" for which every single cut of the body was tried."""
    best, cuts = found.best, found.cuts
    if found.is_cut_short:
        return f"fails when the body ends {where(cuts[0])}", False
    if not best.cuts:
        return "fails uncut: the whole body, given at once, is read wrong", False
    if found.size is not None:
        low, high = found.size
        return f"fails uncut, not byte by byte: one chunk must hold bytes {low} to {high - 1} at once", False
    if len(cuts) > 1:
        and_where = "; and ".join(where(place) for place in cuts)
        return f"fails with {len(cuts)} cuts, not with one: a chunk must end {and_where}", False
    return _of_one(cuts[0], found.singles, found.places)


def _of_one(place: CutPlace, singles: Mapping[int, bool], places: Places) -> tuple[str, bool]:
    """Whether the single cuts that fail are those of one place or kind of place, and no others."""
    failed = {cut for cut, fails in singles.items() if fails}
    everywhere = len(singles) == len(places.body) - 1
    among = "" if everywhere else f" (of {len(singles)} single cuts tried)"
    if len(failed) == len(singles) > 1:
        return f"fails wherever the body is cut: all of {len(singles)} single cuts, the first {where(place)}", everywhere
    if len(failed) == 1:
        return f"fails if and only if a chunk ends {where(place)}{among}", everywhere
    told = {cut: places.at(cut) for cut in singles}
    first = f"{len(failed)} places, the first {where(place)}"
    for alike in _KINDS:
        bad = sorted({alike(told[cut]) for cut in failed})
        good = sorted({alike(told[cut]) for cut in singles if cut not in failed})
        if set(bad) & set(good):
            continue
        if len(bad) <= _AT_MOST:
            return f"fails if and only if a chunk ends {' or '.join(bad)}: {first}{among}", everywhere
        if len(good) <= _AT_MOST:
            return f"fails unless every chunk ends {' or '.join(good)}: {first}{among}", everywhere
    low, high = min(failed), max(failed)
    in_one = high - low < _WORD and len({told[cut].event for cut in failed}) == 1
    if in_one and all(singles.get(cut) for cut in range(low, high + 1)):
        # Looked for in one chunk, where it may come in two: a mark, a name, a prefix.
        within = f"inside the bytes {low - 1} to {high}, which say {places.text(low - 1, high + 1)!r}"
        return f"fails if and only if a chunk ends {within}: {len(failed)} places{among}", everywhere
    tried = f"{len(failed):,} of {len(singles):,} places"
    return f"fails when the body is cut in two at {tried} that were tried, the first {where(place)}", False


_KINDS: tuple[Callable[[CutPlace], str], ...] = (
    lambda place: place.position,
    lambda place: f"{place.position} {place.character}".rstrip(),
    lambda place: f"{place.position} after 0x{place.before[-2:]}",
    lambda place: f"after 0x{place.before[-2:]}",
    lambda place: f"before 0x{place.after[:2]}",
)
"""What a place has in common with others."""


def where(place: CutPlace) -> str:
    """``between 0xF0 and 0x9F of U+1F600 GRINNING FACE in event 12``."""
    event = "" if place.event is None else f" in event {place.event}"
    last, first = place.before[-2:], place.after[:2]
    between = f"between 0x{last} and 0x{first}" if last and first else ""
    if place.position == Position.UTF8:
        return f"{between} of {place.character}{event}"
    if place.position == Position.FRAMES:
        return "between two frames" if place.event is None else f"just before event {place.event}"
    return f"{place.position}{event}" + (f", {between}" if between and place.position != Position.CR_LF else "")
