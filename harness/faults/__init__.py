"""Faults: what networks, proxies and servers do to a stream, as deterministic operators on a recorded body, by name.

==================  ==========================================================================================
``drop-frame``      one frame is lost
``duplicate-frame`` one frame comes twice
``swap-frames``     two neighbouring frames change places
``corrupt-frame``   the JSON of one frame is no JSON any more; the framing is sound (an AWS message is sealed anew)
``flip-bit``        one bit is flipped: AWS event streams only, whose checksums must catch each
``gzip``            the body is compressed and nobody undoes it
``keep-alives``     a storm of keep-alives between two frames: comments, blank lines, white space, Anthropic's pings
``slow-loris``      one byte at a time, and an empty read between two
``big-event``       one event of 8 MB, all white space but for what it said before
``two-streams``     a second stream of the same bytes is read by turns, by another session that is a little behind
==================  ==========================================================================================

Each is the plan ``faults:NAME``, one of its bodies is ``faults:NAME@K``, and all of them are the set ``faults``. What must
hold of the parts is in :mod:`harness.faults.judge`; the broken connection itself is the plan ``cut-at-every-byte``.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.case import Case
from harness.faults.damage import frames_of, framing_of, opened
from harness.subjects.core import FRAMINGS

FRAMES_AT_MOST = 24
"""Frames of one body that an operator is applied to: the first, the last, and others evenly between."""
BYTES_AT_MOST = 2_000_000
"""Bytes of all damaged bodies of one operator; a body of which more would be needed gets fewer of them, at least four."""
STORM_BYTES = 48 * 1024
"""Keep-alives between two frames."""
FLIPS_AT_MOST = 8192
"""Bits that are flipped in one body; in one of which more could be, they are spread evenly."""
BIG_EVENT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """One damaged body."""

    number: int
    """What tells it from the others of its operator: the K of ``faults:NAME@K``."""
    body: bytes
    start: int
    """Bytes at the beginning that are as they were."""
    chunks: tuple[bytes, ...] = field(default=(), repr=False)
    """How it must be fed, where that is the fault."""
    storm: tuple[int, int] | None = None
    """First byte and end of keep-alives during which memory is measured."""


@dataclass
class Wire:
    """A body taken apart."""

    case: Case
    framing: str
    pieces: tuple[bytes, ...]
    """They end where frames end; the last one is what follows the last frame, and may be empty."""
    thinned: bool = False
    """Whether an operator left some of its bodies out."""
    flips_at_most: int = FLIPS_AT_MOST

    @classmethod
    def of(cls, case: Case) -> Wire:
        """``case`` as its framer sees it."""
        framing = framing_of(case.dialect)
        pieces = tuple(frames_of(case.body, framing))
        count = len(FRAMINGS[framing][0]().feed(case.body))
        return cls(case, framing, pieces if len(pieces) > count else (*pieces, b""))

    @property
    def frames(self) -> tuple[bytes, ...]:
        """The pieces but the last."""
        return self.pieces[:-1]

    def start(self, frame: int) -> int:
        """Bytes before a frame."""
        return sum(map(len, self.pieces[:frame]))

    def with_frames(self, order: Sequence[int]) -> bytes:
        """The body with the frames that ``order`` names."""
        if self.framing != "jsonarray":
            return b"".join([*(self.pieces[at] for at in order), self.pieces[-1]])
        # What stands between two elements belongs to neither.
        elements = [opened(piece, self.framing)[0] for piece in self.frames]
        leads = [piece[: len(piece) - len(element)] for piece, element in zip(self.frames, elements, strict=True)]
        between = leads[1] if len(leads) > 1 else b","
        return leads[0] + between.join(elements[at] for at in order) + self.pieces[-1]

    def with_payload(self, frame: int, change: Callable[[bytes], bytes]) -> bytes:
        """The body with other JSON in one frame."""
        payload, sealed = opened(self.pieces[frame], self.framing)
        return b"".join([*self.pieces[:frame], sealed(change(payload)), *self.pieces[frame + 1 :]])

    def chosen(self, usable: Sequence[int]) -> list[int]:
        """Those of ``usable`` that an operator is applied to."""
        most = max(4, min(FRAMES_AT_MOST, BYTES_AT_MOST // max(len(self.case.body), 1)))
        if len(usable) <= most:
            return list(usable)
        self.thinned = True
        step = (len(usable) - 1) / (most - 1)
        return sorted({usable[round(index * step)] for index in range(most)})

    def with_json(self) -> list[int]:
        """The frames that hold an object."""
        return [at for at, piece in enumerate(self.frames) if opened(piece, self.framing)[0][:1] == b"{"]


def drop_frame(wire: Wire) -> Iterator[Fault]:
    """Each frame but one."""
    every = range(len(wire.frames))
    for at in wire.chosen(every):
        yield Fault(at, wire.with_frames([other for other in every if other != at]), wire.start(at))


def duplicate_frame(wire: Wire) -> Iterator[Fault]:
    """One frame twice."""
    every = range(len(wire.frames))
    for at in wire.chosen(every):
        yield Fault(at, wire.with_frames(sorted([*every, at])), wire.start(at) + len(wire.pieces[at]))


def swap_frames(wire: Wire) -> Iterator[Fault]:
    """Frame K after its successor."""
    every = list(range(len(wire.frames)))
    for at in wire.chosen(every[:-1]):
        yield Fault(at, wire.with_frames([*every[:at], at + 1, at, *every[at + 2 :]]), wire.start(at))


def corrupt_frame(wire: Wire) -> Iterator[Fault]:
    """A colon less in the JSON of one frame, which leaves quotes and brackets in pairs."""
    for at in wire.chosen(wire.with_json()):
        body = wire.with_payload(at, lambda payload: payload.replace(b'":', b'" ', 1))
        if body != wire.case.body:
            yield Fault(at, body, wire.start(at))


def flip_bit(wire: Wire) -> Iterator[Fault]:
    """Bit K of the body, counted from the highest of its first byte; in AWS messages, all of them."""
    if wire.framing != "eventstream":
        return
    body = wire.case.body
    bits = 8 * sum(map(len, wire.frames))
    # An odd step meets every bit of a byte.
    step = 1 if bits <= wire.flips_at_most else bits // wire.flips_at_most | 1
    wire.thinned = step > 1
    start = 0
    for frame in wire.frames:
        first = -(-8 * start // step) * step
        for bit in range(first, 8 * (start + len(frame)), step):
            at = bit // 8
            yield Fault(bit, body[:at] + bytes((body[at] ^ 0x80 >> bit % 8,)) + body[at + 1 :], start)
        start += len(frame)


def gzip_raw(wire: Wire) -> Iterator[Fault]:
    """The body as ``content-encoding: gzip`` has it."""
    if wire.case.body:
        yield Fault(0, gzip.compress(wire.case.body, mtime=0), 0)


def keep_alives(wire: Wire) -> Iterator[Fault]:
    """A storm before the first frame, one in the middle, one after the last frame but one."""
    count = len(wire.frames)
    spellings = _KEEP_ALIVES.get(wire.framing, ())
    if "anthropic" in wire.case.dialect:
        spellings = (*spellings, _PING)
    number = 0
    for spelling in spellings if count else ():
        for at in sorted({0, count // 2, count - 1}):
            if spelling is _PING and at == 0:
                continue  # nothing may come before the first event
            storm = spelling * (STORM_BYTES // len(spelling))
            # A byte order mark is one only at the very beginning.
            start = wire.start(at) or len(wire.case.body) - len(wire.case.body.removeprefix(b"\xef\xbb\xbf"))
            body = wire.case.body[:start] + storm + wire.case.body[start:]
            measured = (start, start + len(storm)) if at == count // 2 else None
            yield Fault(number, body, start, storm=measured)
            number += 1


_KEEP_ALIVES: dict[str, tuple[bytes, ...]] = {
    "sse": (b": keep-alive\n\n", b":\r\n\r\n"), "ndjson": (b"\n", b" \r\n"), "jsonarray": (b" \n",),
}  # fmt: skip
_PING = b'event: ping\ndata: {"type": "ping"}\n\n'


def slow_loris(wire: Wire) -> Iterator[Fault]:
    """Single bytes, and nothing between them."""
    body = wire.case.body
    chunks = (chunk for at in range(len(body)) for chunk in (body[at : at + 1], b""))
    yield Fault(0, body, 0, chunks=tuple(chunks))


def big_event(wire: Wire) -> Iterator[Fault]:
    """The first frame that holds an object, with 8 MB of blanks behind the bracket that opens it."""
    for at in wire.with_json()[:1]:
        yield Fault(at, wire.with_payload(at, lambda payload: b"{" + b" " * BIG_EVENT_BYTES + payload[1:]), wire.start(at))


def two_streams(wire: Wire) -> Iterator[Fault]:
    """The body as it is: what happens beside it must not matter."""
    yield Fault(0, wire.case.body, 0)


OPERATORS: dict[str, Callable[[Wire], Iterator[Fault]]] = {
    "drop-frame": drop_frame,
    "duplicate-frame": duplicate_frame,
    "swap-frames": swap_frames,
    "corrupt-frame": corrupt_frame,
    "flip-bit": flip_bit,
    "gzip": gzip_raw,
    "keep-alives": keep_alives,
    "slow-loris": slow_loris,
    "big-event": big_event,
    "two-streams": two_streams,
}
"""By name."""
