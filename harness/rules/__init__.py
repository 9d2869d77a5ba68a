"""Rules that need no golden: what must hold of the parts of any stream, whoever made them.

Pure functions of parts in the AI SDK's spelling. A rule has a name of its own and names the requirement it checks: an
invariant of the design.

=======================  ===  ======================================================================================
``part-shape``           V14  every part is an object with a ``type``, and what its type needs
``stream-start``         V14  ``stream-start`` comes first and once; only an error may come without
``block-order``          V14  a block has one start, then its deltas, then one end; of some dialects a later block of text
                              or reasoning has the same id again
``block-left-open``      V14  no block is open when the stream finishes without any error; a call that was cut may be, if
                              the subject warns of it
``call-order``           V12  a call starts, grows, ends and is called, in this order and once; or is called at once
``one-finish``           V15  one ``finish`` a choice, and nothing but errors after it
``finish-reason``        V16  the unified finish reason is one of the closed set
``finish-without-call``  V17  a finish ``tool-calls`` without any call is told by a warning, if the subject gives any
``end-untold``           V18  a stream ends with a finish or with an error, and be it empty
``finish-unexplained``   V18  a recording that was cut does not finish without the provider's own reason, or its error
``error-then-stop``      V19  after the provider's own error no finish says ``stop``
``call-id``              V7   a tool call has an id, and no other call of its choice has it
``call-name``            V5   a tool call has a name (V8), the same from its start to its end, or one that grew by pieces
                              (V6); neither name nor id spells ``null``
``call-input``           V9   the deltas of a call's arguments add up to its input
``call-after-cut``       V13  an ``incomplete_stream`` error is the end: nothing becomes executable after it
``encodable``            V23  what a block says can be encoded as UTF-8 once its deltas are joined
``usage-count``          V24  token counts are whole numbers and not negative, if those on the wire are
``finite``               V26  no number is NaN or infinite
=======================  ===  ======================================================================================

Every invariant of the design, and where it is checked; what needs the wire or a second opinion is no rule of parts:

======  ================================================================================================================
V1      the plans, which run on any subject and need no golden (:mod:`harness.proof`, :mod:`harness.windows`)
V2      all rules about blocks and calls keep their state by choice and id
V3-4    which slot a piece belongs to only the wire says: :mod:`harness.ledger` traces each argument to its frame
V5-9    ``call-name``, ``call-id``, ``call-input``
V10-11  ``call-input`` allows the ``{}`` that stands for none; marks of bad arguments stand in the message, not in a part
V12-19  the rules above; ``cut-at-every-byte`` with :func:`cut_is_legal`; that an error is seen at all, only a golden says
V20-22  whether snapshots agree, payload was replayed, or a signature changed, only the wire or a golden says
V23-26  ``encodable``, ``usage-count``, ``finite``; which reasons are unknown (V25) and integers exact only the wire says
V27     ``faults:keep-alives`` bounds memory; that work is linear is measured by the benchmarks
V28     the whole answer to the same request (:mod:`harness.pairs`); the golden of the provider's SDK (:mod:`harness.native`)
V29     ``cut-at-every-byte``, which closes at every byte
======  ================================================================================================================

That a session does not see another one is ``faults:two-streams``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.rules.calls import of_the_calls
from harness.rules.cuts import cut_is_legal
from harness.rules.stream import Violation, choice_of, is_incomplete, of_the_stream
from harness.rules.text import of_the_text, unwrapped
from streamcore import DIALECTS
from streamcore.dialects.base import Dialect
from streamcore.dialects.compatible.chat import OpenAICompatible

if TYPE_CHECKING:
    from harness.subjects import PartJson

__all__ = ["Violation", "cut_is_legal", "violations"]

_BLOCK = re.compile(r"(text|reasoning|tool-input)-(start|delta|end)")
_ODD_COUNT = re.compile(rb'"[^"]*(?:[tT]oken|[cC]ount)[^"]*"\s*:\s*(?:-|[0-9]+(?:\.[0-9]*[1-9]|(?:\.[0-9]*)?[eE]))')
"""A member that counts something, and whose number is negative, a fraction, or too odd to tell."""
_NEEDS: dict[str, tuple[str, ...]] = {
    "text-delta": ("id", "delta"),
    "reasoning-delta": ("id", "delta"),
    "tool-input-delta": ("id", "delta"),
    "tool-input-start": ("id", "toolName"),
    "tool-call": ("toolCallId", "toolName", "input"),
    "error": ("kind", "stage"),
}
"""Keys whose values must be strings."""


def violations(
    parts: Sequence[PartJson],
    *,
    end: str = "complete",
    body: bytes | None = None,
    dialect: str = "",
    warnings: Sequence[str] | None = None,
) -> list[Violation]:
    """Every rule that the parts of one stream break, in order of the parts.

    Args:
        parts: all parts of the stream, those of ``close`` included.
        end: how the recording ended (``complete``, ``cut``, ``reset``, ``timeout``).
        dialect: which API's stream it was, where known. The references of some show a call's input in another spelling
            than its deltas; on a stream of any other it is wrong.
        warnings: the codes of the warnings that the subject gave; None if it is no subject that gives any.
        body: the bytes, where known. A body that itself spells half of a surrogate pair excuses text that has it, and
            one with a count that is negative or broken excuses such a count.
    """
    shapeless = list(_shapes(parts))
    if shapeless:
        return shapeless  # the other rules could not read them
    found = [
        *of_the_stream(parts, warnings),
        *_stream_start(parts),
        *_blocks(parts, dialect, warnings),
        *_finishes(parts),
        *of_the_calls(parts, dialect),
        *_after_cut(parts),
        *_usage(parts, body),
    ]
    if end != "complete":
        found += _unexplained_finish(parts)
    found += of_the_text(parts, body)
    return sorted(found, key=lambda violation: violation.index)


def _shapes(parts: Sequence[PartJson]) -> Iterator[Violation]:
    for index, part in enumerate(parts):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if not isinstance(kind, str):
            yield Violation("part-shape", "V14", f"part {index} is no object with a type", index)
            continue
        for key in _NEEDS.get(kind, ()):
            if not isinstance(part.get(key), str):
                yield Violation("part-shape", "V14", f"a {kind} part needs the string {key!r}", index)


def _stream_start(parts: Sequence[PartJson]) -> Iterator[Violation]:
    for index, part in enumerate(parts):
        if part["type"] == "stream-start" and index > 0:
            yield Violation("stream-start", "V14", "stream-start is not the first part", index)


def _blocks(parts: Sequence[PartJson], dialect: str, warnings: Sequence[str] | None) -> Iterator[Violation]:
    # The reference of these reads text and reasoning that take turns as blocks of two ids, which it uses again and again.
    anew = issubclass(DIALECTS.get(dialect, Dialect), OpenAICompatible)
    state: dict[tuple[str, Any, Any], str] = {}
    failed = False
    finished_at = None
    for index, part in enumerate(parts):
        kind = part["type"]
        failed = failed or kind == "error"
        if kind == "finish":
            finished_at = index
        matched = _BLOCK.fullmatch(kind)
        if matched is None:
            continue
        family, step = matched.groups()
        key = (family, choice_of(part), part.get("id"))
        held = state.get(key)
        what = f"{family} block {part.get('id')!r}"
        if step == "start" and held is not None and not (anew and held == "end" and family != "tool-input"):
            yield Violation("block-order", "V14", f"{what} starts a second time", index)
        elif step != "start" and held is None:
            yield Violation("block-order", "V14", f"{kind} of {what}, which has not started", index)
        elif step != "start" and held == "end":
            yield Violation("block-order", "V14", f"{kind} of {what}, which has ended", index)
        state[key] = "end" if step == "end" or (step == "delta" and held == "end") else "open"
    if finished_at is not None and not failed:
        called = {(choice_of(part), part["toolCallId"]) for part in parts if part["type"] == "tool-call"}
        for (family, choice, block_id), held in state.items():
            # A call whose end did not come must not end (V12, V13); that it was cut, a warning says.
            told = family == "tool-input" and bool(warnings) and (choice, block_id) not in called
            if held == "open" and not told:
                message = f"{family} block {block_id!r} is still open when the stream finishes"
                yield Violation("block-left-open", "V14", message, finished_at)


def _finishes(parts: Sequence[PartJson]) -> Iterator[Violation]:
    finished: set[Any] = set()
    for index, part in enumerate(parts):
        kind = part["type"]
        if kind == "finish":
            if choice_of(part) in finished:
                yield Violation("one-finish", "V15", f"choice {choice_of(part)} finishes a second time", index)
            finished.add(choice_of(part))
        elif kind != "error" and choice_of(part) in finished:
            yield Violation("one-finish", "V15", f"a {kind} part after the finish", index)


def _after_cut(parts: Sequence[PartJson]) -> Iterator[Violation]:
    cut_at = next((index for index, part in enumerate(parts) if is_incomplete(part)), len(parts))
    for index in range(cut_at + 1, len(parts)):
        yield Violation("call-after-cut", "V13", f"a {parts[index]['type']} part after incomplete_stream", index)


def _unexplained_finish(parts: Sequence[PartJson]) -> Iterator[Violation]:
    explained = any(part["type"] == "error" for part in parts)
    for index, part in enumerate(parts):
        if part["type"] == "finish" and not explained and (part.get("finishReason") or {}).get("raw") is None:
            message = "the recording was cut, and the stream finishes without a reason from the provider"
            yield Violation("finish-unexplained", "V18", message, index)


def _usage(parts: Sequence[PartJson], body: bytes | None) -> Iterator[Violation]:
    if body is not None and _ODD_COUNT.search(unwrapped(body)):
        return  # the count is the provider's own, and no subject is to mend it
    for index, part in enumerate(parts):
        if part["type"] != "finish" or not isinstance(part.get("usage"), Mapping):
            continue
        for side in ("inputTokens", "outputTokens"):
            total = (part["usage"].get(side) or {}).get("total")
            if isinstance(total, int | float) and (total < 0 or total % 1 != 0):
                yield Violation("usage-count", "V24", f"{side}.total is {total}", index)
