"""What a subject hands out instead of parts: told as its author thinks of it, and not by where it broke the harness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.canonical import canonical

if TYPE_CHECKING:
    from harness.case import Case
    from harness.subjects import Subject

_DELTAS = ("text-delta", "reasoning-delta", "tool-input-delta")


def misfit(subject: Subject, case: Case) -> str:
    """Why what ``subject`` answers to the uncut body is no list of parts, in one line; empty if it is one.

    Also empty if the subject raises: what it raises is told elsewhere.
    """
    try:
        return _misfit(subject, case)
    except (Exception, SystemExit, GeneratorExit):  # noqa: BLE001 - a subject may raise anything, and that is not looked for here
        return ""


def _misfit(subject: Subject, case: Case) -> str:
    session: Any = subject.open(case)
    missing = [name for name in ("feed", "close") if not callable(getattr(session, name, None))]
    if missing:
        return f"open() returned {_shown(session)}, which has no {' and no '.join(missing)}"
    for name in ("feed", "close"):
        answer = session.feed(case.body) if name == "feed" else session.close()
        if not isinstance(answer, list):
            return f"{name}() returned {_shown(answer)}, and not a list of parts"
        for part in answer:
            if wrong := not_a_part(part):
                return f"{name}() returned {wrong}"
    return ""


def not_a_part(part: Any) -> str:
    """What is wrong with something that is to be a part, in one line that shows it; empty if nothing is."""
    wrong = _wrong(part)
    return f"{_shown(part)} as a part: {wrong}" if wrong else ""


def _wrong(part: Any) -> str:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return 'a part is a dict such as {"type": "text-delta", "id": "0", "delta": "H"}'
    if part["type"] in _DELTAS and not isinstance(part.get("delta"), str):
        return f"a {part['type']} has a text as its delta"
    reason = part.get("finishReason")
    if part["type"] == "finish" and not (isinstance(reason, dict) and isinstance(reason.get("unified"), str)):
        return 'a finish has a finishReason such as {"unified": "stop", "raw": "end_turn"}'
    try:
        canonical(part)
    except (TypeError, ValueError) as error:
        return f"it is not JSON ({error})"
    return ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
