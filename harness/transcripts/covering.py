"""Transcripts of one dialect that together have every feature of its recordings, each short enough for the full proof.

Greedily: of the recording that has most of what is still missing, a transcript is made that keeps just that. If it is
too long it is halved, not the body but the features to be kept: those that come up early in the stream and those that come
up late, each shrunk anew, and so on down to single ones. A single feature that needs more than that is told as too long.
Features are those of the grammar: what members the parts have is left out.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from harness.case import Case
from harness.chunking import PAIRS_UP_TO
from harness.faults import Wire
from harness.files import write_atomically
from harness.transcripts.features import features_of, is_fault
from harness.transcripts.shrinker import shrink

MARK = "shrunk-"
"""What the slug of a transcript begins with."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What was made of the recordings of one dialect."""

    dialect: str
    features: frozenset[str]
    """Of the grammar, of all the recordings; of the transcripts alone if there may only be so many of them."""
    transcripts: tuple[Case, ...]
    too_long: tuple[tuple[str, int], ...] = ()
    """Features of which even the shortest transcript is too long, with its bytes."""

    @property
    def lost(self) -> frozenset[str]:
        """Features that no transcript has, as they are decoded again, and of which none is said why."""
        had = (grammar_of(case.dialect, case.body, case.end) for case in self.transcripts)
        return self.features.difference(*had, (name for name, _ in self.too_long))

    @property
    def statement(self) -> str:
        """In words and numbers."""
        covered = len(self.features) - len(self.lost) - len(self.too_long)
        size = sum(len(case.body) for case in self.transcripts)
        told = (
            f"{self.dialect}: {covered:,} of {len(self.features):,} grammar features in {len(self.transcripts):,} "
            f"transcripts ({size:,} bytes)"
        )
        told += "".join(f"; too long: {name} ({size:,} bytes)" for name, size in self.too_long)
        return told + "".join(f"; lost: {name}" for name in sorted(self.lost))


def grammar_of(dialect: str, body: bytes, end: str) -> frozenset[str]:
    """Features without the members of parts."""
    return features_of(dialect, body, end, members=False)


def cover(dialect: str, cases: Sequence[Case], *, most: int | None = None, cache: Path | None = None) -> Cover:
    """The transcripts of ``dialect`` made of ``cases``.

    Args:
        dialect: whose recordings ``cases`` are.
        cases: the recordings.
        most: no more transcripts than so many, whatever they leave out.
        cache: a folder for results, which are checked when they are used again.
    """
    had = {case.id: grammar_of(dialect, case.body, case.end) for case in cases}
    everything: frozenset[str] = frozenset().union(*had.values())
    left, found, too_long = set(everything), list[Case](), dict[str, int]()
    # What was made to show a hazard has little else: of such a recording only what no other has.
    for usable in ([case for case in cases if not case.hazard], [case for case in cases if case.hazard]):
        while usable and left and (most is None or len(found) < most):
            best = min(usable, key=lambda case: (-len(had[case.id] & left), len(case.body), case.id))
            wanted = had[best.id] & left
            if not wanted:
                break
            usable.remove(best)
            for number, made in enumerate(_made(best, best.body, wanted, cache), 1):
                if isinstance(made, bytes):
                    found.append(_transcript(best, made, number))
                    left -= grammar_of(dialect, made, best.end)
                else:
                    too_long.update(made)
    found = _needed(found) if most is None else found[:most]
    if most is not None:
        everything &= frozenset().union(*(grammar_of(dialect, case.body, case.end) for case in found))
    never = tuple(sorted((name, size) for name, size in too_long.items() if name in left & everything))
    if never and found:
        told = ", ".join(f"{name} ({size:,} bytes)" for name, size in never)
        found[-1] = replace(found[-1], source=f"{found[-1].source}; too long for a transcript of {dialect}: {told}")
    return Cover(dialect, everything, tuple(found), never)


def _needed(found: Sequence[Case]) -> list[Case]:
    """Without those that have no feature that none of the others has, the longest first: its proof costs most."""
    has = {case.id: grammar_of(case.dialect, case.body, case.end) for case in found}
    for case in sorted(found, key=lambda case: (-len(case.body), case.id)):
        if has[case.id] <= frozenset().union(*(names for name, names in has.items() if name != case.id)):
            del has[case.id]
    return [case for case in found if case.id in has]


def _made(case: Case, body: bytes, wanted: Collection[str], cache: Path | None) -> Iterator[bytes | dict[str, int]]:
    """Transcripts that have ``wanted`` between them; or single features, with the bytes that they need.

    ``body`` is that of ``case``, or what was left of it with all that ``wanted`` is a share of.
    """
    shrunk = _shrunk(replace(case, body=body), wanted, cache)
    if len(shrunk) > PAIRS_UP_TO and len(wanted) == 1:
        # What was left may be a dead end.
        shrunk = _shrunk(case, wanted, cache)
    if len(shrunk) <= PAIRS_UP_TO:
        yield shrunk
    elif len(wanted) == 1:
        yield dict.fromkeys(wanted, len(shrunk))
    else:
        order = _as_they_come(replace(case, body=shrunk), wanted)
        covered: frozenset[str] = frozenset()
        for made in _made(case, shrunk, order[: len(order) // 2], cache):
            yield made
            if isinstance(made, bytes):
                covered |= grammar_of(case.dialect, made, case.end)
        if second := [name for name in order[len(order) // 2 :] if name not in covered]:
            yield from _made(case, shrunk, second, cache)


def _as_they_come(case: Case, wanted: Collection[str]) -> list[str]:
    """Features in the order in which frames bring them."""
    wire = Wire.of(case)
    came: dict[str, int] = {}
    for count in range(1, len(wire.frames) + 1):
        body = b"".join(wire.pieces[:count])
        for name in grammar_of(case.dialect, body, "cut"):
            if not is_fault(name):
                came.setdefault(name, count)
    return sorted(wanted, key=lambda name: (came.get(name, len(wire.frames) + 1), name))


def _transcript(case: Case, body: bytes, number: int) -> Case:
    origin = case.shrunk_from or case.id
    source = f"shrunk from {origin}, {len(case.body):,} to {len(body):,} bytes"
    if case.shrunk_from:
        source += f"; borrowed, as there is no recording of {case.dialect}"
    return Case(
        id=f"{case.dialect}/{MARK}{case.slug}{f'.{number}' if number > 1 else ''}",
        dialect=case.dialect,
        body=body,
        end=case.end,
        source=source,
        provenance=case.provenance,
        shrunk_from=origin,
    )


def _shrunk(case: Case, wanted: Collection[str], cache: Path | None) -> bytes:
    return _kept(case, wanted, cache, lambda: shrink(case, wanted, members=False))


def _kept(case: Case, wanted: Collection[str], cache: Path | None, make: Callable[[], bytes]) -> bytes:
    """What is in the cache under the hash of all that decides it, or is made and put there."""
    if cache is None:
        return make()
    words = (_code(), case.dialect, case.end, hashlib.sha256(case.body).hexdigest(), *sorted(wanted))
    name = hashlib.sha256("\n".join(words).encode()).hexdigest()
    path = cache / f"{name}.hex"
    with suppress(OSError, ValueError):
        body = bytes.fromhex(path.read_text(encoding="ascii"))
        # Another version of the core may have made it.
        has = grammar_of(case.dialect, body, case.end)
        faults = filter(is_fault, has - grammar_of(case.dialect, case.body, case.end))
        if len(body) <= len(case.body) and has.issuperset(wanted) and not any(faults):
            return body
    body = make()
    write_atomically(path, body.hex())
    return body


@functools.cache
def _code() -> str:
    """The hash of what shrinks: other code may do it better, and the same recordings shall give the same transcripts."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
