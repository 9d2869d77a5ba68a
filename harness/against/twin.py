"""A subject's parts against the twin of the stream, the whole answer to the same request (V28)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.chunking import Chunking, cuts_chunking
from harness.difference import value_broken
from harness.findings import PairResult
from harness.pairs import Compared, Unlike, compare, level_of
from harness.pairs.allowance import stale
from harness.terms import Check, complaint, explained_difference
from harness.verdict import Difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.case import Case
    from harness.subjects import PartJson, Session
    from harness.verdict import CaseResult

RULE = "V28"


def against_twin(
    case: Case,
    check: Check,
    open_session: Callable[[], Session],
    whole: Sequence[PartJson],
    differences: list[Difference],
) -> PairResult | None:
    """What the twin says to ``whole``, the parts of the uncut body; None for a case without one.

    What does not hold is added to ``differences``: the twin's value is what was expected. A transcript has no twin: it is
    another stream than the one that was recorded.

    Raises:
        harness.pairs.AnswerError: the twin is no answer of the dialect.
    """
    found = None if case.shrunk_from else compare(case, whole)
    if found is None:
        return None
    uncut = cuts_chunking((), len(case.body))
    for one in found.unlike:

        def wrong(parts: list[PartJson], _: Chunking, path: str = one.path) -> bool:
            again = compare(case, parts)
            return again is not None and any(path == other.path for other in again.unlike)

        told = _difference(case, check, one, found)
        differences.append(explained_difference(told, differences, case, check, open_session, wrong, uncut))
    return PairResult(found.level, found.values, len(found.unlike), found.allowed)


def _difference(case: Case, check: Check, one: Unlike, found: Compared) -> Difference:
    note = "the stream tells otherwise than the whole answer to the same request"
    if found.level == "shape":
        note += "; of a model that answers differently each time, only what kind of values they are is compared"
    return value_broken(complaint(case, check, RULE, "whole", note), one.path, one.whole, one.streamed)


def stale_allowances(results: Iterable[CaseResult], known: Iterable[Case]) -> list[str]:
    """Names of the entries of the allow-list that no pair needed; ``known`` are all cases that there are, run or not.

    Judged by the pairs that are compared value by value: what a live model answers tells nothing about an entry.
    """
    pairs = {result.case: result.pair for result in results if result.pair is not None}
    used = {name for pair in pairs.values() for name in pair.allowed}
    judging = [case for case in known if case.twin is not None and level_of(case) == "equal"]
    return stale(judging, pairs.keys(), used)
