"""A short transcript of any recording, with every feature of its dialect's grammar that it had.

The proof of all chunkings takes the cube of a body's size, so it is run on a short one for each dialect
(:mod:`harness.transcripts` chooses it). Nothing is made up: frames are left out, members of their JSON are left out, and
strings and numbers made shorter, the same ones alike throughout the body (an id, or a delta and the text it adds up to),
as long as :func:`harness.transcripts.features.features_of` stays the same. What is left cannot be shrunk further by any of
these. No chance, no clock: one body always gives the same transcript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness.case import Case
from harness.faults import Wire
from harness.faults.damage import opened
from harness.transcripts.features import features_of
from harness.transcripts.raw_json import Node, NotRawJsonError, parse

_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BLANKS = re.compile(rb"[ \t]*:[ \t]*$")
_NUMBER = re.compile(rb"(?<![\w.\"])-?\d{2,}(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.\"])")
_ATOM = re.compile(rb"\\u[dD][89abAB]..\\u....|\\u....|\\.|[\xc2-\xdf].|[\xe0-\xef]..|[\xf0-\xf4]...|.", re.DOTALL)


def shrink(case: Case, *, members: bool = True) -> bytes:
    """The transcript of ``case``: no longer than its body, with the same features, and itself when shrunk again.

    Args:
        case: what to shrink.
        members: whether the members that its parts have are features to be kept; without, it gets shorter.
    """
    return _Shrinking(case, members).run()


class _Shrinking:
    def __init__(self, case: Case, members: bool) -> None:
        self._case = case
        self._body = case.body
        self._members_count = members
        self._wanted = self._features(case.body)
        self._refused: set[bytes] = set()

    def _features(self, body: bytes) -> frozenset[str]:
        return features_of(self._case.dialect, body, self._case.end, members=self._members_count)

    def run(self) -> bytes:
        steps: tuple[Callable[[], bool], ...] = (
            self._frames, self._members_everywhere, self._strings, self._numbers, self._members, self._texts,
            self._blanks,
        )  # fmt: skip
        while sum(step() for step in steps):
            pass
        return self._body

    def _take(self, body: bytes) -> bool:
        """Goes on with ``body`` if it is shorter and has the same features."""
        if len(body) >= len(self._body) or body in self._refused:
            return False
        if self._features(body) != self._wanted:
            self._refused.add(body)
            return False
        self._body = body
        return True

    @property
    def _wire(self) -> Wire:
        return Wire.of(replace(self._case, body=self._body))

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

    def _trees(self) -> list[tuple[Node, Callable[[bytes], bytes]] | bytes]:
        """For each frame the tree of its JSON and what puts it back; the frame as it is, if it has none."""
        wire = self._wire
        trees: list[tuple[Node, Callable[[bytes], bytes]] | bytes] = []
        for piece in wire.pieces:
            payload, sealed = opened(piece, wire.framing)
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
        wire = self._wire
        return (opened(piece, wire.framing)[0] for piece in wire.pieces)

    def _everywhere(self, change: Callable[[bytes], bytes]) -> bytes:
        wire = self._wire
        out = []
        for piece in wire.pieces:
            payload, sealed = opened(piece, wire.framing)
            out.append(sealed(change(payload)) if payload[:1] == b"{" else piece)
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
