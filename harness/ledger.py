"""Where every character of every argument came from: which call, frame, bytes of the body, and recorded chunk.

For each ``tool-input-delta`` of a walk its text is looked for in the bytes of the frame that it came out with, in this
order: as a JSON string; as the text of an object, which an API that has no argument strings writes; the same inside a
base64 payload, which Bedrock wraps around events. Text that was held back, because it came before the name of its call,
is found piece by piece in the frames before. A character that is found has exact bytes (in base64 those of the quanta
that hold it). Arguments that the dialect wrote itself, such as objects that it serialised anew, cannot be found: they
are charged to the frame as a whole, and counted as such.

No byte is charged twice, and :meth:`Ledger.check` reads each range again, by the standard library, to see that it says
what the delta said.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Literal

from harness.case import Case
from harness.json_tokens import string_values
from harness.proof import Walk
from streamcore import DIALECTS
from streamcore.framing.eventstream import EventStreamFramer
from streamcore.framing.sse import SseFramer

How = Literal["string", "object", "base64", "frame"]

_ARGUMENTS = frozenset({"arguments", "partial_json", "input", "delta", "args", "parameters"})
"""Keys under which APIs send arguments: their strings are tried first."""
_DATA_LINE = re.compile(rb"^(?:\xef\xbb\xbf)?data:([^\r\n]*)", re.MULTILINE)
_PRELUDE_BYTES, _CHECKSUM_BYTES = 12, 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One delta and its bytes."""

    choice: int
    call: str
    """The call's id."""
    first: int
    """Characters of the call's arguments before this delta."""
    delta: str
    frame: int | None
    """0-based index of the frame; None: the one that the end of input left unterminated."""
    start: int
    end: int
    """The bytes of the body."""
    how: How
    offsets: Sequence[int] = ()
    """Where each character begins, and the end; empty if that is not known."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one character came from."""

    call: str
    frame: int | None
    start: int
    end: int
    chunk: int | None
    """0-based index of the recorded chunk that completed it; None where the chunks were not recorded."""
    how: How


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that an account is not exact about."""

    message: str
    entry: Entry | None = None
    """Where the account of a call breaks; None if those are right, and only their total is not."""


@dataclass(frozen=True)
class Ledger:
    """The account of one case."""

    case: Case
    entries: tuple[Entry, ...]
    characters: int
    """Characters of all deltas of arguments, as the parts have them."""
    frame_ends: tuple[int, ...] = (0,)
    """Where each frame of the body ends, after the 0 at which the first begins; what is left ends with the body."""

    @property
    def located(self) -> int:
        """Characters with bytes of their own."""
        return sum(len(entry.delta) for entry in self.entries if entry.how != "frame")

    @property
    def charged_to_frames(self) -> int:
        """Characters that only their frame is known of."""
        return sum(len(entry.delta) for entry in self.entries if entry.how == "frame")

    def origin(self, call: str, position: int, choice: int = 0) -> Origin:
        """Where character ``position`` of the arguments of a call came from.

        Raises:
            IndexError: there is no such character.
        """
        for entry in self.entries:
            at = position - entry.first
            if entry.call == call and entry.choice == choice and 0 <= at < len(entry.delta):
                start, end = entry.start, entry.end
                if entry.offsets:
                    start, end = entry.offsets[at], entry.offsets[at + 1]
                return Origin(call, entry.frame, start, end, self.chunk(end), entry.how)
        raise IndexError(f"call {call!r} has no character {position}")

    def chunk(self, end: int) -> int | None:
        """The recorded chunk that completed the bytes before ``end``; None where the chunks were not recorded."""
        return bisect_right(self._chunk_ends, end - 1) if self.case.chunks else None

    @cached_property
    def _chunk_ends(self) -> list[int]:
        return list(accumulate(self.case.chunks))

    def check(self) -> str | None:
        """None if the account is exact; else the first character that it is not exact about."""
        fault = self.fault()
        return fault.message if fault is not None else None

    def fault(self) -> Fault | None:
        """None if the account is exact; else where it first breaks."""
        sums: dict[tuple[int, str], int] = {}
        taken: list[tuple[int, int, Entry]] = []
        for entry in self.entries:
            key = entry.choice, entry.call
            if entry.first != sums.get(key, 0):
                missing = sums.get(key, 0)
                return Fault(f"character {missing} of {entry.call!r} is missing", entry)
            sums[key] = entry.first + len(entry.delta)
            wrong = self._misread(entry)
            if wrong is not None:
                at = entry.first + wrong
                return Fault(f"character {at} of {entry.call!r} is not what its bytes say", entry)
            if entry.how != "frame":
                taken.append((entry.start, entry.end, entry))
        taken.sort(key=lambda each: each[:2])
        for (_, end, _), (start, _, entry) in pairwise(taken):
            if start < end and entry.how != "base64":  # neighbours in base64 share a quantum
                again = f"the second time for character {entry.first} of {entry.call!r}"
                return Fault(f"byte {start} is charged twice, {again}", entry)
        if sum(sums.values()) != self.characters:
            return Fault(f"{sum(sums.values())} characters are accounted for, of {self.characters}")
        return None

    def _misread(self, entry: Entry) -> int | None:
        """The first character of a delta that its bytes do not say."""
        data = self.case.body[entry.start : entry.end]
        if entry.how == "frame":
            return None
        if entry.how == "base64":
            wanted = {entry.delta.encode("utf-8", "surrogatepass"), _escaped(entry.delta), _ascii(entry.delta)}
            return None if any(each in b64decode(data) for each in wanted) else 0
        text = data.decode("utf-8", "replace")
        if entry.how == "string":
            text = json.loads(f'"{text}"', strict=False)
        grows = all(one < other for one, other in pairwise(entry.offsets))
        if text == entry.delta and len(entry.offsets) == len(text) + 1 and grows:
            return None
        same = (at for at, (one, other) in enumerate(zip(text, entry.delta, strict=False)) if one != other)
        return next(same, min(len(text), len(entry.delta)))


def _escaped(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")


def _ascii(text: str) -> bytes:
    return json.dumps(text)[1:-1].encode()


@dataclass(frozen=True, slots=True)
class Place:
    """Some text of a frame that a delta may be, or be a piece of."""

    key: str
    """The key whose value it is."""
    text: str
    offsets: Sequence[int]
    how: How
    is_arguments: bool


class _Frame:
    """One frame of the body, and what of it is charged already."""

    def __init__(self, body: bytes, start: int, end: int, framing: type) -> None:
        self.start, self.end = start, end
        self._texts = list(json_texts(body, start, end, framing))
        self._places = [place for at, text in self._texts for place in strings(text, at)]
        self._places.sort(key=lambda place: not place.is_arguments)
        self._read = [0] * len(self._places)  # characters of each place that are charged
        self._after = start  # objects are charged in the order in which they stand

    def find(self, delta: str) -> tuple[How, Sequence[int]] | None:
        """The offsets of the characters of ``delta``, which are charged with this."""
        for whole in (True, False):
            for index, place in enumerate(self._places):
                at = self._read[index]
                if whole:
                    fits = at == 0 and place.text == delta
                else:
                    at = place.text.find(delta, at) if place.is_arguments else -1
                    fits = at >= 0
                if fits:
                    self._read[index] = at + len(delta)
                    return place.how, place.offsets[at : at + len(delta) + 1]
        return self._find_object(delta)

    def charged(self) -> list[int]:
        """How much of each place is charged, to be put back by ``restore``."""
        return list(self._read)

    def restore(self, charged: list[int]) -> None:
        """Forgets what was charged since."""
        self._read = charged

    def take_last(self, text: str) -> list[tuple[str, How, Sequence[int]]]:
        """Strings of arguments that nobody was charged for and that ``text`` ends with, the last one first."""
        taken = []
        for index in range(len(self._places) - 1, -1, -1):
            place = self._places[index]
            if place.is_arguments and place.text and not self._read[index] and text.endswith(place.text):
                self._read[index] = len(place.text)
                text = text[: -len(place.text)]
                taken.append((place.text, place.how, place.offsets))
        return taken

    def _find_object(self, delta: str) -> tuple[How, Sequence[int]] | None:
        if not delta.startswith(("{", "[")) or not delta.endswith(("}", "]")):
            return None  # too little to be sure of
        wanted = delta.encode("utf-8", "surrogatepass")
        for base, text in self._texts:
            at = text.find(wanted, max(self._after - base, 0))
            if at >= 0:
                self._after = base + at + len(wanted)
                offsets = [0, *accumulate(len(char.encode("utf-8", "surrogatepass")) for char in delta)]
                return "object", [base + at + offset for offset in offsets]
        return None


def json_texts(body: bytes, start: int, end: int, framing: type) -> Iterator[tuple[int, bytes]]:
    """The JSON texts of a frame, each with its offset."""
    if framing is SseFramer:
        for line in _DATA_LINE.finditer(body[start:end].replace(b"\r", b"\n")):
            yield start + line.start(1), line[1]
    elif framing is EventStreamFramer:
        headers = int.from_bytes(body[start + 4 : start + 8], "big")
        begin = start + _PRELUDE_BYTES + headers
        yield begin, body[begin : end - _CHECKSUM_BYTES]
    else:
        yield start, body[start:end]


def strings(data: bytes, base: int) -> Iterator[Place]:
    """The string values of a JSON text that begins at ``base``, and those of the JSON texts that stand in it in base64."""
    for token in string_values(data, base):
        if token.key == "bytes":
            yield from _in_base64(token.text, token.offsets)
        else:
            yield Place(token.key, token.text, token.offsets, "string", token.key in _ARGUMENTS)


def _in_base64(text: str, offsets: Sequence[int]) -> Iterator[Place]:
    try:
        inner = b64decode(text, validate=True)
    except ValueError:
        return
    for token in string_values(inner):
        # Byte k is in the quantum of four letters that begins at 4 * (k // 3).
        starts = [offsets[min(offset // 3 * 4, len(text))] for offset in token.offsets[:-1]]
        last = token.offsets[-1]
        end = offsets[min(-(-last // 3) * 4, len(text))]
        yield Place(token.key, token.text, [*starts, end], "base64", token.key in _ARGUMENTS)


class _Account:
    """The entries while they are made."""

    def __init__(self, case: Case) -> None:
        self._body = case.body
        self._framing = DIALECTS[case.dialect].framer
        self.frame_ends = (0, *(frame[-1] for frame in self._framing().feed(case.body)))
        self._frames: dict[int, _Frame] = {}
        self._sums: dict[tuple[int, str], int] = {}
        self.entries: list[Entry] = []

    def add(self, key: tuple[int, str], delta: str, frame: int | None) -> None:
        """One delta; ``frame`` is the one that it came out with."""
        index = min(len(self.frame_ends) - 1 if frame is None else frame, len(self.frame_ends) - 1)
        found = self._frame(index).find(delta)
        if found is not None:
            self._enter(key, delta, index, *found)
            return
        pieces = self._held_back(delta, index)
        for at, text, how, offsets in pieces:
            self._enter(key, text, at, how, offsets)
        if not pieces:
            self._enter(key, delta, index, "frame", ())

    def _frame(self, index: int) -> _Frame:
        """A frame; the one after the last is what the end of input left unterminated."""
        if index not in self._frames:
            start, end = [*self.frame_ends, len(self._body)][index : index + 2]
            self._frames[index] = _Frame(self._body, start, end, self._framing)
        return self._frames[index]

    def _held_back(self, delta: str, index: int) -> list[tuple[int, str, How, Sequence[int]]]:
        """The strings of this frame and of those before that make up ``delta``; empty if they do not."""
        before = {at: self._frame(at).charged() for at in range(index + 1)}
        pieces: list[tuple[int, str, How, Sequence[int]]] = []
        rest = delta
        for at in range(index, -1, -1):
            for text, how, offsets in self._frame(at).take_last(rest):
                pieces.append((at, text, how, offsets))
                rest = rest[: -len(text)]
            if not rest:
                return pieces[::-1]
        for at, charged in before.items():
            self._frame(at).restore(charged)
        return []

    def _enter(self, key: tuple[int, str], delta: str, index: int, how: How, offsets: Sequence[int]) -> None:
        frame = self._frame(index)
        start, end = (offsets[0], offsets[-1]) if offsets else (frame.start, frame.end)
        if how == "base64":
            end += -(end - start) % 4
        number = index if index + 1 < len(self.frame_ends) else None
        first = self._sums.get(key, 0)
        self._sums[key] = first + len(delta)
        self.entries.append(Entry(*key, first, delta, number, start, end, how, offsets))


def ledger(case: Case, walked: Walk) -> Ledger:
    """The account of a body of a dialect of streamcore, given its walk."""
    account = _Account(case)
    total = 0
    for part, (_, frame) in zip(walked.parts, walked.emitted_at(), strict=True):
        delta = part.get("delta")
        if part["type"] == "tool-input-delta" and delta:
            account.add((part.get("choice", 0), part["id"]), delta, frame)
            total += len(delta)
    return Ledger(case, tuple(account.entries), total, account.frame_ends)


def ledger_of(case: Case, walked: Walk) -> Ledger | None:
    """The account of a case; None for a body that streamcore does not frame, or frames that were not counted."""
    return ledger(case, walked) if case.dialect in DIALECTS and walked.frames else None
