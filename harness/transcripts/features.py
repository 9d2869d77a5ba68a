"""What a body has of its dialect's grammar, as a set of words: what a shrunk transcript must not lose.

Of the wire: the kinds of frames (event names, and the values of members such as ``type`` and ``finish_reason``), line
ends, comments, the lengths of multi-byte characters, the kinds of escapes. Of what streamcore makes of it: the types of
parts and the members that they have, finish reasons, kinds of errors, codes of warnings, and whether there are two
of what can come several times: calls, blocks, deltas.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from harness.faults.damage import framing_of
from harness.rules import violations
from harness.subjects import PartJson
from harness.subjects.core import FRAMINGS
from streamcore import Decoder
from streamcore.framing.eventstream import EventStreamFramer

_TELLING = re.compile(
    rb'"(type|object|role|event|event_type|status|finish_reason|stop_reason|stopReason|finishReason|done_reason|completionReason)"'
    rb'\s*:\s*("[^"\\]{0,60}"|null)'
)
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LINES = {"CRLF": re.compile(rb"\r\n"), "CR": re.compile(rb"\r(?!\n)"), "LF": re.compile(rb"(?<!\r)\n")}
_SSE = {"comment": re.compile(rb"^:", re.M), "id": re.compile(rb"^id:", re.M), "retry": re.compile(rb"^retry:", re.M)}
_WITHIN = 3
"""How deep the members of a part are looked at; below are the provider's own."""


def features_of(dialect: str, body: bytes, end: str = "complete", *, members: bool = True) -> frozenset[str]:
    """Every feature; equal for two bodies that exercise the same grammar. ``members``: those that parts have, too."""
    return frozenset().union(*stages(dialect, body, end, members=members))


def stages(dialect: str, body: bytes, end: str = "complete", *, members: bool = True) -> Iterator[frozenset[str]]:
    """The same in three shares, the one that costs least first: of the wire, of what is decoded, of what that violates.

    Whoever looks for a share that lacks something need not pay for the next.
    """
    yield frozenset(_wire(dialect, body))
    decoder = Decoder(dialect, assemble=False)
    parts = [part.as_json() for part in decoder.feed(body) + decoder.close()]
    yield frozenset((*(f"warning {warning.code}" for warning in decoder.warnings), *_parts(parts, body, members)))
    yield frozenset(f"violation {one.rule}" for one in violations(parts, end=end, body=body, dialect=dialect))


def is_fault(feature: str) -> bool:
    """Whether it says that something is wrong with a body; one that was well-formed must not get it."""
    return feature.startswith(("warning ", "error ", "violation ")) or feature in ("unterminated", "frames 0")


def _wire(dialect: str, body: bytes) -> Iterator[str]:
    framing = framing_of(dialect)
    framer = FRAMINGS[framing][0]()
    frames = framer.feed(body)
    residual = framer.close()
    yield f"frames {min(len(frames), 3)}"
    if residual is not None:
        yield "unterminated"
    for frame in frames:
        if isinstance(framer, EventStreamFramer):
            yield f"headers {sorted(frame[0].items())}"
        elif framing == "sse" and frame[1]:
            yield f"event {frame[1]}"
        if framing == "sse" and frame[0][:1] != b"{":
            yield f"data {frame[0][:12]!r}"
    for found in _TELLING.finditer(body):
        yield f"{found[1].decode()} {found[2].decode('utf-8', 'replace')}"
    if framing != "eventstream":
        yield from (f"line end {name}" for name, pattern in _LINES.items() if pattern.search(body))
    if framing == "sse":
        yield from (f"line {name}" for name, pattern in _SSE.items() if pattern.search(body))
    text = b"".join(frame[1] for frame in frames) if isinstance(framer, EventStreamFramer) else body
    yield from {f"UTF-8 of {len(found[0])} bytes" for found in _MULTIBYTE.finditer(text)}
    for found in _ESCAPE.finditer(text):
        kind = found[0][1:2].decode("latin-1")
        yield f"escape {kind}{'' if len(found[0]) < 12 else ' twice'}"


def _parts(parts: list[PartJson], body: bytes, members: bool) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for part in parts:
        kind = part["type"]
        counts[kind] += 1
        if kind == "finish":
            yield f"finish {part['finishReason']}"
        elif kind == "error":
            yield f"error {part['kind']} {part['stage']}"
        elif kind in ("tool-call", "tool-input-start"):
            ident = str(part.get("toolCallId") or part.get("id") or "")
            yield f"{kind} {'of the body' if ident.encode() in body else 'made up'}"
            counts[f"{kind} of {part.get('choice', 0)}"] += 1
        if kind.endswith("-delta"):
            counts[f"{kind} of {part['id'] if kind == 'tool-input-delta' else 0}"] += 1
            if kind == "tool-input-delta":
                continue
        if members:
            yield from (f"{kind} {path}" for path in _members(part, _WITHIN))
    for kind, count in counts.items():
        if not kind.startswith("tool-input-delta of"):
            yield from (f"{number} {kind}" for number in range(1, min(count, 2) + 1))
    if any(count > 1 and kind.startswith("tool-input-delta of") for kind, count in counts.items()):
        yield "arguments in pieces"


def _members(value: Any, depth: int) -> Iterator[str]:
    """Paths of the members that are there, with the JSON type of what they hold."""
    if isinstance(value, Mapping) and depth:
        for key, item in value.items():
            yield from (f"{key}.{path}" if path else key for path in _members(item, depth - 1))
    elif value is None or isinstance(value, bool):
        yield str(value).lower()
    else:
        yield {int: "number", float: "number", str: "text" if value else "empty", list: "list"}.get(
            type(value), "object"
        )
