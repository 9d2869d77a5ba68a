"""The parts of two traces as a whole: which are missing, at which end, which came twice, and where a stream ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.case import Case
from harness.evidence.frames import peculiar
from harness.evidence.kinds import Cause, told
from harness.evidence.traces import Told, family
from harness.evidence.values import quoted

_SEVERAL = 3
"""Parts of an answer that do not all come of one event."""
_CONTENT = ('["tool-call"', '["source"', '["file"')
"""How the lines of parts begin that say something of the answer and are not pieces of it."""
_BLOCK_KINDS = ("text", "reasoning", "tool-input")


def of_parts(expected: Told, actual: Told, wanted: Any, got: Any, case: Case) -> str:
    """What is known of the parts; empty if nothing is."""
    return (
        _of_ends(expected, actual, wanted, got)
        or _of_blocks(expected, actual, wanted, got)
        or _of_numbers(expected, actual, wanted, got, case)
    )


def _of_ends(expected: Told, actual: Told, wanted: Any, got: Any) -> str:
    """Where the one stream ends and the other does not."""
    if got is not None and isinstance(got, list) and got[0] == "finish" and not expected.finish:
        return told(Cause.CUT_IS_WHOLE)
    cut = isinstance(got, dict) and (got.get("error") or {}).get("kind") == "incomplete_stream"
    if not cut or not isinstance(wanted, list):
        return ""
    raw = (expected.finish.get("finishReason") or {}).get("raw")
    left = [line for line in expected.parts[len(actual.parts) :] if line[0] != "finish"]
    if raw and all(kind.endswith("-end") or kind == "tool-call" for kind, _ in left):
        return told(Cause.END_UNSEEN, f"the finish is missing, with its reason {quoted(str(raw))}")
    return ""


def of_nothing(expected: Told, actual: Told, case: Case) -> str:
    """Not a word of the answer came out. What is odd about the bytes is told beside it."""
    described = [[kind for kind, _ in one.parts if kind == "response-metadata"] for one in (expected, actual)]
    reason = (actual.finish.get("finishReason") or {}).get("raw")
    if not expected.content or actual.content or described[1] or reason or any(kind == "error" for kind, _ in actual.parts):
        return ""
    if not described[0] and len(expected.content) < _SEVERAL:
        return ""  # some of it may have been read, and that was all there was
    return told(Cause.NOTHING_READ, peculiar(case))


def _of_blocks(expected: Told, actual: Told, wanted: Any, got: Any) -> str:
    """Pieces that belong to another block than they go to."""
    if isinstance(got, list) and got[0].endswith("-delta"):
        kind, block = got[0].removesuffix("-delta"), got[1].get("id")
        ended = started = False
        told_of = any(what == f"{kind}-start" for what, _ in expected.parts)
        for what, part in actual.parts if told_of else ():
            if (what, part) == (got[0], got[1]) and (ended or not started):
                cause = Cause.ENDED_BLOCK if ended else Cause.UNSTARTED_BLOCK
                return told(cause, f"{family(kind)}, block {quoted(str(block))}")
            if part.get("id") == block and what in (f"{kind}-start", f"{kind}-end"):
                started, ended = started or what.endswith("-start"), what.endswith("-end")
    same = isinstance(wanted, list) and isinstance(got, list) and wanted[0] == got[0]
    if same and wanted[0].startswith(_BLOCK_KINDS) and wanted[1].get("id") != got[1].get("id"):
        rest = [{key: value for key, value in line[1].items() if key != "id"} for line in (wanted, got)]
        known = {part.get("id") for _, part in expected.parts}
        if rest[0] == rest[1] and got[1].get("id") in known and len(expected.parts) == len(actual.parts):
            return told(Cause.OTHER_BLOCK, f"{quoted(str(wanted[1].get('id')))} became {quoted(str(got[1].get('id')))}")
    return ""


def _of_numbers(expected: Told, actual: Told, wanted: Any, got: Any, case: Case) -> str:
    """Parts that one of the two has more often than the other."""
    missing, extra = expected.counted - actual.counted, actual.counted - expected.counted
    if not missing and not extra:
        kinds = [[line for line in one.lines if line in one.counted] for one in (expected, actual)]
        both = isinstance(wanted, list) and isinstance(got, list)
        first = f"{got[0]} comes before {wanted[0]}" if both else ""
        return told(Cause.ORDER, first) if kinds[0] != kinds[1] else ""
    if not missing and all(line in expected.counted for line in extra):
        return told(Cause.PARTS_AGAIN, _kinds(list(extra)))
    if not extra:
        return _of_missing(expected, actual, list(missing), case)
    return _of_again(expected, actual)


def _of_missing(expected: Told, actual: Told, missing: Sequence[str], case: Case) -> str:
    """Nothing but missing parts."""
    if not any("-delta" in line or line.startswith(_CONTENT) for line in missing):
        return told(Cause.PARTS_MISSING, _kinds(missing))
    if actual.content and expected.parts[: len(actual.parts)] == actual.parts:
        return told(Cause.TAIL_MISSING, _kinds(missing))
    beside = [json.loads(line)[1].get("providerMetadata") for line in missing]
    if all(beside) and all('"delta":""' in line for line in missing):
        return told(Cause.METADATA, ", ".join({name: 0 for one in beside for told_by in one.values() for name in told_by}))
    said = [line for line in expected.lines if line in expected.counted and not line.startswith('["finish"')]
    content = [line for line in said if "-delta" in line or line.startswith(_CONTENT)]
    gone = [line for line in content if line in set(missing)]
    families = {family(line.split('"')[1]) for line in missing}
    whole = [line for line in content if family(line.split('"')[1]) in families]
    if families and gone and gone == whole and len(families) == 1:
        return told(Cause.PARTS_MISSING, f"all of the {next(iter(families))}")
    if gone and len(families) == 1 and len(content) > len(gone):
        if gone == content[: len(gone)]:
            return told(Cause.HEAD_MISSING, _odd(peculiar(case), missing))
        if gone == content[-len(gone) :]:
            return told(Cause.TAIL_MISSING, _kinds(missing))
    return told(Cause.PARTS_MISSING, _kinds(missing))


def _odd(peculiarity: str, missing: Sequence[str]) -> str:
    return f"{_kinds(missing)}; {peculiarity}" if peculiarity else _kinds(missing)


def _of_again(expected: Told, actual: Told) -> str:
    """Text that is all of the text before, once more."""
    for kind in ("text", "reasoning"):
        one, other = expected.text(kind), actual.text(kind)
        if one and other == one * 2:
            return told(Cause.TEXT_AGAIN, quoted(one))
    return ""


def _kinds(lines: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(line.split('"')[1] for line in lines))
