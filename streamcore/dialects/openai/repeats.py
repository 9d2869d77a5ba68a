"""Chunks that repeat the one before them but for a piece of text, as nearly all chunks of a chat stream do.

Beside its piece of text a chunk repeats who says it: id, model, time, role, filter results, keys of the server's own.
Where all bytes but that one JSON string are those of a chunk that went through the general path and did nothing but add
its string to an open block, the chunk does the same with the string it has; nothing else in it needs to be read again.
Some servers say the piece a second time in a place that nobody reads; a repeat may do that too. And OpenAI pads chunks to
hide how long the piece is; the padding may be any. What else differs from chunk to chunk is found by comparing two that
the general path took: ``varying_repeats``.

What is remembered is good for the very next chunk only, unless that is a repeat too: so the state in between is the one
that the general path left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from streamcore.limits import Limits
from streamcore.parts import Part, ReasoningDelta, TextDelta, ToolInputDelta
from streamcore.state import Frozen
from streamcore.toolcalls import ToolCallAssembler

_PATHS: Final[tuple[tuple[str | int, ...], ...]] = (
    ("delta", "content"),
    ("delta", "reasoning_content"),
    ("delta", "reasoning"),
    ("delta", "tool_calls", 0, "function", "arguments"),
    ("text",),
    ("delta", "content", 0, "text"),
    ("delta", "content", 0, "thinking", 0, "text"),
    # Only ever said again: by OpenRouter and Vercel's gateway, and by Writer.
    ("delta", "reasoning_details", 0, "text"),
    ("message", "content"),
    ("message", "tool_calls", 0, "function", "arguments"),
)
"""Where in a choice the piece may be. Of those that hold the same string only one is read, whatever the string is."""
_WRITTEN: Final = {
    path[-1]: re.compile(rb'"%s"[ \t]*:[ \t]*("[^"\\]*+(?:\\.[^"\\]*+)*+")' % str(path[-1]).encode()) for path in _PATHS
}
_PADDING: Final = b'"obfuscation":"'
_PROBE: Final = "\ue0cb"
_PROBE_WRITTEN: Final = f'"{_PROBE}"'.encode()
_UNREADABLE: Final = (LookupError, TypeError, AttributeError, ValueError, msgspec.MsgspecError)
_decode = msgspec.json.Decoder().decode
_decode_string = msgspec.json.Decoder(str).decode


class Chat(Protocol):
    """What a repeat may change: the state of the stream."""

    usage: Frozen | None

    @property
    def choices(self) -> Mapping[int, Any]:
        """The choices so far; they have ``tools``, the calls."""


class Repeat(NamedTuple):
    """A chunk without its piece of text."""

    pieces: tuple[bytes, ...]
    """What stands before, between and behind the places of the string."""
    size: int
    """Bytes of all pieces."""
    block: str
    """The id of the block that the text continues; empty for the arguments of a call."""
    call: int
    """The ``index`` of that call."""
    reasoning: bool
    padded: bool
    """The padding is left out of the pieces."""

    def again(self, data: bytes, state: Chat, limits: Limits, out: list[Part]) -> bool:
        """Appends what ``data`` gives, if it is such a chunk; False if it is not."""
        pieces, size, block, call, reasoning, padded = self
        if padded:
            data = without_padding(data)
        length, rest = divmod(len(data) - size, len(pieces) - 1)
        at = len(pieces[0])
        written = data[at : at + length]
        if rest or written.join(pieces) != data:
            return False
        try:
            text = _decode_string(written)
        except (msgspec.MsgspecError, ValueError):
            return False
        if not text:
            return False
        if not block:
            calls: ToolCallAssembler = state.choices[0].tools
            return calls.more(call, text, limits, out)
        out.append(ReasoningDelta(block, text) if reasoning else TextDelta(block, text))
        return True


def repeatable(data: bytes, part: Part) -> Repeat | None:
    """What of the chunk ``data`` can come again, if ``part`` is all that it gave and did; None if nothing."""
    if not isinstance(part, TextDelta | ReasoningDelta | ToolInputDelta) or part.choice or part.metadata:
        return None
    call = 0
    padded = data.count(_PADDING) == 1
    if padded:
        data = without_padding(data)
    try:
        [choice] = _decode(data)["choices"]
        if isinstance(part, ToolInputDelta):
            [wire] = choice["delta"]["tool_calls"]
            call = wire["index"]
        places = [path for path in _PATHS if _at(choice, path) == part.delta]
        spellings = _WRITTEN[places[0][-1]].findall(data) if places else ()
        written = next((found for found in spellings if _decode_string(found) == part.delta), None)
    except _UNREADABLE:
        return None
    if written is None or type(call) is not int or _says_logprobs(choice):
        return None
    pieces = tuple(data.split(written))
    # That these are all the places, and nothing but them, is tried: another string is put in.
    try:
        [tried] = _decode(_PROBE_WRITTEN.join(pieces))["choices"]
    except _UNREADABLE:
        return None
    if len(pieces) != len(places) + 1 or any(_at(tried, path) != _PROBE for path in places) or part.delta == _PROBE:
        return None
    block = "" if isinstance(part, ToolInputDelta) else part.id
    return Repeat(pieces, sum(map(len, pieces)), block, call, isinstance(part, ReasoningDelta), padded)


def _says_logprobs(choice: dict[str, Any]) -> bool:
    """Snowflake's are an object of nothing but null."""
    logprobs = choice.get("logprobs")
    return bool(logprobs) and not (type(logprobs) is dict and all(value is None for value in logprobs.values()))


def without_padding(data: bytes) -> bytes:
    """The chunk as it is if the padding is empty; as it is if there is none, or one that has to be read."""
    before, key, rest = data.rpartition(_PADDING)
    padding, quote, after = rest.partition(b'"')
    return before + key + quote + after if key and padding.isalnum() else data


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What is at ``path``; None if there is nothing."""
    try:
        for key in path:
            value = value[key]
    except (LookupError, TypeError):
        return None
    return value
