"""For each dialect a transcript short enough that all its chunkings can be proven.

Of the recordings at hand the one is taken whose transcript has the most features and at most 1 KiB, and then one more
that adds the most to it. A dialect without recordings borrows one of a dialect that is decoded by the same code (its
class derives from the other's, or both from a third's) over the same framing. What could not be had is said: a
dialect of which nothing can be shrunk that far has no transcript.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.case import Case
from harness.chunking import PAIRS_UP_TO
from harness.files import write_atomically
from harness.transcripts.features import features_of
from harness.transcripts.shrinker import shrink
from streamcore import DIALECTS
from streamcore.dialects.base import Dialect

LONGEST = 16 * 1024
"""Bytes of the longest recording that is shrunk."""
TRANSCRIPTS = 2
"""How many of one dialect."""
TRIES = 6
"""Recordings of one dialect that are shrunk in search of them."""
_MARK = "shrunk-"


@dataclass(frozen=True)
class _Candidate:
    case: Case
    features: frozenset[str]


def transcripts(cases: Sequence[Case], *, borrow: bool = True, jobs: int = 1, cache: Path | None = None) -> list[Case]:
    """Those of every dialect.

    Args:
        cases: the recordings at hand.
        borrow: whether dialects without any get those of others.
        jobs: processes.
        cache: a folder for results, which are checked when they are used again.
    """
    own: dict[str, list[Case]] = {}
    for case in cases:
        if case.dialect in DIALECTS:
            own.setdefault(case.dialect, []).append(case)
    groups = [(dialect, own.get(dialect) or (_borrowed(dialect, own) if borrow else [])) for dialect in DIALECTS]
    work = partial(_of_dialect, cache=cache)
    wanted = [group for group in groups if group[1]]
    if jobs <= 1:
        found = [work(*group) for group in wanted]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            found = list(pool.map(work, *zip(*wanted, strict=True), chunksize=1)) if wanted else []
    return [case for some in found for case in some]


def named(globs: Iterable[str], cases: Sequence[Case], cache: Path | None = None) -> list[Case]:
    """The transcripts that are called by their ids, for the commands that reproduce what was found in one."""
    found = []
    for glob in globs:
        dialect, slash, slug = glob.partition("/")
        if slash and slug.startswith(_MARK) and dialect in DIALECTS:
            original = slug.removeprefix(_MARK)
            for case in cases:
                if original in (case.slug if case.dialect == dialect else "", f"{case.dialect}-{case.slug}"):
                    found.append(_transcript(_as(dialect, case), cache))
                    break
    return found


def _borrowed(dialect: str, own: dict[str, list[Case]]) -> list[Case]:
    kind = DIALECTS[dialect]
    for base in kind.__mro__:
        if base not in DIALECTS.values() and base is not Dialect:
            continue
        if base is Dialect:
            break
        for name, cases in own.items():
            if DIALECTS[name].framer is kind.framer and issubclass(DIALECTS[name], base):
                return [_as(dialect, case) for case in cases]
    return []


def _as(dialect: str, case: Case) -> Case:
    if case.dialect == dialect:
        return case
    return replace(case, id=f"{dialect}/{case.dialect}-{case.slug}", dialect=dialect, shrunk_from=case.id)


def _of_dialect(dialect: str, cases: Sequence[Case], cache: Path | None) -> list[Case]:
    # What was made to show a hazard has little else.
    usable = [case for case in cases if 0 < len(case.body) <= LONGEST]
    usable = [case for case in usable if not case.hazard] or usable
    left = [_Candidate(case, features_of(dialect, case.body, case.end)) for case in usable]
    had: frozenset[str] = frozenset()
    found: list[Case] = []
    most = max((len(one.features) for one in left), default=0)
    for _ in range(TRIES):
        left = [one for one in left if not one.features <= had]
        if not left or len(found) == TRANSCRIPTS:
            break
        likely = [one for one in left if len(one.features) <= most]
        if likely:
            best = min(likely, key=lambda one: (-len(one.features - had), len(one.case.body), one.case.id))
        elif not found:
            best = min(left, key=lambda one: (len(one.case.body), one.case.id))
        else:
            break
        left.remove(best)
        small = _transcript(best.case, cache)
        if len(small.body) <= PAIRS_UP_TO:
            found.append(small)
            had |= best.features
        else:
            # Those with as many features are not likely to fit either.
            most = min(most - 1, len(best.features) * PAIRS_UP_TO // len(small.body))
    return found


def _transcript(case: Case, cache: Path | None) -> Case:
    body, members = _cached(case, cache), True
    if len(body) > PAIRS_UP_TO:
        body, members = _cached(replace(case, body=body), cache, members=False), False
    origin = case.shrunk_from or case.id
    source = f"shrunk from {origin}, {len(case.body):,} to {len(body):,} bytes"
    if not members:
        source += ", with the same grammar but fewer members in its parts"
    if case.shrunk_from:
        source += f"; borrowed, as there is no recording of {case.dialect}"
    return Case(
        id=f"{case.dialect}/{_MARK}{case.slug}",
        dialect=case.dialect,
        body=body,
        end=case.end,
        source=source,
        provenance=case.provenance,
        shrunk_from=origin,
    )


def _cached(case: Case, cache: Path | None, *, members: bool = True) -> bytes:
    if cache is None:
        return shrink(case, members=members)
    name = hashlib.sha256(
        f"{case.dialect} {case.end} {members} {hashlib.sha256(case.body).hexdigest()}".encode()
    ).hexdigest()
    path = cache / f"{name}.hex"
    with suppress(OSError, ValueError):
        body = bytes.fromhex(path.read_text(encoding="ascii"))
        # Another version of the core or of the shrinker may have made it.
        wanted = features_of(case.dialect, case.body, case.end, members=members)
        if len(body) <= len(case.body) and features_of(case.dialect, body, case.end, members=members) == wanted:
            return body
    body = shrink(case, members=members)
    write_atomically(path, body.hex())
    return body
