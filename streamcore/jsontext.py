"""JSON on the way in (bytes to a value, strict) and on the way out (the text ECMAScript would write).

In: RFC 8259 as ``JSON.parse`` applies it. NaN and Infinity are errors, integers are exact, the last of duplicate keys
wins, nesting is bounded, and bytes that are not UTF-8 are read as U+FFFD. A compiled decoder (msgspec) is tried first;
whatever it refuses is decided by the standard library, whose strictness is the definition. ``tests/streamcore`` proves
that the two agree on everything the first accepts.

Out: ECMA-262 ``JSON.stringify`` and ``Number::toString``: array-index keys first, shortest round-trip numbers.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, NoReturn

import msgspec

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
WHITESPACE = " \t\n\r"
"""What may stand between JSON tokens (RFC 8259 section 2)."""

# Possessive, and happy with a string that has no end: one pass without backtracking over anything.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+["\\]?', re.DOTALL)
_NOT_A_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


class JsonTextError(ValueError):
    """The text is not JSON. ``position`` counts characters from its start."""

    def __init__(self, detail: str, position: int) -> None:
        super().__init__(f"{detail} at character {position}")
        self.detail = detail
        self.position = position


def loads(data: bytes, max_depth: int = 256) -> Any:
    """The JSON value that ``data`` spells.

    Raises:
        JsonTextError: it spells none, or nests deeper than ``max_depth``.
    """
    try:
        value = _decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _loads_slowly(data, max_depth)
    if len(data) > 2 * max_depth and data.count(b"[") + data.count(b"{") > max_depth and depth(data) > max_depth:
        raise JsonTextError(f"nested deeper than {max_depth} levels", 0)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise JsonTextError(f"{name} is not JSON", 0)


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # the standard library's guard against quadratic time (sys.set_int_max_str_digits)
        raise JsonTextError(f"an integer of {len(digits)} digits", 0) from None


_strict = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer)


def _loads_slowly(data: bytes, max_depth: int) -> Any:
    if data.count(b"[") + data.count(b"{") > max_depth and depth(data) > max_depth:
        raise JsonTextError(f"nested deeper than {max_depth} levels", 0)
    try:
        return _strict.decode(data.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        raise JsonTextError(error.msg, error.pos) from None
    except RecursionError:
        raise JsonTextError("nested deeper than the call stack allows", 0) from None


def depth(data: bytes) -> int:
    """The deepest nesting of arrays and objects in ``data``, strings left out of account; linear."""
    level = deepest = 0
    for byte in _STRING.sub(b"", data).translate(None, _NOT_A_BRACKET):
        if byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        else:
            level -= 1
    return deepest


def colons_of(value: Any) -> int:
    """Colons that a text without duplicate keys and without escaped colons has if ``value`` is what it spells."""
    try:
        return _encode(value).count(b":")
    except (ValueError, RecursionError):  # half a surrogate pair; deep nesting
        pass
    total = 0
    items = [value]
    for item in items:  # which grows as it goes
        kind = type(item)
        if kind is str:
            total += item.count(":")
        elif kind is dict:
            total += len(item) + "".join(item).count(":")
            items += item.values()
        elif kind is list:
            items += item
    return total


def duplicate_key(data: bytes, value: Any) -> str | None:
    """A key that occurs twice in one object of ``data``, whose value is ``value``; None if there is none.

    Every key is followed by a colon, so a text with just the colons that its value accounts for has no duplicates; only
    otherwise, or where a colon may be written as an escape, is it parsed a second time.
    """
    if data.count(b":") == colons_of(value) and b"u003" not in data:
        return None
    found: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            seen: set[str] = set()
            found.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return result

    json.JSONDecoder(object_pairs_hook=note).decode(data.decode("utf-8", "replace"))
    return found[0] if found else None


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')
_SURROGATE = re.compile("[\ud800-\udfff]")


def joined(text: str) -> str:
    """``text`` with halves of a surrogate pair that stand side by side, as deltas leave them, made the one character that they
    are to ECMAScript."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_LONE = re.compile(r"(?<!\\)[\ud800-\udfff]")


def utf8(text: str) -> bytes:
    """``text`` as :func:`loads` takes it. UTF-8 has no lone halves of surrogate pairs: they are escaped, as JSON can."""
    whole = joined(text)
    if not whole.isascii():
        whole = _LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", whole)
    return whole.encode("utf-8", "surrogatepass")


def string_text(text: str) -> str:
    """``text`` as ECMAScript quotes it: non-ASCII raw, lone surrogates as lower-case ``\\udxxx``."""
    text = joined(text)
    return '"' + _TO_ESCAPE.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", text) + '"'


def finite(value: Any) -> Any:
    """``value`` with null for each number that is none in JSON, as ``JSON.stringify`` has it: 1e999 is read as infinite."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(member) for key, member in value.items()}
    return [finite(member) for member in value] if isinstance(value, list) else value


def number_text(value: float) -> str:
    """ECMA-262 Number::toString of the double that ``value`` denotes; NaN and the infinities have their names."""
    if isinstance(value, int) and -(2**53) <= value <= 2**53:
        return str(int(value))
    try:
        number = float(value)
    except OverflowError:
        return "Infinity" if value > 0 else "-Infinity"
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    mantissa, _, exponent_text = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(exponent_text or 0)
    digits = digits.rstrip("0")
    sign = "-" if number < 0 else ""
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    exponent = point - 1
    tail = "." + digits[1:] if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


_NOTHING = object()


def _is_array_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= 10 and str(int(key)) == key and int(key) < 2**32 - 1


def _scalar_text(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return string_text(value)
    text = number_text(value)
    return "null" if text[-1] in "yN" else text


def _is_spelled_alike(value: Any) -> bool:
    """Whether msgspec spells ``value`` as ECMAScript does; half surrogate pairs, which it refuses, aside."""
    items = [value]
    for item in items:  # which grows as it goes
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is dict:
            for key in item:
                if key[:1].isdigit():
                    return False
            items += item.values()
        elif kind is list:
            items += item
        elif kind is not int or not -(2**53) <= item <= 2**53:
            return False
    return True


def stringify(value: Any) -> str:
    """``JSON.stringify(value)`` of a value that came out of ``JSON.parse``, however deep it nests.

    Keys that are array indices come first, in numeric order (ECMA-262 OrdinaryOwnPropertyKeys); numbers are doubles,
    and those that are not finite become ``null``.
    """
    if _is_spelled_alike(value):
        try:
            return _encode(value).decode()
        except (ValueError, RecursionError):  # half a surrogate pair; deep nesting
            pass
    pieces: list[str] = []
    # What is still to write, last first: (text that goes before it, value), or (text, _NOTHING).
    rest: list[tuple[str, Any]] = [("", value)]
    while rest:
        before, item = rest.pop()
        pieces.append(before)
        if isinstance(item, list):
            pieces.append("[")
            rest.append(("]", _NOTHING))
            rest += [("," if at else "", item[at]) for at in range(len(item) - 1, -1, -1)]
        elif isinstance(item, dict):
            pieces.append("{")
            rest.append(("}", _NOTHING))
            keys = property_order(item)
            members = [(("," if at else "") + string_text(key) + ":", item[key]) for at, key in enumerate(keys)]
            members.reverse()
            rest += members
        elif item is not _NOTHING:
            pieces.append(_scalar_text(item))
    return "".join(pieces)


def property_order(value: dict[str, Any]) -> list[str]:
    """The keys of ``value`` in the order in which ECMAScript enumerates them."""
    indices = sorted((key for key in value if _is_array_index(key)), key=int)
    return indices + [key for key in value if not _is_array_index(key)] if indices else list(value)
