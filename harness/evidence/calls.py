"""The tool calls of two traces, call by call: which are missing, which became one, whose arguments went elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.evidence.kinds import Cause, told
from harness.evidence.traces import Call, Told
from harness.evidence.values import is_json, of_arguments, quoted


def of_calls(expected: Told, actual: Told) -> str:
    """What is wrong with the calls as a whole; empty if they are the same, or if that is not seen."""
    theirs, ours = expected.calls, actual.calls
    if [(one.id, one.name, one.arguments) for one in theirs] == [(one.id, one.name, one.arguments) for one in ours]:
        return _of_handing_out(theirs, ours)
    if [(one.name, one.arguments) for one in theirs] == [(one.name, one.arguments) for one in ours]:
        return _of_ids(theirs, ours)
    if len(ours) < len(theirs):
        return _of_fewer(theirs, ours)
    if len(ours) > len(theirs):
        torn = next((one for one in ours if one.pieces == [one.arguments] and not one.began), None)
        if torn is not None and all(one.began for one in theirs):
            halves = [one for one in ours if one.began and one.name == torn.name and not one.handed_out]
            return told(Cause.CALL_RENAMED, f"{quoted(halves[0].id)} became {quoted(torn.id)}") if halves else ""
        known = Counter((one.name, one.arguments) for one in theirs)
        extra = next((one for one in ours if not known[one.name, one.arguments]), ours[-1])
        return told(Cause.CALL_EXTRA, _named(extra))
    return _of_the_same_number(theirs, ours)


def _of_handing_out(theirs: Sequence[Call], ours: Sequence[Call]) -> str:
    for one, other in zip(theirs, ours, strict=True):
        if other.at_end and other.at_end != one.at_end and other.at_end != other.arguments and is_json(other.at_end):
            return told(Cause.ARGUMENTS_EARLY, quoted(other.at_end))
        if one.handed_out and not other.handed_out:
            return told(Cause.CALL_KEPT, _named(one))
        if other.handed_out and not one.handed_out:
            return told(Cause.CALL_CUT, _named(one))
    return ""


def _of_ids(theirs: Sequence[Call], ours: Sequence[Call]) -> str:
    if any(not one.id for one in ours):
        return told(Cause.CALL_WITHOUT_ID, _named(next(one for one in ours if not one.id)))
    ids = Counter(one.id for one in ours)
    shared = next((one for one, count in ids.items() if count > 1), None)
    if shared is not None and len({one.id for one in theirs}) == len(theirs):
        return told(Cause.CALL_SAME_ID, quoted(shared))
    one, other = next((one, other) for one, other in zip(theirs, ours, strict=True) if one.id != other.id)
    return told(Cause.CALL_RENAMED, f"{quoted(one.id)} became {quoted(other.id)}")


def _of_fewer(theirs: Sequence[Call], ours: Sequence[Call]) -> str:
    gone = [one for one in theirs if one.arguments and not any(other.id == one.id for other in ours)]
    for other in ours:
        rightly = next((one for one in theirs if one.id == other.id), None)
        pieces = Counter(other.pieces)
        taken = [one for one in gone if rightly and pieces >= Counter([*rightly.pieces, *one.pieces])]
        if rightly and taken and pieces == Counter(piece for one in (rightly, *taken) for piece in one.pieces):
            names = " and ".join(quoted(one.id) for one in taken)
            return told(Cause.CALL_MERGED, f"the arguments of {names} went to {quoted(other.id)}")
    left = Counter((one.name, one.arguments) for one in ours)
    for call in theirs:
        if not left[call.name, call.arguments]:
            return told(Cause.CALL_MISSING, _named(call))
        left[call.name, call.arguments] -= 1
    return ""


def _of_the_same_number(theirs: Sequence[Call], ours: Sequence[Call]) -> str:
    pieces = [Counter(piece for one in calls for piece in one.pieces) for calls in (theirs, ours)]
    if pieces[0] == pieces[1] and len(theirs) > 1:
        one, other = next(pair for pair in zip(theirs, ours, strict=True) if pair[0].pieces != pair[1].pieces)
        return told(Cause.CALL_MIXED, f"{_named(one)} came out as {quoted(other.arguments)}")
    for one, other in zip(theirs, ours, strict=True):
        if one.arguments != other.arguments:
            if other.pieces and one.pieces[: len(other.pieces)] == other.pieces and is_json(other.arguments):
                return told(Cause.ARGUMENTS_EARLY, quoted(other.arguments))
            others = [another.arguments for another in theirs if another is not one]
            found = of_arguments(one.arguments, other.arguments, others)
            return found or _of_pieces(one, other)
        if one.name != other.name:
            return of_name(one.name, other.name)
    return ""


def _of_pieces(one: Call, other: Call) -> str:
    left = iter(one.pieces)
    if other.pieces and all(piece in left for piece in other.pieces):
        return told(Cause.ARGUMENTS_SHORT, quoted(other.arguments))
    again = Counter(other.pieces) - Counter(one.pieces)
    if again and set(again) <= set(one.pieces) and not Counter(one.pieces) - Counter(other.pieces):
        return told(Cause.ARGUMENTS_AGAIN, quoted(next(iter(again))))
    return ""


def of_name(wanted: str, got: str) -> str:
    """Two names of one tool."""
    if wanted and got != wanted and got == wanted * (len(got) // len(wanted)):
        return told(Cause.CALL_NAME_JOINED, quoted(got))
    return told(Cause.CALL_NAME, f"{quoted(wanted)} became {quoted(got)}")


def _named(call: Call) -> str:
    return f"{quoted(call.name)}({quoted(call.arguments)})"
