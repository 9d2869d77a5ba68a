"""What the parts add up to: content blocks in order, tool calls, usage, finish.

The message is a fold over parts and nothing else: two streams with equal parts have equal messages. Its texts,
arguments, names and ids can be encoded as UTF-8: halves of a surrogate pair that came in two deltas are joined, a half
that stays alone becomes U+FFFD. JSON values (metadata, results, the payload of an error) are as the parts have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from streamcore import jsontext
from streamcore.errors import WireError
from streamcore.parts import (
    Error,
    File,
    Finish,
    FinishUnified,
    Metadata,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    ResponseMetadata,
    Source,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputStart,
    ToolResult,
    Usage,
)
from streamcore.state import EMPTY_LOG, Frozen, Log, State, capture, reinstate


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the model stopped: one of the AI SDK's unified reasons, and the provider's own word, if it said one."""

    unified: FinishUnified
    raw: str | None


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Answer text."""

    text: str
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class ReasoningBlock:
    """Reasoning; ``metadata`` holds the provider's signature or redacted data, byte-exact."""

    text: str
    metadata: Metadata | None = None


@dataclass(frozen=True)
class ToolCallBlock:
    """One tool call."""

    id: str
    name: str
    arguments: str
    """The arguments text as the wire had it; ``{}`` where a complete call had none."""
    complete: bool
    """The call reached its end; a call that was cut is never complete, and never executable."""
    valid: bool
    """``arguments`` is the text of a JSON object."""
    provider_executed: bool = False
    metadata: Metadata | None = None

    @property
    def executable(self) -> bool:
        """Complete, valid, and not already executed by the provider."""
        return self.complete and self.valid and not self.provider_executed

    @cached_property
    def input(self) -> dict[str, Any] | None:
        """The arguments as a JSON object, integers exact; None unless ``complete`` and ``valid``."""
        return jsontext.loads(self.arguments.encode()) if self.complete and self.valid else None


@dataclass(frozen=True, slots=True)
class ToolResultBlock:
    """The result of a tool that the provider executed itself."""

    tool_call_id: str
    tool_name: str
    result: Any
    is_error: bool


@dataclass(frozen=True, slots=True)
class SourceBlock:
    """A source the answer rests on, as the ``source`` part has it."""

    source: Source


@dataclass(frozen=True, slots=True)
class FileBlock:
    """A file that the model made, as the ``file`` part has it."""

    file: File


Block = TextBlock | ReasoningBlock | ToolCallBlock | ToolResultBlock | SourceBlock | FileBlock


@dataclass(frozen=True, slots=True)
class Message:
    """One assistant message, whole or so far."""

    content: tuple[Block, ...] = ()
    finish: FinishReason | None = None
    """Normalised: ``tool-calls`` whenever complete calls are present, except that ``length``, ``content-filter`` and
    ``error`` stay what they are. None while the stream has neither finished nor failed."""
    usage: Usage | None = None
    error: WireError | None = None
    """The first error of the stream."""
    id: str | None = None
    model: str | None = None
    timestamp: str | None = None
    metadata: Metadata | None = None
    alternatives: tuple[Message, ...] = ()
    """The choices beyond the first, where more than one was asked for."""

    @property
    def complete(self) -> bool:
        """The stream reached its terminal mark and reported no error."""
        return self.finish is not None and self.error is None

    @property
    def text(self) -> str:
        """All answer text."""
        return "".join(block.text for block in self.content if isinstance(block, TextBlock))

    @property
    def reasoning(self) -> str:
        """All reasoning text."""
        return "".join(block.text for block in self.content if isinstance(block, ReasoningBlock))

    @property
    def tool_calls(self) -> tuple[ToolCallBlock, ...]:
        """The tool calls, in order of appearance."""
        return tuple(block for block in self.content if isinstance(block, ToolCallBlock))


class _Block(State):
    """A block under construction. ``kind`` is ``text``, ``reasoning``, ``tool``, or ``value`` for a finished one."""

    __slots__ = ("complete", "id", "invalid", "kind", "log", "metadata", "name", "provider_executed", "value")

    def __init__(self, kind: str, block_id: str) -> None:
        self.kind = kind
        self.id = block_id
        self.log: Log = EMPTY_LOG
        self.metadata: Frozen | None = None
        self.name = ""
        self.complete = False
        self.invalid = False
        self.provider_executed = False
        self.value: Any = None
        """The finished block, frozen."""

    def describe(self, metadata: Metadata | None) -> None:
        """Merges provider metadata; a later value of a field replaces an earlier one."""
        if metadata:
            merged = dict(self.metadata.value) if self.metadata else {}
            for provider, fields in metadata.items():
                merged[provider] = {**merged.get(provider, {}), **fields}
            self.metadata = Frozen(merged)

    def build(self) -> Block:
        """The finished form."""
        metadata = self.metadata.value if self.metadata else None
        text = well_formed(self.log.text())
        if self.kind == "text":
            return TextBlock(text, metadata)
        if self.kind == "reasoning":
            return ReasoningBlock(text, metadata)
        if self.kind == "tool":
            if self.complete and not text.strip(jsontext.WHITESPACE):
                text = "{}"
            valid = self.complete and not self.invalid
            names = well_formed(self.id), well_formed(self.name)
            return ToolCallBlock(*names, text, self.complete, valid, self.provider_executed, metadata)
        return cast("Block", self.value.value)


class _Choice(State):
    """One choice under construction."""

    __slots__ = ("blocks", "finish", "metadata", "open", "raw", "usage")

    def __init__(self) -> None:
        self.blocks: list[_Block] = []
        self.open: dict[tuple[str, str], int] = {}
        """(kind, id) -> position of the block that has it now."""
        self.finish: str | None = None
        self.raw: str | None = None
        self.usage: Frozen | None = None
        self.metadata: Frozen | None = None

    def start(self, kind: str, block_id: str) -> _Block:
        """Opens a block."""
        block = _Block(kind, block_id)
        self.open[kind, block_id] = len(self.blocks)
        self.blocks.append(block)
        return block

    def find(self, kind: str, block_id: str) -> _Block:
        """The open block of that name, opened now if it is not."""
        position = self.open.get((kind, block_id))
        return self.blocks[position] if position is not None else self.start(kind, block_id)

    def put(self, block: Block) -> None:
        """Appends a block that is finished from the start."""
        self.start("value", "").value = Frozen(block)


class _Fold(State):
    __slots__ = ("choices", "error", "id", "model", "timestamp")

    def __init__(self) -> None:
        self.choices: dict[int, _Choice] = {0: _Choice()}
        self.error: Frozen | None = None
        self.id: str | None = None
        self.model: str | None = None
        self.timestamp: str | None = None

    def choice(self, index: int) -> _Choice:
        found = self.choices.get(index)
        if found is None:
            found = self.choices[index] = _Choice()
        return found


class MessageAssembler:
    """Parts in, message out."""

    def __init__(self) -> None:
        self._fold = _Fold()

    def snapshot(self) -> Any:
        """An immutable image of everything folded so far."""
        return capture(self._fold)

    def restore(self, snapshot: Any) -> None:
        """Takes on what ``snapshot`` returned."""
        self._fold = reinstate(snapshot)

    def add(self, parts: list[Part]) -> None:
        """Folds ``parts`` in; deltas of one block that follow each other are joined first."""
        pending: list[str] = []
        block: _Block | None = None
        key: tuple[type[Part], str, int] | None = None
        described: Metadata | None = None
        for part in parts:
            kind = type(part)
            if kind is TextDelta or kind is ToolInputDelta or kind is ReasoningDelta:
                if key != (kind, part.id, part.choice):  # type: ignore[attr-defined]
                    if block is not None:
                        block.log = block.log.append("".join(pending))
                        pending = []
                    key = (kind, part.id, part.choice)  # type: ignore[attr-defined]
                    described = None
                    block = self._fold.choice(key[2]).find(_DELTA_KIND[kind], key[1])
                pending.append(part.delta)  # type: ignore[attr-defined]
                metadata = part.metadata  # type: ignore[attr-defined]
                if metadata and block is not None and metadata != described:
                    block.describe(metadata)
                    described = metadata  # most deltas of a block that say anything say the same
                continue
            if block is not None:
                block.log = block.log.append("".join(pending))
                pending, block, key = [], None, None
            self._add(part)
        if block is not None:
            block.log = block.log.append("".join(pending))

    def _add(self, part: Part) -> None:
        fold = self._fold
        match part:
            case TextStart() | ReasoningStart():
                kind = "text" if isinstance(part, TextStart) else "reasoning"
                fold.choice(part.choice).start(kind, part.id).describe(part.metadata)
            case TextEnd() | ReasoningEnd():
                kind = "text" if isinstance(part, TextEnd) else "reasoning"
                fold.choice(part.choice).find(kind, part.id).describe(part.metadata)
            case ToolInputStart():
                block = fold.choice(part.choice).start("tool", part.id)
                block.name = part.tool_name
                block.provider_executed = bool(part.provider_executed)
            case ToolCall():
                self._tool_call(part)
            case ToolResult(preliminary=True):
                pass
            case ToolResult():
                result = ToolResultBlock(part.tool_call_id, part.tool_name, part.result, bool(part.is_error))
                fold.choice(part.choice).put(result)
            case Source():
                fold.choice(part.choice).put(SourceBlock(part))
            case File():
                fold.choice(part.choice).put(FileBlock(part))
            case ResponseMetadata():
                fold.id = well_formed(part.id) if part.id is not None else fold.id
                fold.model = well_formed(part.model_id) if part.model_id is not None else fold.model
                fold.timestamp = part.timestamp if part.timestamp is not None else fold.timestamp
            case Finish():
                choice = fold.choice(part.choice)
                choice.finish, choice.raw = part.unified, part.raw and well_formed(part.raw)
                choice.usage = Frozen(part.usage)
                choice.metadata = Frozen(part.metadata) if part.metadata else None
            case Error():
                fold.error = fold.error or Frozen(part.error)
            case _:
                pass

    def _tool_call(self, part: ToolCall) -> None:
        choice = self._fold.choice(part.choice)
        block = choice.find("tool", part.tool_call_id)
        block.name = part.tool_name
        block.log = Log(None, part.input)
        block.complete = True
        block.invalid = part.invalid
        block.provider_executed = bool(part.provider_executed)
        block.describe(part.metadata)

    def message(self) -> Message:
        """The message as far as the parts go."""
        fold = self._fold
        error = fold.error.value if fold.error else None
        ordered = sorted(fold.choices)
        messages = [self._message(fold.choices[index], error) for index in ordered]
        first = messages[0]
        return Message(
            first.content, first.finish, first.usage, error, fold.id, fold.model, fold.timestamp, first.metadata,
            tuple(messages[1:]),
        )  # fmt: skip

    def _message(self, choice: _Choice, error: WireError | None) -> Message:
        content = tuple(block.build() for block in choice.blocks)
        calls = any(
            isinstance(block, ToolCallBlock) and block.complete and not block.provider_executed for block in content
        )
        finish: FinishReason | None = None
        if error is not None:
            finish = FinishReason("error", choice.raw)
        elif choice.finish is not None:
            unified: Any = "tool-calls" if calls and choice.finish in ("stop", "other") else choice.finish
            finish = FinishReason(unified, choice.raw)
        return Message(
            content,
            finish,
            choice.usage.value if choice.usage else None,
            error,
            metadata=choice.metadata.value if choice.metadata else None,
        )


_DELTA_KIND = {TextDelta: "text", ReasoningDelta: "reasoning", ToolInputDelta: "tool"}


def well_formed(text: str) -> str:
    """``text`` with surrogate pairs joined and lone surrogates replaced by U+FFFD, so that it can be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
