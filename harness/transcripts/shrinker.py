"""A short transcript of any recording, with every feature of its dialect's grammar that it had.

The proof of all chunkings takes the cube of a body's size, so it is run on a short one for each dialect
(:mod:`harness.transcripts` chooses it). Nothing is made up: frames are left out, members of their JSON are left out, and
strings and numbers made shorter, the same ones alike throughout the body (an id, or a delta and the text it adds up to),
as long as :func:`harness.transcripts.features.features_of` stays the same, or keeps what is wanted of it and gets no fault
that was not there. What is left cannot be shrunk further by any of these. No chance, no clock: one body always gives the
same transcript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from harness.case import Case
from harness.faults import Wire
from harness.faults.damage import opened
from harness.transcripts.envelopes import barer
from harness.transcripts.features import is_fault, stages
from harness.transcripts.raw_json import Node, NotRawJsonError, parse

_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BLANKS = re.compile(rb"[ \t]*:[ \t]*$")
_NUMBER = re.compile(rb"(?<![\w.\"])-?\d{2,}(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.\"])")
_ATOM = re.compile(rb"\\u[dD][89abAB]..\\u....|\\u....|\\.|[\xc2-\xdf].|[\xe0-\xef]..|[\xf0-\xf4]...|.", re.DOTALL)


def shrink(case: Case, wanted: Collection[str] | None = None, *, members: bool = True) -> bytes:
    """The transcript of ``case``: no longer than its body, and itself when shrunk again.

    Args:
        case: what to shrink.
        wanted: the features to be kept, of those that it has; without, it keeps all and gets no others.
        members: whether the members that its parts have are features; without, it gets shorter.
    """
    return _Shrinking(case, wanted, members).run()


class _Shrinking:
    def __init__(self, case: Case, wanted: Collection[str] | None, members: bool) -> None:
        self._case = case
        self._body = case.body
        self._members_count = members
        had = list(self._stages(case.body))
        self._exact = wanted is None
        self._wanted = had if wanted is None else [share & frozenset(wanted) for share in had]
        self._faults = [frozenset(name for name in share if is_fault(name)) for share in had]
        self._refused: set[bytes] = set()
        self._opened: list[tuple[bytes, bytes, Callable[[bytes], bytes]]] = []
        self._opened_of: bytes | None = None

    def _stages(self, body: bytes) -> Iterator[frozenset[str]]:
        return stages(self._case.dialect, body, self._case.end, members=self._members_count)

    def run(self) -> bytes:
        steps: tuple[Callable[[], bool], ...] = (
            self._frames, self._numbered, self._tail, self._deltas, self._envelopes, self._members_everywhere, self._strings,
            self._numbers, self._members, self._texts, self._blanks,
        )  # fmt: skip
        while sum(step() for step in steps):
            pass
        return self._body

    def _take(self, body: bytes) -> bool:
        """Goes on with ``body`` if it is shorter and has what is wanted."""
        if len(body) >= len(self._body) or body in self._refused:
            return False
        for share, wanted, faults in zip(self._stages(body), self._wanted, self._faults, strict=True):
            new = (name for name in share if is_fault(name) and name not in faults)
            kept = share == wanted if self._exact else wanted <= share and not any(new)
            if not kept:
                self._refused.add(body)
                return False
        self._body = body
        return True

    @property
    def _wire(self) -> Wire:
        return Wire.of(replace(self._case, body=self._body))

    def _frames_opened(self) -> list[tuple[bytes, bytes, Callable[[bytes], bytes]]]:
        """Each piece of the body, its JSON, and what puts other JSON in its place."""
        if self._opened_of != self._body:
            wire = self._wire
            self._opened = [(piece, *opened(piece, wire.framing)) for piece in wire.pieces]
            self._opened_of = self._body
        return self._opened

    def _frames(self) -> bool:
        """Leaves out runs of frames: halves, quarters, and so on to single ones."""
        shrunk = False
        wire = self._wire
        length = max(len(wire.frames) // 2, 1)
        while True:
            at = 0
            while at < len(wire.frames):
                kept = [frame for frame in range(len(wire.frames)) if not at <= frame < at + length]
                if kept and self._take(wire.with_frames(kept)):
                    shrunk = True
                    wire = self._wire
                else:
                    at += length
            if length == 1:
                return shrunk
            length //= 2

    def _numbered(self) -> bool:
        """Leaves out all frames that give a member one number (an index, say), and counts the others anew."""
        names = {
            item.name for one in self._trees() if not isinstance(one, bytes) for item in one[0].items if item.is_count
        }
        shrunk = False
        for name in sorted(names):
            number = max(value for value in self._counts(name) if value is not None)
            while number >= 0:
                shrunk |= number in self._counts(name) and self._take(self._without(name, number))
                number -= 1
        return shrunk

    def _counts(self, name: bytes) -> list[int | None]:
        """What each frame gives for a member of its JSON."""
        found: list[int | None] = []
        for one in self._trees():
            items = [] if isinstance(one, bytes) else one[0].items
            found.append(next((int(item.raw) for item in items if item.name == name and item.is_count), None))
        return found

    def _without(self, name: bytes, number: int) -> bytes:
        counts = self._counts(name)
        pieces = []
        for one, count in zip(self._trees(), counts, strict=True):
            if isinstance(one, bytes):
                pieces.append(one)
                continue
            for item in one[0].items:
                if item.name == name and count is not None and count > number:
                    item.raw = b"%d" % (count - 1)
            pieces.append(one[1](one[0].dump()))
        wire = Wire(self._case, self._wire.framing, tuple(pieces))
        return wire.with_frames([at for at, count in enumerate(counts[:-1]) if count != number])

    def _tail(self) -> bool:
        """Leaves out the end of what follows the last frame: all that comes behind a damaged one."""
        shrunk = False
        length = len(self._wire.pieces[-1])
        while length:
            if self._take(self._body[:-length]):
                shrunk = True
            else:
                length //= 2
            length = min(length, len(self._wire.pieces[-1]))
        return shrunk

    def _deltas(self) -> bool:
        """Makes one frame of two neighbours that say the same but for their strings, which are joined."""
        shrunk = False
        at = 0
        while at + 1 < len(trees := self._trees()):
            one, two = trees[at], trees[at + 1]
            joined = None if isinstance(one, bytes) or isinstance(two, bytes) else one[0].joined(two[0])
            if joined is None or isinstance(one, bytes):
                at += 1
                continue
            sealed = one[1](joined.dump())
            wire = self._wire
            wire = Wire(self._case, wire.framing, (*wire.pieces[:at], sealed, *wire.pieces[at + 1 :]))
            if self._take(wire.with_frames([frame for frame in range(len(wire.frames)) if frame != at + 1])):
                shrunk = True
            else:
                at += 1
        return shrunk

    def _envelopes(self) -> bool:
        """Leaves out what is around the payloads of AWS messages: headers, and padding beside a payload in base64."""
        shrunk = False
        while self._wire.framing == "eventstream":
            pieces = self._wire.pieces
            leaner = [list(barer(piece)) for piece in pieces]
            # Of all messages at once, or else of one.
            tries = [b"".join(some[0] if some else piece for some, piece in zip(leaner, pieces, strict=True))]
            for at, some in enumerate(leaner):
                tries += [b"".join((*pieces[:at], one, *pieces[at + 1 :])) for one in some]
            if not any(self._take(body) for body in tries):
                break
            shrunk = True
        return shrunk

    def _trees(self) -> list[tuple[Node, Callable[[bytes], bytes]] | bytes]:
        """For each frame the tree of its JSON and what puts it back; the frame as it is, if it has none."""
        trees: list[tuple[Node, Callable[[bytes], bytes]] | bytes] = []
        for piece, payload, sealed in self._frames_opened():
            try:
                trees.append((parse(payload), sealed) if payload[:1] == b"{" else piece)
            except NotRawJsonError:
                trees.append(piece)
        return trees

    def _take_trees(self, trees: Sequence[tuple[Node, Callable[[bytes], bytes]] | bytes]) -> bool:
        return self._take(b"".join(one if isinstance(one, bytes) else one[1](one[0].dump()) for one in trees))

    def _members_everywhere(self) -> bool:
        """Leaves out all members of one name."""
        shrunk = False
        trees = self._trees()
        names = {
            item.name for one in trees if not isinstance(one, bytes) for node in one[0].walk() for item in node.items
        }
        for name in sorted(names - {b""}):
            undo = []
            for one in trees:
                if isinstance(one, bytes):
                    continue
                for node in one[0].walk():
                    if any(item.name == name for item in node.items):
                        undo.append((node, node.items))
                        node.items = [item for item in node.items if item.name != name]
            if undo and self._take_trees(trees):
                shrunk = True
            else:
                for node, items in reversed(undo):
                    node.items = items
        return shrunk

    def _members(self) -> bool:
        """Leaves out one member or element at a time."""
        shrunk = False
        trees = self._trees()
        for one in trees:
            if isinstance(one, bytes):
                continue
            for node in one[0].walk():
                for item in list(node.items):
                    kept = node.items
                    node.items = [other for other in kept if other is not item]
                    if self._take_trees(trees):
                        shrunk = True
                    else:
                        node.items = kept
        return shrunk

    def _blanks(self) -> bool:
        """Leaves out blanks between tokens, but not line ends, which an indented payload has."""
        trees = self._trees()
        for one in trees:
            if not isinstance(one, bytes):
                for node in one[0].walk():
                    for name in ("lead", "key", "tail"):
                        text = getattr(node, name)
                        if b"\n" not in text and b"\r" not in text:
                            setattr(node, name, b":".join(_BLANKS.split(text)) if name == "key" else text.strip(b" \t"))
        return self._take_trees(trees)

    def _payloads(self) -> Iterator[bytes]:
        return (payload for _, payload, _ in self._frames_opened())

    def _everywhere(self, change: Callable[[bytes], bytes]) -> bytes:
        out = []
        for piece, payload, sealed in self._frames_opened():
            changed = change(payload) if payload[:1] == b"{" else payload
            out.append(piece if changed == payload else sealed(changed))
        return b"".join(out)

    def _strings(self) -> bool:
        """Makes each string shorter wherever it stands as a whole."""
        return sum(self._shorter(string, b'"%b"') for string in self._distinct(_STRING, 1)) > 0

    def _texts(self) -> bool:
        """Makes each string shorter wherever it stands, in longer ones too: what deltas say, their sum says again."""
        return sum(self._shorter(string, b"%b") for string in self._distinct(_STRING, 1)) > 0

    def _numbers(self) -> bool:
        """Makes each number of two digits and more shorter, wherever it stands."""
        shrunk = False
        for number in self._distinct(_NUMBER, 0):
            for shorter in (b"0", b"1", number[: len(number) // 2], number[:-1]):
                exchange = {number: shorter}

                def changed(text: bytes, exchange: dict[bytes, bytes] = exchange) -> bytes:
                    return _NUMBER.sub(lambda found: exchange.get(found[0], found[0]), text)

                if len(shorter) < len(number) and self._take(self._everywhere(changed)):
                    shrunk = True
                    break
        return shrunk

    def _distinct(self, pattern: re.Pattern[bytes], group: int) -> list[bytes]:
        """Longest first, then as they come."""
        found = dict.fromkeys(match[group] for payload in self._payloads() for match in pattern.finditer(payload))
        return sorted((text for text in found if len(text) > 1 or group), key=lambda text: (-len(text), text))

    def _shorter(self, text: bytes, form: bytes) -> bool:
        """Leaves out runs of characters of ``text``, halves first, down to single ones."""
        atoms = [match[0] for match in _ATOM.finditer(text)]
        shrunk = False
        length = len(atoms)
        while length:
            at = 0
            while at < len(atoms):
                kept = atoms[:at] + atoms[at + length :]
                whole, shorter = form % b"".join(atoms), form % b"".join(kept)

                def changed(payload: bytes, old: bytes = whole, new: bytes = shorter) -> bytes:
                    return payload.replace(old, new)

                if self._take(self._everywhere(changed)):
                    atoms = kept
                    shrunk = True
                else:
                    at += length
            length //= 2
        return shrunk
