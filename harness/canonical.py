"""The canonical text of a JSON value: the same value gives the same ASCII bytes in Python and in Node.

ASCII only, every code unit from U+007F up as lower-case ``\\uxxxx``; keys sorted by UTF-16 code unit; numbers as
ECMAScript's Number::toString, so integers beyond 2^53 print as the double they round to; no spaces. The Node twin is
``golden/oracle/canonical.mjs``.
"""

from __future__ import annotations

import json
from typing import Any

from streamcore.jsontext import number_text

_quote = json.encoder.encode_basestring_ascii


def _utf16_order(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def canonical(value: Any) -> str:
    """The canonical JSON text of ``value``: None, bool, int, float, str, list or tuple, dict with str keys."""
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, dict):
        keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16_order)
        return "{" + ",".join([f"{_quote(key)}:{canonical(value[key])}" for key in keys]) + "}"
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | float):
        text = number_text(value)
        return text if text[-1] not in "yN" else f'{{"$num":"{text}"}}'
    return "[" + ",".join([canonical(item) for item in value]) + "]"
