"""Chunks that repeat the one before them but for a piece of text and for values that differ in every chunk.

The number of the token, the time it took, the text so far: values that the dialect does not read may be any of their
kind. The usage so far is read, but only the last one counts: its numbers may be any, too. Which values these are is found
by comparing two chunks in a row that the general path took and that are alike otherwise; what a dialect reads is what its
schema keeps, so a value can be tried by putting in another.

To take two chunks apart costs as much as to read several. It is worth that if repeats follow; where they do not,
:func:`worth_a_try` says so less and less often.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from streamcore.dialects.base import Policy
from streamcore.dialects.openai.chat_values import predictions
from streamcore.dialects.openai.repeats import Chat, Repeat, repeatable, without_padding
from streamcore.dialects.schema import Mismatch
from streamcore.limits import Limits
from streamcore.parts import Part
from streamcore.state import Frozen

PIECE: Final = 0
"""The string that the chunk brings."""
STRING: Final = 1
"""A string that is not read."""
NUMBER: Final = 2
"""A number that is not read."""
COUNT: Final = 3
"""A number in the usage."""

_TOKEN: Final = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*+)', re.DOTALL)
_is_number = re.compile(rb"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?").fullmatch
"""As JSON has it, and none that is not finite, or an integer that a double cannot hold."""
_is_string = _TOKEN.fullmatch
_PROBES: Final = {b'"': (b'"\xee\x83\x8b"', b'"error"'), b"0": (b"41", b"43")}
_decode = msgspec.json.Decoder().decode
_decode_string = msgspec.json.Decoder(str).decode
_MOST_SLOTS: Final = 16
_TRIES: Final = 6
_PAUSE: Final = 32
_TRIES_BETWEEN: Final = 3
"""One for the chunk, one to compare another with it, one to see whether a third repeats them."""


class Reader(Protocol):
    """What is asked of the dialect."""

    state: Any

    def __init__(self, policy: Policy, limits: Limits) -> None: ...

    def error_in(self, value: Any, event: str) -> Any:
        """The provider's error in a payload; None if it holds none."""

    def checked(self, value: Any) -> dict[str, Any]:
        """The chunk, as far as it is read."""

    def usage_in(self, chunk: dict[str, Any]) -> Any:
        """Where the usage is in a chunk."""


def worth_a_try(misses: int) -> bool:
    """Whether to remember a chunk, after so many in a row that repeated none."""
    return misses < _TRIES or misses % _PAUSE < _TRIES_BETWEEN


class LastUsage(Frozen):
    """The usage in a chunk that was not read as a whole, for whoever asks for it."""

    __slots__ = ("_data", "_kind", "_read")

    def __init__(self, data: bytes, kind: type[Reader]) -> None:
        self._data = data
        self._kind = kind
        self._read: Any = None
        self._hash = None

    @property
    def value(self) -> Any:
        """As the general path has it."""
        if self._read is None:
            reader = self._kind("lenient", Limits())
            self._read = reader.usage_in(reader.checked(_decode(self._data)))
        return self._read


class VaryingRepeat(NamedTuple):
    """A chunk without its piece of text and without what varies."""

    first: bytes
    """What stands before the first of them."""
    rest: tuple[tuple[int, bytes], ...]
    """Kind of each, and what stands behind it."""
    kind: type[Reader] | None
    """Whose usage it is, if it has one that varies."""
    last: Repeat
    """The chunk that it was made of."""
    varying: frozenset[tuple[int, int]]
    """Which tokens vary: number of the piece of ``last``, and number in it."""

    def again(self, data: bytes, state: Chat, limits: Limits, out: list[Part]) -> bool:
        """Appends what ``data`` gives, if it is such a chunk; False if it is not."""
        first, rest, kind, last, _ = self
        if last.padded:
            data = without_padding(data)
        if not data.startswith(first):
            return False
        at = len(first)
        piece = b""
        for what, behind in rest:
            end = data.find(behind, at)
            token = data[at:end]
            if end < 0:
                return False
            at = end + len(behind)
            if what == PIECE:
                if piece and token != piece:
                    return False
                piece = token
            elif what != STRING:
                if not _is_number(token):
                    return False
            elif not _is_a_string(token):
                return False
        # It says what it would say with the values that the chunk before had.
        if at != len(data) or not last.again(piece.join(last.pieces), state, limits, out):
            return False
        if kind is not None:
            state.usage = LastUsage(data, kind)
        return True


def _is_a_string(token: bytes) -> bool:
    try:
        _decode_string(token)
    except (msgspec.MsgspecError, ValueError):
        return False
    return True


def remember(data: bytes, part: Part, before: Repeat | VaryingRepeat | None, dialect: Reader) -> None:
    """Notes what of the chunk ``data`` can come again, if ``part`` is all that it gave and did.

    ``before`` is what was noted of the chunk before it, which this one did not repeat.
    """
    state = dialect.state
    state.repeat = _template(data, part, before, dialect) if worth_a_try(state.misses) else None
    state.misses += 1


def _template(
    data: bytes, part: Part, before: Repeat | VaryingRepeat | None, dialect: Reader
) -> Repeat | VaryingRepeat | None:
    now = repeatable(data, part)
    if now is None or before is None:
        return now
    last, varying = (before, frozenset()) if isinstance(before, Repeat) else (before.last, before.varying)
    if last[2:] != now[2:] or len(last.pieces) != len(now.pieces):
        return now
    tokens = [_TOKEN.split(piece) for piece in now.pieces]
    found = _differing([_TOKEN.split(piece) for piece in last.pieces], tokens)
    if found is None:
        return now
    found |= varying
    kinds = _kinds(tokens, found, dialect) if found else None
    return now if kinds is None else _made(now, tokens, kinds, type(dialect))


def _differing(before: list[list[bytes]], now: list[list[bytes]]) -> frozenset[tuple[int, int]] | None:
    """Which tokens differ; None if that is not all that differs."""
    found: set[tuple[int, int]] = set()
    for number, (one, other) in enumerate(zip(before, now, strict=True)):
        if len(one) != len(other) or one[::2] != other[::2]:
            return None
        found.update((number, at) for at in range(1, len(one), 2) if one[at] != other[at])
    return frozenset(found) if len(found) <= _MOST_SLOTS else None


def _kinds(
    tokens: list[list[bytes]], varying: frozenset[tuple[int, int]], dialect: Reader
) -> dict[tuple[int, int], int] | None:
    """What each of the tokens is; None if another value of one of them would do something else."""
    try:
        said, usage = _said(tokens, (-1, 0), b"", dialect)
        kinds = {}
        for place in varying:
            number, at = place
            token = tokens[number][at]
            is_string = token[:1] == b'"'
            if not (_is_string(token) if is_string else _is_number(token)) or tokens[number][at + 1].lstrip()[:1] == b":":
                return None
            tried = [_said(tokens, place, probe, dialect) for probe in _PROBES[b'"' if is_string else b"0"]]
            if any(other != said for other, _ in tried):
                return None
            if all(count == usage for _, count in tried):
                kinds[place] = STRING if is_string else NUMBER
            elif is_string:
                return None
            else:
                kinds[place] = COUNT
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return kinds


def _said(tokens: list[list[bytes]], place: tuple[int, int], probe: bytes, dialect: Reader) -> tuple[Any, Any]:
    """What the dialect reads in the chunk with ``probe`` at ``place``: all but the counts in its usage, and those.

    Raises:
        Mismatch: it is no chunk.
    """
    written = []
    for number, piece in enumerate(tokens):
        at = place[1] if number == place[0] else len(piece)
        written.append(b"".join((*piece[:at], probe, *piece[at + 1 :]) if at < len(piece) else piece))
    value = _decode(b'"-"'.join(written))
    if dialect.error_in(value, "") is not None:
        raise Mismatch("an error")
    chunk: dict[str, Any] = dialect.checked(value)
    usage = chunk.get("usage")
    if usage is None or usage is not dialect.usage_in(chunk):
        return chunk, None
    return {**chunk, "usage": predictions(usage)}, usage


def _made(
    now: Repeat, tokens: list[list[bytes]], kinds: dict[tuple[int, int], int], dialect: type[Reader]
) -> VaryingRepeat:
    literals = [b""]
    slots = []
    for number, piece in enumerate(tokens):
        if number:
            slots.append(PIECE)
            literals.append(b"")
        for at, text in enumerate(piece):
            kind = kinds.get((number, at))
            if kind is None:
                literals[-1] += text
            else:
                slots.append(kind)
                literals.append(b"")
    rest = tuple(zip(slots, literals[1:], strict=True))
    kind_of_usage = dialect if COUNT in slots else None
    return VaryingRepeat(literals[0], rest, kind_of_usage, now, frozenset(kinds))
