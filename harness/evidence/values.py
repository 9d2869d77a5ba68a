"""Two values that stand in the same place and are not the same: what was done to the one to get the other."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from harness.canonical import canonical
from harness.evidence.kinds import Cause, told

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
_LONGEST = 40
"""Characters that a sentence quotes."""


def quoted(text: str) -> str:
    """The beginning of ``text`` as a JSON string, in ASCII."""
    return json.dumps(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def of_characters(wanted: str, got: str) -> str:
    """What happened to the characters of any string; empty if that is not seen."""
    if "\ufffd" in got and "\ufffd" not in wanted:
        halved = any("\ud800" <= char <= "\udfff" for char in wanted)
        return told(Cause.SURROGATE if halved else Cause.REPLACED)
    for encoding in ("latin-1", "cp1252"):
        try:
            if got.encode(encoding).decode() == wanted:
                at = next((at for at, pair in enumerate(zip(wanted, got, strict=False)) if pair[0] != pair[1]), 0)
                return told(Cause.LATIN_1, f"{quoted(wanted[at])} became {quoted(got[at : at + len(wanted[at].encode())])}")
        except UnicodeError:
            continue
    form = next((one for one in _FORMS if unicodedata.normalize(one, wanted) == got), None)
    return told(Cause.NORMALISED, f"it is in the form {form}") if form else ""


def of_text(wanted: str, got: str, before: str) -> str:
    """What happened to a piece of text or reasoning; ``before`` is all of its block that had come out before it."""
    if wanted and got.endswith(wanted) and before.endswith(got.removesuffix(wanted)):
        return told(Cause.TEXT_AGAIN, quoted(got.removesuffix(wanted)))
    found = of_characters(wanted, got)
    if found:
        return found
    if got == wanted.strip() or got == wanted.lstrip() or got == wanted.rstrip():
        return told(Cause.STRIPPED, f"{quoted(wanted)} became {quoted(got)}")
    if before and wanted == before + got:
        return told(Cause.TEXT_HELD_BACK, quoted(before))
    return _stretch(wanted, got)


def _stretch(wanted: str, got: str) -> str:
    """One stretch that is missing, or that is there and should not be."""
    short, long = sorted((wanted, got), key=len)
    head = next((at for at, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    if not short or not long.endswith(short[head:]):
        return ""
    cause = Cause.TEXT_SHORT if long is wanted else Cause.TEXT_LONG
    return told(cause, quoted(long[head : head + len(long) - len(short)]))


def of_arguments(wanted: str, got: str, others: Sequence[str] = ()) -> str:
    """What happened to the arguments of a call; ``others`` are those of other calls."""
    if wanted and not got:
        return told(Cause.ARGUMENTS_EMPTY, quoted(wanted))
    if not wanted and got == "null":
        return told(Cause.NULL_AS_TEXT)
    found = of_characters(wanted, got) or _of_tokens(wanted, got)
    if found:
        return found
    theirs, ours = _value(wanted), _value(got)
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = _of_objects(theirs, ours, others)
    elif isinstance(theirs, str) and theirs == got:
        return told(Cause.ARGUMENTS_UNWRAPPED)
    elif theirs is _INVALID and got.strip() in ("{}", ""):
        return told(Cause.ARGUMENTS_REPLACED, f"they were {quoted(wanted)}")
    return found or _of_ends(wanted, got)


def _of_ends(wanted: str, got: str) -> str:
    if got.startswith(wanted) and wanted and not got.removeprefix(wanted).strip('}]"'):
        return told(Cause.ARGUMENTS_CLOSED, quoted(got.removeprefix(wanted)))
    if wanted and got == wanted * 2:
        return told(Cause.ARGUMENTS_TWICE)
    if wanted and got == "{}" + wanted:
        return told(Cause.ARGUMENTS_PREFIXED)
    if got and got in wanted:
        return told(Cause.ARGUMENTS_SHORT, quoted(wanted.replace(got, "...", 1)))
    return ""


def _of_tokens(wanted: str, got: str) -> str:
    """Numbers that differ while all else is the same, or nothing but white space that does."""
    theirs, ours = _TOKEN.findall(wanted), _TOKEN.findall(got)
    if len(theirs) != len(ours) or len(theirs) < 3:
        return ""
    pairs = [(one, other) for one, other in zip(theirs, ours, strict=True) if one != other]
    if not pairs:
        valid = _value(wanted) is not _INVALID
        return told(Cause.ARGUMENTS_REWRITTEN, "with other white space") if valid else ""
    if not all(_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other) for one, other in pairs):
        return ""
    return next((found for one, other in pairs if (found := of_numbers(one, other))), "")


def of_numbers(wanted: str, got: str) -> str:
    """Two numbers as they are spelt: the one the other rounded, or the same in another spelling; else empty."""
    try:
        one, other = Decimal(wanted), Decimal(got)
    except InvalidOperation:
        return ""
    if one == other:
        return told(Cause.SPELT, f"{wanted} became {got}")
    return told(Cause.ROUNDED, f"{wanted} became {got}") if float(one) == float(other) else ""


def _of_objects(theirs: dict[str, Any], ours: dict[str, Any], others: Sequence[str]) -> str:
    if canonical(theirs) == canonical(ours):
        return told(Cause.ARGUMENTS_REWRITTEN, "the keys come in another order" if [*theirs] != [*ours] else "")
    same = {key for key in theirs if key in ours and canonical(theirs[key]) == canonical(ours[key])}
    if len(same) == len(ours) < len(theirs):
        return told(Cause.KEYS_MISSING, ", ".join(quoted(key) for key in theirs if key not in ours))
    more = {key: ours[key] for key in ours if key not in theirs}
    if len(same) == len(theirs) and more:
        for other in map(_value, others):
            if isinstance(other, dict) and all(key in other and other[key] == value for key, value in more.items()):
                return told(Cause.ARGUMENTS_OF_OTHERS, ", ".join(map(quoted, more)))
    return ""


def is_json(text: str) -> bool:
    """Whether ``text`` is a JSON document."""
    return _value(text) is not _INVALID


_INVALID = object()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _INVALID
