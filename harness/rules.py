"""Rules that need no golden: what must hold of the parts of any stream, whoever made them.

Pure functions of parts in the AI SDK's spelling. A rule has a name of its own and names the requirement it checks: an
invariant of the design.

=======================  ===  ======================================================================================
``part-shape``           V14  every part is an object with a ``type``, and what its type needs
``stream-start``         V14  ``stream-start`` comes first and once; only an error may come without
``block-order``          V14  a block has one start, then its deltas, then one end; of some dialects a later block of text
                              or reasoning has the same id again
``block-left-open``      V14  no block is open when the stream finishes without any error
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
``usage-count``          V24  token counts are whole numbers and not negative
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
V28-29  the golden of the provider's own SDK (:mod:`harness.native`); ``cut-at-every-byte``, which closes at every byte
======  ================================================================================================================

That a session does not see another one is ``faults:two-streams``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.canonical import canonical
from harness.stream_rules import Violation, of_the_stream
from streamcore import DIALECTS, jsontext
from streamcore.dialects.base import Dialect
from streamcore.dialects.compatible.chat import OpenAICompatible

if TYPE_CHECKING:
    from harness.subjects import PartJson

_BLOCK = re.compile(r"(text|reasoning|tool-input)-(start|delta|end)")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD]([89a-fA-F])[0-9a-fA-F]{2}")
_WRAPPED = re.compile(rb'"bytes":"([A-Za-z0-9+/=]+)"')
"""Payloads of Bedrock's InvokeModel, which wrap JSON in base64."""
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
        body: the bytes, where known. A body that itself spells half of a surrogate pair excuses text that has it.
    """
    shapeless = list(_shapes(parts))
    if shapeless:
        return shapeless  # the other rules could not read them
    found = [
        *of_the_stream(parts, warnings),
        *_stream_start(parts),
        *_blocks(parts, dialect),
        *_finishes(parts),
        *_calls(parts, dialect),
        *_after_cut(parts),
        *_usage(parts),
    ]
    if end != "complete":
        found += _unexplained_finish(parts)
    if body is None or _surrogates_pair_up(body):
        found += _encodable(parts)
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


def _choice(part: PartJson) -> Any:
    return part.get("choice") or 0


def _blocks(parts: Sequence[PartJson], dialect: str) -> Iterator[Violation]:
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
        key = (family, _choice(part), part.get("id"))
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
        for (family, _, block_id), held in state.items():
            if held == "open":
                message = f"{family} block {block_id!r} is still open when the stream finishes"
                yield Violation("block-left-open", "V14", message, finished_at)


def _finishes(parts: Sequence[PartJson]) -> Iterator[Violation]:
    finished: set[Any] = set()
    for index, part in enumerate(parts):
        kind = part["type"]
        if kind == "finish":
            if _choice(part) in finished:
                yield Violation("one-finish", "V15", f"choice {_choice(part)} finishes a second time", index)
            finished.add(_choice(part))
        elif kind != "error" and _choice(part) in finished:
            yield Violation("one-finish", "V15", f"a {kind} part after the finish", index)


def _calls(parts: Sequence[PartJson], dialect: str) -> Iterator[Violation]:
    names: dict[tuple[Any, str], str] = {}
    deltas: dict[tuple[Any, str], list[str]] = {}
    called: set[tuple[Any, str]] = set()
    for index, part in enumerate(parts):
        match part["type"]:
            case "tool-input-start":
                key = (_choice(part), part["id"])
                names[key] = part["toolName"]
                deltas[key] = []
                yield from _named(part["id"], part["toolName"], index)
            case "tool-input-delta":
                deltas.setdefault((_choice(part), part["id"]), []).append(part["delta"])
            case "tool-call":
                key = (_choice(part), part["toolCallId"])
                if key in called:
                    yield Violation("call-id", "V7", f"two tool calls have the id {key[1]!r}", index)
                called.add(key)
                if key not in names:
                    yield from _named(part["toolCallId"], part["toolName"], index)
                elif not part["toolName"].startswith(names[key]):
                    message = f"call {key[1]!r} starts as {names[key]!r} and ends as {part['toolName']!r}"
                    yield Violation("call-name", "V5", message, index)
                yield from _input(part, deltas.get(key), index, dialect)


def _named(call_id: str, name: str, index: int) -> Iterator[Violation]:
    if not call_id:
        yield Violation("call-id", "V7", f"a call of {name!r} has no id", index)
    if not name:
        yield Violation("call-name", "V5", f"call {call_id!r} has no name", index)


def _input(part: PartJson, deltas: list[str] | None, index: int, dialect: str) -> Iterator[Violation]:
    """Without a delta the input may have come at once, or be the ``{}`` that stands for no arguments."""
    if not deltas:
        return
    text = "".join(deltas)
    if part["input"] == text or (not text and part["input"] == "{}"):
        return
    if any(fits(text, part) for ends, fits in _OTHER_SPELLINGS.items() if dialect.endswith(ends)):
        return
    at = next((at for at, (one, other) in enumerate(zip(text, part["input"], strict=False)) if one != other), None)
    at = min(len(text), len(part["input"])) if at is None else at
    message = f"the deltas of call {part['toolCallId']!r} and its input differ from character {at} on"
    yield Violation("call-input", "V9", message, index)


def _written_anew(text: str, part: PartJson) -> bool:
    """Cohere's reference parses the arguments and writes them again, as ECMAScript does; ``{}`` for none and ``null``."""
    try:
        value = jsontext.loads(jsontext.utf8(text)) if text.strip() else None
    except jsontext.JsonTextError:
        return False
    return bool(part["input"] == ("{}" if value is None else jsontext.stringify(value)))


def _of_a_custom_tool(text: str, part: PartJson) -> bool:
    """Responses: the free text of a custom tool as a JSON string; code for the interpreter, its keys in another order."""
    sorted_anew = part.get("providerExecuted") and _keys_sorted(text) == _keys_sorted(part["input"])
    return bool(part["input"] == jsontext.string_text(text) or sorted_anew)


_OTHER_SPELLINGS: dict[str, Callable[[str, PartJson], bool]] = {
    "cohere-v2": _written_anew,
    "responses": _of_a_custom_tool,
}
"""How the names of those dialects end whose reference spells a call's input otherwise than its deltas, and how."""


def _keys_sorted(text: str) -> str | None:
    """The canonical text of the JSON value of ``text``; None if it has none."""
    try:
        return canonical(jsontext.loads(jsontext.utf8(text)))
    except jsontext.JsonTextError:
        return None


def _after_cut(parts: Sequence[PartJson]) -> Iterator[Violation]:
    cut_at = next((index for index, part in enumerate(parts) if _is_incomplete(part)), len(parts))
    for index in range(cut_at + 1, len(parts)):
        yield Violation("call-after-cut", "V13", f"a {parts[index]['type']} part after incomplete_stream", index)


def _unexplained_finish(parts: Sequence[PartJson]) -> Iterator[Violation]:
    explained = any(part["type"] == "error" for part in parts)
    for index, part in enumerate(parts):
        if part["type"] == "finish" and not explained and (part.get("finishReason") or {}).get("raw") is None:
            message = "the recording was cut, and the stream finishes without a reason from the provider"
            yield Violation("finish-unexplained", "V18", message, index)


def _usage(parts: Sequence[PartJson]) -> Iterator[Violation]:
    for index, part in enumerate(parts):
        if part["type"] != "finish" or not isinstance(part.get("usage"), Mapping):
            continue
        for side in ("inputTokens", "outputTokens"):
            total = (part["usage"].get(side) or {}).get("total")
            if isinstance(total, int | float) and (total < 0 or total % 1 != 0):
                yield Violation("usage-count", "V24", f"{side}.total is {total}", index)


def _encodable(parts: Sequence[PartJson]) -> Iterator[Violation]:
    said: dict[tuple[str, Any, Any], list[str]] = {}
    last: dict[tuple[str, Any, Any], int] = {}
    for index, part in enumerate(parts):
        matched = _BLOCK.fullmatch(part["type"])
        if matched is not None and matched[2] == "delta":
            key = (matched[1], _choice(part), part["id"])
            said.setdefault(key, []).append(part["delta"])
            last[key] = index
    for key, pieces in said.items():
        text = "".join(pieces)
        try:
            text.encode()
        except UnicodeEncodeError:
            # Halves of a pair that came in two deltas are one character once they are joined.
            try:
                text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            except UnicodeDecodeError as error:
                message = f"{key[0]} block {key[2]!r} has half a surrogate pair at UTF-16 offset {error.start // 2}"
                yield Violation("encodable", "V23", message, last[key])


def _surrogates_pair_up(body: bytes) -> bool:
    """Whether the escapes of ``body`` spell as many low halves of surrogate pairs as high ones."""
    body += b"".join(map(_from_base64, _WRAPPED.findall(body)))
    high = sum(found[1] in b"89abAB" for found in _SURROGATE_ESCAPE.finditer(body))
    return 2 * high == len(_SURROGATE_ESCAPE.findall(body))


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _is_incomplete(part: PartJson) -> bool:
    return part["type"] == "error" and part.get("kind") == "incomplete_stream"


def cut_is_legal(cut_parts: Sequence[PartJson], whole_parts: Sequence[PartJson]) -> str | None:
    """What is wrong with the parts of a body that was cut, given those of the whole body; None if they are legal.

    Legal are a prefix of the whole's parts and then

    * an ``incomplete_stream`` error of stage ``close``, the last part; or
    * nothing, if that prefix is everything or ends with the ``finish``, or a ``finish`` with the whole's finish reason:
      the stream had ended before the cut (what was cut off, such as the usage, may be missing from it); or
    * whatever ends a stream after the provider's own error, which explains why there is no more; or
    * a lone error of stage ``open`` or ``close`` where the whole is no stream of events either.
    """
    if _same(cut_parts, whole_parts):
        return None
    common = _common_prefix(cut_parts, whole_parts)
    rest = cut_parts[common:]
    if not rest:
        ended = _explained(cut_parts) or (bool(cut_parts) and cut_parts[-1]["type"] == "finish")
        return None if ended else "the body was cut and the parts just stop: no incomplete_stream error, no finish"
    if rest[0]["type"] == "stream-start" and common == 0:
        # The whole failed as a request; its beginning, without the error, is a stream that was opened.
        rest = rest[1:]
        if rest and rest[0]["type"] == "response-metadata" and _never_opened(whole_parts):
            rest = rest[1:]
    if len(rest) == 1 and _is_incomplete(rest[0]):
        stage = rest[0].get("stage")
        return None if stage == "close" else f"the incomplete_stream error has stage {stage!r}, not 'close'"
    if _explained(cut_parts[:common]) and all(part["type"] in _ENDINGS for part in rest):
        return None
    if len(rest) == 1 and rest[0]["type"] == "error" and _never_opened(whole_parts):
        return None
    if len(rest) == 1 and rest[0]["type"] == "finish":
        return _finish_is_legal(rest[0], whole_parts, common)
    return f"the body was cut and a {rest[0]['type']} part came that the whole body does not have there"


_ENDINGS = frozenset(("text-end", "reasoning-end", "tool-input-end", "tool-call", "finish"))


def _same(left: Sequence[PartJson], right: Sequence[PartJson]) -> bool:
    return len(left) == len(right) == _common_prefix(left, right)


def _common_prefix(left: Sequence[PartJson], right: Sequence[PartJson]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one is not other and one != other and not _same_error(one, other):
            break
        count += 1
    return count


def _same_error(one: PartJson, other: PartJson) -> bool:
    """Whether only offsets differ: that of an event without its blank line is the end of the body."""
    return one["type"] == other["type"] == "error" and {**one, "offset": 0} == {**other, "offset": 0}


def _explained(parts: Sequence[PartJson]) -> bool:
    return any(part["type"] == "error" and part.get("kind") == "provider" for part in parts)


def _never_opened(whole_parts: Sequence[PartJson]) -> bool:
    return len(whole_parts) == 1 and whole_parts[0]["type"] == "error" and whole_parts[0].get("stage") == "open"


def _finish_is_legal(finish: PartJson, whole_parts: Sequence[PartJson], at: int) -> str | None:
    """``finish`` stands where the whole has part ``at``: that must be its finish too, or there was more to come."""
    choice = _choice(finish)
    reason = next(
        (part.get("finishReason") for part in whole_parts if part["type"] == "finish" and _choice(part) == choice),
        None,
    )
    if reason is None:
        return "the body was cut and finishes, although the whole body does not"
    if finish.get("finishReason") != reason:
        return f"the body was cut and finishes with {finish.get('finishReason')}, the whole body with {reason}"
    if at >= len(whole_parts) or whole_parts[at]["type"] != "finish" or _choice(whole_parts[at]) != choice:
        return "the body was cut and finishes before everything that the whole body says is out"
    return None
