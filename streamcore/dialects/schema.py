"""Checking a JSON value against the documented shape of a payload, and keeping only what is documented.

A schema is a function from a value to the checked value; it raises :class:`Mismatch`. The semantics follow zod, which
the TypeScript references validate with: unknown keys are dropped unless an object is ``loose``, ``nullish`` keys may be
absent or null, numbers are finite and booleans are not numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from operator import is_
from typing import Any, Final

Schema = Callable[[Any], Any]


class Mismatch(ValueError):  # noqa: N818 - a verdict on a value, caught where it is asked for
    """The value has not the documented shape; the message names where and what was expected."""


class _Nullish:
    """Marks a schema whose key may be absent."""

    __slots__ = ("allow_null", "schema")

    def __init__(self, schema: Schema, *, allow_null: bool) -> None:
        self.schema = schema
        self.allow_null = allow_null

    def __call__(self, value: Any) -> Any:
        if value is None and self.allow_null:
            return None
        return self.schema(value)


def nullish(schema: Schema) -> Schema:
    """The key may be absent, or null, or as ``schema`` says."""
    return _Nullish(schema, allow_null=True)


def optional(schema: Schema) -> Schema:
    """The key may be absent, or as ``schema`` says, but not null."""
    return _Nullish(schema, allow_null=False)


def anything(value: Any) -> Any:
    """Any JSON value; as a key it may also be absent (zod ``unknown`` and ``any``)."""
    return value


def string(value: Any) -> Any:
    """A string."""
    if type(value) is not str:
        raise Mismatch("expected a string")
    return value


def number(value: Any) -> Any:
    """A finite number."""
    if type(value) is not int and (type(value) is not float or not isfinite(value)):
        raise Mismatch("expected a number")
    return value


def boolean(value: Any) -> Any:
    """true or false."""
    if type(value) is not bool:
        raise Mismatch("expected a boolean")
    return value


def literal(*expected: Any) -> Schema:
    """One of the given scalars."""

    def check(value: Any) -> Any:
        if value not in expected or type(value) is not type(expected[0]):
            raise Mismatch(f"expected {' or '.join(map(repr, expected))}")
        return value

    return check


def nullable(schema: Schema) -> Schema:
    """null, or as ``schema`` says; the key must be there."""

    def check(value: Any) -> Any:
        return None if value is None else schema(value)

    return check


def array(schema: Schema) -> Schema:
    """A list whose items are as ``schema`` says."""

    def check(value: Any) -> Any:
        if type(value) is not list:
            raise Mismatch("expected a list")
        return [schema(item) for item in value]

    return check


def record(value: Any) -> Any:
    """An object with any keys."""
    if type(value) is not dict:
        raise Mismatch("expected an object")
    return value


_ABSENT: Final = object()
_EXACT: Final[dict[Schema, type]] = {string: str, number: int, boolean: bool}
"""Schemas that take every value of just that type."""


def shape(keys: Mapping[str, Schema], *, loose: bool = False) -> Schema:
    """An object with these keys; other keys are dropped, or kept if ``loose``."""
    # Most of what is read goes through here. So all that can be known of a key beforehand is.
    items: list[tuple[str, Schema, type | None, bool, bool]] = []
    for key, schema in keys.items():
        may_be_absent = isinstance(schema, _Nullish) or schema is anything
        may_be_null = isinstance(schema, _Nullish) and schema.allow_null
        inner = schema.schema if isinstance(schema, _Nullish) else schema
        items.append((key, inner, _EXACT.get(inner), may_be_absent, may_be_null))

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch("expected an object")
        result = value.copy() if loose else {}
        get = value.get
        for key, schema, exact, may_be_absent, may_be_null in items:
            item = get(key, _ABSENT)
            if item is _ABSENT:
                if not may_be_absent:
                    raise Mismatch(f"{key}: missing")
            elif (item is None and may_be_null) or type(item) is exact:
                result[key] = item
            else:
                try:
                    result[key] = schema(item)
                except Mismatch as mismatch:
                    raise Mismatch(f"{key}: {mismatch}") from None
        return result

    return check


def union(*schemas: Schema) -> Schema:
    """The first of ``schemas`` that fits."""

    def check(value: Any) -> Any:
        reasons = []
        for schema in schemas:
            try:
                return schema(value)
            except Mismatch as mismatch:
                reasons.append(str(mismatch))
        raise Mismatch("; ".join(reasons))

    return check


def tagged(tag: str, shapes: Mapping[str, Schema]) -> Schema:
    """An object whose ``tag`` key says which of ``shapes`` it has; the tag is kept."""

    def check(value: Any) -> Any:
        kind = value.get(tag) if type(value) is dict else None
        schema = shapes.get(kind) if type(kind) is str else None
        if schema is None:
            raise Mismatch(f"{tag}: unknown value {kind!r}")
        return {**schema(value), tag: kind}

    return check


def open_tagged(tag: str, shapes: Mapping[str, Schema]) -> Schema:
    """As :func:`tagged`, but an object whose ``tag`` is a string that ``shapes`` does not know is kept as it is."""
    known = tagged(tag, shapes)

    def check(value: Any) -> Any:
        kind = value.get(tag) if type(value) is dict else None
        return value if type(kind) is str and kind not in shapes else known(value)

    return check


def apart_from(details: Sequence[tuple[str, ...]], schema: Schema, value: Any) -> tuple[Any, str]:
    """What ``schema`` makes of ``value`` without those of its ``details`` that do not fit, and why they do not.

    What an event is about is not lost for the sake of what it mentions beside it. A detail is the path to a key that may
    be absent; ``*`` stands for every item of a list. One within another comes before it.

    Raises:
        Mismatch: ``value`` does not fit without them either.
    """
    misfits = ""
    for _ in details:
        try:
            return schema(value), misfits
        except Mismatch as mismatch:
            text = str(mismatch)
            misfit = next((path for path in details if text.startswith(_prefix(path))), None)
            if misfit is None:
                raise
            misfits = f"{misfits}; {text}" if misfits else text
            value = _without(value, misfit)
    return schema(value), misfits


def _prefix(path: tuple[str, ...]) -> str:
    """How a :class:`Mismatch` of what is at ``path`` begins."""
    return "".join(f"{key}: " for key in path if key != "*")


def _without(value: Any, path: tuple[str, ...]) -> Any:
    """A copy without the key at ``path``; ``value`` itself if it has none."""
    head, rest = path[0], path[1:]
    if head == "*":
        if type(value) is not list:
            return value
        items = [_without(item, rest) for item in value]
        return value if all(map(is_, items, value)) else items
    if type(value) is not dict or head not in value:
        return value
    if not rest:
        return {key: item for key, item in value.items() if key != head}
    inner = _without(value[head], rest)
    return value if inner is value[head] else {**value, head: inner}
