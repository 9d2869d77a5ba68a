"""A stream and its twin, the whole answer to the same request, compared value by value (V28).

What the stream adds up to is read from the parts of the subject (:mod:`harness.pairs.streamed`), the twin from its JSON
(:mod:`harness.pairs.readers`), both into one form (:mod:`harness.pairs.answer`). A simulator gives the same answer twice,
and the two must be ``equal``; a model does not, and the two must have the same ``shape`` (:mod:`harness.pairs.shape`).
Where they may differ nevertheless the allow-list says (:mod:`harness.pairs.allowance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deepdiff import DeepDiff
from deepdiff.helper import NotPresent

from harness.canonical import canonical
from harness.pairs.allowance import Allowance, allowances, stale
from harness.pairs.answer import Answer, AnswerError
from harness.pairs.readers import READERS, read
from harness.pairs.shape import shape_of
from harness.pairs.streamed import of_parts, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.case import Case
    from harness.subjects import PartJson

__all__ = ["READERS", "Allowance", "AnswerError", "Compared", "Unlike", "compare", "read", "stale"]

Level = Literal["equal", "shape"]


@dataclass(frozen=True, slots=True)
class Unlike:
    """One value that the stream tells otherwise than its twin. None where one side has no such value."""

    path: str
    """``choices[0].blocks[1].arguments.city``."""
    whole: str | None
    """The twin's value, as canonical JSON."""
    streamed: str | None
    """The stream's."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of one pair."""

    level: Level
    values: int
    """How many values were compared: those of the twin."""
    unlike: tuple[Unlike, ...]
    """What no entry of the allow-list allows, in order of path."""
    allowed: tuple[str, ...]
    """Names of the entries that were needed."""


def level_of(case: Case) -> Level:
    """What a pair of this provenance can be held to."""
    return "equal" if case.provenance == "simulator" else "shape"


def compare(case: Case, parts: Sequence[PartJson], entries: Sequence[Allowance] | None = None) -> Compared | None:
    """What ``parts``, the subject's of the whole body, say against the twin of ``case``; None if it has none.

    Raises:
        AnswerError: the twin is not an answer of the dialect.
    """
    if case.twin is None:
        return None
    level = level_of(case)
    whole, streamed = read(case.dialect, case.twin), of_parts(parts, spoken(case))
    if level == "shape":
        whole, streamed = shape_of(whole, case), shape_of(streamed, case)
    known = [one for one in (allowances() if entries is None else entries) if one.applies(case)]
    unlike, used = [], dict[str, None]()
    for one in _differences(whole, streamed):
        if one.path == "model" and whole["model"] is None:
            continue  # the request names it: a reader of the stream may know more than the answer of Converse says
        covering = next((entry for entry in known if entry.covers(one.path)), None)
        if covering is None:
            unlike.append(one)
        else:
            used[covering.name] = None
    return Compared(level, _values(whole), tuple(unlike), tuple(used))


def _differences(whole: Answer, streamed: Answer) -> Iterator[Unlike]:
    if canonical(whole) == canonical(streamed):
        return
    # Position by position: a call that is missing must not pass for another that comes after it.
    tree = DeepDiff(whole, streamed, view="tree", zip_ordered_iterables=True)
    found = [
        Unlike(_path(level.path(output_format="list")), _text(level.t1), _text(level.t2))
        for levels in tree.values()
        for level in levels
    ]
    found = [one for one in found if one.whole != one.streamed]  # to deepdiff, 1 and 1.0 are of two types
    yield from sorted(found, key=lambda one: one.path)


def _path(steps: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _text(value: Any) -> str | None:
    return None if isinstance(value, NotPresent) else canonical(value)


def _values(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 1 if inside is None else sum(map(_values, inside))
