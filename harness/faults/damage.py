"""Damage: what networks, proxies and careless servers do to a body, as pure functions of two numbers each.

Operators on bytes, on whole frames, and on the JSON inside a frame; the last leave the framing sound (an AWS message gets
new checksums), so that they reach the dialect. A body that no framer can take apart counts as one frame.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from harness.subjects.core import FRAMINGS
from streamcore import DIALECTS

SCALE: Final = 1 << 16
"""``where`` and ``what`` of a :class:`Damage` run from 0 to one less."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing done to a body: an operator, where (a share of the body, in units of 1/65536), and how."""

    operator: str
    """A key of :data:`OPERATORS`."""
    where: int
    what: int


def framing_of(dialect: str) -> str:
    """The framing of a dialect, a key of :data:`harness.subjects.core.FRAMINGS`; of a framing, itself."""
    if dialect in FRAMINGS:
        return dialect
    used = DIALECTS[dialect].framer
    return next(name for name, (framer, _) in FRAMINGS.items() if framer is used)


def frames_of(body: bytes, framing: str) -> list[bytes]:
    """``body`` in pieces that end where its frames end; put together again they are ``body``."""
    framer = FRAMINGS[framing][0]()
    ends = [frame[-1] for frame in framer.feed(body)]
    starts = [0, *ends]
    return [piece for start, end in zip(starts, [*ends, len(body)], strict=True) if (piece := body[start:end])]


def damaged(body: bytes, framing: str, damages: Sequence[Damage], other: bytes = b"") -> bytes:
    """``body`` after each of ``damages`` in turn. ``other`` is a second body, for what mixes two."""
    for damage in damages:
        body = OPERATORS[damage.operator](body, framing, damage, other)
    return body


Operator = Callable[[bytes, str, Damage, bytes], bytes]


def _place(where: int, size: int) -> int:
    return where * size // SCALE


def _length(what: int, size: int) -> int:
    """Short ones more often: 1 to ``size``."""
    return 1 + (what * what // SCALE) * max(size - 1, 0) // SCALE


def _flip(body: bytes, _framing: str, damage: Damage, _other: bytes) -> bytes:
    if not body:
        return body
    at = _place(damage.where, len(body))
    return body[:at] + bytes([body[at] ^ (1 << damage.what % 8)]) + body[at + 1 :]


def _overwrite(body: bytes, _framing: str, damage: Damage, _other: bytes) -> bytes:
    at = _place(damage.where, len(body))
    return body[:at] + bytes([damage.what % 256]) + body[at + 1 :]


def _insert(body: bytes, _framing: str, damage: Damage, _other: bytes) -> bytes:
    at = _place(damage.where, len(body) + 1)
    return body[:at] + TOKENS[damage.what % len(TOKENS)] + body[at:]


def _drop(body: bytes, _framing: str, damage: Damage, _other: bytes) -> bytes:
    at = _place(damage.where, len(body))
    return body[:at] + body[at + _length(damage.what, len(body) - at) :]


def _repeat(body: bytes, _framing: str, damage: Damage, _other: bytes) -> bytes:
    at = _place(damage.where, len(body))
    end = at + _length(damage.what, min(len(body) - at, LONGEST_REPEAT))
    return body[:end] + body[at:]


def _truncate(body: bytes, _framing: str, damage: Damage, _other: bytes) -> bytes:
    return body[: _place(damage.where, len(body))]


def _splice(body: bytes, _framing: str, damage: Damage, other: bytes) -> bytes:
    return body[: _place(damage.where, len(body))] + other[_place(damage.what, len(other)) :]


def _drop_frame(body: bytes, framing: str, damage: Damage, _other: bytes) -> bytes:
    frames = frames_of(body, framing)
    at = _place(damage.where, len(frames))
    return b"".join(frames[:at] + frames[at + 1 :])


def _repeat_frame(body: bytes, framing: str, damage: Damage, _other: bytes) -> bytes:
    frames = frames_of(body, framing)
    at = _place(damage.where, len(frames))
    return b"".join([*frames[: at + 1], *frames[at : at + 1] * (1 + damage.what % 3), *frames[at + 1 :]])


def _move_frame(body: bytes, framing: str, damage: Damage, _other: bytes) -> bytes:
    frames = frames_of(body, framing)
    if not frames:
        return body
    moved = frames.pop(_place(damage.where, len(frames)))
    frames.insert(_place(damage.what, len(frames) + 1), moved)
    return b"".join(frames)


def _truncate_frames(body: bytes, framing: str, damage: Damage, _other: bytes) -> bytes:
    frames = frames_of(body, framing)
    return b"".join(frames[: _place(damage.where, len(frames))])


def _insert_frame(body: bytes, framing: str, damage: Damage, other: bytes) -> bytes:
    frames, strange = frames_of(body, framing), frames_of(other, framing)
    at, of = _place(damage.where, len(frames) + 1), _place(damage.what, len(strange))
    return b"".join([*frames[:at], *strange[of : of + 1], *frames[at:]])


def _splice_frames(body: bytes, framing: str, damage: Damage, other: bytes) -> bytes:
    frames, strange = frames_of(body, framing), frames_of(other, framing)
    return b"".join([*frames[: _place(damage.where, len(frames))], *strange[_place(damage.what, len(strange)) :]])


def _in_payload(change: Callable[[bytes, Damage, bytes], bytes]) -> Operator:
    """``change`` on the JSON of one frame, given the JSON of one frame of the other body."""

    def operator(body: bytes, framing: str, damage: Damage, other: bytes) -> bytes:
        frames = frames_of(body, framing)
        at = _place(damage.where, len(frames))
        if at >= len(frames):
            return body
        payload, sealed = opened(frames[at], framing)
        strange = frames_of(other, framing)
        foreign = opened(strange[_place(damage.what, len(strange))], framing)[0] if strange else b""
        # The rest of the number that chose the frame chooses the place in it.
        inner = Damage(damage.operator, damage.where * len(frames) % SCALE, damage.what)
        frames[at] = sealed(change(payload, inner, foreign))
        return b"".join(frames)

    return operator


def _scalar(payload: bytes, damage: Damage, foreign: bytes) -> bytes:
    """Another value in place of one: a hostile one, or one from elsewhere."""
    found = list(_SCALAR.finditer(payload))
    if not found:
        return payload
    old = found[_place(damage.where, len(found))]
    elsewhere = _SCALAR.findall(foreign if damage.what & 1 else payload)
    choices = elsewhere if damage.what & 2 and elsewhere else VALUES
    return payload[: old.start()] + choices[(damage.what >> 2) % len(choices)] + payload[old.end() :]


def _member(payload: bytes, damage: Damage, foreign: bytes) -> bytes:
    """A member of an object or an array less, empty, in an array of its own, or replaced by one from elsewhere."""
    try:
        value = json.loads(payload)
        strange = json.loads(foreign) if foreign else None
    except (ValueError, RecursionError):
        return payload
    places = list(_members(value))
    if not places:
        return payload
    holder, key = places[_place(damage.where, len(places))]
    match damage.what % 4:
        case 0:
            del holder[key]
        case 1:
            holder[key] = [holder[key]]
        case 2:
            holder[key] = (None, {}, [], "", 0)[(damage.what >> 2) % 5]
        case _:
            others = list(_members(strange)) or places
            source, name = others[(damage.what >> 2) % len(others)]
            holder[key] = source[name] if source is not holder else [source[name]]
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except ValueError:  # it was put into itself
        return payload


def _members(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict | list):
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            found += [(holder, key) for key in keys]
            waiting += [holder[key] for key in reversed(keys)]
    return found


def opened(frame: bytes, framing: str) -> tuple[bytes, Callable[[bytes], bytes]]:
    """The JSON of a frame, and what puts other JSON in its place."""
    if framing == "eventstream":
        return _message_opened(frame)
    start, end = frame.find(b"{"), frame.rfind(b"}") + 1
    if start < 0 or end <= start:
        return frame, bytes
    return frame[start:end], lambda payload: frame[:start] + payload + frame[end:]


def _message_opened(frame: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    headers = struct.unpack_from(">I", frame, 4)[0] if len(frame) >= _LEAST else len(frame)
    if _LEAST + headers > len(frame):
        return frame, bytes
    block, payload = frame[12 : 12 + headers], frame[12 + headers : -4]

    def sealed(payload: bytes) -> bytes:
        prelude = struct.pack(">II", _LEAST + len(block) + len(payload), len(block))
        covered = prelude + struct.pack(">I", crc32(prelude)) + block + payload
        return covered + struct.pack(">I", crc32(covered))

    found = _BASE64.search(payload)  # InvokeModel wraps its JSON once more
    if found is not None:
        try:
            inner = base64.b64decode(found[1], validate=True)
        except binascii.Error:
            return payload, sealed
        return inner, lambda new: sealed(payload[: found.start(1)] + base64.b64encode(new) + payload[found.end(1) :])
    return payload, sealed


_LEAST: Final = 16
_BASE64: Final = re.compile(rb'"bytes":"([A-Za-z0-9+/=]+)"')
_SCALAR: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null')
LONGEST_REPEAT: Final = 256
"""Bytes; repeats of repeats would otherwise double a body each time."""
TOKENS: Final = (
    b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\xef\xbb\xbf", b":\n", b": keep-alive\n\n", b"data:",
    b"data: [DONE]\n\n", b"data\n", b"event: error\n", b"id: 1\n", b"retry: 5\n", b"event: x\ndata: {}\n\n",
    b"{", b"}", b"[", b"]", b",", b'"', b"\\", b"\\u", b"\\ud83d", b"\\ude00", b"null", b"NaN", b"1e999", b"-0", b"[[[[",
    b"]]]]", b"\x00", b"\xff", b"\xc3", b"\xf0\x9f\x98\x80", b"\xed\xa0\xbd", b"\x1f\x8b", b"<html>",
    b'{"error":{"message":"m","type":"t"}}', b'{"a":', b" ", b"0\r\n", b"\xe2\x80\xa8",
)  # fmt: skip
"""What is inserted."""
VALUES: Final = (
    b"null", b"true", b"false", b"0", b"1", b"-1", b"2", b"4097", b"9007199254740993", b"18446744073709551616", b"1e400",
    b"-0.0", b"0.1", b"NaN", b'""', b'"x"', b'"null"', b'"\\ud83d"', b'"\\ude00"', b'"\\u0000"', b'"\\n"', b'"{"', b'"}"',
    b'"\\""', b'"{}"', b"{}", b"[]", b"[null]", b"[{}]", b'{"a":1}', b'"__proto__"', b'"stop"', b'"tool_calls"',
    b'"error"', b"[" * 300 + b"]" * 300,
)  # fmt: skip
"""What takes the place of a value."""

OPERATORS: Final[dict[str, Operator]] = {
    "flip": _flip,
    "overwrite": _overwrite,
    "insert": _insert,
    "drop": _drop,
    "repeat": _repeat,
    "truncate": _truncate,
    "splice": _splice,
    "drop-frame": _drop_frame,
    "repeat-frame": _repeat_frame,
    "move-frame": _move_frame,
    "truncate-frames": _truncate_frames,
    "insert-frame": _insert_frame,
    "splice-frames": _splice_frames,
    "value": _in_payload(_scalar),
    "member": _in_payload(_member),
}
"""By name: first those on bytes, then on frames, then on the JSON of a frame."""
