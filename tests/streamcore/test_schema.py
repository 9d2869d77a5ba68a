"""Schemas: what fits, what is kept, and what the complaint says."""

from __future__ import annotations

import math
from typing import Any

import pytest

from streamcore.dialects.schema import (
    Mismatch,
    Schema,
    anything,
    array,
    boolean,
    literal,
    nullable,
    nullish,
    number,
    optional,
    record,
    shape,
    string,
    tagged,
    union,
)

POINT = shape({"x": number, "y": nullish(number)})
LOOSE = shape({"x": number}, loose=True)
SHAPES = tagged("type", {"point": POINT, "name": shape({"name": string})})

FITS: list[tuple[Schema, Any, Any]] = [
    (string, "", ""),
    (number, 0, 0),
    (number, -1.5, -1.5),
    (number, 10**400, 10**400),
    (boolean, False, False),
    (literal("a", "b"), "b", "b"),
    (literal(1), 1, 1),
    (anything, None, None),
    (anything, [{}], [{}]),
    (nullable(string), None, None),
    (nullable(string), "x", "x"),
    (array(number), [], []),
    (array(POINT), [{"x": 1, "z": 2}], [{"x": 1}]),
    (record, {"any": 1}, {"any": 1}),
    (POINT, {"x": 1}, {"x": 1}),
    (POINT, {"x": 1, "y": None}, {"x": 1, "y": None}),
    (POINT, {"z": 0, "y": 2, "x": 1}, {"x": 1, "y": 2}),
    (LOOSE, {"x": 1, "z": [2]}, {"x": 1, "z": [2]}),
    (shape({"a": optional(string)}), {}, {}),
    (shape({"a": optional(string)}), {"a": "x"}, {"a": "x"}),
    (shape({"a": anything}), {}, {}),
    (shape({"a": nullish(anything)}), {"a": None}, {"a": None}),
    (union(string, POINT), {"x": 1, "z": 2}, {"x": 1}),
    (SHAPES, {"type": "name", "name": "n", "x": 1}, {"name": "n", "type": "name"}),
]


@pytest.mark.parametrize(("schema", "value", "kept"), FITS)
def test_what_fits(schema: Schema, value: Any, kept: Any) -> None:
    found = schema(value)
    assert found == kept
    assert type(found) is type(kept)


COMPLAINTS: list[tuple[Schema, Any, str]] = [
    (string, 1, "expected a string"),
    (string, None, "expected a string"),
    (number, True, "expected a number"),
    (number, "1", "expected a number"),
    (number, math.inf, "expected a number"),
    (number, None, "expected a number"),
    (boolean, 1, "expected a boolean"),
    (literal("a", "b"), "c", "expected 'a' or 'b'"),
    (literal(1), True, "expected 1"),
    (literal(1), 1.0, "expected 1"),
    (literal("a"), [], "expected 'a'"),
    (nullable(string), 1, "expected a string"),
    (array(string), "x", "expected a list"),
    (array(string), {"0": "x"}, "expected a list"),
    (array(string), ["x", 1], "expected a string"),
    (record, [], "expected an object"),
    (POINT, None, "expected an object"),
    (POINT, [], "expected an object"),
    (POINT, {}, "x: missing"),
    (POINT, {"x": 1, "y": "2"}, "y: expected a number"),
    (shape({"a": nullable(string)}), {}, "a: missing"),
    (shape({"a": optional(string)}), {"a": None}, "a: expected a string"),
    (shape({"p": POINT}), {"p": {"x": None}}, "p: x: expected a number"),
    (union(string, number), [], "expected a string; expected a number"),
    (SHAPES, {"type": "other"}, "type: unknown value 'other'"),
    (SHAPES, {"type": ["name"]}, "type: unknown value ['name']"),
    (SHAPES, {}, "type: unknown value None"),
    (SHAPES, "name", "type: unknown value None"),
    (SHAPES, {"type": "point"}, "x: missing"),
]


@pytest.mark.parametrize(("schema", "value", "complaint"), COMPLAINTS)
def test_what_does_not(schema: Schema, value: Any, complaint: str) -> None:
    with pytest.raises(Mismatch) as caught:
        schema(value)
    assert str(caught.value) == complaint
    assert isinstance(caught.value, ValueError)


def test_the_value_itself_stays_as_it_is() -> None:
    value = {"x": 1, "z": 2}
    POINT(value)
    LOOSE(value)["new"] = 3
    assert value == {"x": 1, "z": 2}
