"""The rule that what a stream says can be encoded. See :mod:`harness.rules`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.rules.stream import Violation, choice_of

if TYPE_CHECKING:
    from harness.subjects import PartJson

_DELTA = re.compile(r"(text|reasoning|tool-input)-delta")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD]([89a-fA-F])[0-9a-fA-F]{2}")
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_WRAPPED = re.compile(rb'"bytes"\s*:\s*"([A-Za-z0-9+/=]+)"')
"""Payloads of Bedrock's InvokeModel, which wrap JSON in base64."""


def of_the_text(parts: Sequence[PartJson], body: bytes | None) -> Iterator[Violation]:
    """What cannot be encoded; nothing where ``body`` spells halves of surrogate pairs that are alone on the wire too."""
    if body is None or _surrogates_pair_up(body):
        yield from _encodable(parts)


def _encodable(parts: Sequence[PartJson]) -> Iterator[Violation]:
    said: dict[tuple[str, Any, Any], list[str]] = {}
    last: dict[tuple[str, Any, Any], int] = {}
    for index, part in enumerate(parts):
        if matched := _DELTA.fullmatch(part["type"]):
            key = (matched[1], choice_of(part), part["id"])
            said.setdefault(key, []).append(part["delta"])
            last[key] = index
    for key, pieces in said.items():
        text = "".join(pieces)
        try:
            text.encode()
        except UnicodeEncodeError:
            # Halves of a pair that came in two deltas are one character once they are joined.
            try:
                text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            except UnicodeDecodeError as error:
                message = f"{key[0]} block {key[2]!r} has half a surrogate pair at UTF-16 offset {error.start // 2}"
                yield Violation("encodable", "V23", message, last[key])


def _surrogates_pair_up(body: bytes) -> bool:
    """Whether the escapes of ``body`` spell as many low halves of surrogate pairs as high ones."""
    body = unwrapped(body)
    high = sum(found[1] in b"89abAB" for found in _SURROGATE_ESCAPE.finditer(body))
    return 2 * high == len(_SURROGATE_ESCAPE.findall(body))


def has_halves(body: bytes) -> bool:
    """Whether an escape of ``body`` spells half of a surrogate pair whose other half does not stand beside it."""
    return _SURROGATE_ESCAPE.search(_PAIR.sub(b"", unwrapped(body))) is not None


def unwrapped(body: bytes) -> bytes:
    """``body``, and behind it what it wraps in base64."""
    return body + b"".join(map(_from_base64, _WRAPPED.findall(body)))


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
