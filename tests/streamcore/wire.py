"""Synthetic bodies, every way of feeding them, and the parts they should give, spelled out.

No test feeds a stream in only one way: :func:`decode_every_way` is how a body becomes parts here. What a test expects
is written in the AI SDK's spelling by the small functions at the end, which share no code with the package.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from streamcore import Decoder, Limits, Message, Part, ReasoningBlock, TextBlock, ToolCallBlock, Warning
from streamcore.dialects import DIALECTS

Json = dict[str, Any]

EVERY_SPLIT_UP_TO = int(os.environ.get("STREAMCORE_SPLITS", "600"))
"""Bytes of the longest body that is cut in two at every offset; few, where only the lines that are reached count."""
SAMPLED_SPLITS = min(60, EVERY_SPLIT_UP_TO)
RANDOM_CUTS = 8

DONE = b"data: [DONE]\n\n"


# -- bodies ---------------------------------------------------------------------------------------------------------


def event(payload: Any, name: str = "", eol: str = "\n") -> bytes:
    """One SSE event; ``payload`` is text, bytes, or a value that is written as compact JSON."""
    written = payload if isinstance(payload, str | bytes) else json.dumps(payload, separators=(",", ":"))
    data = written.encode() if isinstance(written, str) else written
    head = f"event: {name}{eol}" if name else ""
    return head.encode() + b"data: " + data + (eol * 2).encode()


def chunk(*choices: Json, **extra: Any) -> Json:
    """A ``chat.completion.chunk`` of those choices."""
    return {"id": "c", "created": 1, "model": "m", "choices": list(choices), **extra}


def choice(delta: Any, finish: str | None = None, index: Any = 0) -> Json:
    """One element of ``choices``."""
    return {"index": index, "delta": delta, "finish_reason": finish}


def chat(delta: Any, finish: str | None = None, index: Any = 0, **extra: Any) -> bytes:
    """The event of a chunk with one choice."""
    return event(chunk(choice(delta, finish, index), **extra))


def text(content: str, finish: str | None = None, index: int = 0) -> bytes:
    """The event of a chunk with one piece of text."""
    return chat({"content": content}, finish, index)


def finish(reason: str | None, index: int = 0) -> bytes:
    """The event of a chunk that ends a choice."""
    return chat({}, reason, index)


ABSENT: Any = object()
"""Marks a key that the wire leaves out."""


def present(**keys: Any) -> Json:
    """The keys whose value is not ``ABSENT``."""
    return {key: value for key, value in keys.items() if value is not ABSENT}


def call(index: Any = 0, key: Any = ABSENT, name: Any = ABSENT, args: Any = ABSENT, kind: Any = ABSENT) -> Json:
    """One element of ``delta.tool_calls``; ``key`` is its id, ``kind`` its type."""
    function = present(name=name, arguments=args)
    return present(index=index, id=key, type=kind, function=function or ABSENT)


def tools(*calls: Json, finish: str | None = None, index: int = 0) -> bytes:
    """The event of a chunk with tool call deltas."""
    return chat({"tool_calls": list(calls)}, finish, index)


# -- ways of feeding ------------------------------------------------------------------------------------------------


def chunkings(body: bytes, every_split_up_to: int = EVERY_SPLIT_UP_TO) -> Iterator[list[bytes]]:
    """Whole, byte by byte, cut in two everywhere (at a sample of offsets if it is long), and cut at random."""
    yield [body]
    yield [body[at : at + 1] for at in range(len(body))]
    chance = random.Random(len(body))
    offsets: Sequence[int] = range(1, len(body))
    if len(body) > every_split_up_to:
        offsets = sorted(chance.sample(offsets, SAMPLED_SPLITS))
    for at in offsets:
        yield [body[:at], body[at:]]
    for _ in range(RANDOM_CUTS if len(body) > 2 else 0):
        cuts = sorted(chance.choices(range(len(body) + 1), k=chance.randint(2, 12)))  # repeats make empty chunks
        yield [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


@dataclass
class Decoded:
    """What a body gave."""

    items: list[Part]
    warnings: list[Warning]
    message: Message

    @property
    def parts(self) -> list[Json]:
        """The parts in the AI SDK's spelling."""
        return [part.as_json() for part in self.items]

    @property
    def codes(self) -> list[str]:
        """The codes of the warnings."""
        return [warning.code for warning in self.warnings]


def read(
    pieces: Iterable[bytes],
    dialect: str,
    policy: Any,
    limits: Limits | None,
    *,
    general: bool = False,
    assemble: bool = True,
) -> tuple[list[Part], Decoder]:
    """The parts of the chunks, and the decoder after the end of input."""
    decoder = Decoder(dialect, policy=policy, limits=limits, assemble=assemble)
    if general:
        reader: Any = decoder._dialect
        reader.frame = reader.frame_in_full
    items: list[Part] = []
    for piece in pieces:
        items += decoder.feed(piece)
    items += decoder.close()
    return items, decoder


@contextmanager
def quick_only(decoder: Decoder) -> Iterator[None]:
    """Without the dialect's general path: a frame that needs it raises.

    Both paths give the same parts, so a test of the quick one that could fall back would show nothing.
    """
    reader: Any = decoder._dialect
    reader.frame_in_full = None
    try:
        yield
    finally:
        del reader.frame_in_full


def decode(
    body: bytes | Iterable[bytes],
    dialect: str = "openai-chat",
    *,
    policy: Any = "lenient",
    limits: Limits | None = None,
    general: bool = False,
) -> Decoded:
    """Feeds the chunks (or the one body) and closes; ``general`` keeps the dialect off its quick path."""
    pieces = [body] if isinstance(body, bytes) else body
    items, decoder = read(pieces, dialect, policy, limits, general=general)
    return Decoded(items, decoder.warnings, decoder.message)


def decode_every_way(
    body: bytes, dialect: str = "openai-chat", *, policy: Any = "lenient", limits: Limits | None = None
) -> Decoded:
    """The one result that every chunking of ``body`` gives, with and without the dialect's quick path."""
    expected = decode(body, dialect, policy=policy, limits=limits)
    check_order(expected)
    assert decode([body[at : at + 1] for at in range(len(body))], dialect, policy=policy, limits=limits) == expected
    if hasattr(DIALECTS[dialect], "frame_in_full"):
        assert decode(body, dialect, policy=policy, limits=limits, general=True) == expected
    # The policies differ in what they make of the frames, not in how these are found.
    for pieces in chunkings(body, EVERY_SPLIT_UP_TO if policy == "lenient" else SAMPLED_SPLITS):
        if len(pieces) == len(body):
            continue  # so it was read above, and nothing takes longer
        # Equal parts have equal messages: test_message.py.
        items, decoder = read(pieces, dialect, policy, limits, assemble=False)
        assert items == expected.items, [len(piece) for piece in pieces]
        assert decoder.warnings == expected.warnings, [len(piece) for piece in pieces]
    return expected


def check_order(decoded: Decoded) -> None:
    """What holds for every stream: each block starts, continues, ends, once and in that order; the end is the end."""
    open_blocks: set[tuple[Any, ...]] = set()
    seen: set[tuple[Any, ...]] = set()
    finished: set[int] = set()
    over = False
    for part in decoded.parts:
        assert not over, "a part after the last one"
        where = part.get("choice", 0)
        assert where not in finished or part["type"] == "error"
        family, _, step = part["type"].rpartition("-")
        if family in ("text", "reasoning", "tool-input"):
            key = (family, part["id"], where)
            if step == "start":
                # Where reasoning and text take turns, OpenAI-compatible servers' blocks begin anew under the same id.
                assert key not in (open_blocks if part["id"] in ("txt-0", "reasoning-0") else seen)
                seen.add(key)
                open_blocks.add(key)
            else:
                assert key in open_blocks
                if step == "end":
                    open_blocks.remove(key)
        elif part["type"] == "finish":
            finished.add(where)
        elif part["type"] == "error":
            over = part["stage"] in ("open", "close")
    starts = [at for at, part in enumerate(decoded.parts) if part["type"] == "stream-start"]
    assert starts in ([], [0])
    assert len(finished) < 2 or 0 in finished
    assert bool(finished) or any(part["type"] == "error" for part in decoded.parts)
    for block in decoded.message.content:
        match block:
            case TextBlock() | ReasoningBlock():
                block.text.encode()
            case ToolCallBlock():
                "".join((block.id, block.name, block.arguments)).encode()


# -- expected parts -------------------------------------------------------------------------------------------------


def _plus(part: Json, **extra: Any) -> Json:
    return {**part, **{key: value for key, value in extra.items() if value is not None}}


START: Json = {"type": "stream-start", "warnings": []}
META: Json = {"type": "response-metadata", "id": "c", "modelId": "m", "timestamp": "1970-01-01T00:00:01.000Z"}
HEAD: list[Json] = [START, META]
"""What every stream of :func:`chunk` begins with."""


def t_start(key: str = "0", **extra: Any) -> Json:
    """A ``text-start`` part."""
    return _plus({"type": "text-start", "id": key}, **extra)


def t_delta(delta: str, key: str = "0", **extra: Any) -> Json:
    """A ``text-delta`` part."""
    return _plus({"type": "text-delta", "id": key, "delta": delta}, **extra)


def t_end(key: str = "0", **extra: Any) -> Json:
    """A ``text-end`` part."""
    return _plus({"type": "text-end", "id": key}, **extra)


def i_start(key: str = "a", name: str = "f", **extra: Any) -> Json:
    """A ``tool-input-start`` part."""
    return _plus({"type": "tool-input-start", "id": key, "toolName": name}, **extra)


def i_delta(delta: str, key: str = "a", **extra: Any) -> Json:
    """A ``tool-input-delta`` part."""
    return _plus({"type": "tool-input-delta", "id": key, "delta": delta}, **extra)


def i_end(key: str = "a", **extra: Any) -> Json:
    """A ``tool-input-end`` part."""
    return _plus({"type": "tool-input-end", "id": key}, **extra)


def t_call(arguments: str, key: str = "a", name: str = "f", **extra: Any) -> Json:
    """A ``tool-call`` part."""
    return _plus({"type": "tool-call", "toolCallId": key, "toolName": name, "input": arguments}, **extra)


def ended(arguments: str, key: str = "a", name: str = "f", **extra: Any) -> list[Json]:
    """The two parts that end a call."""
    choice = extra.get("choice")
    return [i_end(key, choice=choice), t_call(arguments, key, name, **extra)]


NO_USAGE: Json = {"inputTokens": {}, "outputTokens": {}}


def fin(unified: str, raw: str | None, *, usage: Json = NO_USAGE, metadata: Json | None = None) -> Json:
    """The ``finish`` part of choice 0."""
    return {
        "type": "finish",
        "finishReason": _plus({"unified": unified}, raw=raw),
        "usage": usage,
        "providerMetadata": {"openai": metadata or {}},
    }


def fin_of(choice: int, unified: str, raw: str | None) -> Json:
    """The ``finish`` part of another choice."""
    reason = _plus({"unified": unified}, raw=raw)
    return {"type": "finish", "finishReason": reason, "usage": NO_USAGE, "choice": choice}


def err(kind: str, stage: str, offset: int, payload: Any = ABSENT) -> Json:
    """An ``error`` part; a ``payload`` of None is the payload null."""
    return {"type": "error", **present(kind=kind, stage=stage, offset=offset, payload=payload)}


def size(*frames: bytes) -> int:
    """Bytes of all ``frames``: the offset of an error in the last of them."""
    return sum(map(len, frames))
