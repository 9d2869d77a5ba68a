"""Arguments against the schemas that requests declare: every shape of declaration, every outcome, and no judgement."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from harness.case import Case
from harness.report.html import render
from harness.subjects.core import CoreSession
from harness.tool_schemas import check_calls, declared, from_openapi
from harness.verdict import CallCheck, SchemaVerdict
from streamcore import DIALECTS

from .committed import CASES
from .page_tree import parse
from .report_runs import case as report_case
from .report_runs import passing

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OPENAPI = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
SHAPES: dict[str, dict[str, Any]] = {
    "chat": {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}]},
    "functions": {"functions": [{"name": "f", "parameters": SCHEMA}]},
    "responses": {"tools": [{"type": "web_search"}, {"type": "function", "name": "f", "parameters": SCHEMA}]},
    "anthropic": {"tools": [{"name": "f", "input_schema": SCHEMA}]},
    "gemini": {"tools": [{"googleSearch": {}}, {"functionDeclarations": [{"name": "f", "parameters": OPENAPI}]}]},
    "gemini, JSON Schema": {"tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}]},
    "bedrock": {"toolConfig": {"tools": [{"cachePoint": {}}, {"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}]}},
}


def call(arguments: str, tool: str = "f") -> dict[str, Any]:
    return {"type": "tool-call", "toolCallId": "a", "toolName": tool, "input": arguments}


def check(request: Any, arguments: str, tool: str = "f") -> tuple[SchemaVerdict, str, str]:
    case = Case("x/y", "x", b"", request={"body": request})
    [found] = check_calls(case, [{"type": "text-delta"}, call(arguments, tool)])
    assert (found.call, found.tool) == ("a", tool)
    return found.verdict, found.path, found.detail


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_declaration(shape: str) -> None:
    request = SHAPES[shape]
    assert declared(request) == {"f": SCHEMA}
    assert check(request, '{"city":"Oslo"}') == (SchemaVerdict.VALID, "", "")
    assert check(request, '{"city":1}') == (SchemaVerdict.NOT_THE_SCHEMA, "$.city", "1 is not of type 'string'")
    assert check(request, "") == (SchemaVerdict.NOT_THE_SCHEMA, "$", "'city' is a required property")
    assert check(request, '"{}"')[:2] == (SchemaVerdict.NOT_THE_SCHEMA, "$")
    assert check(request, '{"city"')[0] is SchemaVerdict.NOT_JSON
    assert check(request, "{}", "g") == (SchemaVerdict.NO_SCHEMA, "", "")


@pytest.mark.parametrize(
    "request_body",
    [None, "text", {}, {"tools": None}, {"tools": [1, {}]}, {"tools": [{"name": "f"}]}, {"toolConfig": []},
        {"tools": [{"functionDeclarations": [{"name": "f"}, 1]}]}, {"tools": [{"name": ["f"], "parameters": {}}]},
        {"toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]}}],
)  # fmt: skip
def test_requests_without_a_schema(request_body: Any) -> None:
    assert check(request_body, "{}") == (SchemaVerdict.NO_SCHEMA, "", "")
    assert check(request_body, "{")[0] is SchemaVerdict.NOT_JSON


@pytest.mark.parametrize(
    "schema",
    [{"type": "nothing"}, {"$ref": "http://localhost/x.json"}, {"$ref": "#/nowhere"},
        {"properties": {"a": {"pattern": "(?<x>"}}}, {"$ref": "#"}],
)  # fmt: skip
def test_schemas_that_cannot_be_used(schema: Any) -> None:
    verdict, path, detail = check({"tools": [{"name": "f", "input_schema": schema}]}, '{"a":"b"}')
    assert (verdict, path) == (SchemaVerdict.NO_SCHEMA, "")
    assert detail.startswith("the schema cannot be used: ")


def test_the_first_error_in_order_of_path() -> None:
    schema = {"properties": {"b": {"type": "string"}, "a": {"items": {"type": "string"}}}}
    request = {"tools": [{"name": "f", "parameters": schema}]}
    assert check(request, '{"b":1,"a":["x",2]}') == (SchemaVerdict.NOT_THE_SCHEMA, "$.a[1]", "2 is not of type 'string'")
    long = check({"tools": [{"name": "f", "parameters": {"type": "array"}}]}, '{"a":"' + "x" * 1000 + '"}')
    assert len(long[2]) == 200


def test_the_openapi_dialect() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "nullable": True, "maxLength": "3"},
            "list": {"type": "ARRAY", "items": {"anyOf": [{"type": "INTEGER"}, {"type": "BOOLEAN"}]}, "minItems": 1},
        },
    }
    request = {"tools": [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]}
    for arguments, fits in (
        ('{"type":null}', True),
        ('{"type":"abc"}', True),
        ('{"type":"abcd"}', False),
        ('{"list":[1,true]}', True),
        ('{"list":[]}', False),
        ('{"list":["x"]}', False),
        ("[]", False),
    ):
        expected = SchemaVerdict.VALID if fits else SchemaVerdict.NOT_THE_SCHEMA
        assert check(request, arguments)[0] is expected, arguments
    assert from_openapi(True) is True


def test_calls_of_another_shape_are_left_to_the_rules() -> None:
    case = Case("x/y", "x", b"", request={"body": SHAPES["chat"]})
    assert check_calls(case, [{}, {"type": "tool-call"}, {**call("{}"), "input": None}]) == ()
    assert check_calls(Case("x/y", "x", b""), [call("{}")])[0].verdict is SchemaVerdict.NO_SCHEMA


def test_the_calls_of_the_cassettes() -> None:
    verdicts: Counter[SchemaVerdict] = Counter()
    by_case: dict[str, list[SchemaVerdict]] = {}
    for case in CASES:
        if case.dialect in DIALECTS:
            session = CoreSession(case.dialect)
            found = check_calls(case, session.feed(case.body) + session.close())
            by_case[case.id] = [each.verdict for each in found]
            verdicts.update(by_case[case.id])
    assert verdicts[SchemaVerdict.VALID] >= 100
    assert by_case["openai-chat/text"] == []
    assert by_case["openai-chat/tool-length"] == [SchemaVerdict.NOT_JSON]
    assert by_case["gemini-generateContent/odd-calls"] == [SchemaVerdict.NO_SCHEMA, SchemaVerdict.NOT_THE_SCHEMA]


def test_the_page_shows_a_line_per_call_and_the_characters_traced() -> None:
    arguments = {"argument_chars": 1234, "located_chars": 1200}
    calls = (
        CallCheck("a", "f", SchemaVerdict.VALID),
        CallCheck("b", "g", SchemaVerdict.NOT_THE_SCHEMA, "$.city", "1 is not of type 'string'"),
    )
    page = parse(render(passing(cases=(report_case("openai-chat/tool", calls=calls, **arguments),))))
    facts = json.loads(page.one(id="data").text)["cases"]["openai-chat/tool"]["facts"]
    assert [value for name, value in facts if name == "call"] == [
        "f: valid",
        "g: not-the-schema $.city 1 is not of type 'string'",
    ]
    assert ["arguments", "1,234 characters, 1,200 of them traced to their bytes"] in facts
