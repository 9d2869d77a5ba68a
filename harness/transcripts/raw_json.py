"""JSON as it is written: a tree of which parts can be left out or put in, and all the rest stays byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(rb'[ \t\n\r]*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^ \t\n\r{}\[\],:"]+)', re.DOTALL)
_DEEPEST = 200


class NotRawJsonError(ValueError):
    """The text is not one JSON value."""


@dataclass(slots=True)
class Node:
    """A value. ``raw`` is its text for a scalar, and its opening bracket for a container."""

    raw: bytes
    lead: bytes = b""
    """White space before it."""
    key: bytes = b""
    """In an object: the key as it is written, with its quotes, white space and colon."""
    items: list[Node] = field(default_factory=list)
    tail: bytes = b""
    """White space and closing bracket."""

    def dump(self) -> bytes:
        """The text."""
        out: list[bytes] = []
        self._dump(out)
        return b"".join(out)

    def _dump(self, out: list[bytes]) -> None:
        out += (self.key, self.lead, self.raw)
        for index, item in enumerate(self.items):
            if index:
                out.append(b",")
            item._dump(out)
        out.append(self.tail)

    @property
    def name(self) -> bytes:
        """The key without anything around it."""
        return self.key.strip().removesuffix(b":").strip()

    @property
    def is_count(self) -> bool:
        """A number without sign, fraction or exponent, and not a long one."""
        return len(self.raw) < 6 and self.raw.isdigit()

    def joined(self, other: Node) -> Node | None:
        """One node for two that differ in strings and numbers alone: strings are joined, numbers are this one's."""
        if self.name != other.name or len(self.items) != len(other.items):
            return None
        items = [one.joined(two) for one, two in zip(self.items, other.items, strict=True)]
        if None in items:
            return None
        raw = self.raw
        if raw != other.raw:
            texts, figures = (raw[:1] + other.raw[:1] == b'""'), not (raw + other.raw).strip(b"0123456789+-.eE")
            if not texts and not figures:
                return None
            raw = raw[:-1] + other.raw[1:] if texts else raw
        return Node(raw, self.lead, self.key, [item for item in items if item is not None], self.tail)

    def walk(self) -> Iterator[Node]:
        """This node and all below, outer ones first."""
        yield self
        for item in self.items:
            yield from item.walk()


def parse(text: bytes) -> Node:
    """The tree of one JSON value; strings and numbers are not looked into.

    Raises:
        NotRawJsonError: brackets, commas or colons are not those of one value.
    """
    node, at = _value(text, 0, b"", 0)
    if text[at:].strip():
        raise NotRawJsonError(f"text behind the value at byte {at}")
    node.tail += text[at:]
    return node


def _token(text: bytes, at: int) -> tuple[bytes, bytes, int]:
    found = _TOKEN.match(text, at)
    if found is None:
        raise NotRawJsonError(f"no token at byte {at}")
    return text[at : found.start(1)], found[1], found.end()


def _value(text: bytes, at: int, key: bytes, depth: int) -> tuple[Node, int]:
    lead, token, at = _token(text, at)
    node = Node(token, lead, key)
    if depth > _DEEPEST or token in (b"}", b"]", b",", b":"):
        raise NotRawJsonError(f"no value before byte {at}")
    if token not in (b"{", b"["):
        return node, at
    close = b"}" if token == b"{" else b"]"
    space, following, end = _token(text, at)
    if following == close:
        node.tail = space + close
        return node, end
    while True:
        name = b""
        if token == b"{":
            start = at
            _, string, at = _token(text, at)
            _, colon, at = _token(text, at)
            if string[:1] != b'"' or colon != b":":
                raise NotRawJsonError(f"no member before byte {at}")
            name = text[start:at]
        item, at = _value(text, at, name, depth + 1)
        node.items.append(item)
        space, following, at = _token(text, at)
        if following == close:
            node.tail = space + close
            return node, at
        if following != b",":
            raise NotRawJsonError(f"no comma before byte {at}")
