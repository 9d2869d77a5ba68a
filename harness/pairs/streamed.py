"""What a stream adds up to, as an :data:`harness.pairs.answer.Answer`: read from the parts of any subject."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from harness.generated_ids import GeneratedIds
from harness.pairs.answer import Answer, Block, answer, choice, parsed, said, usage
from streamcore.framing.eventstream import EventStreamFramer
from streamcore.message import well_formed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.case import Case
    from harness.subjects import PartJson

_SIGNATURES = ("signature", "thoughtSignature", "reasoningEncryptedContent")
_REDACTED = ("redactedData", "redactedContent")


def of_parts(parts: Sequence[PartJson], body: bytes) -> Answer:
    """The answer that ``parts`` tell, as read from ``body``: an id that does not occur in it was made up by the subject.

    Other subjects than our own may hand out anything: what is not where a part has it counts as not said.
    """
    about: dict[str, Any] = {}
    choices: dict[int, _Choice] = {}
    finishes: dict[int, PartJson] = {}
    for part in parts:
        number = part.get("choice", 0)
        if part["type"] == "response-metadata":
            about.update(part)
        elif part["type"] == "finish":
            finishes[number] = part
        else:
            choices.setdefault(number, _Choice(body)).add(part)
    tokens = _object(finishes.get(0, {}).get("usage"))
    taken, given = _object(tokens.get("inputTokens")), _object(tokens.get("outputTokens"))
    return answer(
        (
            choice(
                choices[number].blocks() if number in choices else (),
                _object(finishes[number].get("finishReason")).get("raw"),
            )
            for number in sorted(finishes)
        ),
        usage(taken.get("total"), given.get("total"), cached=taken.get("cacheRead"), reasoning=given.get("reasoning")),
        ident=about.get("id"),
        model=about.get("modelId"),
        created=about.get("timestamp"),
    )


class _Choice:
    """The blocks of one choice, as its parts come."""

    def __init__(self, body: bytes) -> None:
        self._ids = GeneratedIds(body)
        self._blocks: list[Block] = []
        self._open: dict[tuple[str, Any], Block] = {}
        self._item: Any = None
        """The id of the item that the last block is of, where the provider has items."""

    def add(self, part: PartJson) -> None:
        """Takes what the part says."""
        kind, _, event = part["type"].rpartition("-")
        if kind in ("text", "reasoning"):
            self._said(kind, event, part)
        elif part["type"] == "tool-call" and not part.get("providerExecuted"):
            self._called(part, part.get("toolCallId"), part.get("input", ""))
        elif part["type"] == "tool-input-start" and not part.get("providerExecuted"):
            self._called(part, part.get("id"), "")
        elif part["type"] == "tool-input-delta" and ("tool", part.get("id")) in self._open:
            self._open["tool", part["id"]]["arguments"] += part.get("delta", "")

    def _said(self, kind: str, event: str, part: PartJson) -> None:
        key = (kind, part.get("id"))
        if event == "start":
            item = next((own["itemId"] for own in _metadata(part) if own.get("itemId")), None)
            last = self._blocks[-1] if self._blocks else None
            if kind == "reasoning" and last is not None and item is not None and item == self._item:
                last["text"] += "\n\n"  # another summary of the same reasoning
                self._open[key] = last
            else:
                self._put(key, said(kind, ""))
            self._item = item
        if key in self._open:
            self._open[key]["text"] += part.get("delta", "")
            _describe(self._open[key], part)

    def _called(self, part: PartJson, ident: Any, arguments: Any) -> None:
        key = ("tool", ident)
        if key not in self._open:
            known = isinstance(ident, str) and self._ids.name(ident) == ident
            self._put(key, {"type": "tool", "id": ident if known else None})
        self._open[key].update(name=part.get("toolName"), arguments=arguments)
        _describe(self._open[key], part)

    def _put(self, key: tuple[str, Any], block: Block) -> None:
        self._open[key] = block
        self._blocks.append(block)
        self._item = None

    def blocks(self) -> Iterator[Block]:
        """All of them, whole: halves of a surrogate pair that came in two deltas are joined."""
        for block in self._blocks:
            if block["type"] != "tool":
                yield {**block, "text": well_formed(block["text"])}
            elif isinstance(block["arguments"], str):
                yield {**block, "arguments": parsed(block["arguments"])}
            else:
                yield block


def _describe(block: Block, part: PartJson) -> None:
    for own in _metadata(part):
        for name, keys in (("signature", _SIGNATURES), ("redacted", _REDACTED)):
            value = next((own[key] for key in keys if own.get(key) is not None), None)
            if value is not None:
                block[name] = value
        if own.get("refusal"):
            block["type"] = "refusal"


def _metadata(part: PartJson) -> Iterator[dict[str, Any]]:
    yield from map(_object, _object(part.get("providerMetadata")).values())


def spoken(case: Case) -> bytes:
    """The body as far as the model said it: events that Bedrock's InvokeModel wraps in base64 are unwrapped."""
    if case.dialect != "bedrock-invoke-with-response-stream":
        return case.body
    wrapped = [payload for _, payload, _ in EventStreamFramer().feed(case.body)]
    return b"\n".join(map(_unwrapped, wrapped))


def _unwrapped(payload: bytes) -> bytes:
    try:
        return b64decode(json.loads(payload)["bytes"])
    except (ValueError, KeyError, TypeError):
        return payload


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
