"""What a stream came to, for someone who reads nothing but parts; and how that is held against what was expected.

An :class:`Observed` is a fold over the parts of any subject, in the AI SDK's spelling. It knows nothing of streamcore,
so that every subject is graded alike. What a subject need not offer (warnings, a count of frames, parts before the end
of input) is None if it does not, and then is not held against it.

A *pattern* is YAML: a value stands for itself; ``"*"`` for any text that is not empty; a list for a list of that length;
``{has: X}`` for a text with X in it, or a list with an element that fits X; ``{lacks: X}`` for the opposite;
``{not: X}`` for all that does not fit X; ``{count: N}`` for so many elements; any other mapping for one whose
keys fit, an empty one for one that is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.canonical import canonical
from harness.subjects import PartJson
from streamcore import jsontext

DEFAULTS: Mapping[str, Any] = {
    "text": "",
    "reasoning": "",
    "calls": [],
    "finish": None,
    "error": None,
    "warnings": [],
    "encodable": True,
    "ids_differ": True,
    "twin": [],
}
"""What the fields of an exact outcome are where it does not name them; the other fields are then not compared."""
OFFERED = ("warnings", "frames", "late", "settled", "twin")
"""Fields that are compared only where there are any: with subjects that have them, with cases that have a twin."""
_OPERATORS = {"has", "lacks", "not", "count"}
_SIGNATURES = ("signature", "thoughtSignature", "redactedData")
_LETTERS = {"text": "text", "reasoning": "reasoning", "tool": "call"}


@dataclass
class Observed:
    """What came of one stream. Text and calls are those of the first choice."""

    text: str = ""
    reasoning: str = ""
    blocks: list[str] = field(default_factory=list)
    """Kinds of the blocks in their order: ``text``, ``reasoning``, ``call``."""
    calls: list[dict[str, Any]] = field(default_factory=list)
    """``id``, ``name``, ``arguments`` (the text; ``{}`` where a call that was handed out has none), and ``executable``: it
    was handed out as a call, for the caller to run, without a mark that its arguments are none."""
    finish: str | None = None
    """The unified finish reason; None without a ``finish`` part."""
    raw_finish: str | None = None
    """The provider's own word."""
    error: str | None = None
    """Kind of the first error."""
    stage: str | None = None
    """Its stage: ``open``, ``stream``, ``close``."""
    says: str = ""
    """What the payload of that error says, as canonical JSON."""
    response: dict[str, str] = field(default_factory=dict)
    """``id`` and ``model`` of the response, as the last part that has them says."""
    usage: dict[str, int] = field(default_factory=dict)
    """``input`` and ``output`` tokens, where known."""
    signatures: list[str] = field(default_factory=list)
    """Signatures and redacted data of reasoning and calls, in order of their parts; "" for a call without one if another
    call has one."""
    choices: dict[str, dict[str, Any]] = field(default_factory=dict)
    """``text`` and ``calls`` of each choice beyond the first, by its number."""
    late: str | None = ""
    """Text of the first choice that came only when the input was closed; None if the subject is run at the end."""
    settled: bool | None = False
    """A ``finish`` or an ``error`` came before the input was closed: nobody need wait for that. None as for ``late``."""
    encodable: bool = True
    """All text, reasoning and arguments can be encoded as UTF-8 once their deltas are joined."""
    ids_differ: bool = True
    """No two calls of the first choice have the same id."""
    warnings: list[str] | None = None
    """Codes in order; None if the subject tells none."""
    frames: int | None = None
    """None if the subject does not count them."""
    twin: list[str] | None = None
    """Paths of the values that the twin, the whole answer to the same request, tells otherwise (:mod:`harness.pairs`); None
    for a case without one."""


@dataclass
class _Block:
    kind: str
    id: str
    name: str = ""
    text: str = ""
    signature: str = ""
    handed_out: bool = False
    executable: bool = False


class _Fold:
    def __init__(self) -> None:
        self.blocks: dict[int, list[_Block]] = {0: []}
        self.observed = Observed()

    def block(self, part: PartJson, kind: str, key: str = "id") -> _Block:
        """The last block of that kind and id, opened now if there is none."""
        held = self.blocks.setdefault(part.get("choice") or 0, [])
        found = next((block for block in reversed(held) if (block.kind, block.id) == (kind, part[key])), None)
        if found is None:
            found = _Block(kind, part[key])
            held.append(found)
        return found

    def add(self, part: PartJson) -> None:
        kind, step = _step(part["type"])
        if step == "start":
            self.blocks.setdefault(part.get("choice") or 0, []).append(_Block(kind, part["id"]))
        if step:
            block = self.block(part, kind)
            block.text += part.get("delta") or ""
            block.name = part.get("toolName", block.name)
            block.signature = "".join(_signatures(part)) or block.signature
        elif part["type"] == "tool-call":
            self.call(part)
        elif part["type"] == "finish" and not part.get("choice"):
            reason = part.get("finishReason") or {}
            self.observed.finish, self.observed.raw_finish = reason.get("unified"), reason.get("raw")
            self.observed.usage = dict(_usage(part.get("usage") or {}))
        elif part["type"] == "response-metadata":
            told = {"id": part.get("id"), "model": part.get("modelId")}
            self.observed.response |= {key: value for key, value in told.items() if isinstance(value, str)}
        elif part["type"] == "error" and self.observed.error is None:
            self.observed.error, self.observed.stage = part.get("kind"), part.get("stage")
            self.observed.says = canonical(part["payload"]) if "payload" in part else ""

    def call(self, part: PartJson) -> None:
        block = self.block(part, "tool", "toolCallId")
        block.name, block.text = part["toolName"], part["input"]
        block.handed_out = True
        block.executable = not (part.get("invalid") or part.get("providerExecuted"))
        block.signature = "".join(_signatures(part)) or block.signature

    def end(self) -> Observed:
        seen, first = self.observed, self.blocks[0]
        seen.text, seen.calls = _text(first), _calls(first)
        seen.ids_differ = len({call["id"] for call in seen.calls}) == len(seen.calls)
        seen.choices = {
            str(index): {"text": _text(held), "calls": _calls(held)}
            for index, held in sorted(self.blocks.items())
            if index
        }
        seen.reasoning = _joined(block.text for block in first if block.kind == "reasoning")
        seen.blocks = [_LETTERS[block.kind] for block in first]
        signed = any(block.signature for block in first if block.kind == "tool")
        seen.signatures = [b.signature for b in first if b.signature or (signed and b.kind == "tool")]
        seen.encodable = all(_encodable(_joined([block.text])) for held in self.blocks.values() for block in held)
        return seen


def observe(
    fed: Sequence[PartJson],
    closed: Sequence[PartJson],
    warnings: list[str] | None = None,
    frames: int | None = None,
    *,
    at_end: bool = False,
) -> Observed:
    """The fold over what ``feed`` and then ``close`` gave; ``at_end`` if it is the harness that gives all at the end."""
    fold = _Fold()
    for part in fed:
        fold.add(part)
    before = _text(fold.blocks[0])
    settled = fold.observed.error is not None or fold.observed.finish is not None
    for part in closed:
        fold.add(part)
    observed = fold.end()
    observed.late, observed.settled = (None, None) if at_end else (observed.text[len(before) :], settled)
    observed.warnings, observed.frames = warnings, frames
    return observed


def fits(pattern: Any, value: Any) -> bool:
    """Whether ``value`` is what ``pattern`` describes."""
    if isinstance(pattern, Mapping):
        if not pattern:
            return bool(value == {})
        if pattern.keys() <= _OPERATORS:
            return all(_holds(operator, wanted, value) for operator, wanted in pattern.items())
        return isinstance(value, Mapping) and all(key in value and fits(pattern[key], value[key]) for key in pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and len(pattern) == len(value) and all(map(fits, pattern, value))
    if pattern == "*":
        return isinstance(value, str) and value != ""
    return type(pattern) is type(value) and bool(pattern == value)


def _holds(operator: str, wanted: Any, value: Any) -> bool:
    match operator:
        case "not":
            return not fits(wanted, value)
        case "count":
            return isinstance(value, list) and len(value) == wanted
        case "lacks":
            return not _holds("has", wanted, value)
        case _:
            if isinstance(value, str):
                return isinstance(wanted, str) and wanted in value
            return isinstance(value, list) and any(fits(wanted, item) for item in value)


def misfits(outcome: Mapping[str, Any], observed: Observed, *, exact: bool) -> list[str]:
    """The fields that are not as ``outcome`` says; of an exact one also those it leaves to :data:`DEFAULTS`."""
    wanted = {**DEFAULTS, **outcome} if exact else outcome
    wrong = []
    for name, pattern in wanted.items():
        value = getattr(observed, name)
        if value is None and name in OFFERED:
            continue
        if not fits(pattern, value):
            wrong.append(name)
    return wrong


def shows(outcome: Mapping[str, Any], observed: Observed) -> bool:
    """Whether all that ``outcome`` names is so; what the subject does not offer, nobody has seen."""
    values = {name: getattr(observed, name) for name in outcome}
    if any(values[name] is None for name in OFFERED if name in values):
        return False
    return all(fits(pattern, values[name]) for name, pattern in outcome.items())


def _step(kind: str) -> tuple[str, str]:
    for family in ("text", "reasoning", "tool-input"):
        for step in ("start", "delta", "end"):
            if kind == f"{family}-{step}":
                return family.partition("-")[0], step
    return "", ""


def _signatures(part: PartJson) -> Iterator[str]:
    for fields in (part.get("providerMetadata") or {}).values():
        if isinstance(fields, Mapping):
            yield from (fields[key] for key in _SIGNATURES if isinstance(fields.get(key), str))


def _usage(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name in ("input", "output"):
        total = (usage.get(f"{name}Tokens") or {}).get("total")
        if isinstance(total, int):
            yield name, total


def _text(blocks: Sequence[_Block]) -> str:
    return _joined(block.text for block in blocks if block.kind == "text")


def _calls(blocks: Sequence[_Block]) -> list[dict[str, Any]]:
    return [
        {"id": block.id, "name": block.name, "arguments": _arguments(block), "executable": block.executable}
        for block in blocks
        if block.kind == "tool"
    ]


def _arguments(block: _Block) -> str:
    text = _joined([block.text])
    return "{}" if block.handed_out and not text.strip(jsontext.WHITESPACE) else text


def _joined(texts: Iterable[str]) -> str:
    """The texts as one, halves of surrogate pairs joined; a half that is alone stays, to be seen."""
    text: str = "".join(texts)
    return text if _encodable(text) else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
